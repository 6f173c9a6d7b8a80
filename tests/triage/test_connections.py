"""The ways to trackers: set up, tried, paused, resumed; their credentials at rest."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from feedbackhub.outbound import OutboundError
from tests.factories import ProblemFactory
from triage import connections, credentials, escalation
from triage.models import Escalation, TrackerConnection
from triage.trackers.base import ConfigError

pytestmark = pytest.mark.django_db

TOKEN = "token-that-must-not-leak"


# --- setting up -----------------------------------------------------------------------------------


def test_create_connection_keeps_secrets_sealed(connection):
    stored = bytes(TrackerConnection.objects.get().credentials)
    assert TOKEN.encode() not in stored
    assert credentials.unseal(stored)["api_token"] == TOKEN
    assert TOKEN not in json.dumps(connection.config)


def test_create_connection_says_what_each_setting_needs(project):
    with pytest.raises(ConfigError) as caught:
        connections.create_connection(
            project=project,
            name="J",
            tracker="jira",
            config={"base_url": "https://evil.test"},
            secrets={},
        )
    assert {"base_url", "project_key", "api_token"} <= set(caught.value.errors)
    assert not TrackerConnection.objects.exists()


def test_create_connection_refuses_a_name_that_is_taken(connect, project, other_project):
    connect(project, "Jira")
    connect(other_project, "Jira")
    with pytest.raises(ConfigError, match="has a connection called Jira already"):
        connect(project, "Jira")


def test_update_connection_keeps_the_secret_that_is_left_empty(connection):
    connections.update_connection(
        connection=connection,
        config={**connection.config, "issue_type": "Task"},
        secrets={"api_token": "", "webhook_secret": "new"},
        name="Renamed",
        files_from="critical",
    )
    connection.refresh_from_db()
    kept = credentials.unseal(connection.credentials)
    assert (kept["api_token"], kept["webhook_secret"]) == (TOKEN, "new")
    assert (connection.config["issue_type"], connection.name) == ("Task", "Renamed")
    assert connection.files_from == "critical"


def test_a_kept_token_is_not_sent_to_another_address(connection):
    elsewhere = {**connection.config, "base_url": "https://evil-twin.atlassian.net"}
    with pytest.raises(ConfigError) as caught:
        connections.update_connection(connection=connection, config=elsewhere)
    assert caught.value.errors == {"api_token": "The address changed: enter this again."}
    connection.refresh_from_db()
    assert connection.config["base_url"] != elsewhere["base_url"]
    anew = connections.update_connection(
        connection=connection, config=elsewhere, secrets={"api_token": "another"}
    )
    assert anew.config["base_url"] == elsewhere["base_url"]


@pytest.mark.parametrize(
    "place", [{"base_url": "https://another.atlassian.net"}, {"project_key": "OTHER"}]
)
def test_a_connection_with_tickets_stays_where_it_is(connection, project, place):
    duty = escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )
    Escalation.objects.filter(pk=duty.pk).update(state="filed")
    given = {"config": {**connection.config, **place}, "secrets": {"api_token": "another"}}
    with pytest.raises(ConfigError) as caught:
        connections.update_connection(connection=connection, **given)
    assert list(caught.value.errors) == list(place)
    assert "Make a new connection" in caught.value.message
    connection.refresh_from_db()
    Escalation.objects.all().delete()
    connections.update_connection(connection=connection, **given)


def test_credentials_that_no_key_opens_can_be_entered_anew(connection, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ConfigError, match="API token: enter one"):
        connections.update_connection(connection=connection, name="Renamed")
    connections.update_connection(connection=connection, secrets={"api_token": "new"})
    assert credentials.unseal(connection.credentials)["api_token"] == "new"


def test_webhook_url_is_what_the_owner_pastes(connection):
    url = connections.webhook_url(connection)
    assert url == f"http://testserver/hooks/jira/{connection.public_id}"


# --- trying, pausing, resuming --------------------------------------------------------------------


def test_test_connection_says_who_we_are_and_ends_a_pause(connection, jira):
    connections.pause_connection(connection=connection, reason="The token was refused.")
    report = connections.test_connection(connection=connection)
    assert report.lines[0] == "Signed in as Bot."
    assert not connection.is_paused


def test_test_connection_that_fails_keeps_the_pause(connection, jira):
    connections.pause_connection(connection=connection, reason="The token was refused.")
    jira.goes_down(401)
    with pytest.raises(OutboundError):
        connections.test_connection(connection=connection)
    assert connection.is_paused
    assert jira.posts == []


def test_new_credentials_end_a_pause_and_make_its_work_due(connection, project):
    duty = escalation.open_escalation(
        problem=ProblemFactory(project=project), connection=connection
    )
    Escalation.objects.update(due_at=timezone.now() + timedelta(hours=1))
    connections.pause_connection(connection=connection, reason="The token was refused.")
    connections.update_connection(connection=connection, name="Renamed", is_active=True)
    assert connection.is_paused
    connections.update_connection(connection=connection, secrets={"api_token": "new"})
    duty.refresh_from_db()
    assert (connection.is_paused, duty.due_at <= timezone.now()) == (False, True)


def test_rest_connection_keeps_the_longest_rest(connection):
    long, short = (timezone.now() + timedelta(minutes=minutes) for minutes in (10, 1))
    for until in (long, short):
        connections.rest_connection(connection=connection, until=until)
    connection.refresh_from_db()
    assert connection.paused_until == long


def test_may_be_called_leaves_out_what_is_off_paused_or_resting(connect, project):
    connect(project, "Ready")
    rested = connect(project, "Rested")
    connections.rest_connection(connection=rested, until=timezone.now() - timedelta(seconds=1))
    connections.update_connection(connection=connect(project, "Off"), is_active=False)
    connections.pause_connection(connection=connect(project, "Paused"), reason="No.")
    resting = connect(project, "Resting")
    connections.rest_connection(connection=resting, until=timezone.now() + timedelta(minutes=1))
    names = connections.may_be_called().values_list("name", flat=True)
    assert set(names) == {"Ready", "Rested"}


# --- keys -----------------------------------------------------------------------------------------


def test_rotate_seals_everything_under_the_newest_key(connection, connect, project, settings):
    connect(project, "Second")
    old, new = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, old]
    out = StringIO()
    call_command("rotate_credentials", stdout=out)
    assert json.loads(out.getvalue()) == {"rotated": 2}
    settings.CREDENTIAL_KEYS = [new]
    for row in TrackerConnection.objects.all():
        assert credentials.unseal(row.credentials)["api_token"] == TOKEN


def test_rotate_without_the_old_key_changes_nothing_and_says_so(connection, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    before = bytes(TrackerConnection.objects.get().credentials)
    with pytest.raises(
        CommandError, match=f"opens the credentials of connection {connection.public_id}"
    ):
        call_command("rotate_credentials")
    assert bytes(TrackerConnection.objects.get().credentials) == before


# --- from a script --------------------------------------------------------------------------------


@pytest.fixture
def command(project, jira, monkeypatch):
    monkeypatch.setenv("JIRA_TOKEN", TOKEN)

    def run(*more, stdin="", **changes):
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        out = StringIO()
        call_command(
            "create_connection", "--project=tax-help", "--name=Jira", "--tracker=jira",
            f"--set=base_url={jira.base_url}", "--set=project_key=FBH", "--set=issue_type=Bug",
            "--set=email=bot@acme.test", *more, stdout=out,
        )  # fmt: skip
        return out.getvalue()

    return run


def test_create_connection_command_prints_json_without_secrets(command):
    printed = command("--secret-env=api_token=JIRA_TOKEN", "--status=Shipped=done", "--test")
    answer, row = json.loads(printed), TrackerConnection.objects.get()
    assert TOKEN not in printed
    assert answer["id"] == str(row.public_id)
    assert answer["webhook_url"].endswith(f"/hooks/jira/{row.public_id}")
    assert answer["found"][0] == "Signed in as Bot."
    assert (row.status_map, row.files_from, row.files_by_itself) == (
        {"Shipped": "done"},
        "high",
        True,
    )
    assert credentials.unseal(row.credentials)["api_token"] == TOKEN


def test_create_connection_command_takes_secrets_from_standard_input(command):
    command("--secrets-stdin", "--by-hand", stdin=json.dumps({"api_token": TOKEN}))
    row = TrackerConnection.objects.get()
    assert (credentials.unseal(row.credentials)["api_token"], row.files_by_itself) == (TOKEN, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--secret-env=api_token=NOT_SET"], "NOT_SET is not set"),
        (["--set=api_token=x"], "api_token is a secret"),
        (["--set=nonsense=x", "--secret-env=api_token=JIRA_TOKEN"], "jira has no setting nonsense"),
        (["--secret-env=email=JIRA_TOKEN"], "email is no secret"),
        (["--secrets-stdin"], "must hold one JSON object"),
        (["--set=broken"], "write NAME=VALUE"),
        (["--status=Shipped=gone", "--secret-env=api_token=JIRA_TOKEN"], "gone is none of"),
        ([], "API token: enter one."),
    ],
)
def test_create_connection_command_says_what_is_wrong(command, arguments, words):
    with pytest.raises(CommandError, match=words) as caught:
        command(*arguments)
    assert TOKEN not in str(caught.value)
    assert not TrackerConnection.objects.exists()


def test_create_connection_command_keeps_nothing_when_the_test_fails(command, jira):
    jira.goes_down(401)
    with pytest.raises(CommandError, match="does not accept the token"):
        command("--secret-env=api_token=JIRA_TOKEN", "--test")
    assert not TrackerConnection.objects.exists()
