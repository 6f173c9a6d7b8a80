"""Conversations in which tools are called: each format says them right, or leaves them out with a reason."""

import json

import pytest

from annotation.export_options import Options
from annotation.export_reading import batches, members
from annotation.exports import FORMATS, TRAINING_FORMATS
from annotation.gold import NotReady, freeze_gold_version, promote_to_gold
from annotation.models import GoldExample
from feedbackhub.capture.erasure import erase_person
from tests.annotation.exports.test_formats import BAD, GOOD, SYSTEM, USER, assistant, rows, why
from tests.factories import InteractionFactory, SettlementFactory

ARGUMENTS = '{"thing": "bicycle", "year": 2026}'
CALL = {"id": "c-1", "type": "function", "function": {"name": "rate", "arguments": ARGUMENTS}}
CALLING = {"role": "assistant", "content": "", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "content": "0.30", "tool_call_id": "c-1"}
TALK = [SYSTEM, USER, CALLING, ANSWER]
TOOL = {"type": "function", "function": {"name": "rate", "parameters": {"type": "object"}}}

SPELLED = CALL | {"function": {"name": "rate", "arguments": {"thing": "bicycle", "year": 2026}}}
IN_TEMPLATES = [SYSTEM, USER, CALLING | {"tool_calls": [SPELLED]}, ANSWER | {"name": "rate"}]
COLUMN = {"tools": json.dumps([TOOL])}
FACTORY = ("llama_factory_sft", "llama_factory_dpo")


def told(name, *, messages=TALK, tools=(TOOL,)):
    return rows(name, messages=messages, tools=None if tools is None else list(tools))


SHAPES = {
    "openai_sft": [{"messages": [*TALK, *assistant(GOOD)], "tools": [TOOL]}],
    "openai_preference": [
        {
            "input": {"messages": TALK, "tools": [TOOL]},
            "preferred_output": assistant(GOOD),
            "non_preferred_output": assistant(BAD),
        }
    ],
    "trl_sft": [{"prompt": IN_TEMPLATES, "completion": assistant(GOOD), **COLUMN}],
    "trl_dpo": [
        {"prompt": IN_TEMPLATES, "chosen": assistant(GOOD), "rejected": assistant(BAD), **COLUMN}
    ],
    "reward_implicit": [
        {
            "chosen": [*IN_TEMPLATES, *assistant(GOOD)],
            "rejected": [*IN_TEMPLATES, *assistant(BAD)],
            **COLUMN,
        }
    ],
    "kto": [
        {"prompt": IN_TEMPLATES, "completion": assistant(GOOD), "label": True, **COLUMN},
        {"prompt": IN_TEMPLATES, "completion": assistant(BAD), "label": False, **COLUMN},
    ],
}
SHAPES["reward_explicit"] = SHAPES["trl_dpo"]


@pytest.mark.parametrize("name", SHAPES)
def test_a_call_its_answer_and_the_tools_in_the_shape_of_each_trainer(name):
    assert told(name) == SHAPES[name]


def test_the_hugging_face_folder_holds_them_as_trl_reads_them():
    (row,) = told("huggingface")
    assert row["prompt"] == IN_TEMPLATES
    assert row["tools"] == COLUMN["tools"]


@pytest.mark.parametrize("name", FACTORY)
def test_a_format_that_cannot_say_a_call_leaves_the_case_out(name):
    assert why(name, messages=TALK) == ["calls_a_tool"]


def test_every_training_format_says_calls_or_leaves_them_out():
    assert set(TRAINING_FORMATS) == {*SHAPES, "huggingface", *FACTORY}


def test_inspect_gets_calls_in_its_own_words():
    (row,) = told("inspect")
    call = {"id": "c-1", "function": "rate", "type": "function"}
    call |= {"arguments": {"thing": "bicycle", "year": 2026}}
    assert row["input"] == [
        SYSTEM,
        USER,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "0.30", "tool_call_id": "c-1", "function": "rate"},
    ]
    assert row["metadata"]["tools"] == [TOOL]


@pytest.mark.parametrize(("name", "read"), [("eval", lambda row: row), ("promptfoo", lambda row: row["vars"])])  # fmt: skip
def test_what_tests_holds_messages_as_they_are_and_the_tools(name, read):
    (row,) = told(name)
    assert read(row)["messages"] == TALK
    assert read(row)["tools"] == [TOOL]


def test_a_spreadsheet_tells_question_and_answers():
    (row,) = told("csv")
    assert (row["question"], row["ideal_answer"]) == (USER["content"], GOOD)


# --- where there are no tools ---------------------------------------------------------------------

BY_TRL = ["trl_sft", "trl_dpo", "reward_implicit", "reward_explicit", "kto", "huggingface"]


@pytest.mark.parametrize("name", [*BY_TRL, "eval"])
def test_a_case_without_tools_has_their_column_beside_others_that_have_some(name):
    for row in told(name, messages=[USER], tools=()):
        assert row["tools"] in ("[]", [])


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"raw_annotations"}))
def test_where_no_case_has_tools_no_row_has_a_place_for_them(name):
    for row in told(name, messages=[USER], tools=None):
        assert "tools" not in json.dumps(row)


@pytest.mark.parametrize("name", ["openai_sft", "openai_preference", "promptfoo"])
def test_chat_apis_get_no_empty_list_of_tools(name):
    for row in told(name, messages=[USER], tools=()):
        assert "tools" not in json.dumps(row)


# --- conversations --------------------------------------------------------------------------------

SECOND = {"id": "c-2", "type": "function", "function": {"name": "now", "arguments": ""}}
ANSWER_2 = ANSWER | {"tool_call_id": "c-2", "content": ""}


def test_several_calls_are_answered_in_any_order_and_followed_by_others():
    talk = [
        USER,
        CALLING | {"tool_calls": [CALL, SECOND]},
        ANSWER_2,
        ANSWER,
        CALLING,
        ANSWER,
        {"role": "assistant", "content": "So much. Anything else?"},
        USER,
    ]
    (row,) = told("openai_sft", messages=talk)
    roles = [turn["role"] for turn in row["messages"]]
    assert roles == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]
    assert row["messages"][1]["tool_calls"][1]["function"]["arguments"] == "{}"


def test_what_was_said_before_a_call_stands_on_its_message():
    talk = [USER, {"role": "assistant", "content": "Let me look."}, CALLING, ANSWER]
    (row,) = told("openai_sft", messages=talk)
    assert row["messages"][1] == CALLING | {"content": "Let me look."}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([USER, ANSWER], "tool_messages"),
        ([USER, CALLING, ANSWER, ANSWER], "tool_messages"),
        ([USER, CALLING, ANSWER | {"tool_call_id": "other"}], "tool_messages"),
        ([USER, CALLING], "call_without_answer"),
        ([USER, CALLING, USER], "call_without_answer"),
        ([USER, CALLING | {"tool_calls": [CALL, SECOND]}, ANSWER], "call_without_answer"),
        ([USER, CALLING, ANSWER, USER], "tool_answer_not_taken_up"),
        ([CALLING, ANSWER, *assistant("So."), USER], "does_not_start_with_the_user"),
    ],
)
@pytest.mark.parametrize("name", [name for name in TRAINING_FORMATS if name not in FACTORY])
def test_a_call_or_an_answer_that_stands_alone_is_left_out_with_its_reason(name, messages, reason):
    assert why(name, messages=messages) == [reason]


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", '"text"', "null", '{"a": NaN}', "too deep"])
@pytest.mark.parametrize("name", [*SHAPES, "inspect"])
def test_arguments_that_are_no_json_object_are_left_out_where_they_are_spelled(name, arguments):
    arguments = '{"a":' * 9_000 if arguments == "too deep" else arguments
    broken = CALL | {"function": {"name": "rate", "arguments": arguments}}
    talk = [USER, CALLING | {"tool_calls": [broken]}, ANSWER]
    assert why(name, messages=talk) == ["arguments_are_no_json"]


# --- gold -----------------------------------------------------------------------------------------


def approved(project, by, **fields):
    interaction = InteractionFactory(project=project, **fields)
    return promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=by)


def test_gold_keeps_the_tools_and_its_hash_counts_them(project, ben):
    bare = approved(project, ben, messages=TALK)
    held = approved(project, ben, messages=TALK, tools=[TOOL])
    assert (bare.tools, held.tools) == ([], [TOOL])
    assert bare.content_hash != held.content_hash


def test_one_case_with_tools_makes_place_for_them_in_all_rows_of_its_version(project, ben):
    def frozen_with(**case):
        approved(project, ben, **case)
        GoldExample.objects.update(split="train")
        return freeze_gold_version(project=project, by=ben)

    def tools_of(version):
        format = FORMATS["openai_sft"]
        found = members(version, format, Options(splits=("train",)))
        return [case.tools for batch in batches(found, format, version) for _, _, case in batch]

    first = frozen_with(messages=[USER])
    second = frozen_with(messages=TALK, tools=[TOOL])
    assert tools_of(first) == [None]
    assert tools_of(second) == [[], [TOOL]]


def test_personal_data_in_a_call_keeps_a_case_from_gold_until_it_is_masked(project, ben):
    arguments = '{"to": "ana@example.com", "card": 4111111111111111}'
    call = CALL | {"function": {"name": "mail", "arguments": arguments}}
    talk = [USER, CALLING | {"tool_calls": [call]}, ANSWER | {"content": "Sent to ana@example.com"}]
    interaction = InteractionFactory(project=project, messages=talk)
    settlement = SettlementFactory(interaction=interaction)
    with pytest.raises(NotReady):
        promote_to_gold(settlement=settlement, by=ben)
    _user, calling, answer = promote_to_gold(settlement=settlement, by=ben, masks=True).messages
    (masked,) = calling["tool_calls"]
    assert json.loads(masked["function"]["arguments"]) == {"to": "[EMAIL]", "card": "[CARD]"}
    assert answer == {"role": "tool", "content": "Sent to [EMAIL]", "tool_call_id": masked["id"]}


def test_erasing_a_person_empties_calls_and_tools(project, ben):
    revision = approved(project, ben, messages=TALK, tools=[TOOL], user_hash="theirs")
    erase_person(project=project, ref_hash="theirs")
    revision.refresh_from_db()
    interaction = revision.example.interaction
    assert (revision.messages, revision.tools) == ([], [])
    assert (interaction.messages, interaction.tools) == ([], [])
