"""Who can judge in a queue now; items follow, and none waits for somebody who is gone."""

import pytest

from annotation import pausing, queue_judges, queue_rules, queues, review_queue
from annotation.models import Assignment, ReviewItem, ReviewQueue, Settlement
from annotation.refusals import WrongState
from annotation.settling import decide_dispute
from feedbackhub.accounts.members import add_member, change_roles, remove_member
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import claim, judge, pass_time, queue_with
from tests.annotation.test_queue_rules import come_in, overlaps
from tests.cast import _member
from tests.factories import QueueMemberFactory


@pytest.fixture(autouse=True)
def _items_follow_at_once(monkeypatch):
    monkeypatch.setattr("annotation.queues.ring_together", lambda task: task())


def membership(user):
    return Membership.objects.get(user=user)


def test_who_is_paused_gone_or_may_not_judge_is_no_judge(project, ana, ben, dana, olu):
    queue, _ = queue_with(project, items=0)
    assert queue_judges.judges_in(queue) == {ana.pk, ben.pk, olu.pk}
    for user in (ana, ben, dana):
        QueueMemberFactory(queue=queue, user=user)
    assert queue_judges.judges_in(queue) == {ana.pk, ben.pk}
    pausing.pause_expert(queue=queue, user=ana, by=ben)
    assert queue_judges.judges_in(queue) == {ben.pk}
    membership(ben).delete()
    assert queue_judges.judges_in(queue) == set()


def test_an_added_reviewer_needs_somebody_who_can_judge_in_an_open_queue_too(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=2, has_extra_reviewer=True)
    (item,) = come_in(queue)
    assert item.overlap == 2
    gus = _member(project, "Gus", "expert")
    (item,) = come_in(queue)
    assert item.overlap == 3
    pausing.pause_expert(queue=queue, user=gus, by=ben)
    (item,) = come_in(queue)
    assert item.overlap == 2


# --- where all who are named judge each item ------------------------------------------------------


@pytest.fixture
def named(project, ana, ben):
    """Ana and Ben judge each item; one is judged by Ana, one is fresh."""
    queue, _ = queue_with(project, items=0, everybody_judges=True)
    queues.save_queue(queue=queue, members=[ana, ben])
    come_in(queue, 2)
    judge(ana, queue)
    return queue


GOES = {
    "removed": lambda queue, user, owner: remove_member(membership=membership(user)),
    "no expert": lambda queue, user, owner: change_roles(
        membership=membership(user), roles=["engineer"]
    ),
    "paused": lambda queue, user, owner: pausing.pause_expert(queue=queue, user=user, by=owner),
}


@pytest.mark.parametrize("how", GOES)
def test_nothing_waits_for_who_cannot_judge_any_more(ben, olu, named, how):
    GOES[how](named, ben, olu)
    assert overlaps(named) == [("settled", 1, 1), ("waiting", 1, 0)]


def test_who_comes_back_judges_the_open_items_again(ben, olu, named):
    pausing.pause_expert(queue=named, user=ben, by=olu)
    pausing.resume_expert(queue=named, user=ben)
    assert overlaps(named)[1] == ("waiting", 2, 0)
    remove_member(membership=membership(ben))
    assert overlaps(named)[1] == ("waiting", 1, 0)
    add_member(project=named.project, email=ben.email, roles=["expert"])
    assert overlaps(named)[1] == ("waiting", 2, 0)


@pytest.mark.parametrize("how", GOES)
def test_an_item_in_hand_comes_free_and_is_complete_without_them(ben, olu, named, how):
    held = claim(ben, named)
    GOES[how](named, ben, olu)
    if how == "paused":  # they may finish it, and let it lapse
        pass_time(3600, held)
    review_queue.expire_leases()
    held.refresh_from_db()
    assert held.state == "expired"
    assert queues.free_stuck() == 1
    assert overlaps(named)[0] == ("settled", 1, 1)
    assert not named.items.filter(needs_discussion=True).exists()


@pytest.fixture
def lost_ring(monkeypatch):
    monkeypatch.setattr("annotation.queues.ring_together", lambda task: None)


def test_the_sweep_follows_where_the_ring_was_lost_some_items_at_a_time(
    ben, olu, named, lost_ring, monkeypatch
):
    monkeypatch.setattr(queues, "AT_ONCE", 2)
    come_in(named, 4)
    queues.follow_changed_judges()  # of who was named
    pausing.pause_expert(queue=named, user=ben, by=olu)
    assert overlaps(named)[:2] == [("waiting", 2, 1), ("waiting", 2, 0)]
    assert queues.follow_changed_judges() == 6
    assert overlaps(named) == [("settled", 1, 1), *[("waiting", 1, 0)] * 5]
    assert queues.follow_changed_judges() == 0


def test_who_goes_while_the_items_follow_is_followed_too(ben, olu, named, lost_ring, monkeypatch):
    real = queues.judges_in
    queues.follow_judges(ReviewQueue.objects.all())

    def and_then_one_goes(queue):
        found = real(queue)
        pausing.pause_expert(queue=named, user=ben, by=olu)
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(queues, "judges_in", and_then_one_goes)
        queues.follow_changed_judges()
    assert overlaps(named)[0] == ("waiting", 2, 1)
    queues.follow_changed_judges()
    assert overlaps(named)[0] == ("settled", 1, 1)


def test_other_roles_of_who_judges_all_the_same_start_nothing(ana, named):
    change_roles(membership=membership(ana), roles=["engineer", "expert"])
    assert not ReviewQueue.objects.exclude(judges_changed_at=None).exists()
    assert overlaps(named)[0] == ("waiting", 2, 1)


# --- what nobody can finish -----------------------------------------------------------------------


@pytest.fixture
def left(project, ana, ben):
    """Two judge each item, Ana and Ben; Ana has."""
    queue, (item,) = queue_with(project, overlap=2)
    for user in (ana, ben):
        QueueMemberFactory(queue=queue, user=user)
    judge(ana, queue)
    return item


def test_leads_are_told_at_once_and_one_decides(as_user, ben, olu, left):
    assert queues.free_stuck() == 0
    with pytest.raises(WrongState):
        decide_dispute(item=left, by=olu, verdict="wrong", severity="low", reason="So.")
    remove_member(membership=membership(ben))
    left.refresh_from_db()
    assert (left.state, left.needs_discussion) == ("waiting", True)
    page = as_user(olu).get(f"/p/tax-help/items/{left.public_id}/")
    assert "Nobody is left who can judge this" in page.content.decode()
    as_user(olu).post(
        f"/p/tax-help/items/{left.public_id}/decide/",
        {"verdict": "wrong", "severity": "low", "reason": "So."},
    )
    left.refresh_from_db()
    assert (left.state, left.needs_discussion) == ("settled", False)
    assert Settlement.objects.get(is_current=True).decided_by == olu


def test_what_somebody_can_judge_again_is_a_leads_no_more(ben, olu, left):
    pausing.pause_expert(queue=left.queue, user=ben, by=olu)
    assert list(ReviewItem.objects.for_lead()) == [left]
    pausing.resume_expert(queue=left.queue, user=ben)
    assert not ReviewItem.objects.for_lead().exists()
    assert judge(ben, left.queue).item == left


def test_what_an_expert_wants_to_discuss_stays_a_leads(ana, ben, olu, left):
    held = claim(ben, left.queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="needs_discussion")
    queues.save_queue(queue=left.queue, members=[ana, ben, olu])
    assert not queue_judges.is_stuck(left)
    assert list(ReviewItem.objects.for_lead()) == [left]


def test_the_sweep_finds_what_waits_for_nobody(project, ana, ben, left):
    held = claim(ben, left.queue)
    membership(ben).delete()  # whatever the way
    assert queues.free_stuck() == 0  # in hand until the lease ends
    Assignment.objects.filter(pk=held.pk).update(state="expired", lease_until=None)
    left.queue.items.update(state="waiting", taken_count=1)
    assert queues.free_stuck() == 1
    assert queues.free_stuck() == 0
    left.refresh_from_db()
    assert left.needs_discussion


def test_who_let_it_lapse_may_still_take_it_up(ben, left):
    held = claim(ben, left.queue)
    review_queue.release(assignment=held, fence=held.fence)
    assert queues.free_stuck() == 0


def test_fresh_items_wait_for_whoever_comes(project, ana):
    queue, (item,) = queue_with(project)
    Membership.objects.filter(project=project).update(roles=["engineer"])
    assert queue_rules.overlap_for(queue, item.interaction) == 1
    queues.follow_judges(ReviewQueue.objects.filter(pk=queue.pk))
    assert queues.free_stuck() == 0
    item.refresh_from_db()
    assert not item.needs_discussion
