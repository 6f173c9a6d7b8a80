"""The parts that pages are made of, as template tags. `/styleguide/` shows each one.

{% load parts %}
{% icon "check" %}  {% keycap "mod+enter" %}  {% severity "high" %}  {% state_pill item.state %}
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.utils import formats, timezone
from django.utils.dates import MONTHS_3
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from heroicons import IconDoesNotExist, _render_icon

from feedbackhub.parts import charts, spans, words
from feedbackhub.text_diff import word_diff_html
from feedbackhub.untrusted_markdown import untrusted_markdown

register = template.Library()

NOTHING = mark_safe('<span class="faint">–</span>')

# Parameters that name a place in a list. A new filter starts the list anew.
PLACE_PARAMETERS = ("cursor", "after", "before", "page")


# Marks


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "", css: str = "") -> SafeString:
    """A heroicon inline, in the drawing made for its size. With `label` it speaks, else it is
    decoration."""
    return _icon(name, int(size), str(label), css)


@lru_cache(maxsize=512)
def _icon(name: str, size: int, label: str, css: str) -> SafeString:
    style = "micro" if size <= 16 else "mini" if size <= 20 else "outline"
    classes = " ".join(part for part in ("icon", "" if size == 16 else f"icon-{size}", css) if part)
    attributes: dict[str, object] = {"class": classes, "focusable": "false"}
    if label:
        attributes |= {"role": "img", "aria-label": label, "aria-hidden": "false"}
    try:
        svg = _render_icon(style, name, size, attributes)
    except IconDoesNotExist:
        svg = _render_icon("mini", name, size, attributes)
    if label:
        svg = svg.replace(' aria-hidden="false"', "", 1)
    return mark_safe(" ".join(svg.split()))  # noqa: S308 - drawn by the icon package


@register.simple_tag
def keycap(keys: str, spoken: bool = False) -> SafeString:
    """The caps of a key or chord: "a", "mod+enter", "shift+j". Screen readers hear the key from
    `aria-keyshortcuts` on the control, so the cap itself is silent unless `spoken`."""
    if not keys:
        return mark_safe("")
    names = [name for name in str(keys).split("+") if name] or ["+"]
    caps = format_html_join(
        "",
        '<kbd class="keycap"{}>{}</kbd>',
        (
            (
                mark_safe(" data-mod") if name == "mod" else "",
                words.KEYS.get(name, name.upper() if len(name) == 1 else name),
            )
            for name in names
        ),
    )
    if spoken:
        return caps
    return format_html('<span class="keycaps" aria-hidden="true">{}</span>', caps)


@register.filter
def shortcut(keys: str) -> str:
    """A key or chord as `aria-keyshortcuts` wants it."""
    return "+".join(words.KEY_NAMES.get(name, name) for name in str(keys).split("+"))


@register.simple_tag
def severity(value: str | None, named: bool = False) -> SafeString:
    """The severity's letter on its colour; with `named` its word beside it."""
    if value not in words.SEVERITIES:
        return NOTHING
    return _severity(str(value), bool(named), get_language())


@lru_cache(maxsize=64)
def _severity(value: str, named: bool, language: str) -> SafeString:
    letter, word = words.SEVERITIES[value]
    if named:
        return format_html(
            '<span class="severity severity-{}"><span class="severity-letter" aria-hidden="true">'
            "{}</span>{}</span>",
            value,
            letter,
            word,
        )
    return format_html(
        '<span class="severity severity-{}" title="{}"><span class="severity-letter" '
        'aria-hidden="true">{}</span><span class="visually-hidden">{}</span></span>',
        value,
        word,
        letter,
        word,
    )


@register.simple_tag
def state_pill(state: str | None, label: str = "", plain: bool = False) -> SafeString:
    """A state as icon and word; `plain` without its ground, for dense lists."""
    if not state:
        return NOTHING
    return _state_pill(str(state), str(label), bool(plain), get_language())


@lru_cache(maxsize=512)
def _state_pill(state: str, label: str, plain: bool, language: str) -> SafeString:
    tone, name, word = words.STATES.get(state, (*words.UNKNOWN_STATE[:2], state))
    return _pill(tone, name, label or word, plain)


@register.simple_tag
def verdict(value: str | None, plain: bool = False) -> SafeString:
    """An expert's verdict as icon and word."""
    if value not in words.VERDICTS:
        return NOTHING
    return _pill(*words.VERDICTS[value], plain)


def _pill(tone: str, name: str, label: str, plain: bool) -> SafeString:
    return format_html(
        '<span class="pill{} tone-{}">{}{}</span>',
        " is-plain" if plain else "",
        tone,
        _icon(name, 16, "", ""),
        label,
    )


@register.simple_tag
def tone_icon(level: str) -> SafeString:
    """The icon of a message level or tone."""
    return _icon(words.TONES.get(level, words.TONES["info"])[1], 16, "", "")


@register.filter
def tone_of(level: str) -> str:
    """The tone of a message's tags: the level is the last of them."""
    for word in reversed(str(level).split()):
        if word in words.TONES:
            return words.TONES[word][0]
    return "info"


@register.simple_tag
def initials(name: str) -> SafeString:
    """Up to two letters of a name in a disc."""
    parts = [part for part in str(name).split("@")[0].replace(".", " ").split() if part]
    letters = (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")) if parts else "?"
    return format_html('<span class="initials" aria-hidden="true">{}</span>', letters.upper())


@register.simple_tag
def person(who: Any, small: bool = True, detail: str = "") -> SafeString:
    """Somebody by initials and name. `who` is a user or a name; nobody is a dash."""
    if not who:
        return NOTHING
    name = (who.get_full_name() if hasattr(who, "get_full_name") else "") or str(who)
    below = format_html("<small>{}</small>", detail) if detail else ""
    return format_html(
        '<span class="person{}">{}<span class="names">{}{}</span></span>',
        " is-small" if small else "",
        initials(name),
        name,
        below,
    )


@register.inclusion_tag("parts/_button_drawn.html")
def button(label: str, **options: Any) -> dict:
    """A button by its verb; the options stand in `parts/_button_drawn.html`."""
    return {"label": label, **options}


# Time and numbers


@register.simple_tag
def relative_time(when: datetime | None, none: str = "–", exact: bool = False) -> SafeString:
    """How long ago or ahead, the exact time on hover. times.js keeps it fresh and turns the exact
    one to the reader's zone. With `exact` the date and time themselves are shown."""
    if when is None:
        return format_html('<span class="faint">{}</span>', none)
    when = when.replace(tzinfo=UTC) if timezone.is_naive(when) else when
    when = when.astimezone(UTC)
    said = f"{_day(when)} {when.year}, {when:%H:%M} UTC"
    return format_html(
        '<time datetime="{}" title="{}" data-{}>{}</time>',
        when.isoformat(timespec="seconds").replace("+00:00", "Z"),
        said,
        "exact" if exact else "relative",
        said if exact else relative_words(when, timezone.now()),
    )


def relative_words(when: datetime, now: datetime) -> str:
    """The same rule as times.js: minutes, hours, days up to a week, then the date."""
    seconds = (now - when).total_seconds()
    size = abs(seconds)
    ahead = seconds < 0
    if size < 60:
        return _("now")
    if size < 3600:
        n = int(size // 60)
        return _("in %(n)s min") % {"n": n} if ahead else _("%(n)s min ago") % {"n": n}
    if size < 86400:
        n = int(size // 3600)
        return _("in %(n)s h") % {"n": n} if ahead else _("%(n)s h ago") % {"n": n}
    if size < 7 * 86400:
        n = int(size // 86400)
        return _("in %(n)s d") % {"n": n} if ahead else _("%(n)s d ago") % {"n": n}
    return _day(when) if when.year == now.year else f"{_day(when)} {when.year}"


def _day(when: datetime) -> str:
    return f"{when.day} {str(MONTHS_3[when.month]).title()}"


@register.filter
def grouped(number: float | None) -> str:
    """12345 as 12,345 in the reader's way."""
    if number is None:
        return "–"
    return formats.number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """0.816 as 82 %."""
    if share is None:
        return "–"
    return f"{_rounded(share * 100, digits)}\N{NO-BREAK SPACE}%"


def _rounded(number: float, digits: int) -> str:
    """Django's own number_format cuts digits off."""
    return formats.number_format(round(number, digits), decimal_pos=digits, force_grouping=True)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as the two largest units that count: 45 s, 12 min, 3 h 20 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    seconds = int(seconds.total_seconds() if hasattr(seconds, "total_seconds") else seconds)
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    if seconds < 60:
        return sign + _("%(n)s s") % {"n": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return sign + _("%(n)s min") % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        said = _("%(n)s h") % {"n": hours}
        return sign + (f"{said} {_('%(n)s min') % {'n': minutes}}" if minutes else said)
    days, hours = divmod(hours, 24)
    said = _("%(n)s d") % {"n": days}
    return sign + (f"{said} {_('%(n)s h') % {'n': hours}}" if hours and days < 7 else said)


# Texts


@register.simple_tag
def word_diff(
    before: str, after: str, small: bool = False, around: int | None = None
) -> SafeString:
    """What changed from `before` to `after`, word by word."""
    return format_html(
        '<div class="diff{}" dir="auto">{}</div>',
        " is-small" if small else "",
        word_diff_html(before or "", after or "", around=int(around) if around else None),
    )


@register.simple_tag
def safe_markdown(text: str | None, small: bool = False, has_places: bool = False) -> SafeString:
    """Untrusted Markdown: nothing loads, nothing can be clicked, links show where they lead.

    With places it can be marked: see `untrusted_markdown`.
    """
    return format_html(
        '<div class="markdown{}" dir="auto" hx-disable>{}</div>',
        " is-small" if small else "",
        untrusted_markdown(text or "", has_places=has_places),
    )


@register.simple_tag
def judged_text(text: str | None, small: bool = False) -> SafeString:
    """Untrusted text as it is, in the reading measure."""
    return format_html(
        '<div class="judged{}" dir="auto">{}</div>', " is-small" if small else "", text or ""
    )


@register.simple_tag
def span_text(text: str, marks: Iterable[Any], small: bool = False) -> SafeString:
    """Text with its labelled spans. Each mark has `start`, `end` (code points), `label` and
    `colour` (1 to 8)."""
    return format_html(
        '<div class="judged{}" dir="auto">{}</div>',
        " is-small" if small else "",
        spans.marked_html(text or "", marks),
    )


# Charts


@register.simple_tag
def sparkline(values: Iterable[float | None], label: str = "", tone: str = "") -> SafeString:
    """A trend the size of a word. `label` says in words what it shows."""
    runs = charts.sparkline_points(list(values))
    if not runs:
        return mark_safe("")
    lines = "".join(
        f'<polyline class="series" points="{" ".join(f"{x},{y}" for x, y in run)}"/>'
        for run in runs
        if len(run) > 1
    )
    x, y = runs[-1][-1]
    return format_html(
        '<svg class="sparkline{}" viewBox="0 0 64 20" {}>{}{}'
        '<circle class="last" cx="{}" cy="{}" r="2"/></svg>',
        f" tone-{tone}" if tone else "",
        mark_safe('role="img"' if label else 'aria-hidden="true"'),  # noqa: S308 - ours
        format_html("<title>{}</title>", label) if label else "",
        mark_safe(lines),  # noqa: S308 - numbers
        str(x),
        str(y),
    )


@register.inclusion_tag("parts/_bars.html")
def bars(
    rows: Iterable[dict],
    title: str = "",
    note: str = "",
    kind: str = "number",
    count_label: str = "",
    ceiling: float | None = None,
) -> dict:
    """Bars in a table, each with its value, its interval and the count behind it. `kind` is
    "number" or "percent"."""
    rows = charts.draw_bars(rows, ceiling=ceiling)
    for row in rows:
        row["text"] = _said(row.get("value"), kind)
        if "from" in row:
            row["interval_text"] = f"{_said(row['low'], kind)} – {_said(row['high'], kind)}"
    return {
        "rows": rows,
        "title": title,
        "note": note,
        "count_label": count_label or _("Count"),
        "has_counts": any(row.get("count") is not None for row in rows),
    }


@register.inclusion_tag("parts/_line.html")
def line_chart(
    series: Iterable[dict],
    title: str = "",
    note: str = "",
    kind: str = "number",
    ceiling: float | None = None,
    height: int = 180,
) -> dict:
    """Lines over time, labelled at their ends, with a band for the interval and a table one key
    away. `series` is `[{"label", "points": [{"label", "value", "count"?, "low"?, "high"?}]}]`."""
    drawn = charts.draw_lines(series, height=height, ceiling=ceiling)
    for row in drawn.series:
        for dot in row.dots:
            dot["text"] = _said(dot["point"].value, kind)
        if row.end:
            row.end["text"] = _said(row.dots[-1]["point"].value, kind)
    for line in drawn.grid:
        line["text"] = _said(line["value"], kind)
    labels = [point.label for point in drawn.series[0].points] if drawn.series else []
    return {
        "drawn": drawn,
        "title": title,
        "note": note,
        "names_ends": len(drawn.series) > 1,
        "table": [
            {
                "label": label,
                "cells": [
                    {
                        "text": _said(row.points[index].value, kind),
                        "count": row.points[index].count,
                        "interval": _interval(row.points[index], kind),
                    }
                    for row in drawn.series
                    if index < len(row.points)
                ],
            }
            for index, label in enumerate(labels)
        ],
    }


@register.inclusion_tag("parts/_matrix.html")
def matrix(problems: Iterable[dict], title: str = "") -> dict:
    """Problems by frequency (right) and severity (up), bubbles by reach."""
    placed = charts.place_bubbles(problems)
    for bubble in placed["bubbles"]:
        bubble["said"] = _("%(title)s: %(severity)s, %(frequency)s per 1,000, reach %(reach)s") % {
            "title": bubble["title"],
            "severity": words.SEVERITIES[bubble["severity"]][1],
            "frequency": _rounded(bubble["frequency"], 1),
            "reach": grouped(bubble["reach"]),
        }
    return placed | {"title": title, "most": _said(placed["most"], "number")}


def _said(value: float | None, kind: str) -> str:
    if value is None:
        return "–"
    if kind == "percent":
        return percent(value)
    if float(value).is_integer():
        return grouped(int(value))
    return _rounded(value, 2 if abs(value) < 1 else 1)


def _interval(point: charts.Point, kind: str) -> str:
    if point.low is None or point.high is None:
        return ""
    return f"{_said(point.low, kind)} – {_said(point.high, kind)}"


# Links that keep filters


@register.simple_tag(takes_context=True)
def filter_url(context: Context, **changes: Any) -> str:
    """The present address with some filters changed: `{% filter_url state="open" owner=None %}`.
    None or nothing takes one away. The place in the list is forgotten unless it is what is
    given: `{% filter_url after=key %}`."""
    query = _query(context)
    for name in PLACE_PARAMETERS:
        query.pop(name, None)
    return _changed(query, changes)


@register.simple_tag(takes_context=True)
def hidden_filters(context: Context, *but: str) -> SafeString:
    """The present filters as hidden inputs, but for those that the form itself asks for."""
    query = _query(context)
    return format_html_join(
        "\n",
        '<input type="hidden" name="{}" value="{}">',
        (
            (name, value)
            for name, values in query.lists()
            for value in values
            if name not in but and name not in PLACE_PARAMETERS
        ),
    )


def _query(context: Context) -> QueryDict:
    request = context.get("request")
    return request.GET.copy() if request is not None else QueryDict(mutable=True)


def _changed(query: QueryDict, changes: dict[str, Any]) -> str:
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        elif isinstance(value, list | tuple | set):
            query.setlist(name, [str(each) for each in value])
        else:
            query[name] = value.isoformat() if isinstance(value, date) else str(value)
    return f"?{query.urlencode()}"


@register.filter
def get(mapping: dict, key: Any) -> Any:
    """A value by a key that is itself a variable."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def severity_word(value: str) -> str:
    """The word of a severity."""
    if value not in words.SEVERITIES:
        return pgettext("severity", "Unknown")
    return str(words.SEVERITIES[value][1])
