"""Forget a person: everywhere, at once, in one transaction; only the anonymous label stays (rule 12).

A person is known by the keyed hash of the reference under which the product names them. Capture empties what it holds and
leaves the interaction's id as a tombstone; the apps on its right register an `eraser` for what they made of it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import pgtrigger
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from feedbackhub import outbox
from feedbackhub.accounts.models import Project
from feedbackhub.capture import identity
from feedbackhub.capture.models import (
    Embedding,
    FeedbackEvent,
    Interaction,
    InteractionText,
    NearDuplicateSignature,
    Reporter,
    RetrievedDocument,
)


@dataclass(frozen=True)
class Erased:
    """What is being forgotten: the person's own interactions, their feedback and its interactions, their reporter row."""

    project: Project
    interactions: Collection[int]
    feedback: Collection[int]
    reported_interactions: Collection[int]
    reporters: Collection[int]


_erasers: list[Callable[[Erased], None]] = []


def eraser(function: Callable[[Erased], None]):
    """Register how an app forgets. Runs inside the transaction, before capture empties its own rows."""
    _erasers.append(function)
    return function


def person_hash(*, project: Project, reference: str) -> str:
    """The keyed hash under which a person's reference (user id, reporter ref) is stored."""
    return identity.pseudonym(reference, identity.project_key(settings.IDENTIFIER_KEY, project.pk))


@transaction.atomic
def erase_person(*, project: Project, ref_hash: str) -> dict[str, int]:
    """Forget the person with this hash; answers how many rows of each kind were emptied. Safe to repeat."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    now = timezone.now()
    reporters = Reporter.objects.filter(project=project, ref_hash=ref_hash)
    # first, as whoever tells them something does: neither waits for the other, and nothing goes out behind this
    their_keys = list(reporters.select_for_update(no_key=True).values_list("pk", flat=True))
    own = Interaction.objects.filter(project=project, user_hash=ref_hash, erased_at=None)
    interactions = list(own.select_for_update().values_list("pk", flat=True))
    feedback = FeedbackEvent.objects.filter(
        Q(reporter__in=reporters) | Q(interaction__in=interactions), project=project, erased_at=None
    )
    erased = Erased(
        project=project,
        interactions=interactions,
        feedback=list(feedback.values_list("pk", flat=True)),
        reported_interactions=list(
            feedback.filter(reporter__in=reporters)
            .exclude(interaction=None)
            .values_list("interaction", flat=True)
            .distinct()
        ),
        reporters=their_keys,
    )
    forget(erased, now)
    if erased.interactions or erased.feedback:
        Project.objects.filter(pk=project.pk).update(erasure_epoch=F("erasure_epoch") + 1)
        outbox.publish("person_erased", project=project)
    return {
        "interactions": len(erased.interactions),
        "feedback": len(erased.feedback),
        "reporters": len(erased.reporters),
    }


def forget(erased: Erased, now) -> None:
    """Empty all of it, wherever it went. Belongs into a transaction; safe to repeat."""
    with pgtrigger.ignore():
        for erase in _erasers:
            erase(erased)
        _empty_interactions(erased, now)
        _empty_feedback(erased, now)
        Reporter.objects.filter(pk__in=erased.reporters, erased_at=None).update(
            email="", callback_url="", locale="", has_consent=False, consent_at=None, erased_at=now
        )


def _empty_interactions(erased, now) -> None:
    for model in (RetrievedDocument, InteractionText, Embedding, NearDuplicateSignature):
        model.objects.filter(interaction__in=erased.interactions).delete()
    Interaction.objects.filter(pk__in=erased.interactions).update(
        session_id="",
        user_hash="",
        user_role="",
        user_region="",
        model_parameters={},
        messages=[],
        tools=[],
        output="",
        tags=[],
        metadata={},
        trace_url="",
        erased_at=now,
    )


def _empty_feedback(erased, now) -> None:
    FeedbackEvent.objects.filter(pk__in=erased.feedback).update(
        comment="", edited_output="", metadata={}, reporter=None, erased_at=now
    )
