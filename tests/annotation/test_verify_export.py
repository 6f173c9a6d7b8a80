"""`manage.py verify_export`: whole exports pass; each kind of damage, and what happened since, is named."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation import gold
from annotation.exports import FORMATS
from annotation.models import ExportRun, GoldExample, GoldVersion
from feedbackhub.capture import near_duplicates
from tests.annotation.exports.house import frozen_house, made
from tests.factories import SettlementFactory


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


@pytest.fixture
def folder(version, tmp_path):
    """A training export in a folder."""
    return tmp_path / made(version, "trl_dpo").file_name


def verified(what):
    call_command("verify_export", str(what))


def faults(what) -> str:
    with pytest.raises(CommandError) as found:
        verified(what)
    return str(found.value)


def test_every_format_is_whole_by_its_id_and_by_its_folder(version, tmp_path, capsys):
    for format in FORMATS:
        run = made(version, format)
        verified(run.public_id)
        verified(tmp_path / run.file_name)
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(each["is_whole"], each["rows"]) for each in answers] == [(True, run.row_count)] * 2


def test_a_table_with_long_texts_of_many_lines_is_whole(project, ben):
    text = 'He said "no",\r\n\nand then:\n' + "so it went " * 20_000
    settlement = SettlementFactory(interaction__project=project, chosen_answer__text=text)
    gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.update(split="train")
    run = made(gold.freeze_gold_version(project=project, by=ben), "csv")
    assert run.row_count == 1
    verified(run.public_id)


def test_provenance_that_names_no_example_is_found(folder):
    one = str(GoldExample.objects.earliest("pk").public_id)
    forge(folder, "provenance.jsonl", lambda text: text.replace(one, "nobody", 1))
    assert "provenance.jsonl has a line that says nothing." in faults(folder)


def test_a_manifest_whose_files_have_no_names_is_none(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["name"] = ["rows.jsonl"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert faults(folder) == "A file of the manifest has no name, size or digest."


def test_a_changed_row_is_found(folder):
    rows = folder / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"Question", b"Answers!", 1))
    assert faults(folder) == "rows.jsonl is not the file of the manifest: its digest differs."


def test_a_missing_and_a_foreign_file_are_found(folder):
    (folder / "provenance.jsonl").rename(folder / "notes.txt")
    assert faults(folder) == "notes.txt is not in the manifest. provenance.jsonl is missing."


def test_a_line_less_is_found(folder):
    rows = folder / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().split(b"\n", 1)[1])
    assert "does not have the 3 rows" in faults(folder)


def forge(folder, file, change):
    """Change a file and the manifest with it, as somebody would who covers their tracks."""
    import hashlib

    manifest = json.loads((folder / "manifest.json").read_text())
    content = change((folder / file).read_text())
    (folder / file).write_text(content)
    for told in manifest["files"]:
        if told["name"] == file:
            told["bytes"] = len(content.encode())
            told["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_holdout_in_a_training_file_is_found_even_when_the_digests_fit(folder):
    forge(folder, "provenance.jsonl", lambda text: text.replace('"train"', '"holdout"', 1))
    assert "holdout is in a format that trains." in faults(folder)


def test_a_run_whose_files_were_exchanged_with_their_manifest_is_found(version, folder):
    run = ExportRun.objects.get()
    forge(folder, "rows.jsonl", lambda text: text.replace("Question", "Answers!", 1))
    verified(folder)
    assert faults(run.public_id) == (
        "The manifest is not the one that the run keeps. Digest or rows are not what the run says."
    )


def test_an_example_that_became_holdout_since_is_found(folder):
    GoldExample.objects.filter(pk=GoldExample.objects.earliest("pk").pk).update(split="holdout")
    assert "It holds an example that is holdout now." in faults(folder)


def test_a_twin_of_the_holdout_that_arrived_since_is_found(folder):
    one, *_, last = GoldExample.objects.order_by("id").select_related("interaction")
    group = near_duplicates.group_of(last.interaction)
    one.interaction.signature.__class__.objects.filter(interaction=one.interaction).update(
        group=group
    )
    assert faults(folder) == "It holds a near-duplicate of a holdout example."


def test_somebody_forgotten_since_and_another_digest_are_found(folder, version):
    GoldExample.objects.filter(pk=GoldExample.objects.earliest("pk").pk).update(
        erased_at=timezone.now()
    )
    GoldVersion.objects.update(
        digest="new", previous_digests=[{"digest": version.digest, "erasure_epoch": 0}]
    )
    assert faults(folder) == (
        "It holds somebody who was forgotten since. Take the export made again. "
        "Somebody was erased from this gold version since. Take the export made again."
    )


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"format": "x"}'],
)
def test_what_is_no_export_is_said_to_be_none(manifest, tmp_path, db):
    (tmp_path / "manifest.json").write_text(manifest)
    assert "manifest.json" in faults(tmp_path)


def test_a_manifest_that_names_files_elsewhere_opens_none_of_them(folder):
    text = (folder / "manifest.json").read_text().replace('"rows.jsonl"', '"../../secret.jsonl"')
    (folder / "manifest.json").write_text(text)
    assert "../../secret.jsonl is missing." in faults(folder)


@pytest.mark.parametrize("word", ["nowhere", "01a1fd0f-7c77-7aca-b83f-13a206155f08"])
def test_an_export_that_is_not_there(word, db):
    assert faults(word).startswith("There is neither a folder nor an export")
