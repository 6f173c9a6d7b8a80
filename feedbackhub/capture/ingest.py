"""The one way in: check, hash, redact, write, tell. API, import and every later road end here.

An acknowledged row is committed. The same id with the same body again is a duplicate, with another body a conflict; the
unique index decides, whoever races. Interactions are written by one statement a batch, with their documents and their news.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from feedbackhub.accounts.models import Project
from feedbackhub.api.strict_json import BadInput
from feedbackhub.capture import identity, prompts
from feedbackhub.capture.masking import redact_feedback, redact_interaction
from feedbackhub.capture.payloads import (
    FeedbackPayload,
    InteractionPayload,
    claimed_id,
    read_feedback,
    read_interaction,
)
from feedbackhub.capture.statements import INSERT_FEEDBACK, INSERT_INTERACTIONS
from feedbackhub.doorbell import ring_together
from feedbackhub.ids import make_public_id
from feedbackhub.prepared import rows_of

CHUNK = 500  # rows a transaction


class Status(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    GONE = "gone"
    INVALID = "invalid"


@dataclass(slots=True)
class Outcome:
    """What became of one row, at its place in the batch. `id` is the caller's own; None where none could be read."""

    index: int
    id: str | None
    status: Status
    redacted: dict[str, int] = field(default_factory=dict)
    errors: list[dict] = field(default_factory=list)

    @property
    def is_stored(self) -> bool:
        return self.status in (Status.ACCEPTED, Status.DUPLICATE)


_SAYS = {
    Status.CONFLICT: "This id was sent before with another body. Nothing was changed.",
    Status.GONE: "This was erased at its person's wish and stays away.",
}


@dataclass(slots=True)
class _Row:
    """One row on its way: what was read of it, the hash of what was received, what was masked."""

    outcome: Outcome
    payload: Any
    body_hash: bytes
    public_id: str


def record_interactions(*, project: Project, rows: Iterable[tuple[int, Any]]) -> list[Outcome]:
    """Keep interactions: `rows` hands out (index, parsed JSON or the BadInput that says why not).

    Good rows are kept when others are bad. Each chunk is committed before the next is read.
    """
    return _record(project, rows, _Interactions)


def record_feedback(
    *, project: Project, rows: Iterable[tuple[int, Any]], source: str = "api"
) -> list[Outcome]:
    """Keep feedback events, in the same way. An event may come before its interaction: it waits."""
    return _record(project, rows, _Feedback, source=source)


def _record(project, rows, kind, **options) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for chunk in _chunks(rows):
        outcomes += kind(project, **options).keep(chunk)
    return outcomes


def _chunks(rows) -> Iterator[list]:
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class _Recording:
    """One chunk's way. Subclasses say how to read, redact, write and find again."""

    def __init__(self, project):
        self.project = project
        self.key = identity.project_key(settings.IDENTIFIER_KEY, project.pk)
        self.now = timezone.now()

    def keep(self, chunk) -> list[Outcome]:
        outcomes, rows = [], []
        for index, value in chunk:
            outcome, row = self._prepare(index, value)
            outcomes.append(outcome)
            if row:
                rows.append(row)
        if rows:
            written = self.write(
                rows
            )  # one statement: all that belongs to a row is written with it, or nothing
            left = [row for row in rows if row.public_id not in written]
            if left:
                self._compare(left)
            if written:
                self.ring()
        return outcomes

    def _prepare(self, index, value):
        if isinstance(value, BadInput):
            return Outcome(index, None, Status.INVALID, errors=value.errors), None
        try:
            payload = self.read(value)
        except BadInput as bad:
            return Outcome(index, claimed_id(value), Status.INVALID, errors=bad.errors), None
        body_hash = identity.canonical_hash(value, self.key)
        payload, counts = self.redact(payload)
        outcome = Outcome(index, payload.external_id, Status.ACCEPTED, redacted=counts)
        return outcome, _Row(outcome, payload, body_hash, str(make_public_id()))

    def _compare(self, rows) -> None:
        """The ids were there already: by this body, by another, or erased."""
        known = self.find({row.payload.external_id for row in rows})
        for row in rows:
            # not written and not there: what it speaks of was erased
            body_hash, erased_at = known.get(row.payload.external_id, (b"", self.now))
            if erased_at:
                status = Status.GONE
            elif bytes(body_hash) == row.body_hash:
                status = Status.DUPLICATE
            else:
                status = Status.CONFLICT
            row.outcome.status = status
            row.outcome.redacted = {}
            if status in _SAYS:
                row.outcome.errors = [{"field": "id", "message": _SAYS[status]}]

    def redact(self, payload):
        return self.redactor(payload, key=self.key, kinds=self.project.redaction_kinds)

    def find(self, ids) -> dict:
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT external_id, body_hash, erased_at FROM {quote(self.table)} "  # noqa: S608
                "WHERE project_id = %s AND external_id = ANY(%s)",
                [self.project.pk, list(ids)],
            )
            return {external_id: rest for external_id, *rest in cursor.fetchall()}

    @staticmethod
    def ring() -> None:
        from feedbackhub.outbox import tasks

        ring_together(tasks.deliver_due)


class _Interactions(_Recording):
    read = staticmethod(read_interaction)
    redactor = staticmethod(redact_interaction)
    table = "capture_interaction"

    def write(self, rows) -> set[str]:
        prompt_ids = prompts.ids_of(self.project, [row.payload for row in rows], now=self.now)
        plain = [self._plain(row, prompt_ids) for row in rows]
        values = {"rows": orjson.dumps(plain).decode(), "project": self.project.pk, "now": self.now}
        return {str(public_id) for (public_id,) in rows_of(INSERT_INTERACTIONS, values)}

    def _plain(self, row: _Row, prompt_ids) -> dict:
        payload: InteractionPayload = row.payload
        return {
            "public_id": row.public_id,
            "external_id": payload.external_id,
            "body_hash": "\\x" + row.body_hash.hex(),
            "session_id": payload.session_id,
            "user_hash": payload.user_hash,
            "user_role": payload.user_role,
            "user_region": payload.user_region,
            "environment": payload.environment,
            "feature": payload.feature,
            "model": payload.model,
            "model_version": payload.model_version,
            "model_parameters": payload.model_parameters,
            "prompt_version_id": prompt_ids.get(prompts.identity_of(payload)),
            "retrieval_index": payload.retrieval_index,
            "retrieval_version": payload.retrieval_version,
            "messages": payload.messages,
            "tools": payload.tools,
            "output": payload.output,
            "input_tokens": payload.input_tokens,
            "output_tokens": payload.output_tokens,
            "latency_ms": payload.latency_ms,
            "is_fallback": payload.is_fallback,
            "confidence": payload.confidence,
            "tags": payload.tags,
            "metadata": payload.metadata,
            "trace_url": payload.trace_url,
            "redaction_counts": row.outcome.redacted,
            "occurred_at": payload.occurred_at or self.now,
            "documents": [
                {
                    "position": position,
                    "document_id": document.document_id,
                    "chunk_id": document.chunk_id,
                    "title": document.title,
                    "url": document.url,
                    "text": document.text,
                    "score": document.score,
                }
                for position, document in enumerate(payload.documents)
            ],
        }


class _Feedback(_Recording):
    read = staticmethod(read_feedback)
    redactor = staticmethod(redact_feedback)
    table = "capture_feedbackevent"

    def __init__(self, project, source):
        super().__init__(project)
        self.source = source

    def _prepare(self, index, value):
        outcome, row = super()._prepare(index, value)
        if row:
            outcome.id = row.payload.external_id or row.public_id
        return outcome, row

    def write(self, rows) -> set[str]:
        plain = [self._plain(row) for row in rows]
        values = {"rows": orjson.dumps(plain).decode(), "project": self.project.pk, "now": self.now}
        return {str(public_id) for (public_id,) in rows_of(INSERT_FEEDBACK, values)}

    def _plain(self, row: _Row) -> dict:
        payload: FeedbackPayload = row.payload
        reporter = payload.reporter
        metadata = dict(payload.metadata)
        if payload.next_interaction_id:
            metadata["next_interaction_id"] = payload.next_interaction_id
        if payload.outcome:
            metadata["outcome"] = payload.outcome
        return {
            "public_id": row.public_id,
            "external_id": payload.external_id,
            "body_hash": "\\x" + row.body_hash.hex(),
            "interaction_external_id": payload.interaction_external_id,
            "kind": payload.kind,
            "category": payload.category,
            "severity": payload.severity,
            "score": payload.score,
            "raw_score": payload.raw_score,
            "comment": payload.comment,
            "edited_output": payload.edited_output,
            "reporter": {
                "public_id": str(make_public_id()),
                "ref_hash": reporter.ref_hash,
                "email": reporter.email,
                "callback_url": reporter.callback_url,
                "locale": reporter.locale,
                "has_consent": reporter.has_consent,
            }
            if reporter and reporter.ref_hash
            else None,
            "source": self.source,
            "metadata": metadata,
            "redaction_counts": row.outcome.redacted,
            "occurred_at": payload.occurred_at or self.now,
        }


def attach_waiting_feedback(interaction) -> int:
    """Feedback that came before its interaction finds it now; safe to repeat, from both sides."""
    from feedbackhub.capture.models import FeedbackEvent

    return FeedbackEvent.objects.filter(
        project_id=interaction.project_id,
        interaction=None,
        interaction_external_id=interaction.external_id,
        erased_at=None,
    ).update(interaction=interaction)
