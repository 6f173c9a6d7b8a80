"""What changed, which problems it solves, and how their cases come out after it. Import them from `triage.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.capture.models import Interaction, PromptVersion
from feedbackhub.ids import make_public_id
from triage.problem_models import Problem

_FIX_MOVES = {
    "planned": ["shipped", "reverted"],
    "shipped": ["verified", "reverted"],
    "verified": ["reverted"],
    "reverted": [],
}


@tracked("state", "shipped_at", "verified_at", "recurred_at")
class Fix(ProjectModel):
    """What changed, in words a reporter understands, and which problems it solves."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        SHIPPED = "shipped", "Shipped"
        VERIFIED = "verified", "Verified"
        REVERTED = "reverted", "Reverted"

    class Carrier(models.TextChoices):
        PROMPT = "prompt", "Prompt version"
        MODEL = "model", "Model version"
        INDEX = "index", "Index version"
        PRODUCT = "product", "Product version"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    summary = models.TextField()
    carrier = models.CharField(max_length=10, choices=Carrier.choices, default=Carrier.PROMPT)
    carrier_version = models.CharField(max_length=200, blank=True)
    prompt_version = ProjectForeignKey(
        PromptVersion, null=True, on_delete=models.SET_NULL, related_name="fixes"
    )  # where the carrier is one that the changelog knows
    state = models.CharField(max_length=10, choices=State.choices, default=State.SHIPPED)
    to_confirm = models.BooleanField(
        default=False, db_default=False
    )  # a ticket says so, and nobody here has yet
    problems = models.ManyToManyField(Problem, through="FixedProblem", related_name="fixes")
    evidence = models.JSONField(default=dict)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    external_id = models.CharField(max_length=200, null=True)  # the pipeline's own id
    shipped_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    recurred_at = models.DateTimeField(null=True)  # its problems came back above their old rate
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("fix"),
            *same_project("fix", "prompt_version"),
            models.UniqueConstraint(fields=["project", "external_id"], name="fix_external_id"),
            models.CheckConstraint(
                condition=Q(to_confirm=False) | Q(state="planned", prompt_version=None),
                name="fix_confirmed_first",
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="fix_newest")]
        triggers = [legal_moves("state", _FIX_MOVES)]

    def __str__(self):
        return self.summary[:60]


class FixedProblem(ProjectModel):
    """A problem that a fix is meant to solve."""

    fix = ProjectForeignKey(Fix, on_delete=models.CASCADE, related_name="fixed_problems")
    problem = ProjectForeignKey(Problem, on_delete=models.CASCADE, related_name="fixed_by")

    class Meta:
        constraints = [
            *same_project("fixedproblem", "fix", "problem"),
            models.UniqueConstraint(fields=["fix", "problem"], name="fixedproblem_once"),
        ]

    def __str__(self):
        return f"{self.problem_id} by {self.fix_id}"


class Replay(ProjectModel):
    """How one of a problem's own cases comes out after the fix; the newest word counts."""

    class Source(models.TextChoices):
        PIPELINE = "pipeline", "The team's pipeline"
        EVALUATION = "evaluation", "An evaluation run"

    fix = ProjectForeignKey(Fix, on_delete=models.CASCADE, related_name="replays")
    interaction = ProjectForeignKey(Interaction, on_delete=models.CASCADE)
    output = models.TextField(blank=True)
    has_passed = models.BooleanField()
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PIPELINE)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("replay", "fix", "interaction"),
            models.UniqueConstraint(fields=["fix", "interaction"], name="replay_once"),
        ]

    def __str__(self):
        return f"{self.interaction_id} after {self.fix_id}"
