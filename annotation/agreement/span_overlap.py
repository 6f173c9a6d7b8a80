"""How far people mark the same stretches of text: F1 of marks paired one to one, exactly or by overlap, with or without
their label.

Pure. A *unit* is `{person: [Mark, …]}`: an empty list says that they looked and marked nothing. Of the two lists of each pair of people
the largest possible number of marks is matched; F1 is twice the matched ones over all marks of both, pooled over units.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from annotation.agreement.coefficients import NO_OVERLAP, Figure, interval

NOTHING_MARKED = "nothing_marked"


class Mark(NamedTuple):
    field: str
    start: int
    end: int
    label: str = ""


@dataclass(frozen=True)
class SpanAgreement:
    """The four figures that differ by what counts as the same mark."""

    exact: Figure
    exact_with_label: Figure
    overlapping: Figure
    overlapping_with_label: Figure


def span_agreement(units: Iterable[Mapping[Hashable, Sequence[Mark]]]) -> SpanAgreement:
    units = [unit for unit in units if len(unit) > 1]
    return SpanAgreement(
        exact=_f1(units, _is_same),
        exact_with_label=_f1(units, _is_same, with_label=True),
        overlapping=_f1(units, _overlap),
        overlapping_with_label=_f1(units, _overlap, with_label=True),
    )


def marks_f1(units: Iterable[Mapping[Hashable, Sequence[Mark]]]) -> Figure:
    """The mildest of them that looks at labels: overlapping, with the same label."""
    return _f1([unit for unit in units if len(unit) > 1], _overlap, with_label=True)


def match_count(ones: Sequence[Mark], others: Sequence[Mark], fits) -> int:
    """The largest number of marks that can be paired one to one."""
    import scipy.sparse as sparse

    fitting = [[fits(one, other) for other in others] for one in ones]
    if not any(map(any, fitting)):
        return 0
    matched = sparse.csgraph.maximum_bipartite_matching(sparse.csr_array(np.array(fitting, int)))
    return int((matched >= 0).sum())


def overlap_f1(ones: Sequence[Mark], others: Sequence[Mark]) -> float | None:
    """Of two people on one unit, with labels; None when neither marked anything."""
    marked = len(ones) + len(others)
    return 2 * match_count(ones, others, _fits_with_label) / marked if marked else None


def _f1(units, fits, *, with_label=False) -> Figure:
    def same(one, other):
        return fits(one, other) and (not with_label or one.label == other.label)

    matched, marked = [], []
    for unit in units:
        pairs = list(combinations(unit.values(), 2))
        matched.append(2 * sum(match_count(ones, others, same) for ones, others in pairs))
        marked.append(sum(len(ones) + len(others) for ones, others in pairs))
    answers = sum(map(len, units))
    if not units or not sum(marked):
        why = NOTHING_MARKED if units else NO_OVERLAP
        return Figure(None, items=len(units), answers=answers, why=why)
    counts = np.array([matched, marked], dtype=float).T
    low, high = interval(counts, np.ones(len(units), dtype=int), _ratios)
    return Figure(sum(matched) / sum(marked), low, high, len(units), answers)


def _ratios(counts, weights):
    matched, marked = (weights @ counts).T
    with np.errstate(invalid="ignore"):
        return matched / marked


def _is_same(one: Mark, other: Mark) -> bool:
    return one[:3] == other[:3]


def _overlap(one: Mark, other: Mark) -> bool:
    return one.field == other.field and one.start < other.end and other.start < one.end


def _fits_with_label(one: Mark, other: Mark) -> bool:
    return one.label == other.label and _overlap(one, other)
