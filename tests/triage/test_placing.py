"""Where a bad answer goes that is not harmful: into the problem it belongs to, or nowhere, with the reason."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connections, transaction
from django.utils import timezone

from feedbackhub import outbox
from feedbackhub.capture.models import Embedding
from feedbackhub.outbound import OutboundError, Outcome
from feedbackhub.outbox.delivery import deliver_due
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
)
from triage import cases, consumers, fixing, placing, problems, verification
from triage.models import Placement, Problem, ProblemMember

pytestmark = pytest.mark.django_db

BICYCLE = [
    "Can I deduct the bicycle that I ride to work?",
    "Is my new bicycle deductible when I ride it to work?",
    "May I deduct a bicycle for riding to my work?",
]
RENT = ["Which form do I need for rent from abroad?", "Rent from abroad: which form is needed?"]
LIKE_BICYCLE = "Can I deduct a bicycle that is ridden to work?"
LIKE_NEITHER = "Wann kommt mein Steuerbescheid?"


def asked(project, words, **fields):
    return InteractionFactory(
        project=project, messages=[{"role": "user", "content": words}], **fields
    )


def problem_of(project, words, **fields):
    problem = ProblemFactory(project=project, **fields)
    for each in words:
        row = asked(project, each)
        ProblemMemberFactory(problem=problem, interaction=row)
        placing._look_near(Placement(interaction=row), ProblemMember.objects.none())
    return problem


@pytest.fixture
def bicycles(project):
    return problem_of(project, BICYCLE)


@pytest.fixture
def rents(project):
    return problem_of(project, RENT)


def place(interaction, **more):
    return placing.place_item(interaction=interaction, severity="low", **more)


def test_an_answer_joins_the_problem_whose_members_it_is_like(project, bicycles, rents):
    row = asked(project, LIKE_BICYCLE)
    placed = place(row)
    assert (placed.problem, placed.reason) == (bicycles, "near")
    assert placed.alike >= placed.needed
    member = ProblemMember.objects.get(interaction=row)
    assert (member.problem, member.source, member.is_by_likeness) == (bicycles, "similarity", True)


def test_one_that_is_like_nothing_is_left_alone_and_says_how_far_it_was(project, bicycles):
    placed = place(asked(project, LIKE_NEITHER))
    assert (placed.problem, placed.reason, placed.nearest) == (None, "far", bicycles)
    assert placed.alike < placed.needed


def test_without_problems_without_words_and_between_two_it_is_left_alone(project):
    assert place(asked(project, LIKE_BICYCLE)).reason == "nothing"
    problem_of(project, BICYCLE)
    assert place(asked(project, " ")).reason == "empty"
    problem_of(project, BICYCLE)
    placed = place(asked(project, LIKE_BICYCLE))
    assert (placed.problem, placed.reason) == (None, "between")


def test_experts_category_keeps_it_out_of_a_problem_of_another(project, bicycles):
    Problem.objects.update(category="outdated")
    assert place(asked(project, LIKE_BICYCLE), category="tone").problem is None
    assert place(asked(project, LIKE_BICYCLE), category="outdated").problem == bicycles


def test_what_people_said_makes_two_questions_alike(project):
    said = "The mileage allowance is that of last year, it was raised in January."
    problem = ProblemFactory(project=project)
    for words in ("Trip to Bonn?", "Commuting by train?"):
        row = asked(project, words)
        FeedbackEventFactory(interaction=row, comment=said)
        ProblemMemberFactory(problem=problem, interaction=row)
        placing._look_near(Placement(interaction=row), ProblemMember.objects.none())
    newcomer = asked(project, "How much for my car?")
    FeedbackEventFactory(interaction=newcomer, comment=said.replace("raised", "changed"))
    assert place(newcomer).problem == problem


def test_placed_again_it_stays_and_taken_out_it_does_not_come_back(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    place(row)
    assert place(row).reason == "member"
    problems.leave_problem(member=ProblemMember.objects.get(interaction=row))
    placed = place(row)
    assert (placed.problem, placed.reason) == (None, "taken_out")
    assert Placement.objects.count() == 1


def test_a_solved_problem_takes_its_like_so_that_recurrence_is_seen(project, bicycles):
    Problem.objects.update(state="shipped")
    assert place(asked(project, LIKE_BICYCLE)).problem == bicycles


def test_a_service_that_is_away_leaves_it_alone_and_loses_nothing(project, bicycles, monkeypatch):
    def away(**_):
        raise OutboundError("It did not answer.", Outcome.REFUSED_TRY_LATER)

    monkeypatch.setattr("feedbackhub.capture.vectors.make_vectors", away)
    assert place(asked(project, LIKE_BICYCLE)).reason == "away"


# --- what is told ---------------------------------------------------------------------------------


def complain(row, kind="thumbs_down", **more):
    feedback = FeedbackEventFactory(interaction=row, kind=kind, comment="", **more)
    outbox.publish("feedback_captured", project=row.project, feedback_id=feedback.pk)
    deliver_due()


def settle(row, **about):
    settlement = SettlementFactory(interaction=row, **about)
    outbox.publish("item_settled", project=row.project, settlement_id=settlement.pk)
    deliver_due()
    return settlement


def test_a_complaint_joins_before_anybody_judged_it(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    complain(row)
    assert ProblemMember.objects.get(interaction=row).problem == bicycles


@pytest.mark.parametrize(
    "said",
    [{"kind": "edit"}, {"kind": "override"}, {"kind": "comment"}, {"kind": "rating", "score": 0.2}],
    ids=lambda said: said["kind"],
)
def test_whatever_its_reporter_would_be_told_of_is_placed(project, bicycles, said):
    row = asked(project, LIKE_BICYCLE)
    complain(row, **said)
    assert ProblemMember.objects.get(interaction=row).problem == bicycles


def test_praise_is_placed_nowhere(project, bicycles):
    complain(asked(project, LIKE_BICYCLE), kind="thumbs_up")
    complain(asked(project, LIKE_BICYCLE), kind="rating", score=0.8)
    assert not Placement.objects.exists()


def test_a_settled_wrong_answer_joins_with_its_severity_and_one_found_right_leaves(
    project, bicycles
):
    row = asked(project, LIKE_BICYCLE)
    settle(row, severity="high", categories=[])
    member = ProblemMember.objects.get(interaction=row)
    assert (member.problem, member.severity) == (bicycles, "high")
    settle(asked(project, LIKE_BICYCLE + "!"), verdict="correct", severity="none")
    right = asked(project, LIKE_BICYCLE + "?")
    complain(right)
    settle(right, verdict="correct", severity="none")
    assert not ProblemMember.objects.filter(interaction=right, left_at=None).exists()


def test_what_a_person_joined_stays_although_it_was_found_right(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    problems.join_problem(problem=bicycles, interaction=row, source="lead")
    settle(row, verdict="correct", severity="none")
    assert ProblemMember.objects.get(interaction=row).left_at is None


@pytest.mark.parametrize(
    ("source", "is_pinned", "stays"),
    [
        ("expert", False, False),
        ("rule", False, False),
        ("expert", True, True),
        ("reporter", False, True),
    ],
)
def test_what_a_judgement_alone_put_there_leaves_when_it_is_found_right(
    project, bicycles, source, is_pinned, stays
):
    row = asked(project, LIKE_BICYCLE)
    problems.join_problem(
        problem=bicycles, interaction=row, source=source, severity="high", is_pinned=is_pinned
    )
    settle(row, verdict="correct", severity="none", decided_how="lead")
    assert (ProblemMember.objects.get(interaction=row).left_at is None) == stays


def test_what_another_schema_finds_right_stays_where_its_harm_put_it(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    harm = SettlementFactory(interaction=row, verdict="harmful", severity="high")
    problems.join_problem(
        problem=bicycles, interaction=row, source="expert", severity="high", settlement=harm
    )
    settle(row, verdict="correct", severity="none", schema_name="tone")
    assert ProblemMember.objects.get(interaction=row).left_at is None
    type(harm).objects.filter(pk=harm.pk).update(verdict="correct", severity="none")
    settle(row, verdict="correct", severity="none", schema_name="style")
    assert ProblemMember.objects.get(interaction=row).left_at is not None


def test_what_another_schema_finds_less_bad_stays_as_severe_as_its_harm(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    harm = SettlementFactory(interaction=row, verdict="harmful", severity="high")
    problems.join_problem(
        problem=bicycles, interaction=row, source="expert", severity="high", settlement=harm
    )
    settle(row, verdict="wrong", severity="low", schema_name="tone")
    member = ProblemMember.objects.get(interaction=row, left_at=None)
    assert (member.severity, member.settlement) == ("high", harm)


def test_found_right_it_waits_for_a_bad_word_that_may_still_be_undone(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    complain(row)
    bad = SettlementFactory(
        interaction=row,
        verdict="wrong",
        takes_effect_at=timezone.now() + timedelta(seconds=10),
    )
    right = settle(row, verdict="correct", severity="none", schema_name="tone")
    assert ProblemMember.objects.get(interaction=row).left_at is None
    type(bad).objects.filter(pk=bad.pk).update(is_current=False)
    later = SimpleNamespace(about={"settlement_id": right.pk})
    consumers.place_settled_case(later)
    assert ProblemMember.objects.get(interaction=row).left_at is not None


def test_a_lead_who_held_it_harmful_and_finds_it_right_takes_it_out(project, bicycles):
    row = asked(project, LIKE_BICYCLE)
    harm = SettlementFactory(interaction=row, verdict="harmful", is_current=False)
    problems.join_problem(
        problem=bicycles, interaction=row, source="lead", severity="high", settlement=harm
    )
    settle(row, verdict="correct", severity="none", decided_how="lead")
    assert ProblemMember.objects.get(interaction=row).left_at is not None


def harm(row, category="harmful"):
    placing.place_case(interaction=row, source="expert", severity="critical", category=category)
    return ProblemMember.objects.get(interaction=row, left_at=None).problem


def test_a_complaint_after_the_fix_that_proves_harmful_opens_its_problem_again(project, bicycles):
    fix = fixing.record_fix(project=project, summary="Better now.", problems_fixed=[bicycles])
    row = asked(project, LIKE_BICYCLE)
    place(row)
    problem = harm(row)
    fix.refresh_from_db()
    assert (problem, problem.state, problem.severity) == (bicycles, "regressed", "critical")
    assert verification.verify_if_proven(fix=fix).state == "shipped"
    assert fix.evidence["recurrence"] == {"problem": bicycles.number, "is_harm": True}
    harm(row)
    assert Problem.objects.count() == 1


def test_a_harmful_case_from_before_the_fix_opens_nothing_again(project, bicycles):
    row = asked(project, LIKE_BICYCLE, occurred_at=timezone.now() - timedelta(hours=1))
    place(row)
    fixing.record_fix(project=project, summary="Better now.", problems_fixed=[bicycles])
    assert (harm(row), harm(row).state) == (bicycles, "shipped")


@pytest.mark.parametrize("change", [{"category": "tone"}, {"state": "wont_fix"}])
def test_a_complaint_that_proves_harmful_in_another_way_gets_a_problem_of_its_own(
    project, bicycles, change
):
    row = asked(project, LIKE_BICYCLE)
    place(row)
    Problem.objects.update(**change)
    problem = harm(row)
    assert (problem != bicycles, problem.state) == (True, "open")


def test_the_vectors_of_another_project_are_never_met(project, other_project, bicycles):
    problem_of(other_project, BICYCLE)
    Embedding.objects.filter(project=project).delete()
    assert place(asked(project, LIKE_BICYCLE)).reason == "nothing"


# --- a service that hangs -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_while_the_embeddings_service_hangs_other_cases_of_the_project_are_placed(
    project, monkeypatch
):
    row, free = asked(project, "What of my bicycle?"), []
    FeedbackEventFactory(interaction=row)
    real = cases.vectors.make_vectors

    def hang(**about):
        def another_case():
            try:
                with transaction.atomic():
                    placing.Project.objects.select_for_update(nowait=True).get(pk=project.pk)
                    free.append(True)
            finally:
                connections.close_all()

        other = threading.Thread(target=another_case)
        other.start()
        other.join()
        return real(**about)

    monkeypatch.setattr(cases.vectors, "make_vectors", hang)
    consumers.place_complaint(
        SimpleNamespace(about={"feedback_id": row.feedback.get().pk}, project_id=project.pk)
    )
    assert free == [True]
    assert Placement.objects.get(interaction=row).reason == "nothing"
