"""What waits for somebody: where they were named, what a lead decided on their items or answered to their proposals, what came back to them; for who
leads: disputes, what is to be discussed, categories proposed.

Judging itself is not in it: that has its own page. Each count stops at SOME.
"""

from dataclasses import dataclass, fields
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, IntegerField, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from annotation import adjudication, category_proposals, discussion, queries
from annotation.models import (
    Assignment,
    Attention,
    CategoryProposal,
    ReviewItem,
    Settlement,
)
from feedbackhub.accounts.context import beside_person
from feedbackhub.accounts.models import Membership

SOME = 100  # "99+" from here on


@dataclass(frozen=True)
class Waiting:
    """How much of each kind."""

    mentions: int = 0
    decisions: int = 0
    returned: int = 0
    disputes: int = 0
    discussions: int = 0
    proposals: int = 0
    answers: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, each.name) for each in fields(self))


def mentions_for(membership: Membership):
    return discussion.unread_mentions(membership)


def decisions_for(membership: Membership):
    """What leads decided on their items since they last looked, but for their own decisions."""
    if not membership.may("see_own_work"):
        return Settlement.objects.none()
    looked = Attention.objects.filter(project=membership.project_id, user=membership.user_id)
    seen_at = Coalesce(Subquery(looked.values("decisions_seen_at")[:1]), membership.joined_at)
    return (
        adjudication.decisions_for(project=membership.project_id, expert=membership.user_id)
        .filter(created_at__gt=seen_at)
        .exclude(decided_by=membership.user_id)
    )


def returned_to(membership: Membership):
    """What a lead sent back and nobody else has taken, newest first."""
    return (
        Assignment.objects.filter(
            project=membership.project_id,
            expert=membership.user_id,
            state=Assignment.State.RETURNED,
            item__state=ReviewItem.State.WAITING,
            item__taken_count__lt=F("item__overlap"),
        )
        .select_related("item__interaction", "item__queue")
        .order_by("-pk")
    )


def disputes_for(membership: Membership):
    return _for_lead(membership, Q(state=ReviewItem.State.DISPUTED))


def discussions_for(membership: Membership):
    """To be talked about, but for disputes."""
    return _for_lead(membership, Q(needs_discussion=True) & ~Q(state=ReviewItem.State.DISPUTED))


def proposals_for(membership: Membership):
    if not membership.may("change_label_schema"):
        return CategoryProposal.objects.none()
    return (
        CategoryProposal.objects.filter(
            project=membership.project_id, state=CategoryProposal.State.OPEN
        )
        .select_related("proposed_by")
        .order_by("-pk")
    )


def answers_for(membership: Membership):
    """What leads answered to the categories that they proposed."""
    return category_proposals.untold(membership).select_related("decided_by").order_by("-pk")


KINDS = {
    "mentions": mentions_for,
    "decisions": decisions_for,
    "returned": returned_to,
    "disputes": disputes_for,
    "discussions": discussions_for,
    "proposals": proposals_for,
    "answers": answers_for,
}


def count(membership: Membership) -> Waiting:
    """In one query: every page asks."""
    asked = {kind: rows(membership) for kind, rows in KINDS.items()}
    counts = {
        kind: Func(
            ArraySubquery(rows.order_by().values("pk")[:SOME]),
            function="cardinality",
            output_field=IntegerField(),
        )
        for kind, rows in asked.items()
        if not rows.query.is_empty()
    }
    if not counts:
        return Waiting()
    return Waiting(**Membership.objects.filter(pk=membership.pk).values(**counts).get())


@beside_person
def in_the_frame(membership: Membership) -> dict | None:
    """The count beside the person, on every page."""
    if not membership.may("see_own_work") and not membership.may("search_interactions"):
        return None
    total = count(membership).total
    return {
        "url": reverse("waits_for_me", args=[membership.project.slug]),
        "count": total,
        "shown": f"{SOME - 1}+" if total >= SOME else str(total),
    }


def note_decisions_seen(*, membership: Membership, until: datetime | None = None) -> None:
    """They have the list of decisions before them."""
    Attention.objects.update_or_create(
        project_id=membership.project_id,
        user_id=membership.user_id,
        defaults={"decisions_seen_at": until or timezone.now()},
    )


def _for_lead(membership, which):
    if not membership.may("settle_disputes"):
        return ReviewItem.objects.none()
    return queries.waiting_for_lead(membership).filter(which)
