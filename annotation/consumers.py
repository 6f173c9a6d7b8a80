"""What annotation does when it hears of something."""

from annotation import (
    candidates,
    default_rules,  # noqa: F401 (registers what a new project is furnished with)
    routing,
    splits,
)
from feedbackhub.capture.models import FeedbackEvent, Interaction, NearDuplicateGroup
from feedbackhub.outbox import consumer


@consumer("interaction_captured")
def route_interaction(event):
    interaction = Interaction.objects.only("project").filter(pk=event.about["interaction_id"])
    if interaction := interaction.first():
        routing.route_interaction(interaction)


@consumer("feedback_captured")
def route_feedback(event):
    """Feedback that waits for its interaction is told again when both are here."""
    feedback = (
        FeedbackEvent.objects.filter(pk=event.about["feedback_id"], erased_at=None)
        .exclude(interaction=None)
        .select_related("interaction")
        .first()
    )
    if feedback:
        candidates.propose_reporters_edit(feedback)
        routing.route_interaction(feedback.interaction)


@consumer("near_duplicates_merged")
def unite_splits(event):
    """A merged group has one split, the strictest."""
    group = NearDuplicateGroup.objects.filter(pk=event.about["group_id"]).first()
    if group:
        splits.unite(group)
