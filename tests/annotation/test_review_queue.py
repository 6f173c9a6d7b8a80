"""Claiming, holding, giving back and passing on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import annotating, drafts, lead_decisions, review_queue
from annotation.models import Assignment, ReviewItem
from annotation.refusals import ClaimRefused, LeaseLost, WrongState
from tests.annotation.desk import claim, judge, pass_time, queue_with, submit
from tests.factories import (
    MembershipFactory,
    QueueMemberFactory,
    ReviewItemFactory,
    ReviewQueueFactory,
    UserFactory,
)

State = Assignment.State


@pytest.fixture
def cleo(project):
    user = UserFactory(name="Cleo")
    MembershipFactory(project=project, user=user, roles=["expert"])
    return user


# --- claim ----------------------------------------------------------------------------------------


def test_claim_next_takes_the_highest_priority_then_the_oldest(project, ana):
    queue, (first, second) = queue_with(project, items=2, held_ahead=3)
    urgent = ReviewItemFactory(queue=queue, priority=50)
    assert [claim(ana, queue).item for _ in range(3)] == [urgent, first, second]


def test_claim_next_gives_a_lease_a_fence_and_what_the_screen_shows(
    project, ana, django_assert_num_queries
):
    queue, [item] = queue_with(project, lease_minutes=30)
    assignment = claim(ana, queue)
    assert (assignment.expert, assignment.state, assignment.slot, assignment.fence) == (
        ana,
        State.CLAIMED,
        1,
        1,
    )
    left = assignment.lease_until - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    with django_assert_num_queries(0):
        assert assignment.item.interaction.output
        assert assignment.item.queue.name
    item.refresh_from_db()
    assert (item.state, item.taken_count) == ("in_review", 1)


def test_claim_next_skips_items_claimed_by_others(project, ana, ben):
    queue, [item] = queue_with(project)
    assert claim(ana, queue).item == item
    assert claim(ben, queue) is None


def test_claim_next_gives_an_item_of_overlap_two_to_two_experts_and_no_third(
    project, ana, ben, cleo
):
    queue, [item] = queue_with(project, overlap=2)
    assert claim(ana, queue).slot == 1
    item.refresh_from_db()
    assert item.state == "waiting"
    assert claim(ana, queue) is None
    assert claim(ben, queue).slot == 2
    item.refresh_from_db()
    assert item.state == "in_review"
    assert claim(cleo, queue) is None


def test_claim_next_finishes_begun_items_before_fresh_ones_of_the_same_priority(project, ana, ben):
    queue, (first, second) = queue_with(project, items=2, overlap=2)
    Assignment.objects.create(
        project=project, item=second, expert=ben, slot=1, state=State.SUBMITTED
    )
    ReviewItem.objects.filter(pk=second.pk).update(taken_count=1)
    urgent = ReviewItemFactory(queue=queue, priority=9)
    assert [claim(ana, queue).item for _ in range(3)] == [urgent, second, first]


def test_claim_next_passes_an_experts_own_begun_items_even_beyond_the_bounded_look(
    project, ana, ben, monkeypatch
):
    monkeypatch.setattr("annotation.slots.LOOK", 2)
    queue, items = queue_with(project, items=5, overlap=2, held_ahead=10)
    for item in items[:4]:
        assert claim(ana, queue).item == item
    assert claim(ben, queue).item == items[0]
    assert claim(ana, queue).item == items[4]
    only_behind_the_look = ReviewItemFactory(queue=queue)
    Assignment.objects.create(
        project=project, item=only_behind_the_look, expert=ben, slot=1, state=State.SUBMITTED
    )
    ReviewItem.objects.filter(pk=only_behind_the_look.pk).update(taken_count=1)
    assert claim(ana, queue).item == only_behind_the_look


def test_claim_next_never_gives_an_item_again_that_one_skipped(project, ana, ben):
    queue, [item] = queue_with(project)
    skipped = claim(ana, queue)
    review_queue.skip(assignment=skipped, fence=1, reason="needs_discussion")
    assert claim(ana, queue) is None
    assert claim(ben, queue).item == item


def test_claim_next_looks_in_every_queue_that_one_judges_in_and_no_other(project, ana, ben):
    mine, [item] = queue_with(project)
    QueueMemberFactory(queue=mine, user=ana)
    theirs = ReviewQueueFactory(project=project)
    QueueMemberFactory(queue=theirs, user=ben)
    ReviewItemFactory(queue=theirs, priority=99)
    everybodys = ReviewQueueFactory(project=project)
    shared = ReviewItemFactory(queue=everybodys)
    taken = [review_queue.claim_next(project=project, expert=ana) for _ in range(3)]
    assert [assignment and assignment.item for assignment in taken] == [item, shared, None]
    with pytest.raises(ClaimRefused) as refused:
        claim(ana, theirs)
    assert refused.value.reason == "not_a_member"


def test_claim_next_sees_nothing_of_another_project(project, other_project, ana, eve):
    queue_with(other_project)
    _queue, _ = queue_with(project, items=0)
    assert review_queue.claim_next(project=project, expert=ana) is None
    with pytest.raises(ClaimRefused) as refused:
        review_queue.claim_next(project=project, expert=eve)
    assert refused.value.reason == "not_a_member"


def test_claim_next_refuses_a_member_whose_role_does_not_judge(project, dana):
    queue_with(project)
    with pytest.raises(ClaimRefused) as refused:
        review_queue.claim_next(project=project, expert=dana)
    assert refused.value.reason == "not_a_member"


def test_claim_next_is_refused_where_the_queue_is_closed(project, ana):
    queue, _ = queue_with(project)
    queue.is_open = False
    queue.save()
    with pytest.raises(ClaimRefused) as refused:
        claim(ana, queue)
    assert refused.value.reason == "closed"
    assert not Assignment.objects.exists()


def test_claim_next_is_refused_to_who_holds_enough_and_not_once_one_is_finished(project, ana):
    queue, _ = queue_with(project, items=3, held_ahead=2)
    first = claim(ana, queue)
    claim(ana, queue)
    with pytest.raises(ClaimRefused) as refused:
        claim(ana, queue)
    assert refused.value.reason == "holds_enough"
    submit(first)
    assert claim(ana, queue) is not None


# --- fetch ahead ----------------------------------------------------------------------------------


def test_reserve_ahead_holds_the_next_two_on_a_short_lease_once(project, ana):
    queue, items = queue_with(project, items=5)
    claim(ana, queue)
    ahead = review_queue.reserve_ahead(project=project, expert=ana, queue=queue)
    assert [assignment.item for assignment in ahead] == items[1:3]
    assert {assignment.state for assignment in ahead} == {State.RESERVED}
    assert ahead[0].lease_until - timezone.now() <= timedelta(minutes=5)
    assert review_queue.reserve_ahead(project=project, expert=ana, queue=queue) == ahead


def test_reserve_ahead_stops_at_what_one_may_hold(project, ana):
    queue, _ = queue_with(project, items=5, held_ahead=2)
    claim(ana, queue)
    assert len(review_queue.reserve_ahead(project=project, expert=ana, queue=queue)) == 1


def test_claim_next_takes_up_what_was_fetched_ahead(project, ana):
    queue, _ = queue_with(project, items=3)
    ahead, _ = review_queue.reserve_ahead(project=project, expert=ana, queue=queue)
    ReviewItemFactory(queue=queue, priority=99)
    assignment = claim(ana, queue)
    assert (assignment.pk, assignment.state, assignment.fence) == (ahead.pk, State.CLAIMED, 1)
    assert assignment.lease_until - timezone.now() > timedelta(minutes=29)


def test_a_reserved_item_can_be_submitted_as_it_is(project, ana):
    queue, _ = queue_with(project)
    [ahead] = review_queue.reserve_ahead(project=project, expert=ana, queue=queue)
    assert submit(ahead).revision == 1


# --- leases ---------------------------------------------------------------------------------------


def test_a_heartbeat_extends_the_lease_and_what_was_fetched_ahead(project, ana):
    queue, _ = queue_with(project, items=2)
    assignment = claim(ana, queue)
    [ahead] = review_queue.reserve_ahead(project=project, expert=ana, queue=queue, count=1)
    pass_time(200, assignment, ahead)
    until = review_queue.heartbeat(assignment=assignment, fence=assignment.fence)
    ahead.refresh_from_db()
    assert until - timezone.now() > timedelta(minutes=29)
    assert ahead.lease_until - timezone.now() > timedelta(minutes=4)


@pytest.mark.parametrize("write", ["heartbeat", "release", "skip", "draft"])
@pytest.mark.parametrize("why", ["fence", "lease"])
def test_a_late_or_foreign_write_is_refused_and_changes_nothing(project, ana, write, why):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    fence = assignment.fence - 1 if why == "fence" else assignment.fence
    if why == "lease":
        pass_time(31 * 60, assignment)
    before = Assignment.objects.values().get()
    with pytest.raises(LeaseLost) as refused:
        if write == "heartbeat":
            review_queue.heartbeat(assignment=assignment, fence=fence)
        elif write == "release":
            review_queue.release(assignment=assignment, fence=fence)
        elif write == "skip":
            review_queue.skip(assignment=assignment, fence=fence, reason="not_my_field")
        else:
            drafts.save_draft(assignment=assignment, fence=fence, draft={}, draft_revision=0)
    assert refused.value.assignment.fence == before["fence"]
    assert Assignment.objects.values().get() == before


def test_expire_leases_frees_the_slot_for_others(project, ana, ben):
    queue, (item, _held) = queue_with(project, items=2)
    lapsed = claim(ana, queue)
    kept = claim(ben, queue)
    pass_time(31 * 60, lapsed)
    assert review_queue.expire_leases() == 1
    lapsed.refresh_from_db()
    kept.refresh_from_db()
    item.refresh_from_db()
    assert (lapsed.state, kept.state) == (State.EXPIRED, State.CLAIMED)
    assert (item.state, item.taken_count) == ("waiting", 0)
    assert claim(ben, queue).item == item


def test_ones_own_expired_claim_resumes_first_with_a_new_fence_and_its_draft(project, ana):
    queue, (item, _) = queue_with(project, items=2)
    lapsed = claim(ana, queue)
    drafts.save_draft(
        assignment=lapsed, fence=1, draft={"note": "half a thought"}, draft_revision=0
    )
    pass_time(31 * 60, lapsed)
    review_queue.expire_leases()
    ReviewItemFactory(queue=queue, priority=99)
    resumed = claim(ana, queue)
    assert (resumed.pk, resumed.item, resumed.fence) == (lapsed.pk, item, 2)
    assert resumed.draft == {"note": "half a thought"}
    item.refresh_from_db()
    assert item.state == "in_review"


def test_an_expired_claim_whose_slot_went_to_another_does_not_resume(project, ana, ben):
    queue, _ = queue_with(project)
    lapsed = claim(ana, queue)
    pass_time(31 * 60, lapsed)
    review_queue.expire_leases()
    claim(ben, queue)
    assert claim(ana, queue) is None
    with pytest.raises(LeaseLost):
        review_queue.resume(assignment=lapsed)


def test_resume_gives_a_lapsed_claim_a_new_fence_even_before_the_sweep(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    pass_time(31 * 60, assignment)
    resumed = review_queue.resume(assignment=assignment)
    assert (resumed.state, resumed.fence) == (State.CLAIMED, 2)
    with pytest.raises(LeaseLost):
        review_queue.heartbeat(assignment=assignment, fence=1)
    review_queue.heartbeat(assignment=resumed, fence=2)


def test_release_frees_the_slot_and_its_expert_may_resume(project, ana, ben):
    queue, [item] = queue_with(project)
    assignment = claim(ana, queue)
    review_queue.release(assignment=assignment, fence=1)
    item.refresh_from_db()
    assert (item.state, item.taken_count) == ("waiting", 0)
    assert claim(ana, queue).pk == assignment.pk


def test_a_revision_that_lapses_or_is_released_leaves_the_answer_as_it_was(project, ana, ben):
    queue, [item] = queue_with(project)
    annotation = judge(ana, queue)
    for give_up in (
        lambda open_again: review_queue.release(assignment=open_again, fence=open_again.fence),
        lambda open_again: (pass_time(31 * 60, open_again), review_queue.expire_leases()),
    ):
        open_again = annotating.revise(assignment=annotation.assignment)
        give_up(open_again)
        open_again.refresh_from_db()
        item.refresh_from_db()
        assert (open_again.state, item.state) == (State.SUBMITTED, "settled")
    assert claim(ben, queue) is None


# --- pass on --------------------------------------------------------------------------------------


def test_skip_not_my_field_moves_the_item_to_the_queue_for_that(project, ana):
    queue, [item] = queue_with(project)
    other = ReviewQueueFactory(project=project, overlap=2)
    queue.not_my_field_queue = other
    queue.save()
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="not_my_field")
    item.refresh_from_db()
    assert (item.queue, item.state, item.taken_count, item.overlap) == (other, "waiting", 0, 2)


def test_skip_not_my_field_dismisses_the_item_where_it_waits_in_the_other_queue_already(
    project, ana
):
    queue, [item] = queue_with(project)
    other = ReviewQueueFactory(project=project)
    twin = ReviewItemFactory(queue=other, interaction=item.interaction)
    queue.not_my_field_queue = other
    queue.save()
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="not_my_field")
    item.refresh_from_db()
    twin.refresh_from_db()
    assert (item.state, twin.state) == ("dismissed", "waiting")


def test_skip_not_my_field_leaves_the_item_to_another_expert_where_no_queue_is_named(
    project, ana, ben
):
    queue, [item] = queue_with(project)
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="not_my_field")
    item.refresh_from_db()
    assert (item.state, item.needs_discussion) == ("waiting", False)
    assert claim(ben, queue).item == item


def test_an_item_that_everybody_passed_on_goes_to_the_leads_list(project, ana):
    queue, [item] = queue_with(project)
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="not_my_field")
    item.refresh_from_db()
    assert item.needs_discussion
    assert list(ReviewItem.objects.for_lead()) == [item]


def test_skip_cannot_show_takes_the_item_out_of_the_queue_to_a_lead(project, ana, ben):
    queue, [item] = queue_with(project)
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="cannot_show", note="blank")
    assert claim(ben, queue) is None
    assert list(ReviewItem.objects.for_lead()) == [item]
    skipped = Assignment.objects.get()
    assert (skipped.state, skipped.skip_reason, skipped.skip_note) == (
        State.SKIPPED,
        "cannot_show",
        "blank",
    )


@pytest.mark.parametrize("reason", ["unclear_guideline", "needs_discussion"])
def test_skip_for_discussion_flags_the_item_and_leaves_it_to_others(project, ana, ben, reason):
    queue, [item] = queue_with(project)
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason=reason)
    assert list(ReviewItem.objects.for_lead()) == [item]
    assert claim(ben, queue).item == item


def test_skip_knows_only_its_reasons(project, ana):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    with pytest.raises(ValueError, match="bored"):
        review_queue.skip(assignment=assignment, fence=1, reason="bored")


def test_an_answer_being_revised_cannot_be_skipped(project, ana):
    queue, _ = queue_with(project)
    open_again = annotating.revise(assignment=judge(ana, queue).assignment)
    with pytest.raises(WrongState):
        review_queue.skip(assignment=open_again, fence=open_again.fence, reason="needs_discussion")


# --- a lead's word --------------------------------------------------------------------------------


def test_a_returned_judgement_counts_no_longer_and_comes_back_first(project, ana, ben):
    queue, (item, _) = queue_with(project, items=2)
    annotation = judge(ana, queue, note="too quick")
    returned = lead_decisions.return_assignment(
        assignment=annotation.assignment, by=ben, reason="Look at source 2."
    )
    item.refresh_from_db()
    annotation.refresh_from_db()
    assert (returned.state, returned.return_reason) == (State.RETURNED, "Look at source 2.")
    assert (item.state, annotation.is_current) == ("waiting", False)
    assert not item.settlements.filter(is_current=True).exists()
    again = claim(ana, queue)
    assert (again.item, again.draft["note"], again.fence) == (item, "too quick", 3)
    assert submit(again, revision=1).revision == 2


def test_what_is_in_nobodys_hands_cannot_be_returned(project, ana, ben):
    queue, _ = queue_with(project)
    assignment = claim(ana, queue)
    review_queue.release(assignment=assignment, fence=1)
    with pytest.raises(WrongState):
        lead_decisions.return_assignment(assignment=assignment, by=ben, reason="?")


def test_a_dismissed_item_leaves_the_queue_and_the_hands(project, ana, ben):
    queue, [item] = queue_with(project)
    assignment = claim(ana, queue)
    lead_decisions.dismiss_item(item=item, by=ben, reason="A test of ours.")
    assert claim(ben, queue) is None
    with pytest.raises(LeaseLost):
        review_queue.heartbeat(assignment=assignment, fence=assignment.fence)
    assert item.comments.get().text == "A test of ours."
    with pytest.raises(WrongState):
        lead_decisions.dismiss_item(item=item, by=ben, reason="again")


def test_a_reopened_item_waits_again_and_its_settlement_stands_no_longer(project, ana, ben):
    queue, [item] = queue_with(project)
    judge(ana, queue)
    item = lead_decisions.reopen_item(item=item, by=ben, reason="New guideline.")
    assert (item.state, item.taken_count, item.settled_at) == ("waiting", 0, None)
    assert not item.settlements.filter(is_current=True).exists()
    assert claim(ben, queue).item == item
    with pytest.raises(WrongState):
        lead_decisions.reopen_item(item=item, by=ben, reason="again")


def test_a_closed_discussion_leaves_the_leads_list(project, ana, ben):
    queue, [item] = queue_with(project)
    review_queue.skip(assignment=claim(ana, queue), fence=1, reason="needs_discussion")
    lead_decisions.close_discussion(item=item, by=ben, answer="Take the newer source.")
    assert not ReviewItem.objects.for_lead().exists()
    assert item.comments.get().author == ben
