"""A good and a bad example for a category whose guideline lacks one or both: a settled case of the same queue, from gold.

Only what is there to teach: the train split, approved and not retired; nothing of the validation split or the holdout, and
never the shown answer or a twin of it. Which cases there are is looked at every ten minutes; what they say is read each time, so
that what was erased is shown nowhere.
"""

from django.core.cache import cache
from django.db.models import Exists, Q

from annotation.models import Assignment, GoldRevision, ReviewQueue, Split
from feedbackhub.capture.models import NearDuplicateSignature

NEWEST_LOOKED_AT = 300
SPARE = 3  # for each category, because some are twins of what is shown
REMEMBERED = 600  # seconds
SHOWN = 200  # characters
BEFORE = 60  # of them before the place where good and bad part


def examples_for(item, schema, expert_id) -> dict[str, dict]:
    """{category: {"bad", "good"}} for those of the schema's categories that lack an example of their own.

    Where experts are measured by known cases, only cases that this expert had already: never the answers to those to come.
    """
    lacking = [
        category["key"]
        for category in schema.categories
        if not category.get("bad_example") or not category.get("good_example")
    ]
    if not lacking:
        return {}
    known = _known(item.queue, schema, lacking)
    pks = {pk for pks in known.values() for pk in pks}
    revisions = _readable(item, schema, expert_id, pks) if known else {}
    found = {}
    for key, pks in known.items():
        if first := next((revisions[pk] for pk in pks if pk in revisions), None):
            found[key] = _excerpts(first.rejected_answers[0], first.ideal_answer)
    return found


# --- steps ----------------------------------------------------------------------------------------


def _known(queue, schema, lacking) -> dict[str, list[int]]:
    """By category, the newest revisions that show it."""
    name = f"examples-from-gold-{queue.pk}-{schema.pk}"
    known = cache.get(name)
    if known is None:
        known = {}
        newest = _teaching(queue.project_id).filter(settlement__item__queue=queue).order_by("-pk")
        labels = newest.values_list("pk", "labels__categories")[:NEWEST_LOOKED_AT]
        for pk, categories in labels:
            for key in set(lacking) & set(categories or ()):
                known.setdefault(key, []).append(pk)
        known = {key: pks[:SPARE] for key, pks in known.items()}
        cache.set(name, known, REMEMBERED)
    return known


def _readable(item, schema, expert_id, pks) -> dict[int, GoldRevision]:
    """What is still to be shown beside this item; who has no group yet may be the twin of anything."""
    seen = Assignment.objects.filter(expert=expert_id, project=item.project_id)
    measuring = ReviewQueue.objects.filter(
        Q(calibration_percent__gt=0) | Q(onboarding_count__gt=0),
        project=item.project_id,
        schema_name=schema.name,
    )
    groups = NearDuplicateSignature.objects.filter(interaction=item.interaction_id)
    return (
        _teaching(item.project_id)
        .filter(~Q(example__interaction__signature__group__in=groups.values("group")))
        .filter(Q(pk__in=pks) & Q(project__in=groups.values("project")))
        .filter(~Exists(measuring) | Q(example__interaction__in=seen.values("item__interaction")))
        .only("ideal_answer", "rejected_answers")
        .in_bulk()
    )


def _teaching(project_id):
    return GoldRevision.objects.filter(
        project=project_id,
        is_current=True,
        erased_at=None,
        example__split=Split.TRAIN,
        example__retired_at=None,
        example__erased_at=None,
        example__interaction__signature__isnull=False,
        rejected_answers__len__gt=0,
    ).exclude(ideal_answer="")


def _excerpts(bad: str, good: str) -> dict[str, str]:
    """Both from shortly before the place where they part."""
    pairs = enumerate(zip(bad, good, strict=False))
    part = next((place for place, (one, other) in pairs if one != other), min(len(bad), len(good)))
    start = max(0, part - BEFORE)
    return {"bad": _cut(bad, start), "good": _cut(good, start)}


def _cut(text: str, start: int) -> str:
    shown = text[start : start + SHOWN].strip()
    return f"{'…' if start else ''}{shown}{'…' if start + SHOWN < len(text) else ''}"
