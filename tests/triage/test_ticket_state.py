"""How a ticket stands, because we looked: the net under lost webhooks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedbackhub.outbox.sweeping import sweep
from tests.factories import ProblemFactory
from tests.triage.fake_jira import DONE
from triage import connections, escalation, ticket_state
from triage.models import Problem, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, severity="critical")


@pytest.fixture
def ticket(problem, connection, jira):
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    return Ticket.objects.get()


def test_a_new_ticket_is_looked_at_for_its_status(ticket, jira):
    assert ticket.look_at <= timezone.now()
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    assert (ticket.status_name, ticket.state) == ("To Do", "open")
    assert ticket.look_at > timezone.now() + timedelta(hours=5)


def test_a_ticket_that_no_webhook_told_of_is_found_by_looking(ticket, jira, problem):
    jira.move(ticket.remote_id, DONE)
    sweep()
    ticket.refresh_from_db()
    problem.refresh_from_db()
    assert (ticket.state, problem.state) == ("done", "fixing")


def test_a_ticket_is_not_looked_at_before_its_time(ticket, jira):
    Ticket.objects.update(look_at=timezone.now() + timedelta(minutes=1))
    jira.move(ticket.remote_id, DONE)
    assert ticket_state.look_at_ticket(ticket=ticket).state == "open"


def test_a_ticket_that_is_gone_is_shown_as_deleted(ticket, jira):
    jira.issues = []
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    assert (ticket.state, ticket.key) == ("deleted", "FBH-1")


def test_a_ticket_that_was_hidden_from_us_for_a_while_comes_back(ticket, jira, connection):
    hidden, jira.issues = jira.issues, []
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    day = timedelta(days=1)
    assert ticket.look_at == pytest.approx(timezone.now() + day, abs=timedelta(minutes=1))
    jira.issues = hidden
    connections.resume_connection(connection=connection)
    assert ticket_state.look_at_ticket(ticket=ticket).state == "open"


def test_a_done_ticket_that_only_gets_a_comment_leaves_a_regressed_problem(ticket, jira, problem):
    jira.move(ticket.remote_id, DONE)
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    type(problem).objects.update(state="shipped")
    type(problem).objects.update(state="regressed", state_changed_at=jira.tick())
    jira.issue(ticket.remote_id)["updated"] = jira.tick()
    Ticket.objects.update(look_at=timezone.now())
    ticket_state.look_at_ticket(ticket=ticket)
    problem.refresh_from_db()
    assert problem.state == "regressed"


def test_a_look_that_fails_is_repeated_later(ticket, jira, connection):
    jira.goes_down(503)
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    assert ticket.state == "open"
    assert ticket.look_at > timezone.now() + timedelta(minutes=29)
    Ticket.objects.update(look_at=timezone.now())
    jira.goes_down(401)
    ticket_state.look_at_ticket(ticket=ticket)
    connection.refresh_from_db()
    assert connection.is_paused


def test_one_ticket_that_is_closed_to_us_does_not_pause_the_connection(ticket, jira, connection):
    jira.goes_down(403)
    ticket_state.look_at_ticket(ticket=ticket)
    connection.refresh_from_db()
    assert not connection.is_paused


def test_what_was_told_meanwhile_is_not_overwritten_by_an_older_answer(ticket, jira):
    newer = jira.tick() + timedelta(hours=1)
    ticket_state.note_told(ticket=ticket, state="done", status_name="Done", at=newer)
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    Ticket.objects.update(look_at=timezone.now())
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    assert (ticket.state, ticket.remote_updated_at) == ("done", newer)


def test_asks_what_shipped_is_asked_of_many_as_of_one(project, ticket, problem):
    ProblemFactory(project=project)
    shipped = ProblemFactory(project=project, state="shipped")
    Ticket.objects.update(state="done")
    rows = ticket_state.with_asks_what_shipped(Problem.objects.all())
    assert {p.pk for p in rows if p.asks_what_shipped} == {problem.pk}
    assert ticket_state.asks_what_shipped(problem)
    assert not ticket_state.asks_what_shipped(shipped)
    Problem.objects.filter(pk=problem.pk).update(state="shipped")
    problem.refresh_from_db()
    assert not ticket_state.asks_what_shipped(problem)
