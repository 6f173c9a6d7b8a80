"""How triage forgets a person: titles that quote them, replays of their cases, what they wrote, mail sent and to be sent."""

from django.db.models import Exists, OuterRef

from feedbackhub.capture.erasure import Erased, eraser
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.retention import keeper
from triage import notices, problems
from triage.models import Fix, Notice, Problem, ProblemMember, Replay, Undeliverable


@eraser
def forget(erased: Erased) -> None:
    for interaction in Interaction.objects.filter(pk__in=erased.interactions):
        problems.forget_words(interaction=interaction)
    problems.forget_comments(interactions=erased.reported_interactions)
    Replay.objects.filter(interaction__in=erased.interactions).update(output="")
    for fix in Fix.objects.filter(
        problems__members__interaction__in=erased.interactions, evidence__has_key="reason"
    ).distinct():  # why somebody called it verified may quote the case
        fix.evidence.pop("reason")
        Fix.objects.filter(pk=fix.pk).update(evidence=fix.evidence)
    theirs = Notice.objects.filter(reporter__in=erased.reporters)
    for reporter in erased.reporters:
        notices.suppress_all(reporter=reporter, reason="erased")
    theirs.update(subject="", body="")
    Undeliverable.objects.filter(reporter__in=erased.reporters).delete()


@keeper
def _is_in_an_open_problem():
    State = Problem.State
    return Exists(
        ProblemMember.objects.filter(interaction=OuterRef("pk"), left_at=None).exclude(
            problem__state__in=[State.VERIFIED, State.WONT_FIX, State.DUPLICATE]
        )
    )
