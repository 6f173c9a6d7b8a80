"""What the pages of interactions show: rows made for reading, neighbours, the changelog of prompts."""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection
from django.db.models import CharField, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Left

from feedbackhub.capture.models import FeedbackEvent, Interaction, PromptVersion
from feedbackhub.capture.queries import NEWEST_FIRST

LINE = 280  # characters of a text that a row shows at most
RECENT = 500  # the newest interactions, from which the choices of a filter are taken
COUNTED = 500  # a prompt version's newest interactions, of which complaints are counted
MOST_COUNTED = 1_000  # other turns of a session
TURN_QUESTION, TURN_ANSWER = 1_000, 4_000  # characters of a turn shown at once
IN_ORDER = ("occurred_at", "id")
COMPLAINTS = ("thumbs_down", "report", "edit", "override")

# Distinct over a whole table grows with it; the newest few hundred answer as well.
CHOICES = """
SELECT DISTINCT model, feature FROM (
    SELECT model, feature FROM capture_interaction
     WHERE project_id = %s AND erased_at IS NULL
     ORDER BY occurred_at DESC, id DESC LIMIT %s) recent
"""

PROMPT_FIGURES = """
SELECT prompt.id, figures.shown, figures.complained
  FROM unnest(%s::bigint[]) AS prompt(id)
 CROSS JOIN LATERAL (
    SELECT count(*) AS shown,
           count(*) FILTER (WHERE EXISTS (
               SELECT 1 FROM capture_feedbackevent said
                WHERE said.interaction_id = newest.id AND said.erased_at IS NULL
                  AND said.kind = ANY(%s))) AS complained
      FROM (SELECT id FROM capture_interaction
             WHERE project_id = %s AND prompt_version_id = prompt.id
             ORDER BY occurred_at DESC, id DESC LIMIT %s) newest) figures
"""


class LastUserMessage(Func):
    """The beginning of the last thing that the user said, read inside the database."""

    template = (
        "left(jsonb_path_query_array(%(expressions)s, '$[*] ? (@.role == \"user\").content')"
        " ->> -1, %(length)s)"
    )
    output_field = CharField()

    def __init__(self, *expressions, length=LINE):
        super().__init__(*expressions, length=length)


def for_reading(interactions):
    """Interactions as rows: question and answer one line each, nothing else of their texts."""
    return (
        interactions.annotate(
            question_line=LastUserMessage(F("messages")), answer_line=Left("output", LINE)
        )
        .select_related("prompt_version")
        .defer(
            "messages",
            "tools",
            "output",
            "metadata",
            "model_parameters",
            "redaction_counts",
            "body_hash",
            "prompt_version__text",
            "prompt_version__rationale",
        )
    )


def add_feedback(rows) -> None:
    """Give each row its `events`, [{"kind", "category"}] in the order they came, by one query."""
    events = defaultdict(list)
    for event in (
        FeedbackEvent.objects.filter(interaction__in=[row.pk for row in rows], erased_at=None)
        .order_by("occurred_at", "pk")
        .values("interaction_id", "kind", "category")
    ):
        events[event["interaction_id"]].append(event)
    for row in rows:
        row.events = events[row.pk]


def recent_choices(project) -> tuple[list[str], list[str]]:
    """(models, features) of the newest interactions, for the filters."""
    with connection.cursor() as cursor:
        cursor.execute(CHOICES, [project.pk, RECENT])
        found = cursor.fetchall()
    models, features = zip(*found, strict=True) if found else ((), ())
    return sorted(filter(None, set(models))), sorted(filter(None, set(features)))


def neighbours(rows, interaction) -> tuple[Interaction | None, Interaction | None]:
    """(newer, older) of an interaction in a list that is newest first."""
    at, pk = interaction.occurred_at, interaction.pk
    rows = rows.only("id", "public_id", "occurred_at")
    newer = rows.filter(occurred_at__gte=at).filter(Q(occurred_at__gt=at) | Q(pk__gt=pk))
    older = rows.filter(occurred_at__lte=at).filter(Q(occurred_at__lt=at) | Q(pk__lt=pk))
    return (
        newer.order_by("occurred_at", "id").first(),
        older.order_by(*NEWEST_FIRST).first(),
    )


def of_same_session(interaction, limit=20):
    """What else was said in the session, in order."""
    if not interaction.session_id:
        return []
    rows = Interaction.objects.kept().filter(
        project=interaction.project_id, session_id=interaction.session_id
    )
    return list(for_reading(rows).order_by("occurred_at", "id")[:limit])


@dataclass(frozen=True)
class Nearest:
    """The turns of a session around one of them; how many others there are, and whether some lie before and behind."""

    turns: list
    count: int
    has_earlier: bool = False
    has_later: bool = False


def other_turns(interaction):
    """The other turns of its session, each with the beginning of what was asked and answered; a character more says that it goes on."""
    if not interaction.session_id:
        return Interaction.objects.none()
    return (
        Interaction.objects.kept()
        .filter(project=interaction.project_id, session_id=interaction.session_id)
        .exclude(pk=interaction.pk)
        .annotate(
            question=LastUserMessage(F("messages"), length=TURN_QUESTION + 1),
            answer=Left("output", TURN_ANSWER + 1),
        )
        .only("public_id", "occurred_at")
    )


def nearest_of_session(interaction, most) -> Nearest:
    """The turns of the session nearest to this one, in order, without it.

    Nobody counts on for ever: a product that calls every session "default" has `MOST_COUNTED` others.
    """
    turns, at, pk = other_turns(interaction), interaction.occurred_at, interaction.pk
    before = turns.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk))
    after = turns.filter(Q(occurred_at__gt=at) | Q(occurred_at=at, pk__gt=pk))
    earlier = list(before.order_by("-occurred_at", "-id")[: most + 1])
    later = list(after.order_by(*IN_ORDER)[: most + 1])
    near = sorted([*earlier, *later], key=lambda turn: abs(turn.occurred_at - at))[:most]
    is_all = len(earlier) <= most and len(later) <= most
    return Nearest(
        sorted(near, key=lambda turn: (turn.occurred_at, turn.pk)),
        len(earlier) + len(later) if is_all else turns.values("pk")[:MOST_COUNTED].count(),
        has_earlier=any(turn not in near for turn in earlier),
        has_later=any(turn not in near for turn in later),
    )


def prompt_changelog(project):
    """Prompt versions with the text of the one before, of the same name."""
    before = PromptVersion.objects.filter(
        project=OuterRef("project"), name=OuterRef("name"), pk__lt=OuterRef("pk")
    ).order_by("-pk")
    return PromptVersion.objects.filter(project=project).annotate(
        text_before=Subquery(before.values("text")[:1]),
        version_before=Subquery(before.values("version")[:1]),
    )


def add_figures(project, versions) -> None:
    """Give each version `shown` and `complained`: of its newest interactions, how many somebody complained about."""
    with connection.cursor() as cursor:
        cursor.execute(
            PROMPT_FIGURES,
            [[version.pk for version in versions], list(COMPLAINTS), project.pk, COUNTED],
        )
        figures = {pk: (shown, complained) for pk, shown, complained in cursor.fetchall()}
    for version in versions:
        version.shown, version.complained = figures.get(version.pk, (0, 0))
        version.is_counted_on = version.shown < COUNTED
        version.share = version.complained / version.shown if version.shown else None
