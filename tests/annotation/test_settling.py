"""From annotations to one truth: agreed, disputed, decided by a lead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import annotating, lead_decisions, review_queue, settling
from annotation.models import Annotation, LabelSchema, ReviewItem, Settlement
from annotation.refusals import InvalidAnswer, WrongState
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import claim, judge, pass_time, queue_with, submit
from tests.factories import (
    AssignmentFactory,
    InteractionFactory,
    LabelSchemaFactory,
    MembershipFactory,
    ReviewItemFactory,
    ReviewQueueFactory,
    UserFactory,
)


@pytest.fixture
def experts(project):
    people = UserFactory.create_batch(5)
    for person in people:
        MembershipFactory(project=project, user=person, roles=["expert"])
    return people


def judged_by(experts, queue, *verdicts):
    return [
        judge(expert, queue, verdict, severity)
        for expert, (verdict, severity) in zip(experts, verdicts, strict=False)
    ]


def standing(item):
    return Settlement.objects.filter(interaction=item.interaction_id, is_current=True).first()


# --- agreed ---------------------------------------------------------------------------------------


def test_the_code_of_the_release_before_settles_while_the_new_one_is_brought_out(
    project, ana, monkeypatch
):
    """It knows no `rubric_scores`."""
    old = settling.SETTLE.replace(" rubric_scores,", "").replace(" %(rubric_scores)s::jsonb,", "")
    monkeypatch.setattr(settling, "SETTLE", old)
    queue, [item] = queue_with(project)
    judge(ana, queue, "wrong", "high", correction="No.")
    assert standing(item).rubric_scores == {}


def test_one_judgement_settles_an_item_of_overlap_one(project, ana):
    queue, [item] = queue_with(project)
    annotation = judge(
        ana,
        queue,
        "wrong",
        "high",
        categories=["outdated"],
        root_cause="retrieval_misled",
        correction="No.",
        spans=[{"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}],
    )
    settlement = standing(item)
    item.refresh_from_db()
    assert (item.state, item.settled_at is None) == ("settled", False)
    assert (settlement.verdict, settlement.severity) == ("wrong", "high")
    assert (settlement.categories, settlement.root_cause) == (["outdated"], "retrieval_misled")
    assert settlement.spans == [
        {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}
    ]
    assert settlement.chosen_answer.text == "No."
    assert (settlement.decided_how, settlement.agreement) == ("agreed", 1.0)
    assert list(settlement.annotations.all()) == [annotation]
    assert settlement.schema == annotation.schema


def test_experts_who_agree_settle_the_middle_score_of_each_criterion(project, experts):
    rubric = [{"key": key, "name": key, "scale": 5, "required": False} for key in ("clear", "kind")]
    LabelSchemaFactory(project=project, rubric=rubric)
    queue, [item] = queue_with(project, overlap=4)
    for expert, scores in zip(
        experts, ({"clear": 5, "kind": 3}, {"clear": 1}, {"clear": 4}), strict=False
    ):
        judge(expert, queue, "wrong", "high", rubric_scores=scores)
    judge(experts[3], queue, "partly", "low", rubric_scores={"clear": 1, "kind": 1})
    assert standing(item).rubric_scores == {"clear": 4, "kind": 3}


def test_a_settlement_takes_effect_when_the_undo_has_passed_and_so_does_its_news(project, ana):
    queue, [item] = queue_with(project)
    annotation = judge(ana, queue)
    settlement = standing(item)
    event = OutboxEvent.objects.get(kind="item_settled")
    assert settlement.takes_effect_at == event.due_at == annotation.final_at
    assert event.about == {
        "settlement_id": settlement.pk,
        "item_id": item.pk,
        "interaction_id": item.interaction_id,
        "annotation_id": annotation.pk,
    }
    assert settling.effective_settlement(settlement.pk) is None
    pass_time(11, settlement)
    assert settling.effective_settlement(settlement.pk) == settlement


@pytest.mark.parametrize(
    "verdicts, settled_as, agreement",
    [
        ([("wrong", "high")] * 2, ("wrong", "high"), 1.0),
        ([("wrong", "high"), ("wrong", "low")], None, None),
        ([("wrong", "high"), ("correct", "none")], None, None),
        ([("wrong", "high"), ("wrong", "high"), ("correct", "none")], ("wrong", "high"), 2 / 3),
        ([("wrong", "high"), ("partly", "low"), ("correct", "none")], None, None),
        ([("wrong", "low"), ("wrong", "low"), ("harmful", "critical")], None, None),
        ([("wrong", "low"), ("wrong", "low"), ("wrong", "critical")], None, None),
        (
            [("harmful", "critical"), ("harmful", "critical"), ("correct", "none")],
            ("harmful", "critical"),
            2 / 3,
        ),
        ([("wrong", "low")] * 2 + [("correct", "none")] * 2, None, None),
    ],
    ids=str,
)
def test_more_than_half_settle_an_item_and_harm_is_never_outvoted(
    project, experts, verdicts, settled_as, agreement
):
    queue, [item] = queue_with(project, overlap=len(verdicts))
    judged_by(experts, queue, *verdicts[:-1])
    item.refresh_from_db()
    assert (item.state, standing(item)) == ("waiting", None)
    judged_by(experts[len(verdicts) - 1 :], queue, verdicts[-1])
    item.refresh_from_db()
    settlement = standing(item)
    if settled_as:
        assert item.state == "settled"
        assert (settlement.verdict, settlement.severity) == settled_as
        assert settlement.agreement == pytest.approx(agreement)
        assert settlement.annotation_count == len(verdicts)
    else:
        assert (item.state, settlement) == ("disputed", None)
        assert not OutboxEvent.objects.filter(kind="item_settled").exists()


def test_those_who_agree_give_the_settlement_its_values(project, experts):
    queue, [item] = queue_with(project, overlap=3)
    mark = {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}
    other = {"field": "output", "start": 4, "end": 7, "quote": "can", "label": "unsupported"}
    judge(experts[0], queue, "correct", "none", categories=["harmful"])
    judge(
        experts[1],
        queue,
        "wrong",
        "low",
        categories=["outdated"],
        root_cause="retrieval_misled",
        spans=[mark],
        correction="A",
    )
    judge(
        experts[2],
        queue,
        "wrong",
        "low",
        categories=["outdated", "factual_error"],
        spans=[mark, other],
        correction="B",
    )
    settlement = standing(item)
    assert settlement.categories == ["outdated", "factual_error"]
    assert settlement.root_cause == "retrieval_misled"
    assert settlement.spans == [mark, other]
    assert settlement.chosen_answer.text == "B"


def test_calibration_items_settle_without_telling_the_house_anything(project, ana):
    queue, _ = queue_with(project, items=0)
    item = ReviewItemFactory(queue=queue, purpose="calibration")
    submit(AssignmentFactory(item=item, expert=ana))
    item.refresh_from_db()
    assert (item.state, standing(item)) == ("settled", None)


# --- changed --------------------------------------------------------------------------------------


def test_an_undone_judgement_unsettles_the_item(project, experts):
    queue, [item] = queue_with(project, overlap=2)
    judged_by(experts, queue, ("wrong", "low"), ("wrong", "low"))
    second = Annotation.objects.latest("pk").assignment
    annotating.undo_submit(assignment=second, fence=second.fence)
    item.refresh_from_db()
    assert (item.state, standing(item)) == ("in_review", None)


def test_an_undone_judgement_that_disputed_an_item_ends_the_dispute(project, experts):
    queue, [item] = queue_with(project, overlap=2)
    judged_by(experts, queue, ("wrong", "low"), ("correct", "none"))
    second = Annotation.objects.latest("pk").assignment
    again = annotating.undo_submit(assignment=second, fence=second.fence)
    item.refresh_from_db()
    assert item.state == "in_review"
    submit(again, "wrong", "low", revision=1)
    item.refresh_from_db()
    assert item.state == "settled"


def test_a_revised_judgement_settles_the_item_anew(project, experts):
    queue, [item] = queue_with(project, overlap=2)
    first, _ = judged_by(experts, queue, ("wrong", "low"), ("correct", "none"))
    item.refresh_from_db()
    assert item.state == "disputed"
    first.assignment.refresh_from_db()
    submit(annotating.revise(assignment=first.assignment), "correct", "none", revision=1)
    item.refresh_from_db()
    assert (item.state, standing(item).verdict) == ("settled", "correct")
    assert Settlement.objects.count() == 1


def test_one_settlement_per_answer_is_current_and_the_ones_before_are_kept(project, ana):
    queue, _ = queue_with(project)
    annotation = judge(ana, queue, "wrong", "low")
    annotation.assignment.refresh_from_db()
    submit(annotating.revise(assignment=annotation.assignment), "partly", "low", revision=1)
    assert list(Settlement.objects.order_by("pk").values_list("verdict", "is_current")) == [
        ("wrong", False),
        ("partly", True),
    ]


# --- two queues -----------------------------------------------------------------------------------


@pytest.fixture
def twice(project):
    """One answer in two queues."""
    _queue, [item] = queue_with(project)
    other_queue = ReviewQueueFactory(project=project)
    return item, ReviewItemFactory(queue=other_queue, interaction=item.interaction)


def test_two_queues_that_agree_settle_the_answer_together(twice, ana, ben):
    item, other = twice
    judge(ana, item.queue, "wrong", "low")
    judge(ben, other.queue, "wrong", "low", correction="No.")
    settlement = standing(item)
    other.refresh_from_db()
    assert (other.state, settlement.item, settlement.annotation_count) == ("settled", other, 2)
    assert settlement.chosen_answer.text == "No."


def test_two_queues_that_disagree_go_to_a_lead_and_the_first_word_stands_meanwhile(twice, ana, ben):
    item, other = twice
    judge(ana, item.queue, "wrong", "low")
    judge(ben, other.queue, "correct", "none")
    other.refresh_from_db()
    assert other.state == "disputed"
    assert (standing(item).item, standing(item).verdict) == (item, "wrong")


def test_what_another_queue_settled_before_stands_again_after_an_undo(twice, ana, ben):
    item, other = twice
    judge(ana, item.queue, "wrong", "low")
    first = standing(item)
    second = judge(ben, other.queue, "wrong", "low").assignment
    second.refresh_from_db()
    annotating.undo_submit(assignment=second, fence=second.fence)
    assert standing(item) == first


def test_queues_of_different_schemas_settle_apart(project, ana, ben):
    queue, [item] = queue_with(project)
    LabelSchema.objects.create(project=project, name="tone")
    tone = ReviewQueueFactory(project=project, schema_name="tone")
    ReviewItemFactory(queue=tone, interaction=item.interaction)
    judge(ana, queue, "wrong", "low")
    judge(ben, tone, "correct", "none")
    assert set(
        Settlement.objects.filter(is_current=True).values_list("schema_name", "verdict")
    ) == {("default", "wrong"), ("tone", "correct")}


# --- decided by a lead ----------------------------------------------------------------------------


@pytest.fixture
def disputed(project, experts):
    queue, [item] = queue_with(project, overlap=2)
    judged_by(experts, queue, ("wrong", "low"), ("correct", "none"))
    item.refresh_from_db()
    return item


def decide(item, by, verdict="wrong", severity="low", reason="Source 1 says so.", **values):
    return settling.decide_dispute(
        item=item, by=by, verdict=verdict, severity=severity, reason=reason, **values
    )


def test_a_lead_settles_a_dispute_at_once_with_a_reason(disputed, ben):
    settlement = decide(disputed, ben, categories=["outdated"])
    disputed.refresh_from_db()
    assert (disputed.state, standing(disputed)) == ("settled", settlement)
    assert (settlement.decided_how, settlement.decided_by, settlement.reason) == (
        "lead",
        ben,
        "Source 1 says so.",
    )
    assert (settlement.agreement, settlement.annotation_count) == (0.5, 2)
    assert settling.effective_settlement(settlement.pk) == settlement
    event = OutboxEvent.objects.get(kind="item_settled")
    assert event.due_at <= timezone.now() + timedelta(seconds=1)


def test_a_leads_word_of_harm_is_news_at_once(disputed, ben):
    settlement = decide(disputed, ben, "harmful", "critical")
    event = OutboxEvent.objects.get(kind="harm_found")
    assert (event.about["settlement_id"], event.about["source"]) == (settlement.pk, "lead")


def test_a_leads_word_stands_when_an_expert_revises(disputed, ben):
    settlement = decide(disputed, ben)
    first = Annotation.objects.current().earliest("pk")
    submit(annotating.revise(assignment=first.assignment), "partly", "low", revision=1)
    disputed.refresh_from_db()
    assert (standing(disputed), disputed.state) == (settlement, "settled")


def test_a_leads_word_stands_until_a_lead_opens_the_item_again(disputed, ben, experts):
    decide(disputed, ben)
    first = Annotation.objects.current().earliest("pk")
    with pytest.raises(WrongState):
        lead_decisions.return_assignment(assignment=first.assignment, by=ben, reason="Again.")
    lead_decisions.reopen_item(item=disputed, by=ben, reason="New law.")
    assert standing(disputed) is None
    assert claim(experts[0], disputed.queue).item == disputed


def test_a_lead_may_overrule_what_the_experts_agreed(project, ana, ben):
    queue, [item] = queue_with(project)
    judge(ana, queue, "wrong", "low")
    overruled = decide(item, ben, "correct", "none")
    assert standing(item) == overruled
    assert Settlement.objects.filter(is_current=True).count() == 1


def test_a_lead_decides_nothing_that_is_still_being_judged(project, ben):
    _, [item] = queue_with(project)
    with pytest.raises(WrongState):
        decide(item, ben)


def test_a_lead_keeps_to_the_schema_too(disputed, ben):
    with pytest.raises(InvalidAnswer):
        decide(disputed, ben, categories=["nonsense"])
    assert standing(disputed) is None


def test_a_lead_chooses_only_a_correction_of_this_answer(disputed, project, ana, ben):
    elsewhere = ReviewItemFactory(
        queue=disputed.queue, interaction=InteractionFactory(project=project), priority=9
    )
    foreign = judge(ana, disputed.queue, correction="No.").candidates.get()
    assert foreign.item == elsewhere
    with pytest.raises(WrongState):
        decide(disputed, ben, chosen_answer=foreign)


def test_an_item_that_could_not_be_shown_waits_for_a_lead_though_others_judge_on(project, experts):
    queue, [item] = queue_with(project, overlap=2)
    in_hand = claim(experts[0], queue)
    unseen = claim(experts[1], queue)
    review_queue.skip(assignment=unseen, fence=1, reason="cannot_show")
    submit(in_hand)
    item.refresh_from_db()
    assert item.state == "disputed"
    assert list(ReviewItem.objects.for_lead()) == [item]
