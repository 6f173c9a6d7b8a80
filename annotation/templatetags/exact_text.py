"""Texts that are marked by offsets must come out of the page exactly as they are stored."""

import json

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def exact(text: str) -> SafeString:
    """Escaped, and carriage returns as references: a browser would turn them into line feeds and shift every offset."""
    return mark_safe(str(escape(text)).replace("\r", "&#13;"))  # noqa: S308 - escaped


@register.filter
def as_json(rows) -> str:
    """For an attribute, which the template escapes."""
    return json.dumps(rows or [])


@register.filter
def error_for(errors: dict, field: str) -> str:
    """What is wrong with a field or a part of it: `spans` answers for `spans.2.quote`."""
    return next(
        (
            sentence
            for path, sentence in (errors or {}).items()
            if path == field or path.startswith(f"{field}.")
        ),
        "",
    )


@register.filter
def score_of(scores, criterion: str):
    return scores.get(criterion) if isinstance(scores, dict) else None
