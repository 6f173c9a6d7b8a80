"""Judging: submit what an expert said, take it back within seconds, revise it later."""


def submit_annotation(
    *,
    assignment,
    fence,
    revision,
    submit_key,
    verdict,
    severity,
    categories=(),
    root_cause="",
    rubric_scores=None,
    spans=(),
    correction=None,
    note="",
    confidence=None,
    seconds_spent=0,
    suggestion=None,
    schema_version=None,
):
    """Keep an expert's answer as the `Annotation` with revision `revision` + 1 (`revision` is what they saw: 0 at first).

    Twice with the same key is once (`annotation.is_repeat`). `annotation.remarks` lists what was left aside, in words
    (a correction equal to the output). Raises StaleSubmit, SubmitKeyReused, InvalidAnswer.
    """
    raise NotImplementedError


def undo_submit(*, assignment, fence):
    """Take the newest submit back within UNDO_SECONDS; the `Assignment` is claimed again with a new fence and the answers as draft. Raises UndoIsOver, LeaseLost."""
    raise NotImplementedError


def revise(*, assignment):
    """Open an own submitted answer again, as a claimed `Assignment` with its answers as draft. The old answer counts until the next submit. Raises WrongState."""
    raise NotImplementedError
