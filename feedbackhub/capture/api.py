"""Interactions, feedback and the prompt changelog for programs."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from feedbackhub.api import bodies
from feedbackhub.api.bodies import NDJSON
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import Problem, conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture import ingest, prompts
from feedbackhub.capture.api_shapes import (
    BatchShape,
    FeedbackBody,
    InteractionBody,
    InteractionShape,
    KeptShape,
    OneInteractionShape,
    PromptVersionBody,
    PromptVersionShape,
)
from feedbackhub.capture.ingest import Status
from feedbackhub.capture.models import Interaction, PromptVersion
from feedbackhub.capture.queries import INTERACTION_FILTERS, NEWEST_FIRST
from feedbackhub.capture.trail import trail_of
from feedbackhub.filters import text

_ANSWERS = {Status.ACCEPTED: 201, Status.DUPLICATE: 200, Status.CONFLICT: 409, Status.GONE: 410}


def take_in(request, record, project) -> Response:
    """One object → 201 (200 when seen before); many → 200 with what became of each."""
    submission = bodies.read_submission(request._request)
    outcomes = record(project=project, rows=submission.rows)
    if submission.is_batch:
        return Response(
            {
                "accepted": sum(outcome.status == Status.ACCEPTED for outcome in outcomes),
                "duplicates": sum(outcome.status == Status.DUPLICATE for outcome in outcomes),
                "rejected": [
                    {"index": outcome.index, "id": outcome.id, "errors": outcome.errors}
                    for outcome in outcomes
                    if not outcome.is_stored
                ],
            }
        )
    (outcome,) = outcomes
    if outcome.status == Status.INVALID:
        raise invalid(outcome.errors)
    if not outcome.is_stored:
        raise Problem(_ANSWERS[outcome.status], outcome.errors[0]["message"], errors=outcome.errors)
    return Response(
        {"id": outcome.id, "status": outcome.status, "redacted": outcome.redacted},
        status=_ANSWERS[outcome.status],
    )


class InteractionsView(ProjectListView):
    """POST keeps one interaction or many; GET finds them, newest first."""

    scopes = {"GET": "read", "POST": "capture"}
    takes = {"POST": {"application/json": InteractionBody | list[InteractionBody], NDJSON: str}}
    gives = {"POST": {201: KeptShape, 200: KeptShape | BatchShape}}
    row = InteractionShape
    is_audited = False  # an interaction is never changed: it is its own record
    filters = INTERACTION_FILTERS
    order = NEWEST_FIRST

    def post(self, request):
        return take_in(request, ingest.record_interactions, self.project)

    def rows(self):
        return Interaction.objects.for_project(self.project).kept().select_related("prompt_version")

    def show(self, row):
        return show_interaction(row)


class InteractionView(ProjectAPIView):
    """One interaction with its documents, feedback and whole trail. Its id may hold slashes."""

    scopes = {"GET": "read"}
    gives = {"GET": {200: OneInteractionShape}}

    def get(self, request, external_id):
        row = (
            Interaction.objects.for_project(self.project)
            .select_related("prompt_version")
            .filter(external_id=external_id)
            .first()
        )
        if row is None:
            raise not_found()
        if row.erased_at:
            raise Problem(410, "This interaction was erased at its person's wish.")
        return Response(
            {
                **show_interaction(row),
                "documents": [
                    {
                        "id": document.document_id,
                        "chunk_id": document.chunk_id,
                        "title": document.title,
                        "url": document.url,
                        "text": document.text,
                        "score": document.score,
                    }
                    for document in row.documents.all()
                ],
                "trail": [
                    {
                        "at": entry.at,
                        "kind": entry.kind,
                        "title": entry.title,
                        "text": entry.text,
                        "by": entry.by,
                        "facts": entry.facts,
                    }
                    for entry in trail_of(row)
                ],
            }
        )


class FeedbackView(ProjectAPIView):
    """Keep one feedback event or many; an event for an unknown interaction waits for it."""

    scopes = {"POST": "capture"}
    takes = {"POST": {"application/json": FeedbackBody | list[FeedbackBody], NDJSON: str}}
    gives = {"POST": {201: KeptShape, 200: KeptShape | BatchShape}}
    is_audited = False

    def post(self, request):
        return take_in(request, ingest.record_feedback, self.project)


class PromptVersionsView(ProjectListView):
    """The prompt changelog, newest first; POST announces a version before its first answer, or says more of one."""

    scopes = {"GET": "read", "POST": "capture"}
    takes = {"POST": PromptVersionBody}
    gives = {"POST": {201: PromptVersionShape, 200: PromptVersionShape}}
    row = PromptVersionShape
    filters = {"name": text("name"), "version": text("version")}

    def rows(self):
        return PromptVersion.objects.filter(project=self.project)

    def show(self, row):
        return {
            "id": row.public_id,
            "name": row.name,
            "version": row.version,
            "hash": row.content_hash,
            "text": row.text,
            "rationale": row.rationale,
            "deployed_at": row.deployed_at,
            "created_at": row.created_at,
        }

    def post(self, request):
        names_problems = isinstance(request.data, dict) and request.data.get("problems")
        if names_problems and not request.auth.allows("triage"):
            raise PermissionDenied("A version that names problems is a fix: it takes a triage key.")
        row, is_new = prompts.announce(project=self.project, body=request.data)
        if row is None:
            raise conflict("This prompt version is there already.")
        return Response(self.show(row), status=201 if is_new else 200)


def show_interaction(row: Interaction) -> dict:
    prompt = row.prompt_version
    return {
        "id": row.external_id,
        "session_id": row.session_id,
        "occurred_at": row.occurred_at,
        "received_at": row.received_at,
        "environment": row.environment,
        "feature": row.feature,
        "model": row.model,
        "model_version": row.model_version,
        "model_parameters": row.model_parameters,
        "prompt": {"name": prompt.name, "version": prompt.version, "hash": prompt.content_hash}
        if prompt
        else None,
        "user": {"role": row.user_role, "region": row.user_region},
        "retrieval": {"index": row.retrieval_index, "version": row.retrieval_version},
        "messages": row.messages,
        "tools": row.tools,
        "output": row.output,
        "usage": {"input_tokens": row.input_tokens, "output_tokens": row.output_tokens},
        "latency_ms": row.latency_ms,
        "fallback": row.is_fallback,
        "confidence": row.confidence,
        "tags": row.tags,
        "metadata": row.metadata,
        "trace_url": row.trace_url,
        "redacted": row.redaction_counts,
    }
