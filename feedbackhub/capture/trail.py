"""The whole trail of one interaction: prompt, documents, answer, feedback, judgement, gold, problem, ticket, fix, notice.

Capture knows the first of these; the apps on its right add theirs by `@contributor`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from feedbackhub.accounts.models import Membership
from feedbackhub.capture.models import Interaction


@dataclass(frozen=True)
class TrailEntry:
    """Something that happened to an interaction. `facts` are small values by name; `link` leads to its page, if any."""

    at: datetime
    kind: str  # answered, reported, routed, judged, settled, gold, problem, ticket, fix, notice
    title: str
    text: str = ""
    facts: dict = field(default_factory=dict)
    by: str = ""
    link: str = ""


_contributors: list[Callable[[Interaction], Iterable[TrailEntry]]] = []


def contributor(function: Callable[[Interaction], Iterable[TrailEntry]]):
    """Register what an app knows of an interaction."""
    _contributors.append(function)
    return function


_withholders: list[Callable[[Interaction, Membership], Iterable[str]]] = []


def withholder(function: Callable[[Interaction, Membership], Iterable[str]]):
    """Register who knows which kinds of entries a member is not to see yet of an interaction."""
    _withholders.append(function)
    return function


def withheld_from(membership: Membership, interaction: Interaction) -> set[str]:
    """The kinds of entries that this member is not to see yet."""
    return {kind for withhold in _withholders for kind in withhold(interaction, membership)}


def trail_of(interaction: Interaction, *, without: Iterable[str] = ()) -> list[TrailEntry]:
    """Everything in the order in which it happened, `without` some kinds."""
    entries = [entry for contribute in _contributors for entry in contribute(interaction)]
    left = [entry for entry in entries if entry.kind not in without]
    return sorted(left, key=lambda entry: entry.at)


@contributor
def _captured(interaction):
    prompt = interaction.prompt_version
    yield TrailEntry(
        at=interaction.occurred_at,
        kind="answered",
        title=_("Answered"),
        facts={
            "model": interaction.model,
            "prompt": str(prompt) if prompt else "",
            "documents": interaction.documents.count(),
            "latency_ms": interaction.latency_ms,
        },
    )
    for event in interaction.feedback.filter(erased_at=None).order_by("occurred_at", "id"):
        yield TrailEntry(
            at=event.occurred_at,
            kind="reported",
            title=event.get_kind_display(),
            text=event.comment,
            facts={
                "id": event.external_id or str(event.public_id),
                "kind": event.kind,
                "category": event.category,
                "severity": event.severity,
                "score": event.score,
                "edited_output": event.edited_output,
            },
        )
