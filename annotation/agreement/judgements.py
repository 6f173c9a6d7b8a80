"""What the experts said about items that several of them judged: the units that agreement is measured on.

Only judgements that count (current revisions) of items made for labels: calibration and repeats measure people, not the
shared view. What was merged counts with what it was merged into. The newest `MOST` judgements are read; a report says when there are more.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q

from annotation.agreement.span_overlap import Mark
from annotation.models import Annotation, ReviewItem, Span
from annotation.schema_history import ProjectCategories
from feedbackhub.accounts.models import User

MOST = 20_000


@dataclass
class JudgedItem:
    """One item and what each of its experts said, by the expert's id."""

    public_id: UUID
    external_id: str
    queue: str
    is_settled: bool
    judged_at: datetime  # by the last of them
    said: dict[int, dict] = field(default_factory=dict)
    marks: dict[int, list[Mark]] = field(default_factory=dict)

    def unit(self, read) -> dict:
        """What each person said in one field; who said nothing there is left out."""
        values = {person: read(said) for person, said in self.said.items()}
        return {person: value for person, value in values.items() if value is not None}


@dataclass(frozen=True)
class Judgements:
    items: list[JudgedItem]  # newest first
    people: dict[int, User]
    is_capped: bool


def shared_judgements(*, project, queue=None, since=None, until=None, of=None) -> Judgements:
    """Items that two or more people judged; with `of` (a user) only those that this person judged too, and that are settled
    where the queue is blind: before, the figures would tell what the others said."""
    rows = Annotation.objects.current().filter(
        project=project, item__purpose=ReviewItem.Purpose.LABEL
    )
    if queue:
        rows = rows.filter(item__queue=queue)
    if since:
        rows = rows.filter(created_at__gte=since)
    if until:
        rows = rows.filter(created_at__lt=until)
    shared = (
        rows.values("item")
        .annotate(voices=Count("pk"), mine=Count("pk", filter=Q(expert=of)))
        .filter(voices__gt=1)
    )
    if of:
        shared = shared.filter(
            Q(item__state=ReviewItem.State.SETTLED) | Q(item__queue__is_blind=False), mine__gt=0
        )
    rows = list(
        rows.filter(item__in=shared.values("item"))
        .order_by("-item_id", "pk")
        .values(
            "pk",
            "item_id",
            "expert_id",
            "verdict",
            "severity",
            "categories",
            "root_cause",
            "rubric_scores",
            "ratings",
            "created_at",
            item_public_id=F("item__public_id"),
            external_id=F("item__interaction__external_id"),
            queue=F("item__queue__slug"),
            schema_name=F("schema__name"),
            state=F("item__state"),
        )[: MOST + 1]
    )
    is_capped = len(rows) > MOST
    rows = rows[:MOST]
    categories = ProjectCategories(project)
    for row in rows:
        row["categories"] = categories.count_as(row["categories"], row["schema_name"])
    items: dict[int, JudgedItem] = {}
    for row in rows:
        item = items.setdefault(
            row["item_id"],
            JudgedItem(
                row["item_public_id"],
                row["external_id"],
                row["queue"],
                row["state"] == ReviewItem.State.SETTLED,
                row["created_at"],
            ),
        )
        item.judged_at = max(item.judged_at, row["created_at"])
        item.said[row["expert_id"]] = row
    _bring_marks(items, {row["pk"]: row for row in rows})
    whole = [item for item in items.values() if len(item.said) > 1]
    people = User.objects.in_bulk({row["expert_id"] for row in rows})
    return Judgements(whole, people, is_capped)


def _bring_marks(items, rows) -> None:
    marks = defaultdict(list)
    spans = Span.objects.filter(annotation__in=list(rows))
    for annotation, *place in spans.values_list("annotation", "field", "start", "end", "label"):
        marks[annotation].append(Mark(*place))
    for pk, row in rows.items():
        items[row["item_id"]].marks[row["expert_id"]] = marks[pk]
