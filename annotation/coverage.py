"""Where gold is thin beside what production complains about; and turning such a gap into work for experts.

Both sides are shares: of the living gold examples, and of the complaints of the last 90 days (the newest 20,000 at most).
A gap is where complaints have at least five points more than gold.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from annotation import intake
from annotation.models import ReviewItem, ReviewQueue
from annotation.schema_history import merged_keys
from feedbackhub.capture.browsing import COMPLAINTS
from feedbackhub.capture.models import Interaction

DAYS = 90
MOST_COMPLAINTS = 20_000
MOST_ROWS = 30  # of a part
BATCH = 25  # interactions that one push of the button brings to review
GAP = 0.05

PARTS = ("category", "feature", "model", "language", "severity")

GOLD = """
SELECT 'category' AS part, category AS key, count(DISTINCT revision.id) AS number
  FROM annotation_goldrevision revision
  JOIN annotation_goldexample example ON example.id = revision.example_id
 CROSS JOIN LATERAL jsonb_array_elements_text(revision.labels -> 'categories') AS said
 CROSS JOIN LATERAL (SELECT coalesce(%(merged)s::jsonb ->> said, said) AS category) AS today
 WHERE revision.project_id = %(project)s AND revision.is_current AND example.retired_at IS NULL
   AND revision.erased_at IS NULL
 GROUP BY category
UNION ALL
SELECT part, key, count(*)
  FROM annotation_goldrevision revision
  JOIN annotation_goldexample example ON example.id = revision.example_id
  JOIN capture_interaction interaction ON interaction.id = example.interaction_id
 CROSS JOIN LATERAL (VALUES ('feature', interaction.feature), ('model', interaction.model),
                            ('language', nullif(interaction.language, 'und')), ('severity', revision.labels ->> 'severity'), ('all', '')) AS pairs(part, key)
 WHERE revision.project_id = %(project)s AND revision.is_current AND example.retired_at IS NULL
   AND revision.erased_at IS NULL
 GROUP BY part, key
"""

COMPLAINED = """
SELECT part, key, count(DISTINCT interaction_id)
  FROM (SELECT event.interaction_id, event.category, event.severity, interaction.feature, interaction.model,
               nullif(interaction.language, 'und') AS language
          FROM capture_feedbackevent event
          JOIN capture_interaction interaction ON interaction.id = event.interaction_id
         WHERE event.project_id = %(project)s AND event.kind = ANY(%(kinds)s) AND event.erased_at IS NULL
           AND event.occurred_at > %(since)s
         ORDER BY event.occurred_at DESC LIMIT %(most)s) complaint
 CROSS JOIN LATERAL (VALUES ('category', complaint.category), ('feature', complaint.feature),
                            ('model', complaint.model), ('language', complaint.language), ('severity', complaint.severity), ('all', ''))
       AS pairs(part, key)
 GROUP BY part, key
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One key of a part, on both sides."""

    key: str
    gold: int
    gold_share: float
    complaints: int
    complaint_share: float

    @property
    def is_gap(self) -> bool:
        return self.complaint_share - self.gold_share >= GAP


def coverage(project, schema=None) -> dict[str, list[Row]]:
    """{part: rows}, the widest gap first. Reported categories count under the schema's that name them in `reported_as`, and
    what was merged under what it was merged into.
    """
    values = {
        "merged": json.dumps(merged_keys(schema) if schema else {}),
        "project": project.pk,
        "kinds": list(COMPLAINTS),
        "since": timezone.now() - timedelta(days=DAYS),
        "most": MOST_COMPLAINTS,
    }
    gold, complained = _counted(GOLD, values), _counted(COMPLAINED, values)
    complained["category"] = _by_schema(complained.get("category", {}), schema)
    all_gold = gold.get("all", {}).get("", 0)
    all_complaints = complained.get("all", {}).get("", 0)
    return {
        part: _rows(gold.get(part, {}), complained.get(part, {}), all_gold, all_complaints)
        for part in PARTS
    }


def _counted(statement, values) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for part, key, number in cursor.fetchall():
            if key or part == "all":
                found.setdefault(part, {})[key or ""] = number
    return found


def _by_schema(reported, schema) -> dict[str, int]:
    named = (merged_keys(schema) if schema else {}) | {
        word: category["key"]
        for category in (schema.categories if schema else [])
        for word in [*category.get("reported_as", []), category["key"]]
    }
    found: dict[str, int] = {}
    for word, number in reported.items():
        key = named.get(word, word)
        found[key] = found.get(key, 0) + number
    return found


def _rows(gold, complained, all_gold, all_complaints) -> list[Row]:
    rows = [
        Row(
            key=key,
            gold=gold.get(key, 0),
            gold_share=gold.get(key, 0) / all_gold if all_gold else 0.0,
            complaints=complained.get(key, 0),
            complaint_share=complained.get(key, 0) / all_complaints if all_complaints else 0.0,
        )
        for key in gold.keys() | complained.keys()
    ]
    rows.sort(key=lambda row: (row.gold_share - row.complaint_share, row.key))
    return rows[:MOST_ROWS]


def review_gap(
    *, project, part: str, key: str, queue: ReviewQueue, by, schema=None
) -> list[ReviewItem]:
    """Bring the newest complaints of a gap, that nobody judged or gold holds, to review; at most `BATCH`."""
    complaints = Interaction.objects.kept().filter(
        project=project,
        feedback__kind__in=COMPLAINTS,
        feedback__erased_at=None,
        feedback__occurred_at__gt=timezone.now() - timedelta(days=DAYS),
    )
    if part in ("feature", "model", "language"):
        complaints = complaints.filter(**{part: key})
    elif part == "severity":
        complaints = complaints.filter(feedback__severity=key)
    else:
        complaints = complaints.filter(feedback__category__in=_reported_as(key, schema))
    waiting = complaints.exclude(
        pk__in=ReviewItem.objects.filter(project=project, queue=queue).values("interaction")
    ).exclude(gold_examples__retired_at=None, gold_examples__isnull=False)
    ids = waiting.order_by("-occurred_at", "-id").values_list("pk", flat=True).distinct()[:BATCH]
    return [
        intake.flag_interaction(
            interaction=interaction, queue=queue, by=by, reason=f"gold is thin: {key}"[:200]
        )
        for interaction in Interaction.objects.filter(pk__in=list(ids)).order_by("-occurred_at")
    ]


def _reported_as(key, schema) -> list[str]:
    category = schema.category(key) if schema else None
    return [key, *(category or {}).get("reported_as", [])]
