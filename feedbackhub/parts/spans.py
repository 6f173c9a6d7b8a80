"""Text with labelled spans as HTML. Spans may overlap; offsets count code points."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_COLOURS = 8


def marked_html(text: str, marks: Iterable[Any]) -> SafeString:
    """`text` with a <mark> round each labelled stretch; where spans overlap, marks nest.

    A mark is a mapping or an object with start, end, label and colour; one that lies outside
    the text is cut to it, an empty one is left out.
    """
    kept = []
    for mark in marks:
        start = max(0, _of(mark, "start"))
        end = min(len(text), _of(mark, "end"))
        if start < end:
            kept.append((start, end, str(_of(mark, "label")), _colour(mark)))
    edges = sorted({0, len(text), *(edge for mark in kept for edge in mark[:2])})
    parts = []
    for start, end in pairwise(edges):
        here = [mark for mark in kept if mark[0] <= start and end <= mark[1]]
        # The longest lies outermost, so that lines of one span keep their height.
        here.sort(key=lambda mark: (mark[0] - mark[1], mark[0]))
        opened = "".join(
            f'<mark class="span span-{colour}" title="{escape(label)}">'
            for _start, _end, label, colour in here
        )
        parts.append(f"{opened}{escape(text[start:end])}{'</mark>' * len(here)}")
    return mark_safe("".join(parts))  # noqa: S308 - text and labels are escaped


def _of(mark: Any, name: str) -> Any:
    return mark[name] if isinstance(mark, dict) else getattr(mark, name)


def _colour(mark: Any) -> int:
    number = mark.get("colour") if isinstance(mark, dict) else getattr(mark, "colour", None)
    return (int(number) - 1) % _COLOURS + 1 if number else 1
