"""The messages that led to an answer, and the calls of tools among them, in the shape that chat APIs share.

    {"role": "assistant", "content": "", "tool_calls": [{"id", "type": "function", "function": {"name", "arguments"}}]}
    {"role": "tool", "content": what it answered, "tool_call_id": the call's id}

`content` is always text, and what people mark is always in it: a call stands beside it. `arguments` is text too, as the model
wrote it, for it may be no JSON at all, and that may be just what was wrong.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedbackhub.api import strict_json
from feedbackhub.capture.body_checks import (
    Wrong,
    flag,
    identifier,
    json_object,
    list_of,
    name,
    object_of,
    one_of,
    text,
)
from feedbackhub.capture.vocabulary import MessageRole

MAX_MESSAGES = 5_000
MAX_CALLS = 128  # of one message
MAX_TOOLS = 128

_any_text = text()
_content_part = object_of({"type": one_of(["text"]), "text": text()}, required=("type", "text"))
_content_parts = list_of(_content_part, MAX_MESSAGES)


def content(value: Any) -> str:
    """A message's text; a list of text parts, as some clients send it, is joined line by line."""
    if type(value) is list:
        value = "\n".join(part["text"] for part in _content_parts(value))
    return _any_text(value)


def _arguments(value: Any) -> str:
    """As the model wrote them; an object, as some clients send it, is written as JSON."""
    if type(value) is dict:
        value = json.dumps(json_object(value), ensure_ascii=False)
    return _any_text(value)


_call = object_of(
    {
        "id": identifier,
        "type": one_of(["function"]),
        "function": object_of({"name": identifier, "arguments": _arguments}, required=("name",)),
    },
    required=("id", "function"),
)


def _tool_call(value: Any) -> dict[str, Any]:
    found = _call(value)
    called = found["function"]
    return {
        "id": found["id"],
        "type": "function",
        "function": {"name": called["name"], "arguments": called.get("arguments", "{}")},
    }


def _fits_its_role(found: dict[str, Any], fault: Callable[[str, str], None]) -> None:
    role = found.get("role")
    if found.get("tool_calls") and role not in (None, MessageRole.ASSISTANT.value):
        fault("tool_calls", "Only a message of the assistant calls tools.")
    if "tool_call_id" in found and role not in (None, MessageRole.TOOL.value):
        fault("tool_call_id", "Only a message of a tool answers a call.")


_FIELDS = {
    "role": one_of(MessageRole.values),
    "content": content,
    "name": name,
    "tool_calls": list_of(_tool_call, MAX_CALLS),
    "tool_call_id": identifier,
}
_saying = object_of(_FIELDS, required=("role", "content"), together=_fits_its_role)
_calling = object_of(_FIELDS, required=("role",), together=_fits_its_role)


def message(value: Any) -> dict[str, Any]:
    """One message: what it says, or which tools it calls, or both."""
    if type(value) is not dict or not value.get("tool_calls"):
        found = _saying(value)
        found.pop("tool_calls", None)  # an empty list says nothing
        return found
    found = _calling(value)
    found.setdefault("content", "")
    ids = [call["id"] for call in found["tool_calls"]]
    if len(set(ids)) < len(ids):
        raise Wrong(faults=[("tool_calls", "Two calls have the same id.")])
    return found


messages = list_of(message, MAX_MESSAGES)

_definition = object_of(
    {
        "type": one_of(["function"]),
        "function": object_of(
            {"name": identifier, "description": text(), "parameters": json_object, "strict": flag},
            required=("name",),
        ),
    },
    required=("function",),
)


def _tool(value: Any) -> dict[str, Any]:
    return {"type": "function", "function": _definition(value)["function"]}


tools = list_of(_tool, MAX_TOOLS)
"""The functions that the model could call, as JSON schemas."""


# --- reading what is stored -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool as it is stored."""

    id: str
    name: str
    arguments: str

    def read_arguments(self) -> dict[str, Any] | None:
        """The arguments as an object; None when the model wrote something else."""
        found = read_json(self.arguments or "{}")
        return found if isinstance(found, dict) else None


def read_json(text: str) -> Any:
    """The value of a text that holds JSON as we take it; None for any other text."""
    try:
        return strict_json.parse(text.encode())
    except strict_json.BadDocument:
        return None


def calls_of(message: dict[str, Any]) -> list[Call]:
    """The calls that a stored message makes, in order."""
    return [
        Call(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls", ())
    ]


def names_of_calls(messages: list[dict[str, Any]]) -> list[str]:
    """For each message the tool whose answer it is; empty where it is none, or nobody knows."""
    called: dict[str, str] = {}
    names = []
    for each in messages:
        called |= {call.id: call.name for call in calls_of(each)}
        answers = each.get("role") == MessageRole.TOOL.value
        known = each.get("name") or called.get(each.get("tool_call_id", ""), "")
        names.append(known if answers else "")
    return names


def length_of(messages: list[dict[str, Any]]) -> int:
    """Characters of all that was said and called."""
    return sum(
        len(each["content"]) + sum(len(call.name) + len(call.arguments) for call in calls_of(each))
        for each in messages
    )
