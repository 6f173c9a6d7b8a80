"""Chat fine-tuning: {"messages": [{"role", "content"}, …]}, ending with the ideal answer."""

from annotation.exports.cases import Case, Format, assistant, conversation, ideal


def rows(case: Case) -> list[dict]:
    return [{"messages": [*conversation(case), assistant(ideal(case))]}]


FORMAT = Format(
    name="openai_sft",
    label="Chat fine-tuning (OpenAI style)",
    description="One conversation a row, ending with the ideal answer. Loads in OpenAI-style, Together and Axolotl trainers.",
    is_training=True,
    rows=rows,
)
