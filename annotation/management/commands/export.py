import shutil
from pathlib import Path

from django.core.files.storage import default_storage
from django.core.management.base import CommandError

from annotation.evaluation.runs import HoldoutWornOut
from annotation.export_downloads import part_of
from annotation.export_files import MANIFEST
from annotation.export_options import WEIGHTS
from annotation.export_preview import preview_export
from annotation.exporting import make_export, request_export
from annotation.exports import FORMATS
from annotation.models import GoldVersion, Split
from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.capture.vocabulary import Severity

OPTIONS = ("max_characters", "max_similarity", "min_severity", "min_agreement", "weigh_by")


class Command(OperatorCommand):
    help = "Export a gold version here and now, without a worker; prints the manifest as JSON."

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument("--gold-version", type=int, help="its number (default: the newest)")
        parser.add_argument("--format", required=True, choices=list(FORMATS))
        parser.add_argument(
            "--split", action="append", default=[], choices=Split.values, help="may be repeated"
        )
        parser.add_argument("--max-characters", type=int, help="of messages and the longer answer")
        parser.add_argument("--max-similarity", type=float, help="of chosen and rejected, 0 to 1")
        parser.add_argument("--min-severity", choices=Severity.values)
        parser.add_argument("--min-agreement", type=float, help="share of the experts, 0 to 1")
        parser.add_argument(
            "--weigh-by", action="append", choices=WEIGHTS, help="may be repeated; in provenance"
        )
        parser.add_argument(
            "--preview", action="store_true", help="only count what would leave, and what not"
        )
        parser.add_argument("--out", help="also write the rows to this file")
        parser.add_argument("--folder", help="also write all files to this folder")

    def run(self, *, project, gold_version, format, split, out, folder, preview, **options):
        project = self.find_project(project)
        versions = GoldVersion.objects.filter(project=project).order_by("-number")
        version = (versions.filter(number=gold_version) if gold_version else versions).first()
        if version is None:
            raise CommandError("There is no such gold version. `manage.py freeze_gold` makes one.")
        asked_for = {
            "version": version,
            "format": format,
            "splits": split,
            "options": {name: options[name] for name in OPTIONS},
        }
        if preview:
            return preview_export(**asked_for, is_whole=True)
        try:
            run = request_export(**asked_for, is_left_to_a_worker=False)
        except HoldoutWornOut as refusal:
            raise CommandError(str(refusal)) from None
        run = make_export(export_id=run.pk) or run
        run.refresh_from_db()
        if run.state != "done":
            raise CommandError(f"The export is {run.state}: {run.failure or 'a worker has it'}.")
        if out:
            rows, _given = part_of(run, "rows")
            if rows is None:
                raise CommandError("This format is a folder: say --folder instead of --out.")
            _copy(run, rows, Path(out))
        if folder:
            for name in [MANIFEST, *(file["name"] for file in run.manifest["files"])]:
                _copy(run, name, Path(folder) / name)
        return {"id": run.public_id, **run.manifest}


def _copy(run, name, path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with default_storage.open(f"{run.file_name}/{name}") as found, path.open("wb") as file:
        shutil.copyfileobj(found, file)
