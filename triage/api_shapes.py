"""What the calls about fixes and reports take and give, for the schema."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from feedbackhub.capture.api_shapes import Kind
from triage.models import Fix

Carrier = Literal[tuple(Fix.Carrier.values)]


class FixBody(TypedDict):
    """Names at least one problem or ticket. `summary` is what reporters read."""

    summary: str
    id: NotRequired[str]
    problems: NotRequired[list[int | str]]
    tickets: NotRequired[list[str]]
    carrier: NotRequired[Carrier]
    version: NotRequired[str]
    state: NotRequired[Literal["planned", "shipped"]]
    shipped_at: NotRequired[datetime]


class FixShape(TypedDict):
    """`to_confirm`: only a ticket says so yet, and nobody is told; `ticket` is its key."""

    id: UUID
    external_id: str | None
    summary: str
    carrier: Carrier
    version: str
    state: Literal[tuple(Fix.State.values)]
    to_confirm: bool
    ticket: str
    problems: list[int]
    created_at: datetime
    shipped_at: datetime | None
    verified_at: datetime | None
    recurred_at: datetime | None
    evidence: dict


class ReplayBody(TypedDict):
    interaction_id: str
    passed: bool
    output: NotRequired[str]


class ReplayedShape(TypedDict):
    id: UUID
    state: Literal[tuple(Fix.State.values)]
    accepted: int
    open_cases: list[str]


class ReportShape(TypedDict):
    """`words` say the state in a plain sentence; `what_was_done` is the fix's summary, `page` the reporter's own link."""

    id: str
    interaction_id: str
    kind: Kind
    category: str
    reported_at: datetime
    state: str
    words: str
    what_was_done: str
    page: str
