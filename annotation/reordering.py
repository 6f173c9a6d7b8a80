"""A queue's order was changed: the items that are there follow, some hundred at a time, while people go on claiming.

`ReviewQueue.is_reordering` is the duty, written with the new order; the doorbell begins at once and the sweep says when it is
done. Rows that somebody holds at this instant are passed over, never waited for: a later look finds them.
"""

import structlog
from django.db import transaction

from annotation.models import ReviewItem, ReviewQueue
from annotation.queue_rules import places_in_line
from feedbackhub.audit.acting import acting

log = structlog.get_logger(__name__)

AT_ONCE = 200  # locked together for some milliseconds; a claim passes over them


def reorder(*, queue_id: int) -> int:
    """Bring the open items of a queue into its order; answers how many moved."""
    queue = ReviewQueue.objects.filter(pk=queue_id).first()
    if queue is None:
        return 0
    count, last = 0, 0
    while last is not None:
        moved, last = _reorder_some(queue, last)
        count += moved
    log.info("queue.reordered", queue_id=queue_id, count=count)
    return count


def finish_reordering() -> int:
    """What is left of each reordering; answers how many items moved. The sweep calls it.

    It is done when a whole look finds nothing out of place: so what was admitted under the old order while it changed is
    found too. An order that changed again meanwhile is a duty of its own.
    """
    count = 0
    for queue in ReviewQueue.objects.filter(is_reordering=True).order_by("pk"):
        moved = reorder(queue_id=queue.pk)
        if not moved and not _out_of_place(queue).exists():
            ReviewQueue.objects.filter(pk=queue.pk, order=queue.order).update(is_reordering=False)
        count += moved
    return count


@transaction.atomic
def _reorder_some(queue, after: int) -> tuple[int, int | None]:
    """The next items out of place: (how many moved, the last one's id; None when there are no more)."""
    found = (
        _out_of_place(queue)
        .select_for_update(no_key=True, skip_locked=True)
        .filter(pk__gt=after)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    some = list(found[:AT_ONCE])
    with acting(action="reorder_queue"):
        ReviewItem.objects.filter(pk__in=some).update(priority=places_in_line(queue))
    return len(some), some[-1] if some else None


def _out_of_place(queue):
    """Open items, for what is in hand may come back. A known case or a repeat is in one person's hands and in no line."""
    return (
        ReviewItem.objects.open()
        .filter(queue=queue)
        .exclude(purpose__in=ReviewItem.MEASURING)
        .exclude(priority=places_in_line(queue))
    )
