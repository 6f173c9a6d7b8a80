"""What a person works through: all their queues, one of them, or a selection that they picked out of the items.

A selection is a list of items in an order of its own. It changes what one is handed next, nothing else: which of its
items this person may judge, how many at once, and who else is at them is decided by the database as for any other claim.
"""

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404

from annotation import review_queue
from annotation.models import Assignment, ReviewItem, ReviewQueue, ReviewSelection
from annotation.refusals import LeaseLost
from feedbackhub.ids import make_public_id

MOST = 500  # items of a selection


@dataclass(frozen=True)
class Stream:
    """Where the next item comes from. `items` are the ids of a selection, in order; None: whatever is next in line."""

    queue: ReviewQueue | None = None
    selection: ReviewSelection | None = None

    @property
    def items(self) -> list[int] | None:
        return self.selection.item_ids if self.selection else None

    @property
    def query(self) -> str:
        """As the screen's addresses carry it."""
        if self.selection:
            return f"?selection={self.selection.public_id}"
        return f"?queue={self.queue.slug}" if self.queue else ""

    @property
    def count(self) -> int:
        return len(self.items or ())

    def place_of(self, assignment) -> int | None:
        """The how manieth of the selection this is, from 1."""
        if not self.selection or assignment is None or assignment.item_id not in self.items:
            return None
        return self.items.index(assignment.item_id) + 1


def stream_of(request) -> Stream:
    """`?queue=` as far as it is one of the person's, `?selection=` as far as it is theirs still; nothing: all queues.

    A selection that was replaced meanwhile, in another window, is as good as none: nothing that was typed may fail by it.
    """
    if not hasattr(request, "stream"):
        request.stream = Stream(_queue(request), _selection(request))
    return request.stream


def _queue(request) -> ReviewQueue | None:
    slug = request.GET.get("queue", "")
    if not slug:
        return None
    if not slug.isprintable():
        raise Http404
    return get_object_or_404(ReviewQueue.objects.of_member(request.membership), slug=slug)


def _selection(request) -> ReviewSelection | None:
    try:
        named = uuid.UUID(request.GET.get("selection", ""))
    except ValueError:
        return None
    own = ReviewSelection.objects.filter(project=request.project, user=request.user)
    return own.filter(public_id=named).first()


@transaction.atomic
def select_items(*, membership, items) -> ReviewSelection | None:
    """Make these items, in their order, the selection of this member, as far as they may judge them now; None when
    none is left. What was fetched ahead for them from elsewhere goes back.
    """
    own = Assignment.objects.filter(item=OuterRef("pk"), expert=membership.user_id)
    is_ahead = Exists(own.filter(state=Assignment.State.RESERVED))
    is_done = Exists(own.exclude(state__in=_COMES_AGAIN))
    to_judge = (
        items.filter(queue__in=ReviewQueue.objects.of_member(membership), queue__is_open=True)
        .filter(Q(state=ReviewItem.State.WAITING) | is_ahead, ~is_done)
        .exclude(purpose__in=ReviewItem.MEASURING)
    )
    ids = list(to_judge.values_list("pk", flat=True)[:MOST])
    if not ids:
        return None
    selection, _is_new = ReviewSelection.objects.update_or_create(
        project_id=membership.project_id,
        user_id=membership.user_id,
        defaults={"item_ids": ids, "public_id": make_public_id()},
    )
    _give_back_what_is_not_in(ids, membership)
    return selection


# own, not in hand: it may be taken up again
_COMES_AGAIN = [Assignment.State.EXPIRED, Assignment.State.RETURNED, Assignment.State.RESERVED]


def _give_back_what_is_not_in(ids, membership) -> None:
    ahead = Assignment.objects.filter(
        project=membership.project_id,
        expert=membership.user_id,
        state=Assignment.State.RESERVED,
    ).exclude(item__in=ids)
    for assignment in ahead:
        try:
            review_queue.release(assignment=assignment, fence=assignment.fence)
        except LeaseLost:
            continue
