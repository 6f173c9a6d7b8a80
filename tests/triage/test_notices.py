"""Those who complained are told once, over a real SMTP conversation, whatever breaks in it."""

import socket
import threading
import time
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from feedbackhub.capture.models import FeedbackEvent
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, notice_delivery, notices, problems, reporter_link
from triage.channels import email
from triage.models import Notice


class Sink:
    """A mail server that keeps what it gets, and can be told to fail."""

    def __init__(self):
        self.mails, self.rcpt_answer, self.data_answer, self.drops_answer = [], None, None, False
        self.delay = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt_answer:
            return self.rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.data_answer:
            return self.data_answer
        self.mails.append((envelope.rcpt_tos[0], envelope.content.decode()))
        if self.drops_answer:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def sink(settings):
    handler = Sink()
    with socket.socket() as probe:  # aiosmtpd looks for its server under the port it was given
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = False
    yield handler
    controller.stop()


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project)


def complain(problem, reporter=None, **fields):
    reporter = reporter or ReporterFactory(project=problem.project)
    interaction = InteractionFactory(project=problem.project)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=reporter, **fields)
    return reporter


def prepared(problem):
    fix = fixing.record_fix(
        project=problem.project, summary="The rates are current.", problems_fixed=[problem]
    )
    notices.prepare_notices(fix=fix)
    return fix


def deliver_all():
    for notice_id in notice_delivery.due_notices():
        notice_delivery.deliver_notice(notice_id=notice_id)


def test_a_reporter_with_two_complaints_gets_one_mail(problem, sink):
    reporter = complain(problem)
    complain(problem, reporter)
    prepared(problem)
    deliver_all()
    deliver_all()
    ((address, mail),) = sink.mails
    assert address == reporter.email
    assert "The rates are current." in mail.replace("=\r\n", "")
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
    assert Notice.objects.get().state == "sent"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"has_consent": False}, "no consent"),
        ({"unsubscribed_at": timezone.now()}, "unsubscribed"),
        ({"erased_at": timezone.now()}, "erased"),
        ({"email": ""}, "no address"),
    ],
)
def test_who_may_not_be_told_is_not_told_and_the_row_says_why(problem, sink, fields, reason):
    complain(problem, ReporterFactory(project=problem.project, **fields))
    prepared(problem)
    deliver_all()
    notice = Notice.objects.get()
    assert (notice.state, notice.reason, sink.mails) == ("suppressed", reason, [])


def test_who_praised_an_answer_is_not_told_that_it_was_repaired(problem, sink):
    complain(problem, kind="thumbs_up")
    complain(problem, kind="rating", score=0.9)
    prepared(problem)
    assert not Notice.objects.exists()


def test_consent_withdrawn_after_the_notice_was_made_counts(problem, sink):
    reporter = complain(problem)
    prepared(problem)
    reporter.unsubscribed_at = timezone.now()
    reporter.save()
    deliver_all()
    assert (Notice.objects.get().state, sink.mails) == ("suppressed", [])


def test_preparing_twice_makes_one_notice(problem, sink):
    complain(problem)
    fix = prepared(problem)
    notices.prepare_notices(fix=fix)
    assert Notice.objects.count() == 1


def test_a_full_mailbox_is_tried_again_and_an_unknown_one_is_not(problem, sink):
    complain(problem)
    prepared(problem)
    sink.rcpt_answer = "452 Mailbox full"
    deliver_all()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == ("pending", 1)
    assert notice.due_at > timezone.now()
    sink.rcpt_answer = "550 No such user"
    Notice.objects.update(due_at=timezone.now())
    deliver_all()
    assert Notice.objects.get().state == "failed"


def test_a_message_refused_after_data_was_not_sent(problem, sink):
    complain(problem)
    prepared(problem)
    sink.data_answer = "554 Looks like spam"
    deliver_all()
    assert Notice.objects.get().state == "failed"


def test_a_lost_answer_is_uncertain_and_never_sent_again_by_itself(problem, sink):
    complain(problem)
    prepared(problem)
    sink.drops_answer = True
    deliver_all()
    Notice.objects.update(due_at=timezone.now())
    deliver_all()
    notice_delivery.take_back_abandoned()
    assert (Notice.objects.get().state, len(sink.mails)) == ("uncertain", 1)


def test_a_server_that_is_away_is_tried_again(problem, settings, sink):
    settings.EMAIL_PORT = 1
    complain(problem)
    prepared(problem)
    deliver_all()
    assert Notice.objects.get().state == "pending"


def test_a_worker_that_died_after_handing_over_leaves_an_uncertain_notice(problem, sink):
    complain(problem)
    prepared(problem)
    past = timezone.now() - timedelta(minutes=2)
    Notice.objects.update(state="sending", lease_until=past)
    assert notice_delivery.take_back_abandoned() == 1
    deliver_all()
    assert (Notice.objects.get().state, sink.mails) == ("uncertain", [])


def test_a_worker_that_died_before_handing_over_is_replaced(problem, sink):
    complain(problem)
    prepared(problem)
    Notice.objects.update(lease_until=timezone.now() - timedelta(minutes=2))
    deliver_all()
    assert (Notice.objects.get().state, len(sink.mails)) == ("sent", 1)


def test_a_worker_that_thaws_after_its_lease_hands_nothing_over(problem, sink, monkeypatch):
    complain(problem)
    prepared(problem)
    compose = email.compose

    def slowly(rows):
        (notice,) = rows
        Notice.objects.filter(pk=notice.pk).update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
        monkeypatch.setattr(email, "compose", compose)
        notice_delivery.deliver_notice(notice_id=notice.pk)  # another worker, meanwhile
        return compose(rows)

    monkeypatch.setattr(email, "compose", slowly)
    deliver_all()
    assert (Notice.objects.get().state, len(sink.mails)) == ("sent", 1)


@pytest.mark.django_db(transaction=True)
def test_four_workers_send_one_mail_each_notice(problem, sink):
    for _ in range(5):
        complain(problem)
    prepared(problem)
    ids = notice_delivery.due_notices()

    def work():
        for notice_id in ids:
            notice_delivery.deliver_notice(notice_id=notice_id)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.1)
    addresses = [address for address, _ in sink.mails]
    assert len(addresses) == len(set(addresses)) == 5


# --- the reporter's page --------------------------------------------------------------------------


@pytest.fixture
def told(problem, sink):
    complain(problem, comment="This is <b>old</b>.")
    prepared(problem)
    deliver_all()
    return Notice.objects.select_related("fix", "reporter").get()


def page(told, name="reporter_page", *args):
    return reverse(name, args=[reporter_link.token_for(told), *args])


def test_the_page_says_what_was_done_and_shows_the_report_as_text(client, told):
    answer = client.get(page(told))
    assert b"The rates are current." in answer.content
    assert b"This is &lt;b&gt;old&lt;/b&gt;." in answer.content
    told.refresh_from_db()
    assert told.opened_page_at


def test_still_wrong_opens_the_problem_again_once_and_keeps_the_words_masked(client, told, problem):
    address = page(told, "reporter_still_wrong", problem.public_id)
    for words in ("Still wrong, write to ana@example.org", "Again"):
        client.post(address, {"words": words})
    problem.refresh_from_db()
    assert problem.state == "regressed"
    said = FeedbackEvent.objects.get(source="reporter_page")
    assert said.comment == "Still wrong, write to [EMAIL]"
    assert said.interaction_id == problem.members.get().interaction_id


def test_still_wrong_about_somebody_elses_problem_is_not_found(client, told, project):
    other = ProblemFactory(project=project)
    assert client.post(page(told, "reporter_still_wrong", other.public_id)).status_code == 404


def test_after_a_merge_the_page_shows_where_the_report_is_now_and_takes_still_wrong(
    client, told, problem, project
):
    original = ProblemFactory(project=project, state="shipped")
    problem.refresh_from_db()
    problems.merge_problem(problem=problem, into=original)
    (report,) = client.get(page(told)).context["reports"]
    assert report["problem"] == original
    for named in (problem, original):  # the page from before the merge, and the one from after
        answer = client.post(page(told, "reporter_still_wrong", named.public_id), {"words": "No"})
        assert answer.status_code == 302
    original.refresh_from_db()
    assert original.state == "regressed"
    assert FeedbackEvent.objects.filter(source="reporter_page").count() == 1


def test_unsubscribe_takes_a_button_or_a_mail_programs_one_click(client, told):
    address = page(told, "reporter_unsubscribe")
    client.get(address)
    told.reporter.refresh_from_db()
    assert told.reporter.unsubscribed_at is None
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    told.reporter.refresh_from_db()
    assert told.reporter.unsubscribed_at


def test_an_address_that_unsubscribed_gets_no_mail_under_another_reference(client, told, problem):
    address = told.reporter.email
    same = ReporterFactory(project=told.project, email=address.upper(), has_consent=True)
    waiting = Notice.objects.create(
        project=told.project, fix=told.fix, reporter=same, channel="email"
    )
    client.post(page(told, "reporter_unsubscribe"))
    waiting.refresh_from_db()
    same.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("suppressed", "unsubscribed")
    assert same.unsubscribed_at and not same.has_consent


@pytest.mark.parametrize(
    ("why", "reason"),
    [("", "unsubscribed"), ("complained", "unsubscribed"), ("bounced", "their address bounced")],
)
def test_an_address_without_mail_gets_none_under_a_reference_made_later(
    client, told, sink, why, reason
):
    if why:
        notices.note_undeliverable(notice=told, why=why)
    else:
        client.post(page(told, "reporter_unsubscribe"))
    later = ProblemFactory(project=told.project)
    complain(later, ReporterFactory(project=told.project, email=told.reporter.email.upper()))
    stranger = complain(later, ReporterFactory(project=told.project, email=""))
    prepared(later)
    deliver_all()
    found = Notice.objects.exclude(pk=told.pk).order_by("reporter")
    assert [(each.state, each.reason) for each in found] == [
        ("suppressed", reason),
        ("suppressed", "no address"),
    ]
    assert (len(sink.mails), stranger.unsubscribed_at) == (1, None)


def test_an_address_that_unsubscribed_after_the_notice_was_made_gets_none(told, problem, sink):
    later = ProblemFactory(project=told.project)
    complain(later, ReporterFactory(project=told.project, email=told.reporter.email.upper()))
    prepared(later)
    type(told.reporter).objects.filter(pk=told.reporter_id).update(unsubscribed_at=timezone.now())
    deliver_all()
    notice = Notice.objects.exclude(pk=told.pk).get()
    assert (notice.state, notice.reason, len(sink.mails)) == ("suppressed", "unsubscribed", 1)


def test_forget_me_asks_first_then_forgets_and_the_link_is_dead(client, told):
    address = page(told, "reporter_forget_me")
    assert b"cannot be undone" in client.get(address).content
    told.reporter.refresh_from_db()
    assert told.reporter.email
    assert b"forgotten" in client.post(address).content
    told.reporter.refresh_from_db()
    assert (told.reporter.email, FeedbackEvent.objects.exclude(comment="").count()) == ("", 0)
    assert client.get(page(told)).status_code == 404


@pytest.mark.parametrize("token", ["x", "IiI:1:2", "%00"])
def test_a_forged_link_is_not_found(client, db, token):
    assert client.get(f"/r/{token}/").status_code == 404
