"""What capture's calls take and give, for the schema. `payloads` says what is checked."""

from datetime import datetime
from typing import Any, Literal, NotRequired, Required, TypedDict
from uuid import UUID

from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity

Kind = Literal[tuple(FeedbackKind.values)]
Category = Literal[tuple(ReportedCategory.values)]
HowBad = Literal[tuple(Severity.values)]


class CalledShape(TypedDict):
    """`arguments` is JSON as text, as the model wrote it; it may be sent as an object."""

    name: str
    arguments: NotRequired[str]


class ToolCallShape(TypedDict):
    id: str
    type: NotRequired[Literal["function"]]
    function: CalledShape


class MessageShape(TypedDict):
    """An assistant's message may call tools (its content is then empty or left out), a tool's answers a call."""

    role: Literal["system", "user", "assistant", "tool"]
    content: NotRequired[str]
    name: NotRequired[str]
    tool_calls: NotRequired[list[ToolCallShape]]
    tool_call_id: NotRequired[str]


class FunctionShape(TypedDict):
    """`parameters` is a JSON schema."""

    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    strict: NotRequired[bool]


class ToolShape(TypedDict):
    """A function that the model could call."""

    type: NotRequired[Literal["function"]]
    function: FunctionShape


class DocumentShape(TypedDict, total=False):
    id: str
    chunk_id: str
    title: str
    url: str
    text: str
    score: float | None


class UserBody(TypedDict, total=False):
    """`id` is kept as a keyed hash only."""

    id: str
    role: str
    region: str


class PromptBody(TypedDict, total=False):
    name: str
    version: str
    text: str
    hash: str


class RetrievalBody(TypedDict, total=False):
    index: str
    version: str
    documents: list[DocumentShape]


class UsageShape(TypedDict):
    input_tokens: int | None
    output_tokens: int | None


class InteractionBody(TypedDict, total=False):
    """One answer of the product, with what led to it: `messages`, or in short `input` and `system_prompt`."""

    id: Required[str]
    output: Required[str]
    input: str
    system_prompt: str
    messages: list[MessageShape]
    tools: list[ToolShape]
    session_id: str
    user: UserBody
    occurred_at: datetime
    environment: str
    feature: str
    model: str
    model_version: str
    model_parameters: dict[str, Any]
    prompt: PromptBody
    retrieval: RetrievalBody
    usage: UsageShape
    latency_ms: float
    fallback: bool
    confidence: float
    tags: list[str]
    metadata: dict[str, Any]
    trace_url: str


class ReporterBody(TypedDict, total=False):
    ref: Required[str]
    email: str
    callback_url: str
    locale: str
    consent: bool


class FeedbackBody(TypedDict, total=False):
    """One signal about an answer; the answer may come later."""

    id: str
    interaction_id: Required[str]
    kind: Required[Kind]
    category: Category
    severity: HowBad
    score: float
    scale: list[float]
    comment: str
    edited_output: str
    reporter: ReporterBody
    occurred_at: datetime
    metadata: dict[str, Any]


class KeptShape(TypedDict):
    """`redacted` counts what was masked, by kind."""

    id: str
    status: Literal["accepted", "duplicate"]
    redacted: dict[str, int]


class RowError(TypedDict):
    field: str
    message: str


class RejectedShape(TypedDict):
    index: int
    id: str | None
    errors: list[RowError]


class BatchShape(TypedDict):
    accepted: int
    duplicates: int
    rejected: list[RejectedShape]


class PromptShape(TypedDict):
    name: str
    version: str
    hash: str


class UserShape(TypedDict):
    role: str
    region: str


class RetrievalShape(TypedDict):
    index: str
    version: str


class InteractionShape(TypedDict):
    id: str
    session_id: str
    occurred_at: datetime
    received_at: datetime
    environment: str
    feature: str
    model: str
    model_version: str
    model_parameters: dict[str, Any]
    prompt: PromptShape | None
    user: UserShape
    retrieval: RetrievalShape
    messages: list[MessageShape]
    tools: list[ToolShape]
    output: str
    usage: UsageShape
    latency_ms: float | None
    fallback: bool
    confidence: float | None
    tags: list[str]
    metadata: dict[str, Any]
    trace_url: str
    redacted: dict[str, int]


class TrailShape(TypedDict):
    at: datetime
    kind: str
    title: str
    text: str
    by: str
    facts: Any


class OneInteractionShape(InteractionShape):
    documents: list[DocumentShape]
    trail: list[TrailShape]


class PromptVersionBody(TypedDict):
    """`problems` names those it addresses, by number or ticket key: that plans a fix, shipped at `deployed_at`."""

    name: str
    version: str
    text: NotRequired[str]
    hash: NotRequired[str]
    rationale: NotRequired[str]
    deployed_at: NotRequired[datetime]
    problems: NotRequired[list[str]]
    summary: NotRequired[str]


class PromptVersionShape(TypedDict):
    id: UUID
    name: str
    version: str
    hash: str
    text: str
    rationale: str
    deployed_at: datetime | None
    created_at: datetime
