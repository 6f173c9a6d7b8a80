import gzip
import json
from pathlib import Path

from django.core.management.base import CommandError

from annotation import leaks
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Look for cases of the holdout in a training file (.jsonl or .jsonl.gz, rows of any shape), word for word or nearly."
        " Prints as JSON which rows hold which; exit code 1 when any does."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        self.add_project_argument(parser)

    def handle(self, *args, **options):
        self.is_leaking = False
        super().handle(*args, **options)
        if self.is_leaking:
            raise CommandError("The file holds cases of the holdout.")

    def run(self, *, file, project, **options):
        try:
            report = leaks.check(self.find_project(project), _rows(file))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
        self.is_leaking = report.leaking_rows > 0
        return {
            "rows": report.rows,
            "leaking_rows": report.leaking_rows,
            "leaks": [leak.as_json() for leak in report.leaks],
        }


def _rows(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    raise CommandError(f"Line {number} of {path.name} is no JSON.") from None
