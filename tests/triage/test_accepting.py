"""An accepted regrouping is done by a worker: in steps, once, whatever happens to the worker, and never over a person's hand."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.urls import reverse
from django.utils import timezone

from tests.triage.test_grouping import BICYCLE, RENT, alone, cases_of, problem_of
from triage import accepting, changes, problems, regrouping, sweepers
from triage.models import Escalation, Problem, ProblemChange, ProblemMember, Regrouping

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch):
    monkeypatch.setattr(accepting, "AT_ONCE", 2)


@pytest.fixture
def rings_are_lost(monkeypatch):
    monkeypatch.setattr("feedbackhub.doorbell.ring", lambda task, **ids: None)


def proposal(project, *parts) -> Regrouping:
    """A plan as it was prepared: (problem or None, its cases) for each group; a case is an answer or a membership."""

    def join(case):
        if isinstance(case, ProblemMember):
            return {"interaction": case.interaction_id, "from": case.problem_id}
        return {"interaction": case.pk, "from": None}

    plan = [
        {"problem": problem and problem.pk, "joins": [join(case) for case in cases]}
        for problem, cases in parts
    ]
    return Regrouping.objects.create(project=project, state="ready", plan=plan, considered=9)


def left_alone(project, words):
    return [alone(project, each) for each in words]


def accept(row):
    accepting.accept_regrouping(regrouping=row)
    return row


def outcome(row):
    row.refresh_from_db()
    return row.joined_count, row.skipped_count, row.stayed_count


def a_worker(row, steps):
    """One that is killed after so many steps: nothing of the next is written, and its lease stands."""
    lease = accepting._take_turn(row)
    for _ in range(steps):
        lease = accepting._step(row, lease)
    return lease


def lease_passes():
    Regrouping.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


# --- what becomes of the cases --------------------------------------------------------------------


def test_a_leads_click_moves_nothing_itself(project, ben):
    row = proposal(project, (None, left_alone(project, RENT)))
    accepting.accept_regrouping(regrouping=row, by=ben)
    assert (row.state, row.decided_by, Problem.objects.count()) == ("accepting", ben, 0)


def test_group_larger_than_a_step_opens_one_problem_in_its_cases_words(project, ben):
    row = proposal(project, (None, left_alone(project, [*RENT, RENT[0] + " Really?"])))
    accepting.accept_regrouping(regrouping=row, by=ben)
    accepting.carry_out(regrouping=row)
    problem = Problem.objects.get()
    assert (row.state, outcome(row), problem.member_count) == ("accepted", (5, 0, 0), 5)
    assert "rent" in problem.title.lower() and problem.summary
    assert (row.change.by, len(row.change.moves), row.change.opened) == (ben, 5, [problem.pk])


def test_each_case_is_joined_skipped_or_stays_and_the_lead_is_told(as_user, project, ben):
    bicycles = problem_of(project, BICYCLE[:1], number=7)
    solved = problem_of(project, [], number=8)
    few = left_alone(project, RENT[:3])
    joins = [*left_alone(project, BICYCLE[1:3]), *left_alone(project, ["Pinned?", "Taken out?"])]
    row = proposal(project, (bicycles, joins), (solved, left_alone(project, ["S?"])), (None, few))
    for case in (joins[2], few[0]):  # between the preview and the click
        problems.join_problem(problem=bicycles, interaction=case, source="lead")
    was_here = problems.join_problem(problem=bicycles, interaction=joins[3], source="similarity")
    problems.take_out_case(member=was_here)
    Problem.objects.filter(pk=solved.pk).update(state="shipped")
    accepting.carry_out(regrouping=accept(row))
    assert outcome(row) == (2, 3, 3)
    assert cases_of(bicycles) == {*BICYCLE[:3], "Pinned?", RENT[0]}
    assert Problem.objects.count() == 2
    page = as_user(ben).get(reverse("regrouping", args=["tax-help"])).content.decode()
    for said in ("2 cases joined", "3 were moved, pinned or erased meanwhile", "3 stay where"):
        assert said in page


def test_a_case_that_a_person_pins_while_it_is_done_stays(project):
    rents, bicycles = (
        problem_of(project, RENT[:1], number=7),
        problem_of(project, BICYCLE, number=8),
    )
    members = list(bicycles.members.order_by("id"))
    row = accept(proposal(project, (rents, members)))
    a_worker(row, steps=1)
    problems.pin_case(member=members[2], is_pinned=True)
    lease_passes()
    accepting.carry_out(regrouping=row)
    assert outcome(row) == (3, 1, 0)
    assert cases_of(bicycles) == {BICYCLE[2]}


# --- once, whatever happens -----------------------------------------------------------------------


def test_two_clicks_and_two_rings_are_one(project):
    row = proposal(project, (None, left_alone(project, RENT)))
    for _ in range(2):
        accept(row)
        accepting.carry_out(regrouping=row)
    accepting.accept_regrouping(regrouping=row)
    assert (Problem.objects.count(), ProblemChange.objects.count()) == (1, 1)
    assert outcome(row) == (4, 0, 0)


@pytest.mark.parametrize("state", ["asked", "declined", "failed"])
def test_what_is_not_ready_is_not_accepted(project, state):
    row = Regrouping.objects.create(project=project, state=state)
    with pytest.raises(accepting.NotReady):
        accepting.accept_regrouping(regrouping=row)


def test_worker_that_died_is_followed_by_the_next_from_where_it_was(project):
    row = accept(
        proposal(project, (None, left_alone(project, RENT)), (None, left_alone(project, BICYCLE)))
    )
    a_worker(row, steps=3)
    assert accepting.carry_out(regrouping=row).done_count == 6  # somebody has it
    assert not accepting.waiting_for_a_worker().exists()
    lease_passes()
    assert accepting.waiting_for_a_worker().get() == row
    accepting.carry_out(regrouping=row)
    assert sorted(Problem.objects.values_list("member_count", flat=True)) == [4, 4]
    assert (row.state, outcome(row), len(row.change.moves)) == ("accepted", (8, 0, 0), 8)


def test_frozen_worker_does_nothing_once_another_went_on(project):
    row = accept(proposal(project, (None, left_alone(project, RENT))))
    frozen = accepting._take_turn(row)
    lease_passes()
    a_worker(row, steps=1)
    assert accepting._step(row, frozen) is None
    row.refresh_from_db()
    assert row.done_count == 2


def test_shift_that_is_over_hands_on_to_the_next_ring(
    project, monkeypatch, django_capture_on_commit_callbacks
):
    row = accept(proposal(project, (None, left_alone(project, RENT))))
    monkeypatch.setattr(accepting, "SHIFT", -1)
    with django_capture_on_commit_callbacks() as rings:
        accepting.carry_out(regrouping=row)
    assert (row.state, row.lease_until, len(rings)) == ("accepting", None, 1)


def test_step_that_no_worker_survives_ends_it_and_what_was_done_can_be_undone(project):
    row = accept(
        proposal(project, (None, left_alone(project, RENT)), (None, left_alone(project, BICYCLE)))
    )
    a_worker(row, steps=2)
    for _ in range(accepting.MOST_TRIES + 1):
        lease_passes()
        accepting._take_turn(row)
    row.refresh_from_db()
    assert (row.state, Problem.objects.count()) == ("failed", 1)
    changes.undo_change(change=row.change)
    assert not Problem.objects.exists()


def test_lost_ring_is_found_by_the_sweep(project, monkeypatch):
    row = accept(proposal(project, (None, left_alone(project, RENT))))
    monkeypatch.setattr(
        "triage.tasks.carry_out_regrouping.delay",
        lambda regrouping_id: accepting.carry_out(regrouping=row),
    )
    assert sweepers.regroupings_being_accepted() == 0
    Regrouping.objects.update(decided_at=timezone.now() - timedelta(minutes=2))
    assert sweepers.regroupings_being_accepted() == 1
    assert (row.state, outcome(row)) == ("accepted", (4, 0, 0))


@pytest.mark.django_db(transaction=True)
def test_killed_for_real_between_its_writes_it_does_each_case_once(project, rings_are_lost):
    row = accept(proposal(project, (None, left_alone(project, [*RENT, *BICYCLE]))))
    for kill_at in (2, 3, 5):  # joins: in the middle of a step, at its end, in the middle again
        assert _was_killed(row, kill_at)
        lease_passes()
    accepting.carry_out(regrouping=row)
    problem = Problem.objects.get()
    assert (row.state, outcome(row), problem.member_count) == ("accepted", (8, 0, 0), 8)
    assert problem.members.count() == len(row.change.moves) == 8


def _was_killed(row, kill_at) -> bool:
    """A worker in a process of its own, killed by SIGKILL at its n-th join."""
    databases.close_all()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)
    join, joined = accepting._join, 0

    def killed_on_the_way(*about):
        nonlocal joined
        join(*about)
        joined += 1
        if joined == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    accepting._join = killed_on_the_way
    try:
        accepting.carry_out(regrouping=row)
    finally:
        os._exit(0)


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_do_each_case_once(project, rings_are_lost):
    row = accept(proposal(project, (None, left_alone(project, [*RENT, *BICYCLE]))))
    start = threading.Barrier(4)

    def work():
        start.wait()
        accepting.carry_out(regrouping=Regrouping.objects.get(pk=row.pk))
        databases.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert outcome(row) == (8, 0, 0)
    assert Problem.objects.get().member_count == 8


# --- undo, tickets, and what else waits -----------------------------------------------------------


def test_undo_waits_until_it_is_over(as_user, ben, project):
    row = accept(proposal(project, (None, left_alone(project, RENT))))
    a_worker(row, steps=1)
    row.refresh_from_db()
    with pytest.raises(changes.UndoRefused, match="still being done"):
        changes.undo_change(change=row.change)
    lease_passes()
    accepting.carry_out(regrouping=row)
    client = as_user(ben)
    client.post(reverse("undo_change", args=["tax-help", row.change.public_id]))
    assert not Problem.objects.exists()
    assert "undone" in client.get(reverse("regrouping", args=["tax-help"])).content.decode()


def test_tickets_are_asked_for_when_all_is_done_and_its_undo_has_passed(project, connection):
    severe = problem_of(project, RENT, number=7, severity="critical")
    severe.members.update(severity="critical")
    quiet = problem_of(project, BICYCLE[:1], number=8)
    row = accept(proposal(project, (quiet, list(severe.members.order_by("id")))))
    a_worker(row, steps=1)
    assert not Escalation.objects.filter(problem=quiet).exists()
    lease_passes()
    accepting.carry_out(regrouping=row)
    duty = Escalation.objects.get(problem=quiet)
    assert duty.due_at > timezone.now() + timedelta(seconds=5)


def test_another_proposal_waits_for_the_one_that_is_being_done(as_user, ben, project):
    row = accept(proposal(project, (None, left_alone(project, RENT))))
    assert regrouping.ask_regrouping(project=project) == row
    client = as_user(ben)
    answer = client.post(
        reverse("decide_regrouping", args=["tax-help", row.public_id]), {"decline": ""}, follow=True
    )
    row.refresh_from_db()
    assert (row.state, "accepted already" in answer.content.decode()) == ("accepting", True)


def test_page_says_how_far_it_is_and_shows_itself_anew_when_it_is_over(as_user, ben, project):
    client, address = as_user(ben), reverse("regrouping", args=["tax-help"])
    row = proposal(project, (None, left_alone(project, RENT)))
    answer = client.post(
        reverse("decide_regrouping", args=["tax-help", row.public_id]), {"accept": ""}, follow=True
    )
    assert "Being accepted" in answer.content.decode()
    a_worker(row, steps=1)
    fragment = client.get(address, headers={"hx-request": "true"})
    assert "2 of 4 cases" in fragment.content.decode()
    assert "<h1" not in fragment.content.decode()
    lease_passes()
    accepting.carry_out(regrouping=row)
    assert client.get(address, headers={"hx-request": "true"}).headers["HX-Refresh"] == "true"
