"""Publish news in the transaction that made it true; deliver it to every consumer at least once.

Delivery takes rows with FOR UPDATE SKIP LOCKED, so any number of workers and sweeps may run it side by side. A consumer
that fails is tried again with a growing pause; the others are told again too, hence every consumer is safe to repeat.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from feedbackhub.doorbell import ring_together

log = structlog.get_logger(__name__)

_consumers: dict[str, list[Callable]] = defaultdict(list)
LONGEST_PAUSE = timedelta(minutes=15)


def consumer(*kinds: str):
    """Register `function(event)` for the kinds named. It runs in a transaction of its own and may run twice."""

    def register(function):
        for kind in kinds:
            _consumers[kind].append(function)
        return function

    return register


def publish(kind: str, *, project, due_at: datetime | None = None, **about):
    """Write the news down, inside the caller's transaction, and ring the doorbell after commit. `about` holds ids."""
    return publish_many([(kind, about)], project=project, due_at=due_at)[0]


def publish_many(news, *, project, due_at: datetime | None = None):
    """Several at once, in one statement: `news` is [(kind, about), …]."""
    from feedbackhub.outbox import tasks
    from feedbackhub.outbox.models import OutboxEvent

    now = timezone.now()
    events = OutboxEvent.objects.bulk_create(
        OutboxEvent(
            project_id=project.pk, kind=kind, about=about, created_at=now, due_at=due_at or now
        )
        for kind, about in news
    )
    if due_at is None:
        ring_together(tasks.deliver_due)
    else:
        ring_together(tasks.deliver_due, after=max(0, (due_at - now).total_seconds()))
    return events


def deliver_due(*, limit: int = 500) -> int:
    """Tell the consumers of up to `limit` due events; answers how many were delivered."""
    delivered = 0
    for _ in range(limit):
        if not deliver_next():
            break
        delivered += 1
    return delivered


def deliver_next() -> bool:
    """Deliver one due event; False when nothing is due (or all of it is in other hands)."""
    from feedbackhub.outbox.models import OutboxEvent

    with transaction.atomic():
        event = (
            OutboxEvent.objects.due()
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("project")
            .order_by("due_at", "id")
            .first()
        )
        if event is None:
            return False
        try:
            with transaction.atomic():
                for consume in _consumers[event.kind]:
                    consume(event)
        except Exception as error:
            pause = min(timedelta(seconds=2 ** min(event.attempts, 12)), LONGEST_PAUSE)
            log.warning(
                "outbox.failed",
                event_id=event.pk,
                kind=event.kind,
                error=type(error).__name__,
                exc_info=True,
            )
            OutboxEvent.objects.filter(pk=event.pk).update(
                attempts=F("attempts") + 1,
                due_at=timezone.now() + pause,
                failure=type(error).__name__,
            )
            return True
        OutboxEvent.objects.filter(pk=event.pk).update(delivered_at=timezone.now(), failure="")
        return True
