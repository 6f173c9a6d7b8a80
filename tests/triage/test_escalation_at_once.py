"""Several workers, one escalation: real threads on real PostgreSQL, one POST."""

import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from feedbackhub.outbox.sweeping import sweep
from tests.factories import ProblemFactory
from tests.triage.fake_jira import people_file, refused
from triage import adoption, escalation
from triage.models import Escalation, Ticket, TrackerConnection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def duty(project, connection, monkeypatch):
    """Waiting to be filed; nobody was rung for."""
    monkeypatch.setattr(escalation.tasks, "ring", lambda *args, **kwargs: None)
    return escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )


def by_several(work, count=6):
    """`work` in `count` threads that start together; what they raised."""
    barrier, raised = threading.Barrier(count), []

    def run():
        try:
            barrier.wait(10)
            work()
        except Exception as error:
            raised.append(error)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_several_workers_one_files(duty, jira):
    assert by_several(lambda: escalation.pursue(escalation=Escalation.objects.get())) == []
    assert (len(jira.posts), Ticket.objects.count()) == (1, 1)
    assert (Escalation.objects.get().state, Escalation.objects.get().attempts) == ("filed", 1)


def test_of_several_workers_one_looks_for_a_lost_ticket(duty, jira):
    jira.next_create(refused(500), made=True)
    escalation.pursue(escalation=duty)
    Escalation.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    TrackerConnection.objects.update(paused_until=None)
    assert by_several(lambda: escalation.pursue(escalation=Escalation.objects.get())) == []
    assert (len(jira.posts), jira.searches, Ticket.objects.count()) == (1, 1, 1)


def test_open_escalation_by_several_is_one_duty(project, connection, jira):
    problem = ProblemFactory(project=project)
    assert (
        by_several(lambda: escalation.open_escalation(problem=problem, connection=connection)) == []
    )
    assert (Escalation.objects.count(), len(jira.posts)) == (1, 1)


def test_the_answer_and_the_webhook_at_once_are_one_ticket(duty, jira):
    from triage.trackers.base import FiledTicket

    seen = FiledTicket("10001", "FBH-1", "")
    assert by_several(lambda: escalation.record_ticket(escalation=duty, seen=seen)) == []
    assert (Ticket.objects.count(), Escalation.objects.get().failure) == (1, "")


def test_the_sweep_finds_what_nobody_was_rung_for(duty, jira):
    sweep()
    assert (Escalation.objects.get().state, len(jira.issues)) == ("filed", 1)


def test_the_sweep_finishes_what_a_killed_worker_began(duty, jira):
    Escalation.objects.update(
        state="filing",
        attempts=1,
        first_tried_at=timezone.now(),
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    jira._create({"fields": {"labels": [f"fbh-{duty.marker}"]}, "properties": []})
    sweep()
    assert Escalation.objects.get().state == "unknown"
    Escalation.objects.update(due_at=timezone.now())
    sweep()
    assert (Escalation.objects.get().state, len(jira.posts)) == ("filed", 1)


def test_a_ticket_that_several_adopt_at_once_belongs_to_one(project, connection, jira, monkeypatch):
    monkeypatch.setattr(escalation.tasks, "ring", lambda *args, **kwargs: None)
    people_file(jira)
    wanted = [ProblemFactory(project=project) for _ in range(3)] * 2

    def adopt():
        adoption.adopt_ticket(problem=wanted.pop(), connection=connection, pasted="FBH-77")

    raised = by_several(adopt)
    assert [type(error) for error in raised] == [adoption.AdoptionRefused] * 5
    assert (Ticket.objects.count(), Escalation.objects.get().state) == (1, "filed")
