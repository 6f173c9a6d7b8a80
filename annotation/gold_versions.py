"""Frozen versions read and compared: what a version holds, what came and went between two, what they are called."""

from collections import Counter

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _

from annotation.models import GoldVersion, GoldVersionMember, Split
from annotation.refusals import InvalidAnswer
from feedbackhub.accounts.models import Project
from feedbackhub.capture.browsing import COMPLAINTS
from feedbackhub.capture.models import FeedbackEvent

MOST_TAGS = 20
LONGEST_TAG = 80

# Both sides of each example that is in one of two versions, and differs; by example, in order.
DIFFERENCES = """
WITH old AS (
    SELECT revision.example_id, revision.id AS revision_id, revision.content_hash, revision.labels, member.split
      FROM annotation_goldversionmember member
      JOIN annotation_goldrevision revision ON revision.id = member.revision_id
     WHERE member.version_id = %s
), new AS (
    SELECT revision.example_id, revision.id AS revision_id, revision.content_hash, revision.labels, member.split
      FROM annotation_goldversionmember member
      JOIN annotation_goldrevision revision ON revision.id = member.revision_id
     WHERE member.version_id = %s
)
SELECT coalesce(old.example_id, new.example_id) AS example_id, old.revision_id, new.revision_id,
       CASE WHEN old.example_id IS NULL THEN 'added'
            WHEN new.example_id IS NULL THEN 'retired'
            WHEN old.labels IS DISTINCT FROM new.labels THEN 'relabelled'
            WHEN old.content_hash IS DISTINCT FROM new.content_hash THEN 'reworded'
            ELSE 'moved' END AS change,
       old.split AS old_split, new.split AS new_split,
       (was.messages, was.tools, was.context, was.ideal_answer, was.rejected_answers, was.preferences, was.assertions)
       IS DISTINCT FROM
       (now.messages, now.tools, now.context, now.ideal_answer, now.rejected_answers, now.preferences, now.assertions)
       AND old.revision_id IS NOT NULL AND new.revision_id IS NOT NULL AS is_reworded
  FROM old FULL JOIN new USING (example_id)
  LEFT JOIN annotation_goldrevision was ON was.id = old.revision_id
  LEFT JOIN annotation_goldrevision now ON now.id = new.revision_id
 WHERE old.revision_id IS DISTINCT FROM new.revision_id OR old.split IS DISTINCT FROM new.split
"""
CHANGES = ("added", "relabelled", "reworded", "moved", "retired")


def members_of(version: GoldVersion):
    """The version's rows as they were frozen; erased ones are tombstones."""
    return GoldVersionMember.objects.filter(version=version).select_related(
        "revision__example__interaction"
    )


def differences(old: GoldVersion, new: GoldVersion, *, after: int = 0, limit: int = 200):
    """A page of what differs, as (example id, old revision, new revision, change, old split, new split, is reworded too), by example id."""
    from feedbackhub.prepared import rows_of

    statement = (
        f"SELECT * FROM ({DIFFERENCES}) found WHERE example_id > %s ORDER BY example_id LIMIT %s"  # noqa: S608 (no input)
    )
    return rows_of(statement, [old.pk, new.pk, after, limit])


def difference_counts(old: GoldVersion, new: GoldVersion) -> dict[str, int]:
    """How many examples came, went and changed how; one that was relabelled and reworded counts with both."""
    from feedbackhub.prepared import rows_of

    statement = f"SELECT change, count(*), count(*) FILTER (WHERE is_reworded) FROM ({DIFFERENCES}) found GROUP BY change"  # noqa: S608 (no input)
    found: Counter[str] = Counter()
    for change, number, both in rows_of(statement, [old.pk, new.pk]):
        found[change] += number
        found["reworded"] += both if change == "relabelled" else 0
    return {change: found[change] for change in CHANGES}


def label_changes(old: dict, new: dict) -> list[tuple[str, str, str]]:
    """(label, what it was, what it is) for each label that differs; the verdict is told apart."""
    return [
        (name.replace("_", " "), _in_words(old.get(name)), _in_words(new.get(name)))
        for name in sorted({*old, *new} - {"verdict"})
        if old.get(name) != new.get(name)
    ]


def _in_words(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def facts_of(version: GoldVersion) -> dict:
    """{"splits": {split: how many}, "erased", "contaminated", "sampled_holdout"}: what a reader asks of a version.

    `sampled_holdout` is of what a sample brought in and nobody has complained about since.
    """
    members = GoldVersionMember.objects.filter(version=version)
    complaints = FeedbackEvent.objects.filter(
        interaction=OuterRef("revision__example__interaction"), kind__in=COMPLAINTS
    )
    counts = members.aggregate(
        **{split: Count("pk", filter=Q(split=split)) for split in Split.values},
        erased=Count("pk", filter=~Q(revision__erased_at=None)),
        contaminated=Count("pk", filter=Q(revision__example__is_contaminated=True)),
        sampled=Count(
            "pk",
            filter=Q(split=Split.HOLDOUT, revision__example__interaction__is_sampled=True)
            & ~Exists(complaints),
        ),
    )
    return {
        "splits": {split: counts[split] for split in Split.values},
        "erased": counts["erased"],
        "contaminated": counts["contaminated"],
        "sampled_holdout": counts["sampled"],
    }


@transaction.atomic
def describe(*, version: GoldVersion, description: str, tags: list[str]) -> GoldVersion:
    """Other words for a version; what it holds stays. Raises InvalidAnswer."""
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    tags = free_tags(project, tags, but=version)
    GoldVersion.objects.filter(pk=version.pk).update(description=description[:2_000], tags=tags)
    version.refresh_from_db()
    return version


def free_tags(project: Project, tags, *, but: GoldVersion | None = None) -> list[str]:
    """The tags in one spelling, when no version but this one has them; the caller holds the project's lock."""
    tags = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise InvalidAnswer({"tags": _("At most 20 tags of 80 characters.")})
    if not tags:
        return []
    versions = GoldVersion.objects.filter(project=project, tags__overlap=tags)
    taken = versions.exclude(pk=but.pk if but else None).order_by("-number").first()
    if taken:
        raise InvalidAnswer(
            {"tags": _("Version %d has one of these tags: a tag names one version.") % taken.number}
        )
    return tags
