"""Import a file of judgements: streamed, through the same code as the API. The same file again changes nothing."""

import gzip
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from annotation.judged_elsewhere import import_judgements
from annotation.judgement_mappings import MAPPINGS, place_for
from feedbackhub.api.strict_json import BadDocument, parse

CHUNK = 200  # lines a step
LONGEST_LINE = 16 * 1024 * 1024
MOST_ERRORS = 20  # named in the answer


@dataclass
class Progress:
    lines: int = 0
    counts: Counter = field(default_factory=Counter)
    errors: list[dict] = field(default_factory=list)


def import_file(*, project, path: Path, mapping: str = "native", queue: str = "") -> Progress:
    """Import a .jsonl or .jsonl.gz file; `queue` for rows that name none. A broken line is a rejected row."""
    chosen = MAPPINGS[mapping]
    queue = queue or place_for(project, chosen)
    kinds = None if project.redaction_kinds is None else frozenset(project.redaction_kinds)
    progress, rows = Progress(), []
    with path.open("rb") as raw, _unpacked(raw, path) as opened:
        while line := opened.readline(LONGEST_LINE):
            if not line.strip():
                continue
            progress.lines += 1
            rows += [
                (progress.lines, body) for body in _bodies(chosen, line, queue, kinds, mapping)
            ]
            if progress.lines % CHUNK == 0:
                _take(project, rows, progress)
                rows = []
    _take(project, rows, progress)
    return progress


def _bodies(chosen, line, queue, kinds, mapping) -> list:
    try:
        return list(chosen.bodies(parse(line), queue=queue, kinds=kinds))
    except BadDocument as bad:
        return [bad]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
        kind = type(wrong).__name__
        return [BadDocument(f"This is no row of the mapping {mapping!r} ({kind}).", "")]


def _take(project, rows, progress) -> None:
    for outcome in import_judgements(project=project, rows=rows):
        progress.counts[str(outcome.status)] += 1
        if not outcome.is_stored and len(progress.errors) < MOST_ERRORS:
            progress.errors.append({"line": outcome.index, "errors": outcome.errors})


def _unpacked(raw, path):
    return gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else nullcontext(raw)
