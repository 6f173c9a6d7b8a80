from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from feedbackhub import embedded_postgres


class OutboxConfig(AppConfig):
    name = "feedbackhub.outbox"
    label = "outbox"

    def ready(self):
        autodiscover_modules("consumers", "sweepers")
        post_migrate.connect(make_broker_tables, sender=self)


def make_broker_tables(sender, using, **kwargs):
    """Without Redis, PostgreSQL itself is the broker: its queue's schema once."""
    if not settings.REDIS_URL:
        embedded_postgres.ensure_pgmq(connections[using].cursor().connection)
