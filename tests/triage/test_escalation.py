"""One ticket for one problem at one connection, whatever fails in between."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from tests.triage.fake_jira import half_an_answer, login_page, refused
from triage import connections, escalation
from triage.models import Escalation, Ticket, TrackerConnection

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    return ProblemFactory(
        project=project, title="Outdated rate", severity="critical", category="outdated"
    )


@pytest.fixture
def duty(problem, connection):
    return escalation.open_escalation(problem=problem, connection=connection)


def file(duty):
    return escalation.pursue(escalation=duty)


def make_due(duty, **changes):
    """What waits, waits no longer, and nobody rests."""
    TrackerConnection.objects.update(paused_until=None)
    Escalation.objects.filter(pk=duty.pk).update(
        due_at=timezone.now() - timedelta(seconds=1), **changes
    )
    duty.refresh_from_db()
    return duty


def seconds_until_due(duty):
    duty.refresh_from_db()
    return (duty.due_at - timezone.now()).total_seconds()


# --- the duty -------------------------------------------------------------------------------------


def test_open_escalation_twice_is_one_duty_with_a_marker(problem, connection):
    first = escalation.open_escalation(problem=problem, connection=connection)
    second = escalation.open_escalation(problem=problem, connection=connection)
    assert first.pk == second.pk
    assert (first.marker.version, second.marker) == (4, first.marker)


def test_escalate_problem_goes_to_connections_that_file_a_problem_this_severe(project, connect):
    connect(project, "From critical", files_from="critical")
    connect(project, "From low", files_from="low")
    connect(project, "By hand", files_by_itself=False)
    connections.update_connection(
        connection=connect(project, "Off", files_from="low"), is_active=False
    )
    problem = ProblemFactory(project=project, severity="high")
    duties = escalation.escalate_problem(problem=problem)
    assert [duty.connection.name for duty in duties] == ["From low"]


def test_escalate_problem_without_a_connection_leaves_it_waiting_on_the_board(project, problem):
    assert escalation.escalate_problem(problem=problem) == []
    assert list(connections.waiting_for_a_tracker(project=project)) == [problem]


# --- made -----------------------------------------------------------------------------------------


def test_file_ticket_makes_one_ticket_and_its_row(duty, jira):
    file(duty)
    ticket = Ticket.objects.get()
    assert (duty.state, duty.failure, len(jira.posts)) == ("filed", "", 1)
    assert (ticket.escalation, ticket.remote_id, ticket.key) == (duty, "10001", "FBH-1")
    assert ticket.url == f"{jira.base_url}/browse/FBH-1"
    assert f"fbh-{duty.marker}" in jira.issues[0]["labels"]


def test_file_ticket_again_changes_nothing(duty, jira):
    file(duty)
    file(make_due(duty))
    file(make_due(duty))
    assert (len(jira.posts), Ticket.objects.count()) == (1, 1)


def test_a_ticket_carries_the_worst_case_and_what_people_said(duty, jira, problem):
    ProblemMemberFactory(problem=problem, severity="low")
    worst = ProblemMemberFactory(
        problem=problem,
        severity="critical",
        interaction=InteractionFactory(
            project=problem.project,
            external_id="chat/worst",
            output="Take both. Write to a@evil.test @everyone",
            trace_url="https://traces.example.com/t/1",
        ),
    ).interaction
    worst.feedback.create(
        project=problem.project,
        interaction_external_id="chat/worst",
        body_hash=b"\0" * 32,
        kind="report",
        comment="My mother did this.",
        occurred_at=timezone.now(),
    )
    file(duty)
    text = str(jira.posts[0]["fields"]["description"])
    for part in (
        "chat/worst",
        "Take both.",
        "My mother did this.",
        "https://traces.example.com/t/1",
    ):
        assert part in text
    assert f"http://testserver/p/tax-help/problems/{problem.number}/" in text
    assert "a@evil.test" not in text  # masked once more before it leaves
    assert jira.posts[0]["fields"]["summary"] == "Outdated rate"


def test_a_ticket_without_cases_is_still_filed(duty, jira):
    file(duty)
    assert jira.posts[0]["fields"]["summary"] == "Outdated rate"


# --- refused --------------------------------------------------------------------------------------


def test_a_refusal_for_good_fails_with_a_sentence_and_can_be_retried(duty, jira):
    jira.next_create(refused(400, "summary is broken"), made=False)
    file(duty)
    assert duty.state == "failed"
    assert "summary is broken" in duty.failure
    escalation.retry_escalation(escalation=duty)
    file(duty)
    duty.refresh_from_db()
    assert (duty.state, duty.failure, len(jira.issues)) == ("filed", "", 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_pauses_the_connection_and_keeps_the_work(
    duty, jira, connection, status
):
    jira.goes_down(status)
    file(duty)
    connection.refresh_from_db()
    assert duty.state == "pending"
    assert connection.paused_reason == duty.failure != ""
    assert duty.needs_a_person
    assert Escalation.objects.waiting_for_a_person().get() == duty
    file(make_due(duty))  # nothing is called while it is paused
    assert duty.attempts == 1
    jira.comes_back()
    connections.resume_connection(connection=connection)
    file(Escalation.objects.get(pk=duty.pk))
    assert Escalation.objects.get(pk=duty.pk).state == "filed"


def test_a_full_tracker_is_tried_again_after_retry_after(duty, jira, connection):
    jira.next_create(refused(429, "slow down", Retry_After="120"), made=False)
    file(duty)
    connection.refresh_from_db()
    assert duty.state == "pending"
    assert 119 < seconds_until_due(duty) < 122
    assert connection.paused_until == pytest.approx(duty.due_at, abs=timedelta(seconds=1))


def test_one_full_tracker_is_one_gate_for_all_its_work(duty, jira, connection, project):
    jira.next_create(refused(429, "slow down", Retry_After="120"), made=False)
    file(duty)
    other = escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )
    file(other)
    assert (other.state, other.attempts) == ("pending", 0)


def test_pauses_double_from_a_second_to_a_quarter_of_an_hour(duty, jira):
    pauses = []
    for tried_for in (0, 1, 2, 4, 100, 5_000):
        began = timezone.now() - timedelta(seconds=tried_for)
        jira.next_create(refused(429), made=False)
        file(make_due(duty, first_tried_at=began))
        pauses.append(seconds_until_due(duty))
    assert [
        round(pause, 1) <= most
        for pause, most in zip(pauses, (1, 1.5, 2.5, 4.5, 101, 900), strict=True)
    ] == [True] * 6
    # each is spread over a fifth, so the first two may change places
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[-1] > 700


def test_after_72_hours_trying_ends_with_the_next_step(duty, jira):
    jira.next_create(refused(429), made=False)
    file(make_due(duty, first_tried_at=timezone.now() - timedelta(hours=73)))
    assert duty.state == "failed"
    assert "It was tried for 72 hours. Test the connection in Settings, then retry." in duty.failure


def test_after_half_an_hour_a_person_is_asked_while_trying_goes_on(duty):
    assert not duty.needs_a_person
    assert not Escalation.objects.waiting_for_a_person().exists()
    make_due(duty, created_at=timezone.now() - timedelta(minutes=31))
    assert duty.needs_a_person
    assert Escalation.objects.waiting_for_a_person().get() == duty
    assert duty.state == "pending"


# --- unknown --------------------------------------------------------------------------------------

LOST_ANSWERS = {"500": lambda: refused(500), "half": half_an_answer, "login page": login_page}


@pytest.mark.parametrize("name", LOST_ANSWERS)
def test_a_lost_answer_is_looked_up_before_anything_is_made_again(duty, jira, name):
    jira.next_create(LOST_ANSWERS[name](), made=True)
    file(duty)
    assert duty.state == "unknown"
    assert "Whether there is a ticket is being looked up." in duty.failure
    assert 13 < seconds_until_due(duty) <= 15
    file(duty)  # not due yet
    assert jira.searches == 0
    file(make_due(duty))
    assert (duty.state, len(jira.posts), Ticket.objects.get().key) == ("filed", 1, "FBH-1")


def test_after_a_lost_answer_the_tracker_rests_too(duty, jira, connection, project):
    jira.next_create(refused(500), made=True)
    file(duty)
    other = escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )
    file(other)
    connection.refresh_from_db()
    assert other.attempts == 0
    assert connection.paused_until < timezone.now() + timedelta(seconds=15.1)


def test_a_search_that_lags_is_waited_out(duty, jira):
    jira.is_searchable = False
    jira.next_create(refused(500), made=True)
    file(duty)
    file(make_due(duty))
    assert (duty.state, duty.searches) == ("unknown", 1)
    assert 44 < seconds_until_due(duty) <= 45  # the second look at 60 s
    file(make_due(duty))
    assert 119 < seconds_until_due(duty) <= 120  # the third at 180 s
    jira.is_searchable = True
    file(make_due(duty))
    assert (duty.state, len(jira.issues)) == ("filed", 1)


def test_what_was_not_made_is_made_after_the_last_look(duty, jira):
    jira.next_create(refused(500), made=False)
    file(duty)
    long_ago = timezone.now() - timedelta(minutes=4)
    for _ in range(3):
        assert len(jira.posts) == 1
        file(make_due(duty, unknown_since=long_ago))
    assert duty.state == "pending"
    file(make_due(duty))
    assert (duty.state, len(jira.posts), len(jira.issues)) == ("filed", 2, 1)


def test_a_person_who_retries_early_does_not_outrun_a_search_that_lags(duty, jira):
    make_due(duty, created_at=timezone.now() - timedelta(minutes=40))
    jira.is_searchable = False
    jira.next_create(refused(500), made=True)
    file(duty)
    assert duty.needs_a_person
    for _ in range(4):
        escalation.retry_escalation(escalation=duty)
        TrackerConnection.objects.update(paused_until=None)
        file(duty)
    assert (duty.state, len(jira.posts)) == ("unknown", 1)
    assert 170 < seconds_until_due(duty) <= 180
    jira.is_searchable = True
    file(make_due(duty))
    assert (duty.state, len(jira.issues)) == ("filed", 1)


@pytest.mark.parametrize("state", ["wont_fix", "duplicate"])
def test_what_nobody_will_repair_is_not_filed(duty, jira, problem, project, state):
    other = ProblemFactory(project=project)
    type(problem).objects.filter(pk=problem.pk).update(state=state, duplicate_of=other)
    file(duty)
    assert (duty.state, jira.posts) == ("cancelled", [])


def test_a_repeated_create_looks_first(duty, jira):
    jira.next_create(refused(400, "no"), made=True)  # says no, and did it
    file(duty)
    escalation.retry_escalation(escalation=duty)
    duty.refresh_from_db()
    file(duty)
    assert (duty.state, len(jira.posts)) == ("filed", 1)


def test_a_worker_killed_between_the_call_and_the_row_leaves_unknown(duty, jira):
    Escalation.objects.filter(pk=duty.pk).update(
        state="filing",
        attempts=1,
        first_tried_at=timezone.now(),
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    jira._create({"fields": {"labels": [f"fbh-{duty.marker}"]}, "properties": []})
    assert escalation.give_up_leases() == 1
    duty.refresh_from_db()
    assert duty.state == "unknown"
    file(make_due(duty))
    assert (duty.state, len(jira.posts), Ticket.objects.get().key) == ("filed", 1, "FBH-1")


def test_give_up_leases_leaves_a_worker_alone_that_is_still_at_it(duty):
    Escalation.objects.filter(pk=duty.pk).update(
        state="filing", attempts=1, lease_until=timezone.now() + timedelta(seconds=30)
    )
    assert escalation.give_up_leases() == 0
    assert Escalation.objects.get(pk=duty.pk).state == "filing"


def test_a_worker_that_lost_its_lease_does_not_create(duty, jira, monkeypatch):
    drafting = escalation.ticket_draft.draft

    def frozen(**about):
        Escalation.objects.filter(pk=duty.pk).update(state="unknown", lease_until=None)
        return drafting(**about)

    monkeypatch.setattr(escalation.ticket_draft, "draft", frozen)
    file(duty)
    assert (jira.posts, duty.state) == ([], "unknown")


def test_a_late_failure_is_not_written_over_what_the_next_worker_did(duty, jira, monkeypatch):
    creating = escalation._renew

    def overtaken(row):
        mine = creating(row)
        Escalation.objects.filter(pk=duty.pk).update(attempts=row.attempts + 1)
        return mine

    monkeypatch.setattr(escalation, "_renew", overtaken)
    jira.next_create(refused(400, "no"), made=False)
    file(duty)
    assert (duty.state, duty.failure) == ("filing", "")


def test_a_late_success_is_always_believed(duty, jira, monkeypatch):
    creating = escalation._renew

    def overtaken(row):
        mine = creating(row)
        Escalation.objects.filter(pk=duty.pk).update(state="unknown", lease_until=None)
        return mine

    monkeypatch.setattr(escalation, "_renew", overtaken)
    file(duty)
    assert (duty.state, Ticket.objects.get().key) == ("filed", "FBH-1")


# --- doubles --------------------------------------------------------------------------------------


def test_the_late_look_names_a_second_ticket(duty, jira):
    file(duty)
    assert 290 < seconds_until_due(duty) <= 300
    jira._create({"fields": {"labels": [f"fbh-{duty.marker}"]}, "properties": [
        {"key": "feedbackhub", "value": {"marker": f"fbh-{duty.marker}"}}]})  # fmt: skip
    file(make_due(duty))
    assert duty.checked_again_at is not None
    assert duty.failure == (
        "Jira holds more than one ticket for this problem: FBH-1 is the one that counts; "
        "close FBH-2 there as a duplicate."
    )
    assert Escalation.objects.waiting_for_a_person().get() == duty


def test_the_late_look_finds_nothing_to_say_of_one_ticket(duty, jira):
    file(duty)
    file(make_due(duty))
    assert (duty.failure, duty.checked_again_at is None) == ("", False)
    assert not Escalation.objects.waiting_for_a_person().exists()


# --- what a person does ---------------------------------------------------------------------------


def test_cancelled_work_comes_back_with_the_problem(duty, problem):
    assert escalation.cancel_pending(problem=problem) == 1
    duty.refresh_from_db()
    assert duty.state == "cancelled"
    escalation.resume_cancelled(problem=problem)
    duty.refresh_from_db()
    assert duty.state == "pending"


def test_retry_of_what_is_being_looked_up_looks_now(duty, jira):
    jira.next_create(refused(500), made=True)
    file(duty)
    escalation.retry_escalation(escalation=duty)
    duty.refresh_from_db()
    assert duty.due_at <= timezone.now()
    file(make_due(duty))
    assert (duty.state, len(jira.posts)) == ("filed", 1)


def test_credentials_that_no_key_opens_pause_the_connection(duty, connection, settings, jira):
    settings.CREDENTIAL_KEYS = ["bm90LXRoZS1rZXktbm90LXRoZS1rZXktbm90LXRoZS0="]
    file(duty)
    connection.refresh_from_db()
    assert "No key in CREDENTIAL_KEYS opens these credentials." in connection.paused_reason
    assert (duty.state, jira.posts) == ("pending", [])


def test_markers_are_never_shared(duty, project, connect):
    with pytest.raises(Exception, match="escalation_marker"):
        Escalation.objects.create(
            project=project,
            problem=ProblemFactory(project=project),
            connection=connect(project, "Other"),
            marker=uuid.UUID(str(duty.marker)),
        )
