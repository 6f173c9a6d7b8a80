"""A fix: recorded, shipped, carried by a version that the changelog knows, taken back."""

import pytest
from django.core.exceptions import ValidationError

from feedbackhub.outbox.models import OutboxEvent
from tests.factories import ProblemFactory
from triage import escalation, fixing, problems
from triage.models import Ticket


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


def test_a_fix_of_what_was_given_up_files_no_ticket(project, connection):
    problem = ProblemFactory(project=project, severity="critical")
    duty = escalation.open_escalation(problem=problem, connection=connection)
    problems.move_problem_state(problem=problem, state="wont_fix")
    ship(project, problem)
    problem.refresh_from_db()
    duty.refresh_from_db()
    assert (problem.state, duty.state) == ("shipped", "cancelled")


# --- merged ---------------------------------------------------------------------------------------


def test_a_fix_of_a_merged_problem_is_one_of_where_its_cases_are(project, problem, connection):
    original = ProblemFactory(project=project)
    Ticket.objects.create(
        project=project,
        escalation=escalation.open_escalation(problem=problem, connection=connection),
        connection=connection,
        remote_id="1",
        key="FBH-1",
    )
    problems.merge_problem(problem=problem, into=original)
    named = {
        "numbers": [problem.number],
        "public_ids": [problem.public_id],
        "ticket_keys": ["FBH-1"],
    }
    assert fixing.find_problems(project=project, **named) == [original]
    problem.refresh_from_db()
    fix = ship(project, problem)
    original.refresh_from_db()
    assert (list(fix.problems.all()), original.state) == ([original], "shipped")


def test_a_planned_fix_ships_what_its_problem_was_merged_into(project, problem):
    fix = ship(project, problem, is_planned=True)
    original = ProblemFactory(project=project)
    problems.merge_problem(problem=problem, into=original)
    fixing.ship_fix(fix=fix)
    original.refresh_from_db()
    assert original.state == "shipped"
    fixing.revert_fix(fix=fix)
    original.refresh_from_db()
    assert original.state == "regressed"
