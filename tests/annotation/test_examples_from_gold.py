"""A category without examples of its own is shown with a settled case: from the train split, and never the shown answer's twin."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import examples_from_gold, gold
from annotation.models import GoldExample, ReviewItem, ReviewQueue
from feedbackhub.capture.near_duplicates import group_of
from tests.annotation.desk import claim, queue_with
from tests.factories import (
    AssignmentFactory,
    CandidateAnswerFactory,
    InteractionFactory,
    ReviewItemFactory,
    SettlementFactory,
)

BAD, GOOD = "The allowance is 1,000 a year.", "The allowance is 1,230 a year."


@pytest.fixture(autouse=True)
def nothing_remembered(db):
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def queue(project):
    """Items of it wait, each placed among its near-duplicates."""
    queue, items = queue_with(project, items=2)
    for number, item in enumerate(items):
        ask(item.interaction, f"May I deduct the bicycle number {number} that I bought in May?")
    return queue


def ask(interaction, question):
    interaction.messages = [{"role": "user", "content": question}]
    type(interaction).objects.filter(pk=interaction.pk).update(messages=interaction.messages)
    group_of(interaction)


def golden(queue, ben, *, split="train", question="How high is the allowance for savers?", **said):
    interaction = InteractionFactory(project=queue.project, output=BAD)
    ask(interaction, question)
    settlement = SettlementFactory(
        interaction=interaction,
        item=ReviewItemFactory(queue=queue, interaction=interaction, state="settled"),
        categories=["outdated"],
        chosen_answer=CandidateAnswerFactory(interaction=interaction, text=GOOD),
        **said,
    )
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.filter(pk=revision.example_id).update(split=split)
    return revision


def shown(expert, queue):
    item = claim(expert, queue).item
    schema = queue.project.labelschema_set.get()
    return examples_from_gold.examples_for(item, schema, expert.pk)


def test_a_category_without_examples_gets_a_settled_case(queue, ana, ben):
    golden(queue, ben)
    assert shown(ana, queue) == {"outdated": {"bad": BAD, "good": GOOD}}


def test_it_stands_beside_the_guideline_and_says_where_it_is_from(as_user, queue, ana, ben):
    golden(queue, ben)
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert BAD in html and GOOD in html
    assert "From a settled case of this queue" in html


@pytest.mark.parametrize(
    ("own", "shown", "hidden"),
    [("bad_example", GOOD, BAD), ("good_example", BAD, GOOD)],
    ids=["bad", "good"],
)
def test_a_category_with_one_example_gets_the_other_from_a_settled_case(
    as_user, queue, ana, ben, own, shown, hidden
):
    golden(queue, ben)
    schema = queue.project.labelschema_set.get()
    schema.categories = [{**each, own: "Our <own> words."} for each in schema.categories]
    schema.save()
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert shown in html and hidden not in html
    assert html.count("Our &lt;own&gt; words.") == len(schema.categories)
    other = "good" if own == "bad_example" else "bad"
    assert f"The {other} one is from a settled case of this queue" in html


def test_the_schemas_own_words_come_first_and_cost_no_query(queue, ana, ben):
    golden(queue, ben)
    schema = queue.project.labelschema_set.get()
    item = claim(ana, queue).item
    own = {"bad_example": "x", "good_example": "y"}
    schema.categories = [{**each, **own} for each in schema.categories]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert examples_from_gold.examples_for(item, schema, ana.pk) == {}
    assert len(asked) == 0


def test_nobody_reads_the_answer_to_a_known_case_before_they_had_it(queue, ana, ben):
    revision = golden(queue, ben)
    ReviewQueue.objects.update(onboarding_count=1)
    item = ReviewItem.objects.get(interaction=revision.example.interaction)
    [other] = ReviewItem.objects.filter(queue=queue, state="waiting").order_by("-pk")[:1]
    schema = queue.project.labelschema_set.get()
    assert examples_from_gold.examples_for(other, schema, ana.pk) == {}
    AssignmentFactory(item=item, expert=ana, state="submitted")
    assert examples_from_gold.examples_for(other, schema, ana.pk) != {}


@pytest.mark.parametrize("split", ["validation", "holdout"])
def test_what_tests_a_model_teaches_nobody(queue, ana, ben, split):
    golden(queue, ben, split=split)
    assert shown(ana, queue) == {}


def test_the_shown_answers_own_twin_is_never_shown(queue, ana, ben):
    golden(queue, ben, question="May I deduct the bicycle number 0 that I bought in May?")
    assert shown(ana, queue) == {}
    cache.clear()
    golden(queue, ben)
    assert shown(ana, queue) == {"outdated": {"bad": BAD, "good": GOOD}}


def test_beside_what_was_not_placed_yet_nothing_is_shown(queue, ana, ben):
    golden(queue, ben)
    item = claim(ana, queue).item
    item.interaction.signature.delete()
    schema = queue.project.labelschema_set.get()
    assert examples_from_gold.examples_for(item, schema, ana.pk) == {}


def test_another_queues_cases_and_retired_or_erased_ones_are_not_shown(project, queue, ana, ben):
    other, _ = queue_with(project, items=0)
    golden(other, ben)
    retired, erased = golden(queue, ben), golden(queue, ben, question="What about savers abroad?")
    item = claim(ana, queue).item
    schema = project.labelschema_set.get()
    assert examples_from_gold.examples_for(item, schema, ana.pk) != {}
    gold.retire_example(example=retired.example)
    type(erased).objects.filter(pk=erased.pk).update(is_current=False)
    assert examples_from_gold.examples_for(item, schema, ana.pk) == {}, (
        "although both are remembered"
    )


def test_it_costs_the_same_queries_with_one_case_and_with_three(queue, ana, ben):
    item = claim(ana, queue).item
    schema = queue.project.labelschema_set.get()
    costs = []
    for number in range(3):
        golden(queue, ben, question=f"How high is the allowance for savers of kind {number}?")
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            examples_from_gold.examples_for(item, schema, ana.pk)
        with CaptureQueriesContext(connection) as again:
            examples_from_gold.examples_for(item, schema, ana.pk)
        costs.append((len(asked), len(again)))
    assert len(set(costs)) == 1
    assert costs[0][1] <= 2


def test_both_are_cut_to_where_they_part(queue):
    same = "The same beginning. " * 20
    found = examples_from_gold._excerpts(f"{same}It was so.", f"{same}It is not so.")
    assert found["bad"].startswith("…") and found["bad"].endswith("It was so.")
    assert len(found["good"]) <= 62 + len("It is not so.")
