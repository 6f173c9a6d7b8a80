"""An Inspect dataset: {"id", "input": messages, "target": the ideal answer, "metadata"}; `json_dataset("rows.jsonl")` reads it."""

from annotation.exports.cases import Case, Format, LeftOut, arguments_of, ideal_or_assertions
from feedbackhub.capture.messages import calls_of, names_of_calls


def rows(case: Case) -> list[dict]:
    if not case.messages:
        raise LeftOut("no_question_at_the_end")
    return [
        {
            "id": case.example_id,
            "input": _messages(case.messages),
            "target": ideal_or_assertions(case),
            "metadata": {
                "split": case.split,
                "labels": case.labels,
                "rejected": case.rejected_answers,
                "context": case.context,
                "assertions": case.assertions,
                **({} if case.tools is None else {"tools": case.tools}),
            },
        }
    ]


def _messages(messages) -> list[dict]:
    """In Inspect's own words: a call names its function and holds its arguments as an object."""
    found = []
    for message, name in zip(messages, names_of_calls(messages), strict=True):
        spelled = {"role": message["role"], "content": message["content"]}
        if calls := calls_of(message):
            spelled["tool_calls"] = [_call(call) for call in calls]
        if "tool_call_id" in message:
            spelled |= {"tool_call_id": message["tool_call_id"], "function": name}
        found.append(spelled)
    return found


def _call(call) -> dict:
    return {
        "id": call.id,
        "function": call.name,
        "arguments": arguments_of(call),
        "type": "function",
    }


FORMAT = Format(
    name="inspect",
    label="Inspect dataset",
    description="Samples for Inspect's json_dataset: messages in, the ideal answer as target, the rest as metadata.",
    is_training=False,
    rows=rows,
)
