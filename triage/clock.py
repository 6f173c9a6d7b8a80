"""The clock of a problem: a warning to its owner before it is due, a word to the leads once it is late.

Each is written once for a due time; a fresh clock (a reopened problem, another severity) warns anew. Between the project's
quiet hours a letter waits for the morning, but never for a critical problem. Who owns it is asked first; a problem without an
owner is everybody's who leads.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import LEAD, OWNER
from triage import letters
from triage.links import problem_url
from triage.models import Problem, rules_of

AT_ONCE = 200


def warns_at(problem, rules) -> datetime | None:
    """When its owner is told that time is running out."""
    hours = problem.project.sla_hours.get(str(problem.severity))
    if problem.due_at is None:
        return None
    left = timedelta(hours=hours or 0) * (1 - rules.warn_at_percent / 100)
    return problem.due_at - left


def is_due_soon(problem, rules) -> bool:
    """In the last part of its time, and not yet late."""
    now, warning = timezone.now(), warns_at(problem, rules)
    return warning is not None and warning <= now < problem.due_at


def watch() -> int:
    """Tell whoever must hear of it; answers how many problems were spoken of."""
    now = timezone.now()
    ticking = (
        Problem.objects.unsolved()
        .filter(due_at__isnull=False)
        .select_related("project", "owner")
        .order_by("due_at")
    )
    late = ticking.filter(due_at__lte=now).filter(
        Q(late_told_for=None) | ~Q(late_told_for=F("due_at"))
    )
    soon = ticking.filter(due_at__gt=now).filter(Q(warned_for=None) | ~Q(warned_for=F("due_at")))
    told = 0
    for problem in late[:AT_ONCE]:
        _tell_late(problem)
        told += 1
    # of one project and severity, who is due first is warned first: so none hides behind another's
    for project, severity in soon.order_by().values_list("project", "severity").distinct():
        rules = rules_of(project)
        own = soon.filter(project=project, severity=severity)
        for problem in own[:AT_ONCE]:
            if not is_due_soon(problem, rules):
                break
            _warn(problem)
            told += 1
    return told


def _warn(problem) -> None:
    owner = _members([problem.owner_id], problem)
    _write(
        problem,
        owner or letters.people_with(problem.project, LEAD),
        kind="due_soon",
        subject=_("P%d is due soon") % problem.number,
        body=_("P%(number)d (%(severity)s) is due at %(due)s UTC, and still %(state)s."),
    )
    Problem.objects.filter(pk=problem.pk).update(warned_for=problem.due_at)


def _tell_late(problem) -> None:
    people = {
        each.pk: each
        for each in (
            *_members([problem.owner_id], problem),
            *letters.people_with(problem.project, LEAD),
            *letters.people_with(problem.project, OWNER),
        )
    }
    _write(
        problem,
        people.values(),
        kind="overdue",
        subject=_("P%d is overdue") % problem.number,
        body=_("P%(number)d (%(severity)s) was due at %(due)s UTC, and is still %(state)s."),
    )
    Problem.objects.filter(pk=problem.pk).update(
        warned_for=problem.due_at, late_told_for=problem.due_at
    )


def _members(users, problem) -> list:
    """Those of them who are members still."""
    rows = Membership.objects.filter(
        project=problem.project_id, user__in=users, user__is_active=True
    )
    return [each.user for each in rows.select_related("user")]


def _write(problem, users, *, kind, subject, body) -> None:
    said = body % {
        "number": problem.number,
        "severity": problem.get_severity_display().lower(),
        "due": f"{problem.due_at:%Y-%m-%d %H:%M}",
        "state": problem.get_state_display().lower(),
    }
    letters.write(
        project=problem.project,
        users=users,
        kind=kind,
        key=f"{problem.pk} {problem.due_at:%Y-%m-%dT%H:%M:%S}",
        subject=subject,
        body=f"{said}\n\n{problem_url(problem)}",
        quiet_unless=problem.severity,
    )
