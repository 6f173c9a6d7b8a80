"""Shares at the gate."""

from django import template

register = template.Library()


@register.filter
def share(value) -> str:
    """0.9167 as 91.7 %; a dash for none."""
    return "–" if value is None else f"{value * 100:.1f} %".replace(".0 %", " %")


@register.filter
def count_of(summary, name) -> int:
    """How many cases of a kind a run has; its lists end at some length, and old summaries count by them."""
    comparison = summary.get("comparison") or {}
    if name in ("broken", "repaired"):
        return comparison.get(f"{name}_count", len(comparison.get(name, [])))
    return summary.get("counts", {}).get(name, len(summary.get(name, [])))


@register.filter
def unlocalized(value) -> str:
    """A number as HTML attributes take it."""
    return f"{value:.4f}"
