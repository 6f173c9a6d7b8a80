"""An Inspect dataset: {"id", "input": messages, "target": the ideal answer, "metadata"}; `json_dataset("rows.jsonl")` reads it."""

from annotation.exports.cases import Case, Format, LeftOut, ideal_or_assertions


def rows(case: Case) -> list[dict]:
    if not case.messages:
        raise LeftOut("no_question_at_the_end")
    return [
        {
            "id": case.example_id,
            "input": case.messages,
            "target": ideal_or_assertions(case),
            "metadata": {
                "split": case.split,
                "labels": case.labels,
                "rejected": case.rejected_answers,
                "context": case.context,
                "assertions": case.assertions,
            },
        }
    ]


FORMAT = Format(
    name="inspect",
    label="Inspect dataset",
    description="Samples for Inspect's json_dataset: messages in, the ideal answer as target, the rest as metadata.",
    is_training=False,
    rows=rows,
)
