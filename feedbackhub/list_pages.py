"""A list as a page: its filters are chips that are also the address, its rows are paged by key.

A filter that does not exist, or a word that it cannot take, is said on the page and shows no rows: a list that quietly
forgot half of what it was asked for is worse than none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from feedbackhub import filters
from feedbackhub.paging import BadCursor, paginate
from feedbackhub.parts.templatetags.parts import PLACE_PARAMETERS


@dataclass(frozen=True)
class ListPage:
    """What a list's template shows. `filters` are the parameters of `parts/_filter.html`, one each."""

    rows: list
    filters: list[dict] = field(default_factory=list)
    errors: list[dict] = field(default_factory=list)
    newer_url: str = ""
    older_url: str = ""
    is_filtered: bool = False
    query: str = ""  # the filters as "?…", for links that come back here

    @property
    def status(self) -> int:
        return 400 if self.errors else 200

    def __iter__(self):
        return iter(self.rows)


def list_page(
    request: HttpRequest,
    rows,
    *,
    order: tuple[str, ...],
    allowed: Mapping[str, filters.Filter] | None = None,
    chips: Iterable[dict] = (),
    others: tuple[str, ...] = (),
    limit: int = 50,
) -> ListPage:
    """One page of `rows` as the address asks. `chips` come from `choice`; `others` are names that are no filters."""
    allowed = allowed or {}
    others = (*filters.PAGING, *others)
    asked, errors = filters.conditions(request.GET, allowed, others)
    is_filtered = any(name in allowed and any(request.GET.getlist(name)) for name in request.GET)
    if errors:
        return ListPage([], list(chips), errors, is_filtered=is_filtered)
    rows = rows.filter(asked)
    try:
        page = paginate(rows, order=order, cursor=request.GET.get("cursor"), limit=limit)
    except BadCursor:
        page = paginate(rows, order=order, limit=limit)
    return ListPage(
        page.rows,
        list(chips),
        newer_url=_url(request.GET, cursor=page.previous_cursor) if page.previous_cursor else "",
        older_url=_url(request.GET, cursor=page.next_cursor) if page.next_cursor else "",
        is_filtered=is_filtered,
        query=_url(request.GET) if is_filtered else "",
    )


def choice(query: QueryDict, name: str, label: str, choices: Iterable[tuple[str, str]]) -> dict:
    """A filter that takes one of some words: what its chip and menu show."""
    choices = list(choices)
    given = query.get(name, "")
    words = dict(choices)
    return {
        "id": f"filter-{name}",
        "label": label,
        "value": words.get(given, given[:60]),
        "clear_url": _url(query, **{name: None}),
        "options": [
            {
                "label": word or _("none"),
                "url": _url(query, **{name: value}),
                "is_current": value == given,
            }
            for value, word in choices
        ],
    }


def _url(query: QueryDict, **changes) -> str:
    """The present address with other filters; the place in the list is forgotten unless it is what is given."""
    query = query.copy()
    for name in PLACE_PARAMETERS:
        query.pop(name, None)
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"
