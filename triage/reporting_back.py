"""What a reporter says on their page: still wrong, thank you, no more mail, forget me."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from feedbackhub import redaction
from feedbackhub.capture.identity import canonical_hash, project_key
from feedbackhub.capture.models import FeedbackEvent, Reporter
from feedbackhub.capture.vocabulary import FeedbackKind
from triage import letters, notices, problems
from triage.models import Notice, Problem, StillWrong

LONGEST_WORD = 4_000


def problems_of(notice) -> list[Problem]:
    """The problems of the notice's fix; what was merged since stands where its cases are now."""
    named = notice.fix.problems.select_related("duplicate_of").order_by("number")
    return list(dict.fromkeys(problem.original for problem in named))


def find_problem(*, notice, public_id) -> Problem | None:
    """The problem that this person's page names, or named before it was merged."""
    merged = notice.fix.problems.filter(public_id=public_id).select_related("duplicate_of").first()
    if merged:
        return merged.original
    return next((each for each in problems_of(notice) if each.public_id == public_id), None)


def reports_of(notice) -> list[dict]:
    """Each problem of the notice's fix that this person reported, with their reports and its state in plain words."""
    rows = []
    for problem in problems_of(notice):
        complaints = list(
            notices.complaints_about([problem], until=notice.fix.shipped_at)
            .filter(reporter=notice.reporter)
            .order_by("occurred_at", "id")
        )
        if complaints:
            rows.append(
                {
                    "problem": problem,
                    "complaints": complaints,
                    "has_said_still_wrong": any(
                        _stands(said, problem)
                        for said in StillWrong.objects.filter(notice=notice, problem=problem)
                    ),
                }
            )
    return rows


@transaction.atomic
def say_still_wrong(*, notice, problem, words: str = "") -> StillWrong:
    """Keep the reporter's word as feedback on their own report, and open the problem again.

    Twice is once; after it was solved once more, by whatever it takes, they may find it still wrong once more.
    """
    # first, as forgetting them does: no word of theirs is kept behind that
    reporter = Reporter.objects.select_for_update(no_key=True).get(pk=notice.reporter_id)
    problem = problem.original
    complaint = (
        notices.complaints_about([problem], until=notice.fix.shipped_at)
        .filter(reporter=reporter)
        .order_by("-occurred_at", "-id")
        .first()
    )
    if complaint is None or problem not in problems_of(notice):
        raise Problem.DoesNotExist
    said, is_new = StillWrong.objects.get_or_create(
        project_id=notice.project_id, notice=notice, problem=problem
    )
    if not is_new and _stands(said, problem):
        return said
    said.feedback, said.created_at = _keep_words(notice, complaint, words), timezone.now()
    said.save(update_fields=["feedback", "created_at"])
    problem = Problem.objects.select_for_update().get(pk=problem.pk)
    if problem.state not in Problem.UNSOLVED_STATES:
        problems.reopen_problem(problem=problem, why="still_wrong")
    letters.still_wrong(said=said)
    return said


def _stands(said, problem) -> bool:
    """Nobody has called the problem solved since."""
    is_solved = problem.state in (Problem.State.SHIPPED, Problem.State.VERIFIED)
    return not is_solved or said.created_at >= problem.state_changed_at


def say_thanks(*, notice) -> None:
    """The reporter says that it helped; twice is once."""
    Notice.objects.filter(pk=notice.pk, thanked_at=None).update(thanked_at=timezone.now())


def _keep_words(notice, complaint, words) -> FeedbackEvent:
    kinds = notice.project.redaction_kinds
    masked = redaction.redact(
        words[:LONGEST_WORD].replace("\0", ""), enabled=None if kinds is None else frozenset(kinds)
    )
    key = project_key(settings.IDENTIFIER_KEY, notice.project_id)
    now = timezone.now()
    return FeedbackEvent.objects.create(
        project_id=notice.project_id,
        body_hash=canonical_hash([str(notice.public_id), complaint.pk], key),
        interaction=complaint.interaction,
        interaction_external_id=complaint.interaction_external_id,
        kind=FeedbackKind.COMMENT,
        comment=masked.text,
        redaction_counts=dict(masked.counts),
        reporter=notice.reporter,
        source="reporter_page",
        metadata={"still_wrong": True},
        occurred_at=now,
        received_at=now,
    )
