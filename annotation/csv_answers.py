"""Figures as a CSV file to download. No cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable

from django.http import HttpResponse
from django.utils import timezone

from annotation.exports.spreadsheet import harmless


def csv_answer(name: str, columns: Iterable[str], rows: Iterable[tuple]) -> HttpResponse:
    """The file `name`-<today>.csv."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
        },
    )
