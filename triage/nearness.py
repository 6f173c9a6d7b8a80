"""How near an answer is to the problems: the mean likeness to their members, found by one search whatever their number.

The nearest cases name the problems worth a look; of each, the mean over its newest members is taken. A mean over few members
is easily high by chance, so that a small problem asks for more: `needed`. Which problem is nearest is decided by the likeness
to the middle of its members, so that one whose cases differ much is not behind one whose cases are all the same (measured by
`benchmarks/similarity.py`: a known problem is among the first five more often).
"""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from feedbackhub.capture import vectors
from triage import cases
from triage.models import Problem

NEIGHBOURS, MEMBERS = 40, 50
FEW = 0.2  # what a problem with one member asks for besides

_MEANS = """
SELECT asked.id, avg(near.alike), count(*)
  FROM unnest(%(problems)s::bigint[]) AS asked(id)
 CROSS JOIN LATERAL (
    SELECT vector.vector, 1 - (vector.vector <=> %(vector)s::vector) AS alike
      FROM triage_problemmember member
      JOIN capture_embedding vector ON vector.interaction_id = member.interaction_id
       AND vector.kind = 'case' AND vector.embedder = %(embedder)s AND vector.embedder_version = %(version)s
     WHERE member.problem_id = asked.id AND member.left_at IS NULL AND member.interaction_id <> %(interaction)s
     ORDER BY member.id DESC LIMIT %(members)s
  ) near
 WHERE near.alike <> 'NaN'
 GROUP BY asked.id ORDER BY avg(near.vector) <=> %(vector)s::vector, asked.id
"""


@dataclass(frozen=True)
class Near:
    """A problem, how alike an answer is to it, and what would be enough."""

    problem_id: int
    alike: float
    needed: float

    @property
    def is_enough(self) -> bool:
        return self.alike >= self.needed


def nearest_problems(*, interaction, vector, embedder, members) -> list[Near]:
    """The problems that have some of these members like it, the nearest first."""
    found = vectors.nearest(
        project_id=interaction.project_id,
        kind=cases.KIND,
        embedder=embedder,
        vector=vector,
        limit=NEIGHBOURS,
        among=Q(interaction__problem_members__in=members) & ~Q(interaction=interaction.pk),
    )
    ids = [pk for pk, _alike in found]
    problems = list(
        members.filter(interaction__in=ids).values_list("problem_id", flat=True).distinct()
    )
    return means(interaction.pk, vector, embedder, problems) if problems else []


def means(interaction_id, vector, embedder, problems: list[int]) -> list[Near]:
    with connection.cursor() as cursor:
        cursor.execute(
            _MEANS,
            {
                "problems": problems,
                "vector": "[" + ",".join(str(float(each)) for each in vector) + "]",
                "embedder": embedder.name,
                "version": embedder.version,
                "interaction": interaction_id,
                "members": MEMBERS,
            },
        )
        rows = cursor.fetchall()
    return [Near(pk, alike, embedder.near + FEW / count) for pk, alike, count in rows]


PLACEABLE = [state for state in Problem.State if state != Problem.State.DUPLICATE]
