"""From annotations to the truth that the house holds: agreed by the experts, or decided by a lead.

An item is complete when as many experts as its overlap have said something that counts.

- **Agreed**: more than half of them say the same verdict and severity. A voice that says harm (harmful, or critical) is
  never outvoted: it makes the item disputed.
- **Disputed** otherwise, also when another queue's item settled the same interaction differently. A lead decides.
- A lead's word stands until a lead opens the item again.

There is one current settlement per interaction and schema. It takes effect when the undo has passed; its news,
`item_settled`, is due then: {settlement_id, item_id, interaction_id, annotation_id (whose submit settled it)}.
"""

from collections import Counter, defaultdict

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.answers import check_answers
from annotation.models import Annotation, CandidateAnswer, LabelSchema, ReviewItem, Settlement
from annotation.refusals import WrongState
from annotation.slots import count_slots, lock_item_and_interaction
from feedbackhub import outbox

State = ReviewItem.State


def reconsider(item, *, because_of=None, is_taken_back=False) -> Settlement | None:
    """Bring an item and the settlement of its interaction into line with the annotations that count now.

    The caller holds the locks of `slots.lock_item_and_interaction`. `because_of` is the annotation that was submitted;
    `is_taken_back` says that one went away, so that an item that was complete may not be any more.
    """
    voices = list(item.annotations.current().select_related("schema").order_by("pk"))
    standing = _standing(item)
    if _is_leads_word(standing, item):
        return standing
    if len(voices) < item.overlap:
        if is_taken_back:
            _withdraw(item, standing)
            _move(item, State.WAITING)
            count_slots(item.pk)
        return None
    if item.purpose != ReviewItem.Purpose.LABEL:
        _move(item, State.SETTLED)
        return None
    agreeing = agreement(voices)
    if agreeing is None or (standing and standing.item != item and not _agree(standing, agreeing)):
        _withdraw(item, standing)
        _move(item, State.DISPUTED)
        return None
    if standing and standing.item != item:
        if standing.decided_how == Settlement.DecidedHow.LEAD:
            _move(item, State.SETTLED)
            return standing
        before = list(standing.annotations.current())
        voices, agreeing = [*before, *voices], [*before, *agreeing]
    settlement = _settle(
        item,
        standing=standing,
        voices=voices,
        because_of=because_of,
        decided_how=Settlement.DecidedHow.AGREED,
        schema=agreeing[-1].schema,
        **_common_values(agreeing),
    )
    _move(item, State.SETTLED)
    return settlement


def agreement(voices: list[Annotation]) -> list[Annotation] | None:
    """The annotations that more than half agree with, or None when it takes a lead."""
    groups = defaultdict(list)
    for voice in voices:
        groups[voice.verdict, voice.severity].append(voice)
    largest = max(groups.values(), key=len)
    if 2 * len(largest) <= len(voices):
        return None
    if not largest[0].is_harm and any(voice.is_harm for voice in voices):
        return None
    return largest


@transaction.atomic
def decide_dispute(
    *,
    item,
    by,
    verdict,
    severity,
    reason,
    categories=(),
    root_cause="",
    spans=(),
    chosen_answer=None,
) -> Settlement:
    """A lead settles a disputed item, or overrules a settled one. Raises WrongState, InvalidAnswer."""
    item = lock_item_and_interaction(item.pk)
    if item.state not in (State.DISPUTED, State.SETTLED):
        raise WrongState(_("This item is not settled yet: its experts are still at work."))
    if chosen_answer and chosen_answer.interaction_id != item.interaction_id:
        raise WrongState(_("This correction belongs to another answer."))
    schema = current_schema(item.queue)
    said = check_answers(
        schema=schema,
        interaction=item.interaction,
        verdict=verdict,
        severity=severity,
        categories=categories,
        root_cause=root_cause,
        spans=spans,
        note=reason,
    )
    freeze(schema)
    settlement = _settle(
        item,
        standing=_standing(item),
        voices=list(item.annotations.current()),
        because_of=None,
        decided_how=Settlement.DecidedHow.LEAD,
        decided_by=by,
        reason=said["note"],
        schema=schema,
        verdict=said["verdict"],
        severity=said["severity"],
        categories=said["categories"],
        root_cause=said["root_cause"],
        spans=[_without_note(span) for span in said["spans"]],
        chosen_answer=chosen_answer,
    )
    _move(item, State.SETTLED)
    ReviewItem.objects.filter(pk=item.pk, needs_discussion=True).update(needs_discussion=False)
    if settlement.is_harm:
        outbox.publish(
            "harm_found",
            project=item.project,
            interaction_id=item.interaction_id,
            item_id=item.pk,
            settlement_id=settlement.pk,
            source="lead",
            severity=settlement.severity,
        )
    return settlement


def withdraw(item) -> None:
    """What an item settled is no longer held to be true: a lead opens it again. The caller holds the locks."""
    _withdraw(item, _standing(item))


def effective_settlement(settlement_id: int) -> Settlement | None:
    """For those who hear of `item_settled`: the settlement, when it still stands and has taken effect."""
    return (
        Settlement.objects.filter(
            pk=settlement_id, is_current=True, takes_effect_at__lte=timezone.now()
        )
        .select_related("interaction", "item", "schema", "chosen_answer", "project")
        .first()
    )


def current_schema(queue, version: int | None = None) -> LabelSchema:
    """The schema of a queue: the version named, or the one in use. Raises LabelSchema.DoesNotExist."""
    schemas = LabelSchema.objects.filter(project=queue.project_id, name=queue.schema_name)
    return schemas.get(version=version) if version else schemas.get(is_current=True)


def freeze(schema: LabelSchema) -> None:
    """From its first use on, a version says the same for ever."""
    if not schema.is_frozen:
        LabelSchema.objects.filter(pk=schema.pk, is_frozen=False).update(is_frozen=True)
        schema.is_frozen = True


def is_decided_by_lead(item) -> bool:
    return _is_leads_word(_standing(item), item)


# --- steps ----------------------------------------------------------------------------------------


def _standing(item) -> Settlement | None:
    return Settlement.objects.filter(
        interaction=item.interaction_id, schema_name=item.queue.schema_name, is_current=True
    ).first()


def _is_leads_word(standing: Settlement | None, item) -> bool:
    return bool(
        standing
        and standing.item_id == item.pk
        and standing.decided_how == Settlement.DecidedHow.LEAD
    )


def _agree(standing: Settlement, agreeing: list[Annotation]) -> bool:
    return (standing.verdict, standing.severity) == (agreeing[0].verdict, agreeing[0].severity)


def _settle(item, *, standing, voices, because_of, verdict, **values) -> Settlement:
    if standing:
        Settlement.objects.filter(pk=standing.pk).update(is_current=False)
    now = timezone.now()
    settlement = Settlement.objects.create(
        project_id=item.project_id,
        interaction_id=item.interaction_id,
        item=item,
        schema_name=item.queue.schema_name,
        verdict=verdict,
        annotation_count=len(voices),
        agreement=sum(v.verdict == verdict for v in voices) / len(voices) if voices else None,
        created_at=now,
        takes_effect_at=because_of.final_at if because_of else now,
        **values,
    )
    settlement.annotations.add(*voices)
    about = {
        "settlement_id": settlement.pk,
        "item_id": item.pk,
        "interaction_id": item.interaction_id,
    }
    if because_of:
        outbox.publish(
            "item_settled",
            project=item.project,
            due_at=settlement.takes_effect_at,
            annotation_id=because_of.pk,
            **about,
        )
    else:
        outbox.publish("item_settled", project=item.project, **about)
    return settlement


def _common_values(agreeing: list[Annotation]) -> dict:
    """What those who agree say together: a category that half of them name, the cause most of them name, every mark."""
    named = Counter(key for voice in agreeing for key in voice.categories)
    causes = Counter(voice.root_cause for voice in agreeing if voice.root_cause)
    spans = {
        (span.field, span.start, span.end, span.label): span.quote
        for voice in agreeing
        for span in voice.spans.all()
    }
    return {
        "verdict": agreeing[0].verdict,
        "severity": agreeing[0].severity,
        "categories": [key for key, count in named.most_common() if 2 * count >= len(agreeing)],
        "root_cause": causes.most_common(1)[0][0] if causes else "",
        "spans": [
            {"field": field, "start": start, "end": end, "quote": quote, "label": label}
            for (field, start, end, label), quote in sorted(spans.items())
        ],
        "chosen_answer": CandidateAnswer.objects.filter(annotation__in=agreeing)
        .exclude(state=CandidateAnswer.State.SUPERSEDED)
        .order_by("-revision")
        .first(),
    }


def _without_note(span: dict) -> dict:
    return {name: value for name, value in span.items() if name != "note"}


def _withdraw(item, standing: Settlement | None) -> None:
    """The item's settlement stands no longer; what stood before by another item's experts stands again."""
    if standing is None or standing.item != item:
        return
    Settlement.objects.filter(pk=standing.pk).update(is_current=False)
    gone = Annotation.objects.filter(settlement=OuterRef("pk"), is_current=False)
    before = (
        Settlement.objects.filter(
            interaction=item.interaction_id,
            schema_name=standing.schema_name,
            decided_how=Settlement.DecidedHow.AGREED,
            item__state=State.SETTLED,
        )
        .exclude(item=item)
        .filter(~Exists(gone))
        .order_by("-pk")
        .first()
    )
    if before:
        Settlement.objects.filter(pk=before.pk).update(is_current=True)


def _move(item, state) -> None:
    if item.state == state:
        return
    settled_at = timezone.now() if state == State.SETTLED else None
    ReviewItem.objects.filter(pk=item.pk).update(state=state, settled_at=settled_at)
    item.state, item.settled_at = state, settled_at
