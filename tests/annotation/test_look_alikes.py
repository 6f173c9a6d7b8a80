"""One answer for several: which items are look-alikes, what each gets, and that one undo takes all back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation import look_alikes, review_queue
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    QueueMember,
    ReviewItem,
    Settlement,
    Split,
)
from annotation.refusals import UndoIsOver
from feedbackhub.capture import near_duplicates
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import at_once, claim, pass_time, queue_with, submit
from tests.factories import InteractionFactory, ReviewItemFactory

QUESTION = "Can I deduct the bicycle that I ride to work every day?"
TWIN = "can I deduct the bicycle that I ride to work every day please"
OTHER = "Which form do I need to declare rent from a flat abroad?"
OUTPUT = "You can deduct it if you ride it to work."


@pytest.fixture(autouse=True)
def _train(monkeypatch):
    """Groups are born into train, but for what a test says."""
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: Split.TRAIN)


@pytest.fixture
def queue(project):
    return queue_with(project, items=0, name="Tax", slug="tax")[0]


def asked(queue, question=TWIN, output=OUTPUT, **fields):
    interaction = InteractionFactory(
        project=queue.project, messages=[{"role": "user", "content": question}], output=output
    )
    near_duplicates.place(interaction)
    return ReviewItemFactory(queue=queue, interaction=interaction, **fields)


@pytest.fixture
def hand(ana, queue):
    asked(queue, QUESTION, priority=9)
    return claim(ana, queue)


@pytest.fixture
def twins(queue, hand):
    return [asked(queue), asked(queue, output="No, you cannot.")]


def offered(hand):
    return [each.item for each in look_alikes.look_alikes_of(hand)]


def together(hand, items, **answers):
    """Submit, and apply to these; (the answer, how applying went)."""
    annotation = submit(hand, **answers)
    return annotation, look_alikes.apply(
        annotation=annotation, ticked=[str(item.public_id) for item in items]
    )


# --- which ----------------------------------------------------------------------------------------


def test_near_duplicates_that_wait_in_the_queue_are_look_alikes(project, queue, hand, twins):
    asked(queue, OTHER)
    elsewhere, _ = queue_with(project, items=0, slug="elsewhere")
    asked(elsewhere)
    found = look_alikes.look_alikes_of(hand)
    assert [(each.item, each.has_same_answer) for each in found] == [
        (twins[0], True),
        (twins[1], False),
    ]


def test_what_others_hold_or_one_has_judged_is_no_look_alike(ana, ben, queue, hand, twins):
    review_queue.claim_next(project=queue.project, expert=ben, items=[twins[0].pk])
    mine = review_queue.claim_next(project=queue.project, expert=ana, items=[twins[1].pk])
    submit(mine)
    assert offered(hand) == []


def test_item_that_somebody_has_in_hand_is_left_alone_though_a_slot_is_free(
    ana, ben, project, hand, queue
):
    twin = asked(queue, overlap=2)
    review_queue.claim_next(project=project, expert=ben, items=[twin.pk])
    assert offered(hand) == []


@pytest.mark.parametrize("purpose", ["calibration", "repeat", "pairwise"])
def test_what_measures_a_person_is_never_a_look_alike(queue, hand, purpose):
    asked(queue, purpose=purpose)
    assert offered(hand) == []


def test_holdout_and_its_twins_are_never_look_alikes(monkeypatch, hand, twins):
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: Split.HOLDOUT)
    assert offered(hand) == []


def test_fetched_ahead_is_offered_with_its_hold(ana, queue, hand, twins):
    (ahead,) = review_queue.reserve_ahead(project=queue.project, expert=ana, count=1)
    found = {each.item: each.ahead for each in look_alikes.look_alikes_of(hand)}
    assert found == {twins[0]: ahead, twins[1]: None}


# --- what each gets -------------------------------------------------------------------------------


def test_each_ticked_one_gets_an_answer_of_its_own(ana, hand, twins):
    annotation, done = together(
        hand,
        twins,
        verdict="wrong",
        severity="high",
        categories=["outdated"],
        note="2019",
        seconds_spent=30,
        suggestion={"source": "reporter", "seen": True, "taken": ["categories"]},
    )
    given = list(Annotation.objects.exclude(pk=annotation.pk).order_by("item"))
    assert done.said() == ["Submitted, with 2 look-alikes."]
    assert [each.item for each in given] == twins
    for each in given:
        assert (each.verdict, each.severity, each.categories, each.note) == (
            "wrong",
            "high",
            ["outdated"],
            "2019",
        )
        assert (each.applied_with, each.assignment.state) == (annotation, "submitted")
        assert (each.seconds_spent, each.suggestion) == (0, {})  # those were spent and seen once
        assert each.item.state == "settled"
    assert Settlement.objects.filter(is_current=True).count() == 3


def test_correction_and_marks_go_only_where_the_answer_is_the_same(hand, twins):
    mark = {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}
    together(hand, twins, correction="You cannot deduct it.", spans=[mark])
    corrected = CandidateAnswer.objects.values_list("item", flat=True)
    assert sorted(corrected) == sorted([hand.item_id, twins[0].pk])
    marked = Annotation.objects.filter(spans__isnull=False).values_list("item", flat=True)
    assert sorted(marked) == sorted([hand.item_id, twins[0].pk])


def test_only_the_ticked_ones_are_touched(hand, twins):
    together(hand, twins[:1])
    twins[1].refresh_from_db()
    assert (twins[1].state, twins[1].taken_count) == ("waiting", 0)


def test_what_is_ticked_but_no_look_alike_is_left_alone(queue, hand, twins):
    stranger = asked(queue, OTHER)
    _annotation, done = together(hand, [stranger, twins[0]])
    assert [each.item for each in done.given] == [twins[0]]
    assert done.said()[1] == "1 is left: it is in other hands by now."
    assert not stranger.assignments.exists()


def test_applying_does_not_ask_how_many_one_holds_but_keeps_the_daily_cap(ana, queue, hand, twins):
    queue.held_ahead, queue.daily_cap = 1, 2
    queue.save()
    _annotation, done = together(hand, twins)
    assert [each.item for each in done.given] == [twins[0]]


def test_applying_twice_is_once(hand, twins):
    annotation, first = together(hand, twins)
    again = look_alikes.apply(annotation=annotation, ticked=[str(item.public_id) for item in twins])
    assert [each.pk for each in again.given] == [each.pk for each in first.given]
    assert Annotation.objects.count() == 3


def test_one_fetched_ahead_is_handed_in_from_there(ana, queue, hand, twins):
    (ahead,) = review_queue.reserve_ahead(project=queue.project, expert=ana, count=1)
    together(hand, twins[:1])
    ahead.refresh_from_db()
    assert ahead.state == "submitted"


def test_who_does_not_judge_in_the_queue_any_more_applies_nothing(ben, queue, hand, twins):
    annotation = submit(hand)
    QueueMember.objects.create(project=queue.project, queue=queue, user=ben)
    done = look_alikes.apply(annotation=annotation, ticked=[str(twins[0].public_id)])
    assert done.given == []


@pytest.mark.django_db(transaction=True)
def test_two_who_apply_crosswise_never_give_one_item_to_both(project, ana, ben, queue, hand, twins):
    his = review_queue.claim_next(project=project, expert=ben, items=[twins[1].pk])
    wanted = asked(queue)
    at_once(lambda: together(hand, [wanted]), lambda: together(his, [wanted]))
    assert wanted.assignments.filter(state="submitted").count() == 1
    assert wanted.annotations.current().count() == 1


# --- one undo -------------------------------------------------------------------------------------


def test_one_undo_takes_all_back(hand, twins):
    together(hand, twins, verdict="harmful", severity="critical")
    hand.refresh_from_db()
    look_alikes.undo_together(assignment=hand, fence=hand.fence)
    hand.refresh_from_db()
    assert hand.state == "claimed"
    assert not Annotation.objects.current().exists()
    assert not OutboxEvent.objects.filter(kind__in=["harm_found", "item_settled"]).exists()
    for twin in twins:
        twin.refresh_from_db()
        assert (twin.state, twin.taken_count) == ("waiting", 0)
        assert twin.assignments.get().draft == {}


def test_undo_that_comes_too_late_takes_nothing_back(hand, twins):
    annotation, _ = together(hand, twins)
    hand.refresh_from_db()
    pass_time(11, annotation)
    with pytest.raises(UndoIsOver):
        look_alikes.undo_together(assignment=hand, fence=hand.fence)
    assert Annotation.objects.current().count() == 3


def test_undo_is_all_or_nothing_once_one_of_them_was_told(hand, twins):
    together(hand, twins)
    hand.refresh_from_db()
    told = Annotation.objects.get(item=twins[1])
    OutboxEvent.objects.filter(about__annotation_id=told.pk).delete()
    with pytest.raises(UndoIsOver):
        look_alikes.undo_together(assignment=hand, fence=hand.fence)
    assert Annotation.objects.current().count() == 3


def test_taken_back_can_be_applied_again(hand, twins):
    together(hand, twins)
    hand.refresh_from_db()
    look_alikes.undo_together(assignment=hand, fence=hand.fence)
    hand.refresh_from_db()
    _annotation, done = together(hand, twins, revision=1)
    assert [each.item for each in done.given] == twins


def test_each_is_revised_by_itself_later(ana, hand, twins):
    from annotation import annotating

    annotation, done = together(hand, twins[:1])
    other = annotating.revise(assignment=done.given[0].assignment)
    submit(other, "correct", "none", revision=1)
    annotation.refresh_from_db()
    assert (annotation.verdict, annotation.is_current) == ("wrong", True)


# --- on the screen --------------------------------------------------------------------------------


def address(name, assignment):
    return reverse(name, args=[assignment.project.slug, assignment.public_id])


def test_look_alikes_stand_beside_the_item_with_their_difference(as_user, ana, hand, twins):
    page = as_user(ana).get(address("review_context", hand)).content.decode()
    assert "Look-alikes that wait here" in page
    assert "The same answer, word by word." in page
    assert "How its answer differs" in page


def test_submit_with_ticked_ones_says_so_and_its_undo_takes_all_back(as_user, ana, hand, twins):
    client = as_user(ana)
    form = {
        "fence": hand.fence,
        "revision": 0,
        "submit_key": "one view",
        "verdict": "wrong",
        "together": [str(twin.public_id) for twin in twins],
    }
    script = {"headers": {"accept": "application/json"}}
    said = client.post(address("submit_annotation", hand), form, **script).json()
    assert said["message"] == "Submitted, with 2 look-alikes."
    assert client.post(said["undo_url"], **script).status_code == 200
    assert not Annotation.objects.current().exists()


def test_page_offers_the_undo_of_the_answer_that_was_typed(as_user, ana, queue, hand, twins):
    together(hand, twins)
    asked(queue, OTHER)
    page = as_user(ana).get("/p/tax-help/review/", follow=True)
    assert page.context["undoable"].assignment == hand


def test_look_alikes_cost_the_same_queries_for_one_and_for_three(queue, hand):
    counts = []
    for count in (1, 2):
        for _ in range(count):
            asked(queue)
        with CaptureQueriesContext(connection) as queries:
            assert len(offered(hand)) == ReviewItem.objects.count() - 1
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Assignment.objects.count() == 1
