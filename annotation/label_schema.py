"""The label schema as a lead changes it. A version that answers were given under stays as it was: a change to it makes
the next version, so that old answers stay readable.

Each act takes the version that the lead looked at. With `is_trial` nothing is kept: the answer is the schema as it would be.
"""

import copy
from collections.abc import Callable

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from annotation.default_schema import NAME
from annotation.models import LabelSchema, ReviewQueue
from annotation.refusals import WrongState

CONTENT = ("categories", "former", "span_labels", "rubric", "root_causes", "guidelines")
LONGEST_KEY = 50


def current_schema(project, name: str = NAME) -> LabelSchema | None:
    return LabelSchema.objects.filter(project=project, name=name, is_current=True).first()


def schemas_of(project) -> list[LabelSchema]:
    """The current version of each of a project's schemas, its own first."""
    return list(
        LabelSchema.objects.filter(project=project, is_current=True)
        .only("project", "name", "version", "is_frozen")
        .order_by("pk")
    )


def make_schema(*, project, name: str, like: LabelSchema) -> LabelSchema:
    """Another schema, for other queues; it begins as a copy. Raises WrongState."""
    with transaction.atomic():
        schema, is_new = LabelSchema.objects.get_or_create(
            project=project,
            name=name,
            is_current=True,
            defaults={"version": 1, **{part: getattr(like, part) for part in CONTENT}},
        )
    if not is_new:
        raise WrongState(_("There is a schema of this name already."))
    return schema


def queues_of(schema: LabelSchema):
    return ReviewQueue.objects.filter(project=schema.project_id, schema_name=schema.name)


# --- categories -----------------------------------------------------------------------------------


def add_category(*, schema: LabelSchema, name: str, is_trial=False, **fields) -> LabelSchema:
    """A category more. Its key is made from its name, once and for good. Raises WrongState."""

    def change(now):
        key = _free_key(name, now)
        now.categories = [*now.categories, {"key": key, "name": name, "parent": "", **fields}]

    return change_schema(schema, change, is_trial=is_trial)


def change_category(*, schema: LabelSchema, key: str, is_trial=False, **fields) -> LabelSchema:
    """Another name, meaning or example; the key stays, so the answers given under it do. Raises WrongState."""

    def change(now):
        _found(now, key)
        now.categories = [
            {**each, **fields} if each["key"] == key else each for each in now.categories
        ]

    return change_schema(schema, change, is_trial=is_trial)


def move_category(*, schema: LabelSchema, key: str, by: int) -> LabelSchema:
    """A place up (-1) or down (1): the first ones have keys on the review screen. Raises WrongState."""

    def change(now):
        rows = list(now.categories)
        place = rows.index(_found(now, key))
        rows.insert(max(0, place + by), rows.pop(place))
        now.categories = rows

    return change_schema(schema, change)


def retire_category(*, schema: LabelSchema, key: str) -> LabelSchema:
    """Nobody chooses it from now on; what was said with it stays. Raises WrongState."""
    return change_schema(schema, lambda now: _part_with(now, key, into=[]))


def merge_category(*, schema: LabelSchema, key: str, into: str) -> LabelSchema:
    """Nobody chooses it from now on; what was said with it counts with the other one. Raises WrongState.

    The reporters' words that suggested it suggest the other one.
    """

    def change(now):
        gone, target = _found(now, key), _found(now, into)
        if gone is target:
            raise WrongState(_("Choose another category to merge it into."))
        words = [*target.get("reported_as", []), *gone.get("reported_as", [])]
        now.categories = [
            {**each, "reported_as": list(dict.fromkeys(words))} if each is target else each
            for each in now.categories
        ]
        _part_with(now, key, into=[into])

    return change_schema(schema, change)


def split_category(*, schema: LabelSchema, key: str, names: list[str]) -> LabelSchema:
    """Several in its place, each beginning as it was. What was said with it stays until somebody chooses. Raises WrongState."""

    def change(now):
        if len(names) < 2 or len(set(names)) < len(names):
            raise WrongState(_("Name two or more categories that differ."))
        whole = _found(now, key)
        place, parts = now.categories.index(whole), []
        for name in names:
            free = _free_key(name, now, also={part["key"] for part in parts})
            parts.append({**whole, "key": free, "name": name})
        now.categories = [*now.categories[:place], *parts, *now.categories[place:]]
        _part_with(now, key, into=[part["key"] for part in parts])

    return change_schema(schema, change)


def restore_category(*, schema: LabelSchema, key: str) -> LabelSchema:
    """A former category is chosen again, and counts as itself again. Raises WrongState."""

    def change(now):
        former = now.former_category(key)
        if former is None:
            raise WrongState(_("This category is in use already."))
        back = {name: value for name, value in former.items() if name != "into"}
        now.former = [each for each in now.former if each is not former]
        now.categories = [*now.categories, back]

    return change_schema(schema, change)


def _found(now: LabelSchema, key: str) -> dict:
    category = now.category(key)
    if category is None:
        raise WrongState(_("This category was retired meanwhile."))
    return category


def _part_with(now: LabelSchema, key: str, *, into: list[str]) -> None:
    gone = _found(now, key)
    if [key] == now.category_keys:
        raise WrongState(
            _("The last category has to stay: an expert must be able to say something.")
        )
    now.categories = [each for each in now.categories if each is not gone]
    now.former = [*now.former, {**gone, "into": into}]


# --- the rest of a schema -------------------------------------------------------------------------


def change_list(*, schema: LabelSchema, part: str, rows: list[dict], is_trial=False) -> LabelSchema:
    """The span labels, root causes or criteria as a whole. A row without key gets one from its name. Raises WrongState."""

    def change(now):
        kept = []
        for row in rows:
            key = row.get("key") or _free_key(
                row["name"], now, part=part, also={each["key"] for each in kept}
            )
            kept.append({"key": key, **{name: row[name] for name in row if name != "key"}})
        setattr(now, part, kept)

    return change_schema(schema, change, is_trial=is_trial)


def change_guidelines(*, schema: LabelSchema, guidelines: str, is_trial=False) -> LabelSchema:
    """Another text of how to judge. Raises WrongState."""

    def change(now):
        now.guidelines = guidelines

    return change_schema(schema, change, is_trial=is_trial)


def change_schema(seen: LabelSchema, change: Callable, *, is_trial=False) -> LabelSchema:
    """`seen` is the version that the lead looked at: a change to another one would undo somebody else's."""
    if is_trial:
        trial = copy.deepcopy(seen)
        change(trial)
        return trial
    return _change(seen, change)


@transaction.atomic
def _change(seen: LabelSchema, change) -> LabelSchema:
    now = LabelSchema.objects.select_for_update().get(
        project=seen.project_id, name=seen.name, is_current=True
    )
    if now.pk != seen.pk:
        raise WrongState(
            _(
                "Somebody changed the schema since you opened this page. Look at version %(number)d first."
            )
            % {"number": now.version}
        )
    change(now)
    if now.is_frozen:
        LabelSchema.objects.filter(pk=now.pk).update(is_current=False)
        now = _next_version(now)
    now.save()
    return now


def _next_version(frozen: LabelSchema) -> LabelSchema:
    return LabelSchema(
        project_id=frozen.project_id,
        name=frozen.name,
        version=frozen.version + 1,
        **{part: getattr(frozen, part) for part in CONTENT},
    )


def _free_key(name: str, schema: LabelSchema, *, part="categories", also=frozenset()) -> str:
    """Never one that any version ever had: an old answer must not change its meaning."""
    versions = LabelSchema.objects.filter(project=schema.project_id, name=schema.name)
    taken = {row["key"] for version in versions for row in getattr(version, part)}
    taken |= {row["key"] for row in getattr(schema, part)} | set(also)
    if part == "categories":
        taken |= {row["key"] for version in [*versions, schema] for row in version.former}
    wanted = slugify(name).replace("-", "_")[:LONGEST_KEY] or "category"
    key, number = wanted, 2
    while key in taken:
        key, number = f"{wanted}_{number}", number + 1
    return key
