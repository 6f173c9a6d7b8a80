"""The same code as real processes, on either broker: news is told by the worker, whatever is killed."""

import pytest

from tests.processes import Stack, wait_for

PUBLISH = """
from django.db import transaction
from feedbackhub import outbox
from feedbackhub.accounts.models import Project
project, _ = Project.objects.get_or_create(slug="house", name="House")
with transaction.atomic():
    outbox.publish("told", project=project, number={number})
"""


def publish(stack, number):
    stack.manage("shell", "-c", PUBLISH.format(number=number))


def told(stack):
    rows = stack.sql("SELECT about FROM outbox_outboxevent WHERE delivered_at IS NOT NULL")
    return sorted(about["number"] for (about,) in rows)


def test_worker_and_beat_work_with_postgresql_as_broker():
    with Stack(own_postgres=True) as stack:
        publish(stack, 1)
        wait_for(lambda: told(stack) == [1], 120)

        stack.kill("worker")
        publish(stack, 2)
        stack.start("worker")
        wait_for(lambda: told(stack) == [1, 2], 120)

        stack.kill_postgres()
        stack.start_postgres()
        publish(stack, 3)
        assert wait_for(lambda: told(stack) == [1, 2, 3], 120)
        stack.wait_until_up()


@pytest.mark.redis
def test_worker_and_beat_work_with_redis_as_broker(redis_server):
    with Stack(redis=redis_server) as stack:
        publish(stack, 1)
        wait_for(lambda: told(stack) == [1], 120)

        stack.kill("worker")
        publish(stack, 2)
        redis_server.empty()  # the doorbell is lost; the sweep finds the row
        stack.start("worker")
        wait_for(lambda: told(stack) == [1, 2], 120)

        redis_server.kill()
        redis_server.start()
        publish(stack, 3)
        assert wait_for(lambda: told(stack) == [1, 2, 3], 120)


def test_a_frozen_web_process_thaws_and_a_killed_one_starts_again():
    with Stack(processes=("web",)) as stack:
        stack.freeze("web")
        with pytest.raises(AssertionError, match="did not come up"):
            stack.wait_until_up(1)
        stack.thaw("web")
        stack.wait_until_up()
        stack.restart("web")
        stack.wait_until_up()
