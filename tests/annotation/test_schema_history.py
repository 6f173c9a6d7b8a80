"""Categories that are renamed, merged, split, retired and restored: what was said reads as it was and counts as it should."""

import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse

from annotation import annotating, coverage, gold, label_schema, settling
from annotation.agreement.judgements import shared_judgements
from annotation.agreement.report import make_report
from annotation.models import (
    Annotation,
    GoldRevision,
    GoldVersion,
    LabelSchema,
    Settlement,
)
from annotation.refusals import InvalidAnswer, WrongState
from annotation.schema_history import (
    ProjectCategories,
    category_words,
    differences,
    key_now,
    keys_to_choose,
)
from tests.annotation.desk import claim, judge, pass_time, queue_with, submit

pytestmark = pytest.mark.django_db


def now_of(project) -> LabelSchema:
    return LabelSchema.objects.get(project=project, is_current=True)


def words(project, key, version=1):
    then = LabelSchema.objects.get(project=project, version=version)
    return category_words(key, then=then, now=now_of(project))


@pytest.fixture
def queue(project):
    """Two experts per item; somebody said "outdated" already, so version 1 is frozen."""
    queue, _items = queue_with(project, items=4, overlap=2)
    return queue


@pytest.fixture
def said(queue, ana):
    return judge(ana, queue, categories=["outdated"])


def act(project, name, /, **given):
    return getattr(label_schema, name)(schema=now_of(project), **given)


def test_a_renamed_category_reads_under_both_names_and_counts_as_one(project, queue, said):
    act(project, "change_category", key="outdated", name="Stale")
    assert words(project, "outdated") == "Outdated (now Stale)"
    assert words(project, "outdated", version=2) == "Stale"
    assert key_now(now_of(project), "outdated") == "outdated"


def test_a_merged_category_reads_under_both_names_and_counts_with_the_other(project, said):
    act(project, "merge_category", key="outdated", into="factual_error")
    assert words(project, "outdated") == "Outdated (now Factual error)"
    now = now_of(project)
    assert key_now(now, "outdated") == "factual_error"
    assert now.category_keys == ["factual_error", "harmful"]
    said.refresh_from_db()
    assert (said.categories, said.schema.version) == (["outdated"], 1)


def test_what_was_merged_twice_counts_with_the_last(project, said):
    act(project, "merge_category", key="outdated", into="factual_error")
    act(project, "merge_category", key="factual_error", into="harmful")
    assert key_now(now_of(project), "outdated") == "harmful"
    assert words(project, "outdated") == "Outdated (now Harmful)"


def test_the_reporters_words_of_a_merged_category_suggest_the_other_one(project, said):
    act(project, "change_category", key="outdated", reported_as=["outdated"])
    act(project, "change_category", key="factual_error", reported_as=["wrong"])
    act(project, "merge_category", key="outdated", into="factual_error")
    assert now_of(project).category("factual_error")["reported_as"] == ["wrong", "outdated"]


def test_a_split_category_keeps_what_was_said_until_somebody_chooses(project, said):
    act(project, "split_category", key="outdated", names=["Old law", "Old price"])
    now = now_of(project)
    assert now.category_keys == ["factual_error", "old_law", "old_price", "harmful"]
    assert now.category("old_law")["meaning"] == "It was true once."
    assert words(project, "outdated") == "Outdated (now split into Old law, Old price)"
    assert key_now(now, "outdated") == "outdated"
    assert keys_to_choose(now, ["outdated", "harmful"]) == ["harmful"]


@pytest.mark.parametrize("names", [["One"], ["Same", "Same"], []])
def test_a_split_needs_two_names_that_differ(project, said, names):
    with pytest.raises(WrongState):
        act(project, "split_category", key="outdated", names=names)


def test_a_retired_category_reads_as_it_was_and_can_be_restored(project, said):
    before = now_of(project).category("outdated")
    act(project, "retire_category", key="outdated")
    assert words(project, "outdated") == "Outdated (retired)"
    act(project, "restore_category", key="outdated")
    assert now_of(project).category("outdated") == before
    assert now_of(project).former == []
    assert words(project, "outdated") == "Outdated"


def test_a_restored_category_no_longer_counts_with_what_it_was_merged_into(project, said):
    act(project, "merge_category", key="outdated", into="factual_error")
    act(project, "restore_category", key="outdated")
    assert key_now(now_of(project), "outdated") == "outdated"


def test_a_key_of_a_former_category_is_never_given_again(project):
    queue_with(project)  # version 1 is not frozen: it is changed in place
    act(project, "retire_category", key="outdated")
    act(project, "add_category", name="Outdated")
    assert now_of(project).version == 1
    assert now_of(project).category_keys[-1] == "outdated_2"


def test_a_category_cannot_be_merged_into_itself_or_into_what_is_gone(project, said):
    for into in ("outdated", "nothing"):
        with pytest.raises(WrongState):
            act(project, "merge_category", key="outdated", into=into)
    assert now_of(project).version == 1


# --- where it shows -------------------------------------------------------------------------------


def test_an_item_page_shows_both_names(project, queue, said, ben, as_user):
    act(project, "merge_category", key="outdated", into="factual_error")
    page = as_user(ben).get(reverse("item", args=["tax-help", said.item.public_id]))
    assert "Outdated (now Factual error)" in page.content.decode()
    assert page.context["chosen"]["categories"] == ["factual_error"]


def test_agreement_counts_merged_categories_together(project, queue, said, ben):
    judge(ben, queue, categories=["factual_error"])
    keys = [each.key for each in report(project).categories]
    assert sorted(keys) == ["factual_error", "outdated"]
    act(project, "merge_category", key="outdated", into="factual_error")
    (found,) = report(project).categories
    assert (found.key, found.percent.value) == ("factual_error", 1.0)


def report(project):
    return make_report(shared_judgements(project=project))


def test_experts_who_answered_before_and_after_a_merge_settle_under_the_newer_version(
    project, queue, said, ben
):
    act(project, "merge_category", key="outdated", into="factual_error")
    judge(ben, queue, categories=["factual_error"])
    settlement = Settlement.objects.get(item=said.item)
    assert (settlement.categories, settlement.schema.version) == (["factual_error"], 2)


def test_an_answer_opened_again_after_a_merge_has_the_other_category_chosen(
    project, queue, said, ana, as_user
):
    act(project, "merge_category", key="outdated", into="factual_error")
    annotating.revise(assignment=said.assignment)
    page = as_user(ana).get(reverse("review_item", args=["tax-help", said.assignment.public_id]))
    assert '<input type="checkbox" name="categories" value="factual_error" checked' in (
        page.content.decode()
    )


def test_an_answer_that_was_begun_before_a_merge_is_taken_as_it_was_said(project, queue, ana, said):
    assignment = claim(ana, queue)
    act(project, "merge_category", key="outdated", into="factual_error")
    late = submit(assignment, categories=["outdated"], schema_version=1)
    assert (late.categories, late.schema.version) == (["outdated"], 1)


def test_the_filter_of_annotations_finds_what_was_merged(project, queue, said, api):
    act(project, "merge_category", key="outdated", into="factual_error")
    answer = api("review").get("/api/v1/annotations?category=factual_error").json()
    assert [row["categories"] for row in answer["results"]] == [["outdated"]]


@pytest.fixture
def golden(project, ana, ben):
    queue, _items = queue_with(project, items=1)
    judge(ana, queue, categories=["outdated", "factual_error"], correction="Better.")
    settlement = Settlement.objects.get()
    pass_time(60, settlement)
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    gold.freeze_gold_version(project=project)
    return revision


def test_gold_and_its_versions_stay_what_they_were(project, golden, ben, as_user):
    before = GoldRevision.objects.values().get(), GoldVersion.objects.values().get()
    act(project, "merge_category", key="outdated", into="factual_error")
    act(project, "merge_category", key="factual_error", into="harmful")
    assert (GoldRevision.objects.values().get(), GoldVersion.objects.values().get()) == before
    address = reverse("gold", args=["tax-help"])
    found = {
        key: len(as_user(ben).get(f"{address}?category={key}").context["list"].rows)
        for key in ("harmful", "outdated", "nothing")
    }
    assert found == {"harmful": 1, "outdated": 1, "nothing": 0}


def test_coverage_counts_a_case_of_two_merged_categories_once(project, golden):
    def counted():
        rows = coverage.coverage(project, now_of(project))["category"]
        return {row.key: row.gold for row in rows if row.gold}

    assert counted() == {"outdated": 1, "factual_error": 1}
    act(project, "merge_category", key="outdated", into="factual_error")
    assert counted() == {"factual_error": 1}


def test_a_project_knows_the_name_of_every_category_it_ever_had(project, said):
    act(project, "merge_category", key="outdated", into="factual_error")
    act(project, "retire_category", key="harmful")
    categories = ProjectCategories(project)
    assert categories.names == {
        "factual_error": "Factual error",
        "outdated": "Outdated (now Factual error)",
        "harmful": "Harmful (retired)",
    }
    assert categories.to_choose() == [("factual_error", "Factual error")]
    assert categories.same_as(["factual_error"]) == ["factual_error", "outdated"]


# --- from version to version ----------------------------------------------------------------------


def test_differences_say_what_became_of_each_category(project, said):
    act(project, "change_category", key="harmful", name="Does harm", default_severity="high")
    act(project, "merge_category", key="outdated", into="factual_error")
    act(project, "change_guidelines", guidelines="# New")
    before = LabelSchema.objects.get(version=1)
    found = differences(before, now_of(project))
    assert [(each["part"], each["how"], each["name"]) for each in found] == [
        ("categories", "merged", "Outdated"),
        ("categories", "changed", "Harmful"),
        ("guidelines", "changed", ""),
    ]
    assert ("name", "Harmful", "Does harm") in found[1]["details"]


def test_a_version_in_use_is_never_changed(project, queue, said):
    for name, given in (
        ("change_category", {"key": "harmful", "name": "Does harm"}),
        ("merge_category", {"key": "outdated", "into": "factual_error"}),
        ("change_list", {"part": "root_causes", "rows": []}),
    ):
        frozen = LabelSchema.objects.filter(version=1).values(*label_schema.CONTENT).get()
        act(project, name, **given)
        assert LabelSchema.objects.filter(version=1).values(*label_schema.CONTENT).get() == frozen


@pytest.mark.django_db(transaction=True)
def test_an_answer_given_while_a_lead_changes_an_unused_version_is_refused(project, ana):
    queue, _items = queue_with(project)
    assignment = claim(ana, queue)
    schema = now_of(project)
    settled = []

    def change():
        with transaction.atomic():
            act(project, "retire_category", key="outdated")
        connection.close()

    def answer():
        real = settling.current_schema

        def meanwhile(*given):
            found = real(*given)
            thread = threading.Thread(target=change)
            thread.start()
            thread.join()
            return found

        settling.current_schema = meanwhile
        try:
            submit(assignment, categories=["outdated"])
        except InvalidAnswer as refusal:
            settled.append(refusal.errors)
        finally:
            settling.current_schema = real

    answer()
    assert list(settled[0]) == ["schema_version"]
    assert not Annotation.objects.exists()
    schema.refresh_from_db()
    assert (schema.version, schema.is_frozen) == (1, False)
