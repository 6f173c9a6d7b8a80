"""One answer of a candidate held against one gold case, by what can be computed: assertions, then likeness to known answers.

A case passes when nothing fails. Likeness decides only where no assertion could: two good answers may share few words.
"""

import itertools
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from annotation import assertions

SAME = 0.95  # from this likeness on an answer is the rejected one again
LONGEST = 20_000  # characters of a text that likeness looks at


@dataclass(frozen=True, slots=True)
class GoldCase:
    """What an answer is held against."""

    ideal_answer: str
    rejected_answers: list[str]
    assertions: list[dict]
    context: list[dict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `passed` is None where only a judge can say."""

    name: str
    passed: bool | None
    why: str = ""

    def as_json(self) -> dict:
        return {"check": self.name, "passed": self.passed, "why": self.why}


@dataclass(frozen=True, slots=True)
class Assessment:
    """`passed` is None while a sentence for a judge is all that could decide; `likeness` is 0 to 1, None without an ideal."""

    passed: bool | None
    checks: list[Check]
    likeness: float | None


def assess(case: GoldCase, output: str, *, house_assertions=(), min_likeness=0.0) -> Assessment:
    """Hold an answer against a case and against what the project asks of every answer."""
    if not output.strip():
        return Assessment(False, [Check("answered", False, "There is no answer.")], None)
    checks = [_held(assertion, output, case) for assertion in (*case.assertions, *house_assertions)]
    ideal = likeness(output, case.ideal_answer) if case.ideal_answer else None
    rejected = max((likeness(output, text) for text in case.rejected_answers), default=0.0)
    if rejected >= SAME and rejected > (ideal or 0.0):
        checks.append(Check("not_rejected", False, "It is the answer that was rejected."))
    if ideal is not None and not case.assertions:
        checks.append(_nearness(ideal, rejected, min_likeness))
    outcomes = [check.passed for check in checks]
    passed = False if False in outcomes else True if True in outcomes else None
    if not checks:  # an assertionless case without an ideal asks only not to be the rejected answer
        passed = True
    return Assessment(passed, checks, ideal)


def _held(assertion, output, case) -> Check:
    outcome = assertions.hold(assertion, output, documents=case.context)
    return Check(assertions.words(assertion), outcome.passed, outcome.why)


def _nearness(ideal, rejected, min_likeness) -> Check:
    if ideal < min_likeness:
        why = f"Its likeness to the ideal answer is {ideal:.2f}, {min_likeness:.2f} is asked."
        return Check("near_ideal", False, why)
    if ideal < rejected:
        why = f"It is nearer to a rejected answer ({rejected:.2f}) than to the ideal ({ideal:.2f})."
        return Check("near_ideal", False, why)
    return Check("near_ideal", True)


def likeness(text: str, other: str) -> float:
    """Dice's coefficient of the words and neighbouring pairs of words that two texts share, 0 to 1."""
    ours, theirs = _pieces(text), _pieces(other)
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 1.0


def _pieces(text: str) -> Counter:
    words = unicodedata.normalize("NFKC", text[:LONGEST]).casefold().split()
    words = [word.strip(".,;:!?()[]\"'“”„*_`#") or word for word in words]
    return Counter(words) + Counter(itertools.pairwise(words))
