"""How the people work who judge: how much, how long, how often as it was settled, which categories, what they pass on.

All of one period, and of judgements that count now. What was imported is nobody's work here. Known cases and repeats are
work too, so they count as judged and as time; everything that is about labels leaves them out.

The same number of queries for any number of people.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Aggregate, Count, Exists, F, FloatField, Func, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotation import calibration
from annotation.calibration import Score
from annotation.models import (
    Annotation,
    Assignment,
    QueuePause,
    ReviewItem,
    Settlement,
)
from annotation.queries import midnight_of, zone_of
from annotation.schema_history import ProjectCategories
from feedbackhub.accounts.models import Membership, User
from feedbackhub.accounts.permissions import EXPERT

DAYS = {"7": 7, "30": 30, "90": 90, "365": 365}
FEWEST = 10  # judgements before a habit is told
BY_DAY = 31  # days shown one by one; more are shown by week
LABEL = ReviewItem.Purpose.LABEL


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class Unnest(Func):
    function = "unnest"
    set_returning = True


@dataclass(frozen=True)
class Period:
    """The last so many days where the reader is, today among them."""

    days: int
    since: datetime
    zone: object

    @classmethod
    def of(cls, reader, days: int) -> "Period":
        return cls(days, midnight_of(reader) - timedelta(days=days - 1), zone_of(reader))

    @property
    def steps(self) -> list[date]:
        """The first day of each day or week shown."""
        first = self.since.astimezone(self.zone).date()
        step = 1 if self.days <= BY_DAY else 7
        return [first + timedelta(days=number) for number in range(0, self.days, step)]


@dataclass(frozen=True)
class Habit:
    """How often somebody names a category, beside everybody's share of judgements that name it."""

    key: str
    name: str
    count: int
    share: float
    everybodys: float

    @property
    def difference(self) -> float:
        return self.share - self.everybodys


@dataclass
class Figures:
    """One person's figures of a period."""

    user: User
    judged: int = 0
    days_worked: int = 0
    trend: list[tuple[date, int]] = field(default_factory=list)  # by day or week
    median_seconds: float | None = None
    labels: int = 0
    agreed: int = 0
    compared: int = 0
    habits: list[Habit] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)  # by reason
    suggested: int = 0
    taken: int = 0
    changed: int = 0
    scores: list[Score] = field(default_factory=list)
    same_again: int = 0
    repeated: int = 0
    pauses: list[QueuePause] = field(default_factory=list)

    @property
    def agreement(self) -> float | None:
        return self.agreed / self.compared if self.compared else None

    @property
    def a_day(self) -> float | None:
        return self.judged / self.days_worked if self.days_worked else None

    @property
    def skipped(self) -> int:
        return sum(self.skips.values())

    @property
    def takes(self) -> float | None:
        return self.taken / self.suggested if self.suggested else None

    @property
    def steadiness(self) -> float | None:
        return self.same_again / self.repeated if self.repeated else None

    @property
    def is_below(self) -> bool:
        return any(score.is_below for score in self.scores)

    @property
    def strongest_habit(self) -> Habit | None:
        """The category in which they differ most from everybody, once there is enough to say so."""
        if self.labels < FEWEST:
            return None
        return max(self.habits, key=lambda habit: abs(habit.difference), default=None)


def who_judges(project, since=None):
    """The project's experts, and whoever judged since then."""
    experts = Membership.objects.filter(
        project=project, user=OuterRef("pk"), roles__contains=[EXPERT]
    )
    judged = _judged(project, since).filter(expert=OuterRef("pk"))
    return User.objects.filter(Exists(experts) | Exists(judged)).order_by("name", "pk")


def figures_of(users, *, project, period: Period) -> list[Figures]:
    """In the order of `users`."""
    found = {user.pk: Figures(user) for user in users}
    if not found:
        return []
    own = _judged(project, period.since).filter(expert__in=found)
    _throughput(found, own, period)
    _time_and_suggestions(found, own)
    _agreement(found, own)
    _habits(found, project, period)
    _skips(found, project, period)
    for (expert, _queue), score in calibration.scores(project=project, experts=found).items():
        found[expert].scores.append(score)
    repeats = calibration.repeats_by_expert(
        project=project, experts=list(found), since=period.since
    )
    for expert, (same, count) in repeats.items():
        found[expert].same_again, found[expert].repeated = same, count
    pauses = QueuePause.objects.filter(project=project, user__in=found)
    for pause in pauses.select_related("queue", "paused_by").order_by("queue__name", "pk"):
        found[pause.user_id].pauses.append(pause)
    return list(found.values())


# --- steps ----------------------------------------------------------------------------------------


def _judged(project, since=None):
    rows = Annotation.objects.current().filter(project=project, imported_from="")
    return rows.filter(created_at__gte=since) if since else rows


def _throughput(found, own, period) -> None:
    by_day = defaultdict(Counter)
    rows = (
        own.annotate(day=TruncDate("created_at", tzinfo=period.zone))
        .values("expert", "day")
        .annotate(count=Count("pk"))
    )
    for row in rows:
        by_day[row["expert"]][row["day"]] = row["count"]
    steps = period.steps
    ends = [*steps[1:], timezone.now().astimezone(period.zone).date() + timedelta(days=1)]
    for expert, figures in found.items():
        days = by_day[expert]
        figures.judged, figures.days_worked = days.total(), len(days)
        figures.trend = [
            (step, sum(count for day, count in days.items() if step <= day < end))
            for step, end in zip(steps, ends, strict=True)
        ]


def _time_and_suggestions(found, own) -> None:
    taken = Q(suggestion__taken__0__isnull=False)
    rows = own.values("expert").annotate(
        median=Median("seconds_spent", filter=Q(seconds_spent__gt=0)),
        suggested=Count("pk", filter=Q(suggestion__seen=True) | taken),
        taken=Count("pk", filter=taken),
        changed=Count("pk", filter=taken & Q(suggestion__changed__0__isnull=False)),
    )
    for row in rows:
        figures = found[row["expert"]]
        figures.median_seconds = row["median"]
        figures.suggested, figures.taken = row["suggested"], row["taken"]
        figures.changed = row["changed"]


def _agreement(found, own) -> None:
    """With what is settled, as far as somebody else had a say in it too."""
    settled = (
        Settlement.objects.filter(
            Q(annotation_count__gt=1) | Q(decided_how=Settlement.DecidedHow.LEAD),
            interaction=OuterRef("item__interaction"),
            schema_name=OuterRef("item__queue__schema_name"),
            is_current=True,
        )
        .exclude(decided_by=OuterRef("expert"))
        .values("verdict")[:1]
    )
    rows = (
        own.filter(item__purpose=LABEL, item__state=ReviewItem.State.SETTLED)
        .annotate(settled=Subquery(settled))
        .exclude(settled=None)
        .values("expert")
        .annotate(all=Count("pk"), same=Count("pk", filter=Q(verdict=F("settled"))))
    )
    for row in rows:
        found[row["expert"]].agreed, found[row["expert"]].compared = row["same"], row["all"]


def _habits(found, project, period) -> None:
    labels = _judged(project, period.since).filter(item__purpose=LABEL)
    totals = dict(labels.values_list("expert").annotate(Count("pk")))
    categories = ProjectCategories(project)
    everybody, named = Counter(), defaultdict(Counter)
    for expert, category, count in _named(labels, categories):
        everybody[category] += count
        named[expert][category] += count
    names = categories.names
    all_labels = sum(totals.values())
    for expert, figures in found.items():
        figures.labels = totals.get(expert, 0)
        if not figures.labels:
            continue
        figures.habits = sorted(
            (
                Habit(
                    category,
                    names.get(category, category),
                    named[expert][category],
                    named[expert][category] / figures.labels,
                    count / all_labels,
                )
                for category, count in everybody.items()
            ),
            key=lambda habit: (-habit.share, -habit.everybodys, habit.name),
        )


def _named(labels, categories):
    """(expert, category, how often): counted by the database, but for what was merged, which counts once under today's."""
    merged = Q(categories__overlap=list(categories.merged()))
    yield from (
        labels.exclude(merged)
        .annotate(category=Unnest(F("categories")))
        .values_list("expert", "category")
        .annotate(Count("pk"))
    )
    said = labels.filter(merged).values_list("expert", "categories", "schema__name")
    for expert, keys, schema_name in said.iterator():
        for category in categories.count_as(keys, schema_name):
            yield expert, category, 1


def _skips(found, project, period) -> None:
    rows = (
        Assignment.objects.filter(
            project=project,
            expert__in=found,
            state=Assignment.State.SKIPPED,
            claimed_at__gte=period.since,
        )
        .values_list("expert", "skip_reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "skip_reason")
    )
    for expert, reason, count in rows:
        found[expert].skips[reason] = count
