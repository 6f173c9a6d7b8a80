"""Who can judge in a queue now, and the items that nobody can finish.

A judge of a queue may judge in the project, is named by the queue or it names nobody, and is not paused there. Whoever counts
judges counts these: how many an item asks for, whether somebody is left to ask, whom a stuck item waits for.
"""

from django.db.models import Exists, OuterRef, Q

from annotation.models import Assignment, QueueMember, QueuePause, ReviewItem
from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import PERMISSIONS

_State, _Skip = Assignment.State, Assignment.SkipReason


def judges_of(*, project, queue):
    """The memberships of those who judge there, the paused among them."""
    named = QueueMember.objects.filter(queue=queue)
    return Membership.objects.filter(
        Exists(named.filter(user=OuterRef("user"))) | ~Exists(named),
        project=project,
        roles__overlap=sorted(PERMISSIONS["judge"]),
        user__is_active=True,
    )


def judges_now(*, project, queue):
    """The memberships of those who can judge there now."""
    paused = QueuePause.objects.filter(queue=queue, user=OuterRef("user"))
    return judges_of(project=project, queue=queue).exclude(Exists(paused))


def judges_in(queue) -> set[int]:
    """The same of one queue, by user."""
    now = judges_now(project=queue.project_id, queue=queue.pk)
    return set(now.values_list("user_id", flat=True))


def has_anybody_left(item) -> bool:
    """Whether somebody who judges in this queue has not had the item yet."""
    left = judges_now(project=item.project_id, queue=item.queue_id)
    return left.exclude(user__in=item.assignments.values("expert")).exists()


def stuck(items):
    """Those of these items that somebody began, that wait, and that nobody can take: all who judge there answered them or
    passed them on. Who let one lapse, or had it sent back, may still take it up.
    """
    of_item = Assignment.objects.filter(item=OuterRef("pk"))
    done = Assignment.objects.filter(
        item=OuterRef(OuterRef("pk")),
        expert=OuterRef("user"),
        state__in=[_State.SUBMITTED, _State.SKIPPED],
    )
    can_take = judges_now(project=OuterRef("project"), queue=OuterRef(OuterRef("queue")))
    return items.filter(
        Q(Exists(of_item)),
        ~Exists(of_item.filter(state__in=Assignment.HELD_STATES)),
        ~Exists(can_take.exclude(Exists(done))),
        state=ReviewItem.State.WAITING,
    ).exclude(purpose__in=ReviewItem.MEASURING)


def unstuck(items):
    """Those of these items that a lead was told of only because nobody could take them, and that somebody can take again.

    What an expert passed on to be talked about is a lead's to close.
    """
    talked = Assignment.objects.filter(
        item=OuterRef("pk"), skip_reason__in=[_Skip.UNCLEAR_GUIDELINE, _Skip.NEEDS_DISCUSSION]
    )
    told = items.filter(~Exists(talked), needs_discussion=True)
    return told.exclude(pk__in=stuck(told).values("pk"))


def is_stuck(item) -> bool:
    return stuck(ReviewItem.objects.filter(pk=item.pk)).exists()
