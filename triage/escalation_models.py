"""The duty to have a ticket. Import it from `triage.models`."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.ids import make_public_id
from triage.problem_models import Problem
from triage.tracker_models import TrackerConnection

# "filed" can be reached from every state: the tracker's own webhook may show a ticket that nobody expected any more.
_ESCALATION_MOVES = {
    "pending": ["filing", "filed", "failed", "cancelled"],
    "filing": ["filed", "pending", "unknown", "failed"],
    "unknown": ["filed", "pending", "failed"],
    "failed": ["pending", "filed", "cancelled"],
    "filed": ["pending"],  # its ticket could not be reopened: a new one is filed
    "cancelled": ["pending", "filed"],
}


class EscalationQuerySet(models.QuerySet):
    def open(self):
        """Neither filed nor given up."""
        return self.filter(state__in=Escalation.OPEN_STATES)

    def waiting_for_a_person(self):
        """Failed, on a paused connection, of uncertain number, or open for half an hour (RELIABILITY I6)."""
        return self.filter(
            Q(state=Escalation.State.FAILED)
            | Q(
                state__in=Escalation.OPEN_STATES,
                created_at__lt=timezone.now() - Escalation.PATIENCE,
            )
            | (Q(state__in=Escalation.OPEN_STATES) & ~Q(connection__paused_reason=""))
            | (Q(state=Escalation.State.FILED) & ~Q(failure=""))
        )


@tracked("state", "attempts", "failure")
class Escalation(ProjectModel):
    """The duty to have one ticket for one problem at one connection, whatever fails in between."""

    PATIENCE = timedelta(minutes=30)  # longer than this a person is asked, while trying goes on

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be filed"
        FILING = "filing", "Being filed"
        UNKNOWN = "unknown", "May have been filed"
        FILED = "filed", "Filed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN_STATES = [State.PENDING, State.FILING, State.UNKNOWN]

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    problem = ProjectForeignKey(Problem, on_delete=models.CASCADE, related_name="escalations")
    connection = ProjectForeignKey(
        TrackerConnection, on_delete=models.CASCADE, related_name="escalations"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    marker = models.UUIDField()  # version 4: the label in Jira, the issue's own id in Linear
    attempts = models.PositiveSmallIntegerField(default=0)
    searches = models.PositiveSmallIntegerField(
        default=0
    )  # reconciling looks since the outcome was lost
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_tried_at = models.DateTimeField(null=True)
    unknown_since = models.DateTimeField(null=True)  # when the answer to a create was lost
    filed_at = models.DateTimeField(null=True)
    checked_again_at = models.DateTimeField(null=True)  # the late look for doubles
    # [{"key", "url", "remote_id"}]: tickets that could not be reopened, the oldest first
    earlier_tickets = models.JSONField(default=list)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("escalation"),
            *same_project("escalation", "problem", "connection"),
            models.UniqueConstraint(fields=["problem", "connection"], name="escalation_once"),
            models.UniqueConstraint(fields=["marker"], name="escalation_marker"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["pending", "filing", "unknown"])
                | Q(state="filed", checked_again_at=None),
                name="escalation_due",
            )
        ]
        triggers = [legal_moves("state", _ESCALATION_MOVES)]

    def __str__(self):
        return f"escalation {self.pk}"

    @property
    def may_have_a_ticket(self) -> bool:
        """It was tried, or people's own ticket was adopted."""
        return self.attempts > 0 or self.state == self.State.FILED

    @property
    def needs_a_person(self) -> bool:
        """What `waiting_for_a_person` asks of the database, for one row at hand."""
        if self.state in self.OPEN_STATES:
            return self.connection.is_paused or timezone.now() - self.created_at > self.PATIENCE
        return self.state == self.State.FAILED or bool(
            self.state == self.State.FILED and self.failure
        )
