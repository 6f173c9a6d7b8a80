"""An export run: asked for, made by a worker, watched, cancelled, taken over, made again."""

import hashlib
import json
import threading
from datetime import timedelta

import pgtrigger
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from annotation import export_files, export_reading, exporting
from annotation.export_files import Spools
from annotation.models import (
    Comparison,
    ExportRun,
    GoldExample,
    GoldVersionMember,
    Preference,
)
from feedbackhub.accounts.models import Project
from feedbackhub.capture.erasure import erase_person
from feedbackhub.capture.models import Interaction
from tests.annotation.exports.house import frozen_house, made
from tests.factories import AnnotationFactory, AssignmentFactory, ReviewItemFactory


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


@pytest.fixture
def version(project, ben):
    return frozen_house(project, ben)


def files_in(folder, ending=""):
    return sorted(path for path in folder.rglob(f"*{ending}") if path.is_file())


def content(run, name="rows.jsonl"):
    with default_storage.open(f"{run.file_name}/{name}") as file:
        return file.read()


def test_an_export_holds_a_row_for_each_case_and_a_manifest_that_matches(version):
    run = made(version)
    rows = content(run)
    assert (run.state, run.row_count, run.progress_count, run.total_count) == ("done", 3, 3, 3)
    assert run.digest == hashlib.sha256(rows).hexdigest()
    assert run.manifest["files"][0] == {
        "name": "rows.jsonl",
        "rows": 3,
        "bytes": len(rows),
        "sha256": run.digest,
    }
    assert run.manifest["gold_digest"] == version.digest
    assert run.manifest["rows_by_split"] == {"train": 3}
    assert run.manifest["agreement"] == 1.0


def test_the_agreement_told_is_that_of_the_cases_that_left(version, monkeypatch):
    """Not the holdout's; and the same when another worker went on."""
    first, *_others, last = GoldExample.objects.order_by("id")
    for example, agreement in ((first, 0.4), (last, 0.0)):
        example.revisions.get().settlement.__class__.objects.filter(
            gold_revisions__example=example
        ).update(agreement=agreement)
    assert made(version).manifest["agreement"] == 0.8
    assert made(version, "eval", splits=["holdout", "train"]).manifest["agreement"] == 0.6
    run = exporting.request_export(version=version, format="openai_sft")
    with monkeypatch.context() as patch:
        die_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            exporting.make_export(export_id=run.pk)
    given_up(run)
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert run.manifest["agreement"] == 0.8


def test_a_worker_whose_time_is_up_leaves_the_run_to_another_with_its_pieces(version, monkeypatch):
    monkeypatch.setattr(export_reading, "BATCH", 1)
    monkeypatch.setattr(exporting, "PIECE", 1)
    put_aside = exporting._Making._put_aside

    def put_aside_late(making, spools):
        put_aside(making, spools)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(exporting._Making, "_put_aside", put_aside_late)
    run = exporting.request_export(version=version, format="openai_sft")
    assert exporting.make_export(export_id=run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.lease_until, run.checkpoint["done"]) == ("pending", None, 1)
    monkeypatch.setattr(exporting._Making, "_put_aside", put_aside)
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.row_count) == ("done", 3)


def test_the_lease_is_renewed_while_a_large_file_is_read_and_sent(version, monkeypatch):
    """Each chunk is a moment at which a sweep may look."""
    monkeypatch.setattr(export_files, "CHUNK", 16)
    monkeypatch.setattr(exporting, "PIECE", 1)
    monkeypatch.setattr(export_reading, "BATCH", 1)
    beats = []
    monkeypatch.setattr(exporting._Making, "_still_here", lambda making: beats.append(1))
    run = made(version)
    assert (run.state, len(beats) > run.size_bytes / 16) == ("done", True)


def test_a_beat_renews_the_lease_only_when_a_part_of_it_has_passed(version):
    run = exporting.request_export(version=version, format="openai_sft")
    making = exporting._Making(run, exporting._take(run.pk))
    first = making.lease
    making._still_here()
    assert making.lease == first
    making.lease = first - timedelta(seconds=30)
    ExportRun.objects.filter(pk=run.pk).update(lease_until=making.lease)
    making._still_here()
    assert making.lease > first


def test_provenance_stands_beside_the_rows_line_for_line(version):
    run = made(version)
    lines = [
        json.loads(each) for each in content(run, "provenance.jsonl").decode().split("\n")[:-1]
    ]
    assert [each["interaction"] for each in lines] == ["chat/0", "chat/1", "chat/2"]
    assert len(lines) == run.row_count


def test_the_same_export_is_the_same_bytes(version):
    first, second = made(version), made(version)
    assert first.file_name != second.file_name
    assert content(first) == content(second)
    assert first.manifest == second.manifest


def test_the_holdout_leaves_only_in_formats_to_test_with_and_when_it_is_asked_for(version):
    run = made(version, "eval")
    assert (run.row_count, run.manifest["left_out"]) == (3, {"split_not_asked_for": 1})
    assert made(version, "eval", splits=["holdout"]).row_count == 1
    with pytest.raises(ValidationError, match="may not leave in a training export"):
        exporting.request_export(version=version, format="trl_dpo", splits=["holdout"])


def test_a_run_that_names_the_holdout_all_the_same_gets_none_of_it(version):
    run = exporting.request_export(version=version, format="openai_sft")
    ExportRun.objects.filter(pk=run.pk).update(filter={"splits": ["holdout", "train"]})
    exporting.make_export(export_id=run.pk)
    assert b"Question" in content(ExportRun.objects.get(pk=run.pk))
    assert ExportRun.objects.get(pk=run.pk).row_count == 3


def test_an_unknown_format_or_split_is_refused(version):
    with pytest.raises(ValidationError):
        exporting.request_export(version=version, format="../../etc/passwd")
    with pytest.raises(ValidationError, match="no split"):
        exporting.request_export(version=version, format="eval", splits=["test"])


def test_what_is_left_out_is_counted_by_reason(version):
    with pgtrigger.ignore():
        GoldExample.objects.first().revisions.update(rejected_answers=[])
    run = made(version, "trl_dpo")
    assert run.row_count == 2
    assert run.manifest["left_out"] == {"holdout": 1, "no_rejected_answer": 1}


def test_a_cancelled_run_stops_at_the_next_batch_and_leaves_no_file(version, monkeypatch, tmp_path):
    monkeypatch.setattr(export_reading, "BATCH", 1)
    monkeypatch.setattr(exporting, "PIECE", 1)
    run = exporting.request_export(version=version, format="openai_sft")
    put_aside = Spools.put_aside

    def cancel_meanwhile(spools):
        pieces = put_aside(spools)
        exporting.cancel_export(run=run)
        return pieces

    monkeypatch.setattr(Spools, "put_aside", cancel_meanwhile)
    assert exporting.make_export(export_id=run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.progress_count) == ("cancelled", 1)
    assert files_in(tmp_path) == []


def die_after(monkeypatch, pieces):
    """The worker is killed once it has put so many pieces aside."""
    monkeypatch.setattr(export_reading, "BATCH", 1)
    monkeypatch.setattr(exporting, "PIECE", 1)
    put_aside, left = exporting._Making._put_aside, iter(range(pieces))

    def put_aside_or_die(making, spools):
        put_aside(making, spools)
        if next(left, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(exporting._Making, "_put_aside", put_aside_or_die)


def given_up(run):
    """The lease of its worker ran out, and a sweep came by."""
    ExportRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    exporting.take_back_abandoned()


@pytest.mark.parametrize("format", ["openai_sft", "csv", "huggingface", "raw_annotations"])
def test_whoever_takes_over_goes_on_after_the_last_piece_and_makes_the_same_bytes(
    version, monkeypatch, tmp_path, format
):
    whole = made(version, format)
    run = exporting.request_export(version=version, format=format)
    with monkeypatch.context() as patch:
        die_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            exporting.make_export(export_id=run.pk)
    given_up(run)
    looked_at = []
    rows_of = export_reading.rows_of
    monkeypatch.setattr(
        export_reading, "rows_of", lambda *given: looked_at.append(1) or rows_of(*given)
    )
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert len(looked_at) == whole.total_count - 2
    assert (run.digest, run.manifest) == (whole.digest, whole.manifest)
    assert run.checkpoint == {}
    assert {path.parent.name for path in files_in(tmp_path / run.file_name, "jsonl")} <= {
        run.file_name.rpartition("/")[2],
        "data",
    }
    assert not [path for path in files_in(tmp_path) if "pieces" in str(path)]


def test_an_erasure_while_it_is_made_begins_it_anew_without_the_person(
    version, monkeypatch, tmp_path, django_capture_on_commit_callbacks
):
    run = exporting.request_export(version=version, format="openai_sft")
    keep = exporting._Making._keep

    def erase_meanwhile(making, spools):
        monkeypatch.setattr(exporting._Making, "_keep", keep)
        person = Interaction.objects.get(external_id="chat/0")
        Interaction.objects.filter(pk=person.pk).update(user_hash="theirs")
        erase_person(project=version.project, ref_hash="theirs")
        return keep(making, spools)

    monkeypatch.setattr(exporting._Making, "_keep", erase_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.row_count, run.erasure_epoch) == ("done", 2, 1)
    assert run.manifest["left_out"] == {"erased": 1, "holdout": 1}
    assert not [path for path in files_in(tmp_path) if b"chat/0" in path.read_bytes()]


def test_somebody_elses_erasure_while_it_is_made_does_not_begin_it_anew(version, monkeypatch):
    run = exporting.request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    keep = exporting._Making._keep

    def another_epoch(making, spools):
        Project.objects.update(erasure_epoch=7)
        return keep(making, spools)

    monkeypatch.setattr(exporting._Making, "_keep", another_epoch)
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.row_count, run.erasure_epoch) == ("done", 3, 0)


def test_pieces_put_aside_before_an_erasure_are_not_gone_on_from(version, monkeypatch, tmp_path):
    run = exporting.request_export(version=version, format="openai_sft")
    with monkeypatch.context() as patch:
        die_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            exporting.make_export(export_id=run.pk)
    Interaction.objects.filter(external_id="chat/0").update(user_hash="theirs")
    erase_person(project=version.project, ref_hash="theirs")
    given_up(run)
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.row_count) == ("done", 2)
    assert not [path for path in files_in(tmp_path) if b"chat/0" in path.read_bytes()]


def test_the_sweep_takes_away_what_a_cancelled_runs_dead_worker_put_aside(
    version, monkeypatch, tmp_path
):
    run = exporting.request_export(version=version, format="openai_sft")
    with monkeypatch.context() as patch:
        die_after(patch, 0)
        with pytest.raises(KeyboardInterrupt):
            exporting.make_export(export_id=run.pk)
    assert files_in(tmp_path)
    exporting.cancel_export(run=run)
    exporting.take_back_abandoned()
    assert files_in(tmp_path) == []


def test_the_sweep_takes_away_what_a_cancelled_runs_dead_worker_had_half_kept(
    version, monkeypatch, tmp_path
):
    """It died between the first file and the row that says done; nothing was put aside."""
    run = exporting.request_export(version=version, format="openai_sft")

    def dies(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "manifest_of", dies)
        with pytest.raises(KeyboardInterrupt):
            exporting.make_export(export_id=run.pk)
    assert files_in(tmp_path)
    exporting.cancel_export(run=run)
    exporting.take_back_abandoned()
    assert files_in(tmp_path)  # its worker may still be about to notice
    ExportRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    exporting.take_back_abandoned()
    assert files_in(tmp_path) == []


def test_a_failure_keeps_nothing_and_names_its_kind(version, monkeypatch, tmp_path):
    run = exporting.request_export(version=version, format="openai_sft")

    def full_disk(*_given, **_named):
        raise OSError("the disk is full")

    monkeypatch.setattr(exporting, "manifest_of", full_disk)
    with pytest.raises(OSError, match="disk is full"):
        exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.failure) == ("failed", "OSError")
    assert files_in(tmp_path) == []


def test_a_folder_holds_its_manifest_and_what_the_format_writes_beside(version):
    run = made(version, "llama_factory_dpo")
    assert json.loads(content(run, "manifest.json")) == run.manifest
    names = [file["name"] for file in run.manifest["files"]]
    assert names == ["rows.jsonl", "provenance.jsonl", "dataset_info.json", "axolotl.yml"]
    for file in run.manifest["files"]:
        assert hashlib.sha256(content(run, file["name"])).hexdigest() == file["sha256"]


def test_several_rows_of_a_case_have_as_many_lines_of_provenance(version):
    run = made(version, "kto")
    assert (run.row_count, run.manifest["cases"]) == (6, 3)
    assert content(run, "provenance.jsonl").count(b"\n") == 6


def test_a_huggingface_folder_has_a_file_for_each_split(version):
    first = GoldExample.objects.first()
    GoldExample.objects.filter(pk=first.pk).update(split="validation")
    with pgtrigger.ignore():
        GoldVersionMember.objects.filter(revision__example=first).update(split="validation")
    run = made(version, "huggingface")
    rows = {
        name: content(run, name).count(b"\n")
        for name in ("data/train.jsonl", "data/validation.jsonl")
    }
    assert rows == {"data/train.jsonl": 2, "data/validation.jsonl": 1}
    assert "path: data/validation.jsonl" in content(run, "README.md").decode()
    described = json.loads(content(run, "croissant.json"))["distribution"]
    assert [each["sha256"] for each in described] == [
        file["sha256"] for file in run.manifest["files"][:2]
    ]


def test_raw_annotations_hold_every_judgement_and_each_revision_up_to_the_settled_one(
    version, ana, ben
):
    settlement = GoldExample.objects.first().revisions.get().settlement
    one = AnnotationFactory(
        assignment=AssignmentFactory(item=settlement.item, expert=ana, slot=1),
        is_current=False,
        note="First thought.",
        final_at=version.created_at,
    )
    two = AnnotationFactory(
        assignment=one.assignment,
        revision=2,
        note="Second thought.",
        submit_key="2",
        final_at=version.created_at,
    )
    AnnotationFactory(assignment=one.assignment, revision=3, is_current=False, submit_key="3")
    other = AnnotationFactory(
        assignment=AssignmentFactory(item=settlement.item, expert=ben, slot=2),
        final_at=version.created_at,
    )
    settlement.annotations.add(two, other)
    rows = [json.loads(each) for each in content(made(version, "raw_annotations")).splitlines()]
    assert [(row["expert"], row["revision"], row["is_counted"]) for row in rows] == [
        (str(ana.public_id), 1, False),
        (str(ana.public_id), 2, True),
        (str(ben.public_id), 1, True),
    ]


def test_raw_annotations_hold_what_no_settlement_counts_with_what_it_was_said_for(
    version, ana, ben
):
    """In another queue, by whom a known case or a repeat measured; not what was undone in time, nor of later."""
    case = GoldExample.objects.first().interaction

    def say(expert, purpose="label", after=timedelta(0), **fields):
        item = ReviewItemFactory(
            queue__project=version.project, interaction=case, purpose=purpose, state="settled"
        )
        return AnnotationFactory(
            assignment=AssignmentFactory(item=item, expert=expert),
            final_at=version.created_at + after,
            **fields,
        )

    counted = say(ana)
    case.settlements.get().annotations.add(counted)
    said = [counted, say(ben), say(ana, "calibration"), say(ana, "repeat")]
    returned = version.created_at + timedelta(seconds=1)
    said.append(say(ben, is_current=False, taken_back_at=returned))  # by a lead, once it was final
    undone = version.created_at - timedelta(seconds=1)
    say(ben, is_current=False, taken_back_at=undone)
    say(ben, after=timedelta(seconds=1))
    rows = [json.loads(each) for each in content(made(version, "raw_annotations")).splitlines()]
    assert [row["annotation"] for row in rows] == [str(each.public_id) for each in said]
    assert [(row["purpose"], row["is_counted"]) for row in rows] == [
        ("production", True),
        ("production", False),
        ("known", False),
        ("repeat", False),
        ("production", False),
    ]


def test_raw_annotations_hold_who_preferred_which_answer_and_why_up_to_the_freezing(
    version, ana, ben
):
    case = GoldExample.objects.first().interaction
    item = ReviewItemFactory(
        queue__project=version.project, interaction=case, purpose="pairwise", state="settled"
    )
    comparison = Comparison.objects.create(
        project=version.project, item=item, text="The other.", given_hash="1", text_hash="2"
    )
    for expert, days in ((ana, -1), (ben, 1)):
        said = AnnotationFactory(
            assignment=AssignmentFactory(item=item, expert=expert, slot=days + 2),
            final_at=version.created_at + timedelta(days=days),
        )
        Preference.objects.create(
            project=version.project,
            annotation=said,
            comparison=comparison,
            outcome="other",
            reasons=["clearer"],
        )
    [row] = map(json.loads, content(made(version, "raw_annotations")).splitlines())
    assert (row["interaction"], row["expert"]) == (case.external_id, str(ana.public_id))
    assert (row["output"], row["other_answer"]) == (case.output, "The other.")
    assert (row["preferred"], row["reasons"], row["is_counted"]) == ("other", ["clearer"], True)


def test_a_dead_workers_run_is_taken_over_and_the_thawed_one_changes_nothing(
    version, django_capture_on_commit_callbacks
):
    run = exporting.request_export(version=version, format="openai_sft")
    frozen_lease = exporting._take(run.pk)
    frozen = exporting._Making(
        ExportRun.objects.select_related("version", "project").get(pk=run.pk), frozen_lease
    )
    ExportRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - timedelta(minutes=5),
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    with django_capture_on_commit_callbacks(execute=True):
        exporting.take_back_abandoned()  # eager tasks: the bell makes it at once
    done = ExportRun.objects.get(pk=run.pk)
    assert (done.state, done.row_count) == ("done", 3)
    with pytest.raises(exporting.Cancelled):
        frozen.make()
    assert ExportRun.objects.get(pk=run.pk).file_name == done.file_name
    assert content(done)


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_run_make_it_once(version):
    run = exporting.request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    barrier, results = threading.Barrier(4), []

    def work():
        barrier.wait()
        results.append(exporting.make_export(export_id=run.pk))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each is None for each in results].count(False) == 1


def test_an_export_made_again_after_an_erasure_has_a_new_file_and_the_old_one_is_gone(
    version, django_capture_on_commit_callbacks
):
    run = made(version)
    old = run.file_name
    example = GoldExample.objects.order_by("id").first()
    example.revisions.update(erased_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        exporting.make_again(runs=[run])
    run.refresh_from_db()
    assert (run.state, run.row_count) == ("done", 2)
    assert not default_storage.exists(f"{old}/rows.jsonl")
    assert default_storage.exists(f"{run.file_name}/rows.jsonl")
