"""No twin crosses the line between training and holdout, also when it turns up late."""

import json
import threading
import time
from collections import Counter
from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from annotation import exporting, gold, leaks, splits
from annotation.exporting import make_again, make_export, request_export
from annotation.lineage import lineage
from annotation.models import ExportMember, ExportRun, GoldExample, Split
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import Interaction, NearDuplicateGroup
from feedbackhub.capture.near_duplicates import place
from feedbackhub.outbox.delivery import deliver_due
from tests.annotation.desk import at_once
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


MINE = "Can I deduct the costs of my home office if I only work there two days a week and share the room with my wife?"
LATE = "Can I deduct the costs of my home office if I only work there on two days a week and share a room with my partner?"
REWORDED = "May I deduct the costs of my home office if I only work there for two days a week and share that room with my wife?"
KEPT = "Can I deduct the costs of a home office when I only work there on some days a week and share a room with my partner?"


def test_a_twin_in_natural_words_that_arrives_after_an_export_shows_in_all_that_follows(
    api, project, ben, monkeypatch
):
    """Captured and delivered as any other: contaminated, left out of the next file, and found in the old one."""
    monkeypatch.setattr(
        splits, "split_of_key", lambda key: Split.HOLDOUT if key == held.key else Split.TRAIN
    )
    capture = api("capture")

    def comes_in(name, question):
        body = {"id": name, "output": "Yes, all of it.", "input": question}
        answer = capture.post("/api/v1/interactions", body, content_type="application/json")
        assert answer.status_code == 201
        deliver_due()
        return Interaction.objects.get(external_id=name)

    mine, kept = comes_in("mine", MINE), comes_in("kept", KEPT)
    held = kept.signature.group
    for interaction in (mine, kept):
        settlement = SettlementFactory(
            interaction=interaction, chosen_answer__text=f"An answer to {interaction.external_id}."
        )
        gold.promote_to_gold(settlement=settlement, by=ben)
    version = gold.freeze_gold_version(project=project)
    before = exported(version)
    with default_storage.open(f"{before.file_name}/rows.jsonl") as file:
        old_rows = [json.loads(line) for line in file]
    assert [row["messages"][0]["content"] for row in old_rows] == [MINE]
    assert leaks.check(project, iter(old_rows)).leaks == []

    comes_in("late", LATE)
    trained = GoldExample.objects.get(interaction=mine)
    assert (trained.split, trained.is_contaminated) == ("holdout", True)
    after = exported(version)
    assert (after.row_count, after.manifest["left_out"]) == (0, {"holdout": 1, "holdout_since": 1})
    reworded = {"text": f"### Question:\n{REWORDED}\n\n### Answer:\nNo."}
    found = leaks.check(project, iter([*old_rows, reworded])).leaks
    assert {(leak.row, leak.how) for leak in found if leak.example == str(trained.public_id)} == {
        (1, "same question"),
        (2, "near question"),
    }


def exported(version, format="openai_sft", **about):
    run = request_export(version=version, format=format, is_left_to_a_worker=False, **about)
    make_export(export_id=run.pk)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("format", ["openai_sft", "eval"])
def test_a_validation_example_in_a_training_file_is_contaminated_by_becoming_holdout(
    project, ben, format
):
    late = example(project, ben, WORDS[:30], "validation")
    example(project, ben, WORDS[10:], "holdout")
    exported(gold.freeze_gold_version(project=project), format, splits=["validation"])
    joined_by_a_third(project)
    late.refresh_from_db()
    assert (late.split, late.is_contaminated) == ("holdout", format == "openai_sft")


def test_what_went_out_stays_written_down_when_the_file_is_made_again(project, ben):
    """Also while it is being made again: its earlier file may be with somebody (rule 14)."""
    train = example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    run = exported(gold.freeze_gold_version(project=project))
    make_again(runs=[run])
    joined_by_a_third(project)
    train.refresh_from_db()
    assert (train.split, train.is_contaminated) == ("holdout", True)
    make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.row_count) == ("done", 0)
    assert run.members.get().revision.example == train
    assert [each["id"] for each in lineage(train)["exports"]] == [run.public_id]


def test_an_export_that_was_being_made_again_at_the_upgrade_counts_as_given_out(project, ben):
    train = example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    version = gold.freeze_gold_version(project=project)
    run, never = exported(version), request_export(version=version, format="trl_sft")
    make_again(runs=[run])
    ExportRun.objects.update(first_done_at=None)  # it was not kept before
    fill = import_module("annotation.migrations.0028_fill_first_done_of_remade")
    fill.say_since_when(apps, None)
    joined_by_a_third(project)
    train.refresh_from_db()
    assert (train.split, train.is_contaminated) == ("holdout", True)
    never.refresh_from_db()
    assert never.first_done_at is None


def test_what_no_finished_file_held_is_not_written_down(project, ben):
    """A go that was overtaken by the merge noted it, and its file was thrown away."""
    train = example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    version = gold.freeze_gold_version(project=project)
    run = request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    ExportRun.objects.filter(pk=run.pk).update(state="running", lease_until=timezone.now())
    ExportMember.objects.create(project=project, export=run, revision=train.revisions.get())
    joined_by_a_third(project)
    train.refresh_from_db()
    assert (train.split, train.is_contaminated) == ("holdout", False)
    ExportRun.objects.filter(pk=run.pk).update(state="pending")
    make_export(export_id=run.pk)
    assert not run.members.exists()


@pytest.mark.django_db(transaction=True)
def test_an_export_that_gets_done_meanwhile_counts(project, ben):
    """Who merges waits for the worker that is just saying done."""
    train = example(project, ben, WORDS[:30], "train")
    example(project, ben, WORDS[10:], "holdout")
    version = gold.freeze_gold_version(project=project)
    run = request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    ExportRun.objects.filter(pk=run.pk).update(state="running", lease_until=timezone.now())
    run = ExportRun.objects.select_related("version", "project").get(pk=run.pk)
    ExportMember.objects.create(project=project, export=run, revision=train.revisions.get())
    merging = threading.Thread(target=lambda: (joined_by_a_third(project), connection.close()))
    with transaction.atomic():
        assert exporting._Making(run, run.lease_until)._finish(file_name="made")
        merging.start()
        wait_for_a_lock()
    merging.join()
    train.refresh_from_db()
    assert (train.split, train.is_contaminated) == ("holdout", True)


def wait_for_a_lock():
    """Until somebody in this database waits for another."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone():
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def settled(project, words, category):
    interaction = InteractionFactory(
        project=project, messages=[{"role": "user", "content": " ".join(words)}]
    )
    place(interaction)
    return SettlementFactory(interaction=interaction, categories=[category])


@pytest.mark.django_db(transaction=True)
def test_twins_that_are_approved_at_once_are_born_into_one_split(project, ben, monkeypatch):
    """Though their categories bend what the hash says each its own way."""
    twins = [settled(project, WORDS, "tone"), settled(project, [*WORDS[:-1], "other"], "format")]
    monkeypatch.setattr(splits, "split_of_key", lambda key: Split.TRAIN)

    def counts(project_id, category):
        time.sleep(0.2)
        return {Split.TRAIN: 50} if category == "tone" else {}

    monkeypatch.setattr(splits, "_counts_of", counts)
    outcomes = at_once(
        *(lambda twin=twin: gold.promote_to_gold(settlement=twin, by=ben) for twin in twins)
    )
    assert len({revision.example.split for revision in outcomes}) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_approved_while_its_group_merges_has_the_split_of_all(project, ben, monkeypatch):
    waiting = settled(project, WORDS[:30], "tone")  # its group is the older one: the one that stays
    example(project, ben, WORDS[10:], "holdout")
    monkeypatch.setattr(splits, "split_of_key", lambda key: Split.TRAIN)
    looks = threading.Event()

    def counts(project_id, category):
        looks.set()
        time.sleep(0.4)
        return {}

    monkeypatch.setattr(splits, "_counts_of", counts)
    approving = threading.Thread(
        target=lambda: (gold.promote_to_gold(settlement=waiting, by=ben), connection.close())
    )
    approving.start()
    looks.wait()
    joined_by_a_third(project)
    approving.join()
    assert list(GoldExample.objects.values_list("split", flat=True)) == ["holdout", "holdout"]


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
