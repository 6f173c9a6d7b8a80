"""What people say on their tickets that shipped, and what a person here made of it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    User,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked

_MOVES = {"waiting": ["confirmed", "declined"], "confirmed": [], "declined": []}


@tracked("state", "key", "decided_by")
class TicketFix(ProjectModel):
    """Where a fix that a ticket tells of comes from. The words are the fix's; here only how to know them again."""

    class State(models.TextChoices):
        WAITING = "waiting", "To be confirmed"
        CONFIRMED = "confirmed", "Confirmed"
        DECLINED = "declined", "Declined"

    ticket = ProjectForeignKey(
        "triage.Ticket", null=True, on_delete=models.SET_NULL, related_name="told_fixes"
    )
    fix = ProjectOneToOneField(
        "triage.Fix", null=True, on_delete=models.SET_NULL, related_name="told_by"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    key = models.CharField(max_length=60)  # the ticket's, as it was then
    comment_id = models.CharField(max_length=100)
    said_by = models.CharField(max_length=100, blank=True)  # as the tracker names them
    said_at = models.DateTimeField(null=True)
    words_hash = models.CharField(max_length=64)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("ticketfix", "ticket", "fix"),
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="waiting"), name="ticketfix_one_waiting"
            ),
            models.UniqueConstraint(
                fields=["ticket", "comment_id", "words_hash"], name="ticketfix_words_once"
            ),
        ]
        triggers = [legal_moves("state", _MOVES)]

    def __str__(self):
        return f"{self.key}: {self.state}"
