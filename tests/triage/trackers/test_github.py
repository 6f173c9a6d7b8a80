"""GitHub Issues, against a small GitHub of our own; each trap of the contract's facts."""

import re

import pytest
from werkzeug import Response

from feedbackhub.outbound import OutboundError, Outcome
from tests.triage.fake_github import REPOSITORY, SECRET, FakeGitHub, limited
from tests.triage.trackers.drafts import MARKER, OTHER_MARKER, draft, hostile_draft
from triage.trackers.base import ConfigError, EventKind, TicketState, WebhookRefused
from triage.trackers.github import GitHub

TOKEN = "ghp_token-that-must-not-leak"


@pytest.fixture
def github(httpserver):
    return FakeGitHub(httpserver)


@pytest.fixture
def adapter(github):
    return GitHub(
        {"repository": REPOSITORY, "base_url": github.base_url},
        {"api_token": TOKEN, "webhook_secret": SECRET},
        allowed_hosts=[github.host],
    )


def test_a_ticket_carries_its_marker_twice_and_is_found_by_it(github, adapter):
    made = adapter.create(draft())
    assert (made.remote_id, made.key) == ("1", f"{REPOSITORY}#1")
    assert adapter.find(MARKER) == [made]
    assert adapter.find(OTHER_MARKER) == []


def test_where_labels_are_dropped_it_is_found_by_its_text(github, adapter):
    github.may_push = False
    made = adapter.create(draft())
    assert adapter.find(MARKER) == [made]
    assert "drops labels" in adapter.check().warnings[0]


@pytest.mark.parametrize(
    "spoilt",
    [Response("", 502), Response("<html>", 200, content_type="text/html"), Response('{"num', 201)],
    ids=["502", "login page", "half an answer"],
)
def test_a_spoilt_answer_to_a_create_is_unknown(github, adapter, spoilt):
    github.spoils = spoilt
    with pytest.raises(OutboundError) as caught:
        adapter.create(draft())
    assert caught.value.outcome is Outcome.UNKNOWN
    assert len(adapter.find(MARKER)) == 1


@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        (limited(403, retry_after="30"), 30),
        (limited(429, retry_after="30"), 30),
        (limited(403, x_ratelimit_remaining="0"), 60),
        (limited(403), 60),
    ],
    ids=["403 secondary", "429", "403 budget", "403 in words only"],
)
def test_a_rate_limit_is_told_from_a_missing_permission(github, adapter, refusal, wait):
    github.refusal = refusal
    with pytest.raises(OutboundError) as caught:
        adapter.create(draft())
    assert (caught.value.outcome, caught.value.retry_after) == (Outcome.REFUSED_TRY_LATER, wait)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 422])
def test_a_refusal_is_for_good_and_says_no_secret(github, adapter, status):
    github.refusal = Response('{"message": "no"}', status, content_type="application/json")
    with pytest.raises(OutboundError) as caught:
        adapter.create(draft())
    assert caught.value.outcome is Outcome.REFUSED_FOR_GOOD
    assert caught.value.credential_refused is (status == 401)
    assert TOKEN not in caught.value.message


def test_hostile_text_is_inert_and_cut_to_the_limit(github, adapter):
    adapter.create(hostile_draft())
    (post,) = github.posts
    assert len(post["body"]) <= 65_536 and "\n" not in post["title"]
    outside = re.sub(r"(`+)[^`](?:.|\n)*?\1(?!`)", "", post["body"])
    assert "@everyone" not in outside and "https://evil.test" not in outside
    assert not re.search(r"(?<!\\)(!\[|<img|\[click)", outside)
    assert all(len(label) <= 50 for label in post["labels"])
    assert [label for label in post["labels"] if label.startswith("fbh-")] == [f"fbh-{MARKER}"]


@pytest.mark.parametrize(
    ("state", "reason", "name", "meaning"),
    [
        ("open", None, "Open", TicketState.OPEN),
        ("closed", "completed", "Closed as completed", TicketState.DONE),
        ("closed", None, "Closed as completed", TicketState.DONE),
        ("closed", "not_planned", "Closed as not planned", TicketState.WONT_FIX),
        ("closed", "duplicate", "Closed as duplicate", TicketState.DUPLICATE),
        ("closed", "sold", "sold", TicketState.UNKNOWN),
    ],
)
def test_closed_is_not_always_done(github, adapter, state, reason, name, meaning):
    adapter.create(draft())
    github.move(1, state, reason)
    seen = adapter.read("1")
    assert (seen.status_name, seen.state) == (name, meaning)


def test_an_issue_that_is_gone_is_deleted(adapter):
    assert adapter.read("99").state is TicketState.DELETED


def test_it_is_reopened_once_and_an_open_one_stays(github, adapter):
    adapter.create(draft())
    github.move(1, "closed", "completed")
    assert adapter.reopen("1").state is TicketState.OPEN
    before = github.issues[1]["updated_at"]
    adapter.reopen("1")
    assert github.issues[1]["updated_at"] == before


def test_a_comment_is_made_once(github, adapter):
    adapter.create(draft())
    first = adapter.comment("1", "Open again.", MARKER)
    assert adapter.comment("1", "Open again.", MARKER) == first
    (said,) = adapter.comments("1")
    assert said.author == "hub-bot" and said.text.startswith("Open again")


def test_of_those_who_comment_the_team_and_ourselves_are_told_apart(github, adapter):
    """On a public repository anybody may comment; our own comments carry their marker."""
    adapter.create(draft())
    for association in ("NONE", "CONTRIBUTOR", "MEMBER", "OWNER", "COLLABORATOR", None):
        github.issues[1]["comments_"].append(
            {"id": 7, "body": "x", "user": {"login": "ford"}, "author_association": association}
        )
    adapter.comment("1", "Open again.", MARKER)
    ours, *theirs = adapter.comments("1")
    assert (ours.is_ours, theirs[0].is_ours, theirs[0].id) == (True, False, "7")
    assert [said.is_by_team for said in reversed(theirs)] == [False, False, True, True, True, False]


@pytest.mark.parametrize("count", [3, 20, 101, 120])
def test_of_many_comments_the_newest_are_shown_first(github, adapter, count):
    adapter.create(draft())
    github.issues[1]["comments_"] = [
        {"id": n, "body": f"No {n}", "user": {"login": "ford"}} for n in range(1, count + 1)
    ]
    shown = [comment.text for comment in adapter.comments("1")]
    assert shown == [f"No {n}" for n in range(count, max(0, count - 20), -1)]


@pytest.mark.parametrize(
    "pasted",
    ["1", "#1", "acme/support#1", "https://github.com/acme/support/issues/1",
     "https://github.com/Acme/Support/issues/1#issuecomment-3"],
)  # fmt: skip
def test_a_pasted_link_or_number_finds_its_issue(adapter, pasted):
    adapter.create(draft())
    assert adapter.locate(pasted).remote_id == "1"


@pytest.mark.parametrize(
    "pasted",
    ["", "x", "https://github.com/acme/other/issues/1", "https://github.com/acme/support/pull/1",
     "https://evil.example/acme/support/issues/1", "../user"],
)  # fmt: skip
def test_other_links_are_no_tickets_of_this_connection(adapter, pasted):
    adapter.create(draft())
    with pytest.raises(OutboundError):
        adapter.locate(pasted)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"repository": "acme"}, "repository"),
        ({"repository": "acme/x/../y"}, "repository"),
        ({"repository": REPOSITORY, "base_url": "https://api.github.com@evil.example"}, "base_url"),
        ({"repository": REPOSITORY, "base_url": "http://169.254.169.254"}, "base_url"),
    ],
)
def test_settings_that_lead_elsewhere_are_refused(config, field):
    with pytest.raises(ConfigError) as caught:
        GitHub.normalise_config(config, {"api_token": TOKEN}, allowed_hosts=[])
    assert field in caught.value.errors


# --- webhooks -------------------------------------------------------------------------------------


def test_the_published_signature_counts(adapter):
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    adapter.verify_webhook(b"Hello, World!", {"x-hub-signature-256": f"sha256={signature}"})
    for bad in ("", f"sha1={signature}", f"sha256={signature[:-1]}0", "sha256=é"):
        with pytest.raises(WebhookRefused):
            adapter.verify_webhook(b"Hello, World!", {"X-Hub-Signature-256": bad})


def test_a_closed_issue_is_told(github, adapter):
    adapter.create(draft())
    github.move(1, "closed", "not_planned")
    raw, headers = github.event(1)
    adapter.verify_webhook(raw, headers)
    event = adapter.parse_webhook(raw, headers)
    assert (event.remote_id, event.state, event.kind) == (
        "1",
        TicketState.WONT_FIX,
        EventKind.UPDATED,
    )
    assert event.markers == (MARKER,)
    assert event.updated_at.isoformat() == "2026-11-20T08:02:00+00:00"


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_issue_that_leaves_is_deleted(github, adapter, action):
    adapter.create(draft())
    assert adapter.parse_webhook(*github.event(1, action)).state is TicketState.DELETED


def test_other_repositories_pull_requests_and_events_are_nothing_we_follow(github, adapter):
    adapter.create(draft())
    assert adapter.parse_webhook(*github.event(1, event="push")) is None
    assert adapter.parse_webhook(*github.event(1, repository={"full_name": "acme/x"})) is None
    github.issues[1]["pull_request"] = {}
    assert adapter.parse_webhook(*github.event(1)) is None
