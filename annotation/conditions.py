"""What a routing rule's `when` may say, and whether it is true of an answer. No queries, no side effects.

Everything that a `when` names must hold; of a list, one is enough. What is said about feedback (`kinds`, `categories`,
`severities`, `max_score`) must hold for one and the same signal. Only the latest signal per person and kind counts, and
a thumb is one kind, up or down; signals without a person, and regenerates, all count.

    kinds            feedback kinds: ["thumbs_down", "report"]
    categories       the reporter's own words: ["harmful", "privacy"]
    severities       what the reporter claims: ["critical"]
    max_score        a score of at most this, 0 to 1
    regenerates      at least this many regenerates
    models, features, roles, regions      the interaction's own words
    prompt_versions  "v13", or "tax-help v13"
    metadata         {"tenant": "north"}: each key has exactly this value
    sample_percent   this share of the *unflagged*: those that no other rule matches
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity

THUMB = {FeedbackKind.THUMBS_UP, FeedbackKind.THUMBS_DOWN}
MOST_VALUES = 100
LONGEST_VALUE = 200


@dataclass(frozen=True)
class Signal:
    """One feedback event, as far as rules look at it."""

    id: int
    kind: str
    category: str = ""
    severity: str = ""
    score: float | None = None
    reporter_id: int | None = None


@dataclass(frozen=True)
class Case:
    """One answer and what was said about it, as far as rules look at it; signals in the order they came."""

    interaction_id: int
    external_id: str
    model: str = ""
    feature: str = ""
    role: str = ""
    region: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    metadata: dict = field(default_factory=dict)
    signals: tuple[Signal, ...] = ()

    @property
    def counting(self) -> list[Signal]:
        return signals_that_count(self.signals)

    @property
    def claimed_severity(self) -> str | None:
        """The worst that anybody claims; harm and privacy are critical until somebody judged."""
        claims = [Severity(signal.severity) for signal in self.counting if signal.severity]
        if any(signal.category in ("harmful", "privacy") for signal in self.counting):
            claims.append(Severity.CRITICAL)
        return str(max(claims, key=lambda claim: claim.rank)) if claims else None


def signals_that_count(signals: Iterable[Signal]) -> list[Signal]:
    """The latest per person and kind; `signals` in the order they came."""
    latest = {}
    for signal in signals:
        if signal.reporter_id is None or signal.kind == FeedbackKind.REGENERATE:
            latest[signal.id] = signal
        else:
            question = "thumb" if signal.kind in THUMB else signal.kind
            latest[signal.reporter_id, question] = signal
    return list(latest.values())


def matches(when: dict, case: Case) -> bool:
    """Whether all of `when` but its sample holds. An empty one never matches."""
    if not when:
        return False
    return all(_ANSWER_HOLDS[key](when[key], case) for key in when if key in _ANSWER_HOLDS) and (
        not _speaks_of_feedback(when)
        or any(_signal_holds(when, signal) for signal in case.counting)
    )


def is_in_sample(percent: float, external_id: str) -> bool:
    """The same answer for the same id for ever, and about `percent` of all ids."""
    digest = hashlib.sha256(external_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * 100 < percent


def _speaks_of_feedback(when: dict) -> bool:
    return any(key in when for key in ("kinds", "categories", "severities", "max_score"))


def _signal_holds(when: dict, signal: Signal) -> bool:
    return (
        ("kinds" not in when or signal.kind in when["kinds"])
        and ("categories" not in when or signal.category in when["categories"])
        and ("severities" not in when or signal.severity in when["severities"])
        and ("max_score" not in when or _is_at_most(signal.score, when["max_score"]))
    )


def _is_at_most(score, limit) -> bool:
    return score is not None and score <= limit


def _has_regenerates(least: int, case: Case) -> bool:
    return sum(signal.kind == FeedbackKind.REGENERATE for signal in case.signals) >= least


def _has_prompt(names: list, case: Case) -> bool:
    return bool(case.prompt_version or case.prompt_name) and (
        case.prompt_version in names or f"{case.prompt_name} {case.prompt_version}".strip() in names
    )


def _has_metadata(wanted: dict, case: Case) -> bool:
    return all(
        key in case.metadata
        and type(case.metadata[key]) is type(value)
        and case.metadata[key] == value
        for key, value in wanted.items()
    )


_ANSWER_HOLDS: dict[str, Callable[..., bool]] = {
    "models": lambda names, case: case.model in names,
    "features": lambda names, case: case.feature in names,
    "roles": lambda names, case: case.role in names,
    "regions": lambda names, case: case.region in names,
    "prompt_versions": _has_prompt,
    "metadata": _has_metadata,
    "regenerates": _has_regenerates,
}


# --- what may be written --------------------------------------------------------------------------


def check_when(when) -> dict[str, str]:
    """What is wrong with a rule's `when`, {key: plain sentence}; empty when it is good."""
    if not isinstance(when, dict):
        return {"": _("A rule's conditions are an object.")}
    if not when:
        return {"": _("Say when this rule applies: name at least one condition.")}
    errors = {}
    for key, value in when.items():
        check = _CHECKS.get(key)
        sentence = check(value) if check else _("There is no such condition.")
        if sentence:
            errors[str(key)] = sentence
    return errors


def _some_of(choices) -> Callable:
    def check(values):
        if not isinstance(values, list) or not values:
            return _("Choose at least one.")
        unknown = [str(value) for value in values if value not in choices.values]
        if unknown:
            return _("Not known: %(unknown)s. Choose from: %(known)s.") % {
                "unknown": ", ".join(unknown),
                "known": ", ".join(choices.values),
            }
        return ""

    return check


def _words(values):
    if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
        return _("Write 1 to %(most)s values.") % {"most": MOST_VALUES}
    if not all(_is_word(value) for value in values):
        return _("Each value is a text of 1 to %(longest)s characters.") % {
            "longest": LONGEST_VALUE
        }
    return ""


def _metadata(values):
    if not isinstance(values, dict) or not 0 < len(values) <= MOST_VALUES:
        return _("Write 1 to %(most)s keys with a value each.") % {"most": MOST_VALUES}
    for key, value in values.items():
        is_plain = type(value) in (bool, int, float) or _is_word(value)
        if not _is_word(key) or not is_plain:
            return _("Each key needs a plain value: a text, a number, true or false.")
    return ""


def _is_word(value) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE and "\x00" not in value


def _number(least, most, kinds=(int, float)) -> Callable:
    def check(value):
        if type(value) not in kinds or not least <= value <= most:
            return _("Write a number from %(least)s to %(most)s.") % {"least": least, "most": most}
        return ""

    return check


_CHECKS: dict[str, Callable] = {
    "kinds": _some_of(FeedbackKind),
    "categories": _some_of(ReportedCategory),
    "severities": _some_of(Severity),
    "max_score": _number(0, 1),
    "regenerates": _number(1, 100, kinds=(int,)),
    "models": _words,
    "features": _words,
    "roles": _words,
    "regions": _words,
    "prompt_versions": _words,
    "metadata": _metadata,
    "sample_percent": _number(0, 100),
}
