import csv
import gzip
import json
import zlib
from pathlib import Path

from django.core.management.base import CommandError

from annotation import leaks
from feedbackhub.accounts.operator_command import OperatorCommand

_LONGEST_CELL = 1 << 27


class Command(OperatorCommand):
    help = (
        "Look for cases of the holdout in a training file (JSON lines, a JSON array or .csv, each also as .gz; rows of any shape), word for word or nearly."
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
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
        self.is_leaking = report.leaking_rows > 0
        return {
            "rows": report.rows,
            "leaking_rows": report.leaking_rows,
            "partly_compared_rows": report.partly_compared_rows,
            "leaks": [leak.as_json() for leak in report.leaks],
        }


def _rows(path):
    open_it = gzip.open if path.suffix == ".gz" else open
    if ".csv" in path.suffixes[-2:]:
        with open_it(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield from _cells(path, file)
        return
    with open_it(path, "rb") as file:
        yield from (_array if _is_array(file) else _lines)(path, file)


def _is_array(file) -> bool:
    """One array of rows, on as many lines as it may have; a row on each line may be an array too."""
    first = next((line for line in file if line.strip()), b"")
    try:
        is_alone = isinstance(json.loads(first), list) and not any(map(bytes.strip, file))
    except (ValueError, RecursionError):
        is_alone = first.lstrip().startswith(b"[")
    file.seek(0)
    return is_alone


def _array(path, file):
    try:
        yield from json.load(file)
    except (ValueError, RecursionError):
        raise CommandError(f"{path.name} is no JSON array.") from None


def _lines(path, file):
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                raise CommandError(f"Line {number} of {path.name} is no JSON.") from None


def _cells(path, file):
    """Each row's cells; one that holds JSON, such as messages, is read as that."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        for row in csv.reader(file):
            yield [_cell(each) for each in row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise CommandError(f"{path.name} is no CSV: {error}.") from None


def _cell(text):
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return text
