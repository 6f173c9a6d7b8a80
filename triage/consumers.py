"""What triage hears from the apps on its left, and from itself."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotation import settling
from annotation.evaluation_models import EvalRun
from annotation.models import Annotation, LabelSchema, RoutingRule, Settlement, Verdict
from feedbackhub import outbox
from feedbackhub.audit.acting import acting
from feedbackhub.capture import prompts
from feedbackhub.capture.models import FeedbackEvent, Interaction
from feedbackhub.capture.payloads import BadPayload
from feedbackhub.capture.vocabulary import ReportedCategory, Severity
from triage import bounces, cases, fixing, notices, placing, ticket_notes, verification
from triage.complaints import is_complaint
from triage.models import Fix, Problem, ProblemMember


class NotYet(Exception):
    """The undo has not passed: the outbox tells us again."""


@outbox.consumer("harm_found")
def place_harmful_case(event):
    """`{"interaction_id"}` and what says so: `"annotation_id"`, `"settlement_id"`, or `"rule_id"` and `"feedback_id"`.

    It is told after the undo (the event's due_at). A judgement that was taken back, revised or returned meanwhile
    is no longer current, and says nothing.
    """
    about = event.about
    interaction = (
        Interaction.objects.kept()
        .filter(project=event.project_id, pk=about["interaction_id"])
        .first()
    )
    case = interaction and (
        _settled(interaction, about) or _judged(interaction, about) or _ruled(interaction, about)
    )
    if case:
        with acting(action="harm_found"), cases.vector_ahead(interaction):
            placing.place_case(interaction=interaction, **case)


@outbox.consumer("item_settled")
def place_settled_case(event):
    """A bad answer that is not harmful goes where it belongs; one that is right after all leaves where likeness put it.

    Right it is only when no other schema's current settlement finds it bad; one that can still be undone is waited for.
    """
    settlement = settling.effective_settlement(event.about["settlement_id"])
    if settlement is None or settlement.is_harm or settlement.interaction.erased_at:
        return
    if settlement.verdict == Verdict.CORRECT and _is_found_bad(settlement.interaction):
        return
    with acting(action="item_settled"):
        if settlement.verdict == Verdict.CORRECT:
            placing.take_back_placement(interaction=settlement.interaction)
        else:
            # another schema's word may be worse: the worst one counts
            case = _case(settlement) | cases.as_settled(settlement.interaction)
            with cases.vector_ahead(settlement.interaction):
                placing.place_item(interaction=settlement.interaction, **case)


@outbox.consumer("interaction_captured")
def place_reported_answer(event):
    """Its complaints may have come first."""
    _place_complained(FeedbackEvent.objects.filter(interaction=event.about["interaction_id"]))


@outbox.consumer("feedback_captured")
def place_complaint(event):
    _place_complained(FeedbackEvent.objects.filter(pk=event.about["feedback_id"]))


def _place_complained(feedback):
    """A complaint joins the problem that it is like before anybody judged it: reach counts everybody who complained."""
    complaint = (
        feedback.filter(is_complaint(), erased_at=None, interaction__erased_at=None)
        .exclude(interaction=None)
        .select_related("interaction")
        .first()
    )
    if complaint and not _is_found_right(complaint.interaction):
        with acting(action="feedback_captured"), cases.vector_ahead(complaint.interaction):
            placing.place_item(interaction=complaint.interaction, severity=Severity.LOW)


def _is_found_right(interaction) -> bool:
    return Settlement.objects.filter(
        interaction=interaction, is_current=True, verdict=Verdict.CORRECT
    ).exists()


def _is_found_bad(interaction) -> bool:
    bad = Settlement.objects.filter(interaction=interaction, is_current=True).exclude(
        verdict=Verdict.CORRECT
    )
    since = bad.order_by("takes_effect_at").values_list("takes_effect_at", flat=True).first()
    if since:
        _demand_final(since)
    return since is not None


@outbox.consumer("problem_regressed")
def reopen_tickets(event):
    """`{"problem_id", "why"}`: its tickets are reopened over there, with the reason."""
    problem = Problem.objects.filter(
        project=event.project_id, pk=event.about["problem_id"], state__in=Problem.UNSOLVED_STATES
    ).first()
    if problem:
        with acting(action="problem_regressed"):
            ticket_notes.note_reopened(
                problem=problem, why=event.about["why"], since=event.created_at
            )


@outbox.consumer("problem_regressed")
@transaction.atomic
def keep_back_what_is_not_so(event):
    """`{"problem_id"}`: who was not told of its repair yet is not told, whoever opened it again; unless that was a slip."""
    unsolved = Problem.objects.unsolved().select_for_update(no_key=True)
    for problem in unsolved.filter(project=event.project_id, pk=event.about["problem_id"]):
        with acting(action="problem_regressed"):
            notices.suppress_came_back(problem=problem, before=event.created_at)


def _settled(interaction, about):
    settlement = Settlement.objects.filter(
        pk=about.get("settlement_id"), interaction=interaction, is_current=True
    ).first()
    if settlement is None or not settlement.is_harm:
        return None
    _demand_final(settlement.takes_effect_at)
    is_lead = settlement.decided_how == Settlement.DecidedHow.LEAD
    return _case(
        settlement,
        source=ProblemMember.Source.LEAD if is_lead else ProblemMember.Source.EXPERT,
        settlement=settlement,
    )


def _judged(interaction, about):
    annotation = (
        Annotation.objects.current()
        .filter(
            pk=about.get("annotation_id"),
            item__interaction=interaction,
            taken_back_at=None,
        )
        .first()
    )
    if annotation is None or not annotation.is_harm:
        return None
    _demand_final(annotation.final_at)
    return _case(annotation, source=ProblemMember.Source.EXPERT)


def _ruled(interaction, about):
    """A rule escalated before anyone judged: as severe as the reporter claims, in the category they named."""
    rule = RoutingRule.objects.filter(
        pk=about.get("rule_id"), project=interaction.project_id
    ).first()
    if rule is None:
        return None
    said = FeedbackEvent.objects.filter(interaction=interaction, erased_at=None)
    feedback = (
        said.filter(pk=about.get("feedback_id")).first()
        or said.exclude(category="").order_by("-id").first()
    )
    reported = feedback.category if feedback else ""
    claimed = feedback.severity if feedback else ""
    return {
        "source": ProblemMember.Source.RULE,
        "severity": cases.at_least_harmful(Severity(claimed or Severity.HIGH)),
        "category": _category_reported_as(interaction.project_id, reported),
    }


def _demand_final(when):
    if when > timezone.now():
        raise NotYet


def _case(judgement, **more):
    return {
        "severity": cases.severity_of(judgement),
        "category": next(iter(judgement.categories), ""),
        **more,
    }


def _category_reported_as(project_id, reported: str) -> str:
    """The schema's category for a reporter's own word; the word itself where the schema maps none."""
    if not reported or reported == ReportedCategory.OTHER:
        return ""
    schema = LabelSchema.objects.filter(project=project_id, is_current=True).order_by("id").first()
    for category in schema.categories if schema else ():
        if reported in category.get("reported_as", ()) or reported == category["key"]:
            return category["key"]
    return reported


@outbox.consumer("evaluation_finished")
def take_evaluation(event):
    """`{"run_id"}`: a candidate's answers to gold cases prove the fixes that this candidate carries."""
    run = EvalRun.objects.filter(project=event.project_id, pk=event.about["run_id"]).first()
    if run:
        with acting(action="evaluation_finished"):
            verification.take_evaluation(run=run)


@outbox.consumer("fix_shipped")
def look_at_earlier_replays(event):
    """Cases that passed while the fix was planned prove it now."""
    fix = Fix.objects.filter(project=event.project_id, pk=event.about["fix_id"]).first()
    if fix:
        with acting(action="verify_fix"):
            verification.verify_if_proven(fix=fix)


@outbox.consumer("fix_shipped", "fix_verified")
def prepare_notices(event):
    """Those who reported what this fix solves are told, once: at once, or when it is verified, as the project chose."""
    fix = Fix.objects.filter(
        project=event.project_id,
        pk=event.about["fix_id"],
    ).first()
    if fix and notices.is_time_to_tell(fix=fix):
        notices.prepare_notices(fix=fix)


@prompts.announced
def plan_fix(version, names, summary):
    """A prompt version that names problems is a fix of them, once: shipped if it is deployed, else planned."""
    if not summary.strip():
        raise BadPayload([("summary", "Say what changed, in words that a reporter understands.")])
    try:
        found = fixing.find_named(project=version.project, names=names)
    except ValidationError as unknown:
        raise BadPayload([("problems", sentence) for sentence in unknown.messages]) from None
    if version.fixes.exists():
        return False  # that it is deployed by now is found by `fixing.ship_deployed`
    deployed = version.deployed_at
    is_out = deployed is not None and deployed <= timezone.now()
    fixing.record_fix(
        project=version.project,
        summary=summary,
        problems_fixed=found,
        carrier_version=version.version or version.name,
        prompt_version=version,
        is_planned=not is_out,
        shipped_at=deployed if is_out else None,
    )
    return True


bounces.listen_to_anymail()
