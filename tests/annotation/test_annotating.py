"""Submitting, undoing, revising: rule 4 and rule 8."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import annotating, lead_decisions, review_queue
from annotation.models import Annotation, Assignment, CandidateAnswer, LabelSchema, Settlement
from annotation.refusals import (
    InvalidAnswer,
    StaleSubmit,
    SubmitKeyReused,
    UndoIsOver,
    WrongState,
)
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import claim, judge, pass_time, queue_with, submit
from tests.factories import InteractionFactory, LabelSchemaFactory, ReviewItemFactory

State = Assignment.State


def undo(annotation):
    annotation.assignment.refresh_from_db()
    return annotating.undo_submit(
        assignment=annotation.assignment, fence=annotation.assignment.fence
    )


# --- submit ---------------------------------------------------------------------------------------


def test_a_submit_keeps_what_was_said(project, ana):
    queue, [item] = queue_with(project)
    schema = LabelSchema.objects.get()
    annotation = submit(
        claim(ana, queue),
        "wrong",
        "high",
        categories=["outdated", "factual_error"],
        root_cause="retrieval_misled",
        note="  This is last year's rule. ",
        confidence=0.8,
        seconds_spent=42,
        spans=[{"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}],
        suggestion={"source": "reporter", "seen": True, "taken": ["categories"]},
    )
    annotation = Annotation.objects.get(pk=annotation.pk)
    assert (annotation.item, annotation.expert, annotation.schema) == (item, ana, schema)
    assert (annotation.verdict, annotation.severity, annotation.revision) == ("wrong", "high", 1)
    assert annotation.categories == ["outdated", "factual_error"]
    assert (annotation.root_cause, annotation.note) == (
        "retrieval_misled",
        "This is last year's rule.",
    )
    assert (annotation.confidence, annotation.seconds_spent) == (0.8, 42)
    assert annotation.suggestion == {"source": "reporter", "seen": True, "taken": ["categories"]}
    assert annotation.spans.values_list("field", "start", "end", "quote", "label").get() == (
        "output",
        0,
        3,
        "You",
        "wrong",
    )


def test_a_submit_ends_the_lease_and_empties_the_draft(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    Assignment.objects.update(draft={"note": "half"}, draft_revision=4)
    submit(assignment)
    assignment.refresh_from_db()
    assert (assignment.state, assignment.lease_until, assignment.draft) == (
        State.SUBMITTED,
        None,
        {},
    )
    assert assignment.draft_revision == 5


def test_the_schema_is_frozen_on_first_use(project, ana):
    queue, _ = queue_with(project)
    assert not LabelSchema.objects.get().is_frozen
    judge(ana, queue)
    assert LabelSchema.objects.get().is_frozen


def test_a_submit_names_the_schema_version_that_the_expert_saw(project, ana):
    queue, _ = queue_with(project)
    seen = LabelSchema.objects.get()
    assignment = claim(ana, queue)
    LabelSchema.objects.update(is_current=False)
    LabelSchemaFactory(project=project, version=2, categories=[], is_current=True)
    with pytest.raises(InvalidAnswer) as refused:
        submit(assignment, categories=["outdated"])
    assert list(refused.value.errors) == ["categories.0"]
    for unknown in (7, 0, 2**31, "1", True):
        with pytest.raises(InvalidAnswer) as refused:
            submit(assignment, schema_version=unknown)
        assert list(refused.value.errors) == ["schema_version"]
    assert submit(assignment, categories=["outdated"], schema_version=1).schema == seen


def test_a_submit_that_does_not_fit_leaves_everything_as_it_was(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    before = Assignment.objects.values().get()
    with pytest.raises(InvalidAnswer):
        submit(assignment, categories=["no_such_thing"])
    assert Assignment.objects.values().get() == before
    assert not Annotation.objects.exists()
    assert not LabelSchema.objects.get().is_frozen


def test_the_same_submit_again_is_the_same_answer(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    first = submit(assignment, key="k", note="x")
    again = submit(assignment, key="k", note="x")
    assert (first.is_repeat, again.is_repeat, again.pk) == (False, True, first.pk)
    assert Annotation.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_the_same_key_with_other_answers_is_refused(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    submit(assignment, key="k", note="x")
    with pytest.raises(SubmitKeyReused):
        submit(assignment, key="k", note="y")
    assert Annotation.objects.get().note == "x"


def test_a_submit_that_arrives_again_after_its_undo_does_not_count_again(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    annotation = submit(assignment, key="k")
    undo(annotation)
    assert submit(assignment, key="k").is_repeat
    assert not Annotation.objects.current().exists()


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "\ud800", None])
def test_a_submit_needs_a_plain_key(project, ana, key):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    with pytest.raises(InvalidAnswer) as refused:
        annotating.submit_annotation(
            assignment=assignment,
            fence=1,
            revision=0,
            submit_key=key,
            verdict="correct",
            severity="none",
        )
    assert list(refused.value.errors) == ["submit_key"]


def test_a_submit_with_an_old_fence_is_refused_with_both_versions(project, ana):
    queue, _ = queue_with(project)
    old = claim(ana, queue)
    new = review_queue.resume(assignment=old)
    submit(new, note="from the other window")
    with pytest.raises(StaleSubmit) as refused:
        submit(old, note="from this window")
    refusal = refused.value
    assert (refusal.yours["note"], refusal.kept["note"]) == (
        "from this window",
        "from the other window",
    )
    assert (refusal.revision, refusal.assignment.fence) == (1, 2)
    assert Annotation.objects.get().note == "from the other window"


def test_a_submit_on_an_old_revision_is_refused_with_both_versions(project, ana):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue, note="first")
    again = annotating.revise(assignment=annotation.assignment)
    with pytest.raises(StaleSubmit) as refused:
        submit(again, note="second", revision=0)
    assert (refused.value.kept["note"], refused.value.revision) == ("first", 1)
    assert submit(again, note="second", revision=1).revision == 2


def test_a_submit_after_the_lease_is_refused_and_its_draft_kept_until_resumed(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    Assignment.objects.update(draft={"note": "typed"})
    pass_time(31 * 60, assignment)
    with pytest.raises(StaleSubmit) as refused:
        submit(assignment, note="typed")
    assert refused.value.kept is None
    resumed = review_queue.resume(assignment=assignment)
    assert resumed.draft == {"note": "typed"}
    assert submit(resumed, note="typed").revision == 1


def test_an_erased_answer_cannot_be_judged(project, ana):
    queue, [item] = queue_with(project)
    assignment = claim(ana, queue)
    item.interaction.erased_at = timezone.now()
    item.interaction.save()
    with pytest.raises(StaleSubmit):
        submit(assignment)
    assert not Annotation.objects.exists()


# --- correction -----------------------------------------------------------------------------------


def test_a_correction_is_kept_as_a_candidate_with_the_hash_of_what_it_corrects(project, ana):
    queue, [item] = queue_with(project)
    annotation = judge(ana, queue, correction="You cannot deduct it.")
    candidate = CandidateAnswer.objects.get()
    assert (candidate.text, candidate.author, candidate.source) == (
        "You cannot deduct it.",
        ana,
        "expert",
    )
    assert (candidate.interaction, candidate.item, candidate.annotation) == (
        item.interaction,
        item,
        annotation,
    )
    assert (candidate.state, candidate.revision) == ("proposed", 1)
    assert annotation.remarks == []


@pytest.mark.parametrize(
    "output, correction",
    [
        ("Yes.", "Yes."),
        ("Yes.", "  Yes.\n"),
        ("One\nTwo", "One\r\nTwo"),
        ("Caf\u00e9", "Cafe\u0301"),
    ],
    ids=["equal", "blanks", "line ends", "code points"],
)
def test_a_correction_that_changes_nothing_is_left_aside_with_a_remark(
    project, ana, output, correction
):
    queue, _ = queue_with(project, items=0)
    ReviewItemFactory(queue=queue, interaction=InteractionFactory(project=project, output=output))
    annotation = judge(ana, queue, "correct", "none", correction=correction)
    assert not CandidateAnswer.objects.exists()
    assert annotation.remarks == ["Your correction changes nothing, so it was left aside."]


def test_a_browsers_line_ends_do_not_get_into_the_correction(project, ana):
    queue, _ = queue_with(project, items=0)
    ReviewItemFactory(
        queue=queue, interaction=InteractionFactory(project=project, output="One\nTwo")
    )
    judge(ana, queue, correction="One\r\nThree")
    assert CandidateAnswer.objects.get().text == "One\nThree"


def test_corrections_of_one_answer_are_numbered_without_gap(project, ana, ben):
    queue, _ = queue_with(project, overlap=2)
    judge(ana, queue, correction="A")
    judge(ben, queue, correction="B")
    assert list(CandidateAnswer.objects.order_by("pk").values_list("revision", "text")) == [
        (1, "A"),
        (2, "B"),
    ]


# --- harm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verdict, severity, is_harm",
    [
        ("harmful", "high", True),
        ("wrong", "critical", True),
        ("wrong", "high", False),
        ("correct", "none", False),
    ],
)
def test_a_critical_or_harmful_judgement_writes_its_news_due_when_the_undo_has_passed(
    project, ana, settings, verdict, severity, is_harm
):
    queue, [item] = queue_with(project, overlap=2)
    before = timezone.now()
    annotation = judge(ana, queue, verdict, severity)
    news = list(OutboxEvent.objects.filter(kind="harm_found"))
    assert len(news) == is_harm
    for event in news:
        assert event.about == {
            "interaction_id": item.interaction_id,
            "item_id": item.pk,
            "annotation_id": annotation.pk,
            "source": "expert",
            "severity": severity,
        }
        assert event.due_at == annotation.final_at
        assert event.due_at - before >= timedelta(seconds=settings.UNDO_SECONDS)


def test_final_annotation_is_what_still_counts_after_the_undo(project, ana, ben):
    queue, _ = queue_with(project, overlap=2)
    annotation = judge(ana, queue, "harmful", "critical")
    assert annotating.final_annotation(annotation.pk) is None
    pass_time(11, annotation)
    assert annotating.final_annotation(annotation.pk) == annotation
    taken_back = judge(ben, queue, "harmful", "critical")
    undo(taken_back)
    pass_time(11, taken_back)
    assert annotating.final_annotation(taken_back.pk) is None


# --- undo -----------------------------------------------------------------------------------------


def test_an_undo_takes_back_all_that_would_have_followed(project, ana):
    queue, [item] = queue_with(project)
    annotation = judge(ana, queue, "harmful", "critical", correction="Do not.", note="n")
    assert OutboxEvent.objects.count() == 2
    assignment = undo(annotation)
    assert not OutboxEvent.objects.exists()
    assert not Settlement.objects.filter(is_current=True).exists()
    assert CandidateAnswer.objects.get().state == "superseded"
    annotation.refresh_from_db()
    item.refresh_from_db()
    assert (annotation.is_current, item.state) == (False, "in_review")
    assert annotation.taken_back_at is not None
    assert (assignment.state, assignment.fence) == (State.CLAIMED, 2)
    assert assignment.draft["correction"] == "Do not."
    assert (assignment.draft["verdict"], assignment.draft["note"]) == ("harmful", "n")


TAKEN = {"source": "reporter", "seen": True, "taken": ["verdict"], "as": {"verdict": "wrong"}}


@pytest.mark.parametrize("way", ["undo", "revise", "return"])
def test_suggestion_and_seconds_go_on_from_the_answer_before(project, ana, ben, way):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue, seconds_spent=42, suggestion=TAKEN)
    assignment = annotation.assignment
    if way == "undo":
        assignment = undo(annotation)
    elif way == "revise":
        assignment = annotating.revise(assignment=assignment)
    else:
        lead_decisions.return_assignment(assignment=assignment, by=ben, reason="Look again")
        assignment.refresh_from_db()
    assert assignment.draft["suggestion"] == TAKEN
    assert assignment.draft["seconds_spent"] == 42


def test_what_was_undone_is_kept_and_the_next_submit_is_the_next_revision(project, ana):
    queue, _ = queue_with(project)
    assignment = undo(judge(ana, queue, note="a"))
    submit(assignment, note="b", revision=1)
    assert list(
        Annotation.objects.order_by("pk").values_list("revision", "note", "is_current")
    ) == [(1, "a", False), (2, "b", True)]


def test_an_undo_leaves_the_news_of_others_alone(project, ana, ben):
    queue, _ = queue_with(project, items=2)
    theirs = judge(ben, queue, "harmful", "critical")
    undo(judge(ana, queue, "harmful", "critical"))
    assert {event.about["annotation_id"] for event in OutboxEvent.objects.all()} == {theirs.pk}


def test_an_undo_after_its_time_is_refused(project, ana):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue)
    pass_time(11, annotation)
    with pytest.raises(UndoIsOver):
        undo(annotation)
    assert Annotation.objects.current().get() == annotation


def test_an_undo_is_refused_once_the_news_was_told(project, ana):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue, "harmful", "critical")
    OutboxEvent.objects.filter(kind="harm_found").update(delivered_at=timezone.now())
    with pytest.raises(UndoIsOver):
        undo(annotation)
    assert OutboxEvent.objects.count() == 2


def test_a_second_undo_is_refused(project, ana):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue)
    undo(annotation)
    with pytest.raises(UndoIsOver):
        undo(annotation)


# --- revise ---------------------------------------------------------------------------------------


def test_a_revision_counts_instead_and_the_one_before_is_kept(project, ana):
    queue, [item] = queue_with(project)
    first = judge(ana, queue, "wrong", "high", correction="A", categories=["outdated"])
    pass_time(11, first)
    again = annotating.revise(assignment=first.assignment)
    assert (again.draft["correction"], again.draft["categories"]) == ("A", ["outdated"])
    item.refresh_from_db()
    assert item.state == "settled"
    second = submit(again, "partly", "low", revision=1, correction="B")
    first.refresh_from_db()
    assert (first.is_current, first.taken_back_at, second.revision) == (False, None, 2)
    assert list(CandidateAnswer.objects.order_by("pk").values_list("text", "state")) == [
        ("A", "superseded"),
        ("B", "proposed"),
    ]
    settlement = Settlement.objects.get(is_current=True)
    assert (settlement.verdict, settlement.chosen_answer.text) == ("partly", "B")


def test_an_undone_revision_brings_back_the_one_before(project, ana):
    queue, [item] = queue_with(project)
    first = judge(ana, queue, "wrong", "high", correction="A")
    pass_time(11, first)
    second = submit(
        annotating.revise(assignment=first.assignment), "partly", "low", revision=1, correction="B"
    )
    undo(second)
    assert Annotation.objects.current().get() == first
    assert CandidateAnswer.objects.get(state="proposed").text == "A"
    settlement = Settlement.objects.get(is_current=True)
    item.refresh_from_db()
    assert (settlement.verdict, item.state) == ("wrong", "settled")


def test_a_revision_does_not_bring_back_what_had_been_undone(project, ana):
    queue, _ = queue_with(project)
    assignment = undo(judge(ana, queue))
    undo(submit(assignment, revision=1))
    assert not Annotation.objects.current().exists()


def test_what_was_typed_into_a_lapsed_revision_is_its_draft_again(project, ana):
    queue, _ = queue_with(project)
    again = annotating.revise(assignment=judge(ana, queue, note="kept").assignment)
    Assignment.objects.update(draft={"note": "typed since"})
    review_queue.release(assignment=again, fence=again.fence)
    assert annotating.revise(assignment=again).draft == {"note": "typed since"}


def test_only_an_own_answer_that_counts_can_be_revised(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    with pytest.raises(WrongState):
        annotating.revise(assignment=assignment)
    submit(assignment)
    annotating.revise(assignment=assignment)
    with pytest.raises(WrongState):
        annotating.revise(assignment=assignment)
