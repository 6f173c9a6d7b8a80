"""From annotations to the truth that the house holds: agreed by the experts, or decided by a lead.

An item is complete when as many experts as its overlap have said something that counts.

- **Agreed**: as the rule of the queue says (`consensus`): more than half, all, or more than half by weight. A voice that
  says harm (harmful, or critical) is never outvoted: it makes the item disputed.
- **Disputed** otherwise, also when another queue's item settled the same interaction differently. A lead decides; or one
  more expert is asked first, where the queue says so.
- A lead's word stands until a lead opens the item again.

There is one current settlement per interaction and schema. It takes effect when the undo has passed; its news,
`item_settled`, is due then: {settlement_id, item_id, interaction_id, annotation_id (whose submit settled it)}.
"""

from collections import Counter, defaultdict
from statistics import median_low

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from annotation.answers import check_answers
from annotation.consensus import agreeing_voices, asks_one_more, weights_of
from annotation.models import Annotation, LabelSchema, ReviewItem, ReviewQueue, Settlement
from annotation.queue_judges import is_stuck
from annotation.refusals import InvalidAnswer, WrongState
from annotation.schema_history import keys_now
from annotation.slots import count_slots, lock_item_and_interaction
from feedbackhub import outbox
from feedbackhub.ids import make_public_id
from feedbackhub.prepared import rows_of

State = ReviewItem.State
ANSWERED = ("categories", "span_labels", "rubric", "root_causes")  # what answers are held against

# The settlement, its annotations and its item in one statement. Those who agree bring every mark of theirs, and the
# newest correction among them is chosen; a lead says both.
SETTLE = """
WITH mark AS (
    SELECT DISTINCT ON (field, start, "end", label) field, start, "end", quote, label
      FROM annotation_span WHERE annotation_id = ANY(%(agreeing)s::bigint[])
     ORDER BY field, start, "end", label
), made AS (
    INSERT INTO annotation_settlement
           (public_id, project_id, interaction_id, item_id, schema_id, schema_name, is_current, decided_how,
            decided_by_id, reason, verdict, severity, categories, root_cause, rubric_scores, spans, chosen_answer_id, weights,
            annotation_count, agreement, created_at, takes_effect_at)
    SELECT %(public_id)s, %(project)s, %(interaction)s, %(item)s, %(schema_id)s, %(schema_name)s, true,
           %(decided_how)s, %(decided_by)s::bigint, %(reason)s, %(verdict)s, %(severity)s, %(categories)s::varchar[],
           %(root_cause)s, %(rubric_scores)s::jsonb,
           coalesce(%(spans)s::jsonb, (SELECT jsonb_agg(to_jsonb(mark)) FROM mark), '[]'),
           coalesce(%(chosen)s::bigint, (SELECT candidate.id FROM annotation_candidateanswer candidate
                                  WHERE candidate.annotation_id = ANY(%(agreeing)s::bigint[])
                                    AND candidate.state <> 'superseded'
                                  ORDER BY candidate.revision DESC LIMIT 1)), %(weights)s::jsonb,
           cardinality(%(voices)s::bigint[]), %(agreement)s, %(now)s, %(takes_effect_at)s
    RETURNING id
), linked AS (
    INSERT INTO annotation_settlement_annotations (settlement_id, annotation_id)
    SELECT made.id, voice FROM made, unnest(%(voices)s::bigint[]) voice
), settled AS (
    UPDATE annotation_reviewitem SET state = 'settled', settled_at = %(now)s
     WHERE id = %(item)s AND state <> 'settled'
)
SELECT id FROM made
"""
WHICH_SCHEMA = """
SELECT id FROM annotation_labelschema
 WHERE project_id = %s AND name = %s AND (version = %s OR is_current AND %s::int IS NULL)
"""


def reconsider(item, *, because_of=None, is_taken_back=False, news=()) -> None:
    """Bring an item and the settlement of its interaction into line with the annotations that count now.

    The caller holds the locks of `slots.lock_item_and_interaction`. `because_of` is the annotation that was submitted;
    `is_taken_back` says that one went away, so that an item that was complete may not be any more. `news` of the caller
    ([(kind, about)]) is published together with ours.
    """
    settlement_id = _settle_by_experts(item, because_of, is_taken_back)
    _publish(item, settlement_id, because_of, news)


def _settle_by_experts(item, because_of, is_taken_back) -> int | None:
    if because_of and item.overlap == 1:
        voices = [because_of]
    else:
        voices = list(item.annotations.current().order_by("pk"))
    standing = _standing(item)
    if _is_leads_word(standing, item):
        return None
    if len(voices) < item.overlap:
        if is_taken_back:
            _withdraw(item, standing)
            _move(item, State.WAITING)
            count_slots(item.pk)
        return None
    if item.purpose != ReviewItem.Purpose.LABEL:
        _move(item, State.SETTLED)
        return None
    weights = _weights(item, voices)
    agreeing = agreeing_voices(voices, item.queue.consensus, weights)
    is_elsewhere = standing and standing.item_id != item.pk
    if agreeing is None and asks_one_more(item, voices):
        _withdraw(item, standing)
        _ask_one_more(item)
        return None
    if agreeing is None or (is_elsewhere and not _agree(standing, agreeing)):
        _withdraw(item, standing)
        _move(item, State.DISPUTED)
        return None
    if is_elsewhere and standing.decided_how == Settlement.DecidedHow.LEAD:
        _move(item, State.SETTLED)
        return None
    if is_elsewhere:
        before = list(standing.annotations.current())
        voices, agreeing = [*before, *voices], [*before, *agreeing]
    schema_id, words = _common_words(agreeing)
    return _settle(
        item,
        standing=standing,
        voices=voices,
        agreeing=agreeing,
        schema_id=schema_id,
        verdict=agreeing[0].verdict,
        severity=agreeing[0].severity,
        takes_effect_at=because_of.final_at if because_of else None,
        weights=_shown(weights, voices),
        **words,
    )


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
    rubric_scores=None,
    spans=(),
    chosen_answer=None,
) -> Settlement:
    """A lead settles a disputed item or one that nobody can finish, or overrules a settled one. Raises WrongState, InvalidAnswer."""
    item = lock_item_and_interaction(item.pk)
    if item.state not in (State.DISPUTED, State.SETTLED) and not is_stuck(item):
        raise WrongState(_("This item is not settled yet: its experts are still at work."))
    if item.purpose == ReviewItem.Purpose.PAIRWISE:
        raise WrongState(_("Two answers that are compared have no verdict to decide."))
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
        rubric_scores=rubric_scores,
        spans=spans,
        note=reason,
        is_whole=False,
    )
    freeze(schema)
    settlement_id = _settle(
        item,
        standing=_standing(item),
        voices=list(item.annotations.current()),
        decided_by=by,
        reason=said["note"],
        schema_id=schema.pk,
        verdict=said["verdict"],
        severity=said["severity"],
        categories=said["categories"],
        root_cause=said["root_cause"],
        rubric_scores=said["rubric_scores"],
        spans=[_without_note(span) for span in said["spans"]],
        chosen_answer=chosen_answer,
    )
    ReviewItem.objects.filter(pk=item.pk, needs_discussion=True).update(needs_discussion=False)
    settlement = Settlement.objects.get(pk=settlement_id)
    news = []
    if settlement.is_harm:
        about = {
            "interaction_id": item.interaction_id,
            "item_id": item.pk,
            "settlement_id": settlement.pk,
            "source": "lead",
            "severity": settlement.severity,
        }
        news.append(("harm_found", about))
    _publish(item, settlement.pk, None, news)
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
    """The schema of a queue: the version named, or the one in use. Raises LabelSchema.DoesNotExist.

    A frozen version says the same for ever, so this process reads it once.
    """
    found = rows_of(WHICH_SCHEMA, [queue.project_id, queue.schema_name, version, version])
    schema_id = found[0][0] if found else None
    schema = _frozen.get(schema_id) or LabelSchema.objects.get(pk=schema_id)
    if schema.is_frozen:
        _frozen[schema.pk] = schema
    return schema


def freeze(schema: LabelSchema) -> None:
    """From its first use on, a version says the same for ever.

    Raises InvalidAnswer when a lead changed it since it was read: the answer was held against what is no more.
    """
    if schema.is_frozen:
        return
    kept = LabelSchema.objects.select_for_update(no_key=True).get(pk=schema.pk)
    if any(getattr(kept, part) != getattr(schema, part) for part in ANSWERED):
        raise InvalidAnswer(
            {"schema_version": _("A lead changed the categories this moment. Submit once more.")}
        )
    LabelSchema.objects.filter(pk=schema.pk, is_frozen=False).update(is_frozen=True)
    schema.is_frozen = True


def is_decided_by_lead(item) -> bool:
    return _is_leads_word(_standing(item), item)


_frozen: dict[int, LabelSchema] = {}


# --- steps ----------------------------------------------------------------------------------------


def _standing(item) -> Settlement | None:
    return (
        Settlement.objects.filter(
            interaction=item.interaction_id, schema_name=item.queue.schema_name, is_current=True
        )
        .only("item", "decided_how", "verdict", "severity", "schema_name")
        .first()
    )


def _is_leads_word(standing: Settlement | None, item) -> bool:
    return bool(
        standing
        and standing.item_id == item.pk
        and standing.decided_how == Settlement.DecidedHow.LEAD
    )


def _agree(standing: Settlement, agreeing: list[Annotation]) -> bool:
    return (standing.verdict, standing.severity) == (agreeing[0].verdict, agreeing[0].severity)


def _settle(
    item,
    *,
    standing,
    voices,
    verdict,
    rubric_scores,
    agreeing=(),
    takes_effect_at=None,
    spans=None,
    chosen_answer=None,
    decided_by=None,
    reason="",
    weights=None,
    **values,
) -> int:
    """Write the settlement that holds from now on, and settle the item; answers its id."""
    if standing:
        Settlement.objects.filter(pk=standing.pk).update(is_current=False)
    now = timezone.now()
    how = Settlement.DecidedHow.LEAD if decided_by else Settlement.DecidedHow.AGREED
    said_it = sum(voice.verdict == verdict for voice in voices)
    ((settlement_id,),) = rows_of(
        SETTLE,
        values
        | {
            "public_id": make_public_id(),
            "project": item.project_id,
            "interaction": item.interaction_id,
            "item": item.pk,
            "schema_name": item.queue.schema_name,
            "decided_how": str(how),
            "decided_by": decided_by.pk if decided_by else None,
            "reason": reason,
            "verdict": verdict,
            "rubric_scores": Jsonb(rubric_scores),
            "spans": None if spans is None else Jsonb(spans),
            "chosen": chosen_answer.pk if chosen_answer else None,
            "weights": Jsonb(weights) if weights else None,
            "voices": [voice.pk for voice in voices],
            "agreeing": [voice.pk for voice in agreeing],
            "agreement": said_it / len(voices) if voices else None,
            "now": now,
            "takes_effect_at": takes_effect_at or now,
        },
    )
    return settlement_id


def _publish(item, settlement_id, because_of, news) -> None:
    news = list(news)
    if settlement_id:
        about = {
            "settlement_id": settlement_id,
            "item_id": item.pk,
            "interaction_id": item.interaction_id,
        }
        if because_of:
            about["annotation_id"] = because_of.pk
        news.append(("item_settled", about))
    if news:
        due_at = because_of.final_at if because_of else None
        outbox.publish_many(news, project=item.project, due_at=due_at)


def _weights(item, voices) -> dict[int, float] | None:
    """By expert, where the queue weighs them; those of another item's settlement count as one."""
    if item.queue.consensus != ReviewQueue.Consensus.WEIGHTED or len(voices) < 2:
        return None
    return weights_of(item.queue, [voice.expert_id for voice in voices])


def _shown(weights, voices) -> dict[str, float] | None:
    """The weights as they are kept with the settlement, by annotation."""
    return weights and {str(each.public_id): weights.get(each.expert_id, 1) for each in voices}


def _ask_one_more(item) -> None:
    """A slot more: the item waits again, for somebody who has not judged it."""
    ReviewItem.objects.filter(pk=item.pk).update(overlap=F("overlap") + 1)
    item.overlap += 1
    _move(item, State.WAITING)
    count_slots(item.pk)


def _common_words(agreeing: list[Annotation]) -> tuple[int, dict]:
    """What those who agree say together: a category that half of them name, the cause that most of them name,
    and of each criterion's scores the middle one, the lower of two.

    Under the newest of the versions that they answered under: one may have said what was merged meanwhile.
    """
    schema_ids = {voice.schema_id for voice in agreeing}
    if len(schema_ids) > 1:
        schema = LabelSchema.objects.filter(pk__in=schema_ids).order_by("-version")[0]
        schema_id, said = schema.pk, [keys_now(schema, voice.categories) for voice in agreeing]
    else:
        schema_id, said = agreeing[0].schema_id, [voice.categories for voice in agreeing]
    named = Counter(key for keys in said for key in keys)
    causes = Counter(voice.root_cause for voice in agreeing if voice.root_cause)
    return schema_id, {
        "categories": [key for key, count in named.most_common() if 2 * count >= len(agreeing)],
        "root_cause": causes.most_common(1)[0][0] if causes else "",
        "rubric_scores": middle_scores(agreeing),
    }


def middle_scores(annotations) -> dict[str, int]:
    """Of each criterion's scores the middle one, the lower of two: a score that somebody gave."""
    given = defaultdict(list)
    for annotation in annotations:
        for key, score in annotation.rubric_scores.items():
            given[key].append(score)
    return {key: median_low(scores) for key, scores in sorted(given.items())}


def _without_note(span: dict) -> dict:
    return {name: value for name, value in span.items() if name != "note"}


def _withdraw(item, standing: Settlement | None) -> None:
    """The item's settlement stands no longer; what stood before by another item's experts stands again."""
    if standing is None or standing.item_id != item.pk:
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
