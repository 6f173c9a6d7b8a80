"""Gold, versions and exports for programs."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse
from rest_framework.response import Response

from annotation import exporting, gold
from annotation.api_shapes import (
    ExportBody,
    ExportShape,
    FreezeBody,
    GoldShape,
    GoldVersionShape,
)
from annotation.exports import FORMATS
from annotation.models import ExportRun, GoldExample, GoldRevision, GoldVersion, Split
from feedbackhub import filters
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import Problem, conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView


class GoldView(ProjectListView):
    """Approved examples, newest first."""

    scopes = {"GET": "export"}
    row = GoldShape
    filters = {
        "split": filters.one_of("example__split", Split.values),
        "verdict": filters.text("labels__verdict"),
        "approved_since": filters.since("approved_at"),
    }

    def rows(self):
        return GoldRevision.objects.filter(
            project=self.project, is_current=True, erased_at=None, example__retired_at=None
        ).select_related("example__interaction")

    def show(self, row):
        return {
            "id": row.example.public_id,
            "revision": row.revision,
            "split": row.example.split,
            "is_contaminated": row.example.is_contaminated,
            "interaction_id": row.example.interaction.external_id,
            "messages": row.messages,
            "ideal_answer": row.ideal_answer,
            "rejected_answers": row.rejected_answers,
            "labels": row.labels,
            "content_hash": row.content_hash,
            "approved_at": row.approved_at,
        }


class LineageView(ProjectAPIView):
    """Where an example comes from and where it went."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: dict[str, Any]}}

    def get(self, request, public_id):
        example = (
            GoldExample.objects.filter(project=self.project, public_id=public_id, erased_at=None)
            .select_related("interaction__prompt_version")
            .first()
        )
        if example is None:
            raise not_found()
        return Response(gold.lineage(example))


class GoldVersionsView(ProjectListView):
    """Frozen versions, newest first; POST freezes the next one."""

    scopes = {"GET": "export", "POST": "export"}
    takes = {"POST": FreezeBody}
    gives = {"POST": {201: GoldVersionShape}}
    row = GoldVersionShape
    order = ("-number",)

    def rows(self):
        return GoldVersion.objects.filter(project=self.project)

    def show(self, row):
        return _version(row)

    def post(self, request):
        given = _object(request.data, {"description": str, "tags": list})
        tags = given.get("tags", [])
        if not all(isinstance(tag, str) and 0 < len(tag) <= 80 for tag in tags) or len(tags) > 20:
            raise invalid([{"field": "tags", "message": "At most 20 texts of 1 to 80 characters."}])
        try:
            version = gold.freeze_gold_version(
                project=self.project, description=given.get("description", "")[:2_000], tags=tags
            )
        except gold.NothingToFreeze as error:
            raise conflict(str(error)) from None
        return Response(_version(version), status=201)


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
        given = _object(request.data, {"version": int, "format": str, "splits": list})
        versions = GoldVersion.objects.filter(project=self.project)
        number = given.get("version")
        version = (
            versions.filter(number=number) if number is not None else versions.order_by("-number")
        ).first()
        if version is None:
            raise invalid([{"field": "version", "message": "There is no such gold version."}])
        splits = given.get("splits", [])
        if not all(isinstance(split, str) for split in splits):
            raise invalid([{"field": "splits", "message": "A list of texts."}])
        run = exporting.request_export(
            version=version, format=given.get("format", ""), splits=splits
        )
        return Response(_export(run), status=202)


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
    """The rows, or with `?part=provenance` what each row is, line for line. Streamed."""

    scopes = {"GET": "export"}
    gives = {"GET": {(200, "application/x-ndjson"): str}}

    def get(self, request, public_id):
        part = request.query_params.get("part", "rows")
        if part not in ("rows", "provenance"):
            raise invalid([{"field": "part", "message": "One of rows, provenance."}])
        return export_file(_finished(self.project, public_id), part)


def export_file(run: ExportRun, part: str) -> FileResponse:
    """The file of a finished run, as an attachment under a name that we made."""
    suffix = "" if part == "rows" else f".{part}"
    return FileResponse(
        default_storage.open(f"{run.file_name}/{part}.jsonl"),
        as_attachment=True,
        filename=f"{run.project.slug}-gold-v{run.version.number}-{run.format}{suffix}.jsonl",
        content_type="application/x-ndjson",
    )


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


def _version(row) -> dict:
    return {
        "number": row.number,
        "digest": row.digest,
        "previous_digests": row.previous_digests,
        "erasure_epoch": row.erasure_epoch,
        "examples": row.example_count,
        "description": row.description,
        "tags": row.tags,
        "created_at": row.created_at,
    }


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


def _object(given, fields: dict[str, type]) -> dict:
    """A JSON object with nothing but these fields, each of its type."""
    if not isinstance(given, dict):
        raise invalid([{"field": "", "message": "Send a JSON object."}])
    errors = [
        {"field": name[:80], "message": f"There is no such field. Known: {', '.join(fields)}."}
        for name in given
        if name not in fields
    ]
    kinds = {str: "text", int: "a whole number", list: "a list"}
    for name, kind in fields.items():
        value = given.get(name)
        if name in given and (not isinstance(value, kind) or isinstance(value, bool)):
            errors.append({"field": name, "message": f"Send {kinds[kind]}."})
    if isinstance(given.get("version"), int) and not 0 < given["version"] < 2**31:
        errors.append({"field": "version", "message": "There is no such gold version."})
    if errors:
        raise invalid(errors)
    return given
