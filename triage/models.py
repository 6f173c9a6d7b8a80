"""From a bad answer to a fix that its reporters heard of: problems, tickets, fixes, notices."""

from datetime import timedelta

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
from feedbackhub.capture.models import FeedbackEvent, Interaction, PromptVersion, Reporter
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.ids import make_public_id
from triage.notice_models import (  # noqa: F401  (so that Django finds them)
    Letter,
    NoticePolicy,
    NoticeTemplate,
    Undeliverable,
)
from triage.rule_models import PriorityRules, rules_of  # noqa: F401
from triage.ticket_fix_models import TicketFix  # noqa: F401
from triage.wording_models import Wording  # noqa: F401

# --- problems -------------------------------------------------------------------------------------

_PROBLEM_MOVES = {
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
        triggers = [legal_moves("state", _PROBLEM_MOVES)]

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


# --- trackers -------------------------------------------------------------------------------------


def tracker_choices():
    from triage.trackers import choices

    return choices()


@tracked("name", "tracker", "is_active", "files_from", "paused_reason")
class TrackerConnection(ProjectModel):
    """The way to one place in one tracker. Credentials are encrypted at rest."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=80)
    tracker = models.CharField(max_length=20, choices=tracker_choices)
    config = models.JSONField(default=dict)  # base_url, project_key, …: what may be shown
    credentials = models.BinaryField(default=b"")  # MultiFernet over JSON
    status_map = models.JSONField(
        default=dict
    )  # {remote status name: our ticket state}, over the adapter's own
    files_by_itself = models.BooleanField(default=True)
    files_from = models.CharField(max_length=10, choices=Severity.choices, default=Severity.HIGH)
    is_active = models.BooleanField(default=True)
    paused_reason = models.CharField(
        max_length=300, blank=True
    )  # its credentials failed; its work is kept
    paused_until = models.DateTimeField(null=True)  # the tracker asked for a rest
    # Who we are over there, once asked: events by it are echoes of what we wrote.
    account_id = models.CharField(max_length=128, blank=True, db_default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("trackerconnection"),
            models.UniqueConstraint(fields=["project", "name"], name="trackerconnection_name"),
        ]

    def __str__(self):
        return self.name

    @property
    def is_paused(self) -> bool:
        return bool(self.paused_reason)


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


class TicketState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    WONT_FIX = "wont_fix", "Won't fix"
    DUPLICATE = "duplicate", "Duplicate"
    DELETED = "deleted", "Deleted"
    UNKNOWN = "unknown", "Unknown"


@tracked("remote_id", "key", "state", "status_name", "remote_updated_at")
class Ticket(ProjectModel):
    """A tracker's ticket as last seen."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    escalation = ProjectOneToOneField(Escalation, on_delete=models.CASCADE, related_name="ticket")
    connection = ProjectForeignKey(
        TrackerConnection, on_delete=models.CASCADE, related_name="tickets"
    )
    remote_id = models.CharField(max_length=100)
    key = models.CharField(max_length=60)
    url = models.CharField(max_length=2000, blank=True)
    state = models.CharField(max_length=15, choices=TicketState.choices, default=TicketState.OPEN)
    status_name = models.CharField(max_length=100, blank=True)
    assignee = models.CharField(max_length=100, blank=True)  # as the tracker names them
    remote_updated_at = models.DateTimeField(null=True)  # by the tracker's clock
    seen_at = models.DateTimeField(default=timezone.now)
    look_at = models.DateTimeField(null=True, default=timezone.now)  # when to ask the tracker next
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("ticket"),
            *same_project("ticket", "escalation", "connection"),
            models.UniqueConstraint(fields=["connection", "remote_id"], name="ticket_once"),
        ]
        indexes = [
            models.Index(
                fields=["look_at"], condition=Q(look_at__isnull=False), name="ticket_look_at"
            )
        ]

    def __str__(self):
        return self.key

    @property
    def is_deleted(self) -> bool:
        return self.state == TicketState.DELETED


_TICKET_NOTE_MOVES = {"waiting": ["sent", "failed"], "failed": ["waiting"], "sent": []}


@tracked("kind", "state", "failure")
class TicketNote(ProjectModel):
    """Something to be said on a ticket, kept until it was said; its words are made when they are sent."""

    class Kind(models.TextChoices):
        REOPENED = "reopened", "Open again"
        MORE_CASES = "more_cases", "More cases"
        ADOPTED = "adopted", "Followed from here"
        EVIDENCE = "evidence", "Link and brief"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    ticket = ProjectForeignKey(Ticket, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    why = models.CharField(max_length=20, blank=True)  # of a reopening: problems.WHY_REOPENED
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    marker = models.UUIDField()  # version 4: the comment is made once, however often it is sent
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    failure = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_tried_at = models.DateTimeField(null=True)  # since when it fails; a pause ends that
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            *same_project("ticketnote", "ticket"),
            # what happens while a note waits is said by that note
            models.UniqueConstraint(
                fields=["ticket", "kind"],
                condition=Q(state="waiting"),
                name="ticketnote_one_waiting",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="ticketnote_due")
        ]
        triggers = [legal_moves("state", _TICKET_NOTE_MOVES)]

    def __str__(self):
        return f"{self.kind} on {self.ticket_id}"


class TrackerDelivery(ProjectModel):
    """One inbound webhook; a delivery id has at most one effect. Kept 30 days."""

    connection = ProjectForeignKey(TrackerConnection, on_delete=models.CASCADE)
    delivery_id = models.CharField(max_length=200)
    event = models.JSONField(default=dict)  # what we understood of it: ids, states, times; no texts
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            project_parent("trackerdelivery"),
            *same_project("trackerdelivery", "connection"),
            models.UniqueConstraint(
                fields=["connection", "delivery_id"], name="trackerdelivery_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(processed_at=None), name="trackerdelivery_due"
            ),
            models.Index(fields=["connection", "-id"], name="trackerdelivery_newest"),
        ]

    def __str__(self):
        return self.delivery_id


# --- fixes and notices ----------------------------------------------------------------------------

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


_NOTICE_MOVES = {
    "pending": ["sending", "held", "suppressed", "failed"],
    "held": ["pending", "suppressed"],
    "sending": ["sent", "failed", "uncertain", "pending"],
    "failed": ["pending", "suppressed"],
    "sent": ["bounced"],
    "bounced": [],
    "suppressed": ["pending", "held"],  # its problem was open in between, and is solved again
    "uncertain": ["sent", "pending", "bounced"],  # a person decides, or the mail comes back
}


@tracked("state", "channel", "failure")
class Notice(ProjectModel):
    """One message to one reporter about one fix, at most once."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be sent"
        HELD = "held", "Held"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        SUPPRESSED = "suppressed", "Not to be sent"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "May have been sent"
        BOUNCED = "bounced", "Came back"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    fix = ProjectForeignKey(Fix, on_delete=models.CASCADE, related_name="notices")
    reporter = ProjectForeignKey(Reporter, on_delete=models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=10, default="email")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)  # why it was held or suppressed
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)  # as sent; emptied by an erasure
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_tried_at = models.DateTimeField(
        null=True
    )  # since when it fails; what is held is not tried
    sent_at = models.DateTimeField(null=True)
    opened_page_at = models.DateTimeField(null=True)
    thanked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            project_parent("notice"),
            *same_project("notice", "fix", "reporter"),
            models.UniqueConstraint(fields=["fix", "reporter"], name="notice_once"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(state__in=["pending", "sending"]), name="notice_due"
            ),
            models.Index(fields=["project", "-id"], name="notice_newest"),
        ]
        triggers = [legal_moves("state", _NOTICE_MOVES)]

    def __str__(self):
        return f"notice {self.pk}"


class StillWrong(ProjectModel):
    """A reporter's word that the fix did not help them; it reopens the problem."""

    notice = ProjectForeignKey(Notice, on_delete=models.CASCADE, related_name="still_wrong")
    problem = ProjectForeignKey(Problem, on_delete=models.CASCADE, related_name="still_wrong")
    feedback = ProjectForeignKey(FeedbackEvent, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("stillwrong", "notice", "problem", "feedback"),
            models.UniqueConstraint(fields=["notice", "problem"], name="stillwrong_once"),
        ]

    def __str__(self):
        return f"still wrong {self.pk}"
