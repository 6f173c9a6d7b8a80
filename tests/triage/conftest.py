"""Trackers of our own for triage's tests, behind real sockets."""

import pytest

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
