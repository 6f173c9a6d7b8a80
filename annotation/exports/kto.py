"""Good and bad answers one by one, as TRL's KTO trainer takes them: {"prompt", "completion", "label"}.

The ideal answer is a good one, each rejected answer a bad one. What was only preferred to something else is neither.
"""

from annotation.exports.cases import Case, Format, LeftOut, assistant, template_prompt, tools_column


def rows(case: Case) -> list[dict | LeftOut]:
    prompt = template_prompt(case)
    found, good = [], case.ideal_answer.strip()
    if good:
        found.append(_row(case, prompt, case.ideal_answer, True))
    for text in dict.fromkeys(case.rejected_answers):
        if not text.strip():
            found.append(LeftOut("no_rejected_answer"))
        elif text.strip() == good:
            found.append(LeftOut("chosen_equals_rejected"))
        else:
            found.append(_row(case, prompt, text, False))
    if not found:
        raise LeftOut("no_ideal_answer")
    return found


def _row(case, prompt, text, label) -> dict:
    row = {"prompt": prompt, "completion": [assistant(text)], "label": label}
    return row | tools_column(case)


FORMAT = Format(
    name="kto",
    label="Good and bad answers (KTO)",
    description="One answer a row, with the label whether it is good: the ideal one true, each rejected one false. For TRL's KTOTrainer.",
    is_training=True,
    rows=rows,
    has_rejected=True,
)
