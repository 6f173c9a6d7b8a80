"""Calls of tools to be read by people: untrusted text like every other.

{% load tool_calls %}{% tool_calls message %}
"""

import json

from django import template

from feedbackhub.capture.messages import calls_of, names_of_calls

register = template.Library()

LONGEST_SHOWN = 20_000  # characters of a call's arguments


@register.inclusion_tag("capture/_tool_calls.html")
def tool_calls(message: dict) -> dict:
    """What a stored message calls, each with its arguments set out line by line."""
    return {"calls": [_shown(call) for call in calls_of(message)]}


@register.filter
def messages_with_tools(interaction) -> list[tuple[dict, str]]:
    """Each message with the tool whose answer it is, "" where it is none."""
    return list(zip(interaction.messages, names_of_calls(interaction.messages), strict=True))


def _shown(call) -> dict:
    found = call.read_arguments()
    text = call.arguments if found is None else ""
    if found:
        text = json.dumps(found, ensure_ascii=False, indent=2)
    return {
        "name": call.name,
        "text": text[:LONGEST_SHOWN],
        "length": len(text),
        "is_cut": len(text) > LONGEST_SHOWN,
        "is_broken": found is None,
    }
