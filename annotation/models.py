"""From an answer to the truth about it: schema, items, assignments, annotations, settlements.

Queues, gold and what else belongs to a topic of its own have files of their own; all are imported from here.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotation.queue_models import (  # noqa: F401
    QueueMember,
    ReviewQueue,
    RoutingMatch,
    RoutingRule,
)
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.ids import make_public_id


class Verdict(models.TextChoices):
    CORRECT = "correct", "Correct"
    PARTLY = "partly", "Partly right"
    WRONG = "wrong", "Wrong"
    HARMFUL = "harmful", "Harmful"


def is_harm(verdict: str, severity: str) -> bool:
    """Whether this must reach somebody who repairs it, at once."""
    return verdict == Verdict.HARMFUL or severity == Severity.CRITICAL


# --- what can be said -----------------------------------------------------------------------------


@tracked("version", "is_current", "is_frozen")
class LabelSchema(ProjectModel):
    """One version of what can be said about an answer; frozen once an annotation was given under it."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=80, default="default")
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    is_frozen = models.BooleanField(default=False)
    # [{"key", "name", "parent", "meaning", "default_severity", "good_example", "bad_example", "reported_as": [...]}]
    categories = models.JSONField(default=list)
    # categories that nobody chooses any more, as they were, and what became of each: {…, "into": [key, …]}. One key: merged
    # into it. Several: split into them. None: retired.
    former = models.JSONField(default=list, db_default=[])
    span_labels = models.JSONField(default=list)  # [{"key", "name", "category"?}]
    rubric = models.JSONField(default=list)  # [{"key", "name", "scale", "good", "required"}]
    root_causes = models.JSONField(default=list)  # [{"key", "name"}]
    guidelines = models.TextField(blank=True)  # Markdown
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("labelschema"),
            models.UniqueConstraint(
                fields=["project", "name", "version"], name="labelschema_version"
            ),
            models.UniqueConstraint(
                fields=["project", "name"], condition=Q(is_current=True), name="labelschema_current"
            ),
        ]

    def __str__(self):
        return f"{self.name} v{self.version}"

    def category(self, key: str) -> dict | None:
        return next((c for c in self.categories if c["key"] == key), None)

    def former_category(self, key: str) -> dict | None:
        return next((c for c in self.former if c["key"] == key), None)

    @property
    def category_keys(self) -> list[str]:
        return [c["key"] for c in self.categories]


class CategoryProposal(ProjectModel):
    """A category that an expert misses; a lead accepts, merges or declines it."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        MERGED = "merged", "Merged"
        DECLINED = "declined", "Declined"

    schema = ProjectForeignKey(LabelSchema, on_delete=models.CASCADE)
    proposed_by = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    meaning = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    category_key = models.CharField(
        max_length=60, blank=True, db_default=""
    )  # what it became, or belongs to
    answer = models.CharField(
        max_length=500, blank=True, db_default=""
    )  # the lead's word to who proposed it
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)  # who proposed it has read what was decided
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [*same_project("categoryproposal", "schema")]

    def __str__(self):
        return self.name


class ReviewItemQuerySet(models.QuerySet):
    def for_project(self, project):
        return self.filter(project=project)

    def waiting(self):
        return self.filter(state=ReviewItem.State.WAITING)

    def open(self):
        return self.filter(state__in=ReviewItem.OPEN_STATES)

    def overdue(self):
        """What should have been judged by now; what measures a person is due to nobody."""
        late = self.open().filter(due_at__lt=timezone.now())
        return late.exclude(purpose__in=ReviewItem.MEASURING)

    def visible_to(self, membership):
        """Everything for those who may search interactions; else the items of the queues one belongs to."""
        if membership.may("search_interactions"):
            return self.filter(project=membership.project_id)
        return self.filter(
            project=membership.project_id, queue__in=ReviewQueue.objects.of_member(membership)
        )

    def for_lead(self):
        """What needs a lead's word."""
        return self.open().filter(Q(state=ReviewItem.State.DISPUTED) | Q(needs_discussion=True))


_ITEM_MOVES = {
    "waiting": ["in_review", "settled", "disputed", "dismissed"],
    "in_review": ["waiting", "settled", "disputed", "dismissed"],
    "disputed": ["settled", "in_review", "waiting", "dismissed"],
    "settled": ["in_review", "waiting", "disputed"],  # reopened, or taken back within the undo
    "dismissed": ["waiting"],
}


@tracked("state", "priority", "queue", "round")
class ReviewItem(ProjectModel):
    """One interaction waiting in one queue to be judged; unique per queue, interaction, purpose and round."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"  # a slot is free
        IN_REVIEW = "in_review", "In review"  # every slot is taken
        DISPUTED = "disputed", "Disputed"
        SETTLED = "settled", "Settled"
        DISMISSED = "dismissed", "Dismissed"

    class Purpose(models.TextChoices):
        LABEL = "label", "Label"
        CALIBRATION = "calibration", "Calibration"
        REPEAT = "repeat", "Repeat"
        PAIRWISE = "pairwise", "Pairwise"

    OPEN_STATES = [State.WAITING, State.IN_REVIEW, State.DISPUTED]
    # what measures a person and is never a production label
    MEASURING = [Purpose.CALIBRATION, Purpose.REPEAT]

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    queue = ProjectForeignKey(ReviewQueue, on_delete=models.CASCADE, related_name="items")
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="review_items"
    )
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.LABEL)
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    overlap = models.PositiveSmallIntegerField(
        default=1
    )  # the queue's, as it was when the item came
    taken_count = models.PositiveSmallIntegerField(default=0)  # slots with a live assignment
    priority = models.SmallIntegerField(default=0)  # its place in line, as the queue orders
    # what the queue's order is made of, kept because the order may change: what the rule or the caller asked for, and how bad
    # the reporter said it is (the rank of the severity)
    asked_priority = models.SmallIntegerField(default=0, db_default=0)
    claimed_rank = models.PositiveSmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=200, blank=True)  # why it is here, in words
    routed_by = ProjectForeignKey(RoutingRule, null=True, on_delete=models.SET_NULL)
    flagged_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    needs_discussion = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("reviewitem"),
            *same_project("reviewitem", "queue", "interaction", "routed_by"),
            models.UniqueConstraint(
                fields=["queue", "interaction", "purpose", "round"], name="reviewitem_once"
            ),
            models.CheckConstraint(condition=Q(overlap__range=(1, 9)), name="reviewitem_overlap"),
            models.CheckConstraint(
                condition=Q(taken_count__lte=F("overlap")), name="reviewitem_taken"
            ),
        ]
        indexes = [
            # claim_next: the next of a queue that nobody began, highest priority first, oldest first
            models.Index(
                F("queue"),
                F("priority").desc(),
                F("id"),
                condition=Q(state="waiting", taken_count=0),
                name="reviewitem_fresh",
            ),
            # claim_next: the next of a queue that somebody began and another expert may finish
            models.Index(
                F("queue"),
                F("priority").desc(),
                F("id"),
                condition=Q(state="waiting", taken_count__gt=0),
                name="reviewitem_begun",
            ),
            # the lead's list
            models.Index(
                fields=["project", "-id"],
                condition=Q(needs_discussion=True),
                name="reviewitem_discuss",
            ),
            # what is overdue: asked on the home page and by the list's filter
            models.Index(
                fields=["project", "due_at"],
                condition=Q(state__in=["waiting", "in_review", "disputed"], due_at__isnull=False),
                name="reviewitem_due",
            ),
            models.Index(fields=["project", "state", "-id"], name="reviewitem_by_state"),
            models.Index(fields=["project", "-id"], name="reviewitem_newest"),
        ]
        triggers = [legal_moves("state", _ITEM_MOVES)]

    def __str__(self):
        return f"item {self.pk}"

    @property
    def is_overdue(self) -> bool:
        is_open = self.state in self.OPEN_STATES
        return bool(self.due_at and is_open and self.due_at < timezone.now())


# --- who judges what ------------------------------------------------------------------------------

_ASSIGNMENT_MOVES = {
    "reserved": ["claimed", "expired", "skipped", "submitted", "returned"],
    "claimed": ["submitted", "skipped", "expired", "returned"],
    "submitted": ["claimed", "returned"],  # undo or revise; a lead's return
    "expired": ["claimed", "reserved"],  # one's own expired claim resumes with a new fence
    "returned": ["claimed", "reserved"],
    "skipped": ["claimed", "reserved"],
}


@tracked("state", "slot", "fence", "skip_reason")
class Assignment(ProjectModel):
    """One expert on one item: a lease with an owner, an expiry and a fencing number that every write must name."""

    class State(models.TextChoices):
        RESERVED = "reserved", "Fetched ahead"
        CLAIMED = "claimed", "In hand"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"
        RETURNED = "returned", "Returned"
        EXPIRED = "expired", "Expired"

    class SkipReason(models.TextChoices):
        NOT_MY_FIELD = "not_my_field", "Not my field"
        CANNOT_SHOW = "cannot_show", "Cannot be shown"
        UNCLEAR_GUIDELINE = "unclear_guideline", "The guideline is unclear"
        NEEDS_DISCUSSION = "needs_discussion", "Needs discussion"

    # a slot is taken while its assignment is one of these
    LIVE_STATES = [State.RESERVED, State.CLAIMED, State.SUBMITTED]
    HELD_STATES = [State.RESERVED, State.CLAIMED]

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    item = ProjectForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="assignments")
    expert = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RESERVED)
    slot = models.PositiveSmallIntegerField()  # 1 … item.overlap
    fence = models.PositiveIntegerField(default=1)  # grows with each new lease
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    draft = models.JSONField(default=dict)
    draft_revision = models.PositiveIntegerField(default=0)
    skip_reason = models.CharField(max_length=20, choices=SkipReason.choices, blank=True)
    skip_note = models.TextField(blank=True)
    return_reason = models.TextField(blank=True)
    claimed_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            project_parent("assignment"),
            *same_project("assignment", "item"),
            models.UniqueConstraint(fields=["item", "expert"], name="assignment_once_per_expert"),
            models.UniqueConstraint(
                fields=["item", "slot"],
                condition=Q(state__in=["reserved", "claimed", "submitted"]),
                name="assignment_one_per_slot",
            ),
            models.CheckConstraint(condition=Q(slot__range=(1, 9)), name="assignment_slot"),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["reserved", "claimed"]),
                name="assignment_lease",
            ),
            models.Index(
                fields=["expert", "project"],
                condition=Q(state__in=["reserved", "claimed"]),
                name="assignment_held",
            ),
            models.Index(
                fields=["expert", "project"],
                condition=Q(state__in=["expired", "returned"]),
                name="assignment_to_resume",
            ),
            models.Index(
                fields=["expert", "project", "-submitted_at"],
                condition=Q(state="submitted"),
                name="assignment_done",
            ),
        ]
        triggers = [legal_moves("state", _ASSIGNMENT_MOVES)]

    def __str__(self):
        return f"assignment {self.pk}"


class AnnotationQuerySet(models.QuerySet):
    def current(self):
        """The newest revision of each expert's judgement, as long as it stands."""
        return self.filter(is_current=True)


@tracked("revision", "is_current", "verdict", "severity")
class Annotation(ProjectModel):
    """What one expert said about one item. Revised, never overwritten: revisions 1, 2, 3 … without gap."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    assignment = ProjectForeignKey(Assignment, on_delete=models.CASCADE, related_name="annotations")
    item = ProjectForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="annotations")
    schema = ProjectForeignKey(LabelSchema, on_delete=models.PROTECT)
    expert = models.ForeignKey(User, on_delete=models.PROTECT, related_name="annotations")
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    submit_key = models.CharField(max_length=200)  # the submit's idempotency key
    submit_hash = models.BinaryField(max_length=32)
    # both empty where two answers were compared: then it has a `preference`
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    categories = ArrayField(models.CharField(max_length=60), default=list)
    root_cause = models.CharField(max_length=60, blank=True)
    rubric_scores = models.JSONField(default=dict)
    # what was said elsewhere, in its own words: [{"name", "value", "word", "scale": [least, most]}]
    ratings = models.JSONField(default=list)
    imported_from = models.CharField(max_length=80, blank=True)  # the source of a judgement
    note = models.TextField(blank=True)
    confidence = models.FloatField(null=True)
    seconds_spent = models.PositiveIntegerField(default=0)
    # {"source": "reporter" or "case:<id>", "seen", "taken": [field, …], "changed": [of those, …]}
    suggestion = models.JSONField(default=dict)
    # given together with that answer, to a look-alike of its item: one undo takes all back
    applied_with = ProjectForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="applied_to"
    )
    created_at = models.DateTimeField(default=timezone.now)
    final_at = models.DateTimeField()  # when the undo has passed
    taken_back_at = models.DateTimeField(null=True)  # undone by its expert, or returned by a lead

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("annotation"),
            *same_project("annotation", "assignment", "item", "schema", "applied_with"),
            models.UniqueConstraint(fields=["assignment", "revision"], name="annotation_revision"),
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(is_current=True), name="annotation_current"
            ),
            models.UniqueConstraint(
                fields=["assignment", "submit_key"], name="annotation_submit_key"
            ),
        ]
        indexes = [
            models.Index(fields=["item"], condition=Q(is_current=True), name="annotation_of_item"),
            models.Index(fields=["expert", "-created_at"], name="annotation_by_expert"),
            models.Index(fields=["project", "-id"], name="annotation_newest"),
        ]

    def __str__(self):
        return f"annotation {self.pk}"

    @property
    def is_harm(self) -> bool:
        return is_harm(self.verdict, self.severity)


class Span(ProjectModel):
    """A marked stretch of text. Offsets count Unicode code points of the stored text; the quote is compared."""

    annotation = ProjectForeignKey(Annotation, on_delete=models.CASCADE, related_name="spans")
    field = models.CharField(max_length=40)  # "output", "messages.3", "documents.2"
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    quote = models.TextField()
    label = models.CharField(max_length=60)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["field", "start", "end", "id"]
        constraints = [
            *same_project("span", "annotation"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="span_not_empty"),
        ]

    def __str__(self):
        return f"{self.field}[{self.start}:{self.end}]"


_CANDIDATE_MOVES = {
    "proposed": ["approved", "superseded"],
    "approved": ["superseded"],
    "superseded": ["proposed", "approved"],
}


@tracked("state", "revision", "source")
class CandidateAnswer(ProjectModel):
    """An answer for an interaction's input: an expert's correction, the reporter's edit, a model's."""

    class Source(models.TextChoices):
        EXPERT = "expert", "Expert"
        REPORTER = "reporter", "Reporter"
        MODEL = "model", "Model"
        LEAD = "lead", "Lead"

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        SUPERSEDED = "superseded", "Superseded"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="candidates"
    )
    item = ProjectForeignKey(
        ReviewItem, null=True, on_delete=models.CASCADE, related_name="candidates"
    )
    annotation = ProjectForeignKey(
        Annotation, null=True, on_delete=models.CASCADE, related_name="candidates"
    )
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    source = models.CharField(max_length=10, choices=Source.choices)
    text = models.TextField()
    corrects_hash = models.CharField(max_length=64)  # SHA-256 of the text that it corrects
    text_hash = models.CharField(max_length=64)  # SHA-256 of this text
    revision = models.PositiveIntegerField()  # per interaction: 1, 2, 3 …
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("candidateanswer"),
            *same_project("candidateanswer", "interaction", "item", "annotation"),
            models.UniqueConstraint(
                fields=["interaction", "revision"], name="candidateanswer_revision"
            ),
            # only a real change is stored
            models.CheckConstraint(
                condition=~Q(text_hash=F("corrects_hash")), name="candidateanswer_is_a_change"
            ),
        ]
        triggers = [legal_moves("state", _CANDIDATE_MOVES)]

    def __str__(self):
        return f"candidate {self.pk}"


@tracked("is_current", "verdict", "severity", "decided_how")
class Settlement(ProjectModel):
    """What the house holds to be true about an answer: one current per interaction and schema."""

    class DecidedHow(models.TextChoices):
        AGREED = "agreed", "Agreed by the experts"
        LEAD = "lead", "Decided by a lead"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="settlements"
    )
    item = ProjectForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="settlements")
    schema = ProjectForeignKey(LabelSchema, on_delete=models.PROTECT)
    schema_name = models.CharField(max_length=80)
    is_current = models.BooleanField(default=True)
    decided_how = models.CharField(max_length=10, choices=DecidedHow.choices)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    reason = models.TextField(blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    categories = ArrayField(models.CharField(max_length=60), default=list)
    root_cause = models.CharField(max_length=60, blank=True)
    rubric_scores = models.JSONField(default=dict, db_default={})  # {criterion: score}
    spans = models.JSONField(default=list)  # [{"field", "start", "end", "quote", "label"}]
    chosen_answer = ProjectForeignKey(CandidateAnswer, null=True, on_delete=models.SET_NULL)
    annotations = models.ManyToManyField(Annotation)
    annotation_count = models.PositiveSmallIntegerField(default=1)
    agreement = models.FloatField(
        null=True
    )  # share of the experts whose verdict is the settled one
    weights = models.JSONField(null=True)  # {annotation's public id: weight}; null: all the same
    created_at = models.DateTimeField(default=timezone.now)
    takes_effect_at = models.DateTimeField()  # when the undo has passed

    class Meta:
        constraints = [
            project_parent("settlement"),
            *same_project("settlement", "interaction", "item", "schema", "chosen_answer"),
            models.UniqueConstraint(
                fields=["interaction", "schema_name"],
                condition=Q(is_current=True),
                name="settlement_current",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "-id"], condition=Q(is_current=True), name="settlement_newest"
            ),
            # what leads decided since somebody looked: asked on every page
            models.Index(
                fields=["project", "-created_at"],
                condition=Q(is_current=True, decided_how="lead"),
                name="settlement_by_lead",
            ),
        ]

    def __str__(self):
        return f"settlement {self.pk}"

    @property
    def is_harm(self) -> bool:
        return is_harm(self.verdict, self.severity)


class ItemComment(ProjectModel):
    """Discussion of an item; or an expert's one reply to a lead's decision."""

    item = ProjectForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, on_delete=models.PROTECT)
    text = models.TextField()
    replies_to = ProjectForeignKey(
        Settlement, null=True, on_delete=models.CASCADE, related_name="replies"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            project_parent("itemcomment"),
            *same_project("itemcomment", "item", "replies_to"),
            models.UniqueConstraint(fields=["replies_to", "author"], name="itemcomment_one_reply"),
        ]

    def __str__(self):
        return f"comment {self.pk}"


from annotation.gold_models import (  # noqa: E402, F401, I001
    CaseAssertion,
    ExportMember,
    ExportRun,
    GoldExample,
    GoldRevision,
    GoldVersion,
    GoldVersionMember,
    Split,
)
from annotation.evaluation_models import EvalResult, EvalRun, GateRules  # noqa: E402, F401
from annotation.comparison_models import Comparison, Preference  # noqa: E402, F401
from annotation.people_models import Attention, Mention, QueuePause  # noqa: E402, F401
from annotation.selection_models import ReviewSelection  # noqa: E402, F401
from annotation.suggestion_models import ModelSuggestion  # noqa: E402, F401
