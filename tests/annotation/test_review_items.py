"""The items as a lead sees them: found by state, compared side by side, decided, returned, reopened, dismissed."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation import review_queue
from annotation.models import (
    Annotation,
    Assignment,
    ItemComment,
    ReviewItem,
    ReviewSelection,
    Settlement,
)
from tests.annotation.desk import claim, judge, queue_with, submit
from tests.factories import AssignmentFactory, QueueMemberFactory, ReviewItemFactory
from tests.pages import assert_same_queries

SPAN = {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}


@pytest.fixture
def cem(project):
    from tests.cast import _member

    return _member(project, "Cem", "expert")


@pytest.fixture
def disputed(project, ana, cem):
    """An item that Ana holds wrong and Cem partly right."""
    queue, (item,) = queue_with(project, overlap=2, name="Tax", slug="tax")
    judge(ana, queue, "wrong", "high", spans=[SPAN], correction="You cannot.", note="Ana's note")
    judge(cem, queue, "partly", "low", categories=["outdated"], note="Cem's note")
    item.refresh_from_db()
    assert item.state == "disputed"
    return item


def address(name, row):
    return reverse(name, args=["tax-help", row.public_id])


def rows_of(response):
    return [item for item, _settlement in response.context["rows"]]


# --- the list -------------------------------------------------------------------------------------


def test_items_are_found_by_state_and_queue(as_user, ben, ana, disputed, project):
    other, (waiting,) = queue_with(project, name="Other", slug="other")
    client = as_user(ben)
    assert rows_of(client.get("/p/tax-help/items/")) == [waiting, disputed]
    assert rows_of(client.get("/p/tax-help/items/?state=disputed")) == [disputed]
    assert rows_of(client.get("/p/tax-help/items/?state=needs_lead")) == [disputed]
    assert rows_of(client.get(f"/p/tax-help/items/?queue={other.slug}")) == [waiting]
    assert rows_of(client.get("/p/tax-help/items/?state=settled")) == []


@pytest.mark.parametrize(
    "query", ["state=lost", "queue=nowhere", "project=1", "cursor=x", "item__project__slug=x"]
)
def test_items_by_an_unknown_word_are_not_found(as_user, ben, disputed, query):
    assert as_user(ben).get(f"/p/tax-help/items/?{query}").status_code == 404


def test_items_of_another_project_are_never_listed(as_user, ben, disputed, other_project):
    theirs = ReviewItemFactory(queue__project=other_project)
    client = as_user(ben)
    assert rows_of(client.get("/p/tax-help/items/")) == [disputed]
    assert client.get(address("item", theirs)).status_code == 404


def test_what_is_overdue_is_found_and_said(as_user, ben, ana, project):
    queue, (late, soon, known) = queue_with(project, items=3)
    past, future = timezone.now() - timedelta(hours=3), timezone.now() + timedelta(hours=3.5)
    ReviewItem.objects.filter(pk=late.pk).update(due_at=past)
    ReviewItem.objects.filter(pk=soon.pk).update(due_at=future)
    ReviewItem.objects.filter(pk=known.pk).update(due_at=past, purpose="calibration")
    done = ReviewItemFactory(queue=queue, state="settled", due_at=past)
    client = as_user(ben)
    every = client.get("/p/tax-help/items/")
    assert "in 3 h" in every.content.decode()
    assert [item.is_overdue for item in rows_of(every)] == [False, True, False, True]
    assert rows_of(every)[0] == done
    assert rows_of(client.get("/p/tax-help/items/?state=overdue")) == [late]
    head = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert re.search(r"overdue <time [^>]*>3 h ago", head)
    submit(Assignment.objects.get(expert=ana, state="claimed"))
    head = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert re.search(r"due <time [^>]*>in 3 h", head)


# --- an expert's list -----------------------------------------------------------------------------


def test_an_expert_picks_from_what_waits_in_their_own_queues(as_user, ana, ben, cem, project):
    queue, (mine, begun, had, settled, known) = queue_with(
        project, items=5, overlap=2, name="Tax", slug="tax"
    )
    other, _ = queue_with(project, items=1, name="Other", slug="other")
    QueueMemberFactory(queue=other, user=cem)
    judge(cem, queue, "harmful", "critical", note="Cem's note")
    ReviewItem.objects.filter(pk=known.pk).update(purpose="calibration")
    ReviewItem.objects.filter(pk=settled.pk).update(state="settled")
    AssignmentFactory(item=had, expert=ana, state="skipped", slot=1)
    client = as_user(ana)
    found = client.get("/p/tax-help/items/")
    assert rows_of(found) == [begun, mine]
    html = found.content.decode()
    for hidden in ("Cem", "Critical", "Settled as", "Experts", "1/2", f"items/{mine.public_id}"):
        assert hidden not in html
    assert "Review these" in html
    assert rows_of(client.get("/p/tax-help/items/?q=nothing-like-it")) == []
    for lead_only in ("state=needs_lead", "state=settled", "queue=other"):
        assert client.get(f"/p/tax-help/items/?{lead_only}").status_code == 404
    assert client.get(address("item", mine)).status_code == 403


def test_an_experts_pick_becomes_their_stream(as_user, ana, project):
    _queue, (first, second) = queue_with(project, items=2, held_ahead=2)
    client = as_user(ana)
    page = client.get("/p/tax-help/review/", follow=True).content.decode()
    assert 'href="/p/tax-help/items/"' in page
    Assignment.objects.all().delete()
    ReviewItem.objects.update(taken_count=0, state="waiting")
    client.post("/p/tax-help/items/review-these/?order=oldest")
    assert ReviewSelection.objects.get().item_ids == [first.pk, second.pk]


def test_an_experts_list_costs_the_same_queries_with_more_rows(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    assert_same_queries(
        as_user(ana),
        "/p/tax-help/items/",
        lambda number: ReviewItemFactory.create_batch(number, queue=queue),
    )


def test_items_are_paged_by_key(as_user, ben, project, monkeypatch):
    monkeypatch.setattr("annotation.item_views.AT_ONCE", 2)
    _queue, items = queue_with(project, items=3)
    client = as_user(ben)
    first = client.get("/p/tax-help/items/")
    second = client.get(f"/p/tax-help/items/?cursor={first.context['page'].next_cursor}")
    assert rows_of(first) + rows_of(second) == items[::-1]


def test_list_costs_the_same_for_one_row_and_three(as_user, ben, ana, project):
    queue, _ = queue_with(project, items=0)
    client, costs = as_user(ben), []
    for number in (1, 3):
        while ReviewItem.objects.count() < number:
            ReviewItemFactory(queue=queue)
            judge(ana, queue)
        with CaptureQueriesContext(connection) as caught:
            assert len(rows_of(client.get("/p/tax-help/items/"))) == number
        costs.append(len(caught))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("who", "listed", "status"), [("ana", 200, 403), ("dana", 200, 200), ("eve", 404, 404)]
)
def test_who_sees_the_items(request, as_user, disputed, who, listed, status):
    client = as_user(request.getfixturevalue(who))
    assert client.get("/p/tax-help/items/").status_code == listed
    assert client.get(address("item", disputed)).status_code == status


@pytest.mark.parametrize(
    "name", ["decide_dispute", "reopen_item", "dismiss_item", "close_discussion"]
)
@pytest.mark.parametrize(("who", "status"), [("ana", 403), ("dana", 403), ("eve", 404)])
def test_only_leads_act_on_items(request, as_user, disputed, name, who, status):
    client = as_user(request.getfixturevalue(who))
    posted = {"verdict": "wrong", "severity": "low", "reason": "Because"}
    assert client.post(address(name, disputed), posted).status_code == status
    disputed.refresh_from_db()
    assert disputed.state == "disputed"


# --- one item -------------------------------------------------------------------------------------


def test_item_shows_the_answers_side_by_side_with_their_differences(as_user, ben, disputed):
    response = as_user(ben).get(address("item", disputed))
    html = response.content.decode()
    assert response.context["differing"] == {"verdict", "severity", "categories"}
    for words in ("Ana&#x27;s note", "Cem&#x27;s note", "Partly right", "Outdated", "They differ"):
        assert words in html
    assert "<ins>" in html


def test_item_costs_the_same_for_one_answer_and_three(as_user, ben, ana, cem, olu, project):
    client, costs = as_user(ben), []
    for experts in ([ana], [ana, cem, olu]):
        queue, (item,) = queue_with(project, overlap=len(experts))
        for expert in experts:
            judge(expert, queue, spans=[SPAN], correction=f"{expert} would say")
        client.get(address("item", item))  # the first look keeps the schema in mind
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address("item", item)).status_code == 200
        costs.append(len(caught))
    assert costs[0] == costs[1] <= 30


def test_lead_decides_a_dispute_with_marks_and_correction(as_user, ben, ana, disputed):
    by_ana = Annotation.objects.get(expert=ana)
    chosen = by_ana.candidates.get()
    posted = {
        "verdict": "wrong",
        "severity": "medium",
        "categories": ["outdated", "factual_error"],
        "root_cause": "retrieval_misled",
        "marks": ["output:0:3:wrong"],
        "chosen_answer": str(chosen.public_id),
        "reason": "The rule changed in 2026.",
    }
    done = as_user(ben).post(address("decide_dispute", disputed), posted)
    assert done.status_code == 302
    settlement = Settlement.objects.get(is_current=True)
    assert (settlement.decided_by, settlement.reason) == (ben, "The rule changed in 2026.")
    assert (settlement.verdict, settlement.severity) == ("wrong", "medium")
    assert (settlement.chosen_answer, settlement.spans) == (chosen, [SPAN])
    disputed.refresh_from_db()
    assert disputed.state == "settled"


@pytest.mark.parametrize(
    ("missing", "said"),
    [("reason", "Say why: the experts read it."), ("verdict", "This field is required.")],
)
def test_decision_that_lacks_something_says_so_and_keeps_the_rest(
    as_user, ben, disputed, missing, said
):
    posted = {"verdict": "wrong", "severity": "medium", "reason": "My long reason"}
    page = as_user(ben).post(
        address("decide_dispute", disputed), {**posted, missing: ""}, follow=True
    )
    html = page.content.decode()
    assert page.status_code == 400
    assert said in html
    assert missing == "reason" or "My long reason" in html
    assert Settlement.objects.count() == 0


def test_decision_that_contradicts_itself_is_refused(as_user, ben, disputed):
    posted = {"verdict": "correct", "severity": "high", "reason": "Because"}
    page = as_user(ben).post(address("decide_dispute", disputed), posted)
    assert page.status_code == 400
    assert "A correct answer has no severity." in page.content.decode()


def test_correction_of_another_answer_cannot_be_chosen(as_user, ben, ana, disputed, project):
    queue, _ = queue_with(project)
    other = judge(ana, queue, correction="Of another").candidates.get()
    posted = {"verdict": "wrong", "severity": "low", "reason": "Because"}
    posted["chosen_answer"] = str(other.public_id)
    assert as_user(ben).post(address("decide_dispute", disputed), posted).status_code == 400


def test_decision_on_an_item_at_work_is_refused(as_user, ben, project):
    _queue, (item,) = queue_with(project)
    posted = {"verdict": "wrong", "severity": "low", "reason": "Because"}
    page = as_user(ben).post(address("decide_dispute", item), posted)
    assert page.status_code == 409
    assert "its experts are still at work" in page.content.decode()


def test_lead_sends_a_judgement_back_with_a_reason_that_its_expert_reads(
    as_user, ben, ana, disputed
):
    assignment = Assignment.objects.get(expert=ana)
    as_user(ben).post(address("return_assignment", assignment), {"reason": "Check the year"})
    assignment.refresh_from_db()
    assert assignment.state == "returned"
    page = as_user(ana).get(address("review_item", assignment)).content.decode()
    assert "A lead sent this back." in page and "Check the year" in page


@pytest.mark.parametrize(("who", "status"), [("ana", 403), ("dana", 403), ("eve", 404)])
def test_only_leads_send_back(request, as_user, cem, disputed, who, status):
    assignment = Assignment.objects.get(expert=cem)
    client = as_user(request.getfixturevalue(who))
    posted = {"reason": "No"}
    assert client.post(address("return_assignment", assignment), posted).status_code == status
    assignment.refresh_from_db()
    assert assignment.state == "submitted"


def test_return_without_a_reason_is_refused(as_user, ben, ana, disputed):
    assignment = Assignment.objects.get(expert=ana)
    page = as_user(ben).post(address("return_assignment", assignment), {"reason": " "})
    assert page.status_code == 400
    assert "Say why: the experts read it." in page.content.decode()


def test_settled_item_is_opened_again(as_user, ben, ana, project):
    queue, (item,) = queue_with(project)
    judge(ana, queue)
    as_user(ben).post(address("reopen_item", item), {"reason": "New rule"})
    item.refresh_from_db()
    assert item.state == "waiting"
    assert ItemComment.objects.get().text == "New rule"


def test_item_is_dismissed_and_says_why(as_user, ben, project):
    _queue, (item,) = queue_with(project)
    client = as_user(ben)
    client.post(address("dismiss_item", item), {"reason": "A test of ours"})
    item.refresh_from_db()
    assert item.state == "dismissed"
    assert "A test of ours" in client.get(address("item", item)).content.decode()
    again = client.post(address("dismiss_item", item), {"reason": "Once more"})
    assert again.status_code == 409


def test_discussion_is_shown_and_closed(as_user, ben, ana, project):
    queue, (item,) = queue_with(project)
    hand = claim(ana, queue)
    review_queue.skip(
        assignment=hand, fence=hand.fence, reason="needs_discussion", note="Which year counts?"
    )
    client = as_user(ben)
    assert "Which year counts?" in client.get(address("item", item)).content.decode()
    client.post(address("close_discussion", item), {"answer": "The year of the question."})
    item.refresh_from_db()
    assert not item.needs_discussion
    assert "The year of the question." in client.get(address("item", item)).content.decode()


def test_item_with_nothing_said_yet_shows(as_user, ben, project):
    _queue, (item,) = queue_with(project)
    page = as_user(ben).get(address("item", item))
    assert "Nobody has judged this yet." in page.content.decode()


def test_whole_text_of_an_item_is_for_those_who_see_it(as_user, ben, ana, project):
    queue, (item,) = queue_with(project)
    submit(claim(ana, queue))
    whole = reverse("item_text", args=["tax-help", item.public_id, "output"])
    assert as_user(ben).get(whole).content.decode() == item.interaction.output
    assert as_user(ana).get(whole).status_code == 403
