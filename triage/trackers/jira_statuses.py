"""What a Jira status means to us.

"Done", "Won't Do" and "Duplicate" are all of the category `done`, and statuses are named by their owners: the category
and the resolution decide.
"""

from typing import Any

from triage.trackers.base import TicketState
from triage.trackers.reading import folded, text_at

_DONE = {"done", "fixed", "resolved", "completed", "complete"}
_WONT_FIX = {
    "won't do",
    "won't fix",
    "cannot reproduce",
    "declined",
    "rejected",
    "cancelled",
    "canceled",
    "known error",
    "incomplete",
    "invalid",
    "not a bug",
    "works as designed",
    "abandoned",
}
_DUPLICATE = {"duplicate", "duplicated"}


def state_of(status: Any, resolution: Any) -> TicketState:
    """By the category and, of what is done, by the resolution.

    A name alone never makes a ticket done. It can keep one from counting as done: a workflow
    that resolves "Won't Do" as "Done" is common.
    """
    category = text_at(status, "statusCategory", "key")
    if category == "new":
        return TicketState.OPEN
    if category == "indeterminate":
        return TicketState.IN_PROGRESS
    if category != "done":
        return TicketState.UNKNOWN
    how = folded(text_at(resolution, "name"))
    for word in (how, folded(text_at(status, "name"))):
        if word in _WONT_FIX:
            return TicketState.WONT_FIX
        if word in _DUPLICATE:
            return TicketState.DUPLICATE
    return TicketState.DONE if not how or how in _DONE else TicketState.UNKNOWN
