"""Preference pairs as TRL's DPO trainer takes them: conversational, with the prompt of its own."""

from annotation.exports.cases import Case, Format, assistant, conversation, pairs


def rows(case: Case):
    prompt = conversation(case)
    return pairs(
        case,
        lambda chosen, rejected: {
            "prompt": prompt,
            "chosen": [assistant(chosen)],
            "rejected": [assistant(rejected)],
        },
    )


FORMAT = Format(
    name="trl_dpo",
    label="Preference pairs (TRL DPO)",
    description="Conversational prompt, chosen and rejected: for TRL's DPOTrainer.",
    is_training=True,
    rows=rows,
    has_rejected=True,
)
