"""What may be asked of an export beside its format: splits, limits, filters and weights. An allow-list of names.

The filter that a run keeps, and its manifest tells, holds these names and no other; what was not asked for is not in it.
"""

from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotation.exports.cases import Case, Format, LeftOut
from feedbackhub.capture.messages import length_of
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.similarity import minhash

WEIGHTS = ("severity", "agreement")
SEVERITY_WEIGHT = {"none": 1, "low": 1, "medium": 2, "high": 3, "critical": 4}
LONGEST = 10_000_000  # characters
_RANKS = {str(severity): rank for rank, severity in enumerate(Severity.values)}


@dataclass(frozen=True)
class Options:
    """A run's filter as the case reader uses it."""

    splits: tuple[str, ...]
    max_characters: int | None = None  # of the messages and the longer answer
    max_similarity: float | None = None  # of the sides of a pair: Jaccard of character 5-grams
    min_severity: str | None = None
    min_agreement: float | None = None
    weigh_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, filter: dict) -> "Options":
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in filter.items()})

    def admit(self, case: Case, format: Format) -> tuple[Case, list[str]]:
        """The case within the limits and weighed, and why answers of it stayed behind; raises LeftOut for all of it."""
        if (
            self.min_severity
            and _RANKS.get(case.labels.get("severity"), 0) < _RANKS[self.min_severity]
        ):
            raise LeftOut("below_severity")
        if self.min_agreement is not None and (case.agreement or 0) < self.min_agreement:
            raise LeftOut("below_agreement")
        if self.weigh_by:
            case = replace(case, weight=self.weight(case))
        behind: list[str] = []
        if self.max_characters is not None:
            case = self._shorter(case, format, behind)
        if self.max_similarity is not None and format.has_rejected:
            case = self._unlike(case, behind)
        return case, behind

    def weight(self, case: Case) -> float:
        """Severity times agreement, as far as asked for; an agreement that nobody knows counts as whole."""
        weight = 1.0
        if "severity" in self.weigh_by:
            weight *= SEVERITY_WEIGHT.get(case.labels.get("severity"), 1)
        if "agreement" in self.weigh_by and case.agreement is not None:
            weight *= case.agreement
        return round(weight, 4)

    def _shorter(self, case, format, behind) -> Case:
        room = self.max_characters - length_of(case.messages)
        if room < 0 or len(case.ideal_answer) > room:
            raise LeftOut("too_long")
        if not format.has_rejected:
            return case
        return _keep(
            case,
            behind,
            "too_long",
            rejected=lambda text: len(text) <= room,
            preferred=lambda pair: max(len(pair["chosen"]), len(pair["rejected"])) <= room,
        )

    def _unlike(self, case, behind) -> Case:
        return _keep(
            case,
            behind,
            "too_similar",
            rejected=lambda text: similarity(case.ideal_answer, text) <= self.max_similarity,
            preferred=lambda pair: (
                similarity(pair["chosen"], pair["rejected"]) <= self.max_similarity
            ),
        )


def similarity(one: str, other: str) -> float:
    return minhash.jaccard(minhash.shingles(one), minhash.shingles(other))


def _keep(case, behind, reason, *, rejected, preferred) -> Case:
    """The case with the answers and pairs that pass; LeftOut when it had some and none is left and none was ideal alone."""
    answers = [text for text in case.rejected_answers if rejected(text)]
    pairs = [pair for pair in case.preferences if preferred(pair)]
    gone = len(case.rejected_answers) - len(answers) + len(case.preferences) - len(pairs)
    if not gone:
        return case
    behind += [reason] * gone
    return replace(case, rejected_answers=answers, preferences=pairs)


# --- reading what was asked for -------------------------------------------------------------------


def read_filter(format: Format, *, splits=(), options: dict | None = None) -> dict:
    """The filter of a run, in one spelling for one meaning. Raises ValidationError by field."""
    filter, errors = {}, {}
    try:
        filter["splits"] = _splits(format, splits)
    except ValueError as wrong:
        errors["splits"] = str(wrong)
    for name, value in (options or {}).items():
        if name not in READERS:
            known = ", ".join(READERS)
            errors[name[:80]] = _("There is no such option. Known: %(known)s.") % {"known": known}
        elif value is not None and value != "" and value != []:
            try:
                filter[name] = READERS[name](value)
            except ValueError as wrong:
                errors[name] = str(wrong)
    if errors:
        raise ValidationError(errors)
    return {"splits": filter.pop("splits")} | dict(sorted(filter.items()))


def _splits(format, splits) -> list[str]:
    wanted = sorted(set(splits)) or list(format.usual_splits)
    for split in wanted:
        if split == "holdout" and split not in format.splits:
            raise ValueError(_("%(split)s may not leave in a training export.") % {"split": split})
        if split not in format.splits:
            raise ValueError(_("There is no split %(split)s.") % {"split": split[:80]})
    return wanted


def _characters(value) -> int:
    if type(value) is not int or not 1 <= value <= LONGEST:
        raise ValueError(
            _("A whole number from 1 to %(most)s.") % {"most": f"{LONGEST:,}"},
        )
    return value


def _share(value) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(_("A number from 0 to 1."))
    return float(value)


def _severity(value) -> str:
    if value not in Severity.values:
        raise ValueError(_("One of %(known)s.") % {"known": ", ".join(Severity.values)})
    return value


def _weights(value) -> list[str]:
    if not isinstance(value, list | tuple) or any(each not in WEIGHTS for each in value):
        raise ValueError(_("A list of some of %(known)s.") % {"known": ", ".join(WEIGHTS)})
    return sorted(set(value))


READERS = {
    "max_characters": _characters,
    "max_similarity": _share,
    "min_severity": _severity,
    "min_agreement": _share,
    "weigh_by": _weights,
}
