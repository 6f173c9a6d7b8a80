"""Known cases slipped in unseen, and own items shown again after weeks: they measure people and are never labels.

A queue says how often (`calibration_percent`, `repeat_percent` of what one is handed), how many known cases come before
anything else (`onboarding_count`, as far as there are that many; one that is skipped is not one of them) and which share of
them should be right (`calibration_bar`). A known case is approved gold outside the holdout, judged under the queue's schema, that this expert
never saw. Each is an item of its own, for one expert; what is said there settles nothing, proposes nothing, tells no harm.

Whether it is time is decided by a hash of expert, queue and how many they were handed there: nobody can foresee it, and
asking twice gives the same answer.
"""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from annotation.leases import new_lease
from annotation.models import (
    Annotation,
    Assignment,
    GoldRevision,
    ReviewItem,
    ReviewQueue,
    Settlement,
    Split,
)

LOOK = 100  # known cases chosen among
RECENT = 20  # answers that the score is of
FEWEST = 5  # before a score is told
Purpose = ReviewItem.Purpose

USES_CALIBRATION = (
    Q(calibration_percent__gt=0) | Q(onboarding_count__gt=0) | Q(repeat_percent__gt=0)
)


@dataclass(frozen=True)
class Score:
    """How an expert did on the newest known cases of a queue. `share` is None while there are too few."""

    queue: ReviewQueue
    right: int
    judged: int
    share: float | None
    is_below: bool


def take_measuring_item(*, expert, queues, state) -> int | None:
    """The id of a new assignment of a known case or a repeat, when it is time for one in one of these queues.

    The caller has the expert's line (`review_queue`). Raises IntegrityError when somebody made the same item at this instant.
    """
    for queue in queues:
        if made := _take_in(queue, expert, state):
            return made
    return None


def is_new(expert, queue) -> bool:
    """Whether known cases of this queue still come before this expert's own work there."""
    known = Assignment.objects.filter(
        expert=expert, item__queue=queue, item__purpose=Purpose.CALIBRATION
    )
    states = list(known.values_list("state", flat=True))
    if states.count(Assignment.State.SUBMITTED) >= queue.onboarding_count:
        return False
    to_do = {*Assignment.HELD_STATES, Assignment.State.EXPIRED, Assignment.State.RETURNED}
    return not to_do.isdisjoint(states) or _known_case(queue, expert) is not None


def score_of(expert, queue) -> Score:
    """Right is the same verdict and severity as the case is settled with."""
    found = scores(project=queue.project_id, experts=[expert.pk], queues=[queue])
    return found.get((expert.pk, queue.pk)) or Score(queue, 0, 0, None, False)


def scores(*, project, experts=None, queues=None) -> dict[tuple[int, int], Score]:
    """{(expert's id, queue's id): score} of all who judged known cases, or of these experts, or in these queues."""
    if queues is None:
        queues = ReviewQueue.objects.filter(project=project)
    by_id = {queue.pk: queue for queue in queues}
    if not by_id:
        return {}
    said = Annotation.objects.current().filter(
        project=project, item__queue__in=by_id, item__purpose=Purpose.CALIBRATION
    )
    if experts is not None:
        said = said.filter(expert__in=experts)
    each = {"partition_by": [F("expert"), F("item__queue")], "order_by": F("pk").desc()}
    newest = (
        said.annotate(place=Window(RowNumber(), **each))
        .filter(place__lte=RECENT)
        .values_list("expert", "item__queue", "item__interaction", "verdict", "severity")
    )
    newest = list(newest)
    truths = _settled_as(project, {interaction for _e, _q, interaction, *_ in newest})
    right, judged = Counter(), Counter()
    for expert, queue, interaction, *answer in newest:
        truth = truths.get((interaction, by_id[queue].schema_name))
        if truth:
            judged[expert, queue] += 1
            right[expert, queue] += tuple(answer) == truth
    return {
        (expert, queue): _score(by_id[queue], right[expert, queue], count)
        for (expert, queue), count in judged.items()
    }


def experts_below(project) -> set[int]:
    """Who fell below the bar of a queue that measures its experts, by id."""
    queues = list(ReviewQueue.objects.filter(USES_CALIBRATION, project=project))
    found = scores(project=project, queues=queues)
    return {expert for (expert, _queue), score in found.items() if score.is_below}


def below_the_bar(membership) -> list[Score]:
    """The queues in which this member's recent score fell below what they ask."""
    queues = ReviewQueue.objects.of_member(membership).filter(USES_CALIBRATION).order_by("name")
    found = scores(project=membership.project_id, experts=[membership.user_id], queues=list(queues))
    return [score for score in found.values() if score.is_below]


def repeats_by_expert(*, project, experts, since=None) -> dict[int, tuple[int, int]]:
    """{expert's id: (how often they said the same again, of how many)}: the same verdict and severity."""
    first = Annotation.objects.current().filter(
        expert=OuterRef("expert"),
        item__queue=OuterRef("item__queue"),
        item__interaction=OuterRef("item__interaction"),
        item__purpose=Purpose.LABEL,
    )
    again = Annotation.objects.current().filter(
        project=project, expert__in=experts, item__purpose=Purpose.REPEAT
    )
    if since:
        again = again.filter(created_at__gte=since)
    rows = (
        again.annotate(
            first_verdict=Subquery(first.values("verdict")[:1]),
            first_severity=Subquery(first.values("severity")[:1]),
        )
        .exclude(first_verdict=None)
        .values("expert")
        .annotate(
            all=Count("pk"),
            same=Count("pk", filter=Q(verdict=F("first_verdict"), severity=F("first_severity"))),
        )
    )
    return {row["expert"]: (row["same"], row["all"]) for row in rows}


def repeats_of(expert, queue=None) -> list[tuple[Annotation, Annotation]]:
    """What the expert said about the same answer twice: (first, again)."""
    again = Annotation.objects.current().filter(expert=expert, item__purpose=Purpose.REPEAT)
    if queue:
        again = again.filter(item__queue=queue)
    again = list(again.select_related("item"))
    firsts = Annotation.objects.current().filter(
        expert=expert,
        item__purpose=Purpose.LABEL,
        item__interaction__in=[each.item.interaction_id for each in again],
    )
    by_place = {(f.item.queue_id, f.item.interaction_id): f for f in firsts.select_related("item")}
    places = [(each.item.queue_id, each.item.interaction_id) for each in again]
    return [
        (by_place[place], each)
        for place, each in zip(places, again, strict=True)
        if place in by_place
    ]


# --- steps ----------------------------------------------------------------------------------------


def _take_in(queue, expert, state) -> int | None:
    handed = Assignment.objects.filter(expert=expert, item__queue=queue).aggregate(
        all=Count("pk"),
        known=Count(
            "pk",
            filter=Q(item__purpose=Purpose.CALIBRATION) & ~Q(state=Assignment.State.SKIPPED),
        ),
    )
    is_new_here = handed["known"] < queue.onboarding_count
    rolled = _chance(queue, expert, handed["all"], "known")
    if is_new_here or rolled < queue.calibration_percent:
        interaction = _known_case(queue, expert)
        if interaction is not None:
            return _make(queue, expert, interaction, Purpose.CALIBRATION, state)
    rolled = _chance(queue, expert, handed["all"], "again")
    interaction = _own_case(queue, expert) if rolled < queue.repeat_percent else None
    return _make(queue, expert, interaction, Purpose.REPEAT, state) if interaction else None


def _chance(queue, expert, handed: int, what: str) -> int:
    """0 to 99."""
    name = f"{queue.public_id}/{expert.public_id}/{handed}/{what}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % 100


def _known_case(queue, expert) -> int | None:
    """An interaction, by its id."""
    seen = Assignment.objects.filter(expert=expert, project=queue.project_id)
    known = (
        GoldRevision.objects.filter(
            project=queue.project_id,
            is_current=True,
            erased_at=None,
            example__retired_at=None,
            example__erased_at=None,
            settlement__is_current=True,
            settlement__schema_name=queue.schema_name,
        )
        .exclude(example__split=Split.HOLDOUT)
        .exclude(example__interaction__in=seen.values("item__interaction"))
        .order_by("-pk")
        .values_list("example__interaction", flat=True)[:LOOK]
    )
    return random.choice(list(known) or [None])  # noqa: S311 (which one is no secret)


def _own_case(queue, expert) -> int | None:
    """The oldest own label that is old enough and was not shown again yet."""
    again = ReviewItem.objects.filter(
        queue=queue, purpose=Purpose.REPEAT, assignments__expert=expert
    )
    return (
        Annotation.objects.current()
        .filter(
            expert=expert,
            item__queue=queue,
            item__purpose=Purpose.LABEL,
            item__interaction__erased_at=None,
            created_at__lte=timezone.now() - timedelta(weeks=queue.repeat_weeks),
        )
        .exclude(item__interaction__in=again.values("interaction"))
        .order_by("pk")
        .values_list("item__interaction", flat=True)
        .first()
    )


def _make(queue, expert, interaction_id, purpose, state) -> int:
    """An item like any other to look at: it stands there for the reason for which the answer was judged, and is due when the
    next in line is.
    """
    items = ReviewItem.objects.filter(queue__project=queue.project_id, interaction=interaction_id)
    rounds = items.filter(queue=queue, purpose=purpose).aggregate(last=Max("round"))["last"] or 0
    label = items.filter(purpose=Purpose.LABEL).order_by("pk").first()
    waiting = queue.items.filter(purpose=Purpose.LABEL, state=ReviewItem.State.WAITING)
    next_label = waiting.order_by("-priority", "pk").first()
    item = ReviewItem.objects.create(
        project_id=queue.project_id,
        queue=queue,
        interaction_id=interaction_id,
        purpose=purpose,
        round=rounds + 1,
        state=ReviewItem.State.IN_REVIEW,
        overlap=1,
        taken_count=1,
        reason=label.reason if label else "",
        due_at=next_label.due_at if next_label else None,
    )
    assignment = Assignment.objects.create(
        project_id=queue.project_id,
        item=item,
        expert=expert,
        state=state,
        slot=1,
        **new_lease(queue, state=state),
    )
    return assignment.pk


def _score(queue, right, judged) -> Score:
    share = right / judged if judged >= FEWEST else None
    is_below = share is not None and 100 * share < queue.calibration_bar
    return Score(queue, right, judged, share, is_below)


def _settled_as(project, interactions) -> dict[tuple[int, str], tuple[str, str]]:
    """{(interaction, schema's name): (verdict, severity)}"""
    rows = Settlement.objects.filter(
        project=project, interaction__in=interactions, is_current=True
    ).values_list("interaction", "schema_name", "verdict", "severity")
    return {
        (interaction, schema): (verdict, severity)
        for interaction, schema, verdict, severity in rows
    }
