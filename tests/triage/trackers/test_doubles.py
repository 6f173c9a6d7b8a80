"""Both adapters against the strict doubles of Jira and Linear, as processes of their own.

The doubles hold every request against the vendors' contracts, spoil answers after the ticket was
made, and count what there is twice.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import psutil
import pytest

from feedbackhub.outbound import Limits, OutboundError, Outcome
from tests.triage.trackers.drafts import draft, hostile_draft
from triage.trackers.base import Paragraph, TicketState, Verbatim, WebhookRefused
from triage.trackers.jira import Jira
from triage.trackers.linear import Linear

pytestmark = pytest.mark.shared

QUICK = Limits(connect=1, read=0.5, total=1)
NEVER_ANSWERS = ("hang", "create-then-timeout")
HOOK_SECRET = "hook-secret"
CLOUD_ID = "11223344-a1b2-3b33-c444-def123456789"


class Double:
    """One double under way, and its back door."""

    def __init__(self, program):
        folder = Path(os.environ["FEEDBACKHUB_SHARED"]).resolve() / "doubles"
        self.process = subprocess.Popen(
            [sys.executable, str(folder / program), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = self.process.stdout.readline().split()
        assert ready[:1] == ["READY"], f"{program} did not start"
        self.url = ready[2]
        self.host = self.url.removeprefix("http://")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def admin(self, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/__admin/{path}", json.dumps(body).encode() if body is not None else None
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def fault(self, preset, operation):
        fault = preset if isinstance(preset, dict) else {"preset": preset}
        if fault.get("preset") in NEVER_ANSWERS:
            fault = {"delay_s": QUICK.total + 1, **fault}  # no longer than anybody here waits
        self.admin("faults", {"match": {"operation": operation}, **fault})

    def issues(self):
        return self.admin("state")["issues"]

    def journal(self, operation):
        return self.admin(f"requests?operation={operation}")["requests"]

    def assert_clean(self, issues):
        """So many issues, none twice, no rule of the vendor broken, no redirect followed."""
        duplicates = self.admin("duplicates")
        assert (duplicates["issues"], duplicates["any"], duplicates["comments"]) == (
            issues,
            False,
            {},
        )
        violations = self.admin("violations?level=error")
        assert (violations["violations"], violations["self_check"]) == ([], [])
        assert violations["unsupported"] == []
        assert self.journal("trap") == []


def all_has_arrived(connection, within=60):
    """Wait until nothing is on its way into a connection's double any more.

    A create that its caller gave up may still be read: a test that lets minutes pass by hand would look for the ticket
    before the double has made it, and make another.
    """
    port = urllib.parse.urlsplit(connection.config["base_url"]).port
    until = time.monotonic() + within
    while any(
        each.laddr.port == port and each.status in ("ESTABLISHED", "CLOSE_WAIT")
        for each in psutil.net_connections("tcp")
    ):
        assert time.monotonic() < until, "the double does not come to rest"
        time.sleep(0.02)


class OnJira:
    """What a test needs to know of Jira to treat it like Linear."""

    program, create, comment = "jira.py", "createIssue", "addComment"

    def __init__(self, double):
        self.double = double

    def adapter(self, *, limits=QUICK, status_map=None, secrets=None, **config):
        return Jira(
            {
                "base_url": self.double.url,
                "project_key": "FBH",
                "issue_type": "Bug",
                "email": "bot@feedbackhub.test",
                **config,
            },
            {"api_token": "jira-api-token", "webhook_secret": HOOK_SECRET, **(secrets or {})},
            status_map=status_map,
            allowed_hosts=[self.double.host],
            limits=limits,
        )

    def finish(self, key, how="done"):
        to = {"done": "Done", "rejected": "Won't Do"}[how]
        self.double.admin("act", {"do": "transition", "issue": key, "to": to})

    def move(self, key):
        self.double.admin("act", {"do": "move", "issue": key, "project": "SEC"})


class OnLinear:
    program, create, comment = "linear.py", "issueCreate", "commentCreate"

    def __init__(self, double):
        self.double = double

    def adapter(self, *, limits=QUICK, status_map=None, secrets=None, **config):
        return Linear(
            {"base_url": f"{self.double.url}/graphql", "team": "FBH", **config},
            {"api_key": "lin_api_double", "webhook_secret": HOOK_SECRET, **(secrets or {})},
            status_map=status_map,
            allowed_hosts=[self.double.host],
            limits=limits,
        )

    def finish(self, key, how="done"):
        to = {"done": "completed", "rejected": "canceled"}[how]
        self.double.admin("act", {"do": "state", "issue": key, "to": to})

    def move(self, key):
        self.double.admin("act", {"do": "move", "issue": key, "team": "SEC"})


@pytest.fixture(scope="module")
def doubles():
    started = {}

    def get(kind):
        if kind not in started:
            started[kind] = Double(kind.program)
        return started[kind]

    yield get
    for double in started.values():
        double.stop()


@pytest.fixture(params=[OnJira, OnLinear], ids=["jira", "linear"])
def service(request, doubles):
    return fresh(request.param, doubles)


@pytest.fixture
def jira(doubles):
    return fresh(OnJira, doubles)


@pytest.fixture
def linear(doubles):
    return fresh(OnLinear, doubles)


def fresh(kind, doubles):
    double = doubles(kind)
    double.admin("reset", {})
    defaults = {"index_lag_s": 0.0} if kind is OnJira else {"conflict_status": 200}
    double.admin("config", defaults)
    return kind(double)


def new_draft(**changes):
    return draft(marker=str(uuid.uuid4()), **changes)


def file_as_the_caller_does(tracker, ticket_draft):
    """Again what was refused for now; after an unknown outcome look first. Never more than this."""
    outcomes = []
    for _ in range(4):
        try:
            return tracker.create(ticket_draft), outcomes
        except OutboundError as error:
            outcomes.append(error.outcome)
            if error.is_unknown and (found := tracker.find(ticket_draft.marker)):
                return found[0], outcomes
            if error.outcome is Outcome.REFUSED_FOR_GOOD:
                raise
    raise AssertionError(f"not filed: {outcomes}")


# --- creating under faults ------------------------------------------------------------------------

REFUSED_UP_FRONT = ["429", "429-http-date", "429-no-header", "429-long"]
NOT_CARRIED_OUT = ["500", "502-html", "503-retry-after", "hang", "slow", "reset", "bad-json",
                   "html-login", "redirect", {"do": "close"}, {"do": "huge", "bytes": 9_000_000}]  # fmt: skip
CARRIED_OUT = ["create-then-timeout", "create-then-reset", "create-then-500",
               "create-then-502-html", "create-then-bad-json", "create-then-truncate",
               "create-then-empty", "create-then-wrong-shape", {"do": "close", "when": "after"},
               {"do": "huge", "when": "after", "bytes": 9_000_000}]  # fmt: skip
LINEARS_OWN = ["graphql-internal", "lock-timeout", "success-false", "create-then-graphql-internal"]


def names(presets):
    return [p if isinstance(p, str) else "-".join(map(str, p.values())) for p in presets]


@pytest.mark.parametrize("preset", NOT_CARRIED_OUT + CARRIED_OUT, ids=names)
def test_a_lost_answer_leaves_exactly_one_ticket(service, preset):
    service.double.fault(preset, service.create)

    ticket, outcomes = file_as_the_caller_does(service.adapter(), new_draft())

    assert outcomes == [Outcome.UNKNOWN]
    assert ticket.key == "FBH-1"
    service.double.assert_clean(issues=1)


@pytest.mark.parametrize("preset", LINEARS_OWN)
def test_an_error_inside_a_good_answer_leaves_exactly_one_ticket(linear, preset):
    linear.double.fault(preset, "issueCreate")

    _, outcomes = file_as_the_caller_does(linear.adapter(), new_draft())

    assert outcomes == [Outcome.UNKNOWN]
    linear.double.assert_clean(issues=1)


@pytest.mark.parametrize("preset", REFUSED_UP_FRONT)
def test_a_rate_limit_is_a_refusal_with_a_time(service, preset):
    service.double.fault(preset, service.create)
    tracker, ticket_draft = service.adapter(), new_draft()

    with pytest.raises(OutboundError) as caught:
        tracker.create(ticket_draft)

    assert caught.value.outcome is Outcome.REFUSED_TRY_LATER
    if preset == "429-long":
        assert 1700 <= caught.value.retry_after <= 1802
    elif preset != "429-no-header":
        assert 0 <= caught.value.retry_after <= 4
    tracker.create(ticket_draft)
    service.double.assert_clean(issues=1)


def test_a_rate_limit_that_never_ends_makes_nothing(service):
    service.double.fault("429-forever", service.create)
    for _ in range(3):
        with pytest.raises(OutboundError) as caught:
            service.adapter().create(new_draft())
        assert caught.value.outcome is Outcome.REFUSED_TRY_LATER
    service.double.assert_clean(issues=0)


def test_linear_in_its_other_form_of_a_rate_limit(linear):
    linear.double.fault({"preset": "429", "status": 429, "retry_after_header": True}, "issueCreate")

    with pytest.raises(OutboundError) as caught:
        linear.adapter().create(new_draft())

    assert (caught.value.outcome, caught.value.retry_after) == (Outcome.REFUSED_TRY_LATER, 2)


@pytest.mark.parametrize("status", [200, 400])
def test_linear_takes_the_same_create_again_and_again(linear, status):
    linear.double.admin("config", {"conflict_status": status})
    ticket_draft = new_draft()

    tickets = {linear.adapter().create(ticket_draft).remote_id for _ in range(3)}

    assert tickets == {ticket_draft.marker}
    linear.double.assert_clean(issues=1)


def test_a_revoked_key_is_told_apart(linear):
    linear.double.fault("unauthenticated", "issueCreate")

    with pytest.raises(OutboundError) as caught:
        linear.adapter().create(new_draft())

    assert (caught.value.outcome, caught.value.credential_refused) == ("refused_for_good", True)


def test_a_wrong_credential_is_told_apart(service):
    wrong = {"api_token": "wrong", "api_key": "lin_api_wrong"}

    with pytest.raises(OutboundError) as caught:
        service.adapter(secrets=wrong).create(new_draft())

    assert (caught.value.outcome, caught.value.credential_refused) == ("refused_for_good", True)


def test_jiras_search_lags_and_the_ticket_is_found_by_looking_again(jira):
    jira.double.admin("config", {"index_lag_s": 0.6})
    jira.double.fault("create-then-timeout", "createIssue")
    tracker, ticket_draft = jira.adapter(), new_draft()
    with pytest.raises(OutboundError):
        tracker.create(ticket_draft)

    assert tracker.find(ticket_draft.marker) == []  # no proof: hence look_again_after
    time.sleep(0.7)

    assert [ticket.key for ticket in tracker.find(ticket_draft.marker)] == ["FBH-1"]
    assert tracker.look_again_after == (15, 60, 180)
    jira.double.assert_clean(issues=1)


def test_hostile_drafts_pass_the_contracts(service):
    service.adapter().create(hostile_draft())
    service.adapter().create(new_draft(blocks=(Verbatim("\u202e\x00```" + "👩" * 200_000),)))

    service.double.assert_clean(issues=2)


def test_jira_fills_what_a_project_without_priority_requires(jira):
    with pytest.raises(OutboundError, match="SEC requires of every ticket: Risk area"):
        jira.adapter(project_key="SEC").create(new_draft())

    risk = {"customfield_10050": {"value": "High"}}
    ticket = jira.adapter(project_key="SEC", extra_fields=risk).create(new_draft())

    assert ticket.key == "SEC-1"
    jira.double.assert_clean(issues=1)


def test_an_access_token_goes_through_the_gateway(jira, linear):
    through = jira.adapter(
        base_url=f"{jira.double.url}/ex/jira/{CLOUD_ID}",
        email="",
        secrets={"api_token": "jira-oauth-access-token"},
    )
    through.create(new_draft())
    linear.adapter(secrets={"api_key": "lin_oauth_double"}).create(new_draft())

    jira.double.assert_clean(issues=1)
    linear.double.assert_clean(issues=1)


def test_check_reads_and_writes_nothing(service):
    report = service.adapter().check()

    assert any("FeedbackHub bot" in line for line in report.lines)
    assert (bool(report.account_id), report.warnings) == (True, ())
    service.double.assert_clean(issues=0)


# --- a ticket's life ------------------------------------------------------------------------------


def test_a_ticket_is_followed_from_open_to_done_and_back(service):
    tracker = service.adapter()
    ticket = tracker.create(new_draft())
    assert tracker.read(ticket.remote_id).state is TicketState.OPEN

    service.finish(ticket.key)
    finished = tracker.read(ticket.remote_id)
    assert finished.state is TicketState.DONE

    assert tracker.reopen(ticket.remote_id).state is TicketState.OPEN
    again = tracker.read(ticket.remote_id)
    assert again.state is TicketState.OPEN
    assert again.remote_updated_at > finished.remote_updated_at
    service.double.assert_clean(issues=1)


def test_what_was_rejected_is_not_done(service):
    ticket = service.adapter().create(new_draft())

    service.finish(ticket.key, "rejected")

    assert service.adapter().read(ticket.remote_id).state is TicketState.WONT_FIX


def test_a_moved_ticket_is_followed_and_a_deleted_one_is_said_to_be_gone(service):
    tracker = service.adapter()
    ticket = tracker.create(new_draft())

    service.move(ticket.key)
    moved = tracker.read(ticket.remote_id)
    assert (moved.remote_id, moved.key) == (ticket.remote_id, "SEC-1")

    service.double.admin("act", {"do": "delete", "issue": moved.key})
    assert tracker.read(ticket.remote_id).state is TicketState.DELETED
    with pytest.raises(OutboundError):
        tracker.reopen(ticket.remote_id, moved.key)


@pytest.mark.parametrize("preset", CARRIED_OUT[:8])
def test_a_comment_whose_answer_is_lost_is_made_once(service, preset):
    tracker, marker = service.adapter(), str(uuid.uuid4())
    ticket = tracker.create(new_draft())
    service.double.fault(preset, service.comment)
    said = (Paragraph("A reporter says it is still wrong:"), Verbatim("@all ```still``` wrong"))

    with pytest.raises(OutboundError) as caught:
        tracker.comment(ticket.remote_id, said, marker)

    assert caught.value.outcome is Outcome.UNKNOWN
    first = tracker.comment(ticket.remote_id, said, marker)
    assert tracker.comment(ticket.remote_id, said, marker) == first
    service.double.assert_clean(issues=1)


def test_the_link_back_is_one_link(service):
    tracker = service.adapter()
    ticket = tracker.create(new_draft())

    for title in ("Problem 7", "Problem 7, renamed"):
        tracker.link_back(ticket.remote_id, url="https://hub.example.com/p/7", title=title)

    (stored,) = service.double.issues()
    assert len(stored.get("remote_links") or stored.get("attachments")) == 1
    service.double.assert_clean(issues=1)


# --- webhooks -------------------------------------------------------------------------------------


@pytest.fixture
def receiver():
    """A receiver that does with a webhook what the view will do, and keeps what it understood."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = dict(self.headers.items())
            try:
                self.server.tracker.verify_webhook(raw, headers)
                self.server.events.append(self.server.tracker.parse_webhook(raw, headers))
                status = 200
            except WebhookRefused as refused:
                status = refused.status
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.events = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def fire(service, receiver):
    receiver.tracker = service.adapter()
    ticket = receiver.tracker.create(new_draft())

    def send(mode, **more):
        spec = {
            "issue": ticket.key,
            "url": receiver.url,
            "secret": HOOK_SECRET,
            "mode": mode,
            **more,
        }
        sent = service.double.admin("fire", spec)["deliveries"]
        return [delivery["status"] for delivery in sent]

    send.service, send.ticket, send.receiver = service, ticket, receiver
    return send


def test_forged_webhooks_are_refused(fire):
    modes = ["bad_signature", "no_signature", "wrong_secret", "tampered"]
    modes += ["sha1_signature"] if isinstance(fire.service, OnJira) else []

    assert [fire(mode) for mode in modes] == [[401]] * len(modes)
    assert fire("malformed_json") == [400]
    assert fire.receiver.events == []


def test_a_genuine_webhook_tells_of_the_ticket(fire):
    fire.service.finish(fire.ticket.key)

    assert fire("ok") == [200]

    (event,) = fire.receiver.events
    assert (event.remote_id, event.key) == (fire.ticket.remote_id, "FBH-1")
    assert event.state is TicketState.DONE
    marker = event.markers[0]
    assert [ticket.key for ticket in fire.receiver.tracker.find(marker)] == ["FBH-1"]


def test_a_doubled_and_a_replayed_webhook_carry_the_same_delivery_id(fire):
    assert fire("duplicate") == [200, 200]
    assert fire("replay") == [200]

    assert len({event.delivery_id for event in fire.receiver.events}) == 1


def test_a_stale_webhook_counts_at_jira_and_not_at_linear(fire):
    if isinstance(fire.service, OnJira):
        assert fire("stale") == [200]
    else:
        assert [fire(mode) for mode in ("stale", "future", "fresh_header_stale_body")] == [
            [401]
        ] * 3


def test_an_event_that_comes_late_is_older_than_what_was_read(fire):
    late = "out_of_order" if isinstance(fire.service, OnJira) else "ok"
    fire.service.finish(fire.ticket.key)
    read = fire.receiver.tracker.read(fire.ticket.remote_id)

    assert fire(late, to="In Progress", updatedAt="2026-01-01T00:00:00.000Z") == [200]

    (event,) = fire.receiver.events
    assert event.updated_at < read.remote_updated_at


def test_an_event_of_a_ticket_that_is_not_ours_is_understood_and_names_no_marker_of_ours(fire):
    assert fire("unknown_issue", issue=None) == [200]

    (event,) = fire.receiver.events
    assert event.remote_id != fire.ticket.remote_id
    assert [fire.receiver.tracker.find(marker) for marker in event.markers] in ([], [[]])


def test_events_of_comments_and_deletions(fire):
    body = {"do": "comment", "issue": fire.ticket.key, "body": "Looks fixed to me."}
    fire.service.double.admin("act", body)
    if isinstance(fire.service, OnJira):
        comment, deletion = {"event": "comment_created"}, {"event": "jira:issue_deleted"}
    else:
        comment = {"event": "Comment", "action": "create"}
        deletion = {"event": "Issue", "action": "remove"}

    assert (fire("ok", **comment), fire("ok", **deletion)) == ([200], [200])

    said, gone = fire.receiver.events
    assert (said.remote_id, said.comment) == (fire.ticket.remote_id, "Looks fixed to me.")
    assert gone.state is TicketState.DELETED


def test_our_own_writes_come_back_under_our_own_account(service, receiver):
    receiver.tracker = service.adapter()
    us = receiver.tracker.check().account_id
    service.double.admin("config", {"sync_webhooks": True})
    service.double.admin("webhooks", {"url": receiver.url, "secret": HOOK_SECRET})

    receiver.tracker.create(new_draft())

    assert [event.kind for event in receiver.events] == ["created"]
    assert {event.actor_id for event in receiver.events} == {us}
    service.double.admin("config", {"sync_webhooks": False})


# --- both ways ------------------------------------------------------------------------------------


def test_the_statuses_are_those_of_the_place(service):
    found = {status.name: status.state for status in service.adapter().statuses()}
    assert found["In Progress"] is TicketState.IN_PROGRESS
    assert found["Done"] is TicketState.DONE
    assert found.get("Won't Do", found.get("Canceled")) is TicketState.WONT_FIX


def test_what_was_said_is_read_newest_first(service):
    made = service.adapter().create(draft())
    marker = str(uuid.uuid4())
    service.adapter().comment(made.remote_id, "First.", marker)
    service.double.admin("act", {"do": "comment", "issue": made.key, "body": "Second."})
    said = service.adapter().comments(made.remote_id)
    assert len(said) == 2
    assert "First" in said[-1].text
    theirs, ours = said
    assert theirs.id != ours.id and theirs.is_by_team
    assert (theirs.is_ours, ours.is_ours or ours.id == marker) == (False, True)


def test_a_ticket_is_found_by_the_key_that_people_paste(service):
    made = service.adapter().create(draft())
    assert service.adapter().locate(made.key).remote_id == made.remote_id
    with pytest.raises(OutboundError):
        service.adapter().locate("SEC-1")
