"""Problems: opened, joined, moved, merged, reopened, described."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.utils import timezone

from feedbackhub.outbox.models import OutboxEvent
from tests.factories import (
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
    UserFactory,
)
from triage import changes, escalation, problems
from triage.models import Escalation, Placement, Problem, ProblemMember
from triage.problems import MoveRefused

pytestmark = pytest.mark.django_db


def joined(problem, *, severity="medium", **about):
    interaction = InteractionFactory(project=problem.project, **about)
    return problems.join_problem(
        problem=problem, interaction=interaction, source="expert", severity=severity
    )


# --- opening --------------------------------------------------------------------------------------


def test_open_problem_counts_within_its_project(project, other_project):
    numbers = [problems.open_problem(project=project, title="A").number for _ in range(3)]
    elsewhere = problems.open_problem(project=other_project, title="B").number
    assert (numbers, elsewhere) == ([1, 2, 3], 1)


def test_open_problem_starts_the_clock_of_its_severity(project):
    problem = problems.open_problem(project=project, title="A", severity="critical")
    assert problem.due_at == pytest.approx(
        timezone.now() + timedelta(hours=4), abs=timedelta(seconds=5)
    )
    assert problems.open_problem(project=project, title="B", severity="none").due_at is None


def test_problem_title_says_what_where_and_in_whose_words():
    assert (
        problems.problem_title(
            category_name="Outdated", feature="tax_help", words="Can I deduct\nmy bicycle?"
        )
        == "Outdated in tax_help: “Can I deduct my bicycle?”"
    )
    assert problems.problem_title(category_name="", feature="", words="") == "Harmful answer"
    assert (
        len(problems.problem_title(category_name="c" * 150, feature="f" * 150, words="w" * 999))
        == 200
    )


@pytest.mark.django_db(transaction=True)
def test_open_problem_by_several_at_once_gives_each_its_number(project):
    def open_one():
        try:
            problems.open_problem(project=project, title="At once")
        finally:
            databases.close_all()

    threads = [threading.Thread(target=open_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Problem.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


# --- members --------------------------------------------------------------------------------------


def test_join_problem_counts_people_and_cases(project):
    problem = ProblemFactory(project=project)
    joined(problem, user_hash="a" * 64)
    joined(problem, user_hash="a" * 64)
    joined(problem, user_hash="b" * 64)
    problem.refresh_from_db()
    assert (problem.member_count, problem.reach) == (3, 2)
    assert problem.priority > 0


def test_a_worse_member_makes_the_problem_as_severe_and_due_sooner(project):
    problem = problems.open_problem(project=project, title="A", severity="low")
    joined(problem, severity="critical")
    problem.refresh_from_db()
    assert problem.severity == "critical"
    assert problem.due_at < timezone.now() + timedelta(hours=5)
    joined(problem, severity="low")
    problem.refresh_from_db()
    assert problem.severity == "critical"


def test_join_problem_twice_is_one_membership(project):
    problem = ProblemFactory(project=project)
    interaction = InteractionFactory(project=project)
    for severity in ("medium", "high"):
        problems.join_problem(
            problem=problem, interaction=interaction, source="rule", severity=severity
        )
    member = ProblemMember.objects.get()
    assert (member.source, member.severity) == ("rule", "high")


def test_an_answer_belongs_to_one_problem_at_a_time(project):
    first, second = ProblemFactory(project=project), ProblemFactory(project=project)
    interaction = InteractionFactory(project=project)
    problems.join_problem(problem=first, interaction=interaction, source="expert")
    problems.join_problem(problem=second, interaction=interaction, source="lead")
    assert [m.problem for m in ProblemMember.objects.filter(left_at=None)] == [second]
    first.refresh_from_db()
    assert first.member_count == 0
    problems.join_problem(problem=first, interaction=interaction, source="lead")
    assert [m.problem for m in ProblemMember.objects.filter(left_at=None)] == [first]


def test_leave_problem_twice_is_once(project):
    member = joined(ProblemFactory(project=project))
    left_at = problems.leave_problem(member=member).left_at
    assert problems.leave_problem(member=member).left_at == left_at
    member.problem.refresh_from_db()
    assert member.problem.member_count == 0


def test_a_complaint_never_makes_a_case_less_bad_and_a_settlement_may(project):
    problem = ProblemFactory(project=project)
    interaction = joined(problem, severity="critical").interaction
    problems.join_problem(
        problem=problem, interaction=interaction, source="similarity", severity="low"
    )
    assert ProblemMember.objects.get().severity == "critical"
    settlement = SettlementFactory(interaction=interaction, severity="medium")
    problems.join_problem(
        problem=problem,
        interaction=interaction,
        source="expert",
        severity="medium",
        settlement=settlement,
    )
    assert ProblemMember.objects.get().severity == "medium"


def test_a_case_that_a_lead_took_out_waits_among_those_left_alone(project):
    member = problems.take_out_case(member=joined(ProblemFactory(project=project)))
    placed = Placement.objects.get()
    assert (member.left_at is None, placed.problem, placed.reason) == (False, None, "taken_out")


# --- filed by itself ------------------------------------------------------------------------------


def duties():
    return {duty.problem: duty for duty in Escalation.objects.select_related("problem")}


def test_a_case_that_makes_its_problem_worse_has_it_filed(project, connection):
    mild, bad = ProblemFactory(project=project), ProblemFactory(project=project)
    joined(mild, severity="medium")
    joined(bad, severity="high")
    assert set(duties()) == {bad}


def test_a_solved_problem_is_not_filed_by_a_case(project, connection):
    joined(ProblemFactory(project=project, state="shipped"), severity="critical")
    assert duties() == {}


def test_a_merge_hands_the_duty_to_file_on_when_its_undo_has_passed(project, connection):
    problem = ProblemFactory(project=project, severity="critical")
    into = ProblemFactory(project=project, severity="medium")
    joined(problem, severity="critical")
    problems.merge_problem(problem=problem, into=into)
    found = duties()
    assert (found[problem].state, found[into].state) == ("cancelled", "pending")
    assert found[into].due_at > timezone.now() + timedelta(seconds=8)


def test_cases_that_a_lead_moves_take_the_duty_to_file_along(project, connection):
    problem = ProblemFactory(project=project, number=90, severity="critical")
    other = ProblemFactory(project=project, number=91)
    members = [joined(problem, severity="critical") for _ in range(2)]
    split = problems.move_cases(members=members[:1])
    problems.move_cases(members=members[1:], to=other)
    assert set(duties()) == {problem, other, split}
    changes.undo_change(change=changes.of_problem(split)[0])
    assert set(duties()) == {problem, other}


def test_a_lead_who_says_that_it_is_worse_has_it_filed(project, connection):
    problem = ProblemFactory(project=project, severity="high")
    problems.set_severity(problem=problem, severity="medium")
    assert duties() == {}
    problems.set_severity(problem=problem, severity="critical")
    assert set(duties()) == {problem}


# --- moving ---------------------------------------------------------------------------------------


def test_move_problem_state_goes_along_the_legal_moves(project):
    problem = ProblemFactory(project=project)
    for state in ("investigating", "fixing", "shipped", "verified"):
        assert problems.move_problem_state(problem=problem, state=state).state == state
    with pytest.raises(MoveRefused, match="cannot go from verified to open"):
        problems.move_problem_state(problem=problem, state="open")


def test_move_problem_state_to_where_it_is_changes_nothing(project):
    problem = ProblemFactory(project=project)
    before = problem.state_changed_at
    assert problems.move_problem_state(problem=problem, state="open").state_changed_at == before


def test_of_two_who_move_one_problem_the_second_is_told(project):
    problem = ProblemFactory(project=project)
    stale = Problem.objects.get(pk=problem.pk)
    problems.move_problem_state(problem=problem, state="fixing")
    with pytest.raises(MoveRefused, match="is fixing by now"):
        problems.move_problem_state(problem=stale, state="investigating")
    with pytest.raises(MoveRefused, match="is fixing by now"):
        problems.move_problem_state(problem=problem, state="investigating", was="open")
    assert Problem.objects.get(pk=problem.pk).state == "fixing"


def test_moves_of_offers_no_merge(project):
    assert problems.moves_of(ProblemFactory(project=project)) == [
        "investigating", "fixing", "shipped", "wont_fix",
    ]  # fmt: skip


def test_what_will_not_be_fixed_is_not_filed_until_it_is_open_again(project, connection):
    problem = ProblemFactory(project=project)
    duty = escalation.open_escalation(problem=problem, connection=connection)
    problems.move_problem_state(problem=problem, state="wont_fix")
    duty.refresh_from_db()
    assert duty.state == "cancelled"
    problems.move_problem_state(problem=problem, state="open")
    duty.refresh_from_db()
    assert duty.state == "pending"


# --- reopening ------------------------------------------------------------------------------------


def regressions():
    return list(
        OutboxEvent.objects.filter(kind="problem_regressed").values_list("about", flat=True)
    )


@pytest.mark.parametrize("state", ["shipped", "verified", "wont_fix"])
def test_reopen_problem_makes_what_was_solved_regressed(project, state):
    problem = ProblemFactory(project=project, state=state, severity="critical", due_at=None)
    problem = problems.reopen_problem(problem=problem, why="still_wrong")
    assert problem.state == "regressed"
    assert problem.due_at > timezone.now()
    assert regressions() == [{"problem_id": problem.pk, "why": "still_wrong"}]


@pytest.mark.parametrize("state", ["open", "investigating", "fixing", "regressed"])
def test_reopen_problem_leaves_alone_what_is_being_worked_on(project, state):
    problem = ProblemFactory(project=project, state=state)
    assert problems.reopen_problem(problem=problem, why="still_wrong").state == state
    assert regressions() == []


def test_reopen_problem_twice_is_once(project):
    problem = ProblemFactory(project=project, state="shipped")
    for _ in range(2):
        problems.reopen_problem(problem=problem, why="recurrence")
    assert len(regressions()) == 1


def test_reopen_of_a_duplicate_reopens_what_it_duplicates(project):
    original = ProblemFactory(project=project, state="shipped")
    duplicate = ProblemFactory(project=project, state="duplicate", duplicate_of=original)
    assert problems.reopen_problem(problem=duplicate, why="still_wrong") == original
    duplicate.refresh_from_db()
    assert duplicate.state == "duplicate"


def test_moving_to_regressed_by_hand_reopens(project):
    problem = ProblemFactory(project=project, state="shipped")
    assert problems.move_problem_state(problem=problem, state="regressed").state == "regressed"
    assert regressions() == [{"problem_id": problem.pk, "why": "by_hand"}]


def test_what_a_lead_takes_back_from_shipped_has_a_fresh_clock_and_open_tickets(project):
    problem = ProblemFactory(project=project, state="shipped", severity="critical")
    problems.move_problem_state(problem=problem, state="open")
    problem.refresh_from_db()
    assert problem.due_at > timezone.now()
    assert regressions() == [{"problem_id": problem.pk, "why": "by_hand"}]


def test_reopen_problem_knows_its_reasons(project):
    with pytest.raises(ValueError, match="because"):
        problems.reopen_problem(problem=ProblemFactory(project=project), why="because")


# --- merging --------------------------------------------------------------------------------------


def test_merge_problem_moves_the_members_and_keeps_the_history(project, connection):
    problem, into = ProblemFactory(project=project), ProblemFactory(project=project, severity="low")
    member = joined(problem, severity="high")
    left = joined(problem)
    problems.leave_problem(member=left)
    duty = escalation.open_escalation(problem=problem, connection=connection)
    merged = problems.merge_problem(problem=problem, into=into)
    duty.refresh_from_db()
    into.refresh_from_db()
    assert (merged.state, merged.duplicate_of, duty.state) == ("duplicate", into, "cancelled")
    assert [m.interaction for m in into.members.filter(left_at=None)] == [member.interaction]
    assert into.severity == "high"


def test_merge_problem_brings_along_what_was_merged_into_it(project):
    first, second, third = (ProblemFactory(project=project) for _ in range(3))
    problems.merge_problem(problem=first, into=second)
    problems.merge_problem(problem=second, into=third)
    first.refresh_from_db()
    assert first.duplicate_of == third


def test_merge_problem_refuses_itself_a_duplicate_and_another_project(project, other_project):
    one, other = ProblemFactory(project=project), ProblemFactory(project=project)
    duplicate = ProblemFactory(project=project, state="duplicate", duplicate_of=other)
    for into in (one, duplicate, ProblemFactory(project=other_project)):
        with pytest.raises(MoveRefused):
            problems.merge_problem(problem=one, into=into)
    with pytest.raises(MoveRefused, match="is duplicate: reopen it"):
        problems.merge_problem(problem=duplicate, into=one)


# --- describing -----------------------------------------------------------------------------------


def test_set_owner_takes_members_only(project, ben):
    problem = ProblemFactory(project=project)
    assert problems.set_owner(problem=problem, owner=ben).owner == ben
    with pytest.raises(MoveRefused, match="is not a member"):
        problems.set_owner(problem=problem, owner=UserFactory())
    assert problems.set_owner(problem=problem, owner=None).owner is None


def test_rename_problem_keeps_a_title_on_one_line(project):
    problem = ProblemFactory(project=project, title="Old")
    assert problems.rename_problem(problem=problem, title="New\n title ").title == "New title"
    assert problems.rename_problem(problem=problem, title="   ").title == "New title"


def test_set_severity_lowers_until_a_worse_member_comes(project):
    problem = problems.open_problem(project=project, title="A", severity="critical")
    problem = problems.set_severity(problem=problem, severity="low")
    joined(problem, severity="medium")
    problem.refresh_from_db()
    assert problem.severity == "medium"


def asked(project, words):
    return InteractionFactory(project=project, messages=[{"role": "user", "content": words}])


def quoting(project, interaction, **about):
    title = problems.problem_title(
        category_name="Outdated", feature="tax", words=interaction.last_user_message
    )
    problem = ProblemFactory(project=project, title=title, **about)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    return problem


@pytest.mark.parametrize("words", ["My name is Ada and I deducted my bicycle", "Ada " * 60])
@pytest.mark.parametrize("is_gone_already", [False, True])
def test_forget_words_takes_an_erased_question_out_of_the_title(project, words, is_gone_already):
    interaction = asked(project, words)
    problem = quoting(project, interaction)
    problems.leave_problem(member=problem.members.get())
    if is_gone_already:
        interaction.messages, interaction.erased_at = [], timezone.now()
        interaction.save()
    problems.forget_words(interaction=interaction)
    problem.refresh_from_db()
    assert problem.title == f"Outdated in tax (P{problem.number})"


def test_forget_words_takes_the_question_out_of_the_summary(project):
    interaction = asked(project, "My name is Ada")
    problem = quoting(project, interaction, summary="Somebody asked: My name is Ada.")
    problems.forget_words(interaction=interaction)
    problem.refresh_from_db()
    assert problem.summary == ""


def test_forget_words_leaves_what_others_asked_and_what_a_lead_wrote(project):
    erased = asked(project, "My name is Ada")
    others = quoting(
        project,
        asked(project, "Can I deduct my bicycle?"),
        summary="A lead's words",
        is_described_by_hand=True,
    )
    ProblemMemberFactory(problem=others, interaction=erased)
    problems.forget_words(interaction=erased)
    before = others.title
    others.refresh_from_db()
    assert (others.title, others.summary) == (before, "A lead's words")


def test_the_audit_trail_holds_no_title(project):
    ProblemFactory(project=project, title="My name is Ada")
    with database.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM triage_problemevent e")
        rows = cursor.fetchall()
    assert len(rows) == 1
    assert "Ada" not in rows[0][0]
