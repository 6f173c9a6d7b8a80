"""Interactions in the browser: the list with its filters, the trail of one, the changelog of prompts."""

import json
from datetime import timedelta

import pytest
from django.contrib.postgres.search import SearchVector
from django.db.models import Value
from django.urls import reverse
from django.utils import timezone

from annotation.models import ReviewItem
from feedbackhub.capture.models import InteractionText, PromptVersion, RetrievedDocument
from tests.factories import (
    AnnotationFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ReviewQueueFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

HOSTILE = "<script>alert(1)</script>"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def shown(answer):
    return [row.external_id for row in answer.context["list"]]


def make_searchable(interaction, words):
    InteractionText.objects.create(
        project=interaction.project,
        interaction=interaction,
        search=SearchVector(Value(words), config="simple"),
    )


# --- the list -------------------------------------------------------------------------------------


def test_the_list_shows_question_answer_and_feedback_newest_first(as_user, ben, project):
    old = InteractionFactory(project=project, occurred_at=timezone.now() - timedelta(days=1))
    new = InteractionFactory(project=project, messages=[{"role": "user", "content": "And a car?"}])
    FeedbackEventFactory(interaction=old, kind="report", category="harmful")
    answer = as_user(ben).get(url("interactions"))
    assert shown(answer) == [new.external_id, old.external_id]
    rows = answer.context["list"].rows
    assert rows[0].question_line == "And a car?"
    assert rows[1].answer_line == old.output
    assert rows[1].events == [{"interaction_id": old.pk, "kind": "report", "category": "harmful"}]


def test_a_question_is_the_last_thing_the_user_said_whatever_a_tool_said_after_it(
    as_user, ben, project
):
    InteractionFactory(
        project=project,
        messages=[
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "second"},
            {"role": "tool", "content": "{}"},
        ],
    )
    assert as_user(ben).get(url("interactions")).context["list"].rows[0].question_line == "second"


def test_a_tools_call_and_its_answer_are_shown_as_text(as_user, ben, project):
    call = {"name": f"rate{HOSTILE}", "arguments": json.dumps({"thing": HOSTILE})}
    interaction = InteractionFactory(
        project=project,
        messages=[
            {"role": "user", "content": "How much?"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"id": "c", "type": "function", "function": call},
                    {"id": "d", "type": "function", "function": {"name": "x", "arguments": "{"}},
                ],
            },
            {"role": "tool", "content": "0.30", "tool_call_id": "c"},
        ],
    )
    page = as_user(ben).get(url("interaction", interaction.public_id)).content.decode()
    assert HOSTILE not in page
    name = "rate&lt;script&gt;alert(1)&lt;/script&gt;"
    assert page.count(f'<code dir="auto">{name}</code>') == 2  # the call, and whose answer it is
    assert "&quot;thing&quot;: &quot;&lt;script&gt;" in page
    assert page.count("no JSON") == 1


@pytest.mark.parametrize(
    "query",
    [
        "q=bicycle",
        "model=lumen-2",
        "feature=tax_help",
        "feedback=thumbs_down",
        "category=wrong",
        "has_feedback=yes",
        "prompt_version=v13",
        "since=2026-01-01",
        "session=s-1",
    ],
)
def test_each_filter_keeps_what_it_names_and_drops_the_rest(query, as_user, ben, project):
    prompt = PromptVersion.objects.create(project=project, name="tax", version="v13")
    wanted = InteractionFactory(
        project=project,
        prompt_version=prompt,
        session_id="s-1",
        occurred_at="2026-02-01T00:00:00Z",
    )
    make_searchable(wanted, "can i deduct my bicycle")
    FeedbackEventFactory(interaction=wanted)
    other = InteractionFactory(
        project=project, model="other", feature="other", occurred_at="2025-12-31T00:00:00Z"
    )
    make_searchable(other, "something else")
    client = as_user(ben)
    assert len(shown(client.get(url("interactions")))) == 2
    assert shown(client.get(f"{url('interactions')}?{query}")) == [wanted.external_id]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("project__slug=elsewhere", "project__slug"),
        ("_connector=OR", "_connector"),
        ("order=output", "order"),
        ("feedback=applause", "feedback"),
        ("since=yesterday", "since"),
        ("q=%00", "q"),
    ],
)
def test_a_filter_that_does_not_exist_is_said_and_shows_nothing(
    query, field, as_user, ben, project
):
    InteractionFactory(project=project)
    answer = as_user(ben).get(f"{url('interactions')}?{query}")
    assert answer.status_code == 400
    assert shown(answer) == []
    assert [error["field"] for error in answer.context["list"].errors] == [field]
    assert f"<code>{field}</code>" in answer.content.decode()


def test_a_list_with_a_broken_cursor_starts_from_the_first_page(as_user, ben, project):
    interaction = InteractionFactory(project=project)
    assert shown(as_user(ben).get(url("interactions") + "?cursor=nonsense")) == [
        interaction.external_id
    ]


def test_older_and_newer_keep_the_filters(as_user, ben, project):
    now = timezone.now()
    for number in range(60):
        InteractionFactory(project=project, occurred_at=now - timedelta(minutes=number))
    client = as_user(ben)
    first = client.get(url("interactions") + "?model=lumen-2")
    second = client.get(url("interactions") + first.context["list"].older_url)
    assert "model=lumen-2" in first.context["list"].older_url
    assert (len(shown(first)), len(shown(second))) == (50, 10)
    assert set(shown(first)).isdisjoint(shown(second))
    assert shown(client.get(url("interactions") + second.context["list"].newer_url)) == shown(first)


def test_what_was_erased_and_what_is_elsewhere_is_not_listed(as_user, ben, project, other_project):
    InteractionFactory(project=project, erased_at=timezone.now())
    InteractionFactory(project=other_project)
    answer = as_user(ben).get(url("interactions"))
    assert shown(answer) == []
    assert "No interaction came in yet" in answer.content.decode()


def test_the_list_costs_the_same_queries_with_one_row_and_with_three(as_user, ben, project):
    def grow(number):
        for _ in range(number):
            prompt = PromptVersion.objects.create(
                project=project, name="tax", version=f"v{_}{number}"
            )
            interaction = InteractionFactory(project=project, prompt_version=prompt)
            FeedbackEventFactory.create_batch(2, interaction=interaction)

    assert_same_queries(as_user(ben), url("interactions"), grow)


# --- one interaction ------------------------------------------------------------------------------


def test_an_interaction_shows_its_whole_trail_in_order(as_user, ben, ana, project):
    interaction = InteractionFactory(
        project=project, occurred_at=timezone.now() - timedelta(hours=3)
    )
    FeedbackEventFactory(interaction=interaction, occurred_at=timezone.now() - timedelta(hours=2))
    settlement = SettlementFactory(interaction=interaction)
    annotation = AnnotationFactory(
        assignment__item=settlement.item, assignment__expert=ana, note="Not since January."
    )
    answer = as_user(ben).get(url("interaction", interaction.public_id))
    assert [entry.kind for entry, _icon, _tone in answer.context["trail"]] == [
        "answered",
        "reported",
        "routed",
        "settled",
        "judged",
    ]
    text = answer.content.decode()
    assert annotation.note in text and "This is from last year." in text and "Ana" in text


def test_an_interaction_of_another_project_is_not_found(as_user, ben, other_project):
    elsewhere = InteractionFactory(project=other_project)
    assert as_user(ben).get(url("interaction", elsewhere.public_id)).status_code == 404


def test_an_erased_interaction_says_so_and_shows_nothing_of_it(as_user, ben, project):
    gone = InteractionFactory(project=project, erased_at=timezone.now(), output="leftover")
    answer = as_user(ben).get(url("interaction", gone.public_id))
    assert answer.status_code == 410
    assert "was erased" in answer.content.decode()
    assert "leftover" not in answer.content.decode()


def test_hostile_texts_stay_texts(as_user, ben, project):
    interaction = InteractionFactory(
        project=project,
        external_id=f"{HOSTILE}/1",
        messages=[{"role": "user", "content": HOSTILE}],
        output=f"{HOSTILE} [click](javascript:alert(2)) ![x](http://evil.example/x.png)",
        metadata={HOSTILE: HOSTILE},
        tags=[HOSTILE],
        model=HOSTILE,
        trace_url="javascript:alert(3)",
    )
    RetrievedDocument.objects.create(
        project=project, interaction=interaction, position=0, title=HOSTILE, url="javascript:1"
    )
    FeedbackEventFactory(interaction=interaction, comment=HOSTILE, edited_output=HOSTILE)
    client = as_user(ben)
    for address in (
        url("interactions"),
        url("interaction", interaction.public_id),
        url("interaction", interaction.public_id) + "?answer=raw",
    ):
        text = client.get(address).content.decode()
        assert HOSTILE not in text and "&lt;script&gt;" in text
        assert 'href="javascript' not in text and "<img" not in text


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://traces.example.com/t/1", True),
        ("http://traces.example.com/t/1", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https://", False),
    ],
)
def test_a_trace_is_a_link_only_when_it_leads_to_a_web_page(
    address, is_link, as_user, ben, project
):
    interaction = InteractionFactory(project=project, trace_url=address)
    text = as_user(ben).get(url("interaction", interaction.public_id)).content.decode()
    assert (f'<a href="{address}" target="_blank"' in text) is is_link
    assert text.count(address) >= 1


def test_the_raw_answer_is_shown_as_it_came(as_user, ben, project):
    interaction = InteractionFactory(project=project, output="**bold**")
    client, address = as_user(ben), url("interaction", interaction.public_id)
    assert "<strong>bold</strong>" in client.get(address).content.decode()
    assert "**bold**" in client.get(address + "?answer=raw").content.decode()


def test_previous_and_next_walk_the_list_one_came_from(as_user, ben, project):
    now = timezone.now()
    newer, here, skipped, older = (
        InteractionFactory(project=project, model=model, occurred_at=now - timedelta(hours=hours))
        for hours, model in enumerate(["a", "a", "b", "a"])
    )
    context = as_user(ben).get(url("interaction", here.public_id) + "?model=a").context
    assert context["newer_url"] == url("interaction", newer.public_id) + "?model=a"
    assert context["older_url"] == url("interaction", older.public_id) + "?model=a"
    assert context["crumbs"][0]["url"] == url("interactions") + "?model=a"
    assert skipped.model == "b"


def test_the_same_session_is_listed_in_order_and_no_other_one(as_user, ben, project):
    now = timezone.now()
    second = InteractionFactory(project=project, session_id="s", occurred_at=now)
    first = InteractionFactory(
        project=project, session_id="s", occurred_at=now - timedelta(minutes=2)
    )
    InteractionFactory(project=project, session_id="t")
    session = as_user(ben).get(url("interaction", second.public_id)).context["session"]
    assert session == [first, second]


def test_an_interaction_costs_the_same_queries_with_one_event_and_with_three(as_user, ben, project):
    interaction = InteractionFactory(project=project, session_id="s")
    queues = iter(ReviewQueueFactory.create_batch(3, project=project))

    def grow(number):
        for _ in range(number):
            FeedbackEventFactory(interaction=interaction)
            AnnotationFactory(
                assignment__item__queue=next(queues), assignment__item__interaction=interaction
            )
            InteractionFactory(project=project, session_id="s")

    assert_same_queries(as_user(ben), url("interaction", interaction.public_id), grow)


# --- flag for review ------------------------------------------------------------------------------


def test_an_engineer_flags_an_answer_for_review(as_user, dana, project):
    interaction = InteractionFactory(project=project)
    queue = ReviewQueueFactory(project=project)
    answer = as_user(dana).post(
        url("flag_interaction", interaction.public_id), {"queue": queue.slug, "reason": "odd"}
    )
    assert answer.url == url("interaction", interaction.public_id)
    item = ReviewItem.objects.get(interaction=interaction)
    assert (item.queue, item.reason, item.flagged_by, item.priority) == (queue, "odd", dana, 0)


def test_flagging_into_another_projects_queue_is_refused_and_keeps_what_was_typed(
    as_user, ben, project, other_project
):
    interaction = InteractionFactory(project=project)
    ReviewQueueFactory(project=project)
    theirs = ReviewQueueFactory(project=other_project)
    answer = as_user(ben).post(
        url("flag_interaction", interaction.public_id), {"queue": theirs.slug, "reason": "see this"}
    )
    assert answer.status_code == 400
    assert 'value="see this"' in answer.content.decode()
    assert not ReviewItem.objects.exists()


def test_nobody_flags_an_erased_interaction_or_one_of_another_project(
    as_user, ben, project, other_project
):
    gone = InteractionFactory(project=project, erased_at=timezone.now())
    elsewhere = InteractionFactory(project=other_project)
    for interaction in (gone, elsewhere):
        assert as_user(ben).get(url("flag_interaction", interaction.public_id)).status_code == 404


# --- prompts --------------------------------------------------------------------------------------


def test_the_changelog_shows_what_changed_and_how_each_version_fared(as_user, dana, project):
    before = PromptVersion.objects.create(
        project=project, name="tax", version="v1", text="Answer briefly."
    )
    PromptVersion.objects.create(project=project, name="other", version="v9", text="Else.")
    after = PromptVersion.objects.create(
        project=project, name="tax", version="v2", text="Answer politely.", rationale="Tone."
    )
    for complained in (True, False, False, False):
        interaction = InteractionFactory(project=project, prompt_version=after)
        FeedbackEventFactory(
            interaction=interaction, kind="thumbs_down" if complained else "thumbs_up"
        )
    answer = as_user(dana).get(url("prompts"))
    newest, _other, oldest = answer.context["list"].rows
    assert (newest.pk, newest.text_before, newest.version_before) == (after.pk, before.text, "v1")
    assert (newest.shown, newest.complained, newest.share) == (4, 1, 0.25)
    assert (oldest.text_before, oldest.shown, oldest.share) == (None, 0, None)
    text = answer.content.decode()
    assert "<del>briefly</del><ins>politely</ins>" in text and "Tone." in text


def test_the_changelog_costs_the_same_queries_with_one_version_and_with_three(
    as_user, dana, project
):
    def grow(number):
        for _ in range(number):
            PromptVersion.objects.create(
                project=project, name="tax", version=f"v{_}{number}", text=f"text {_}"
            )

    assert_same_queries(as_user(dana), url("prompts"), grow)


def test_the_changelog_knows_no_prompt_of_another_project(as_user, dana, project, other_project):
    PromptVersion.objects.create(project=other_project, name="theirs", version="v1", text="x")
    answer = as_user(dana).get(url("prompts"))
    assert answer.context["list"].rows == []
    assert "No prompt version is known yet" in answer.content.decode()
