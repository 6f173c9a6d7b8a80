"""What the brooms find: work whose message was lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedbackhub.outbox.sweeping import sweep
from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from tests.triage.fake_jira import IN_PROGRESS
from triage import connections, escalation, priority, problems, sweepers
from triage.models import Escalation, Problem, Ticket, TicketNote, TrackerDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_rings(monkeypatch):
    monkeypatch.setattr(escalation.tasks, "ring", lambda *args, **kwargs: None)


@pytest.fixture
def duty(project, connection):
    return escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )


def test_the_sweep_files_looks_and_looks_again_for_doubles(duty, jira):
    sweep()
    ticket = Ticket.objects.get()
    assert ticket.status_name == "To Do"  # looked at, too: an answer to a create says no status
    jira.move(ticket.remote_id, IN_PROGRESS)
    Ticket.objects.update(look_at=timezone.now())
    Escalation.objects.update(due_at=timezone.now())
    sweep()
    duty.refresh_from_db()
    ticket.refresh_from_db()
    assert (ticket.state, duty.checked_again_at is not None) == ("in_progress", True)


def test_the_sweep_sends_notes_that_are_due(duty, jira, project):
    sweep()
    TicketNote.objects.all().delete()  # the link and the brief
    problems.join_problem(
        problem=duty.problem, interaction=InteractionFactory(project=project), source="expert"
    )
    sweep()
    assert TicketNote.objects.get().state == "waiting"
    Ticket.objects.update(created_at=timezone.now() - timedelta(hours=2))
    Problem.objects.get().members.update(joined_at=timezone.now() - timedelta(hours=1))
    TicketNote.objects.update(due_at=timezone.now())
    sweep()
    assert TicketNote.objects.get().state == "sent"


def test_the_sweep_leaves_a_resting_tracker_alone(duty, jira, connection):
    connections.rest_connection(connection=connection, until=timezone.now() + timedelta(minutes=1))
    assert sweepers.due_escalations() == 0
    connections.resume_connection(connection=connection)
    assert sweepers.due_escalations() == 1


def test_the_sweep_brings_priorities_up_to_date(project):
    problem = ProblemFactory(project=project)
    ProblemMemberFactory(problem=problem)
    fresh = priority.recompute(problem=problem).priority
    Problem.objects.update(priority=1_000)
    sweep()
    problem.refresh_from_db()
    assert problem.priority == pytest.approx(fresh, rel=0.01)


def test_one_delivery_that_cannot_be_read_holds_up_no_other(duty, project, connection):
    long_ago = timezone.now() - timedelta(minutes=1)
    for delivery_id, event in (
        ("broken", {}),
        ("whole", {"remote_id": "777", "markers": [], "state": "open"}),
    ):
        TrackerDelivery.objects.create(
            project=project, connection=connection, delivery_id=delivery_id, event=event,
            received_at=long_ago,
        )  # fmt: skip
    assert sweepers.unprocessed_deliveries() == 1
    assert TrackerDelivery.objects.get(delivery_id="whole").outcome == "no ticket of ours"
    broken = TrackerDelivery.objects.filter(delivery_id="broken")
    assert broken.get().processed_at is None
    broken.update(received_at=timezone.now() - timedelta(days=2))
    sweepers.unprocessed_deliveries()
    assert broken.get().outcome == "could not be taken over"
