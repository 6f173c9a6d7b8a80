"""What capture does after something came in, off the hot path."""

from django.db import connection

from feedbackhub.capture import ingest, languages, near_duplicates
from feedbackhub.capture.models import FeedbackEvent, Interaction
from feedbackhub.outbox import consumer

# the first 200,000 characters each: a tsvector holds at most 1 MB
_INDEX = """
INSERT INTO capture_interactiontext (project_id, interaction_id, search)
SELECT project_id, id, to_tsvector('simple', left(external_id || ' ' || coalesce(
    (SELECT string_agg(m->>'content', ' ') FROM jsonb_array_elements(messages) m WHERE m->>'role' <> 'system'), ''
    ), 200000) || ' ' || left(output, 200000))
FROM capture_interaction WHERE id = %s AND erased_at IS NULL
ON CONFLICT (interaction_id) DO NOTHING
"""


@consumer("interaction_captured")
def settle_in(event):
    """Attach feedback that waited, make it findable, place it among its near-duplicates, tell its language."""
    interaction = Interaction.objects.kept().filter(pk=event.about["interaction_id"]).first()
    if interaction is None:
        return
    ingest.attach_waiting_feedback(interaction)
    with connection.cursor() as cursor:
        cursor.execute(_INDEX, [interaction.pk])
    near_duplicates.place(interaction)
    languages.tell_language(interaction)


@consumer("feedback_captured")
def attach(event):
    """The interaction may have been committed while the feedback was on its way."""
    feedback = (
        FeedbackEvent.objects.waiting_for_interaction()
        .filter(pk=event.about["feedback_id"])
        .first()
    )
    if feedback:
        interaction = (
            Interaction.objects.kept()
            .filter(project_id=feedback.project_id, external_id=feedback.interaction_external_id)
            .first()
        )
        if interaction:
            ingest.attach_waiting_feedback(interaction)
