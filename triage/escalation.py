"""Escalations: one ticket for one problem at one connection, whatever fails in between.

An `Escalation` is the duty; it is committed, marker included, before the tracker is called for the first time, so a
ticket can always be found again by its marker. A call that creates ends in one of three ways:

    made              the ticket's row and the state `filed`, in one transaction
    refused           for good → `failed`, with a sentence that names the thing and the next step
                      (a refused credential pauses the connection instead, and the work waits)
                      for now → `pending` again: 1 s, doubling to 15 min, at least Retry-After; the whole
                      connection rests, since what refused this call would refuse the next
    unknown           → `unknown`: it may have happened. It is looked for by marker, as often and as late as the
                      tracker's search needs, before another create. A worker that died while filing (its lease ran
                      out) leaves the same: who dies between the call and the row cannot say what happened

Trying goes on for 72 hours. From half an hour on, the board asks for a person (`waiting_for_a_person`).

`attempts` is the fence: it grows with each claim, and whoever lost the claim writes no failure over what the next one
did. That a ticket is there is always believed, whoever says so (an answer, a search, a webhook): `record_ticket`.

Nothing here runs inside a transaction while it talks to a tracker.
"""

import random
import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from feedbackhub.outbound import OutboundError, Outcome
from triage import connections, tasks, ticket_draft, ticket_notes, ticket_state
from triage.models import Escalation, Problem, Ticket, TicketState
from triage.trackers.base import FiledTicket

LEASE = timedelta(seconds=60)
TRIED_FOR = timedelta(hours=72)
LONGEST_PAUSE = 15 * 60  # seconds
REST_AFTER_LOST_ANSWER = 15  # seconds: a tracker that hangs must not hold every worker
NOT_FILED = [Problem.State.WONT_FIX, Problem.State.DUPLICATE]
_A_DAY = timedelta(days=1)

State = Escalation.State


# --- the duty -------------------------------------------------------------------------------------


@transaction.atomic
def open_escalation(*, problem, connection, after=timedelta(0)):
    """The duty to file this problem there: made once, and due again if it had been cancelled.

    It waits for `after`: what can be undone is not filed before.
    """
    escalation, _ = Escalation.objects.get_or_create(
        project_id=problem.project_id,
        problem=problem,
        connection=connection,
        defaults={"marker": uuid.uuid4(), "due_at": timezone.now() + after},
    )
    if escalation.state == State.CANCELLED:
        return retry_escalation(escalation=escalation, after=after)
    tasks.ring(tasks.pursue_escalation, after=after.total_seconds(), escalation_id=escalation.pk)
    return escalation


def escalate_problem(*, problem, after=timedelta(0)):
    """One escalation for each connection that files a problem this severe by itself; idempotent."""
    return [
        open_escalation(problem=problem, connection=connection, after=after)
        for connection in connections.filing_connections(
            project=problem.project, severity=problem.severity
        )
    ]


@transaction.atomic
def retry_escalation(*, escalation, after=timedelta(0)):
    """A person asks for another try: due now (or `after`), with 72 hours before it. What is filed is looked at again for doubles."""
    mine = Escalation.objects.select_for_update(no_key=True).get(pk=escalation.pk)
    mine.due_at, mine.first_tried_at = timezone.now() + after, None
    if mine.state in (State.FAILED, State.CANCELLED):
        mine.state, mine.failure = State.PENDING, ""
    elif mine.state == State.FILED:
        mine.failure, mine.checked_again_at = "", None
    if mine.state != State.FILING:
        mine.save(
            update_fields=["state", "due_at", "first_tried_at", "failure", "checked_again_at"]
        )
    escalation.refresh_from_db()
    tasks.ring(tasks.pursue_escalation, after=after.total_seconds(), escalation_id=escalation.pk)
    return escalation


@transaction.atomic
def replace_ticket(*, ticket):
    """The ticket cannot be reopened: it is kept by name, and a new one, that names it, is filed."""
    escalation = Escalation.objects.select_for_update(no_key=True).get(pk=ticket.escalation_id)
    earlier = {"key": ticket.key, "url": ticket.url, "remote_id": ticket.remote_id}
    ticket.delete()
    Escalation.objects.filter(pk=escalation.pk).update(
        state=State.PENDING,
        marker=uuid.uuid4(),
        earlier_tickets=[*escalation.earlier_tickets, earlier],
        attempts=0,
        searches=0,
        due_at=timezone.now(),
        first_tried_at=None,
        unknown_since=None,
        filed_at=None,
        checked_again_at=None,
        created_at=timezone.now(),
        failure="",
    )
    tasks.ring(tasks.pursue_escalation, escalation_id=escalation.pk)
    escalation.refresh_from_db()
    return escalation


def cancel_pending(*, problem):
    """What is not going to be repaired needs no ticket; one that may be there already is still looked for."""
    return Escalation.objects.filter(
        problem=problem, state__in=[State.PENDING, State.FAILED]
    ).update(state=State.CANCELLED)


@transaction.atomic
def drop_untried(*, problem, since):
    """What asked for a ticket was undone before anybody tried to file it: it is as if nobody had asked.

    It waits for its undo (`after`): what a person asked for by hand, or a harmful case, was due at once and stays.
    """
    untried = Escalation.objects.filter(
        problem=problem,
        state=State.PENDING,
        attempts=0,
        earlier_tickets=[],
        created_at__gte=since,
        due_at__gt=F("created_at"),
    )
    locked = untried.select_for_update().values_list("pk", flat=True)
    return Escalation.objects.filter(pk__in=list(locked)).delete()


def resume_cancelled(*, problem):
    """The problem is open again, and so is what was cancelled with it."""
    for escalation in Escalation.objects.filter(problem=problem, state=State.CANCELLED):
        retry_escalation(escalation=escalation)


def resume_connection_work(*, connection):
    """The connection works again: what waited for it is due now."""
    waiting = Escalation.objects.filter(
        connection=connection, state__in=[State.PENDING, State.UNKNOWN]
    )
    waiting.update(due_at=timezone.now(), first_tried_at=None)
    for pk in waiting.order_by("id").values_list("pk", flat=True)[:100]:  # the sweep rings the rest
        tasks.ring(tasks.pursue_escalation, escalation_id=pk)


# --- the work -------------------------------------------------------------------------------------


def pursue(*, escalation):
    """Whatever this escalation needs next, if it is due and nobody else is at it. Safe to call at any time."""
    step = {
        State.PENDING: file_ticket,
        State.UNKNOWN: reconcile,
        State.FILED: look_for_doubles,
    }.get(escalation.state)
    return step(escalation=escalation) if step else escalation


def file_ticket(*, escalation):
    """Claim, create, write down what became of it. Of two callers at once, one goes on."""
    if not _claim(escalation):
        return escalation
    try:
        tracker = connections.tracker_of(escalation.connection)
        ticket = None
        if escalation.attempts > 1 and not tracker.create_is_repeatable:
            # Whatever the last try told us: a look costs one call, a double costs trust.
            ticket = next(iter(tracker.find(escalation.marker)), None)
        if ticket is None:
            draft = ticket_draft.draft(escalation=escalation)
            if _renew(escalation):
                ticket = tracker.create(draft)
    except OutboundError as error:
        _write_failure(escalation, error)
    else:
        if ticket:
            record_ticket(escalation=escalation, seen=ticket)
    escalation.refresh_from_db()
    return escalation


def reconcile(*, escalation):
    """It may have been filed: look for it. Found, it is filed; not found often enough, it is due again."""
    if not _take_turn(escalation, state=State.UNKNOWN):
        return escalation
    mine = Escalation.objects.filter(
        pk=escalation.pk, state=State.UNKNOWN, searches=escalation.searches
    )
    try:
        tracker = connections.tracker_of(escalation.connection)
        found = tracker.find(escalation.marker)
    except OutboundError as error:
        _write_search_failure(escalation, mine, error)
        return escalation
    if found:
        record_ticket(escalation=escalation, seen=found[0])
    else:
        looks, done = tracker.look_again_after, escalation.searches + 1
        too_soon = _seconds_before_another_try(escalation, looks)
        if done < len(looks):
            _wait(mine, looks[done] - looks[done - 1], searches=done)
        elif too_soon > 0:  # a person had it looked for earlier than its search can be trusted
            _wait(mine, too_soon, searches=done)
        elif _is_given_up(escalation):
            mine.update(state=State.FAILED, failure=_given_up(escalation.failure))
        else:  # it was not made: the same marker may be created again
            _wait(mine, 0, state=State.PENDING, searches=done)
    escalation.refresh_from_db()
    return escalation


def _seconds_before_another_try(escalation, looks) -> float:
    """However often it was looked for: a search that lags is believed when its last look is due, and not before."""
    since = escalation.unknown_since or escalation.created_at
    return (since + timedelta(seconds=looks[-1] if looks else 0) - timezone.now()).total_seconds()


def look_for_doubles(*, escalation):
    """Once more, some minutes after filing: a late answer of a lagging search may show a second ticket."""
    if escalation.checked_again_at or not _take_turn(escalation, state=State.FILED):
        return escalation
    mine = Escalation.objects.filter(pk=escalation.pk, checked_again_at=None)
    try:
        found = connections.tracker_of(escalation.connection).find(escalation.marker)
    except OutboundError:
        if timezone.now() - escalation.filed_at > _A_DAY:
            mine.update(checked_again_at=timezone.now())
        else:
            _wait(mine, LONGEST_PAUSE)
    else:
        with transaction.atomic():
            _name_doubles(escalation, found)
            mine.update(checked_again_at=timezone.now())
    escalation.refresh_from_db()
    return escalation


def look_for_doubles_soon(*, escalation):
    """Somebody saw another ticket with our marker: look when the search knows it too."""
    after = connections.kind_of(escalation.connection).look_for_doubles_after or 0
    due_at = timezone.now() + timedelta(seconds=after)
    Escalation.objects.filter(pk=escalation.pk, state=State.FILED).update(
        checked_again_at=None, due_at=due_at
    )
    tasks.ring(tasks.pursue_escalation, after=after, escalation_id=escalation.pk)


def give_up_leases() -> int:
    """Rows whose worker did not come back: what it did is unknown."""
    now, count = timezone.now(), 0
    for escalation in Escalation.objects.filter(
        state=State.FILING, lease_until__lt=now
    ).select_related("connection"):
        count += Escalation.objects.filter(
            pk=escalation.pk, state=State.FILING, attempts=escalation.attempts, lease_until__lt=now
        ).update(
            state=State.UNKNOWN,
            unknown_since=now,
            searches=0,
            lease_until=None,
            due_at=now + _first_look(escalation.connection),
            failure=(
                "The worker stopped while it was filing. Whether there is a ticket is being looked up."
            ),
        )
    return count


@transaction.atomic
def record_ticket(*, escalation, seen: FiledTicket):
    """The ticket is there: its row, and the escalation filed. Answers the ticket that counts.

    Whoever learns of it first comes here: the answer to a create, a search, a webhook. A second ticket for the same
    escalation is not taken in, but named to a person.
    """
    escalation = (
        Escalation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("connection")
        .get(pk=escalation.pk)
    )
    ticket = Ticket.objects.filter(escalation=escalation).first()
    if ticket:
        _name_doubles(escalation, [seen])
        return ticket
    now = timezone.now()
    ticket = Ticket.objects.create(
        project_id=escalation.project_id,
        escalation=escalation,
        connection=escalation.connection,
        remote_id=seen.remote_id,
        key=seen.key,
        url=seen.url,
        state=TicketState(seen.state.value),
        status_name=seen.status_name,
        remote_updated_at=seen.remote_updated_at,
        assignee=(seen.assignee or "")[:100],
        look_at=now + ticket_state.LOOK_AGAIN[TicketState.OPEN],
    )
    ticket_notes.note_evidence(ticket=ticket)
    if not seen.status_name:  # the answer to a create holds no more than an id
        ticket_state.look_soon(ticket=ticket)
    late_look = connections.kind_of(escalation.connection).look_for_doubles_after
    Escalation.objects.filter(pk=escalation.pk).update(
        state=State.FILED,
        filed_at=now,
        lease_until=None,
        failure="",
        due_at=now + timedelta(seconds=late_look or 0),
        checked_again_at=None if late_look else now,
    )
    return ticket


# --- claims and outcomes --------------------------------------------------------------------------


def _claim(escalation) -> bool:
    """pending → filing, by one statement that only the pending row matches. What nobody will repair is not filed."""
    now = timezone.now()
    not_wanted = Problem.objects.filter(state__in=NOT_FILED)
    Escalation.objects.filter(pk=escalation.pk, state=State.PENDING, problem__in=not_wanted).update(
        state=State.CANCELLED
    )
    claimed = Escalation.objects.filter(
        pk=escalation.pk,
        state=State.PENDING,
        due_at__lte=now,
        connection__in=connections.may_be_called(now=now),
        problem__in=Problem.objects.exclude(state__in=NOT_FILED),
    ).update(
        state=State.FILING,
        lease_until=now + LEASE,
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce("first_tried_at", now),
    )
    escalation.refresh_from_db()
    return bool(claimed)


def _renew(escalation) -> bool:
    """A full lease right before the create; False when the row went on without us."""
    return bool(_mine(escalation).update(lease_until=timezone.now() + LEASE))


def _mine(escalation):
    return Escalation.objects.filter(
        pk=escalation.pk, state=State.FILING, attempts=escalation.attempts
    )


def _take_turn(escalation, *, state) -> bool:
    """For a look, which changes nothing over there: due_at moves on, so that nobody else looks meanwhile."""
    now = timezone.now()
    taken = Escalation.objects.filter(
        pk=escalation.pk,
        state=state,
        due_at__lte=now,
        connection__in=connections.may_be_called(now=now),
    ).update(due_at=now + LEASE)
    escalation.refresh_from_db()
    return bool(taken)


@transaction.atomic
def _write_failure(escalation, error):
    mine, said = _mine(escalation), _cut(error.message)
    if is_locked_out(error):
        mine.update(
            state=State.PENDING, lease_until=None, due_at=timezone.now(), failure=_cut(said)
        )
        connections.pause_connection(connection=escalation.connection, reason=said)
    elif error.outcome is Outcome.UNKNOWN:
        _wait(
            mine,
            _first_look(escalation.connection).total_seconds(),
            state=State.UNKNOWN,
            unknown_since=timezone.now(),
            searches=0,
            lease_until=None,
            failure=_cut(f"{said} Whether there is a ticket is being looked up."),
        )
        _rest(escalation.connection, REST_AFTER_LOST_ANSWER)
    elif error.outcome is Outcome.REFUSED_FOR_GOOD:
        mine.update(state=State.FAILED, lease_until=None, failure=said)
    elif _is_given_up(escalation):
        mine.update(state=State.FAILED, lease_until=None, failure=_given_up(said))
    else:
        pause = _pause(escalation, error)
        _wait(mine, pause, state=State.PENDING, lease_until=None, failure=said)
        _rest(escalation.connection, pause)


def _write_search_failure(escalation, mine, error):
    said = _cut(error.message)
    if is_signed_out(error):
        mine.update(due_at=timezone.now(), failure=said)
        connections.pause_connection(connection=escalation.connection, reason=said)
    elif _is_given_up(escalation):
        mine.update(state=State.FAILED, failure=_given_up(said))
    else:
        pause = _pause(escalation, error)
        _wait(mine, pause, failure=said)
        if error.can_be_repeated:
            _rest(escalation.connection, pause)
    escalation.refresh_from_db()


def is_locked_out(error: OutboundError) -> bool:
    """Every further create would be refused as well: the credential is wrong, or may not do this."""
    return is_signed_out(error) or (
        error.outcome is Outcome.REFUSED_FOR_GOOD and error.status == 403
    )


def is_signed_out(error: OutboundError) -> bool:
    """Every further call would be refused. A 403 says less: one ticket may be closed to us, or locked."""
    return error.outcome is Outcome.REFUSED_FOR_GOOD and (
        error.credential_refused or error.status == 401
    )


def pause_seconds(tried_for: float, retry_after: float | None) -> float:
    """Wait about as long again as was tried already, so 1, 2, 4 … s up to 15 min; at least Retry-After."""
    pause = min(max(tried_for, 1.0), LONGEST_PAUSE) * random.uniform(0.8, 1.0)  # noqa: S311
    return max(pause, retry_after + random.uniform(0, 1)) if retry_after is not None else pause  # noqa: S311


def _pause(escalation, error) -> float:
    began = escalation.first_tried_at or timezone.now()
    return pause_seconds((timezone.now() - began).total_seconds(), error.retry_after)


def _wait(rows, seconds, **changes):
    """Due again after `seconds`; a doorbell for short waits, the sweep for long ones."""
    due_at = timezone.now() + timedelta(seconds=seconds)
    for pk in rows.values_list("pk", flat=True):
        if rows.filter(pk=pk).update(due_at=due_at, **changes):
            tasks.ring(tasks.pursue_escalation, after=seconds, escalation_id=pk)


def _rest(connection, seconds):
    connections.rest_connection(
        connection=connection, until=timezone.now() + timedelta(seconds=seconds)
    )


def _first_look(connection) -> timedelta:
    return timedelta(seconds=next(iter(connections.kind_of(connection).look_again_after), 0))


def _is_given_up(escalation) -> bool:
    began = escalation.first_tried_at
    return began is not None and timezone.now() - began > TRIED_FOR


def _given_up(said: str) -> str:
    return _cut(f"{said} It was tried for 72 hours. Test the connection in Settings, then retry.")


def _name_doubles(escalation, found):
    ticket = Ticket.objects.filter(escalation=escalation).first()
    others = [other.key for other in found if ticket and other.remote_id != ticket.remote_id]
    if others:
        where = connections.kind_of(escalation.connection).label
        Escalation.objects.filter(pk=escalation.pk).update(
            failure=_cut(
                f"{where} holds more than one ticket for this problem: {ticket.key} is the one that "
                f"counts; close {', '.join(others)} there as a duplicate."
            )
        )


def _cut(text: str, limit: int = 500) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
