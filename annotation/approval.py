"""Settled cases on their way to gold: which wait for a lead, and approving many at once."""

from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from annotation import comparing
from annotation.gold import NotReady, promote_to_gold
from annotation.models import CaseAssertion, GoldRevision, ReviewItem, Settlement, Verdict


def settled_without_gold(project):
    """What holds now, and is not what gold says already."""
    written_since = CaseAssertion.objects.filter(
        interaction=OuterRef("example__interaction"), changed_at__gt=OuterRef("approved_at")
    )
    compared_since = ReviewItem.objects.filter(
        comparing.finished_since(OuterRef("approved_at")),
        interaction=OuterRef("example__interaction"),
    )
    is_gold = GoldRevision.objects.filter(
        ~Exists(written_since), ~Exists(compared_since), settlement=OuterRef("pk"), is_current=True
    )
    return Settlement.objects.filter(
        ~Exists(is_gold),
        project=project,
        is_current=True,
        takes_effect_at__lte=timezone.now(),
        interaction__erased_at=None,
    )


def ready_for_gold(project):
    """Those a lead may approve: the same conditions as `gold.missing_for_gold`, asked of the database."""
    return settled_without_gold(project).filter(_CAN_TEACH)


def not_ready_for_gold(project):
    found = settled_without_gold(project)
    return found.exclude(pk__in=found.filter(_CAN_TEACH).values("pk"))


_HAS_ASSERTION = Exists(
    CaseAssertion.objects.filter(interaction=OuterRef("interaction"), removed_at=None)
)
_IS_DISPUTED = Exists(
    ReviewItem.objects.filter(
        interaction=OuterRef("interaction"),
        queue__schema_name=OuterRef("schema_name"),
        purpose=ReviewItem.Purpose.LABEL,
        state=ReviewItem.State.DISPUTED,
    )
)
_IS_GOLD_OTHERWISE = Exists(
    GoldRevision.objects.filter(
        example__interaction=OuterRef("interaction"), example__retired_at=None, is_current=True
    ).exclude(settlement__schema_name=OuterRef("schema_name"))
)
_CAN_TEACH = (
    (Q(verdict=Verdict.CORRECT) | Q(chosen_answer__text__gt="") | Q(_HAS_ASSERTION))
    & ~Q(interaction__messages=[])
    & ~Q(_IS_DISPUTED)
    & ~Q(_IS_GOLD_OTHERWISE)
)


@dataclass
class Approved:
    """How approving many went: the revisions made, and the cases that stay, with what they lack."""

    revisions: list = field(default_factory=list)
    exceptions: list[tuple[Settlement, list[str]]] = field(default_factory=list)


def approve_each(*, settlements, by) -> Approved:
    """Approve each of these on its own: one that is not ready keeps no other from becoming gold."""
    outcome = Approved()
    for settlement in settlements:
        try:
            outcome.revisions.append(promote_to_gold(settlement=settlement, by=by))
        except NotReady as error:
            outcome.exceptions.append((settlement, error.reasons))
    return outcome
