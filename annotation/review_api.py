"""What waits, what was said and what is settled, for programs; and flagging an answer by hand."""

from django.db.models import Prefetch, Q
from rest_framework.response import Response

from annotation import intake
from annotation.api_shapes import AnnotationShape, FlagBody, ReviewItemShape, SettlementShape
from annotation.models import (
    Annotation,
    CandidateAnswer,
    ReviewItem,
    ReviewQueue,
    Settlement,
    Verdict,
)
from annotation.schema_history import category_filter
from feedbackhub import filters
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import invalid, not_found
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity

LONGEST_REASON = 200
HIGHEST_PRIORITY = 1_000
_FIELDS = {"interaction_id": str, "queue": str, "reason": str, "priority": int}
_KINDS = {str: "text", int: "a whole number"}


class ReviewItemsView(ProjectListView):
    """The items, newest first; POST flags an interaction by hand: 201, or 200 when it is in that queue already."""

    scopes = {"GET": "review", "POST": "review"}
    takes = {"POST": FlagBody}
    gives = {"POST": {201: ReviewItemShape, 200: ReviewItemShape}}
    row = ReviewItemShape
    filters = {
        "state": filters.one_of("state", ReviewItem.State.values),
        "queue": filters.text("queue__slug"),
        "interaction_id": filters.text("interaction__external_id"),
        "created_since": filters.since("created_at"),
    }

    def rows(self):
        return ReviewItem.objects.for_project(self.project).select_related("queue", "interaction")

    def show(self, row):
        return {
            "id": row.public_id,
            "interaction_id": row.interaction.external_id,
            "queue": row.queue.slug,
            "state": row.state,
            "purpose": row.purpose,
            "round": row.round,
            "reason": row.reason,
            "priority": row.priority,
            "overlap": row.overlap,
            "taken_count": row.taken_count,
            "needs_discussion": row.needs_discussion,
            "due_at": row.due_at,
            "settled_at": row.settled_at,
            "created_at": row.created_at,
        }

    def post(self, request):
        given = _read(request.data)
        interaction = (
            Interaction.objects.kept()
            .for_project(self.project)
            .filter(external_id=given["interaction_id"])
            .first()
        )
        if interaction is None:
            raise not_found()
        queues = ReviewQueue.objects.for_project(self.project)
        queue = (
            queues.filter(slug=given["queue"]).first()
            if "queue" in given
            else queues.filter(is_open=True).order_by("pk").first()
        )
        if queue is None:
            raise invalid([{"field": "queue", "message": "There is no such queue."}])
        item = intake.flag_interaction(
            interaction=interaction,
            queue=queue,
            reason=given.get("reason", ""),
            priority=given.get("priority", 0),
        )
        return Response(self.show(item), status=201 if item.is_new else 200)


class AnnotationsView(ProjectListView):
    """What experts said, newest first: the judgements that count, or `current=no` for those revised or taken back."""

    scopes = {"GET": "review"}
    row = AnnotationShape
    filters = {
        "verdict": filters.one_of("verdict", Verdict.values),
        "severity": filters.one_of("severity", Severity.values),
        "category": filters.text("categories"),
        "queue": filters.text("item__queue__slug"),
        "item": filters.public_id("item__public_id"),
        "interaction_id": filters.text("item__interaction__external_id"),
        "current": filters.yes_no(Q(is_current=True)),
        "created_since": filters.since("created_at"),
    }

    def filters_now(self):
        """What was merged is found under what it was merged into."""
        return {**self.filters, "category": category_filter(self.project)}

    def rows(self):
        rows = Annotation.objects.filter(
            project=self.project, item__purpose=ReviewItem.Purpose.LABEL
        )
        if "current" not in self.request.query_params:
            rows = rows.current()
        return rows.select_related(
            "item__interaction", "item__queue", "schema", "expert", "applied_with"
        ).prefetch_related(
            "spans",
            Prefetch("candidates", queryset=CandidateAnswer.objects.order_by("-revision")),
        )

    def show(self, row):
        corrections = list(row.candidates.all())
        return {
            "id": row.public_id,
            "item_id": row.item.public_id,
            "interaction_id": row.item.interaction.external_id,
            "queue": row.item.queue.slug,
            "expert": {"id": row.expert.public_id, "name": row.expert.name},
            "schema": {"name": row.schema.name, "version": row.schema.version},
            "revision": row.revision,
            "is_current": row.is_current,
            "verdict": row.verdict,
            "severity": row.severity,
            "categories": row.categories,
            "root_cause": row.root_cause,
            "rubric_scores": row.rubric_scores,
            "ratings": row.ratings,
            "imported_from": row.imported_from,
            "note": row.note,
            "confidence": row.confidence,
            "seconds_spent": row.seconds_spent,
            "spans": [
                {
                    "field": span.field,
                    "start": span.start,
                    "end": span.end,
                    "quote": span.quote,
                    "label": span.label,
                    "note": span.note,
                }
                for span in row.spans.all()
            ],
            "correction": corrections[0].text if corrections else None,
            "applied_with": row.applied_with.public_id if row.applied_with else None,
            "created_at": row.created_at,
            "final_at": row.final_at,
            "taken_back_at": row.taken_back_at,
        }


class SettlementsView(ProjectListView):
    """What the house holds to be true, newest first: one per interaction and schema."""

    scopes = {"GET": "review"}
    row = SettlementShape
    filters = {
        "verdict": filters.one_of("verdict", Verdict.values),
        "severity": filters.one_of("severity", Severity.values),
        "decided_how": filters.one_of("decided_how", Settlement.DecidedHow.values),
        "interaction_id": filters.text("interaction__external_id"),
        "created_since": filters.since("created_at"),
    }

    def rows(self):
        return Settlement.objects.filter(project=self.project, is_current=True).select_related(
            "interaction", "item", "schema", "chosen_answer"
        )

    def show(self, row):
        return {
            "id": row.public_id,
            "item_id": row.item.public_id,
            "interaction_id": row.interaction.external_id,
            "schema": {"name": row.schema.name, "version": row.schema.version},
            "decided_how": row.decided_how,
            "reason": row.reason,
            "verdict": row.verdict,
            "severity": row.severity,
            "categories": row.categories,
            "root_cause": row.root_cause,
            "rubric_scores": row.rubric_scores,
            "spans": row.spans,
            "chosen_answer": row.chosen_answer.text if row.chosen_answer else None,
            "annotation_count": row.annotation_count,
            "agreement": row.agreement,
            "created_at": row.created_at,
            "takes_effect_at": row.takes_effect_at,
        }


def _read(given) -> dict:
    """A JSON object with nothing but the known fields, each of its type and size."""
    if not isinstance(given, dict):
        raise invalid([{"field": "", "message": "Send a JSON object."}])
    known = ", ".join(_FIELDS)
    errors = [
        {"field": name[:80], "message": f"There is no such field. Known: {known}."}
        for name in given
        if name not in _FIELDS
    ]
    for name, kind in _FIELDS.items():
        value = given.get(name)
        if name in given and (not isinstance(value, kind) or isinstance(value, bool)):
            errors.append({"field": name, "message": f"Send {_KINDS[kind]}."})
        elif isinstance(value, str) and len(value) > LONGEST_REASON:
            errors.append({"field": name, "message": f"At most {LONGEST_REASON} characters."})
        elif isinstance(value, int) and not 0 <= value <= HIGHEST_PRIORITY:
            errors.append({"field": name, "message": f"From 0 to {HIGHEST_PRIORITY}."})
    if not given.get("interaction_id"):
        errors.append({"field": "interaction_id", "message": "Which interaction? Send its id."})
    if errors:
        raise invalid(errors)
    return given
