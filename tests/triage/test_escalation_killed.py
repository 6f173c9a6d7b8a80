"""The worker killed with kill -9 in the middle of filing: nothing lost, no second ticket. Real processes, real broker."""

import threading

import pytest

from tests.processes import Stack, wait_for
from tests.triage.fake_jira import FakeJira

SET_UP = """
from feedbackhub.accounts.models import Project
from triage import connections, escalation, problems
project = Project.objects.create(slug="house", name="House")
connection = connections.create_connection(
    project=project, name="Jira", tracker="jira",
    config={{"base_url": "{base_url}", "project_key": "FBH", "issue_type": "Bug", "email": "bot@acme.test"}},
    secrets={{"api_token": "token"}},
)
problem = problems.open_problem(project=project, title="It hurts", severity="critical")
escalation.open_escalation(problem=problem, connection=connection)
"""


@pytest.fixture
def jira(httpserver):
    return FakeJira(httpserver)


def states(stack):
    return [state for (state,) in stack.sql("SELECT state FROM triage_escalation")]


def time_passes(stack):
    """The lease is over, and what waits is due."""
    stack.sql(
        "UPDATE triage_escalation SET due_at = now() - interval '1 s',"
        " unknown_since = now() - interval '10 min',"
        " lease_until = lease_until - interval '10 min' WHERE state IN ('filing', 'unknown', 'pending')"
    )
    stack.manage("sweep")


def test_a_worker_killed_while_the_tracker_answers_files_no_second_ticket(jira):
    made, let_go = threading.Event(), threading.Event()

    def hold():
        made.set()
        let_go.wait(60)

    jira.after_create = hold
    with Stack(processes=("worker",), settings={"OUTBOUND_ALLOWED_HOSTS": jira.host}) as stack:
        stack.manage("shell", "-c", SET_UP.format(base_url=jira.base_url))
        wait_for(made.is_set, 90, "the ticket was not made")
        stack.kill("worker")
        let_go.set()
        assert (states(stack), len(jira.issues)) == (["filing"], 1)

        time_passes(stack)
        assert states(stack) == ["unknown"]
        stack.start("worker")
        time_passes(stack)
        wait_for(lambda: states(stack) == ["filed"], 90, "the ticket was not found again")
        assert (len(jira.posts), len(jira.issues)) == (1, 1)
        assert stack.sql("SELECT key FROM triage_ticket") == [("FBH-1",)]
