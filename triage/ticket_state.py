"""What became of a ticket, as the tracker tells it: by webhook, or because we looked.

A ticket never moves backwards: what is older than what we know, by the tracker's own clock, changes nothing; what is
just as old and says something else makes us look. A ticket that is done is not a fix that shipped: it moves its
problem to `fixing` at most, and the board asks what shipped; of one that was given up a lead says whether that is right. Nobody outside is told anything here.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feedbackhub.outbound import OutboundError
from triage import connections, escalation, problems, tasks, ticket_fixes
from triage.models import Problem, Ticket, TicketState
from triage.trackers.base import FiledTicket

LEASE = timedelta(minutes=1)
# A net under lost webhooks: how soon to look again at a ticket nobody has told us of.
LOOK_AGAIN = {
    TicketState.OPEN: timedelta(hours=6),
    TicketState.IN_PROGRESS: timedelta(hours=6),
    TicketState.UNKNOWN: timedelta(hours=6),
    TicketState.DONE: timedelta(days=1),
    TicketState.WONT_FIX: timedelta(days=1),
    TicketState.DUPLICATE: timedelta(days=1),
    TicketState.DELETED: timedelta(days=1),  # or no longer shown to our account: that can change
}
_TRY_AGAIN = timedelta(minutes=30)
# Closed over there without a repair: a lead says whether that is right.
GIVEN_UP = [TicketState.WONT_FIX, TicketState.DUPLICATE]


def note_told(*, ticket, state, status_name="", key="", at=None, is_echo=False) -> str:
    """What a webhook says of a ticket; answers what came of it, for the delivery's row.

    An echo is the news of what our own account did: the ticket stands as it says, and nobody began to work on it.
    """
    if state is None:
        return "says nothing of the state"
    if at is None:
        return _look_soon(ticket)
    newer = Q(remote_updated_at=None) | Q(remote_updated_at__lt=at)
    if _write(ticket, newer, state=state, status_name=status_name, key=key, at=at, is_echo=is_echo):
        ticket_fixes.look_if_asked(ticket=ticket)
        return "taken over"
    if ticket.remote_updated_at == at and (ticket.state, ticket.status_name) != (
        state,
        status_name or ticket.status_name,
    ):
        return _look_soon(ticket)
    return "older than what is known" if ticket.remote_updated_at != at else "known already"


def note_seen(*, ticket, seen: FiledTicket) -> bool:
    """What the tracker answered when it was asked: the truth, unless something newer was told meanwhile."""
    at = seen.remote_updated_at
    fresh = Q() if at is None else Q(remote_updated_at=None) | Q(remote_updated_at__lte=at)
    return _write(
        ticket,
        fresh,
        state=seen.state,
        status_name=seen.status_name,
        key=seen.key,
        url=seen.url,
        at=at,
        assignee=seen.assignee,
    )


def look_soon(*, ticket):
    """Ask the tracker as soon as may be."""
    Ticket.objects.filter(pk=ticket.pk).update(look_at=timezone.now())
    tasks.ring(tasks.look_at_ticket, ticket_id=ticket.pk)


def look_at_ticket(*, ticket):
    """Ask the tracker how the ticket stands, if it is time and nobody else is asking."""
    now = timezone.now()
    taken = Ticket.objects.filter(
        pk=ticket.pk, look_at__lte=now, connection__in=connections.may_be_called(now=now)
    ).update(look_at=now + LEASE)
    if not taken:
        return ticket
    try:
        tracker = connections.tracker_of(ticket.connection)
        note_seen(ticket=ticket, seen=tracker.read(ticket.remote_id))
        if ticket_fixes.is_asked(ticket):
            ticket_fixes.take_up(ticket=ticket, said=tracker.comments(ticket.remote_id))
    except OutboundError as error:
        wait = max(_TRY_AGAIN, timedelta(seconds=error.retry_after or 0))
        Ticket.objects.filter(pk=ticket.pk).update(look_at=now + wait)
        if escalation.is_signed_out(error):
            connections.pause_connection(connection=ticket.connection, reason=error.message)
        elif error.retry_after is not None:
            connections.rest_connection(
                connection=ticket.connection, until=now + timedelta(seconds=error.retry_after)
            )
    ticket.refresh_from_db()
    return ticket


def with_asks_what_shipped(queryset):
    """Problems with `asks_what_shipped`: a ticket is done, and nobody has recorded what shipped."""
    done = Ticket.objects.filter(escalation__problem=OuterRef("pk"), state=TicketState.DONE)
    return queryset.annotate(asks_what_shipped=Q(state__in=Problem.UNSOLVED_STATES) & Exists(done))


def asks_what_shipped(problem) -> bool:
    return (
        problem.state in Problem.UNSOLVED_STATES
        and Ticket.objects.filter(escalation__problem=problem, state=TicketState.DONE).exists()
    )


# --- shared ---------------------------------------------------------------------------------------


@transaction.atomic
def _write(
    ticket, condition, *, state, status_name, key, at, url="", assignee=None, is_echo=False
) -> bool:
    now, state, was = timezone.now(), TicketState(str(state)), _state_now(ticket)
    changes = {
        "state": state,
        "status_name": status_name[:100],
        "seen_at": now,
        "look_at": now + LOOK_AGAIN[state],
    }
    if key:
        changes["key"] = key[:60]
    if url:
        changes["url"] = url[:2000]
    if assignee is not None:
        changes["assignee"] = assignee[:100]
    if at:
        changes["remote_updated_at"] = at
    changed = Ticket.objects.filter(condition, pk=ticket.pk).update(**changes)
    ticket.refresh_from_db()
    if changed:
        if ticket.state != TicketState.DONE:
            ticket_fixes.withdraw(ticket=ticket)
        has_moved = ticket.state != was
        # we never close a ticket: one closed under our account was closed by a person who shares it
        if not is_echo or (has_moved and ticket.state == TicketState.DONE):
            _carry_to_problem(ticket, at, has_moved=has_moved)
    return bool(changed)


def _state_now(ticket) -> str:
    return Ticket.objects.select_for_update().values_list("state", flat=True).get(pk=ticket.pk)


def _carry_to_problem(ticket, at, *, has_moved):
    """Work begun or done over there moves an unsolved problem to `fixing`, and never anywhere else.

    A regressed one only when the ticket has moved since: a comment, ours too, makes a done ticket newer and no more.
    """
    if ticket.state not in (TicketState.IN_PROGRESS, TicketState.DONE):
        return
    problem = Problem.objects.get(escalations=ticket.escalation_id)
    is_news = has_moved and at is not None and at > problem.state_changed_at
    if problem.state in (Problem.State.OPEN, Problem.State.INVESTIGATING) or (
        problem.state == Problem.State.REGRESSED and is_news
    ):
        try:
            problems.move_problem_state(problem=problem, state=Problem.State.FIXING)
        except problems.MoveRefused:
            pass  # a person moved it at this moment: theirs counts


def _look_soon(ticket) -> str:
    look_soon(ticket=ticket)
    return "looked up"
