"""Trackers of our own for triage's tests, behind real sockets."""

import pytest

from feedbackhub.outbound import Limits
from tests.triage.fake_jira import SECRET, FakeJira


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
