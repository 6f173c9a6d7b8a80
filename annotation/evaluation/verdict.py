"""A run summed up: how many cases pass, how sure that is, what broke against the last accepted run, and whether it may ship.

Rates come with Wilson's 95 % interval; the paired comparison is McNemar's exact test on the cases that changed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

Z = 1.959963984540054  # 95 %
MOST_LISTED = 500  # cases that a summary names
WORST_FIRST = ("critical", "high", "medium", "low", "none", "")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """All attempts at one case. A case passes when every attempt does."""

    id: str
    severity: str
    categories: list[str]
    attempts: int
    passed_attempts: int
    why: str = ""
    undecided_attempts: int = 0  # only a judge could say
    is_contaminated: bool = False  # a training file has it, or a near-duplicate of it

    @property
    def passed(self) -> bool:
        return 0 < self.passed_attempts == self.attempts

    @property
    def is_undecided(self) -> bool:
        """No attempt fails, and not all are known to pass."""
        return 0 < self.undecided_attempts == self.attempts - self.passed_attempts

    @property
    def is_flaky(self) -> bool:
        return 0 < self.passed_attempts < self.attempts - self.undecided_attempts


@dataclass
class Thresholds:
    """What a run must reach: shares from 0 to 1, and how many cases at most may break against the last accepted run."""

    overall: float = 0.9
    severities: dict[str, float] = field(default_factory=lambda: {"critical": 1.0})
    categories: dict[str, float] = field(default_factory=dict)
    most_broken: int | None = None


def summarise(
    results: Iterable[CaseResult], thresholds: Thresholds, accepted: dict[str, bool] | None = None
) -> dict:
    """The summary that a run keeps; `accepted` says which cases the last accepted run passed, by id.

    What only a judge could decide is listed and counts neither way, but a severity or category with a threshold is not
    reached while one of its cases is open. What a training file has is listed and proves nothing.

    `passed` is the verdict, `reasons` one sentence for each threshold that was missed, the worst first.
    """
    every = sorted(results, key=lambda each: (WORST_FIRST.index(each.severity), each.id))
    held = [each for each in every if not each.is_contaminated]
    decided = [each for each in held if not each.is_undecided]
    groups = {"severities": {}, "categories": {}}
    for each in held:
        groups["severities"].setdefault(each.severity or "none", []).append(each)
        for category in each.categories:
            groups["categories"].setdefault(category, []).append(each)
    lists = {
        "undecided": [each.id for each in held if each.is_undecided],
        "contaminated": [each.id for each in every if each.is_contaminated],
        "flaky": [each.id for each in decided if each.is_flaky],
        "failed": [_said(each) for each in decided if not each.passed],
    }
    reasons = []
    summary = {
        "cases": len(held),
        "passed_cases": sum(each.passed for each in decided),
        "missing": sum(each.attempts == 0 for each in decided),
        **{name: found[:MOST_LISTED] for name, found in lists.items()},
        "counts": {name: len(found) for name, found in lists.items()},
        "severities": {
            name: _group(name, found, thresholds.severities.get(name), reasons)
            for name, found in groups["severities"].items()
        },
        "categories": {
            name: _group(name, found, thresholds.categories.get(name), reasons)
            for name, found in sorted(groups["categories"].items())
        },
    }
    summary["overall"] = _group("all", decided, thresholds.overall, reasons)
    summary["comparison"] = _compared(decided, accepted, thresholds.most_broken, reasons)
    if not decided:
        reasons.append("There is no case to hold it against.")
    return {"passed": not reasons, "reasons": reasons, **summary}


def _group(name, results, needed, reasons) -> dict:
    undecided = [each for each in results if each.is_undecided]
    results = [each for each in results if not each.is_undecided]
    passed, cases = sum(each.passed for each in results), len(results)
    low, high = wilson(passed, cases)
    rate = passed / cases if cases else None
    if needed is not None and cases and rate < needed:
        first = next(each.id for each in results if not each.passed)
        reasons.append(
            f"{_name(name)}: {passed} of {cases} pass, {needed:.0%} must. First failure: {first}."
        )
    if needed and undecided:
        reasons.append(_open(name, undecided))
    return {
        "cases": cases,
        "passed": passed,
        "undecided": len(undecided),
        "rate": _rounded(rate),
        "low": _rounded(low),
        "high": _rounded(high),
        "needed": needed,
    }


def _open(name, undecided) -> str:
    number = len(undecided)
    cases = "1 case" if number == 1 else f"{number} cases"
    return f"{_name(name)}: {cases} could not be decided. First: {undecided[0].id}."


def _name(name) -> str:
    return {"all": "All cases"}.get(name, name.replace("_", " ").capitalize())


def _compared(results, accepted, most_broken, reasons) -> dict | None:
    if accepted is None:
        return None
    both = [each for each in results if each.id in accepted]
    broken = [each for each in both if accepted[each.id] and not each.passed]
    repaired = [each for each in both if not accepted[each.id] and each.passed]
    if most_broken is not None and len(broken) > most_broken:
        reasons.append(
            f"{len(broken)} cases that passed before fail now, {most_broken} may. First: {broken[0].id}."
        )
    return {
        "cases": len(both),
        "broken_count": len(broken),
        "repaired_count": len(repaired),
        "broken": [_said(each) for each in broken[:MOST_LISTED]],
        "repaired": [_said(each) for each in repaired[:MOST_LISTED]],
        "p_value": _rounded(mcnemar(len(broken), len(repaired))),
    }


def _said(each) -> dict:
    return {
        "id": each.id,
        "severity": each.severity,
        "why": each.why,
        "is_flaky": each.is_flaky,
    }


def without_words(summary: dict, ids: set[str]) -> dict:
    """The summary without what it quotes of these cases; its numbers stay."""

    def emptied(cases):
        return [{**each, "why": ""} if each["id"] in ids else each for each in cases]

    summary = {**summary, "failed": emptied(summary.get("failed", []))}
    if comparison := summary.get("comparison"):
        lists = {name: emptied(comparison[name]) for name in ("broken", "repaired")}
        summary["comparison"] = comparison | lists
    return summary


def _rounded(value):
    return None if value is None else round(value, 4)


def wilson(passed: int, cases: int) -> tuple[float | None, float | None]:
    """The 95 % interval of a share (Wilson 1927); (None, None) of nothing."""
    if not cases:
        return None, None
    share, z2 = passed / cases, Z * Z
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    spread = Z / (1 + z2 / cases) * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases**2))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def mcnemar(broken: int, repaired: int) -> float:
    """The exact two-sided p-value that as many broke as were repaired by chance alone."""
    changed = broken + repaired
    if not changed:
        return 1.0
    tail = sum(math.comb(changed, k) for k in range(min(broken, repaired) + 1)) / 2**changed
    return min(1.0, 2 * tail)
