"""What the actions of reviewing refuse, each with a plain sentence in `str(error)` and what a page needs to show.

The API and the pages answer 409 to all of these but two: `InvalidAnswer` is 400, `SubmitKeyReused` is 422.
"""


class Refusal(Exception):
    """An action was refused; nothing was changed."""


class ClaimRefused(Refusal):
    """This person may not claim now. `reason`: not_a_member, closed, paused, holds_enough, done_for_today, taken."""

    def __init__(self, reason: str, sentence: str):
        self.reason = reason
        super().__init__(sentence)


class LeaseLost(Refusal):
    """The write names a lease that is over: the fence is old, the time is up, or the item left these hands."""

    def __init__(self, sentence: str, *, assignment):
        self.assignment = assignment  # as it is now
        super().__init__(sentence)


class StaleDraft(Refusal):
    """Another window kept a newer draft. Both versions are here; nothing was overwritten."""

    def __init__(self, sentence: str, *, yours: dict, kept: dict, kept_revision: int):
        self.yours, self.kept, self.kept_revision = yours, kept, kept_revision
        super().__init__(sentence)


class StaleSubmit(Refusal):
    """The submit's fence or revision is not the current one. Both versions are here; nothing was overwritten."""

    def __init__(self, sentence: str, *, yours: dict, kept: dict | None, assignment, revision: int):
        self.yours = yours  # the answers of this submit
        self.kept = kept  # the answers that count now, in the same shape; None when there are none
        self.assignment = assignment  # as it is now: state, fence, draft
        self.revision = revision  # the newest revision that is kept (0: none)
        super().__init__(sentence)


class SubmitKeyReused(Refusal):
    """The submit's idempotency key was used before, with other answers."""


class InvalidAnswer(Refusal):
    """What was said does not fit the schema or the text. `errors` is {field path: plain sentence}."""

    def __init__(self, errors: dict[str, str]):
        self.errors = errors
        super().__init__(" ".join(errors.values()))


class UndoIsOver(Refusal):
    """The time to take it back has passed, or what followed has already happened."""


class WrongState(Refusal):
    """The item or assignment is not in a state that allows this."""
