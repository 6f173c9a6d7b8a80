"""Many escalations under each fault of the doubles, their worker killed between the call and the row: one ticket each.

The worker is a process of its own that is killed for real (SIGKILL), right after the tracker has made the ticket.
`ESCALATIONS=50 FEEDBACKHUB_SHARED=… pytest tests/triage/test_escalations_killed.py` is the full measure: every preset.
"""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from tests.factories import ProblemFactory
from tests.triage.test_escalation_doubles import CASES, CREATE, Double
from triage import connections, escalation, tasks
from triage.models import Escalation, Ticket, TrackerConnection

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

COUNT = int(os.environ.get("ESCALATIONS", "0"))
FEW = [("jira", "create-then-reset"), ("linear", "create-then-502-html")]
KILLS = 3
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
    TrackerConnection.objects.update(paused_until=None, paused_reason="")
    past = timezone.now() - timedelta(minutes=10)
    Escalation.objects.filter(state="filing").update(lease_until=past)
    escalation.give_up_leases()
    Escalation.objects.exclude(state="filed").update(due_at=past, unknown_since=past)


@pytest.mark.parametrize(("name", "preset"), CASES if COUNT else FEW)
def test_each_problem_has_one_ticket(name, preset, running, settings, limits, project, monkeypatch):
    monkeypatch.setattr(tasks, "ring", lambda task, **ids: None)  # every ring is lost
    count, double = COUNT or 8, running[name]
    double.admin("reset", {})
    if name == "jira":
        double.admin("config", {"index_lag_s": 0})
    settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
    config, secrets = SETTINGS[name]
    base_url = double.url if name == "jira" else f"{double.url}/graphql"
    connection = connections.create_connection(
        project=project,
        name=name,
        tracker=name,
        config={**config, "base_url": base_url},
        secrets=secrets,
    )
    for number in range(count):
        problem = ProblemFactory(
            project=project, number=5_000 + number, title=f"Problem {number}", severity="critical"
        )
        escalation.open_escalation(problem=problem, connection=connection)
    double.fault({"preset": preset, "times": max(1, count // 2)}, CREATE[name])
    kills = 0
    for _ in range(40):
        time_passes()
        left = list(Escalation.objects.exclude(state="filed").values_list("pk", flat=True))
        if not left:
            break
        kills += a_worker_pursues(left, kill_after=count // 8 if kills < KILLS else count)
    assert not Escalation.objects.exclude(state="filed").exists()
    assert kills == KILLS
    double.assert_clean(issues=count)
    assert Ticket.objects.count() == count
    assert {ticket.remote_id for ticket in Ticket.objects.all()} == {
        str(issue["id"]) for issue in double.issues()
    }
