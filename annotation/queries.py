"""Figures and lists that several pages show; counted up to a limit, never by a full scan."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from annotation.models import Annotation, Assignment, QueuePause, ReviewItem, ReviewQueue
from feedbackhub.accounts.models import Membership

COUNT_LIMIT = 1_000  # a page shows "999+" from here on
NEWEST_COMPARED, FEWEST_COMPARED = 200, 5  # of one's own labels, for one's agreement
REMEMBERED = 600  # seconds
HELD = Assignment.HELD_STATES

# Fresh and begun items are counted apart, along the two partial indexes that claim_next uses.
FIGURES = """
WITH fresh AS MATERIALIZED (
    SELECT item.id FROM annotation_reviewitem item
     WHERE item.queue_id = ANY(%(queues)s) AND item.state = 'waiting' AND item.taken_count = 0
     LIMIT %(limit)s
), begun AS MATERIALIZED (
    SELECT item.id FROM annotation_reviewitem item
     WHERE item.queue_id = ANY(%(queues)s) AND item.state = 'waiting' AND item.taken_count > 0
     LIMIT %(limit)s
), had AS (
    SELECT assignment.item_id FROM annotation_assignment assignment
     WHERE assignment.expert_id = %(expert)s
       AND assignment.item_id IN (SELECT id FROM fresh UNION ALL SELECT id FROM begun)
), waiting AS (
    SELECT (SELECT count(*) FROM fresh) + (SELECT count(*) FROM begun) AS number
)
SELECT (SELECT count(*) FROM annotation_assignment done
         WHERE done.expert_id = %(expert)s AND done.project_id = %(project)s
           AND done.state = 'submitted' AND done.submitted_at >= %(midnight)s),
       waiting.number - (SELECT count(*) FROM had),
       waiting.number,
       (SELECT item.created_at FROM annotation_reviewitem item
         WHERE item.project_id = %(project)s AND item.state = 'waiting'
           AND item.queue_id = ANY(%(queues)s)
         ORDER BY item.id LIMIT 1)
  FROM waiting
"""


@dataclass(frozen=True)
class HeaderFigures:
    """The line above the review screen. Counts stop at COUNT_LIMIT."""

    mine_today: int
    left_for_me: int
    left_for_all: int
    oldest_waiting_at: datetime | None


def header_figures(*, membership: Membership, queue: ReviewQueue | None = None) -> HeaderFigures:
    """For one member, of one queue or of all they judge in and are not paused in. Their day begins at midnight where they are."""
    paused = QueuePause.objects.filter(project=membership.project_id, user=membership.user_id)
    queues = ReviewQueue.objects.of_member(membership).exclude(pk__in=paused.values("queue"))
    if queue:
        queues = queues.filter(pk=queue.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            FIGURES,
            {
                "project": membership.project_id,
                "expert": membership.user_id,
                "queues": list(queues.values_list("pk", flat=True)),
                "midnight": midnight_of(membership.user),
                "limit": COUNT_LIMIT,
            },
        )
        mine_today, left_for_me, left_for_all, oldest = cursor.fetchone()
    return HeaderFigures(
        mine_today=mine_today,
        left_for_me=min(left_for_me, COUNT_LIMIT),
        left_for_all=min(left_for_all, COUNT_LIMIT),
        oldest_waiting_at=oldest,
    )


_effect_counters: list[Callable[[Membership], int]] = []


def effect_counter(function):
    """Register who knows what came of a member's labels: a number for the line under the review screen."""
    _effect_counters.append(function)
    return function


def labels_in_fixes(membership: Membership) -> int:
    """How many of the member's labels went into a fix."""
    return sum(count(membership) for count in _effect_counters)


@dataclass(frozen=True)
class EffectTold:
    """What one's labels led to, for one line: what carries the fix, and how the share of a category fell, where known."""

    carrier: str  # "prompt 14"
    category: str = ""
    before: float | None = None
    after: float | None = None


_effect_tellers: list[Callable[[Membership], EffectTold | None]] = []


def effect_teller(function):
    """Register who knows the newest of what came of a member's labels."""
    _effect_tellers.append(function)
    return function


def newest_effect(membership: Membership) -> EffectTold | None:
    return next(filter(None, (tell(membership) for tell in _effect_tellers)), None)


@dataclass(frozen=True)
class OwnAgreement:
    """How often a person's verdict is the one that was settled, where somebody else had a say in it too."""

    same: int
    compared: int

    @property
    def share(self) -> float | None:
        return self.same / self.compared if self.compared >= FEWEST_COMPARED else None


# As the page of people counts it (annotation/people.py), of the newest labels only.
AGREEMENT = """
SELECT count(*) FILTER (WHERE settled.verdict = said.verdict), count(*)
  FROM (SELECT said.verdict, item.interaction_id, queue.schema_name
          FROM annotation_annotation said
          JOIN annotation_reviewitem item ON item.id = said.item_id AND item.purpose = 'label'
          JOIN annotation_reviewqueue queue ON queue.id = item.queue_id
         WHERE said.expert_id = %(expert)s AND said.project_id = %(project)s AND said.is_current
           AND said.imported_from = '' AND item.state = 'settled'
         ORDER BY said.created_at DESC
         LIMIT %(newest)s) said
  JOIN annotation_settlement settled
    ON settled.interaction_id = said.interaction_id AND settled.schema_name = said.schema_name
   AND settled.is_current AND settled.takes_effect_at <= %(now)s
   AND (settled.annotation_count > 1 OR settled.decided_how = 'lead')
   AND settled.decided_by_id IS DISTINCT FROM %(expert)s
"""


def agreement_of(membership: Membership) -> OwnAgreement:
    """Of the newest 200 labels of a member; ten minutes old at most, since every screen shows it."""
    key = f"own-agreement-{membership.project_id}-{membership.user_id}"
    counts = cache.get(key)
    if counts is None:
        with connection.cursor() as cursor:
            cursor.execute(
                AGREEMENT,
                {
                    "expert": membership.user_id,
                    "project": membership.project_id,
                    "newest": NEWEST_COMPARED,
                    "now": timezone.now(),
                },
            )
            counts = cursor.fetchone()
        cache.set(key, counts, REMEMBERED)
    return OwnAgreement(*counts)


def in_hand(*, project, expert, queue=None, items=None):
    """What the expert holds now, claimed before fetched ahead, oldest first; item, interaction and queue loaded."""
    held = (
        Assignment.objects.filter(
            project=project,
            expert=expert,
            state__in=Assignment.HELD_STATES,
            lease_until__gt=timezone.now(),
        )
        .select_related("item__interaction", "item__queue", "project")
        .order_by(Case(When(state=Assignment.State.CLAIMED, then=Value(0)), default=Value(1)), "pk")
    )
    if items is not None:
        held = held.filter(item__in=items)
    return held.filter(item__queue=queue) if queue else held


def interactions_judged_by(membership: Membership):
    """The interactions, by key, of which an expert may see what others said: they had their own say on a label there, in an
    item that is closed or not blind, have nothing more of them in hand, and are to judge none of them once more (`to_come`)."""
    theirs = Assignment.objects.filter(project=membership.project_id, expert=membership.user_id)
    in_their_hands = theirs.filter(state__in=["reserved", "claimed"])
    closed = Q(item__state__in=["disputed", "settled", "dismissed"]) | Q(
        item__queue__is_blind=False
    )
    return (
        theirs.filter(closed, state="submitted", item__purpose=ReviewItem.Purpose.LABEL)
        .exclude(item__interaction__in=in_their_hands.values("item__interaction"))
        .exclude(Exists(to_come(membership).filter(interaction=OuterRef("item__interaction"))))
        .values("item__interaction")
    )


def still_to_judge(*, project, expert):
    """The assignments of this person, in hand or to take up again, that they are to judge without knowing what others said: of
    a blind queue, or one that measures them, and no answer of theirs yet.
    """
    answered = Annotation.objects.current().filter(assignment=OuterRef("pk"))
    return Assignment.objects.filter(
        Q(item__queue__is_blind=True) | Q(item__purpose__in=ReviewItem.MEASURING),
        ~Exists(answered),
        project=project,
        expert=expert,
        state__in=[*HELD, Assignment.State.EXPIRED, Assignment.State.RETURNED],
        item__state__in=[ReviewItem.State.WAITING, ReviewItem.State.IN_REVIEW],
    )


def to_come(membership: Membership):
    """The items of a blind queue, or that measure, which this member judges yet without knowing what others said: theirs to
    judge (`still_to_judge`); of an expert also what they change in hand, or what may still be handed to them.
    """
    own = still_to_judge(project=membership.project_id, expert=membership.user_id)
    to_judge = Q(pk__in=own.values("item"))
    if not membership.may("search_interactions"):
        theirs = Assignment.objects.filter(item=OuterRef("pk"), expert=membership.user_id)
        is_done = Exists(theirs.filter(state=Assignment.State.SUBMITTED))
        to_judge |= Exists(theirs.filter(state__in=HELD))
        to_judge |= Q(state__in=ReviewItem.OPEN_STATES) & ~is_done
    return ReviewItem.objects.visible_to(membership).filter(
        to_judge, Q(queue__is_blind=True) | Q(purpose__in=ReviewItem.MEASURING)
    )


def kept_from(*, project, expert) -> Q:
    """Of items: those of which this person is not to know yet what others said, be they a lead. It is theirs to judge, or they
    have the same answer in hand in another queue.
    """
    own = still_to_judge(project=project, expert=expert)
    in_hand = own.filter(state__in=HELD)
    return Q(pk__in=own.values("item")) | Q(interaction__in=in_hand.values("item__interaction"))


def finished_by(*, project, expert):
    """What the expert submitted, newest first: page it by ("-submitted_at", "-pk")."""
    return (
        Assignment.objects.filter(project=project, expert=expert, state=Assignment.State.SUBMITTED)
        .select_related("item__interaction", "item__queue")
        .order_by("-submitted_at", "-pk")
    )


def waiting_for_lead(membership: Membership):
    """Items that need a lead's word: disputed, not to be shown, or flagged for discussion; newest first."""
    return (
        ReviewItem.objects.visible_to(membership)
        .for_lead()
        .select_related("interaction", "queue")
        .order_by("-pk")
    )


def midnight_of(user) -> datetime:
    """When this day began where they are."""
    now = timezone.now().astimezone(zone_of(user))
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def zone_of(user) -> ZoneInfo:
    """Where they are; UTC when nobody knows that place."""
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
