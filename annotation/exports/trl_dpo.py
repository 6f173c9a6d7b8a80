"""Preference pairs as TRL's DPO trainer takes them: conversational, with the prompt of its own."""

from annotation.exports.cases import Case, Format, assistant, pairs, template_prompt, tools_column


def rows(case: Case):
    prompt = template_prompt(case)
    return pairs(
        case,
        lambda chosen, rejected: {
            "prompt": prompt,
            "chosen": [assistant(chosen)],
            "rejected": [assistant(rejected)],
            **tools_column(case),
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
