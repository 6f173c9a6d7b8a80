"""Rule 3 under real threads on a real PostgreSQL: never more than `overlap` at one item, none lost, nobody twice."""

import threading
import time
from collections import Counter
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from annotation import annotating, lead_decisions, pausing, reordering, review_queue
from annotation.models import Annotation, Assignment, ReviewItem, ReviewQueue
from annotation.refusals import ClaimRefused, Refusal, StaleSubmit, UndoIsOver
from feedbackhub.outbox import delivery
from feedbackhub.outbox.models import OutboxEvent, OutboxEventQuerySet
from tests.annotation.desk import at_once, claim, queue_with, submit
from tests.factories import AssignmentFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def experts_of(project, count):
    people = UserFactory.create_batch(count)
    for person in people:
        MembershipFactory(project=project, user=person, roles=["expert"])
    return people


@pytest.mark.parametrize("overlap", [1, 2])
def test_eight_threads_claim_and_submit_every_slot_exactly_once(project, overlap):
    experts = experts_of(project, 8)
    queue, items = queue_with(project, items=40, overlap=overlap)

    def work(expert):
        claims = []
        while assignment := claim(expert, queue):
            claims.append(assignment.item_id)
            submit(assignment, "correct", "none")
        return claims

    claims = at_once(*(lambda expert=expert: work(expert) for expert in experts))
    for mine in claims:
        assert len(mine) == len(set(mine))
    assert Counter(item for mine in claims for item in mine) == {item.pk: overlap for item in items}
    assert Annotation.objects.current().count() == 40 * overlap
    assert set(ReviewItem.objects.values_list("state", "taken_count")) == {("settled", overlap)}


def test_a_queue_is_put_in_another_order_while_eight_threads_claim(project, monkeypatch):
    monkeypatch.setattr(reordering, "AT_ONCE", 7)
    experts = experts_of(project, 8)
    queue, items = queue_with(project, items=60, order="priority")
    for place, item in enumerate(items):
        ReviewItem.objects.filter(pk=item.pk).update(priority=place, asked_priority=place)
    ReviewQueue.objects.filter(pk=queue.pk).update(order="oldest", is_reordering=True)

    def work(expert):
        claims = []
        while assignment := claim(expert, queue):
            claims.append(assignment.item_id)
            submit(assignment, "correct", "none")
        return claims

    reorder = partial(reordering.reorder, queue_id=queue.pk)
    *claims, moved, again = at_once(
        *(lambda expert=expert: work(expert) for expert in experts), reorder, reorder
    )
    claimed = [item for mine in claims for item in mine]
    assert sorted(claimed) == [item.pk for item in items]
    assert moved + again > 0
    assert Annotation.objects.current().count() == 60


def test_two_windows_of_one_expert_hold_no_more_than_is_allowed(project):
    [expert] = experts_of(project, 1)
    queue, _ = queue_with(project, items=10, held_ahead=3)
    outcomes = at_once(*[lambda: claim(expert, queue)] * 8)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ClaimRefused)]
    assert (len(refused), Assignment.objects.count()) == (5, 3)


def test_the_last_item_goes_to_one_of_many(project):
    experts = experts_of(project, 8)
    queue, [item] = queue_with(project)
    outcomes = at_once(*(lambda e=expert: claim(e, queue) for expert in experts))
    assert [outcome.item for outcome in outcomes if outcome] == [item]


def test_a_claim_does_not_stand_in_line_behind_somebody_elses(project):
    [expert] = experts_of(project, 1)
    queue, (first, second) = queue_with(project, items=2)
    with transaction.atomic():
        ReviewItem.objects.select_for_update().get(pk=first.pk)
        [assignment] = at_once(lambda: claim(expert, queue))
    assert assignment.item == second


def test_claims_and_expiries_side_by_side_keep_slots_and_counts_together(project):
    experts = experts_of(project, 6)
    queue, _ = queue_with(project, items=12, overlap=2, held_ahead=10)

    def take_and_drop(expert):
        for turn in range(12):
            assignment = claim(expert, queue)
            if assignment and turn % 2:
                review_queue.release(assignment=assignment, fence=assignment.fence)

    outcomes = at_once(
        *(lambda e=expert: take_and_drop(e) for expert in experts),
        lambda: [review_queue.expire_leases() for _ in range(20)],
    )
    assert [
        o for o in outcomes if isinstance(o, Exception) and not isinstance(o, ClaimRefused)
    ] == []
    live = Count("assignments", filter=Q(assignments__state__in=Assignment.LIVE_STATES))
    for item in ReviewItem.objects.annotate(live=live):
        assert item.taken_count == item.live <= 2
        assert item.state == ("in_review" if item.live == 2 else "waiting")


def test_overlap_holds_while_one_is_paused_one_lease_expires_and_a_lead_sends_work_back(
    project, ben
):
    """Twelve experts at 24 items of three voices each. Asked of the tables at the end: rules 3 and 4."""
    experts = experts_of(project, 12)
    queue, _items = queue_with(project, items=24, overlap=3, held_ahead=10)
    paused, slow, *others = experts
    lost = claim(slow, queue)
    Assignment.objects.filter(pk=lost.pk).update(lease_until=timezone.now())
    is_paused, sent_back = threading.Event(), []

    def work(expert):
        for _ in range(200):
            try:
                assignment = claim(expert, queue)
            except ClaimRefused:
                return
            if assignment is None:
                return
            before = assignment.annotations.count()  # one when a lead sent it back
            submit(assignment, "correct", "none", revision=before)

    def pause():
        pausing.pause_expert(queue=queue, user=paused, by=ben, reason="Rest.")
        is_paused.set()

    def send_back():
        while len(sent_back) < 3:
            done = Assignment.objects.filter(item__queue=queue, state="submitted")
            found = done.exclude(pk__in=sent_back).exclude(expert=paused).first()
            if found is None:
                continue
            try:
                lead_decisions.return_assignment(assignment=found, by=ben, reason="Once more.")
            except Refusal:
                continue
            sent_back.append(found.pk)

    outcomes = at_once(
        *(lambda e=expert: work(e) for expert in experts),
        pause,
        send_back,
        review_queue.expire_leases,
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    with pytest.raises(StaleSubmit):
        submit(lost, "correct", "none")
    with pytest.raises(ClaimRefused):
        claim(paused, queue)
    review_queue.expire_leases()  # the sweep passes by an item that somebody holds at that instant
    for expert in (*others, slow):  # what was sent back or came free after they stopped
        work(expert)
    assert (is_paused.is_set(), len(sent_back)) == (True, 3)

    live = Count("assignments", filter=Q(assignments__state__in=Assignment.LIVE_STATES))
    voices = Count("annotations", filter=Q(annotations__is_current=True), distinct=True)
    for item in ReviewItem.objects.annotate(live=live):
        assert item.taken_count == item.live == 3
    assert set(ReviewItem.objects.annotate(voices=voices).values_list("state", "voices")) == {
        ("settled", 3)
    }
    twice = Annotation.objects.current().values("item", "expert").annotate(n=Count("pk"))
    assert not twice.filter(n__gt=1).exists()
    for assignment in Assignment.objects.prefetch_related("annotations"):
        revisions = sorted(each.revision for each in assignment.annotations.all())
        assert revisions == list(range(1, len(revisions) + 1))
    repeated = Annotation.objects.values("assignment", "submit_key").annotate(n=Count("pk"))
    assert not repeated.filter(n__gt=1).exists()


def test_the_database_refuses_a_second_expert_on_one_slot_and_one_expert_twice(project):
    _queue, [item] = queue_with(project, overlap=2)
    first = AssignmentFactory(item=item, slot=1)
    for twin in ({"slot": 1}, {"slot": 2, "expert": first.expert}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AssignmentFactory(item=item, **twin)


def test_a_submit_sent_twice_at_once_is_kept_once(project):
    [expert] = experts_of(project, 1)
    queue, _ = queue_with(project)
    assignment = claim(expert, queue)
    outcomes = at_once(*[lambda: submit(assignment, key="one-submit")] * 6)
    assert {outcome.pk for outcome in outcomes} == {Annotation.objects.get().pk}
    assert sorted(outcome.is_repeat for outcome in outcomes) == [False] + [True] * 5
    assert OutboxEvent.objects.filter(kind="item_settled").count() == 1


def test_two_submits_of_one_assignment_at_once_keep_one_and_show_it_to_the_other(project):
    [expert] = experts_of(project, 1)
    queue, _ = queue_with(project)
    assignment = claim(expert, queue)
    outcomes = at_once(
        lambda: submit(assignment, key="a", note="a"), lambda: submit(assignment, key="b", note="b")
    )
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, StaleSubmit)]
    kept = Annotation.objects.get()
    assert {refused.yours["note"], refused.kept["note"]} == {"a", "b"}
    assert refused.kept["note"] == kept.note


def test_two_experts_who_finish_an_item_at_once_settle_it_once(project):
    for _ in range(5):
        experts = experts_of(project, 2)
        queue, [item] = queue_with(project, overlap=2)
        mine, yours = (claim(expert, queue) for expert in experts)
        outcomes = at_once(lambda m=mine: submit(m), lambda y=yours: submit(y))
        assert not any(isinstance(outcome, Exception) for outcome in outcomes)
        settlement = item.settlements.get(is_current=True)
        assert (settlement.annotation_count, settlement.agreement) == (2, 1.0)


class Listener:
    """Hears of harm; `before_hearing` runs while the worker has the news in hand."""

    def __init__(self):
        self.heard = []
        self.is_awake = False
        self.before_hearing = lambda: None

    def __call__(self, event):
        self.before_hearing()
        self.heard.append(event.about["annotation_id"])


@pytest.fixture
def listener(monkeypatch):
    """The only one who hears. Its worker's clock runs ahead: news is due while it could be undone."""
    listener = Listener()
    monkeypatch.setitem(delivery._consumers, "harm_found", [listener])
    monkeypatch.setitem(delivery._consumers, "item_settled", [])
    monkeypatch.setattr(
        OutboxEventQuerySet,
        "due",
        lambda events: events.filter(delivered_at=None) if listener.is_awake else events.none(),
    )
    return listener


def harmful_submit(project, listener):
    listener.is_awake = False
    [expert] = experts_of(project, 1)
    queue, _ = queue_with(project)
    annotation = submit(claim(expert, queue), "harmful", "critical")
    annotation.assignment.refresh_from_db()
    listener.is_awake = True
    return annotation


def undo(annotation):
    return annotating.undo_submit(
        assignment=annotation.assignment, fence=annotation.assignment.fence
    )


def test_an_undo_waits_for_the_worker_that_has_the_news_in_hand_and_then_is_too_late(
    project, listener
):
    annotation = harmful_submit(project, listener)
    in_hand, outcome, meanwhile = threading.Event(), [], []

    def wait_for_the_undo():
        in_hand.set()
        time.sleep(0.5)
        meanwhile.extend(outcome)

    listener.before_hearing = wait_for_the_undo

    def undo_then():
        assert in_hand.wait(timeout=10)
        try:
            outcome.append(undo(annotation))
        except UndoIsOver as refusal:
            outcome.append(refusal)

    at_once(undo_then, delivery.deliver_due)
    annotation.refresh_from_db()
    assert meanwhile == []  # it stood in line
    assert isinstance(outcome[0], UndoIsOver)
    assert annotation.is_current
    assert listener.heard == [annotation.pk]


def test_a_worker_leaves_the_news_of_a_submit_that_is_being_undone(project, listener):
    annotation = harmful_submit(project, listener)
    with transaction.atomic():
        undo(annotation)
        at_once(delivery.deliver_due)
    delivery.deliver_due()
    annotation.refresh_from_db()
    assert not annotation.is_current
    assert listener.heard == []


def test_of_an_undo_and_a_worker_in_a_race_exactly_one_has_its_way(project, listener):
    for _ in range(6):
        annotation = harmful_submit(project, listener)
        outcome, _count = at_once(lambda a=annotation: undo(a), delivery.deliver_due)
        delivery.deliver_due()
        annotation.refresh_from_db()
        was_heard = annotation.pk in listener.heard
        assert isinstance(outcome, UndoIsOver) == annotation.is_current == was_heard
