"""What a queue asks of the items that come in, and of the people who judge them."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from annotation import annotating, intake, queue_rules, reordering, review_queue, tasks
from annotation.models import Assignment, ReviewItem, ReviewQueue
from annotation.queues import save_queue
from annotation.refusals import ClaimRefused
from tests.annotation.agreement.test_agreement_page import judged
from tests.annotation.desk import claim, judge, queue_with, submit
from tests.cast import _member
from tests.factories import InteractionFactory, QueueMemberFactory


def come_in(queue, number=1, **fields):
    """New items of the queue, in the order in which they came."""
    items = []
    for _ in range(number):
        interaction = InteractionFactory(project=queue.project)
        item_id, _is_new = intake.admit(interaction=interaction, queue=queue, reason="x", **fields)
        items.append(ReviewItem.objects.get(pk=item_id))
    return items


def test_a_share_of_items_gets_the_overlap_and_a_larger_share_holds_the_smaller(project):
    queue, _ = queue_with(project, items=0, overlap=3)
    answers = InteractionFactory.build_batch(400, project=project)
    shared = {}
    for percent in (0, 20, 50, 100):
        queue.overlap_percent = percent
        numbers = [queue_rules.overlap_for(queue, answer) for answer in answers]
        assert set(numbers) <= {1, 3}
        shared[percent] = {a.external_id for a, n in zip(answers, numbers, strict=True) if n == 3}
    assert shared[0] < shared[20] < shared[50] < shared[100]
    assert 50 < len(shared[20]) < 110
    assert queue_rules.overlap_for(queue, answers[0]) == queue_rules.overlap_for(queue, answers[0])


def test_an_item_keeps_the_number_it_came_with(project):
    queue, _ = queue_with(project, items=0, overlap=3, overlap_percent=0)
    (item,) = come_in(queue)
    assert item.overlap == 1


def test_named_reviewers_all_have_to_finish(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=1, everybody_judges=True)
    for user in (ana, ben):
        QueueMemberFactory(queue=queue, user=user)
    (item,) = come_in(queue)
    judge(ana, queue)
    item.refresh_from_db()
    assert (item.overlap, item.state) == (2, "waiting")
    judge(ben, queue)
    item.refresh_from_db()
    assert item.state == "settled"
    gus = _member(project, "Gus", "expert")
    with pytest.raises(ClaimRefused):
        claim(gus, queue)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("priority", [2, 1, 0]),
        ("oldest", [0, 1, 2]),
        ("severity", [1, 0, 2]),
    ],
)
def test_items_are_handed_out_in_the_queues_order(project, ana, order, expected):
    queue, _ = queue_with(project, items=0, order=order, held_ahead=3)
    came = [
        *come_in(queue, priority=1, severity="low"),
        *come_in(queue, priority=2, severity="high"),
        *come_in(queue, priority=3),
    ]
    assert [came.index(claim(ana, queue).item) for _ in came] == expected


def test_what_is_urgent_comes_first_in_every_order(project, ana):
    queue, _ = queue_with(project, items=0, order="oldest")
    come_in(queue)
    (urgent,) = come_in(queue, priority=queue_rules.FIRST_IN_LINE)
    assert claim(ana, queue).item == urgent


# --- a changed order ------------------------------------------------------------------------------


def in_three_places(queue):
    """By priority 2 1 0, by age 0 1 2, by claimed severity 1 0 2; the last is urgent."""
    return [
        *come_in(queue, priority=1, severity="low"),
        *come_in(queue, priority=2, severity="high"),
        *come_in(queue, priority=3),
        *come_in(queue, priority=queue_rules.FIRST_IN_LINE),
    ]


def handed_out(queue, came):
    line = queue.items.waiting().order_by("-priority", "pk")
    return [came.index(item) for item in line]


def order_by(queue, order):
    """As the page does it, and the doorbell after it."""
    queue.order = order
    save_queue(queue=queue, members=[])
    tasks.reorder_queue(queue_id=queue.pk)


@pytest.mark.parametrize("before", ["priority", "oldest", "severity"])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("priority", [3, 2, 1, 0]),
        ("oldest", [3, 0, 1, 2]),
        ("severity", [3, 1, 0, 2]),
    ],
)
def test_items_that_wait_already_follow_a_changed_order(project, before, order, expected):
    queue, _ = queue_with(project, items=0, order=before)
    came = in_three_places(queue)
    order_by(queue, order)
    assert handed_out(queue, came) == expected


def test_what_was_urgent_before_anybody_wrote_down_what_was_asked_stays_first(project):
    queue, _ = queue_with(project, items=0)
    came = in_three_places(queue)
    queue.items.update(asked_priority=0)
    order_by(queue, "oldest")
    assert handed_out(queue, came) == [3, 0, 1, 2]


def test_a_changed_order_is_a_duty_until_a_look_finds_nothing_out_of_place(project, monkeypatch):
    monkeypatch.setattr(reordering, "AT_ONCE", 2)
    queue, _ = queue_with(project, items=0)
    came = in_three_places(queue)
    queue.order = "severity"
    save_queue(queue=queue, members=[])
    stale = ReviewQueue.objects.get(pk=queue.pk)
    assert (stale.is_reordering, handed_out(queue, came)) == (True, [3, 2, 1, 0])
    assert [reordering.finish_reordering() for _ in range(3)] == [3, 0, 0]
    queue.refresh_from_db()
    assert (queue.is_reordering, handed_out(queue, came)) == (False, [3, 1, 0, 2])


def test_saving_a_queue_again_does_not_forget_its_reordering(project):
    queue, _ = queue_with(project, items=0)
    stale = ReviewQueue.objects.get(pk=queue.pk)
    order_by(queue, "oldest")
    stale.order = "oldest"
    save_queue(queue=stale, members=[])
    assert ReviewQueue.objects.get(pk=queue.pk).is_reordering


def test_what_is_in_hand_keeps_its_owner_and_finds_its_place_when_it_comes_back(project, ana):
    queue, _ = queue_with(project, items=0)
    came = in_three_places(queue)
    claim(ana, queue)
    held = claim(ana, queue)
    assert held.item == came[2]
    order_by(queue, "oldest")
    review_queue.release(assignment=held, fence=held.fence)
    assert handed_out(queue, came) == [0, 1, 2]


def test_what_is_passed_on_stands_where_the_other_queue_would_put_it(project, ana):
    other, _ = queue_with(project, items=0, order="severity")
    queue, _ = queue_with(project, items=0, order="oldest", not_my_field_queue=other)
    (item,) = come_in(queue, priority=7, severity="high")
    held = claim(ana, queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="not_my_field")
    item.refresh_from_db()
    assert (item.queue, item.priority) == (other, 30)


def test_the_form_says_that_what_waits_follows(project, ben, as_user):
    queue, _ = queue_with(project, items=0)
    page = as_user(ben).get(reverse("settings_queue", args=["tax-help", queue.public_id]))
    assert "Items that wait already follow" in page.content.decode()


def test_an_item_is_due_by_the_earlier_of_rule_and_queue(project):
    queue, _ = queue_with(project, items=0, due_hours=8)
    now = timezone.now()
    (own,) = come_in(queue, due_at=now + timedelta(hours=100))
    (rules,) = come_in(queue, due_at=now + timedelta(hours=1))
    assert timedelta(hours=7) < own.due_at - now < timedelta(hours=9)
    assert rules.due_at == now + timedelta(hours=1)


def test_a_daily_cap_is_said_and_is_gone_the_next_day(project, ana, ben):
    queue, _ = queue_with(project, items=4, daily_cap=2)
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        judge(ana, queue)
        judge(ana, queue)
        with pytest.raises(ClaimRefused) as refusal:
            claim(ana, queue)
        assert refusal.value.reason == "done_for_today"
        assert review_queue.reserve_ahead(project=project, expert=ana, queue=queue) == []
        assert claim(ben, queue)
    with time_machine.travel("2026-11-21T00:30:00Z", tick=False):
        assert claim(ana, queue)


def test_what_is_fetched_ahead_counts_for_the_day(as_user, project, ana):
    queue, _ = queue_with(project, items=6, daily_cap=3, held_ahead=3, name="Tax", slug="tax")
    client = as_user(ana)
    for _ in range(3):
        held = claim(ana, queue)
        client.post("/p/tax-help/review/ahead/", {"here": str(held.public_id)})
        submit(held)
    with pytest.raises(ClaimRefused) as refused:
        claim(ana, queue)
    assert refused.value.reason == "done_for_today"
    assert Assignment.objects.filter(expert=ana).count() == 3


def test_who_holds_the_last_of_the_day_is_told_to_finish_it(project, ana):
    queue, _ = queue_with(project, items=3, daily_cap=2, held_ahead=3)
    judge(ana, queue)
    claim(ana, queue)
    with pytest.raises(ClaimRefused) as refusal:
        claim(ana, queue)
    assert refusal.value.reason == "holds_enough"


def test_a_revision_of_yesterdays_answer_is_none_of_todays(project, ana):
    queue, _ = queue_with(project, items=3, daily_cap=1)
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        held = claim(ana, queue)
        submit(held)
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        again = annotating.revise(assignment=held)
        submit(again, "partly", revision=1)
        assert judge(ana, queue)
        with pytest.raises(ClaimRefused):
            claim(ana, queue)


def test_the_cap_of_one_queue_leaves_the_others_open(project, ana):
    capped, _ = queue_with(project, items=2, daily_cap=1)
    free, _ = queue_with(project, items=2)
    judge(ana, capped)
    assert review_queue.claim_next(project=project, expert=ana).item.queue == free


# --- low agreement --------------------------------------------------------------------------------


def shared(queue, ana, ben, *, agree, differ):
    right, wrong = ("correct", "none"), ("wrong", "medium")
    for number in range(agree):
        both = right if number % 2 else wrong
        judged(queue, {ana: both, ben: both})
    for _ in range(differ):
        judged(queue, {ana: right, ben: wrong})


def watched(queue):
    queue_rules.watch_agreement()
    queue.refresh_from_db()
    return queue.has_extra_reviewer


@pytest.mark.parametrize(
    ("agree", "differ", "below", "expected"),
    [
        (10, 10, 0.667, True),
        (20, 0, 0.667, False),
        (9, 10, 0.667, False),  # nineteen say nothing yet
        (10, 10, None, False),
        (16, 4, 0.5, False),
        (16, 4, 0.667, True),
    ],
)
def test_low_alpha_adds_a_reviewer_where_the_queue_says_so(
    project, ana, ben, agree, differ, below, expected
):
    _member(project, "Gus", "expert")
    queue, _ = queue_with(project, items=0, overlap=2, adds_reviewer_below=below)
    shared(queue, ana, ben, agree=agree, differ=differ)
    assert watched(queue) is expected
    (item,) = come_in(queue)
    assert item.overlap == (3 if expected else 2)


def test_the_added_reviewer_goes_again_when_agreement_is_good(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=2, adds_reviewer_below=0.667)
    queue.has_extra_reviewer = True
    queue.save()
    shared(queue, ana, ben, agree=20, differ=0)
    assert watched(queue) is False


def test_agreement_is_looked_at_once_an_hour(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=2, adds_reviewer_below=0.667)
    assert watched(queue) is False
    shared(queue, ana, ben, agree=10, differ=10)
    assert watched(queue) is False
    ReviewQueue.objects.update(alpha_at=timezone.now() - timedelta(minutes=61))
    assert watched(queue) is True


def test_not_my_field_brings_the_other_queues_number_of_experts(project, ana):
    other, _ = queue_with(project, items=0, overlap=3, overlap_percent=0)
    queue, (item,) = queue_with(project, overlap=1, not_my_field_queue=other)
    held = claim(ana, queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="not_my_field")
    item.refresh_from_db()
    assert (item.queue, item.overlap) == (other, 1)


def test_low_alpha_speaks_from_as_many_items_as_the_queue_says(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=2, adds_reviewer_below=0.667, agreement_items=5)
    shared(queue, ana, ben, agree=2, differ=3)
    assert watched(queue) is True


def test_an_added_reviewer_needs_somebody_who_is_named(project, ana, ben):
    queue, _ = queue_with(project, items=0, overlap=2, has_extra_reviewer=True)
    for user in (ana, ben):
        QueueMemberFactory(queue=queue, user=user)
    (item,) = come_in(queue)
    assert item.overlap == 2
    QueueMemberFactory(queue=queue, user=_member(project, "Gus", "expert"))
    (item,) = come_in(queue)
    assert item.overlap == 3


def test_where_all_named_judge_low_agreement_adds_nobody(project, ana, ben):
    queue, _ = queue_with(project, items=0, everybody_judges=True, has_extra_reviewer=True)
    for user in (ana, ben):
        QueueMemberFactory(queue=queue, user=user)
    (item,) = come_in(queue)
    assert item.overlap == 2


# --- named reviewers change -----------------------------------------------------------------------


@pytest.fixture
def _items_follow_at_once(monkeypatch):
    monkeypatch.setattr("annotation.queues.ring_together", lambda task: task())


@pytest.fixture
def named(project, ana, ben, _items_follow_at_once):
    """A queue where Ana and Ben judge each item; one is judged by Ana, one is fresh."""
    queue, _ = queue_with(project, items=0, everybody_judges=True)
    save_queue(queue=queue, members=[ana, ben])
    come_in(queue, 2)
    judge(ana, queue)
    return queue


def overlaps(queue):
    return list(queue.items.order_by("pk").values_list("state", "overlap", "taken_count"))


def test_a_named_reviewer_more_judges_the_open_items_too(project, ana, ben, named):
    gus = _member(project, "Gus", "expert")
    save_queue(queue=named, members=[ana, ben, gus])
    assert overlaps(named) == [("waiting", 3, 1), ("waiting", 3, 0)]
    judge(gus, named)
    judge(ben, named)
    assert overlaps(named)[0] == ("settled", 3, 3)


def test_an_item_that_waited_only_for_somebody_who_left_is_settled(ana, ben, named):
    save_queue(queue=named, members=[ana])
    assert overlaps(named) == [("settled", 1, 1), ("waiting", 1, 0)]


def test_what_somebody_judged_before_they_left_still_counts(ana, ben, named):
    save_queue(queue=named, members=[ben])
    assert overlaps(named) == [("waiting", 2, 1), ("waiting", 1, 0)]
    judge(ben, named)
    assert overlaps(named)[0] == ("settled", 2, 2)


# --- open queues ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_blind", [True, False])
def test_only_an_open_queue_shows_what_others_said_before(project, ana, ben, as_user, is_blind):
    queue, _ = queue_with(project, overlap=2, is_blind=is_blind)
    judge(ana, queue, note="Look at the date.", categories=["outdated"])
    held = claim(ben, queue)
    page = as_user(ben).get(reverse("review_context", args=["tax-help", held.public_id]))
    assert ("Look at the date." in page.content.decode()) is not is_blind
