"""Tickets as last seen, and what is to be said on them. Import them from `triage.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.ids import make_public_id
from triage.escalation_models import Escalation
from triage.tracker_models import TrackerConnection


class TicketState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    WONT_FIX = "wont_fix", "Won't fix"
    DUPLICATE = "duplicate", "Duplicate"
    DELETED = "deleted", "Deleted"
    UNKNOWN = "unknown", "Unknown"


@tracked("remote_id", "key", "state", "status_name", "remote_updated_at")
class Ticket(ProjectModel):
    """A tracker's ticket as last seen."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    escalation = ProjectOneToOneField(Escalation, on_delete=models.CASCADE, related_name="ticket")
    connection = ProjectForeignKey(
        TrackerConnection, on_delete=models.CASCADE, related_name="tickets"
    )
    remote_id = models.CharField(max_length=100)
    key = models.CharField(max_length=60)
    url = models.CharField(max_length=2000, blank=True)
    state = models.CharField(max_length=15, choices=TicketState.choices, default=TicketState.OPEN)
    status_name = models.CharField(max_length=100, blank=True)
    assignee = models.CharField(max_length=100, blank=True)  # as the tracker names them
    remote_updated_at = models.DateTimeField(null=True)  # by the tracker's clock
    seen_at = models.DateTimeField(default=timezone.now)
    look_at = models.DateTimeField(null=True, default=timezone.now)  # when to ask the tracker next
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("ticket"),
            *same_project("ticket", "escalation", "connection"),
            models.UniqueConstraint(fields=["connection", "remote_id"], name="ticket_once"),
        ]
        indexes = [
            models.Index(
                fields=["look_at"], condition=Q(look_at__isnull=False), name="ticket_look_at"
            )
        ]

    def __str__(self):
        return self.key

    @property
    def is_deleted(self) -> bool:
        return self.state == TicketState.DELETED


_TICKET_NOTE_MOVES = {"waiting": ["sent", "failed"], "failed": ["waiting"], "sent": []}


@tracked("kind", "state", "failure")
class TicketNote(ProjectModel):
    """Something to be said on a ticket, kept until it was said; its words are made when they are sent."""

    class Kind(models.TextChoices):
        REOPENED = "reopened", "Open again"
        MORE_CASES = "more_cases", "More cases"
        ADOPTED = "adopted", "Followed from here"
        EVIDENCE = "evidence", "Link and brief"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    ticket = ProjectForeignKey(Ticket, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    why = models.CharField(max_length=20, blank=True)  # of a reopening: problems.WHY_REOPENED
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    marker = models.UUIDField()  # version 4: the comment is made once, however often it is sent
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    failure = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_tried_at = models.DateTimeField(null=True)  # since when it fails; a pause ends that
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            *same_project("ticketnote", "ticket"),
            # what happens while a note waits is said by that note
            models.UniqueConstraint(
                fields=["ticket", "kind"],
                condition=Q(state="waiting"),
                name="ticketnote_one_waiting",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="ticketnote_due")
        ]
        triggers = [legal_moves("state", _TICKET_NOTE_MOVES)]

    def __str__(self):
        return f"{self.kind} on {self.ticket_id}"
