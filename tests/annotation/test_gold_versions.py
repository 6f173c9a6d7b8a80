"""Frozen versions read as they were, compared, and called something."""

import pgtrigger
import pytest
from django.urls import reverse

from annotation import gold, gold_versions, routing, splits
from annotation.models import GoldExample, GoldRevision, RoutingRule, Settlement
from annotation.refusals import InvalidAnswer
from tests.annotation.desk import judge, pass_time
from tests.factories import (
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    ReviewItemFactory,
    ReviewQueueFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def approved(project, by, **fields):
    interaction = InteractionFactory(project=project)
    settlement = SettlementFactory(interaction=interaction, **fields)
    return gold.promote_to_gold(settlement=settlement, by=by)


@pytest.fixture
def two_versions(project, ben):
    """The second has one example more, one less, one relabelled and one in a stricter split."""
    _kept, gone, relabelled, moved = (approved(project, ben) for _ in range(4))
    GoldExample.objects.update(split="train")
    first = gold.freeze_gold_version(project=project, by=ben)
    added = approved(project, ben)
    gold.retire_example(example=gone.example)
    again = SettlementFactory(
        interaction=relabelled.example.interaction,
        item=relabelled.settlement.item,
        verdict="harmful",
        is_current=False,
    )
    type(again).objects.filter(pk=relabelled.settlement_id).update(is_current=False)
    type(again).objects.filter(pk=again.pk).update(is_current=True)
    again.refresh_from_db()
    gold.promote_to_gold(settlement=again, by=ben)
    GoldExample.objects.filter(pk=moved.example_id).update(split="holdout")
    GoldExample.objects.filter(pk=added.example_id).update(split="train")
    second = gold.freeze_gold_version(project=project, by=ben)
    return (
        first,
        second,
        {
            added.example_id: "added",
            gone.example_id: "retired",
            relabelled.example_id: "relabelled",
            moved.example_id: "moved",
        },
    )


def test_differences_name_each_example_that_came_went_or_changed(two_versions):
    first, second, expected = two_versions
    found = {row[0]: row[3] for row in gold_versions.differences(first, second)}
    assert found == expected
    assert gold_versions.difference_counts(first, second) == {
        "added": 1,
        "relabelled": 1,
        "reworded": 0,
        "moved": 1,
        "retired": 1,
    }
    assert gold_versions.differences(first, first) == []


def test_differences_are_paged_by_example(two_versions):
    first, second, expected = two_versions
    seen, after = [], 0
    while page := gold_versions.differences(first, second, after=after, limit=3):
        seen += [row[0] for row in page]
        after = page[-1][0]
    assert seen == sorted(expected)


def test_the_page_of_differences_shows_what_became_of_each(as_user, dana, two_versions):
    answer = as_user(dana).get(url("version_differences", 2, 1))
    assert {row["change"] for row in answer.context["rows"]} == {
        "added",
        "retired",
        "relabelled",
        "moved",
    }
    assert b"train \xe2\x86\x92 holdout" in answer.content
    assert as_user(dana).get(url("version_differences", 2, 9)).status_code == 404
    assert as_user(dana).get(url("version_differences", 2, 1) + "?after=x").status_code == 404


def test_what_was_relabelled_and_reworded_says_both_and_which_labels(as_user, dana, project, ben):
    revision = approved(project, ben)
    gold.freeze_gold_version(project=project, by=ben)
    old = revision.settlement
    Settlement.objects.filter(pk=old.pk).update(is_current=False)
    new = SettlementFactory(
        interaction=old.interaction,
        severity="high",
        categories=["outdated", "tone"],
        chosen_answer=CandidateAnswerFactory(interaction=old.interaction, text="Better still."),
    )
    gold.promote_to_gold(settlement=new, by=ben)
    gold.freeze_gold_version(project=project, by=ben)
    answer = as_user(dana).get(url("version_differences", 2, 1))
    assert (answer.context["counts"]["relabelled"], answer.context["counts"]["reworded"]) == (1, 1)
    [row] = answer.context["rows"]
    assert (row["change"], row["is_reworded_too"]) == ("relabelled", True)
    assert row["labels"] == [
        ("categories", "factual_error", "outdated, tone"),
        ("severity", "medium", "high"),
    ]
    assert "severity: medium → high" in answer.content.decode()


def test_an_example_reads_as_of_a_version_by_page_and_api(
    api, as_user, dana, eve, project, other_project, ben
):
    revision = approved(project, ben)
    example, old = revision.example, revision.settlement
    GoldExample.objects.update(split="train")
    gold.freeze_gold_version(project=project, by=ben)
    Settlement.objects.filter(pk=old.pk).update(is_current=False)
    new = SettlementFactory(
        interaction=old.interaction,
        chosen_answer=CandidateAnswerFactory(interaction=old.interaction, text="Better still."),
    )
    gold.promote_to_gold(settlement=new, by=ben)
    GoldExample.objects.update(split="holdout")
    gold.freeze_gold_version(project=project, by=ben)
    gold.retire_example(example=example)

    then = url("gold_as_of", 1, example.public_id)
    assert then in as_user(dana).get(url("gold_version", 1)).content.decode()
    answer = as_user(dana).get(then)
    assert (answer.context["revision"], answer.context["split"]) == (revision, "train")
    assert answer.context["lineage"]["settlement"]["id"] == old.public_id
    assert "Better still." not in answer.content.decode()
    assert as_user(dana).get(url("gold_as_of", 3, example.public_id)).status_code == 404
    assert as_user(eve).get(then).status_code == 404
    theirs = reverse("gold_as_of", args=[other_project.slug, 1, example.public_id])
    assert as_user(eve).get(theirs).status_code == 404

    def read(query):
        rows = api("export").get(f"/api/v1/gold{query}").json()["results"]
        return [(row["revision"], row["split"]) for row in rows]

    assert (read("?version=1"), read("?version=2"), read("")) == (
        [],  # it is held out by now: under no older version does it leave
        [],  # and by its own name only when asked for
        [],
    )
    assert read("?version=2&split=holdout") == [(2, "holdout")]
    assert (read("?version=1&split=holdout"), read("?version=3")) == ([], [])
    assert api("export").get("/api/v1/gold?version=first").status_code == 400
    assert (
        api("export", project=other_project).get("/api/v1/gold?version=1").json()["results"] == []
    )


def test_a_version_says_how_it_was_split(as_user, dana, project, ben):
    approved(project, ben)
    gold.freeze_gold_version(project=project, by=ben)
    assert splits.DESCRIPTION in as_user(dana).get(url("gold_version", 1)).content.decode()


def test_a_version_reads_as_it_was_frozen(as_user, dana, two_versions):
    _first, _second, expected = two_versions
    moved = next(key for key, change in expected.items() if change == "moved")
    listed = as_user(dana).get(url("gold_version", 1)).context["list"]
    assert len(listed.rows) == 4
    assert {row.revision.example_id: row.split for row in listed}[moved] == "train"
    holdout = as_user(dana).get(url("gold_version", 2) + "?split=holdout").context["list"]
    assert [row.revision.example_id for row in holdout] == [moved]


def test_a_version_says_how_much_of_its_holdout_nobody_had_flagged(project, ben):
    revision = approved(project, ben)
    GoldExample.objects.update(split="holdout")
    type(revision.example.interaction).objects.update(is_sampled=True)
    facts = gold_versions.facts_of(gold.freeze_gold_version(project=project, by=ben))
    assert (facts["splits"]["holdout"], facts["sampled_holdout"]) == (1, 1)


def test_from_the_sample_to_the_sentence_on_the_versions_page(
    as_user, dana, project, ana, ben, monkeypatch
):
    """Sampled, judged, settled, held out, frozen; and what was complained about since counts no more."""
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: splits.Split.HOLDOUT)
    LabelSchemaFactory(project=project)
    queue = ReviewQueueFactory(project=project, overlap=1)
    RoutingRule.objects.create(
        project=project, name="1 %", position=1, queue=queue, when={"sample_percent": 100}
    )
    quiet, flagged = InteractionFactory.create_batch(2, project=project)
    routing.route_interaction(quiet)
    ReviewItemFactory(queue=queue, interaction=flagged)
    for _ in range(2):
        judge(ana, queue, correction="You claim the commuting allowance instead.")
    for settlement in Settlement.objects.all():
        pass_time(11, settlement)
        gold.promote_to_gold(settlement=settlement, by=ben)
    gold.freeze_gold_version(project=project, by=ben)

    def page():
        return " ".join(as_user(dana).get(url("gold_version", 1)).content.decode().split())

    assert "1 of them from traffic that nobody had flagged" in page()
    FeedbackEventFactory(interaction=quiet, kind="thumbs_up")
    assert "1 of them from traffic that nobody had flagged" in page()
    FeedbackEventFactory(interaction=quiet, kind="report")
    assert "0 of them from traffic that nobody had flagged" in page()


def test_a_tag_names_one_version(as_user, dana, two_versions):
    first, second, _ = two_versions
    gold_versions.describe(version=first, description="The first.", tags=["release-14", " "])
    assert (first.description, first.tags) == ("The first.", ["release-14"])
    with pytest.raises(InvalidAnswer):
        gold_versions.describe(version=second, description="", tags=["release-14"])
    answer = as_user(dana).post(url("gold_version", 2), {"tags": "release-14"})
    assert answer.status_code == 400 and b"Version 1 has one of these tags" in answer.content
    as_user(dana).post(url("gold_version", 2), {"tags": "release-15, next", "description": "Two."})
    second.refresh_from_db()
    assert second.tags == ["release-15", "next"]


def test_an_erased_row_is_a_tombstone(as_user, dana, project, ben):
    revision = approved(project, ben)
    gold.freeze_gold_version(project=project, by=ben)
    with pgtrigger.ignore():
        mine = GoldRevision.objects.filter(pk=revision.pk)
        mine.update(erased_at=revision.approved_at, messages=[])
    page = as_user(dana).get(url("gold_version", 1))
    assert b"erased" in page.content and page.context["facts"]["erased"] == 1


def test_the_page_costs_the_same_queries_with_one_and_with_three(as_user, dana, project, ben):
    version = None

    def grow(number):
        nonlocal version
        for _ in range(number):
            revision = approved(project, ben)
            if version is None:
                version = gold.freeze_gold_version(project=project, by=ben)
            else:
                version.members.create(project=project, revision=revision, split="train")

    assert_same_queries(as_user(dana), url("gold_version", 1), grow)
