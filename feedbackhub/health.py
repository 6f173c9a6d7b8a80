"""Alive, able to work, and figures for a monitor."""

import time

from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily


class HealthMiddleware:
    """`/healthz` answers before anything else can fail, whatever the Host header says."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/healthz":
            return JsonResponse({"status": "alive"})
        return self.get_response(request)


def readyz(request):
    """Able to work: the database answers, the broker answers, and no row waits too long to be sent."""
    checks = {"database": _check(_database), "broker": _check(_broker)}
    oldest = _oldest_unsent_seconds() if checks["database"] == "ok" else None
    checks["oldest_unsent_seconds"] = oldest
    is_ready = checks["database"] == "ok" and checks["broker"] == "ok"
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", **checks}, status=200 if is_ready else 503
    )


def _check(ask) -> str:
    try:
        ask()
        return "ok"
    except Exception as error:
        return type(error).__name__


def _database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker():
    if settings.REDIS_URL:
        import redis

        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2).ping()


def _oldest_unsent_seconds() -> float:
    from feedbackhub.outbox.models import OutboxEvent

    oldest = OutboxEvent.objects.due().order_by("due_at").values_list("due_at", flat=True).first()
    return round((timezone.now() - oldest).total_seconds(), 1) if oldest else 0.0


class _Figures:
    """Asks the database when scraped; keeps nothing in a process that another one would need."""

    def collect(self):
        from django.db.models import Count

        from annotation.models import ReviewItem
        from feedbackhub.outbox.models import OutboxEvent
        from triage.models import Escalation, Notice

        started = time.perf_counter()
        yield GaugeMetricFamily(
            "feedbackhub_outbox_due", "Outbox rows due", value=OutboxEvent.objects.due().count()
        )
        yield GaugeMetricFamily(
            "feedbackhub_oldest_unsent_seconds",
            "Age of the oldest due outbox row",
            value=_oldest_unsent_seconds(),
        )
        for name, model in (
            ("review_items", ReviewItem),
            ("escalations", Escalation),
            ("notices", Notice),
        ):
            family = GaugeMetricFamily(f"feedbackhub_{name}", f"{name} by state", labels=["state"])
            for state, count in model.objects.values_list("state").annotate(Count("id")):
                family.add_metric([state], count)
            yield family
        yield GaugeMetricFamily(
            "feedbackhub_scrape_seconds", "Time of this scrape", value=time.perf_counter() - started
        )


def metrics(request):
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(
        generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8"
    )
