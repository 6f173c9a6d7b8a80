"""Forgetting a person in the moment in which their notice goes out: both end, and nothing is sent afterwards."""

import threading
import time

import pytest
from django.core import mail
from django.db import connection, connections

from feedbackhub.capture import erasure
from tests.factories import ReporterFactory
from triage import notice_delivery
from triage.models import Fix, Notice

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


def test_neither_forgetting_nor_telling_dies_of_the_other(project, monkeypatch):
    reporter = ReporterFactory(project=project, email="rita@example.org")
    fix = Fix.objects.create(project=project, summary="Repaired.")
    notice = Notice.objects.create(project=project, fix=fix, reporter=reporter)
    empty, told = erasure._empty_interactions, []

    def while_a_worker_takes_it(*about):
        told.append(in_a_thread(lambda: notice_delivery.deliver_notice(notice_id=notice.pk)))
        until_somebody_waits_for_a_lock()
        return empty(*about)

    monkeypatch.setattr(erasure, "_empty_interactions", while_a_worker_takes_it)
    erasure.erase_person(project=project, ref_hash=reporter.ref_hash)
    ((worker, failed),) = told
    worker.join(timeout=20)
    assert (failed, mail.outbox) == ([], [])
    row = Notice.objects.get()
    assert (row.state, row.reason, row.body) == ("suppressed", "erased", "")
