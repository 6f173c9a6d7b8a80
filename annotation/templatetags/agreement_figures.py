"""A coefficient as people read it: the value, its interval, or why there is none."""

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

WHY = {
    "no_overlap": gettext_lazy("Nobody judged the same item as somebody else."),
    "one_value": gettext_lazy(
        "Everybody always said the same: nothing that chance could be beaten at."
    ),
    "nothing_marked": gettext_lazy("Nobody marked anything."),
}


@register.simple_tag
def figure(coefficient, kind="number"):
    """`kind` is "number" (two decimals) or "percent"."""
    if coefficient is None:
        return ""
    if coefficient.value is None:
        why = WHY.get(coefficient.why, "")
        return format_html('<span class="faint" title="{}">{}</span>', why, _("not defined"))
    value = _said(coefficient.value, kind)
    if coefficient.low is None:
        return value
    interval = f"{_said(coefficient.low, kind)} – {_said(coefficient.high, kind)}"
    return format_html('{} <span class="faint interval">{}</span>', value, interval)


def _said(number, kind) -> str:
    return f"{number:.0%}" if kind == "percent" else f"{number:.2f}"
