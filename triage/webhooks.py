"""What trackers tell us. Verified on the raw bytes, kept as a row, answered at once, worked through by a task.

A delivery counts only with a valid signature of this very connection, and once per connection and delivery id. The
row holds ids, states and times, no texts. When the worker is away the rows wait, and the sweep works them through.
"""

from datetime import datetime

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from feedbackhub.api import bodies
from feedbackhub.api.problems import Problem, not_found
from feedbackhub.outbound import OutboundError
from triage import connections, escalation, tasks, ticket_fixes, ticket_state
from triage.models import Escalation, Ticket, TicketState, TrackerConnection, TrackerDelivery
from triage.trackers.base import EventKind, FiledTicket, TrackerEvent, WebhookRefused
from triage.trackers.base import TicketState as RemoteState


@csrf_exempt
@require_POST
def receive(request, tracker, connection):
    """`POST /hooks/<tracker>/<connection>`: 200 for what counts, counted before, or is about nothing we follow.

    Linear counts anything but 200 as a failure. 401 without a valid signature, 404 for a connection that is not.
    """
    row = (
        TrackerConnection.objects.select_related("project")
        .filter(public_id=connection, tracker=tracker)
        .first()
    )
    if row is None:
        raise not_found()
    body = bodies.read_body(request, limit=bodies.WEBHOOK_LIMIT).raw
    try:
        adapter = connections.tracker_of(row)
        adapter.verify_webhook(body, request.headers)
        event = adapter.parse_webhook(body, request.headers)
    except WebhookRefused as refused:
        raise Problem(refused.status, _REFUSED[refused.status]) from None
    except OutboundError:  # our own keys are wrong: the sender should come back
        raise Problem(503, "This connection cannot be used right now.") from None
    if event:
        keep_delivery(connection=row, event=event)
    return HttpResponse(status=200, content_type="text/plain")


_REFUSED = {
    400: "The body is not what this tracker sends.",
    401: "The signature is missing or does not match this connection's webhook secret.",
}


@transaction.atomic
def keep_delivery(*, connection, event: TrackerEvent):
    """The row, once per delivery id; answers it, or None for one that is here already."""
    delivery, is_new = TrackerDelivery.objects.get_or_create(
        project_id=connection.project_id,
        connection=connection,
        delivery_id=event.delivery_id,
        defaults={"event": event.to_json()},
    )
    if not is_new:
        return None
    tasks.ring(tasks.process_delivery, delivery_id=delivery.pk)
    return delivery


@transaction.atomic
def process_delivery(*, delivery):
    """Take over what the event says; once, whoever calls. Answers the outcome that stands on the row."""
    delivery = (
        TrackerDelivery.objects.select_for_update(of=("self",))
        .select_related("connection")
        .get(pk=delivery.pk)
    )
    if delivery.processed_at is None:
        delivery.outcome = _take_over(delivery.connection, delivery.event)[:100]
        delivery.processed_at = timezone.now()
        delivery.save(update_fields=["outcome", "processed_at"])
    return delivery.outcome


def retry_delivery(*, delivery):
    """A person asks to take it over once more; what is older than what is known still changes nothing."""
    TrackerDelivery.objects.filter(pk=delivery.pk).update(processed_at=None, outcome="")
    return process_delivery(delivery=delivery)


def _take_over(connection, event) -> str:
    ticket = Ticket.objects.filter(connection=connection, remote_id=event["remote_id"]).first()
    if ticket:
        if event.get("kind") == EventKind.COMMENTED:
            ticket_fixes.look_if_asked(ticket=ticket)
        return ticket_state.note_told(
            ticket=ticket,
            state=event["state"],
            status_name=event["status_name"],
            key=event["key"],
            at=_time(event["updated_at"]),
            is_echo=bool(connection.account_id) and event.get("actor_id") == connection.account_id,
        )
    wanted = Escalation.objects.filter(connection=connection, marker__in=event["markers"]).first()
    if wanted is None or event["state"] == TicketState.DELETED:
        return "no ticket of ours"
    return _adopt(wanted, event)


def _adopt(wanted, event) -> str:
    """A ticket with our marker that we have no row of: its making was never answered, or is being answered now.

    Beside a ticket that we have, it may be a clone, which takes the labels along: that is looked up before anybody hears of it.
    """
    known = Ticket.objects.filter(escalation=wanted).first()
    if known:
        escalation.look_for_doubles_soon(escalation=wanted)
        return f"looks like a second ticket beside {known.key}: looked up"
    ticket = escalation.record_ticket(
        escalation=wanted,
        seen=FiledTicket(
            remote_id=event["remote_id"],
            key=event["key"] or event["remote_id"],
            url="",
            state=RemoteState(event["state"] or "open"),
            status_name=event["status_name"],
            remote_updated_at=_time(event["updated_at"]),
        ),
    )
    if ticket.remote_id != event["remote_id"]:
        return f"a second ticket beside {ticket.key}"
    ticket_state.look_soon(ticket=ticket)  # the event does not say where the ticket's page is
    return "adopted"


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
