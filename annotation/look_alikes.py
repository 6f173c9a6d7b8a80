"""One answer for several: waiting items of the same queue that ask nearly the same as the one in hand.

The expert ticks them and submits once. Each gets an answer of its own, as if claimed and submitted by itself, under the
same rules (membership, daily cap, overlap), and remembers which answer it was given with; one undo takes all back. Never
offered nor touched: what measures a person, what somebody else has in hand, and the holdout with its twins, as recall
keeps them back. The correction and its marks go along only where the answers are the same, character by character.
"""

import uuid
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation import annotating, recall, review_queue
from annotation.answers import answers_of
from annotation.leases import lost
from annotation.models import Annotation, Assignment, ReviewItem
from annotation.refusals import Refusal, UndoIsOver
from annotation.slots import count_slots, lock_item
from feedbackhub.capture.models import Interaction, NearDuplicateSignature

MOST = 12  # offered and applied at once
BY_WORDS = 40  # looked at besides the near-duplicates
LONGEST_COMPARED = 20_000

State = Assignment.State


@dataclass(frozen=True)
class LookAlike:
    """A waiting item; `has_same_answer`: what was said about the answer here is true of it word by word."""

    item: ReviewItem
    is_near_duplicate: bool
    has_same_answer: bool
    is_comparable: bool
    ahead: Assignment | None  # fetched ahead by the same expert


@dataclass(frozen=True)
class Together:
    """How applying went: the answers given, and how many were asked for."""

    given: list[Annotation]
    asked: int

    def said(self) -> list[str]:
        if not self.asked:
            return [_("Submitted.")]
        words = ngettext(
            "Submitted, with %(count)d look-alike.",
            "Submitted, with %(count)d look-alikes.",
            len(self.given),
        ) % {"count": len(self.given)}
        if len(self.given) == self.asked:
            return [words]
        left = self.asked - len(self.given)
        return [
            words,
            ngettext(
                "%(count)d is left: it is in other hands by now.",
                "%(count)d are left: they are in other hands by now.",
                left,
            )
            % {"count": left},
        ]


def look_alikes_of(assignment) -> list[LookAlike]:
    """The likest first: near-duplicates, then those that share the question's longest words."""
    item = assignment.item
    if item.purpose != ReviewItem.Purpose.LABEL:
        return []
    group, near, worded = _alike(item.interaction)
    if group is None:
        return []
    items = _free(assignment).filter(Q(interaction__in=near) | Q(interaction__in=worded))
    items = items.select_related("interaction__signature").order_by("pk")
    items = list(items[: 2 * BY_WORDS])
    groups = {_group(each) for each in items} | {group}
    kept = recall.outside_the_holdout(groups - {None})
    if group not in kept:
        return []
    found = [each for each in items if _group(each) in kept]
    found.sort(key=lambda each: (_group(each) != group, each.pk))
    ahead = {
        each.item_id: each
        for each in Assignment.objects.filter(
            item__in=found, expert=assignment.expert_id, state=State.RESERVED
        )
    }
    output = item.interaction.output
    return [
        LookAlike(
            each,
            _group(each) == group,
            each.interaction.output == output,
            len(each.interaction.output) + len(output) <= LONGEST_COMPARED,
            ahead.get(each.pk),
        )
        for each in found[:MOST]
    ]


def apply(*, annotation: Annotation, ticked: list[str]) -> Together:
    """Give the ticked look-alikes (public ids of items) the answer that was just submitted, each on its own.

    What cannot be any more is left aside. Safe to repeat: a submit that is sent again applies what is missing.
    """
    wanted = {each for each in map(_uuid, ticked) if each}
    if not wanted or not annotation.is_current:
        return Together([], 0)
    repeated = list(
        annotation.applied_to.filter(item__public_id__in=wanted, is_current=True).select_related(
            "item"
        )
    )
    missing = wanted - {each.item.public_id for each in repeated}
    given = []
    if missing:
        offered = {each.item.public_id: each.item for each in look_alikes_of(annotation.assignment)}
        for public_id in sorted(missing & set(offered)):
            one = _apply_to(annotation, offered[public_id])
            if one:
                given.append(one)
    return Together([*repeated, *given], len(wanted))


def undo_together(*, assignment, fence: int) -> Assignment:
    """Take the newest submit back, and every answer that was given with it: all, or none. Raises UndoIsOver, LeaseLost."""
    with transaction.atomic():
        annotation = assignment.annotations.current().order_by("-revision").first()
        if annotation is None:
            return annotating.undo_submit(assignment=assignment, fence=fence)
        given = list(
            annotation.applied_to.filter(is_current=True)
            .select_related("assignment", "item")
            .order_by("item")
        )
        for each in [annotation, *given]:
            annotating.lock_news(each)
        taken_back = annotating.undo_submit(assignment=assignment, fence=fence)
        for each in given:
            if each.assignment.state != State.SUBMITTED:
                raise UndoIsOver(
                    _("One of the look-alikes is open again. Take back or revise each by itself.")
                )
            other = annotating.undo_submit(assignment=each.assignment, fence=each.assignment.fence)
            _put_back(other)
    return taken_back


# --- steps ----------------------------------------------------------------------------------------


def _alike(interaction):
    """(its group, those of the group, those with its question's longest words), as querysets."""
    signature = NearDuplicateSignature.objects.filter(interaction=interaction).first()
    if signature is None:
        return None, None, None
    near = NearDuplicateSignature.objects.filter(group=signature.group_id).values("interaction")
    words = recall.longest_words(interaction.last_user_message)
    worded = Interaction.objects.none().values("pk")
    if len(words) > 1:
        query = SearchQuery(" ".join(words), config="simple", search_type="plain")
        worded = Interaction.objects.filter(project=interaction.project_id, text__search=query)
        worded = list(worded.order_by("-pk").values_list("pk", flat=True)[:BY_WORDS])
    return signature.group_id, near, worded


def _free(assignment):
    """Label items of the same queue that nobody else has in hand and this expert has not judged."""
    item = assignment.item
    others = Assignment.objects.filter(item=OuterRef("pk"), state__in=Assignment.HELD_STATES)
    own = Assignment.objects.filter(item=OuterRef("pk"), expert=assignment.expert_id)
    return (
        ReviewItem.objects.filter(
            queue=item.queue_id,
            purpose=ReviewItem.Purpose.LABEL,
            interaction__erased_at=None,
        )
        .filter(Q(state=ReviewItem.State.WAITING) | Exists(own.filter(state=State.RESERVED)))
        .filter(~Exists(others.exclude(expert=assignment.expert_id)))
        .filter(~Exists(own.exclude(state__in=[State.RESERVED, State.EXPIRED])))
        .exclude(pk=item.pk)
    )


def _group(item) -> int | None:
    signature = getattr(item.interaction, "signature", None)
    return signature.group_id if signature else None


def _apply_to(annotation, item) -> Annotation | None:
    try:
        with transaction.atomic():
            assignment = _take(annotation, item)
            return annotating.submit_annotation(
                assignment=assignment,
                fence=assignment.fence,
                revision=assignment.annotations.count(),
                submit_key=f"with {annotation.public_id}",
                schema_version=annotation.schema.version,
                applied_with=annotation,
                **_answers_for(annotation, item),
            )
    except (Refusal, IntegrityError):
        return None


def _take(annotation, item) -> Assignment:
    """The expert's hold on this item, whether it was fetched ahead, came back or is new. Raises a Refusal."""
    project, expert = annotation.project, annotation.expert
    review_queue.stand_in_line(project, expert)
    own = Assignment.objects.filter(item=item, expert=expert).first()
    if own is None:
        own = review_queue.claim_at_once(project=project, expert=expert, item=item)
    elif own.state == State.EXPIRED:
        own = review_queue.resume(assignment=own)
    others = Assignment.objects.filter(item=item, state__in=Assignment.HELD_STATES)
    if others.exclude(expert=expert).exists():
        raise lost(own)
    return own


def _answers_for(annotation, item) -> dict:
    """The same judgement; what is about the very words of the answer only where these are the same."""
    answers = answers_of(annotation) | {"seconds_spent": 0, "suggestion": {}}
    if item.interaction.output == annotation.item.interaction.output:
        spans = [span for span in answers["spans"] if span["field"] == "output"]
        return {**answers, "spans": spans}
    return {**answers, "spans": [], "correction": None}


def _put_back(assignment) -> None:
    """It was never in hand by itself: free for anybody again, and nothing of ours in its draft."""
    item = lock_item(assignment.item_id)
    Assignment.objects.filter(pk=assignment.pk, fence=assignment.fence).update(
        state=State.EXPIRED, lease_until=None, draft={}
    )
    count_slots(item.pk)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
