"""How annotation forgets a person: quotes, notes, corrections, drafts, spans, queue, gold and the files of earlier exports."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from annotation import exporting
from annotation.evaluation import assessing
from annotation.exports import raw_annotations
from annotation.gold import digest_of_version
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    CaseAssertion,
    Comparison,
    ExportRun,
    GoldExample,
    GoldRevision,
    GoldVersion,
    ItemComment,
    ModelSuggestion,
    ReviewItem,
    Settlement,
    Span,
)
from feedbackhub.accounts.models import IdempotencyKey
from feedbackhub.capture.erasure import Erased, eraser
from feedbackhub.capture.retention import keeper


@eraser
def forget(erased: Erased) -> None:
    edits = _their_edits(erased)
    _forget_work(erased, edits)
    _forget_gold(erased, edits)
    _make_again_what_quotes(edits)


def _forget_work(erased, edits):
    items = ReviewItem.objects.filter(interaction__in=erased.interactions)
    Assignment.objects.filter(item__in=items).update(draft={}, skip_note="", return_reason="")
    Annotation.objects.filter(item__in=items).update(note="", ratings=[])
    Span.objects.filter(annotation__item__in=items).update(quote="", note="")
    ItemComment.objects.filter(item__in=items).update(text="")
    Settlement.objects.filter(interaction__in=erased.interactions).update(spans=[], reason="")
    CaseAssertion.objects.filter(interaction__in=erased.interactions).delete()
    ModelSuggestion.objects.filter(item__in=items).update(why="", failure="")
    _empty_drafts(erased, edits)
    CandidateAnswer.objects.filter(
        Q(interaction__in=erased.interactions) | Q(pk__in=[each.pk for each in edits])
    ).update(text="", text_hash="erased", corrects_hash="")
    Comparison.objects.filter(item__in=items).update(text="", text_hash="erased", given_hash="")
    items.update(reason="")
    IdempotencyKey.objects.filter(
        project=erased.project, method_and_path__endswith="/recall"
    ).delete()  # answers that are remembered quote settled cases
    items.filter(state__in=ReviewItem.OPEN_STATES).update(state=ReviewItem.State.DISMISSED)


def _their_edits(erased) -> list[CandidateAnswer]:
    """What they made of answers that others were given, and what was made of that after them: the same text, or one that
    was begun from it.
    """
    rows = CandidateAnswer.objects.filter(interaction__in=erased.reported_interactions)
    found, texts = [], set()
    for each in rows.select_related("annotation").order_by("interaction", "revision"):
        if (
            each.source == CandidateAnswer.Source.REPORTER
            or (each.interaction_id, each.text_hash) in texts
            or (each.annotation and _began_from(each.annotation.suggestion, found))
        ):
            found.append(each)
            texts.add((each.interaction_id, each.text_hash))
    return found


def _began_from(suggestion, answers) -> bool:
    """Whether a correction was begun from one of these answers, as the review screen notes it."""
    source = suggestion.get("source", "") if isinstance(suggestion, dict) else ""
    return any(source == f"answer:{each.public_id}" for each in answers)


def _empty_drafts(erased, edits):
    """Corrections in hand that were begun from an edit of theirs."""
    texts = [each.text for each in edits]
    drafts = Assignment.objects.filter(item__interaction__in=erased.reported_interactions)
    for assignment in drafts.exclude(draft={}).select_for_update():
        draft = assignment.draft
        if draft.get("correction") in texts or _began_from(draft.get("suggestion"), edits):
            left = {name: value for name, value in draft.items() if name != "correction"}
            Assignment.objects.filter(pk=assignment.pk).update(draft=left)


def _forget_gold(erased, edits):
    revisions = GoldRevision.objects.filter(
        Q(example__interaction__in=erased.interactions) | Q(settlement__chosen_answer__in=edits),
        erased_at=None,
    )
    ids = list(revisions.values_list("pk", flat=True))
    if not ids:
        return
    now = timezone.now()
    runs = list(
        ExportRun.objects.filter(members__revision__in=ids, state=ExportRun.State.DONE).distinct()
    )
    versions = list(GoldVersion.objects.filter(revisions__in=ids).distinct())
    examples = list(
        GoldExample.objects.filter(revisions__in=ids).values_list("pk", flat=True).distinct()
    )
    GoldRevision.objects.filter(pk__in=ids).update(
        messages=[],
        tools=[],
        context=[],
        ideal_answer="",
        rejected_answers=[],
        preferences=[],
        assertions=[],
        content_hash="",
        is_current=False,
        erased_at=now,
    )
    assessing.forget_answers(revisions=ids)
    for example in GoldExample.objects.filter(pk__in=examples):
        _go_on_without(example, now)
    for version in versions:
        _digest_anew(version, erased.project.erasure_epoch + 1)
    exporting.make_again(runs=runs)


def _make_again_what_quotes(edits):
    """Raw annotations hold every correction, also one that gold does not; what is being written begins anew."""
    quoted = {each.interaction_id for each in edits if each.annotation_id}
    runs = ExportRun.objects.filter(
        format=raw_annotations.FORMAT.name, version__revisions__example__interaction__in=quoted
    ).distinct()
    exporting.make_again(runs=list(runs.filter(state=ExportRun.State.DONE)))
    ExportRun.objects.filter(
        pk__in=runs.filter(state__in=["pending", "running"]).values("pk")
    ).update(state=ExportRun.State.PENDING, lease_until=None, checkpoint={})


def _go_on_without(example, now):
    """An example some of whose wordings were erased: the newest that is left holds if it is still what was settled."""
    left = example.revisions.filter(erased_at=None).select_related("settlement")
    newest = left.order_by("-revision").first()
    mine = GoldExample.objects.filter(pk=example.pk)
    if newest is None:
        mine.update(erased_at=now)
    elif newest.is_current:
        return
    elif newest.settlement.is_current:
        GoldRevision.objects.filter(pk=newest.pk).update(is_current=True)
    else:
        mine.filter(retired_at=None).update(retired_at=now)


def _digest_anew(version, epoch):
    """A version whose row was erased has another digest from this epoch on; the manifest names the ones before."""
    digest, _count = digest_of_version(version)
    version.previous_digests.append(
        {"digest": version.digest, "erasure_epoch": version.erasure_epoch}
    )
    GoldVersion.objects.filter(pk=version.pk).update(
        digest=digest, erasure_epoch=epoch, previous_digests=version.previous_digests
    )


# --- retention ------------------------------------------------------------------------------------


@keeper
def _is_gold():
    return Exists(GoldExample.objects.filter(interaction=OuterRef("pk"), erased_at=None))


@keeper
def _waits_for_judgement():
    return Exists(
        ReviewItem.objects.filter(interaction=OuterRef("pk"), state__in=ReviewItem.OPEN_STATES)
    )
