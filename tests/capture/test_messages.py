"""Calls of tools in a conversation: what is taken, how it is kept, what is masked in it."""

import json

import pytest

from feedbackhub.capture.identity import canonical_hash, project_key, pseudonym
from feedbackhub.capture.masking import redact_interaction
from feedbackhub.capture.messages import calls_of, length_of, names_of_calls
from feedbackhub.capture.payloads import BadPayload, read_interaction

KEY = project_key("secret", 1)
USER = {"role": "user", "content": "Which rate applies to books?"}


def a_call(id="c-1", name="find_rate", arguments='{"thing": "book"}', **more):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} | more


def calling(*calls, **more):
    return {"role": "assistant", "content": "", "tool_calls": list(calls)} | more


def answering(id="c-1", content="7 %", **more):
    return {"role": "tool", "content": content, "tool_call_id": id} | more


def read(*messages, **more):
    return read_interaction(
        {"id": "a", "output": "7 %.", "messages": [USER, *messages], **more}
    ).messages[1:]


def faults(*messages, **more):
    with pytest.raises(BadPayload) as caught:
        read(*messages, **more)
    return [(error["field"], error["message"]) for error in caught.value.errors]


def masked(*messages, **more):
    payload = read_interaction({"id": "a", "output": "7 %.", "messages": [USER, *messages], **more})
    found, counts = redact_interaction(payload, key=KEY)
    return found, counts


# --- what is taken --------------------------------------------------------------------------------


def test_calls_and_their_answers_are_kept_in_the_shape_of_chat_apis():
    said = [
        calling(a_call(), a_call("c-2", "now", "")),
        answering(name="find_rate"),
        answering("c-2", "2026"),
    ]
    assert read(*said) == said


def test_a_call_needs_no_content_no_type_and_no_arguments():
    bare = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "now"}}]}
    expected = [calling(a_call("c", "now", "{}"))]
    assert read(bare) == read(bare | {"content": None}) == expected


def test_arguments_that_come_as_an_object_are_kept_as_json():
    (found,) = read(calling(a_call(arguments={"thing": "Büro", "deep": [1, None]})))
    assert found["tool_calls"][0]["function"]["arguments"] == '{"thing": "Büro", "deep": [1, null]}'


def test_arguments_that_are_no_json_are_kept_as_the_model_wrote_them():
    (found,) = read(calling(a_call(arguments='{"thing": ')))
    assert found["tool_calls"][0]["function"]["arguments"] == '{"thing": '
    assert calls_of(found)[0].read_arguments() is None


def test_an_empty_list_of_calls_is_none():
    said = {"role": "assistant", "content": "Yes."}
    assert read(said | {"tool_calls": []}) == read(said | {"tool_calls": None}) == [said]


def test_the_answer_of_a_tool_whose_call_is_not_there_is_kept():
    assert read({"role": "tool", "content": "7 %"}) == [{"role": "tool", "content": "7 %"}]


@pytest.mark.parametrize(
    ("message", "field", "says"),
    [
        ({"role": "assistant"}, "content", "It is missing."),
        ({"role": "assistant", "tool_calls": []}, "content", "It is missing."),
        ({"role": "tool", "tool_call_id": "c"}, "content", "It is missing."),
        (calling(a_call()) | {"role": "user"}, "tool_calls", "Only a message of the assistant"),
        (USER | {"tool_call_id": "c"}, "tool_call_id", "Only a message of a tool"),
        (calling("c"), "tool_calls[0]", "It must be an object"),
        (calling() | {"tool_calls": "c"}, "tool_calls", "It must be a list"),
        (calling(a_call(""),), "tool_calls[0].id", "It may not be empty."),
        (calling(a_call("c" * 201)), "tool_calls[0].id", "longer than 200"),
        (calling(a_call(name="")), "tool_calls[0].function.name", "It may not be empty."),
        (calling(a_call(arguments=[1])), "tool_calls[0].function.arguments", "It must be text"),
        (calling(a_call(arguments="x" * 262_145)), "tool_calls[0].function.arguments", "longer"),
        (calling(a_call(arguments="\0")), "tool_calls[0].function.arguments", "U+0000"),
        (
            calling(a_call(arguments={"x": "y" * 262_140})),
            "tool_calls[0].function.arguments",
            "longer than",
        ),
        (calling(a_call(type="custom")), "tool_calls[0].type", "It must be function."),
        (calling(a_call(index=0)), "tool_calls[0].index", "There is no such field."),
        (calling(a_call(), a_call()), "tool_calls", "Two calls have the same id."),
        (calling(*(a_call(str(n)) for n in range(129))), "tool_calls", "more than 128"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_call_is_refused_by_its_path(message, field, says):
    ((path, sentence),) = faults(message)
    assert path == f"messages[1].{field}"
    assert says in sentence


@pytest.mark.parametrize(
    ("tools", "field"),
    [
        ({}, "tools"),
        ([{"function": {}}], "tools[0].function.name"),
        ([{"name": "now"}], "tools[0].name"),
        ([{"type": "retrieval", "function": {"name": "now"}}], "tools[0].type"),
        ([{"function": {"name": "now", "parameters": "{}"}}], "tools[0].function.parameters"),
        ([{"function": {"name": "now", "strict": 1}}], "tools[0].function.strict"),
        ([{"function": {"name": "now"}}] * 129, "tools"),
    ],
)
def test_tools_are_functions_with_a_name(tools, field):
    assert faults(tools=tools)[0][0] == field


def test_a_body_without_calls_is_hashed_and_read_as_ever():
    """What was taken before this was built is a duplicate when it comes again."""
    body = {"id": "a", "output": "7 %.", "messages": [USER]}
    assert canonical_hash(body, KEY).hex()[:16] == "46c2e081bf411a42"
    assert read_interaction(body).messages == [USER]
    assert read_interaction(body).tools == []


# --- reading it -----------------------------------------------------------------------------------


def test_each_tools_answer_is_named_by_its_call_or_by_itself():
    said = [USER, calling(a_call()), answering(), answering("gone"), answering("x", name="other")]
    assert names_of_calls(said) == ["", "", "find_rate", "", "other"]


def test_the_length_counts_what_was_called():
    assert length_of([USER, calling(a_call("c", "now", "{}"), content="So:")]) == 28 + 3 + 3 + 2


# --- personal data --------------------------------------------------------------------------------


def test_personal_data_in_arguments_is_masked_and_they_stay_json():
    arguments = json.dumps({"to": "ana@example.com", "card": 4111111111111111, "pin": [1, "x"]})
    found, counts = masked(calling(a_call(arguments=arguments)), answering())
    written = found.messages[1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(written) == {"to": "[EMAIL]", "card": "[CARD]", "pin": [1, "x"]}
    assert counts == {"EMAIL": 1, "CARD": 1}


def test_what_an_escape_hides_in_arguments_is_masked():
    found, _counts = masked(calling(a_call(arguments=r'{"to": "ana\u0040example.com"}')))
    assert calls_of(found.messages[1])[0].arguments == '{"to": "[EMAIL]"}'


def test_what_a_key_says_is_masked_in_arguments_and_in_what_a_tool_answered():
    secret = '{"password": "swordfish"}'
    found, counts = masked(calling(a_call(arguments=secret)), answering(content=secret))
    assert "swordfish" not in str(found)
    assert found.messages[2]["content"] == '{"password": "[PASSWORD]"}'
    assert counts == {"PASSWORD": 2}


def test_arguments_that_are_no_json_are_masked_as_text():
    found, _counts = masked(calling(a_call(arguments='{"to": ana@example.com')))
    assert calls_of(found.messages[1])[0].arguments == '{"to": [EMAIL]'


def test_clean_arguments_stay_as_they_were_written():
    odd = '{ "thing" :"book","n":1.0 }'
    found, counts = masked(calling(a_call(arguments=odd)), answering(content=odd))
    assert calls_of(found.messages[1])[0].arguments == found.messages[2]["content"] == odd
    assert counts == {}


def test_an_id_made_of_personal_data_becomes_the_same_pseudonym_on_both_sides():
    found, _counts = masked(calling(a_call("of ana@example.com")), answering("of ana@example.com"))
    assert found.messages[1]["tool_calls"][0]["id"] == pseudonym("of ana@example.com", KEY)
    assert found.messages[2]["tool_call_id"] == pseudonym("of ana@example.com", KEY)


def test_names_and_descriptions_of_tools_are_masked():
    tool = {"name": "mail", "description": "Writes to ana@example.com.", "parameters": {"a": 1}}
    found, _counts = masked(calling(a_call(name="ana@example.com")), tools=[{"function": tool}])
    assert "ana@" not in str(found)
    assert found.tools[0]["function"]["description"] == "Writes to [EMAIL]."


def test_masking_what_was_masked_changes_nothing():
    arguments = json.dumps({"to": "ana@example.com", "password": "swordfish"})
    found, _counts = masked(calling(a_call(arguments=arguments)), answering(content=arguments))
    again, counts = redact_interaction(found, key=KEY)
    assert (again.messages, counts) == (found.messages, {})
