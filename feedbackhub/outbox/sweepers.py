"""Housekeeping of the platform: what was kept long enough goes."""

from datetime import timedelta

from django.utils import timezone

from feedbackhub.api import idempotency
from feedbackhub.outbox.models import OutboxEvent
from feedbackhub.outbox.sweeping import sweeper

KEPT = timedelta(days=30)

sweeper(idempotency.forget_old)


@sweeper
def forget_old_news() -> int:
    """Delivered news of more than thirty days."""
    return OutboxEvent.objects.filter(delivered_at__lt=timezone.now() - KEPT).delete()[0]
