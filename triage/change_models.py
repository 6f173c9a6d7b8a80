"""What leads change in how cases are grouped, and what the hub proposes to them. Import them from `triage.models`."""

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
from feedbackhub.ids import make_public_id
from triage.problem_models import Problem


@tracked("kind", "undone_at")
class ProblemChange(ProjectModel):
    """What a lead did to the membership or the words of problems, kept so that it can be undone."""

    class Kind(models.TextChoices):
        MERGE = "merge", "Merged"
        MOVE = "move", "Cases moved"
        SPLIT = "split", "Split"
        RENAME = "rename", "Renamed"
        REGROUP = "regroup", "Regrouped"
        PUT = "put", "Case put in"
        TAKE_OUT = "take_out", "Case taken out"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    problems = models.ManyToManyField(Problem, related_name="changes", through="ChangedProblem")
    # [{"interaction", "from", "to", "placed", "had"}], by their keys; null: no problem. `placed` is its placement and `had` its
    # membership of `to` from before, null where there was none
    moves = models.JSONField(default=list)
    # [{"problem", "name", "was", "now"}] of the problems' fields
    fields = models.JSONField(default=list)
    opened = models.JSONField(default=list)  # problems that this change opened
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [project_parent("problemchange")]
        indexes = [models.Index(fields=["project", "-id"], name="problemchange_newest")]

    def __str__(self):
        return f"{self.kind} {self.pk}"


class ChangedProblem(ProjectModel):
    """A problem that a change touched."""

    change = ProjectForeignKey(ProblemChange, on_delete=models.CASCADE)
    problem = ProjectForeignKey(Problem, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            *same_project("changedproblem", "change", "problem"),
            models.UniqueConstraint(fields=["change", "problem"], name="changedproblem_once"),
        ]

    def __str__(self):
        return f"{self.problem_id} by {self.change_id}"


_REGROUPING_MOVES = {
    "asked": ["ready", "failed", "declined"],
    # at once: as the release before does it, that may still run beside this one
    "ready": ["accepting", "accepted", "declined"],
    "accepting": ["accepted", "failed"],
    "accepted": [],
    "declined": [],
    "failed": [],
}


@tracked("state", "asked_by", "decided_by")
class Regrouping(ProjectModel):
    """A proposal of how cases could be grouped anew; nothing moves before a lead accepts it."""

    class State(models.TextChoices):
        ASKED = "asked", "Being prepared"
        READY = "ready", "Ready to look at"
        ACCEPTING = "accepting", "Being accepted"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        FAILED = "failed", "Failed"

    OPEN_STATES = [State.ASKED, State.READY, State.ACCEPTING]

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    # [{"problem": key or null, "joins": [{"interaction", "from"}]}]: keys only, nobody's words; a problem that accepting
    # opens comes in here
    plan = models.JSONField(default=list)
    considered = models.PositiveIntegerField(default=0)  # cases that were compared
    embedder = models.CharField(max_length=130, blank=True)  # name and version
    failure = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)  # a worker prepares it, or does what it says
    ready_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    # being accepted (triage/accepting.py): how many cases of the plan are gone through, and what became of them
    done_count = models.PositiveIntegerField(default=0, db_default=0)
    joined_count = models.PositiveIntegerField(default=0, db_default=0)
    skipped_count = models.PositiveIntegerField(
        default=0, db_default=0
    )  # no longer as the plan found them
    stayed_count = models.PositiveIntegerField(
        default=0, db_default=0
    )  # what they would have joined is gone
    tries = models.PositiveSmallIntegerField(
        default=0, db_default=0
    )  # of workers, since the last step
    asks_for_tickets = models.JSONField(
        default=list, db_default=[]
    )  # problems to be filed once all is done
    change = ProjectForeignKey(ProblemChange, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            *same_project("regrouping", "change"),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(state__in=["asked", "ready", "accepting"]),
                name="regrouping_one_open",
            ),
        ]
        triggers = [legal_moves("state", _REGROUPING_MOVES)]

    def __str__(self):
        return f"regrouping {self.pk}"

    @property
    def planned_count(self) -> int:
        return sum(len(part["joins"]) for part in self.plan)
