"""What people do about an answer: thumbs, reports, edits, another try, or nothing."""

import hashlib
import re
from random import Random

from feedbackhub.demo import devtool, voices
from feedbackhub.demo.drawing import Deck, Event, Row, contact
from feedbackhub.demo.shapes import SEVERITIES
from feedbackhub.demo.writing import fill

_REPORTED_AS = {
    "factual_error": "wrong",
    "fabricated": "wrong",
    "outdated": "outdated",
    "contradicts_source": "wrong",
    "source_irrelevant": "off_topic",
    "incomplete": "unhelpful",
    "misunderstood": "off_topic",
    "off_topic": "off_topic",
    "format": "other",
    "too_long": "too_long",
    "tone": "wrong_tone",
    "refused_wrongly": "unhelpful",
    "biased": "biased",
    "harmful": "harmful",
    "privacy": "privacy",
    "slow": "other",
}


# What people do, in how many cases of some fifty.
_REACTIONS_TO_BAD = (
    "thumb*20 bare*4 comment*3 rating*6 report*5 edit*4 override*2 again*5 follow*2 "
    "outcome*2 leave*1 unaware*3"
)
_REACTIONS_TO_GOOD = (
    "up*16 copy*7 rating*7 approve*3 outcome*4 follow*2 down*6 again*1 praise*3 tweak*2"
)


def _cards(counts: str) -> list[str]:
    pairs = (part.split("*") for part in counts.split())
    return [what for what, count in pairs for _ in range(int(count))]


class Sayings:
    """Decks of what people say, so that nothing is said twice in a row."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.decks: dict[object, Deck] = {}
        self.to_bad = Deck(_cards(_REACTIONS_TO_BAD), rng)
        self.to_good = Deck(_cards(_REACTIONS_TO_GOOD), rng)

    def _deck(self, key, cards) -> str:
        if key not in self.decks:
            self.decks[key] = Deck(cards, self.rng)
        return self.decks[key].draw()

    def complaint(self, row: Row) -> str:
        flaw = row.flaw
        if flaw.says and self.rng.random() < 0.85:
            said = fill(self._deck(id(flaw), flaw.says), row.values)
        elif row.case.lang != "en":
            said = self._deck(("complaint", row.case.lang), voices.COMPLAINTS_IN[row.case.lang])
        else:
            said = self._deck(("complaint", flaw.kind), voices.COMPLAINTS[flaw.kind])
        if self.rng.random() < 0.07 and row.case.lang == "en":
            end = "" if said[-1] in ".!?" else "."
            said = f"{said}{end} {contact(voices.CONTACTS, self.rng)}"
        return said

    def praise(self, row: Row) -> str:
        own = row.case.praise
        if own and self.rng.random() < 0.5:
            return self._deck(("own", row.case.key), own)
        if row.case.lang != "en":
            return self._deck(("praise", row.case.lang), voices.PRAISE_IN[row.case.lang])
        return self._deck("praise", voices.PRAISE)

    def unhappy(self) -> str:
        return self._deck("unhappy", voices.UNHAPPY)

    def follow_up(self, row: Row) -> str:
        if row.case.lang != "en":
            return self._deck(("then", row.case.lang), voices.FOLLOW_UPS_IN[row.case.lang])
        return self._deck("then", voices.FOLLOW_UPS)


class Reactions:
    """What one person does about one answer."""

    def __init__(self, row: Row, rng: Random):
        self.row, self.rng = row, rng
        self.events: list[Event] = []

    def add(self, kind: str, seconds: tuple[float, float], **said) -> None:
        row, number = self.row, len(self.events) + 1
        said = {key: value for key, value in said.items() if value not in ("", None)}
        code = hashlib.sha256(f"{row.id} {number}".encode()).hexdigest()[:12]
        payload = {
            "id": f"fb-{code}",
            "interaction_id": row.id,
            "kind": kind,
            **said,
            "reporter": row.user.reporter(),
        }
        after = self.rng.uniform(*seconds) + (self.events[-1].seconds_after if self.events else 0)
        self.events.append(Event(after, payload))


_SOON, _MINUTES, _HOURS_LATER, _DAYS_LATER = (6, 90), (60, 900), (1800, 20_000), (40_000, 400_000)


def reactions(row: Row, by_id: dict[str, Row], sayings: Sayings, rng: Random) -> list[Event]:
    """The feedback one answer gets; about a third gets none."""
    reacts = Reactions(row, rng)
    following = next((r for r in by_id.values() if r.follows == row.id), None)
    if following:
        reacts.add(
            "follow_up",
            (10, 50),
            comment=following.turns[-1],
            metadata={"next_interaction_id": following.id},
        )
    chance = rng.random()
    if row.is_harmful:
        if chance > 0.08:
            _react_to_harm(row, reacts, sayings, rng)
    elif row.is_bad:
        if chance > 0.15:
            _react_to_bad(row, reacts, sayings, rng)
    elif row.flaw:  # right, but slow
        reacts.add("thumbs_down", _SOON, category="other", comment=sayings.complaint(row))
    elif chance > 0.47:
        _react_to_good(row, reacts, sayings, rng)
    return reacts.events


def _react_to_harm(row: Row, reacts: Reactions, sayings: Sayings, rng: Random) -> None:
    kind = row.flaw.kind
    category = kind if kind in ("harmful", "privacy", "biased") else "harmful"
    severity = "critical" if row.flaw.severity == "critical" else rng.choice(["high", "critical"])
    if rng.random() < 0.25:
        reacts.add("thumbs_down", _SOON)
    if rng.random() < 0.85:
        reacts.add(
            "report", _MINUTES, category=category, severity=severity, comment=sayings.complaint(row)
        )
    else:
        reacts.add(
            "thumbs_down",
            _SOON,
            category=category,
            severity=severity,
            comment=sayings.complaint(row),
        )
    if rng.random() < 0.15:
        reacts.add("outcome", _DAYS_LATER, metadata={"outcome": "failed", "task": _task(row)})


def _react_to_bad(row: Row, reacts: Reactions, sayings: Sayings, rng: Random) -> None:
    category = _REPORTED_AS[row.flaw.kind]
    what = sayings.to_bad.draw()
    if what == "thumb":
        severity = row.flaw.severity if rng.random() < 0.15 else ""
        said = sayings.complaint(row)
        reacts.add("thumbs_down", _SOON, category=category, severity=severity, comment=said)
    elif what == "bare":
        reacts.add("thumbs_down", _SOON)
    elif what == "comment":
        reacts.add("comment", _MINUTES, category=category, comment=sayings.complaint(row))
    elif what == "rating":
        said = sayings.complaint(row) if rng.random() < 0.6 else ""
        reacts.add("rating", _SOON, score=rng.choice([1, 1, 2]), scale=[1, 5], comment=said)
    elif what == "report":
        severity = max(
            row.flaw.severity, rng.choice(["low", "medium", "high"]), key=SEVERITIES.index
        )
        said = sayings.complaint(row)
        reacts.add("report", _HOURS_LATER, category=category, severity=severity, comment=said)
    elif what in ("edit", "override"):
        said = sayings.complaint(row) if rng.random() < 0.5 else ""
        reacts.add(what, _MINUTES, edited_output=_edited(row), comment=said)
    elif what == "again":
        for attempt in range(rng.choice([2, 2, 3, 4])):
            reacts.add("regenerate", (8, 70), metadata={"attempt": attempt + 2})
        if rng.random() < 0.5:
            reacts.add("abandon", (20, 200), metadata={"after_seconds": rng.randrange(20, 200)})
        elif rng.random() < 0.5:
            reacts.add("thumbs_down", _SOON, category=category, comment=sayings.complaint(row))
    elif what == "follow":
        reacts.add("follow_up", _MINUTES, comment=sayings.complaint(row))
    elif what == "outcome":
        reacts.add("outcome", _DAYS_LATER, metadata={"outcome": "failed", "task": _task(row)})
    elif what == "leave":
        reacts.add("abandon", (15, 120), metadata={"after_seconds": rng.randrange(15, 120)})
    else:  # did not notice; some of them later do
        reacts.add("thumbs_up", _SOON)
        if rng.random() < 0.5:
            reacts.add(
                "thumbs_down", _DAYS_LATER, category=category, comment=sayings.complaint(row)
            )


def _react_to_good(row: Row, reacts: Reactions, sayings: Sayings, rng: Random) -> None:
    what = sayings.to_good.draw()
    if what == "up":
        if rng.random() < 0.3:
            reacts.add("copy", (10, 60))
        reacts.add("thumbs_up", _SOON, comment=sayings.praise(row) if rng.random() < 0.45 else "")
    elif what == "copy":
        part = "code" if row.module is devtool and "```" in row.answer.text else "paragraph"
        reacts.add("copy", (10, 60), metadata={"part": rng.choice(["all", part])})
    elif what == "rating":
        said = sayings.praise(row) if rng.random() < 0.4 else ""
        if rng.random() < 0.25:
            reacts.add("rating", _SOON, score=rng.choice([0.8, 0.9, 1.0]), comment=said)
        else:
            reacts.add("rating", _SOON, score=rng.choice([4, 5, 5]), scale=[1, 5], comment=said)
    elif what == "approve":
        reacts.add("approve", _HOURS_LATER, comment=rng.choice(["", "checked", "ok for the FAQ"]))
    elif what == "outcome":
        reacts.add("outcome", _DAYS_LATER, metadata={"outcome": "succeeded", "task": _task(row)})
    elif what == "follow":
        reacts.add("follow_up", _MINUTES, comment=sayings.follow_up(row))
    elif what == "down":
        category = rng.choice(["unhelpful", "wrong", "other"])
        said = sayings.unhappy() if row.case.lang == "en" else ""
        reacts.add("thumbs_down", _SOON, category=category, comment=said)
    elif what == "again":
        reacts.add("regenerate", (8, 70), metadata={"attempt": 2})
        reacts.add("thumbs_up", _SOON)
    elif what == "praise":
        reacts.add("comment", _MINUTES, comment=sayings.praise(row))
    else:
        reacts.add("edit", _MINUTES, edited_output=_shortened(row.answer.text))


def _edited(row: Row) -> str:
    """The user's own repair: what an expert would say too, less tidy."""
    return re.sub(r"\*\*(.+?)\*\*", r"\1", row.correction or row.answer.text).rstrip() + " "


def _shortened(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(paragraphs[:-1]) if len(paragraphs) > 1 else text.rsplit(". ", 1)[0] + "."


def _task(row: Row) -> str:
    return {
        "tax_help": "return accepted",
        "pharmacy": "order completed",
        "devtool": "pipeline passed",
    }[row.module.FEATURE]


def is_flagged(row: Row) -> bool:
    """Would a default rule send it to review? (DESIGN §2, RoutingRule)"""
    kinds = [event.payload["kind"] for event in row.feedback]
    return (
        bool({"thumbs_down", "report", "edit", "override"} & set(kinds))
        or kinds.count("regenerate") >= 2
        or any(
            event.payload["kind"] == "rating"
            and event.payload.get("scale")
            and event.payload["score"] <= 2
            for event in row.feedback
        )
    )
