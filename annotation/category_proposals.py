"""Categories that experts miss: proposed by one, answered by a lead, who proposed it is told."""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import CategoryProposal, LabelSchema
from annotation.refusals import WrongState

State = CategoryProposal.State
MOST_OPEN = 20  # of one person


def propose_category(*, schema: LabelSchema, by, name: str, meaning: str) -> CategoryProposal:
    """Raises WrongState when they wait for many answers already, or have proposed this before."""
    own = CategoryProposal.objects.filter(
        project=schema.project_id, proposed_by=by, state=State.OPEN
    )
    if own.filter(name__iexact=name).exists():
        raise WrongState(_("You proposed this already. A lead has not answered yet."))
    if own.count() >= MOST_OPEN:
        raise WrongState(_("You have many proposals open. Wait until a lead has answered some."))
    return CategoryProposal.objects.create(
        project_id=schema.project_id, schema=schema, proposed_by=by, name=name, meaning=meaning
    )


def answer_proposal(
    *, proposal: CategoryProposal, by, state: str, category_key="", answer=""
) -> CategoryProposal:
    """Accepted or merged (as, or into, `category_key`), or declined. Raises WrongState when it was answered meanwhile."""
    moved = CategoryProposal.objects.filter(pk=proposal.pk, state=State.OPEN).update(
        state=state,
        category_key=category_key,
        answer=answer,
        decided_by=by,
        decided_at=timezone.now(),
    )
    if not moved:
        raise WrongState(_("Another lead has answered this proposal meanwhile."))
    proposal.refresh_from_db()
    return proposal


def open_proposals(schema: LabelSchema) -> QuerySet:
    return (
        CategoryProposal.objects.filter(
            project=schema.project_id, schema__name=schema.name, state=State.OPEN
        )
        .select_related("proposed_by")
        .order_by("pk")
    )


def proposals_of(membership) -> QuerySet:
    """A member's own, newest first."""
    return (
        CategoryProposal.objects.filter(
            project=membership.project_id, proposed_by=membership.user_id
        )
        .select_related("schema", "decided_by")
        .order_by("-pk")
    )


def tell(membership) -> None:
    """They have read all the answers."""
    untold(membership).update(told_at=timezone.now())


def untold(membership) -> QuerySet:
    """A member's proposals that were answered since they last looked."""
    return CategoryProposal.objects.filter(
        project=membership.project_id,
        proposed_by=membership.user_id,
        decided_at__isnull=False,
        told_at=None,
    )
