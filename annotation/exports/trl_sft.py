"""Chat fine-tuning as TRL's SFTTrainer learns it best: a prompt and its completion, so that only the answer is learnt."""

from annotation.exports.cases import Case, Format, assistant, ideal, template_prompt, tools_column


def rows(case: Case) -> list[dict]:
    prompt, completion = template_prompt(case), [assistant(ideal(case))]
    return [{"prompt": prompt, "completion": completion, **tools_column(case)}]


FORMAT = Format(
    name="trl_sft",
    label="Chat fine-tuning (TRL)",
    description="Prompt and completion apart: TRL's SFTTrainer learns the ideal answer only, not the turns before it.",
    is_training=True,
    rows=rows,
)
