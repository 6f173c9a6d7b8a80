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
from triage import changes, problems
from triage.models import Escalation, ProblemChange

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
    assert state_of(mild) == ("low", True, ["cancelled"])


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
    assert state_of(mild) == ("low", True, ["cancelled"])
