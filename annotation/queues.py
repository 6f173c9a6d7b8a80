"""Queues as a lead sets them up: their rules and their members, saved together."""

from django.db import transaction
from django.utils.text import slugify

from annotation.models import QueueMember, ReviewQueue


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
    return queue


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
