"""Jira Data Center, where it differs from Cloud: its address, its token, wiki text, the old search."""

import pytest

from tests.triage.fake_jira import FakeDataCenter, people_file
from tests.triage.trackers.drafts import MARKER, draft, hostile_draft
from triage.trackers.base import ConfigError
from triage.trackers.jira_data_center import JiraDataCenter


@pytest.fixture
def jira(httpserver):
    return FakeDataCenter(httpserver)


@pytest.fixture
def adapter(jira):
    config, secrets = JiraDataCenter.normalise_config(
        {"base_url": f"{jira.base_url}/jira/", "project_key": "FBH", "issue_type": "Bug"},
        {"api_token": "pat"},
        allowed_hosts=[jira.host],
    )
    return JiraDataCenter(config, secrets, allowed_hosts=[jira.host])


def test_a_ticket_is_filed_as_wiki_text_under_a_bearer_token(jira, adapter, httpserver):
    made = adapter.create(draft())
    assert made.url == f"{jira.base_url}/jira/browse/FBH-1"
    assert adapter.find(MARKER)[0].remote_id == made.remote_id
    assert jira.posts[0]["fields"]["description"].startswith("h3. What happened")
    assert {request.headers["Authorization"] for request, _ in httpserver.log} == {"Bearer pat"}


def test_nothing_closes_the_block_that_hostile_text_stands_in(jira, adapter):
    adapter.create(hostile_draft())
    text = jira.posts[0]["fields"]["description"]
    assert text.count("{noformat}") == 2
    outside = text.partition("{noformat}")[0]
    assert "[~accountid" not in outside and "!https" not in outside
    assert "\nh1. wiki" not in outside


def test_a_comment_is_wiki_text_and_made_once(jira, adapter):
    made = adapter.create(draft())
    first = adapter.comment(made.remote_id, "Open again.", MARKER)
    assert adapter.comment(made.remote_id, "Open again.", MARKER) == first
    assert jira.issues[0]["comments"][0]["body"].startswith("Open again.")


@pytest.mark.parametrize(
    "base_url",
    ["", "http://jira.example.com", "https://u:p@jira.example.com", "https://x.atlassian.net", "https://jira.example.com/?x=1"],
)  # fmt: skip
def test_settings_that_lead_elsewhere_are_refused(base_url):
    with pytest.raises(ConfigError) as caught:
        JiraDataCenter.normalise_config(
            {"base_url": base_url, "project_key": "FBH", "issue_type": "Bug"},
            {"api_token": "pat"},
            allowed_hosts=[],
        )
    assert "base_url" in caught.value.errors


def test_a_clone_is_told_from_the_ticket_by_its_property(jira, adapter):
    made = adapter.create(draft())
    people_file(jira, "FBH-9", labels=jira.issues[0]["labels"])
    assert adapter.find(MARKER) == [adapter.read(made.remote_id)]
