"""What to do first: a problem's priority, by a formula that its page shows.

    priority = severity × reach × frequency × recency

    severity    low 1, medium 3, high 9, critical 27 (none 0.3): one step worse outweighs a threefold of the rest
    reach       1 + log2(people): the first person counts most, each doubling adds one
    frequency   1 + log2(1 + cases per 1,000 answers), both of the last 28 days
    recency     ½ ^ (days since the newest case ÷ 14)

The weights, the half-life and the power of each factor are the project's own to change (`PriorityRules`).

It is kept on the row, so that the board is one index, and computed anew at each change. Recency fades without any
change, and a rate falls with each further answer: `refresh`, called by the sweep, computes anew what has drifted by more than
a hundredth.
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
from triage.models import Problem, ProblemMember, rules_of

WINDOW = timedelta(days=28)
_MANY = 50_000  # answers; above it their number is looked up every ten minutes only


@dataclass(frozen=True)
class Factor:
    """One line of the arithmetic: a name, what was measured in words, how the number comes from it."""

    name: str
    measured: str
    formula: str
    value: float


def arithmetic(problem, *, now=None, rules=None) -> list[Factor]:
    """The factors whose product is the priority, for the problem's page."""
    rules = rules or rules_of(problem.project_id)
    severity, people = Severity(problem.severity), problem.reach
    age = _age_in_days(problem, now or timezone.now())
    return [
        Factor(
            _("Severity"), str(severity.label), _("its weight"), rules.severity_weight(severity)
        ),
        Factor(
            _("Reach"),
            ngettext("%d person", "%d people", people) % people,
            _("1 + log2(people)") + _raised(rules.reach_power),
            (1 + log2(max(people, 1))) ** rules.reach_power,
        ),
        Factor(
            _("Frequency"),
            _("%s of 1,000 answers in 28 days") % f"{problem.frequency:.2f}",
            _("1 + log2(1 + rate)") + _raised(rules.frequency_power),
            (1 + log2(1 + problem.frequency)) ** rules.frequency_power,
        ),
        Factor(
            _("Recency"),
            _("newest case %s days ago") % f"{age:.1f}",
            _("½ ^ (days ÷ %s)") % f"{rules.half_life_days:g}" + _raised(rules.recency_power),
            0.5 ** (rules.recency_power * age / rules.half_life_days),
        ),
    ]


def _raised(power: float) -> str:
    return "" if power == 1 else f", ^ {power:g}"


def priority_of(problem, *, now=None, rules=None) -> float:
    product = 1.0
    for factor in arithmetic(problem, now=now, rules=rules):
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
    problem.frequency = _per_thousand(found["recent"], answers)
    problem.priority = priority_of(problem, now=now)
    problem.save(update_fields=["member_count", "last_seen_at", "reach", "frequency", "priority"])
    return problem


def refresh() -> int:
    """Bring rates and priorities up to date where time, or other answers, have changed them; answers of how many problems.

    A solved problem's too, until its window holds none of its cases any more.
    """
    now, refreshed = timezone.now(), 0
    is_moving = Q(state__in=Problem.UNSOLVED_STATES) | Q(frequency__gt=0)
    moving = Problem.objects.filter(is_moving, member_count__gt=0)
    recent = dict(
        ProblemMember.objects.filter(
            problem__in=moving, left_at=None, interaction__occurred_at__gt=now - WINDOW
        )
        .values_list("problem")
        .annotate(Count("id"))
    )
    rules_by_project, answers_by_project = {}, {}
    for problem in moving.iterator():
        place, rate = problem.project_id, problem.frequency
        if place not in rules_by_project:
            rules_by_project[place] = rules_of(place)
            answers_by_project[place] = _answers_of_the_window(place, now)
        problem.frequency = _per_thousand(recent.get(problem.pk, 0), answers_by_project[place])
        expected = priority_of(problem, now=now, rules=rules_by_project[place])
        if _has_moved(expected, problem.priority) or _has_moved(problem.frequency, rate):
            recompute(problem=problem)
            refreshed += 1
    return refreshed


def _has_moved(now: float, before: float) -> bool:
    return abs(now - before) > 0.01 * max(now, before)


def _per_thousand(cases: int, answers: int) -> float:
    return round(1000 * cases / max(answers, 1), 3)


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
