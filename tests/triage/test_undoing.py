"""What joining cases bring about by themselves, a severity, a due time, a ticket, goes when their joining is undone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
)
from triage import changes, escalation, problems
from triage.models import Escalation, Problem, ProblemChange, TrackerConnection

pytestmark = pytest.mark.django_db

DUE = timezone.now() + timedelta(days=90)


@pytest.fixture
def mild(project, connection):
    return ProblemFactory(project=project, number=101, severity="low", due_at=DUE)


@pytest.fixture
def bad(project):
    found = ProblemFactory(project=project, number=102, severity="critical")
    interaction = InteractionFactory(project=project)
    ProblemMemberFactory(
        problem=found, interaction=interaction, source="expert", severity="critical"
    )
    return found


def merge(bad, mild, by):
    problems.merge_problem(problem=bad, into=mild, by=by)


def move(bad, mild, by):
    problems.move_cases(members=list(bad.members.all()), to=mild, by=by)


def join(bad, mild, by):
    row = InteractionFactory(project=mild.project)
    SettlementFactory(interaction=row, verdict="harmful", severity="critical")
    change = changes.begin(kind="regroup", project_id=mild.project_id, by=by)
    with problems.together(files_after=problems.undo_time()):
        change.join(interaction=row, to=mild)
    change.keep()


def undo():
    return changes.undo_change(change=ProblemChange.objects.get())


def state_of(problem):
    problem.refresh_from_db()
    return (
        problem.severity,
        problem.due_at == DUE,
        list(problem.escalations.values_list("state", flat=True)),
    )


@pytest.mark.parametrize("act", [merge, move, join])
def test_undone_it_is_as_mild_and_as_little_urgent_as_before_and_not_filed(mild, bad, ben, act):
    act(bad, mild, ben)
    assert state_of(mild) == ("critical", False, ["pending"])
    undo()
    assert state_of(mild) == ("low", True, [])


def test_a_ticket_that_was_tried_already_stays(mild, bad, ben):
    merge(bad, mild, ben)
    Escalation.objects.update(attempts=1)
    undo()
    assert state_of(mild) == ("low", True, ["pending"])


@pytest.mark.parametrize("chosen", ["high", "medium"])
def test_what_a_lead_chose_since_stays(mild, bad, ben, chosen):
    merge(bad, mild, ben)
    problems.set_severity(problem=mild, severity=chosen)
    undo()
    assert state_of(mild) == (chosen, False, ["pending"])


def test_what_a_harmful_case_that_joined_since_asks_for_stays(mild, bad, ben):
    merge(bad, mild, ben)
    row = InteractionFactory(project=mild.project)
    problems.join_problem(problem=mild, interaction=row, source="expert", severity="high")
    undo()
    assert state_of(mild) == ("critical", False, ["pending"])


def test_a_mild_case_that_joined_since_asks_for_nothing(mild, bad, ben):
    merge(bad, mild, ben)
    row = InteractionFactory(project=mild.project)
    problems.join_problem(problem=mild, interaction=row, source="similarity", severity="low")
    undo()
    assert state_of(mild) == ("low", True, [])


@pytest.mark.parametrize("act", [merge, move, join])
def test_done_again_it_waits_for_its_undo_again(mild, bad, ben, act):
    act(bad, mild, ben)
    undo()
    merge(bad, mild, ben)
    duty = Escalation.objects.get()
    assert duty.state == "pending" and duty.due_at > timezone.now()


def test_a_ticket_that_a_lead_asked_for_since_stays(mild, bad, ben):
    bad.members.update(severity="medium")
    merge(bad, mild, ben)
    escalation.open_escalation(problem=mild, connection=TrackerConnection.objects.get())
    undo()
    assert state_of(mild) == ("low", True, ["pending"])


@pytest.mark.parametrize("act", [merge, move])
def test_a_case_that_was_found_harmful_since_is_not_carried_back(mild, bad, ben, act):
    bad.members.update(severity="low")
    act(bad, mild, ben)
    mild.members.filter(left_at=None).update(severity="high")
    with pytest.raises(changes.UndoRefused, match="judged harmful since"):
        undo()
    assert mild.members.get(left_at=None).severity == "high"


def test_a_mild_case_in_no_problem_that_was_found_harmful_since_is_not_lost(mild, ben):
    problems.put_case(interaction=InteractionFactory(project=mild.project), problem=mild, by=ben)
    mild.members.update(severity="high")
    with pytest.raises(changes.UndoRefused, match="judged harmful since"):
        undo()
    assert mild.members.get().left_at is None


def test_what_was_there_already_and_was_found_harmful_since_keeps_it_severe(mild, bad, ben):
    there = ProblemMemberFactory(
        problem=mild, interaction=InteractionFactory(project=mild.project), severity="low"
    )
    merge(bad, mild, ben)
    problems.join_problem(
        problem=mild, interaction=there.interaction, source="expert", severity="critical"
    )
    undo()
    assert state_of(mild) == ("critical", False, ["pending"])


@pytest.mark.parametrize(
    "said",
    [
        {"title": "Wrong: “Can Zaphodina deduct it?”"},
        {"summary": "“Can Zaphodina deduct it?”"},
        {"title": "Zaphodina is refused", "title_model": "model-1"},
    ],
    ids=["title", "summary", "a model's"],
)
def test_words_of_a_case_that_goes_again_go_with_it(mild, bad, ben, said):
    interaction = bad.members.get().interaction
    interaction.messages = [{"role": "user", "content": "Can Zaphodina deduct it?"}]
    interaction.save()
    merge(bad, mild, ben)
    Problem.objects.filter(pk=mild.pk).update(**said)
    undo()
    mild.refresh_from_db()
    assert "Zaphodina" not in mild.title + mild.summary


def test_a_leads_own_title_stays(mild, bad, ben):
    Problem.objects.filter(pk=mild.pk).update(title="Bicycles", is_described_by_hand=True)
    merge(bad, mild, ben)
    undo()
    mild.refresh_from_db()
    assert mild.title == "Bicycles"


def test_a_summary_of_others_words_stays(mild, bad, ben):
    Problem.objects.filter(pk=mild.pk).update(summary="“Is my bicycle deductible?”")
    merge(bad, mild, ben)
    undo()
    mild.refresh_from_db()
    assert mild.summary == "“Is my bicycle deductible?”"
