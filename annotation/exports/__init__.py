"""What gold leaves the house as: one file per format, all listed here.

A format turns one case into rows, or says in a word why it leaves one out. Training formats never see the holdout: the
case reader drops it before any format is asked, whatever the filter says.
"""

from annotation.exports import (
    eval_cases,
    huggingface,
    inspect_cases,
    kto,
    llama_factory,
    openai_preference,
    openai_sft,
    promptfoo,
    raw_annotations,
    spreadsheet,
    trl_dpo,
    trl_reward,
    trl_sft,
)
from annotation.exports.cases import Case, Format, LeftOut

FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        openai_sft.FORMAT,
        trl_sft.FORMAT,
        llama_factory.SFT,
        openai_preference.FORMAT,
        trl_dpo.FORMAT,
        trl_reward.IMPLICIT,
        trl_reward.EXPLICIT,
        llama_factory.DPO,
        kto.FORMAT,
        huggingface.FORMAT,
        eval_cases.FORMAT,
        promptfoo.FORMAT,
        inspect_cases.FORMAT,
        spreadsheet.FORMAT,
        raw_annotations.FORMAT,
    )
}
TRAINING_FORMATS = [name for name, found in FORMATS.items() if found.is_training]

__all__ = ["FORMATS", "TRAINING_FORMATS", "Case", "Format", "LeftOut"]
