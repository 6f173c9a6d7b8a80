"""What to do first: the formula, and the arithmetic that the page shows."""

from datetime import timedelta
from math import prod

import pytest
from django.utils import timezone

from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import priority
from triage.models import Problem

pytestmark = pytest.mark.django_db


def figures(**about):
    return Problem(**{"severity": "high", "reach": 4, "frequency": 3.0, **about})


def test_the_priority_is_the_product_of_what_the_page_shows():
    now = timezone.now()
    problem = figures(last_seen_at=now - timedelta(days=14))
    factors = priority.arithmetic(problem, now=now)
    assert [factor.value for factor in factors] == [9, 3, 3, 0.5]
    assert [factor.measured for factor in factors] == [
        "high", "4 people", "3.00 of 1,000 answers in 28 days", "newest case 14.0 days ago",
    ]  # fmt: skip
    assert priority.priority_of(problem, now=now) == prod(f.value for f in factors) == 40.5


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"severity": "critical"}, {"severity": "high"}),
        ({"reach": 2}, {"reach": 1}),
        ({"frequency": 0.1}, {"frequency": 0.0}),
    ],
)
def test_each_factor_counts(worse, better):
    now = timezone.now()
    assert priority.priority_of(figures(**worse, last_seen_at=now), now=now) > priority.priority_of(
        figures(**better, last_seen_at=now), now=now
    )


def test_recompute_counts_users_and_reporters_once(project):
    problem = ProblemFactory(project=project)
    person = "a" * 64
    for user_hash in (person, "", "b" * 64):
        ProblemMemberFactory(
            problem=problem, interaction=InteractionFactory(project=project, user_hash=user_hash)
        )
    nameless = problem.members.get(interaction__user_hash="").interaction
    FeedbackEventFactory(
        interaction=nameless, reporter=ReporterFactory(project=project, ref_hash=person)
    )
    FeedbackEventFactory(
        interaction=nameless, reporter=ReporterFactory(project=project, ref_hash="c" * 64)
    )
    assert priority.recompute(problem=problem).reach == 3


def test_recompute_counts_cases_per_thousand_answers_of_28_days(project, other_project):
    problem = ProblemFactory(project=project)
    now = timezone.now()
    for days in (1, 2, 40):
        ProblemMemberFactory(
            problem=problem,
            interaction=InteractionFactory(project=project, occurred_at=now - timedelta(days=days)),
        )
    ProblemMemberFactory(
        problem=problem, interaction=InteractionFactory(project=project), left_at=now
    )
    InteractionFactory.create_batch(5, project=project)
    InteractionFactory.create_batch(9, project=other_project)
    problem = priority.recompute(problem=problem)
    assert (problem.member_count, problem.frequency) == (3, 250.0)  # 2 of 8
    assert problem.last_seen_at == pytest.approx(now - timedelta(days=1), abs=timedelta(seconds=5))


def test_refresh_computes_anew_what_has_faded(project):
    faded, fresh, solved = (
        ProblemFactory(project=project, state=state) for state in ("open", "open", "verified")
    )
    long_ago = InteractionFactory(project=project, occurred_at=timezone.now() - timedelta(days=60))
    ProblemMemberFactory(problem=solved, interaction=long_ago)
    for problem in (faded, fresh):
        ProblemMemberFactory(problem=problem)
    for problem in (faded, fresh, solved):
        priority.recompute(problem=problem)
    Problem.objects.filter(pk__in=[faded.pk, solved.pk]).update(priority=1_000)
    before = fresh.priority
    assert priority.refresh() == 1
    faded.refresh_from_db()
    solved.refresh_from_db()
    assert (faded.priority < 1_000, solved.priority, fresh.priority) == (True, 1_000, before)


@pytest.mark.parametrize("state", ["open", "verified"])
def test_refresh_follows_the_answers_that_came_without_complaint(project, state):
    problem = ProblemFactory(project=project, state=state)
    ProblemMemberFactory(problem=problem)
    assert priority.recompute(problem=problem).frequency == 1000
    InteractionFactory.create_batch(9, project=project)
    assert priority.refresh() == 1
    problem.refresh_from_db()
    assert problem.frequency == 100
    assert problem.priority == priority.priority_of(problem)
    assert priority.refresh() == 0


def test_refresh_follows_a_rate_that_hardly_moves_the_priority(project):
    problem = ProblemFactory(project=project)
    ProblemMemberFactory(problem=problem)
    InteractionFactory.create_batch(49, project=project)
    assert priority.recompute(problem=problem).frequency == 20
    InteractionFactory(project=project)
    priority.refresh()
    problem.refresh_from_db()
    assert problem.frequency == pytest.approx(1000 / 51, abs=0.001)
