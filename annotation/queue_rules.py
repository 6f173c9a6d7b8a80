"""What a queue asks of each item that comes in: how many judge it, when it is due, where it stands in line; and whether low
agreement adds a reviewer by itself.

Items keep the number of experts and the time that they came with; a changed order they follow (`reordering`).
"""

import hashlib
from datetime import timedelta

from django.db.models import Case, F, Q, SmallIntegerField, Value, When
from django.utils import timezone

from annotation.models import ReviewQueue
from annotation.queue_judges import judges_in

FIRST_IN_LINE = (
    100  # from this priority on an item goes first whatever the order, and a full queue takes it
)
MOST_REVIEWERS = 9
LOOKED_AT_EVERY = timedelta(hours=1)
RANK = 10  # between two severities, so that a rule's small priority cannot lift one over the other


def overlap_for(queue: ReviewQueue, interaction) -> int:
    """How many experts judge this item.

    On which share of the items it is the queue's overlap is decided by a stable hash: the same answer gets the same
    number each time, and a larger share holds all items of a smaller one. A number that nobody can fill would keep an item
    for ever: only those are counted who can judge there now.
    """
    if queue.everybody_judges:
        overlap = len(judges_in(queue)) or queue.overlap
    else:
        overlap = queue.overlap if _bucket(queue, interaction) < queue.overlap_percent else 1
    if queue.has_extra_reviewer and not queue.everybody_judges:
        overlap = max(overlap, min(overlap + 1, len(judges_in(queue))))
    return min(overlap, MOST_REVIEWERS)


def place_in_line(queue: ReviewQueue, asked_priority: int, claimed_rank: int = 0) -> int:
    """The item's priority (higher first; the same: older first), as the queue orders. What is urgent stays first."""
    if asked_priority >= FIRST_IN_LINE or queue.order == ReviewQueue.Order.PRIORITY:
        return asked_priority
    return claimed_rank * RANK if queue.order == ReviewQueue.Order.SEVERITY else 0


def places_in_line(queue: ReviewQueue) -> Case:
    """`place_in_line` for items in the database."""
    place = {
        ReviewQueue.Order.PRIORITY: F("asked_priority"),
        ReviewQueue.Order.OLDEST: Value(0),
        ReviewQueue.Order.SEVERITY: F("claimed_rank") * RANK,
    }[queue.order]
    return Case(
        When(asked_priority__gte=FIRST_IN_LINE, then=F("asked_priority")),
        # from before it was written down what was asked: what was urgent then stays urgent
        When(priority__gte=FIRST_IN_LINE, then=F("priority")),
        default=place,
        output_field=SmallIntegerField(),
    )


def due_at_for(queue: ReviewQueue, due_at=None):
    """The earlier of the rule's time and the queue's own."""
    if queue.due_hours is None:
        return due_at
    own = timezone.now() + timedelta(hours=queue.due_hours)
    return min(own, due_at) if due_at else own


def watch_agreement() -> int:
    """Where a queue says so, low alpha adds a reviewer to each new item, and good alpha takes them away again.

    Looks once an hour; answers how many queues changed. The sweep calls it.
    """
    to_look_at = ReviewQueue.objects.filter(
        Q(alpha_at=None) | Q(alpha_at__lte=timezone.now() - LOOKED_AT_EVERY),
        is_open=True,
        adds_reviewer_below__isnull=False,
    ).select_related("project")
    changed = 0
    for queue in to_look_at:
        is_low, alpha = _is_low(queue)
        changed += is_low != queue.has_extra_reviewer
        ReviewQueue.objects.filter(pk=queue.pk).update(
            has_extra_reviewer=is_low, alpha=alpha, alpha_at=timezone.now()
        )
    return changed


def _is_low(queue) -> tuple[bool, float | None]:
    """Imported here: the numbers bring numpy. Too few items, or alpha undefined: nothing changes."""
    from annotation.agreement.coefficients import alpha
    from annotation.agreement.judgements import shared_judgements
    from annotation.agreement.report import verdict_of

    judged = shared_judgements(project=queue.project, queue=queue)
    found = alpha(item.unit(verdict_of) for item in judged.items)
    if found.value is None or found.items < queue.agreement_items:
        return queue.has_extra_reviewer, found.value
    return found.value < queue.adds_reviewer_below, found.value


def _bucket(queue, interaction) -> int:
    """0 to 99, the same for the same answer in the same queue."""
    name = f"{queue.public_id}/{interaction.external_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % 100
