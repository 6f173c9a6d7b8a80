"""Each format's rows, and what every format leaves out."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exports import FORMATS, TRAINING_FORMATS, Case, LeftOut
from annotation.exports.cases import conversation, line
from annotation.exports.promptfoo import inert

USER = {"role": "user", "content": "Can I deduct my bicycle?"}
SYSTEM = {"role": "system", "content": "You help with tax."}
GOOD, BAD = "Claim the allowance.", "Deduct it in full."


def case(**changes):
    fields = {
        "example_id": "e-1",
        "interaction_id": "chat/1",
        "split": "train",
        "messages": [SYSTEM, USER],
        "tools": None,
        "context": [],
        "ideal_answer": GOOD,
        "rejected_answers": [BAD],
        "labels": {"verdict": "wrong", "severity": "high", "categories": ["outdated"]},
        "assertions": [],
    }
    return Case(**(fields | changes))


def assistant(text):
    return [{"role": "assistant", "content": text}]


def rows(name, **changes):
    return [row for row in FORMATS[name].rows(case(**changes)) if not isinstance(row, LeftOut)]


def why(name, **changes):
    """Why rows or the whole case are left out."""
    try:
        return [str(row) for row in FORMATS[name].rows(case(**changes)) if isinstance(row, LeftOut)]
    except LeftOut as reason:
        return [str(reason)]


TURNS = [SYSTEM, USER]
SHAPES = {
    "openai_sft": [{"messages": [*TURNS, *assistant(GOOD)]}],
    "trl_sft": [{"prompt": TURNS, "completion": assistant(GOOD)}],
    "llama_factory_sft": [{"messages": [*TURNS, *assistant(GOOD)]}],
    "openai_preference": [
        {
            "input": {"messages": TURNS},
            "preferred_output": assistant(GOOD),
            "non_preferred_output": assistant(BAD),
        }
    ],
    "trl_dpo": [{"prompt": TURNS, "chosen": assistant(GOOD), "rejected": assistant(BAD)}],
    "reward_explicit": [{"prompt": TURNS, "chosen": assistant(GOOD), "rejected": assistant(BAD)}],
    "reward_implicit": [
        {"chosen": [*TURNS, *assistant(GOOD)], "rejected": [*TURNS, *assistant(BAD)]}
    ],
    "llama_factory_dpo": [
        {"messages": TURNS, "chosen": assistant(GOOD)[0], "rejected": assistant(BAD)[0]}
    ],
    "kto": [
        {"prompt": TURNS, "completion": assistant(GOOD), "label": True},
        {"prompt": TURNS, "completion": assistant(BAD), "label": False},
    ],
    "huggingface": [
        {
            "id": "e-1",
            "prompt": TURNS,
            "completion": assistant(GOOD),
            "rejected": [BAD],
            "verdict": "wrong",
            "severity": "high",
            "categories": ["outdated"],
            "root_cause": "",
            "weight": 1.0,
        }
    ],
    "promptfoo": [
        {
            "description": "gold e-1",
            "vars": {"messages": TURNS, "ideal": GOOD},
            "assert": [{"type": "not-equals", "value": BAD}],
            "metadata": {"example": "e-1", "split": "train", "not_checked": []},
        }
    ],
    "inspect": [
        {
            "id": "e-1",
            "input": TURNS,
            "target": GOOD,
            "metadata": {
                "split": "train",
                "labels": {"verdict": "wrong", "severity": "high", "categories": ["outdated"]},
                "rejected": [BAD],
                "context": [],
                "assertions": [],
            },
        }
    ],
    "csv": [
        {
            "example": "e-1",
            "interaction": "chat/1",
            "split": "train",
            "verdict": "wrong",
            "severity": "high",
            "categories": "outdated",
            "root_cause": "",
            "question": USER["content"],
            "ideal_answer": GOOD,
            "rejected_answer": BAD,
            "agreement": None,
            "weight": 1.0,
        }
    ],
}


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name):
    assert rows(name) == SHAPES[name]


def test_every_format_has_its_shape_here_or_in_a_test_of_its_own():
    assert set(FORMATS) - set(SHAPES) == {"eval", "raw_annotations"}


def test_eval_keeps_everything_and_may_hold_the_holdout():
    (row,) = rows("eval", split="holdout")
    assert (row["id"], row["split"], row["ideal"], row["rejected"]) == (
        "e-1",
        "holdout",
        GOOD,
        [BAD],
    )
    assert "holdout" in FORMATS["eval"].splits


@pytest.mark.parametrize("name", TRAINING_FORMATS)
def test_no_training_format_may_hold_the_holdout(name):
    assert FORMATS[name].splits == ("train", "validation")


def test_neither_the_holdout_nor_validation_mixed_into_a_training_file_leaves_unasked():
    usual = {name: found.usual_splits for name, found in FORMATS.items()}
    assert usual.pop("huggingface") == ("train", "validation")  # a file each
    for name, splits in usual.items():
        trains = FORMATS[name].is_training
        assert splits == (("train",) if trains else ("train", "validation")), name


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([SYSTEM], "no_question_at_the_end"),
        ([USER, *assistant("Yes.")], "no_question_at_the_end"),
        ([*assistant("Hello."), USER], "does_not_start_with_the_user"),
        ([USER, SYSTEM, USER], "late_system_message"),
        ([USER, {"role": "tool", "content": "{}"}, USER], "tool_messages"),
        ([{"role": "user", "content": "  "}], "empty_message"),
    ],
)
@pytest.mark.parametrize("name", TRAINING_FORMATS)
def test_a_conversation_that_trainers_refuse_is_left_out_with_its_reason(name, messages, reason):
    assert why(name, messages=messages) == [reason]


def test_an_empty_neighbour_is_the_same_bytes_for_ever():
    empty = {"role": "system", "content": ""}
    assert conversation(case(messages=[empty, SYSTEM, USER]))[0] == {
        "role": "system",
        "content": "\n\n" + SYSTEM["content"],
    }


def test_neighbours_of_one_role_are_joined_so_that_roles_alternate():
    (row,) = rows("openai_sft", messages=[USER, {"role": "user", "content": "And a car?"}])
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"] == "Can I deduct my bicycle?\n\nAnd a car?"


PAIRS = [
    "openai_preference",
    "trl_dpo",
    "reward_explicit",
    "reward_implicit",
    "llama_factory_dpo",
]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rejected_answers": [GOOD]}, "chosen_equals_rejected"),
        ({"rejected_answers": [GOOD + " \n"]}, "chosen_equals_rejected"),
        ({"rejected_answers": []}, "no_rejected_answer"),
        ({"rejected_answers": [""]}, "no_rejected_answer"),
        ({"ideal_answer": " "}, "no_ideal_answer"),
    ],
)
def test_a_pair_that_is_none_is_left_out(name, changes, reason):
    assert (rows_or_none(name, **changes), why(name, **changes)) == ([], [reason])


def rows_or_none(name, **changes):
    try:
        return rows(name, **changes)
    except LeftOut:
        return []


def sides(row):
    """(chosen, rejected) of a pair in any of the shapes."""
    chosen, rejected = (
        (row["preferred_output"], row["non_preferred_output"])
        if "preferred_output" in row
        else (row["chosen"], row["rejected"])
    )
    last = [side if isinstance(side, dict) else side[-1] for side in (chosen, rejected)]
    return tuple(message["content"] for message in last)


@pytest.mark.parametrize("name", PAIRS)
def test_each_rejected_answer_and_each_preference_is_a_pair_for_the_same_prompt(name):
    preferences = [{"chosen": BAD, "rejected": "Worse."}, {"chosen": BAD, "rejected": GOOD}]
    given = {"rejected_answers": [BAD, "Also wrong."], "preferences": preferences}
    found = rows(name, **given)
    assert list(map(sides, found)) == [(GOOD, BAD), (GOOD, "Also wrong."), (BAD, "Worse.")]
    assert why(name, **given) == ["contradicts_another_pair"]
    prompts = [
        json.dumps(
            row.get("input") or row.get("prompt") or row.get("messages") or row["chosen"][:-1]
        )
        for row in found
    ]
    assert len(set(prompts)) == 1


def test_kto_holds_what_was_judged_but_not_what_was_only_preferred():
    given = {
        "rejected_answers": [BAD, GOOD, BAD],
        "preferences": [{"chosen": "A", "rejected": "B"}],
    }
    assert [(row["completion"][0]["content"], row["label"]) for row in rows("kto", **given)] == [
        (GOOD, True),
        (BAD, False),
    ]
    assert why("kto", **given) == ["chosen_equals_rejected"]
    assert why("kto", ideal_answer="", rejected_answers=[]) == ["no_ideal_answer"]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    question=TEXT,
    ideal=TEXT,
    rejected=st.lists(TEXT, max_size=3),
    preferences=st.lists(st.tuples(TEXT, TEXT), max_size=3),
    name=st.sampled_from([name for name in FORMATS if name != "csv"]),
)
def test_any_text_makes_valid_lines_or_a_reason(question, ideal, rejected, preferences, name):
    hostile = case(
        messages=[{"role": "user", "content": question}],
        ideal_answer=ideal,
        rejected_answers=rejected,
        preferences=[{"chosen": chosen, "rejected": other} for chosen, other in preferences],
    )
    try:
        made = FORMATS[name].rows(hostile)
    except LeftOut:
        return
    for row in made:
        if isinstance(row, LeftOut):
            continue
        written = line(row)
        assert written.endswith(b"\n")
        assert len(written.decode().splitlines()) == 1
        assert json.loads(written) == row
        if name in PAIRS:
            assert sides(row)[0] != sides(row)[1]


# --- where text would be run ----------------------------------------------------------------------


def played(template: str) -> str:
    """What promptfoo's templates make of it: a quoted string between double braces, nothing else."""
    text = re.sub(r"\{\{'(\{|#\}|)'\}\}", lambda found: "\0" + found.group(1), template)
    assert not re.search(r"(?<!\0)\{[{%#]", text)
    return text.replace("\0", "")


@pytest.mark.parametrize(
    "text",
    [
        "{{env.SECRET_KEY}}",
        "{% include '/etc/passwd' %}",
        "{# a comment #}",
        "file:///etc/passwd",
        " \nFILE://x",
        "package:evil",
        "{'a': {'b': 1}}",
    ],
)
def test_promptfoo_runs_nothing_that_people_wrote(text):
    (row,) = rows("promptfoo", ideal_answer=text, rejected_answers=[text + "!"])
    assert played(row["vars"]["ideal"]) == text
    assert [played(each["value"]) for each in row["assert"]] == [text + "!"]
    assert not row["vars"]["ideal"].lstrip().lower().startswith(("file://", "package:"))


def test_promptfoo_is_told_the_assertions_that_it_knows():
    (row,) = rows(
        "promptfoo",
        rejected_answers=[],
        context=[{"id": "d1", "title": "Tax {guide}", "url": ""}],
        assertions=[
            {"kind": "must_mention", "texts": ["form 7", "file://x"]},
            {"kind": "must_not_mention", "texts": ["in full"]},
            {"kind": "matches", "pattern": r"\d{4}"},
            {"kind": "is_json", "schema": {"title": "{{env.X}}"}},
            {"kind": "cites_one_of", "documents": ["d1"]},
            {"kind": "rubric", "sentence": "It is polite."},
            {"kind": "max_words", "words": 50},
        ],
    )
    assert [(each["type"], each.get("value")) for each in row["assert"]] == [
        ("icontains", "form 7"),
        ("icontains", "{{''}}file://x"),
        ("not-icontains", "in full"),
        ("regex", r"\d{{'{'}}4}"),
        ("is-json", None),
        ("icontains-any", ["d1", "Tax {{'{'}}guide}"]),
        ("llm-rubric", "It is polite."),
    ]
    assert row["metadata"]["not_checked"] == ["is_json schema", "max_words"]


@pytest.mark.parametrize(
    ("pattern", "leaves"),
    [
        (r"^Form \d{4}(?:-[A-Z]+)?\.$", True),
        (r"(yes|no)+? (?=[^\s]) (?!x) [\w.-]{2,}", True),
        (r"(?i)form", False),
        (r"(?P<year>\d{4})", False),
        (r"\p{Lu}\X", False),
        (r"\Aform\Z", False),
        (r"a++b", False),
        (r"(?>a)", False),
        (r"[[:alpha:]]", False),
        (r"(a)\1", False),
    ],
)
def test_promptfoo_gets_only_patterns_that_javascript_reads_alike(pattern, leaves):
    (row,) = rows(
        "promptfoo", rejected_answers=[], assertions=[{"kind": "matches", "pattern": pattern}]
    )
    assert [played(each["value"]) for each in row["assert"]] == ([pattern] if leaves else [])
    assert row["metadata"]["not_checked"] == ([] if leaves else ["matches"])


@pytest.mark.parametrize(("name", "place"), [("promptfoo", "vars"), ("inspect", None)])
def test_a_case_with_assertions_instead_of_a_rewrite_is_a_test_all_the_same(name, place):
    asserted = [{"kind": "must_mention", "texts": ["form 7"]}]
    (row,) = rows(name, ideal_answer="", assertions=asserted)
    assert (row[place]["ideal"] if place else row["target"]) == ""
    assert why(name, ideal_answer="") == ["no_ideal_answer"]
    assert why("openai_sft", ideal_answer="", assertions=asserted) == ["no_ideal_answer"]


@given(text=TEXT)
def test_promptfoo_gives_back_any_text(text):
    assert played(inert(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        " =1",
        "'=1",
        'say "=1"',
        "a,b\nc",
    ],
)
def test_no_cell_of_the_spreadsheet_is_a_formula_and_each_gives_its_text_back(text):
    found = FORMATS["csv"]
    (row,) = rows("csv", ideal_answer=text)
    written = found.head + found.spell(row)
    (read,) = csv.DictReader(io.StringIO(written.decode(), newline=""))
    assert read["ideal_answer"].lstrip()[:1] not in tuple("=+-@＝＋－＠")
    assert read["ideal_answer"].removeprefix("'") == text


# --- one row, one line ----------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_no_character_of_an_answer_ends_the_line(character):
    written = line({"text": f"a{character}b"})
    assert written.decode().splitlines() == [written.decode().rstrip("\n")]
    assert json.loads(written) == {"text": f"a{character}b"}


def test_a_number_that_the_database_spells_with_all_its_digits_is_written():
    assert json.loads(line({"score": 10**300})) == {"score": 10**300}
