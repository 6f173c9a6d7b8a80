"""One person, several notices, several workers: everything is told, and nothing twice."""

import json
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, notice_delivery, notices
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
