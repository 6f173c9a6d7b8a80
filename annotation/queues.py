"""Queues as a lead sets them up: their rules and their members, saved together."""

from django.db import transaction
from django.utils.text import slugify

from annotation import settling
from annotation.models import Assignment, QueueMember, ReviewItem, ReviewQueue
from annotation.queue_rules import MOST_REVIEWERS
from annotation.slots import count_slots, lock_item_and_interaction


@transaction.atomic
def save_queue(*, queue: ReviewQueue, members) -> ReviewQueue:
    """Keep a new or changed queue; `members` are the users who judge there, none for everybody who may."""
    if not queue.slug:
        queue.slug = _free_slug(queue)
    queue.save()
    QueueMember.objects.filter(queue=queue).exclude(user__in=members).delete()
    known = set(QueueMember.objects.filter(queue=queue).values_list("user_id", flat=True))
    QueueMember.objects.bulk_create(
        QueueMember(project_id=queue.project_id, queue=queue, user=user)
        for user in members
        if user.pk not in known
    )
    if queue.everybody_judges:
        _follow_the_named(queue)
    return queue


def _follow_the_named(queue) -> None:
    """Where all who are named judge each item, the open items follow a change of the names.

    Those of them who have it in hand or judged it before they left still count. An item that waited only for somebody who
    left is complete now.
    """
    named = set(QueueMember.objects.filter(queue=queue).values_list("user_id", flat=True))
    open_items = ReviewItem.objects.filter(
        queue=queue,
        purpose=ReviewItem.Purpose.LABEL,
        state__in=[ReviewItem.State.WAITING, ReviewItem.State.IN_REVIEW],
    )
    open_items.filter(taken_count=0).update(overlap=len(named))
    for item_id in open_items.filter(taken_count__gt=0).order_by("pk").values_list("pk", flat=True):
        item = lock_item_and_interaction(item_id)
        live = item.assignments.filter(state__in=Assignment.LIVE_STATES)
        judges = named | set(live.values_list("expert_id", flat=True))
        item.overlap = min(len(judges), MOST_REVIEWERS)
        ReviewItem.objects.filter(pk=item.pk).update(overlap=item.overlap)
        count_slots(item.pk)
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
