"""Connections to trackers, and what came in over them. Import them from `triage.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import tracked
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.ids import make_public_id


def tracker_choices():
    from triage.trackers import choices

    return choices()


@tracked("name", "tracker", "is_active", "files_from", "paused_reason")
class TrackerConnection(ProjectModel):
    """The way to one place in one tracker. Credentials are encrypted at rest."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=80)
    tracker = models.CharField(max_length=20, choices=tracker_choices)
    config = models.JSONField(default=dict)  # base_url, project_key, …: what may be shown
    credentials = models.BinaryField(default=b"")  # MultiFernet over JSON
    status_map = models.JSONField(
        default=dict
    )  # {remote status name: our ticket state}, over the adapter's own
    files_by_itself = models.BooleanField(default=True)
    files_from = models.CharField(max_length=10, choices=Severity.choices, default=Severity.HIGH)
    is_active = models.BooleanField(default=True)
    paused_reason = models.CharField(
        max_length=300, blank=True
    )  # its credentials failed; its work is kept
    paused_until = models.DateTimeField(null=True)  # the tracker asked for a rest
    # Who we are over there, once asked: events by it are echoes of what we wrote.
    account_id = models.CharField(max_length=128, blank=True, db_default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("trackerconnection"),
            models.UniqueConstraint(fields=["project", "name"], name="trackerconnection_name"),
        ]

    def __str__(self):
        return self.name

    @property
    def is_paused(self) -> bool:
        return bool(self.paused_reason)


class TrackerDelivery(ProjectModel):
    """One inbound webhook; a delivery id has at most one effect. Kept 30 days."""

    connection = ProjectForeignKey(TrackerConnection, on_delete=models.CASCADE)
    delivery_id = models.CharField(max_length=200)
    event = models.JSONField(default=dict)  # what we understood of it: ids, states, times; no texts
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            project_parent("trackerdelivery"),
            *same_project("trackerdelivery", "connection"),
            models.UniqueConstraint(
                fields=["connection", "delivery_id"], name="trackerdelivery_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(processed_at=None), name="trackerdelivery_due"
            ),
            models.Index(fields=["connection", "-id"], name="trackerdelivery_newest"),
        ]

    def __str__(self):
        return self.delivery_id
