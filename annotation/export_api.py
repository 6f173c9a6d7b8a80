"""Exports for programs: start, preview, watch, cancel, verify, take away."""

from typing import Any

from rest_framework.response import Response

from annotation import exporting
from annotation.api_shapes import ExportBody, ExportLinkShape, ExportPreviewShape, ExportShape
from annotation.evaluation.runs import HoldoutWornOut
from annotation.export_downloads import PARTS, export_file, signed_link
from annotation.export_options import READERS
from annotation.export_preview import preview_export
from annotation.exports import FORMATS
from annotation.gold_api import read_object
from annotation.models import ExportRun, GoldVersion
from feedbackhub import filters
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import Problem, conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView


class ExportsView(ProjectListView):
    """Export runs, newest first; POST starts one, a worker makes it."""

    scopes = {"GET": "export", "POST": "export"}
    takes = {"POST": ExportBody}
    gives = {"POST": {202: ExportShape}}
    row = ExportShape
    filters = {
        "format": filters.one_of("format", FORMATS),
        "state": filters.one_of("state", ExportRun.State.values),
    }

    def rows(self):
        return ExportRun.objects.filter(project=self.project).select_related("version")

    def show(self, row):
        return _export(row)

    def post(self, request):
        try:
            run = exporting.request_export(**_asked_for(self.project, request.data))
        except HoldoutWornOut as refusal:
            raise conflict(str(refusal)) from None
        return Response(_export(run), status=202)


class ExportPreviewView(ProjectAPIView):
    """What an export with this body would hold and leave out, and why; nothing is written."""

    scopes = {"POST": "export"}
    takes = {"POST": ExportBody}
    gives = {"POST": {200: ExportPreviewShape}}

    def post(self, request):
        return Response(preview_export(**_asked_for(self.project, request.data)))


class ExportView(ProjectAPIView):
    """One export run."""

    scopes = {"GET": "export", "DELETE": "export"}
    gives = {"GET": {200: ExportShape}, "DELETE": {200: ExportShape}}

    def get(self, request, public_id):
        return Response(_export(_run(self.project, public_id)))

    def delete(self, request, public_id):
        """Cancel a run that is waiting or at work."""
        return Response(_export(exporting.cancel_export(run=_run(self.project, public_id))))


class ExportManifestView(ProjectAPIView):
    """What a finished export holds, and what it left out and why."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: dict[str, Any]}}

    def get(self, request, public_id):
        return Response(_finished(self.project, public_id).manifest)


class ExportFileView(ProjectAPIView):
    """The rows; with `?part=provenance` what each row is, line for line; with `?part=folder` all as a ZIP. Streamed."""

    scopes = {"GET": "export"}
    gives = {"GET": {(200, "application/x-ndjson"): str}}

    def get(self, request, public_id):
        return export_file(_finished(self.project, public_id), _part(request))


class ExportLinkView(ProjectAPIView):
    """An address that gives a part of a finished export to whoever holds it, for five minutes."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: ExportLinkShape}}

    def get(self, request, public_id):
        url, expires_at = signed_link(_finished(self.project, public_id), _part(request))
        return Response({"url": url, "expires_at": expires_at})


def _part(request) -> str:
    part = request.query_params.get("part", "rows")
    if part not in PARTS:
        raise invalid([{"field": "part", "message": f"One of {', '.join(PARTS)}."}])
    return part


def _asked_for(project, body) -> dict:
    """What an export or its preview is asked for with; the options are read where they are known."""
    given = read_object(
        body,
        {"version": int, "format": str, "splits": list, **dict.fromkeys(READERS)},
    )
    versions = GoldVersion.objects.filter(project=project)
    number = given.get("version")
    version = (
        versions.filter(number=number) if number is not None else versions.order_by("-number")
    ).first()
    if version is None:
        raise invalid([{"field": "version", "message": "There is no such gold version."}])
    splits = given.get("splits", [])
    if not all(isinstance(split, str) for split in splits):
        raise invalid([{"field": "splits", "message": "A list of texts."}])
    return {
        "version": version,
        "format": given.get("format", ""),
        "splits": splits,
        "options": {name: given[name] for name in READERS if name in given},
    }


def _run(project, public_id) -> ExportRun:
    run = (
        ExportRun.objects.filter(project=project, public_id=public_id)
        .select_related("version", "project")
        .first()
    )
    if run is None:
        raise not_found()
    return run


def _finished(project, public_id) -> ExportRun:
    run = _run(project, public_id)
    if run.state != ExportRun.State.DONE:
        raise Problem(409, f"This export is {run.get_state_display().lower()}.", state=run.state)
    return run


def _export(row) -> dict:
    return {
        "id": row.public_id,
        "version": row.version.number,
        "format": row.format,
        "filter": row.filter,
        "state": row.state,
        "progress": row.progress_count,
        "total": row.total_count,
        "rows": row.row_count,
        "bytes": row.size_bytes,
        "sha256": row.digest,
        "failure": row.failure,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }
