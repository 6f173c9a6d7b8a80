"""Somebody reported on another person's case and is forgotten: what they wrote goes, wherever it was copied to."""

import pytest
from django.core.files.storage import default_storage

from annotation import exporting, gold
from annotation.models import Assignment, CandidateAnswer, ExportRun, GoldRevision
from feedbackhub.capture.erasure import erase_person
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ReporterFactory,
    SettlementFactory,
)

EDIT = "Zaphodina: claim the commuting allowance."


@pytest.fixture
def reporter(project):
    return ReporterFactory(project=project)


@pytest.fixture
def edit(project, reporter):
    """Their own edit of the answer that somebody else was given."""
    interaction = InteractionFactory(project=project)
    FeedbackEventFactory(
        interaction=interaction, reporter=reporter, kind="edit", edited_output=EDIT
    )
    return CandidateAnswerFactory(interaction=interaction, source="reporter", text=EDIT)


def handed_in(edit, text, **said):
    """An expert's correction of the same answer."""
    annotation = AnnotationFactory(
        assignment__item__interaction=edit.interaction,
        assignment__item__queue__project=edit.project,
        suggestion=said,
    )
    return CandidateAnswerFactory(
        interaction=edit.interaction, annotation=annotation, item=annotation.item, text=text
    )


@pytest.mark.parametrize("text", [EDIT, f"{EDIT} No more than 4,500 a year."], ids=["same", "more"])
def test_a_correction_begun_from_their_edit_goes_with_it_and_out_of_gold(
    project, ben, reporter, edit, text
):
    taken = handed_in(edit, text, source=f"answer:{edit.public_id}", taken=["correction"])
    settlement = SettlementFactory(interaction=edit.interaction, chosen_answer=taken)
    gold.promote_to_gold(settlement=settlement, by=ben)
    erase_person(project=project, ref_hash=reporter.ref_hash)
    assert set(CandidateAnswer.objects.values_list("text", flat=True)) == {""}
    revision = GoldRevision.objects.get()
    assert (revision.ideal_answer, revision.is_current) == ("", False)
    assert revision.erased_at


def test_the_same_text_typed_after_them_goes_and_a_colleagues_own_words_stay(
    project, reporter, edit
):
    handed_in(edit, EDIT)
    handed_in(edit, "Claim what the law gives.", source="answer:of another", taken=["correction"])
    erase_person(project=project, ref_hash=reporter.ref_hash)
    texts = CandidateAnswer.objects.order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["", "", "Claim what the law gives."]


@pytest.mark.parametrize(
    ("draft", "left"),
    [
        ({"correction": EDIT, "note": "Why"}, {"note": "Why"}),
        ({"correction": "Mine.", "note": [1]}, {"correction": "Mine.", "note": [1]}),
        ({"correction": [EDIT], "suggestion": {"source": [1]}}, None),
    ],
    ids=["theirs", "own", "odd"],
)
def test_a_draft_in_hand_loses_their_words_only(project, reporter, edit, draft, left):
    item = handed_in(edit, "Other words.").item
    assignment = AssignmentFactory(item=item, slot=2, draft=draft)
    erase_person(project=project, ref_hash=reporter.ref_hash)
    assert Assignment.objects.get(pk=assignment.pk).draft == (draft if left is None else left)


@pytest.mark.parametrize("state", ["done", "running"])
def test_raw_annotations_that_hold_a_copy_which_is_no_gold_are_made_again(
    project, ben, reporter, edit, state
):
    handed_in(edit, EDIT)
    settlement = SettlementFactory(interaction=edit.interaction)
    gold.promote_to_gold(settlement=settlement, by=ben)
    version = gold.freeze_gold_version(project=project, by=ben)
    splits = list(version.members.values_list("split", flat=True))
    run = exporting.request_export(version=version, format="raw_annotations", splits=splits)
    if state == "done":
        exporting.make_export(export_id=run.pk)
        run.refresh_from_db()
        assert EDIT in written(run)
    else:  # a worker has it
        ExportRun.objects.update(state="running", checkpoint={"after": 1})
    erase_person(project=project, ref_hash=reporter.ref_hash)
    run.refresh_from_db()
    assert (run.state, run.checkpoint) == ("pending", {})
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert EDIT not in written(run)
    assert GoldRevision.objects.get().ideal_answer


def written(run) -> str:
    with default_storage.open(f"{run.file_name}/rows.jsonl") as file:
        return file.read().decode()
