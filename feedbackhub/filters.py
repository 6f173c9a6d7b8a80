"""Filters and ordering are allow-lists of names: the one place through which every list, page or API, turns words of a
query string into conditions. A name that is not listed is an error; no name ever reaches the ORM as it came.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

PAGING = ("cursor", "limit")
LIMIT, MOST = 50, 200
_LONGEST = 500


@dataclass(frozen=True)
class Filter:
    """`read` turns one word into a value or raises ValueError with a sentence; `condition` turns values into a Q."""

    read: Callable[[str], Any]
    condition: Callable[[list], Q]
    choices: tuple[str, ...] = ()


def one_of(field: str, choices) -> Filter:
    """Any of the values given, each from a fixed set."""
    allowed = tuple(str(choice) for choice in choices)

    def read(word):
        if word not in allowed:
            raise ValueError(f"One of {', '.join(allowed)}.")
        return word

    return Filter(read, lambda values: Q(**{f"{field}__in": values}), allowed)


def text(field: str) -> Filter:
    """Exactly one of the words given."""
    return Filter(_plain, lambda values: Q(**{f"{field}__in": values}))


def words(condition: Callable[[str], Q]) -> Filter:
    """Words to look for in texts; `condition` says how."""
    return Filter(_plain, lambda values: condition(" ".join(values)))


def since(field: str) -> Filter:
    return Filter(_time, lambda values: Q(**{f"{field}__gte": max(values)}))


def until(field: str) -> Filter:
    return Filter(_time, lambda values: Q(**{f"{field}__lt": min(values)}))


def public_id(field: str) -> Filter:
    return Filter(_uuid, lambda values: Q(**{f"{field}__in": values}))


def yes_no(condition: Q) -> Filter:
    """`yes` asks for the condition, `no` for its opposite."""

    def read(word):
        if word not in ("yes", "no"):
            raise ValueError("yes or no.")
        return word

    return Filter(
        read, lambda values: condition if values[-1] == "yes" else ~condition, ("yes", "no")
    )


def conditions(
    given: QueryDict, filters: Mapping[str, Filter], others=PAGING
) -> tuple[Q, list[dict]]:
    """What the query string asks for, and what is wrong with it: [{"field", "message"}].

    `others` are names that mean something else to the caller. An empty word asks for nothing.
    """
    asked, errors = Q(), []
    for name in given:
        values = [word for word in given.getlist(name) if word != ""]
        if name in filters:
            try:
                read = [filters[name].read(word) for word in values[:50]]
            except ValueError as wrong:
                errors.append({"field": name, "message": str(wrong)})
            else:
                if read:
                    asked &= filters[name].condition(read)
        elif name not in others:
            known = ", ".join([*filters, *others])
            errors.append(
                {
                    "field": _plain_or_less(name),
                    "message": f"There is no such filter. Known: {known}.",
                }
            )
    return asked, errors


def page_size(given: str | None, errors: list) -> int:
    """`limit`, 1 to 200; 50 where none is given."""
    if given is None:
        return LIMIT
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= MOST:
        return int(given)
    errors.append({"field": "limit", "message": f"A whole number from 1 to {MOST}."})
    return LIMIT


def _plain(word: str) -> str:
    if "\0" in word or len(word) > _LONGEST or not word.isprintable():
        raise ValueError(f"Plain text of at most {_LONGEST} characters.")
    return word


def _plain_or_less(name: str) -> str:
    return "".join(c for c in name[:80] if c.isprintable())


def _time(word: str) -> datetime:
    try:
        found = datetime.fromisoformat(word) if word.isascii() else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2100:
        raise ValueError("A date or time like 2026-11-20 or 2026-11-20T14:00:00Z.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _uuid(word: str) -> uuid.UUID:
    try:
        return uuid.UUID(word)
    except ValueError:
        raise ValueError("An id as this API gives it.") from None
