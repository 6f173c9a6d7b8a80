"""The review screen without a browser: every act as a plain form, and who may do it."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Annotation, Assignment, ReviewItem
from feedbackhub.capture.models import RetrievedDocument
from tests.annotation.desk import claim, pass_time, queue_with, submit
from tests.factories import FeedbackEventFactory, InteractionFactory, ReviewItemFactory

OUTPUT = "You can deduct it if you ride it to work."


@pytest.fixture
def queue(project):
    queue, _items = queue_with(project, items=2, name="Tax", slug="tax")
    return queue


@pytest.fixture
def hand(ana, queue):
    """Ana's assignment, in hand."""
    return claim(ana, queue)


def address(name, assignment):
    return reverse(name, args=[assignment.project.slug, assignment.public_id])


def form_of(assignment, **fields):
    """What a browser posts, as the page drew it."""
    drawn = {
        "fence": assignment.fence,
        "revision": 0,
        "draft_revision": assignment.draft_revision,
        "schema_version": 1,
        "submit_key": "one view",
        "spans": "",
        "note": "",
        "correction": assignment.item.interaction.output.replace("\n", "\r\n"),
    }
    return {**drawn, **fields}


AS_SCRIPT = {"headers": {"accept": "application/json"}}


# --- the next item --------------------------------------------------------------------------------


def test_review_claims_the_next_item_and_leads_to_it(as_user, ana, queue):
    page = as_user(ana).get("/p/tax-help/review/", follow=True)
    hand = Assignment.objects.get(expert=ana)
    assert page.redirect_chain == [(address("review_item", hand), 302)]
    assert hand.state == "claimed"
    assert OUTPUT in page.content.decode()


def test_review_comes_back_to_what_is_in_hand(as_user, ana, hand):
    page = as_user(ana).get("/p/tax-help/review/")
    assert page.url == address("review_item", hand)
    assert Assignment.objects.count() == 1


def test_review_after_a_long_lunch_is_the_same_item_with_its_draft(as_user, ana, hand):
    client = as_user(ana)
    client.post(address("save_draft", hand), form_of(hand, note="Before lunch"), **AS_SCRIPT)
    pass_time(31 * 60, hand)
    page = client.get("/p/tax-help/review/", follow=True)
    hand.refresh_from_db()
    assert (hand.state, hand.fence) == ("claimed", 2)
    assert "Before lunch" in page.content.decode()
    assert Assignment.objects.count() == 1


def test_review_of_one_queue_takes_only_from_it(as_user, ana, queue, project):
    _other, (item,) = queue_with(project, name="Other", slug="other")
    page = as_user(ana).get("/p/tax-help/review/?queue=other")
    assert page.url.endswith("?queue=other")
    assert Assignment.objects.get().item == item


def test_review_of_a_queue_of_others_is_not_there(as_user, ana, ben, queue, project):
    other, _ = queue_with(project, slug="other")
    other.queuemember_set.create(project=project, user=ben)
    assert as_user(ana).get("/p/tax-help/review/?queue=other").status_code == 404


def test_empty_review_says_why_and_what_fills_it(as_user, ana, project):
    _queue, _ = queue_with(project, items=0)
    page = as_user(ana).get("/p/tax-help/review/").content.decode()
    assert "Nothing waits here" in page
    assert "when a rule picks them" in page


def test_review_says_that_the_rest_is_for_colleagues(as_user, ana, ben, project):
    queue, _ = queue_with(project, items=1, overlap=2)
    submit(claim(ana, queue))
    page = as_user(ana).get("/p/tax-help/review/").content.decode()
    assert "what is left is for your colleagues" in page


def test_review_of_a_closed_queue_says_so(as_user, ana, queue):
    queue.is_open = False
    queue.save()
    page = as_user(ana).get("/p/tax-help/review/").content.decode()
    assert "This queue is closed at the moment." in page


# --- who may --------------------------------------------------------------------------------------

PAGES = ["review_item"]
POSTS = [
    "save_draft",
    "submit_annotation",
    "skip",
    "undo_submit",
    "heartbeat",
    "release",
    "revise",
    "take_up",
]


@pytest.mark.parametrize("name", PAGES + POSTS)
@pytest.mark.parametrize("who", ["ben", "eve"])
def test_assignment_of_somebody_else_is_not_there(request, as_user, hand, name, who):
    client = as_user(request.getfixturevalue(who))
    act = client.get if name in PAGES else client.post
    assert act(address(name, hand), form_of(hand, reason="not_my_field")).status_code == 404
    hand.refresh_from_db()
    assert (hand.state, hand.fence, hand.draft) == ("claimed", 1, {})


def test_engineer_does_not_judge(as_user, dana, queue):
    assert as_user(dana).get("/p/tax-help/review/").status_code == 403


@pytest.mark.parametrize("name", POSTS)
def test_acts_are_posts(as_user, ana, hand, name):
    assert as_user(ana).get(address(name, hand)).status_code == 405


# --- submit ---------------------------------------------------------------------------------------


def test_submit_keeps_the_answer_and_goes_on_to_the_next(as_user, ana, hand):
    quote = OUTPUT[8:14]
    spans = [{"field": "output", "start": 8, "end": 14, "quote": quote, "label": "wrong"}]
    posted = form_of(
        hand,
        verdict="wrong",
        severity="high",
        categories=["outdated", "factual_error"],
        root_cause="retrieval_misled",
        spans=json.dumps(spans),
        correction="You cannot deduct it.",
        note="See 2026.",
        seconds_spent="41",
    )
    answer = as_user(ana).post(address("submit_annotation", hand), posted)
    assert (answer.status_code, answer.url) == (302, "/p/tax-help/review/")
    annotation = Annotation.objects.get()
    assert (annotation.verdict, annotation.severity) == ("wrong", "high")
    assert annotation.categories == ["outdated", "factual_error"]
    assert (annotation.root_cause, annotation.note) == ("retrieval_misled", "See 2026.")
    assert annotation.seconds_spent == 41
    assert annotation.spans.get().quote == quote
    assert annotation.candidates.get().text == "You cannot deduct it."


def test_submit_without_a_severity_takes_the_one_the_categories_suggest(as_user, ana, hand):
    posted = form_of(hand, verdict="wrong", categories=["outdated", "harmful"])
    as_user(ana).post(address("submit_annotation", hand), posted)
    assert Annotation.objects.get().severity == "critical"


def test_a_tools_call_stands_beside_the_text_and_what_is_marked_stays_in_its_place(
    as_user, ana, project
):
    messages = [
        {"role": "user", "content": "How much?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": "rate", "arguments": '{"a":1}'},
                }
            ],
        },
        {"role": "tool", "content": "0.30 a kilometre", "tool_call_id": "c"},
    ]
    queue, _items = queue_with(project, items=0, slug="calls")
    interaction = InteractionFactory(
        project=project,
        messages=messages,
        tools=[{"type": "function", "function": {"name": "rate"}}],
    )
    ReviewItemFactory(queue=queue, interaction=interaction)
    hand = claim(ana, queue)
    page = as_user(ana).get(address("review_item", hand)).content.decode()
    assert "{\n  &quot;a&quot;: 1\n}" in page
    assert 'data-text="messages.1"' not in page  # it says nothing that could be marked
    assert '<code dir="auto">rate</code></summary>' in page
    span = {"field": "messages.2", "start": 0, "end": 4, "label": "wrong", "quote": "0.30"}
    form = form_of(hand, verdict="wrong", severity="high", spans=json.dumps([span]))
    as_user(ana).post(address("submit_annotation", hand), form)
    assert Annotation.objects.get().spans.get().quote == "0.30"


def test_untouched_text_is_no_correction(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    interaction = InteractionFactory(project=project, output="One\n\nTwo\n")
    ReviewItemFactory(queue=queue, interaction=interaction)
    hand = claim(ana, queue)
    as_user(ana).post(address("submit_annotation", hand), form_of(hand, verdict="correct"))
    assert Annotation.objects.get().candidates.count() == 0


def test_submit_without_a_verdict_keeps_what_was_typed_and_says_what_is_missing(as_user, ana, hand):
    posted = form_of(hand, note="Half a thought", correction="Another answer.")
    page = as_user(ana).post(address("submit_annotation", hand), posted)
    assert page.status_code == 400
    html = page.content.decode()
    assert "Half a thought" in html and "Another answer." in html
    assert "Choose one of: correct, partly, wrong, harmful." in html
    assert Annotation.objects.count() == 0


def test_submit_twice_is_once(as_user, ana, hand):
    client, posted = as_user(ana), form_of(hand, verdict="correct")
    first = client.post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    again = client.post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    assert (first.status_code, again.status_code) == (200, 200)
    assert Annotation.objects.count() == 1


def test_submit_under_an_old_fence_is_refused_with_what_was_typed(as_user, ana, hand):
    Assignment.objects.update(fence=5)
    posted = form_of(hand, verdict="wrong", note="Typed here")
    page = as_user(ana).post(address("submit_annotation", hand), posted)
    assert page.status_code == 409
    html = page.content.decode()
    assert "Typed here" in html
    assert "You took this item up in another window." in html
    assert Annotation.objects.count() == 0


def test_stale_submit_shows_both_versions(as_user, ana, hand):
    submit(hand, "partly", "low", note="The newer thought")
    posted = form_of(hand, submit_key="other view", verdict="wrong", note="The older thought")
    refused = as_user(ana).post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    assert refused.status_code == 409
    assert refused.json()["kind"] == "stale_submit"
    html = refused.json()["html"]
    assert "The newer thought" in html and "The older thought" in html
    assert "Partly right" in html and "Wrong" in html
    assert Annotation.objects.get().note == "The newer thought"


def test_submit_from_the_screen_answers_the_next_item_and_the_undo(as_user, ana, hand):
    answer = as_user(ana).post(
        address("submit_annotation", hand), form_of(hand, verdict="correct"), **AS_SCRIPT
    )
    following = Assignment.objects.exclude(pk=hand.pk).get(expert=ana)
    assert following.state == "claimed"
    assert answer.json() == {
        "message": "Submitted.",
        "next": {
            "id": str(following.public_id),
            "fence": following.fence,
            "url": address("review_item", following),
        },
        "next_url": "/p/tax-help/review/",
        "undo_url": f"{address('undo_submit', hand)}?fence={hand.fence}",
        "undo_seconds": 10,
    }


def test_unreadable_marks_are_refused_by_name(as_user, ana, hand):
    posted = form_of(hand, verdict="wrong", spans="[" * 5_000)
    refused = as_user(ana).post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["spans"]


@pytest.mark.parametrize("fence", ["", "x", "-1", "99999999999", "\x00"])
def test_a_fence_that_is_no_number_is_a_bad_request(as_user, ana, hand, fence):
    posted = form_of(hand, verdict="wrong", fence=fence)
    refused = as_user(ana).post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["fence"]


# --- undo and revise ------------------------------------------------------------------------------


def test_undo_takes_the_submit_back_with_its_answers(as_user, ana, hand):
    client = as_user(ana)
    client.post(address("submit_annotation", hand), form_of(hand, verdict="wrong", note="Mine"))
    page = client.post(f"{address('undo_submit', hand)}?fence={hand.fence}", follow=True)
    html = page.content.decode()
    assert page.redirect_chain == [(address("review_item", hand), 302)]
    assert "Mine" in html
    hand.refresh_from_db()
    assert (hand.state, hand.draft["verdict"]) == ("claimed", "wrong")
    assert Annotation.objects.current().count() == 0


def test_undo_is_offered_on_the_next_page_too(as_user, ana, hand):
    client = as_user(ana)
    client.post(address("submit_annotation", hand), form_of(hand, verdict="wrong"))
    page = client.get("/p/tax-help/review/", follow=True).content.decode()
    assert "Undo the last submit" in page
    pass_time(11, Annotation.objects.get())
    page = client.get("/p/tax-help/review/", follow=True).content.decode()
    assert "Undo the last submit" not in page


def test_undo_too_late_says_what_to_do(as_user, ana, hand):
    annotation = submit(hand)
    pass_time(11, annotation)
    refused = as_user(ana).post(f"{address('undo_submit', hand)}?fence={hand.fence}", **AS_SCRIPT)
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("The time to undo has passed.")


def test_submitted_item_can_be_read_and_revised(as_user, ana, hand):
    client = as_user(ana)
    submit(hand, "wrong", "low", note="First thought")
    page = client.get(address("review_item", hand)).content.decode()
    assert "You have submitted this." in page and "First thought" in page
    client.post(address("revise", hand))
    hand.refresh_from_db()
    posted = form_of(hand, revision=1, submit_key="second", verdict="partly", note="Second thought")
    client.post(address("submit_annotation", hand), posted)
    assert list(Annotation.objects.order_by("revision").values_list("note", "is_current")) == [
        ("First thought", False),
        ("Second thought", True),
    ]


# --- drafts and leases ----------------------------------------------------------------------------


def test_draft_is_kept_and_drawn_again(as_user, ana, hand):
    client = as_user(ana)
    posted = form_of(hand, verdict="partly", categories=["outdated"], note="Half a thought 🧾")
    kept = client.post(address("save_draft", hand), posted, **AS_SCRIPT)
    assert kept.json()["draft_revision"] == 1
    hand.refresh_from_db()
    assert hand.draft == {
        "verdict": "partly",
        "categories": ["outdated"],
        "note": "Half a thought 🧾",
    }
    assert "Half a thought 🧾" in client.get(address("review_item", hand)).content.decode()


def test_draft_of_another_window_is_not_overwritten(as_user, ana, hand):
    client = as_user(ana)
    client.post(address("save_draft", hand), form_of(hand, note="Theirs"), **AS_SCRIPT)
    refused = client.post(address("save_draft", hand), form_of(hand, note="Mine"), **AS_SCRIPT)
    assert (refused.status_code, refused.json()["kind"]) == (409, "stale_draft")
    assert "Theirs" in refused.json()["html"] and "Mine" in refused.json()["html"]
    assert 'data-keep-mine="1"' in refused.json()["html"]


def test_draft_after_the_lease_is_refused_with_a_way_on(as_user, ana, hand):
    pass_time(31 * 60, hand)
    client = as_user(ana)
    refused = client.post(address("save_draft", hand), form_of(hand, note="Late"), **AS_SCRIPT)
    assert (refused.status_code, refused.json()["kind"]) == (409, "lease_lost")
    assert address("take_up", hand) in refused.json()["html"]
    taken = client.post(address("take_up", hand), **AS_SCRIPT)
    assert taken.json()["fence"] == hand.fence + 1


def test_heartbeat_extends_the_lease(as_user, ana, hand):
    pass_time(20 * 60, hand)
    before = hand.lease_until
    beat = as_user(ana).post(address("heartbeat", hand), {"fence": hand.fence}, **AS_SCRIPT)
    hand.refresh_from_db()
    assert beat.status_code == 200
    assert hand.lease_until > before


@pytest.mark.parametrize("reason", Assignment.SkipReason.values)
def test_skip_passes_the_item_on_with_its_reason(as_user, ana, hand, reason):
    posted = {"fence": hand.fence, "reason": reason, "note": "Ask Cem"}
    answer = as_user(ana).post(address("skip", hand), posted)
    hand.refresh_from_db()
    assert answer.status_code == 302
    assert (hand.state, hand.skip_reason, hand.skip_note) == ("skipped", reason, "Ask Cem")


def test_skip_for_no_known_reason_is_refused(as_user, ana, hand):
    posted = {"fence": hand.fence, "reason": "lunch"}
    assert as_user(ana).post(address("skip", hand), posted).status_code == 400
    hand.refresh_from_db()
    assert hand.state == "claimed"


def test_release_gives_back_what_is_held_and_keeps_the_draft(as_user, ana, hand):
    client = as_user(ana)
    client.post(address("save_draft", hand), form_of(hand, note="Kept"))
    client.post("/p/tax-help/review/ahead/", {"here": str(hand.public_id)})
    hand.refresh_from_db()
    client.post(address("release", hand), {"fence": hand.fence})
    assert set(Assignment.objects.values_list("state", flat=True)) == {"expired"}
    hand.refresh_from_db()
    assert hand.draft == {"note": "Kept"}


# --- fetched ahead --------------------------------------------------------------------------------


def test_ahead_reserves_the_next_items_and_draws_them(as_user, ana, hand, queue):
    html = (
        as_user(ana)
        .post("/p/tax-help/review/ahead/", {"here": str(hand.public_id)})
        .content.decode()
    )
    reserved = Assignment.objects.get(state="reserved")
    assert f'<template data-ahead="{reserved.public_id}" data-fence="1"' in html
    assert 'id="review-queue"' in html and 'id="review-figures"' in html


def test_what_the_screen_has_already_is_not_drawn_again(as_user, ana, hand, queue):
    url = "/p/tax-help/review/ahead/"
    as_user(ana).post(url, {"here": str(hand.public_id)})
    reserved = Assignment.objects.get(state="reserved")
    known = f"{reserved.public_id} {reserved.fence}"
    response = as_user(ana).post(url, {"here": str(hand.public_id), "known": known})
    assert response.context["drawn"] == [(reserved, "")]


def test_submit_claims_what_the_screen_shows_by_now(as_user, ana, hand, queue):
    ReviewItemFactory(queue=queue)
    as_user(ana).post("/p/tax-help/review/ahead/", {"here": str(hand.public_id)})
    _, shown = Assignment.objects.filter(state="reserved").order_by("pk")
    posted = form_of(hand, verdict="correct", showing=str(shown.public_id))
    answer = as_user(ana).post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    shown.refresh_from_db()
    assert (answer.json()["next"]["id"], shown.state) == (str(shown.public_id), "claimed")


def test_submit_after_the_lease_says_that_only_time_has_passed(as_user, ana, hand, queue):
    pass_time(31 * 60, hand)
    posted = form_of(hand, verdict="correct")
    answer = as_user(ana).post(address("submit_annotation", hand), posted, **AS_SCRIPT)
    assert answer.status_code == 409
    assert answer.json()["take_up_url"] == address("take_up", hand)


def test_shell_holds_no_item_and_the_worker_is_a_script(as_user, ana, hand):
    shell = as_user(ana).get("/p/tax-help/review/shell/")
    assert hand.item.interaction.output not in shell.content.decode()
    worker = as_user(ana).get("/p/tax-help/review/worker.js")
    assert worker["Content-Type"] == "text/javascript; charset=utf-8"


def test_what_is_in_hand_already_comes_before_what_is_fetched(as_user, ana, hand, queue):
    second = claim(ana, queue)
    ReviewItemFactory(queue=queue)
    html = as_user(ana).post("/p/tax-help/review/ahead/", {"here": str(hand.public_id)})
    reserved = Assignment.objects.get(state="reserved")
    assert [row.pk for row in html.context["ahead"]] == [second.pk, reserved.pk]


def test_ahead_survives_a_nonsense_place(as_user, ana, queue):
    assert as_user(ana).post("/p/tax-help/review/ahead/", {"here": "x"}).status_code == 200


def test_opening_a_reserved_item_claims_it(as_user, ana, hand):
    client = as_user(ana)
    client.post("/p/tax-help/review/ahead/", {"here": str(hand.public_id)})
    reserved = Assignment.objects.get(state="reserved")
    client.get(address("review_item", reserved))
    reserved.refresh_from_db()
    assert (reserved.state, reserved.fence) == ("claimed", 1)


# --- what is shown --------------------------------------------------------------------------------


def test_untrusted_text_is_shown_as_text(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\r\n**bold**"
    interaction = InteractionFactory(
        project=project,
        output=evil,
        messages=[{"role": "user", "content": evil}],
        trace_url="javascript:alert(1)",
    )
    RetrievedDocument.objects.create(
        project=project, interaction=interaction, position=0, title=evil, text=evil
    )
    FeedbackEventFactory(interaction=interaction, comment=evil, edited_output=evil + "!")
    item = ReviewItemFactory(queue=queue, interaction=interaction, reason=evil[:200])
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert item.assignments.exists()
    assert "alert(1)" in html
    assert "<script>alert" not in html and "<img" not in html
    assert "javascript:" not in html


def test_carriage_returns_reach_the_browser_so_that_offsets_hold(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    ReviewItemFactory(
        queue=queue, interaction=InteractionFactory(project=project, output="One\r\nTwo")
    )
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert 'data-text="output" tabindex="0">One&#13;\nTwo</div>' in html


def test_a_megabyte_is_cut_and_can_be_read_whole(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    output = "abcdefghij\n" * 95_000
    interaction = InteractionFactory(project=project, output=output)
    for position in range(3):
        RetrievedDocument.objects.create(
            project=project, interaction=interaction, position=position, text=output
        )
    ReviewItemFactory(queue=queue, interaction=interaction)
    client = as_user(ana)
    page = client.get("/p/tax-help/review/", follow=True)
    assert len(page.content) < 400_000
    hand = Assignment.objects.get()
    for field in ("output", "documents.2"):
        whole = client.get(reverse("review_text", args=["tax-help", hand.public_id, field]))
        assert whole.content.decode() == output
        assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (
        client.get(
            reverse("review_text", args=["tax-help", hand.public_id, "metadata"])
        ).status_code
        == 404
    )


def test_reporters_word_stands_beside_the_category_it_means(as_user, ana, project):
    _queue, (item,) = queue_with(project)
    schema = project.labelschema_set.get()
    schema.categories = [{**schema.categories[1], "reported_as": ["outdated"]}]
    schema.save()
    FeedbackEventFactory(interaction=item.interaction, category="outdated")
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert "the reporter said </span>“outdated”" in html


def test_others_answers_are_not_shown(as_user, ana, ben, project):
    queue, (_item,) = queue_with(project, overlap=2)
    submit(claim(ben, queue), note="What Ben thinks")
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert OUTPUT in html
    assert "What Ben thinks" not in html


def test_page_costs_the_same_for_one_and_for_three_of_everything(as_user, ana, project):
    queue, _ = queue_with(project, items=0)
    client, costs = as_user(ana), []
    for number in (1, 3):
        interaction = InteractionFactory(
            project=project, messages=[{"role": "user", "content": "Why?"}] * number
        )
        for position in range(number):
            RetrievedDocument.objects.create(
                project=project, interaction=interaction, position=position, text="T"
            )
            FeedbackEventFactory(interaction=interaction)
        ReviewItemFactory(queue=queue, interaction=interaction)
        hand = claim(ana, queue)
        client.get(address("review_item", hand))  # the first look keeps the schema in mind
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address("review_item", hand)).status_code == 200
        costs.append(len(caught))
    # one of them for a schema without examples of its own: which of its cases are in gold
    assert costs[0] == costs[1] <= 22


def test_finished_lists_what_was_judged_and_costs_the_same(as_user, ana, queue, project):
    ReviewItemFactory.create_batch(3, queue=queue)
    client, costs = as_user(ana), []
    for number in (1, 3):
        while ana.annotations.count() < number:
            submit(claim(ana, queue))
        with CaptureQueriesContext(connection) as caught:
            html = client.get("/p/tax-help/review/finished/").content.decode()
        costs.append(len(caught))
        assert html.count("row-link") == number
    assert costs[0] == costs[1]


def test_item_state_after_a_whole_round(as_user, ana, hand):
    as_user(ana).post(address("submit_annotation", hand), form_of(hand, verdict="correct"))
    assert ReviewItem.objects.get(pk=hand.item_id).state == "settled"


def test_item_that_cannot_be_drawn_is_shown_as_plain_text_and_can_be_skipped(
    as_user, ana, project, monkeypatch
):
    queue, _ = queue_with(project, items=0, slug="tax")
    asked = InteractionFactory(project=project, output="# A title\n\n**Words**")
    ReviewItemFactory(queue=queue, interaction=asked)
    monkeypatch.setattr(
        "feedbackhub.untrusted_markdown.markdown_places.find", lambda *_: [][0]
    )  # as if the parser stumbled
    page = as_user(ana).get("/p/tax-help/review/", follow=True)
    html = page.content.decode()
    assert page.status_code == 200
    assert "This item could not be drawn." in html and "**Words**" in html
    assignment = Assignment.objects.get()
    posted = {"fence": assignment.fence, "reason": "cannot_show", "note": ""}
    as_user(ana).post(address("skip", assignment), posted)
    assert ReviewItem.objects.get().state == "disputed"
