"""Which interactions ask nearly the same: each has a place in one group, found when it comes in.

A newcomer that is like members of several groups joins them into one; whoever gave something to a whole group (gold's
splits) hears of it as `near_duplicates_merged`.
"""

import hashlib

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from feedbackhub import outbox
from feedbackhub.capture.models import Interaction, NearDuplicateGroup, NearDuplicateSignature
from feedbackhub.similarity import minhash

MOST_CANDIDATES = 200
GROUPING_LOCK = 0x0D0B  # with the project's id: one newcomer of a project is placed at a time


def text_to_compare(interaction) -> str:
    """What makes two interactions twins: everything said to the model but its instructions."""
    return "\n".join(m["content"] for m in interaction.messages if m["role"] != "system")


@transaction.atomic
def place(interaction) -> NearDuplicateGroup:
    """Give an interaction its group; safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [GROUPING_LOCK, interaction.project_id]
        )
    signature = NearDuplicateSignature.objects.filter(interaction=interaction).first()
    if signature:
        return signature.group
    text = text_to_compare(interaction)
    bands = minhash.bands(text, salt=str(interaction.project_id))
    groups = _groups_alike(interaction, text, bands)
    if len(groups) > 1:
        _merge(groups)
    group = groups[0] if groups else _new_group(interaction)
    NearDuplicateSignature.objects.create(
        project_id=interaction.project_id,
        interaction=interaction,
        group=group,
        parameters=minhash.PARAMETERS,
        bands=bands,
    )
    return group


def group_of(interaction) -> NearDuplicateGroup:
    """The group of an interaction, placing it when the news of its capture has not come through yet."""
    signature = (
        NearDuplicateSignature.objects.filter(interaction=interaction)
        .select_related("group")
        .first()
    )
    return signature.group if signature else place(interaction)


def likely_twins(project_id, bands):
    """Signatures that share a band, those with the most in common first: a letterhead that thousands share hides no twin."""
    shared = RawSQL(
        "(SELECT count(*) FROM unnest(capture_nearduplicatesignature.bands) AS band WHERE band = ANY(%s))",
        [bands],
    )
    return (
        NearDuplicateSignature.objects.filter(
            project=project_id,
            bands__overlap=bands,
            parameters=minhash.PARAMETERS,
            interaction__erased_at=None,
        )
        .annotate(shared=shared)
        .order_by("-shared", "-interaction_id")
    )


def _groups_alike(interaction, text, bands) -> list[NearDuplicateGroup]:
    """The groups with a member that is a near-duplicate, oldest first."""
    candidates = likely_twins(interaction.project_id, bands).select_related("group")
    candidates = candidates[:MOST_CANDIDATES]
    mine, alike = minhash.shingles(text), {}
    texts = {}
    ids = [candidate.interaction_id for candidate in candidates]
    for other in Interaction.objects.filter(pk__in=ids).only("id", "messages"):
        texts[other.pk] = text_to_compare(other)
    for candidate in candidates:
        if candidate.group_id in alike:
            continue
        if (
            minhash.jaccard(mine, minhash.shingles(texts[candidate.interaction_id]))
            >= minhash.THRESHOLD
        ):
            alike[candidate.group_id] = candidate.group
    return sorted(alike.values(), key=lambda group: group.pk)


def _new_group(interaction):
    """Its key is stable for one corpus: a replayed import gives the same groups the same keys."""
    key = hashlib.sha256(interaction.external_id.encode()).hexdigest()
    return NearDuplicateGroup.objects.get_or_create(project_id=interaction.project_id, key=key)[0]


def _merge(groups) -> None:
    """All members move to the oldest group; the others remember where they went.

    Whoever gives something to one of these groups locks it, so that what is given before we move is there for all to see.
    """
    kept, *gone = groups
    list(
        NearDuplicateGroup.objects.select_for_update(no_key=True)
        .filter(pk__in=[group.pk for group in groups])
        .order_by("pk")
    )
    NearDuplicateSignature.objects.filter(group__in=gone).update(group=kept)
    NearDuplicateGroup.objects.filter(pk__in=[group.pk for group in gone]).update(merged_into=kept)
    outbox.publish("near_duplicates_merged", project=kept.project, group_id=kept.pk)
