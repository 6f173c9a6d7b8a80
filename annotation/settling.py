"""From annotations to the truth that the house holds: agreed by the experts, or decided by a lead."""


def decide_dispute(
    *,
    item,
    by,
    verdict,
    severity,
    reason,
    categories=(),
    root_cause="",
    spans=(),
    chosen_answer=None,
):
    """A lead settles a disputed item (or overrules a settled one); answers the `Settlement`. Raises WrongState, InvalidAnswer."""
    raise NotImplementedError
