"""Import a file of interactions: streamed, resumable, through the same code as the API.

How far a file came is kept by the file's digest; a killed import goes on where its last chunk was committed, and a file that
was imported whole is not read again (unless asked). Rows that were there already are duplicates, never doubled.
"""

import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone

from feedbackhub.api.strict_json import BadDocument, parse
from feedbackhub.capture import ingest
from feedbackhub.capture.mappings import MAPPINGS
from feedbackhub.capture.models import ImportRun

CHUNK = 500  # lines a step
LONGEST_LINE = 16 * 1024 * 1024
MOST_ERRORS = 20  # named in the answer


@dataclass
class Progress:
    """How far an import is; `fraction` of the file's bytes."""

    rows: int = 0
    fraction: float = 0.0
    counts: Counter = field(default_factory=Counter)
    errors: list[dict] = field(default_factory=list)


def import_file(
    *,
    project,
    path: Path,
    mapping: str = "native",
    starts_over: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Import a .jsonl or .jsonl.gz file; answers what became of its rows. A broken line is a rejected row."""
    run, _is_new = ImportRun.objects.get_or_create(
        project=project,
        file_digest=f"{_digest(path)}",
        defaults={"name": path.name[:200]},
    )
    if starts_over:
        run.rows_done, run.counts, run.finished_at = 0, {}, None
    progress = Progress(rows=run.rows_done, counts=Counter(run.counts))
    if run.finished_at:
        progress.fraction = 1.0
        return progress
    size = max(1, path.stat().st_size)
    with path.open("rb") as raw, _unpacked(raw, path) as opened:
        for lines in _chunks(_lines(opened, skip=run.rows_done)):
            _take(project, lines, mapping, progress)
            progress.rows += len(lines)
            progress.fraction = min(1.0, raw.tell() / size)
            run.rows_done, run.counts = progress.rows, dict(progress.counts)
            run.save()
            on_progress(progress)
    run.finished_at = timezone.now()
    run.save()
    progress.fraction = 1.0
    return progress


def _take(project, lines, mapping, progress) -> None:
    kinds = None if project.redaction_kinds is None else frozenset(project.redaction_kinds)
    interactions, feedback = [], []
    for number, line in enumerate(lines, start=progress.rows + 1):
        try:
            row = parse(line)
            found = MAPPINGS[mapping](row, kinds=kinds)
        except BadDocument as bad:
            interactions.append((number, bad))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
            interactions.append((number, _not_of_this_shape(mapping, wrong)))
        else:
            interactions += [(number, body) for body in found[0]]
            feedback += [(number, body) for body in found[1]]
    for what, outcomes in (
        ("interactions", ingest.record_interactions(project=project, rows=interactions)),
        ("feedback", ingest.record_feedback(project=project, rows=feedback, source="import")),
    ):
        for outcome in outcomes:
            progress.counts[f"{what}_{outcome.status}"] += 1
            if not outcome.is_stored and len(progress.errors) < MOST_ERRORS:
                progress.errors.append(
                    {"line": outcome.index, "id": outcome.id, "errors": outcome.errors}
                )


def _not_of_this_shape(mapping, wrong) -> BadDocument:
    return BadDocument(f"This is no row of the mapping {mapping!r} ({type(wrong).__name__}).", "")


def _unpacked(raw, path):
    return gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else nullcontext(raw)


def _lines(file: io.BufferedIOBase, *, skip: int) -> Iterator[bytes]:
    """The lines that are not blank, after the first `skip` of them; \\n alone ends a line."""
    seen = 0
    while line := file.readline(LONGEST_LINE):
        if line.strip():
            seen += 1
            if seen > skip:
                yield line


def _chunks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    chunk = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _digest(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()
