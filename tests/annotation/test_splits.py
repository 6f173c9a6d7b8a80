"""No twin crosses the line between training and holdout, also when it turns up late."""

from collections import Counter

import pytest

from annotation import gold, splits
from annotation.exporting import make_export, request_export
from annotation.models import GoldExample, Split
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import NearDuplicateGroup
from feedbackhub.capture.near_duplicates import place
from tests.factories import InteractionFactory, SettlementFactory

WORDS = [f"word{n:02}" for n in range(40)]


def test_the_hash_gives_about_eight_one_one():
    found = [splits.split_of_key(f"{n:064x}") for n in range(3000)]
    assert 2300 < found.count("train") < 2500
    assert 230 < found.count("holdout") < 370
    assert 230 < found.count("validation") < 370


@pytest.mark.parametrize("wanted", Split)
def test_within_a_category_no_split_gets_more_than_one_too_many(project, ben, monkeypatch, wanted):
    """However the hash falls; and nothing is bent into holdout."""
    monkeypatch.setattr(splits, "split_of_key", lambda key: wanted)
    for number in range(20):
        words = " ".join(f"word{number}x{n}" for n in range(8))
        interaction = InteractionFactory(
            project=project, messages=[{"role": "user", "content": words}]
        )
        place(interaction)
        settlement = SettlementFactory(interaction=interaction, categories=["outdated"])
        gold.promote_to_gold(settlement=settlement, by=ben)
    counts = Counter(GoldExample.objects.values_list("split", flat=True))
    holdout = 3 if wanted == "holdout" else 0
    assert counts["holdout"] == pytest.approx(holdout, abs=1)
    assert counts["validation"] == pytest.approx(2, abs=1)
    assert counts["train"] >= 14


def example(project, ben, words, split):
    interaction = InteractionFactory(
        project=project, messages=[{"role": "user", "content": " ".join(words)}]
    )
    place(interaction)
    revision = gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    GoldExample.objects.filter(pk=revision.example_id).update(split=split)
    return revision.example


def joined_by_a_third(project):
    """A newcomer that is like both: their groups become one."""
    group = place(
        InteractionFactory(
            project=project, messages=[{"role": "user", "content": " ".join(WORDS[4:36])}]
        )
    )
    splits.unite(group)


def test_when_groups_merge_the_strictest_split_wins_for_all(project, ben):
    train = example(project, ben, WORDS[:30], "train")
    holdout = example(project, ben, WORDS[10:], "holdout")
    joined_by_a_third(project)
    train.refresh_from_db()
    holdout.refresh_from_db()
    assert (train.split, holdout.split) == ("holdout", "holdout")
    assert not train.is_contaminated


def test_what_was_exported_for_training_before_the_merge_is_contaminated_and_leaves_no_more(
    project, ben
):
    train = example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    version = gold.freeze_gold_version(project=project)
    before = request_export(version=version, format="openai_sft")
    make_export(export_id=before.pk)
    before.refresh_from_db()
    assert before.row_count == 1
    epoch = Project.objects.get(pk=project.pk).erasure_epoch
    joined_by_a_third(project)
    train.refresh_from_db()
    assert (train.split, train.is_contaminated) == ("holdout", True)
    assert Project.objects.get(pk=project.pk).erasure_epoch == epoch + 1
    after = request_export(version=version, format="openai_sft")
    make_export(export_id=after.pk)
    after.refresh_from_db()
    assert after.row_count == 0


def test_uniting_twice_changes_nothing_more(project, ben):
    example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    joined_by_a_third(project)
    assert splits.unite(NearDuplicateGroup.objects.order_by("id").first()) == 0


def test_a_late_twin_of_a_holdout_example_is_holdout(project, ben):
    first = example(project, ben, WORDS, "holdout")
    first.refresh_from_db()
    late = InteractionFactory(
        project=project, messages=[{"role": "user", "content": " ".join([*WORDS[:-1], "other"])}]
    )
    revision = gold.promote_to_gold(settlement=SettlementFactory(interaction=late), by=ben)
    assert revision.example.split == first.split == "holdout"
