"""Known cases and repeats: slipped in unseen, scored, and never labels."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import annotating, calibration, gold, review_queue
from annotation.consensus import weights_of
from annotation.models import (
    Annotation,
    CandidateAnswer,
    GoldExample,
    ReviewItem,
    Settlement,
)
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import claim, judge, queue_with
from tests.factories import ReviewItemFactory, SettlementFactory


def known_cases(project, ben, number, split="train"):
    """Approved gold that says wrong, medium."""
    for _ in range(number):
        settlement = SettlementFactory(project=project, interaction__project=project)
        gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.filter(project=project).update(split=split)


def purposes(expert):
    return list(
        Annotation.objects.filter(expert=expert)
        .order_by("pk")
        .values_list("item__purpose", flat=True)
    )


def test_a_new_expert_judges_known_cases_first(project, ana, ben):
    known_cases(project, ben, 3)
    queue, _ = queue_with(project, items=3, onboarding_count=2)
    for _ in range(3):
        judge(ana, queue)
    assert purposes(ana) == ["calibration", "calibration", "label"]


def test_onboarding_takes_as_many_as_there_are(project, ana, ben):
    known_cases(project, ben, 1)
    queue, _ = queue_with(project, items=3, onboarding_count=5)
    for _ in range(2):
        judge(ana, queue)
    assert purposes(ana) == ["calibration", "label"]


def test_known_cases_come_at_the_rate_that_was_chosen(project, ana, ben):
    known_cases(project, ben, 30)
    queue, _ = queue_with(project, items=60, calibration_percent=25)
    for _ in range(60):
        judge(ana, queue)
    assert 7 <= purposes(ana).count("calibration") <= 24


def test_no_case_twice_none_of_the_holdout_and_none_that_they_judged(project, ana, ben):
    known_cases(project, ben, 2, split="holdout")
    queue, _ = queue_with(project, items=1, calibration_percent=50, onboarding_count=9)
    assert claim(ana, queue).item.purpose == "label"
    known_cases(project, ben, 1)
    judged = []
    for _ in range(3):
        ReviewItemFactory(queue=queue)
        judged.append(judge(ana, queue).item.interaction_id)
    assert len(set(judged)) == 3


def test_an_item_that_measures_looks_like_any_other_and_is_nobody_elses(project, ana, ben, as_user):
    known_cases(project, ben, 1)
    settled = Settlement.objects.get()
    settled.item.reason = "thumbs down by a user"
    settled.item.save()
    queue, _ = queue_with(project, items=1, onboarding_count=1)
    held = claim(ana, queue)
    assert held.item.reason == "thumbs down by a user"
    html = as_user(ana).get(f"/p/tax-help/review/{held.public_id}/").content.decode()
    assert held.item.purpose == "calibration" and "alibration" not in html
    review_queue.release(assignment=held, fence=held.fence)
    assert claim(ben, queue).item != held.item


def test_what_is_said_there_settles_proposes_and_tells_nothing(project, ana, ben):
    known_cases(project, ben, 1)
    before = Settlement.objects.get()
    queue, _ = queue_with(project, items=0, onboarding_count=1)
    OutboxEvent.objects.all().delete()
    candidates = CandidateAnswer.objects.count()
    annotation = judge(ana, queue, "harmful", "critical", correction="Something else.")
    assert Settlement.objects.get(is_current=True) == before
    assert not OutboxEvent.objects.exists()
    assert CandidateAnswer.objects.count() == candidates
    assert ReviewItem.objects.get(purpose="calibration").state == "settled"
    taken_back = annotating.undo_submit(
        assignment=annotation.assignment, fence=annotation.assignment.fence
    )
    assert taken_back.state == "claimed"


def test_programs_never_get_them_as_annotations(api, project, ana, ben):
    known_cases(project, ben, 1)
    queue, _ = queue_with(project, items=1, onboarding_count=1)
    judge(ana, queue)
    judge(ana, queue)
    assert len(api("review").get("/api/v1/annotations").json()["results"]) == 1


def test_a_known_case_is_due_as_the_others_are(project, ana, ben):
    known_cases(project, ben, 1)
    queue, (item,) = queue_with(project, onboarding_count=1)
    ReviewItem.objects.filter(pk=item.pk).update(due_at=timezone.now() + timedelta(hours=5))
    item.refresh_from_db()
    known = claim(ana, queue).item
    assert (known.purpose, known.due_at) == ("calibration", item.due_at)


def test_skipping_a_known_case_moves_nothing_to_another_queue_or_a_lead(project, ana, ben):
    known_cases(project, ben, 1)
    other, _ = queue_with(project, items=0)
    queue, _ = queue_with(project, items=0, onboarding_count=1, not_my_field_queue=other)
    held = claim(ana, queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="not_my_field")
    item = ReviewItem.objects.get(pk=held.item_id)
    assert (item.queue, item.state, item.needs_discussion) == (queue, "dismissed", False)


@pytest.mark.parametrize(
    ("right", "wrong", "share", "is_below"),
    [(4, 0, None, False), (4, 1, 0.8, False), (3, 3, 0.5, True)],
)
def test_the_score_is_the_share_that_is_judged_as_settled(
    project, ana, ben, right, wrong, share, is_below
):
    known_cases(project, ben, right + wrong)
    queue, _ = queue_with(project, items=0, onboarding_count=right + wrong, calibration_bar=70)
    for _ in range(right):
        judge(ana, queue, "wrong", "medium")
    for _ in range(wrong):
        judge(ana, queue, "partly", "medium")
    score = calibration.score_of(ana, queue)
    assert (score.right, score.judged) == (right, right + wrong)
    assert (score.share, score.is_below) == (share, is_below)
    assert weights_of(queue, [ana.pk])[ana.pk] == round((right + 1) / (right + wrong + 2), 2)


def test_own_items_come_again_after_weeks_once(project, ana):
    queue, _ = queue_with(project, items=3, repeat_percent=50, repeat_weeks=4)
    first = judge(ana, queue)
    Annotation.objects.update(created_at=first.created_at - timedelta(weeks=5))
    for _ in range(2):
        ReviewItemFactory.create_batch(3, queue=queue)
    for _ in range(6):
        judge(ana, queue, "partly", "low")
    ((before, again),) = calibration.repeats_of(ana)
    assert (before, before.verdict, again.verdict) == (first, "wrong", "partly")
    assert purposes(ana).count("repeat") == 1
    first.refresh_from_db()
    assert first.is_current
