"""The queue: claim the next item, hold it on a lease, give it back, pass it on.

Every write to something in hand names its fence, which grows with each new lease, and counts only while the lease runs
(`leases`). How a slot is taken under concurrency stands in `slots`.
"""

import random
import time
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import calibration, pausing
from annotation.leases import lost, new_lease, write_in_hand
from annotation.models import (
    Annotation,
    Assignment,
    QueuePause,
    ReviewItem,
    ReviewQueue,
)
from annotation.queries import midnight_of
from annotation.queue_judges import has_anybody_left
from annotation.queue_rules import overlap_for, places_in_line
from annotation.refusals import ClaimRefused, WrongState
from annotation.slots import count_slots, free_slot, lock_item, take_next
from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import may
from feedbackhub.prepared import rows_of

TRIES = 20  # when others are faster
SWEPT_AT_ONCE = 500

STAND_IN_LINE = """
SELECT roles,
       EXISTS (SELECT FROM annotation_assignment own
                WHERE own.expert_id = %(expert)s AND own.project_id = %(project)s
                  AND own.state IN ('reserved', 'claimed') AND own.state = 'reserved'),
       EXISTS (SELECT FROM annotation_assignment own
                WHERE own.expert_id = %(expert)s AND own.project_id = %(project)s
                  AND own.state IN ('expired', 'returned')),
       EXISTS (SELECT FROM annotation_reviewqueue queue
                WHERE queue.project_id = %(project)s AND queue.is_open
                  AND (queue.calibration_percent > 0 OR queue.onboarding_count > 0 OR queue.repeat_percent > 0))
  FROM accounts_membership
 WHERE project_id = %(project)s AND user_id = %(expert)s
   FOR NO KEY UPDATE
"""

_WITH_ITEM = Assignment.objects.select_related("item__interaction", "item__queue")

State = Assignment.State
Skip = Assignment.SkipReason


# --- take -----------------------------------------------------------------------------------------


def claim_next(*, project, expert, queue=None, items=None) -> Assignment | None:
    """The next item for this expert, claimed (item, interaction and queue loaded), or None when nothing waits.

    In this order: what they fetched ahead; what came back to them (returned by a lead, or expired: draft kept, new
    fence); the highest priority of the queues they judge in (or of `queue`). With `items`, ids of a selection, nothing
    but these, in their order, and not before a newcomer's first known cases are judged. Raises ClaimRefused.
    """
    return _take(project=project, expert=expert, queue=queue, items=items, state=State.CLAIMED)


def reserve_ahead(*, project, expert, queue=None, items=None, count=2) -> list[Assignment]:
    """Up to `count` items fetched ahead on a short lease; those already held come first."""
    who = {"project": project, "expert": expert, "queue": queue, "items": items}
    ahead = list(_reserved(**who)[:count])
    while len(ahead) < count:
        try:
            assignment = _take(**who, state=State.RESERVED)
        except ClaimRefused:
            break
        if assignment is None:
            break
        ahead.append(assignment)
    return ahead


def take_up(*, assignment, fence: int) -> Assignment:
    """Turn a reserved assignment into a claimed one: same fence, full lease. Raises LeaseLost."""
    lease = new_lease(assignment.item.queue)
    write_in_hand(assignment, fence, states=[State.RESERVED], state=State.CLAIMED, **lease)
    return assignment


def resume(*, assignment) -> Assignment:
    """Take an own assignment up again: its lease is over, a lead returned it, or another window holds it.

    New fence, draft kept. Raises LeaseLost when the slot went to somebody else, or the item is closed; WrongState when it is
    out of their hands and a lead paused them here.
    """
    if assignment.state not in Assignment.HELD_STATES:
        _refuse_paused(assignment)
    with transaction.atomic():
        if not _resume(assignment, lock_item(assignment.item_id), State.CLAIMED):
            raise lost(assignment)
    return _load(assignment.pk, assignment.project)


def claim_at_once(*, project, expert, item) -> Assignment:
    """This very item, to be handed in within the same transaction. The caller stands in line. Raises ClaimRefused."""
    taken_id, _has_candidates = take_next(
        project=project,
        expert=expert,
        queue=None,
        state=State.CLAIMED,
        items=[item.pk],
        is_at_once=True,
    )
    if taken_id is None:
        raise ClaimRefused("taken", _("This item does not wait for you any more."))
    return _load(taken_id, project)


def _take(*, project, expert, queue, items, state) -> Assignment | None:
    who = {"project": project, "expert": expert, "queue": queue, "items": items}
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                has_reserved, has_to_resume, is_measured = stand_in_line(project, expert)
                taken = None
                if has_reserved and state == State.CLAIMED:
                    taken = _take_up_first(**who)
                if has_to_resume and not taken:
                    taken = _resume_first(**who, state=state)
                if taken:
                    return taken
                if is_measured and items is not None:
                    _refuse_newcomer(expert, items)
                elif is_measured and (taken_id := _measure(project, expert, queue, state)):
                    return _load(taken_id, project)
                taken_id, has_candidates = take_next(**who, state=state)
        except IntegrityError:  # somebody took the slot between our look and our lock
            continue
        if taken_id:
            return _load(taken_id, project)
        if not has_candidates:
            _explain(**who)
            return None
        time.sleep(random.uniform(0.001, 0.005) * (attempt + 1))  # noqa: S311 (all in other hands)
    return None


def _measure(project, expert, queue, state) -> int | None:
    """A known case or a repeat, when it is time for one in a queue whose door is open."""
    doors = _doors(project, expert, queue)
    open_queues = [pk for pk, door in doors.items() if door == "open"]
    queues = ReviewQueue.objects.filter(calibration.USES_CALIBRATION, pk__in=open_queues)
    return calibration.take_measuring_item(expert=expert, queues=queues.order_by("pk"), state=state)


def _refuse_newcomer(expert, items) -> None:
    """A stream brings no known cases, so those that a queue wants judged first are judged there. Raises ClaimRefused."""
    queues = ReviewQueue.objects.filter(
        pk__in=_queues_with_some_left(expert, items), onboarding_count__gt=0
    )
    for queue in queues.order_by("pk"):
        if calibration.is_new(expert, queue):
            raise ClaimRefused(
                "new_here",
                _("You are new in %(queue)s: judge its first items in their own order. Then pick.")
                % {"queue": queue},
            )


def stand_in_line(project, expert) -> tuple[bool, bool, bool]:
    """One expert takes one item at a time, whatever windows are open: the row lock of their membership is the line.

    Says on the way whether they fetched anything ahead, whether anything came back to them, and whether queues here measure
    their experts.
    """
    lines = rows_of(STAND_IN_LINE, {"project": project.pk, "expert": expert.pk})
    if not lines or not may(lines[0][0], "judge"):
        raise ClaimRefused("not_a_member", _("You do not judge in this project. Ask its owner."))
    return lines[0][1:]


def _take_up_first(project, expert, queue, items) -> Assignment | None:
    first = _reserved(project, expert, queue, items).first()
    return take_up(assignment=first, fence=first.fence) if first else None


def _resume_first(project, expert, queue, items, state) -> Assignment | None:
    """What came back, newest first, as far as a slot is free and the queue still takes this expert."""
    came_back = (
        _own(project, expert, queue, items)
        .filter(state__in=[State.EXPIRED, State.RETURNED], item__state=ReviewItem.State.WAITING)
        .select_related("item")
        .order_by("-pk")[:50]
    )
    doors = None
    for assignment in came_back:
        doors = doors or _doors(project, expert, queue)
        if doors.get(assignment.item.queue_id) != "open":
            continue
        item = lock_item(assignment.item_id, skip_locked=True)
        if item and _resume(assignment, item, state):
            return _load(assignment.pk, project)
    return None


def _resume(assignment, item, state) -> bool:
    """A new lease for an own assignment of a locked item; False when that cannot be."""
    now = Assignment.objects.get(pk=assignment.pk)
    slot = now.slot
    if now.state in (State.EXPIRED, State.RETURNED):
        slot = free_slot(item) if item.state == ReviewItem.State.WAITING else None
    elif now.state not in Assignment.HELD_STATES:
        slot = None
    if slot is None:
        return False
    moved = Assignment.objects.filter(pk=now.pk, state=now.state, fence=now.fence).update(
        state=state, slot=slot, fence=F("fence") + 1, **new_lease(item.queue, state=state)
    )
    count_slots(item.pk)
    return bool(moved)


def _doors(project, expert, queue=None) -> dict[int, str]:
    """The queues that an expert judges in: "open", "closed", "paused", "holds_enough" or "done_for_today"."""
    held = dict(
        Assignment.objects.filter(project=project, expert=expert, state__in=Assignment.HELD_STATES)
        .values_list("item__queue")
        .annotate(Count("pk"))
    )
    membership = Membership.objects.get(project=project, user=expert)
    paused = QueuePause.objects.filter(queue=OuterRef("pk"), user=expert)
    queues = ReviewQueue.objects.of_member(membership).annotate(is_paused=Exists(paused))
    if queue:
        queues = queues.filter(pk=queue.pk)
    places, today = list(queues), {}
    if any(place.daily_cap is not None for place in places):
        today = _today(project, expert)
    return {
        place.pk: _door(place, held.get(place.pk, 0), *today.get(place.pk, (0, 0)))
        for place in places
    }


def _today(project, expert) -> dict[int, tuple[int, int]]:
    """By queue: how many were first answered today, and how many with those that are held for it."""
    midnight = midnight_of(expert)
    first = Annotation.objects.filter(assignment=OuterRef("pk"), revision=1).values("created_at")
    is_held = Q(state__in=Assignment.HELD_STATES)
    rows = (
        Assignment.objects.filter(project=project, expert=expert)
        .filter(is_held | Q(state=State.SUBMITTED, submitted_at__gte=midnight))
        .annotate(first_at=Subquery(first))
        .filter(Q(first_at=None) | Q(first_at__gte=midnight))
        .values_list("item__queue")
        .annotate(done=Count("pk", filter=~is_held), asked=Count("pk"))
    )
    return {queue: (done, asked) for queue, done, asked in rows}


def _door(queue, held_count, done_count, asked_count) -> str:
    if not queue.is_open:
        return "closed"
    if queue.is_paused:
        return "paused"
    if queue.daily_cap is not None and done_count >= queue.daily_cap:
        return "done_for_today"
    is_asked_enough = queue.daily_cap is not None and asked_count >= queue.daily_cap
    return "holds_enough" if is_asked_enough or held_count >= queue.held_ahead else "open"


def _refuse_paused(assignment) -> None:
    pause = (
        QueuePause.objects.filter(queue=assignment.item.queue_id, user=assignment.expert_id)
        .select_related("queue")
        .first()
    )
    if pause:
        raise WrongState(pausing.why(pause))


def _why_paused(project, expert, queue) -> str:
    pauses = pausing.pauses_of(Membership.objects.get(project=project, user=expert))
    if queue:
        pauses = pauses.filter(queue=queue)
    return " ".join(pausing.why(pause) for pause in pauses)


def _explain(project, expert, queue, items) -> None:
    """Nothing was taken: say so when the reason is not that nothing waits. Raises ClaimRefused."""
    doors = _doors(project, expert, queue)
    if items is not None:
        doors = {pk: doors.get(pk) for pk in _queues_with_some_left(expert, items)}
    doors = set(doors.values())
    if "open" in doors or (items is not None and not doors):
        return
    for reason, sentence in (
        (
            "holds_enough",
            _("You hold as many items as this queue allows. Finish or give back one."),
        ),
        (
            "done_for_today",
            _("You have judged as many today as this queue asks of one person. Thank you."),
        ),
        ("paused", ""),
        ("closed", _("This queue is closed at the moment.")),
    ):
        if reason in doors:
            raise ClaimRefused(reason, sentence or _why_paused(project, expert, queue))
    raise ClaimRefused("not_a_member", _("You judge in no queue here. Ask a lead to add you."))


def _queues_with_some_left(expert, items) -> list[int]:
    had = Assignment.objects.filter(item=OuterRef("pk"), expert=expert)
    left = ReviewItem.objects.waiting().filter(~Exists(had), pk__in=items)
    return list(left.values_list("queue", flat=True).distinct())


def _own(project, expert, queue=None, items=None):
    own = Assignment.objects.filter(project=project, expert=expert)
    if items is not None:
        own = own.filter(item__in=items)
    return own.filter(item__queue=queue) if queue else own


def _load(assignment_id, project) -> Assignment:
    """With all that the screen shows, in one query."""
    assignment = _WITH_ITEM.get(pk=assignment_id)
    assignment.project = assignment.item.project = project
    return assignment


def _reserved(project, expert, queue, items):
    return (
        (_WITH_ITEM.all() & _own(project, expert, queue, items))
        .filter(state=State.RESERVED, lease_until__gt=timezone.now())
        .order_by("pk")
    )


# --- hold and give back ---------------------------------------------------------------------------


def heartbeat(*, assignment, fence: int) -> datetime:
    """Extend the lease, and those of what the expert fetched ahead; answers its new end. Raises LeaseLost."""
    lease = new_lease(assignment.item.queue, state=assignment.state)
    write_in_hand(assignment, fence, states=[assignment.state], **lease)
    _own(assignment.project_id, assignment.expert_id).filter(
        state=State.RESERVED, lease_until__gt=timezone.now()
    ).update(**new_lease(assignment.item.queue, state=State.RESERVED))
    return assignment.lease_until


@transaction.atomic
def release(*, assignment, fence: int) -> Assignment:
    """Give the item back without a word. The draft is kept: its expert may resume. Raises LeaseLost.

    Who was revising an answer of theirs leaves it as it was.
    """
    item = lock_item(assignment.item_id)
    state = State.SUBMITTED if _has_answered(assignment) else State.EXPIRED
    write_in_hand(assignment, fence, state=state, lease_until=None)
    count_slots(item.pk)
    return assignment


@transaction.atomic
def skip(*, assignment, fence: int, reason: str, note: str = "") -> Assignment:
    """Pass the item on; each reason goes somewhere else. Raises LeaseLost, WrongState.

    - not my field: to the queue named for that, else to another expert;
    - cannot be shown: out of the queue, to a lead;
    - unclear guideline, needs discussion: to another expert, and to a lead's list.

    An item that everybody has passed on goes to a lead's list too.
    """
    reason = Skip(reason)
    item = lock_item(assignment.item_id)
    if _has_answered(assignment):
        raise WrongState(_("You have answered this one. Give it back, or change your answer."))
    write_in_hand(
        assignment,
        fence,
        state=State.SKIPPED,
        skip_reason=reason,
        skip_note=note,
        lease_until=None,
    )
    if item.purpose in ReviewItem.MEASURING:  # it was for this expert alone
        ReviewItem.objects.filter(pk=item.pk).update(state=ReviewItem.State.DISMISSED)
        count_slots(item.pk)
        return assignment
    count_slots(item.pk)
    if reason == Skip.CANNOT_SHOW:
        ReviewItem.objects.filter(pk=item.pk, state__in=ReviewItem.OPEN_STATES).update(
            state=ReviewItem.State.DISPUTED
        )
        return assignment
    has_moved = reason == Skip.NOT_MY_FIELD and _move_to_other_field(item)
    if reason != Skip.NOT_MY_FIELD or not (has_moved or has_anybody_left(item)):
        ReviewItem.objects.filter(pk=item.pk).update(needs_discussion=True)
    return assignment


def _has_answered(assignment) -> bool:
    return Annotation.objects.current().filter(assignment=assignment).exists()


def _move_to_other_field(item) -> bool:
    """To the queue for what is not this one's field, unless somebody else is at it or it came from there."""
    target = item.queue.not_my_field_queue
    if target is None or not target.is_open:
        return False
    if item.assignments.filter(state__in=Assignment.LIVE_STATES).exists():
        return False
    try:
        with transaction.atomic():
            ReviewItem.objects.filter(pk=item.pk).update(
                queue=target,
                overlap=overlap_for(target, item.interaction),
                priority=places_in_line(target),
            )
    except IntegrityError:  # it waits there already
        ReviewItem.objects.filter(pk=item.pk).update(state=ReviewItem.State.DISMISSED)
    return True


# --- leases that are over -------------------------------------------------------------------------


def expire_leases() -> int:
    """Free the slots of leases that are over; answers how many. A revision that was begun leaves the answer as it was."""
    expired = 0
    while True:
        count = _expire_some()
        expired += count
        if count < SWEPT_AT_ONCE:
            return expired


@transaction.atomic
def _expire_some() -> int:
    over = Assignment.objects.filter(
        state__in=Assignment.HELD_STATES, lease_until__lte=timezone.now()
    )
    longest_over = over.order_by("lease_until").values_list("item", flat=True)[:SWEPT_AT_ONCE]
    items = (
        ReviewItem.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk__in=list(longest_over))
        .order_by("pk")
    )
    item_ids = [item.pk for item in items.only("pk")]
    over = over.filter(item__in=item_ids)
    answered = Annotation.objects.current().filter(assignment=OuterRef("pk"))
    count = over.filter(Exists(answered)).update(state=State.SUBMITTED, lease_until=None)
    count += over.update(state=State.EXPIRED)
    count_slots(*item_ids)
    return count
