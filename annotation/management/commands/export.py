import shutil
from pathlib import Path

from django.core.files.storage import default_storage
from django.core.management.base import CommandError

from annotation.exporting import make_export, request_export
from annotation.exports import FORMATS
from annotation.models import GoldVersion, Split
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Export a gold version here and now, without a worker; prints the manifest as JSON."

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument("--gold-version", type=int, help="its number (default: the newest)")
        parser.add_argument("--format", required=True, choices=list(FORMATS))
        parser.add_argument(
            "--split", action="append", default=[], choices=Split.values, help="may be repeated"
        )
        parser.add_argument("--out", help="also write the rows to this file")

    def run(self, *, project, gold_version, format, split, out, **options):
        project = self.find_project(project)
        versions = GoldVersion.objects.filter(project=project).order_by("-number")
        version = (versions.filter(number=gold_version) if gold_version else versions).first()
        if version is None:
            raise CommandError("There is no such gold version. `manage.py freeze_gold` makes one.")
        run = request_export(
            version=version, format=format, splits=split, is_left_to_a_worker=False
        )
        run = make_export(export_id=run.pk) or run
        run.refresh_from_db()
        if run.state != "done":
            raise CommandError(f"The export is {run.state}: {run.failure or 'a worker has it'}.")
        if out:
            with (
                default_storage.open(f"{run.file_name}/rows.jsonl") as rows,
                Path(out).open("wb") as file,
            ):
                shutil.copyfileobj(rows, file)
        return {"id": run.public_id, **run.manifest}
