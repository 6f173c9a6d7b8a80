"""A problem that was merged after its fix shipped: whoever reported it is told of the fix all the same, and once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from feedbackhub.outbox import delivery
from tests.factories import ProblemFactory
from tests.triage.test_telling import choose, complain, deliver_all, ship
from triage import changes, fixing, notices, problems, reporting_back, verification
from triage.models import Fix, Notice, Problem, ProblemChange

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=1_007)


@pytest.fixture
def into(project):
    return ProblemFactory(project=project, number=1_008)


def shipped_unheard(problem) -> Fix:
    """Its news still waits when the merge comes."""
    return fixing.record_fix(
        project=problem.project, summary="The rates are current.", problems_fixed=[problem]
    )


def told() -> list[str]:
    deliver_all()
    return sorted(address for message in mail.outbox for address in message.to)


@pytest.mark.parametrize("state", ["open", "shipped"])
def test_reporters_of_a_merged_problem_are_told_once_and_nobody_else(problem, into, state):
    reporter, other = complain(problem), complain(into)
    into.state = state
    into.save()
    fix = shipped_unheard(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    delivery.deliver_due()
    assert told() == [reporter.email]
    for _ in range(2):
        notices.prepare_notices(fix=fix)
    assert told() == [reporter.email]
    assert not Notice.objects.filter(reporter=other).exists()


def test_verified_after_the_merge_they_are_told_then(project, ben, problem, into):
    choose(project, when="verified")
    reporter = complain(problem)
    fix = ship(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    (interaction,) = (member.interaction for member in into.members.all())
    verification.record_results(
        fix=fix, results=[verification.Result(interaction, has_passed=True)]
    )
    delivery.deliver_due()
    fix.refresh_from_db()
    assert (fix.state, told()) == ("verified", [reporter.email])


def test_merged_twice_they_are_told_and_see_their_report(project, problem, into):
    reporter, last = complain(problem), ProblemFactory(project=project, number=1_009)
    shipped_unheard(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    problems.merge_problem(problem=Problem.objects.get(pk=into.pk), into=last)
    delivery.deliver_due()
    assert told() == [reporter.email]
    (row,) = reporting_back.reports_of(Notice.objects.get())
    assert (row["problem"], len(row["complaints"])) == (last, 1)


def test_undone_merge_tells_nobody_twice(problem, into, ben):
    reporter = complain(problem)
    fix = shipped_unheard(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into, by=ben)
    delivery.deliver_due()
    changes.undo_change(change=ProblemChange.objects.get())
    notices.prepare_notices(fix=fix)
    assert told() == [reporter.email]


def test_case_that_left_before_the_merge_or_after_it_is_not_told_of(problem, into):
    before, after, stays = complain(problem), complain(problem), complain(problem)
    by_reporter = {
        member.interaction.feedback.get().reporter: member for member in problem.members.all()
    }
    problems.take_out_case(member=by_reporter[before])
    problems.put_case(interaction=by_reporter[before].interaction, problem=into)
    shipped_unheard(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    problems.take_out_case(
        member=into.members.get(interaction=by_reporter[after].interaction, left_at=None)
    )
    delivery.deliver_due()
    assert told() == [stays.email]


def test_nobody_is_told_once_what_it_was_merged_into_came_back(problem, into):
    complain(problem)
    shipped_unheard(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    Problem.objects.filter(pk=into.pk).update(state="shipped")
    problems.reopen_problem(problem=into, why="recurrence")
    delivery.deliver_due()
    assert told() == []


def test_notice_that_waits_is_not_sent_once_what_it_was_merged_into_came_back(
    project, problem, into
):
    choose(project, is_held_first=True)
    complain(problem)
    fix = ship(problem)
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    Problem.objects.filter(pk=into.pk).update(state="shipped")
    problems.reopen_problem(problem=Problem.objects.get(pk=into.pk), why="still_wrong")
    delivery.deliver_due()
    assert fix.notices.get().state == "suppressed"
    assert (notices.release_all(fix=fix), told()) == (0, [])


def test_what_was_kept_back_waits_for_a_leads_release_where_all_do(project, problem):
    choose(project, is_held_first=True)
    complain(problem)
    fix = ship(problem)
    fix.notices.update(state="suppressed", reason=notices.CAME_BACK)
    notices.tell_after_all(problem=Problem.objects.get(pk=problem.pk))
    assert (fix.notices.get().state, told()) == ("held", [])


def test_report_that_is_placed_late_is_told_of_after_a_merge_too(problem, into):
    early = complain(problem)
    fix = ship(problem)
    assert told() == [early.email]
    late = complain(problem)  # it was said before the fix
    problems.merge_problem(problem=Problem.objects.get(pk=problem.pk), into=into)
    Fix.objects.update(created_at=timezone.now() - timedelta(hours=1))
    cache.clear()
    assert notices.prepare_late() == 1
    assert told() == sorted([early.email, late.email])
    assert fix.notices.count() == 2
