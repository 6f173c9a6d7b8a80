"""The label schema as a lead changes it. A version that answers were given under stays as it was: a change to it makes
the next version, so that old answers stay readable.
"""

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from annotation.default_schema import NAME
from annotation.models import CategoryProposal, LabelSchema
from annotation.refusals import WrongState


def current_schema(project) -> LabelSchema | None:
    return LabelSchema.objects.filter(project=project, name=NAME, is_current=True).first()


def add_category(*, schema: LabelSchema, name: str, **fields) -> LabelSchema:
    """A category more. Its key is made from its name, once and for good. Raises WrongState."""

    def change(now):
        key = _free_key(name, now)
        now.categories = [*now.categories, {"key": key, "name": name, "parent": "", **fields}]

    return _change(schema, change)


def change_category(*, schema: LabelSchema, key: str, **fields) -> LabelSchema:
    """Another name, meaning or example; the key stays, so the answers given under it do. Raises WrongState."""

    def change(now):
        if now.category(key) is None:
            raise WrongState(_("This category was retired meanwhile."))
        now.categories = [
            {**each, **fields} if each["key"] == key else each for each in now.categories
        ]

    return _change(schema, change)


def retire_category(*, schema: LabelSchema, key: str) -> LabelSchema:
    """Nobody chooses it from now on; what was said with it stays. Raises WrongState."""

    def change(now):
        if [key] == now.category_keys:
            raise WrongState(
                _("The last category has to stay: an expert must be able to say something.")
            )
        now.categories = [each for each in now.categories if each["key"] != key]

    return _change(schema, change)


def change_guidelines(*, schema: LabelSchema, guidelines: str) -> LabelSchema:
    """Another text of how to judge. Raises WrongState."""

    def change(now):
        now.guidelines = guidelines

    return _change(schema, change)


def open_proposals(project):
    return (
        CategoryProposal.objects.filter(project=project, state=CategoryProposal.State.OPEN)
        .select_related("proposed_by")
        .order_by("pk")
    )


def close_proposal(*, proposal: CategoryProposal, state: str) -> None:
    CategoryProposal.objects.filter(pk=proposal.pk, state=CategoryProposal.State.OPEN).update(
        state=state
    )


@transaction.atomic
def _change(seen: LabelSchema, change) -> LabelSchema:
    """`seen` is the version that the lead looked at: a change to another one would undo somebody else's."""
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
        categories=frozen.categories,
        span_labels=frozen.span_labels,
        rubric=frozen.rubric,
        root_causes=frozen.root_causes,
        guidelines=frozen.guidelines,
    )


def _free_key(name: str, schema: LabelSchema) -> str:
    """Never one that any version ever had: an old answer must not change its meaning."""
    versions = LabelSchema.objects.filter(project=schema.project_id, name=schema.name)
    taken = {each["key"] for version in versions for each in version.categories}
    wanted = slugify(name).replace("-", "_")[:50] or "category"
    key, number = wanted, 2
    while key in taken:
        key, number = f"{wanted}_{number}", number + 1
    return key
