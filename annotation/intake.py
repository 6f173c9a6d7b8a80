"""How an interaction comes into a queue: by a rule or by hand, once, and only as far as the queue takes more."""

from datetime import datetime

import structlog
from django.db import connection, transaction
from django.utils import timezone

from annotation import queue_rules, settling
from annotation.models import ReviewItem, ReviewQueue, RoutingRule
from annotation.queue_rules import FIRST_IN_LINE
from annotation.slots import count_slots, lock_item_and_interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.ids import make_public_id

log = structlog.get_logger(__name__)

# One statement, so that two who bring the same interaction at once make one item. An item that waits already moves
# forward when the newcomer is more urgent. (xmax = 0: this row was inserted, not found.)
ADMIT = """
INSERT INTO annotation_reviewitem
       (public_id, project_id, queue_id, interaction_id, purpose, round, state, overlap, taken_count,
        priority, asked_priority, claimed_rank, reason, routed_by_id, flagged_by_id, needs_discussion, due_at, created_at)
VALUES (%(public_id)s, %(project)s, %(queue)s, %(interaction)s, 'label', 1, 'waiting', %(overlap)s, 0,
        %(priority)s, %(asked_priority)s, %(claimed_rank)s, %(reason)s, %(rule)s, %(by)s, false, %(due_at)s, %(now)s)
ON CONFLICT (queue_id, interaction_id, purpose, round) DO UPDATE
   SET priority = greatest(annotation_reviewitem.priority, excluded.priority),
       asked_priority = greatest(annotation_reviewitem.asked_priority, excluded.asked_priority),
       claimed_rank = greatest(annotation_reviewitem.claimed_rank, excluded.claimed_rank),
       due_at = least(annotation_reviewitem.due_at, excluded.due_at)
RETURNING id, xmax = 0
"""


def admit(
    *,
    interaction,
    queue: ReviewQueue,
    reason: str,
    priority: int = 0,
    severity: str | None = None,
    due_at: datetime | None = None,
    rule: RoutingRule | None = None,
    by=None,
) -> tuple[int | None, bool]:
    """Put an interaction into a queue: (the item's id, whether it is new); (None, False) when the queue is full.

    How many judge it, when it is due and where it stands in line is as the queue says (`queue_rules`); `severity` is what
    the reporter claimed.
    """
    if is_full(queue) and priority < FIRST_IN_LINE and by is None:
        log.info("intake.full", queue_id=queue.pk, interaction_id=interaction.pk)
        return None, False
    claimed_rank = Severity(severity).rank if severity else 0
    with connection.cursor() as cursor:
        cursor.execute(
            ADMIT,
            {
                "public_id": make_public_id(),
                "project": interaction.project_id,
                "queue": queue.pk,
                "interaction": interaction.pk,
                "overlap": queue_rules.overlap_for(queue, interaction),
                "priority": queue_rules.place_in_line(queue, priority, claimed_rank),
                "asked_priority": priority,
                "claimed_rank": claimed_rank,
                "reason": reason[:200],
                "rule": rule.pk if rule else None,
                "by": by.pk if by else None,
                "due_at": queue_rules.due_at_for(queue, due_at),
                "now": timezone.now(),
            },
        )
        return cursor.fetchone()


@transaction.atomic
def flag_interaction(
    *, interaction, queue: ReviewQueue, by=None, reason="", priority=0
) -> ReviewItem:
    """Put an interaction into a queue by hand; answers the item (`is_new` says whether it was made now).

    A full queue takes it all the same, and a dismissed item waits again. `by` is empty for an API key.
    """
    item_id, is_new = admit(
        interaction=interaction,
        queue=queue,
        reason=reason or "flagged by hand",
        priority=priority,
        by=by,
    )
    item = lock_item_and_interaction(item_id)
    if item.state == ReviewItem.State.DISMISSED:
        item.state, item.flagged_by = ReviewItem.State.WAITING, by
        item.save(update_fields=["state", "flagged_by"])
        count_slots(item.pk)
        settling.reconsider(item)
        item.refresh_from_db()
    item.is_new = is_new
    return item


def is_full(queue: ReviewQueue) -> bool:
    """Counts no further than the cap."""
    if queue.intake_cap is None:
        return False
    waiting = ReviewItem.objects.waiting().filter(queue=queue).values("pk")[: queue.intake_cap]
    return waiting.count() >= queue.intake_cap
