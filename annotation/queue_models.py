"""Where work waits, and how it gets there. Import them from `annotation.models`."""

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
from feedbackhub.audit.tracking import tracked
from feedbackhub.capture.models import Interaction
from feedbackhub.ids import make_public_id


class ReviewQueueQuerySet(models.QuerySet):
    def for_project(self, project):
        return self.filter(project=project)

    def of_member(self, membership):
        """The queues that a member judges in: those that name them, and those that name nobody."""
        return self.filter(project=membership.project_id).filter(
            Q(pk__in=QueueMember.objects.filter(user=membership.user_id).values("queue"))
            | ~models.Exists(QueueMember.objects.filter(queue=models.OuterRef("pk")))
        )


@tracked("name", "overlap", "is_blind", "is_open", "consensus", "has_extra_reviewer")
class ReviewQueue(ProjectModel):
    """Where items wait for the experts who can judge them, and the rules of judging there.

    A queue without members is for everybody who may judge in the project.
    """

    class Consensus(models.TextChoices):
        MAJORITY = "majority", "More than half say the same"
        UNANIMOUS = "unanimous", "All say the same"
        WEIGHTED = "weighted", "More than half by weight: who did well on known cases weighs more"

    class OnTie(models.TextChoices):
        LEAD = "lead", "A lead decides"
        REVIEWER = "reviewer", "One more expert is asked, twice at most"

    class Order(models.TextChoices):
        PRIORITY = "priority", "What the routing rules put first"
        OLDEST = "oldest", "Oldest first"
        SEVERITY = "severity", "Worst claimed severity first"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=50)
    schema_name = models.CharField(max_length=80, default="default")
    overlap = models.PositiveSmallIntegerField(default=1)  # how many experts judge an item
    overlap_percent = models.PositiveSmallIntegerField(default=100)  # on how many items; else one
    everybody_judges = models.BooleanField(default=False)  # all named members judge each item
    consensus = models.CharField(
        max_length=10, choices=Consensus.choices, default=Consensus.MAJORITY
    )
    on_tie = models.CharField(max_length=10, choices=OnTie.choices, default=OnTie.LEAD)
    adds_reviewer_below = models.FloatField(null=True, blank=True)  # alpha; null: never by itself
    agreement_items = models.PositiveSmallIntegerField(
        default=20, db_default=20
    )  # before alpha says anything
    has_extra_reviewer = models.BooleanField(default=False)  # agreement is low: one more for each
    alpha = models.FloatField(null=True)  # of the verdict, when last looked at
    alpha_at = models.DateTimeField(null=True)
    order = models.CharField(max_length=10, choices=Order.choices, default=Order.PRIORITY)
    is_reordering = models.BooleanField(default=False, db_default=False)  # items follow a new order
    judges_changed_at = models.DateTimeField(null=True)  # since then items follow who can judge
    due_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    daily_cap = models.PositiveSmallIntegerField(
        null=True, blank=True
    )  # judged a day by one person
    calibration_percent = models.PositiveSmallIntegerField(default=0)  # known cases slipped in
    calibration_bar = models.PositiveSmallIntegerField(default=70)  # percent to get right
    onboarding_count = models.PositiveSmallIntegerField(default=0)  # known cases that come first
    repeat_percent = models.PositiveSmallIntegerField(default=0)  # own items shown again
    repeat_weeks = models.PositiveSmallIntegerField(default=4)  # after this long
    is_blind = models.BooleanField(default=True)  # others' answers stay hidden
    suggestions_after_first_answer = models.BooleanField(default=False)
    lease_minutes = models.PositiveSmallIntegerField(default=30)
    held_ahead = models.PositiveSmallIntegerField(default=3)  # items one person may hold at once
    intake_cap = models.PositiveIntegerField(
        null=True, blank=True
    )  # items waiting at most; null: no cap
    not_my_field_queue = ProjectForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    members = models.ManyToManyField(User, through="QueueMember")
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReviewQueueQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("reviewqueue"),
            *same_project("reviewqueue", "not_my_field_queue"),
            models.UniqueConstraint(fields=["project", "slug"], name="reviewqueue_slug"),
            models.CheckConstraint(condition=Q(overlap__range=(1, 9)), name="reviewqueue_overlap"),
            models.CheckConstraint(
                condition=Q(overlap_percent__range=(0, 100)), name="reviewqueue_overlap_percent"
            ),
            models.CheckConstraint(
                condition=Q(lease_minutes__range=(1, 1440)), name="reviewqueue_lease"
            ),
            models.CheckConstraint(
                condition=Q(held_ahead__range=(1, 10)), name="reviewqueue_held_ahead"
            ),
        ]

    def __str__(self):
        return self.name


class QueueMember(ProjectModel):
    """Who judges in a queue."""

    queue = ProjectForeignKey(ReviewQueue, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            *same_project("queuemember", "queue"),
            models.UniqueConstraint(fields=["queue", "user"], name="queuemember_once"),
        ]

    def __str__(self):
        return f"{self.user_id} in {self.queue_id}"


@tracked("name", "position", "is_active", "when", "action", "priority")
class RoutingRule(ProjectModel):
    """When an answer looks like this, it goes to that queue, or escalates at once. The first that matches queues it."""

    class Action(models.TextChoices):
        REVIEW = "review", "Send to review"
        ESCALATE = "escalate", "Escalate at once"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    # {"kinds", "categories", "severities", "max_score", "regenerates", "models", "prompt_versions", "features",
    #  "roles", "regions", "metadata": {key: value}, "sample_percent"} – annotation/routing.py says what each means
    when = models.JSONField(default=dict)
    action = models.CharField(max_length=10, choices=Action.choices, default=Action.REVIEW)
    queue = ProjectForeignKey(ReviewQueue, null=True, blank=True, on_delete=models.CASCADE)
    priority = models.SmallIntegerField(default=0)  # higher first
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            project_parent("routingrule"),
            *same_project("routingrule", "queue"),
            models.CheckConstraint(
                condition=Q(action="review", queue__isnull=False)
                | Q(action="escalate", queue__isnull=True),
                name="routingrule_queue",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "position"],
                condition=Q(is_active=True),
                name="routingrule_active",
            )
        ]

    def __str__(self):
        return self.name


class RoutingMatch(ProjectModel):
    """The log of what a rule did: once per rule and interaction."""

    rule = ProjectForeignKey(RoutingRule, on_delete=models.CASCADE)
    interaction = ProjectForeignKey(Interaction, on_delete=models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("routingmatch", "rule", "interaction"),
            models.UniqueConstraint(fields=["rule", "interaction"], name="routingmatch_once"),
        ]
        indexes = [models.Index(fields=["rule", "-id"], name="routingmatch_newest")]

    def __str__(self):
        return f"{self.rule_id} on {self.interaction_id}"
