"""News for the apps on the right, kept as rows until they were told."""

from django.db import models
from django.utils import timezone

from feedbackhub.accounts.models import ProjectModel


class OutboxEventQuerySet(models.QuerySet):
    def due(self):
        return self.filter(delivered_at=None, due_at__lte=timezone.now())


class OutboxEvent(ProjectModel):
    """Something that became true in the same transaction; every registered consumer hears of it at least once."""

    kind = models.CharField(max_length=40)
    about = models.JSONField(default=dict)  # ids only, never texts
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # not before (the undo, a retry)
    delivered_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)  # the error's class and row ids

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        indexes = [
            # the deliverer's query: what is due, oldest first
            models.Index(
                fields=["due_at", "id"], condition=models.Q(delivered_at=None), name="outbox_due"
            ),
            models.Index(fields=["delivered_at"], name="outbox_delivered"),
        ]

    def __str__(self):
        return f"{self.kind} {self.about}"
