"""A lead pauses an expert in a queue: nothing of it reaches them until they go on, and they read why."""

import pytest

from annotation import annotating, calibration, pausing, review_queue
from annotation.models import Assignment, QueuePause
from annotation.queue_rules import overlap_for
from annotation.refusals import ClaimRefused, WrongState
from tests.annotation.desk import at_once, claim, judge, queue_with, submit
from tests.annotation.test_calibration import known_cases
from tests.factories import QueueMemberFactory, ReviewItemFactory


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "everybody's"])
def test_a_paused_expert_gets_nothing_and_reads_why(project, ana, ben, is_named):
    queue, _ = queue_with(project, items=2, name="Tax")
    if is_named:
        QueueMemberFactory(queue=queue, user=ana)
        QueueMemberFactory(queue=queue, user=ben)
    pausing.pause_expert(queue=queue, user=ana, by=ben, reason="Read the guideline again.")
    with pytest.raises(ClaimRefused) as refused:
        claim(ana, queue)
    assert refused.value.reason == "paused"
    assert str(refused.value) == "A lead paused your work in Tax. Read the guideline again."
    assert claim(ben, queue)
    pausing.resume_expert(queue=queue, user=ana)
    assert claim(ana, queue)


def test_other_queues_go_on(project, ana, ben):
    paused, _ = queue_with(project, items=1)
    _other, (item,) = queue_with(project, items=1)
    pausing.pause_expert(queue=paused, user=ana, by=ben)
    assert review_queue.claim_next(project=project, expert=ana).item == item
    assert review_queue.claim_next(project=project, expert=ana) is None


def test_no_known_case_either(project, ana, ben):
    known_cases(project, ben, 2)
    queue, _ = queue_with(project, items=0, onboarding_count=2)
    pausing.pause_expert(queue=queue, user=ana, by=ben)
    with pytest.raises(ClaimRefused):
        claim(ana, queue)


def test_what_was_fetched_ahead_goes_back_and_what_is_in_hand_may_be_finished(project, ana, ben):
    queue, _ = queue_with(project, items=3)
    in_hand = claim(ana, queue)
    (ahead,) = review_queue.reserve_ahead(project=project, expert=ana, queue=queue, count=1)
    pausing.pause_expert(queue=queue, user=ana, by=ben)
    ahead.refresh_from_db()
    assert (ahead.state, ahead.item.taken_count, ahead.item.state) == ("expired", 0, "waiting")
    annotation = submit(in_hand)
    assert annotation.is_current
    assert annotating.undo_submit(assignment=in_hand, fence=in_hand.fence).state == "claimed"


def test_what_came_back_waits_until_they_go_on(project, ana, ben):
    queue, _ = queue_with(project, items=1)
    held = claim(ana, queue)
    review_queue.release(assignment=held, fence=held.fence)
    pausing.pause_expert(queue=queue, user=ana, by=ben)
    held.refresh_from_db()
    with pytest.raises(WrongState, match="A lead paused your work"):
        review_queue.resume(assignment=held)
    pausing.resume_expert(queue=queue, user=ana)
    assert review_queue.resume(assignment=held).state == "claimed"


def test_pausing_twice_is_once_and_the_first_reason_stays(project, ana, ben):
    queue, _ = queue_with(project, items=0)
    first = pausing.pause_expert(queue=queue, user=ana, by=ben, reason="First.")
    assert pausing.pause_expert(queue=queue, user=ana, by=ben, reason="Second.") == first
    assert QueuePause.objects.get().reason == "First."


def test_who_does_not_judge_there_cannot_be_paused(project, ana, ben, dana, eve):
    queue, _ = queue_with(project, items=0)
    QueueMemberFactory(queue=queue, user=ben)
    for somebody in (ana, dana, eve):
        with pytest.raises(WrongState):
            pausing.pause_expert(queue=queue, user=somebody, by=ben)
    assert not QueuePause.objects.exists()


def test_where_all_named_must_judge_the_paused_are_not_waited_for(project, ana, ben, olu):
    queue, (item,) = queue_with(project, everybody_judges=True)
    for user in (ana, ben, olu):
        QueueMemberFactory(queue=queue, user=user)
    assert overlap_for(queue, item.interaction) == 3
    pausing.pause_expert(queue=queue, user=ana, by=ben)
    assert overlap_for(queue, item.interaction) == 2


def test_an_item_that_only_a_paused_expert_could_judge_goes_to_a_lead(project, ana, ben):
    queue, (item,) = queue_with(project)
    for user in (ana, ben):
        QueueMemberFactory(queue=queue, user=user)
    held = claim(ana, queue)
    pausing.pause_expert(queue=queue, user=ben, by=ben)
    review_queue.skip(assignment=held, fence=held.fence, reason="not_my_field")
    item.refresh_from_db()
    assert item.needs_discussion


@pytest.mark.django_db(transaction=True)
def test_a_pause_and_claims_at_one_instant_leave_nothing_fetched_ahead(project, ana, ben):
    queue, _ = queue_with(project, items=6, held_ahead=6)

    def fetch():
        return review_queue.reserve_ahead(project=project, expert=ana, queue=queue, count=3)

    at_once(fetch, lambda: pausing.pause_expert(queue=queue, user=ana, by=ben), fetch)
    assert QueuePause.objects.count() == 1
    assert not Assignment.objects.filter(state="reserved").exists()
    assert all(item.taken_count == 0 for item in queue.items.all())


# --- the score ------------------------------------------------------------------------------------


def test_the_score_is_of_the_newest_twenty(project, ana, ben, monkeypatch):
    monkeypatch.setattr(calibration, "RECENT", 5)
    known_cases(project, ben, 7)
    queue, _ = queue_with(project, items=0, onboarding_count=7)
    for verdict in ["partly"] * 2 + ["wrong"] * 5:
        judge(ana, queue, verdict)
    assert calibration.score_of(ana, queue).share == 1.0


def test_scores_of_many_cost_the_same_queries(project, ana, ben, olu, django_assert_num_queries):
    known_cases(project, ben, 2)
    for _ in range(2):
        queue, _ = queue_with(project, items=0, onboarding_count=1)
        for user in (ana, olu):
            judge(user, queue)
    with django_assert_num_queries(3):
        found = calibration.scores(project=project)
    assert {(expert, score.judged) for (expert, _q), score in found.items()} == {
        (ana.pk, 1),
        (olu.pk, 1),
    }
    assert len(found) == 4


def test_a_skipped_known_case_does_not_bring_the_real_work_nearer(project, ana, ben):
    known_cases(project, ben, 3)
    queue, _ = queue_with(project, items=2, onboarding_count=2)
    held = claim(ana, queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="not_my_field")
    purposes = [judge(ana, queue).item.purpose for _ in range(3)]
    assert purposes == ["calibration", "calibration", "label"]


def test_repeats_are_counted_by_what_was_said_again(project, ana, ben):
    queue, _ = queue_with(project, items=2, repeat_percent=0)
    for verdict in ("wrong", "partly"):
        first = judge(ana, queue, "wrong")
        again = ReviewItemFactory(
            queue=queue, interaction=first.item.interaction, purpose="repeat", overlap=1
        )
        assignment = Assignment.objects.create(
            project=project, item=again, expert=ana, slot=1, **review_queue.new_lease(queue)
        )
        submit(assignment, verdict)
    assert calibration.repeats_by_expert(project=project, experts=[ana.pk, ben.pk]) == {
        ana.pk: (1, 2)
    }
