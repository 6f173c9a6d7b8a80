"""Trackers of our own for triage's tests, behind real sockets."""

import json

import pytest

from feedbackhub.outbound import Limits
from tests.triage.fake_jira import SECRET, FakeJira, signed


@pytest.fixture
def jira(httpserver, settings):
    """A Jira that the network guard lets through."""
    fake = FakeJira(httpserver)
    settings.OUTBOUND_ALLOWED_HOSTS = [fake.host]
    return fake


@pytest.fixture
def connect(jira):
    """`connect(project)`: a connection of that project to the fake Jira."""
    from triage import connections

    def make(project, name="Jira", **changes):
        return connections.create_connection(
            project=project,
            name=name,
            tracker="jira",
            config={
                "base_url": jira.base_url,
                "project_key": "FBH",
                "issue_type": "Bug",
                "email": "bot@acme.test",
            },
            secrets={"api_token": "token-that-must-not-leak", "webhook_secret": SECRET},
            **changes,
        )

    return make


@pytest.fixture
def connection(connect, project):
    return connect(project)


@pytest.fixture
def post(client, connection):
    """`post(payload)`: a signed delivery to the connection, as Jira sends it."""

    def send(payload, *, delivery="d-1", to=None, headers=None, **more):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = {"X-Hub-Signature": signed(body), "X-Atlassian-Webhook-Identifier": delivery}
        return client.post(
            to or f"/hooks/jira/{connection.public_id}",
            body,
            content_type="application/json",
            headers=sent | (headers or {}),
            **more,
        )

    return send


@pytest.fixture
def splits(monkeypatch):
    """Groups are born into train, but for what a test says."""
    from annotation.models import Split

    found = {}
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: found.get(key, Split.TRAIN))
    return found


@pytest.fixture
def limits(monkeypatch):
    """How patient the adapters are; `limits["now"]` may be changed by the test."""
    from triage import connections

    chosen = {"now": Limits(connect=1, read=0.5, total=1)}
    build = connections.tracker_of

    def hurried(connection):
        tracker = build(connection)
        tracker._limits = chosen["now"]
        return tracker

    monkeypatch.setattr(connections, "tracker_of", hurried)
    return chosen
