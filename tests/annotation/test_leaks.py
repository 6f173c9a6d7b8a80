"""Cases of the holdout in anybody's training file: word for word, or nearly."""

import csv
import gzip
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotation import gold, leaks
from annotation.models import GoldExample, Settlement
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


ANSWER = """You may deduct 30 cents for each kilometre of the way, whatever you ride.

Take the shortest road once a day, count the days on which you were at work, and write both down in the form for employees.

Keep nothing else: nobody asks for receipts of a bicycle."""


@pytest.fixture
def answered(project, ben):
    """One case in the holdout, with an answer of several paragraphs."""
    interaction = InteractionFactory(
        project=project, messages=[{"role": "user", "content": QUESTION}]
    )
    settlement = SettlementFactory(interaction=interaction, chosen_answer__text=ANSWER)
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.update(split="holdout")
    assert revision.ideal_answer == ANSWER


@pytest.mark.parametrize(
    "template",
    [
        "### Question:\n{question}\n\n### Answer:\n" + "Nobody can say this in so few words. " * 40,
        "Answer the following question of a customer as briefly as you can: {question}",
        "Answer as briefly as you can. {question} Say nothing that you do not know.",
        "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\nNo.<|im_end|>",
        "[INST] {question} [/INST] No.",
        "回答{question}。",
    ],
    ids=["sections", "label", "sentence", "chat marks", "inst", "no blanks"],
)
def test_a_question_inside_a_template_is_found(project, answered, template):
    assert found(project, {"text": template.format(question=QUESTION)}) == [(1, "same question")]


REWORDED = QUESTION.replace("every day", "each day").replace("from my", "from the")


@pytest.mark.parametrize(
    "template",
    [
        "### Question:\n{question}\n\n### Answer:\n" + "Nobody can say this in so few words. " * 40,
        "Answer the following question of a customer as briefly as you can: {question}",
        "### Instruction\n{question}\n### Response\nNo: you may not.",
        "A customer writes.\n\n{question}\n\nBe brief.",
        "<|im_start|>user\n{question}\n<|im_start|>assistant\nNo.",
    ],
    ids=["sections", "label", "headings", "paragraph", "chat marks"],
)
def test_a_question_with_some_words_changed_is_found_in_a_template(project, answered, template):
    assert found(project, {"text": template.format(question=REWORDED)}) == [(1, "near question")]


@pytest.mark.parametrize(
    "template",
    ["{answer}", "Human: What of a scooter?\n\nAssistant: {answer}", "### Response:\n{answer}"],
    ids=["alone", "turns", "section"],
)
def test_an_answer_is_found_in_a_template_word_for_word_and_nearly(project, answered, template):
    near = ANSWER.replace("You may", "One may").replace("Take the", "Count the")
    rows = [{"text": template.format(answer=said)} for said in (ANSWER, near)]
    assert found(project, *rows) == [(1, "same answer"), (2, "near answer")]


def test_a_question_far_down_a_long_text_is_found(project, answered):
    before = " ".join(f"word{n}" for n in range(9_000))
    assert found(project, {"text": f"{before}. {QUESTION}"}) == [(1, "same question")]


def test_a_row_of_very_many_texts_is_searched_whole_and_said_to_be_compared_in_part(
    project, answered
):
    many = [f"This is the text of number {n} among very many." for n in range(4_000)]
    report = leaks.check(project, iter([[*many, REWORDED], [*many, QUESTION], [REWORDED]]))
    assert [(leak.row, leak.how) for leak in report.leaks] == [
        (2, "same question"),
        (3, "near question"),
    ]
    assert (report.leaking_rows, report.partly_compared_rows) == (2, 2)


def test_nothing_is_found_in_a_file_of_other_questions_and_answers(project, answered):
    """On the same subject, in the same templates, with the same short openings."""
    told = [
        "Can I deduct the train that I take to work from my income tax?",
        "You may deduct 30 cents for each kilometre.",
        "Is the bicycle that my employer lends me a benefit that is taxed?",
        "Nobody asks for receipts.",
    ]
    rows = [{"text": f"### Question:\n{said}\n\n### Answer:\n{said}"} for said in told]
    report = leaks.check(project, iter([*rows, *map(sft, told)]))
    assert (report.rows, report.leaks, report.partly_compared_rows) == (8, [], 0)


def test_another_question_is_no_leak_and_training_cases_are_none(project, held_out):
    assert found(project, sft("How long do I keep my receipts for the tax office?")) == []
    GoldExample.objects.update(split="train")
    assert found(project, sft(QUESTION)) == []


def test_a_former_wording_that_a_frozen_version_holds_is_looked_for_too(project, held_out, ben):
    former = held_out.ideal_answer
    Settlement.objects.filter(pk=held_out.settlement_id).update(is_current=False)
    newer = SettlementFactory(
        interaction=held_out.example.interaction, chosen_answer__text="Not since this year's law."
    )
    assert gold.promote_to_gold(settlement=newer, by=ben).revision == 2
    assert found(project, sft("Something else?", former)) == [(1, "same answer")]
    assert found(project, sft(QUESTION)) == [(1, "same question")]


def test_another_projects_holdout_is_not_looked_at(other_project, held_out):
    assert found(other_project, sft(QUESTION)) == []


@pytest.mark.parametrize(
    "row",
    [None, 7, "x", [], {}, {"messages": [7]}, [[[[]]]], ["half a \ud800 character"]],
    ids=ascii,
)
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
    assert said["partly_compared_rows"] == 0
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


def test_a_packed_file_that_ends_too_early_is_refused(project, tmp_path):
    file = tmp_path / "train.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(sft("Long " * 99)).encode())[:-12])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("check_leak", str(file), "--project", project.slug)
