"""The clock of a problem: warned before, told after, once each, and never at night unless it is critical."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import ProblemFactory, ProjectFactory
from triage import clock, letters, priority, quiet_hours
from triage.models import Letter, PriorityRules, Problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    project.sla_hours = {"high": 8, "critical": 8}
    project.save()
    return ProblemFactory(project=project, number=7, severity="high")


def due_in(problem, **time_left):
    Problem.objects.filter(pk=problem.pk).update(due_at=timezone.now() + timedelta(**time_left))
    problem.refresh_from_db()


def told():
    return sorted(Letter.objects.values_list("kind", "user__name"))


def test_its_owner_is_warned_once_in_the_last_quarter_of_its_time(problem, ana, ben):
    Problem.objects.update(owner=ana)
    due_in(problem, hours=3)
    assert (clock.watch(), told()) == (0, [])
    due_in(problem, hours=1, minutes=59)
    assert (clock.watch(), clock.watch()) == (1, 0)
    assert told() == [("due_soon", "Ana")]


def test_without_an_owner_the_leads_are_warned(problem, ana, ben):
    due_in(problem, hours=1)
    clock.watch()
    assert told() == [("due_soon", "Ben")]


def test_once_it_is_late_owner_leads_and_owners_of_the_project_hear_of_it(problem, ana, ben, olu):
    Problem.objects.update(owner=ana)
    due_in(problem, minutes=-1)
    assert (clock.watch(), clock.watch()) == (1, 0)
    assert told() == [("overdue", "Ana"), ("overdue", "Ben"), ("overdue", "Olu")]
    letter = Letter.objects.first()
    assert "P7" in letter.subject
    assert reverse("problem", args=["tax-help", 7]) in letter.body
    assert problem.title not in letter.body


def test_a_fresh_clock_warns_anew(problem, ben):
    due_in(problem, minutes=-1)
    clock.watch()
    due_in(problem, minutes=30)
    clock.watch()
    assert told() == [("due_soon", "Ben"), ("overdue", "Ben")]


@pytest.mark.parametrize("state", ["shipped", "verified", "wont_fix"])
def test_what_is_solved_has_no_clock(problem, ben, state):
    Problem.objects.filter(pk=problem.pk).update(state="shipped")
    if state != "shipped":
        Problem.objects.filter(pk=problem.pk).update(state=state)
    due_in(problem, minutes=-1)
    assert (clock.watch(), told()) == (0, [])


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("21:59", "21:59"),
        ("22:00", "07:00 next"),
        ("23:30", "07:00 next"),
        ("03:00", "07:00"),
        ("07:00", "07:00"),
    ],
)
def test_a_letter_in_the_quiet_hours_waits_for_the_morning(problem, now, expected):
    rules = PriorityRules(quiet_from=time(22), quiet_to=time(7))

    def at(words):
        clock_time, _, later = words.partition(" ")
        hour, minute = map(int, clock_time.split(":"))
        return datetime(2026, 3, 2 + bool(later), hour, minute, tzinfo=UTC)

    assert quiet_hours.not_before(at(now), severity=problem.severity, rules=rules) == at(expected)
    problem.severity = "critical"
    assert quiet_hours.not_before(at(now), severity=problem.severity, rules=rules) == at(now)


def test_quiet_hours_are_those_of_the_projects_time_zone(problem):
    rules = PriorityRules(quiet_from=time(22), quiet_to=time(7), time_zone="Europe/Berlin")
    night = datetime(2026, 1, 5, 21, 30, tzinfo=UTC)  # 22:30 there
    assert quiet_hours.not_before(night, severity=problem.severity, rules=rules) == datetime(
        2026, 1, 6, 6, 0, tzinfo=UTC
    )


def test_a_letter_is_due_when_the_quiet_hours_end(problem, ben):
    here = timezone.now()
    PriorityRules.objects.create(
        project=problem.project,
        quiet_from=(here - timedelta(hours=1)).time().replace(microsecond=0),
        quiet_to=(here + timedelta(hours=1)).time().replace(microsecond=0),
    )
    due_in(problem, minutes=-1)
    clock.watch()
    letter = Letter.objects.get()
    assert timedelta(minutes=58) < letter.due_at - here < timedelta(minutes=62)


def test_the_board_says_that_it_is_due_soon(as_user, ben, problem):
    due_in(problem, hours=1)
    assert "due soon" in as_user(ben).get(reverse("problems", args=["tax-help"])).content.decode()


# --- the rules ------------------------------------------------------------------------------------


def given(**changes):
    return {
        "severity_none": 0.3, "severity_low": 1, "severity_medium": 3, "severity_high": 9,
        "severity_critical": 27, "reach_power": 1, "frequency_power": 1, "recency_power": 1,
        "half_life_days": 14, "warn_at_percent": 75, "time_zone": "UTC", **changes,
    }  # fmt: skip


def test_weights_are_the_projects_own_and_move_the_board(as_user, ben, problem):
    Problem.objects.update(member_count=1, reach=4, last_seen_at=timezone.now(), priority=1)
    address = reverse("settings_problems", args=["tax-help"])
    saved = as_user(ben).post(address, given(severity_high=20, reach_power=0))
    assert saved.status_code == 302
    problem.refresh_from_db()
    assert [factor.value for factor in priority.arithmetic(problem)][:2] == [20, 1]
    problem.member_count = 1
    assert priority.priority_of(problem) == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"severity_high": -1}, "greater than or equal to 0"),
        ({"half_life_days": 0}, "greater than or equal to 0.5"),
        ({"time_zone": "Nowhere"}, "There is no such time zone"),
        ({"quiet_from": "22:00"}, "Give both"),
        ({"warn_at_percent": 100}, "less than or equal to 99"),
    ],
    ids=["weight", "half-life", "zone", "quiet", "percent"],
)
def test_rules_that_make_no_sense_are_refused(as_user, ben, problem, changes, words):
    answer = as_user(ben).post(reverse("settings_problems", args=["tax-help"]), given(**changes))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not PriorityRules.objects.exists()


def test_an_expert_and_an_engineer_may_not_change_them(as_user, ana, dana, problem):
    for person in (ana, dana):
        assert (
            as_user(person).get(reverse("settings_problems", args=["tax-help"])).status_code == 403
        )


def test_a_problem_is_warned_of_however_many_elsewhere_are_due_before_it(
    project, problem, ben, monkeypatch
):
    other = ProjectFactory(sla_hours={"low": 8})
    PriorityRules.objects.create(project=other, warn_at_percent=99)
    for _ in range(3):
        due_in(ProblemFactory(project=other, severity="low"), minutes=30)
    due_in(problem, hours=1)
    monkeypatch.setattr(clock, "AT_ONCE", 2)
    assert clock.watch() == 1
    assert told() == [("due_soon", ben.name)]


def test_a_letter_that_can_wait_waits_for_the_morning(project, ben):
    now = timezone.now()
    PriorityRules.objects.create(
        project=project,
        quiet_from=(now - timedelta(hours=1)).time(),
        quiet_to=(now + timedelta(hours=1)).time(),
        time_zone="UTC",
    )
    for severity in (None, "", "high", "critical"):
        letters.write(
            project=project,
            users=[ben],
            kind="x",
            key=str(severity),
            subject="s",
            body="b",
            quiet_unless=severity,
        )
    waiting = Letter.objects.filter(due_at__gt=timezone.now()).values_list("key", flat=True)
    assert set(waiting) == {"", "high"}
