"""What makes two bad answers alike: what was asked, and what people said is wrong with the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models import Q
from django.utils import timezone

from annotation.models import Annotation, Settlement, Span
from feedbackhub.capture import vectors
from feedbackhub.capture.models import Embedding, FeedbackEvent, Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.outbound import OutboundError
from triage.models import Placement, ProblemMember

KIND = Embedding.Kind.CASE
HARMFUL = Severity.HIGH  # a case that is called harmful counts as at least this severe
_LONGEST = {"question": 1_500, "said": 500, "noted": 500, "marked": 300}


def texts(interactions: list[int]) -> dict[int, str]:
    """By id: the question, then comments, experts' notes, marked words and categories, each cut to its share."""
    found = {
        each.pk: [vectors.question(each)[: _LONGEST["question"]]]
        for each in Interaction.objects.kept().filter(pk__in=interactions).only("messages")
    }
    for share, rows in (
        ("said", _comments(found)),
        ("noted", _notes(found)),
        ("marked", _marked_words(found)),
        ("noted", _categories(found)),
    ):
        each_has: dict[int, list[str]] = {}
        for pk, words in rows:
            each_has.setdefault(pk, []).append(words)
        for pk, words in each_has.items():
            found[pk].append(" ".join(words)[: _LONGEST[share]])
    return {pk: "\n".join(filter(None, parts)) for pk, parts in found.items()}


def wanted():
    """Answers that were placed, or left alone, or are members of a problem."""
    return Interaction.objects.filter(
        Q(pk__in=Placement.objects.values("interaction"))
        | Q(pk__in=ProblemMember.objects.filter(left_at=None).values("interaction"))
    )


vectors.vectors_of(KIND, texts=texts, wanted=wanted)

_ahead: ContextVar[tuple | None] = ContextVar("vector_ahead", default=None)


@contextmanager
def vector_ahead(interaction) -> Iterator[None]:
    """The case's vector is made anew now, before anything is locked: a service that hangs holds up no other case."""
    try:
        made = _made_anew(interaction)
    except OutboundError as error:
        made = error
    token = _ahead.set((interaction.pk, made))
    try:
        yield
    finally:
        _ahead.reset(token)


def vector_of(interaction) -> tuple:
    """(the project's embedder, the case's vector or None), made ahead or now. Raises OutboundError."""
    key, made = _ahead.get() or (None, None)
    if key != interaction.pk:
        return _made_anew(interaction)
    if isinstance(made, OutboundError):
        raise made
    return made


def _made_anew(interaction) -> tuple:
    embedder = vectors.embedder_of(interaction.project_id)
    made = vectors.make_vectors(
        project_id=interaction.project_id,
        kind=KIND,
        interactions=[interaction.pk],
        embedder=embedder,
        anew=True,
    )
    return embedder, made.get(interaction.pk)


def as_settled(interaction) -> dict:
    """How bad a case in no problem is, by the worst word of the house; low where nobody has settled it."""
    settled = Settlement.objects.filter(
        interaction=interaction, is_current=True, takes_effect_at__lte=timezone.now()
    ).order_by("-id")
    worst = max(settled, key=lambda one: severity_of(one).rank, default=None)
    severity = severity_of(worst) if worst else Severity.LOW
    return {"severity": severity, "settlement": worst}


def severity_of(judgement) -> Severity:
    """How severe its answer is as a case: what is called harmful is never mild."""
    severity = Severity(judgement.severity)
    return at_least_harmful(severity) if judgement.is_harm else severity


def at_least_harmful(severity: Severity) -> Severity:
    return max(severity, HARMFUL, key=lambda one: one.rank)


def _comments(interactions):
    return (
        FeedbackEvent.objects.filter(interaction__in=interactions, erased_at=None)
        .exclude(comment="")
        .order_by("id")
        .values_list("interaction_id", "comment")
    )


def _notes(interactions):
    return (
        Annotation.objects.current()
        .filter(item__interaction__in=interactions, taken_back_at=None)
        .exclude(note="")
        .order_by("id")
        .values_list("item__interaction_id", "note")
    )


def _marked_words(interactions):
    return (
        Span.objects.filter(
            annotation__item__interaction__in=interactions,
            annotation__is_current=True,
            annotation__taken_back_at=None,
        )
        .order_by("id")
        .values_list("annotation__item__interaction_id", "quote")
    )


def _categories(interactions):
    settled = Settlement.objects.filter(interaction__in=interactions, is_current=True)
    for pk, categories in settled.order_by("id").values_list("interaction_id", "categories"):
        yield pk, " ".join(categories).replace("_", " ")
