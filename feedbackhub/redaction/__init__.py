"""Masks personal data and secrets before anything is stored (DESIGN §3, rule 2).

``redact`` masks a text, ``redact_json`` every string of a JSON value. What was found is replaced by its
kind, as ``[EMAIL]`` or ``[CARD]``, and counted; it is kept nowhere. Promised of both:

- redacting twice changes nothing and counts nothing;
- text outside the edits is untouched, and offsets into it can be remapped;
- time grows in proportion to the text, whatever the text.

Checksums decide where they exist, labels ("passport no. …") where they do not. Names, street addresses
and secrets that nothing announces stay: a person's eyes, or the ``[names]`` extra, find those.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from .addresses import find_emails, find_ips
from .codes import find_codes
from .credentials import find_api_keys, find_jwts, find_private_keys, find_url_passwords
from .labels import find_labelled, kind_by_key
from .numbers import find_numbers
from .reading import BLANK, Span, blank, reading_copy

VERSION = "1"
"""Which rules masked a text; stands in manifests. Goes up when the same text would be masked otherwise."""

KINDS = frozenset(
    {
        *("EMAIL", "PHONE", "IP", "BIRTH_DATE"),
        *("CARD", "IBAN", "BANK_ACCOUNT"),
        "NATIONAL_ID",  # given by a state: social security, passport, licence, tax id
        "PERSONAL_ID",  # given by a house to its patient, member, employee, customer
        *("PASSWORD", "API_KEY", "JWT", "PRIVATE_KEY"),
    }
)

# Each detector with the kinds it finds, the surest and longest first: later ones read the text with what
# was found blanked out.
_DETECTORS: tuple[tuple[Callable[[str], list[Span]], frozenset[str]], ...] = (
    (find_private_keys, frozenset({"PRIVATE_KEY"})),
    (find_jwts, frozenset({"JWT"})),
    (find_url_passwords, frozenset({"PASSWORD"})),
    (find_api_keys, frozenset({"API_KEY"})),
    (find_emails, frozenset({"EMAIL", "PASSWORD"})),
    (find_codes, frozenset({"IBAN", "NATIONAL_ID"})),
    (find_labelled, KINDS),
    (find_numbers, frozenset({"CARD", "NATIONAL_ID", "PHONE"})),
    (find_ips, frozenset({"IP"})),
)

# What can be masked holds one of these; most strings of a JSON value, and many an answer, hold none.
_SIGNAL = re.compile(
    r"[0-9@%]|[Pp](?:[Aa][Ss][Ss]|[Ww][Dd]|RIVATE KEY)|eyJ|(?i:kennwort|wachtwoord|contrase|senha)"
)
_MASK = re.compile(rf"\[(?:{'|'.join(sorted(KINDS))})\]")
_SHORTEST = 5  # nothing shorter is found
_SHORTEST_CARD = 13
# Masking one thing can free another that leaned on it, so sweeps go on until one finds nothing. Ordinary
# texts need one or two; the limit bounds the time for texts built to need more.
_MOST_SWEEPS = 5


class Edit(NamedTuple):
    """One masked region, in code points of the original text."""

    start: int
    end: int
    replacement: str


class Redacted(NamedTuple):
    """A text without what had to go, how much of which kind that was, and where."""

    text: str
    counts: dict[str, int]
    edits: list[Edit]

    def remap(self, offset: int, *, end: bool = False) -> int:
        """Where an offset of the original text lies in the redacted one.

        Inside a masked region that is the mask's beginning, or with ``end`` its end: a span that touches
        a secret covers the whole mask afterwards.
        """
        shift = 0
        for edit in self.edits:
            if offset <= edit.start:
                break
            if offset < edit.end:
                return edit.start + shift + (len(edit.replacement) if end else 0)
            shift += len(edit.replacement) - (edit.end - edit.start)
        return offset + shift


def redact(text: str, *, enabled: frozenset[str] | None = None) -> Redacted:
    """Mask what is personal or secret in a text; ``enabled`` names the only kinds to look for."""
    spans = _find(text, KINDS if enabled is None else enabled) if len(text) >= _SHORTEST else []
    if not spans:
        return Redacted(text, {}, [])
    edits = [Edit(start, end, f"[{kind}]") for start, end, kind in sorted(spans)]
    pieces = []
    seen = 0
    for edit in edits:
        pieces += text[seen : edit.start], edit.replacement
        seen = edit.end
    pieces.append(text[seen:])
    return Redacted("".join(pieces), dict(Counter(kind for *_, kind in spans)), edits)


def _find(text: str, enabled: frozenset[str]) -> list[Span]:
    """Everything to be masked, in offsets of the text."""
    reading, places = reading_copy(text)
    if not _SIGNAL.search(reading):
        return []
    if "[" in reading:
        reading = _MASK.sub(lambda mask: BLANK * len(mask[0]), reading)
    found: list[Span] = []
    for _ in range(_MOST_SWEEPS):
        before = len(found)
        for detector, kinds in _DETECTORS:
            if kinds.isdisjoint(enabled):
                continue
            spans = detector(reading)
            if spans:
                spans = [span for span in spans if span[2] in enabled]
                reading = blank(reading, spans)
                found += spans
        if len(found) == before:
            break
    if places is None:
        return found
    return [(places[start], places[end - 1] + 1, kind) for start, end, kind in found]


def redact_json(value: Any, *, enabled: frozenset[str] | None = None) -> tuple[Any, dict[str, int]]:
    """Mask every string of a JSON value, keys too, and what a key says is secret; return it and counts.

    ``{"password": "swordfish", "card": 4111111111111111}`` loses both, though neither value gives itself
    away as text. Keys that become the same mask stay apart, so no value is lost. The depth is
    the caller's to bound (RELIABILITY §2).
    """
    counts: Counter[str] = Counter()
    spare = count(2)

    def masked(text: str) -> str:
        redacted = redact(text, enabled=enabled)
        counts.update(redacted.counts)
        return redacted.text

    def scalar(value: str | int, key: str) -> str | int:
        text = str(value)
        kind = kind_by_key(key, text) if key and not _MASK.search(text) else None
        if kind and (enabled is None or kind in enabled):
            counts[kind] += 1
            return f"[{kind}]"
        if isinstance(value, str):
            return masked(value)
        if len(text) >= _SHORTEST_CARD and _MASK.fullmatch(redact(text, enabled=enabled).text):
            return masked(text)
        return value

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            walked: dict[str, Any] = {}
            for name, child in value.items():
                shown = unused = masked(name)
                while unused in walked:
                    unused = f"{shown} ({next(spare)})"
                walked[unused] = walk(child, unused)
            return walked
        if isinstance(value, list):
            return [walk(child, key) for child in value]
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return scalar(value, key)
        return value

    return walk(value), dict(counts)
