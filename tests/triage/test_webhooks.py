"""What trackers tell us: signed, once, never backwards, and not lost when the worker is dead."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from feedbackhub.outbox.sweeping import sweep
from tests.factories import ProblemFactory
from tests.triage.fake_jira import (
    DONE,
    IN_PROGRESS,
    NOW,
    SECRET,
    TO_DO,
    happened,
    people_file,
    refused,
    signed,
)
from triage import connections, escalation, problems, ticket_notes, webhooks
from triage.models import (
    Escalation,
    Fix,
    Problem,
    Ticket,
    TicketNote,
    TrackerConnection,
    TrackerDelivery,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, severity="critical")


@pytest.fixture
def duty(problem, connection):
    return escalation.open_escalation(problem=problem, connection=connection)


@pytest.fixture
def ticket(duty, jira):
    escalation.pursue(escalation=duty)
    return Ticket.objects.get()


def work():
    for delivery in TrackerDelivery.objects.filter(processed_at=None).order_by("id"):
        webhooks.process_delivery(delivery=delivery)


# --- who is let in --------------------------------------------------------------------------------


def test_a_signed_delivery_is_kept_and_answered_with_nothing_but_200(post, ticket, project):
    response = post(happened())
    delivery = TrackerDelivery.objects.get()
    assert (response.status_code, response.content) == (200, b"")
    assert (delivery.project, delivery.delivery_id, delivery.processed_at) == (project, "d-1", None)
    assert delivery.event["remote_id"] == "10001"


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=ümlaut",
        "sha1=" + "0" * 40,
        signed(json.dumps(happened()).encode(), "another secret"),
    ],
)
def test_without_a_valid_signature_nothing_is_kept(post, ticket, signature):
    response = post(happened(), headers={"X-Hub-Signature": signature})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert not TrackerDelivery.objects.exists()


def test_what_no_database_keeps_is_taken_over_without_it(post, ticket):
    status = {"name": "Do\0ing \ud800it", "statusCategory": {"key": "indeterminate"}}
    assert post(happened(status=status)).status_code == 200
    work()
    assert Ticket.objects.get().status_name == "Do\ufffding \ufffdit"


def test_a_tampered_body_is_refused(post, ticket):
    body = json.dumps(happened()).encode()
    response = post(body.replace(b"10001", b"10002"), headers={"X-Hub-Signature": signed(body)})
    assert (response.status_code, TrackerDelivery.objects.count()) == (401, 0)


def test_without_a_secret_no_webhook_is_accepted(post, connection, jira):
    sealed = webhooks.connections.credentials.seal({"api_token": "token"})
    type(connection).objects.update(credentials=sealed)
    body = json.dumps(happened()).encode()
    for signature in (signed(body, ""), signed(body)):
        assert post(body, headers={"X-Hub-Signature": signature}).status_code == 401


def test_another_connections_secret_does_not_count(post, ticket, connect, other_project):
    theirs = connect(other_project, "Theirs")
    connections.update_connection(connection=theirs, secrets={"webhook_secret": "theirs"})
    response = post(happened(), to=f"/hooks/jira/{theirs.public_id}")
    assert (response.status_code, TrackerDelivery.objects.count()) == (401, 0)


def test_an_unknown_connection_or_another_trackers_is_404(post, connection):
    for address in (
        f"/hooks/jira/{uuid.uuid4()}",
        f"/hooks/linear/{connection.public_id}",
        f"/hooks/github/{connection.public_id}",
    ):
        response = post(happened(), to=address)
        assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post_is_offered(client, connection, method):
    response = getattr(client, method)(f"/hooks/jira/{connection.public_id}")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_more_than_a_megabyte_is_413(post):
    response = post(b"{" + b" " * 1024 * 1024 + b"}")
    assert (response.status_code, response["Content-Type"]) == (413, "application/problem+json")


def test_a_signed_body_that_is_no_object_is_400(post):
    for body in (b"half a", b"[]", b"\xff"):
        assert post(body).status_code == 400
    assert not TrackerDelivery.objects.exists()


def test_what_we_do_not_follow_is_answered_and_not_kept(post):
    assert post({"webhookEvent": "sprint_started"}).status_code == 200
    assert not TrackerDelivery.objects.exists()


def test_a_delivery_needs_no_csrf_token(connection, ticket):
    from django.test import Client

    body = json.dumps(happened()).encode()
    response = Client(enforce_csrf_checks=True).post(
        f"/hooks/jira/{connection.public_id}",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature": signed(body)},
    )
    assert response.status_code == 200


def test_a_delivery_keeps_no_texts(post, ticket):
    payload = happened(event="comment_created")
    payload["comment"] = {"body": "My name is Ada", "author": {"displayName": "Ada"}}
    payload["user"]["displayName"] = "Ada"
    post(payload)
    assert "Ada" not in json.dumps(TrackerDelivery.objects.get().event)


# --- once -----------------------------------------------------------------------------------------


def test_a_delivery_sent_twice_counts_once(post, ticket):
    assert [post(happened()).status_code for _ in range(3)] == [200, 200, 200]
    assert TrackerDelivery.objects.count() == 1


def test_the_same_delivery_id_of_two_connections_is_two(post, ticket, connect, project, client):
    second = connect(project, "Second")
    post(happened())
    post(happened(), to=f"/hooks/jira/{second.public_id}")
    assert TrackerDelivery.objects.count() == 2


def test_a_delivery_worked_through_twice_has_one_effect(post, ticket, problem):
    post(happened(status=IN_PROGRESS))
    work()
    problem.refresh_from_db()
    type(problem).objects.update(state="open")
    assert webhooks.process_delivery(delivery=TrackerDelivery.objects.get()) == "taken over"
    problem.refresh_from_db()
    assert problem.state == "open"


# --- what it does ---------------------------------------------------------------------------------


def test_done_is_not_shipped_it_asks_what_shipped(post, ticket, problem):
    post(happened(status=DONE))
    work()
    ticket.refresh_from_db()
    problem.refresh_from_db()
    assert (ticket.state, ticket.status_name, problem.state) == ("done", "Done", "fixing")
    assert webhooks.ticket_state.asks_what_shipped(problem)


@pytest.mark.parametrize("resolution", ["Won't Do", "Duplicate", "Cannot Reproduce"])
def test_what_is_closed_without_being_done_moves_no_problem(post, ticket, problem, resolution):
    payload = happened(status=DONE)
    payload["issue"]["fields"]["resolution"] = {"name": resolution}
    post(payload)
    work()
    ticket.refresh_from_db()
    problem.refresh_from_db()
    assert ticket.state in ("wont_fix", "duplicate")
    assert problem.state == "open"
    assert not webhooks.ticket_state.asks_what_shipped(problem)


def test_work_begun_over_there_shows_as_fixing(post, ticket, problem):
    post(happened(status=IN_PROGRESS))
    work()
    problem.refresh_from_db()
    assert problem.state == "fixing"


@pytest.mark.parametrize("state", ["shipped", "verified", "wont_fix"])
def test_a_ticket_never_moves_a_problem_backwards(post, ticket, problem, state):
    type(problem).objects.filter(pk=problem.pk).update(state="shipped")
    if state != "shipped":
        type(problem).objects.filter(pk=problem.pk).update(state=state)
    post(happened(status=IN_PROGRESS))
    post(happened(status=DONE, at=NOW + timedelta(minutes=1)), delivery="d-2")
    work()
    problem.refresh_from_db()
    assert problem.state == state


def test_a_late_done_does_not_take_a_regressed_problem_up_again(post, ticket, problem):
    before = datetime(2026, 11, 20, tzinfo=UTC)
    type(problem).objects.filter(pk=problem.pk).update(state="shipped")
    type(problem).objects.filter(pk=problem.pk).update(
        state="regressed", state_changed_at=before + timedelta(hours=1)
    )
    post(happened(status=DONE, at=before))
    work()
    problem.refresh_from_db()
    assert problem.state == "regressed"
    post(happened(status=IN_PROGRESS, at=before + timedelta(hours=2)), delivery="d-2")
    work()
    problem.refresh_from_db()
    assert problem.state == "fixing"


def test_events_out_of_order_leave_the_newest_state(post, ticket):
    post(happened(status=DONE, at=NOW), delivery="d-2")
    post(happened(status=IN_PROGRESS, at=NOW - timedelta(minutes=5)), delivery="d-1")
    work()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.remote_updated_at) == ("done", NOW)
    outcomes = TrackerDelivery.objects.order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["taken over", "older than what is known"]


def test_events_of_one_moment_that_disagree_are_looked_up(post, ticket, jira):
    jira.move("10001", DONE)["updated"] = NOW
    post(happened(status=DONE), delivery="d-1")
    post(happened(status=TO_DO), delivery="d-2")
    work()
    assert TrackerDelivery.objects.order_by("id").last().outcome == "looked up"
    webhooks.ticket_state.look_at_ticket(ticket=Ticket.objects.get())
    ticket.refresh_from_db()
    assert ticket.state == "done"


def test_a_deleted_ticket_is_shown_as_deleted(post, ticket, problem):
    post(happened(event="jira:issue_deleted"))
    work()
    ticket.refresh_from_db()
    problem.refresh_from_db()
    assert (ticket.state, problem.state) == ("deleted", "open")


def test_a_moved_ticket_keeps_its_identity(post, ticket):
    post(happened(key="SEC-4", status=IN_PROGRESS))
    work()
    ticket.refresh_from_db()
    assert (ticket.remote_id, ticket.key) == ("10001", "SEC-4")


def test_a_comment_changes_no_state(post, ticket):
    payload = happened(event="comment_created")
    del payload["issue"]["fields"]["status"]
    post(payload)
    work()
    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert TrackerDelivery.objects.get().outcome == "says nothing of the state"


def test_somebody_elses_ticket_is_nothing_of_ours(post, ticket):
    post(happened("777", key="FBH-777"))
    work()
    assert TrackerDelivery.objects.get().outcome == "no ticket of ours"
    assert Ticket.objects.count() == 1


# --- what we wrote ourselves ----------------------------------------------------------------------


def our_own(payload):
    return payload | {"user": {"accountId": "us"}}


@pytest.fixture
def reopened(problem, ticket, jira, connection):
    """The fix did not hold, and we opened the ticket again: over there that is In Progress."""
    jira.move(ticket.remote_id, DONE)
    Ticket.objects.update(state="done", status_name="Done")
    problems.move_problem_state(problem=problem, state="shipped")
    problems.reopen_problem(problem=problem, why="still_wrong")
    ticket_notes.note_reopened(problem=problem, why="still_wrong", since=problem.created_at)
    for note in TicketNote.objects.filter(kind="reopened"):
        ticket_notes.send_note(note=note)
    connection.refresh_from_db()
    assert connection.account_id == "us"  # asked for before we wrote
    return ticket


@pytest.mark.parametrize("overtakes", [False, True], ids=["after our row", "before our row"])
def test_our_own_reopening_that_comes_back_moves_no_problem(post, reopened, problem, overtakes):
    if overtakes:
        Ticket.objects.update(state="done", status_name="Done")
    at = timezone.now() + timedelta(minutes=1)
    post(our_own(happened(status=IN_PROGRESS, at=at)))
    work()
    problem.refresh_from_db()
    reopened.refresh_from_db()
    assert (reopened.state, problem.state) == ("in_progress", "regressed")
    post(happened(status=TO_DO, at=at + timedelta(minutes=1)), delivery="d-2")
    post(happened(status=IN_PROGRESS, at=at + timedelta(minutes=2)), delivery="d-3")
    work()
    problem.refresh_from_db()
    assert problem.state == "fixing"  # a person began


def test_our_own_comment_that_comes_back_moves_nothing(post, reopened, problem, jira):
    """On a ticket that is done over there the comment carries its state along; what it says is nobody's word."""
    Ticket.objects.update(state="done", status_name="Done")
    problems.move_problem_state(problem=Problem.objects.get(), state="investigating")
    payload = happened(event="comment_created", at=timezone.now() + timedelta(minutes=1))
    payload["comment"] = {"author": {"accountId": "us"}, "body": "Fix: said by ourselves"}
    post(payload)
    work()
    problem.refresh_from_db()
    assert (Ticket.objects.get().state, problem.state) == ("done", "investigating")
    assert not Fix.objects.exists()
    payload["comment"]["author"]["accountId"] = "somebody"
    payload["timestamp"] += 60_000
    payload["issue"]["fields"]["updated"] = (timezone.now() + timedelta(minutes=2)).isoformat()
    post(payload, delivery="d-2")
    work()
    problem.refresh_from_db()
    assert problem.state == "fixing"


def test_who_shares_our_account_may_still_close_a_ticket(post, ticket, problem, connection):
    type(connection).objects.update(account_id="us")
    post(our_own(happened(status=DONE)))
    work()
    problem.refresh_from_db()
    assert (Ticket.objects.get().state, problem.state) == ("done", "fixing")


def test_other_credentials_may_be_another_account(connection):
    type(connection).objects.update(account_id="us")
    connection.refresh_from_db()
    connections.update_connection(connection=connection, secrets={"api_token": "another"})
    connection.refresh_from_db()
    assert connection.account_id == ""


# --- adopting -------------------------------------------------------------------------------------


def test_a_ticket_with_our_label_is_adopted_when_its_making_was_never_answered(post, duty, jira):
    jira.next_create(refused(500), made=True)
    escalation.pursue(escalation=duty)
    created_at = jira.issues[0]["updated"]
    labels = ["x", f"fbh-{duty.marker}"]
    post(happened(event="jira:issue_created", status=TO_DO, labels=labels, at=created_at))
    work()
    duty.refresh_from_db()
    assert (duty.state, duty.failure, Ticket.objects.get().key) == ("filed", "", "FBH-1")
    assert TrackerDelivery.objects.get().outcome == "adopted"
    Escalation.objects.update(due_at=timezone.now())
    TrackerConnection.objects.update(paused_until=None)
    escalation.pursue(escalation=Escalation.objects.get())
    assert len(jira.posts) == 1
    webhooks.ticket_state.look_at_ticket(ticket=Ticket.objects.get())
    assert Ticket.objects.get().url == f"{jira.base_url}/browse/FBH-1"


def test_another_connections_marker_adopts_nothing(post, duty, connect, project, jira):
    elsewhere = connect(project, "Elsewhere")
    post(
        happened(event="jira:issue_created", labels=[f"fbh-{duty.marker}"]),
        to=f"/hooks/jira/{elsewhere.public_id}",
    )
    work()
    duty.refresh_from_db()
    assert (duty.state, Ticket.objects.count()) == ("pending", 0)


def look_for_doubles(duty):
    Escalation.objects.update(due_at=timezone.now())
    escalation.pursue(escalation=Escalation.objects.get())
    duty.refresh_from_db()


def test_a_second_ticket_with_our_label_is_named_to_a_person(post, ticket, duty, jira):
    post(happened("10009", key="FBH-9", event="jira:issue_created", labels=[f"fbh-{duty.marker}"]))
    work()
    people_file(
        jira, "FBH-9", labels=[f"fbh-{duty.marker}"], properties=jira.issues[0]["properties"]
    )
    look_for_doubles(duty)
    assert "close FBH-9 there as a duplicate" in duty.failure
    assert (
        TrackerDelivery.objects.get().outcome
        == "looks like a second ticket beside FBH-1: looked up"
    )


def test_a_clone_that_took_our_label_along_asks_nobody(post, ticket, duty, jira):
    post(happened("10009", key="FBH-9", event="jira:issue_created", labels=[f"fbh-{duty.marker}"]))
    work()
    people_file(jira, "FBH-9", labels=[f"fbh-{duty.marker}"])
    look_for_doubles(duty)
    assert (duty.failure, duty.needs_a_person) == ("", False)
    assert duty.checked_again_at is not None


# --- when things are away -------------------------------------------------------------------------


def test_what_the_dead_worker_left_is_worked_through_by_the_sweep(post, ticket):
    post(happened(status=DONE))
    TrackerDelivery.objects.update(received_at=timezone.now() - timedelta(seconds=10))
    sweep()
    ticket.refresh_from_db()
    assert (ticket.state, TrackerDelivery.objects.get().outcome) == ("done", "taken over")


def test_a_broker_that_is_away_does_not_cost_the_delivery(
    post, ticket, monkeypatch, django_capture_on_commit_callbacks
):
    def away(**kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr(webhooks.tasks.process_delivery, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        assert post(happened()).status_code == 200
    assert TrackerDelivery.objects.get().processed_at is None


def test_credentials_that_cannot_be_opened_ask_the_tracker_to_come_back(post, ticket, settings):
    settings.CREDENTIAL_KEYS = ["bm90LXRoZS1rZXktbm90LXRoZS1rZXktbm90LXRoZS0="]
    assert post(happened()).status_code == 503


def test_old_deliveries_go_after_thirty_days(post, ticket):
    post(happened())
    work()
    TrackerDelivery.objects.update(received_at=timezone.now() - timedelta(days=31))
    post(happened(), delivery="new")
    sweep()
    assert [d.delivery_id for d in TrackerDelivery.objects.all()] == ["new"]


# --- Linear ---------------------------------------------------------------------------------------


def test_linear_is_answered_with_exactly_200(client, project):
    connection = connections.create_connection(
        project=project,
        name="Linear",
        tracker="linear",
        config={"team": "FBH"},
        secrets={"api_key": "lin_api_key", "webhook_secret": SECRET},
    )
    body = json.dumps(
        {
            "action": "update",
            "type": "Issue",
            "createdAt": NOW.isoformat(),
            "webhookTimestamp": int(time.time() * 1000),
            "data": {"id": str(uuid.uuid4()), "identifier": "FBH-1", "updatedAt": NOW.isoformat(),
                     "state": {"id": "s", "name": "Done", "type": "completed"}},
        }
    ).encode()  # fmt: skip
    for _ in range(2):
        response = client.post(
            f"/hooks/linear/{connection.public_id}",
            body,
            content_type="application/json; charset=utf-8",
            headers={
                "Linear-Signature": signed(body).removeprefix("sha256="),
                "Linear-Delivery": "2f0c9a52-7a7e-4d0e-9d1b-2f6f6c1f4a10",
            },
        )
        assert response.status_code == 200
    assert TrackerDelivery.objects.count() == 1
