"""Chat fine-tuning: {"messages": [{"role", "content"}, …]}, ending with the ideal answer; "tools" beside them only if used."""

from annotation.exports.cases import (
    Case,
    Format,
    assistant,
    conversation,
    ideal,
    openai_call,
    tools_if_used,
)


def rows(case: Case) -> list[dict]:
    messages = conversation(case, openai_call)
    return [{"messages": [*messages, assistant(ideal(case))], **tools_if_used(case)}]


FORMAT = Format(
    name="openai_sft",
    label="Chat fine-tuning (OpenAI style)",
    description="One conversation a row, ending with the ideal answer. Loads in OpenAI-style, Together and Axolotl trainers.",
    is_training=True,
    rows=rows,
)
