"""Cases of the holdout in anybody's training file: word for word, or nearly."""

import csv
import gzip
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotation import gold, leaks
from annotation.models import GoldExample
from feedbackhub.capture import near_duplicates
from tests.factories import InteractionFactory, SettlementFactory

QUESTION = "Can I deduct the bicycle that I ride to work every day from my income tax in Germany?"


@pytest.fixture
def held_out(project, ben):
    """One case in the holdout."""
    interaction = InteractionFactory(
        project=project,
        messages=[
            {"role": "system", "content": "You help with tax."},
            {"role": "user", "content": QUESTION},
        ],
    )
    near_duplicates.place(interaction)
    revision = gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    GoldExample.objects.update(split="holdout")
    return revision


def found(project, *rows):
    return [(leak.row, leak.how) for leak in leaks.check(project, iter(rows)).leaks]


def sft(question, answer="An answer of its own."):
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


@pytest.mark.parametrize(
    "row",
    [
        sft(QUESTION),
        {"prompt": [{"role": "user", "content": QUESTION}], "chosen": [], "rejected": []},
        {"prompt": QUESTION.upper(), "completion": "Yes."},
        {"input": {"messages": [{"role": "user", "content": f"  {QUESTION}\n"}]}},
        ["instruction", QUESTION],
    ],
    ids=["sft", "dpo", "plain", "preference", "list"],
)
def test_the_same_question_is_found_in_a_row_of_any_shape(project, held_out, row):
    assert found(project, {"prompt": "What is VAT on books?"}, row) == [(2, "same question")]


def test_a_question_with_some_words_changed_is_found(project, held_out):
    twin = QUESTION.replace("every day", "each day").replace("from my", "from the")
    assert found(project, sft(twin)) == [(1, "near question")]


def test_the_same_answer_to_another_question_is_found(project, held_out):
    assert found(project, sft("Something else entirely?", held_out.ideal_answer)) == [
        (1, "same answer")
    ]


@pytest.mark.parametrize("asked", [QUESTION, QUESTION.replace("every day", "each day")])
def test_the_last_question_of_a_conversation_is_found_alone(project, ben, asked):
    interaction = InteractionFactory(
        project=project,
        messages=[
            {
                "role": "user",
                "content": "I moved house last year and have a new job in another town.",
            },
            {"role": "assistant", "content": "Then you may deduct the costs of moving. " * 4},
            {"role": "user", "content": QUESTION},
        ],
    )
    gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    GoldExample.objects.update(split="holdout")
    how = "same question" if asked == QUESTION else "near question"
    assert found(project, sft("What is VAT on books?"), sft(asked)) == [(2, how)]


def test_another_question_is_no_leak_and_training_cases_are_none(project, held_out):
    assert found(project, sft("How long do I keep my receipts for the tax office?")) == []
    GoldExample.objects.update(split="train")
    assert found(project, sft(QUESTION)) == []


def test_another_projects_holdout_is_not_looked_at(other_project, held_out):
    assert found(other_project, sft(QUESTION)) == []


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"messages": [7]}, [[[[]]]]], ids=str)
def test_rows_that_say_nothing_are_no_leak(project, held_out, row):
    assert found(project, row) == []


def test_the_command_names_the_rows_and_ends_with_1(project, held_out, tmp_path, capsys):
    file = tmp_path / "train.jsonl"
    file.write_text(
        "\n".join(map(json.dumps, [sft("How long do I keep receipts?"), sft(QUESTION)]))
    )
    with pytest.raises(CommandError, match="holds cases of the holdout"):
        call_command("check_leak", str(file), "--project", project.slug)
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["leaking_rows"]) == (2, 1)
    assert said["leaks"][0]["example"] == str(held_out.example.public_id)

    file.write_text(json.dumps(sft("How long do I keep receipts?")))
    call_command("check_leak", str(file), "--project", project.slug)


@pytest.mark.parametrize(
    "name", ["rows.json", "one_line.json", "rows.csv", "rows.csv.gz", "lists.jsonl"]
)
def test_the_command_reads_arrays_and_tables(project, held_out, tmp_path, capsys, name):
    rows = [sft("How long do I keep receipts?"), sft(QUESTION)]
    cells = io.StringIO()
    csv.writer(cells).writerows([["7", "plain words"], ["8", json.dumps(rows[1]["messages"])]])
    written = {
        "rows.json": json.dumps(rows, indent=1),
        "one_line.json": json.dumps(rows),
        "lists.jsonl": "\n".join(json.dumps([row]) for row in rows),
    }.get(name, cells.getvalue())
    file = tmp_path / name
    file.write_bytes(gzip.compress(written.encode()) if name.endswith("gz") else written.encode())
    with pytest.raises(CommandError, match="holds cases of the holdout"):
        call_command("check_leak", str(file), "--project", project.slug)
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], [leak["row"] for leak in said["leaks"]]) == (2, [2])


def test_a_file_that_is_no_json_is_refused_by_line(project, tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text('{"a": 1}\nnonsense\n')
    with pytest.raises(CommandError, match="Line 2"):
        call_command("check_leak", str(file), "--project", project.slug)
