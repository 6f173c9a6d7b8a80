"""Linear, against a small server of our own that answers each operation as the test says."""

import hashlib
import hmac
import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import graphql
import pytest
from werkzeug import Response

from feedbackhub.outbound import Outcome
from tests.triage.trackers.drafts import HOSTILE, MARKER, OTHER_MARKER, draft, hostile_draft
from tests.triage.trackers.fake_linear import KEY, SECRET, TEAM_ID, failure
from triage.trackers import linear_documents
from triage.trackers.base import ConfigError, EventKind, TicketState, WebhookRefused
from triage.trackers.linear import Linear

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def error(code=None, type_=None, message="Some words", said=None):
    extensions = {"code": code, "type": type_, "userPresentableMessage": said}
    return {
        "errors": [{"message": message, "extensions": {k: v for k, v in extensions.items() if v}}],
        "data": None,
    }


CONFLICT = error("INPUT_ERROR", "invalid input", "conflict on insert of Issue", "already exists")
NOT_FOUND = error("INPUT_ERROR", "invalid input", "Entity not found: Issue", "Could not find")
RATELIMITED = error("RATELIMITED", "ratelimited")
INTERNAL = error("INTERNAL_SERVER_ERROR", "internal error")
NO_KEY = error("AUTHENTICATION_ERROR", "authentication error")


def issue(type_="backlog", name="Backlog", **more):
    return {
        "id": MARKER,
        "identifier": "FBH-12",
        "url": "https://linear.app/acme/issue/FBH-12/outdated",
        "updatedAt": "2026-11-20T10:00:00.000Z",
        "trashed": None,
        "state": {"id": "s-1", "name": name, "type": type_},
        **more,
    }


CREATED = {"data": {"issueCreate": {"success": True, "issue": issue()}}}
FOUND = {"data": {"issue": issue()}}


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "https://api.linear.app/graphql"),
        ("https://api.linear.app/graphql/", "https://api.linear.app/graphql"),
        ("http://127.0.0.1:8072/graphql", "http://127.0.0.1:8072/graphql"),
    ],
)
def test_normalise_config_keeps_linears_address_and_opened_hosts(given, kept):
    config, secrets = Linear.normalise_config(
        {"base_url": given, "team": " fbh ", "stray": 1},
        {"api_key": " Bearer lin_oauth_x "},
        allowed_hosts=["127.0.0.1:8072"],
    )

    assert config == {"base_url": kept, "team": "FBH"}
    assert secrets["webhook_secret"] == ""


@pytest.mark.parametrize(
    "given",
    [
        "http://api.linear.app/graphql",
        "https://api.linear.app",
        "https://api.linear.app/graphql?x=1",
        "https://api.linear.app:443/graphql",
        "https://api.linear.app.evil.test/graphql",
        "https://api.linear.app@evil.test/graphql",
        "https://evil.test/graphql",
        "http://127.0.0.1:8073/graphql",
        "http://127.0.0.1:8072/other",
        "http://127.0.0.1:8072/graphql?x=1",
        "http://169.254.169.254/graphql",
    ],
)
def test_normalise_config_refuses_every_other_address(given):
    with pytest.raises(ConfigError) as caught:
        Linear.normalise_config(
            {"base_url": given, "team": "FBH"}, {"api_key": "k"}, allowed_hosts=["127.0.0.1:8072"]
        )

    assert list(caught.value.errors) == ["base_url"]
    stored = Linear({"base_url": given, "team": "FBH"}, {"api_key": KEY}, allowed_hosts=[])
    assert isinstance(failure(stored.check), ConfigError)


def test_normalise_config_says_what_each_field_needs():
    with pytest.raises(ConfigError) as caught:
        Linear.normalise_config({"team": "no team!"}, {"api_key": "two words"}, allowed_hosts=[])

    assert set(caught.value.errors) == {"team", "api_key"}
    assert "two words" not in str(caught.value)


def test_a_pasted_bearer_is_dropped_and_the_right_form_is_sent(linear_api, linear_tracker):
    linear_api.gives(Read=FOUND)
    _, secrets = Linear.normalise_config(
        {"team": "FBH"}, {"api_key": "Bearer lin_oauth_x"}, allowed_hosts=[]
    )

    linear_tracker().find(MARKER)
    linear_tracker(secrets=secrets).find(MARKER)

    assert [h["Authorization"] for h in linear_api.headers] == [KEY, "Bearer lin_oauth_x"]


# --- creating -------------------------------------------------------------------------------------


def test_create_sends_the_marker_as_the_issues_own_id(linear_api, linear_tracker):
    linear_api.gives(Create=CREATED)

    ticket = linear_tracker().create(draft())

    assert linear_api.operations == ["Prepare", "Create"]
    values = linear_api.asked[1][1]["input"]
    assert values.pop("description").endswith(f"Reference fbh-{MARKER}")
    assert values == {
        "id": MARKER,
        "teamId": TEAM_ID,
        "title": "Outdated tax rate quoted",
        "priority": 1,
        "labelIds": [],
    }
    assert (ticket.remote_id, ticket.key, ticket.state) == (MARKER, "FBH-12", TicketState.OPEN)
    assert ticket.url == "https://linear.app/acme/issue/FBH-12/outdated"
    assert ticket.remote_updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_create_takes_labels_of_this_team_no_groups_and_one_of_each_group(
    linear_api, linear_tracker
):
    def label(id_, team=None, parent=None, group=False):
        return {"id": id_, "isGroup": group, "team": team and {"id": team},
                "parent": parent and {"id": parent}}  # fmt: skip

    nodes = [
        label("everywhere"),
        label("ours", team=TEAM_ID),
        label("theirs", team="another"),
        label("group", group=True),
        label("sev1", parent="severity"),
        label("sev2", parent="severity"),
    ]
    linear_api.gives(
        Prepare={"data": {"team": {"id": TEAM_ID}, "issueLabels": {"nodes": nodes}}}, Create=CREATED
    )

    linear_tracker().create(draft())

    assert linear_api.asked[0][1] == {
        "team": "FBH", "labels": ["feedback", "critical"], "withLabels": True,
    }  # fmt: skip
    assert linear_api.asked[1][1]["input"]["labelIds"] == ["everywhere", "ours", "sev1"]


@pytest.mark.parametrize(
    ("severity", "priority"), [("critical", 1), ("high", 2), ("medium", 3), ("low", 4), ("none", 0)]
)
def test_create_translates_the_severity(linear_api, linear_tracker, severity, priority):
    linear_api.gives(Create=CREATED)

    linear_tracker().create(draft(severity=severity))

    assert linear_api.asked[1][1]["input"]["priority"] == priority


def test_create_passes_hostile_text_as_variables_only(linear_api, linear_tracker, httpserver):
    linear_api.gives(Create=CREATED)

    linear_tracker().create(hostile_draft())

    documents = [json.loads(seen.data)["query"] for seen, _ in httpserver.log]
    assert set(documents) <= set(linear_documents.DOCUMENTS)
    assert len(linear_api.asked[1][1]["input"]["title"]) <= 255


@pytest.mark.parametrize("status", [200, 400])
def test_a_conflict_means_made_and_is_read_by_id(linear_api, linear_tracker, status):
    linear_api.gives(Create=(status, CONFLICT), Read=FOUND)

    ticket = linear_tracker().create(draft())

    assert (ticket.remote_id, ticket.key) == (MARKER, "FBH-12")
    assert linear_api.operations == ["Prepare", "Create", "Read"]
    assert linear_api.asked[2][1] == {"id": MARKER}


def test_a_conflict_is_recognised_by_reading_not_by_its_words(linear_api, linear_tracker):
    linear_api.gives(Create=error("INPUT_ERROR", message="in anderen Worten"), Read=FOUND)

    assert linear_tracker().create(draft()).key == "FBH-12"


def test_an_input_error_without_such_an_issue_is_a_refusal(linear_api, linear_tracker):
    linear_api.gives(
        Create=error("INPUT_ERROR", "invalid input", said="Title is bad."), Read=NOT_FOUND
    )

    refused = failure(linear_tracker().create, draft())

    assert refused.outcome is Outcome.REFUSED_FOR_GOOD
    assert str(refused) == "Linear refused FBH: Title is bad."


@pytest.mark.parametrize(
    "reading", [INTERNAL, (503, {}), RATELIMITED, (429, {}), (401, NO_KEY), {"data": {"issue": {}}}]
)
def test_a_conflict_that_cannot_be_read_stays_unknown(linear_api, linear_tracker, reading):
    linear_api.gives(Create=CONFLICT, Read=reading)

    assert failure(linear_tracker().create, draft()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        INTERNAL,
        error("LOCK_TIMEOUT", "lock timeout"),
        error("SOMETHING_NEW", "something new"),
        {"errors": [{"message": "no extensions"}], "data": None},
        {"errors": ["strange"]},
        {"errors": "strange"},
        (400, {"errors": [{"message": "no reason"}]}),
        {"data": {"issueCreate": {"success": False, "issue": None}}},
        {"data": {"issueCreate": {"success": True, "issue": {"id": "7"}}}},
        {"data": {"issueCreate": {"success": True, "issue": {"id": MARKER}}}},
        {"data": {}},
        {"data": None},
        {"unexpected": [1, 2, 3]},
        [1],
        (500, INTERNAL),
        (302, {}),
        Response("<html>", 200, content_type="text/html"),
        Response("<html>", 502, content_type="text/html"),
        Response("<html>", 400, content_type="text/html"),
        Response('{"data": {"issueC', 200, content_type="application/json"),
        Response("", 200, content_type="application/json"),
    ],
)
def test_create_is_unknown_and_sent_once_when_the_answer_proves_nothing(
    linear_api, linear_tracker, answer
):
    linear_api.gives(Create=answer)

    assert failure(linear_tracker().create, draft()).outcome is Outcome.UNKNOWN
    assert linear_api.operations.count("Create") == 1


def test_an_issue_in_the_answer_is_made_even_beside_errors(linear_api, linear_tracker):
    linear_api.gives(Create=INTERNAL | {"data": CREATED["data"]})

    assert linear_tracker().create(draft()).key == "FBH-12"


@pytest.mark.parametrize(
    ("answer", "outcome", "words", "credential"),
    [
        ((400, NO_KEY), "refused_for_good", "does not accept the key", True),
        ((401, NO_KEY), "refused_for_good", "does not accept the key", True),
        ((403, {}), "refused_for_good", "the key may not do this", False),
        (error("FORBIDDEN", "forbidden", said="No."), "refused_for_good", "No.", False),
        (error(None, "usage limit exceeded"), "refused_for_good", "Linear refused FBH", False),
        ((400, error("GRAPHQL_VALIDATION_FAILED", "graphql error")), "refused_for_good", "", False),
        ((400, {}), "refused_for_good", "status 400", False),
        ((400, RATELIMITED), "refused_try_later", "asks to wait", False),
        ((200, RATELIMITED), "refused_try_later", "asks to wait", False),
        ((429, RATELIMITED), "refused_try_later", "asks to wait", False),
    ],
)  # fmt: skip
def test_create_says_what_was_refused(
    linear_api, linear_tracker, answer, outcome, words, credential
):
    linear_api.gives(Create=answer)

    refused = failure(linear_tracker().create, draft())

    assert (refused.outcome, refused.credential_refused) == (outcome, credential)
    assert words in str(refused)


def test_a_rate_limit_names_the_time_of_the_budget_that_is_spent(linear_api, linear_tracker):
    soon, later = (int((time.time() + s) * 1000) for s in (30, 3000))
    linear_api.gives(
        Create=Response(
            json.dumps(RATELIMITED),
            400,
            content_type="application/json",
            headers={
                "X-RateLimit-Requests-Remaining": "0",
                "X-RateLimit-Requests-Reset": str(soon),
                "X-RateLimit-Complexity-Remaining": "9",
                "X-RateLimit-Complexity-Reset": str(later),
            },
        )
    )

    assert 25 < failure(linear_tracker().create, draft()).retry_after <= 32


@pytest.mark.parametrize("answer", [INTERNAL, (500, {}), (400, RATELIMITED), {"data": {}}])
def test_create_that_fails_before_the_mutation_has_made_nothing(linear_api, linear_tracker, answer):
    linear_api.gives(Prepare=answer)

    assert failure(linear_tracker().create, draft()).outcome is Outcome.REFUSED_TRY_LATER
    assert "Create" not in linear_api.operations


def test_create_names_a_team_that_is_not_shown(linear_api, linear_tracker):
    linear_api.gives(Prepare=NOT_FOUND)

    refused = failure(linear_tracker().create, draft())

    assert refused.outcome is Outcome.REFUSED_FOR_GOOD
    assert "no team FBH" in str(refused)


def test_create_wants_a_marker_that_is_a_uuid_version_4(linear_tracker):
    for marker in ("7", "00000000-0000-5000-8000-000000000000", hashlib.sha256().hexdigest()):
        with pytest.raises(ValueError, match="UUID"):
            linear_tracker().create(draft(marker=marker))


# --- finding and reading --------------------------------------------------------------------------


def test_find_reads_the_marker_as_an_id(linear_api, linear_tracker):
    linear_api.gives(Read=[FOUND, NOT_FOUND, INTERNAL])

    assert [ticket.key for ticket in linear_tracker().find(MARKER)] == ["FBH-12"]
    assert linear_tracker().find(MARKER) == []
    assert failure(linear_tracker().find, MARKER).outcome is Outcome.REFUSED_TRY_LATER


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("triage", "open"),
        ("backlog", "open"),
        ("unstarted", "open"),
        ("started", "in_progress"),
        ("completed", "done"),
        ("canceled", "wont_fix"),
        ("duplicate", "duplicate"),
        ("paused", "unknown"),
        ("", "unknown"),
    ],
)
def test_read_judges_by_the_type_of_the_state(linear_api, linear_tracker, type_, expected):
    linear_api.gives(Read={"data": {"issue": issue(type_, "Done")}})

    assert linear_tracker().read(MARKER).state == expected


def test_read_follows_the_owners_table_and_says_when_a_ticket_is_gone(linear_api, linear_tracker):
    linear_api.gives(Read={"data": {"issue": issue("started", "In Review")}})
    assert linear_tracker({"in review": "done"}).read(MARKER).state == "done"

    linear_api.gives(Read={"data": {"issue": issue(trashed=True)}})
    assert linear_tracker().read(MARKER).state is TicketState.DELETED

    linear_api.gives(Read=NOT_FOUND)
    assert linear_tracker().read(MARKER).state is TicketState.DELETED


def test_read_shows_no_link_that_leads_elsewhere(linear_api, linear_tracker):
    for url in ("https://evil.test/x", "javascript:alert(1)", "https://linear.app@evil.test/"):
        linear_api.gives(Read={"data": {"issue": issue(url=url)}})
        assert linear_tracker().read(MARKER).url == ""


def test_an_id_that_is_none_is_refused(linear_tracker):
    for bad in ("FBH-12", "", "x" * 36):
        assert failure(linear_tracker().read, bad).outcome is Outcome.REFUSED_FOR_GOOD


# --- comments, reopening, links -------------------------------------------------------------------


def test_comment_takes_its_marker_as_its_id_and_is_made_once(linear_api, linear_tracker):
    made = {"data": {"commentCreate": {"success": True, "comment": {"id": OTHER_MARKER}}}}
    there = {"data": {"comment": {"id": OTHER_MARKER}}}
    linear_api.gives(Comment=[made, CONFLICT], ReadComment=there)

    assert linear_tracker().comment(MARKER, HOSTILE, OTHER_MARKER) == OTHER_MARKER
    assert linear_tracker().comment(MARKER, HOSTILE, OTHER_MARKER) == OTHER_MARKER
    values = linear_api.asked[0][1]["input"]
    assert (values["id"], values["issueId"]) == (OTHER_MARKER, MARKER)
    assert "\\!\\[x\\]" in values["body"]


def test_comment_that_is_refused_or_lost_says_so(linear_api, linear_tracker):
    linear_api.gives(Comment=NOT_FOUND, ReadComment=NOT_FOUND)
    assert (
        failure(linear_tracker().comment, MARKER, "x", OTHER_MARKER).outcome == "refused_for_good"
    )

    linear_api.gives(Comment=INTERNAL)
    assert failure(linear_tracker().comment, MARKER, "x", OTHER_MARKER).outcome is Outcome.UNKNOWN


def states(*kinds):
    nodes = [{"id": f"{k}-{p}", "name": k, "type": k, "position": p} for k, p in kinds]
    return {"states": {"nodes": nodes}}


def test_reopen_moves_to_the_first_state_that_is_not_started(linear_api, linear_tracker):
    team = states(("completed", 0), ("backlog", 1), ("unstarted", 5), ("unstarted", 2))
    linear_api.gives(
        States={"data": {"issue": issue("completed", "Done", team=team)}},
        Move={"data": {"issueUpdate": {"success": True, "issue": issue("unstarted", "Todo")}}},
    )

    ticket = linear_tracker().reopen(MARKER)

    assert linear_api.asked[-1] == ("Move", {"id": MARKER, "state": "unstarted-2"})
    assert (ticket.state, ticket.status_name) == (TicketState.OPEN, "Todo")


def test_reopen_leaves_an_open_ticket_alone_and_says_what_it_cannot_do(linear_api, linear_tracker):
    linear_api.gives(States={"data": {"issue": issue("started")}})
    assert linear_tracker().reopen(MARKER).state is TicketState.IN_PROGRESS

    for gone in (NOT_FOUND, {"data": {"issue": issue(trashed=True)}}):
        linear_api.gives(States=gone)
        assert "no longer shows FBH-12" in str(failure(linear_tracker().reopen, MARKER, "FBH-12"))

    linear_api.gives(States={"data": {"issue": issue("completed", team=states(("completed", 1)))}})
    assert failure(linear_tracker().reopen, MARKER).outcome is Outcome.REFUSED_FOR_GOOD
    assert "Move" not in linear_api.operations


def test_link_back_is_an_attachment_with_our_address(linear_api, linear_tracker):
    linear_api.gives(
        Link={"data": {"attachmentCreate": {"success": True, "attachment": {"id": "a"}}}}
    )

    linear_tracker().link_back(MARKER, url="https://hub.example.com/p/1", title="Problem 1")

    assert linear_api.asked[0][1]["input"] == {
        "issueId": MARKER, "url": "https://hub.example.com/p/1", "title": "Problem 1",
    }  # fmt: skip


# --- testing the connection -----------------------------------------------------------------------


def test_check_tells_who_and_where(linear_api, linear_tracker):
    linear_api.gives(
        Viewer={"data": {"viewer": {"id": "u-1", "name": "Bot"}, "organization": {"name": "Acme"}}},
        Team={"data": {"team": {"id": TEAM_ID, "key": "FBH", "name": "LLM incidents"}}},
    )

    report = linear_tracker().check()

    assert report.lines == ("Signed in to Acme as Bot.", "Tickets go to LLM incidents (FBH).")
    assert (report.account_id, report.warnings) == ("u-1", ())


def test_check_names_a_wrong_key_and_a_wrong_team(linear_api, linear_tracker):
    linear_api.gives(Viewer=(401, NO_KEY))
    assert failure(linear_tracker().check).credential_refused

    linear_api.gives(
        Viewer={"data": {"viewer": {"id": "u-1", "name": "Bot"}, "organization": {"name": "A"}}},
        Team=NOT_FOUND,
    )
    assert "no team FBH" in str(failure(linear_tracker().check))
    assert list(failure(linear_tracker(secrets={"api_key": ""}).check).errors) == ["api_key"]


# --- the documents --------------------------------------------------------------------------------


def test_documents_are_fixed_and_every_list_names_its_length():
    for document in linear_documents.DOCUMENTS:
        parsed = graphql.parse(document)
        graphql.visit(parsed, NoLiteralText())
        for connection in re.findall(r"\b(?:issueLabels|states|issues|comments)\b[^{]*", document):
            assert "first:" in connection


class NoLiteralText(graphql.Visitor):
    def enter_string_value(self, node, *_):
        raise AssertionError(f"text in a document: {node.value!r}")


@pytest.mark.shared
def test_documents_pass_linears_own_schema():
    sdl = Path(os.environ["FEEDBACKHUB_SHARED"]) / "contracts" / "linear.schema.graphql"
    schema = graphql.build_schema(sdl.read_text(), assume_valid_sdl=True)

    for document in linear_documents.DOCUMENTS:
        assert graphql.validate(schema, graphql.parse(document)) == []


# --- webhooks -------------------------------------------------------------------------------------


def signed(payload, secret=SECRET, **headers):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return raw, {
        "Linear-Signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(),
        "Linear-Delivery": "delivery-1",
        **headers,
    }


def event(subject="Issue", action="update", age=0, **more):
    return {
        "action": action,
        "type": subject,
        "actor": {"id": "u-2", "name": "Emma"},
        "createdAt": "2026-11-20T09:59:00.000Z",
        "data": issue("completed", "Done"),
        "webhookTimestamp": int((NOW.timestamp() - age) * 1000),
        **more,
    }


def refused_webhook(adapter, raw, headers, now=NOW):
    with pytest.raises(WebhookRefused) as caught:
        adapter.verify_webhook(raw, headers, now=now)
    return caught.value.status


@pytest.mark.parametrize("age", [0, 59, -59])
def test_verify_webhook_accepts_a_signed_body_of_this_minute(linear_tracker, age):
    raw, headers = signed(event(age=age))

    assert linear_tracker().verify_webhook(raw, headers, now=NOW) is None
    assert refused_webhook(linear_tracker(), raw, headers, now=NOW + timedelta(minutes=2)) == 401


@pytest.mark.parametrize("age", [61, -61, 3600, -3600])
def test_verify_webhook_refuses_a_signed_body_of_another_time(linear_tracker, age):
    raw, headers = signed(event(age=age))

    fresh = {"Linear-Timestamp": str(int(NOW.timestamp() * 1000))}
    assert refused_webhook(linear_tracker(), raw, headers | fresh) == 401


@pytest.mark.parametrize("stamp", [None, "1763632800000", True, [], float("nan"), 1e400, "now"])
def test_verify_webhook_refuses_a_body_without_a_usable_time(linear_tracker, stamp):
    fresh = {"Linear-Timestamp": str(int(NOW.timestamp() * 1000))}
    missing = event()
    del missing["webhookTimestamp"]

    for payload in (missing, event(webhookTimestamp=stamp)):
        assert refused_webhook(linear_tracker(), *signed(payload, **fresh)) == 401


@pytest.mark.parametrize(
    "signature", [None, "", "0" * 64, "é" * 64, "\ud800", "sha256=" + "0" * 64]
)
def test_verify_webhook_refuses_missing_wrong_and_strange_signatures(linear_tracker, signature):
    raw, headers = signed(event())
    del headers["Linear-Signature"]
    if signature is not None:
        headers["Linear-Signature"] = signature

    assert refused_webhook(linear_tracker(), raw, headers) == 401


def test_verify_webhook_judges_the_raw_bytes_by_this_connections_secret(linear_tracker):
    raw, headers = signed(event())

    linear_tracker().verify_webhook(raw, {k.lower(): v for k, v in headers.items()}, now=NOW)
    assert refused_webhook(linear_tracker(), raw + b" ", headers) == 401
    assert refused_webhook(linear_tracker(secrets={"webhook_secret": "x"}), raw, headers) == 401
    unset = linear_tracker(secrets={"webhook_secret": ""})
    assert refused_webhook(unset, *signed(event(), secret="")) == 401


def test_verify_webhook_answers_400_to_a_signed_body_that_is_no_json(linear_tracker):
    assert refused_webhook(linear_tracker(), *signed(b'{"action": "upd')) == 400


def test_parse_webhook_of_a_state_change(linear_tracker):
    parsed = linear_tracker().parse_webhook(*signed(event()))

    assert (parsed.kind, parsed.remote_id, parsed.key) == (EventKind.UPDATED, MARKER, "FBH-12")
    assert (parsed.state, parsed.status_name) == (TicketState.DONE, "Done")
    assert parsed.updated_at == datetime(2026, 11, 20, 9, 59, tzinfo=UTC)  # the earlier of the two
    assert (parsed.delivery_id, parsed.actor_id, parsed.markers) == ("delivery-1", "u-2", (MARKER,))
    assert "Emma" not in json.dumps(parsed.to_json())


def test_parse_webhook_of_other_events(linear_tracker):
    made = linear_tracker().parse_webhook(*signed(event(action="create")))
    assert made.kind is EventKind.CREATED

    removed = linear_tracker().parse_webhook(*signed(event(action="remove")))
    assert (removed.kind, removed.state) == (EventKind.DELETED, TicketState.DELETED)

    binned = linear_tracker().parse_webhook(*signed(event(data=issue(trashed=True))))
    assert binned.state is TicketState.DELETED

    data = {"id": OTHER_MARKER, "issueId": MARKER, "issue": {"identifier": "FBH-12"},
            "body": "Fixed?", "updatedAt": "2026-11-20T10:00:00Z"}  # fmt: skip
    said = linear_tracker().parse_webhook(*signed(event("Comment", "create", data=data)))
    assert (said.kind, said.remote_id, said.key) == (EventKind.COMMENTED, MARKER, "FBH-12")
    assert (said.state, said.comment) == (None, "Fixed?")


@pytest.mark.parametrize(
    "payload",
    [
        event("Project"),
        event("Comment", "remove"),
        event(action="restore"),
        event(data={"id": "7"}),
        event(data=None),
        {},
    ],
)
def test_parse_webhook_ignores_what_is_not_about_a_ticket(linear_tracker, payload):
    assert linear_tracker().parse_webhook(*signed(payload)) is None


def test_parse_webhook_survives_any_shape_of_known_fields(linear_tracker):
    for strange in (None, 7, "x", [], {}, [[]], {"name": 7}, True, "\ud800\x00", 1e308):
        data = {"id": MARKER} | dict.fromkeys(
            ("state", "identifier", "updatedAt", "trashed", "url"), strange
        )
        parsed = linear_tracker().parse_webhook(
            *signed(event(data=data, actor=strange, createdAt=strange))
        )
        assert parsed.remote_id == MARKER
        json.dumps(parsed.to_json(), ensure_ascii=False).encode()
        linear_tracker().parse_webhook(*signed(event(data=strange)))
        linear_tracker().parse_webhook(*signed(event(subject=strange, action=strange)))
