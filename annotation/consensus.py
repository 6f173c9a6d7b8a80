"""When the experts of an item agree: the rule of its queue, and what happens when they do not.

- *majority*: more than half say the same verdict and severity;
- *unanimous*: all of them do;
- *weighted*: more than half by weight, which is how well each expert did on known cases (`weight_of`).

Under every rule a voice that says harm is never outvoted: only a lead may overrule it. When there is no agreement the item
goes to a lead, or, where the queue says so, one more expert is asked (`asks_one_more`), twice at most.
"""

from collections import defaultdict

from django.db.models import Count, F, Q

from annotation.models import Annotation, ReviewItem, ReviewQueue, Settlement
from annotation.queue_judges import has_anybody_left

MOST_EXTRA = 2
MOST_REVIEWERS = 9
Rule = ReviewQueue.Consensus


def agreeing_voices(
    voices: list[Annotation], rule: str = Rule.MAJORITY, weights: dict[int, float] | None = None
) -> list[Annotation] | None:
    """The annotations that the rule holds for, or None when it takes a lead. `weights` are by expert."""
    groups = defaultdict(list)
    for voice in voices:
        groups[voice.verdict, voice.severity].append(voice)
    if rule == Rule.UNANIMOUS and len(groups) > 1:
        return None

    def weight(group):
        return sum((weights or {}).get(voice.expert_id, 1) for voice in group)

    largest = max(groups.values(), key=weight)
    if 2 * weight(largest) <= weight(voices):
        return None
    if not largest[0].is_harm and any(voice.is_harm for voice in voices):
        return None
    return largest


def weights_of(queue: ReviewQueue, experts) -> dict[int, float]:
    """What each expert's word weighs in this queue: under its schema, the share of known cases they judged as they are, from .02 to .98.

    A known case is one that a lead decided, or one that was slipped in for calibration. One right and one wrong are added, so that somebody new weighs .5 and nobody weighs nothing.
    """
    known = dict.fromkeys(experts, (0, 0))
    held = Settlement.objects.filter(
        project=queue.project_id, schema_name=queue.schema_name, is_current=True
    )
    decided = held.filter(decided_how=Settlement.DecidedHow.LEAD)
    judged = (
        Annotation.objects.current()
        .filter(
            Q(item__purpose=ReviewItem.Purpose.LABEL, item__interaction__settlements__in=decided)
            | Q(
                item__purpose=ReviewItem.Purpose.CALIBRATION,
                item__interaction__settlements__in=held,
            ),
            expert__in=list(experts),
            schema__name=queue.schema_name,
        )
        .values("expert")
        .annotate(
            all=Count("pk"),
            right=Count(
                "pk",
                filter=Q(
                    verdict=F("item__interaction__settlements__verdict"),
                    severity=F("item__interaction__settlements__severity"),
                ),
            ),
        )
    )
    for row in judged:
        known[row["expert"]] = (row["right"], row["all"])
    return {expert: round((right + 1) / (all + 2), 2) for expert, (right, all) in known.items()}


def asks_one_more(item: ReviewItem, voices: list[Annotation]) -> bool:
    """Whether another expert is asked instead of a lead."""
    queue = item.queue
    return (
        queue.on_tie == ReviewQueue.OnTie.REVIEWER
        and queue.consensus != Rule.UNANIMOUS  # a further voice cannot make them one
        and item.overlap < min(MOST_REVIEWERS, queue.overlap + MOST_EXTRA)
        and not any(voice.is_harm for voice in voices)
        and has_anybody_left(item)
    )
