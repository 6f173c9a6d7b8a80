"""Make an export: one version in one format, streamed by a worker into a file with a manifest.

One version, filter and erasure epoch is the same bytes each time, on any worker. A worker holds the run on a lease; when it
dies, the sweep gives the run to another one, which starts afresh. Only a finished export can be downloaded.
"""

import hashlib
import tempfile
import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Avg, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.exports import FORMATS, Case, LeftOut
from annotation.exports.cases import line
from annotation.models import ExportMember, ExportRun, GoldVersion, GoldVersionMember
from annotation.splits import DESCRIPTION as SPLITTER
from feedbackhub import redaction
from feedbackhub.doorbell import ring

LEASE = timedelta(seconds=60)
BATCH = 1_000
LICENCE = (
    "The contents are your project's own. Check that your users' terms allow training on them."
)


# A dead worker's session may still write the same down: the same version and filter has the same members.
NOTE_MEMBERS = """
INSERT INTO annotation_exportmember (project_id, export_id, revision_id)
SELECT %s, %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING
"""


class Cancelled(Exception):
    """Somebody cancelled the run, or another worker took it over."""


def request_export(
    *, version: GoldVersion, format: str, splits=(), by=None, is_left_to_a_worker=True
) -> ExportRun:
    """Ask for an export; a worker makes it. Raises ValidationError for what may not leave."""
    from annotation import tasks

    found = FORMATS.get(format)
    if found is None:
        raise ValidationError({"format": _("Choose one of: %s.") % ", ".join(FORMATS)})
    splits = sorted(set(splits)) or list(found.splits)
    forbidden = [split for split in splits if split not in found.splits]
    if forbidden:
        raise ValidationError(
            {
                "splits": _("%(split)s may not leave in a training export.")
                % {"split": forbidden[0]}
                if forbidden[0] == "holdout"
                else _("There is no split %(split)s.") % {"split": forbidden[0]}
            }
        )
    with transaction.atomic():
        run = ExportRun.objects.create(
            project=version.project,
            version=version,
            format=format,
            filter={"splits": splits},
            requested_by=by,
        )
        if is_left_to_a_worker:
            ring(tasks.make_export, export_id=run.pk)
    return run


def cancel_export(*, run: ExportRun) -> ExportRun:
    """Stop an export that is waiting or running; its worker notices within a batch."""
    ExportRun.objects.filter(pk=run.pk, state__in=["pending", "running"]).update(
        state="cancelled", finished_at=timezone.now()
    )
    run.refresh_from_db()
    return run


def make_export(*, export_id: int) -> ExportRun | None:
    """Make a pending export; None when somebody else has it or it is finished."""
    lease = _take(export_id)
    if lease is None:
        return None
    run = ExportRun.objects.select_related("version", "project").get(pk=export_id)
    making = _Making(run, lease)
    try:
        return making.make()
    except Cancelled:
        return None
    except Exception as error:
        ExportRun.objects.filter(pk=run.pk, state="running", lease_until=making.lease).update(
            state="failed",
            failure=type(error).__name__,
            finished_at=timezone.now(),
            lease_until=None,
        )
        raise


def _take(export_id):
    lease = timezone.now() + LEASE
    taken = ExportRun.objects.filter(pk=export_id, state="pending").update(
        state="running", lease_until=lease, progress_count=0
    )
    return lease if taken else None


class _Making:
    """One worker's go at one export."""

    def __init__(self, run, lease):
        self.run, self.lease = run, lease
        self.format = FORMATS[run.format]
        self.left_out: dict[str, int] = {}
        self.splits: dict[str, int] = {}

    def make(self) -> ExportRun:
        with tempfile.TemporaryFile() as rows, tempfile.TemporaryFile() as provenance:
            self._write(rows, provenance)
            return self._keep(rows, provenance)

    def _members(self):
        """The version's cases in order. The holdout is dropped here for every training format, whatever was asked."""
        splits = [split for split in self.run.filter["splits"] if split in self.format.splits]
        members = GoldVersionMember.objects.filter(
            version=self.run.version, split__in=splits, revision__erased_at=None
        )
        if self.format.is_training:
            members = members.filter(
                # an example's split may have become stricter since this version was frozen
                revision__example__split__in=self.format.splits,
                revision__example__is_contaminated=False,
            )
        return members.order_by("revision__example_id")

    def _write(self, rows, provenance):
        run = self.run
        total = self._members().count()
        ExportRun.objects.filter(pk=run.pk).update(total_count=total)
        ExportMember.objects.filter(export=run).delete()
        members, done = [], 0
        for revision_id, case in self._cases():
            done += 1
            try:
                rows.write(line(self.format.row(case)))
            except LeftOut as reason:
                self.left_out[str(reason)] = self.left_out.get(str(reason), 0) + 1
            else:
                provenance.write(line(_provenance(case)))
                self.splits[case.split] = self.splits.get(case.split, 0) + 1
                members.append(revision_id)
            if done % BATCH == 0:
                self._beat(done, members)
                members = []
        self._beat(done, members)

    def _cases(self):
        fields = (
            "revision_id",
            "revision__example__public_id",
            "revision__example__interaction__external_id",
            "split",
            "revision__messages",
            "revision__context",
            "revision__ideal_answer",
            "revision__rejected_answers",
            "revision__labels",
            "revision__assertions",
        )
        for revision_id, public_id, *rest in (
            self._members().values_list(*fields).iterator(chunk_size=BATCH)
        ):
            yield revision_id, Case(str(public_id), *rest)

    def _beat(self, done, members):
        """Write the members down, say how far we are, renew the lease; raises Cancelled when it is not ours any more."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE_MEMBERS, [self.run.project_id, self.run.pk, members])
        lease = timezone.now() + LEASE
        is_ours = ExportRun.objects.filter(
            pk=self.run.pk, state="running", lease_until=self.lease
        ).update(progress_count=done, lease_until=lease)
        if not is_ours:
            raise Cancelled
        self.lease = lease

    def _keep(self, rows, provenance) -> ExportRun:
        """Files into the storage under a name of this go's own, then the row says done: never half an export."""
        run = self.run
        files = [_describe("rows.jsonl", rows), _describe("provenance.jsonl", provenance)]
        manifest = self._manifest(files)
        folder = f"exports/{run.public_id}/{uuid.uuid4()}"
        for (name, handle), facts in zip(
            [("rows.jsonl", rows), ("provenance.jsonl", provenance)], files, strict=True
        ):
            handle.seek(0)
            saved = default_storage.save(f"{folder}/{name}", File(handle))
            assert saved == f"{folder}/{name}", facts  # noqa: S101 (the folder is new)
        is_ours = ExportRun.objects.filter(
            pk=run.pk, state="running", lease_until=self.lease
        ).update(
            state="done",
            manifest=manifest,
            digest=files[0]["sha256"],
            size_bytes=files[0]["bytes"],
            row_count=files[0]["rows"],
            file_name=folder,
            erasure_epoch=run.project.erasure_epoch,
            finished_at=timezone.now(),
            lease_until=None,
            failure="",
        )
        if not is_ours:
            delete_files(folder)
            raise Cancelled
        run.refresh_from_db()
        return run

    def _manifest(self, files) -> dict:
        run, version = self.run, self.run.version
        facts = GoldVersionMember.objects.filter(version=version).aggregate(
            agreement=Avg("revision__settlement__agreement")
        )
        schemas = (
            GoldVersionMember.objects.filter(version=version)
            .values_list(
                "revision__settlement__schema__name", "revision__settlement__schema__version"
            )
            .distinct()
            .order_by("revision__settlement__schema__name", "revision__settlement__schema__version")
        )
        return {
            "format": run.format,
            "project": run.project.slug,
            "gold_version": version.number,
            "gold_digest": version.digest,
            "gold_predecessors": version.previous_digests,
            "erasure_epoch": run.project.erasure_epoch,
            "filter": run.filter,
            "rows": files[0]["rows"],
            "rows_by_split": dict(sorted(self.splits.items())),
            "left_out": dict(sorted(self.left_out.items())),
            "label_schemas": [f"{name} v{number}" for name, number in schemas],
            "redaction": redaction.VERSION,
            "splitter": SPLITTER,
            "agreement": round(facts["agreement"], 4) if facts["agreement"] is not None else None,
            "licence": LICENCE,
            "files": files,
        }


def _provenance(case: Case) -> dict:
    return {"example": case.example_id, "interaction": case.interaction_id, "split": case.split}


def _describe(name, handle) -> dict:
    """Name, rows, bytes and SHA-256 of a file just written."""
    handle.flush()
    handle.seek(0)
    sha, size, rows = hashlib.sha256(), 0, 0
    while chunk := handle.read(1 << 20):
        sha.update(chunk)
        size += len(chunk)
        rows += chunk.count(b"\n")
    return {"name": name, "rows": rows, "bytes": size, "sha256": sha.hexdigest()}


def delete_files(folder: str) -> None:
    for name in ("rows.jsonl", "provenance.jsonl"):
        default_storage.delete(f"{folder}/{name}")


# --- after a dead worker, and after an erasure ----------------------------------------------------


def take_back_abandoned() -> int:
    """Runs whose worker died go back to the queue, and forgotten ones get their bell rung; answers how many."""
    from annotation import tasks

    now = timezone.now()
    ExportRun.objects.filter(state="running", lease_until__lt=now).update(
        state="pending", lease_until=None
    )
    waiting = list(
        ExportRun.objects.filter(Q(state="pending"), created_at__lt=now - timedelta(seconds=20))
        .order_by("id")
        .values_list("pk", flat=True)[:100]
    )
    for export_id in waiting:
        ring(tasks.make_export, export_id=export_id)
    return len(waiting)


def make_again(*, runs) -> int:
    """Write finished exports anew, because somebody in them was erased: the old file goes at once."""
    from annotation import tasks

    made = 0
    for run in runs:
        old = run.file_name
        with transaction.atomic():
            moved = ExportRun.objects.filter(pk=run.pk, state="done").update(
                state="pending", digest="", file_name="", manifest={}, finished_at=None
            )
            if moved:
                transaction.on_commit(lambda old=old: delete_files(old))
                ring(tasks.make_export, export_id=run.pk)
                made += 1
    return made
