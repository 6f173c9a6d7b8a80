"""What every person said about a case up to when the version was frozen, one judgement a row: in whichever queue, counted or
not, each revision, what measured a person too (`purpose`), and which of two answers they preferred.

People stand under their public id, not their name. Only what never changes is told, so that the same export is the same
bytes: what was said after the freezing is not this version's affair.
"""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import F, Q

from annotation.exports.cases import Case, Format, LeftOut
from annotation.models import Annotation, Preference, ReviewItem, Settlement

Purpose = ReviewItem.Purpose

_SAID = (
    "revision", "verdict", "severity", "categories", "root_cause", "rubric_scores", "ratings", "note", "confidence",
    "seconds_spent", "suggestion",
)  # fmt: skip
_PURPOSES = {
    Purpose.LABEL: "production",
    Purpose.CALIBRATION: "known",  # a known case, onboarding's among them
    Purpose.REPEAT: "repeat",
    Purpose.PAIRWISE: "pairwise",
}


def gather(settlement_ids: list[int], frozen_at) -> dict[int, list[dict]]:
    """What was said about each settlement's case, in a fixed order; then its comparisons."""
    settlements = Settlement.objects.filter(pk__in=settlement_ids)
    cases = dict(settlements.values_list("interaction_id", "pk"))
    links = Settlement.annotations.through.objects.filter(settlement__in=settlement_ids)
    counted = set(links.values_list("settlement_id", "annotation_id"))
    found = defaultdict(list)
    annotations = (
        Annotation.objects.filter(
            Q(taken_back_at=None) | Q(taken_back_at__gt=F("final_at")),  # else undone in time
            item__interaction__in=cases,
            final_at__lte=frozen_at,
            preference=None,
        )
        .select_related("expert", "schema", "item__interaction")
        .prefetch_related("spans", "candidates")
        .order_by("assignment_id", "revision")
    )
    for each in annotations:
        settlement_id = cases[each.item.interaction_id]
        is_counted = (settlement_id, each.pk) in counted
        found[settlement_id].append(_judgement(each, is_counted=is_counted))
    for settlement_id, preference in _preferences(cases, frozen_at):
        found[settlement_id].append(preference)
    return found


def _preferences(cases, frozen_at) -> Iterator[tuple[int, dict]]:
    preferences = list(
        Preference.objects.filter(
            Q(annotation__taken_back_at=None) | Q(annotation__taken_back_at__gt=frozen_at),
            annotation__final_at__lte=frozen_at,
            comparison__item__interaction__in=cases,
        )
        .select_related(
            "comparison",
            "annotation__expert",
            "annotation__schema",
            "annotation__item__interaction",
        )
        .prefetch_related("annotation__spans", "annotation__candidates")
        .order_by("annotation__assignment_id", "annotation__revision")
    )
    newest = {each.annotation.assignment_id: each.annotation.pk for each in preferences}
    for each in preferences:
        said = each.annotation
        is_counted = newest[said.assignment_id] == said.pk
        yield (
            cases[said.item.interaction_id],
            _judgement(said, is_counted=is_counted, preference=each),
        )


def _judgement(annotation, *, is_counted: bool, preference=None) -> dict:
    """Of a preference: `output` was given, beside `other_answer`; `preferred` says which was better."""
    said = {name: getattr(annotation, name) for name in _SAID}
    return {
        "annotation": str(annotation.public_id),
        "expert": str(annotation.expert.public_id),
        **said,
        "is_counted": is_counted,
        "purpose": _PURPOSES[annotation.item.purpose],
        "schema": f"{annotation.schema.name} v{annotation.schema.version}",
        "source": annotation.imported_from,
        "said_at": annotation.created_at.isoformat(),
        "spans": [
            {
                name: getattr(span, name)
                for name in ("field", "start", "end", "quote", "label", "note")
            }
            for span in annotation.spans.all()
        ],
        "corrections": [
            answer.text
            for answer in sorted(annotation.candidates.all(), key=lambda answer: answer.revision)
        ],
        "output": annotation.item.interaction.output,
        "other_answer": preference.comparison.text if preference else "",
        "preferred": preference.outcome if preference else "",
        "reasons": preference.reasons if preference else [],
    }


def rows(case: Case) -> list[dict]:
    if not case.judgements:
        raise LeftOut("no_annotation")
    return [
        {
            "example": case.example_id,
            "interaction": case.interaction_id,
            "split": case.split,
            "messages": case.messages,
            **judgement,
            **({} if case.tools is None else {"tools": case.tools}),
        }
        for judgement in case.judgements
    ]


FORMAT = Format(
    name="raw_annotations",
    label="Raw annotations",
    description="Every judgement of every person on each case, earlier revisions too: for research and agreement, not for training.",
    is_training=False,
    rows=rows,
    gather=gather,
)
