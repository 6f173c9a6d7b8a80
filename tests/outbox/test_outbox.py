"""News is kept with what it tells of, told at least once, and swept when its doorbell was lost."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from feedbackhub.outbox import consumer, delivery, publish, sweeping
from feedbackhub.outbox.models import OutboxEvent

heard = []


@consumer("test_news")
def listen(event):
    heard.append(event.about["number"])


@consumer("test_trouble")
def stumble(event):
    heard.append("tried")
    raise ValueError("secret text of a row")


@pytest.fixture(autouse=True)
def _nothing_heard():
    heard.clear()


def test_news_is_told_after_the_commit(project, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        publish("test_news", project=project, number=7)
        assert heard == []
    assert heard == [7]
    assert OutboxEvent.objects.get().delivered_at


@pytest.mark.django_db(transaction=True)
def test_news_of_what_was_rolled_back_is_never_told(project):
    with pytest.raises(RuntimeError), transaction.atomic():
        publish("test_news", project=project, number=7)
        raise RuntimeError
    sweeping.sweep()
    assert heard == []
    assert not OutboxEvent.objects.exists()


def test_the_sweep_tells_what_a_lost_doorbell_left(project):
    publish("test_news", project=project, number=7)  # the test's transaction rings no bell
    sweeping.sweep()
    assert heard == [7]
    sweeping.sweep()
    assert heard == [7]


def test_news_that_must_wait_waits(project):
    publish("test_news", project=project, number=7, due_at=timezone.now() + timedelta(seconds=10))
    sweeping.sweep()
    assert heard == []
    OutboxEvent.objects.update(due_at=timezone.now())
    sweeping.sweep()
    assert heard == [7]


def test_a_consumer_that_fails_is_tried_again_later_and_its_error_keeps_no_text(project):
    publish("test_trouble", project=project)
    delivery.deliver_due()
    event = OutboxEvent.objects.get()
    assert heard == ["tried"]
    assert (event.attempts, event.failure, event.delivered_at) == (1, "ValueError", None)
    assert event.due_at > timezone.now()


def test_one_bad_piece_of_news_does_not_hold_up_the_others(project):
    publish("test_trouble", project=project)
    publish("test_news", project=project, number=7)
    delivery.deliver_due()
    assert heard == ["tried", 7]


def test_a_broken_broom_does_not_stop_the_others(project, monkeypatch):
    def broken():
        raise RuntimeError

    monkeypatch.setattr(sweeping, "_sweepers", [broken])
    publish("test_news", project=project, number=7)
    sweeping.sweep()
    assert heard == [7]


@pytest.mark.django_db(transaction=True)
def test_two_deliverers_share_the_news_and_tell_none_twice(project, monkeypatch):
    def slowly(event):
        time.sleep(0.002)
        heard.append(event.about["number"])

    monkeypatch.setitem(delivery._consumers, "test_news", [slowly])
    OutboxEvent.objects.bulk_create(
        OutboxEvent(project=project, kind="test_news", about={"number": n}) for n in range(60)
    )

    def deliver():
        delivery.deliver_due()
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == list(range(60))


@pytest.mark.django_db(transaction=True)
def test_a_second_sweep_at_the_same_time_does_nothing(project, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()

    def slow_broom():
        inside.set()
        go_on.wait(5)
        return 1

    monkeypatch.setattr(sweeping, "_sweepers", [slow_broom])
    swept = []

    def sweep():
        swept.append(sweeping.sweep())
        connection.close()

    first = threading.Thread(target=sweep)
    first.start()
    inside.wait(5)
    second = threading.Thread(target=sweep)
    second.start()
    second.join()
    go_on.set()
    first.join()
    assert swept[0] == {}
    assert len(swept[1]) == 2
