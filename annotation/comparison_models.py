"""Two answers to one input, and which of them people preferred. Import them from `annotation.models`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotation.models import Annotation, EvalRun, ReviewItem
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    project_parent,
    same_project,
)
from feedbackhub.ids import make_public_id


class Comparison(ProjectModel):
    """The answer that was given beside another one for the same input; its item is judged blind, in pairs."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    item = ProjectOneToOneField(ReviewItem, on_delete=models.CASCADE, related_name="comparison")
    text = models.TextField()  # the other answer
    given_hash = models.CharField(max_length=64)  # SHA-256 of the answer that was given
    text_hash = models.CharField(max_length=64)  # SHA-256 of the other one
    label = models.CharField(max_length=200, blank=True)  # whose it is; nobody who judges sees it
    run = ProjectForeignKey(EvalRun, null=True, on_delete=models.SET_NULL)  # it came from
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("comparison"),
            *same_project("comparison", "item", "run"),
            # two equal texts are no comparison
            models.CheckConstraint(
                condition=~Q(text_hash=F("given_hash")), name="comparison_of_two_texts"
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="comparison_newest")]

    def __str__(self):
        return f"comparison of {self.item_id}"


class Preference(ProjectModel):
    """Which of the two one expert preferred: the one that was given, the other one, both alike, or neither."""

    class Outcome(models.TextChoices):
        GIVEN = "given", "The answer that was given"
        OTHER = "other", "The other one"
        EQUAL = "equal", "Equally good"
        NEITHER = "neither", "Both bad"

    annotation = ProjectOneToOneField(
        Annotation, on_delete=models.CASCADE, related_name="preference"
    )
    comparison = ProjectForeignKey(Comparison, on_delete=models.CASCADE, related_name="preferences")
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    reasons = ArrayField(models.CharField(max_length=20), default=list)

    class Meta:
        constraints = [*same_project("preference", "annotation", "comparison")]

    def __str__(self):
        return f"{self.outcome} in {self.comparison_id}"
