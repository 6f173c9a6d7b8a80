import sys
import time
from pathlib import Path

from django.core.management.base import CommandError

from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.capture.importing import import_file
from feedbackhub.capture.mappings import MAPPINGS


class Command(OperatorCommand):
    help = (
        "Import interactions and feedback from a .jsonl or .jsonl.gz file, through the same code as the API. A killed import "
        "goes on where it stopped; rows that are there already are duplicates. Prints as JSON what became of the rows."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        self.add_project_argument(parser)
        parser.add_argument(
            "--mapping",
            choices=list(MAPPINGS),
            default="native",
            help="native: rows as the API takes them (default); sample: research sets, see docs/importing.md",
        )
        parser.add_argument(
            "--again", action="store_true", help="read a finished file once more from its start"
        )
        parser.add_argument("--quiet", action="store_true", help="no progress bar")

    def run(self, *, file, project, mapping, again, quiet, **options):
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        bar = _Bar() if not quiet and sys.stderr.isatty() else lambda progress: None
        try:
            progress = import_file(
                project=self.find_project(project),
                path=file,
                mapping=mapping,
                starts_over=again,
                on_progress=bar,
            )
        except (OSError, EOFError) as error:
            raise CommandError(
                f"{file.name} cannot be read to its end: {error}. Run it again to go on."
            ) from error
        if not quiet and sys.stderr.isatty():
            self.stderr.write("")
        return {
            "rows": progress.rows,
            **dict(sorted(progress.counts.items())),
            "errors": progress.errors,
        }


class _Bar:
    """One line on standard error: how far, how many rows, how long still."""

    def __init__(self):
        self.started = time.monotonic()

    def __call__(self, progress):
        done = progress.fraction
        spent = time.monotonic() - self.started
        left = spent / done * (1 - done) if done else 0
        width = int(30 * done)
        sys.stderr.write(
            f"\r[{'#' * width}{'.' * (30 - width)}] {done:4.0%} {progress.rows:>9,} rows, {left:4.0f} s left "
        )
        sys.stderr.flush()
