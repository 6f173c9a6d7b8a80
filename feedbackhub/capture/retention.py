"""Answers are kept as many days as the project says since they came, and then forgotten like those of a person who asked for it.

What somebody still works with stays: each app registers a `keeper`. The id stays as a tombstone, so a late replay is refused.
"""

from collections.abc import Callable
from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from feedbackhub.accounts.models import Project
from feedbackhub.capture.erasure import Erased, forget
from feedbackhub.capture.models import FeedbackEvent, Interaction, Reporter

AT_ONCE = 200
MOST_BATCHES = 10  # of one project in one sweep
EVERY = 3_600  # seconds between two looks

_keepers: list[Callable[[], Exists]] = []


def keeper(function: Callable[[], Exists]):
    """Register what is still needed: an `Exists` over `OuterRef("pk")` of an interaction."""
    _keepers.append(function)
    return function


def forget_expired() -> int:
    """Forget what is older than its project keeps answers; answers how many interactions. Looks once an hour."""
    if not cache.add("capture-looked-for-expired", True, EVERY):
        return 0
    return sum(_forget_of(project) for project in Project.objects.order_by("pk"))


def _forget_of(project) -> int:
    forgotten = 0
    for _ in range(MOST_BATCHES):
        found = _forget_batch(project)
        forgotten += found
        if found < AT_ONCE:
            break
    return forgotten


@transaction.atomic
def _forget_batch(project) -> int:
    now = timezone.now()
    kept_until = now - timedelta(days=project.retention_days)
    expired = Interaction.objects.filter(
        project=project,
        occurred_at__lt=kept_until,  # by the index
        received_at__lt=kept_until,  # what was imported from years ago is new here
        erased_at=None,
    )
    for needed in _keepers:
        expired = expired.exclude(needed())
    expired = expired.order_by("occurred_at").select_for_update(skip_locked=True, of=("self",))
    ids = list(expired.values_list("pk", flat=True)[:AT_ONCE])
    if not ids:
        return 0
    feedback = FeedbackEvent.objects.filter(interaction__in=ids, erased_at=None)
    elsewhere = FeedbackEvent.objects.filter(reporter=OuterRef("pk"), erased_at=None).exclude(
        interaction__in=ids
    )
    forget(
        Erased(
            project=project,
            interactions=ids,
            feedback=list(feedback.values_list("pk", flat=True)),
            reported_interactions=[],
            reporters=list(
                Reporter.objects.filter(~Exists(elsewhere), feedback__in=feedback)
                .distinct()
                .values_list("pk", flat=True)
            ),
        ),
        now,
    )
    return len(ids)
