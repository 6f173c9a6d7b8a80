"""Forgetting a person in the moment in which their notice goes out: both end, and nothing is sent afterwards."""

import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, connections
from django.utils import timezone

from feedbackhub.capture import erasure
from feedbackhub.capture.models import FeedbackEvent
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import notice_delivery, reporting_back
from triage.models import Fix, FixedProblem, Notice, Problem

pytestmark = pytest.mark.django_db(transaction=True)


def until_somebody_waits_for_a_lock(within=5):
    until = time.monotonic() + within
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)


def in_a_thread(job):
    failed = []

    def run():
        try:
            job()
        except Exception as error:  # handed to the test
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failed


@pytest.fixture
def reporter(project):
    return ReporterFactory(project=project, email="rita@example.org")


@pytest.fixture
def notice(project, reporter):
    fix = Fix.objects.create(project=project, summary="Repaired.", shipped_at=timezone.now())
    return Notice.objects.create(project=project, fix=fix, reporter=reporter)


@pytest.fixture
def while_forgetting(monkeypatch, project, reporter):
    """`while_forgetting(job)`: somebody does this in the middle of the person's erasure; answers what it died of."""

    def forget(job):
        empty, begun = erasure._empty_interactions, []

        def not_alone(*about):
            begun.append(in_a_thread(job))
            until_somebody_waits_for_a_lock()
            return empty(*about)

        monkeypatch.setattr(erasure, "_empty_interactions", not_alone)
        erasure.erase_person(project=project, ref_hash=reporter.ref_hash)
        ((worker, failed),) = begun
        worker.join(timeout=20)
        return failed

    return forget


def test_neither_forgetting_nor_telling_dies_of_the_other(notice, while_forgetting):
    failed = while_forgetting(lambda: notice_delivery.deliver_notice(notice_id=notice.pk))
    assert (failed, mail.outbox) == ([], [])
    row = Notice.objects.get()
    assert (row.state, row.reason, row.body) == ("suppressed", "erased", "")


def test_no_word_of_theirs_is_kept_behind_it(project, reporter, notice, while_forgetting):
    yesterday = timezone.now() - timedelta(days=1)
    interaction = InteractionFactory(
        project=project, user_hash=reporter.ref_hash, occurred_at=yesterday
    )
    FeedbackEventFactory(interaction=interaction, reporter=reporter)
    problem = ProblemFactory(project=project, state="shipped")
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FixedProblem.objects.create(project=project, fix=notice.fix, problem=problem)
    notice = Notice.objects.select_related("fix", "reporter", "project").get()

    (failed,) = while_forgetting(
        lambda: reporting_back.say_still_wrong(notice=notice, problem=problem, words="Marvin!")
    )
    assert isinstance(failed, Problem.DoesNotExist)
    assert not FeedbackEvent.objects.filter(comment__contains="Marvin").exists()
    assert Problem.objects.get().state == "shipped"
