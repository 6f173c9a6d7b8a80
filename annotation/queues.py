"""Queues as a lead sets them up: their rules and their members, saved together; and items that follow who can judge them."""

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import slugify

from annotation import settling, tasks
from annotation.models import Assignment, QueueMember, ReviewItem, ReviewQueue
from annotation.queue_judges import judges_in, stuck, unstuck
from annotation.queue_rules import MOST_REVIEWERS
from annotation.slots import count_slots, lock_item_and_interaction
from feedbackhub.accounts.members import member_follower
from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import may
from feedbackhub.doorbell import ring, ring_together

AT_ONCE = 500
FOLLOWING_LOCK = 0x70B5  # pg_try_advisory_lock key


@transaction.atomic
def save_queue(*, queue: ReviewQueue, members) -> ReviewQueue:
    """Keep a new or changed queue; `members` are the users who judge there, none for everybody who may.

    Items that wait already follow a new order soon after (`reordering`), and who judges them (`follow_changed_judges`).
    """
    if not queue.slug:
        queue.slug = _free_slug(queue)
    before = ReviewQueue.objects.select_for_update(no_key=True).filter(pk=queue.pk).first()
    if before:
        has_new_order = before.order != queue.order
        queue.is_reordering = before.is_reordering or has_new_order
        if has_new_order:
            ring(tasks.reorder_queue, queue_id=queue.pk)
    queue.save()
    QueueMember.objects.filter(queue=queue).exclude(user__in=members).delete()
    known = set(QueueMember.objects.filter(queue=queue).values_list("user_id", flat=True))
    QueueMember.objects.bulk_create(
        QueueMember(project_id=queue.project_id, queue=queue, user=user)
        for user in members
        if user.pk not in known
    )
    follow_judges(ReviewQueue.objects.filter(pk=queue.pk))
    return queue


def follow_judges(queues) -> None:
    """Somebody can judge in these, or cannot any more: their items follow soon after. `judges_changed_at` is the duty."""
    if queues.update(judges_changed_at=timezone.now()):
        ring_together(tasks.follow_judges)


@member_follower
def follow_member(*, project, user, before) -> None:
    """Who may not judge any more lets go of what they hold: the sweep of leases frees it."""
    membership = Membership.objects.filter(project=project, user=user).first()
    can, could = may(membership.roles if membership else [], "judge"), may(before, "judge")
    if not can and could:
        held = Assignment.objects.filter(
            project=project, expert=user, state__in=Assignment.HELD_STATES
        )
        held.update(lease_until=timezone.now())
    if can != could:
        follow_judges(ReviewQueue.objects.for_project(project))


def follow_changed_judges() -> int:
    """Where somebody can judge who could not, or the other way round: where all who are named judge each item, the open
    items ask these. Those who have one in hand or judged it before they left still count. An item that waited only for
    somebody who left is complete then. What nobody can finish goes to a lead; what somebody can again goes back in line.

    Some hundred at a time; answers how many items. One worker does it while others ask in vain.
    """
    count = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [FOLLOWING_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        try:
            for queue in ReviewQueue.objects.exclude(judges_changed_at=None).order_by("pk"):
                count += _follow(queue)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [FOLLOWING_LOCK])
    return count


def remind_of_changed_judges() -> int:
    """The bell again where it was lost, or a worker died; answers how many queues wait. The sweep has no time to do it."""
    count = ReviewQueue.objects.exclude(judges_changed_at=None).count()
    if count:
        ring_together(tasks.follow_judges)
    return count


def _follow(queue) -> int:
    count = 0
    if queue.everybody_judges:
        count += _ask_now(queue)
    count += _each_some(stuck(queue.items.filter(needs_discussion=False)), _to_a_lead)
    count += _each_some(unstuck(queue.items.all()), _back_in_line)
    ReviewQueue.objects.filter(pk=queue.pk, judges_changed_at=queue.judges_changed_at).update(
        judges_changed_at=None
    )
    return count


def _ask_now(queue) -> int:
    """The open items ask those who can judge here now; answers how many."""
    judges = judges_in(queue)
    open_items = queue.items.filter(
        purpose=ReviewItem.Purpose.LABEL,
        state__in=[ReviewItem.State.WAITING, ReviewItem.State.IN_REVIEW],
    )
    overlap = min(len(judges) or queue.overlap, MOST_REVIEWERS)
    fresh = open_items.filter(taken_count=0).exclude(overlap=overlap)
    count = _each_some(fresh, lambda some: some.filter(taken_count=0).update(overlap=overlap))
    begun = open_items.filter(taken_count__gt=0).order_by("pk")
    for item_id in begun.values_list("pk", flat=True):
        with transaction.atomic():
            _ask(judges, item_id)
        count += 1
    return count


def _each_some(items, act) -> int:
    """`act` on these items, some hundred at a time; answers how many were found."""
    count, some = 0, [0]
    while some := list(
        items.filter(pk__gt=some[-1]).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    ):
        act(ReviewItem.objects.filter(pk__in=some))
        count += len(some)
    return count


def _to_a_lead(items) -> None:
    stuck(items).update(needs_discussion=True)


def _back_in_line(items) -> None:
    unstuck(items).update(needs_discussion=False)


def free_stuck() -> int:
    """Begun items that nobody can take are completed by what was said where the queue asks all who are named, else a lead is
    told (`needs_discussion`); answers how many. The sweep calls it.
    """
    begun = ReviewItem.objects.filter(taken_count__gt=0, needs_discussion=False)
    found = list(stuck(begun).select_related("queue").order_by("pk")[:AT_ONCE])
    for item in found:
        if item.queue.everybody_judges and item.purpose == ReviewItem.Purpose.LABEL:
            with transaction.atomic():
                _ask(judges_in(item.queue), item.pk)
    _to_a_lead(begun.filter(pk__in=[item.pk for item in found]))
    return len(found)


def _ask(judges: set[int], item_id: int) -> None:
    """This item waits for these, and for those who have it already; if for nobody, it is complete."""
    item = lock_item_and_interaction(item_id)
    if item.state not in (ReviewItem.State.WAITING, ReviewItem.State.IN_REVIEW):
        return
    live = item.assignments.filter(state__in=Assignment.LIVE_STATES)
    asked = judges | set(live.values_list("expert_id", flat=True))
    item.overlap = max(min(len(asked), MOST_REVIEWERS), item.taken_count, 1)
    ReviewItem.objects.filter(pk=item.pk).update(overlap=item.overlap)
    count_slots(item.pk)
    item.refresh_from_db(fields=["state", "taken_count"])
    settling.reconsider(item)


def _free_slug(queue) -> str:
    wanted = slugify(queue.name)[:40] or "queue"
    taken = set(
        ReviewQueue.objects.filter(project=queue.project_id, slug__startswith=wanted).values_list(
            "slug", flat=True
        )
    )
    number = 2
    slug = wanted
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug
