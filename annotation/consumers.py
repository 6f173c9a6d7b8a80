"""What annotation does when it hears of something."""

from contextlib import suppress

from annotation import (
    candidates,
    default_rules,  # noqa: F401 (registers what a new project is furnished with)
    recall,
    routing,
    settling,
    splits,
)
from feedbackhub.capture.models import Interaction, NearDuplicateGroup
from feedbackhub.outbound import OutboundError
from feedbackhub.outbox import consumer


@consumer("interaction_captured")
def hear_of_interaction(event):
    """Capture, registered before us, has attached the feedback that waited for it."""
    _look_at(Interaction.objects.filter(pk=event.about["interaction_id"]))


@consumer("feedback_captured")
def hear_of_feedback(event):
    """Feedback whose interaction is not here yet is looked at when that comes."""
    _look_at(Interaction.objects.filter(feedback=event.about["feedback_id"]))


def _look_at(interactions):
    for interaction in interactions.only("project"):
        candidates.propose_reporters_edits(interaction)
        routing.route_interaction(interaction)


@consumer("near_duplicates_merged")
def unite_splits(event):
    """A merged group has one split, the strictest."""
    group = NearDuplicateGroup.objects.filter(pk=event.about["group_id"]).first()
    if group:
        splits.unite(group)


@consumer("item_settled")
def make_recallable(event):
    """What was settled can be recalled. A service that is away is asked again by the broom."""
    settlement = settling.effective_settlement(event.about["settlement_id"])
    if settlement and not settlement.interaction.erased_at:
        with suppress(OutboundError):
            recall.make_vector(interaction=settlement.interaction)
