"""Reading answers and webhooks that may have any shape: what is not there is empty, and nothing raises."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_NEVER_KEPT = re.compile("[\0\ud800-\udfff]")  # by PostgreSQL: NUL, half of a surrogate pair


def dig(value: Any, *path: str | int) -> Any:
    """The value at a path of keys and indexes, or None; for answers that may have any shape."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int, limit: int = 200) -> str:
    """The string (or integer id) at a path, as it can be kept, cut to `limit`; empty where there is none."""
    found = dig(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return _NEVER_KEPT.sub("\ufffd", found[:limit]) if isinstance(found, str) else ""


def list_at(value: Any, *path: str | int) -> list[Any]:
    """The list at a path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def time_at(value: Any, *path: str | int) -> datetime | None:
    """The moment at a path: ISO 8601 text, or milliseconds since 1970."""
    found = dig(value, *path)
    try:
        if isinstance(found, str):
            when = datetime.fromisoformat(found)
            return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return datetime.fromtimestamp(found / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def earliest(*times: datetime | None) -> datetime | None:
    return min((when for when in times if when is not None), default=None)


def folded(name: str) -> str:
    """A status name for comparing: case and the shape of an apostrophe do not matter."""
    return " ".join(str(name).replace("’", "'").casefold().split())


def text_of_adf(body: Any, depth: int = 0) -> str:
    """A Jira comment as text: ADF's text nodes, a line for each paragraph; or what is text already."""
    if isinstance(body, str):
        return body
    if not isinstance(body, dict) or depth > 20:
        return ""
    if body.get("type") == "text":
        return text_at(body, "text", limit=10_000)
    if body.get("type") == "mention":
        return text_at(body, "attrs", "text")
    inside = "".join(text_of_adf(child, depth + 1) for child in list_at(body, "content"))
    ends_line = body.get("type") in ("paragraph", "heading", "codeBlock", "hardBreak")
    return f"{inside}\n" if ends_line else inside
