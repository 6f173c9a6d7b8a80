"""Cases to hold a candidate against: the question, the ideal answer, what must not be said, the labels."""

from annotation.exports.cases import Case, Format


def rows(case: Case) -> list[dict]:
    return [
        {
            "id": case.example_id,
            "split": case.split,
            "messages": case.messages,
            "context": case.context,
            "ideal": case.ideal_answer,
            "rejected": case.rejected_answers,
            "labels": case.labels,
            "assertions": case.assertions,
            **({} if case.tools is None else {"tools": case.tools}),
        }
    ]


FORMAT = Format(
    name="eval",
    label="Evaluation cases",
    description="For testing a prompt or a model, not for training: the holdout may be in it.",
    is_training=False,
    rows=rows,
)
