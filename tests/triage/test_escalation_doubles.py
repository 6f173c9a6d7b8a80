"""Every way a create can fail, against the strict doubles of Jira and Linear: one ticket, and none twice.

The clock is moved by hand: what is due later is made due, so minutes of waiting cost nothing.
"""

import os
import signal
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from feedbackhub.outbound import LIMITS
from feedbackhub.outbox.delivery import deliver_due
from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from tests.triage.trackers.drafts import HOSTILE
from tests.triage.trackers.test_doubles import Double, all_has_arrived
from triage import connections, escalation, problems, ticket_notes, ticket_state
from triage.models import Escalation, Fix, Ticket, TicketNote, TrackerConnection
from triage.trackers.jira import Jira

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

CREATE = {"jira": "createIssue", "linear": "issueCreate"}

PRESETS = [
    "500", "502-html", "503-retry-after", "429", "429-http-date", "429-no-header", "429-long",
    "429-forever", "hang", "slow", "reset", "bad-json", "html-login", "redirect",
    "create-then-timeout", "create-then-reset", "create-then-500", "create-then-502-html",
    "create-then-bad-json", "create-then-truncate", "create-then-empty", "create-then-wrong-shape",
]  # fmt: skip
LINEAR_PRESETS = [
    "graphql-internal", "lock-timeout", "success-false", "unauthenticated",
    "create-then-graphql-internal",
]  # fmt: skip
CASES = [(name, preset) for name in CREATE for preset in PRESETS]
CASES += [("linear", preset) for preset in LINEAR_PRESETS]


@pytest.fixture(scope="module")
def running():
    started = {name: Double(f"{name}.py") for name in CREATE}
    yield started
    for double in started.values():
        double.stop()


@pytest.fixture
def double(request, running, settings, limits):
    name = request.getfixturevalue("name")
    double = running[name]
    double.admin("reset", {})
    if name == "jira":
        double.admin("config", {"index_lag_s": 0})
    settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
    return double


@pytest.fixture
def duty(name, double, project):
    config, secrets = {
        "jira": (
            {"base_url": double.url, "project_key": "FBH", "issue_type": "Bug",
             "email": "bot@feedbackhub.test"},
            {"api_token": "jira-api-token"},
        ),
        "linear": (
            {"base_url": f"{double.url}/graphql", "team": "FBH"},
            {"api_key": "lin_api_double"},
        ),
    }[name]  # fmt: skip
    connection = connections.create_connection(
        project=project, name=name, tracker=name, config=config, secrets=secrets
    )
    problem = ProblemFactory(
        project=project, title="Outdated rate", severity="critical", category="harmful"
    )
    interaction = InteractionFactory(
        project=project, output=HOSTILE.replace("\x00", "").replace("\ud800", "")
    )
    ProblemMemberFactory(problem=problem, interaction=interaction, severity="critical")
    return escalation.open_escalation(problem=problem, connection=connection)


def time_passes(duty):
    """What waits, waits no longer; the doubles' own clocks stand still meanwhile."""
    all_has_arrived(duty.connection)
    TrackerConnection.objects.update(paused_until=None)
    past = timezone.now() - timedelta(minutes=10)
    Escalation.objects.filter(pk=duty.pk).update(due_at=past, unknown_since=past)


def pursue_until_filed(duty, steps=12) -> list[str]:
    """Step by step as the sweep would; the states it went through."""
    states = []
    while len(states) < steps and states[-1:] != ["filed"]:
        time_passes(duty)
        duty = escalation.pursue(escalation=Escalation.objects.get(pk=duty.pk))
        states.append(duty.state)
        assert duty.state == "filed" or duty.failure != ""
        if duty.connection.is_paused:  # a person enters the credential anew
            connections.resume_connection(connection=duty.connection)
    return states


def assert_one_ticket(duty, double):
    double.assert_clean(issues=1)
    ticket, (issue,) = Ticket.objects.get(), double.issues()
    assert (ticket.escalation_id, ticket.remote_id) == (duty.pk, str(issue["id"]))


@pytest.mark.parametrize(("name", "preset"), CASES)
def test_every_failing_create_ends_in_one_ticket(name, preset, duty, double, limits):
    if preset == "slow":  # made seconds later, when a hurried caller would be gone
        limits["now"] = LIMITS
    times = {"times": 5} if preset == "429-forever" else {}
    double.fault({"preset": preset, **times}, CREATE[name])
    states = pursue_until_filed(duty)
    assert states[-1] == "filed"
    assert double.admin("faults")["faults"][0]["applied"] >= 1
    time_passes(duty)
    escalation.pursue(escalation=Escalation.objects.get(pk=duty.pk))  # the late look for doubles
    assert Escalation.objects.get(pk=duty.pk).failure == ""
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", ["jira"])
def test_a_create_that_its_caller_gave_up_and_that_is_made_later_is_found(
    name, duty, double, monkeypatch
):
    call, wakes = Jira.call, []

    def falls_asleep_before_the_create(self, method, path, **more):
        if path == "/issue" and not wakes:
            os.kill(double.process.pid, signal.SIGSTOP)
            wakes.append(threading.Timer(1.5, os.kill, (double.process.pid, signal.SIGCONT)))
            wakes[0].start()
        return call(self, method, path, **more)

    monkeypatch.setattr(Jira, "call", falls_asleep_before_the_create)
    time_passes(duty)
    assert escalation.pursue(escalation=duty).state == "unknown"  # half a second of patience
    assert pursue_until_filed(duty) == ["filed"]
    wakes[0].join()
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", ["jira"])
def test_a_search_that_lags_behind_makes_no_double(name, duty, double):
    double.admin("config", {"index_lag_s": 2})
    double.fault("create-then-reset", CREATE[name])
    time_passes(duty)
    assert escalation.pursue(escalation=duty).state == "unknown"
    time_passes(duty)
    assert escalation.pursue(escalation=duty).state == "unknown"  # looked, and found nothing yet
    time.sleep(2.1)
    assert pursue_until_filed(duty) == ["filed"]
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", CREATE)
def test_a_worker_killed_between_the_call_and_the_row_makes_no_double(name, duty, double):
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(escalation, "record_ticket", lambda **about: None)
        escalation.pursue(escalation=duty)
    assert (duty.state, len(double.issues())) == ("filing", 1)
    Escalation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert escalation.give_up_leases() == 1
    assert pursue_until_filed(duty) == ["filed"]
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", CREATE)
def test_a_regressed_problem_reopens_its_ticket_once(name, duty, double, project):
    pursue_until_filed(duty)
    TicketNote.objects.all().delete()  # the link and the brief
    (issue,) = double.issues()
    done = {"jira": ("transition", "Done"), "linear": ("state", "completed")}[name]
    double.admin(
        "act", {"do": done[0], "issue": issue.get("key") or issue["identifier"], "to": done[1]}
    )
    Ticket.objects.update(look_at=timezone.now())
    assert ticket_state.look_at_ticket(ticket=Ticket.objects.get()).state == "done"
    problem = duty.problem
    problem.refresh_from_db()
    problems.move_problem_state(problem=problem, state="shipped")
    problems.reopen_problem(problem=problem, why="still_wrong")
    deliver_due()
    double.fault("create-then-reset", {"jira": "addComment", "linear": "commentCreate"}[name])
    for _ in range(2):
        TicketNote.objects.update(due_at=timezone.now())
        TrackerConnection.objects.update(paused_until=None)
        for note in TicketNote.objects.filter(state="waiting"):
            ticket_notes.send_note(note=note)
    assert TicketNote.objects.get().state == "sent"
    assert Ticket.objects.get().state == "open"
    (issue,) = double.issues()
    comments = issue["comments"] if name == "linear" else issue["fields"]["comment"]["comments"]
    assert len(comments) == 1
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", CREATE)
def test_the_link_and_the_brief_are_put_to_a_ticket_once(name, duty, double):
    pursue_until_filed(duty)
    TrackerConnection.objects.update(paused_until=None)
    note = TicketNote.objects.get()
    killed = connections.tracker_of(duty.connection)
    ticket_notes._put_evidence(killed, Ticket.objects.get(), note.marker)
    sent = ticket_notes.send_note(note=note)
    assert (sent.state, sent.failure) == ("sent", "")
    (issue,) = double.issues()
    if name == "jira":
        (file,) = issue["fields"]["attachment"]
        assert file["filename"].startswith(f"P{duty.problem.number}-brief-")
    else:
        titles = sorted(each["title"] for each in issue["attachments"])
        assert titles == [f"FeedbackHub P{duty.problem.number}", f"P{duty.problem.number}-brief.md"]
        assert issue["comments"] == []
    assert_one_ticket(duty, double)


@pytest.mark.parametrize("name", CREATE)
def test_what_somebody_says_shipped_on_the_ticket_waits_for_a_person_here(name, duty, double):
    """Said and closed over there, found by the poll; our own comment on it does not count."""
    pursue_until_filed(duty)
    ticket = Ticket.objects.get()
    words = "The rates of 2026 are the current ones."
    (issue,) = double.issues()
    key = issue.get("key") or issue["identifier"]
    how, to = {"jira": ("transition", "Done"), "linear": ("state", "completed")}[name]
    body = f"Fix: {words}\n\nVersion: prompt=support@v14"
    double.admin("act", {"do": "comment", "issue": key, "body": body})
    double.admin("act", {"do": how, "issue": key, "to": to})
    note = TicketNote.objects.create(
        project=duty.project, ticket=ticket, kind="adopted", state="failed", marker=uuid.uuid4()
    )
    connections.tracker_of(duty.connection).comment(ticket.remote_id, "Fix: by us", note.marker)
    for _ in range(3):
        TrackerConnection.objects.update(paused_until=None)
        Ticket.objects.update(look_at=timezone.now())
        ticket_state.look_at_ticket(ticket=Ticket.objects.get())
    fix = Fix.objects.get()
    assert (fix.summary, fix.carrier_version, fix.state, fix.to_confirm) == (
        words,
        "support v14",
        "planned",
        True,
    )
    assert fix.told_by.said_by
    assert_one_ticket(duty, double)
