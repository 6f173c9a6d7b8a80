"""Where the lines, bars and bubbles of a chart go. Numbers in, places out; no HTML.

Drawings have no viewBox for their words, so that letters keep their size at any width: across
they are measured in percent, down in pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, log10, sqrt

SEVERITIES = ("none", "low", "medium", "high", "critical")


def sparkline_points(
    values: Sequence[float | None], *, width: float = 64, height: float = 20, edge: float = 2.5
) -> list[list[tuple[float, float]]]:
    """Runs of (x, y) for a sparkline; a missing value breaks the run. Flat lies in the middle."""
    known = [value for value in values if _is_number(value)]
    if not known:
        return []
    low, high = min(known), max(known)
    step = (width - 2 * edge) / max(len(values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if not _is_number(value):
            if runs[-1]:
                runs.append([])
            continue
        share = 0.5 if high == low else (value - low) / (high - low)
        x = edge + place * step
        runs[-1].append((round(x, 2), round(height - edge - share * (height - 2 * edge), 2)))
    return [run for run in runs if run]


def nice_ceiling(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten: where a scale from zero ends."""
    if not _is_number(value) or value <= 0:
        return 1
    power = 10.0 ** int(log10(value) if value >= 1 else log10(value) - 1)
    for step in (1, 2, 2.5, 5, 10):
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10 * power


@dataclass(frozen=True)
class Point:
    """One point of a line: what it is called, its value, how many stand behind it, its interval."""

    label: str
    value: float | None
    count: int | None = None
    low: float | None = None
    high: float | None = None


@dataclass
class DrawnSeries:
    number: int
    label: str
    points: list[Point]
    paths: list[str] = field(default_factory=list)
    band: str = ""
    dots: list[dict] = field(default_factory=list)
    end: dict | None = None


@dataclass
class DrawnLines:
    height: int
    plot: int
    top: int
    series: list[DrawnSeries]
    grid: list[dict]
    first_label: str
    last_label: str


def draw_lines(
    series: Iterable[dict], *, height: int = 180, ceiling: float | None = None
) -> DrawnLines:
    """Lines over common labels: `[{"label", "points": [Point | dict]}]`, at most four.

    The scale begins at zero. Labels at the line ends are pushed apart so that each can be read.
    """
    top, foot = 18, 22
    plot = height - top - foot
    rows = [
        DrawnSeries(number, str(row["label"]), [_point(point) for point in row["points"]])
        for number, row in enumerate(series, 1)
    ][:4]
    highest = max(
        (
            number
            for row in rows
            for point in row.points
            for number in (point.value, point.high)
            if _is_number(number)
        ),
        default=0,
    )
    scale_end = ceiling or nice_ceiling(highest)

    def down(value: float) -> float:
        return round((1 - min(max(value / scale_end, 0), 1)) * plot, 2)

    for row in rows:
        last_index = max(len(row.points) - 1, 1)
        run: list[str] = []
        lows: list[str] = []
        highs: list[str] = []
        for index, point in enumerate(row.points):
            if not _is_number(point.value):
                if run:
                    row.paths.append(" ".join(run))
                run = []
                continue
            across = round(100 * index / last_index, 3) if len(row.points) > 1 else 100
            run.append(f"{across},{down(point.value)}")
            row.dots.append({"x": across, "y": top + down(point.value), "point": point})
            if _is_number(point.low) and _is_number(point.high):
                lows.append(f"{across},{down(point.low)}")
                highs.append(f"{across},{down(point.high)}")
        if run:
            row.paths.append(" ".join(run))
        if len(highs) > 1:
            row.band = " ".join([*highs, *reversed(lows)])
        if row.dots:
            row.end = dict(row.dots[-1])
    _place_labels([row.end for row in rows if row.end], top=top, lowest=top + plot - 4)
    labels = [point.label for point in rows[0].points] if rows else []
    return DrawnLines(
        height=height,
        plot=plot,
        top=top,
        series=rows,
        grid=[
            {"y": top + down(scale_end * share), "value": scale_end * share}
            for share in (0, 0.5, 1)
        ],
        first_label=labels[0] if labels else "",
        last_label=labels[-1] if len(labels) > 1 else "",
    )


def draw_bars(rows: Iterable[dict], *, ceiling: float | None = None) -> list[dict]:
    """Rows `{"label", "value", "count"?, "low"?, "high"?, "url"?, "tone"?}` with their widths
    in percent."""
    rows = [dict(row) for row in rows]
    highest = max(
        (
            number
            for row in rows
            for number in (row.get("value"), row.get("high"))
            if _is_number(number)
        ),
        default=0,
    )
    scale_end = ceiling or highest or 1
    for row in rows:
        row["width"] = _share(row.get("value"), scale_end)
        if _is_number(row.get("low")) and _is_number(row.get("high")):
            row["from"] = _share(row["low"], scale_end)
            row["to"] = _share(row["high"], scale_end)
    return rows


def place_bubbles(problems: Iterable[dict], *, row_height: int = 56) -> dict:
    """The matrix: frequency to the right (by root, so that rare ones stay apart), severity up,
    area by reach. Each problem is `{"title", "url", "severity", "frequency", "reach"}`."""
    problems = [dict(problem) for problem in problems if problem["severity"] in SEVERITIES]
    most = nice_ceiling(max((problem["frequency"] for problem in problems), default=0))
    widest = max((problem["reach"] for problem in problems), default=0) or 1
    met: dict[str, int] = {}
    for problem in sorted(problems, key=lambda row: -row["reach"]):
        level = SEVERITIES.index(problem["severity"])
        seen = met[problem["severity"]] = met.get(problem["severity"], -1) + 1
        sway = (0, -0.22, 0.22, -0.11, 0.11)[seen % 5]  # neighbours at one height stay apart
        problem["r"] = round(6 + 18 * sqrt(max(problem["reach"], 0) / widest), 1)
        problem["x"] = round(5 + 89 * sqrt(max(problem["frequency"], 0) / most), 2)
        problem["y"] = round((len(SEVERITIES) - level - 0.5 + sway) * row_height, 1)
        problem["is_labelled"] = problem["r"] >= 11
    return {
        "bubbles": sorted(problems, key=lambda row: -row["r"]),  # small ones lie on top
        "height": row_height * len(SEVERITIES),
        "rows": [
            {"severity": severity, "y": index * row_height, "height": row_height}
            for index, severity in enumerate(reversed(SEVERITIES))
        ],
        "most": most,
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _share(value: float | None, whole: float) -> float:
    return round(100 * min(max(value / whole, 0), 1), 2) if _is_number(value) else 0


def _point(point: Point | dict) -> Point:
    return point if isinstance(point, Point) else Point(**point)


def _place_labels(ends: list[dict], *, top: float, lowest: float) -> None:
    """The highest line's words stand above its end, the others' below theirs; none overlap."""
    ends.sort(key=lambda end: end["y"])
    for place, end in enumerate(ends):
        end["text_y"] = end["y"] - 8 if place == 0 else end["y"] + 16
    for above, below in pairwise(ends):
        below["text_y"] = max(below["text_y"], above["text_y"] + 14)
    for place, end in enumerate(reversed(ends)):
        end["text_y"] = max(top - 6, min(end["text_y"], lowest - 14 * place))
