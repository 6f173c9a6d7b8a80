"""What Jira Cloud and Data Center have in common, tried at both: reading, opening again, files, comments, webhooks."""

import json

import pytest

from tests.triage.fake_jira import (
    DONE,
    SECRET,
    FakeDataCenter,
    FakeJira,
    happened,
    people_file,
    refused,
    signed,
)
from tests.triage.trackers.drafts import MARKER, draft
from triage.trackers.base import CannotReopen, TicketState
from triage.trackers.jira import Jira
from triage.trackers.jira_data_center import JiraDataCenter

KINDS = {"Cloud": (Jira, FakeJira, ""), "Data Center": (JiraDataCenter, FakeDataCenter, "/jira")}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def jira(kind, httpserver):
    return KINDS[kind][1](httpserver)


@pytest.fixture
def adapt(kind, jira):
    def adapt(**settings):
        adapter, _, path = KINDS[kind]
        config, secrets = adapter.normalise_config(
            {
                "base_url": jira.base_url + path,
                "project_key": "FBH",
                "issue_type": "Bug",
                "email": "bot@acme.test",
                **settings,
            },
            {"api_token": "token", "webhook_secret": SECRET},
            allowed_hosts=[jira.host],
        )
        return adapter(config, secrets, allowed_hosts=[jira.host])

    return adapt


@pytest.fixture
def adapter(adapt):
    return adapt()


def test_the_connection_says_who_we_are(adapter):
    assert adapter.check().account_id == "us"


def test_a_ticket_is_read_and_gone_when_it_is_gone(adapter, jira):
    made = adapter.create(draft())
    jira.move(made.remote_id, DONE)
    assert adapter.read(made.remote_id).state is TicketState.DONE
    jira.issues = []
    assert adapter.read(made.remote_id).state is TicketState.DELETED


def test_a_done_ticket_is_opened_again_where_a_way_leads_back(adapter, jira):
    made = adapter.create(draft())
    jira.move(made.remote_id, DONE)
    assert adapter.reopen(made.remote_id).state is TicketState.OPEN
    assert jira.issues[0]["status"]["name"] == "To Do"
    jira.move(made.remote_id, DONE)
    jira.can_reopen = False
    with pytest.raises(CannotReopen):
        adapter.reopen(made.remote_id)


def test_a_file_is_attached_once(adapter, jira):
    made = adapter.create(draft())
    for _ in range(2):
        adapter.attach(made.remote_id, name="P7-brief.md", text="# P7", marker=MARKER)
    (file,) = jira.issues[0]["attachments"]
    assert (file["filename"], file["text"]) == (f"P7-brief-{MARKER[:8]}.md", "# P7")
    assert jira.issues[0]["comments"] == []


@pytest.mark.parametrize("status", [403, 404, 413])
def test_a_file_that_is_not_taken_is_a_comment(adapter, jira, monkeypatch, status):
    monkeypatch.setattr(jira, "_attach", lambda *_: refused(status))
    made = adapter.create(draft())
    for _ in range(2):
        adapter.attach(made.remote_id, name="P7-brief.md", text="# P7", marker=MARKER)
    (said,) = jira.issues[0]["comments"]
    assert "brief.md:" in str(said["body"])


def test_the_link_back_is_one_link(adapter, jira):
    made = adapter.create(draft())
    for title in ("P7", "P7, renamed"):
        adapter.link_back(made.remote_id, url="https://hub.example.com/p/7", title=title)
    (link,) = jira.issues[0]["links"].values()
    assert link["title"] == "P7, renamed"


def test_a_ticket_is_found_by_its_pasted_key(adapter, jira):
    issue = people_file(jira)
    assert adapter.locate("fbh-77").remote_id == issue["id"]


# --- who says what shipped ------------------------------------------------------------------------


def the_word_of(jira, adapter, **who):
    made = adapter.create(draft())
    jira.say(made.remote_id, "Fix: The rates are current.", **who)
    (said,) = adapter.comments(made.remote_id)
    assert said.text.strip() == "Fix: The rates are current."
    return said.is_by_team


@pytest.mark.parametrize(
    ("account_type", "counts"),
    [("atlassian", True), ("app", True), ("customer", False), ("unknown", False), (None, False)],
)
@pytest.mark.parametrize("kind", ["Cloud"], indirect=True)
def test_in_the_cloud_the_account_says_who_is_of_the_team(jira, adapter, account_type, counts):
    assert the_word_of(jira, adapter, account_type=account_type) is counts


@pytest.mark.parametrize(
    ("tellers", "counts"),
    [("", False), ("arthur", False), ("arthur, Ford", True), ("*", True), (" , ", False)],
)
@pytest.mark.parametrize("kind", ["Data Center"], indirect=True)
def test_at_home_nobody_is_of_the_team_but_whom_the_owner_named(jira, adapt, tellers, counts):
    """Data Center does not say that a commenter is a customer of the portal."""
    assert the_word_of(jira, adapt(fix_tellers=tellers), by="Ford Prefect") is counts


# --- webhooks -------------------------------------------------------------------------------------


def told(adapter, payload):
    raw = json.dumps(payload).encode()
    headers = {"X-Hub-Signature": signed(raw)}
    adapter.verify_webhook(raw, headers)
    return adapter.parse_webhook(raw, headers)


def test_a_webhook_tells_of_the_ticket_and_who_moved_it(kind, adapter):
    payload = happened()
    if kind == "Data Center":
        payload["user"] = {"name": "ford", "key": "JIRAUSER10100", "displayName": "Ford"}
    event = told(adapter, payload)
    assert (event.remote_id, event.state) == ("10001", TicketState.DONE)
    assert event.actor_id == ("somebody" if kind == "Cloud" else "JIRAUSER10100")
    assert event.delivery_id == told(adapter, payload).delivery_id  # also without an identifier


def test_a_comment_without_its_issue_names_it_by_its_address(adapter):
    event = told(
        adapter,
        {
            "webhookEvent": "comment_created",
            "comment": {
                "self": "https://jira.example.com/rest/api/2/issue/10001/comment/7",
                "body": "Fix: x",
                "author": {"key": "JIRAUSER10100"},
            },
        },
    )
    assert (event.remote_id, event.state, event.actor_id) == ("10001", None, "JIRAUSER10100")
