"""How rows of other shapes become judgements: a mapping answers bodies as `POST /api/v1/annotations/import` takes them.

`native` rows are what the API takes. `xsum` and `feedbackqa` rows are research sets whose answers came in before by
`import_interactions --mapping sample`; docs/importing.md says what becomes what.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from annotation import default_schema
from annotation.models import LabelSchema, ReviewQueue
from feedbackhub import redaction
from feedbackhub.capture.mappings import RATINGS

FACTUAL = {True: ("correct", "none"), False: ("wrong", "medium")}
_RATED = {
    "Excellent": ("correct", "none"),
    "Acceptable": ("partly", "low"),
    "Could be Improved": ("partly", "medium"),
    "Bad": ("wrong", "medium"),
}


@dataclass(frozen=True)
class Mapping:
    """`bodies(row, queue, kinds)`; `labels` are the span labels of the schema that the queue is made with."""

    bodies: Callable[..., Iterator[dict]]
    queue: str = ""  # made when it is not there; "" where rows name theirs
    labels: tuple[tuple[str, str], ...] = ()


def _native(row, *, queue, kinds):
    yield {**row, "queue": row.get("queue") or queue} if isinstance(row, dict) else row


def _xsum(row, *, queue, kinds):
    """One judgement for each annotator: their vote whether it is factual, else whether they marked anything."""
    moved = redaction.redact(row["raw_output"], enabled=kinds)
    votes = {vote["annotator"]: vote["value"] for vote in row["item_labels"]}
    for annotator in row["meta"]["annotators"]:
        spans = [
            {
                "field": "output",
                "start": moved.remap(mark["start"]),
                "end": moved.remap(mark["end"], end=True),
                "label": mark["type"],
            }
            for mark in row["human_labels"]
            if mark["annotator"] == annotator
        ]
        vote = votes.get(annotator)
        verdict, severity = FACTUAL[not spans if vote is None else vote]
        ratings = []
        if vote is not None:
            ratings = [
                {"name": "is_factual", "word": str(vote), "value": int(vote), "scale": [0, 1]}
            ]
        yield {
            "interaction_id": row["interaction_id"],
            "queue": queue,
            "person": {"id": annotator},
            "source": row["dataset"],
            "verdict": verdict,
            "severity": severity,
            "spans": spans,
            "ratings": ratings,
        }


def _feedbackqa(row, *, queue, kinds):
    """One judgement for each rating. The source names nobody: its first, second and third rater are three people."""
    for place, said in enumerate(row["feedback"], 1):
        verdict, severity = _RATED[said["value"]]
        yield {
            "interaction_id": row["interaction_id"],
            "queue": queue,
            "person": {"id": f"{row['dataset']} rater {place}"},
            "source": row["dataset"],
            "verdict": verdict,
            "severity": severity,
            "note": said.get("text") or "",
            "ratings": [
                {
                    "name": "rating",
                    "word": said["value"],
                    "value": RATINGS.index(said["value"]) + 1,
                    "scale": [1, len(RATINGS)],
                }
            ],
        }


MAPPINGS: dict[str, Mapping] = {
    "native": Mapping(_native),
    "xsum": Mapping(
        _xsum, "xsum", (("intrinsic", "Contradicts its source"), ("extrinsic", "Not in its source"))
    ),
    "feedbackqa": Mapping(_feedbackqa, "feedbackqa"),
}


def place_for(project, mapping: Mapping) -> str:
    """The mapping's own queue, closed: nobody is handed these; with a schema that has its labels."""
    if not mapping.queue:
        return ""
    queue = ReviewQueue.objects.for_project(project).filter(slug=mapping.queue).first()
    if queue is None:
        LabelSchema.objects.get_or_create(
            project=project,
            name=mapping.queue,
            is_current=True,
            defaults={
                "categories": default_schema.CATEGORIES,
                "root_causes": default_schema.ROOT_CAUSES,
                "span_labels": [{"key": key, "name": name} for key, name in mapping.labels],
            },
        )
        ReviewQueue.objects.create(
            project=project,
            name=f"Imported: {mapping.queue}",
            slug=mapping.queue,
            schema_name=mapping.queue,
            is_open=False,
        )
    return mapping.queue
