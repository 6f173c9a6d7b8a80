"""Better answers that somebody proposed: only a real change is kept, and revisions of an interaction have no gap."""

import hashlib

from django.db import transaction
from django.db.models import Max

from annotation.answers import is_real_change, with_line_ends_of
from annotation.models import CandidateAnswer
from feedbackhub.capture.models import FeedbackEvent, Interaction


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def propose_answer(
    *, interaction, text, source, author_id=None, item=None, annotation=None
) -> CandidateAnswer | None:
    """Keep `text` as a better answer than the interaction's output; None when it changes nothing."""
    text = with_line_ends_of(interaction.output, text)
    if not text.strip() or not is_real_change(text, interaction.output):
        return None
    Interaction.objects.select_for_update(no_key=True).values_list("pk").get(pk=interaction.pk)
    newest = interaction.candidates.aggregate(newest=Max("revision"))["newest"] or 0
    return CandidateAnswer.objects.create(
        project_id=interaction.project_id,
        interaction=interaction,
        item=item,
        annotation=annotation,
        author_id=author_id,
        source=source,
        text=text,
        corrects_hash=hash_text(interaction.output),
        text_hash=hash_text(text),
        revision=newest + 1,
    )


@transaction.atomic
def propose_reporters_edit(feedback: FeedbackEvent) -> CandidateAnswer | None:
    """What a reporter made of the answer is a candidate too, once however often the news comes."""
    if not feedback.edited_output or feedback.interaction is None or feedback.erased_at:
        return None
    interaction = Interaction.objects.select_for_update(no_key=True).get(pk=feedback.interaction_id)
    text = with_line_ends_of(interaction.output, feedback.edited_output)
    is_known = interaction.candidates.filter(
        source=CandidateAnswer.Source.REPORTER, text_hash=hash_text(text)
    ).exists()
    if is_known or interaction.erased_at:
        return None
    return propose_answer(
        interaction=interaction, text=text, source=CandidateAnswer.Source.REPORTER
    )
