"""What every person said, one judgement a row: each revision up to the one that the settlement counted, and which of two
answers they preferred, up to when the version was frozen.

People stand under their public id, not their name. Only what never changes is told, so that the same export is the same
bytes: whether a judgement was revised after the settlement is not this version's affair.
"""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Q

from annotation.exports.cases import Case, Format, LeftOut
from annotation.models import Annotation, Preference, Settlement

_SAID = (
    "revision", "verdict", "severity", "categories", "root_cause", "rubric_scores", "ratings", "note", "confidence",
    "seconds_spent", "suggestion",
)  # fmt: skip


def gather(settlement_ids: list[int], frozen_at) -> dict[int, list[dict]]:
    """The judgements behind each settlement, in a fixed order; then its case's comparisons."""
    counted = {}
    links = Settlement.annotations.through.objects.filter(settlement__in=settlement_ids)
    for settlement_id, assignment_id, revision in links.values_list(
        "settlement_id", "annotation__assignment_id", "annotation__revision"
    ):
        counted[settlement_id, assignment_id] = revision
    found = defaultdict(list)
    annotations = (
        Annotation.objects.filter(assignment__in={key[1] for key in counted})
        .select_related("expert", "schema", "item__interaction")
        .prefetch_related("spans", "candidates")
        .order_by("assignment_id", "revision")
    )
    by_assignment = defaultdict(list)
    for annotation in annotations:
        by_assignment[annotation.assignment_id].append(annotation)
    for (settlement_id, assignment_id), last in sorted(counted.items()):
        found[settlement_id] += [
            _judgement(annotation, is_counted=annotation.revision == last)
            for annotation in by_assignment[assignment_id]
            if annotation.revision <= last
        ]
    for settlement_id, preference in _preferences(settlement_ids, frozen_at):
        found[settlement_id].append(preference)
    return found


def _preferences(settlement_ids, frozen_at) -> Iterator[tuple[int, dict]]:
    cases = dict(
        Settlement.objects.filter(pk__in=settlement_ids).values_list("interaction_id", "pk")
    )
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
    description="Every judgement of every person behind each case, earlier revisions too: for research and agreement, not for training.",
    is_training=False,
    rows=rows,
    gather=gather,
)
