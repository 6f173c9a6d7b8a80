"""A problem's cases as its page shows them: what was asked and answered, what is wrong in it, what was said, a right answer."""

from dataclasses import dataclass, field

from django.db.models import Prefetch
from django.utils import timezone

from annotation.models import Annotation, ReviewItem
from annotation.queries import interactions_judged_by, kept_from
from feedbackhub.capture.models import FeedbackEvent, RetrievedDocument
from feedbackhub.page_links import page_url
from triage.models import ProblemMember

ORDER = ("-id",)  # the index problemmember_newest
AT_ONCE = 10
SHOWN = 4_000  # characters of a text; the whole of it is on the interaction's own page
_DOCUMENT_SHOWN = 400
_AN_ANSWER = 12  # characters; shorter ones stand in any sentence


@dataclass(frozen=True)
class Elsewhere:
    """What is marked as wrong in a source that the model was given, or in a message before its answer."""

    is_source: bool
    number: int  # counted from 1, as they stand on the pages
    quote: str
    label: str


@dataclass
class Case:
    """One answer of the problem."""

    member: ProblemMember
    url: str
    question: str
    answer: str
    is_cut: bool
    marks: list[dict] = field(default_factory=list)
    marks_elsewhere: list["Elsewhere"] = field(default_factory=list)
    said: list[FeedbackEvent] = field(default_factory=list)
    notes: list[dict] = field(default_factory=list)
    correction: str = ""
    can_be_compared: bool = False
    documents: list[RetrievedDocument] = field(default_factory=list)
    is_to_judge: bool = False  # by whoever reads it, who is not to know yet what others found

    @property
    def interaction(self):
        return self.member.interaction

    @property
    def is_erased(self) -> bool:
        return self.interaction.erased_at is not None


def members(problem, membership):
    """The problem's cases: an expert's are those that they judged, once others' words cannot sway them; a tracker's
    (`membership` None) are all."""
    found = ProblemMember.objects.filter(problem=problem, left_at=None)
    if membership and not membership.may("see_problems"):
        found = found.filter(interaction__in=interactions_judged_by(membership))
    return found


def for_reading(found):
    """With everything that `case` looks at, in as many queries whatever their number."""
    documents = RetrievedDocument.objects.order_by("position")
    said = FeedbackEvent.objects.filter(erased_at=None).order_by("occurred_at", "id")
    return found.select_related(
        "interaction__prompt_version", "settlement__chosen_answer"
    ).prefetch_related(
        Prefetch("interaction__feedback", said),
        Prefetch("interaction__documents", documents),
    )


def cases(rows: list[ProblemMember], project, schema, membership) -> list[Case]:
    """As this member may read them, a tracker (None) whole: of an answer that they judge blind themselves, be they a lead,
    nothing that others marked, noted or wrote."""
    judged = _judgements(rows)
    labels = _span_labels(schema)
    found = [_case(row, judged.get(row.interaction_id, []), project, labels) for row in rows]
    to_judge = _to_judge(rows, membership)
    for case in found:
        if case.interaction.pk in to_judge:
            case.is_to_judge = True
            case.marks, case.marks_elsewhere, case.notes, case.correction = [], [], [], ""
    return found


def _to_judge(rows, membership) -> set[int]:
    if membership is None:
        return set()
    kept = kept_from(project=membership.project_id, expert=membership.user_id)
    items = ReviewItem.objects.filter(kept, interaction__in=[row.interaction_id for row in rows])
    return set(items.values_list("interaction_id", flat=True))


def _case(member, annotations, project, labels) -> Case:
    interaction, settlement = member.interaction, member.settlement
    question, answer = interaction.last_user_message, interaction.output
    spans = settlement.spans if settlement else _own_spans(annotations)
    chosen = settlement.chosen_answer if settlement else None
    correction = chosen.text if chosen else _first_candidate(annotations)
    if correction == answer:
        correction = ""
    marked = [] if interaction.erased_at else spans
    for document in interaction.documents.all():
        document.shown = document.text[:_DOCUMENT_SHOWN]
    return Case(
        member=member,
        url=page_url("interaction", project.slug, interaction.public_id),
        question=question[:SHOWN],
        answer=answer[:SHOWN],
        is_cut=len(question) > SHOWN or len(answer) > SHOWN,
        marks=[
            {"start": span["start"], "end": span["end"], **_label(span.get("label", ""), labels)}
            for span in marked
            if span.get("field") == "output"
        ],
        marks_elsewhere=list(_elsewhere(marked, interaction, labels)),
        said=[
            event
            for event in interaction.feedback.all()
            if event.comment or event.category or event.kind in ("report", "thumbs_down")
        ],
        notes=[{"who": a.expert, "text": a.note} for a in annotations if a.note],
        correction=correction[:SHOWN],
        can_be_compared=len(answer) <= SHOWN and len(correction) <= SHOWN,
        documents=list(interaction.documents.all()),
    )


def _elsewhere(spans, interaction, labels):
    """In the words of the stored, masked text; what is not there any more is left out."""
    documents = list(interaction.documents.all())
    for span in spans:
        kind, _dot, place = str(span.get("field", "")).partition(".")
        if kind not in ("messages", "documents") or not place.isdecimal():
            continue
        place = int(place)
        if kind == "documents":
            texts = {
                document.position: (number, document.text)
                for number, document in enumerate(documents, 1)
            }
        else:
            texts = {
                at: (at + 1, message.get("content"))
                for at, message in enumerate(interaction.messages)
            }
        number, text = texts.get(place, (0, None))
        quote = text[span["start"] : span["end"]] if isinstance(text, str) else ""
        if quote:
            label = _label(span.get("label", ""), labels)["label"]
            yield Elsewhere(kind == "documents", number, quote[:SHOWN], label)


def quotes(text: str, answer: str) -> bool:
    """Whether somebody's words hold a right answer, however it is broken into lines; a word or two is none."""
    sought = _folded(answer)
    return len(sought) >= _AN_ANSWER and sought in _folded(text)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _judgements(rows) -> dict[int, list[Annotation]]:
    found: dict[int, list[Annotation]] = {}
    for annotation in (
        Annotation.objects.current()
        .filter(
            item__interaction__in=[row.interaction_id for row in rows],
            item__purpose=ReviewItem.Purpose.LABEL,
            taken_back_at=None,
            final_at__lte=timezone.now(),
        )
        .select_related("item", "expert")
        .prefetch_related("spans", "candidates")
        .order_by("id")
    ):
        found.setdefault(annotation.item.interaction_id, []).append(annotation)
    return found


def _own_spans(annotations) -> list[dict]:
    return [
        {"field": span.field, "start": span.start, "end": span.end, "label": span.label}
        for annotation in annotations
        for span in annotation.spans.all()
    ]


def _first_candidate(annotations) -> str:
    return next((each.text for a in annotations for each in a.candidates.all()), "")


def _span_labels(schema) -> dict[str, dict]:
    return {
        each["key"]: {"label": each["name"], "colour": place % 8 + 1}
        for place, each in enumerate(schema.span_labels if schema else ())
    }


def _label(key, labels) -> dict:
    return labels.get(key, {"label": key, "colour": 1})
