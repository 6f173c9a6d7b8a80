"""Codes of capitals and digits: bank accounts (IBAN) and the identities that some states give.

All begin with a capital at a border, so one scan for those finds the few places worth a closer look.
"""

import re
from collections.abc import Iterable

from .checksums import is_mod_97, is_valid
from .reading import Span

# The capital is matched before its border, which lets the regex engine skip to capitals.
_START = re.compile(r"[A-Z](?<![\w.,/+-][A-Z])(?=[A-Z0-9 -]{7})")
_DONE = r"(?!\w)"

# Each country's IBAN has one length (SWIFT's IBAN registry).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_IBAN_OF_LENGTH = {
    length: re.compile(rf"[A-Z]{{2}}[0-9]{{2}}(?:[ -]?[A-Z0-9]){{{length - 4}}}{_DONE}")
    for length in set(_IBAN_LENGTHS.values())
}


def written_as(form: str) -> str:
    """The pattern of a form in which 9 stands for a digit and A for a capital."""
    return re.escape(form).replace("9", "[0-9]").replace("A", "[A-Z]")


def any_of(forms: Iterable[str]) -> str:
    """A pattern with each form in a group of its own, whose number tells which one matched."""
    return "(?:" + "|".join(f"({written_as(form)})" for form in forms) + ")"


# How an identity is written, and the modules of python-stdnum that know its checksum.
_FORMS = {
    "AAAAAA99A99A999A": ("it.codicefiscale",),
    "AAAA999999AAAAAA99": ("mx.curp",),
    "AAAA999999AAAAAAA9": ("mx.curp",),
    "AAAAA9999A": ("in_.pan",),
    "A9999999A": ("es.nie",),
    "A-9999999-A": ("es.nie",),
}
_MODULES = tuple(_FORMS.values())
_IDENTITY = re.compile(any_of(_FORMS) + _DONE)
# British national insurance has no checksum, but letters that are never given out.
_BRITISH = re.compile(
    r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]" + _DONE
)


def find_codes(text: str) -> list[Span]:
    """IBANs by their country's length and checksum, identities by their form and checksum."""
    spans = []
    seen = 0
    for capital in _START.finditer(text):
        start = capital.start()
        if start >= seen and (found := _code_at(text, start)):
            end, kind = found
            spans.append((start, end, kind))
            seen = end
    return spans


def _code_at(text: str, start: int) -> tuple[int, str] | None:
    length = _IBAN_LENGTHS.get(text[start : start + 2])
    iban = _IBAN_OF_LENGTH[length].match(text, start) if length else None
    if iban and is_mod_97(iban[0].replace(" ", "").replace("-", "")):
        return iban.end(), "IBAN"
    identity = _IDENTITY.match(text, start)
    if identity and is_valid(identity[0], _MODULES[identity.lastindex - 1]):
        return identity.end(), "NATIONAL_ID"
    british = _BRITISH.match(text, start)
    return (british.end(), "NATIONAL_ID") if british else None
