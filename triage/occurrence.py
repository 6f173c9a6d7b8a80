"""Where a problem occurs and where not: prompt and model versions, documents, first and last seen.

Answers of a version are counted up to `MOST` only: what matters is whether there were enough to have shown the problem.
"""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Count, Max, Min

from feedbackhub.capture.models import Interaction, PromptVersion, RetrievedDocument

VERSIONS, DOCUMENTS = 12, 5
MOST = 10_000
NEWEST = 5_000  # answers of the project that are looked at for its models

_ANSWERS = """
SELECT asked.id, (SELECT count(*) FROM (
    SELECT 1 FROM capture_interaction answer
     WHERE answer.project_id = %s AND answer.prompt_version_id = asked.id AND answer.occurred_at >= %s LIMIT %s
) counted) FROM unnest(%s::bigint[]) AS asked(id)
"""


@dataclass(frozen=True)
class Version:
    """A version with its cases of the problem, among so many answers since the problem was first seen."""

    name: str
    cases: int
    answers: int

    @property
    def is_more(self) -> bool:
        return self.answers > MOST

    @property
    def has_it(self) -> bool:
        return self.cases > 0


@dataclass(frozen=True)
class Occurrence:
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    prompts: list[Version] = field(default_factory=list)
    models: list[Version] = field(default_factory=list)
    documents: list[dict] = field(default_factory=list)

    @property
    def versions(self) -> list[Version]:
        return [*self.prompts, *self.models]


def occurrence(problem) -> Occurrence:
    """By a handful of queries, whatever the number of cases."""
    members = Interaction.objects.filter(
        problem_members__problem=problem, problem_members__left_at=None
    )
    seen = members.aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    if seen["first"] is None:
        return Occurrence()
    return Occurrence(
        seen["first"],
        seen["last"],
        _prompts(problem, members, seen["first"]),
        _models(problem, members, seen["first"]),
        list(
            RetrievedDocument.objects.filter(interaction__in=members)
            .exclude(document_id="")
            .values("document_id")
            .annotate(cases=Count("interaction", distinct=True), name=Max("title"))
            .filter(cases__gt=1)
            .order_by("-cases", "document_id")[:DOCUMENTS]
        ),
    )


def _prompts(problem, members, since) -> list[Version]:
    """The newest versions of the prompts that it occurs in, the newest first."""
    counted = dict(
        members.exclude(prompt_version=None)
        .values_list("prompt_version")
        .annotate(Count("pk"))
        .order_by()
    )
    if not counted:
        return []
    names = PromptVersion.objects.filter(pk__in=counted).values("name")
    versions = list(
        PromptVersion.objects.filter(project=problem.project_id, name__in=names).order_by("-pk")[
            :VERSIONS
        ]
    )
    with connection.cursor() as cursor:
        keys = [each.pk for each in versions]
        cursor.execute(_ANSWERS, [problem.project_id, since, MOST + 1, keys])
        answers = dict(cursor.fetchall())
    return [Version(str(each), counted.get(each.pk, 0), answers[each.pk]) for each in versions]


def _models(problem, members, since) -> list[Version]:
    """The models among the project's newest answers, and those that it occurs in."""

    def named(rows):
        return {(name, version): count for name, version, count in rows}

    cases = named(
        members.exclude(model="")
        .values_list("model", "model_version")
        .annotate(Count("pk"))
        .order_by()
    )
    newest = (
        Interaction.objects.filter(project=problem.project_id, occurred_at__gte=since)
        .order_by("-occurred_at", "-id")
        .values("pk")[:NEWEST]
    )
    answers = named(
        Interaction.objects.filter(pk__in=newest)
        .exclude(model="")
        .values_list("model", "model_version")
        .annotate(Count("pk"))
        .order_by()
    )
    found = [
        Version(
            " ".join(filter(None, key)),
            cases.get(key, 0),
            max(answers.get(key, 0), cases.get(key, 0)),
        )
        for key in {**answers, **cases}
    ]
    return sorted(found, key=lambda each: (-each.cases, each.name))[:VERSIONS]
