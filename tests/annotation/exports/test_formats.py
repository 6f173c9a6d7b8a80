"""Each format's rows, and what every format leaves out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exports import FORMATS, TRAINING_FORMATS, Case, LeftOut
from annotation.exports.cases import line

USER = {"role": "user", "content": "Can I deduct my bicycle?"}
SYSTEM = {"role": "system", "content": "You help with tax."}
GOOD, BAD = "Claim the allowance.", "Deduct it in full."


def case(**changes):
    fields = {
        "example_id": "e-1",
        "interaction_id": "chat/1",
        "split": "train",
        "messages": [SYSTEM, USER],
        "context": [],
        "ideal_answer": GOOD,
        "rejected_answers": [BAD],
        "labels": {"verdict": "wrong"},
        "assertions": [],
    }
    return Case(**(fields | changes))


def assistant(text):
    return [{"role": "assistant", "content": text}]


def test_openai_sft():
    row = FORMATS["openai_sft"].row(case())
    assert row == {"messages": [SYSTEM, USER, *assistant(GOOD)]}


def test_openai_preference():
    row = FORMATS["openai_preference"].row(case())
    assert row == {
        "input": {"messages": [SYSTEM, USER]},
        "preferred_output": assistant(GOOD),
        "non_preferred_output": assistant(BAD),
    }


def test_trl_dpo():
    row = FORMATS["trl_dpo"].row(case())
    assert row == {"prompt": [SYSTEM, USER], "chosen": assistant(GOOD), "rejected": assistant(BAD)}


def test_eval_keeps_everything_and_may_hold_the_holdout():
    found = FORMATS["eval"]
    row = found.row(case(split="holdout"))
    assert (row["id"], row["split"], row["ideal"], row["rejected"]) == (
        "e-1",
        "holdout",
        GOOD,
        [BAD],
    )
    assert "holdout" in found.splits


@pytest.mark.parametrize("name", TRAINING_FORMATS)
def test_no_training_format_may_hold_the_holdout(name):
    assert FORMATS[name].splits == ("train", "validation")


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
    with pytest.raises(LeftOut, match=reason):
        FORMATS[name].row(case(messages=messages))


def test_neighbours_of_one_role_are_joined_so_that_roles_alternate():
    row = FORMATS["openai_sft"].row(
        case(messages=[USER, {"role": "user", "content": "And a car?"}])
    )
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"] == "Can I deduct my bicycle?\n\nAnd a car?"


@pytest.mark.parametrize("name", ["openai_preference", "trl_dpo"])
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
    with pytest.raises(LeftOut, match=reason):
        FORMATS[name].row(case(**changes))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(question=TEXT, ideal=TEXT, rejected=TEXT, name=st.sampled_from(list(FORMATS)))
def test_any_text_makes_one_valid_line_or_a_reason(question, ideal, rejected, name):
    hostile = case(
        messages=[{"role": "user", "content": question}],
        ideal_answer=ideal,
        rejected_answers=[rejected],
    )
    try:
        row = FORMATS[name].row(hostile)
    except LeftOut:
        return
    written = line(row)
    assert written.endswith(b"\n")
    assert len(written.decode().splitlines()) == 1
    assert json.loads(written) == row
    if "chosen" in row:
        assert row["chosen"] != row["rejected"]


# --- one row, one line ----------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_no_character_of_an_answer_ends_the_line(character):
    written = line({"text": f"a{character}b"})
    assert written.decode().splitlines() == [written.decode().rstrip("\n")]
    assert json.loads(written) == {"text": f"a{character}b"}


def test_a_number_that_the_database_spells_with_all_its_digits_is_written():
    assert json.loads(line({"score": 10**300})) == {"score": 10**300}
