"""Every webhook mode of the strict doubles, fired at our own address: answered, kept and worked through as the vendors' facts ask.

The doubles post over the network to the server under test; what they send is then worked through as the worker would.
"""

import pytest

from tests.factories import ProblemFactory
from tests.triage.trackers.test_doubles import Double
from triage import connections, escalation, tasks, webhooks
from triage.models import Ticket, TrackerDelivery

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

SECRET = "hook-secret"
SETTINGS = {
    "jira": (
        {"project_key": "FBH", "issue_type": "Bug", "email": "bot@feedbackhub.test"},
        {"api_token": "jira-api-token"},
    ),
    "linear": ({"team": "FBH"}, {"api_key": "lin_api_double"}),
}

# mode: what each delivery is answered, how many rows are kept of it, and what becomes of the ticket that is done over there.
REFUSED = ([401], 0, "open")
FORGED = dict.fromkeys(("bad_signature", "no_signature", "wrong_secret", "tampered"), REFUSED)
BOTH = {
    **FORGED,
    "malformed_json": ([400], 0, "open"),
    "oversize": ([413], 0, "open"),
    "unknown_issue": ([200], 1, "open"),
    "ok": ([200], 1, "done"),
    "replay": ([200], 0, "done"),  # byte for byte what was told before
    "duplicate": ([200, 200], 1, "done"),
}
# Jira signs no time: its age proves nothing, and what is old changes nothing.
JIRA = {
    "sha1_signature": REFUSED,
    **BOTH,
    "stale": ([200], 1, "done"),
    "out_of_order": ([200], 1, "done"),
}
# Linear's signed time counts, whatever the unsigned header says.
LINEAR = {
    "stale": REFUSED,
    "future": REFUSED,
    "fresh_header_stale_body": REFUSED,
    **BOTH,
}
MODES = {"jira": JIRA, "linear": LINEAR}


@pytest.fixture(params=MODES)
def name(request):
    return request.param


@pytest.fixture
def double(name):
    started = Double(f"{name}.py")
    yield started
    started.stop()


@pytest.fixture
def fire(name, double, settings, limits, project, live_server, monkeypatch):
    """`fire(mode)`: how our address answered; a ticket is filed that is done over there since."""
    monkeypatch.setattr(tasks, "ring", lambda task, **ids: None)
    settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
    settings.ALLOWED_HOSTS = ["*"]
    if name == "jira":
        double.admin("config", {"index_lag_s": 0})
    config, secrets = SETTINGS[name]
    base_url = double.url if name == "jira" else f"{double.url}/graphql"
    connection = connections.create_connection(
        project=project,
        name=name,
        tracker=name,
        config={**config, "base_url": base_url},
        secrets={**secrets, "webhook_secret": SECRET},
    )
    problem = ProblemFactory(project=project, severity="critical")
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    ticket = Ticket.objects.get()
    done = (
        {"do": "transition", "to": "Done"} if name == "jira" else {"do": "state", "to": "completed"}
    )
    double.admin("act", {**done, "issue": ticket.key})

    def fire(mode, **more):
        spec = {
            "issue": None if mode == "unknown_issue" else ticket.key,
            "url": f"{live_server.url}/hooks/{name}/{connection.public_id}",
            "secret": SECRET,
            "mode": mode,
            **more,
        }
        return [sent["status"] for sent in double.admin("fire", spec)["deliveries"]]

    return fire


def test_every_mode_is_answered_and_kept_as_the_facts_ask(name, fire, double):
    seen = {}
    for mode in MODES[name]:
        before = TrackerDelivery.objects.count()
        late = {"to": "In Progress"} if mode in ("stale", "out_of_order") and name == "jira" else {}
        statuses = fire(mode, **late)
        kept = TrackerDelivery.objects.order_by("id")[before:]
        for delivery in kept:
            webhooks.process_delivery(delivery=delivery)
        seen[mode] = (statuses, len(kept), Ticket.objects.get().state)
    assert seen == MODES[name]
    outcomes = list(TrackerDelivery.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes[:2] == ["no ticket of ours", "taken over"]
    assert set(outcomes[3:]) <= {"older than what is known"}
    double.assert_clean(issues=1)


@pytest.mark.parametrize("name", ["linear"], indirect=True)
def test_an_old_state_in_a_fresh_delivery_of_linears_changes_nothing(fire):
    assert fire("ok") == [200]
    assert fire("ok", to="In Progress", updatedAt="2026-01-01T00:00:00.000Z") == [200]
    outcomes = [
        webhooks.process_delivery(delivery=d) for d in TrackerDelivery.objects.order_by("id")
    ]
    assert outcomes == ["taken over", "older than what is known"]
    assert Ticket.objects.get().state == "done"
