"""Agreement as numbers: percent, Cohen's and Fleiss' kappa, Krippendorff's alpha, each with an interval and its counts.

Pure. A *unit* is what several people judged: `{person: value}`; who said nothing is not in it. A figure that is not
defined says why instead of pretending: nobody judged the same thing twice, or everybody said the same one thing, so that
there is nothing that chance could have been beaten at.

Cohen's kappa comes from scikit-learn and alpha from `krippendorff`. Fleiss' kappa is our own few lines: neither has it, and
statsmodels, which does, asks for the same number of answers to each unit and brings pandas along. Intervals are percentile
bootstraps over units with a fixed seed, so that the same answers give the same figures. Units with the same counts are one
row with a weight; the replicates of all figures are then a few products of matrices.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

Scale = Literal["nominal", "ordinal", "interval"]
Unit = Mapping[Hashable, Hashable]

SEED = 667
REPLICATES = 1_000
FEWEST_UNITS = 5  # an interval from fewer would be a fiction
LEVEL = 95

NO_OVERLAP = "no_overlap"  # no unit was judged by two people
ONE_VALUE = "one_value"  # everybody said the same one thing each time


@dataclass(frozen=True)
class Figure:
    """One coefficient, its 95 % interval, and what it rests on. `value` is None where it is undefined: `why` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    items: int = 0
    answers: int = 0
    why: str = ""


def percent(units: Iterable[Unit]) -> Figure:
    """Of all pairs of answers to the same unit, the share that says the same."""
    tally = _Tally(units)
    if not tally.items:
        return tally.undefined(NO_OVERLAP)
    return tally.figure(None, _percents)


def fleiss_kappa(units: Iterable[Unit]) -> Figure:
    """Fleiss (1971). Where some units have fewer answers, each unit counts with the pairs it has."""
    tally = _Tally(units)
    return tally.undefined(tally.lack) if tally.lack else tally.figure(None, _fleiss)


def alpha(
    units: Iterable[Unit], scale: Scale = "nominal", domain: Sequence[Hashable] | None = None
) -> Figure:
    """Krippendorff's alpha. `domain` lists the values in their order; ordinal words need it, numbers do not."""
    import krippendorff

    tally = _Tally(units, domain)
    if tally.lack:
        return tally.undefined(tally.lack)
    worths = np.arange(len(tally.domain)) if scale != "interval" else np.array(tally.domain, float)
    value = krippendorff.alpha(
        value_counts=np.repeat(tally.counts, tally.times, axis=0),
        value_domain=worths,
        level_of_measurement=scale,
    )
    return tally.figure(
        float(value), lambda counts, weights: _alphas(counts, weights, scale, worths)
    )


def cohen_kappa(
    pairs: Iterable[tuple[Hashable, Hashable]],
    scale: Scale = "nominal",
    domain: Sequence[Hashable] | None = None,
) -> Figure:
    """Cohen's kappa of two people, `(what one said, what the other said)`; ordinal and interval: quadratic weights."""
    from sklearn.metrics import cohen_kappa_score

    pairs = list(pairs)
    domain = list(domain or sorted({value for pair in pairs for value in pair}, key=_order))
    said = {value: place for place, value in enumerate(domain)}
    nothing = Figure(None, items=len(pairs), answers=2 * len(pairs))
    if not pairs:
        return replace(nothing, why=NO_OVERLAP)
    if len({value for pair in pairs for value in pair}) == 1:
        return replace(nothing, why=ONE_VALUE)
    weighted = None if scale == "nominal" else "quadratic"
    table = Counter((said[one], said[other]) for one, other in pairs)
    ones, others = np.array(list(table)).T
    times = np.array(list(table.values()))
    value = cohen_kappa_score(
        ones, others, labels=range(len(domain)), weights=weighted, sample_weight=times
    )
    distance = _distances(np.arange(len(domain)), "interval" if weighted else "nominal")

    def kappas(_, weights):
        first = weights @ np.eye(len(domain))[ones]
        second = weights @ np.eye(len(domain))[others]
        seen = weights @ distance[ones, others] * weights.sum(axis=1)
        return 1 - _ratio(seen, np.einsum("bi,bj,ij->b", first, second, distance))

    low, high = interval(None, times, kappas)
    return replace(nothing, value=float(value), low=low, high=high)


def interval(counts, times, statistic: Callable) -> tuple[float | None, float | None]:
    """The percentile bootstrap of `statistic(counts, weights)`: one row of weights for each replicate."""
    total = int(times.sum())
    if total < FEWEST_UNITS:
        return None, None
    draw = np.random.default_rng(SEED)
    weights = draw.multinomial(total, times / total, size=REPLICATES).astype(float)
    values = statistic(counts, weights)
    values = values[np.isfinite(values)]
    if len(values) < REPLICATES / 2:  # most resamples hold one value only
        return None, None
    edge = (100 - LEVEL) / 2
    low, high = np.percentile(values, [edge, 100 - edge])
    return float(low), float(high)


def pairs_of(units: Iterable[Unit], one: Hashable, other: Hashable) -> list[tuple]:
    """What two people said about the units that both judged."""
    return [(unit[one], unit[other]) for unit in units if one in unit and other in unit]


def people_in_pairs(units: Iterable[Unit]) -> list[tuple[Hashable, Hashable]]:
    """All pairs of people who judged a unit together, most units first."""
    met = Counter(pair for unit in units for pair in combinations(sorted(unit, key=_order), 2))
    return [pair for pair, _ in met.most_common()]


# --- steps ----------------------------------------------------------------------------------------


class _Tally:
    """Units with two answers or more, as counts of each value; units alike are one row with how many there are."""

    def __init__(self, units, domain=None):
        shared = [list(unit.values()) for unit in units if len(unit) > 1]
        said = {value for values in shared for value in values}
        self.domain = list(domain) if domain else sorted(said, key=_order)
        place = {value: number for number, value in enumerate(self.domain)}
        alike = Counter(tuple(sorted(place[value] for value in values)) for values in shared)
        self.items = len(shared)
        self.answers = sum(map(len, shared))
        self.counts = np.array(
            [np.bincount(values, minlength=len(self.domain)) for values in alike], dtype=float
        )
        self.times = np.array(list(alike.values()), dtype=int)
        self.lack = NO_OVERLAP if not shared else ONE_VALUE if len(said) == 1 else ""

    def undefined(self, why) -> Figure:
        return Figure(None, items=self.items, answers=self.answers, why=why)

    def figure(self, value, statistic) -> Figure:
        """`value` from a library, or the statistic itself where there is none."""
        if value is None:
            value = float(statistic(self.counts, self.times[np.newaxis].astype(float))[0])
        low, high = interval(self.counts, self.times, statistic)
        return Figure(value, low, high, self.items, self.answers)


def _percents(counts, weights):
    size = counts.sum(axis=1)
    same = (counts * (counts - 1)).sum(axis=1)
    return _ratio(weights @ same, weights @ (size * (size - 1)))


def _fleiss(counts, weights):
    size = counts.sum(axis=1)
    same = (counts * (counts - 1)).sum(axis=1) / (size * (size - 1))
    share = (weights @ counts) / (weights @ size)[:, np.newaxis]
    by_chance = (share**2).sum(axis=1)
    return _ratio((weights @ same) / weights.sum(axis=1) - by_chance, 1 - by_chance)


def _alphas(counts, weights, scale, worths):
    """Krippendorff's formula for many weights at once; a test holds it against the library's."""
    size = counts.sum(axis=1)
    pairs = counts[:, :, np.newaxis] * counts[:, np.newaxis, :]
    pairs -= counts[:, :, np.newaxis] * np.eye(counts.shape[1])
    seen = np.tensordot(weights, pairs / (size - 1)[:, np.newaxis, np.newaxis], axes=1)
    total = seen.sum(axis=2)
    if scale == "ordinal":  # the distance is how many answers lie between
        middle = np.cumsum(total, axis=1) - total / 2
        distance = (middle[:, :, np.newaxis] - middle[:, np.newaxis, :]) ** 2
    else:
        distance = _distances(worths, scale)[np.newaxis]
    expected = total[:, :, np.newaxis] * total[:, np.newaxis, :]
    everything = total.sum(axis=1) - 1
    return 1 - everything * _ratio(
        (seen * distance).sum(axis=(1, 2)), (expected * distance).sum(axis=(1, 2))
    )


def _distances(worths, scale):
    apart = worths[:, np.newaxis] - worths[np.newaxis, :]
    return (apart != 0).astype(float) if scale == "nominal" else apart.astype(float) ** 2


def _ratio(above, below):
    """NaN where there is nothing below: such a replicate is undefined."""
    near_nothing = np.abs(below) < 1e-12
    return np.where(near_nothing, np.nan, above / np.where(near_nothing, 1, below))


def _order(value):
    """A stable order of values of any kind."""
    return (
        not isinstance(value, int | float),
        value if isinstance(value, int | float) else str(value),
    )
