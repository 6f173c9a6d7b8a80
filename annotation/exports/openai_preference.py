"""Preference pairs in the shape {"input": {"messages"}, "preferred_output", "non_preferred_output"}."""

from annotation.exports.cases import Case, Format, assistant, conversation, pairs


def rows(case: Case):
    messages = conversation(case)
    return pairs(
        case,
        lambda chosen, rejected: {
            "input": {"messages": messages},
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
