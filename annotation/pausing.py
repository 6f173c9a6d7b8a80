"""A lead pauses an expert in a queue, and lets them go on.

A paused expert is handed nothing of that queue: no new item, nothing that came back to them, nothing fetched ahead (that goes
back at once). What they have in hand they may finish, and what they judged stays theirs to revise. Their drafts are kept.
Works in a queue that names its members and in one that is everybody's. Items that all who are named judge do not wait for the paused.
"""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation import calibration, queue_judges, queues
from annotation.models import Assignment, QueuePause, ReviewItem, ReviewQueue
from annotation.refusals import WrongState
from annotation.slots import count_slots
from feedbackhub.accounts.models import Membership


@transaction.atomic
def pause_expert(*, queue: ReviewQueue, user, by, reason: str = "") -> QueuePause:
    """Twice is once. Raises WrongState when this person does not judge in this queue."""
    membership = _in_line(queue, user)
    if not may_judge_in(membership, queue):
        raise WrongState(_("This person does not judge in this queue."))
    try:
        with transaction.atomic():
            pause = QueuePause.objects.create(
                project_id=queue.project_id, queue=queue, user=user, paused_by=by, reason=reason
            )
    except IntegrityError:
        return QueuePause.objects.get(queue=queue, user=user)
    _take_back_what_was_fetched_ahead(queue, user)
    queues.follow_judges(ReviewQueue.objects.filter(pk=queue.pk))
    return pause


@transaction.atomic
def resume_expert(*, queue: ReviewQueue, user) -> None:
    """They get items of the queue again. Twice is once."""
    _in_line(queue, user)
    if QueuePause.objects.filter(queue=queue, user=user).delete()[0]:
        queues.follow_judges(ReviewQueue.objects.filter(pk=queue.pk))


def pauses_of(membership: Membership):
    """Where this member is paused, with the queue and who did it."""
    return (
        QueuePause.objects.filter(project=membership.project_id, user=membership.user_id)
        .filter(queue__in=ReviewQueue.objects.of_member(membership))
        .select_related("queue", "paused_by")
        .order_by("queue__name", "pk")
    )


def why(pause: QueuePause) -> str:
    """What the expert reads."""
    said = _("A lead paused your work in %(queue)s.") % {"queue": pause.queue}
    return f"{said} {pause.reason}".strip()


def may_judge_in(membership: Membership | None, queue: ReviewQueue) -> bool:
    return bool(
        membership
        and membership.may("judge")
        and ReviewQueue.objects.of_member(membership).filter(pk=queue.pk).exists()
    )


def judges_of(queue: ReviewQueue) -> list[dict]:
    """Who judges in this queue, by name, with their score and pause there."""
    members = queue_judges.judges_of(project=queue.project_id, queue=queue.pk)
    found = calibration.scores(project=queue.project_id, queues=[queue])
    pauses = {pause.user_id: pause for pause in queue.pauses.select_related("paused_by")}
    return [
        {
            "user": member.user,
            "score": found.get((member.user_id, queue.pk)),
            "pause": pauses.get(member.user_id),
        }
        for member in members.select_related("user").order_by("user__name", "pk")
    ]


# --- steps ----------------------------------------------------------------------------------------


def _in_line(queue, user) -> Membership | None:
    """Whoever takes items holds this row too (`review_queue`): a claim is before the pause or sees it."""
    return (
        Membership.objects.select_for_update(no_key=True)
        .filter(project=queue.project_id, user=user)
        .first()
    )


def _take_back_what_was_fetched_ahead(queue, user) -> None:
    ahead = Assignment.objects.filter(
        expert=user, item__queue=queue, state=Assignment.State.RESERVED
    )
    wanted = ahead.values_list("item", flat=True)
    items = ReviewItem.objects.select_for_update(no_key=True).filter(pk__in=list(wanted))
    item_ids = [item.pk for item in items.order_by("pk").only("pk")]
    ahead.filter(item__in=item_ids).update(state=Assignment.State.EXPIRED, lease_until=None)
    count_slots(*item_ids)
