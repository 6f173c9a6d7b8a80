"""Preference pairs as TRL's DPO and reward trainers take them: conversational, with the prompt of its own."""

from annotation.exports.cases import Case, Format, conversation, pair


def row(case: Case) -> dict:
    prompt = conversation(case)
    chosen, rejected = pair(case)
    return {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


FORMAT = Format(
    name="trl_dpo",
    label="Preference pairs (TRL DPO)",
    description="Conversational prompt, chosen and rejected: for TRL's DPOTrainer and RewardTrainer, and LLaMA-Factory.",
    is_training=True,
    row=row,
)
