"""Chat fine-tuning: {"messages": [{"role", "content"}, …]}, ending with the ideal answer."""

from annotation.exports.cases import Case, Format, conversation, ideal


def row(case: Case) -> dict:
    return {"messages": [*conversation(case), {"role": "assistant", "content": ideal(case)}]}


FORMAT = Format(
    name="openai_sft",
    label="Chat fine-tuning (OpenAI style)",
    description="One conversation a row, ending with the ideal answer. Loads in OpenAI-style, Together and Axolotl trainers.",
    is_training=True,
    row=row,
)
