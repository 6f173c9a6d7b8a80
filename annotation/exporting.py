"""Make an export: one version in one format, streamed by a worker into files with a manifest.

One version, filter and erasure epoch is the same bytes each time, on any worker. A worker holds the run on a lease; when it
dies, the sweep gives the run to another one, which goes on after the last piece that was put aside. Only a finished export
can be downloaded, and one of whose version somebody was erased in the meantime is made anew.
"""

import json
import uuid
from collections import Counter
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import export_files, export_reading, splits
from annotation.evaluation.runs import use_holdout
from annotation.export_manifest import digest_of_rows, manifest_of
from annotation.export_options import Options, read_filter
from annotation.exports import FORMATS, Case
from annotation.exports.cases import line
from annotation.models import ExportMember, ExportRun, GoldVersion, Split
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import NearDuplicateGroup
from feedbackhub.doorbell import ring

LEASE = timedelta(seconds=60)
PIECE = 100_000  # cases, after which what is written is put aside
PROVENANCE = "provenance.jsonl"


# A dead worker's session may still write the same down: the same version and filter has the same members.
NOTE_MEMBERS = """
INSERT INTO annotation_exportmember (project_id, export_id, revision_id)
SELECT %s, %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING
"""


class Cancelled(Exception):
    """Somebody cancelled the run, or another worker took it over."""


class Outdated(Exception):
    """Somebody was erased, or a split became stricter, while the run was at work: what it wrote may not be kept."""


def request_export(
    *,
    version: GoldVersion,
    format: str,
    splits=(),
    options: dict | None = None,
    by=None,
    is_left_to_a_worker=True,
) -> ExportRun:
    """Ask for an export; a worker makes it. Raises ValidationError for what may not leave.

    One that holds the holdout uses it once, as a run of the gate does, and raises HoldoutWornOut when it may not any more.
    """
    from annotation import tasks

    filter = read_filter(format_named(format), splits=splits, options=options)
    with transaction.atomic():
        if Split.HOLDOUT in filter["splits"]:
            use_holdout(version)
        run = ExportRun.objects.create(
            project=version.project,
            version=version,
            format=format,
            filter=filter,
            requested_by=by,
        )
        if is_left_to_a_worker:
            ring(tasks.make_export, export_id=run.pk)
    return run


def format_named(name: str):
    found = FORMATS.get(name)
    if found is None:
        raise ValidationError({"format": _("Choose one of: %s.") % ", ".join(FORMATS)})
    return found


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
    _unite_twins(export_id)
    run = ExportRun.objects.select_related("version", "project").get(pk=export_id)
    making = _Making(run, lease)
    try:
        return making.make()
    except Cancelled:
        return None
    except Outdated:
        _begin_anew(making)
        return None
    except SoftTimeLimitExceeded:
        _go_on_later(making)
        return None
    except Exception as error:
        is_ours = ExportRun.objects.filter(
            pk=run.pk, state="running", lease_until=making.lease
        ).update(
            state="failed",
            failure=type(error).__name__,
            finished_at=timezone.now(),
            lease_until=None,
        )
        if is_ours:
            _drop_pieces(run)
        raise


def _take(export_id):
    lease = timezone.now() + LEASE
    taken = ExportRun.objects.filter(pk=export_id, state="pending").update(
        state="running", lease_until=lease
    )
    return lease if taken else None


def _unite_twins(export_id) -> None:
    """Groups that merged, and whose news is still on its way, get their one split before anybody is let out."""
    run = ExportRun.objects.only("project", "format").get(pk=export_id)
    if not FORMATS[run.format].is_training:
        return
    split = "signatures__interaction__gold_examples__split"
    mixed = (
        NearDuplicateGroup.objects.filter(project=run.project_id, **{f"{split}__isnull": False})
        .annotate(least=Min(split), most=Max(split))
        .exclude(least=F("most"))
    )
    for group in mixed:
        splits.unite(group)


def _begin_anew(making) -> None:
    from annotation import tasks

    with transaction.atomic():
        is_ours = ExportRun.objects.filter(
            pk=making.run.pk, state="running", lease_until=making.lease
        ).update(state="pending", lease_until=None, progress_count=0)
        if is_ours:
            ring(tasks.make_export, export_id=making.run.pk)


def _go_on_later(making) -> None:
    """The worker's time is up: another go begins after the last piece that was put aside."""
    ExportRun.objects.filter(pk=making.run.pk, state="running", lease_until=making.lease).update(
        state="pending", lease_until=None
    )


class _Making:
    """One worker's go at one export."""

    def __init__(self, run, lease):
        self.run, self.lease = run, lease
        self.format = FORMATS[run.format]
        self.options = Options.of(run.filter)
        self.files = self.format.files(
            [split for split in self.format.splits if split in self.options.splits]
        )
        self.kept_back = self._kept_back()

    def _kept_back(self) -> Counter:
        return export_reading.kept_back(self.run.version, self.format, self.options)

    def _begin_at(self, checkpoint: dict) -> None:
        """Where the last piece ended, if nobody was erased or kept apart since; else at the beginning."""
        if checkpoint.get("kept_back") != self.kept_back:
            checkpoint = {}
        self.after = checkpoint.get("after", 0)
        self.done = checkpoint.get("done", 0)
        self.case_count = checkpoint.get("cases", 0)
        self.agreement, self.agreement_count = checkpoint.get("agreement", (0.0, 0))
        self.rows = Counter(checkpoint.get("rows", {}))
        self.splits = Counter(checkpoint.get("splits", {}))
        self.left_out = Counter(checkpoint.get("left_out", {}))
        self.pieces: list[list[str]] = checkpoint.get("pieces", [])

    def make(self) -> ExportRun:
        if self._epoch() != self.run.project.erasure_epoch:
            raise Outdated
        self._begin_at(self.run.checkpoint)
        names = [*self.files, PROVENANCE]
        with export_files.Spools(self.run, names, beat=self._still_here) as spools:
            self._write(spools)
            return self._keep(spools)

    def _write(self, spools):
        run, format = self.run, self.format
        members = export_reading.members(run.version, format, self.options)
        ExportRun.objects.filter(pk=run.pk).update(total_count=members.count())
        if not self.pieces:
            if run.first_done_at is None:  # nobody was given a file of it
                ExportMember.objects.filter(export=run).delete()
            for name in self.files:
                spools.write(name, format.head)
        since, taken = self.done, []
        for batch in export_reading.batches(
            members.filter(revision__example_id__gt=self.after), format, run.version
        ):
            for revision_id, _example_id, case in batch:
                case, rows = export_reading.rows_of(case, format, self.options, self.left_out)
                if rows:
                    self._write_rows(spools, case, rows)
                    taken.append(revision_id)
            self.after, self.done = batch[-1][1], self.done + len(batch)
            self._beat(taken)
            taken = []
            if self.done - since >= PIECE:
                since = self.done
                self._put_aside(spools)
        self._beat(taken)

    def _write_rows(self, spools, case, rows):
        file = self.format.file_for(case.split)
        note = line(self._provenance(case, file))
        spools.write(file, b"".join(map(self.format.spell, rows)))
        spools.write(PROVENANCE, note * len(rows))
        self.rows[file] += len(rows)
        self.splits[case.split] += len(rows)
        self.case_count += 1
        if case.agreement is not None:
            self.agreement += case.agreement
            self.agreement_count += 1

    def _provenance(self, case: Case, file: str) -> dict:
        note = {
            "example": case.example_id,
            "interaction": case.interaction_id,
            "split": case.split,
            "file": file,
        }
        return note | {"weight": case.weight} if self.options.weigh_by else note

    def _beat(self, members):
        """Write the members down, say how far we are, renew the lease; raises Cancelled when it is not ours any more."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE_MEMBERS, [self.run.project_id, self.run.pk, members])
        self._update(progress_count=self.done)

    def _update(self, **fields):
        lease = timezone.now() + LEASE
        is_ours = ExportRun.objects.filter(
            pk=self.run.pk, state="running", lease_until=self.lease
        ).update(lease_until=lease, **fields)
        if not is_ours:
            self._tidy_up()
            raise Cancelled
        self.lease = lease

    def _still_here(self):
        """Renew the lease now and then while a large file is read or sent."""
        if self.lease - timezone.now() < LEASE * 3 / 4:
            self._update()

    def _put_aside(self, spools):
        """Keep what is written, so that nobody has to begin before it again."""
        self.pieces.append(spools.put_aside())
        self._update(
            checkpoint={
                "kept_back": self.kept_back,
                "after": self.after,
                "done": self.done,
                "cases": self.case_count,
                "agreement": (self.agreement, self.agreement_count),
                "rows": self.rows,
                "splits": self.splits,
                "left_out": self.left_out,
                "pieces": self.pieces,
            }
        )

    def _tidy_up(self):
        """Of a run that was cancelled nothing stays; one that another worker has is that worker's."""
        run = ExportRun.objects.get(pk=self.run.pk)
        if run.state == ExportRun.State.CANCELLED:
            _drop_pieces(run)

    def _keep(self, spools) -> ExportRun:
        """Files into the storage under a name of this go's own, then the row says done: never half an export."""
        run = self.run
        folder = f"{export_files.home(run)}/{uuid.uuid4()}"
        files = []
        for place, name in enumerate([*self.files, PROVENANCE]):
            whole = spools.finish(name, [piece[place] for piece in self.pieces])
            count = self.rows.total() if name == PROVENANCE else self.rows[name]
            beat = self._still_here
            files.append(export_files.describe(name, whole, count, beat=beat))
            self._update()
            export_files.keep(folder, name, whole, beat=beat)
        manifest = self._manifest(folder, files)
        rows = files[: len(self.files)]
        is_ours = self._finish(
            manifest=manifest,
            digest=digest_of_rows(rows),
            size_bytes=sum(file["bytes"] for file in rows),
            row_count=self.rows.total(),
            file_name=folder,
        )
        if not is_ours:
            export_files.delete_folder(folder)
            self._tidy_up()
            raise Cancelled
        export_files.delete_folder(export_files.home(run), but=folder)  # the pieces
        run.refresh_from_db()
        return run

    def _manifest(self, folder, files) -> dict:
        """The manifest, kept as a file too, with what the format writes beside the rows."""
        manifest = manifest_of(
            self.run,
            case_count=self.case_count,
            agreement=self.agreement / self.agreement_count if self.agreement_count else None,
            splits=self.splits,
            left_out=self.left_out + self.kept_back,
            files=files,
        )
        for name, content in self.format.beside(manifest).items():
            export_files.keep(folder, name, content)
            files.append(export_files.describe(name, ContentFile(content)))
        written = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
        export_files.keep(folder, export_files.MANIFEST, written.encode())
        return manifest

    def _epoch(self) -> int:
        return Project.objects.values_list("erasure_epoch", flat=True).get(pk=self.run.project_id)

    @transaction.atomic
    def _finish(self, **fields) -> bool:
        """Say done, unless the run is not ours any more. Whoever erases locks the project first, as we do.

        Another epoch alone does no harm: what counts is whether anybody of this version was erased or kept apart.
        """
        Project.objects.select_for_update(no_key=True).get(pk=self.run.project_id)
        epoch = self.run.project.erasure_epoch
        if self._epoch() != epoch and self._kept_back() != self.kept_back:
            export_files.delete_folder(fields["file_name"])
            raise Outdated
        return bool(
            ExportRun.objects.filter(
                pk=self.run.pk, state="running", lease_until=self.lease
            ).update(
                state="done",
                erasure_epoch=epoch,
                finished_at=timezone.now(),
                first_done_at=Coalesce("first_done_at", Now()),
                lease_until=None,
                failure="",
                checkpoint={},
                **fields,
            )
        )


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
    over = ExportRun.objects.filter(
        ~Q(checkpoint={}) | Q(lease_until__lt=now),  # its worker died before it noticed
        state__in=["cancelled", "failed"],
    )
    for run in over.order_by("id")[:100]:
        _drop_pieces(run)
    return len(waiting)


def _drop_pieces(run) -> None:
    export_files.delete_folder(export_files.home(run))
    ExportRun.objects.filter(pk=run.pk).update(checkpoint={}, lease_until=None)


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
                transaction.on_commit(lambda old=old: export_files.delete_folder(old))
                ring(tasks.make_export, export_id=run.pk)
                made += 1
    return made
