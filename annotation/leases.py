"""An expert's hold on an item: it has an owner, an end, and a fencing number that every write must name."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Assignment
from annotation.refusals import LeaseLost

RESERVED_MINUTES = 5  # what was fetched ahead comes free sooner than what is in hand

State = Assignment.State


def new_lease(queue, *, state=State.CLAIMED) -> dict:
    """The fields of a lease that begins now."""
    now = timezone.now()
    minutes = queue.lease_minutes if state == State.CLAIMED else RESERVED_MINUTES
    return {"lease_until": now + timedelta(minutes=minutes), "heartbeat_at": now}


def write_in_hand(assignment, fence: int, *, states=Assignment.HELD_STATES, **changes) -> None:
    """Change an assignment that is in hand: this fence, one of these states, the lease running. Raises LeaseLost."""
    changed = Assignment.objects.filter(
        pk=assignment.pk, fence=fence, state__in=states, lease_until__gt=timezone.now()
    ).update(**changes)
    if not changed:
        raise lost(assignment, fence)
    assignment.refresh_from_db(fields=["fence", *changes])


def lost(assignment, fence: int | None = None) -> LeaseLost:
    """Why a write was refused, with the assignment as it is now."""
    assignment.refresh_from_db()
    if assignment.state == State.SUBMITTED:
        sentence = _("You have submitted this item already.")
    elif assignment.state == State.RETURNED:
        sentence = _("This item was taken out of your hands. What you typed is kept.")
    elif assignment.state == State.SKIPPED:
        sentence = _("You have passed this item on.")
    elif fence is not None and assignment.fence != fence:
        sentence = _("You took this item up in another window. Go on there, or take it over here.")
    else:
        sentence = _("Your time with this item is over. What you typed is kept: take it up again.")
    return LeaseLost(sentence, assignment=assignment)
