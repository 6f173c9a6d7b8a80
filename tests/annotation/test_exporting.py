"""An export run: asked for, made by a worker, watched, cancelled, taken over, made again."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from annotation import exporting, gold
from annotation.models import ExportRun, GoldExample
from tests.factories import InteractionFactory, SettlementFactory


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
    for n in range(4):
        interaction = InteractionFactory(
            project=project,
            external_id=f"chat/{n}",
            messages=[{"role": "user", "content": f"Question {n * 7919:o}?"}],
        )
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    last = GoldExample.objects.order_by("-id").first()
    GoldExample.objects.exclude(pk=last.pk).update(split="train")
    GoldExample.objects.filter(pk=last.pk).update(split="holdout")
    return gold.freeze_gold_version(project=project, by=ben)


def made(version, format="openai_sft", **options):
    run = exporting.request_export(version=version, format=format, **options)
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    return run


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


def test_the_holdout_leaves_only_in_the_evaluation_format(version):
    assert made(version, "eval").row_count == 4
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
    GoldExample.objects.first().revisions.update(rejected_answers=[])
    run = made(version, "trl_dpo")
    assert run.row_count == 2
    assert run.manifest["left_out"] == {"no_rejected_answer": 1}


def test_a_cancelled_run_stops_at_the_next_batch_and_leaves_no_file(version, monkeypatch, tmp_path):
    monkeypatch.setattr(exporting, "BATCH", 1)
    run = exporting.request_export(version=version, format="openai_sft")
    provenance = exporting._provenance

    def cancel_meanwhile(case):
        exporting.cancel_export(run=run)
        return provenance(case)

    monkeypatch.setattr(exporting, "_provenance", cancel_meanwhile)
    assert exporting.make_export(export_id=run.pk) is None
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not list(tmp_path.rglob("*.jsonl"))


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
