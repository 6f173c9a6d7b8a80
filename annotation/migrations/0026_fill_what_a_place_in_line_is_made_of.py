from django.db import migrations
from django.db.models import (
    Case,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

RANKS = {"none": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


AT_ONCE = 1_000


def say_what_was_asked(apps, schema_editor):
    """Of open items, a thousand at a time, for experts go on working: a queue by priority kept what was asked; elsewhere the
    rule knows it, and the reporters what they claimed.
    """
    items = apps.get_model("annotation", "ReviewItem").objects
    queues = apps.get_model("annotation", "ReviewQueue").objects
    rules = apps.get_model("annotation", "RoutingRule").objects
    feedback = apps.get_model("capture", "FeedbackEvent").objects
    kept = Q(priority__gte=100) | Q(queue__in=queues.filter(order="priority"))
    asked = Subquery(rules.filter(pk=OuterRef("routed_by")).values("priority"))
    claimed = Case(
        When(category__in=["harmful", "privacy"], then=Value(4)),
        *[When(severity=severity, then=Value(rank)) for severity, rank in RANKS.items()],
        default=Value(0),
        output_field=IntegerField(),
    )
    worst = (
        feedback.filter(interaction=OuterRef("interaction"), erased_at=None)
        .order_by()
        .values("interaction")
        .annotate(worst=Max(claimed))
        .values("worst")
    )
    waiting = items.filter(state__in=["waiting", "in_review", "disputed"]).order_by("pk")
    last = 0
    while some := list(waiting.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        these, last = items.filter(pk__in=some), some[-1]
        these.filter(kept).update(asked_priority=F("priority"))
        these.exclude(kept).update(asked_priority=Coalesce(asked, 0))
        these.update(claimed_rank=Coalesce(Subquery(worst), 0))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("annotation", "0025_what_a_place_in_line_is_made_of"),
        ("capture", "0002_vectors_by_kind"),
    ]

    operations = [migrations.RunPython(say_what_was_asked, migrations.RunPython.noop)]
