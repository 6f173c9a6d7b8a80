"""The gate for programs: the cases to answer, a candidate's answers in, the verdict out."""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from annotation.api_shapes import (
    CaseShape,
    EvalResultShape,
    EvaluationBody,
    EvaluationRowShape,
    EvaluationShape,
    HoldoutShape,
)
from annotation.evaluation import runs
from annotation.models import EvalResult, EvalRun, GoldVersion, Split
from annotation.refusals import InvalidAnswer
from feedbackhub import filters
from feedbackhub.api import bodies, strict_json
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView

FIELDS = {"split", "candidate", "results", "note", "versions"}


class BigJSONParser(BaseParser):
    """A run's answers in one document of up to 16 MB."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        request = parser_context["request"]._request
        body = bodies.read_body(request, limit=bodies.BATCH_LIMIT)
        return strict_json.parse(body.raw, max_keys=4 * runs.MOST_RESULTS)


class CasesView(ProjectListView):
    """The questions of one split of a version, for a candidate to answer; `?split=`, validation unless told otherwise.

    The ideal answers are not in it: whoever answers must not see them.
    """

    scopes = {"GET": "export"}
    row = CaseShape
    filters = {"split": filters.one_of("split", Split.values)}
    order = ("id",)

    def rows(self):
        version = _version(self.project, self.kwargs["number"])
        members = runs.still_of_their_split(version)
        if "split" not in self.request.query_params:
            members = members.filter(split=Split.VALIDATION)
        return members.select_related("revision__example")

    def show(self, row):
        return {
            "id": row.revision.example.public_id,
            "split": row.split,
            "messages": row.revision.messages,
            "tools": row.revision.tools,
            "context": row.revision.context,
        }


class HoldoutView(ProjectAPIView):
    """How often the holdout of a version may still be used; its cases count in whichever version they were."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: HoldoutShape}}

    def get(self, request, number):
        version = _version(self.project, number)
        used, uses = runs.holdout_used(version), runs.rules_of(self.project).holdout_uses
        return Response(
            {
                "version": version.number,
                "holdout_uses": uses,
                "holdout_used": used,
                "holdout_left": max(0, uses - used),
            }
        )


class EvaluateView(ProjectAPIView):
    """Hold a candidate's answers against one split of a version; a worker assesses them."""

    scopes = {"POST": "export"}
    takes = {"POST": EvaluationBody}
    gives = {"POST": {202: EvaluationShape}}
    parser_classes = (BigJSONParser,)

    def post(self, request, number):
        version = _version(self.project, number)
        given = _body(request.data)
        try:
            run = runs.request_evaluation(version=version, **given)
        except InvalidAnswer as refusal:
            raise invalid(
                [{"field": name, "message": said} for name, said in refusal.errors.items()]
            ) from None
        except runs.HoldoutWornOut as refusal:
            raise conflict(str(refusal)) from None
        return Response(_evaluation(run), status=202)


class EvaluationsView(ProjectListView):
    """Runs of the gate, newest first."""

    scopes = {"GET": "export"}
    row = EvaluationRowShape
    filters = {
        "split": filters.one_of("split", Split.values),
        "state": filters.one_of("state", EvalRun.State.values),
        "candidate": filters.text("candidate"),
    }

    def rows(self):
        return EvalRun.objects.filter(project=self.project).select_related("version")

    def show(self, row):
        return _row(row)


class EvaluationView(ProjectAPIView):
    """One run with its summary."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: EvaluationShape}}

    def get(self, request, public_id):
        return Response(_evaluation(_run(self.project, public_id)))


class EvaluationResultsView(ProjectListView):
    """A run's answers with what was checked; `?passed=no` for those that failed."""

    scopes = {"GET": "export"}
    row = EvalResultShape
    filters = {"passed": filters.yes_no(Q(passed=True))}
    order = ("id",)

    def rows(self):
        run = _run(self.project, self.kwargs["public_id"])
        return EvalResult.objects.filter(run=run).select_related("revision__example")

    def show(self, row):
        return {
            "id": row.revision.example.public_id,
            "attempt": row.attempt,
            "passed": row.passed,
            "output": row.output,
            "likeness": row.likeness,
            "checks": row.checks,
        }


def _version(project, number) -> GoldVersion:
    versions = GoldVersion.objects.filter(project=project)
    version = versions.filter(number=number).first() if number < 2**31 else None
    if version is None:
        raise not_found()
    return version


def _run(project, public_id) -> EvalRun:
    run = (
        EvalRun.objects.filter(project=project, public_id=public_id)
        .select_related("version", "baseline", "overridden_by", "project")
        .first()
    )
    if run is None:
        raise not_found()
    return run


def _body(given) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid([{"field": "", "message": "Send a JSON object."}])
    errors = [
        {
            "field": name[:80],
            "message": f"There is no such field. Known: {', '.join(sorted(FIELDS))}.",
        }
        for name in given
        if name not in FIELDS
    ]
    if not isinstance(given.get("note", ""), str):
        errors.append({"field": "note", "message": "Send text."})
    versions = given.get("versions", [])
    if not isinstance(versions, list) or not all(isinstance(each, str) for each in versions):
        errors.append({"field": "versions", "message": "Send a list of texts."})
    if errors:
        raise invalid(errors)
    return {
        "split": given.get("split", Split.VALIDATION),
        "candidate": given.get("candidate"),
        "results": given.get("results"),
        "note": given.get("note", ""),
        "versions": versions,
    }


def _row(run) -> dict:
    return {
        "id": run.public_id,
        "version": run.version.number,
        "split": run.split,
        "candidate": run.candidate,
        "state": run.state,
        "progress": run.progress_count,
        "total": run.total_count,
        "passed": run.passed,
        "is_accepted": run.is_accepted,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
    }


def _evaluation(run) -> dict:
    page = reverse("evaluation", args=[run.project.slug, run.public_id])
    return {
        **_row(run),
        "url": f"{settings.BASE_URL}{page}",
        "note": run.note,
        "versions": run.versions,
        "rules": run.rules,
        "baseline": run.baseline.public_id if run.baseline else None,
        "summary": run.summary,
        "failure": run.failure,
        "override_reason": run.override_reason,
        "overridden_by": str(run.overridden_by) if run.overridden_by else None,
    }
