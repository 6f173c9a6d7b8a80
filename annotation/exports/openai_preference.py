"""Preference pairs in the shape {"input": {"messages"}, "preferred_output", "non_preferred_output"}."""

from annotation.exports.cases import (
    Case,
    Format,
    assistant,
    conversation,
    openai_call,
    pairs,
    tools_if_used,
)


def rows(case: Case):
    asked = {"messages": conversation(case, openai_call), **tools_if_used(case)}
    return pairs(
        case,
        lambda chosen, rejected: {
            "input": asked,
            "preferred_output": [assistant(chosen)],
            "non_preferred_output": [assistant(rejected)],
        },
    )


FORMAT = Format(
    name="openai_preference",
    label="Preference pairs (OpenAI style)",
    description="The correction preferred over the answer that was given, for the same prompt.",
    is_training=True,
    rows=rows,
    has_rejected=True,
)
