"""Merging, splitting, moving, renaming, regrouping: what a lead may do to problems, and that all of it can be undone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedbackhub.capture.erasure import erase_person
from feedbackhub.outbound import OutboundError, Outcome
from tests.factories import (
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
)
from triage import accepting, changes, describing, problems, regrouping
from triage.models import Placement, Problem, ProblemChange, ProblemMember, Regrouping

pytestmark = pytest.mark.django_db

BICYCLE = [
    "Can I deduct the bicycle that I ride to work?",
    "Is my new bicycle deductible when I ride it to work?",
    "May I deduct a bicycle for riding to my work?",
    "Deduct bicycle for work rides, can I?",
]
RENT = [
    "Which form do I need for rent from abroad?",
    "Rent from abroad: which form is needed?",
    "What form for rent that comes from abroad?",
    "Which form for my rent from abroad?",
]


def asked(project, words, **fields):
    return InteractionFactory(
        project=project, messages=[{"role": "user", "content": words}], **fields
    )


def problem_of(project, words, *, source="similarity", **fields):
    fields.setdefault("number", 100 + Problem.objects.count())  # not the next one's
    problem = ProblemFactory(project=project, **fields)
    for each in words:
        ProblemMemberFactory(problem=problem, interaction=asked(project, each), source=source)
    return problem


def alone(project, words):
    row = asked(project, words)
    Placement.objects.create(project=project, interaction=row, reason="far")
    return row


def cases_of(problem) -> set[str]:
    return {
        member.interaction.last_user_message
        for member in problem.members.filter(left_at=None).select_related("interaction")
    }


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def undo(problem):
    return changes.undo_change(change=changes.of_problem(problem)[0])


# --- merge, split, move, rename -------------------------------------------------------------------


@pytest.mark.parametrize("state", ["open", "fixing", "shipped", "regressed"])
def test_a_merge_is_undone_whole(project, ben, state):
    one = problem_of(project, BICYCLE, state=state, number=101)
    other = problem_of(project, RENT, number=102)
    earlier = ProblemFactory(project=project, state="duplicate", duplicate_of=one, number=99)
    ProblemMember.objects.filter(problem=one).update(is_pinned=True, source="expert")
    problems.merge_problem(problem=one, into=other, by=ben)
    assert cases_of(other) == {*BICYCLE, *RENT}
    undo(one)
    for row in (one, other, earlier):
        row.refresh_from_db()
    assert (one.state, one.duplicate_of, earlier.duplicate_of) == (state, None, one)
    assert (cases_of(one), cases_of(other)) == (set(BICYCLE), set(RENT))
    assert set(one.members.values_list("is_pinned", "source")) == {(True, "expert")}
    assert (one.member_count, other.member_count) == (4, 4)
    assert not other.members.filter(left_at__isnull=False).exists()


def test_picked_cases_go_to_another_problem_and_come_back(project, ben):
    one = problem_of(project, [*BICYCLE, RENT[0]], number=101)
    other = problem_of(project, RENT[1:], number=102)
    astray = list(one.members.filter(interaction__messages__0__content=RENT[0]))
    problems.move_cases(members=astray, to=other, by=ben)
    assert (cases_of(one), cases_of(other)) == (set(BICYCLE), set(RENT))
    assert ProblemMember.objects.get(problem=other, interaction=astray[0].interaction).is_by_person
    undo(one)
    assert (cases_of(one), cases_of(other)) == ({*BICYCLE, RENT[0]}, set(RENT[1:]))


def test_a_split_opens_a_problem_and_its_undo_takes_it_away(project, ben):
    one = problem_of(project, [*BICYCLE, *RENT], number=101, category="outdated")
    rents = list(one.members.filter(interaction__messages__0__content__in=RENT))
    fresh = problems.move_cases(members=rents, title="Rent from abroad", by=ben)
    assert (fresh.title, fresh.category, cases_of(fresh)) == ("Rent from abroad", "outdated", set(RENT))  # fmt: skip
    undo(one)
    assert cases_of(one) == {*BICYCLE, *RENT}
    assert not Problem.objects.filter(pk=fresh.pk).exists()


def test_a_rename_is_undone_with_its_summary(project, ben):
    one = ProblemFactory(project=project, title="Old words", summary="Old lines")
    problems.rename_problem(problem=one, title="New words", summary="", by=ben)
    undo(one)
    one.refresh_from_db()
    assert (one.title, one.summary, one.is_described_by_hand) == ("Old words", "Old lines", False)


def test_what_was_changed_since_is_not_overwritten(project, ben):
    one = problem_of(project, BICYCLE, number=101)
    other = problem_of(project, RENT[:1], number=102)
    third = problem_of(project, RENT[1:2], number=103)
    problems.merge_problem(problem=one, into=other, by=ben)
    member = other.members.filter(left_at=None).last()
    problems.move_cases(members=[member], to=third, by=ben)
    with pytest.raises(changes.UndoRefused, match="moved since"):
        changes.undo_change(change=ProblemChange.objects.get(kind="merge"))
    one.refresh_from_db()
    assert one.state == "duplicate"
    undo(third)
    changes.undo_change(change=ProblemChange.objects.get(kind="merge"))
    assert cases_of(one) == set(BICYCLE)


def test_undone_twice_is_once(project, ben):
    one = problem_of(project, BICYCLE)
    problems.rename_problem(problem=one, title="New", by=ben)
    change = changes.of_problem(one)[0]
    changes.undo_change(change=change)
    problems.rename_problem(problem=one, title="Newer", by=ben)
    changes.undo_change(change=change)
    one.refresh_from_db()
    assert one.title == "Newer"


def test_nothing_that_a_change_remembers_quotes_a_person_who_is_erased(project, ben):
    one = ProblemFactory(project=project, title="In tax_help: “I am Zaphodina, may I?”")
    row = asked(project, "I am Zaphodina, may I?", user_hash="h" * 64)
    ProblemMemberFactory(problem=one, interaction=row)
    problems.rename_problem(problem=one, title="May she", by=ben)
    erase_person(project=project, ref_hash="h" * 64)
    assert "Zaphodina" not in str(list(ProblemChange.objects.values()))


def test_a_title_of_ours_forgets_the_words_that_only_the_erased_person_had(project):
    one = ProblemFactory(
        project=project, title="Bicycle, zaphodina: “May I?”", summary="“Zaphodina”"
    )
    for words, person in (("My bicycle, May I?", "a"), ("Zaphodina's bicycle", "h")):
        row = asked(project, words, user_hash=person * 64)
        ProblemMemberFactory(problem=one, interaction=row)
    erase_person(project=project, ref_hash="h" * 64)
    one.refresh_from_db()
    assert ("zaphodina" in one.title.lower(), "Bicycle" in one.title, one.summary) == (False, True, "")  # fmt: skip


# --- words ----------------------------------------------------------------------------------------


def test_a_group_is_described_in_its_members_own_words(project):
    problem_of(project, RENT)
    one = problem_of(project, BICYCLE, title="One")
    interactions = list(one.members.values_list("interaction_id", flat=True))
    title, summary = describing.describe(project_id=project.pk, interactions=interactions)
    assert "bicycle" in title.lower().split(":")[0]
    lines = summary.splitlines()
    assert len(lines) == 3
    assert {line.strip("“”") for line in lines} < set(BICYCLE)


def test_the_broom_describes_what_has_grown_and_leaves_a_leads_words(project):
    one = problem_of(project, BICYCLE)
    by_hand = problem_of(project, RENT, is_described_by_hand=True)
    small = problem_of(project, ["May I?"])
    Problem.objects.update(member_count=4)
    Problem.objects.filter(pk=small.pk).update(member_count=1)
    assert describing.describe_new() == 1
    for row in (one, by_hand, small):
        row.refresh_from_db()
    assert (bool(one.summary), by_hand.summary, small.summary) == (True, "", "")
    assert "bicycle" in one.title.lower().split(":")[0]


def test_what_has_no_words_does_not_keep_the_others_from_theirs(project):
    silent = problem_of(project, ["", "", ""])
    Problem.objects.update(member_count=4)
    assert describing.describe_new(limit=1) == 0
    spoken_for = problem_of(project, BICYCLE)
    Problem.objects.update(member_count=4)
    assert describing.describe_new(limit=1) == 1
    for row in (silent, spoken_for):
        row.refresh_from_db()
    assert (silent.summary, bool(spoken_for.summary)) == ("", True)


# --- regrouping -----------------------------------------------------------------------------------


def proposed(project):
    asked_for = regrouping.ask_regrouping(project=project)
    return regrouping.prepare_regrouping(regrouping=asked_for)


def accepted(row):
    """A lead's word, and the worker's work."""
    accepting.accept_regrouping(regrouping=row)
    return accepting.carry_out(regrouping=row)


def test_what_was_left_alone_joins_its_like_or_opens_a_problem_only_when_accepted(project):
    bicycles = problem_of(project, BICYCLE[:3], source="expert")
    astray = alone(project, BICYCLE[3])
    for words in RENT:
        alone(project, words)
    row = proposed(project)
    assert row.state == "ready"
    assert row.considered == 8
    assert Problem.objects.count() == 1
    accepted(row)
    fresh = Problem.objects.exclude(pk=bicycles.pk).get()
    assert (cases_of(bicycles), cases_of(fresh)) == (set(BICYCLE), set(RENT))
    assert "rent" in fresh.title.lower()
    assert Placement.objects.get(interaction=astray).problem == bicycles


def test_what_was_left_alone_joins_as_bad_as_it_was_settled(project):
    bicycles = problem_of(project, BICYCLE[:3])
    row = alone(project, BICYCLE[3])
    settlement = SettlementFactory(interaction=row, severity="high")
    change = changes.begin(kind="regroup", project_id=project.pk)
    change.join(interaction=row, to=bicycles)
    member = ProblemMember.objects.get(interaction=row)
    assert (member.severity, member.settlement) == ("high", settlement)


@pytest.mark.parametrize("by_hand", [True, False], ids=["put", "regrouped"])
def test_what_was_left_alone_and_is_harmful_counts_as_such_and_is_filed(
    as_user, ben, project, connect, by_hand
):
    problem, row = problem_of(project, BICYCLE[:3], number=7), alone(project, BICYCLE[3])
    connect(project)
    SettlementFactory(interaction=row, verdict="correct", severity="none", schema_name="tone")
    harm = SettlementFactory(interaction=row, verdict="harmful", severity="low")
    if by_hand:
        as_user(ben).post(url("put_case", row.public_id), {"into": "P7"})
    else:
        change = changes.begin(kind="regroup", project_id=project.pk)
        change.join(interaction=row, to=problem)
    member = ProblemMember.objects.get(interaction=row)
    assert (member.severity, member.settlement) == ("high", harm)
    assert problem.escalations.count() == 1


def test_a_proposal_is_prepared_by_one_worker_and_by_the_next_when_that_one_died(project):
    asked_for = regrouping.ask_regrouping(project=project)
    hour = timedelta(hours=1)
    Regrouping.objects.update(
        created_at=timezone.now() - hour, lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert regrouping.prepare_regrouping(regrouping=asked_for).state == "asked"
    assert not regrouping.waiting_for_a_worker().exists()
    Regrouping.objects.update(lease_until=timezone.now() - hour)
    assert regrouping.waiting_for_a_worker().get() == asked_for
    assert regrouping.prepare_regrouping(regrouping=asked_for).state == "ready"


def test_many_that_join_are_counted_once_for_each_problem(project):
    bicycles = problem_of(project, BICYCLE[:3], source="expert")
    for number in range(12):
        alone(project, f"{BICYCLE[3]} Number {number}?")
    row = proposed(project)
    with CaptureQueriesContext(connection) as asked_of_database:
        accepted(row)
    counted = [each for each in asked_of_database if 'MAX("capture_interaction"' in each["sql"]]
    bicycles.refresh_from_db()
    assert (bicycles.member_count, len(counted)) == (15, 1)


def test_an_accepted_regrouping_is_undone_whole(project):
    problem_of(project, BICYCLE[:3], source="expert")
    for words in [BICYCLE[3], *RENT]:
        alone(project, words)
    row = accepted(proposed(project))
    changes.undo_change(change=row.change)
    assert Problem.objects.count() == 1
    assert ProblemMember.objects.filter(left_at=None).count() == 3
    assert Placement.objects.filter(problem=None).count() == 5


def test_likeness_yields_and_what_a_person_joined_or_pinned_stays(project):
    bicycles = problem_of(project, BICYCLE[:3], source="expert")
    rents = problem_of(project, RENT, source="expert")
    by_likeness, joined, pinned = (
        ProblemMemberFactory(problem=rents, interaction=asked(project, words), **more)
        for words, more in (
            (BICYCLE[3], {"source": "similarity"}),
            (BICYCLE[0] + " Really?", {"source": "lead"}),
            (BICYCLE[1] + " Really?", {"source": "similarity", "is_pinned": True}),
        )
    )
    accepted(proposed(project))
    where = dict(
        ProblemMember.objects.filter(left_at=None).values_list("interaction_id", "problem_id")
    )
    assert where[by_likeness.interaction_id] == bicycles.pk
    assert where[joined.interaction_id] == where[pinned.interaction_id] == rents.pk


def test_what_was_pinned_or_moved_since_the_preview_is_left_out(project):
    problem_of(project, BICYCLE[:3], source="expert")
    rents = problem_of(project, RENT, source="expert")
    member = ProblemMemberFactory(
        problem=rents, interaction=asked(project, BICYCLE[3]), source="similarity"
    )
    row = proposed(project)
    assert sum(len(part["joins"]) for part in row.plan) == 1
    problems.pin_case(member=member, is_pinned=True)
    row = accepted(row)
    assert (row.state, row.change) == ("accepted", None)
    assert BICYCLE[3] in cases_of(rents)


def test_a_plan_holds_nobodys_words(project):
    for words in RENT:
        alone(project, words)
    assert "rent" not in str(proposed(project).plan).lower()


def test_a_proposal_is_decided_once_and_a_new_one_declines_the_old(project):
    first = proposed(project)
    second = proposed(project)
    first.refresh_from_db()
    assert (first.state, second.state) == ("declined", "ready")
    with pytest.raises(accepting.NotReady):
        accepting.accept_regrouping(regrouping=first)


def test_a_service_that_is_away_fails_the_proposal_and_says_why(project, monkeypatch):
    alone(project, RENT[0])

    def away(**_):
        raise OutboundError("The embeddings service did not answer.", Outcome.REFUSED_TRY_LATER)

    monkeypatch.setattr("feedbackhub.capture.vectors.make_vectors", away)
    row = proposed(project)
    assert (row.state, row.failure) == ("failed", "The embeddings service did not answer.")


# --- the pages ------------------------------------------------------------------------------------


def test_a_lead_reads_the_proposal_and_accepts_it(as_user, ben, project):
    client = as_user(ben)
    for words in RENT:
        alone(project, words)
    assert "No proposal waits" in client.get(url("regrouping")).content.decode()
    client.post(url("ask_regrouping"))
    row = Regrouping.objects.get()
    regrouping.prepare_regrouping(regrouping=row)
    page = client.get(url("regrouping")).content.decode()
    assert RENT[0] in page
    assert "4 cases join" in page
    client.post(url("decide_regrouping", row.public_id), {"accept": ""})
    accepting.carry_out(regrouping=row)
    assert cases_of(Problem.objects.get()) == set(RENT)
    assert "The last one was accepted" in client.get(url("regrouping")).content.decode()


def test_declined_it_moves_nothing(as_user, ben, project):
    for words in RENT:
        alone(project, words)
    row = proposed(project)
    as_user(ben).post(url("decide_regrouping", row.public_id), {"decline": ""})
    row.refresh_from_db()
    assert (row.state, Problem.objects.count()) == ("declined", 0)


def test_picked_cases_are_moved_from_the_page_with_an_undo_at_hand(as_user, ben, project):
    client = as_user(ben)
    one = problem_of(project, BICYCLE, number=7)
    other = problem_of(project, RENT, number=8)
    picked = one.members.first()
    answer = client.post(
        url("move_cases", 7),
        {"cases": [picked.interaction.public_id, "x"], "to": "P8"},
        follow=True,
    )
    assert other.members.filter(interaction=picked.interaction, left_at=None).exists()
    change = ProblemChange.objects.get()
    assert url("undo_change", change.public_id) in answer.content.decode()
    client.post(url("undo_change", change.public_id))
    assert cases_of(one) == set(BICYCLE)


@pytest.mark.parametrize("given", [{}, {"to": "P99"}, {"to": "P7"}], ids=["none", "gone", "itself"])
def test_a_move_that_cannot_be_is_said(as_user, ben, project, given):
    one = problem_of(project, BICYCLE, number=7)
    cases = [one.members.first().interaction.public_id] if given else []
    answer = as_user(ben).post(url("move_cases", 7), {"cases": cases, **given}, follow=True)
    assert "data-stays" in answer.content.decode()
    assert cases_of(one) == set(BICYCLE)


def test_a_case_is_pinned_and_unpinned(as_user, ben, project):
    member = problem_of(project, BICYCLE[:1], number=7).members.get()
    for expected in (True, False):
        as_user(ben).post(url("pin_case", 7, member.interaction.public_id))
        member.refresh_from_db()
        assert member.is_pinned is expected


def test_a_problem_is_opened_by_hand_with_the_cases_a_lead_names(as_user, ben, project):
    asked(project, BICYCLE[0], external_id="chat/one")
    given = {"title": "Bicycles", "severity": "high", "cases": "chat/one\n"}
    as_user(ben).post(url("open_problem"), given)
    problem = Problem.objects.get()
    assert (problem.title, problem.severity, cases_of(problem)) == (
        "Bicycles",
        "high",
        {BICYCLE[0]},
    )
    refused = as_user(ben).post(url("open_problem"), {**given, "cases": "chat/two"})
    assert (refused.status_code, Problem.objects.count()) == (400, 1)


def test_what_was_left_alone_is_listed_with_its_reason_and_put_where_a_lead_says(
    as_user, ben, project
):
    problem = problem_of(project, BICYCLE[:1], number=7)
    row = alone(project, RENT[0])
    Placement.objects.update(nearest=problem, alike=0.21, needed=0.5)
    page = as_user(ben).get(url("left_alone")).content.decode()
    assert RENT[0] in page
    assert "Not alike enough to any problem" in page
    assert "0.21 of 0.50" in page
    as_user(ben).post(url("put_case", row.public_id), {"into": "P7"})
    assert cases_of(problem) == {BICYCLE[0], RENT[0]}
    assert RENT[0] not in as_user(ben).get(url("left_alone")).content.decode()


@pytest.mark.parametrize("name", ["open_problem", "regrouping", "left_alone"])
def test_pages_are_for_those_who_may_and_no_other_project(as_user, ana, eve, project, name):
    assert as_user(ana).get(url(name)).status_code == 403
    assert as_user(eve).get(url(name)).status_code == 404


def test_acts_on_another_projects_rows_are_not_found(as_user, eve, ben, project, other_project):
    one = problem_of(project, BICYCLE, number=7)
    problems.rename_problem(problem=one, title="New", by=ben)
    change = ProblemChange.objects.get()
    elsewhere = reverse("undo_change", args=["elsewhere", change.public_id])
    assert as_user(eve).post(elsewhere).status_code == 404
    row = proposed(project)
    elsewhere = reverse("decide_regrouping", args=["elsewhere", row.public_id])
    assert as_user(eve).post(elsewhere, {"accept": ""}).status_code == 404


@pytest.mark.parametrize("name", ["left_alone", "regrouping"])
def test_pages_ask_as_many_questions_for_three_rows_as_for_one(as_user, ben, project, name):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = as_user(ben)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url(name)).status_code == 200
        return len(seen)

    for words in RENT[:3]:
        alone(project, words)
    proposed(project)
    queries()
    one = queries()
    for words in BICYCLE:
        alone(project, words)
    proposed(project)
    assert queries() == one
