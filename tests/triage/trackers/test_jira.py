"""Jira, against a small server of our own that answers as the test says."""

import base64
import hashlib
import hmac
import json
import traceback

import pytest

from feedbackhub.outbound import Limits, OutboundError, Outcome
from tests.triage.trackers.drafts import HOSTILE, MARKER, OTHER_MARKER, draft, hostile_draft
from triage.trackers.base import ConfigError, EventKind, TicketState, WebhookRefused
from triage.trackers.jira import Jira

LABEL = f"fbh-{MARKER}"
TOKEN = "token-that-must-not-leak"
SECRET = "It's a Secret to Everybody"
CLOUD_ID = "11223344-a1b2-3b33-c444-def123456789"
API = "/rest/api/3"
META = f"{API}/issue/createmeta/FBH/issuetypes"
OPEN_SITE = {"base_url": "https://acme.atlassian.net", "project_key": "FBH", "issue_type": "Bug",
             "email": "bot@acme.test"}  # fmt: skip
MADE = {"id": "10101", "key": "FBH-7", "self": "https://evil.test/rest/api/3/issue/10101"}


def field(name, *, required=False, default=False, **more):
    return {"fieldId": name, "key": name, "name": name.title(), "required": required,
            "hasDefaultValue": default, "operations": ["set"], "schema": {"type": "string"},
            **more}  # fmt: skip


PRIORITY = field(
    "priority",
    default=True,
    allowedValues=[{"id": str(n), "name": name} for n, name in
                   enumerate(("Highest", "High", "Medium", "Low", "Lowest"), 1)],
)  # fmt: skip
SCREEN = [
    field("project", required=True),
    field("issuetype", required=True),
    field("summary", required=True),
    field("reporter", required=True, default=True),
    field("description"),
    field("labels"),
    PRIORITY,
]


@pytest.fixture
def site(httpserver):
    """A Jira whose project FBH has the usual create screen."""

    class Site:
        def __init__(self):
            self.screen(SCREEN)

        def answers(self, method, path, body, status=200, **more):
            httpserver.expect_request(API + path, method=method).respond_with_json(
                body, status=status, **more
            )

        def screen(self, fields, types=(("10001", "Task"), ("10002", "Bug"))):
            httpserver.clear_all_handlers()
            rows = [{"id": id_, "name": name} for id_, name in types]
            httpserver.expect_request(META).respond_with_json(
                {"issueTypes": rows, "total": len(rows), "startAt": 0, "maxResults": 50}
            )
            httpserver.expect_request(META + "/10002").respond_with_json(
                {"fields": fields, "total": len(fields), "startAt": 0, "maxResults": 50}
            )

        def sent(self, method=None):
            return [
                (seen.method, seen.path, json.loads(seen.data) if seen.data else None)
                for seen, _ in httpserver.log
                if method in (None, seen.method)
            ]

        @property
        def headers(self):
            return [seen.headers for seen, _ in httpserver.log]

        @property
        def queries(self):
            return [seen.args.to_dict() for seen, _ in httpserver.log]

    return Site()


@pytest.fixture
def jira(httpserver):
    def make(status_map=None, secrets=None, **config):
        return Jira(
            {
                "base_url": httpserver.url_for("").removesuffix("/"),
                "project_key": "FBH",
                "issue_type": "Bug",
                "email": "bot@acme.test",
                **config,
            },
            {"api_token": TOKEN, "webhook_secret": SECRET, **(secrets or {})},
            status_map=status_map,
            allowed_hosts=[f"{httpserver.host}:{httpserver.port}"],
            limits=Limits(connect=1, read=0.4, total=1),
        )

    return make


def failure(call, *args, **options):
    with pytest.raises(OutboundError) as caught:
        call(*args, **options)
    shown = str(caught.value) + "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    assert base64.b64encode(f"bot@acme.test:{TOKEN}".encode()).decode() not in shown
    return caught.value


def issue(status="To Do", category="new", resolution=None, **more):
    return {
        "id": "10101",
        "key": "FBH-7",
        "fields": {
            "status": {"id": "1", "name": status, "statusCategory": {"key": category}},
            "resolution": resolution and {"id": "1", "name": resolution},
            "updated": "2026-11-20T10:00:00.000+0100",
            "labels": [LABEL],
        },
        **more,
    }


# --- settings -------------------------------------------------------------------------------------


def normalise(allowed_hosts=(), secrets=None, **config):
    return Jira.normalise_config(
        {**OPEN_SITE, **config}, secrets or {"api_token": "t"}, allowed_hosts=allowed_hosts
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.atlassian.net", "https://acme.atlassian.net"),
        (" https://ACME.atlassian.net/ ", "https://acme.atlassian.net"),
        ("https://a-1.atlassian.net", "https://a-1.atlassian.net"),
        (
            f"https://api.atlassian.com/ex/jira/{CLOUD_ID}/",
            f"https://api.atlassian.com/ex/jira/{CLOUD_ID}",
        ),
        ("http://127.0.0.1:8071", "http://127.0.0.1:8071"),
        ("http://127.0.0.1:8071/", "http://127.0.0.1:8071"),
        (
            f"http://127.0.0.1:8071/ex/jira/{CLOUD_ID}",
            f"http://127.0.0.1:8071/ex/jira/{CLOUD_ID}",
        ),
        ("https://jira.intranet:8443", "https://jira.intranet:8443"),
    ],
)
def test_normalise_config_keeps_sites_the_gateway_and_opened_hosts(given, kept):
    opened = ["127.0.0.1:8071", "jira.intranet:8443"]

    assert normalise(opened, base_url=given)[0]["base_url"] == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "acme.atlassian.net",
        "http://acme.atlassian.net",
        "https://atlassian.net",
        "https://acme.atlassian.net.evil.test",
        "https://acme.atlassian.net@evil.test",
        "https://evil.test@acme.atlassian.net",
        "https://acme.atlassian.net:443",
        "https://acme.atlassian.net/rest",
        "https://acme.atlassian.net?x=1",
        "https://acme.atlassian.net#x",
        "https://acme.atlassian.net\n.evil.test",
        "https://a.b.atlassian.net",
        "https://-a.atlassian.net",
        "https://acme.atlassian.net\\@evil.test",
        "https://evil.test/https://acme.atlassian.net",
        "https://api.atlassian.com",
        "https://api.atlassian.com/ex/jira/not-a-uuid",
        f"https://api.atlassian.com/ex/jira/{CLOUD_ID}/../x",
        f"https://api.atlassian.com/ex/confluence/{CLOUD_ID}",
        "http://169.254.169.254",
        "http://127.0.0.1:8072",
        "http://user@127.0.0.1:8071",
        "http://127.0.0.1:8071/other",
        "http://127.0.0.1:8071/?x=1",
        "https://evil.test",
        "file:///etc/passwd",
    ],
)
def test_normalise_config_refuses_every_other_address(given):
    with pytest.raises(ConfigError) as caught:
        normalise(["127.0.0.1:8071"], base_url=given)

    assert list(caught.value.errors) == ["base_url"]


def test_a_stored_row_with_a_bad_address_is_not_called_either():
    evil = Jira(
        {**OPEN_SITE, "base_url": "https://evil.test"}, {"api_token": TOKEN}, allowed_hosts=[]
    )
    for call in (evil.check, lambda: evil.create(draft()), lambda: evil.find(MARKER)):
        assert isinstance(failure(call), ConfigError)
    climbing = Jira({**OPEN_SITE, "project_key": "../.."}, {"api_token": TOKEN}, allowed_hosts=[])
    assert list(failure(lambda: climbing.create(draft())).errors) == ["project_key"]


def test_normalise_config_says_what_each_field_needs():
    with pytest.raises(ConfigError) as caught:
        Jira.normalise_config(
            {
                "base_url": "x",
                "project_key": "a b",
                "email": "nobody",
                "extra_fields": "{",
                "site_url": "x",
            },
            {"api_token": "tok en", "webhook_secret": "ümlaut"},
            allowed_hosts=[],
        )

    assert set(caught.value.errors) == {
        "base_url", "project_key", "issue_type", "email", "extra_fields", "site_url", "api_token",
        "webhook_secret",
    }  # fmt: skip
    assert "tok en" not in str(caught.value)


def test_normalise_config_tidies_and_drops_unknown_names():
    config, secrets = normalise(
        secrets={"api_token": " t \n", "webhook_secret": SECRET, "other": "x"},
        project_key=" fbh ",
        issue_type=" Bug ",
        extra_fields='{"customfield_1": {"value": "High"}}',
        stray="x",
    )

    assert config == {
        "base_url": "https://acme.atlassian.net",
        "project_key": "FBH",
        "issue_type": "Bug",
        "email": "bot@acme.test",
        "site_url": "",
        "extra_fields": {"customfield_1": {"value": "High"}},
    }
    assert secrets == {"api_token": "t", "webhook_secret": SECRET}


def test_normalise_config_wants_an_account_at_a_site_and_none_at_the_gateway():
    with pytest.raises(ConfigError):
        normalise(email="")

    gateway = f"https://api.atlassian.com/ex/jira/{CLOUD_ID}"
    assert normalise(email="", base_url=gateway)[0]["email"] == ""


@pytest.mark.parametrize(
    "extra", ['{"summary": "x"}', '{"labels": []}', "[1]", "7", "{", "[" * 9000]
)
def test_normalise_config_refuses_further_fields_that_are_ours_or_no_object(extra):
    with pytest.raises(ConfigError) as caught:
        normalise(extra_fields=extra)

    assert list(caught.value.errors) == ["extra_fields"]


# --- creating -------------------------------------------------------------------------------------


def test_create_sends_label_and_property_in_one_body(site, jira):
    site.answers("POST", "/issue", MADE, 201)

    ticket = jira().create(draft())

    (_, path, body), *others = site.sent("POST")
    assert (path, others) == (f"{API}/issue", [])
    assert body["properties"] == [{"key": "feedbackhub", "value": {"marker": LABEL}}]
    assert {name: value for name, value in body["fields"].items() if name != "description"} == {
        "project": {"key": "FBH"},
        "issuetype": {"id": "10002"},
        "summary": "Outdated tax rate quoted",
        "labels": [LABEL, "feedback", "critical"],
        "priority": {"id": "1"},
    }
    assert body["fields"]["description"]["type"] == "doc"
    assert (ticket.remote_id, ticket.key, ticket.state) == ("10101", "FBH-7", TicketState.OPEN)
    assert ticket.url.endswith("/browse/FBH-7")
    assert "evil" not in ticket.url


def test_create_signs_in_with_account_and_token_or_with_a_bare_token(site, jira):
    site.answers("POST", "/issue", MADE, 201)

    jira().create(draft())
    jira(email="").create(draft())

    expected = base64.b64encode(f"bot@acme.test:{TOKEN}".encode()).decode()
    assert site.headers[0]["Authorization"] == f"Basic {expected}"
    assert site.headers[-1]["Authorization"] == f"Bearer {TOKEN}"


def test_create_keeps_a_hostile_draft_within_jiras_rules(site, jira):
    site.answers("POST", "/issue", MADE, 201)

    jira().create(hostile_draft())

    fields = site.sent("POST")[0][2]["fields"]
    assert fields["labels"] == [LABEL, "two-words", "tab-bed", "ok", "x" * 100]
    assert len(fields["summary"]) <= 255
    assert "\n" not in fields["summary"]
    assert len(json.dumps(fields["description"], ensure_ascii=False)) <= 32_767


def test_create_sets_only_what_the_create_screen_holds(site, jira):
    site.screen([f for f in SCREEN if f["fieldId"] not in ("priority", "description")])
    site.answers("POST", "/issue", MADE, 201)

    jira().create(draft())

    assert set(site.sent("POST")[0][2]["fields"]) == {"project", "issuetype", "summary", "labels"}


def test_create_sets_no_priority_where_its_names_are_unknown(site, jira):
    strange = field("priority", allowedValues=[{"id": "1", "name": "P-rot"}])
    site.screen([*SCREEN[:-1], strange])
    site.answers("POST", "/issue", MADE, 201)

    jira().create(draft())

    assert "priority" not in site.sent("POST")[0][2]["fields"]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", "1"), ("high", "2"), ("medium", "3"), ("low", "4"), ("none", "5"), ("?", None)],
)
def test_create_translates_the_severity(site, jira, severity, expected):
    site.answers("POST", "/issue", MADE, 201)

    jira().create(draft(severity=severity))

    assert site.sent("POST")[0][2]["fields"].get("priority") == (expected and {"id": expected})


def test_create_sends_the_further_fields_a_project_requires(site, jira):
    site.screen([*SCREEN, field("customfield_10050", required=True)])
    site.answers("POST", "/issue", MADE, 201)

    error = failure(jira().create, draft())
    assert error.outcome is Outcome.REFUSED_FOR_GOOD
    assert "FBH requires of every ticket: Customfield_10050" in str(error)
    assert site.sent("POST") == []

    jira(extra_fields={"customfield_10050": {"value": "High"}}).create(draft())
    assert site.sent("POST")[0][2]["fields"]["customfield_10050"] == {"value": "High"}


def test_create_refuses_a_screen_without_labels_and_fields_it_does_not_hold(site, jira):
    error = failure(jira(extra_fields={"customfield_9": 1}).create, draft())
    assert "no field customfield_9" in str(error)

    site.screen([f for f in SCREEN if f["fieldId"] != "labels"])
    assert "no labels" in str(failure(jira().create, draft()))
    assert site.sent("POST") == []


def test_create_finds_the_issue_type_by_name_or_id_and_names_what_is_offered(site, jira):
    site.answers("POST", "/issue", MADE, 201)
    jira(issue_type="bug").create(draft())
    jira(issue_type="10002").create(draft())

    error = failure(jira(issue_type="Incident").create, draft())

    assert "no issue type “Incident” in FBH" in str(error)
    assert "Task, Bug" in str(error)


def test_create_reads_every_page_of_the_create_screen(httpserver, jira):
    pages = [SCREEN[:4], SCREEN[4:]]
    httpserver.expect_request(META).respond_with_json(
        {"issueTypes": [{"id": "10002", "name": "Bug"}], "total": 1}
    )
    for number, start in ((0, "0"), (1, "4")):
        httpserver.expect_request(
            META + "/10002", query_string={"startAt": start, "maxResults": "200"}
        ).respond_with_json({"fields": pages[number], "total": len(SCREEN)})
    httpserver.expect_request(f"{API}/issue", method="POST").respond_with_json(MADE, status=201)

    assert jira().create(draft()).key == "FBH-7"


@pytest.mark.parametrize(
    "spoil",
    [
        {"response_data": "<html>log in</html>", "content_type": "text/html"},
        {"response_data": '{"id": "101', "content_type": "application/json"},
        {"response_data": "", "content_type": "application/json"},
        {"response_data": '{"unexpected": [1]}', "content_type": "application/json"},
        {"response_data": '{"id": "10101"}', "content_type": "application/json"},
        {"response_data": '{"id": "../..", "key": "FBH-7"}', "content_type": "application/json"},
        {"response_data": "[]", "content_type": "application/json"},
        {"response_data": "{}", "status": 500, "content_type": "application/json"},
        {"response_data": "<h1>", "status": 502, "content_type": "text/html"},
        {"response_data": "", "status": 302, "headers": {"Location": "/elsewhere"}},
    ],
)
def test_create_is_unknown_and_sent_once_when_the_answer_proves_nothing(
    httpserver, site, jira, spoil
):
    httpserver.expect_request(f"{API}/issue", method="POST").respond_with_data(
        **{"status": 201, **spoil}
    )

    assert failure(jira().create, draft()).outcome is Outcome.UNKNOWN
    assert len(site.sent("POST")) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected", "words"),
    [
        (400, {"errorMessages": [], "errors": {"priority": "cannot be set"}},
         "refused_for_good", "priority: cannot be set"),
        (401, {}, "refused_for_good", "does not accept the token of FBH"),
        (403, {}, "refused_for_good", "Jira refused FBH: the token may not create issues there."),
        (404, {}, "refused_for_good", "the token may not create issues"),
        (410, {}, "refused_for_good", "no longer offers"),
        (422, {"errorMessages": ["Nope."]}, "refused_for_good", "Nope."),
        (409, {"errorMessages": ["Busy."]}, "refused_try_later", "Busy."),
        (429, {}, "refused_try_later", "asks to wait"),
    ],
)  # fmt: skip
def test_create_says_who_refused_what_and_the_next_step(site, jira, status, body, expected, words):
    site.answers("POST", "/issue", body, status, headers={"Retry-After": "17"})

    error = failure(jira().create, draft())

    assert (error.outcome, error.status) == (expected, status)
    assert words in str(error)
    assert error.credential_refused is (status == 401)
    if status == 429:
        assert error.retry_after == 17


@pytest.mark.parametrize(
    ("reason", "headers", "wait"),
    [
        ("jira-burst-based", {"Retry-After": "3"}, 3),
        ("jira-per-issue-on-write", {"Retry-After": "2"}, 2),
        ("jira-quota-global-based", {"Retry-After": "1800"}, 1_800),
        ("jira-quota-tenant-based", {"Retry-After": "900", "X-RateLimit-NearLimit": "true"}, 900),
    ],
)
def test_each_of_the_limits_is_refused_for_now_for_as_long_as_it_says(
    site, jira, reason, headers, wait
):
    site.answers("POST", "/issue", {}, 429, headers={"RateLimit-Reason": reason, **headers})

    error = failure(jira().create, draft())

    assert (error.outcome, error.status, error.retry_after) == ("refused_try_later", 429, wait)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_create_that_fails_before_the_post_has_made_nothing(httpserver, site, jira, status):
    httpserver.clear_all_handlers()
    httpserver.expect_request(META).respond_with_data("", status=status)

    assert failure(jira().create, draft()).outcome is Outcome.REFUSED_TRY_LATER
    assert site.sent("POST") == []


def test_create_wants_a_marker_that_is_a_uuid_version_4(jira):
    for marker in ("7", "00000000-0000-1000-8000-000000000000", ""):
        with pytest.raises(ValueError, match="UUID"):
            jira().create(draft(marker=marker))


def test_links_lead_to_the_site_behind_the_gateway(httpserver, jira):
    gateway = httpserver.url_for(f"/ex/jira/{CLOUD_ID}")
    httpserver.expect_request(f"/ex/jira/{CLOUD_ID}{API}/issue/10101").respond_with_json(issue())

    through = jira(base_url=gateway, email="", site_url="https://acme.atlassian.net")
    assert through.read("10101").url == "https://acme.atlassian.net/browse/FBH-7"


# --- finding and reading --------------------------------------------------------------------------


def test_find_searches_by_label_at_the_current_address_with_fields_and_property(site, jira):
    site.answers("POST", "/search/jql", {"issues": [], "isLast": True})

    assert jira().find(MARKER) == []
    assert site.sent() == [
        (
            "POST",
            f"{API}/search/jql",
            {
                "jql": f'labels = "{LABEL}"',
                "fields": ["status", "resolution", "updated", "labels", "assignee"],
                "properties": ["feedbackhub"],
                "maxResults": 50,
            },
        )
    ]


def test_find_tells_our_ticket_from_a_clone_and_lists_doubles_oldest_first(site, jira):
    ours = {"feedbackhub": {"marker": LABEL}}
    site.answers(
        "POST",
        "/search/jql",
        {
            "issues": [
                issue() | {"id": "10300", "key": "FBH-9", "properties": ours},
                issue() | {"id": "10200", "key": "FBH-8", "properties": {}},
                issue() | {"id": "9000", "key": "FBH-7", "properties": ours},
            ]
        },
    )

    assert [ticket.key for ticket in jira().find(MARKER)] == ["FBH-7", "FBH-9"]


def test_find_takes_what_carries_the_label_where_no_property_is_shown(site, jira):
    site.answers("POST", "/search/jql", {"issues": [issue()]})

    assert [ticket.key for ticket in jira().find(MARKER)] == ["FBH-7"]


@pytest.mark.parametrize("answer", [{}, [], {"issues": None}, {"issues": [{"id": "x"}]}])
def test_find_never_takes_a_strange_answer_for_nothing_found(site, jira, answer):
    site.answers("POST", "/search/jql", answer)

    assert failure(jira().find, MARKER).outcome is Outcome.REFUSED_TRY_LATER


@pytest.mark.parametrize(
    ("status", "category", "resolution", "expected"),
    [
        ("To Do", "new", None, "open"),
        ("Done", "new", None, "open"),
        ("In Progress", "indeterminate", None, "in_progress"),
        ("Erledigt", "done", None, "done"),
        ("Done", "done", "Done", "done"),
        ("Done", "done", "Fixed", "done"),
        ("Done", "done", "Won't Do", "wont_fix"),
        ("Done", "done", "Won’t Fix", "wont_fix"),
        ("Done", "done", "Cannot Reproduce", "wont_fix"),
        ("Done", "done", "Duplicate", "duplicate"),
        ("Done", "done", "Sent to the moon", "unknown"),
        ("Won't Do", "done", "Done", "wont_fix"),
        ("Duplicate", "done", None, "duplicate"),
        ("Done", "undefined", None, "unknown"),
        ("Done", "", None, "unknown"),
    ],
)
def test_read_judges_by_category_and_resolution(site, jira, status, category, resolution, expected):
    site.answers("GET", "/issue/10101", issue(status, category, resolution))

    ticket = jira().read("10101")

    assert (ticket.state, ticket.status_name) == (expected, status)
    assert ticket.remote_updated_at.isoformat() == "2026-11-20T09:00:00+00:00"


def test_read_follows_the_owners_own_table_first(site, jira):
    site.answers("GET", "/issue/10101", issue("Waiting for  Legal", "done", "Done"))

    assert jira({"waiting for legal": "in_progress"}).read("10101").state == "in_progress"
    assert jira({"1": "wont_fix"}).read("10101").state == "wont_fix"
    assert jira({"Waiting for Legal": "no such state"}).read("10101").state == "done"


def test_read_of_a_ticket_that_is_gone_says_deleted(site, jira):
    site.answers("GET", "/issue/10101", {"errorMessages": ["Issue does not exist"]}, 404)

    assert jira().read("10101").state is TicketState.DELETED


def test_read_follows_a_moved_ticket_by_its_id(site, jira):
    site.answers("GET", "/issue/10101", issue() | {"key": "SEC-1"})

    assert jira().read("10101").key == "SEC-1"


def test_an_id_that_is_none_never_becomes_part_of_an_address(jira):
    for bad in ("../../myself", "", "1/2", "1?x", "FBH-1"):
        assert failure(jira().read, bad).outcome is Outcome.REFUSED_FOR_GOOD


# --- comments, reopening, links -------------------------------------------------------------------


def test_comment_is_added_once_for_its_marker(site, jira):
    site.answers("GET", "/issue/10101/comment", {"comments": [], "total": 0})
    site.answers("POST", "/issue/10101/comment", {"id": "30001"}, 201)

    assert jira().comment("10101", HOSTILE, OTHER_MARKER) == "30001"

    body = site.sent("POST")[0][2]["body"]
    assert body["type"] == "doc"
    assert body["content"][-1]["content"] == [
        {"type": "text", "text": f"FeedbackHub fbh-{OTHER_MARKER}"}
    ]


def test_comment_that_is_there_already_is_not_added_again(site, jira):
    mine = {"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": f"FeedbackHub {LABEL}"}]}]}  # fmt: skip
    site.answers(
        "GET",
        "/issue/10101/comment",
        {"comments": [{"id": "1", "body": {"type": "doc"}}, {"id": "2", "body": mine}]},
    )

    assert jira().comment("10101", "Still wrong.", MARKER) == "2"
    assert site.sent("POST") == []
    assert site.queries[0] == {"orderBy": "-created", "maxResults": "100"}


def test_comment_whose_answer_is_lost_is_unknown(site, jira):
    site.answers("GET", "/issue/10101/comment", {"comments": []})
    site.answers("POST", "/issue/10101/comment", {"no": "id"}, 201)

    assert failure(jira().comment, "10101", "x", MARKER).outcome is Outcome.UNKNOWN


def way(id_, to, category, **more):
    return {"id": id_, "name": to, "isAvailable": True, "fields": {},
            "to": {"id": "9", "name": to, "statusCategory": {"key": category}}, **more}  # fmt: skip


def test_reopen_walks_the_way_to_an_open_status_that_asks_for_nothing(httpserver, site, jira):
    needs = {"reason": {"required": True, "hasDefaultValue": False, "name": "Reason"}}
    site.answers("GET", "/issue/10101", issue("Done", "done", "Done"))
    site.answers(
        "GET",
        "/issue/10101/transitions",
        {
            "transitions": [
                way("11", "Done", "done"),
                way("21", "Doing", "indeterminate"),
                way("31", "Reopened", "new", fields=needs),
                way("41", "Blocked", "new", isAvailable=False),
                way("51", "To Do", "new", fields={"x": {"required": False}}),
            ]
        },
    )
    httpserver.expect_request(f"{API}/issue/10101/transitions", method="POST").respond_with_data(
        "", status=204
    )

    ticket = jira().reopen("10101")

    assert site.sent("POST") == [
        ("POST", f"{API}/issue/10101/transitions", {"transition": {"id": "51"}})
    ]
    assert (ticket.state, ticket.status_name, ticket.key) == ("open", "To Do", "FBH-7")


def test_reopen_leaves_an_open_ticket_alone(site, jira):
    site.answers("GET", "/issue/10101", issue("Doing", "indeterminate"))

    assert jira().reopen("10101").state == "in_progress"
    assert site.sent("POST") == []


def test_reopen_says_when_there_is_no_way_back_or_no_ticket(site, jira):
    site.answers("GET", "/issue/10101", issue("Done", "done", "Done"))
    site.answers("GET", "/issue/10101/transitions", {"transitions": [way("1", "Done", "done")]})
    site.answers("GET", "/issue/10102", {}, 404)

    error = failure(jira().reopen, "10101")
    assert (error.outcome, "FBH-7" in str(error)) == (Outcome.REFUSED_FOR_GOOD, True)
    error = failure(jira().reopen, "10102", "FBH-8")
    assert (error.outcome, "FBH-8" in str(error)) == (Outcome.REFUSED_FOR_GOOD, True)


def test_reopen_while_the_ticket_is_being_changed_may_be_tried_later(site, jira):
    site.answers("GET", "/issue/10101", issue("Done", "done", "Done"))
    site.answers("GET", "/issue/10101/transitions", {"transitions": [way("1", "To Do", "new")]})
    site.answers("POST", "/issue/10101/transitions", {"errorMessages": ["conflict"]}, 409)

    assert failure(jira().reopen, "10101").outcome is Outcome.REFUSED_TRY_LATER


def test_link_back_is_the_same_link_for_the_same_page(site, jira):
    site.answers("POST", "/issue/10101/remotelink", {"id": 1}, 201)

    for _ in range(2):
        jira().link_back("10101", url="https://hub.example.com/p/1", title="Problem\n1")

    first, second = (body for _, _, body in site.sent("POST"))
    assert first == second
    assert first["object"] == {"url": "https://hub.example.com/p/1", "title": "Problem 1"}
    assert len(first["globalId"]) <= 255


# --- testing the connection -----------------------------------------------------------------------


def permissions(**held):
    names = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES")
    return {"permissions": {n: {"havePermission": held.get(n, True)} for n in names}}


def test_check_tells_who_where_and_what_is_missing(site, jira):
    site.screen([f for f in SCREEN if f["fieldId"] != "priority"])
    site.answers("GET", "/myself", {"accountId": "5b10", "displayName": "Feedback bot"})
    site.answers("GET", "/mypermissions", permissions(TRANSITION_ISSUES=False))

    report = jira(secrets={"webhook_secret": ""}).check()

    assert report.account_id == "5b10"
    assert report.lines == ("Signed in as Feedback bot.", "Tickets go to FBH as Bug.")
    assert report.warnings == (
        "The token may not move issues between statuses in FBH.",
        "FBH has no priority on its create screen: none is set.",
        "No webhook secret is set: news from Jira comes by polling only.",
    )
    assert site.sent("POST") == []


def test_check_refuses_a_token_that_may_not_create(site, jira):
    site.answers("GET", "/myself", {"accountId": "5b10", "displayName": "Feedback bot"})
    site.answers("GET", "/mypermissions", permissions(CREATE_ISSUES=False))

    error = failure(jira().check)

    assert "Jira refused FBH: the token may not create issues there." in str(error)


def test_check_names_a_wrong_token(site, jira):
    site.answers("GET", "/myself", {}, 401)

    error = failure(jira().check)

    assert error.credential_refused
    assert "does not accept the token" in str(error)


def test_without_a_token_nothing_is_called(site, jira):
    assert list(failure(jira(secrets={"api_token": ""}).check).errors) == ["api_token"]
    assert site.sent() == []


# --- webhooks -------------------------------------------------------------------------------------


def signed(payload, secret=SECRET, **headers):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {
        "X-Hub-Signature": f"sha256={digest}",
        "X-Atlassian-Webhook-Identifier": "delivery-1",
        **headers,
    }


def event(kind="jira:issue_updated", **more):
    return {
        "timestamp": 1763632800000,  # 2025-11-20T10:00:00Z
        "webhookEvent": kind,
        "user": {"accountId": "5b11", "displayName": "Emma"},
        "issue": issue("Done", "done", "Done"),
        "changelog": {"id": "1", "items": [{"field": "status", "toString": "Done"}]},
        **more,
    }


def test_verify_webhook_accepts_atlassians_own_test_vector(jira):
    jira().verify_webhook(
        b"Hello World!",
        {
            "x-hub-signature": "sha256="
            "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
        },
    )


def refused_webhook(tracker, raw, headers):
    with pytest.raises(WebhookRefused) as caught:
        tracker.verify_webhook(raw, headers)
    return caught.value.status


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=é" + "0" * 63,
        "sha256=\ud800",
        "sha256=" + "0" * 10_000,
        "SHA256=x",
        "deadbeef",
    ],
)
def test_verify_webhook_refuses_missing_wrong_and_strange_signatures(jira, signature):
    raw, headers = signed(event())
    del headers["X-Hub-Signature"]
    if signature is not None:
        headers["X-Hub-Signature"] = signature

    assert refused_webhook(jira(), raw, headers) == 401


def test_verify_webhook_takes_no_other_method_than_sha256(jira):
    raw, headers = signed(event())
    sha1 = "sha1=" + hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()
    digest = headers["X-Hub-Signature"].partition("=")[2]

    for signature in (sha1, "sha1=" + digest, "md5=" + digest, digest):
        assert refused_webhook(jira(), raw, headers | {"X-Hub-Signature": signature}) == 401


def test_verify_webhook_judges_the_raw_bytes_by_this_connections_secret(jira):
    raw, headers = signed(event())

    jira().verify_webhook(raw, headers)
    assert refused_webhook(jira(), raw + b" ", headers) == 401
    assert refused_webhook(jira(secrets={"webhook_secret": "other"}), raw, headers) == 401


def test_verify_webhook_without_a_secret_refuses_everything(jira):
    raw, headers = signed(event(), secret="")

    assert refused_webhook(jira(secrets={"webhook_secret": ""}), raw, headers) == 401
    assert refused_webhook(jira(secrets={"webhook_secret": None}), raw, headers) == 401


def test_parse_webhook_of_a_status_change(jira):
    parsed = jira().parse_webhook(*signed(event()))

    assert (parsed.kind, parsed.remote_id, parsed.key) == (EventKind.UPDATED, "10101", "FBH-7")
    assert (parsed.state, parsed.status_name) == (TicketState.DONE, "Done")
    assert (parsed.delivery_id, parsed.actor_id) == ("delivery-1", "5b11")
    assert parsed.markers == (MARKER,)
    assert parsed.updated_at.isoformat() == "2025-11-20T10:00:00+00:00"  # the earlier of the two
    stored = json.dumps(parsed.to_json())
    assert "Emma" not in stored
    assert json.loads(stored)["state"] == "done"


def test_parse_webhook_adopts_by_label_and_by_nothing_that_only_looks_like_one(jira):
    made = event("jira:issue_created")
    made["issue"]["fields"]["labels"] = [
        f"x{LABEL}",
        "fbh-7",
        LABEL.upper(),
        7,
        f"fbh-{OTHER_MARKER}",
    ]

    parsed = jira().parse_webhook(*signed(made))

    assert (parsed.kind, parsed.markers) == (EventKind.CREATED, (OTHER_MARKER,))


def test_parse_webhook_of_a_deletion_says_deleted(jira):
    parsed = jira().parse_webhook(*signed(event("jira:issue_deleted")))

    assert (parsed.kind, parsed.state) == (EventKind.DELETED, TicketState.DELETED)


def test_parse_webhook_of_a_comment_copes_without_the_issue(jira):
    said = event(
        "comment_created",
        comment={
            "id": "30001",
            "self": "https://acme.atlassian.net/rest/api/2/issue/10101/comment/30001",
            "author": {"accountId": "5b12", "displayName": "Jo"},
            "body": "Is this \x00 fixed?",
        },
    )

    whole = jira().parse_webhook(*signed(said))
    del said["issue"]
    bare = jira().parse_webhook(*signed(said))

    assert (whole.kind, whole.remote_id, whole.comment) == (
        EventKind.COMMENTED,
        "10101",
        "Is this \N{REPLACEMENT CHARACTER} fixed?",
    )
    assert (bare.remote_id, bare.state, bare.actor_id) == ("10101", None, "5b12")
    assert "fixed" not in json.dumps(whole.to_json())


@pytest.mark.parametrize(
    "payload",
    [
        event("worklog_created"),
        event("jira:version_released"),
        {},
        {"webhookEvent": "jira:issue_updated"},
        {"webhookEvent": "jira:issue_updated", "issue": {"id": "../1"}},
        {"webhookEvent": ["jira:issue_updated"], "issue": {"id": "1"}},
        {"webhookEvent": "comment_created", "comment": {"self": "nowhere"}},
    ],
)
def test_parse_webhook_ignores_what_is_not_about_a_ticket(jira, payload):
    assert jira().parse_webhook(*signed(payload)) is None


@pytest.mark.parametrize("raw", [b"", b'{"webhookEvent": "jira:iss', b"[]", b"\xff", b"[" * 99_999])
def test_parse_webhook_answers_400_to_what_is_no_json_object(jira, raw):
    with pytest.raises(WebhookRefused) as caught:
        jira().parse_webhook(*signed(raw))

    assert caught.value.status == 400


def test_parse_webhook_survives_any_shape_of_known_fields(jira):
    for strange in (None, 7, "x", [], {}, [[]], {"name": 7}, True, "\ud800\x00", 1e308):
        shaped = event(timestamp=strange, user=strange, comment=strange)
        shaped["issue"]["fields"] = {"status": strange, "labels": strange, "updated": strange}
        parsed = jira().parse_webhook(*signed(shaped))
        assert parsed.remote_id == "10101"
        json.dumps(parsed.to_json(), ensure_ascii=False).encode()
        shaped["issue"] = strange
        jira().parse_webhook(*signed(shaped))


def test_a_delivery_without_a_usable_id_is_known_by_its_body(jira):
    raw, headers = signed(event())
    for bad in ("", "x" * 201, "two words", "é"):
        parsed = jira().parse_webhook(raw, headers | {"X-Atlassian-Webhook-Identifier": bad})
        assert parsed.delivery_id == "sha256:" + hashlib.sha256(raw).hexdigest()
