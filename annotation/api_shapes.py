"""What the calls about review, gold and exports take and give, for the schema."""

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict
from uuid import UUID

from annotation.export_options import WEIGHTS
from annotation.exports import FORMATS
from annotation.models import EvalRun, ExportRun, ReviewItem, Settlement, Split, Verdict
from feedbackhub.capture.api_shapes import HowBad, MessageShape, ToolShape

Judgement = Literal[tuple(Verdict.values)]
SplitName = Literal[tuple(Split.values)]


class FlagBody(TypedDict):
    """Without a queue it goes into the first open one."""

    interaction_id: str
    queue: NotRequired[str]
    reason: NotRequired[str]
    priority: NotRequired[int]


class ReviewItemShape(TypedDict):
    id: UUID
    interaction_id: str
    queue: str
    state: Literal[tuple(ReviewItem.State.values)]
    purpose: Literal[tuple(ReviewItem.Purpose.values)]
    round: int
    reason: str
    priority: int
    overlap: int
    taken_count: int
    needs_discussion: bool
    due_at: datetime | None
    settled_at: datetime | None
    created_at: datetime


class CompareBody(TypedDict):
    """Another answer to the input of an interaction. `label` says whose it is; nobody who judges sees it."""

    interaction_id: str
    output: str
    queue: NotRequired[str]
    label: NotRequired[str]


class ComparisonShape(TypedDict):
    """`preferred` counts "given", "other", "equal", "neither"; `winner` is what more than half preferred, or empty."""

    id: UUID
    item_id: UUID
    interaction_id: str
    queue: str
    label: str
    state: Literal[tuple(ReviewItem.State.values)]
    overlap: int
    preferred: dict[str, int]
    winner: Literal["given", "other", ""]
    created_at: datetime


class ExpertShape(TypedDict):
    id: UUID
    name: str


class SchemaShape(TypedDict):
    name: str
    version: int


class SpanShape(TypedDict):
    """`start` and `end` count Unicode code points of the stored text."""

    field: str
    start: int
    end: int
    quote: str
    label: str
    note: NotRequired[str]


class RatingShape(TypedDict):
    """What was said elsewhere, in its own word and on its own scale, [least, most]."""

    name: str
    value: float
    scale: list[float]
    word: NotRequired[str]


class AnnotationShape(TypedDict):
    """`applied_with` is the annotation that it was given together with, to a look-alike."""

    id: UUID
    item_id: UUID
    interaction_id: str
    queue: str
    expert: ExpertShape
    schema: SchemaShape
    revision: int
    is_current: bool
    verdict: Judgement
    severity: HowBad
    categories: list[str]
    root_cause: str
    rubric_scores: dict[str, Any]
    ratings: list[RatingShape]
    imported_from: str
    note: str
    confidence: int | None
    seconds_spent: int | None
    spans: list[SpanShape]
    correction: str | None
    applied_with: UUID | None
    created_at: datetime
    final_at: datetime
    taken_back_at: datetime | None


class JudgeShape(TypedDict):
    """`id` is the caller's own; a member is found by `email`."""

    id: str
    name: NotRequired[str]
    email: NotRequired[str]


class JudgementBody(TypedDict):
    """One person's judgement given elsewhere. A mark in the output may leave its quote out."""

    interaction_id: str
    queue: str
    person: JudgeShape
    verdict: Judgement
    severity: HowBad
    categories: NotRequired[list[str]]
    root_cause: NotRequired[str]
    rubric_scores: NotRequired[dict[str, int]]
    spans: NotRequired[list[SpanShape]]
    correction: NotRequired[str]
    note: NotRequired[str]
    confidence: NotRequired[float]
    seconds_spent: NotRequired[int]
    ratings: NotRequired[list[RatingShape]]
    source: NotRequired[str]
    judged_at: NotRequired[datetime]


class KeptJudgementShape(TypedDict):
    status: Literal["accepted", "duplicate"]


class RejectedJudgementShape(TypedDict):
    index: int
    errors: list[dict[str, str]]


class JudgementsShape(TypedDict):
    accepted: int
    duplicates: int
    rejected: list[RejectedJudgementShape]


class SettlementShape(TypedDict):
    id: UUID
    item_id: UUID
    interaction_id: str
    schema: SchemaShape
    decided_how: Literal[tuple(Settlement.DecidedHow.values)]
    reason: str
    verdict: Judgement
    severity: HowBad
    categories: list[str]
    root_cause: str
    rubric_scores: dict[str, int]
    spans: list[SpanShape]
    chosen_answer: str | None
    annotation_count: int
    agreement: float | None
    created_at: datetime
    takes_effect_at: datetime


class FigureShape(TypedDict):
    """One coefficient with its 95 % interval and counts; a `value` of null says in `undefined_because` why."""

    part: str
    key: str
    measure: str
    scale: str
    value: float | None
    low: float | None
    high: float | None
    items: int
    answers: int
    undefined_because: str


class DifferenceShape(TypedDict):
    item_id: UUID
    interaction_id: str
    queue: str
    distance: float
    spans_f1: float | None


class AgreementShape(TypedDict):
    items: int
    answers: int
    is_capped: bool
    field: str  # what pairs and weeks are about
    figures: list[FigureShape]
    differences: list[DifferenceShape]


class GoldShape(TypedDict):
    id: UUID
    revision: int
    split: SplitName
    is_contaminated: bool
    interaction_id: str
    messages: list[MessageShape]
    tools: list[ToolShape]
    ideal_answer: str | None  # None: of the holdout
    rejected_answers: list[str]
    labels: dict[str, Any]
    content_hash: str
    approved_at: datetime


class FreezeBody(TypedDict, total=False):
    description: str
    tags: list[str]


class GoldVersionShape(TypedDict):
    number: int
    digest: str
    previous_digests: list[Any]
    erasure_epoch: int
    examples: int
    description: str
    tags: list[str]
    created_at: datetime


class ExportBody(TypedDict, total=False):
    """Without a version it is the newest; without splits it is train in a training format of one file, else all that the format may hold."""

    version: int
    format: Literal[tuple(FORMATS)]
    splits: list[SplitName]
    max_characters: int
    max_similarity: float
    min_severity: HowBad
    min_agreement: float
    weigh_by: list[Literal[WEIGHTS]]


class ExportPreviewShape(TypedDict):
    """Of the first `looked_at` of the cases that may leave; `left_out` counts by reason."""

    version: int
    format: Literal[tuple(FORMATS)]
    filter: dict[str, Any]
    cases: int
    rows: int
    rows_by_split: dict[str, int]
    left_out: dict[str, int]
    looked_at: int
    of: int
    is_whole: bool


class ExportLinkShape(TypedDict):
    url: str
    expires_at: datetime


class ExportShape(TypedDict):
    id: UUID
    version: int
    format: Literal[tuple(FORMATS)]
    filter: dict[str, Any]
    state: Literal[tuple(ExportRun.State.values)]
    progress: int
    total: int | None
    rows: int | None
    bytes: int | None
    sha256: str
    failure: str
    created_at: datetime
    finished_at: datetime | None


class CaseShape(TypedDict):
    id: UUID
    split: SplitName
    messages: list[MessageShape]
    tools: list[ToolShape]
    context: list[dict[str, Any]]


class CandidateAnswerBody(TypedDict):
    id: str
    output: str
    attempt: NotRequired[int]


class EvaluationBody(TypedDict):
    """`split` is validation unless told otherwise; `versions` name the prompt, model, … that the candidate is made of."""

    candidate: str
    results: list[CandidateAnswerBody]
    split: NotRequired[SplitName]
    note: NotRequired[str]
    versions: NotRequired[list[str]]


class EvaluationRowShape(TypedDict):
    id: UUID
    version: int
    split: SplitName
    candidate: str
    state: Literal[tuple(EvalRun.State.values)]
    progress: int
    total: int
    passed: bool | None
    is_accepted: bool
    created_at: datetime
    finished_at: datetime | None


class EvaluationShape(EvaluationRowShape):
    url: str
    note: str
    versions: list[str]
    rules: dict[str, Any]
    baseline: UUID | None
    summary: dict[str, Any]
    failure: str
    override_reason: str
    overridden_by: str | None


class HoldoutShape(TypedDict):
    version: int
    holdout_uses: int
    holdout_used: int
    holdout_left: int


class EvalResultShape(TypedDict):
    id: UUID
    attempt: int
    passed: bool | None
    output: str
    likeness: float | None
    checks: list[dict[str, Any]]


class RecallBody(TypedDict):
    """The user's words; at most 20 cases, 5 unless told."""

    input: str
    limit: NotRequired[int]


class RecalledShape(TypedDict):
    """`alike` compares the questions, 0 to 1; `correction` is null where none was settled on."""

    interaction_id: str
    settlement_id: UUID
    alike: float
    input: str
    output: str
    verdict: Judgement
    severity: HowBad
    categories: list[str]
    correction: str | None
    settled_at: datetime


class RecallShape(TypedDict):
    """`confidence` is 1 where the nearest asks the same; `block` is empty where no right answer is known."""

    known: Literal["known", "something alike", "nothing known"]
    confidence: float
    cases: list[RecalledShape]
    block: str
