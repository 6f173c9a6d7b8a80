"""A label, then a value: "password is …", "passport no. …", "account number ending in …".

Many secrets have neither a checksum nor a shape of their own; the words before them tell. A label is
found by a stem of its word, looked up as a plain string, and its pattern runs only where one stands.
Labels of identifiers are looked for only in front of something that could be one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .passwords import is_password, is_token
from .reading import BLANK, Span, is_date, merge

Accept = Callable[[re.Match[str]], bool]


class Label(NamedTuple):
    """Words that announce a value of one kind, and what counts as that value."""

    kind: str
    stems: tuple[str, ...]
    pattern: re.Pattern[str]  # begins at the stem; its group "value" is what gets masked
    accept: Accept
    inside_words: bool  # dbPassword, myToken


def _label(
    kind: str, stems: str, pattern: str, *, accept: Accept, inside_words: bool = False
) -> Label:
    return Label(
        kind, tuple(stems.split("|")), re.compile(pattern, re.IGNORECASE), accept, inside_words
    )


def _always(match: re.Match[str]) -> bool:
    return True


# --- Secrets: said with a colon, an equals sign, "is", or quotes.

_SAYS = (
    r"(?P<link>\\?[\"']?\s{0,3}(?::=|[=-]>|[:=])\s{0,3}"
    r"|\s(?:(?:is|was|are|(?:re)?set to|changed to|ist|lautet|est|es)(?: now)?:? )?|:? (?=[\"'`]))"
    r"(?P<quote>\\?[\"'`])?"
)
_WORD = r"(?:(?!&\w{1,30}=)[^\s\"'`<>,;\0\\]){4,128}+"
_WORD_OR_QUOTE = rf"(?P<value>(?(quote)(?:(?!(?P=quote))[^\n\0]){{3,128}}+(?=(?P=quote))|{_WORD}))"
_LONG_WORD = r"(?P<value>[A-Za-z0-9_~+/=.:-]{12,512}+)"
_SHORT_CODE = (
    r"(?: (?:code|number))?(?:\\?[\"']?\s{0,2}[:=#]| is| was)\s{0,2}[\\\"'(]{0,2}"
    r"(?P<value>[0-9]{3,8}(?![0-9]))"
)
_DATE = (
    r"(?:\\?[\"']?\s{0,2}[:=(]| (?:is|was))?\s{0,2}[\\\"'(]{0,2}(?P<value>"
    r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
    r"|[0-9]{1,2}(?:st|nd|rd|th|\.)? [^\W\d_]{3,10},? [0-9]{4}"
    r"|[^\W\d_]{3,10}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})"
)

_SECRETS = (
    _label(
        "PASSWORD",
        "pass|pwd|kennwort|wachtwoord|contrase|senha",
        r"(?:pass(?:w(?:or[dt]|d)|phrase|code|e)s?|pwd|kennwort|wachtwoord|contraseña|contrasena|senha)"
        rf"(?![a-z])(?: (?:attempt|string|revealed)){{0,3}}{_SAYS}{_WORD_OR_QUOTE}",
        accept=is_password,
        inside_words=True,
    ),
    _label(
        "PASSWORD",
        "pin|otp|cvv|cvc|code",
        r"(?:pin|otp|cvv|cvc|(?:(?<=verification )|(?<=one-time )|(?<=security ))code)"
        rf"(?![a-z]){_SHORT_CODE}",
        accept=_always,
    ),
    _label(
        "API_KEY",
        "api|access|secret|token|auth",
        r"(?:(?:api|access|auth|account)[ _-]?(?:key|token)|secret|token)"
        rf"(?:[ _-]?(?:access|api))?(?:[ _-]?(?:key|token|id|value))?(?![a-z]){_SAYS}{_LONG_WORD}",
        accept=is_token,
        inside_words=True,
    ),
    _label(
        "API_KEY",
        "bearer |basic ",
        rf"(?:bearer|(?<=authorization: )basic) {_LONG_WORD}",
        accept=is_token,
    ),
    _label(
        "BIRTH_DATE",
        "birth|dob|geburtsdatum|naissance|nacimiento",
        r"(?:(?<=date of )birth|birth ?date|birth_date|dob|geburtsdatum|(?<=date de )naissance"
        rf"|(?<=fecha de )nacimiento)(?![a-z]){_DATE}",
        accept=_always,
    ),
)

# --- Identifiers: "number", then a link, then something with digits; each part may be missing.

_NUMBER = (  # "number", "card no.", "_id", "details"
    r"(?:[ _-]{0,2}(?:(?:numbers?|num|no\.?|nr\.?|n°|ids?|identifi\w{1,8}|codes?|cards?|details|data"
    r"|records?|info(?:rmation)?)(?![a-z])|#))"
)
_ASIDE = r"(?: (?:used )?for(?: [a-z-]{2,16}){1,5}?)?"  # "for premium payments"
_LINK = (
    r"(?:\\?[\"']?\s{0,2}(?:[:=#>(]|[-=]>)"
    r"|\s{1,2}(?:is|was|are|were|like|of|under|includ(?:es|ed|ing)|reads|ist|lautet|est|es"
    r"|(?P<ending>end(?:s|ing)(?: in| with)?))(?![a-z]))"
)
_OPEN = r"\s{0,2}[\\\"'(\[`*#_]{0,3}(?:e\.g\.,? )?(?:[A-Z]{2,6}: ?)?"
# One token, or short groups. Stars and X stand for digits that somebody masked in part.
_ID = (
    r"(?:(?:[0-9]{1,6}|[A-Z]{1,3}(?= [0-9]))(?: [0-9X*]{2,9}){1,7}+(?: [A-Z](?![A-Z]))?"
    r"|(?=[A-Z_./-]{0,24}[0-9*X])"
    r"(?:[A-Z0-9][A-Z0-9*_./-]{2,40}+|\*{1,12}[A-Z0-9][A-Z0-9*-]{2,20}+))"
)
_CARD = r"(?:[0-9X*]{1,6}(?:[ -][0-9X*]{2,6}){1,5}+|[0-9X*]{12,24}+|\*{1,12}[0-9]{3,4}|[0-9]{4}(?![0-9]))"
_IBAN = rf"(?:[A-Z]{{2}}[0-9]{{2}}(?: ?[A-Z0-9*]{{3,30}}){{1,8}}+|{_ID})"
_PAN = r"(?-i:[A-Z]{3,12}[0-9]{3,5}[A-Z]{0,3})(?![A-Za-z0-9])"
_PHONE = r"\+?\(?[0-9](?:[ .\-/()]{0,2}+[0-9]){6,14}+(?![0-9])"
_NOT_AN_ID = re.compile(
    r"(?:(?:19|20)[0-9]{2}(?:[-/.][0-9]{2}(?:[0-9]{2})?)?"  # a year, a tax year, a month
    r"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"  # a date
    r"|[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+\.[0-9]{1,2})[-/.]?$"  # an amount
)
_UNITS = ("%", " %", "€", " €", " EUR", " USD", " GBP")


def _identifier(
    kind: str,
    stems: str,
    rest: str = "",
    *,
    number: str = "{0,4}",
    value: str = _ID,
    least: int = 5,
) -> Label:
    """A label of something with at least so many digits; ``rest`` completes the stem's word."""

    def accept(match: re.Match[str]) -> bool:
        value = match["value"]
        digits = sum(map(str.isdigit, value))
        partly_shown = match["ending"] or "*" in value or "XX" in value.upper()
        code = value.isupper() and len(value) >= 8
        return (
            digits >= (min(3, least) if partly_shown or code else least)
            and not _NOT_AN_ID.match(value)
            and not match.string.startswith(_UNITS, match.end("value"))
        )

    words = f"(?:{'|'.join(map(re.escape, stems.split('|')))}){rest}(?:'s)?(?![a-z])"
    pattern = rf"{words}{_NUMBER}{number}{_ASIDE}{_LINK}{{0,3}}+{_OPEN}(?P<value>{value})"
    return _label(kind, stems, pattern, accept=accept)


_IDENTIFIERS = (
    _identifier(
        "NATIONAL_ID",
        "ssn|social security|national insurance|nino|nhs number|sozialversicherungsnummer|ahv"
        "|sécurité sociale|seguridad social|national id|identity card|id card|ausweis|personalausweis"
        "|medicare|medicaid|passport|reisepass|passeport|pasaporte|passaporto|voter id|dl:|führerschein"
        "|permis de conduire|carnet de conducir|aadhaar|aadhar|bsn|cnp|codice fiscale|cpf|cpr|curp|dni"
        "|egn|fødselsnummer|nie|oib|personnummer|pesel"
        "|taxpayer id|tax number|tax no|tin|itin|ein|nif|steuer-id|steuernummer|numéro fiscal",
    ),
    _identifier("NATIONAL_ID", "tax id|tax-id|tax_id|steuerid", "(?:enti(?:fication|fikations))?"),
    _identifier("NATIONAL_ID", "licen", "[cs]es?"),
    _identifier("NATIONAL_ID", "pan", value=_PAN, least=3),
    _identifier("CARD", "card", "s?", value=_CARD, least=12),
    _identifier("IBAN", "iban", "s?", value=_IBAN),
    _identifier("BANK_ACCOUNT", "account|acct", "s?", least=7),
    _identifier(
        "BANK_ACCOUNT",
        "routing|sort code|ifsc|micr|acc:|accnum|kontonummer|numéro de compte|número de cuenta"
        "|numero di conto|rekeningnummer",
        least=3,
    ),
    _identifier(
        "PERSONAL_ID",
        "patient|medical record|medical file|health|insurance|policy|policyholder|member|membership"
        "|employee|customer|student",
        "(?: policy)?",
        number="{1,4}",
    ),
    _identifier(
        "PERSONAL_ID", "mrn|id number|identification number|user id|versichertennummer|kundennummer"
    ),
    _identifier(
        "PHONE",
        "phone|telephone|mobile|cell|tel|fax|whatsapp|telefon|telefonnummer|teléfono|téléphone|tél"
        "|call me|ring me|reach me|text me",
        r"(?: at| on|\.)?",
        value=_PHONE,
        least=7,
    ),
)
# What could be an identifier: five digits near one another, digits masked in part or to be named by
# their end, capitals that run into digits. Each begins with one class or literal, to be searched fast.
_SIGNS = (
    re.compile(r"[0-9](?<![0-9]{2})(?:[ ./-]?[0-9]|[A-Z./_-]{1,6}[0-9]){4}"),
    re.compile(r"\*[0-9]{3}"),
    re.compile(r"XX"),
    re.compile(r"end(?:s|ing) "),
    re.compile(r"[A-Z][A-Z]{2}[0-9]{3}"),
)
_REACH = 120  # from the beginning of a label to its value


def _lower(text: str) -> str:
    """The text in lower case with every character in its place: only İ would become two."""
    return text.replace("İ", "I").lower()


_SECRET_STEMS = tuple((stem, label) for label in _SECRETS for stem in label.stems)
_IDENTIFIER_OF = {stem: label for label in _IDENTIFIERS for stem in label.stems}


def _any_of(stems: Iterable[str]) -> str:
    return "|".join(re.escape(stem) for stem in sorted(stems, key=len, reverse=True))


# Looking ahead lets stems overlap: "id card" and "card".
_IDENTIFIER_STEM = re.compile(rf"(?<![a-z0-9])(?=({_any_of(_IDENTIFIER_OF)}))")
_ANY_STEM = re.compile(_any_of([*_IDENTIFIER_OF, *(stem for stem, _ in _SECRET_STEMS)]))


def find_labelled(text: str) -> list[Span]:
    """Values that the words before them give away."""
    return merge([*_secrets(text, _lower(text)), *_identifiers(text)])


def _secrets(text: str, lowered: str) -> Iterator[Span]:
    for stem, label in _SECRET_STEMS:
        at = lowered.find(stem)
        while at >= 0:
            span = _value_at(label, text, at)
            if span:
                yield span
            at = lowered.find(stem, span[1] if span else at + len(stem))


def _identifiers(text: str) -> Iterator[Span]:
    for start, end in _promising(text):
        for stem in _IDENTIFIER_STEM.finditer(_lower(text[start:end])):
            if span := _value_at(_IDENTIFIER_OF[stem[1]], text, start + stem.start()):
                yield span


def _promising(text: str) -> list[tuple[int, int]]:
    """The places where an identifier's label may stand: before what could be one, after any mask."""
    places = []
    for sign in _SIGNS:
        for match in sign.finditer(text):
            end = match.start()
            if not is_date(text, end):
                start = max(0, end - _REACH)
                places.append((max(start, text.rfind(BLANK, start, end) + 1), end, ""))
    return [(start, end) for start, end, _ in merge(places)]


def _value_at(label: Label, text: str, start: int) -> Span | None:
    before = text[start - 1] if start else " "
    if before.isalnum() and before.isascii() and not label.inside_words:
        return None
    match = label.pattern.match(text, start)
    if not match or not label.accept(match):
        return None
    value = match["value"].rstrip(".)")  # the sentence's, not the value's
    start = match.start("value")
    return (start, start + len(value), label.kind) if value else None


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def kind_by_key(key: str, value: str) -> str | None:
    """The kind that a JSON key says its whole value is: ``dbPassword``, ``passport_no``."""
    if not _ANY_STEM.search(_lower(key)):
        return None
    said = _CAMEL.sub("_", key) + ': "'
    text = said + value.strip().replace('"', "'") + '"'
    lowered = _lower(said)
    spans = [*_secrets(text, lowered)]
    for stem in _IDENTIFIER_STEM.finditer(lowered):
        spans.append(_value_at(_IDENTIFIER_OF[stem[1]], text, stem.start()))
    for span in spans:
        if span and span[0] <= len(said) and span[1] >= len(text) - 2:
            return span[2]
    return None
