"""What a model suggests for an item, before anybody judges it. Import it from `annotation.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models import LabelSchema, ReviewItem
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    same_project,
)


class ModelSuggestion(ProjectModel):
    """One question to the model about one item: asked by a worker, ready, or given up."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        READY = "ready", "Ready"
        FAILED = "failed", "Given up"

    item = ProjectOneToOneField(
        ReviewItem, on_delete=models.CASCADE, related_name="model_suggestion"
    )
    schema = ProjectForeignKey(LabelSchema, on_delete=models.CASCADE)
    state = models.CharField(max_length=6, choices=State.choices, default=State.ASKED)
    model = models.CharField(max_length=60)
    values = models.JSONField(default=dict)  # {"verdict", "severity", "categories", "root_cause"}
    why = models.CharField(max_length=300, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [*same_project("modelsuggestion", "item", "schema")]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(state="asked"), name="modelsuggestion_asked"
            )
        ]

    def __str__(self):
        return f"{self.state} for {self.item_id}"
