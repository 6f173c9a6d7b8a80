import json
import uuid
from pathlib import Path

from django.core.files.storage import default_storage
from django.core.management.base import CommandError

from annotation.export_files import MANIFEST
from annotation.export_verifying import NotAnExport, verify_export
from annotation.models import ExportRun
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Hold an export against its manifest: digests, counts, no holdout where it trains, and what happened since. "
        "Prints what was found as JSON; exit code 1 when something is wrong."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "export", metavar="FOLDER_OR_ID", help="a folder with a manifest.json, or a run's id"
        )

    def run(self, *, export, **options):
        folder = Path(export)
        try:
            found = _folder(folder) if folder.is_dir() else _run(export)
        except NotAnExport as error:
            raise CommandError(str(error)) from None
        if found["faults"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            raise CommandError(" ".join(found["faults"]))
        return found


def _folder(folder: Path) -> dict:
    names = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return verify_export(open_file=lambda name: (folder / name).open("rb"), names=names)


def _run(word: str) -> dict:
    try:
        run = ExportRun.objects.filter(public_id=uuid.UUID(word)).first()
    except ValueError:
        run = None
    if run is None:
        raise CommandError(f"There is neither a folder nor an export {word!r}.")
    if run.state != ExportRun.State.DONE:
        raise CommandError(f"This export is {run.get_state_display().lower()}.")
    names = {MANIFEST, *(file["name"] for file in run.manifest["files"])}
    names = {name for name in names if default_storage.exists(f"{run.file_name}/{name}")}
    return verify_export(
        open_file=lambda name: default_storage.open(f"{run.file_name}/{name}"), names=names, run=run
    )
