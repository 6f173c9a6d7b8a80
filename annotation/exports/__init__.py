"""What gold leaves the house as: one file per format, all listed here.

A format turns one case into one row, or says in a word why it leaves the case out. Training formats never see the
holdout: the case reader drops it before any format is asked, whatever the filter says.
"""

from annotation.exports import eval_cases, openai_preference, openai_sft, trl_dpo
from annotation.exports.cases import Case, Format, LeftOut

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT
    for module in (openai_sft, openai_preference, trl_dpo, eval_cases)
}
TRAINING_FORMATS = [name for name, found in FORMATS.items() if found.is_training]

__all__ = ["FORMATS", "TRAINING_FORMATS", "Case", "Format", "LeftOut"]
