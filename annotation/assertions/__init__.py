"""What must be true of any answer to a case, whoever or whatever wrote it: checks that an expert writes once.

An assertion is stored as `{"kind": …, …}` with the fields of its kind, in a gold revision and in the exports that tests read.
`tidy` turns what a person or a program sent into that shape; `hold` says whether a text fulfils it.
"""

from dataclasses import dataclass

from annotation.assertions.kinds import KINDS, Kind
from annotation.refusals import InvalidAnswer

MOST = 20  # of one case


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an assertion went: `passed` is None where only a judge or a person can say."""

    passed: bool | None
    why: str


def tidy(given) -> dict:
    """One assertion in its stored shape. Raises InvalidAnswer, field by field."""
    if not isinstance(given, dict):
        raise InvalidAnswer({"": "An assertion is an object with a kind."})
    kind = KINDS.get(given.get("kind")) if isinstance(given.get("kind"), str) else None
    if kind is None:
        raise InvalidAnswer({"kind": f"Choose one of: {', '.join(KINDS)}."})
    unknown = given.keys() - {"kind", *kind.fields}
    if unknown:
        name = min(unknown, key=str)[:80]
        raise InvalidAnswer({name: f"There is no such field. Known: {', '.join(kind.fields)}."})
    return {"kind": kind.name, **kind.tidy({**given})}


def hold(assertion: dict, text: str, *, documents=()) -> Outcome:
    """Whether `text` fulfils the assertion; `documents` are those of the case, as {"id", "title", "url"}."""
    why = KINDS[assertion["kind"]].hold(assertion, text, documents)
    return Outcome(why == "" if why is not None else None, why or "")


def words(assertion: dict) -> str:
    """The assertion as a sentence."""
    return KINDS[assertion["kind"]].words(assertion)


__all__ = ["KINDS", "MOST", "Kind", "Outcome", "hold", "tidy", "words"]
