"""The figures above the review screen, and the lists beside it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import queries, review_queue, settling
from annotation.models import Assignment, ReviewItem, Settlement
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import claim, judge, queue_with
from tests.factories import QueueMemberFactory, ReviewItemFactory, ReviewQueueFactory


@pytest.fixture
def anas(ana):
    return Membership.objects.get(user=ana)


def figures(membership, queue=None):
    return queries.header_figures(membership=membership, queue=queue)


def test_the_header_counts_what_is_left_for_me_and_for_all(project, ana, ben, anas):
    queue, items = queue_with(project, items=6, overlap=2, held_ahead=9)
    for _ in range(2):
        judge(ana, queue)  # begun: left for others
    judge(ben, queue)  # finishes the first
    claim(ana, queue)
    found = figures(anas)
    assert (found.mine_today, found.left_for_me, found.left_for_all) == (2, 3, 5)
    assert found.oldest_waiting_at == items[1].created_at


def test_the_header_speaks_of_the_queues_one_judges_in(project, ana, ben, anas):
    mine, _ = queue_with(project, items=2)
    QueueMemberFactory(queue=mine, user=ana)
    theirs = ReviewQueueFactory(project=project)
    QueueMemberFactory(queue=theirs, user=ben)
    ReviewItemFactory.create_batch(3, queue=theirs)
    everybodys = ReviewQueueFactory(project=project)
    ReviewItemFactory(queue=everybodys)
    assert figures(anas).left_for_all == 3
    assert figures(anas, mine).left_for_all == 2
    assert figures(anas, theirs).left_for_all == 0


def test_the_header_of_a_new_project_is_empty(project, anas):
    found = figures(anas)
    assert (found.mine_today, found.left_for_me, found.left_for_all) == (0, 0, 0)
    assert found.oldest_waiting_at is None


def test_counts_stop_at_the_limit(project, ana, anas, monkeypatch):
    monkeypatch.setattr(queries, "COUNT_LIMIT", 3)
    queue_with(project, items=5)
    assert (figures(anas).left_for_me, figures(anas).left_for_all) == (3, 3)


def test_the_header_costs_the_same_with_one_and_with_three_queues(project, ana, anas):
    queue_with(project)
    assert anas.user  # loaded by the page already
    with CaptureQueriesContext(
        connection,
    ) as one:
        figures(anas)
    for _ in range(2):
        ReviewItemFactory(queue=ReviewQueueFactory(project=project))
    with CaptureQueriesContext(connection) as three:
        figures(anas)
    assert len(one) == len(three) == 2


def test_a_persons_day_begins_at_their_own_midnight(project, ana, anas):
    queue, _ = queue_with(project)
    judge(ana, queue)
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    Assignment.objects.update(submitted_at=late)
    with time_machine.travel(late + timedelta(hours=1), tick=False):
        assert figures(anas).mine_today == 0
        anas.user.time_zone = "America/New_York"
        assert figures(anas).mine_today == 1
        anas.user.time_zone = "Nowhere/Land"
        assert figures(anas).mine_today == 0


def test_in_hand_shows_claimed_before_fetched_ahead_and_nothing_lapsed(project, ana):
    queue, _ = queue_with(project, items=4, held_ahead=4)
    lapsed = claim(ana, queue)
    claimed = claim(ana, queue)
    ahead = review_queue.reserve_ahead(project=project, expert=ana, queue=queue)
    Assignment.objects.filter(pk=lapsed.pk).update(lease_until=timezone.now())
    assert list(queries.in_hand(project=project, expert=ana)) == [claimed, *ahead]


def test_finished_work_is_listed_newest_first(project, ana, ben):
    queue, _ = queue_with(project, items=3)
    mine = [judge(ana, queue).assignment for _ in range(2)]
    judge(ben, queue)
    assert list(queries.finished_by(project=project, expert=ana)) == mine[::-1]


def test_a_lead_sees_what_needs_a_word_and_an_expert_that_of_their_queues(
    project, other_project, ana, ben, anas
):
    mine, [flagged, _] = queue_with(project, items=2)
    QueueMemberFactory(queue=mine, user=ana)
    theirs = ReviewQueueFactory(project=project)
    QueueMemberFactory(queue=theirs, user=ben)
    disputed = ReviewItemFactory(queue=theirs, state="disputed")
    ReviewItem.objects.filter(pk=flagged.pk).update(needs_discussion=True)
    ReviewItemFactory(queue=mine, state="dismissed", needs_discussion=True)
    ReviewItemFactory(queue__project=other_project, state="disputed")
    bens = Membership.objects.get(user=ben)
    assert list(queries.waiting_for_lead(bens)) == [disputed, flagged]
    assert list(queries.waiting_for_lead(anas)) == [flagged]


# --- one's own agreement ----------------------------------------------------------------------------


def agreement(user):
    cache.clear()
    return queries.agreement_of(user.membership_set.get())


def test_own_agreement_is_with_what_others_had_a_say_in(ana, ben, project):
    queue, _items = queue_with(project, items=6, overlap=2, held_ahead=9)
    for said in ("wrong", "wrong", "wrong", "wrong", "partly"):
        judge(ana, queue, said)
        judge(ben, queue, "wrong")
    for item in ReviewItem.objects.filter(state="disputed"):
        settling.decide_dispute(
            item=item, by=ben, verdict="wrong", severity="medium", reason="The law"
        )
    Settlement.objects.update(takes_effect_at=timezone.now())
    assert agreement(ana) == queries.OwnAgreement(4, 5)
    assert agreement(ana).share == 0.8
    assert agreement(ben) == queries.OwnAgreement(4, 4)  # but for what he decided himself


def test_own_agreement_is_silent_while_few_are_compared(ana, project):
    queue, _items = queue_with(project, items=6, held_ahead=9)
    for _ in range(6):
        judge(ana, queue)  # nobody else had a say
    assert agreement(ana) == queries.OwnAgreement(0, 0)
    assert agreement(ana).share is None
