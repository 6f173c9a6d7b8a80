"""A dispute side by side: what differs, field by field and mark by mark; a lead's decision, and the experts' one reply to it."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation import settling
from annotation.candidates import propose_answer
from annotation.models import Annotation, CandidateAnswer, ItemComment, Settlement
from annotation.refusals import InvalidAnswer, WrongState
from annotation.schema_history import keys_now

FIELDS = ("verdict", "severity", "root_cause")


def differing_fields(annotations, schema) -> set[str]:
    """The fields in which the experts do not say the same, under the schema of today."""
    differing = {name for name in FIELDS if len({getattr(a, name) for a in annotations}) > 1}
    for name, said in (
        ("categories", {frozenset(keys_now(schema, a.categories)) for a in annotations}),
        ("rubric_scores", {frozenset(a.rubric_scores.items()) for a in annotations}),
    ):
        if len(said) > 1:
            differing.add(name)
    return differing


def marks_of(annotations) -> list[dict]:
    """Every mark once, in the order of the text, with who made it: {key, field, start, end, label, quote, experts}.

    `is_shared` says that all of them made this very mark.
    """
    marks = {}
    for annotation in annotations:
        for span in annotation.spans.all():
            place = (span.field, span.start, span.end, span.label)
            mark = marks.setdefault(
                place,
                {
                    "key": ":".join(map(str, place)),
                    **dict(zip(("field", "start", "end", "label"), place, strict=True)),
                    "quote": span.quote,
                    "experts": [],
                },
            )
            if annotation.expert not in mark["experts"]:
                mark["experts"].append(annotation.expert)
    for mark in marks.values():
        mark["is_shared"] = len(mark["experts"]) == len(annotations)
    return [mark for _place, mark in sorted(marks.items())]


@transaction.atomic
def decide(*, item, by, marks=(), own_answer="", chosen_answer=None, **said) -> Settlement:
    """A lead's word: values, the marks that stand (of `marks_of`, or the lead's own), and a chosen correction or one of the lead's own.

    Raises WrongState, InvalidAnswer.
    """
    if own_answer:
        chosen_answer = propose_answer(
            interaction=item.interaction,
            text=own_answer,
            source=CandidateAnswer.Source.LEAD,
            author_id=by.pk,
            item=item,
        )
        if chosen_answer is None:
            raise InvalidAnswer({"own_answer": _("Your own answer changes nothing.")})
    each_once = {(mark["field"], mark["start"], mark["end"], mark["label"]): mark for mark in marks}
    spans = [
        {name: mark[name] for name in ("field", "start", "end", "label", "quote")}
        for _place, mark in sorted(each_once.items())
    ]
    return settling.decide_dispute(
        item=item, by=by, spans=spans, chosen_answer=chosen_answer, **said
    )


def decisions_for(*, project, expert):
    """What leads decided on items that this expert judged, newest first: page it by ("-pk",)."""
    judged = Annotation.objects.current().filter(project=project, expert=expert)
    return (
        Settlement.objects.filter(
            project=project,
            is_current=True,
            decided_how=Settlement.DecidedHow.LEAD,
            item__in=judged.values("item"),
        )
        .select_related("interaction", "item__queue", "decided_by", "schema", "chosen_answer")
        .order_by("-pk")
    )


def reply(*, settlement: Settlement, by, text: str) -> ItemComment:
    """An expert says once what they think of a decision on an item they judged; leads read it there. Raises WrongState."""
    judged = Annotation.objects.current().filter(item=settlement.item_id, expert=by).exists()
    if not judged or not settlement.is_current:
        raise WrongState(_("There is no such decision on an item of yours any more."))
    try:
        with transaction.atomic():
            return ItemComment.objects.create(
                project_id=settlement.project_id,
                item_id=settlement.item_id,
                author=by,
                text=text,
                replies_to=settlement,
            )
    except IntegrityError:
        raise WrongState(_("You have replied to this decision already.")) from None
