"""Mail by a service's API: django-anymail itself sends, and its own views take what the services tell afterwards.

The services' own addresses are replaced by a server on this machine; nothing of anymail is.
"""

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone
from werkzeug import Response

import feedbackhub.urls
from feedbackhub.outbox import delivery
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, letters, notice_delivery
from triage.models import Letter, Notice, Undeliverable

pytest.importorskip("anymail", reason="django-anymail is not installed")

ADDRESS = "rita@example.org"
LOGIN, KEY = "feedback:basic-secret", "key-signs-webhooks"


@pytest.fixture
def service(settings, httpserver, monkeypatch):
    """`service("postmark")`: mail goes by that service, at an address of ours, and its webhooks are let in."""

    def choose(name):
        settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
        settings.USES_ANYMAIL = True
        upper = name.upper()
        settings.ANYMAIL = {
            "REQUESTS_TIMEOUT": 0.5,
            "WEBHOOK_SECRET": LOGIN,
            f"{upper}_API_URL": httpserver.url_for("/"),
            f"{upper}_SERVER_TOKEN": "token",
            f"{upper}_API_KEY": "token",
            "MAILGUN_SENDER_DOMAIN": "example.org",
            "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
        }
        settings.ROOT_URLCONF = _our_urls_anew(monkeypatch)
        return httpserver

    return choose


def _our_urls_anew(monkeypatch):
    """The house's addresses as they are where a mail service is chosen: read from the same file."""
    spec = importlib.util.spec_from_file_location("urls_with_mail", feedbackhub.urls.__file__)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "urls_with_mail", module)
    spec.loader.exec_module(module)
    return "urls_with_mail"


@pytest.fixture
def reporter(project):
    return ReporterFactory(project=project, email=ADDRESS)


def tell(reporter):
    """Somebody complained, it is repaired, and their notice is handed over."""
    problem = ProblemFactory(project=reporter.project)
    yesterday = timezone.now() - timedelta(days=1)
    interaction = InteractionFactory(project=reporter.project, occurred_at=yesterday)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=reporter)
    fix = fixing.record_fix(project=problem.project, summary="Repaired.", problems_fixed=[problem])
    delivery.deliver_due()
    return told(Notice.objects.get(fix=fix))


def told(notice):
    notice_delivery.deliver_notice(notice_id=notice.pk)
    notice.refresh_from_db()
    return notice


ACCEPTED = {
    "postmark": {"ErrorCode": 0, "Message": "OK", "MessageID": "m-1", "To": ADDRESS},
    "mailgun": {"id": "<m-1@example.org>", "message": "Queued. Thank you."},
    "resend": {"id": "m-1"},
}


# --- what a service tells afterwards ---------------------------------------------------------------


def post_postmark(client, notice, event, login=LOGIN):
    """Postmark has no signatures: basic auth on its webhook's address."""
    said = {
        "bounced": {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1},
        "deferred": {"RecordType": "Bounce", "Type": "Transient", "TypeCode": 2},
        "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512},
        "unsubscribed": {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "ChangedAt": "2026-11-20T10:00:00Z",
            "Recipient": ADDRESS,
        },
        "delivered": {"RecordType": "Delivery", "DeliveredAt": "2026-11-20T10:00:00Z"},
    }[event]
    body = {
        "MessageStream": "outbound",
        "ServerID": 23,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"notice": str(notice)},
        "Email": ADDRESS,
        "From": "feedback@example.org",
        "BouncedAt": "2026-11-20T10:00:00Z",
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        **said,
    }
    return client.post(
        "/hooks/mail/postmark/tracking/",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": "Basic " + base64.b64encode(login.encode()).decode()},
    )


def post_mailgun(client, notice, event, key=KEY):
    """Mailgun signs what it tells, and sends our login too where its address holds one."""
    said = {
        "bounced": {"event": "failed", "severity": "permanent", "reason": "bounce"},
        "deferred": {"event": "failed", "severity": "temporary", "reason": "generic"},
        "complained": {"event": "complained"},
        "unsubscribed": {"event": "unsubscribed"},
        "delivered": {"event": "delivered"},
    }[event]
    body = {
        "signature": {"timestamp": "1795168800", "token": "c1f0e5e3a1b2c3d4", "signature": ""},
        "event-data": {
            "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": 1795168800.4,
            "recipient": ADDRESS,
            "user-variables": {"notice": str(notice)},
            "message": {"headers": {"message-id": "m-1@example.org", "to": ADDRESS}},
            "delivery-status": {"code": 550, "message": "5.1.1 No such user"},
            **said,
        },
    }
    signed = body["signature"]["timestamp"] + body["signature"]["token"]
    body["signature"]["signature"] = hmac.new(
        key.encode(), signed.encode(), hashlib.sha256
    ).hexdigest()
    return client.post(
        "/hooks/mail/mailgun/tracking/",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()},
    )


POST = {"postmark": post_postmark, "mailgun": post_mailgun}
SENDS_AT = {"postmark": "/email", "mailgun": "/example.org/messages", "resend": "/emails"}


def sent_by(service, name, reporter):
    service(name).expect_request(SENDS_AT[name]).respond_with_json(ACCEPTED[name])
    notice = tell(reporter)
    assert notice.state == "sent"
    return notice


@pytest.mark.parametrize("name", POST)
@pytest.mark.parametrize(
    ("event", "state", "next_reason"),
    [
        ("bounced", "bounced", "their address bounced"),
        ("complained", "bounced", "unsubscribed"),
        ("unsubscribed", "sent", "unsubscribed"),
        ("deferred", "sent", ""),
        ("delivered", "sent", ""),
    ],
)
def test_what_a_service_tells_decides_whether_the_address_is_written_to_again(
    client, service, reporter, name, event, state, next_reason
):
    notice = sent_by(service, name, reporter)
    assert POST[name](client, notice.public_id, event).status_code == 200
    notice.refresh_from_db()
    assert (notice.state, tell(reporter).reason) == (state, next_reason)


@pytest.mark.parametrize("name", POST)
def test_it_holds_for_the_address_under_every_reference_and_in_no_other_project(
    client, service, reporter, name, other_project
):
    notice = sent_by(service, name, reporter)
    twin = ReporterFactory(project=reporter.project, email="Rita@Example.org")
    elsewhere = ReporterFactory(project=other_project, email=ADDRESS)
    POST[name](client, notice.public_id, "bounced")
    assert (tell(twin).state, tell(elsewhere).state) == ("suppressed", "sent")


def test_told_twice_is_once(client, service, reporter):
    notice = sent_by(service, "postmark", reporter)
    for _ in range(2):
        assert post_postmark(client, notice.public_id, "complained").status_code == 200
    assert Undeliverable.objects.get().why == "complained"


@pytest.mark.parametrize(
    ("name", "forged"), [("postmark", {"login": "feedback:guess"}), ("mailgun", {"key": "guess"})]
)
def test_who_cannot_sign_changes_nothing(client, service, reporter, name, forged):
    notice = sent_by(service, name, reporter)
    assert POST[name](client, notice.public_id, "bounced", **forged).status_code == 400
    notice.refresh_from_db()
    assert (notice.state, Undeliverable.objects.exists()) == ("sent", False)


@pytest.mark.parametrize("about", ["", "7", "00000000-0000-4000-8000-000000000000"])
def test_mail_that_is_not_ours_is_heard_and_left_alone(client, service, reporter, about):
    notice = sent_by(service, "postmark", reporter)
    assert post_postmark(client, about, "bounced").status_code == 200
    assert (Notice.objects.get().state, notice.state) == ("sent", "sent")


def test_every_notice_in_a_mail_that_came_back_has_come_back(client, service, reporter, project):
    service("postmark").expect_request("/email").respond_with_json(ACCEPTED["postmark"])
    for _ in range(2):
        problem = ProblemFactory(project=project)
        yesterday = timezone.now() - timedelta(days=1)
        interaction = InteractionFactory(project=project, occurred_at=yesterday)
        ProblemMemberFactory(problem=problem, interaction=interaction)
        FeedbackEventFactory(interaction=interaction, reporter=reporter)
        fixing.record_fix(project=project, summary="Repaired.", problems_fixed=[problem])
    delivery.deliver_due()
    first = told(Notice.objects.order_by("pk").first())
    post_postmark(client, first.public_id, "bounced")
    assert list(Notice.objects.values_list("state", flat=True)) == ["bounced", "bounced"]


# --- what it answers when it is asked to send -------------------------------------------------------


def asked(server):
    request, _answer = server.log[-1]
    return request


def test_it_is_asked_to_send_text_without_tracking_and_to_give_our_name_back(service, reporter):
    server = service("postmark")
    server.expect_request("/email").respond_with_json(ACCEPTED["postmark"])
    notice = tell(reporter)
    body = asked(server).get_json()
    assert (body["TrackOpens"], body["TrackLinks"]) == (False, "None")
    assert (body["Metadata"], "HtmlBody" in body) == ({"notice": str(notice.public_id)}, False)
    headers = {each["Name"]: each["Value"] for each in body["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_service_without_switches_for_tracking_sends_all_the_same(service, reporter):
    server = service("resend")
    server.expect_request("/emails").respond_with_json(ACCEPTED["resend"])
    notice = tell(reporter)
    assert (notice.state, len(server.log)) == ("sent", 1)
    assert str(notice.public_id) in asked(server).get_json()["headers"]["X-Metadata"]


REFUSED = {"ErrorCode": 406, "Message": f"Found inactive addresses: {ADDRESS}. Inactive recipients"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Response(json.dumps(REFUSED), 422), "failed"),  # it knows that this address is dead
        (Response('{"ErrorCode": 1, "Message": "no"}', 422), "failed"),
        (Response("{}", 401), "pending"),  # our token: a matter of settings
        (Response("{}", 429), "pending"),
        (Response("{}", 500), "uncertain"),
        (Response("<html>", 200), "uncertain"),
    ],
)
def test_what_a_service_refuses_was_not_sent_and_what_is_unclear_is_not_repeated(
    service, reporter, answer, state
):
    service("postmark").expect_request("/email").respond_with_response(answer)
    notice = tell(reporter)
    assert (notice.state, bool(notice.failure)) == (state, True)


def test_a_service_that_cannot_be_reached_was_told_nothing(service, settings, reporter):
    service("postmark")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.ANYMAIL["POSTMARK_API_URL"] = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        notice = tell(reporter)
    assert (notice.state, notice.due_at > timezone.now()) == ("pending", True)


def test_a_service_that_does_not_answer_may_have_sent_it(service, settings, reporter):
    service("postmark")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.ANYMAIL["POSTMARK_API_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert tell(reporter).state == "uncertain"


def test_missing_settings_are_said_and_the_notice_waits_for_them(service, settings, reporter):
    server = service("postmark")
    token = settings.ANYMAIL.pop("POSTMARK_SERVER_TOKEN")
    notice = tell(reporter)
    assert (notice.state, "POSTMARK_SERVER_TOKEN" in notice.failure) == ("pending", True)
    settings.ANYMAIL["POSTMARK_SERVER_TOKEN"] = token
    server.expect_request("/email").respond_with_json(ACCEPTED["postmark"])
    Notice.objects.update(due_at=timezone.now())
    assert told(notice).state == "sent"


def test_letters_to_the_projects_people_go_the_same_way(service, project, ben):
    server = service("postmark")
    server.expect_request("/email").respond_with_json(ACCEPTED["postmark"] | {"To": ben.email})
    letters.write(project=project, users=[ben], kind="x", key="1", subject="News", body="Look.")
    letters.send_letter(letter_id=Letter.objects.get().pk)
    assert (Letter.objects.get().state, asked(server).get_json()["To"]) == ("sent", ben.email)


def test_the_environment_alone_switches_a_service_on():
    chosen = {
        "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
        "ANYMAIL": json.dumps({"POSTMARK_SERVER_TOKEN": "t", "WEBHOOK_SECRET": LOGIN}),
    }
    asks = (
        "import django; django.setup();"
        "from django.urls import resolve; from django.core.mail import get_connection;"
        "print(resolve('/hooks/mail/postmark/tracking/').url_name, get_connection().server_token)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asks],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "feedbackhub.settings", **chosen},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["postmark_tracking_webhook", "t"], done.stderr
