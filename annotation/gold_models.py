"""Gold: examples, their revisions, frozen versions, and what was exported. Import them from `annotation.models`."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models import Settlement
from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    User,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import legal_moves, tracked
from feedbackhub.capture.models import Interaction
from feedbackhub.ids import make_public_id


class Split(models.TextChoices):
    TRAIN = "train", "Train"
    VALIDATION = "validation", "Validation"
    HOLDOUT = "holdout", "Holdout"


class CaseAssertion(ProjectModel):
    """What must be true of any answer to an interaction's input, as an expert wrote it; gold takes a copy at approval."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="assertions"
    )
    body = models.JSONField()  # {"kind", …}, as `annotation.assertions.tidy` leaves it
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)  # written, removed or put back
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            project_parent("caseassertion"),
            *same_project("caseassertion", "interaction"),
        ]

    def __str__(self):
        return f"{self.body.get('kind')} of {self.interaction_id}"


@tracked("split", "is_contaminated", "retired_at", "erased_at")
class GoldExample(ProjectModel):
    """A case that teaches or tests a model: an identity whose split is frozen at birth, by near-duplicate group."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    interaction = ProjectForeignKey(
        Interaction, on_delete=models.PROTECT, related_name="gold_examples"
    )
    split = models.CharField(max_length=10, choices=Split.choices)
    is_contaminated = models.BooleanField(
        default=False
    )  # exported for training before its group became stricter
    retired_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("goldexample"),
            *same_project("goldexample", "interaction"),
            models.UniqueConstraint(fields=["interaction"], name="goldexample_once"),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="goldexample_newest"),
            models.Index(fields=["project", "split", "-id"], name="goldexample_split"),
        ]

    def __str__(self):
        return f"gold {self.public_id}"

    def revision_to_read(self):
        """What it says: the current wording, or the last one that is left of a retired example."""
        return (
            self.revisions.filter(erased_at=None)
            .select_related("settlement__item", "approved_by")
            .order_by("-is_current", "-revision")
            .first()
        )


class GoldRevision(ProjectModel):
    """One immutable wording of a gold example, with the settlement it came from."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    example = ProjectForeignKey(GoldExample, on_delete=models.CASCADE, related_name="revisions")
    revision = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    settlement = ProjectForeignKey(
        Settlement, on_delete=models.PROTECT, related_name="gold_revisions"
    )
    messages = models.JSONField()  # as `capture.messages` has it; ends before the answer
    tools = models.JSONField(default=list, db_default=[])  # the functions the model could call
    context = models.JSONField(default=list)  # the retrieved documents
    ideal_answer = models.TextField(blank=True)
    rejected_answers = ArrayField(models.TextField(), default=list)
    preferences = models.JSONField(default=list, blank=True)  # [{"chosen", "rejected"}], texts
    labels = models.JSONField(
        default=dict
    )  # {"verdict", "severity", "categories", "root_cause", "schema", "rubric_scores" where some were given}
    assertions = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)  # SHA-256 of all of the above
    approved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    approved_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            project_parent("goldrevision"),
            *same_project("goldrevision", "example", "settlement"),
            models.UniqueConstraint(fields=["example", "revision"], name="goldrevision_revision"),
            models.UniqueConstraint(
                fields=["example"], condition=Q(is_current=True), name="goldrevision_current"
            ),
        ]
        triggers = [  # but for erasure, which ignores triggers
            pgtrigger.ReadOnly(
                name="goldrevision_content",
                fields=[
                    "example",
                    "revision",
                    "settlement",
                    "messages",
                    "tools",
                    "context",
                    "ideal_answer",
                    "rejected_answers",
                    "preferences",
                    "labels",
                    "assertions",
                    "content_hash",
                ],
            )
        ]

    def __str__(self):
        return f"{self.example_id} r{self.revision}"


@tracked("number", "digest", "example_count")
class GoldVersion(ProjectModel):
    """A frozen, numbered set of revisions; its digest changes only with the erasure epoch."""

    number = models.PositiveIntegerField()
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    digest = models.CharField(max_length=64)
    previous_digests = models.JSONField(default=list)  # [{"digest", "erasure_epoch"}]
    erasure_epoch = models.PositiveIntegerField(default=0)
    example_count = models.PositiveIntegerField(default=0)
    revisions = models.ManyToManyField(GoldRevision, through="GoldVersionMember")
    frozen_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("goldversion"),
            models.UniqueConstraint(fields=["project", "number"], name="goldversion_number"),
        ]

    def __str__(self):
        return f"gold v{self.number}"


class GoldVersionMember(ProjectModel):
    """A revision in a version, with the split it had then."""

    version = ProjectForeignKey(GoldVersion, on_delete=models.CASCADE, related_name="members")
    revision = ProjectForeignKey(GoldRevision, on_delete=models.CASCADE, related_name="memberships")
    split = models.CharField(max_length=10, choices=Split.choices)

    class Meta:
        constraints = [
            *same_project("goldversionmember", "version", "revision"),
            models.UniqueConstraint(fields=["version", "revision"], name="goldversionmember_once"),
        ]
        triggers = [pgtrigger.ReadOnly(name="goldversionmember_frozen")]

    def __str__(self):
        return f"{self.revision_id} in {self.version_id}"


_EXPORT_MOVES = {
    "pending": ["running", "cancelled", "failed"],
    "running": ["done", "failed", "cancelled", "pending"],  # pending again: its worker died
    "done": ["pending"],  # rewritten after an erasure
    "failed": ["pending"],
    "cancelled": [],
}


@tracked("state", "format", "digest", "row_count")
class ExportRun(ProjectModel):
    """One export of one version in one format: made by a worker, watched, downloaded, verified."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    version = ProjectForeignKey(GoldVersion, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=40)
    filter = models.JSONField(default=dict)  # {"splits": [...], …}, allow-listed
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    progress_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    row_count = models.PositiveIntegerField(default=0)
    manifest = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the file
    size_bytes = models.PositiveBigIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True)  # in the storage; made by us
    erasure_epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    checkpoint = models.JSONField(default=dict, blank=True)  # what was put aside, and up to where
    failure = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    first_done_at = models.DateTimeField(null=True)  # since when a file of it may be with somebody

    class Meta:
        constraints = [project_parent("exportrun"), *same_project("exportrun", "version")]
        indexes = [
            models.Index(fields=["project", "-id"], name="exportrun_newest"),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["pending", "running"]),
                name="exportrun_unfinished",
            ),
        ]
        triggers = [legal_moves("state", _EXPORT_MOVES)]

    def __str__(self):
        return f"{self.format} of {self.version_id}"


class ExportMember(ProjectModel):
    """Which revision went into which export: the way forward from a gold row, and what an erasure must rewrite.

    It stays when the export is made again without that revision: the earlier file was given out.
    """

    export = ProjectForeignKey(ExportRun, on_delete=models.CASCADE, related_name="members")
    revision = ProjectForeignKey(GoldRevision, on_delete=models.CASCADE, related_name="exported_in")

    class Meta:
        constraints = [
            *same_project("exportmember", "export", "revision"),
            models.UniqueConstraint(fields=["export", "revision"], name="exportmember_once"),
        ]

    def __str__(self):
        return f"{self.revision_id} in {self.export_id}"
