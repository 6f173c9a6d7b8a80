"""Preference pairs in the shape {"input": {"messages"}, "preferred_output", "non_preferred_output"}."""

from annotation.exports.cases import Case, Format, conversation, pair


def row(case: Case) -> dict:
    messages = conversation(case)
    chosen, rejected = pair(case)
    return {
        "input": {"messages": messages},
        "preferred_output": [{"role": "assistant", "content": chosen}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }


FORMAT = Format(
    name="openai_preference",
    label="Preference pairs (OpenAI style)",
    description="The correction preferred over the answer that was given, for the same prompt.",
    is_training=True,
    row=row,
)
