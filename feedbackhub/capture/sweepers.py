"""Capture's brooms: vectors that are missing or that another embedder made, and answers kept long enough."""

from django.core.cache import cache

from feedbackhub import doorbell
from feedbackhub.capture import retention, tasks, vectors
from feedbackhub.outbox.sweeping import sweeper

EVERY = 300  # seconds between two looks at all projects

sweeper(vectors.make_missing)
sweeper(retention.forget_expired)


@sweeper
def old_vectors() -> int:
    """Making all vectors of a project anew takes minutes: a worker does it, not the sweep."""
    if not cache.add("capture-looked-for-old-vectors", True, EVERY):
        return 0
    found = vectors.projects_to_renew()
    for project_id in found:
        doorbell.ring(tasks.renew_vectors, project_id=project_id)
    return len(found)
