"""Pages by key: page 200 costs what page 1 costs, and nothing is counted.

A cursor is the sort values of the row it stands behind, signed, so that nobody sends us sort values of their own.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.db.models import Q, QuerySet

SALT = "feedbackhub.paging"


class BadCursor(ValueError):
    """The cursor is not one of ours, or of another list."""


@dataclass(frozen=True)
class Page:
    """`rows` in order; cursors for the neighbours, None at an end."""

    rows: list
    next_cursor: str | None
    previous_cursor: str | None

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def paginate(
    queryset: QuerySet, *, order: tuple[str, ...], cursor: str | None = None, limit: int = 50
) -> Page:
    """One page of `queryset` in `order` (field names, "-" for descending, the last one unique)."""
    values, is_backward = None, False
    if cursor:
        values, is_backward = _read(cursor, order)
        queryset = queryset.filter(_behind(order, values, is_backward))
    direction = [_flip(name) for name in order] if is_backward else list(order)
    rows = list(queryset.order_by(*direction)[: limit + 1])
    has_more = len(rows) > limit
    rows = rows[:limit]
    if is_backward:
        rows.reverse()
    if not rows:
        return Page([], None, None)
    return Page(
        rows,
        next_cursor=cursor_beside(rows[-1], order) if (has_more or is_backward) else None,
        previous_cursor=cursor_beside(rows[0], order, is_backward=True)
        if (cursor and (has_more or not is_backward))
        else None,
    )


def cursor_beside(row, order: tuple[str, ...], *, is_backward: bool = False) -> str:
    """The cursor of the rows that stand behind this one, or before it."""
    return _write(order, [_value(row, name.lstrip("-")) for name in order], is_backward)


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _value(row, field):
    for part in field.split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row


def _behind(order, values, is_backward) -> Q:
    """(a, b) behind (x, y): a < x, or a = x and b < y, each in its own direction."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        field = name.lstrip("-")
        comparison = "lt" if name.startswith("-") != is_backward else "gt"
        condition |= equal & Q(**{f"{field}__{comparison}": value})
        equal &= Q(**{field: value})
    # the leading comparison again, on its own, so that the index range starts there
    first, value = order[0].lstrip("-"), values[0]
    edge = "lte" if order[0].startswith("-") != is_backward else "gte"
    return Q(**{f"{first}__{edge}": value}) & condition


def _write(order, values, is_backward) -> str:
    plain = [
        ["t", value.isoformat()] if isinstance(value, datetime) else ["v", value]
        for value in values
    ]
    return signing.dumps([list(order), plain, is_backward], salt=SALT, compress=True)


def _read(cursor, order):
    try:
        written_order, plain, is_backward = signing.loads(cursor, salt=SALT)
        values = [datetime.fromisoformat(value) if kind == "t" else value for kind, value in plain]
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadCursor("This page link is not valid here. Start from the first page.") from error
    if written_order != list(order) or len(values) != len(order):
        raise BadCursor("This page link belongs to another order. Start from the first page.")
    return values, is_backward
