"""The question to a model for a problem's words. Import it from `triage.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import ProjectModel, ProjectOneToOneField, same_project


class Wording(ProjectModel):
    """One question to the model about one problem's title and summary: asked, taken, or given up. The words stand with the problem."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        TAKEN = "taken", "Taken"
        FAILED = "failed", "Given up"

    problem = ProjectOneToOneField(
        "triage.Problem", on_delete=models.CASCADE, related_name="wording"
    )
    state = models.CharField(max_length=6, choices=State.choices, default=State.ASKED)
    failure = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [*same_project("wording", "problem")]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(state="asked"), name="wording_asked")
        ]

    def __str__(self):
        return f"{self.state} for {self.problem_id}"
