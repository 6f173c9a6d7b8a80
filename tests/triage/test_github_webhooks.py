"""GitHub's deliveries through our own address: signed, once, of this repository, within the size."""

import hashlib
import hmac
import json
import uuid

import pytest

from tests.factories import ProblemFactory
from tests.triage.fake_github import REPOSITORY, SECRET, FakeGitHub
from triage import connections, escalation, webhooks
from triage.models import Ticket, TrackerDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def github(httpserver, settings):
    fake = FakeGitHub(httpserver)
    settings.OUTBOUND_ALLOWED_HOSTS = [fake.host]
    return fake


@pytest.fixture
def connection(github, project):
    return connections.create_connection(
        project=project,
        name="GitHub",
        tracker="github",
        config={"repository": REPOSITORY, "base_url": github.base_url},
        secrets={"api_token": "ghp_token-that-must-not-leak", "webhook_secret": SECRET},
    )


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, severity="critical")


@pytest.fixture
def ticket(problem, connection, github):
    """Filed, and closed over there as completed."""
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    github.move(1, "closed", "completed")
    return Ticket.objects.get()


@pytest.fixture
def post(client, connection):
    def send(raw, headers):
        return client.post(
            f"/hooks/github/{connection.public_id}",
            raw,
            content_type="application/json",
            headers=headers,
        )

    return send


def test_a_signed_delivery_is_taken_over_once(post, ticket, github, problem):
    raw, headers = github.event(1)
    assert [post(raw, headers).status_code for _ in range(3)] == [200, 200, 200]
    delivery = TrackerDelivery.objects.get()
    assert delivery.delivery_id == headers["X-GitHub-Delivery"]
    assert webhooks.process_delivery(delivery=delivery) == "taken over"
    ticket.refresh_from_db()
    problem.refresh_from_db()
    assert (ticket.state, ticket.status_name) == ("done", "Closed as completed")
    assert problem.state == "fixing"


def test_another_delivery_of_old_news_changes_nothing(post, ticket, github):
    late, headers = github.event(1)
    github.move(1, "open", "reopened")
    post(*github.event(1, "reopened"))
    post(late, headers | {"X-GitHub-Delivery": str(uuid.uuid4())})
    outcomes = [
        webhooks.process_delivery(delivery=row) for row in TrackerDelivery.objects.order_by("id")
    ]
    ticket.refresh_from_db()
    assert (outcomes[1], ticket.state) == ("older than what is known", "open")


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha1=" + "0" * 40},
        {"X-Hub-Signature-256": "", "X-Hub-Signature": "sha1"},
    ],
    ids=["none", "wrong", "sha1", "sha1 in its own header"],
)
def test_without_a_valid_signature_nothing_is_kept(post, ticket, github, changed):
    raw, headers = github.event(1)
    if changed.get("X-Hub-Signature"):
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()
        changed = changed | {"X-Hub-Signature": f"sha1={digest}"}
    assert post(raw, headers | changed).status_code == 401
    assert not TrackerDelivery.objects.exists()


def test_a_body_that_was_changed_on_the_way_is_refused(post, ticket, github):
    raw, headers = github.event(1)
    assert post(raw.replace(b"completed", b"duplicate"), headers).status_code == 401
    assert not TrackerDelivery.objects.exists()


def test_more_than_a_megabyte_is_413(post, ticket, github):
    raw, headers = github.event(1, padding="x" * 1024 * 1024)
    assert post(raw, headers).status_code == 413
    assert not TrackerDelivery.objects.exists()


def test_half_a_body_is_400(post, connection):
    raw = b'{"action": "clo'
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "issues"}
    assert post(raw, headers).status_code == 400


def test_the_ping_and_other_repositories_are_answered_and_not_kept(post, ticket, github):
    assert post(*github.event(1, event="ping")).status_code == 200
    assert post(*github.event(1, repository={"full_name": "acme/other"})).status_code == 200
    assert not TrackerDelivery.objects.exists()


def test_a_delivery_keeps_no_texts_and_no_names(post, ticket, github):
    github.issues[1]["body"] = "Ada says"
    raw, headers = github.event(1, "created", "issue_comment", comment={"body": "My name is Ada"})
    post(raw, headers)
    kept = json.dumps(TrackerDelivery.objects.get().event)
    assert "Ada" not in kept and "ford" not in kept
