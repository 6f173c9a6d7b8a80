"""Rows for tests, plain and valid. The database's constraints hold for them as for everybody."""

import hashlib
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    LabelSchema,
    QueueMember,
    ReviewItem,
    ReviewQueue,
    Settlement,
)
from feedbackhub.accounts.models import Membership, Project, User
from feedbackhub.capture.models import FeedbackEvent, Interaction, Reporter
from triage.models import Problem, ProblemMember, TrackerConnection


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = Project

    name = factory.Sequence(lambda n: f"Project {n}")
    slug = factory.Sequence(lambda n: f"project-{n}")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    project = factory.SubFactory(ProjectFactory)
    user = factory.SubFactory(UserFactory)
    roles = ["expert"]


class InteractionFactory(DjangoModelFactory):
    class Meta:
        model = Interaction

    project = factory.SubFactory(ProjectFactory)
    external_id = factory.Sequence(lambda n: f"chat/{n}")
    body_hash = factory.LazyAttribute(lambda i: hashlib.sha256(i.external_id.encode()).digest())
    messages = [{"role": "user", "content": "Can I deduct my bicycle?"}]
    output = "You can deduct it if you ride it to work."
    model = "lumen-2"
    feature = "tax_help"
    occurred_at = factory.LazyFunction(timezone.now)


class ReporterFactory(DjangoModelFactory):
    class Meta:
        model = Reporter

    project = factory.SubFactory(ProjectFactory)
    ref_hash = factory.Sequence(lambda n: hashlib.sha256(f"reporter-{n}".encode()).hexdigest())
    email = factory.Sequence(lambda n: f"reporter{n}@example.com")
    has_consent = True
    consent_at = factory.LazyFunction(timezone.now)


class FeedbackEventFactory(DjangoModelFactory):
    class Meta:
        model = FeedbackEvent

    interaction = factory.SubFactory(InteractionFactory)
    project = factory.SelfAttribute("interaction.project")
    interaction_external_id = factory.SelfAttribute("interaction.external_id")
    body_hash = b"\0" * 32
    kind = "thumbs_down"
    category = "wrong"
    comment = "This is from last year."
    occurred_at = factory.LazyFunction(timezone.now)


class LabelSchemaFactory(DjangoModelFactory):
    class Meta:
        model = LabelSchema
        django_get_or_create = ["project", "name", "version"]

    project = factory.SubFactory(ProjectFactory)
    name = "default"
    version = 1
    categories = [
        {
            "key": "factual_error",
            "name": "Factual error",
            "meaning": "It says something untrue.",
            "default_severity": "medium",
        },
        {
            "key": "outdated",
            "name": "Outdated",
            "meaning": "It was true once.",
            "default_severity": "medium",
        },
        {
            "key": "harmful",
            "name": "Harmful",
            "meaning": "It hurts who follows it.",
            "default_severity": "critical",
        },
    ]
    span_labels = [{"key": "wrong", "name": "Wrong"}, {"key": "unsupported", "name": "Unsupported"}]
    root_causes = [{"key": "retrieval_misled", "name": "Retrieval misled"}]


class ReviewQueueFactory(DjangoModelFactory):
    class Meta:
        model = ReviewQueue

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Queue {n}")
    slug = factory.Sequence(lambda n: f"queue-{n}")


class QueueMemberFactory(DjangoModelFactory):
    class Meta:
        model = QueueMember

    queue = factory.SubFactory(ReviewQueueFactory)
    project = factory.SelfAttribute("queue.project")
    user = factory.SubFactory(UserFactory)


class ReviewItemFactory(DjangoModelFactory):
    class Meta:
        model = ReviewItem

    queue = factory.SubFactory(ReviewQueueFactory)
    project = factory.SelfAttribute("queue.project")
    interaction = factory.SubFactory(
        InteractionFactory, project=factory.SelfAttribute("..queue.project")
    )
    overlap = factory.SelfAttribute("queue.overlap")
    reason = "thumbs down"


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = Assignment

    item = factory.SubFactory(ReviewItemFactory)
    project = factory.SelfAttribute("item.project")
    expert = factory.SubFactory(UserFactory)
    slot = 1
    state = "claimed"
    lease_until = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=30))


class AnnotationFactory(DjangoModelFactory):
    class Meta:
        model = Annotation

    assignment = factory.SubFactory(AssignmentFactory, state="submitted")
    project = factory.SelfAttribute("assignment.project")
    item = factory.SelfAttribute("assignment.item")
    expert = factory.SelfAttribute("assignment.expert")
    schema = factory.SubFactory(
        LabelSchemaFactory, project=factory.SelfAttribute("..assignment.project")
    )
    submit_key = factory.Sequence(lambda n: f"submit-{n}")
    submit_hash = b"\0" * 32
    verdict = "wrong"
    severity = "medium"
    categories = ["factual_error"]
    final_at = factory.LazyFunction(timezone.now)


class CandidateAnswerFactory(DjangoModelFactory):
    class Meta:
        model = CandidateAnswer

    interaction = factory.SubFactory(InteractionFactory)
    project = factory.SelfAttribute("interaction.project")
    source = "expert"
    text = "You cannot deduct it; you claim the commuting allowance instead."
    corrects_hash = factory.LazyAttribute(lambda c: sha256(c.interaction.output))
    text_hash = factory.LazyAttribute(lambda c: sha256(c.text))
    revision = factory.LazyAttribute(lambda c: c.interaction.candidates.count() + 1)


class SettlementFactory(DjangoModelFactory):
    """A settled case, past its undo: wrong, with a correction, unless told otherwise."""

    class Meta:
        model = Settlement

    interaction = factory.SubFactory(InteractionFactory)
    project = factory.SelfAttribute("interaction.project")
    item = factory.SubFactory(
        ReviewItemFactory,
        state="settled",
        queue__project=factory.SelfAttribute("...project"),
        interaction=factory.SelfAttribute("..interaction"),
    )
    schema = factory.SubFactory(LabelSchemaFactory, project=factory.SelfAttribute("..project"))
    schema_name = factory.SelfAttribute("schema.name")
    decided_how = "agreed"
    verdict = "wrong"
    severity = "medium"
    categories = ["factual_error"]
    agreement = 1.0
    chosen_answer = factory.SubFactory(
        CandidateAnswerFactory, interaction=factory.SelfAttribute("..interaction")
    )
    takes_effect_at = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=1))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class ProblemFactory(DjangoModelFactory):
    class Meta:
        model = Problem

    project = factory.SubFactory(ProjectFactory)
    number = factory.Sequence(lambda n: n + 1)
    title = factory.Sequence(lambda n: f"Problem {n}")


class ProblemMemberFactory(DjangoModelFactory):
    class Meta:
        model = ProblemMember

    problem = factory.SubFactory(ProblemFactory)
    project = factory.SelfAttribute("problem.project")
    interaction = factory.SubFactory(
        InteractionFactory, project=factory.SelfAttribute("..problem.project")
    )
    source = "expert"


class TrackerConnectionFactory(DjangoModelFactory):
    class Meta:
        model = TrackerConnection

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Tracker {n}")
    tracker = "linear"
