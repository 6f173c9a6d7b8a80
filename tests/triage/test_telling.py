"""How a project tells its reporters: when, how fast, by which words and ways; and what comes back."""

import json
import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from feedbackhub.outbox import delivery
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import (
    bounces,
    fixing,
    letters,
    notice_delivery,
    notice_words,
    notices,
    reporting_back,
    tasks,
    verification,
)
from triage.channels import email, webhook
from triage.models import Letter, Notice, NoticePolicy, NoticeTemplate
from triage.reporter_link import token_for


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=1_007)


def complain(problem, reporter=None, **fields):
    reporter = reporter or ReporterFactory(project=problem.project)
    interaction = InteractionFactory(
        project=problem.project, occurred_at=timezone.now() - timedelta(days=1)
    )
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=reporter, **fields)
    return reporter


def ship(problem, summary="The rates are current."):
    fix = fixing.record_fix(project=problem.project, summary=summary, problems_fixed=[problem])
    delivery.deliver_due()
    return fix


def choose(project, **fields):
    return NoticePolicy.objects.update_or_create(project=project, defaults=fields)[0]


def deliver_all():
    for notice_id in notice_delivery.due_notices():
        notice_delivery.deliver_notice(notice_id=notice_id)


# --- when -----------------------------------------------------------------------------------------


def test_a_project_may_tell_only_what_is_verified(project, problem, ben):
    choose(project, when="verified")
    complain(problem)
    fix = ship(problem)
    assert not Notice.objects.exists()
    verification.verify_by_hand(fix=fix, by=ben, reason="Seen.")
    delivery.deliver_due()
    assert Notice.objects.get().state == "pending"


def test_a_project_may_hold_them_all_until_a_lead_releases_them(project, problem):
    choose(project, is_held_first=True)
    complain(problem)
    fix = ship(problem)
    deliver_all()
    assert (Notice.objects.get().state, mail.outbox) == ("held", [])
    assert notices.release_all(fix=fix) == 1
    deliver_all()
    assert Notice.objects.get().state == "sent"


def test_what_waits_of_one_fix_can_be_held_together(problem):
    complain(problem), complain(problem)
    assert notices.hold_all(fix=ship(problem)) == 2
    deliver_all()
    assert mail.outbox == []


def test_two_fixes_for_one_person_go_as_one_message(project, problem):
    other = ProblemFactory(project=project)
    reporter = complain(problem)
    complain(other, reporter)
    ship(problem, "The rates are current.")
    ship(other, "The links work.")
    deliver_all()
    (message,) = mail.outbox
    assert "The rates are current." in message.body and "The links work." in message.body
    assert message.body.count("/r/") == 3  # a page for each, and one way out
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}


def test_one_address_hears_of_a_fix_once_whatever_its_references(project, problem):
    with_consent = [
        complain(problem, ReporterFactory(project=project, email=address))
        for address in ("rita@example.org", "Rita@example.org")
    ]
    complain(problem, ReporterFactory(project=project, email="zoe@example.org"))
    complaints = notices.complaints_about([problem])
    assert notices.people_to_tell(project=project, complaints=complaints) == 2
    fix = ship(problem)
    notices.prepare_notices(fix=fix)
    deliver_all()
    assert sorted(message.to[0] for message in mail.outbox) == [
        "rita@example.org",
        "zoe@example.org",
    ]
    assert Notice.objects.get(reporter=with_consent[1]).reason == "told under another reference"
    late = complain(problem, ReporterFactory(project=project, email="RITA@example.org"))
    notices.prepare_notices(fix=fix)
    assert Notice.objects.get(reporter=late).state == "suppressed"


def test_a_reference_that_may_not_be_told_keeps_its_address_from_nobody(project, problem):
    complain(problem, ReporterFactory(project=project, email="rita@example.org", has_consent=False))
    complain(problem, ReporterFactory(project=project, email="rita@example.org"))
    ship(problem)
    deliver_all()
    assert [message.to for message in mail.outbox] == [["rita@example.org"]]


def test_nobody_is_told_again_before_the_hours_that_the_project_chose(project, problem):
    choose(project, hours_between=24)
    other = ProblemFactory(project=project)
    reporter = complain(problem)
    complain(other, reporter)
    ship(problem)
    deliver_all()
    ship(other)
    deliver_all()
    assert len(mail.outbox) == 1
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        deliver_all()
    assert len(mail.outbox) == 2


def test_no_more_go_out_in_a_minute_than_the_project_chose(project, problem):
    choose(project, per_minute=2)
    for _ in range(3):
        complain(problem)
    ship(problem)
    deliver_all()
    assert len(mail.outbox) == 2
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        deliver_all()
    assert len(mail.outbox) == 3


# --- words ----------------------------------------------------------------------------------------

GERMAN = "Hallo,\n{what_changed}\n{reports}\nHier: {page}\nSchluss: {unsubscribe}"


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("de-AT", "Tax help: erledigt"),
        ("de_DE", "Tax help: erledigt"),
        ("fr", "Tax help: what you reported is fixed"),
        ("", "Tax help: what you reported is fixed"),
    ],
)
def test_a_reporter_reads_the_projects_words_in_their_language(project, problem, locale, subject):
    notice_words.save_template(
        project=project, language="de", subject="{project}: erledigt", body=GERMAN
    )
    complain(problem, ReporterFactory(project=project, locale=locale))
    ship(problem)
    deliver_all()
    assert mail.outbox[0].subject == subject


def test_what_is_filled_in_is_never_read_as_a_template(project, problem):
    notice_words.save_template(project=project, language="en-us", subject="x", body=GERMAN)
    complain(problem, ReporterFactory(project=project, locale="en-US"), comment="{unsubscribe}")
    ship(problem, "Now {page} and {project.slug} work.")
    deliver_all()
    body = mail.outbox[0].body
    assert "Now {page} and {project.slug} work." in body
    assert "“{unsubscribe}”" in body


@pytest.fixture
def words():
    return {"language": "de", "subject": "{project}: erledigt", "body": GERMAN}


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def test_a_lead_writes_the_words_of_a_language(as_user, ben, project, words):
    as_user(ben).post(url("add_notice_template"), words)
    template = NoticeTemplate.objects.get()
    assert (template.language, template.body, template.changed_by) == ("de", GERMAN, ben)
    assert b"erledigt" in as_user(ben).get(url("settings_reporters")).content
    as_user(ben).post(url("delete_notice_template", "de"))
    assert not NoticeTemplate.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"body": "Hallo {page}"}, "body", "{unsubscribe} must stand in it"),
        ({"subject": "{reporter.email}{mail}"}, "subject", "There is no {mail}"),
        ({"language": "../x"}, "language", "language tag"),
    ],
)
def test_words_that_cannot_be_sent_are_refused(as_user, ben, project, words, change, field, says):
    answer = as_user(ben).post(url("add_notice_template"), words | change)
    assert answer.status_code == 400
    assert says in " ".join(answer.context["form"].errors[field])
    assert not NoticeTemplate.objects.exists()


def test_a_preview_and_a_test_keep_nothing_and_tell_no_reporter(as_user, ben, problem, words):
    complain(problem)
    answer = as_user(ben).post(url("add_notice_template"), words | {"preview": "1"})
    assert "Hier: (their own link)" in answer.content.decode()
    as_user(ben).post(url("add_notice_template"), words | {"test": "1"})
    for letter_id in letters.due_letters():
        letters.send_letter(letter_id=letter_id)
    (message,) = mail.outbox
    assert message.to == [ben.email]
    assert message.subject == "Tax help: Test: Tax help: erledigt"
    assert not NoticeTemplate.objects.exists()


def test_a_fix_can_be_tried_on_oneself(as_user, ben, problem):
    fix = ship(problem)
    as_user(ben).post(url("send_test_notice", fix.public_id))
    assert "The rates are current." in Letter.objects.get().body


def test_a_project_chooses_and_an_engineer_does_not(as_user, ben, dana, project):
    chosen = {"when": "verified", "is_held_first": "on", "hours_between": "12", "per_minute": "60"}
    assert as_user(dana).post(url("settings_reporters"), chosen).status_code == 403
    as_user(ben).post(url("settings_reporters"), chosen)
    policy = NoticePolicy.objects.get()
    assert (policy.when, policy.is_held_first, policy.hours_between, policy.per_minute) == (
        "verified",
        True,
        12,
        60,
    )


def test_the_webhooks_secret_is_shown_once(as_user, ben, project, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1:1"]
    chosen = {
        "when": "at_once",
        "hours_between": "0",
        "per_minute": "0",
        "webhook_url": "http://127.0.0.1:1/x",
    }
    text = as_user(ben).post(url("settings_reporters"), chosen).content.decode()
    (secret,) = webhook.keys_of(NoticePolicy.objects.get())
    assert secret in text
    assert secret not in as_user(ben).get(url("settings_reporters")).content.decode()
    bad = chosen | {"webhook_url": "http://169.254.169.254/"}
    assert as_user(ben).post(url("settings_reporters"), bad).status_code == 400


# --- the product's webhook ------------------------------------------------------------------------


@pytest.fixture
def product(httpserver, settings, project):
    settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    policy = choose(project, webhook_url=httpserver.url_for("/told"))
    webhook.rotate_secret(policy)
    return httpserver


def told_by_webhook(problem, **fields):
    reporter = ReporterFactory(project=problem.project, email="", **fields)
    complain(problem, reporter, external_id="their-1")
    ship(problem)
    return Notice.objects.get()


def test_who_has_no_address_is_told_by_the_product_with_a_signed_call(problem, product, project):
    product.expect_request("/told", method="POST").respond_with_data("")
    notice = told_by_webhook(problem)
    deliver_all()
    ((request, _answer),) = product.log
    (key,) = webhook.keys_of(NoticePolicy.objects.get())
    body = Webhook(key).verify(request.data, dict(request.headers))
    assert request.headers["webhook-id"] == f"msg_{notice.public_id.hex}"
    assert body["type"] == "problem.fixed"
    assert datetime.fromisoformat(body["timestamp"])
    (report,) = body["data"]["reports"]
    assert report["id"] == "their-1"
    assert "This is from last year." not in request.data.decode()
    notice.refresh_from_db()
    assert (notice.channel, notice.state) == ("webhook", "sent")


@pytest.mark.parametrize(
    ("reports", "length", "named"),
    [(2, 200, 2), (51, 40, 50), (51, 200, range(30, 40))],
    ids=["few", "more than fifty", "long ids"],
)
def test_a_call_stays_under_20_kb_and_says_how_many_reports_it_leaves_out(
    problem, product, reports, length, named
):
    reporter = ReporterFactory(project=problem.project, email="")
    for number in range(reports):
        complain(problem, reporter, external_id=f"{number:ä<{length}}")
    ship(problem, "ß" * 2_000)
    call = webhook.compose([Notice.objects.select_related("fix", "reporter").get()])
    data = json.loads(call.body)["data"]
    assert len(call.body.encode()) < 20_000
    assert len(data["reports"]) in (named if isinstance(named, range) else [named])
    assert len(data["reports"]) + data["reports_left_out"] == reports
    assert (data["fixes"][0]["what_changed"], data["page"][:4]) == ("ß" * 2_000, "http")


def test_both_secrets_sign_while_one_is_exchanged(problem, product):
    product.expect_request("/told").respond_with_data("")
    webhook.rotate_secret(NoticePolicy.objects.get())
    told_by_webhook(problem)
    deliver_all()
    ((request, _answer),) = product.log
    for key in webhook.keys_of(NoticePolicy.objects.get()):
        assert Webhook(key).verify(request.data, dict(request.headers))


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 502])
def test_what_fails_is_called_again_under_the_same_id(problem, product, status):
    product.expect_ordered_request("/told").respond_with_data("", status=status)
    product.expect_ordered_request("/told").respond_with_data("")
    notice = told_by_webhook(problem)
    deliver_all()
    notice.refresh_from_db()
    assert (notice.state, notice.due_at > timezone.now()) == ("pending", True)
    Notice.objects.update(due_at=timezone.now())
    deliver_all()
    notice.refresh_from_db()
    assert notice.state == "sent"
    assert len({request.headers["webhook-id"] for request, _answer in product.log}) == 1


def test_gone_ends_the_calls_and_tells_the_owners(problem, product, olu):
    product.expect_request("/told").respond_with_data("", status=410)
    notice = told_by_webhook(problem)
    deliver_all()
    notice.refresh_from_db()
    assert notice.state == "failed"
    assert "410" in NoticePolicy.objects.get().webhook_disabled
    assert Letter.objects.get().user == olu


def test_a_secret_that_no_key_opens_waits_for_a_new_one_and_holds_up_nobody(
    problem, product, as_user, ben
):
    product.expect_request("/told").respond_with_data("")
    NoticePolicy.objects.update(webhook_secrets=b"sealed by a key that is gone")
    by_mail, by_hook = (
        complain(problem, ReporterFactory(project=problem.project, email=address))
        for address in ("rita@example.org", "")
    )
    ship(problem)
    tasks.deliver_notices()
    waits = Notice.objects.get(reporter=by_hook)
    assert Notice.objects.get(reporter=by_mail).state == "sent"
    assert (waits.state, "CREDENTIAL_KEYS" in waits.failure) == ("pending", True)
    as_user(ben).post(reverse("rotate_webhook_secret", args=["tax-help"]))
    Notice.objects.update(due_at=timezone.now())
    tasks.deliver_notices()
    waits.refresh_from_db()
    assert (waits.state, len(product.log)) == ("sent", 1)


def test_one_that_cannot_even_be_written_holds_up_nobody(problem, monkeypatch):
    bad, good = complain(problem), complain(problem)
    compose = email.compose

    def fails_for_one(rows):
        if rows[0].reporter == bad:
            raise LookupError("a bug of ours")
        return compose(rows)

    monkeypatch.setattr(email, "compose", fails_for_one)
    ship(problem)
    tasks.deliver_notices()
    assert Notice.objects.get(reporter=good).state == "sent"
    assert Notice.objects.get(reporter=bad).state == "pending"


def test_a_worker_that_died_during_the_call_calls_again(problem, product):
    product.expect_request("/told").respond_with_data("")
    told_by_webhook(problem)
    past = timezone.now() - timedelta(minutes=2)
    Notice.objects.update(state="sending", lease_until=past)
    assert notice_delivery.take_back_abandoned() == 1
    deliver_all()
    assert Notice.objects.get().state == "sent"


# --- what comes back ------------------------------------------------------------------------------


@pytest.fixture
def sent(problem):
    complain(problem)
    ship(problem)
    deliver_all()
    return Notice.objects.select_related("reporter").get()


def report(notice, action="failed", status="5.1.1"):
    return f"""From: MAILER-DAEMON@mx.example
To: feedbackhub@localhost
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {notice.reporter.email}
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: <{notice.public_id}@localhost>
Subject: what you reported is fixed

--b--
""".encode()


def complaint_about(notice):
    return f"""From: abuse@mx.example
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: x

--b
Content-Type: message/rfc822

Message-ID: <{notice.public_id}@localhost>
Subject: x

Hello
--b--
""".encode()


def test_nobody_writes_to_an_address_that_bounced(sent, project):
    assert bounces.take_report(report(sent)) == sent
    sent.refresh_from_db()
    assert (sent.state, sent.reporter.unsubscribed_at) == ("bounced", None)
    other = ProblemFactory(project=project)
    complain(other, sent.reporter)
    ship(other)
    assert Notice.objects.exclude(pk=sent.pk).get().reason == "their address bounced"


def test_another_address_of_the_same_person_is_written_to(sent, project):
    bounces.take_report(report(sent))
    sent.reporter.email = "new@example.com"
    sent.reporter.save()
    other = ProblemFactory(project=project)
    complain(other, sent.reporter)
    ship(other)
    assert Notice.objects.exclude(pk=sent.pk).get().state == "pending"


def test_who_marks_it_as_spam_gets_nothing_more(sent):
    assert bounces.take_report(complaint_about(sent)) == sent
    sent.reporter.refresh_from_db()
    assert sent.reporter.unsubscribed_at and not sent.reporter.has_consent


@pytest.mark.parametrize(
    "change", [{"action": "delayed", "status": "4.4.1"}, {"action": "delivered", "status": "2.0.0"}]
)
def test_a_delay_is_no_bounce(sent, change):
    assert bounces.take_report(report(sent, **change)) is None
    sent.refresh_from_db()
    assert sent.state == "sent"


BROKEN = [b"<[", b"<@", b"<a@[", b'"', b"=?utf-8?b?//8=?=", b"\xff <", b"[" * 99, b"\0"]


@pytest.mark.parametrize("header", ["Message-ID", "To", "Content-Type", "Action"])
def test_a_report_with_broken_headers_is_read_as_far_as_it_goes(sent, header):
    for broken in BROKEN:
        name = header.encode()
        raw = re.sub(name + rb": .*", name + b": " + broken, report(sent))
        assert bounces.take_report(raw) in (None, sent)
    sent.refresh_from_db()
    assert sent.state == ("bounced" if header == "To" else "sent")


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"Subject: hi\n\nfailed", b"{}"])
def test_other_mail_is_not_about_us(db, raw):
    assert bounces.take_report(raw) is None


@pytest.mark.parametrize(
    ("event", "state"),
    [("bounced", "bounced"), ("complained", "bounced"), ("deferred", "sent"), ("opened", "sent")],
)
def test_a_mail_services_events_mean_the_same(sent, event, state):
    bounces.take_event(event_type=event, metadata={"notice": str(sent.public_id)})
    sent.refresh_from_db()
    assert sent.state == state


# --- what reporters say ---------------------------------------------------------------------------


def test_a_reporter_says_thank_you_once(client, sent):
    address = reverse("reporter_thanks", args=[token_for(sent)])
    answer = client.post(address, follow=True)
    assert b"Thank you for telling us." in answer.content
    sent.refresh_from_db()
    first = sent.thanked_at
    client.post(address)
    sent.refresh_from_db()
    assert sent.thanked_at == first


def test_still_wrong_is_told_the_owner_and_the_leads_at_once_and_quotes_nobody(
    sent, problem, ben, dana
):
    problem.owner = dana
    problem.save()
    reporting_back.say_still_wrong(notice=sent, problem=problem, words="Marvin says no.")
    assert {letter.user for letter in Letter.objects.all()} == {ben, dana}
    letter = Letter.objects.first()
    assert letter.kind == "still_wrong"
    assert "P1007" in letter.subject
    assert "Marvin" not in letter.body + letter.subject


def test_who_left_the_project_gets_no_letter(problem, ben, project):
    letters.write(project=project, users=[ben], kind="x", key="1", subject="s", body="b")
    ben.membership_set.all().delete()
    for letter_id in letters.due_letters():
        letters.send_letter(letter_id=letter_id)
    assert (Letter.objects.get().state, mail.outbox) == ("dropped", [])


def test_a_letter_is_written_and_sent_once(project, ben):
    for _ in range(2):
        letters.write(project=project, users=[ben], kind="x", key="1", subject="s", body="b")
    for letter_id in letters.due_letters() * 2:
        letters.send_letter(letter_id=letter_id)
    assert (Letter.objects.get().state, len(mail.outbox)) == ("sent", 1)
