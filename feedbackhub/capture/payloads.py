"""What callers send us, checked and made uniform: interactions and feedback as DESIGN §4 lists them.

`read_interaction` and `read_feedback` take a parsed JSON object and return a payload, or raise one
`BadPayload` with every fault in it, each with its field path and a plain sentence. Types are strict
(no number for text, no true for 1), unknown fields are faults, `null` is the same as left out.

The tables `INTERACTION` and `FEEDBACK` say what may be sent. They are written by hand, and not as
serializers, because every captured row passes through here: a check is a function from a value to
the value to keep, and raises `Wrong`.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.utils import timezone

from feedbackhub.api.strict_json import BadInput, is_storable, join_path, path_of, walk
from feedbackhub.capture.vocabulary import (
    FeedbackKind,
    MessageRole,
    Outcome,
    ReportedCategory,
    Severity,
)

OUTPUT_LIMIT = 1_048_576
TEXT_LIMIT = 262_144
ID_LIMIT = 200
URL_LIMIT = 2_000
TAG_LIMIT = 80
MAX_TAGS = 100
MAX_MESSAGES = 5_000
MAX_DOCUMENTS = 1_000
MAX_COUNT = 2**31 - 1  # tokens, milliseconds: what the column holds
MAX_ERRORS = 50  # the answer names so many; a body can hold thousands
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(hours=24)


class BadPayload(BadInput):
    """An object that is JSON but not what we take; `errors` names every field at fault."""

    def __init__(self, faults: list["Fault"]):
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
    messages: list[dict[str, str]]
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


# --- checks -------------------------------------------------------------------------------------


class Wrong(Exception):
    """What a check found: where below the value, and a sentence, for each fault."""

    def __init__(self, message: str = "", faults: list["Fault"] | None = None):
        self.faults = faults or [("", message)]

    def under(self, key: str | int) -> list["Fault"]:
        here = join_path("", key)
        return [
            (here + (path if path[:1] in ("", "[") else f".{path}"), message)
            for path, message in self.faults
        ]


class UnknownField:
    """The sentence for a field that does not exist; it looks for the one meant only when it is said."""

    def __init__(self, key: str, fields: Collection[str]):
        self.key, self.fields = key, fields

    def __str__(self) -> str:
        near = get_close_matches(self.key, self.fields, n=1) if len(self.key) <= 40 else ()
        return "There is no such field." + (f" Did you mean {near[0]}?" if near else "")


Fault = tuple[str, str | UnknownField]  # a path and what is wrong there
Check = Callable[[Any], Any]


_NOT_STORABLE = "It holds U+0000 or half of a surrogate pair."


def text(limit: int = TEXT_LIMIT, *, may_be_empty: bool = True) -> Check:
    def check(value: Any) -> str:
        if type(value) is not str:
            raise Wrong(f"It must be text, not {_kind_of(value)}.")
        if len(value) > limit:
            raise Wrong(f"It is longer than {limit:,} characters.")
        if not (value or may_be_empty):
            raise Wrong("It may not be empty.")
        if not is_storable(value):
            raise Wrong(_NOT_STORABLE)
        return value

    return check


def matching(pattern: str, sentence: str, *, limit: int) -> Check:
    is_text, matches = text(limit), re.compile(pattern).fullmatch

    def check(value: Any) -> str:
        if not matches(is_text(value)):
            raise Wrong(sentence)
        return value

    return check


def one_of(choices: Collection[str]) -> Check:
    known = {str(getattr(choice, "value", choice)): choice for choice in choices}
    sentence = f"It must be {'one of ' if len(known) > 1 else ''}{', '.join(known)}."

    def check(value: Any) -> Any:
        if type(value) is not str:
            raise Wrong(f"It must be text, not {_kind_of(value)}.")
        choice = known.get(value)
        if choice is None:
            raise Wrong(sentence)
        return choice

    return check


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    def check(value: Any) -> float:
        kind = type(value)
        if kind is not float and kind is not int:
            raise Wrong(f"It must be a number, not {_kind_of(value)}.")
        if not least <= value <= most or (kind is float and not math.isfinite(value)):
            raise Wrong(_range(least, most))
        return value

    return check


def integer(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int:
            raise Wrong(f"It must be a whole number, not {_kind_of(value)}.")
        if not least <= value <= most:
            raise Wrong(_range(least, most))
        return value

    return check


def flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Wrong(f"It must be true or false, not {_kind_of(value)}.")
    return value


def moment(value: Any) -> datetime:
    """RFC 3339 with an offset, in ASCII digits, from 2000-01-01 to a day ahead; in UTC afterwards."""
    if type(value) is not str:
        raise Wrong(f"It must be a time as text, not {_kind_of(value)}.")
    if len(value) > 40 or not _RFC3339(value):
        raise Wrong("It must be a time with its offset, as 2026-01-31T12:00:00Z.")
    try:
        found = datetime.fromisoformat(value.upper())
    except ValueError:
        raise Wrong("There is no such time.") from None
    # Years at the edge of the calendar cannot be moved to UTC.
    if not 2 <= found.year <= 9998 or not EARLIEST <= found <= timezone.now() + MAX_AHEAD:
        raise Wrong("It must lie between 2000-01-01 and 24 hours from now.")
    return found.astimezone(UTC)


_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch


def json_object(value: Any) -> dict[str, Any]:
    """Any JSON object, the texts in it within the limit."""
    if type(value) is not dict:
        raise Wrong(f"It must be an object, not {_kind_of(value)}.")
    faults: list[Fault] = []
    for steps, part in walk(value):
        kind = type(part)
        if kind is str:
            if len(part) > TEXT_LIMIT:
                faults.append((path_of(steps), f"It is longer than {TEXT_LIMIT:,} characters."))
            elif not is_storable(part):
                faults.append((path_of(steps), _NOT_STORABLE))
        elif kind is dict:
            for key in part:
                if type(key) is not str or len(key) > TEXT_LIMIT or not is_storable(key):
                    faults.append((path_of(steps), "A key in it cannot be stored."))
                    raise Wrong(faults=faults)
        elif kind is float:
            if not math.isfinite(part):
                faults.append((path_of(steps), "It must be a finite number."))
        elif kind not in _SCALARS:
            faults.append((path_of(steps), "It is not JSON."))
        if len(faults) > MAX_ERRORS:
            break
    if faults:
        raise Wrong(faults=faults)
    return value


_any_text = text()
_SCALARS = frozenset({int, float, bool, type(None)})


class list_of:
    """A list, every entry checked."""

    def __init__(self, check: Check, most: int):
        self.check, self.most = check, most

    def __call__(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise Wrong(f"It must be a list, not {_kind_of(value)}.")
        if len(value) > self.most:
            raise Wrong(f"It has more than {self.most:,} entries.")
        check = self.check
        try:
            return [check(part) for part in value]
        except Wrong:
            raise Wrong(faults=self._faults(value)) from None

    def _faults(self, value: list[Any]) -> list[Fault]:
        faults: list[Fault] = []
        for index, part in enumerate(value):
            if len(faults) > MAX_ERRORS:
                break
            try:
                self.check(part)
            except Wrong as wrong:
                faults += wrong.under(index)
        return faults


class object_of:
    """An object with these fields; returns those that were given, checked.

    `together` sees what passed and reports what does not fit together.
    """

    def __init__(
        self,
        fields: Mapping[str, Check],
        *,
        required: Collection[str] = (),
        together: Callable[[dict[str, Any], Callable[[str, str], None]], None] | None = None,
    ):
        self.fields, self.required, self.together = dict(fields), tuple(required), together

    def __call__(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Wrong(f"It must be an object, not {_kind_of(value)}.")
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        fields = self.fields
        for key, part in value.items():
            check = fields.get(key)
            if check is None:
                faults.append(self._unknown(key))
            elif part is not None:
                try:
                    found[key] = check(part)
                except Wrong as wrong:
                    faults += wrong.under(key)
        for key in self.required:
            if key not in found and value.get(key) is None:
                faults.append((key, "It is missing."))
        if self.together:
            self.together(found, lambda key, message: faults.append((key, message)))
        if faults:
            raise Wrong(faults=faults)
        return found

    def _unknown(self, key: Any) -> Fault:
        if type(key) is not str:
            return "", "A key in it is not text."
        return join_path("", key), UnknownField(key, self.fields)


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value), "something else")


_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number with decimals",
    str: "text",
    list: "a list",
    dict: "an object",
}


def _range(least: float, most: float) -> str:
    if math.isinf(least) and math.isinf(most):
        return "It must be a finite number."
    return f"It must lie between {least:,} and {most:,}."


# --- what may be sent ---------------------------------------------------------------------------

identifier = text(ID_LIMIT, may_be_empty=False)  # any characters, blanks at the ends kept
name = text(ID_LIMIT)

_content_part = object_of({"type": one_of(["text"]), "text": text()}, required=("type", "text"))
_content_parts = list_of(_content_part, MAX_MESSAGES)


def content(value: Any) -> str:
    """A message's text; a list of text parts, as some clients send it, is joined line by line."""
    if type(value) is list:
        value = "\n".join(part["text"] for part in _content_parts(value))
    return _any_text(value)


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
        "messages": list_of(
            object_of(
                {"role": one_of(MessageRole.values), "content": content},
                required=("role", "content"),
            ),
            MAX_MESSAGES,
        ),
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
    messages = get("messages")
    if messages is None:
        messages = [
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
        messages=messages,
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
