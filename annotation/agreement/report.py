"""The agreement of a project's experts as one report: per field and category, on marks, between two people, week by week,
and the items on which they differ most. Pages, programs and files show this same report.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import NamedTuple

from annotation.agreement import coefficients, span_overlap
from annotation.agreement.coefficients import Figure
from annotation.agreement.judgements import JudgedItem, Judgements
from annotation.models import Verdict
from feedbackhub.capture.vocabulary import Severity

SEVERITIES = [str(severity) for severity in sorted(Severity, key=lambda each: each.rank)]
BADNESS = [str(verdict) for verdict in Verdict]  # correct, partly, wrong, harmful
MOST_WEEKS = 26
MOST_PAIRS = 200
MOST_DIFFERING = 20
SOLID, TENTATIVE = 0.8, 0.667  # Krippendorff's own bounds for alpha


@dataclass(frozen=True)
class FieldAgreement:
    """One field: what share says the same, and how much better than chance that is."""

    key: str
    kind: str  # field, category, rubric, rating
    scale: str
    percent: Figure
    alpha: Figure
    fleiss: Figure
    alpha_interval: Figure | None = None  # where the values are numbers


@dataclass(frozen=True)
class PairAgreement:
    """Two people on what both judged. `one` and `other` are ids of users.

    Where the report is about marks it is `spans` that says how they agree, else `percent` and `kappa`.
    """

    one: int
    other: int
    percent: Figure | None
    kappa: Figure | None  # weighted where the field has an order
    marks: Figure | None  # F1; None where neither marked anything
    spans: span_overlap.SpanAgreement | None = None


@dataclass(frozen=True)
class WeekAgreement:
    week: str  # its Monday
    percent: Figure | None
    alpha: Figure | None
    spans: span_overlap.SpanAgreement | None = None


@dataclass(frozen=True)
class Difference:
    """An item to talk about: what each said, and how far apart they are."""

    item: JudgedItem
    distance: float
    marks_f1: float | None


@dataclass(frozen=True)
class Report:
    items: int
    answers: int
    is_capped: bool
    fields: list[FieldAgreement] = field(default_factory=list)
    categories: list[FieldAgreement] = field(default_factory=list)
    spans: span_overlap.SpanAgreement | None = None
    pairs: list[PairAgreement] = field(default_factory=list)
    weeks: list[WeekAgreement] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    by: str = "verdict"  # what pairs and weeks are about

    @property
    def by_scale(self) -> str:
        return _reading(self.by).scale


def make_report(
    judgements: Judgements, *, categories=(), of: int | None = None, by: str = "verdict"
) -> Report:
    """`categories` are keys to look at besides those that were named; `of` keeps the pairs of one person; `by` is what pairs and
    weeks are about: one of `BY`, `category.`, `rubric.` or `rating.` with a name (`fields_to_compare`).
    """
    items = judgements.items
    return Report(
        items=len(items),
        answers=sum(len(item.said) for item in items),
        is_capped=judgements.is_capped,
        fields=list(_fields(items)),
        categories=list(_categories(items, categories)),
        spans=span_overlap.span_agreement(item.marks for item in items),
        pairs=list(_pairs(items, of, by)),
        weeks=list(_weeks(items, by)),
        differences=_differences(items),
        by=by,
    )


def fields_to_compare(judgements: Judgements) -> list[str]:
    """What `by` may be: the fields that every answer has, and the categories, criteria and ratings that somebody gave."""
    items = judgements.items
    return [
        *BY,
        *(f"{CATEGORY}{key}" for key in _names(items, "categories")),
        *(f"{RUBRIC}{key}" for key in _names(items, "rubric_scores")),
        *(f"{RATING}{name}" for name in _rating_names(items)),
    ]


def verdict_of(said) -> str:
    return said["verdict"]


def severity_alpha(items) -> Figure:
    return coefficients.alpha((item.unit(_severity) for item in items), "ordinal", SEVERITIES)


# --- parts ----------------------------------------------------------------------------------------


def _fields(items):
    yield _field(items, "verdict", "field", verdict_of)
    yield _field(items, "severity", "field", _severity, "ordinal", SEVERITIES)
    yield _field(items, "root_cause", "field", _root_cause)
    for key in _names(items, "rubric_scores"):
        yield _field(
            items, key, "rubric", lambda said, key=key: said["rubric_scores"].get(key), "ordinal"
        )
    for name in _rating_names(items):
        yield _field(items, name, "rating", lambda said, name=name: _rating(said, name), "ordinal")


def _categories(items, more):
    named = Counter(
        key for item in items for said in item.said.values() for key in said["categories"]
    )
    for key in [
        *(key for key, _ in named.most_common()),
        *(key for key in more if key not in named),
    ]:
        yield _field(items, key, "category", _reading(f"{CATEGORY}{key}").read)


def _field(items, key, kind, read, scale="nominal", domain=None) -> FieldAgreement:
    units = [unit for item in items if len(unit := item.unit(read)) > 1]
    return FieldAgreement(
        key=key,
        kind=kind,
        scale=scale,
        percent=coefficients.percent(units),
        alpha=coefficients.alpha(units, scale, domain),
        fleiss=coefficients.fleiss_kappa(units),
        alpha_interval=coefficients.alpha(units, "interval")
        if kind in ("rubric", "rating")
        else None,
    )


def _pairs(items, of, by):
    read, scale, domain = _reading(by)
    units = [item.marks if by == SPANS else item.unit(read) for item in items]
    pairs = coefficients.people_in_pairs(units)
    if of is not None:
        pairs = [pair for pair in pairs if of in pair]
    by_pair = defaultdict(list)
    for unit in units:
        for one, other in combinations(sorted(unit), 2):
            by_pair[one, other].append((unit[one], unit[other]))
    for one, other in pairs[:MOST_PAIRS]:
        said = by_pair[one, other]
        marked = [
            {one: item.marks[one], other: item.marks[other]}
            for item in items
            if item.marks.get(one) or item.marks.get(other)
            if one in item.marks and other in item.marks
        ]
        marks = span_overlap.marks_f1(marked) if marked else None
        if by == SPANS:
            both = [{one: ones, other: others} for ones, others in said]
            spans = span_overlap.span_agreement(both)
            yield PairAgreement(one, other, None, None, marks, spans)
            continue
        yield PairAgreement(
            one,
            other,
            coefficients.percent({one: first, other: second} for first, second in said),
            coefficients.cohen_kappa(said, scale, domain),
            marks,
        )


def _weeks(items, by):
    read, scale, domain = _reading(by)
    weeks = defaultdict(list)
    for item in items:
        day = item.judged_at.date()
        unit = item.marks if by == SPANS else item.unit(read)
        weeks[day - timedelta(days=day.weekday())].append(unit)
    for monday in sorted(weeks)[-MOST_WEEKS:]:
        units = weeks[monday]
        if by == SPANS:
            yield WeekAgreement(monday.isoformat(), None, None, span_overlap.span_agreement(units))
            continue
        yield WeekAgreement(
            monday.isoformat(),
            coefficients.percent(units),
            coefficients.alpha(units, scale, domain),
        )


def _differences(items) -> list[Difference]:
    """Worst first: how far apart in verdict and severity, then in marks."""
    found = []
    for item in items:
        distance = _spread(item, verdict_of, BADNESS) + _spread(item, _severity, SEVERITIES)
        marks = [
            f1
            for ones, others in combinations(item.marks.values(), 2)
            if (f1 := span_overlap.overlap_f1(ones, others)) is not None
        ]
        marks_f1 = sum(marks) / len(marks) if marks else None
        if distance or (marks_f1 is not None and marks_f1 < 1):
            found.append(Difference(item, distance, marks_f1))
    found.sort(key=lambda each: (-each.distance, 1 if each.marks_f1 is None else each.marks_f1))
    return found[:MOST_DIFFERING]


def _spread(item, read, order) -> int:
    places = [order.index(value) for value in item.unit(read).values()]
    return max(places) - min(places) if places else 0


def _severity(said) -> str:
    return said["severity"]


def _root_cause(said) -> str | None:
    return said["root_cause"] or None


def _rating(said, name) -> float | None:
    return next((each["value"] for each in said["ratings"] if each["name"] == name), None)


def _names(items, key) -> list[str]:
    return sorted({name for item in items for said in item.said.values() for name in said[key]})


def _categories_said(said) -> str:
    """All that somebody named, as one value: the same is the very same set."""
    return ", ".join(sorted(said["categories"]))


def _rating_names(items) -> list[str]:
    return sorted(
        {each["name"] for item in items for said in item.said.values() for each in said["ratings"]}
    )


class _Reading(NamedTuple):
    """What a person said in a field, its scale, its values in order (numbers need none)."""

    read: Callable
    scale: str = "nominal"
    domain: list[str] | None = None


SPANS, CATEGORY, RUBRIC, RATING = "spans", "category.", "rubric.", "rating."
BY = {
    "verdict": _Reading(verdict_of),
    "severity": _Reading(_severity, "ordinal", SEVERITIES),
    "root_cause": _Reading(_root_cause),
    "categories": _Reading(_categories_said),
    SPANS: _Reading(lambda said: None),
}


def _reading(by: str) -> _Reading:
    if by.startswith(CATEGORY):
        key = by.removeprefix(CATEGORY)
        return _Reading(lambda said: key in said["categories"])
    if by.startswith(RUBRIC):
        key = by.removeprefix(RUBRIC)
        return _Reading(lambda said: said["rubric_scores"].get(key), "ordinal")
    if by.startswith(RATING):
        name = by.removeprefix(RATING)
        return _Reading(lambda said: _rating(said, name), "ordinal")
    return BY[by]
