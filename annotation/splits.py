"""Which split a gold example is born into: by a stable hash of its near-duplicate group, so that no twin crosses the line.

A group has one split. Within a category the shares are kept by bending what the hash says: a split that would get more than
one group too many gives it to the one that lacks most. Never into holdout: whatever the hash did not keep back from the start
may have been shown already. When groups merge, the strictest one wins; members that were already exported for training are
marked contaminated, and no training export carries them again.
"""

import hashlib

from django.db import transaction
from django.db.models import Count, F

from annotation.models import ExportMember, GoldExample, Split
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import NearDuplicateGroup
from feedbackhub.similarity import minhash

DESCRIPTION = (
    "80 % train, 10 % validation, 10 % holdout by SHA-256 of the near-duplicate group, evened out within a category, never into "
    f"holdout. {minhash.DESCRIPTION}"
)
_SHARES = {Split.TRAIN: 0.8, Split.VALIDATION: 0.1, Split.HOLDOUT: 0.1}
_LOOKED_AT = 1_000  # examples, the newest
_TOO_MANY = 1  # groups
_STRICTNESS = {Split.TRAIN: 0, Split.VALIDATION: 1, Split.HOLDOUT: 2}


def split_of_group(group, category: str = "") -> Split:
    """What the group's examples already have, the strictest of it; else what its key says, evened out in its category."""
    taken = list(
        GoldExample.objects.filter(interaction__signature__group=group)
        .values_list("split", flat=True)
        .distinct()
    )
    if taken:
        return strictest(taken)
    wanted = split_of_key(group.key)
    return _evened_out(wanted, _counts_of(group.project_id, category)) if category else wanted


def _counts_of(project_id, category) -> dict[Split, int]:
    """How many groups of this category each split has, among the newest examples."""
    newest = GoldExample.objects.filter(project=project_id).order_by("-id")[:_LOOKED_AT]
    found = (
        GoldExample.objects.filter(
            pk__in=newest.values("pk"),
            revisions__is_current=True,
            revisions__labels__categories__contains=[category],
        )
        .values_list("split")
        .annotate(groups=Count("interaction__signature__group", distinct=True))
    )
    return {Split(split): groups for split, groups in found}


def _evened_out(wanted: Split, counts: dict[Split, int]) -> Split:
    total = sum(counts.values()) + 1
    too_many = {split: counts.get(split, 0) - share * total for split, share in _SHARES.items()}
    if too_many[wanted] + 1 <= _TOO_MANY:
        return wanted
    return min((Split.TRAIN, Split.VALIDATION), key=lambda split: too_many[split] / _SHARES[split])


def split_of_key(key: str) -> Split:
    """Stable for ever: a replayed import gives the same groups the same splits."""
    percent = int.from_bytes(hashlib.sha256(f"split:{key}".encode()).digest()[:8], "big") % 100
    if percent < 80:
        return Split.TRAIN
    return Split.VALIDATION if percent < 90 else Split.HOLDOUT


def keys_of(groups) -> dict[int, str]:
    """The keys of these groups, by id."""
    return dict(NearDuplicateGroup.objects.filter(pk__in=groups).values_list("pk", "key"))


def strictest(splits) -> Split:
    return Split(max(splits, key=lambda split: _STRICTNESS[split]))


@transaction.atomic
def unite(group) -> int:
    """Give all of a merged group's examples its strictest split; answers how many moved. Safe to repeat.

    Locks the project first, as an export does that says it is done: either we see it done, or it sees who moved.
    """
    Project.objects.select_for_update(no_key=True).get(pk=group.project_id)
    examples = list(
        GoldExample.objects.select_for_update(of=("self",))
        .filter(interaction__signature__group=group)
        .order_by("id")
    )
    if not examples:
        return 0
    split = strictest([example.split for example in examples])
    moved = [example for example in examples if example.split != split]
    for example in moved:
        GoldExample.objects.filter(pk=example.pk).update(
            split=split,
            is_contaminated=example.is_contaminated or _was_exported_for_training(example),
        )
    if moved:
        # A frozen version exported for training is now without them: other bytes, hence another epoch (rules 6 and 7).
        Project.objects.filter(pk=group.project_id).update(erasure_epoch=F("erasure_epoch") + 1)
    return len(moved)


def _was_exported_for_training(example) -> bool:
    """In a file that could ever be downloaded, also of a run that is being made again."""
    from annotation.exports import TRAINING_FORMATS

    return ExportMember.objects.filter(
        revision__example=example,
        export__first_done_at__isnull=False,
        export__format__in=TRAINING_FORMATS,
    ).exists()
