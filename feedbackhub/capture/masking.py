"""Every captured text through the redaction, on whatever road it came (DESIGN §3, rule 2).

What is masked: messages with the calls of tools in them, the tools, outputs, comments, documents, metadata
and model parameters, keys too, and also the names and addresses that a careless caller may have built from a person's data.

What is not: `external_id` and `interaction_external_id`, by which the caller finds the row again, and
`next_interaction_id`. Callers are told to put no personal data into them. The other ids that rows are
grouped by (session, document, chunk, call of a tool) become a pseudonym when there is something to mask in them:
still the same for the same, and still different for different ones. A person's own id and reference
are always kept as their pseudonym only. A reporter's address stays as it is, in `Reporter` alone.
"""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from typing import Any

import orjson

from feedbackhub import redaction
from feedbackhub.capture.body_checks import ID_LIMIT
from feedbackhub.capture.identity import pseudonym
from feedbackhub.capture.messages import read_json
from feedbackhub.capture.payloads import (
    TAG_LIMIT,
    URL_LIMIT,
    DocumentPayload,
    FeedbackPayload,
    InteractionPayload,
)
from feedbackhub.capture.vocabulary import MessageRole


def redact_interaction(
    payload: InteractionPayload, *, key: bytes, kinds: Collection[str] | None = None
) -> tuple[InteractionPayload, dict[str, int]]:
    """The payload without personal data, and how much of each kind was masked.

    `key` is the project's (`identity.project_key`); `kinds` are those it wants masked, all unless told.
    """
    mask = _Mask(key, kinds)
    masked = replace(
        payload,
        output=mask.text(payload.output),
        session_id=mask.identifier(payload.session_id),
        user_id="",
        user_hash=pseudonym(payload.user_id, key) if payload.user_id else payload.user_hash,
        user_role=mask.name(payload.user_role),
        user_region=mask.name(payload.user_region),
        environment=mask.name(payload.environment),
        feature=mask.name(payload.feature),
        model=mask.name(payload.model),
        model_version=mask.name(payload.model_version),
        model_parameters=mask.repeated_json(payload.model_parameters),
        prompt_name=mask.name(payload.prompt_name),
        prompt_version=mask.name(payload.prompt_version),
        prompt_text=mask.repeated(payload.prompt_text),
        messages=[mask.message(message) for message in payload.messages],
        tools=mask.repeated_json(payload.tools),
        retrieval_index=mask.name(payload.retrieval_index),
        retrieval_version=mask.name(payload.retrieval_version),
        documents=[mask.document(document) for document in payload.documents],
        tags=[mask.repeated(tag, TAG_LIMIT) for tag in payload.tags],
        metadata=mask.json(payload.metadata),
        trace_url=mask.text(payload.trace_url, URL_LIMIT),
    )
    return masked, dict(mask.counts)


def redact_feedback(
    payload: FeedbackPayload, *, key: bytes, kinds: Collection[str] | None = None
) -> tuple[FeedbackPayload, dict[str, int]]:
    """As `redact_interaction`. A reporter without a reference is known by their address."""
    mask = _Mask(key, kinds)
    reporter = payload.reporter
    if reporter is not None and reporter.identity:
        reporter = replace(reporter, ref="", ref_hash=pseudonym(reporter.identity, key))
    masked = replace(
        payload,
        comment=mask.text(payload.comment),
        edited_output=mask.text(payload.edited_output),
        reporter=reporter,
        metadata=mask.json(payload.metadata),
    )
    return masked, dict(mask.counts)


def redact_json_text(text: str, *, enabled: frozenset[str] | None) -> tuple[str, dict[str, int]]:
    """Mask a text that may hold JSON, by what its keys say too: it stays JSON. Any other text is masked as text."""
    value = read_json(text) if text.lstrip()[:1] in ("{", "[") else None
    if value is None:
        redacted = redaction.redact(text, enabled=enabled)
        return redacted.text, redacted.counts
    masked, counts = redaction.redact_json(value, enabled=enabled)
    return (json.dumps(masked, ensure_ascii=False) if counts else text), counts


class _Mask:
    """One payload's way through the redaction, counting."""

    def __init__(self, key: bytes, kinds: Collection[str] | None):
        self.key = key
        self.enabled = None if kinds is None else frozenset(kinds)
        self.kinds_digest = _digest_of_kinds(self.enabled)
        self.counts: Counter[str] = Counter()

    def text(self, text: str, limit: int | None = None) -> str:
        """Cut to the column's limit: a mask may be longer than what it hides."""
        redacted = redaction.redact(text, enabled=self.enabled)
        if not redacted.counts:
            return text
        self.counts.update(redacted.counts)
        return redacted.text[:limit]

    def repeated(self, text: str, limit: int | None = None) -> str:
        """A text that comes with every other row: a name, a prompt, a document of the index."""
        if not text:
            return text
        digest = self._digest(text.encode())
        if digest in _KNOWN_CLEAN:
            return text
        masked = self.text(text, limit)
        if masked is text:
            _remember_clean(digest)
        return masked

    def name(self, text: str) -> str:
        return self.repeated(text, ID_LIMIT)

    def identifier(self, text: str) -> str:
        if not text or self.repeated(text) == text:
            return text
        return pseudonym(text, self.key)

    def json(self, value: Any) -> Any:
        if not value:
            return value
        masked, counts = redaction.redact_json(value, enabled=self.enabled)
        self.counts.update(counts)
        return masked

    def repeated_json(self, value: Any) -> Any:
        if not value:
            return value
        digest = self._digest(orjson.dumps(value))
        if digest in _KNOWN_CLEAN:
            return value
        before = self.counts.total()
        masked = self.json(value)
        if self.counts.total() == before:
            _remember_clean(digest)
        return masked

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        role, content = message["role"], message["content"]
        if role == MessageRole.SYSTEM.value:
            masked = {"role": role, "content": self.repeated(content)}
        elif role == MessageRole.TOOL.value:
            masked = {"role": role, "content": self.text(self.json_text(content))}
        else:
            masked = {"role": role, "content": self.text(content)}
        if len(message) > 2:  # a name, or calls of tools
            masked |= self._beside(message)
        return masked

    def _beside(self, message: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "name" in message:
            found["name"] = self.name(message["name"])
        if "tool_calls" in message:
            found["tool_calls"] = [self.tool_call(call) for call in message["tool_calls"]]
        if "tool_call_id" in message:
            found["tool_call_id"] = self.identifier(message["tool_call_id"])
        return found

    def tool_call(self, call: dict[str, Any]) -> dict[str, Any]:
        called = call["function"]
        return {
            "id": self.identifier(call["id"]),
            "type": call["type"],
            "function": {
                "name": self.name(called["name"]),
                "arguments": self.json_text(called["arguments"]),
            },
        }

    def json_text(self, text: str) -> str:
        masked, counts = redact_json_text(text, enabled=self.enabled)
        self.counts.update(counts)
        return masked

    def document(self, document: DocumentPayload) -> DocumentPayload:
        return DocumentPayload(
            document_id=self.identifier(document.document_id),
            chunk_id=self.identifier(document.chunk_id),
            title=self.repeated(document.title),
            url=self.repeated(document.url, URL_LIMIT),
            text=self.repeated(document.text),
            score=document.score,
        )

    def _digest(self, content: bytes) -> bytes:
        return blake2b(content, digest_size=16, key=self.kinds_digest).digest()


# Digests of texts that were looked at and hold nothing to mask. Looking again is most of the work of a
# capture, and prompts, names and documents come back with every row. Nothing of a text is kept.
_KNOWN_CLEAN: set[bytes] = set()
_MOST_KNOWN = 20_000


def _remember_clean(digest: bytes) -> None:
    if len(_KNOWN_CLEAN) >= _MOST_KNOWN:
        _KNOWN_CLEAN.clear()
    _KNOWN_CLEAN.add(digest)


@cache
def _digest_of_kinds(enabled: frozenset[str] | None) -> bytes:
    kinds = "all" if enabled is None else ",".join(sorted(enabled))
    return blake2b(kinds.encode(), digest_size=16).digest()
