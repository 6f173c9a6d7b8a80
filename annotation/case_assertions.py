"""The assertions of a case: written by whoever judges it, tried at once, copied into gold when a lead approves."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import assertions, personal_data, recall
from annotation.evaluation import judge as judging
from annotation.models import CaseAssertion, Verdict
from annotation.refusals import InvalidAnswer
from feedbackhub import outbound
from feedbackhub.capture.models import Interaction

TRIED_WITHIN = outbound.Limits(total=8)  # somebody waits for the page


@dataclass(frozen=True)
class Tried:
    """An assertion held against both texts: the original answer should fail it, the corrected one pass."""

    assertion: CaseAssertion | None
    words: str
    original: assertions.Outcome
    corrected: assertions.Outcome | None  # None when there is no correction
    was_right: bool = False  # the answer itself is what was settled on

    @property
    def doubt(self) -> str:
        """What an expert should look at again; empty when it does what it is for."""
        if self.corrected and self.corrected.passed is False:
            return _("The corrected answer fails it too: %s") % self.corrected.why
        if self.was_right:
            failed = self.original.passed is False
            return _("The answer was found right, yet fails it.") if failed else ""
        if self.original.passed:
            return _("The original answer passes it, so it would not have caught this case.")
        return ""


def of(interaction: Interaction):
    """Those that hold now, in the order in which they were written."""
    return (
        CaseAssertion.objects.filter(interaction=interaction, removed_at=None)
        .select_related("author")
        .order_by("id")
    )


def bodies(interaction: Interaction) -> list[dict]:
    return [assertion.body for assertion in of(interaction)]


def removed_from(interaction: Interaction, *, unseen_by=None) -> list[tuple[CaseAssertion, str]]:
    """Those that were taken off, the last first, each as a sentence; so that they can be put back."""
    gone = CaseAssertion.objects.filter(interaction=interaction).exclude(removed_at=None)
    gone = gone.filter(author=unseen_by) if unseen_by else gone
    return [
        (each, assertions.words(each.body))
        for each in gone.order_by("-removed_at")[: assertions.MOST]
    ]


@transaction.atomic
def add(*, interaction: Interaction, given: dict, by) -> CaseAssertion:
    """Write one more. Raises InvalidAnswer; the same one again answers the one there is."""
    body = assertions.tidy(given)
    interaction = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
    now = list(of(interaction))
    same = next((each for each in now if each.body == body), None)
    if same:
        return same
    if interaction.erased_at:
        raise InvalidAnswer({"": _("Its person was erased.")})
    _check_room(now)
    return CaseAssertion.objects.create(
        project_id=interaction.project_id, interaction=interaction, body=body, author=by
    )


def remove(*, assertion: CaseAssertion) -> None:
    """Take it off the case; what is gold already keeps its copy until it is approved again."""
    now = timezone.now()
    CaseAssertion.objects.filter(pk=assertion.pk, removed_at=None).update(
        removed_at=now, changed_at=now
    )


@transaction.atomic
def put_back(*, assertion: CaseAssertion) -> None:
    """As if it was written again: nothing when the same one is there by now. Raises InvalidAnswer when there are too many."""
    interaction = Interaction.objects.select_for_update(no_key=True).get(
        pk=assertion.interaction_id
    )
    now = list(of(interaction))
    if any(each.body == assertion.body for each in now):
        return
    _check_room(now)
    CaseAssertion.objects.filter(pk=assertion.pk).exclude(removed_at=None).update(
        removed_at=None, changed_at=timezone.now()
    )


def _check_room(now) -> None:
    if len(now) >= assertions.MOST:
        raise InvalidAnswer({"": _("A case has at most %d assertions.") % assertions.MOST})


def tried(interaction: Interaction, *, extra: dict | None = None, unseen_by=None) -> list[Tried]:
    """Each assertion held against the answer and its correction; `extra`, not kept yet, comes last.

    A sentence for a judge is put to the judge, where there is one, only while it is `extra` and the case is known to be
    outside the holdout. `unseen_by` is somebody who must not learn yet what others said: their own assertions, on the
    answer alone.
    """
    settlement = None if unseen_by else _settlement_of(interaction)
    was_right = settlement is not None and settlement.verdict == Verdict.CORRECT
    corrected = None if unseen_by else newest_correction(interaction)
    documents = documents_of(interaction)
    rows = of(interaction).filter(author=unseen_by) if unseen_by else of(interaction)
    found = [(each, each.body) for each in rows]
    if extra is not None:
        found.append((None, assertions.tidy(extra)))
    texts = [interaction.output, *([corrected.text] if corrected else [])]
    return [
        Tried(
            each,
            assertions.words(body),
            *_outcomes(body, texts, documents, interaction=None if each else interaction),
            was_right,
        )
        for each, body in found
    ]


def _outcomes(body, texts, documents, interaction=None) -> list[assertions.Outcome | None]:
    """How both texts fare; None for a correction that is not there. A judge is asked about the case that is named."""
    judge = judging.configured() if interaction and body["kind"] == "rubric" else None
    if judge and not recall.placed_outside_the_holdout([interaction.pk]):
        found = [
            assertions.Outcome(None, _("No judge is asked: this case may be held out."))
            for _text in texts
        ]
    elif judge:
        with ThreadPoolExecutor(len(texts)) as pool:
            asked = pool.map(lambda text: judge.holds(body["sentence"], text, TRIED_WITHIN), texts)
            found = [assertions.Outcome(*said) for said in asked]
    else:
        found = [assertions.hold(body, text, documents=documents) for text in texts]
    return [*found, None][:2]


def newest_correction(interaction: Interaction):
    """What was settled on; while nothing is, the approved answer, else the newest proposed one; None without any."""
    settlement = _settlement_of(interaction)
    if settlement:
        chosen = settlement.chosen_answer
        return chosen if chosen and chosen.text else None  # its author may be forgotten
    candidates = interaction.candidates.exclude(text="").exclude(state="superseded")
    return (
        candidates.filter(state="approved").order_by("-revision").first()
        or candidates.order_by("-revision").first()
    )


def _settlement_of(interaction):
    """The newest that holds: a case may be settled under several schemas."""
    found = interaction.settlements.filter(is_current=True).select_related("chosen_answer")
    return found.order_by("-pk").first()


def personal_data_in(body: dict, project) -> dict[str, int]:
    """What an assertion holds of it, by kind: gold will not take it so."""
    return personal_data.left_in({"assertions": [body]}, project)


def documents_of(interaction: Interaction) -> list[dict]:
    return [
        {"id": document.document_id, "title": document.title, "url": document.url}
        for document in interaction.documents.all()
    ]
