"""The job queue: Redis where REDIS_URL is set, PostgreSQL itself where not.

Tasks are doorbells: ids as arguments, safe to run twice, and a sweep every 30 s finds what a lost message left.
"""

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")

from django.conf import settings

app = Celery("feedbackhub")
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_publish_retry=False,  # a broker that is away must not hold up a request: the sweep rings later
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=1_800,
    task_soft_time_limit=1_740,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    task_always_eager=settings.TASKS_EAGER,
    timezone="UTC",
    beat_schedule={
        "sweep": {"task": "feedbackhub.outbox.tasks.sweep", "schedule": 30.0},
        "seal-audit": {"task": "feedbackhub.audit.tasks.seal", "schedule": 300.0},
    },
)
if settings.REDIS_URL:
    app.conf.update(
        broker_url=settings.REDIS_URL,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            "visibility_timeout": 3_600,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
        },
    )
else:
    from feedbackhub import embedded_postgres

    # kombu's own call into pgmq; nothing that an operator could change
    warnings.filterwarnings("ignore", message=r"list_queues\(\) now returns")
    app.conf.update(
        broker_url="pgmq://",
        worker_prefetch_multiplier=4,  # one poll a second fetches a handful, NOTIFY wakes it at once
        worker_enable_remote_control=False,  # its queue names outgrow PostgreSQL's on long host names
        broker_transport_options=embedded_postgres.celery_broker_transport_options(
            settings.DATABASE_URL
        ),
    )
app.autodiscover_tasks(
    ["feedbackhub.outbox", "feedbackhub.audit", "feedbackhub.capture", "annotation", "triage"]
)
