"""A filtered list becomes a stream: exactly the items that the person may judge, in the list's order."""

import pytest
from django.contrib.postgres.search import SearchVector
from django.db import connection
from django.db.models import Value
from django.test.utils import CaptureQueriesContext

from annotation import review_queue, selections
from annotation.models import Assignment, QueueMember, ReviewItem, ReviewSelection
from annotation.refusals import ClaimRefused
from feedbackhub.capture.models import InteractionText
from tests.annotation.desk import at_once, claim, queue_with, submit
from tests.annotation.test_calibration import known_cases
from tests.factories import FeedbackEventFactory, MembershipFactory, ReviewItemFactory

LIST = "/p/tax-help/items/"


@pytest.fixture
def queue(project):
    return queue_with(project, items=4, name="Tax", slug="tax", held_ahead=3)[0]


@pytest.fixture
def items(queue):
    return list(ReviewItem.objects.filter(queue=queue).order_by("pk"))


def membership_of(user, project):
    return user.membership_set.get(project=project)


def select(user, project, found=None):
    found = ReviewItem.objects.all() if found is None else found
    return selections.select_items(
        membership=membership_of(user, project), items=found.order_by("-pk")
    )


def hand_out(user, selection):
    """Claim and submit until nothing comes; the items in the order in which they came."""
    handed = []
    while taken := review_queue.claim_next(
        project=selection.project, expert=user, items=selection.item_ids
    ):
        submit(taken)
        handed.append(taken.item)
    return handed


# --- what is in it --------------------------------------------------------------------------------


def test_review_these_takes_what_the_filters_find_in_the_order_of_the_list(
    as_user, ben, project, queue, items
):
    for item in (items[0], items[2]):
        FeedbackEventFactory(interaction=item.interaction, category="outdated")
    client = as_user(ben)
    page = client.get(f"{LIST}?category=outdated&order=oldest")
    assert "Review these" in page.content.decode()
    answer = client.post(f"{LIST}review-these/?category=outdated&order=oldest")
    selection = ReviewSelection.objects.get()
    assert answer.url == f"/p/tax-help/review/?selection={selection.public_id}"
    assert selection.item_ids == [items[0].pk, items[2].pk]


def test_words_find_items_by_what_was_asked_or_answered(as_user, ben, project, queue, items):
    about_it = items[1]
    InteractionText.objects.create(
        project=project,
        interaction=about_it.interaction,
        search=SearchVector(Value("what about my kayak"), config="simple"),
    )
    page = as_user(ben).get(f"{LIST}?q=kayak")
    assert [item for item, _ in page.context["rows"]] == [about_it]


def test_selection_leaves_out_what_the_person_may_not_judge(project, ana, ben, queue, items):
    _closed, _ = queue_with(project, slug="closed", is_open=False)
    others, _ = queue_with(project, slug="others")
    QueueMember.objects.create(project=project, queue=others, user=ben)
    ReviewItemFactory(queue=queue, purpose="calibration")
    submit(claim(ana, queue))  # done by her
    claim(ben, queue)  # in his hands
    chosen = select(ana, project)
    assert chosen.item_ids == [items[3].pk, items[2].pk]


def test_review_these_of_nothing_says_so_and_stays(as_user, ana, ben, project, queue):
    ReviewItem.objects.update(state="dismissed")
    answer = as_user(ben).post(f"{LIST}review-these/?queue=tax", follow=True)
    assert "None of these waits for you" in answer.content.decode()
    assert not ReviewSelection.objects.exists()


def test_next_selection_replaces_the_one_before(project, ana, queue, items):
    first = select(ana, project)
    second = select(ana, project, ReviewItem.objects.filter(pk=items[0].pk))
    assert ReviewSelection.objects.get() == second
    assert second.public_id != first.public_id


# --- what it hands out ----------------------------------------------------------------------------


def test_stream_hands_out_its_items_in_its_order_and_nothing_else(project, ana, queue, items):
    ReviewItemFactory.create_batch(2, queue=queue, priority=100)
    selection = select(ana, project, ReviewItem.objects.filter(priority=0))
    assert hand_out(ana, selection) == items[::-1]


def test_stream_skips_what_a_colleague_took_meanwhile(project, ana, ben, queue, items):
    selection = select(ana, project)
    review_queue.claim_next(project=project, expert=ben, items=[items[2].pk])
    assert hand_out(ana, selection) == [items[3], items[1], items[0]]


def test_stream_keeps_the_daily_cap_and_says_so(project, ana, queue):
    queue.daily_cap = 1
    queue.save()
    selection = select(ana, project)
    with pytest.raises(ClaimRefused) as refusal:
        hand_out(ana, selection)
    assert refusal.value.reason == "done_for_today"


def test_stream_gives_back_what_was_fetched_ahead_from_elsewhere(project, ana, queue, items):
    ahead = review_queue.reserve_ahead(project=project, expert=ana, count=2)
    select(ana, project, ReviewItem.objects.filter(pk__in=[items[1].pk, items[3].pk]))
    states = {each.item_id: Assignment.objects.get(pk=each.pk).state for each in ahead}
    assert states == {items[0].pk: "expired", items[1].pk: "reserved"}


def test_what_came_back_of_a_selection_comes_again(project, ana, queue, items):
    selection = select(ana, project, ReviewItem.objects.filter(pk=items[1].pk))
    taken = review_queue.claim_next(project=project, expert=ana, items=selection.item_ids)
    review_queue.release(assignment=taken, fence=taken.fence)
    assert hand_out(ana, selection) == [items[1]]


@pytest.mark.django_db(transaction=True)
def test_two_with_the_same_selection_share_it_without_doubles(project, ana, ben, queue, items):
    ids = [item.pk for item in items]

    def work(user):
        handed = []
        while taken := review_queue.claim_next(project=project, expert=user, items=ids):
            submit(taken)
            handed.append(taken.item_id)
        return handed

    shares = at_once(lambda: work(ana), lambda: work(ben))
    assert sorted(shares[0] + shares[1]) == ids


# --- on the screen --------------------------------------------------------------------------------


def test_screen_says_the_place_and_the_way_out(as_user, ana, project, queue):
    selection = select(ana, project)
    client = as_user(ana)
    page = client.get(f"/p/tax-help/review/?selection={selection.public_id}", follow=True)
    text = page.content.decode()
    assert "1 of 4" in text and "Leave it" in text
    assert f"submit/?selection={selection.public_id}" in text
    ahead = client.post(
        f"/p/tax-help/review/ahead/?selection={selection.public_id}",
        {"here": Assignment.objects.get().public_id},
    )
    assert [each.item_id for each in ahead.context["ahead"]] == selection.item_ids[1:3]


def test_screen_says_when_the_selection_is_done(as_user, ana, project, queue):
    selection = select(ana, project)
    hand_out(ana, selection)
    page = as_user(ana).get(f"/p/tax-help/review/?selection={selection.public_id}")
    assert "Your selection is done" in page.content.decode()


def test_screen_with_a_selection_that_was_replaced_goes_on_with_the_queues(
    as_user, ana, project, queue
):
    before = select(ana, project)
    select(ana, project)
    page = as_user(ana).get(f"/p/tax-help/review/?selection={before.public_id}")
    assert page.url.endswith(f"/review/{Assignment.objects.get().public_id}/")


def test_selection_of_somebody_else_is_none(as_user, ana, ben, project, queue):
    his = select(ben, project)
    page = as_user(ana).get(f"/p/tax-help/review/?selection={his.public_id}")
    assert "selection" not in page.url


def test_selection_costs_the_same_queries_for_one_item_and_for_three(
    as_user, ana, project, queue, items
):
    MembershipFactory(project=project)
    client = as_user(ana)
    counts = []
    for some in (items[:1], items[:3]):
        found = ReviewItem.objects.filter(pk__in=[item.pk for item in some])
        selection = select(ana, project, found)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"/p/tax-help/review/?selection={selection.public_id}")
        counts.append(len(queries))
        Assignment.objects.all().delete()
        ReviewItem.objects.update(state="waiting", taken_count=0)
    assert counts[0] == counts[1]


# --- known cases first ----------------------------------------------------------------------------


def test_a_newcomer_judges_the_known_cases_of_the_queue_before_a_stream(
    as_user, project, ana, ben, queue
):
    known_cases(project, ben, 2)
    type(queue).objects.update(onboarding_count=2, calibration_percent=50)
    selection = select(ana, project, ReviewItem.objects.filter(queue=queue))
    for _ in range(2):
        with pytest.raises(ClaimRefused) as refused:
            review_queue.claim_next(project=project, expert=ana, items=selection.item_ids)
        assert refused.value.reason == "new_here"
        assert submit(claim(ana, queue)).item.purpose == "calibration"
    address = f"/p/tax-help/review/?selection={selection.public_id}"
    assert "You are new in" not in as_user(ana).get(address, follow=True).content.decode()
    in_hand = Assignment.objects.get(expert=ana, state="claimed")
    review_queue.release(assignment=in_hand, fence=in_hand.fence)
    assert len(hand_out(ana, selection)) == 4


def test_a_stream_says_what_a_newcomer_does_first(as_user, project, ana, ben, queue):
    known_cases(project, ben, 1)
    type(queue).objects.update(onboarding_count=1)
    selection = select(ana, project, ReviewItem.objects.filter(queue=queue))
    page = as_user(ana).get(f"/p/tax-help/review/?selection={selection.public_id}")
    assert "You are new in Tax" in page.content.decode()
