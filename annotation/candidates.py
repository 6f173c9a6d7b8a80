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


def propose_reporters_edits(interaction: Interaction) -> list[CandidateAnswer]:
    """What people made of the answer themselves are candidates too, each text once however often we hear of it."""
    edits = list(
        FeedbackEvent.objects.filter(interaction=interaction, erased_at=None)
        .exclude(edited_output="")
        .order_by("pk")
        .values_list("edited_output", flat=True)
    )
    if not edits:
        return []
    with transaction.atomic():
        interaction = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
        if interaction.erased_at:
            return []
        source = CandidateAnswer.Source.REPORTER
        known = set(
            interaction.candidates.filter(source=source).values_list("text_hash", flat=True)
        )
        proposed = []
        for edit in edits:
            text = with_line_ends_of(interaction.output, edit)
            if hash_text(text) not in known:
                known.add(hash_text(text))
                proposed.append(propose_answer(interaction=interaction, text=text, source=source))
        return [candidate for candidate in proposed if candidate]
