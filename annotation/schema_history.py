"""What became of a category: how an old answer reads today, and with what it is counted.

A key never changes its meaning, so an answer says for ever what it said; a rename keeps the key. What was merged counts
with what it was merged into, under the schema that holds now; what was retired or split stays what it was until somebody
judges anew. Gold versions and exports are not touched by any of this.
"""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from annotation.default_schema import NAME
from annotation.models import LabelSchema
from feedbackhub import filters


def key_now(now: LabelSchema, key: str) -> str:
    """With which category an answer counts today: itself, or what it was merged into."""
    seen = set()
    while key not in seen:
        seen.add(key)
        former = now.former_category(key)
        if former is None or len(former["into"]) != 1:
            break
        key = former["into"][0]
    return key


def keys_now(now: LabelSchema, keys: Iterable[str]) -> list[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(key_now(now, key) for key in keys))


def keys_to_choose(now: LabelSchema, keys: Iterable[str]) -> list[str]:
    """Those of them that can be chosen today: what an old answer opens with when it is given anew."""
    known = set(now.category_keys)
    return [key for key in keys_now(now, keys) if key in known]


def merged_keys(now: LabelSchema) -> dict[str, str]:
    """{former key: the key it counts under} for what was merged."""
    found = {each["key"]: key_now(now, each["key"]) for each in now.former}
    return {former: key for former, key in found.items() if former != key}


def category_words(key: str, *, then: LabelSchema | None, now: LabelSchema) -> str:
    """The name it was given under, and what it is called today where that differs: "Outdated (now Stale)"."""
    name_then = _name(then, key) or _name(now, key) or key
    key = key_now(now, key)
    if category := now.category(key):
        return _both(name_then, category["name"])
    former = now.former_category(key)
    if former and former["into"]:
        names = [_name(now, each) or each for each in former["into"]]
        return _("%(name)s (now split into %(names)s)") % {
            "name": name_then,
            "names": ", ".join(names),
        }
    return _("%(name)s (retired)") % {"name": name_then}


def other_words(kind: str, key: str, *, then: LabelSchema | None, now: LabelSchema) -> str:
    """The same for a root cause, a mark's label or a criterion; `kind` is the schema's field."""
    name_then, name_now = (
        next((row["name"] for row in getattr(schema, kind) if row["key"] == key), "")
        if schema
        else ""
        for schema in (then, now)
    )
    return _both(name_then or name_now or key, name_now)


def _both(then: str, now: str) -> str:
    if not now or then == now:
        return then
    return _("%(then)s (now %(now)s)") % {"then": then, "now": now}


def _name(schema: LabelSchema | None, key: str) -> str:
    row = schema and (schema.category(key) or schema.former_category(key))
    return row["name"] if row else ""


# --- a project's schemas together -----------------------------------------------------------------


class ProjectCategories:
    """The categories of a project as they are today: its own schema's first, then those of its other schemas."""

    def __init__(self, project):
        schemas = LabelSchema.objects.filter(project=project, is_current=True).order_by("pk")
        self.schemas = list(schemas)
        self._by_name = {schema.name: schema for schema in self.schemas}

    @property
    def own(self) -> LabelSchema | None:
        return self._by_name.get(NAME)

    @property
    def names(self) -> dict[str, str]:
        """{key: name}; those to choose first, then former ones with what became of them."""
        found = {}
        for schema in self.schemas:
            for row in schema.categories:
                found.setdefault(row["key"], row["name"])
        for schema in self.schemas:
            for row in schema.former:
                found.setdefault(row["key"], category_words(row["key"], then=None, now=schema))
        return found

    def to_choose(self) -> list[tuple[str, str]]:
        """(key, name) of every category of today, for filters."""
        return [(key, name) for key, name in self.names.items() if self._is_of_today(key)]

    def count_as(self, keys, schema_name: str) -> list[str]:
        schema = self._by_name.get(schema_name)
        return keys_now(schema, keys) if schema else list(dict.fromkeys(keys))

    def merged(self) -> dict[str, str]:
        """{former key: the key it counts under}, of all schemas."""
        found = {}
        for schema in reversed(self.schemas):
            found |= merged_keys(schema)
        return {old: new for old, new in found.items() if not self._is_of_today(old)}

    def same_as(self, keys: Iterable[str]) -> list[str]:
        """These keys and all that count with them today."""
        wanted = set(keys)
        return sorted(wanted | {old for old, new in self.merged().items() if new in wanted})

    def _is_of_today(self, key) -> bool:
        return any(schema.category(key) for schema in self.schemas)


def category_filter(project, condition=None) -> filters.Filter:
    """`category=`: answers that count under any of these today. `condition(keys)` says how a row has one of them."""
    condition = condition or (lambda keys: Q(categories__overlap=keys))
    return filters.Filter(
        filters.text("").read,
        lambda values: condition(ProjectCategories(project).same_as(values)),
    )


# --- from version to version ----------------------------------------------------------------------

LISTS = ("categories", "rubric", "span_labels", "root_causes")


def differences(before: LabelSchema, after: LabelSchema) -> list[dict]:
    """What changed: [{"part", "how", "name", "details": [(field, before, after)]}], in the order of the page.

    `how` is added, changed, moved, removed, retired, merged, split or restored.
    """
    found = []
    for part in LISTS:
        found += _list_differences(part, getattr(before, part), getattr(after, part), after)
    if before.guidelines != after.guidelines:
        found.append(
            {
                "part": "guidelines",
                "how": "changed",
                "name": "",
                "details": [("guidelines", before.guidelines, after.guidelines)],
            }
        )
    return found


def _list_differences(part, before, after, schema):
    was, is_now = ({row["key"]: row for row in rows} for rows in (before, after))
    for key, row in was.items():
        if key not in is_now:
            former = schema.former_category(key) if part == "categories" else None
            into = [_name(schema, each) or each for each in former["into"]] if former else []
            how = ("retired", "merged")[len(into)] if len(into) < 2 else "split"
            yield {
                "part": part,
                "how": how if part == "categories" else "removed",
                "name": row["name"],
                "into": ", ".join(into),
                "details": [],
            }
    for key, row in is_now.items():
        old = was.get(key)
        if old is None:
            yield {"part": part, "how": "added", "name": row["name"], "details": []}
            continue
        details = [
            (field, _plainly(old.get(field)), _plainly(row.get(field)))
            for field in dict.fromkeys([*old, *row])
            if field not in ("key", "parent")
            and _plainly(old.get(field)) != _plainly(row.get(field))
        ]
        if details:
            yield {"part": part, "how": "changed", "name": old["name"], "details": details}
    kept = [key for key in was if key in is_now]
    if kept != [key for key in is_now if key in was]:
        yield {"part": part, "how": "moved", "name": "", "details": []}


def _plainly(value) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return _("yes")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
