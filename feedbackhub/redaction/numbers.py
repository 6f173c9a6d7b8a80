"""Long numbers: payment cards, national identities, phone numbers.

All need seven digits that stand near one another, so one scan for those clusters finds the few places
worth a closer look. A checksum decides where there is one. Bare digits with a weak checksum (a Dutch BSN, a
German tax id) would claim every tenth order number; those are masked where a label announces them.
"""

import re
from collections.abc import Iterator
from itertools import count

from .checksums import international_phone, is_luhn, is_valid
from .codes import any_of
from .reading import Span, is_date, merge

_CLUSTER = re.compile(r"[0-9](?:[ .\-/()]{0,3}+[0-9]){6,4000}+")
# A number stands alone: not inside a word, a decimal, a path or a longer code.
_ALONE = r"(?<![\w.,/+-])"
_DONE = r"(?!\w|[-.,/][0-9])"
# A checksum of python-stdnum costs some 10 µs, a question to phonenumbers 150. A text with more
# candidates than this is a list of them: from there on the form alone decides.
_MOST_CHECKSUMS = 5_000
_MOST_PHONES = 1_000


def find_numbers(text: str) -> list[Span]:
    """Cards, national identities and phone numbers."""
    spans: list[Span] = []
    checksums, phones = count(), count()
    for cluster in _CLUSTER.finditer(text):
        start, end = cluster.span()
        if end - start == 10 and is_date(text, start):
            continue
        spans += _cards(text, start, end)
        spans += _national_ids(text, start, end, checksums)
        spans += _phones(text, start, end, phones)
    return merge(spans)


_CARD = re.compile(
    rf"{_ALONE}(?:[2-6][0-9]{{12,18}}"
    r"|[2-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
    rf"|3[0-9]{{3}}([ -])[0-9]{{6}}\2[0-9]{{4,5}}){_DONE}"
)
# The first digits that issuers were given, from and to, with the lengths of their numbers.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14, 16)),
    ("38", "39", (14, 16)),
    ("3528", "3589", (16,)),  # JCB
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("50", "50", (16, 18, 19)),  # Maestro
    ("56", "58", (16, 18, 19)),
    ("67", "67", (16, 18, 19)),
)


def _cards(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _CARD.finditer(text, start, end + 2):  # with the border behind
        digits = match[0].replace(" ", "").replace("-", "")
        issued = any(
            first <= digits[: len(first)] <= last and len(digits) in lengths
            for first, last, lengths in _ISSUERS
        )
        if issued and is_luhn(digits):
            yield *match.span(), "CARD"


# How a national identity is written (9 a digit, A a capital), and the modules of python-stdnum that
# know its checksum; where none is named, the form alone decides.
_FORMS = {
    # with punctuation of its own
    "999-99-9999": (),  # United States, social security
    "999.999.999-99": ("br.cpf",),
    "99.999.999-9": ("cl.rut",),
    "99.999.999-A": ("cl.rut",),
    "756.9999.9999.99": ("ch.ssn",),
    "99.99.99-999.99": ("be.nn",),
    "999999-9999": ("se.personnummer", "fi.hetu"),
    "99999999-9999": ("se.personnummer",),
    "999999/9999": ("cz.rc",),
    "999999-9999999": ("kr.rrn",),
    "9999 9999 9999": ("in_.aadhaar",),
    "9999-9999-9999": ("in_.aadhaar",),
    "999-999-999": ("ca.sin",),
    "999 999 9999": ("gb.nhs",),
    "99-99999999-9": ("ar.cuit",),
    "9-9999-99999-99-9": ("th.pin",),
    "9 99 99 99 999 999 99": ("fr.nir",),
    # digits before a letter
    "99999999A": ("es.dni",),
    "99999999-A": ("es.dni",),
    "9999999A": ("ie.pps",),
    "9999999AA": ("ie.pps",),
    "999999-999A": ("fi.hetu",),
    "99999999999999999A": ("cn.ric",),
    # bare digits with two check digits, or with a date and one
    "999999999999999999": ("cn.ric",),
    "999999999999999": ("fr.nir",),
    "99999999999": ("no.fodselsnummer", "tr.tckimlik", "be.nn"),
}
_MODULES = tuple(_FORMS.values())
_NATIONAL_ID = re.compile(_ALONE + any_of(_FORMS) + _DONE)


def _national_ids(text: str, start: int, end: int, asked: Iterator[int]) -> Iterator[Span]:
    for match in _NATIONAL_ID.finditer(text, start, end + 4):  # with two letters and the border
        modules = _MODULES[match.lastindex - 1]
        if next(asked) >= _MOST_CHECKSUMS or is_valid(match[0], modules):
            yield *match.span(), "NATIONAL_ID"


# A + is no sum's when it begins a number or stands right behind the end of one.
_INTERNATIONAL = re.compile(
    rf"(?:(?:(?<![\w+])|(?<=[0-9]{{4}}))\+\(?|{_ALONE}00)[1-9](?:[ .\-/()]{{0,2}}+[0-9]){{6,14}}+"
)
# Sure by their form: North America's, pairs as in France, mobile numbers in one piece.
_BY_FORM = re.compile(
    rf"{_ALONE}(?:(?:1[-. ])?(?:\([2-9][0-9]{{2}}\) ?[0-9]{{3}}[-. ]"
    r"|[0-9]{3}([-.])[0-9]{3}\1|[2-9][0-9]{2} [2-9][0-9]{2}[- ])[0-9]{4}"
    r"|0[1-9](?:[ .-][0-9]{2}){4}"
    rf"|0(?:7[0-9]{{9}}|[67][0-9]{{8}}|1[567][0-9]{{8,9}}|4[0-9]{{8}})){_DONE}"
)
# Elsewhere a number within the country begins with 0 and is written in groups.
_NATIONAL = re.compile(
    rf"{_ALONE}(?:\(0[1-9][0-9]{{0,4}}\) ?|0[1-9][0-9]{{0,4}}[ /-])"
    rf"[0-9]{{2,8}}(?:[ -][0-9]{{2,8}}){{0,4}}+{_DONE}"
)
# A date, a ZIP code.
_NO_PHONE = re.compile(r"[0-9]{2}[-/ ][0-9]{2}[-/ ](?:19|20)[0-9]{2}|[0-9]{5}-[0-9]{4}$")


def _phones(text: str, start: int, end: int, asked: Iterator[int]) -> Iterator[Span]:
    start, end = max(0, start - 2), end + 2  # the + or ( before, the border behind
    for match in _INTERNATIONAL.finditer(text, start, end):
        length = _phone_length(match[0]) if next(asked) < _MOST_PHONES else len(match[0])
        if length:
            yield match.start(), match.start() + length, "PHONE"
    for match in _BY_FORM.finditer(text, start, end):
        yield *match.span(), "PHONE"
    for match in _NATIONAL.finditer(text, start, end):
        if _is_grouped_like_a_phone(match[0]):
            yield *match.span(), "PHONE"


def _is_grouped_like_a_phone(number: str) -> bool:
    """Nine to twelve digits that, unlike those of drug codes, do not end in a pair."""
    digits = sum(map(str.isdigit, number))
    return 9 <= digits <= 12 and number[-3:].isdigit() and not _NO_PHONE.match(number)


def _phone_length(candidate: str) -> int:
    """How many characters of an international candidate are the number; 0 when it is none.

    Grouped with hyphens or brackets it is one even where the country has no such number: people
    write invented ones, and old ones.
    """
    if candidate.startswith("00"):
        known = international_phone("+" + candidate[2:])
        return len(known) + 1 if known else 0
    known = international_phone(candidate)
    return len(known) or (len(candidate) if "-" in candidate or ")" in candidate else 0)
