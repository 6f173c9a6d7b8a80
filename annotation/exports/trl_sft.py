"""Chat fine-tuning as TRL's SFTTrainer learns it best: a prompt and its completion, so that only the answer is learnt."""

from annotation.exports.cases import Case, Format, assistant, conversation, ideal


def rows(case: Case) -> list[dict]:
    return [{"prompt": conversation(case), "completion": [assistant(ideal(case))]}]


FORMAT = Format(
    name="trl_sft",
    label="Chat fine-tuning (TRL)",
    description="Prompt and completion apart: TRL's SFTTrainer learns the ideal answer only, not the turns before it.",
    is_training=True,
    rows=rows,
)
