"""What to do first: a problem's priority, by a formula that its page shows.

    priority = severity × reach × frequency × recency

    severity    low 1, medium 3, high 9, critical 27 (none 0.3): one step worse outweighs a threefold of the rest
    reach       1 + log2(people): the first person counts most, each doubling adds one
    frequency   1 + log2(1 + cases per 1,000 answers), both of the last 28 days
    recency     ½ ^ (days since the newest case ÷ 14)

It is kept on the row, so that the board is one index, and computed anew at each change. Recency fades without any
change: `refresh`, called by the sweep, computes anew what has drifted by more than a hundredth.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import log2

from django.core.cache import cache
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from feedbackhub.capture.models import FeedbackEvent, Interaction
from feedbackhub.capture.vocabulary import Severity
from triage.models import Problem

WEIGHTS = {
    Severity.NONE: 0.3,
    Severity.LOW: 1,
    Severity.MEDIUM: 3,
    Severity.HIGH: 9,
    Severity.CRITICAL: 27,
}
WINDOW = timedelta(days=28)
HALF_LIFE_DAYS = 14
_MANY = 50_000  # answers; above it their number is looked up every ten minutes only


@dataclass(frozen=True)
class Factor:
    """One line of the arithmetic: a name, what was measured in words, how the number comes from it."""

    name: str
    measured: str
    formula: str
    value: float


def arithmetic(problem, *, now=None) -> list[Factor]:
    """The factors whose product is the priority, for the problem's page."""
    severity, people = Severity(problem.severity), problem.reach
    age = _age_in_days(problem, now or timezone.now())
    return [
        Factor(_("Severity"), str(severity.label), _("its weight"), WEIGHTS[severity]),
        Factor(
            _("Reach"),
            ngettext("%d person", "%d people", people) % people,
            _("1 + log2(people)"),
            1 + log2(max(people, 1)),
        ),
        Factor(
            _("Frequency"),
            _("%s of 1,000 answers in 28 days") % f"{problem.frequency:.2f}",
            _("1 + log2(1 + rate)"),
            1 + log2(1 + problem.frequency),
        ),
        Factor(
            _("Recency"),
            _("newest case %s days ago") % f"{age:.1f}",
            _("½ ^ (days ÷ 14)"),
            0.5 ** (age / HALF_LIFE_DAYS),
        ),
    ]


def priority_of(problem, *, now=None) -> float:
    product = 1.0
    for factor in arithmetic(problem, now=now):
        product *= factor.value
    return round(product, 3)


def recompute(*, problem):
    """Count the members anew and write the figures; answers the problem with them."""
    now = timezone.now()
    members = Interaction.objects.filter(
        problem_members__problem=problem, problem_members__left_at=None
    )
    found = members.aggregate(
        all=Count("id"),
        recent=Count("id", filter=Q(occurred_at__gt=now - WINDOW)),
        newest=Max("occurred_at"),
    )
    problem.member_count = found["all"]
    problem.last_seen_at = found["newest"]
    problem.reach = _people(problem, members)
    answers = _answers_of_the_window(problem.project_id, now)
    problem.frequency = round(1000 * found["recent"] / max(answers, 1), 3)
    problem.priority = priority_of(problem, now=now)
    problem.save(update_fields=["member_count", "last_seen_at", "reach", "frequency", "priority"])
    return problem


def refresh() -> int:
    """Bring the priorities of unsolved problems up to date where time has changed them."""
    now, refreshed = timezone.now(), 0
    for problem in Problem.objects.unsolved().filter(member_count__gt=0).iterator():
        expected = priority_of(problem, now=now)
        if abs(expected - problem.priority) > 0.01 * max(expected, problem.priority):
            recompute(problem=problem)
            refreshed += 1
    return refreshed


def _people(problem, members) -> int:
    """Distinct users whose answers these are, and reporters who spoke of them: both are known by the same hash."""
    users = members.exclude(user_hash="").values_list("user_hash")
    reporters = (
        FeedbackEvent.objects.filter(
            interaction__problem_members__problem=problem,
            interaction__problem_members__left_at=None,
        )
        .exclude(reporter=None)
        .values_list("reporter__ref_hash")
    )
    return users.union(reporters).count()


def _age_in_days(problem, now) -> float:
    newest = problem.last_seen_at or problem.created_at
    return max((now - newest).total_seconds(), 0) / 86_400


def _answers_of_the_window(project_id, now) -> int:
    key = f"triage-answers-of-28-days-{project_id}"
    answers = cache.get(key)
    if answers is None:
        answers = Interaction.objects.filter(
            project=project_id, occurred_at__gt=now - WINDOW
        ).count()
        if answers > _MANY:
            cache.set(key, answers, 600)
    return answers
