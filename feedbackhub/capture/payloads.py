"""What callers send us, checked and made uniform: interactions and feedback as DESIGN §4 lists them.

`read_interaction` and `read_feedback` take a parsed JSON object and return a payload, or raise one
`BadPayload` with every fault in it, each with its field path and a plain sentence. Types are strict
(no number for text, no true for 1), unknown fields are faults, `null` is the same as left out.

The tables `INTERACTION` and `FEEDBACK` say what may be sent, made of `body_checks`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedbackhub.api.strict_json import BadInput
from feedbackhub.capture.body_checks import (
    MAX_ERRORS,
    Fault,
    Wrong,
    flag,
    identifier,
    integer,
    json_object,
    list_of,
    matching,
    moment,
    name,
    number,
    object_of,
    one_of,
    text,
)
from feedbackhub.capture.messages import messages, tools
from feedbackhub.capture.vocabulary import (
    FeedbackKind,
    MessageRole,
    Outcome,
    ReportedCategory,
    Severity,
)

OUTPUT_LIMIT = 1_048_576
URL_LIMIT = 2_000
TAG_LIMIT = 80
MAX_TAGS = 100
MAX_DOCUMENTS = 1_000
MAX_COUNT = 2**31 - 1  # tokens, milliseconds: what the column holds


class BadPayload(BadInput):
    """An object that is JSON but not what we take; `errors` names every field at fault."""

    def __init__(self, faults: list[Fault]):
        self.errors = [
            {"field": field, "message": str(message)} for field, message in faults[:MAX_ERRORS]
        ]
        if len(faults) > MAX_ERRORS:
            self.errors.append({"field": "", "message": "There are more faults than these."})
        super().__init__("; ".join(f"{e['field']}: {e['message']}" for e in self.errors[:3]))


@dataclass(frozen=True, slots=True)
class DocumentPayload:
    """One retrieved document, as the model was shown it."""

    document_id: str = ""
    chunk_id: str = ""
    title: str = ""
    url: str = ""
    text: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class InteractionPayload:
    """One answer of the product. What was not sent is empty; numbers and times are then `None`.

    `user_hash` is filled when the payload is redacted, and `user_id` emptied.
    """

    external_id: str
    output: str
    session_id: str
    user_id: str
    user_hash: str
    user_role: str
    user_region: str
    occurred_at: datetime | None
    environment: str
    feature: str
    model: str
    model_version: str
    model_parameters: dict[str, Any]
    prompt_name: str
    prompt_version: str
    prompt_text: str
    prompt_hash: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    retrieval_index: str
    retrieval_version: str
    documents: list[DocumentPayload]
    input_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None
    is_fallback: bool
    confidence: float | None
    tags: list[str]
    metadata: dict[str, Any]
    trace_url: str

    @property
    def has_prompt(self) -> bool:
        return bool(self.prompt_name or self.prompt_version or self.prompt_text or self.prompt_hash)


@dataclass(frozen=True, slots=True)
class ReporterPayload:
    """Who complained, and how to tell them. `ref_hash` is filled, and `ref` emptied, by redaction.

    `has_consent` is `None` when nothing was said about it.
    """

    ref: str = ""
    ref_hash: str = ""
    email: str = ""
    callback_url: str = ""
    locale: str = ""
    has_consent: bool | None = None

    @property
    def identity(self) -> str:
        """What tells this person from others: their reference, or else their address."""
        return self.ref or self.email.lower() or self.callback_url


@dataclass(frozen=True, slots=True)
class FeedbackPayload:
    """One signal about one answer. `score` lies between 0 and 1; `raw_score` is how it came."""

    external_id: str | None
    interaction_external_id: str
    kind: FeedbackKind
    category: str
    severity: str
    score: float | None
    raw_score: dict[str, Any] | None
    comment: str
    edited_output: str
    next_interaction_id: str
    outcome: str
    reporter: ReporterPayload | None
    occurred_at: datetime | None
    metadata: dict[str, Any]


# --- what may be sent ---------------------------------------------------------------------------


def _one_form_of_input(found: dict[str, Any], fault: Callable[[str, str], None]) -> None:
    for key in ("input", "system_prompt"):
        if key in found and "messages" in found:
            fault(key, "Send either messages, or input and system_prompt, not both.")


INTERACTION = object_of(
    {
        "id": identifier,
        "session_id": name,
        "user": object_of({"id": name, "role": name, "region": name}),
        "occurred_at": moment,
        "environment": name,
        "feature": name,
        "model": name,
        "model_version": name,
        "model_parameters": json_object,
        "prompt": object_of({"name": name, "version": name, "text": text(), "hash": text(128)}),
        "messages": messages,
        "tools": tools,
        "input": text(),
        "system_prompt": text(),
        "output": text(OUTPUT_LIMIT),
        "retrieval": object_of(
            {
                "index": name,
                "version": name,
                "documents": list_of(
                    object_of(
                        {
                            "id": name,
                            "chunk_id": name,
                            "title": text(),
                            "url": text(URL_LIMIT),
                            "text": text(OUTPUT_LIMIT),
                            "score": number(),
                        }
                    ),
                    MAX_DOCUMENTS,
                ),
            }
        ),
        "usage": object_of(
            {"input_tokens": integer(0, MAX_COUNT), "output_tokens": integer(0, MAX_COUNT)}
        ),
        "latency_ms": number(0, MAX_COUNT),
        "fallback": flag,
        "confidence": number(0, 1),
        "tags": list_of(text(TAG_LIMIT), MAX_TAGS),
        "metadata": json_object,
        "trace_url": matching(
            r"(?i:https?)://[^\s\x00-\x20\x7f\\<>\"]+",
            "It must be an address that begins with https:// or http://.",
            limit=URL_LIMIT,
        ),
    },
    required=("id", "output"),
    together=_one_form_of_input,
)


def _what_its_kind_needs(found: dict[str, Any], fault: Callable[[str, str], None]) -> None:
    kind, metadata = found.get("kind"), found.get("metadata", {})
    match kind:
        case FeedbackKind.RATING if "score" not in found:
            fault("score", "A rating needs a score.")
        case FeedbackKind.EDIT | FeedbackKind.OVERRIDE if not found.get("edited_output"):
            fault("edited_output", f"An {kind.value} needs the edited output.")
        case FeedbackKind.COMMENT if not found.get("comment", "").strip():
            fault("comment", "A comment needs its text.")
        case FeedbackKind.FOLLOW_UP if not (
            found.get("comment", "").strip()
            or found.get("next_interaction_id")
            or metadata.get("next_interaction_id")
        ):
            fault("comment", "A follow-up needs its text here, or next_interaction_id.")
        case FeedbackKind.OUTCOME if _outcome(found) is None:
            fault("outcome", "An outcome needs succeeded or failed here, or a score of 1 or 0.")
    _score_fits_its_scale(found, fault)


def _outcome(found: dict[str, Any]) -> Outcome | None:
    """What became of the task: said outright, in the metadata, or as a score."""
    if "outcome" in found:
        return found["outcome"]
    metadata = found.get("metadata", {})
    for said in (metadata.get("outcome"), metadata.get("succeeded"), metadata.get("success")):
        if said is True or said == Outcome.SUCCEEDED.value:
            return Outcome.SUCCEEDED
        if said is False or said == Outcome.FAILED.value:
            return Outcome.FAILED
    score = _normal_score(found)
    if score is None:
        return None
    return Outcome.SUCCEEDED if score >= 0.5 else Outcome.FAILED


def _score_fits_its_scale(found: dict[str, Any], fault: Callable[[str, str], None]) -> None:
    low, high = found.get("scale", (0, 1))
    if "scale" in found and "score" not in found:
        fault("score", "A scale needs a score.")
    elif "score" in found and not low <= found["score"] <= high:
        hint = "" if "scale" in found else "; or send a scale, as [1, 5]"
        fault("score", f"It must lie between {low:g} and {high:g}{hint}.")


def _normal_score(found: dict[str, Any]) -> float | None:
    if "score" not in found:
        return None
    low, high = found.get("scale", (0, 1))
    return min(1.0, max(0.0, (found["score"] - low) / (high - low)))


_pair = list_of(number(-1e9, 1e9), 2)


def scale(value: Any) -> tuple[float, float]:
    """The lowest and the highest score that could be given."""
    pair = _pair(value)
    if len(pair) != 2 or not pair[0] < pair[1]:
        raise Wrong("It must be a pair, the lowest and the highest score, as [1, 5].")
    return pair[0], pair[1]


_callback_address = matching(
    r"(?i:https)://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#][!-\[\]-~]*)?",  # printable ASCII but the backslash
    "It must be an address that begins with https://, without user and password.",
    limit=URL_LIMIT,
)

_NOT_IN_EMAIL = r"\s\x00-\x20\x7f-\x9f@<>()\[\],;:\\\""
_email_address = matching(
    rf"[^{_NOT_IN_EMAIL}]+@[^{_NOT_IN_EMAIL}.]+(?:\.[^{_NOT_IN_EMAIL}.]+)*",
    "It must be one e-mail address, as ana@example.com.",
    limit=254,
)

FEEDBACK = object_of(
    {
        "id": identifier,
        "interaction_id": identifier,
        "kind": one_of(list(FeedbackKind)),
        "category": one_of(ReportedCategory.values),
        "severity": one_of(Severity.values),
        "score": number(-1e9, 1e9),
        "scale": scale,
        "comment": text(),
        "edited_output": text(OUTPUT_LIMIT),
        "next_interaction_id": identifier,
        "outcome": one_of(list(Outcome)),
        "reporter": object_of(
            {
                "ref": name,
                "email": _email_address,
                "callback_url": _callback_address,
                "locale": matching(
                    r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*",
                    "It must be a language tag, as de or pt-BR.",
                    limit=35,
                ),
                "consent": flag,
            }
        ),
        "occurred_at": moment,
        "metadata": json_object,
    },
    required=("interaction_id", "kind"),
    together=_what_its_kind_needs,
)

_NOTHING: dict[str, Any] = {}


def read_interaction(body: Any) -> InteractionPayload:
    """The payload of one interaction, or a `BadPayload` with all its faults."""
    try:
        found = INTERACTION(body)
    except Wrong as wrong:
        raise BadPayload(wrong.faults) from None
    get = found.get
    user = get("user", _NOTHING).get
    prompt = get("prompt", _NOTHING).get
    retrieval = get("retrieval", _NOTHING).get
    usage = get("usage", _NOTHING).get
    said = get("messages")
    if said is None:
        said = [
            {"role": role.value, "content": found[field]}
            for field, role in (("system_prompt", MessageRole.SYSTEM), ("input", MessageRole.USER))
            if field in found
        ]
    return InteractionPayload(
        external_id=found["id"],
        output=found["output"],
        session_id=get("session_id", ""),
        user_id=user("id", ""),
        user_hash="",
        user_role=user("role", ""),
        user_region=user("region", ""),
        occurred_at=get("occurred_at"),
        environment=get("environment", ""),
        feature=get("feature", ""),
        model=get("model", ""),
        model_version=get("model_version", ""),
        model_parameters=get("model_parameters", {}),
        prompt_name=prompt("name", ""),
        prompt_version=prompt("version", ""),
        prompt_text=prompt("text", ""),
        prompt_hash=prompt("hash", ""),
        messages=said,
        tools=get("tools", []),
        retrieval_index=retrieval("index", ""),
        retrieval_version=retrieval("version", ""),
        documents=[_document(part) for part in retrieval("documents", ())],
        input_tokens=usage("input_tokens"),
        output_tokens=usage("output_tokens"),
        latency_ms=get("latency_ms"),
        is_fallback=get("fallback", False),
        confidence=get("confidence"),
        tags=get("tags", []),
        metadata=get("metadata", {}),
        trace_url=get("trace_url", ""),
    )


def _document(found: dict[str, Any]) -> DocumentPayload:
    get = found.get
    return DocumentPayload(
        get("id", ""),
        get("chunk_id", ""),
        get("title", ""),
        get("url", ""),
        get("text", ""),
        get("score"),
    )


def read_feedback(body: Any) -> FeedbackPayload:
    """The payload of one feedback event, or a `BadPayload` with all its faults."""
    try:
        found = FEEDBACK(body)
    except Wrong as wrong:
        raise BadPayload(wrong.faults) from None
    get = found.get
    kind = found["kind"]
    return FeedbackPayload(
        external_id=get("id"),
        interaction_external_id=found["interaction_id"],
        kind=kind,
        category=get("category", ""),
        severity=get("severity", ""),
        score=_normal_score(found),
        raw_score=(
            {"value": found["score"], "scale": list(found["scale"])} if "scale" in found else None
        ),
        comment=get("comment", ""),
        edited_output=get("edited_output", ""),
        next_interaction_id=get("next_interaction_id", ""),
        outcome=str(_outcome(found) if kind is FeedbackKind.OUTCOME else get("outcome", "")),
        reporter=_reporter(get("reporter")),
        occurred_at=get("occurred_at"),
        metadata=get("metadata", {}),
    )


def _reporter(found: dict[str, Any] | None) -> ReporterPayload | None:
    if not found:
        return None
    get = found.get
    return ReporterPayload(
        ref=get("ref", ""),
        email=get("email", ""),
        callback_url=get("callback_url", ""),
        locale=get("locale", "").replace("_", "-"),
        has_consent=get("consent"),
    )


def claimed_id(body: Any) -> str | None:
    """The id that a refused row gives itself, to name it in the answer."""
    claimed = body.get("id") if type(body) is dict else None
    try:
        return identifier(claimed)
    except Wrong:
        return None
