"""The files of a finished export: as an attachment under a name that we made, or by a signed link that soon ends.

A file is named by its part (rows, provenance, folder), never by a name from outside. The folder is one ZIP of everything.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotation import export_files
from annotation.exports import FORMATS
from annotation.models import ExportRun

PARTS = ("rows", "provenance", "folder")
SALT = "export link"
LINK_LASTS = timedelta(minutes=5)
_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
}


def part_of(run: ExportRun, part: str) -> tuple[str | None, str]:
    """(name in the run's folder, name for whom it goes to); the folder has no name: it is made while it is read.

    Rows that fill several files go as the folder.
    """
    stem = f"{run.project.slug}-gold-v{run.version.number}-{run.format}"
    if part == "provenance":
        return "provenance.jsonl", f"{stem}.provenance.jsonl"
    names = FORMATS[run.format].files(run.filter["splits"])
    if part == "folder" or len(names) > 1 or "/" in names[0]:
        return None, f"{stem}.zip"
    return names[0], f"{stem}.{names[0].rpartition('.')[2]}"


def export_file(run: ExportRun, part: str) -> HttpResponse:
    """The part of a finished run, streamed."""
    inside, given = part_of(run, part)
    kind = _TYPES[given.rpartition(".")[2]]
    if inside is None:
        names = [export_files.MANIFEST, *(file["name"] for file in run.manifest["files"])]
        return StreamingHttpResponse(
            export_files.zipped(run.file_name, names),
            content_type=kind,
            headers={"Content-Disposition": f'attachment; filename="{given}"'},
        )
    return FileResponse(
        default_storage.open(f"{run.file_name}/{inside}"),
        as_attachment=True,
        filename=given,
        content_type=kind,
    )


def signed_link(run: ExportRun, part: str) -> tuple[str, datetime]:
    """An address that gives this part to whoever holds it, for five minutes; and when it ends.

    A storage that signs addresses itself (S3) serves the file itself.
    """
    ends_at = timezone.now() + LINK_LASTS
    inside, given = part_of(run, part)
    if inside and getattr(default_storage, "querystring_auth", False):
        address = default_storage.url(
            f"{run.file_name}/{inside}",
            parameters={"ResponseContentDisposition": f'attachment; filename="{given}"'},
            expire=int(LINK_LASTS.total_seconds()),
        )
        return address, ends_at
    token = signing.dumps([str(run.public_id), part, run.digest], salt=SALT)
    return settings.BASE_URL + reverse("export_linked", args=[token]), ends_at


@require_safe
def linked(request, token):
    """The file of a signed link; 404 when it ended, was forged, or the export was made again since."""
    try:
        public_id, part, digest = signing.loads(token, salt=SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        raise Http404 from None
    run = (
        ExportRun.objects.filter(public_id=public_id, digest=digest, state=ExportRun.State.DONE)
        .select_related("project", "version")
        .first()
    )
    if run is None:
        raise Http404
    answer = export_file(run, part)
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
