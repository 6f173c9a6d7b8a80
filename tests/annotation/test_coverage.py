"""Where gold is thin beside what production complains about."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation import coverage, gold
from annotation.models import ReviewItem
from feedbackhub.capture import languages
from feedbackhub.capture.models import Interaction
from tests.annotation.desk import queue_with
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    SettlementFactory,
)


def complained(project, *, feature="refunds", category="outdated", number=1, **fields):
    return [
        FeedbackEventFactory(
            project=project,
            interaction=InteractionFactory(project=project, feature=feature, model="lumen-2"),
            kind="report",
            category=category,
            **fields,
        ).interaction
        for _ in range(number)
    ]


def golden(project, by, *, feature="tax", categories=("factual_error",)):
    interaction = InteractionFactory(project=project, feature=feature, model="lumen-2")
    settlement = SettlementFactory(interaction=interaction, categories=list(categories))
    return gold.promote_to_gold(settlement=settlement, by=by)


def row(found, part, key):
    return next(each for each in found[part] if each.key == key)


def test_a_feature_that_hurts_and_has_no_gold_is_a_gap(project, ben):
    golden(project, ben), golden(project, ben)
    complained(project, number=3)
    complained(project, feature="tax", number=1)
    found = coverage.coverage(project)
    refunds, tax = row(found, "feature", "refunds"), row(found, "feature", "tax")
    assert (refunds.gold, refunds.complaints, refunds.is_gap) == (0, 3, True)
    assert (tax.gold_share, tax.complaint_share, tax.is_gap) == (1.0, 0.25, False)
    assert found["feature"][0].key == "refunds"
    assert not row(found, "model", "lumen-2").is_gap


def test_a_language_in_which_people_complain_and_gold_has_nothing_is_a_gap(as_user, ben, project):
    said = {
        "de": "Kann ich mein Fahrrad von der Steuer absetzen?",
        "en": "Can I deduct my bicycle?",
    }
    for code, words in said.items():
        [interaction] = complained(project)
        Interaction.objects.filter(pk=interaction.pk).update(
            messages=[{"role": "user", "content": words}]
        )
        languages.tell_language(Interaction.objects.get(pk=interaction.pk))
        assert Interaction.objects.get(pk=interaction.pk).language == code
    [short] = complained(project)
    Interaction.objects.filter(pk=short.pk).update(language="und")
    golden(project, ben)
    Interaction.objects.filter(language="").update(language="en")
    found = coverage.coverage(project)
    assert {each.key: (each.gold, each.complaints) for each in found["language"]} == {
        "de": (0, 1), "en": (1, 1),
    }  # fmt: skip
    assert (row(found, "language", "de").is_gap, row(found, "language", "en").is_gap) == (
        True,
        False,
    )
    page = as_user(ben).get(reverse("gold_coverage", args=["tax-help"])).content.decode()
    assert "By language" in page and "German" in page
    queue, _ = queue_with(project, items=0)
    [item] = coverage.review_gap(project=project, part="language", key="de", queue=queue, by=ben)
    assert item.interaction.language == "de"


def test_reported_categories_count_under_the_experts_category(project, ben):
    schema = LabelSchemaFactory(project=project)
    schema.categories[0]["reported_as"] = ["incorrect"]
    key = schema.categories[0]["key"]
    complained(project, category="incorrect", number=2)
    assert row(coverage.coverage(project, schema), "category", key).complaints == 2


def test_one_answer_complained_about_twice_is_one_and_old_complaints_are_none(project):
    [interaction] = complained(project)
    FeedbackEventFactory(project=project, interaction=interaction, kind="thumbs_down")
    complained(project, occurred_at=timezone.now() - timedelta(days=91))
    assert row(coverage.coverage(project), "feature", "refunds").complaints == 1


def test_retired_gold_and_another_projects_do_not_count(project, other_project, ben):
    gold.retire_example(example=golden(project, ben).example)
    golden(other_project, ben)
    complained(other_project)
    assert all(rows == [] for rows in coverage.coverage(project).values())


@pytest.mark.parametrize(("part", "key"), [("feature", "refunds"), ("category", "outdated")])
def test_a_gap_becomes_a_review_batch_once(as_user, dana, project, ben, part, key):
    queue, _ = queue_with(project, items=0)
    hurting = complained(project, number=3)
    complained(project, feature="tax", category="other", number=1)
    client, address = as_user(dana), reverse("gold_coverage", args=[project.slug])
    assert b"thin" in client.get(address).content
    given = {"part": part, "key": key, "queue": queue.slug}
    client.post(address, given)
    items = ReviewItem.objects.filter(queue=queue)
    assert {item.interaction_id for item in items} == {each.pk for each in hurting}
    assert items[0].reason == f"gold is thin: {key}"
    client.post(address, given)
    assert items.count() == 3


def test_what_makes_no_sense_is_not_there(as_user, dana, ana, project):
    queue, _ = queue_with(project, items=0)
    client, address = as_user(dana), reverse("gold_coverage", args=[project.slug])
    for given in (
        {},
        {"part": "exec", "key": "a", "queue": queue.slug},
        {"part": "feature", "key": "a\x00", "queue": queue.slug},
        {"part": "feature", "key": "a", "queue": "none"},
    ):
        assert client.post(address, given).status_code == 404
    assert as_user(ana).get(address).status_code == 403


def test_without_anything_the_page_says_when_it_shows_something(as_user, dana, project):
    answer = as_user(dana).get(reverse("gold_coverage", args=[project.slug]))
    assert b"Nothing to compare yet" in answer.content


def test_the_page_costs_the_same_queries_however_much_there_is(
    as_user, dana, project, django_assert_max_num_queries
):
    complained(project, number=3)
    client, address = as_user(dana), reverse("gold_coverage", args=[project.slug])
    client.get(address)
    with django_assert_max_num_queries(9):  # one is the frame's, for what waits
        client.get(address)
