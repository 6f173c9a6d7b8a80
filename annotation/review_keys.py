"""The keys of the review screen: one for each frequent act, printed on it and matched by what the cap says.

Digits choose the verdict and lead to the places of the screen, letters answer. While text is selected the digits mark
it instead, and the marks' names stand beside the selection with their digits. No sign here needs AltGr on QWERTY,
QWERTZ or AZERTY: what is typed with it is never a key. Each person may change the map: what they changed is kept as
{act: key}, "" for no key.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotation import comparing
from annotation.models import LabelSchema, Verdict
from feedbackhub.capture.vocabulary import Severity

VERDICTS = "1234"
SEVERITIES = {
    Severity.NONE: "n",
    Severity.LOW: "l",
    Severity.MEDIUM: "m",
    Severity.HIGH: "h",
    Severity.CRITICAL: "c",
}
CATEGORIES = "qwertyuiopzxvb"
ROOT_CAUSES = "asdfgjk9"
RUBRIC = ";:*%"  # each leads to its scores, which the arrows choose
SPAN_LABELS = "12345678"  # while text is selected
STRIKE = "x"  # these too
CITES = "90"
PLACES = {
    "correction": "5",
    "note": "6",
    "view": "7",
    "skip": "8",
    "fold_queue": "0",
    "like_this": ".",
    "suggestion": ",",
    "raw_diff": "+",  # no sign that shares a key with a digit on QWERTY, QWERTZ or AZERTY
    "together": "=",
}
PREFERENCES = "ab=x"  # while two answers are compared
REASONS = "qwertyui"
SUBMIT = "mod+enter"
TAKEN = "/?"  # the frame's own

_KEY = re.compile(r"[^\W_]|[^\w\s]")


@dataclass(frozen=True)
class Act:
    """Something that a key does."""

    name: str
    label: str
    group: str
    default: str

    @property
    def scope(self) -> str:
        """Marks have their keys while text is selected, preferences while two answers are compared."""
        if self.name == "strike" or self.name.startswith(("mark:", "cite:")):
            return "mark"
        return "pair" if self.name.startswith(("prefer:", "reason:")) else "screen"


class KeyMap:
    """The keys of one person: their own where they chose some, else the house's."""

    def __init__(self, own: dict | None = None):
        self.own = own or {}

    def key(self, act: str, default: str) -> str:
        return self.own.get(act, default)

    def nth(self, act: str, keys: str, place: int) -> str:
        """Of the nth of a list; what stands further back has none unless somebody chose it."""
        return self.key(act, keys[place] if place < len(keys) else "")

    @property
    def places(self) -> dict[str, str]:
        return {name: self.key(name, default) for name, default in PLACES.items()}


def acts_of(schemas: Iterable[LabelSchema]) -> list[Act]:
    """All that has a key, or could have one, under these schemas; each once."""
    acts = [
        Act(f"verdict:{value}", _(label), _("Verdict"), VERDICTS[place])
        for place, (value, label) in enumerate(Verdict.choices)
    ]
    acts += [
        Act(f"severity:{value}", str(label).capitalize(), _("Severity"), SEVERITIES[value])
        for value, label in Severity.choices
    ]
    for schema in schemas:
        for kind, group, rows, keys in (
            ("category", _("Category"), schema.categories, CATEGORIES),
            ("cause", _("Cause"), schema.root_causes, ROOT_CAUSES),
            ("rubric", _("Criteria, then arrows"), schema.rubric, RUBRIC),
            ("mark", _("Marks, while text is selected"), schema.span_labels, SPAN_LABELS),
        ):
            acts += [
                Act(f"{kind}:{row['key']}", row["name"], group, keys[n] if n < len(keys) else "")
                for n, row in enumerate(rows)
            ]
    selected = _("Marks, while text is selected")
    acts.append(Act("strike", _("Strike from the correction"), selected, STRIKE))
    acts += [
        Act(f"cite:{n}", _("Cite source %(n)d in the correction") % {"n": n}, selected, key)
        for n, key in enumerate(CITES, 1)
    ]
    compared = _("While two answers are compared")
    for kind, words, keys in (
        ("prefer", comparing.CHOICES, PREFERENCES),
        ("reason", comparing.REASONS, REASONS),
    ):
        acts += [
            Act(f"{kind}:{value}", str(label), compared, keys[n])
            for n, (value, label) in enumerate(words.items())
        ]
    names = {
        "correction": _("Write the correction"),
        "note": _("Write a note"),
        "view": _("Rendered or raw"),
        "skip": _("Skip"),
        "fold_queue": _("Fold the queue"),
        "like_this": _("Settle like the first similar case"),
        "suggestion": _("Take the suggestion"),
        "raw_diff": _("Correction side by side or inline"),
        "together": _("Tick all look-alikes"),
    }
    acts += [Act(name, names[name], _("The screen"), key) for name, key in PLACES.items()]
    return list({act.name: act for act in reversed(acts)}.values())[::-1]


def conflicts(acts: list[Act], chosen: dict[str, str]) -> dict[str, list[Act]]:
    """For each act whose key another one has too: those others."""
    by_key = defaultdict(list)
    for act in acts:
        if key := chosen.get(act.name, act.default):
            by_key[act.scope, key].append(act)
    return {
        act.name: [other for other in sharing if other is not act]
        for sharing in by_key.values()
        if len(sharing) > 1
        for act in sharing
    }


def is_possible(key: str) -> bool:
    """One letter, digit or sign that a keyboard types alone; or none."""
    return key == "" or (len(key) == 1 and bool(_KEY.fullmatch(key)) and key not in TAKEN)
