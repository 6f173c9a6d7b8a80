"""What comes in: answers with everything needed to understand them, and what people said and did about them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from pgvector.django import HnswIndex, VectorField

from feedbackhub.accounts.models import (
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import tracked
from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity
from feedbackhub.ids import make_public_id

VECTOR_DIMENSIONS = 384  # shorter vectors are padded with zeros, which leaves the cosine as it is


@tracked("name", "version", "deployed_at")
class PromptVersion(ProjectModel):
    """One version of a prompt; the list of them is the prompt changelog. Made on first sight."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=128, blank=True)
    text = models.TextField(blank=True)
    rationale = models.TextField(
        blank=True
    )  # which failure does this change address, on what evidence
    deployed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("promptversion"),
            models.UniqueConstraint(
                fields=["project", "name", "version", "content_hash"], name="promptversion_once"
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="promptversion_newest")]

    def __str__(self):
        return f"{self.name} {self.version}".strip()


class InteractionQuerySet(models.QuerySet):
    def for_project(self, project):
        return self.filter(project=project)

    def kept(self):
        return self.filter(erased_at=None)


class Interaction(ProjectModel):
    """One answer of the product, as it was given. Immutable after capture, but for erasure, which leaves a tombstone."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    external_id = models.CharField(max_length=200)
    body_hash = models.BinaryField(max_length=32)  # keyed hash of the body as received
    session_id = models.CharField(max_length=200, blank=True)
    user_hash = models.CharField(max_length=64, blank=True)
    user_role = models.CharField(max_length=200, blank=True)
    user_region = models.CharField(max_length=200, blank=True)
    environment = models.CharField(max_length=200, blank=True)
    feature = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    model_version = models.CharField(max_length=200, blank=True)
    model_parameters = models.JSONField(default=dict)
    prompt_version = ProjectForeignKey(
        PromptVersion,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,  # interaction_prompt serves
    )
    retrieval_index = models.CharField(max_length=200, blank=True)
    retrieval_version = models.CharField(max_length=200, blank=True)
    messages = models.JSONField(
        default=list
    )  # as `capture.messages` has it; ends before the output
    tools = models.JSONField(default=list, db_default=[])  # the functions the model could call
    output = models.TextField()
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    latency_ms = models.FloatField(null=True)
    is_fallback = models.BooleanField(default=False)
    confidence = models.FloatField(null=True)
    tags = ArrayField(models.CharField(max_length=80), default=list)
    metadata = models.JSONField(default=dict)
    trace_url = models.CharField(max_length=2000, blank=True)
    redaction_counts = models.JSONField(default=dict)  # {kind: how many were masked}
    language = models.CharField(
        max_length=3, blank=True, default="", db_default=""
    )  # of the question
    is_sampled = models.BooleanField(default=False)  # came to review from the quiet majority
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)
    objects = InteractionQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("interaction"),
            *same_project("interaction", "prompt_version"),
            models.UniqueConstraint(
                fields=["project", "external_id"], name="interaction_external_id"
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__range=(0, 1)),
                name="interaction_confidence",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-occurred_at", "-id"], name="interaction_newest"),
            models.Index(
                fields=["project", "session_id", "occurred_at", "id"],
                condition=~Q(session_id=""),
                name="interaction_session_turns",
            ),
            models.Index(
                fields=["project", "user_hash"], condition=~Q(user_hash=""), name="interaction_user"
            ),
            models.Index(
                fields=["project", "prompt_version", "-occurred_at", "-id"],
                name="interaction_prompt",
            ),
            models.Index(
                fields=["project", "feature", "-occurred_at", "-id"], name="interaction_feature"
            ),
        ]

    def __str__(self):
        return self.external_id

    @property
    def last_user_message(self) -> str:
        return next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")


class NearDuplicateGroup(ProjectModel):
    """Interactions that ask nearly the same; a split of gold is given to a whole group, so that no twin crosses a line."""

    key = models.CharField(max_length=64)  # stable: from the first member's external id
    merged_into = ProjectForeignKey("self", null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("nearduplicategroup"),
            *same_project("nearduplicategroup", "merged_into"),
            models.UniqueConstraint(fields=["project", "key"], name="nearduplicategroup_once"),
        ]

    def __str__(self):
        return self.key


class NearDuplicateSignature(ProjectModel):
    """An interaction's place among its near-duplicates: equal bands make candidates for one group."""

    interaction = ProjectOneToOneField(
        Interaction, on_delete=models.CASCADE, related_name="signature"
    )
    group = ProjectForeignKey(
        NearDuplicateGroup, on_delete=models.CASCADE, related_name="signatures"
    )
    parameters = models.CharField(max_length=20)  # of similarity.minhash; two are never compared
    bands = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [*same_project("nearduplicatesignature", "interaction", "group")]
        indexes = [GinIndex(fields=["bands"], name="nearduplicate_bands")]

    def __str__(self):
        return str(self.interaction_id)


class InteractionText(ProjectModel):
    """What full-text search looks at; its own table, filled after capture, so that capture stays quick."""

    interaction = ProjectOneToOneField(Interaction, on_delete=models.CASCADE, related_name="text")
    search = SearchVectorField()

    class Meta:
        constraints = [*same_project("interactiontext", "interaction")]
        indexes = [GinIndex(fields=["search"], name="interactiontext_search")]

    def __str__(self):
        return str(self.interaction_id)


class RetrievedDocument(ProjectModel):
    """One document that the answer was given: a row, because "which document keeps misleading us" is asked."""

    interaction = ProjectForeignKey(
        Interaction,
        on_delete=models.CASCADE,
        related_name="documents",
        db_index=False,  # retrieveddocument_position serves
    )
    position = models.PositiveSmallIntegerField()
    document_id = models.CharField(max_length=200, blank=True)
    chunk_id = models.CharField(max_length=200, blank=True)
    title = models.TextField(blank=True)
    url = models.CharField(max_length=2000, blank=True)
    text = models.TextField(blank=True)
    score = models.FloatField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            *same_project("retrieveddocument", "interaction"),
            models.UniqueConstraint(
                fields=["interaction", "position"], name="retrieveddocument_position"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "document_id"], name="retrieveddocument_document")
        ]

    def __str__(self):
        return self.title or self.document_id


class Reporter(ProjectModel):
    """Somebody who complained. Apart from the text, so that they can be forgotten alone."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    ref_hash = models.CharField(max_length=64)  # under the same key as Interaction.user_hash
    email = models.CharField(max_length=254, blank=True)
    callback_url = models.CharField(max_length=2000, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    has_consent = models.BooleanField(default=False)
    consent_at = models.DateTimeField(null=True)  # the newest word on consent
    unsubscribed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            project_parent("reporter"),
            models.UniqueConstraint(fields=["project", "ref_hash"], name="reporter_once"),
        ]
        indexes = [
            models.Index(
                "project",
                Upper("email"),
                condition=Q(unsubscribed_at__isnull=False),
                name="reporter_unsubscribed",
            )
        ]

    def __str__(self):
        return f"reporter {self.public_id}"

    @property
    def can_be_told(self) -> bool:
        return bool(
            self.has_consent
            and not self.unsubscribed_at
            and not self.erased_at
            and (self.email or self.callback_url)
        )


class FeedbackEventQuerySet(models.QuerySet):
    def for_project(self, project):
        return self.filter(project=project)

    def waiting_for_interaction(self):
        return self.filter(interaction=None, erased_at=None)


class FeedbackEvent(ProjectModel):
    """One signal about an answer. A changed mind is a new event; the latest per person and kind counts."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    external_id = models.CharField(max_length=200, null=True)  # the caller's idempotency key
    body_hash = models.BinaryField(max_length=32)
    interaction = ProjectForeignKey(
        Interaction, null=True, on_delete=models.CASCADE, related_name="feedback"
    )
    interaction_external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=FeedbackKind.choices)
    category = models.CharField(max_length=20, choices=ReportedCategory.choices, blank=True)
    severity = models.CharField(max_length=10, choices=Severity.choices, blank=True)
    score = models.FloatField(null=True)  # 0–1
    raw_score = models.JSONField(null=True)  # {"value", "scale"} as it came
    comment = models.TextField(blank=True)
    edited_output = models.TextField(blank=True)
    reporter = ProjectForeignKey(
        Reporter, null=True, on_delete=models.SET_NULL, related_name="feedback"
    )
    source = models.CharField(
        max_length=20, default="api"
    )  # api, widget, import, otlp, reporter_page
    metadata = models.JSONField(default=dict)
    redaction_counts = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    objects = FeedbackEventQuerySet.as_manager()

    class Meta:
        constraints = [
            project_parent("feedbackevent"),
            *same_project("feedbackevent", "interaction", "reporter"),
            models.UniqueConstraint(
                fields=["project", "external_id"], name="feedbackevent_external_id"
            ),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__range=(0, 1)), name="feedbackevent_score"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "interaction_external_id"],
                condition=Q(interaction=None),
                name="feedbackevent_waiting",
            ),
            models.Index(
                fields=["project", "kind", "-occurred_at", "-id"], name="feedbackevent_kind"
            ),
            models.Index(fields=["project", "-occurred_at", "-id"], name="feedbackevent_newest"),
        ]

    def __str__(self):
        return f"{self.kind} on {self.interaction_external_id}"


class Embedding(ProjectModel):
    """A vector of an interaction under one embedder; vectors of two embedders are never compared."""

    class Kind(models.TextChoices):
        INPUT = "input", "What was asked"
        CASE = "case", "What was asked, and what people said is wrong with the answer"

    interaction = ProjectForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="embeddings"
    )
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.INPUT)
    embedder = models.CharField(max_length=60)
    embedder_version = models.CharField(max_length=60)
    vector = VectorField(dimensions=VECTOR_DIMENSIONS)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("embedding", "interaction"),
            models.UniqueConstraint(
                fields=["interaction", "kind", "embedder", "embedder_version"],
                name="embedding_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "kind", "embedder", "embedder_version"], name="embedding_of"
            ),
            *(
                HnswIndex(
                    fields=["vector"],
                    opclasses=["vector_cosine_ops"],
                    condition=Q(kind=kind),
                    name=f"embedding_nearest_{kind}",
                )
                for kind in ("input", "case")
            ),
        ]

    def __str__(self):
        return f"{self.interaction_id} by {self.embedder}"


class FittedEmbedder(ProjectModel):
    """What the default embedder learnt from a project's texts: numbers, nobody's words."""

    version = models.CharField(max_length=60)
    content = models.BinaryField()
    text_count = models.PositiveIntegerField()
    is_current = models.BooleanField(default=False)  # once all vectors were made with it
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="fittedembedder_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_current=True), name="fittedembedder_current"
            ),
        ]

    def __str__(self):
        return self.version


class ImportRun(ProjectModel):
    """A file being imported: how far it came, so that a killed import resumes where it stopped."""

    file_digest = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    rows_done = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "file_digest"], name="importrun_once")
        ]

    def __str__(self):
        return self.name
