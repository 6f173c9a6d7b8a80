"""What stands beside an item: similar settled cases, suggestions, written answers, the session, the prompt's change."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from annotation import drafts, recall
from annotation.models import GoldExample, Settlement, Split
from feedbackhub.capture import near_duplicates
from feedbackhub.capture.models import PromptVersion
from tests.annotation.desk import claim, queue_with
from tests.factories import (
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    QueueMemberFactory,
    ReviewItemFactory,
    ReviewQueueFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

QUESTION = "Can I deduct the bicycle that I ride to work?"
LIKE_IT = "Can I deduct a bicycle that I ride to my work?"


@pytest.fixture(autouse=True)
def _train(monkeypatch):
    """Groups are born into train, but for what a test says."""
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: Split.TRAIN)


@pytest.fixture
def queue(project):
    return queue_with(project, items=0, name="Tax", slug="tax")[0]


@pytest.fixture
def hand(ana, queue):
    _first, prompt = (
        PromptVersion.objects.create(project=queue.project, name="tax", version=version, text=text)
        for version, text in [("1", "Be brief."), ("2", "Name the year. Be brief.")]
    )
    asked = InteractionFactory(
        project=queue.project,
        messages=[{"role": "user", "content": QUESTION}],
        session_id="one",
        prompt_version=prompt,
    )
    ReviewItemFactory(queue=queue, interaction=asked)
    return claim(ana, queue)


def settled(queue, question=QUESTION, **fields):
    asked = InteractionFactory(
        project=queue.project, messages=[{"role": "user", "content": question}]
    )
    near_duplicates.place(asked)
    item = ReviewItemFactory(queue=queue, interaction=asked, state="settled")
    case = SettlementFactory(project=queue.project, interaction=asked, item=item, **fields)
    recall.make_vector(interaction=asked)
    return case


def reported(queue, hand):
    """The reporter said "outdated", which means a category."""
    schema = LabelSchemaFactory(project=queue.project)
    schema.categories[1]["reported_as"] = ["outdated"]
    schema.save()
    FeedbackEventFactory(interaction=hand.item.interaction, category="outdated")


def choose_verdict(hand):
    drafts.save_draft(
        assignment=hand, fence=hand.fence, draft={"verdict": "wrong"}, draft_revision=0
    )


def queue_of_ben(queue, asked):
    bens = ReviewQueueFactory(project=queue.project)
    ReviewItemFactory(queue=bens, interaction=asked)
    return bens


def beside(client, assignment, **query):
    url = reverse("review_context", args=[assignment.project.slug, assignment.public_id])
    return client.get(url, query)


def cases(response):
    return [case["settlement"] for case in response.context["cases"]]


def test_similar_cases_come_with_their_outcome(as_user, ana, queue, hand):
    near = settled(queue, LIKE_IT)
    settled(queue, "Which form do I need for rent from abroad?")
    response = beside(as_user(ana), hand)
    assert cases(response) == [near]
    values = {"verdict": "wrong", "severity": "medium", "categories": ["factual_error"]}
    assert json.loads(response.context["cases"][0]["values"]) == values | {"root_cause": ""}


def test_case_that_may_be_undone_is_no_precedent(as_user, ana, queue, hand):
    case = settled(queue)
    Settlement.objects.filter(pk=case.pk).update(is_current=False)
    assert cases(beside(as_user(ana), hand)) == []


def test_holdout_and_its_twins_are_never_shown(as_user, ana, queue, hand):
    case, twin = settled(queue), settled(queue, QUESTION + "!")
    assert near_duplicates.group_of(case.interaction) == near_duplicates.group_of(twin.interaction)
    assert set(cases(beside(as_user(ana), hand))) == {twin, case}
    GoldExample.objects.create(project=queue.project, interaction=case.interaction, split="holdout")
    assert cases(beside(as_user(ana), hand)) == []


def test_cases_of_queues_of_others_and_of_other_projects_are_not_shown(
    as_user, ana, ben, queue, hand, other_project
):
    bens = ReviewQueueFactory(project=queue.project)
    QueueMemberFactory(queue=bens, user=ben)
    settled(bens)
    LabelSchemaFactory(project=other_project)
    settled(ReviewQueueFactory(project=other_project))
    own = settled(queue)
    assert cases(beside(as_user(ana), hand)) == [own]


@pytest.mark.parametrize("purpose", ["calibration", "repeat"])
def test_whoever_is_measured_gets_no_help_and_is_not_told_so(as_user, ana, queue, hand, purpose):
    reported(queue, hand)
    queue.suggestions_after_first_answer = True
    queue.save()
    settled(queue)
    hand.item.purpose = purpose
    hand.item.save()
    before = beside(as_user(ana), hand)
    assert before.context["waits_for_answer"]
    assert before.context["suggestions"] == []
    choose_verdict(hand)
    after = beside(as_user(ana), hand)
    assert not after.context["waits_for_answer"]
    assert (cases(after), after.context["candidates"], after.context["look_alikes"]) == ([], [], [])
    assert [each["source"] for each in after.context["suggestions"]] == ["reporter"]


def test_queue_may_hide_them_until_the_first_answer(as_user, ana, queue, hand):
    queue.suggestions_after_first_answer = True
    queue.save()
    case = settled(queue)
    assert cases(beside(as_user(ana), hand, answered="1")) == []  # the server's word counts
    choose_verdict(hand)
    assert cases(beside(as_user(ana), hand)) == [case]


def test_reporters_word_is_suggested_as_what_it_means(as_user, ana, queue, hand):
    reported(queue, hand)
    (suggestion,) = beside(as_user(ana), hand).context["suggestions"]
    assert (suggestion["source"], suggestion["names"]) == ("reporter", ["Outdated"])


def test_written_answers_of_colleagues_wait_for_an_open_queue(as_user, ana, ben, queue, hand):
    asked = hand.item.interaction
    theirs = CandidateAnswerFactory(interaction=asked, source="reporter", text="Theirs")
    bens = CandidateAnswerFactory(interaction=asked, author=ben, text="Ben's")

    def offered():
        found = beside(as_user(ana), hand).context["candidates"]
        return [each["candidate"] for each in found]

    assert offered() == [theirs]
    queue.is_blind = False
    queue.save()
    assert offered() == [bens, theirs]


def test_session_and_change_of_the_prompt_are_shown(as_user, ana, queue, hand):
    earlier = InteractionFactory(project=queue.project, session_id="one", output="Earlier words")
    InteractionFactory(project=queue.project, session_id="two", output="Somebody else's words")
    response = beside(as_user(ana), hand)
    html = response.content.decode()
    assert response.context["session"] == [earlier]
    assert "Earlier words" in html and "Somebody else" not in html
    assert "<ins>Name the year. </ins>" in html


def test_nearest_turns_of_a_long_session_are_shown_and_the_others_counted(
    as_user, ana, ben, queue, hand, monkeypatch
):
    asked = hand.item.interaction
    for minutes in (-30, -2, -1, 1, 2, 3, *range(10, 22)):
        InteractionFactory(
            project=queue.project,
            session_id="one",
            occurred_at=asked.occurred_at + timedelta(minutes=minutes),
        )
    response = beside(as_user(ana), hand)
    turns = [each.occurred_at - asked.occurred_at for each in response.context["session"]]
    shown = [-2, -1, 1, 2, 3, 10, 11, 12, 13, 14]
    assert turns == [timedelta(minutes=minutes) for minutes in shown]
    assert response.context["session_left"] == 8
    assert "8 more" in response.content.decode()
    assert response.context["session_url"] == ""  # an expert does not search
    monkeypatch.setattr("feedbackhub.capture.browsing.MOST_COUNTED", 12)
    html = beside(as_user(ana), hand).content.decode()
    assert "12+" in html and "These are the nearest of very many." in html
    bens = claim(ben, queue_of_ben(queue, asked))
    assert beside(as_user(ben), bens).context["session_url"] == (
        f"/p/{queue.project.slug}/interactions/?session=one"
    )


def turn_of(asked, minutes, **fields):
    return InteractionFactory(
        project=asked.project,
        session_id=asked.session_id,
        occurred_at=asked.occurred_at + timedelta(minutes=minutes),
        **fields,
    )


def more(client, assignment, **query):
    url = reverse("review_session", args=[assignment.project.slug, assignment.public_id])
    return client.get(url, query)


def test_whoever_holds_the_item_reads_the_conversation_to_both_ends(as_user, ana, queue, hand):
    asked = hand.item.interaction
    turns = [turn_of(asked, minutes) for minutes in (*range(-40, 0), *range(1, 30))]
    InteractionFactory(project=queue.project, session_id="two")
    turn_of(asked, 3, erased_at=asked.occurred_at)
    client = as_user(ana)
    shown = beside(client, hand).context
    read = list(shown["session"])
    earlier, later = shown["earlier"], shown["later"]
    while earlier:
        page = more(client, hand, earlier=earlier).context
        assert (len(page["session"]) <= 20, page["later"]) == (True, None)
        assert page["reached"] == page["session"][-1:]
        read, earlier = [*page["session"], *read], page["earlier"]
    while later:
        page = more(client, hand, later=later).context
        assert page["reached"] == page["session"][:1]
        read, later = [*read, *page["session"]], page["later"]
    assert read == turns


def test_a_short_conversation_has_no_more_to_show(as_user, ana, queue, hand):
    for minutes in (-2, -1, 1):
        turn_of(hand.item.interaction, minutes)
    response = beside(as_user(ana), hand)
    assert (response.context["earlier"], response.context["later"]) == (False, False)
    assert "Show earlier turns" not in response.content.decode()


def test_a_long_turn_is_shown_whole_on_demand(as_user, ana, hand):
    long = {"messages": [{"role": "user", "content": "q" * 1_001}], "output": "a" * 4_001}
    turn = turn_of(hand.item.interaction, 1, **long)
    url = reverse("review_turn", args=["tax-help", hand.public_id, turn.public_id])
    html = beside(as_user(ana), hand).content.decode()
    assert url in html and "a" * 4_001 not in html
    whole = as_user(ana).get(url).content.decode()
    assert "q" * 1_001 in whole and "a" * 4_001 in whole


def test_turns_of_other_sessions_and_of_items_of_others_are_not_there(
    as_user, ana, ben, queue, hand
):
    turn = turn_of(hand.item.interaction, 1)
    elsewhere = InteractionFactory(project=queue.project, session_id="two")
    for user, each, status in [(ana, turn, 200), (ana, elsewhere, 404), (ben, turn, 404)]:
        url = reverse("review_turn", args=["tax-help", hand.public_id, each.public_id])
        assert as_user(user).get(url).status_code == status
    assert more(as_user(ben), hand).status_code == 404
    assert more(as_user(ana), hand, later="made-up").status_code == 404


def test_turns_cost_the_same_queries_however_many(as_user, ana, queue, hand):
    def grow(number):
        for _ in range(number):
            turn_of(hand.item.interaction, 1)

    for name in ("review_context", "review_session"):
        url = reverse(name, args=["tax-help", hand.public_id])
        assert_same_queries(as_user(ana), url, grow)


def test_context_costs_the_same_for_one_and_for_three(
    as_user, ana, queue, hand, django_assert_max_num_queries
):
    client = as_user(ana)
    settled(queue)
    CandidateAnswerFactory(interaction=hand.item.interaction, source="reporter", text="One")
    with django_assert_max_num_queries(30) as one:
        beside(client, hand)
    for n in (2, 3):
        settled(queue)
        CandidateAnswerFactory(interaction=hand.item.interaction, source="reporter", text=f"{n}")
    with django_assert_max_num_queries(len(one)):
        assert len(cases(beside(client, hand))) == 3


def test_context_of_somebody_elses_item_is_not_there(as_user, ben, hand):
    assert beside(as_user(ben), hand).status_code == 404
