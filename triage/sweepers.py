"""What triage's brooms find every 30 seconds: due rows whose message was lost, rows whose worker died."""

from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils import timezone

from feedbackhub.audit.acting import acting
from feedbackhub.outbox.sweeping import sweeper
from triage import (
    accepting,
    clock,
    connections,
    describing,
    digest,
    effect,
    escalation,
    fixing,
    letters,
    notice_delivery,
    notices,
    priority,
    regrouping,
    tasks,
    verification,
    webhooks,
    wording,
)
from triage.models import Escalation, Ticket, TicketNote, TrackerDelivery

log = structlog.get_logger(__name__)

AT_ONCE = 200
DELIVERIES_KEPT = timedelta(days=30)
DELIVERIES_TRIED = timedelta(days=1)


@sweeper
def expired_leases() -> int:
    with acting(action="sweep"):
        return escalation.give_up_leases()


@sweeper
def due_escalations() -> int:
    """Calls to trackers are made by the workers, not by the sweep: a slow tracker must not hold it up."""
    now = timezone.now()
    due = Escalation.objects.filter(
        Q(state__in=["pending", "unknown"]) | Q(state="filed", checked_again_at=None),
        due_at__lte=now,
        connection__in=connections.may_be_called(now=now),
    )
    return _ring_each(due.order_by("due_at"), tasks.pursue_escalation, "escalation_id")


@sweeper
def due_ticket_notes() -> int:
    now = timezone.now()
    due = TicketNote.objects.filter(
        state=TicketNote.State.WAITING,
        due_at__lte=now,
        ticket__connection__in=connections.may_be_called(now=now),
    )
    return _ring_each(due.order_by("due_at"), tasks.send_ticket_note, "note_id")


@sweeper
def tickets_to_look_at() -> int:
    now = timezone.now()
    due = Ticket.objects.filter(look_at__lte=now, connection__in=connections.may_be_called(now=now))
    return _ring_each(due.order_by("look_at"), tasks.look_at_ticket, "ticket_id")


@sweeper
def unprocessed_deliveries() -> int:
    """These are worked through right here: they call nobody."""
    waiting = TrackerDelivery.objects.filter(
        processed_at=None, received_at__lt=timezone.now() - timedelta(seconds=5)
    ).order_by("received_at")[:AT_ONCE]
    processed = 0
    for delivery in waiting:
        try:
            with acting(action="tracker_webhook"):
                webhooks.process_delivery(delivery=delivery)
                processed += 1
        except Exception as error:  # one that we cannot read must not hold up the others
            log.exception("delivery.failed", delivery=delivery.pk, error=type(error).__name__)
            TrackerDelivery.objects.filter(
                pk=delivery.pk, received_at__lt=timezone.now() - DELIVERIES_TRIED
            ).update(processed_at=timezone.now(), outcome="could not be taken over")
    return processed


@sweeper
def faded_priorities() -> int:
    return priority.refresh()


@sweeper
def old_deliveries() -> int:
    old = TrackerDelivery.objects.filter(
        received_at__lt=timezone.now() - DELIVERIES_KEPT, processed_at__isnull=False
    )
    return TrackerDelivery.objects.filter(pk__in=old.values("pk")[:1_000]).delete()[0]


def _ring_each(rows, task, name) -> int:
    found = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    for pk in found:
        task.delay(**{name: pk})
    return len(found)


@sweeper
def due_notices() -> int:
    """A notice whose worker died while sending is uncertain; the others are rung for again."""
    with acting(action="sweep"):
        moved = notice_delivery.take_back_abandoned()
    waiting = len(notice_delivery.due_notices(AT_ONCE))
    for _ in range(0, waiting, tasks.BATCH):  # up to four workers side by side
        tasks.deliver_notices.delay()
    return moved + waiting


@sweeper
def reports_placed_after_their_fix() -> int:
    with acting(action="sweep"):
        return notices.prepare_late()


@sweeper
def deployed_fixes() -> int:
    with acting(action="sweep"):
        return fixing.ship_deployed()


@sweeper
def problems_that_came_back() -> int:
    with acting(action="sweep"):
        return verification.find_recurrences()


@sweeper
def due_letters() -> int:
    moved = letters.take_back_abandoned()
    waiting = len(letters.due_letters(AT_ONCE))
    if waiting:
        tasks.send_letters.delay()
    return moved + waiting


@sweeper
def weekly_letters() -> int:
    return effect.write_weekly_letters()


@sweeper
def daily_digests() -> int:
    return digest.write_digests()


@sweeper
def regroupings_asked_for() -> int:
    """A proposal whose message was lost, or whose worker died, is prepared by the next."""
    waiting = regrouping.waiting_for_a_worker()
    return _ring_each(waiting.order_by("id"), tasks.prepare_regrouping, "regrouping_id")


@sweeper
def regroupings_being_accepted() -> int:
    """One whose worker died is gone on with by the next."""
    waiting = accepting.waiting_for_a_worker()
    return _ring_each(waiting.order_by("id"), tasks.carry_out_regrouping, "regrouping_id")


@sweeper
def running_clocks() -> int:
    with acting(action="sweep"):
        return clock.watch()


@sweeper
def problems_without_words() -> int:
    with acting(action="sweep"):
        return describing.describe_new()


@sweeper
def problems_that_a_model_may_name() -> int:
    with acting(action="sweep"):
        return wording.ask_for_words()
