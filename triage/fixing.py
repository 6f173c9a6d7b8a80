"""Fixes: what changed, which problems it solves, and what follows from it.

Recording a shipped fix moves its problems to `shipped` and is told to the notices. Whether it helps is a matter of its own:
`verification`.
"""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from feedbackhub import outbox
from triage import changelog, escalation, problems, ticket_fixes
from triage.models import Fix, FixedProblem, Problem, ProblemMember, Ticket, TicketFix


class FixRefused(ValueError):
    """A fix that cannot be recorded or moved so; the sentence says why."""


def find_problems(*, project, numbers=(), public_ids=(), ticket_keys=()) -> list[Problem]:
    """The problems named by their number, public id or a ticket's key. Raises ValidationError naming what is unknown.

    Who names a problem that was merged means the one that its cases are in now.
    """
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
            original = ticket.escalation.problem.original
            found[original.pk] = original
    if unknown:
        raise ValidationError(
            {"problems": _("There is no such problem or ticket: %s.") % ", ".join(unknown)}
        )
    return list(found.values())


def find_named(*, project, names) -> list[Problem]:
    """The problems under the names that people give them: "P12", "12", or a ticket's key."""
    numbers, keys = [], []
    for name in names:
        bare = name.strip().removeprefix("P").removeprefix("p")
        is_number = bare.isascii() and bare.isdigit() and len(bare) < 10
        (numbers if is_number else keys).append(int(bare) if is_number else name.strip())
    return find_problems(project=project, numbers=numbers, ticket_keys=keys)


def _sort(rows, name, found, unknown):
    problem = rows.first()
    if problem is None:
        unknown.append(name)
    else:
        found[problem.original.pk] = problem.original


def lacks_a_fix(problem) -> bool:
    """Somebody works on it, and no fix that is out is meant to solve it; one that did not help does not count."""
    if problem.state not in Problem.UNSOLVED_STATES:
        return False
    out = problem.fixes.filter(state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED], recurred_at=None)
    return problem.state == Problem.State.REGRESSED or not out.exists()


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
    shipped_at=None,
    prompt_version=None,
    by=None,
) -> Fix:
    """Write down what shipped and which problems it solves; their reporters hear of it once.

    With `external_id` (a pipeline's own id) recording twice is recording once. `shipped_at` is for what shipped earlier.
    A prompt version that the changelog knows gets the evidence beside its rationale. Raises FixRefused.
    """
    if external_id:
        known = Fix.objects.filter(project=project, external_id=external_id).first()
        if known:
            return known
    problems_fixed = _demand_words_and_problems(summary, problems_fixed)
    try:
        with transaction.atomic():
            fix = Fix.objects.create(
                project=project,
                summary=summary.strip(),
                carrier=carrier,
                carrier_version=carrier_version,
                prompt_version=prompt_version
                or changelog.version_of(project=project, carrier=carrier, version=carrier_version),
                external_id=external_id or None,
                state=Fix.State.PLANNED,
                recorded_by=by,
            )
    except IntegrityError:  # the pipeline's twin was quicker
        return Fix.objects.get(project=project, external_id=external_id)
    _name_problems(fix, problems_fixed)
    if not is_planned:
        ship_fix(fix=fix, at=shipped_at)
    return fix


@transaction.atomic
def confirm_fix(
    *, fix, summary: str, problems_fixed, carrier, carrier_version="", is_planned=False, by
) -> Fix:
    """What a ticket says shipped is so, in the words that this person saw or made of it; once. Raises FixRefused."""
    problems_fixed = _demand_words_and_problems(summary, problems_fixed)
    moved = Fix.objects.filter(pk=fix.pk, to_confirm=True).update(
        to_confirm=False,
        summary=summary.strip(),
        carrier=carrier,
        carrier_version=carrier_version,
        prompt_version=changelog.version_of(
            project=fix.project, carrier=carrier, version=carrier_version
        ),
        recorded_by=by,
    )
    if not moved:
        raise FixRefused(_DECIDED)
    ticket_fixes.confirm(told=fix.told_by, by=by)
    fix.refresh_from_db()
    fix.fixed_problems.exclude(problem__in=problems_fixed).delete()
    _name_problems(fix, problems_fixed)
    return fix if is_planned else ship_fix(fix=fix)


@transaction.atomic
def decline_fix(*, fix, by) -> None:
    """What a ticket says shipped is not so, or not for reporters: it is gone, and not asked again in the same words."""
    told = TicketFix.objects.filter(fix=fix).first()
    if told is None or not ticket_fixes.decline(told=told, by=by):
        raise FixRefused(_DECIDED)


_DECIDED = _lazy("Somebody has decided on it already.")


def _demand_words_and_problems(summary, problems_fixed) -> list[Problem]:
    if not summary.strip():
        raise FixRefused(_("Say what changed, in words that a reporter understands."))
    originals = list(dict.fromkeys(problem.original for problem in problems_fixed))
    if not originals:
        raise FixRefused(_("Name at least one problem that this solves."))
    return originals


def _name_problems(fix, problems_fixed) -> None:
    FixedProblem.objects.bulk_create(
        (
            FixedProblem(project_id=fix.project_id, fix=fix, problem=problem)
            for problem in problems_fixed
        ),
        ignore_conflicts=True,
    )
    changelog.note_recorded(fix=fix, problems_fixed=problems_fixed)


@transaction.atomic
def ship_fix(*, fix, at=None) -> Fix:
    """A planned fix is out: its problems are `shipped`, and the notices hear of it. Safe to repeat.

    One that only a ticket tells of stays as it is: a person confirms it first.
    """
    moved = Fix.objects.filter(pk=fix.pk, state=Fix.State.PLANNED, to_confirm=False).update(
        state=Fix.State.SHIPPED, shipped_at=at or timezone.now()
    )
    fix.refresh_from_db()
    if moved:
        _take_up_originals(fix)
        for problem in fix.problems.select_for_update(of=("self",)).order_by("id"):
            if problem.state in (*Problem.UNSOLVED_STATES, Problem.State.WONT_FIX):
                if problem.state == Problem.State.WONT_FIX:
                    problems.move_problem_state(problem=problem, state=Problem.State.OPEN)
                    escalation.cancel_pending(
                        problem=problem
                    )  # it is solved: nobody needs a ticket
                problems.move_problem_state(problem=problem, state=Problem.State.SHIPPED)
            ticket_fixes.pass_over(problem=problem)
        outbox.publish("fix_shipped", project=fix.project, fix_id=fix.pk)
    return fix


def _take_up_originals(fix) -> None:
    """What was merged since the fix was planned is solved where its cases are now."""
    merged = fix.problems.filter(state=Problem.State.DUPLICATE).select_related("duplicate_of")
    for problem in merged:
        FixedProblem.objects.get_or_create(
            project_id=fix.project_id, fix=fix, problem=problem.original
        )


def cases_of(fix):
    """The memberships that a fix is about: of its problems, and of one that was merged since it shipped those that the merge took along.

    Whoever reported what was merged hears of its fix; those whom the other problem hurt do not.
    """
    named = FixedProblem.objects.filter(fix=fix).values("problem")
    taken_along = ProblemMember.objects.filter(
        problem__in=named,
        problem__state=Problem.State.DUPLICATE,
        problem__duplicate_of=OuterRef("problem"),
        interaction=OuterRef("interaction"),
        left_at__gte=F("problem__state_changed_at"),
    )
    return ProblemMember.objects.filter(Q(problem__in=named) | Exists(taken_along), left_at=None)


@transaction.atomic
def revert_fix(*, fix) -> Fix:
    """The fix was taken back: its problems are open again, and who was not told yet is not told."""
    from triage import notices

    moved = (
        Fix.objects.filter(pk=fix.pk, to_confirm=False)
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


def ship_deployed() -> int:
    """Planned fixes whose prompt version is deployed by now are out."""
    due = Fix.objects.filter(
        state=Fix.State.PLANNED, prompt_version__deployed_at__lte=timezone.now()
    ).select_related("prompt_version", "project")
    for fix in due:
        ship_fix(fix=fix, at=fix.prompt_version.deployed_at)
    return len(due)
