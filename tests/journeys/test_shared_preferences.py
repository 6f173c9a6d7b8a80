"""The corrections and preferences of `qa_feedback_sample`, out again as the pairs that the source has."""

import gzip
import json
from collections import Counter

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from annotation import gold
from annotation.candidates import propose_reporters_edits
from annotation.models import GoldExample
from feedbackhub import redaction
from feedbackhub.accounts.members import create_project
from feedbackhub.capture.models import Interaction
from tests.annotation.exports.house import made
from tests.factories import SettlementFactory

pytestmark = [pytest.mark.shared, pytest.mark.django_db]


@pytest.fixture
def rows(shared):
    with gzip.open(shared / "data" / "qa_feedback_sample.jsonl.gz", "rt") as file:
        return {row["interaction_id"]: row for row in map(json.loads, file)}


@pytest.fixture
def version(shared, settings, tmp_path, capsys):
    """All of it imported, each answer settled as wrong with the correction that the source has, approved and frozen."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    project = create_project(slug="samples", name="Samples")
    file = shared / "data" / "qa_feedback_sample.jsonl.gz"
    call_command("import_interactions", str(file), "--project=samples", "--mapping=sample")
    for interaction in Interaction.objects.order_by("id"):
        (correction,) = propose_reporters_edits(interaction) or interaction.candidates.all()
        settlement = SettlementFactory(interaction=interaction, chosen_answer=correction)
        gold.promote_to_gold(settlement=settlement, by=None)
    return gold.freeze_gold_version(project=project)


def masked(text: str) -> str:
    return redaction.redact(text).text


def pairs_of(row) -> Counter:
    """(chosen, rejected) of a row of the source: the correction over the answer, then each comparison that has a winner."""
    answers = [row["raw_output"], *row["meta"]["alternatives"]]
    found = [(row["corrections"][0]["text"], row["raw_output"])]
    for each in row["meta"]["preferences"]:
        if each["winner"]:
            loser = each["first"] if each["winner"] == each["second"] else each["second"]
            found.append((answers[each["winner"] - 1], answers[loser - 1]))
    return Counter((masked(chosen), masked(rejected)) for chosen, rejected in found)


def lines(run, name):
    with default_storage.open(f"{run.file_name}/{name}") as file:
        return [json.loads(line) for line in file.read().split(b"\n")[:-1]]


def test_corrections_and_preferences_come_out_as_the_pairs_that_the_source_has(rows, version):
    run = made(version, "trl_dpo", splits=["train", "validation"])
    found = {}
    for row, note in zip(lines(run, "rows.jsonl"), lines(run, "provenance.jsonl"), strict=True):
        chosen, rejected = row["chosen"][0]["content"], row["rejected"][0]["content"]
        assert chosen.strip() != rejected.strip()
        assert row["prompt"][-1]["content"] == masked(rows[note["interaction"]]["user_input"])
        found.setdefault(note["interaction"], Counter())[chosen, rejected] += 1
    training = set(
        GoldExample.objects.exclude(split="holdout").values_list(
            "interaction__external_id", flat=True
        )
    )
    assert found == {name: pairs_of(rows[name]) for name in training}
    assert set(run.manifest["left_out"]) == {"holdout"}
    everything = sum(pairs_of(row).total() for row in rows.values())
    assert everything == 93 + 480
    assert run.row_count > 0.7 * everything
