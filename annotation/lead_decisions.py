"""What a lead does with an item: send a judgement back, open it again, take it out, close its discussion."""

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from annotation import settling
from annotation.annotating import lock_news, take_back
from annotation.answers import answers_of
from annotation.models import Assignment, ItemComment, ReviewItem
from annotation.refusals import WrongState
from annotation.slots import count_slots, lock_item_and_interaction

State = Assignment.State


@transaction.atomic
def return_assignment(*, assignment, by, reason: str) -> Assignment:
    """Send a judgement (or what is in hand) back to its expert: it counts no longer, its answers are the draft.

    The expert gets it again with their next claim, as long as nobody else took the slot. Raises WrongState.
    """
    for annotation in assignment.annotations.current():
        lock_news(annotation)
    item = lock_item_and_interaction(assignment.item_id)
    if item.state == ReviewItem.State.DISMISSED:
        raise WrongState(_("This item was dismissed. Open it again first."))
    if settling.is_decided_by_lead(item):
        raise WrongState(_("A lead decided this item. Open it again first."))
    if not _return(assignment, reason):
        raise WrongState(
            _("There is nothing to return: nobody judged this, or it came back already.")
        )
    settling.reconsider(item, is_taken_back=True)
    count_slots(item.pk)
    assignment.refresh_from_db()
    return assignment


@transaction.atomic
def reopen_item(*, item, by, reason: str) -> ReviewItem:
    """Open a settled, disputed or dismissed item again: every judgement goes back to its expert. Raises WrongState."""
    item = lock_item_and_interaction(item.pk)
    if item.state in (ReviewItem.State.WAITING, ReviewItem.State.IN_REVIEW):
        raise WrongState(_("This item is open already."))
    settling.withdraw(item)
    for assignment in item.assignments.filter(state__in=Assignment.LIVE_STATES):
        _return(assignment, reason)
    ReviewItem.objects.filter(pk=item.pk).update(
        state=ReviewItem.State.WAITING, settled_at=None, needs_discussion=False
    )
    count_slots(item.pk)
    _comment(item, by, reason)
    item.refresh_from_db()
    return item


@transaction.atomic
def dismiss_item(*, item, by, reason: str) -> ReviewItem:
    """Take an item out of the queue unjudged; who has it in hand is told why. Raises WrongState."""
    item = lock_item_and_interaction(item.pk)
    if item.state not in ReviewItem.OPEN_STATES:
        raise WrongState(_("This item is not open."))
    for assignment in item.assignments.filter(state__in=Assignment.HELD_STATES):
        _return(assignment, reason)
    ReviewItem.objects.filter(pk=item.pk).update(
        state=ReviewItem.State.DISMISSED, needs_discussion=False
    )
    count_slots(item.pk)
    _comment(item, by, reason)
    item.refresh_from_db()
    return item


def close_discussion(*, item, by, answer: str = "") -> ReviewItem:
    """What was to be discussed is clear now; the item stays where it is."""
    with transaction.atomic():
        ReviewItem.objects.filter(pk=item.pk).update(needs_discussion=False)
        _comment(item, by, answer)
    item.refresh_from_db()
    return item


def _return(assignment, reason) -> bool:
    """The assignment is its expert's to resume, with the answers that it held as draft."""
    annotation = assignment.annotations.current().first()
    changes = {"draft": answers_of(annotation)} if annotation else {}
    moved = Assignment.objects.filter(pk=assignment.pk, state__in=Assignment.LIVE_STATES).update(
        state=State.RETURNED,
        return_reason=reason,
        fence=F("fence") + 1,
        draft_revision=F("draft_revision") + 1,
        lease_until=None,
        **changes,
    )
    if moved and annotation:
        take_back(annotation)
    return bool(moved)


def _comment(item, by, text: str) -> None:
    if text.strip():
        ItemComment.objects.create(project_id=item.project_id, item=item, author=by, text=text)
