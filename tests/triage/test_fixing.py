"""A fix: recorded, shipped, carried by a version that the changelog knows, taken back."""

import pytest
from django.core.exceptions import ValidationError

from feedbackhub.outbox.models import OutboxEvent
from tests.factories import ProblemFactory
from triage import fixing


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project)


def ship(project, *problems, **options):
    return fixing.record_fix(
        project=project, summary="The rates are current.", problems_fixed=problems, **options
    )


def test_a_shipped_fix_moves_its_problems_and_tells_the_notices(project, problem):
    fix = ship(project, problem)
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("shipped", "shipped")
    assert fix.shipped_at
    assert OutboxEvent.objects.get(kind="fix_shipped").about == {"fix_id": fix.pk}


def test_a_planned_fix_waits_until_it_ships(project, problem):
    fix = ship(project, problem, is_planned=True)
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("planned", "open")
    fixing.ship_fix(fix=fix)
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("shipped", "shipped")


def test_a_pipelines_fix_recorded_twice_is_recorded_once(project, problem):
    first = ship(project, problem, external_id="deploy-7")
    assert ship(project, problem, external_id="deploy-7") == first
    assert OutboxEvent.objects.filter(kind="fix_shipped").count() == 1


@pytest.mark.parametrize(
    ("summary", "with_problem", "says"),
    [(" ", True, "what changed"), ("Done.", False, "at least one")],
)
def test_a_fix_needs_words_and_a_problem(project, problem, summary, with_problem, says):
    with pytest.raises(fixing.FixRefused, match=says):
        fixing.record_fix(
            project=project, summary=summary, problems_fixed=[problem] if with_problem else []
        )


def test_problems_are_found_by_number_and_unknown_ones_are_named(project, problem, other_project):
    theirs = ProblemFactory(project=other_project, number=99)
    assert fixing.find_problems(project=project, numbers=[problem.number]) == [problem]
    with pytest.raises(ValidationError, match="P99, FBH-1"):
        fixing.find_problems(project=project, numbers=[theirs.number], ticket_keys=["FBH-1"])


def test_a_reverted_fix_opens_its_problems_again(project, problem):
    fix = ship(project, problem)
    fixing.revert_fix(fix=fix)
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("reverted", "regressed")
