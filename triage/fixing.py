"""Fixes: what changed, which problems it solves, and what follows from it.

Recording a shipped fix moves its problems to `shipped` and is told to the notices. `verified` needs the problem's own cases
to pass again, or a lead's reason.
"""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from feedbackhub import outbox
from triage import problems
from triage.models import Fix, FixedProblem, Problem, ProblemMember, Replay, Ticket


class FixRefused(ValueError):
    """A fix that cannot be recorded or moved so; the sentence says why."""


def find_problems(*, project, numbers=(), public_ids=(), ticket_keys=()) -> list[Problem]:
    """The problems named by their number, public id or a ticket's key. Raises ValidationError naming what is unknown."""
    found, unknown = {}, []
    for number in numbers:
        _sort(Problem.objects.filter(project=project, number=number), f"P{number}", found, unknown)
    for public_id in public_ids:
        named = Problem.objects.filter(project=project, public_id=public_id)
        _sort(named, str(public_id), found, unknown)
    for key in ticket_keys:
        ticket = (
            Ticket.objects.filter(project=project, key=key)
            .select_related("escalation__problem")
            .order_by("-id")
            .first()
        )
        if ticket is None:
            unknown.append(key)
        else:
            found[ticket.escalation.problem_id] = ticket.escalation.problem
    if unknown:
        raise ValidationError(
            {"problems": _("There is no such problem or ticket: %s.") % ", ".join(unknown)}
        )
    return list(found.values())


def _sort(rows, name, found, unknown):
    problem = rows.first()
    if problem is None:
        unknown.append(name)
    else:
        found[problem.pk] = problem


@transaction.atomic
def record_fix(
    *,
    project,
    summary: str,
    problems_fixed,
    carrier=Fix.Carrier.PROMPT,
    carrier_version="",
    external_id=None,
    is_planned=False,
    by=None,
) -> Fix:
    """Write down what shipped and which problems it solves; their reporters hear of it once.

    With `external_id` (a pipeline's own id) recording twice is recording once. Raises FixRefused.
    """
    if external_id:
        known = Fix.objects.filter(project=project, external_id=external_id).first()
        if known:
            return known
    if not summary.strip():
        raise FixRefused(_("Say what changed, in words that a reporter understands."))
    if not problems_fixed:
        raise FixRefused(_("Name at least one problem that this solves."))
    try:
        with transaction.atomic():
            fix = Fix.objects.create(
                project=project,
                summary=summary.strip(),
                carrier=carrier,
                carrier_version=carrier_version,
                external_id=external_id or None,
                state=Fix.State.PLANNED,
                recorded_by=by,
            )
    except IntegrityError:  # the pipeline's twin was quicker
        return Fix.objects.get(project=project, external_id=external_id)
    FixedProblem.objects.bulk_create(
        FixedProblem(project=project, fix=fix, problem=problem) for problem in problems_fixed
    )
    if not is_planned:
        ship_fix(fix=fix)
    return fix


@transaction.atomic
def ship_fix(*, fix) -> Fix:
    """A planned fix is out: its problems are `shipped`, and the notices hear of it. Safe to repeat."""
    moved = Fix.objects.filter(pk=fix.pk, state=Fix.State.PLANNED).update(
        state=Fix.State.SHIPPED, shipped_at=timezone.now()
    )
    fix.refresh_from_db()
    if moved:
        for problem in fix.problems.select_for_update(of=("self",)).order_by("id"):
            if problem.state in (*Problem.UNSOLVED_STATES, Problem.State.WONT_FIX):
                if problem.state == Problem.State.WONT_FIX:
                    problems.move_problem_state(problem=problem, state=Problem.State.OPEN)
                problems.move_problem_state(problem=problem, state=Problem.State.SHIPPED)
        outbox.publish("fix_shipped", project=fix.project, fix_id=fix.pk)
    return fix


@transaction.atomic
def record_replay(*, fix, interaction, has_passed: bool, output="") -> Replay:
    """How one of the problem's own cases comes out now. The newest word counts; all passed verifies the fix."""
    is_a_case = ProblemMember.objects.filter(
        problem__fixes=fix, interaction=interaction, left_at=None
    ).exists()
    if not is_a_case:
        raise FixRefused(_("%s is no case of this fix's problems.") % interaction.external_id)
    replay, _is_new = Replay.objects.update_or_create(
        fix=fix,
        interaction=interaction,
        defaults={"project_id": fix.project_id, "has_passed": has_passed, "output": output},
    )
    if not open_cases(fix):
        _verify(fix, {"how": "replays", "cases": fix.replays.count()})
    return replay


def open_cases(fix) -> list[str]:
    """The external ids of the fix's cases that have not passed again yet."""
    return list(
        ProblemMember.objects.filter(problem__fixes=fix, left_at=None)
        .exclude(interaction__in=fix.replays.filter(has_passed=True).values("interaction"))
        .exclude(interaction__erased_at__isnull=False)
        .order_by("interaction_id")
        .values_list("interaction__external_id", flat=True)
    )


@transaction.atomic
def verify_by_hand(*, fix, by, reason: str) -> Fix:
    """A lead says why the fix counts as verified although not every case was replayed."""
    if not reason.strip():
        raise FixRefused(_("Say why this counts as verified without its cases passing."))
    return _verify(fix, {"how": "lead", "by": by.pk, "reason": reason.strip()})


def _verify(fix, evidence) -> Fix:
    moved = Fix.objects.filter(pk=fix.pk, state=Fix.State.SHIPPED).update(
        state=Fix.State.VERIFIED, verified_at=timezone.now(), evidence=evidence
    )
    if moved:
        for problem in fix.problems.select_for_update(of=("self",)).filter(state="shipped"):
            problems.move_problem_state(problem=problem, state=Problem.State.VERIFIED)
    fix.refresh_from_db()
    return fix


@transaction.atomic
def revert_fix(*, fix) -> Fix:
    """The fix was taken back: its problems are open again, and who was not told yet is not told."""
    from triage import notices

    moved = (
        Fix.objects.filter(pk=fix.pk)
        .exclude(state=Fix.State.REVERTED)
        .update(state=Fix.State.REVERTED)
    )
    fix.refresh_from_db()
    if moved:
        notices.suppress_all(fix=fix, reason="reverted")
        for problem in fix.problems.select_for_update(of=("self",)).order_by("id"):
            if problem.state in (Problem.State.SHIPPED, Problem.State.VERIFIED):
                problems.reopen_problem(problem=problem, why="reverted")
    return fix
