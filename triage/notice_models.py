"""What reporters are told and how, whose address does not work, and the letters to the project's own people.

Import them from `triage.models`.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.capture.models import FeedbackEvent, Reporter
from feedbackhub.ids import make_public_id
from triage.fix_models import Fix
from triage.problem_models import Problem

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


@tracked("when", "is_held_first", "hours_between", "per_minute", "webhook_url", "webhook_disabled")
class NoticePolicy(ProjectModel):
    """When and how a project tells its reporters that a fix is there. Without a row, the defaults hold."""

    class When(models.TextChoices):
        AT_ONCE = "at_once", "When a fix ships"
        VERIFIED = "verified", "When a fix is verified"

    when = models.CharField(max_length=10, choices=When.choices, default=When.AT_ONCE)
    is_held_first = models.BooleanField(default=False)  # a lead releases them
    hours_between = models.PositiveSmallIntegerField(default=0)  # for one person, between messages
    per_minute = models.PositiveIntegerField(default=0)  # for the project; 0: as fast as it goes
    webhook_url = models.CharField(max_length=2000, blank=True)
    webhook_secrets = models.BinaryField(default=b"")  # MultiFernet over JSON, the newest first
    webhook_disabled = models.CharField(max_length=300, blank=True)  # why it is not called any more
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("noticepolicy"),
            models.UniqueConstraint(fields=["project"], name="noticepolicy_once"),
        ]

    def __str__(self):
        return f"how {self.project_id} tells its reporters"


class NoticeTemplate(ProjectModel):
    """The words of a notice in one language; `{page}` and the other names in braces are filled in."""

    language = models.CharField(max_length=35)  # a language tag: "de", "pt-br"
    subject = models.CharField(max_length=150)
    body = models.TextField()
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "language"], name="noticetemplate_once")
        ]

    def __str__(self):
        return self.language


class Undeliverable(ProjectModel):
    """A mail address that bounced or complained: nobody writes to it until the reporter gives another."""

    class Why(models.TextChoices):
        BOUNCED = "bounced", "It bounced"
        COMPLAINED = "complained", "They marked it as spam"

    reporter = ProjectOneToOneField(
        Reporter, on_delete=models.CASCADE, related_name="undeliverable"
    )
    address_hash = models.CharField(max_length=64)  # of the address at that time; keyed
    why = models.CharField(max_length=10, choices=Why.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [*same_project("undeliverable", "reporter")]
        indexes = [models.Index(fields=["project", "address_hash"], name="undeliverable_address")]

    def __str__(self):
        return f"{self.why} {self.reporter_id}"


_LETTER_MOVES = {
    "pending": ["sending", "failed", "dropped"],
    "sending": ["sent", "pending", "failed", "uncertain"],
    "sent": [],
    "failed": [],
    "uncertain": [],
    "dropped": [],
}


class Letter(ProjectModel):
    """A mail to one of the project's own people, once for each key. It quotes nobody: numbers and a link."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "May have been sent"
        DROPPED = "dropped", "Not to be sent"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=100)  # what it is about: told once
    subject = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "kind", "key"], name="letter_once")
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(state__in=["pending", "sending"]), name="letter_due"
            )
        ]
        triggers = [legal_moves("state", _LETTER_MOVES)]

    def __str__(self):
        return f"{self.kind} {self.key}"
