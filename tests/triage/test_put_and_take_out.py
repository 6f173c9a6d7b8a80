"""One case that a lead puts into a problem or takes out of it: undone like everything else that a lead does to problems."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import ProblemFactory, SettlementFactory
from tests.triage.test_grouping import BICYCLE, RENT, alone, asked, cases_of, problem_of, undo, url
from triage import changes, placing, problems
from triage.models import Escalation, Placement, Problem, ProblemChange

pytestmark = pytest.mark.django_db


@pytest.fixture
def bicycles(project):
    return problem_of(project, BICYCLE[:3], number=7)


def reason_of(row) -> tuple:
    placed = Placement.objects.get(interaction=row)
    return placed.problem_id, placed.reason, placed.nearest_id, placed.alike, placed.needed


def test_case_put_into_a_problem_is_left_alone_again_for_the_reason_from_before(
    project, ben, bicycles
):
    row = alone(project, RENT[0])
    Placement.objects.filter(interaction=row).update(nearest=bicycles, alike=0.2, needed=0.5)
    before = reason_of(row)
    change = problems.put_case(interaction=row, problem=bicycles, by=ben)
    assert (cases_of(bicycles), reason_of(row)[1]) == ({*BICYCLE[:3], RENT[0]}, "hand")
    assert (change.kind, change.by, bicycles.members.get(interaction=row).source) == ("put", ben, "lead")  # fmt: skip
    undo(bicycles)
    bicycles.refresh_from_db()
    assert (cases_of(bicycles), bicycles.member_count) == (set(BICYCLE[:3]), 3)
    assert reason_of(row) == before


def test_case_put_from_another_problem_goes_back_there_as_it_was(project, ben, bicycles):
    rents = problem_of(project, RENT[:2], number=8, source="expert")
    member = rents.members.first()
    problems.pin_case(member=member, is_pinned=True)
    problems.put_case(interaction=member.interaction, problem=bicycles, by=ben)
    assert cases_of(rents) == {RENT[1]}
    undo(bicycles)
    member.refresh_from_db()
    assert (member.left_at, member.source, member.is_pinned) == (None, "expert", True)
    assert not Placement.objects.filter(interaction=member.interaction).exists()


def test_case_taken_out_is_back_with_its_pin(project, ben, bicycles):
    member = bicycles.members.first()
    problems.pin_case(member=member, is_pinned=True)
    problems.take_out_case(member=member, by=ben)
    assert len(cases_of(bicycles)) == 2
    undo(bicycles)
    member.refresh_from_db()
    bicycles.refresh_from_db()
    assert (member.left_at, member.is_pinned, bicycles.member_count) == (None, True, 3)


def test_case_taken_out_and_placed_since_is_not_torn_from_there(project, ben, bicycles):
    member = bicycles.members.first()
    other = problem_of(project, RENT, number=8)
    problems.take_out_case(member=member, by=ben)
    problems.put_case(interaction=member.interaction, problem=other, by=ben)
    with pytest.raises(changes.UndoRefused, match="moved since"):
        changes.undo_change(change=ProblemChange.objects.get(kind="take_out"))
    undo(other)
    changes.undo_change(change=ProblemChange.objects.get(kind="take_out"))
    assert cases_of(bicycles) == set(BICYCLE[:3])


def test_undone_put_leaves_a_case_out_of_where_a_lead_had_taken_it_out(project, ben, bicycles):
    member = bicycles.members.first()
    problems.take_out_case(member=member, by=ben)
    left_at = bicycles.members.get(pk=member.pk).left_at
    problems.put_case(interaction=member.interaction, problem=bicycles, by=ben)
    undo(bicycles)
    member.refresh_from_db()
    assert (member.left_at, member.source) == (left_at, "similarity")
    placed = placing.place_item(interaction=member.interaction, severity="low")
    assert placed.problem is None


def test_nothing_goes_back_into_a_problem_that_was_merged_since(project, ben, bicycles):
    problems.take_out_case(member=bicycles.members.first(), by=ben)
    into = ProblemFactory(project=project, number=9)
    problems.merge_problem(problem=bicycles, into=into, by=ben)
    with pytest.raises(changes.UndoRefused, match="merged since"):
        changes.undo_change(change=ProblemChange.objects.get(kind="take_out"))
    undo(into)
    changes.undo_change(change=ProblemChange.objects.get(kind="take_out"))
    assert len(cases_of(bicycles)) == 3


def test_put_where_it_is_already_is_no_change(project, ben, bicycles):
    row = bicycles.members.first().interaction
    assert problems.put_case(interaction=row, problem=bicycles, by=ben) is None
    assert reason_of(row)[:2] == (bicycles.pk, "hand")


def test_what_a_put_case_asks_of_a_tracker_waits_for_the_undo(project, bicycles, connection):
    row = asked(project, RENT[0])
    Problem.objects.update(severity="critical")
    worse = alone(project, RENT[1])
    SettlementFactory(interaction=worse, severity="critical")
    problems.put_case(interaction=row, problem=bicycles)
    problems.put_case(interaction=worse, problem=bicycles)
    assert Escalation.objects.get().due_at > timezone.now() + timedelta(seconds=5)


@pytest.mark.parametrize("act", ["put", "take out"])
def test_undo_is_at_hand_after_the_click_and_on_the_problems_page(
    as_user, ben, project, bicycles, act
):
    client, row = as_user(ben), alone(project, RENT[0])
    member = bicycles.members.first()
    if act == "put":
        answer = client.post(url("put_case", row.public_id), {"into": "P7"}, follow=True)
    else:
        address = url("leave_problem", 7, member.interaction.public_id)
        answer = client.post(address, follow=True)
    address = url("undo_change", ProblemChange.objects.get().public_id)
    assert address in answer.content.decode()
    assert address in client.get(url("problem", 7)).content.decode()
    client.post(address)
    assert cases_of(bicycles) == set(BICYCLE[:3])
