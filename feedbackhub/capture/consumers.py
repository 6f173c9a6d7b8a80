"""What capture does after an interaction came in, off the hot path."""

from feedbackhub.capture import near_duplicates
from feedbackhub.capture.models import Interaction
from feedbackhub.outbox import consumer


@consumer("interaction_captured")
def place_among_near_duplicates(event):
    interaction = Interaction.objects.kept().filter(pk=event.about["interaction_id"]).first()
    if interaction:
        near_duplicates.place(interaction)
