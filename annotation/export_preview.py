"""What an export would hold and leave out, counted before anything is written."""

from collections import Counter
from collections.abc import Callable
from itertools import islice

from annotation import export_reading
from annotation.export_options import Options, read_filter
from annotation.exporting import format_named
from annotation.exports import Format
from annotation.exports.cases import TRAINERS_SPLITS
from annotation.models import GoldVersion

MOST = 5_000  # cases that are looked at while somebody waits
TRIED = 20  # cases that a sample row is looked for in


def preview_export(
    *,
    version: GoldVersion,
    format: str,
    splits=(),
    options: dict | None = None,
    is_whole=False,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict:
    """Counts by split and by reason, of the first 5,000 cases of the version, or `is_whole`. Raises ValidationError like the export.

    What may not leave at all (holdout, contaminated, erased, split not asked for) is counted for the whole version.
    `on_progress` hears how many of how many cases were looked at, after each batch.
    """
    found = format_named(format)
    filter = read_filter(found, splits=splits, options=options)
    chosen = Options.of(filter)
    left_out, splits_count, looked_at, cases = Counter(), Counter(), 0, 0
    members = export_reading.members(version, found, chosen)
    may_leave = members.count()
    asked = members if is_whole else members[:MOST]
    for batch in export_reading.batches(asked, found, version):
        for _revision_id, _example_id, case in batch:
            looked_at += 1
            case, rows = export_reading.rows_of(case, found, chosen, left_out)
            if rows:
                cases += 1
                splits_count[case.split] += len(rows)
        if on_progress:
            on_progress(looked_at, may_leave)
    left_out.update(export_reading.kept_back(version, found, chosen))
    return {
        "version": version.number,
        "format": format,
        "filter": filter,
        "cases": cases,
        "rows": splits_count.total(),
        "rows_by_split": dict(sorted(splits_count.items())),
        "left_out": dict(sorted(left_out.items())),
        "looked_at": looked_at,
        "of": may_leave,
        "is_whole": looked_at >= may_leave,
    }


def sample_row(version: GoldVersion, format: Format, options: Options | None = None) -> dict | None:
    """A true row of this version in this format, never of the holdout; None when none of the first cases makes one."""
    options = options or Options(splits=TRAINERS_SPLITS)
    members = export_reading.members(version, format, options)[:TRIED]
    for batch in export_reading.batches(members, format, version):
        for _revision_id, _example_id, case in batch:
            _case, rows = export_reading.rows_of(case, format, options, Counter())
            if rows:
                return next(islice(rows, 1))
    return None
