"""All interaction rows of the sample data: imported, masked, found again, judged, exported.

The four files hold 947 answers, 1,074 ratings, 310 thumbs, 93 corrections and 1,273 marked spans, written by others.
"""

import gzip
import json
from collections import Counter

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from annotation import exporting, gold
from annotation.exports import FORMATS
from annotation.models import GoldExample, ReviewItem, ReviewQueue, Settlement
from annotation.preferences import stated_preferences
from feedbackhub import redaction
from feedbackhub.accounts.members import add_member, create_project
from feedbackhub.capture.models import FeedbackEvent, Interaction, RetrievedDocument
from feedbackhub.outbox.delivery import deliver_due
from tests.annotation.desk import claim, pass_time, submit

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

FILES = ["qa_feedback", "feedbackqa", "xsum_spans", "oasst_threads"]


@pytest.fixture(scope="module")
def source(shared):
    """The rows as their authors wrote them, by id."""
    rows = {}
    for name in FILES:
        with gzip.open(shared / "data" / f"{name}_sample.jsonl.gz", "rt") as file:
            rows |= {row["interaction_id"]: row for row in map(json.loads, file)}
    return rows


@pytest.fixture
def house(db):
    return create_project(slug="samples", name="Samples")


@pytest.fixture
def bring_in(house, shared, capsys):
    """Import the four files by the command; how many rows became what, all in all."""

    def bring_in(*options) -> Counter:
        counts = Counter()
        for name in FILES:
            capsys.readouterr()
            file = shared / "data" / f"{name}_sample.jsonl.gz"
            call_command(
                "import_interactions", str(file), "--project=samples", "--mapping=sample", *options
            )
            answer = json.loads(capsys.readouterr().out)
            assert answer.pop("errors") == []
            counts.update(answer)
        return counts

    return bring_in


def feedback_in(source) -> Counter:
    """What people said in the source, by our words for it."""
    words = {"up": "thumbs_up", "down": "thumbs_down", "red_flag": "report"}
    kinds = Counter()
    for row in source.values():
        for said in row["feedback"]:
            kind = "rating" if said["kind"] == "rating" else words[said["value"]]
            kinds[kind] += said.get("count") or 1
        kinds["edit"] += len(row["corrections"])
    return +kinds


def masked(text: str) -> str:
    return redaction.redact(text).text


def test_every_row_goes_in_once_with_its_feedback(source, bring_in):
    feedback = feedback_in(source)
    assert bring_in() == {
        "rows": 947,
        "interactions_accepted": len(source),
        "feedback_accepted": feedback.total(),
    }
    assert Counter(FeedbackEvent.objects.values_list("kind", flat=True)) == feedback
    assert FeedbackEvent.objects.filter(interaction=None).count() == 0
    assert Counter(Interaction.objects.values_list("feature", flat=True)) == Counter(
        row["dataset"] for row in source.values()
    )
    assert RetrievedDocument.objects.count() == sum(
        len(row["retrieved_context"]) for row in source.values()
    )

    assert bring_in("--again") == {
        "rows": 947,
        "interactions_duplicate": len(source),
        "feedback_duplicate": feedback.total(),
    }
    assert bring_in()["rows"] == 947  # a finished file is not even read again
    assert Interaction.objects.count() == len(source)
    assert FeedbackEvent.objects.count() == feedback.total()


MOVED = 0  # none of these answers holds anything to mask before a marked span


def test_every_text_is_the_masked_source_and_every_span_lies_where_it_lay(source, bring_in):
    bring_in()
    stored = {i.external_id: i for i in Interaction.objects.prefetch_related("documents")}
    assert stored.keys() == source.keys()
    spans = moved = 0
    for name, row in source.items():
        interaction = stored[name]
        assert interaction.output == masked(row["raw_output"])
        assert interaction.last_user_message == masked(row["user_input"])
        assert [(d.document_id, d.title, d.text) for d in interaction.documents.all()] == [
            (d["id"], masked(d["title"] or ""), masked(d["text"] or ""))
            for d in row["retrieved_context"]
        ]
        for span, label in zip(interaction.metadata["spans"], row["human_labels"], strict=True):
            spans += 1
            moved += span["start"] != label["start"]
            assert (span["field"], span["label"]) == ("output", label["type"])
            assert interaction.output[span["start"] : span["end"]] == label["text"]
    assert (spans, moved) == (1_273, MOVED)


def test_spans_move_with_what_is_masked_before_them(source, house, tmp_path, capsys):
    """The same rows, with an address and an emoji put before each answer."""
    before = "🙂 Ask ada.lovelace@example.org: "
    rows = [row for row in source.values() if row["human_labels"]][::10]
    for row in (rows := json.loads(json.dumps(rows))):
        row["raw_output"] = before + row["raw_output"]
        for label in row["human_labels"]:
            label["start"] += len(before)
            label["end"] += len(before)
    file = tmp_path / "moved.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    call_command("import_interactions", str(file), "--project=samples", "--mapping=sample")
    spans = 0
    for row in rows:
        kept = Interaction.objects.get(external_id=row["interaction_id"])
        assert kept.output.startswith("🙂 Ask [EMAIL]: ")
        for span, label in zip(kept.metadata["spans"], row["human_labels"], strict=True):
            spans += 1
            assert span["start"] == label["start"] - len("ada.lovelace@example.org") + len(
                "[EMAIL]"
            )
            assert kept.output[span["start"] : span["end"]] == label["text"]
    assert spans > 100


def test_ten_of_them_judged_become_gold_and_every_export_parses(
    house, bring_in, settings, tmp_path
):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    bring_in()
    judge_ten(house)
    version = gold.freeze_gold_version(project=house)
    assert version.example_count == 10
    rows = {name: exported(version, name) for name in SHAPES}
    for name, shape in SHAPES.items():
        assert rows[name] != []
        for row in rows[name]:
            shape(row)
    training = GoldExample.objects.exclude(split="holdout")
    preferred = sum(
        len(stated_preferences(example.interaction))
        for example in training.select_related("interaction")
    )
    assert {name: len(found) for name, found in rows.items()} == {
        "openai_sft": training.count(),
        "openai_preference": training.count() + preferred,
        "trl_dpo": training.count() + preferred,
        "eval": 10,
    }


def judge_ten(house) -> None:
    """Ten answers that their users complained of, each judged wrong and corrected, and approved."""
    queue = ReviewQueue.objects.get(project=house)
    expert = add_member(project=house, email="ana@example.org", roles=["expert"])[0].user
    lead = add_member(project=house, email="ben@example.org", roles=["lead"])[0].user
    while ReviewItem.objects.count() < 10:
        assert deliver_due(limit=10) > 0
    for number in range(10):
        assignment = claim(expert, queue)
        submit(
            assignment,
            categories=["factual_error"],
            spans=[first_word_of(assignment.item)],
            correction=f"What really is so, number {number}.\u2028And more 🙂",
        )
    for settlement in Settlement.objects.all():
        pass_time(60, settlement)
        gold.promote_to_gold(settlement=settlement, by=lead)


def first_word_of(item) -> dict:
    word = item.interaction.output.split()[0]
    start = item.interaction.output.index(word)
    label = item.project.labelschema_set.get().span_labels[0]["key"]
    return {
        "field": "output",
        "start": start,
        "end": start + len(word),
        "quote": word,
        "label": label,
    }


def exported(version, name) -> list[dict]:
    run = exporting.request_export(
        version=version, format=name, splits=FORMATS[name].splits, is_left_to_a_worker=False
    )
    run = exporting.make_export(export_id=run.pk)
    with default_storage.open(f"{run.file_name}/rows.jsonl") as file:
        lines = file.read().decode().split("\n")
    assert lines.pop() == ""
    assert not any(character in line for line in lines for character in "\u2028\u2029\u0085\r")
    return [json.loads(line) for line in lines]


# --- the shapes of STACK --------------------------------------------------------------------------


def says(message, role) -> None:
    assert message.keys() == {"role", "content"}
    assert message["role"] == role
    assert isinstance(message["content"], str) and message["content"]


def is_conversation(messages) -> None:
    """An optional system message, then user and assistant by turns, a user last."""
    turns = messages[1:] if messages[0]["role"] == "system" else messages
    assert len(turns) % 2 == 1
    for place, message in enumerate(turns):
        says(message, "assistant" if place % 2 else "user")


def is_sft(row) -> None:
    assert row.keys() == {"messages"}
    is_conversation(row["messages"][:-1])
    says(row["messages"][-1], "assistant")


def is_pair(chosen, rejected) -> None:
    ((chosen,), (rejected,)) = chosen, rejected
    says(chosen, "assistant")
    says(rejected, "assistant")
    assert chosen["content"] != rejected["content"]


def is_openai_preference(row) -> None:
    assert row.keys() == {"input", "preferred_output", "non_preferred_output"}
    assert row["input"].keys() == {"messages"}
    is_conversation(row["input"]["messages"])
    is_pair(row["preferred_output"], row["non_preferred_output"])


def is_trl_dpo(row) -> None:
    assert row.keys() == {"prompt", "chosen", "rejected"}
    is_conversation(row["prompt"])
    is_pair(row["chosen"], row["rejected"])


def is_eval(row) -> None:
    assert row.keys() == EVAL_KEYS
    is_conversation(row["messages"])
    assert row["ideal"] not in ("", *row["rejected"])
    assert row["labels"]["verdict"] == "wrong"


EVAL_KEYS = {"id", "split", "messages", "context", "ideal", "rejected", "labels", "assertions"}


SHAPES = {
    "openai_sft": is_sft,
    "openai_preference": is_openai_preference,
    "trl_dpo": is_trl_dpo,
    "eval": is_eval,
}
