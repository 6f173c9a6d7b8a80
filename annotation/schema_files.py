"""A label schema as a file, out and in again: JSON that names everything it holds, read strictly.

A file that does not fit is refused with each place that is wrong; nothing of it is kept. One that fits is first shown as
what it would change. Nothing is lost: a category that the file leaves out is retired, and one that it names again is
restored.
"""

import json
import re

from django.utils.translation import gettext as _

from annotation import label_schema, schema_forms
from annotation.answers import is_storable
from annotation.models import LabelSchema
from feedbackhub.capture.vocabulary import ReportedCategory, Severity

FORMAT = "feedbackhub-label-schema"
FORMAT_VERSION = 1
LARGEST = 1_048_576  # bytes
MOST_CATEGORIES = 200
MOST_ERRORS = 50

_KEY = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_TOP = ("format", "format_version", "name", "version", *label_schema.CONTENT)
_NAMED = {"key": "key", "name": "name"}
_CATEGORY = _NAMED | {
    "parent": "parent",
    "meaning": "meaning",
    "default_severity": "severity",
    "good_example": "example",
    "bad_example": "example",
    "reported_as": "reported",
}
_ROWS = {
    "categories": _CATEGORY,
    "former": _CATEGORY | {"into": "keys"},
    "span_labels": _NAMED | {"category": "key_or_none"},
    "rubric": _NAMED | {"scale": "scale", "good": "meaning", "required": "yes_no"},
    "root_causes": _NAMED,
}
_NEEDED = {"key", "name", "default_severity", "scale", "into"}
_MOST = {"categories": MOST_CATEGORIES, "former": 1_000}


class UnreadableSchema(ValueError):
    """`errors`: [{"where": "categories[3].name", "message"}]."""

    def __init__(self, errors: list[dict]):
        super().__init__(errors[0]["message"])
        self.errors = errors


def write(schema: LabelSchema) -> str:
    content = {part: getattr(schema, part) for part in label_schema.CONTENT}
    about = {"format": FORMAT, "format_version": FORMAT_VERSION}
    named = {"name": schema.name, "version": schema.version}
    return json.dumps(about | named | content, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> dict:
    """The content of a file: {part: rows}. Raises UnreadableSchema."""
    try:
        given = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = _("line %(line)d, column %(column)d") % {
            "line": error.lineno,
            "column": error.colno,
        }
        raise UnreadableSchema([{"where": where, "message": _("This is not JSON.")}]) from None
    except (ValueError, RecursionError) as error:
        raise UnreadableSchema([{"where": "", "message": str(error)[:200]}]) from None
    errors = _Errors()
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        errors.add("format", _("This is no label schema: “format” has to be “%s”.") % FORMAT)
        raise UnreadableSchema(errors.found)
    if given.get("format_version") != FORMAT_VERSION:
        errors.add("format_version", _("Only format version %d is known here.") % FORMAT_VERSION)
    for name in given:
        if name not in _TOP:
            errors.add(name[:60], _("There is no such part."))
    content = {part: _rows(part, given.get(part, []), errors) for part in _ROWS}
    content["guidelines"] = _text(
        "guidelines", given.get("guidelines", ""), schema_forms.LONGEST_GUIDELINES, errors
    )
    if not errors.found:
        _check_together(content, errors)
    if errors.found:
        raise UnreadableSchema(errors.found)
    return content


def take_in(*, schema: LabelSchema, content: dict, is_trial=False) -> LabelSchema:
    """The schema becomes what the file says. Raises WrongState."""

    def change(now):
        given = {row["key"] for row in [*content["categories"], *content["former"]]}
        left_out = [
            each if "into" in each else {**each, "into": []}
            for each in [*now.former, *now.categories]
            if each["key"] not in given
        ]
        for part in label_schema.CONTENT:
            setattr(now, part, content[part])
        now.former = [*content["former"], *left_out]

    return label_schema.change_schema(schema, change, is_trial=is_trial)


# --- checks ---------------------------------------------------------------------------------------


class _Errors:
    def __init__(self):
        self.found = []

    def add(self, where: str, message: str) -> None:
        if len(self.found) < MOST_ERRORS:
            self.found.append({"where": where, "message": message})


def _once(pairs):
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError(_("An object names the same thing twice."))
    return given


def _no_constant(word):
    raise ValueError(_("%s is no number in JSON.") % word)


def _rows(part, rows, errors) -> list[dict]:
    if not isinstance(rows, list):
        errors.add(part, _("This must be a list."))
        return []
    most = _MOST.get(part, schema_forms.MOST_ROWS)
    if len(rows) > most:
        errors.add(part, _("At most %d rows.") % most)
        return []
    return [_row(part, place, row, errors) for place, row in enumerate(rows)]


def _row(part, place, row, errors) -> dict:
    where, fields = f"{part}[{place}]", _ROWS[part]
    if not isinstance(row, dict):
        errors.add(where, _("This must be an object."))
        return {}
    for name in row:
        if name not in fields:
            errors.add(f"{where}.{name[:60]}", _("There is no such field."))
    kept = {}
    for name, kind in fields.items():
        if name not in row and name in _NEEDED:
            errors.add(f"{where}.{name}", _("This is missing."))
        elif name in row or kind in _EMPTY:
            kept[name] = _KINDS[kind](f"{where}.{name}", row.get(name, _EMPTY.get(kind)), errors)
    return kept


def _text(where, value, most, errors, *, is_needed=False) -> str:
    if not isinstance(value, str) or not is_storable(value):
        errors.add(where, _("This must be a text."))
    elif len(value) > most:
        errors.add(where, _("At most %d characters.") % most)
    elif is_needed and not value.strip():
        errors.add(where, _("This is empty."))
    else:
        return value
    return ""


def _key(where, value, errors) -> str:
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    errors.add(where, _("A key is made of a to z, digits and _; at most 60 of them."))
    return ""


def _chosen(known, where, value, errors) -> str:
    if isinstance(value, str) and value in known:
        return value
    errors.add(where, _("One of %s.") % ", ".join(known))
    return ""


def _listed(check, where, value, errors) -> list:
    if not isinstance(value, list) or len(value) > MOST_CATEGORIES:
        errors.add(where, _("This must be a list."))
        return []
    return [check(f"{where}[{place}]", each, errors) for place, each in enumerate(value)]


def _scale(where, value, errors) -> int:
    least, most = schema_forms.LEAST_SCALE, schema_forms.MOST_SCALE
    if type(value) is int and least <= value <= most:
        return value
    errors.add(
        where, _("A whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    )
    return least


def _yes_no(where, value, errors) -> bool:
    if not isinstance(value, bool):
        errors.add(where, _("true or false."))
    return value is True


_KINDS = {
    "key": _key,
    "name": lambda where, value, errors: _text(
        where, value, schema_forms.LONGEST_NAME, errors, is_needed=True
    ),
    "parent": lambda where, value, errors: _key(where, value, errors) if value else "",
    "meaning": lambda where, value, errors: _text(
        where, value, schema_forms.LONGEST_MEANING, errors
    ),
    "example": lambda where, value, errors: _text(
        where, value, schema_forms.LONGEST_EXAMPLE, errors
    ),
    "severity": lambda *given: _chosen(Severity.values, *given),
    "reported": lambda *given: _listed(
        lambda *each: _chosen(ReportedCategory.values, *each), *given
    ),
    "keys": lambda *given: _listed(_key, *given),
    "key_or_none": lambda where, value, errors: _key(where, value, errors) if value else "",
    "scale": _scale,
    "yes_no": _yes_no,
}
_EMPTY = {"parent": "", "meaning": "", "example": "", "reported": [], "yes_no": False}


def _check_together(content, errors) -> None:
    """What no row says by itself: keys are given once, what was merged leads somewhere, and not in a circle."""
    if not content["categories"]:
        errors.add(
            "categories", _("At least one category: an expert must be able to say something.")
        )
    seen = {}
    for part in _ROWS:
        space = "categories" if part == "former" else part
        for place, row in enumerate(content[part]):
            where = f"{part}[{place}].key"
            first = seen.setdefault((space, row["key"]), where)
            if first != where:
                errors.add(
                    where,
                    _("“%(key)s” stands at %(first)s already.")
                    % {"key": row["key"], "first": first},
                )
    known = {row["key"] for row in [*content["categories"], *content["former"]]}
    into = {row["key"]: row["into"] for row in content["former"]}
    for place, row in enumerate(content["former"]):
        for number, key in enumerate(row["into"]):
            if key not in known:
                errors.add(f"former[{place}].into[{number}]", _("There is no category “%s”.") % key)
        if _leads_to_itself(row["key"], into):
            errors.add(f"former[{place}].into", _("It would be merged into itself."))


def _leads_to_itself(key, into) -> bool:
    reached, ahead = set(), list(into[key])
    while ahead:
        each = ahead.pop()
        if each == key:
            return True
        if each not in reached:
            reached.add(each)
            ahead += into.get(each, [])
    return False
