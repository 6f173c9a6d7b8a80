"""One person, several notices, several workers: everything is told, and nothing twice."""

import json
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.utils import timezone

from feedbackhub.outbox import delivery
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, letters, notice_delivery, notices, problems, verification
from triage.channels import webhook
from triage.models import Fix, Notice, NoticePolicy


@pytest.fixture
def product(httpserver, settings, project):
    settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    policy = NoticePolicy.objects.create(project=project, webhook_url=httpserver.url_for("/told"))
    webhook.rotate_secret(policy)
    return httpserver


def notice_for(reporter, summary) -> Notice:
    """A waiting notice of a fix of its own."""
    problem = ProblemFactory(project=reporter.project)
    interaction = InteractionFactory(project=reporter.project)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=reporter)
    fix = fixing.record_fix(project=problem.project, summary=summary, problems_fixed=[problem])
    notices.prepare_notices(fix=fix)
    return fix.notices.get()


def deliver_all():
    for notice_id in notice_delivery.due_notices():
        notice_delivery.deliver_notice(notice_id=notice_id)


# --- webhooks -------------------------------------------------------------------------------------


def told(product) -> dict[str, set[str]]:
    """What each webhook id said, over all the calls under it."""
    found: dict[str, set[str]] = {}
    for request, _answer in product.log:
        for fix in json.loads(request.data)["data"]["fixes"]:
            found.setdefault(request.headers["webhook-id"], set()).add(fix["what_changed"])
    return found


def test_each_notice_is_a_call_of_its_own_whichever_is_rung_for_again(project, product):
    reporter = ReporterFactory(project=project, email="")
    one, two = notice_for(reporter, "One."), notice_for(reporter, "Two.")
    product.expect_ordered_request("/told").respond_with_data("", status=500)  # its answer was lost
    product.expect_ordered_request("/told").respond_with_data("")
    product.expect_ordered_request("/told").respond_with_data("")
    notice_delivery.deliver_notice(notice_id=one.pk)
    Notice.objects.update(due_at=timezone.now())
    notice_delivery.deliver_notice(notice_id=two.pk)
    notice_delivery.deliver_notice(notice_id=one.pk)
    assert told(product) == {
        f"msg_{one.public_id.hex}": {"One."},
        f"msg_{two.public_id.hex}": {"Two."},
    }


def test_news_that_came_while_a_call_was_in_doubt_does_not_hide_behind_its_id(project, product):
    reporter = ReporterFactory(project=project, email="")
    one = notice_for(reporter, "One.")
    product.expect_ordered_request("/told").respond_with_data("", status=502)
    notice_delivery.deliver_notice(notice_id=one.pk)
    three = notice_for(reporter, "Three.")
    product.expect_ordered_request("/told").respond_with_data("")
    product.expect_ordered_request("/told").respond_with_data("")
    Notice.objects.update(due_at=timezone.now())
    deliver_all()
    assert told(product)[f"msg_{three.public_id.hex}"] == {"Three."}
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_two_notices_of_one_person_send_one_mail(project):
    for _round in range(5):
        reporter = ReporterFactory(project=project)
        rows = [
            Notice.objects.create(
                project=project,
                reporter=reporter,
                fix=Fix.objects.create(project=project, summary=summary),
            )
            for summary in ("One.", "Two.")
        ]
        mail.outbox.clear()
        ready = threading.Barrier(2)

        def work(notice_id, ready=ready):
            ready.wait()
            notice_delivery.deliver_notice(notice_id=notice_id)
            connections.close_all()

        threads = [threading.Thread(target=work, args=[row.pk]) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (message,) = mail.outbox
        assert "One." in message.body and "Two." in message.body


def test_a_notice_waits_while_another_of_the_same_person_is_on_its_way(project):
    reporter = ReporterFactory(project=project)
    notice_for(reporter, "One.")
    Notice.objects.update(state="sending", lease_until=timezone.now() + timedelta(minutes=1))
    two = notice_for(reporter, "Two.")
    notice_delivery.deliver_notice(notice_id=two.pk)
    two.refresh_from_db()
    assert (two.state, two.due_at > timezone.now(), mail.outbox) == ("pending", True, [])


# --- giving up ------------------------------------------------------------------------------------


@pytest.fixture
def away(settings):
    """A mail server that is not there."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def at(**later):
    return time_machine.travel(timezone.now() + timedelta(**later), tick=False)


def state_of(notice) -> str:
    notice.refresh_from_db()
    return notice.state


def test_what_was_held_for_days_is_tried_from_its_release_on(project, away):
    notice = notice_for(ReporterFactory(project=project), "One.")
    notices.hold_all(fix=notice.fix)
    with at(days=4):
        notices.release_all(fix=notice.fix)
        deliver_all()
        assert state_of(notice) == "pending"
    with at(days=8):
        deliver_all()
        assert state_of(notice) == "failed"
        notices.retry_notice(notice=notice)
        deliver_all()
        assert state_of(notice) == "pending"


def test_the_hours_between_two_messages_are_no_failing(project, away):
    reporter = ReporterFactory(project=project)
    NoticePolicy.objects.create(project=project, hours_between=96)
    earlier = notice_for(reporter, "One.")
    Notice.objects.filter(pk=earlier.pk).update(state="sending")
    Notice.objects.filter(pk=earlier.pk).update(state="sent", sent_at=timezone.now())
    notice = notice_for(reporter, "Two.")
    deliver_all()
    with at(hours=97):
        deliver_all()
        assert (state_of(notice), notice.first_tried_at) == ("pending", timezone.now())


def test_an_endpoint_that_fails_for_three_days_is_not_called_any_more_and_the_owner_hears(
    project, product, olu
):
    product.expect_request("/told").respond_with_data("", status=500)
    notice = notice_for(ReporterFactory(project=project, email=""), "One.")
    deliver_all()
    assert not NoticePolicy.objects.get().webhook_disabled
    with at(hours=73):
        deliver_all()
    assert state_of(notice) == "failed"
    assert NoticePolicy.objects.get().webhook_disabled == "It took no call for 72 hours."
    (letter,) = letters.Letter.objects.all()
    assert (letter.user, letter.kind) == (olu, "webhook_disabled")


def test_one_call_that_is_refused_for_three_days_leaves_the_others_alone(project, product):
    product.expect_request("/told").respond_with_data("", status=500)
    notice = notice_for(ReporterFactory(project=project, email=""), "One.")
    deliver_all()
    with at(hours=73):
        other = notice_for(ReporterFactory(project=project, email=""), "Two.")
        Notice.objects.filter(pk=other.pk).update(state="sending")
        Notice.objects.filter(pk=other.pk).update(state="sent", sent_at=timezone.now())
        deliver_all()
    assert (state_of(notice), NoticePolicy.objects.get().webhook_disabled) == ("failed", "")


# --- a fix that did not hold ----------------------------------------------------------------------


def test_what_was_on_its_way_when_the_fix_failed_is_not_sent_after_all(project):
    notice = notice_for(ReporterFactory(project=project), "One.")
    Notice.objects.update(state="sending")
    verification.notices.suppress_all(fix=notice.fix, reason="its problem came back")
    type(notice.fix).objects.update(recurred_at=timezone.now())
    Notice.objects.update(state="pending")  # the mail server answered 451
    deliver_all()
    assert (state_of(notice), notice.reason, mail.outbox) == (
        "suppressed",
        "its problem came back",
        [],
    )


@pytest.mark.parametrize("is_waiting", [True, False])
@pytest.mark.parametrize("why", ["still_wrong", "by_hand"])
def test_nobody_is_told_of_a_repair_once_the_problem_is_open_again(project, why, is_waiting):
    notice = notice_for(ReporterFactory(project=project), "One.")
    problems.reopen_problem(problem=notice.fix.problems.get(), why=why)
    if is_waiting:
        delivery.deliver_due()
    else:
        deliver_all()  # before the news arrived
    assert (state_of(notice), mail.outbox) == ("suppressed", [])
    assert not notices.is_time_to_tell(fix=notice.fix)


@pytest.mark.parametrize("by_way_of", [["regressed", "investigating"], ["fixing"]])
def test_nobody_is_told_of_a_repair_while_somebody_works_on_the_problem_again(project, by_way_of):
    notice = notice_for(ReporterFactory(project=project), "One.")
    problem = notice.fix.problems.get()
    for state in by_way_of:
        problem = problems.move_problem_state(problem=problem, state=state)
    assert not notices.is_time_to_tell(fix=notice.fix)
    deliver_all()  # before the news arrived
    assert (state_of(notice), notice.reason, mail.outbox) == (
        "suppressed",
        "its problem came back",
        [],
    )


@pytest.mark.parametrize("heard", ["news", "delivery", "nothing"])
@pytest.mark.parametrize("state", ["pending", "held", "failed"])
def test_a_slip_on_the_board_silences_nobody(project, state, heard):
    notice = notice_for(ReporterFactory(project=project), "One.")
    delivery.deliver_due()
    Notice.objects.update(state=state)
    problem = notice.fix.problems.get()
    problem = problems.move_problem_state(problem=problem, state="fixing")
    if heard == "news":
        delivery.deliver_due()
    elif heard == "delivery":
        deliver_all()
    problems.move_problem_state(problem=problem, state="shipped")
    delivery.deliver_due()
    deliver_all()
    is_tried_again = state == "pending" or (state, heard) == ("failed", "news")
    assert state_of(notice) == ("sent" if is_tried_again else state)
    assert len(mail.outbox) == is_tried_again


@pytest.mark.parametrize("shipped_days_ago", [0, 9])
def test_whom_a_new_fix_tells_is_not_told_of_the_old_one_as_well(project, shipped_days_ago):
    notice = notice_for(ReporterFactory(project=project), "One.")
    problem = notice.fix.problems.get()
    problems.reopen_problem(problem=problem, why="by_hand")
    delivery.deliver_due()
    fixing.record_fix(
        project=project,
        summary="Two.",
        problems_fixed=[problem],
        shipped_at=timezone.now() - timedelta(days=shipped_days_ago),
    )
    problem.refresh_from_db()
    assert (problem.state, state_of(notice)) == ("shipped", "suppressed")


# --- before the fix, and after it -----------------------------------------------------------------


def reports(problem, *, days_ago, **fields):
    interaction = InteractionFactory(
        project=problem.project, occurred_at=timezone.now() - timedelta(days=days_ago)
    )
    ProblemMemberFactory(problem=problem, interaction=interaction)
    return FeedbackEventFactory(
        interaction=interaction, reporter=ReporterFactory(project=problem.project), **fields
    ).reporter


def test_whose_answer_failed_after_the_fix_is_not_told_that_it_is_repaired(project):
    problem = ProblemFactory(project=project)
    before, _after = reports(problem, days_ago=3), reports(problem, days_ago=1)
    fix = fixing.record_fix(
        project=project,
        summary="Repaired.",
        problems_fixed=[problem],
        shipped_at=timezone.now() - timedelta(days=2),
    )
    notices.prepare_notices(fix=fix)
    assert [notice.reporter for notice in Notice.objects.all()] == [before]


def test_a_report_that_was_placed_after_the_telling_is_told_later_and_once(project):
    problem = ProblemFactory(project=project)
    first = reports(problem, days_ago=3)
    fix = fixing.record_fix(project=project, summary="Repaired.", problems_fixed=[problem])
    delivery.deliver_due()
    late = reports(problem, days_ago=2)
    with at(minutes=20):
        assert notices.prepare_late() == 1
    with at(minutes=40):
        assert notices.prepare_late() == 0  # although both wait to be sent
    assert [notice.reporter for notice in fix.notices.order_by("id")] == [first, late]
