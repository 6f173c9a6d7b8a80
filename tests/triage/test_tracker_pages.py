"""Settings › Trackers: connected, tried, paused, switched off, forgotten; secrets stay where they are."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import ProblemFactory
from tests.triage.test_problem_pages import HOSTILE, escalated
from triage import connections, credentials
from triage.models import TrackerConnection, TrackerDelivery

SECRET = "token-that-must-not-leak"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def form(jira, **changes):
    return {
        "name": "Jira",
        "base_url": jira.base_url,
        "project_key": "FBH",
        "issue_type": "Bug",
        "email": "bot@acme.test",
        "site_url": "",
        "extra_fields": "",
        "api_token": SECRET,
        "webhook_secret": "",
        "files_by_itself": "on",
        "files_from": "critical",
        "status_map": "In QA = in_progress",
    } | changes


def unchanged(connection, **changes):
    """The form as it stands, its secrets left empty."""
    return form_of(connection) | changes


def form_of(connection):
    return {
        "name": connection.name,
        **{name: value or "" for name, value in connection.config.items()},
        "api_token": "",
        "webhook_secret": "",
        "files_by_itself": "on",
        "files_from": connection.files_from,
        "status_map": "",
    }


# --- connecting -----------------------------------------------------------------------------------


def test_an_owner_connects_a_tracker(as_user, olu, jira):
    answer = as_user(olu).post(url("add_connection", "jira"), form(jira))
    made = TrackerConnection.objects.get()
    assert answer.url == url("connection", made.public_id)
    assert (made.config["project_key"], made.files_from, made.status_map) == (
        "FBH",
        "critical",
        {"In QA": "in_progress"},
    )
    assert credentials.unseal(made.credentials)["api_token"] == SECRET
    assert SECRET.encode() not in bytes(made.credentials)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"base_url": "http://169.254.169.254"}, "base_url"),
        ({"base_url": "javascript:alert(1)"}, "base_url"),
        ({"project_key": "a b"}, "project_key"),
        ({"api_token": ""}, "api_token"),
        ({"extra_fields": "{no json"}, "extra_fields"),
        ({"status_map": "In QA = asleep"}, "status_map"),
        ({"files_from": "awful"}, "files_from"),
    ],
)
def test_settings_that_cannot_work_are_said_at_their_field_and_kept(
    as_user, olu, jira, change, field
):
    answer = as_user(olu).post(
        url("add_connection", "jira"), form(jira, issue_type="Kept type") | change
    )
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    text = answer.content.decode()
    assert "Kept type" in text
    assert SECRET not in text
    assert not TrackerConnection.objects.exists()


def test_a_name_is_given_once(as_user, olu, jira, connection):
    answer = as_user(olu).post(url("add_connection", "jira"), form(jira))
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["name"])


def test_an_unknown_tracker_is_not_found(as_user, olu, project):
    assert as_user(olu).get(url("add_connection", "bugzilla")).status_code == 404


def test_every_tracker_offers_its_own_fields(as_user, olu, project):
    text = as_user(olu).get(url("settings_trackers")).content.decode()
    for tracker, label in (("jira", "Connect Jira"), ("linear", "Connect Linear")):
        assert label in text
        assert label in as_user(olu).get(url("add_connection", tracker)).content.decode()


# --- testing --------------------------------------------------------------------------------------


def test_settings_are_tried_before_they_are_kept(as_user, olu, jira):
    answer = as_user(olu).post(url("add_connection", "jira"), form(jira, test="1"))
    assert answer.status_code == 200
    assert answer.context["result"].report.account_id == "us"
    assert "It works." in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert not TrackerConnection.objects.exists()


def test_by_htmx_a_test_answers_only_what_it_found(as_user, olu, jira):
    answer = as_user(olu).post(
        url("add_connection", "jira"), form(jira, test="1"), headers={"HX-Request": "true"}
    )
    assert answer.content.decode().strip().startswith('<div id="connection-test"')
    answer = as_user(olu).post(
        url("add_connection", "jira"),
        form(jira, test="1", project_key="a b"),
        headers={"HX-Request": "true"},
    )
    assert "It cannot be tried like this." in answer.content.decode()


def test_what_does_not_work_says_what_to_do(as_user, olu, jira):
    jira.goes_down(401)
    answer = as_user(olu).post(url("add_connection", "jira"), form(jira, test="1"))
    assert "token" in answer.context["result"].error
    assert answer.context["result"].error in answer.content.decode().replace("&#x27;", "'")


def test_a_kept_connection_is_tested_with_its_kept_secret_and_its_pause_ends(
    as_user, olu, jira, connection
):
    connections.pause_connection(connection=connection, reason="The token was refused.")
    answer = as_user(olu).post(
        url("connection", connection.public_id), unchanged(connection, test="1")
    )
    assert answer.context["result"].report
    connection.refresh_from_db()
    assert not connection.is_paused


def test_changed_settings_are_tried_without_being_kept(as_user, olu, jira, connection):
    answer = as_user(olu).post(
        url("connection", connection.public_id),
        unchanged(connection, issue_type="Epic", test="1"),
    )
    assert answer.status_code == 200
    connection.refresh_from_db()
    assert connection.config["issue_type"] == "Bug"


# --- changing -------------------------------------------------------------------------------------


def test_an_empty_secret_keeps_the_kept_one(as_user, olu, jira, connection):
    before = credentials.unseal(connection.credentials)
    as_user(olu).post(
        url("connection", connection.public_id), unchanged(connection, issue_type="Task")
    )
    connection.refresh_from_db()
    assert connection.config["issue_type"] == "Task"
    assert credentials.unseal(connection.credentials) == before


def test_a_kept_secret_goes_to_no_other_address(as_user, olu, jira, connection, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = [*settings.OUTBOUND_ALLOWED_HOSTS, "other.test:80"]
    for test in ({}, {"test": "1"}):
        answer = as_user(olu).post(
            url("connection", connection.public_id),
            unchanged(connection, base_url="http://other.test:80") | test,
        )
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["api_token"])
    connection.refresh_from_db()
    assert connection.config["base_url"] == jira.base_url


def test_secrets_are_shown_to_nobody(as_user, olu, ben, connection):
    for person in (olu, ben):
        for address in (url("settings_trackers"), url("connection", connection.public_id)):
            text = as_user(person).get(address).content.decode()
            assert SECRET not in text
            assert "It&#x27;s a Secret" not in text


def test_the_page_says_where_webhooks_go_and_whether_a_secret_is_set(as_user, olu, connection):
    client = as_user(olu)
    text = client.get(url("connection", connection.public_id)).content.decode()
    assert f"http://testserver/hooks/jira/{connection.public_id}" in text
    assert "Secret is set" in text
    TrackerConnection.objects.update(credentials=credentials.seal({"api_token": "x"}))
    assert (
        "webhooks are refused"
        in client.get(url("connection", connection.public_id)).content.decode()
    )


def test_credentials_that_no_key_opens_are_said(as_user, olu, connection):
    TrackerConnection.objects.update(credentials=b"not ours")
    answer = as_user(olu).get(url("connection", connection.public_id))
    assert answer.status_code == 200
    assert "The credentials cannot be opened." in answer.content.decode()


def test_a_pause_says_why_and_is_ended(as_user, olu, connection):
    client = as_user(olu)
    client.post(url("pause_connection", connection.public_id))
    assert "Paused by Olu." in client.get(url("connection", connection.public_id)).content.decode()
    client.post(url("resume_connection", connection.public_id))
    connection.refresh_from_db()
    assert not connection.is_paused


def test_a_connection_without_tickets_is_deleted_one_with_is_switched_off(
    as_user, olu, project, connection, connect
):
    client, unused = as_user(olu), connect(project, "Unused")
    escalated(ProblemFactory(project=project), key="FBH-1", connection=connection)
    for each in (connection, unused):
        client.post(url("delete_connection", each.public_id))
    assert list(TrackerConnection.objects.all()) == [connection]
    client.post(url("switch_connection", connection.public_id), {"is_active": "no"})
    connection.refresh_from_db()
    assert not connection.is_active
    client.post(url("switch_connection", connection.public_id), {"is_active": "yes"})
    connection.refresh_from_db()
    assert connection.is_active


@pytest.mark.parametrize("state", ["filing", "unknown"])
def test_what_may_have_been_filed_counts_as_filed(as_user, olu, project, connection, state):
    escalated(ProblemFactory(project=project), state=state, connection=connection)
    as_user(olu).post(url("delete_connection", connection.public_id))
    assert TrackerConnection.objects.exists()


# --- the log of webhooks --------------------------------------------------------------------------


def delivered(connection, number, **event):
    return TrackerDelivery.objects.create(
        project=connection.project,
        connection=connection,
        delivery_id=f"delivery-{number}",
        event={"key": "FBH-1", "kind": "updated"} | event,
        outcome="taken over",
    )


def test_webhooks_are_logged_and_paged(as_user, olu, connection):
    for number in range(27):
        delivered(connection, number)
    client = as_user(olu)
    address = url("connection", connection.public_id)
    first = client.get(address).context["list"]
    second = client.get(address + first.older_url).context["list"]
    assert (len(first.rows), len(second.rows)) == (25, 2)
    assert "FBH-1" in client.get(address).content.decode()


def test_what_trackers_say_is_text(as_user, olu, connection):
    row = delivered(connection, 1, key=HOSTILE, status_name=HOSTILE, kind=HOSTILE)
    TrackerDelivery.objects.filter(pk=row.pk).update(outcome=HOSTILE, delivery_id=HOSTILE, event={})
    delivered(connection, 2, key=HOSTILE, status_name=HOSTILE)
    TrackerConnection.objects.update(name=HOSTILE, paused_reason=HOSTILE)
    for address in (url("settings_trackers"), url("connection", connection.public_id)):
        assert "<img" not in as_user(olu).get(address).content.decode()


# --- who ------------------------------------------------------------------------------------------


def test_a_lead_looks_on(as_user, ben, jira, connection):
    client = as_user(ben)
    page = client.get(url("connection", connection.public_id))
    assert page.status_code == 200
    assert b"Test connection" not in page.content
    assert client.get(url("settings_trackers")).status_code == 200
    assert client.get(url("add_connection", "jira")).status_code == 403
    assert client.post(url("connection", connection.public_id), form(jira)).status_code == 403
    for name in ("pause", "resume", "switch", "delete"):
        assert client.post(url(f"{name}_connection", connection.public_id)).status_code == 403


def test_experts_and_engineers_stay_outside(as_user, ana, dana, connection):
    for person in (ana, dana):
        assert as_user(person).get(url("settings_trackers")).status_code == 403
        assert as_user(person).get(url("connection", connection.public_id)).status_code == 403


def test_another_projects_connection_is_not_found(as_user, eve, connection):
    client = as_user(eve)
    elsewhere = ["elsewhere", connection.public_id]
    assert client.get(reverse("connection", args=elsewhere)).status_code == 404
    for name in ("pause", "resume", "switch", "delete"):
        assert client.post(reverse(f"{name}_connection", args=elsewhere)).status_code == 404
    assert TrackerConnection.objects.get().is_active


def test_the_lists_cost_the_same_queries_with_one_row_and_with_three(
    as_user, olu, project, connection, connect
):
    client, counts = as_user(olu), []
    pages = (url("settings_trackers"), url("connection", connection.public_id))
    for number in range(3):
        delivered(connection, number)
        for page in pages:
            client.get(page)
        with CaptureQueriesContext(database) as queries:
            for page in pages:
                client.get(page)
        counts.append(len(queries))
        connect(project, f"Jira {number}")
    assert counts[0] == counts[2] <= 18
