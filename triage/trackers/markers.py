"""Our marker on a ticket: a UUID version 4, by which it is found again."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

MARKER_PREFIX = "fbh-"
_MARKER = re.compile(r"fbh-([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})")


def marker_uuid(marker: str | uuid.UUID) -> str:
    """The marker in its one spelling. A marker that is no UUID version 4 is a mistake of ours."""
    value = marker if isinstance(marker, uuid.UUID) else uuid.UUID(str(marker))
    if value.version != 4:
        raise ValueError("a marker is a UUID version 4")
    return str(value)


def marker_label(marker: str | uuid.UUID) -> str:
    """The marker as a label: letters, digits and hyphens, safe in every query language."""
    return MARKER_PREFIX + marker_uuid(marker)


def markers_in(labels: Iterable[Any]) -> tuple[str, ...]:
    """Our markers among a ticket's labels."""
    found = (_MARKER.fullmatch(label) for label in labels if isinstance(label, str))
    return tuple(match[1] for match in found if match)


def without_markers(labels: Iterable[str]) -> list[str]:
    """A draft's labels, each once; one that looks like a marker is not taken from a draft."""
    taken = (label for label in labels if label and not label.lower().startswith(MARKER_PREFIX))
    return list(dict.fromkeys(taken))


def holds_marker(text: str) -> bool:
    """Whether a text carries a marker of ours."""
    return _MARKER.search(text) is not None
