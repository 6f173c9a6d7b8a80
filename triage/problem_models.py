"""Bad answers that share a cause, and which answer belongs where. Import them from `triage.models`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models import Settlement
from annotation.queries import interactions_judged_by
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.ids import make_public_id

PROBLEM_MOVES = {
    "open": ["investigating", "fixing", "shipped", "wont_fix", "duplicate"],
    "investigating": ["open", "fixing", "shipped", "wont_fix", "duplicate"],
    "fixing": ["open", "investigating", "shipped", "wont_fix", "duplicate"],
    "shipped": [
        "verified",
        "regressed",
        "open",
        "investigating",
        "fixing",
        "wont_fix",
        "duplicate",
    ],
    "verified": ["regressed"],
    "regressed": ["investigating", "fixing", "shipped", "wont_fix", "duplicate"],
    "wont_fix": ["open", "regressed"],
    # a merge can be undone: the problem is again what it was
    "duplicate": ["open", "investigating", "fixing", "shipped", "wont_fix", "regressed"],
}


class ProblemQuerySet(models.QuerySet):
    def for_project(self, project):
        return self.filter(project=project)

    def unsolved(self):
        return self.filter(state__in=Problem.UNSOLVED_STATES)

    def visible_to(self, membership):
        """All of them, or for an expert those of the items that they judged and that cannot sway them any more."""
        problems = self.filter(project=membership.project_id)
        if membership.may("see_problems"):
            return problems
        return problems.filter(
            members__left_at=None, members__interaction__in=interactions_judged_by(membership)
        ).distinct()


@tracked("state", "severity", "owner", "fixable_by", "duplicate_of")  # a title may quote a person
class Problem(ProjectModel):
    """Bad answers that share a cause."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        INVESTIGATING = "investigating", "Investigating"
        FIXING = "fixing", "Fixing"
        SHIPPED = "shipped", "Shipped"
        VERIFIED = "verified", "Verified"
        REGRESSED = "regressed", "Regressed"
        WONT_FIX = "wont_fix", "Won't fix"
        DUPLICATE = "duplicate", "Duplicate"

    class FixableBy(models.TextChoices):
        PROMPT = "prompt", "Prompt"
        RETRIEVAL = "retrieval", "Retrieval"
        MODEL = "model", "Model"
        PRODUCT = "product", "Product"
        POLICY = "policy", "Policy"

    UNSOLVED_STATES = [State.OPEN, State.INVESTIGATING, State.FIXING, State.REGRESSED]

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    number = models.PositiveIntegerField()  # per project, what people say aloud
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    is_described_by_hand = models.BooleanField(default=False)  # title and summary are a person's
    title_model = models.CharField(
        max_length=60, blank=True, default="", db_default=""
    )  # they are this model's
    state = models.CharField(max_length=15, choices=State.choices, default=State.OPEN)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MEDIUM)
    category = models.CharField(
        max_length=60, blank=True
    )  # the label schema's key that most members have
    fixable_by = models.CharField(max_length=10, choices=FixableBy.choices, blank=True)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    duplicate_of = ProjectForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    # figures, recomputed by triage/priority.py
    reach = models.PositiveIntegerField(default=0)  # distinct reporters or users
    member_count = models.PositiveIntegerField(default=0)
    frequency = models.FloatField(default=0)  # per 1,000 interactions of 28 days
    priority = models.FloatField(default=0)
    last_seen_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    warned_for = models.DateTimeField(null=True)  # the due time that its owner was warned of
    late_told_for = models.DateTimeField(null=True)  # the due time that the leads heard was over
    state_changed_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("problem"),
            *same_project("problem", "duplicate_of"),
            models.UniqueConstraint(fields=["project", "number"], name="problem_number"),
            models.CheckConstraint(
                condition=~Q(state="duplicate") | Q(duplicate_of__isnull=False),
                name="problem_duplicate_of",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "state", "-priority", "-id"], name="problem_board"),
            models.Index(fields=["project", "-priority", "-id"], name="problem_first"),
        ]
        triggers = [legal_moves("state", PROBLEM_MOVES)]

    def __str__(self):
        return f"P{self.number} {self.title}"

    @property
    def original(self) -> "Problem":
        """What a duplicate stands for; any other problem is itself. Merging keeps this one step long."""
        is_duplicate = self.state == self.State.DUPLICATE and self.duplicate_of_id
        return self.duplicate_of if is_duplicate else self


@tracked("problem", "is_pinned", "left_at")
class ProblemMember(ProjectModel):
    """An answer that belongs to a problem, and who said so."""

    class Source(models.TextChoices):
        RULE = "rule", "A rule"
        EXPERT = "expert", "An expert"
        LEAD = "lead", "A lead"
        SIMILARITY = "similarity", "Similarity"
        REPORTER = "reporter", "A reporter"

    problem = ProjectForeignKey(Problem, on_delete=models.CASCADE, related_name="members")
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="problem_members"
    )
    settlement = ProjectForeignKey(Settlement, null=True, on_delete=models.SET_NULL)
    source = models.CharField(max_length=10, choices=Source.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MEDIUM)
    is_pinned = models.BooleanField(default=False)
    left_at = models.DateTimeField(null=True)
    # it left because it was found right, and by nobody's hand: found bad after all, it comes back
    is_taken_back = models.BooleanField(default=False, db_default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("problemmember", "problem", "interaction", "settlement"),
            models.UniqueConstraint(fields=["problem", "interaction"], name="problemmember_once"),
            models.UniqueConstraint(
                fields=["interaction"], condition=Q(left_at=None), name="problemmember_one_problem"
            ),
        ]
        indexes = [models.Index(fields=["problem", "-id"], name="problemmember_newest")]

    def __str__(self):
        return f"{self.interaction_id} in {self.problem_id}"

    @property
    def is_by_person(self) -> bool:
        """A person joined or pinned it: no regrouping moves it."""
        return self.is_pinned or self.source in (
            self.Source.LEAD,
            self.Source.EXPERT,
            self.Source.REPORTER,
        )

    @property
    def is_by_likeness(self) -> bool:
        """No person and no rule said so: a better place may be found for it."""
        return self.source == self.Source.SIMILARITY and not self.is_pinned


class Placement(ProjectModel):
    """Where an answer that somebody found bad was put, or why it was left alone."""

    class Reason(models.TextChoices):
        MEMBER = "member", "It was in the problem already"
        TWIN = "twin", "Nearly the same question"
        WORDS = "words", "Same category and feature, and half of the words"
        NEAR = "near", "Alike enough"
        NEW = "new", "Harmful, and nothing like it: a problem of its own"
        HAND = "hand", "A lead put it there"
        FAR = "far", "Not alike enough to any problem"
        BETWEEN = "between", "Between two problems"
        NOTHING = "nothing", "There is no problem yet that it could belong to"
        EMPTY = "empty", "No words to compare"
        TAKEN_OUT = "taken_out", "It was taken out, and is near to nothing else"
        AWAY = "away", "The embeddings service did not answer"

    LEFT_ALONE = [
        Reason.FAR,
        Reason.BETWEEN,
        Reason.NOTHING,
        Reason.EMPTY,
        Reason.TAKEN_OUT,
        Reason.AWAY,
    ]

    interaction = ProjectOneToOneField(
        Interaction, on_delete=models.CASCADE, related_name="placement"
    )
    problem = ProjectForeignKey(
        Problem, null=True, on_delete=models.SET_NULL, related_name="placements"
    )
    reason = models.CharField(max_length=10, choices=Reason.choices)
    nearest = ProjectForeignKey(Problem, null=True, on_delete=models.SET_NULL, related_name="+")
    alike = models.FloatField(null=True)  # to the nearest, as the mean over its members
    needed = models.FloatField(null=True)  # to belong to it
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [*same_project("placement", "interaction", "problem", "nearest")]
        indexes = [
            models.Index(
                fields=["project", "-id"], condition=Q(problem=None), name="placement_left_alone"
            )
        ]

    def __str__(self):
        return f"{self.interaction_id}: {self.reason}"
