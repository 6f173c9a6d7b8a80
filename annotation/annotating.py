"""Judging: submit what an expert said, take it back within seconds, revise it later.

A critical or harmful judgement writes the news `harm_found` in the same transaction, due when the undo has passed:
{interaction_id, item_id, annotation_id, source: "expert", severity}. Whoever hears of it asks `final_annotation`.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import comparing, discussion, settling
from annotation.answers import answers_of, check_answers, hash_answers, is_storable
from annotation.candidates import propose_answer
from annotation.leases import lost, new_lease
from annotation.models import Annotation, Assignment, CandidateAnswer, ReviewItem, Settlement, Span
from annotation.refusals import InvalidAnswer, StaleSubmit, SubmitKeyReused, UndoIsOver, WrongState
from annotation.slots import lock_item_and_interaction
from feedbackhub.outbox.models import OutboxEvent
from feedbackhub.prepared import rows_of

LONGEST_KEY = 200
HAND_IN = """
UPDATE annotation_assignment
   SET state = 'submitted', submitted_at = %(now)s, lease_until = NULL,
       draft = '{}', draft_revision = draft_revision + 1
 WHERE id = %(assignment)s AND fence = %(fence)s AND state IN ('reserved', 'claimed') AND lease_until > %(now)s
   AND %(revision)s = (SELECT coalesce(max(given.revision), 0) FROM annotation_annotation given
                        WHERE given.assignment_id = %(assignment)s)
   AND NOT EXISTS (SELECT FROM annotation_annotation given
                    WHERE given.assignment_id = %(assignment)s AND given.submit_key = %(submit_key)s)
RETURNING id
"""

State = Assignment.State


@transaction.atomic
def submit_annotation(
    *,
    assignment,
    fence: int,
    revision: int,
    submit_key: str,
    schema_version: int | None = None,
    applied_with: Annotation | None = None,
    **answers,
) -> Annotation:
    """Keep an expert's answer as revision `revision` + 1 (`revision` is the one they saw: 0 at first).

    `answers` are those of `answers.check_answers`: verdict and severity, and as wanted categories, root_cause,
    rubric_scores, spans, correction, note, confidence, seconds_spent, suggestion (of two answers that are compared:
    `comparing.check_preference`); `schema_version` is the version of
    the label schema that the expert saw, `applied_with` the answer that this one is a look-alike's copy of.

    Twice with the same key is once: the first annotation again, with `is_repeat`. `remarks` says in words what was left
    aside (a correction that changes nothing). Raises InvalidAnswer, SubmitKeyReused, and StaleSubmit when the fence or
    the revision is old or the lease is over.
    """
    _check_key(submit_key)
    submit_hash = hash_answers({**answers, "schema_version": schema_version})
    item = lock_item_and_interaction(assignment.item_id)
    now = timezone.now()
    if item.interaction.erased_at or not _hand_in(assignment, fence, revision, submit_key, now):
        kept = list(assignment.annotations.order_by("revision"))
        for annotation in kept:
            if annotation.submit_key == submit_key:
                return _repeat(annotation, submit_hash)
        raise _stale(assignment, fence, kept, answers)
    schema = _schema(item.queue, schema_version)
    if comparing.is_pairwise(item):
        said = comparing.check_preference(assignment=assignment, item=item, **answers)
        preference = {name: said.pop(name) for name in ("outcome", "reasons")}
    else:
        said = check_answers(schema=schema, interaction=item.interaction, **answers)
        preference = None
    settling.freeze(schema)
    if revision:
        _supersede(assignment)
    correction = said.pop("correction", None)
    spans = said.pop("spans", [])
    annotation = Annotation.objects.create(
        project_id=item.project_id,
        assignment=assignment,
        item=item,
        schema=schema,
        expert_id=assignment.expert_id,
        revision=revision + 1,
        submit_key=submit_key,
        submit_hash=submit_hash,
        applied_with=applied_with,
        created_at=now,
        final_at=now + timedelta(seconds=settings.UNDO_SECONDS),
        **said,
    )
    Span.objects.bulk_create(
        Span(project_id=item.project_id, annotation=annotation, **span) for span in spans
    )
    if preference:
        comparing.keep_preference(annotation, **preference)
    annotation.is_repeat, annotation.remarks = False, []
    if item.purpose in ReviewItem.MEASURING:
        correction = None  # it measures a person: nothing follows from it
    if correction and not _propose(correction, annotation, item):
        annotation.remarks.append(_("Your correction changes nothing, so it was left aside."))
    settling.reconsider(item, because_of=annotation, news=_harm_of(annotation, item))
    return annotation


@transaction.atomic
def undo_submit(*, assignment, fence: int) -> Assignment:
    """Take the newest submit back within UNDO_SECONDS, with all that would have followed from it.

    The assignment is claimed again, with a new fence and the answers as its draft. Whether it is too late is decided by
    the news: once a worker has it in hand, or has told it, the submit stands. Raises UndoIsOver, LeaseLost.
    """
    annotation = assignment.annotations.current().order_by("-revision").first()
    if annotation is None or annotation.final_at <= timezone.now():
        raise UndoIsOver(_("The time to undo has passed. Open the item again to revise it."))
    untold = lock_news(annotation)
    item = lock_item_and_interaction(assignment.item_id)
    annotation.refresh_from_db()
    if (
        not annotation.is_current
        or annotation.final_at <= timezone.now()
        or len(untold) < _news_count(annotation, item)
    ):
        raise UndoIsOver(_("The time to undo has passed. Open the item again to revise it."))
    moved = Assignment.objects.filter(pk=assignment.pk, fence=fence, state=State.SUBMITTED).update(
        **_in_hand_again(item, draft=answers_of(annotation))
    )
    if not moved:
        raise lost(assignment, fence)
    take_back(annotation)
    _restore_revision_before(annotation)
    settling.reconsider(item, is_taken_back=True)
    assignment.refresh_from_db()
    return assignment


@transaction.atomic
def revise(*, assignment) -> Assignment:
    """Open an own submitted answer again, claimed, with its answers (or what was typed since) as draft.

    The answer counts until the next submit. Raises WrongState.
    """
    item = lock_item_and_interaction(assignment.item_id)
    assignment.refresh_from_db()
    annotation = assignment.annotations.current().first()
    if annotation is None or item.state == ReviewItem.State.DISMISSED:
        raise WrongState(
            _("There is no answer of yours here that counts. Take the item up instead.")
        )
    if item.interaction.erased_at:
        raise WrongState(_("This answer was erased. There is nothing left to judge."))
    if discussion.may_be_swayed(assignment):
        raise WrongState(
            _(
                "Others have said what they think of this one, and you can read it. Say there what you would change: a lead can"
                " send it back to you."
            )
        )
    moved = Assignment.objects.filter(pk=assignment.pk, state=State.SUBMITTED).update(
        **_in_hand_again(item, draft=assignment.draft or answers_of(annotation))
    )
    assignment.refresh_from_db()
    if not moved:
        raise WrongState(_("You have this item open already."))
    return assignment


def final_annotation(annotation_id: int) -> Annotation | None:
    """For those who hear of `harm_found`: the annotation, when it still counts and its undo has passed."""
    return (
        Annotation.objects.current()
        .filter(pk=annotation_id, final_at__lte=timezone.now())
        .select_related("item__interaction", "schema", "project")
        .first()
    )


def take_back(annotation: Annotation) -> None:
    """It counts no longer, and what would have followed is forgotten. The caller holds the item's locks."""
    now = timezone.now()
    Annotation.objects.filter(pk=annotation.pk).update(is_current=False, taken_back_at=now)
    CandidateAnswer.objects.filter(
        annotation=annotation, state=CandidateAnswer.State.PROPOSED
    ).update(state=CandidateAnswer.State.SUPERSEDED)
    _untold(annotation).delete()


# --- steps ----------------------------------------------------------------------------------------


def _schema(queue, version):
    try:
        if version is not None and (type(version) is not int or not 0 < version < 2**31):
            raise settling.LabelSchema.DoesNotExist
        return settling.current_schema(queue, version)
    except settling.LabelSchema.DoesNotExist as error:
        raise InvalidAnswer(
            {"schema_version": _("There is no such version of this queue's label schema.")}
        ) from error


def _check_key(submit_key) -> None:
    if not isinstance(submit_key, str) or not 0 < len(submit_key) <= LONGEST_KEY:
        raise InvalidAnswer({"submit_key": _("A submit needs a key of at most 200 characters.")})
    if not is_storable(submit_key):
        raise InvalidAnswer({"submit_key": _("This key holds a character that cannot be stored.")})


def _repeat(annotation, submit_hash) -> Annotation:
    if bytes(annotation.submit_hash) != submit_hash:
        raise SubmitKeyReused(
            _("This submit's key was used before, with other answers. Send it under a new key.")
        )
    annotation.is_repeat, annotation.remarks = True, []
    return annotation


def _hand_in(assignment, fence, revision, submit_key, now) -> bool:
    """The assignment leaves the expert's hands: this fence, this revision, a new key, the lease running; else nothing."""
    values = {
        "assignment": assignment.pk,
        "fence": fence,
        "revision": revision,
        "submit_key": submit_key,
        "now": now,
    }
    return bool(rows_of(HAND_IN, values))


def _stale(assignment, fence, kept, answers) -> StaleSubmit:
    sentence = str(lost(assignment, fence))
    counting = next((annotation for annotation in kept if annotation.is_current), None)
    if assignment.fence == fence and assignment.state in Assignment.HELD_STATES and kept:
        sentence = _("There is a newer answer of yours. Both are here: nothing was overwritten.")
    return StaleSubmit(
        sentence,
        yours=answers,
        kept=answers_of(counting) if counting else None,
        assignment=assignment,
        revision=kept[-1].revision if kept else 0,
    )


def _supersede(assignment) -> None:
    """The new answer counts instead; a correction that a lead approved meanwhile keeps its approval."""
    Annotation.objects.current().filter(assignment=assignment.pk).update(is_current=False)
    CandidateAnswer.objects.filter(
        annotation__assignment=assignment.pk, state=CandidateAnswer.State.PROPOSED
    ).update(state=CandidateAnswer.State.SUPERSEDED)


def _harm_of(annotation, item) -> list[tuple[str, dict]]:
    about = {
        "interaction_id": item.interaction_id,
        "item_id": item.pk,
        "annotation_id": annotation.pk,
        "source": "expert",
        "severity": annotation.severity,
    }
    return [("harm_found", about)] if _tells_harm(annotation, item) else []


def _tells_harm(annotation, item) -> bool:
    """A known case and a repeat were told when they were judged first."""
    return annotation.is_harm and item.purpose not in ReviewItem.MEASURING


def _propose(correction, annotation, item) -> CandidateAnswer | None:
    return propose_answer(
        interaction=item.interaction,
        text=correction,
        source=CandidateAnswer.Source.EXPERT,
        author_id=annotation.expert_id,
        item=item,
        annotation=annotation,
    )


def _in_hand_again(item, draft: dict) -> dict:
    return {
        "state": State.CLAIMED,
        "fence": F("fence") + 1,
        "draft": draft,
        "draft_revision": F("draft_revision") + 1,
        **new_lease(item.queue),
    }


def _restore_revision_before(annotation) -> None:
    """What the undone revision had replaced counts again."""
    before = (
        Annotation.objects.filter(
            assignment=annotation.assignment_id,
            revision__lt=annotation.revision,
            taken_back_at=None,
        )
        .order_by("-revision")
        .first()
    )
    if before:
        Annotation.objects.filter(pk=before.pk).update(is_current=True)
        CandidateAnswer.objects.filter(
            annotation=before, state=CandidateAnswer.State.SUPERSEDED
        ).update(state=CandidateAnswer.State.PROPOSED)


def lock_news(annotation) -> list[OutboxEvent]:
    """The news of a submit that nobody heard yet, locked; waits for a worker that is telling it right now."""
    return list(_untold(annotation).select_for_update())


def _untold(annotation):
    return OutboxEvent.objects.filter(
        project=annotation.project_id,
        delivered_at=None,
        due_at=annotation.final_at,
        about__annotation_id=annotation.pk,
    )


def _news_count(annotation, item) -> int:
    """How many news its submit wrote: harm, and the settlement that it brought about."""
    has_settled = Settlement.objects.filter(
        annotations=annotation, is_current=True, takes_effect_at=annotation.final_at
    ).exists()
    return _tells_harm(annotation, item) + has_settled
