"""A webhook that has gone quiet is said on its connection's page, and nothing else is taken for that."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import ProblemFactory
from tests.triage.fake_jira import IN_PROGRESS
from triage import escalation, ticket_notes, ticket_state
from triage.models import Ticket, TicketNote, TrackerConnection, TrackerDelivery

pytestmark = pytest.mark.django_db
QUIET, NOTHING = "Its webhook has gone quiet.", "Nothing has come by its webhook."


@pytest.fixture
def ticket(project, connection, jira):
    """Filed three days ago."""
    duty = escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )
    escalation.pursue(escalation=duty)
    Ticket.objects.update(created_at=ago(days=3), remote_updated_at=ago(days=3))
    return Ticket.objects.get()


@pytest.fixture
def page(as_user, olu, connection):
    address = reverse("connection", args=["tax-help", connection.public_id])
    return lambda: as_user(olu).get(address).content.decode()


def ago(**time):
    return timezone.now() - timedelta(**time)


def heard(connection, at):
    return TrackerDelivery.objects.create(
        project=connection.project,
        connection=connection,
        delivery_id=str(at),
        received_at=at,
        processed_at=at,
    )


def changed(ticket, at):
    Ticket.objects.filter(pk=ticket.pk).update(remote_updated_at=at)


def test_what_only_a_look_found_says_that_the_webhook_is_quiet(page, connection, ticket, jira):
    heard(connection, ago(days=2))
    assert QUIET not in page()
    jira.move(ticket.remote_id, IN_PROGRESS)
    Ticket.objects.update(look_at=ago(minutes=1))
    ticket_state.look_at_ticket(ticket=ticket)
    assert Ticket.objects.get().state == "in_progress"
    text = page()
    assert QUIET in text and "1 ticket changed over there" in text and "Last heard of" in text


def test_one_that_was_never_heard_of_is_said_in_other_words(page, ticket):
    assert NOTHING not in page()
    changed(ticket, ago(days=1))
    assert NOTHING in page()


def test_news_of_today_ends_it(page, connection, ticket):
    heard(connection, ago(days=2))
    changed(ticket, ago(hours=2))
    assert QUIET in page()
    heard(connection, ago(hours=1))
    assert QUIET not in page()


@pytest.mark.parametrize(
    "when", [{"days": 2, "minutes": -5}, {"days": 3}], ids=["just after the news", "before it"]
)
def test_what_was_told_is_no_silence(page, connection, ticket, when):
    heard(connection, ago(days=2))
    changed(ticket, ago(**when))
    assert QUIET not in page()


def test_our_own_comment_makes_a_ticket_newer_and_no_more(page, connection, ticket):
    heard(connection, ago(days=2))
    ticket_notes.note_adopted(ticket=ticket)
    TicketNote.objects.update(state="sent", sent_at=ago(hours=5))
    changed(ticket, ago(hours=5))
    assert QUIET not in page()
    changed(ticket, ago(hours=4))
    assert QUIET in page()


def test_another_connections_tickets_and_one_that_is_off_say_nothing(
    page, connect, project, connection, ticket
):
    other = connect(project, "Jira elsewhere")
    changed(ticket, ago(hours=4))
    heard(other, ago(hours=1))
    assert NOTHING in page()
    TrackerConnection.objects.filter(pk=connection.pk).update(is_active=False)
    assert NOTHING not in page()
