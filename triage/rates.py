"""How often a problem's complaints come among the answers of a time, with an interval that says how sure that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from django.db.models import Count, Q

from feedbackhub.capture.models import Interaction
from triage.models import ProblemMember

Z_90 = 1.6449  # standard deviations that hold 90 % of a normal distribution
BEFORE = timedelta(days=28)


@dataclass(frozen=True)
class Rate:
    """So many cases among so many answers, and per thousand the 90 % interval (Wilson's score)."""

    cases: int
    answers: int

    @property
    def per_thousand(self) -> float | None:
        return 1000 * self.cases / self.answers if self.answers else None

    @property
    def low(self) -> float:
        return self._bounds[0]

    @property
    def high(self) -> float:
        return self._bounds[1]

    @property
    def _bounds(self) -> tuple[float, float]:
        """Wilson's interval: it holds for few cases too, and never leaves 0 to 1,000."""
        n = self.answers
        if not n:
            return 0.0, 1000.0
        share = min(self.cases / n, 1.0)
        middle = share + Z_90**2 / (2 * n)
        reach = Z_90 * sqrt(share * (1 - share) / n + Z_90**2 / (4 * n * n))
        whole = 1 + Z_90**2 / n
        return (
            1000 * max(0.0, (middle - reach) / whole),
            1000 * min(1.0, (middle + reach) / whole),
        )

    def to_json(self) -> dict:
        return {
            "cases": self.cases,
            "answers": self.answers,
            "per_thousand": None if self.per_thousand is None else round(self.per_thousand, 3),
            "low": round(self.low, 3) if self.answers else None,
            "high": round(self.high, 3) if self.answers else None,
        }


@dataclass(frozen=True)
class Change:
    """A problem's rate in the 28 days before a fix shipped, and since."""

    problem: object
    before: Rate
    after: Rate

    @property
    def is_early(self) -> bool:
        """So few answers since that even without a case among them the two intervals would meet."""
        if not self.after.answers:
            return True
        return self.before.cases > 0 and Rate(0, self.after.answers).high >= self.before.low


def changes(*, fix, now: datetime) -> list[Change]:
    """Each problem of a shipped fix: how often it was complained of before, and since (at most 28 days)."""
    shipped = fix.shipped_at
    since, until = shipped - BEFORE, min(now, shipped + BEFORE)
    is_after = Q(interaction__occurred_at__gt=shipped)
    cases = {
        problem: counts
        for problem, *counts in ProblemMember.objects.filter(
            problem__fixes=fix, **_within(since, until)
        )
        .values_list("problem")
        .annotate(before=Count("pk", filter=~is_after), after=Count("pk", filter=is_after))
    }
    answers = Interaction.objects.filter(
        project=fix.project_id, occurred_at__gt=since, occurred_at__lte=until
    ).aggregate(
        before=Count("pk", filter=Q(occurred_at__lte=shipped)),
        after=Count("pk", filter=Q(occurred_at__gt=shipped)),
    )
    return [
        Change(problem, Rate(before, answers["before"]), Rate(after, answers["after"]))
        for problem in fix.problems.order_by("number")
        for before, after in [cases.get(problem.pk, (0, 0))]
    ]


def rate_between(*, problem, after: datetime, until: datetime) -> Rate:
    answers = Interaction.objects.filter(
        project=problem.project_id, occurred_at__gt=after, occurred_at__lte=until
    )
    return Rate(problem.members.filter(**_within(after, until)).count(), answers.count())


def _within(after, until) -> dict:
    return {
        "left_at": None,
        "interaction__occurred_at__gt": after,
        "interaction__occurred_at__lte": until,
    }
