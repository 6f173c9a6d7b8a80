"""Many escalations under each fault of the doubles, their worker killed between the call and the row: one ticket each.

The worker is a process of its own that is killed for real (SIGKILL), right after the tracker has made the ticket.
`ESCALATIONS=50 FEEDBACKHUB_SHARED=… pytest tests/triage/test_escalations_killed.py` is the full measure: every preset.
"""

import os
import signal
import time
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from feedbackhub.outbound import LIMITS
from tests.factories import ProblemFactory
from tests.triage.test_escalation_doubles import CASES, CREATE
from tests.triage.trackers.test_doubles import NEVER_ANSWERS, Double, all_has_arrived
from triage import connections, escalation, tasks
from triage.models import Escalation, Ticket, TrackerConnection

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

COUNT = int(os.environ.get("ESCALATIONS", "0"))
FEW = [("jira", "create-then-reset"), ("linear", "create-then-502-html")]
KILLS = 3
LAGGING = 6
SETTINGS = {
    "jira": (
        {"project_key": "FBH", "issue_type": "Bug", "email": "bot@feedbackhub.test"},
        {"api_token": "jira-api-token"},
    ),
    "linear": ({"team": "FBH"}, {"api_key": "lin_api_double"}),
}


@pytest.fixture(scope="module")
def running():
    started = {name: Double(f"{name}.py") for name in CREATE}
    yield started
    for double in started.values():
        double.stop()


def a_worker_pursues(pks, kill_after) -> bool:
    """In a process of its own; whether it was killed."""
    databases.close_all()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)
    record, made = escalation.record_ticket, 0

    def killed_on_the_way(**about):
        nonlocal made
        made += 1
        if made > kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return record(**about)

    escalation.record_ticket = killed_on_the_way
    try:
        for pk in pks:
            TrackerConnection.objects.update(paused_until=None, paused_reason="")
            escalation.pursue(escalation=Escalation.objects.get(pk=pk))
    finally:
        os._exit(0)


def time_passes():
    for connection in TrackerConnection.objects.all():
        all_has_arrived(connection)
    TrackerConnection.objects.update(paused_until=None, paused_reason="")
    past = timezone.now() - timedelta(minutes=10)
    Escalation.objects.filter(state="filing").update(lease_until=past)
    escalation.give_up_leases()
    Escalation.objects.exclude(state="filed").update(due_at=past, unknown_since=past)


def connect(name, double, project, *, lag=0):
    double.admin("reset", {})
    if name == "jira":
        double.admin("config", {"index_lag_s": lag})
    config, secrets = SETTINGS[name]
    base_url = double.url if name == "jira" else f"{double.url}/graphql"
    return connections.create_connection(
        project=project,
        name=name,
        tracker=name,
        config={**config, "base_url": base_url},
        secrets=secrets,
    )


def open_escalations(count, connection):
    for number in range(count):
        problem = ProblemFactory(
            project=connection.project,
            number=5_000 + number,
            title=f"Problem {number}",
            severity="critical",
        )
        escalation.open_escalation(problem=problem, connection=connection)


def assert_one_ticket_each(count, double):
    assert not Escalation.objects.exclude(state="filed").exists()
    double.assert_clean(issues=count)
    assert Ticket.objects.count() == count
    assert {ticket.remote_id for ticket in Ticket.objects.all()} == {
        str(issue["id"]) for issue in double.issues()
    }


@pytest.mark.parametrize(("name", "preset"), CASES if COUNT else FEW)
def test_each_problem_has_one_ticket(name, preset, running, settings, limits, project, monkeypatch):
    monkeypatch.setattr(tasks, "ring", lambda task, **ids: None)  # every ring is lost
    count, double = COUNT or 8, running[name]
    if preset not in NEVER_ANSWERS:  # a machine that is busy is no fault of the tracker's
        limits["now"] = LIMITS
    settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
    open_escalations(count, connect(name, double, project))
    double.fault({"preset": preset, "times": max(1, count // 2)}, CREATE[name])
    kills = 0
    for _ in range(40):
        time_passes()
        left = list(Escalation.objects.exclude(state="filed").values_list("pk", flat=True))
        if not left:
            break
        # the last one left too: however few a worker records, there is one to kill it at
        kills += a_worker_pursues(
            left, kill_after=min(count // 8, len(left) - 1) if kills < KILLS else count
        )
    assert kills == KILLS
    assert_one_ticket_each(count, double)


def test_a_search_that_lags_under_kills_makes_no_double_and_the_late_look_finds_none(
    running, settings, limits, project, monkeypatch
):
    """Jira's search knows a ticket two seconds late: the first look after a lost answer finds nothing, the last one does."""
    monkeypatch.setattr(tasks, "ring", lambda task, **ids: None)
    double = running["jira"]
    settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
    open_escalations(LAGGING, connect("jira", double, project, lag=2))
    double.fault({"preset": "create-then-reset", "times": LAGGING // 2}, CREATE["jira"])
    kills = 0
    for _ in range(40):
        time_passes()
        filed = Escalation.objects.filter(state="filed", checked_again_at=None)
        filed.update(due_at=timezone.now() - timedelta(seconds=1))
        left = list(
            Escalation.objects.exclude(state="filed", checked_again_at__isnull=False)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        if not left:
            break
        kills += a_worker_pursues(left, kill_after=1 if kills < KILLS else LAGGING)
        time.sleep(0.9)  # three looks, as far apart as they are, are longer than the lag
    assert kills == KILLS
    assert_one_ticket_each(LAGGING, double)
    looked = Escalation.objects.filter(failure="").exclude(checked_again_at=None)
    assert looked.count() == LAGGING
