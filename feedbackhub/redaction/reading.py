"""What the detectors read: a copy of the text without the disguises that digits and letters wear.

Detectors know ASCII conventions only. The copy shows them Arabic-Indic or full-width digits as ``0-9``,
typographic dashes, spaces and quotes as their plain forms, and leaves out characters nobody sees
(zero-width, bidi marks, soft hyphens). Ordinary ASCII text is its own copy, at no cost.

``BLANK`` stands where something is already masked. No pattern's value holds it and no pattern counts how
long it is, so that a text reads the same before and after its masks have been put in.
"""

import re
import unicodedata
from operator import itemgetter

BLANK = "\0"

Span = tuple[int, int, str]  # start, end, kind

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_DISGUISED = re.compile(
    "[\u00a0\u00ab\u00b4\u00bb\u1680\u2000-\u200a\u2010-\u2013\u2015\u2018-\u201f"
    "\u202f\u2032\u2033\u205f\u2212\u3000\ufe6b\uff01-\uff5e]"
)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")


def _plain(match: re.Match[str]) -> str:
    character = match[0]
    if character >= "\uff01":
        return chr(ord(character) - 0xFEE0)
    if character == "\ufe6b":
        return "@"
    if character in "‘’‚‛′´":
        return "'"
    if character in "“”„‟″«»":
        return '"'
    return "-" if unicodedata.category(character) in ("Pd", "Sm") else " "


def reading_copy(text: str) -> tuple[str, list[int] | None]:
    """Return what the detectors read, and where each of its characters stands in ``text``.

    The places are ``None`` when nothing was left out, so that offsets are equal.
    """
    if text.isascii():
        return (text.replace(BLANK, " ") if BLANK in text else text), None
    copy = _DISGUISED.sub(_plain, text.replace(BLANK, " "))
    if _FOREIGN_DIGIT.search(copy):
        copy = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), copy)
    if not _INVISIBLE.search(copy):
        return copy, None
    places = [index for index, char in enumerate(copy) if not _INVISIBLE.match(char)]
    return _INVISIBLE.sub("", copy), places


def blank(text: str, spans: list[Span]) -> str:
    """Put BLANK in the place of each span; the spans are sorted and do not overlap."""
    pieces = []
    seen = 0
    for start, end, _ in spans:
        pieces += text[seen:start], BLANK * (end - start)
        seen = end
    pieces.append(text[seen:])
    return "".join(pieces)


def merge(spans: list[Span]) -> list[Span]:
    """What two patterns claim is masked once, under the kind of the one that begins first."""
    if len(spans) < 2:
        return spans
    merged: list[Span] = []
    for start, end, kind in sorted(spans, key=itemgetter(0)):
        if merged and start < merged[-1][1]:
            first, last, first_kind = merged[-1]
            merged[-1] = (first, max(last, end), first_kind)
        else:
            merged.append((start, end, kind))
    return merged


_ISO_DATE = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9-])")


def is_date(text: str, start: int) -> bool:
    """Whether an ISO date stands here: the one long number that ordinary text is full of."""
    return _ISO_DATE.match(text, start) is not None
