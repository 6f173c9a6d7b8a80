"""Reward model pairs: with an implicit prompt each side is the whole conversation; with an explicit one it stands apart."""

from annotation.exports import trl_dpo
from annotation.exports.cases import Case, Format, assistant, pairs, template_prompt, tools_column


def implicit_rows(case: Case):
    prompt = template_prompt(case)
    return pairs(
        case,
        lambda chosen, rejected: {
            "chosen": [*prompt, assistant(chosen)],
            "rejected": [*prompt, assistant(rejected)],
            **tools_column(case),
        },
    )


IMPLICIT = Format(
    name="reward_implicit",
    label="Reward model (implicit prompt)",
    description="Two whole conversations a row, the same up to the answer. For TRL's RewardTrainer.",
    is_training=True,
    rows=implicit_rows,
    has_rejected=True,
)
EXPLICIT = Format(
    name="reward_explicit",
    label="Reward model (explicit prompt)",
    description="Prompt, chosen and rejected apart. For TRL's RewardTrainer; the rows are those of TRL DPO.",
    is_training=True,
    rows=trl_dpo.rows,
    has_rejected=True,
)
