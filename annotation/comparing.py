"""Two answers to one input, judged blind: the one that was given and another one (a candidate's, another model's).

A comparison is an item like any other (overlap, leases, undo), only that a preference is asked for instead of a verdict.
Which side is A is drawn for each expert once and stays; nothing on the screen says whose an answer is. What most of an
item's experts preferred becomes a preference pair of the case's gold at its next approval; ties and "both bad" do not. It
settles nothing, tells no harm and is no part of the agreement on labels.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation import queue_rules
from annotation.answers import LONGEST_NOTE, is_real_change, is_storable, with_line_ends_of
from annotation.candidates import hash_text
from annotation.models import (
    Annotation,
    Comparison,
    EvalResult,
    EvalRun,
    Preference,
    ReviewItem,
    ReviewQueue,
)
from annotation.refusals import InvalidAnswer
from feedbackhub import redaction
from feedbackhub.capture.models import Interaction

LONGEST = 1_048_576  # characters, as an output
MOST_OF_A_RUN = 200
Outcome = Preference.Outcome

A, B = "a", "b"
CHOICES = {
    A: gettext_lazy("A is better"),
    B: gettext_lazy("B is better"),
    Outcome.EQUAL: gettext_lazy("Equally good"),
    Outcome.NEITHER: gettext_lazy("Both bad"),
}
REASONS = {
    "correct": gettext_lazy("More correct"),
    "complete": gettext_lazy("More complete"),
    "sourced": gettext_lazy("True to its sources"),
    "helpful": gettext_lazy("More helpful"),
    "clear": gettext_lazy("Clearer"),
    "short": gettext_lazy("Shorter"),
    "tone": gettext_lazy("Better tone"),
    "safe": gettext_lazy("Safer"),
}


# --- asking ---------------------------------------------------------------------------------------


@transaction.atomic
def compare_answers(
    *, interaction, text: str, queue: ReviewQueue, label="", priority=0, run=None, by=None
) -> ReviewItem | None:
    """Put the given answer beside `text` into a queue; None when they say the same.

    The same text in the same queue is one item (`is_new` says whether it was made now). The text is masked as everything
    that comes in.
    """
    project = queue.project
    kinds = redaction.KINDS if project.redaction_kinds is None else set(project.redaction_kinds)
    text = redaction.redact(text, enabled=kinds).text
    Interaction.objects.select_for_update(no_key=True).values_list("pk").get(pk=interaction.pk)
    text = with_line_ends_of(interaction.output, text)
    if not text.strip() or not is_real_change(text, interaction.output):
        return None
    items = ReviewItem.objects.filter(
        queue=queue, interaction=interaction, purpose=ReviewItem.Purpose.PAIRWISE
    )
    known = items.filter(comparison__text_hash=hash_text(text)).first()
    if known:
        known.is_new = False
        return known
    rounds = items.aggregate(last=Max("round"))["last"] or 0
    item = ReviewItem.objects.create(
        project=project,
        queue=queue,
        interaction=interaction,
        purpose=ReviewItem.Purpose.PAIRWISE,
        round=rounds + 1,
        overlap=queue_rules.overlap_for(queue, interaction),
        priority=queue_rules.place_in_line(queue, priority),
        asked_priority=priority,
        reason=_("compare two answers"),
        due_at=queue_rules.due_at_for(queue),
        flagged_by=by,
    )
    Comparison.objects.create(
        project=project,
        item=item,
        text=text,
        given_hash=hash_text(interaction.output),
        text_hash=hash_text(text),
        label=label[:200],
        run=run,
    )
    item.is_new = True
    return item


def compare_run(*, run: EvalRun, queue: ReviewQueue, most: int, by) -> int:
    """Put a candidate's answers beside the shipped ones, those that fail first; answers how many are new.

    What the candidate answered as it was answered before is left out.
    """
    results = (
        EvalResult.objects.filter(
            run=run,
            attempt=1,
            revision__erased_at=None,
            revision__example__interaction__erased_at=None,
        )
        .exclude(output="")
        .select_related("revision__example__interaction")
        .order_by("passed", "pk")
    )
    made = 0
    for result in results.iterator(chunk_size=100):
        if made >= min(most, MOST_OF_A_RUN):
            break
        item = compare_answers(
            interaction=result.revision.example.interaction,
            text=result.output,
            queue=queue,
            label=run.candidate,
            run=run,
            by=by,
        )
        made += bool(item and item.is_new)
    return made


# --- judging --------------------------------------------------------------------------------------


def is_pairwise(item) -> bool:
    return item.purpose == ReviewItem.Purpose.PAIRWISE


def sides_of(assignment) -> list[tuple[str, str]]:
    """[("a", text), ("b", text)] as this expert sees them, each time the same."""
    item = assignment.item
    texts = [item.interaction.output, item.comparison.text]
    if _is_turned(item.comparison, assignment.expert):
        texts.reverse()
    return list(zip((A, B), texts, strict=True))


def check_preference(
    *, assignment, item, preference="", reasons=(), note="", seconds_spent=0, **_others
) -> dict:
    """What was preferred, tidied. Raises InvalidAnswer naming each field that does not fit."""
    errors = {}
    if not isinstance(preference, str) or preference not in CHOICES:
        errors["preference"] = _("Choose one of these.")
    reasons = list(reasons) if isinstance(reasons, Iterable) and reasons != "" else []
    if not all(isinstance(each, str) and each in REASONS for each in reasons):
        errors["reasons"] = _("There is no such reason.")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or not is_storable(note):
        errors["note"] = _("This note cannot be kept.")
    if errors:
        raise InvalidAnswer(errors)
    is_turned = _is_turned(item.comparison, assignment.expert)
    return {
        "outcome": _turn(preference, is_turned),
        "reasons": list(dict.fromkeys(reasons)),
        "note": note.strip(),
        "seconds_spent": seconds_spent if type(seconds_spent) is int else 0,
    }


def keep_preference(annotation: Annotation, *, outcome: str, reasons: list[str]) -> Preference:
    return Preference.objects.create(
        project_id=annotation.project_id,
        annotation=annotation,
        comparison=annotation.item.comparison,
        outcome=outcome,
        reasons=reasons,
    )


def preferred(annotation: Annotation) -> dict:
    """What a preference says, in the shape of a draft, as its expert saw the sides."""
    preference = annotation.preference
    is_turned = _is_turned(preference.comparison, annotation.expert)
    return {
        "preference": _turn_back(preference.outcome, is_turned),
        "reasons": preference.reasons,
        "note": annotation.note,
        "seconds_spent": annotation.seconds_spent,
    }


def _is_turned(comparison, expert) -> bool:
    name = f"{comparison.public_id}/{expert.public_id}"
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def _turn(letter: str, is_turned: bool) -> str:
    if letter not in (A, B):
        return str(letter)
    return str(Outcome.GIVEN if (letter == A) is not is_turned else Outcome.OTHER)


def _turn_back(outcome: str, is_turned: bool) -> str:
    if outcome not in (Outcome.GIVEN, Outcome.OTHER):
        return outcome
    return A if (outcome == Outcome.GIVEN) is not is_turned else B


# --- what came of it ------------------------------------------------------------------------------


def counts_of(comparison) -> dict[str, int]:
    """How many preferred what; `current_preferences` of several at once cost one query."""
    said = Counter(each.outcome for each in comparison.preferences.all())
    return {str(outcome): said[outcome] for outcome in Outcome}


def current_preferences() -> Prefetch:
    """The preferences that count: the newest of each expert, past the undo."""
    counting = Preference.objects.filter(
        annotation__is_current=True, annotation__final_at__lte=timezone.now()
    )
    return Prefetch("preferences", queryset=counting)


def winner_of(comparison) -> str:
    """What more than half preferred: "given" or "other"; "" for a tie, or while somebody is missing."""
    counts = counts_of(comparison)
    if sum(counts.values()) < comparison.item.overlap:
        return ""
    for outcome in (Outcome.GIVEN, Outcome.OTHER):
        if 2 * counts[outcome] > sum(counts.values()):
            return str(outcome)
    return ""


def judged_preferences(interaction) -> list[dict]:
    """`[{"chosen", "rejected"}]`: what most experts preferred in each finished comparison of this interaction."""
    comparisons = (
        Comparison.objects.filter(
            item__interaction=interaction, item__state=ReviewItem.State.SETTLED
        )
        .select_related("item")
        .prefetch_related(current_preferences())
        .order_by("pk")
    )
    pairs = []
    for comparison in comparisons:
        winner = winner_of(comparison)
        texts = [interaction.output, comparison.text]
        if winner:
            chosen, rejected = texts if winner == Outcome.GIVEN else reversed(texts)
            pairs.append({"chosen": chosen, "rejected": rejected})
    return pairs


def finished_since(approved_at) -> Q:
    """Of items: comparisons that were finished after a time (an F of the query around it)."""
    return Q(
        purpose=ReviewItem.Purpose.PAIRWISE,
        state=ReviewItem.State.SETTLED,
        settled_at__gt=approved_at,
    )
