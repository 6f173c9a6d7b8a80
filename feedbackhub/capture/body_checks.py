"""Checks of what callers send: a check is a function from a value to the value to keep, and raises `Wrong`.

Types are strict (no number for text, no true for 1), unknown fields are faults, `null` is the same as left out. Written by
hand, and not as serializers, because every captured row passes through here.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.utils import timezone

from feedbackhub.api.strict_json import is_storable, join_path, path_of, walk

TEXT_LIMIT = 262_144
ID_LIMIT = 200
MAX_ERRORS = 50  # the answer names so many; a body can hold thousands
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(hours=24)


class Wrong(Exception):
    """What a check found: where below the value, and a sentence, for each fault."""

    def __init__(self, message: str = "", faults: list["Fault"] | None = None):
        self.faults = faults or [("", message)]

    def under(self, key: str | int) -> list["Fault"]:
        here = join_path("", key)
        return [
            (here + (path if path[:1] in ("", "[") else f".{path}"), message)
            for path, message in self.faults
        ]


class UnknownField:
    """The sentence for a field that does not exist; it looks for the one meant only when it is said."""

    def __init__(self, key: str, fields: Collection[str]):
        self.key, self.fields = key, fields

    def __str__(self) -> str:
        near = get_close_matches(self.key, self.fields, n=1) if len(self.key) <= 40 else ()
        return "There is no such field." + (f" Did you mean {near[0]}?" if near else "")


Fault = tuple[str, str | UnknownField]  # a path and what is wrong there
Check = Callable[[Any], Any]


_NOT_STORABLE = "It holds U+0000 or half of a surrogate pair."


def text(limit: int = TEXT_LIMIT, *, may_be_empty: bool = True) -> Check:
    def check(value: Any) -> str:
        if type(value) is not str:
            raise Wrong(f"It must be text, not {_kind_of(value)}.")
        if len(value) > limit:
            raise Wrong(f"It is longer than {limit:,} characters.")
        if not (value or may_be_empty):
            raise Wrong("It may not be empty.")
        if not is_storable(value):
            raise Wrong(_NOT_STORABLE)
        return value

    return check


def matching(pattern: str, sentence: str, *, limit: int) -> Check:
    is_text, matches = text(limit), re.compile(pattern).fullmatch

    def check(value: Any) -> str:
        if not matches(is_text(value)):
            raise Wrong(sentence)
        return value

    return check


def one_of(choices: Collection[str]) -> Check:
    known = {str(getattr(choice, "value", choice)): choice for choice in choices}
    sentence = f"It must be {'one of ' if len(known) > 1 else ''}{', '.join(known)}."

    def check(value: Any) -> Any:
        if type(value) is not str:
            raise Wrong(f"It must be text, not {_kind_of(value)}.")
        choice = known.get(value)
        if choice is None:
            raise Wrong(sentence)
        return choice

    return check


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    def check(value: Any) -> float:
        kind = type(value)
        if kind is not float and kind is not int:
            raise Wrong(f"It must be a number, not {_kind_of(value)}.")
        if not least <= value <= most or (kind is float and not math.isfinite(value)):
            raise Wrong(_range(least, most))
        return value

    return check


def integer(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int:
            raise Wrong(f"It must be a whole number, not {_kind_of(value)}.")
        if not least <= value <= most:
            raise Wrong(_range(least, most))
        return value

    return check


def flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Wrong(f"It must be true or false, not {_kind_of(value)}.")
    return value


def moment(value: Any) -> datetime:
    """RFC 3339 with an offset, in ASCII digits, from 2000-01-01 to a day ahead; in UTC afterwards."""
    if type(value) is not str:
        raise Wrong(f"It must be a time as text, not {_kind_of(value)}.")
    if len(value) > 40 or not _RFC3339(value):
        raise Wrong("It must be a time with its offset, as 2026-01-31T12:00:00Z.")
    try:
        found = datetime.fromisoformat(value.upper())
    except ValueError:
        raise Wrong("There is no such time.") from None
    # Years at the edge of the calendar cannot be moved to UTC.
    if not 2 <= found.year <= 9998 or not EARLIEST <= found <= timezone.now() + MAX_AHEAD:
        raise Wrong("It must lie between 2000-01-01 and 24 hours from now.")
    return found.astimezone(UTC)


_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch


def json_object(value: Any) -> dict[str, Any]:
    """Any JSON object, the texts in it within the limit."""
    if type(value) is not dict:
        raise Wrong(f"It must be an object, not {_kind_of(value)}.")
    faults: list[Fault] = []
    for steps, part in walk(value):
        kind = type(part)
        if kind is str:
            if len(part) > TEXT_LIMIT:
                faults.append((path_of(steps), f"It is longer than {TEXT_LIMIT:,} characters."))
            elif not is_storable(part):
                faults.append((path_of(steps), _NOT_STORABLE))
        elif kind is dict:
            for key in part:
                if type(key) is not str or len(key) > TEXT_LIMIT or not is_storable(key):
                    faults.append((path_of(steps), "A key in it cannot be stored."))
                    raise Wrong(faults=faults)
        elif kind is float:
            if not math.isfinite(part):
                faults.append((path_of(steps), "It must be a finite number."))
        elif kind not in _SCALARS:
            faults.append((path_of(steps), "It is not JSON."))
        if len(faults) > MAX_ERRORS:
            break
    if faults:
        raise Wrong(faults=faults)
    return value


_SCALARS = frozenset({int, float, bool, type(None)})


class list_of:
    """A list, every entry checked."""

    def __init__(self, check: Check, most: int):
        self.check, self.most = check, most

    def __call__(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise Wrong(f"It must be a list, not {_kind_of(value)}.")
        if len(value) > self.most:
            raise Wrong(f"It has more than {self.most:,} entries.")
        check = self.check
        try:
            return [check(part) for part in value]
        except Wrong:
            raise Wrong(faults=self._faults(value)) from None

    def _faults(self, value: list[Any]) -> list[Fault]:
        faults: list[Fault] = []
        for index, part in enumerate(value):
            if len(faults) > MAX_ERRORS:
                break
            try:
                self.check(part)
            except Wrong as wrong:
                faults += wrong.under(index)
        return faults


class object_of:
    """An object with these fields; returns those that were given, checked.

    `together` sees what passed and reports what does not fit together.
    """

    def __init__(
        self,
        fields: Mapping[str, Check],
        *,
        required: Collection[str] = (),
        together: Callable[[dict[str, Any], Callable[[str, str], None]], None] | None = None,
    ):
        self.fields, self.required, self.together = dict(fields), tuple(required), together

    def __call__(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Wrong(f"It must be an object, not {_kind_of(value)}.")
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        fields = self.fields
        for key, part in value.items():
            check = fields.get(key)
            if check is None:
                faults.append(self._unknown(key))
            elif part is not None:
                try:
                    found[key] = check(part)
                except Wrong as wrong:
                    faults += wrong.under(key)
        for key in self.required:
            if key not in found and value.get(key) is None:
                faults.append((key, "It is missing."))
        if self.together:
            self.together(found, lambda key, message: faults.append((key, message)))
        if faults:
            raise Wrong(faults=faults)
        return found

    def _unknown(self, key: Any) -> Fault:
        if type(key) is not str:
            return "", "A key in it is not text."
        return join_path("", key), UnknownField(key, self.fields)


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value), "something else")


_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number with decimals",
    str: "text",
    list: "a list",
    dict: "an object",
}


def _range(least: float, most: float) -> str:
    if math.isinf(least) and math.isinf(most):
        return "It must be a finite number."
    return f"It must lie between {least:,} and {most:,}."


identifier = text(ID_LIMIT, may_be_empty=False)  # any characters, blanks at the ends kept
name = text(ID_LIMIT)
