"""The gate's rows: a candidate held against a gold version, answer by answer, and what the project asks of it.

Import them from `annotation.models`.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models import GoldRevision, GoldVersion, Split
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.ids import make_public_id


def default_severities() -> dict[str, float]:
    """No critical case may fail."""
    return {"critical": 1.0}


@tracked(
    "overall",
    "severities",
    "categories",
    "most_broken",
    "min_likeness",
    "assertions",
    "holdout_uses",
)
class GateRules(ProjectModel):
    """What a candidate must reach in this project: shares from 0 to 1."""

    overall = models.FloatField(default=0.9)
    severities = models.JSONField(default=default_severities)  # {severity: share}
    categories = models.JSONField(default=dict)  # {category key: share}
    most_broken = models.PositiveIntegerField(null=True)  # against the last accepted run
    min_likeness = models.FloatField(default=0.2)  # to the ideal, where no assertion decides
    assertions = models.JSONField(default=list)  # asked of every answer
    holdout_uses = models.PositiveSmallIntegerField(
        default=20
    )  # of the same cases, or they wear out

    class Meta:
        constraints = [
            project_parent("gaterules"),
            models.UniqueConstraint(fields=["project"], name="gaterules_once"),
            models.CheckConstraint(
                condition=Q(overall__range=(0, 1)) & Q(min_likeness__range=(0, 1)),
                name="gaterules_shares",
            ),
        ]

    def __str__(self):
        return f"gate rules of {self.project_id}"


_RUN_MOVES = {
    "pending": ["running", "failed"],
    "running": ["done", "failed", "pending"],  # pending again: its worker died
    "done": [],
    "failed": ["pending"],
}


@tracked("state", "passed", "is_accepted", "override_reason")
class EvalRun(ProjectModel):
    """A candidate's answers to one split of a gold version; assessed by a worker, accepted when it passes or a lead says so."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    version = ProjectForeignKey(GoldVersion, on_delete=models.PROTECT, related_name="evaluations")
    split = models.CharField(max_length=10, choices=Split.choices)
    candidate = models.CharField(max_length=200)  # "prompt=v1.5 model=…", in the caller's words
    versions = ArrayField(models.CharField(max_length=200), default=list)  # of prompt, model, …
    note = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    progress_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    passed = models.BooleanField(null=True)
    is_accepted = models.BooleanField(default=False)
    rules = models.JSONField(default=dict)  # the gate's rules as they were
    baseline = ProjectForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    summary = models.JSONField(default=dict)  # as `evaluation.verdict.summarise` answers
    lease_until = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    override_reason = models.TextField(blank=True)
    overridden_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="overridden_evaluations"
    )
    overridden_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            project_parent("evalrun"),
            *same_project("evalrun", "version", "baseline"),
            models.CheckConstraint(
                condition=Q(is_accepted=False) | Q(passed=True) | ~Q(override_reason=""),
                name="evalrun_accepted_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="evalrun_newest"),
            models.Index(
                fields=["project", "split", "-id"],
                condition=Q(is_accepted=True),
                name="evalrun_accepted",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["pending", "running"]),
                name="evalrun_unfinished",
            ),
        ]
        triggers = [legal_moves("state", _RUN_MOVES)]

    def __str__(self):
        return f"{self.candidate} against {self.version_id}"


class EvalResult(ProjectModel):
    """One attempt of a candidate at one gold case."""

    run = ProjectForeignKey(EvalRun, on_delete=models.CASCADE, related_name="results")
    revision = ProjectForeignKey(GoldRevision, on_delete=models.CASCADE, related_name="evaluated")
    attempt = models.PositiveSmallIntegerField(default=1)
    output = models.TextField(blank=True)
    passed = models.BooleanField(null=True)
    checks = models.JSONField(default=list)  # [{"check", "passed", "why"}]
    likeness = models.FloatField(null=True)  # to the ideal answer, 0 to 1

    class Meta:
        constraints = [
            *same_project("evalresult", "run", "revision"),
            models.UniqueConstraint(fields=["run", "revision", "attempt"], name="evalresult_once"),
        ]

    def __str__(self):
        return f"attempt {self.attempt} at {self.revision_id} in {self.run_id}"
