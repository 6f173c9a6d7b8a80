"""Personal data that would go into gold: what an expert typed, or what came in before its kind was masked.

Answers are masked when they come in, by what the project masked then. Gold is copied from there and from people's own
words, and goes out into training files: so its texts are looked at once more, by what the project masks now.
"""

import re
from collections import Counter

from feedbackhub.capture.masking import redact_json_text
from feedbackhub.redaction import KINDS, redact

TEXTS = (
    "messages",
    "tools",
    "context",
    "ideal_answer",
    "rejected_answers",
    "preferences",
    "assertions",
)


def left_in(content: dict, project) -> dict[str, int]:
    """What is left in a revision's texts, by kind."""
    return _look_at(content, project)[1]


def masked(content: dict, project) -> dict:
    """The same content with all of it masked."""
    return _look_at(content, project)[0]


def _look_at(content: dict, project) -> tuple[dict, dict[str, int]]:
    kinds = KINDS if project.redaction_kinds is None else frozenset(project.redaction_kinds)
    counts: Counter[str] = Counter()

    def look(value):
        if isinstance(value, str):
            found = redact(value, enabled=kinds)
            counts.update(found.counts)
            return found.text
        if isinstance(value, list):
            return [look(each) for each in value]
        if isinstance(value, dict):
            return {key: look_below(value, key, each) for key, each in value.items()}
        return value

    def look_below(parent, key, value):
        if key == "pattern" and "kind" in parent and isinstance(value, str):
            return pattern(value)
        if key == "arguments" and isinstance(value, str):  # of a tool's call: JSON as text
            text, found = redact_json_text(value, enabled=kinds)
            counts.update(found)
            return text
        if key == "tool_call_id" or (key == "id" and "function" in parent):
            return value  # no text: a pseudonym where it was made of personal data
        return look(value)

    def pattern(value):
        """An assertion's pattern, read as the text that it matches; masked, it matches the mask."""
        found = redact(value.replace("\\", ""), enabled=kinds)
        counts.update(found.counts)
        return re.escape(found.text) if found.counts else value

    clean = {name: look(value) if name in TEXTS else value for name, value in content.items()}
    return clean, dict(counts)
