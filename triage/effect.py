"""Experts see that it mattered: which of their labels went into which fix, in the review screen and in a weekly mail.

A label went into a fix when the answer it is about is a case of a problem that the fix solves, from before it shipped. Fixes
that were taken back do not count.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation import queries
from annotation.models import Annotation, LabelSchema, Settlement
from feedbackhub.accounts.models import Membership, Project, User
from triage import letters, rates
from triage.models import Fix, Notice

COUNTS = (Fix.State.SHIPPED, Fix.State.VERIFIED)
ENOUGH_SETTLED = 20  # answers on each side of a fix, before a share is told
_REMEMBERED = 600  # seconds: the screen asks with every item
MONDAY_AT = 7  # o'clock, UTC


@dataclass(frozen=True)
class Effect:
    """One fix, and what of it is this expert's doing."""

    fix: Fix
    labels: int
    told: int
    thanks: int


def labels_in_fixes(*, project, user=None, shipped: tuple[datetime, datetime] | None = None):
    """The judgements that count, each once for each fix of theirs: annotated `fix_id`."""
    _in = "item__interaction__problem_members"
    went_in = {
        f"{_in}__left_at": None,
        f"{_in}__problem__fixed_by__fix__state__in": COUNTS,
        "item__interaction__occurred_at__lte": F(f"{_in}__problem__fixed_by__fix__shipped_at"),
    }
    if shipped:
        went_in[f"{_in}__problem__fixed_by__fix__shipped_at__range"] = shipped
    rows = Annotation.objects.current().filter(project=project, taken_back_at=None, **went_in)
    if user:
        rows = rows.filter(expert=user)
    return rows.annotate(fix_id=F(f"{_in}__problem__fixed_by__fix"))


@queries.effect_counter
def count_of(membership: Membership) -> int:
    """How many labels of this member went into a fix, for the line under the review screen; ten minutes old at most."""
    key = f"effect-{membership.project_id}-{membership.user_id}"
    count = cache.get(key)
    if count is None:
        rows = labels_in_fixes(project=membership.project_id, user=membership.user_id)
        count = rows.values("pk").distinct().count()
        cache.set(key, count, _REMEMBERED)
    return count


@queries.effect_teller
def newest_effect_of(membership: Membership) -> queries.EffectTold | None:
    """The newest fix that holds labels of this member and names what carries it, with what it did to the category that
    they named most there; ten minutes old at most.
    """
    key = f"effect-told-{membership.project_id}-{membership.user_id}"
    told = cache.get(key, _UNKNOWN)
    if told is _UNKNOWN:
        told = _newest_effect(membership)
        cache.set(key, told, _REMEMBERED)
    return told


_UNKNOWN = object()


def _newest_effect(membership) -> queries.EffectTold | None:
    mine = labels_in_fixes(project=membership.project_id, user=membership.user_id)
    fix = (
        Fix.objects.filter(pk__in=mine.values("fix_id"), shipped_at__isnull=False)
        .exclude(carrier_version="")
        .order_by("-shipped_at", "-id")
        .first()
    )
    if fix is None:
        return None
    carrier = f"{fix.get_carrier_display().split()[0].lower()} {fix.carrier_version}"
    named = Counter(
        key
        for keys in mine.filter(fix_id=fix.pk).values_list("categories", flat=True)
        for key in keys
    )
    if not named:
        return queries.EffectTold(carrier)
    key, _count = named.most_common(1)[0]
    before, after = (
        _share_of(fix.project_id, key, *times)
        for times in (
            (fix.shipped_at - rates.BEFORE, fix.shipped_at),
            (fix.shipped_at, fix.shipped_at + rates.BEFORE),
        )
    )
    if before is None or after is None or after >= before:
        return queries.EffectTold(carrier)
    return queries.EffectTold(carrier, _category_name(fix.project_id, key), before, after)


def _share_of(project_id, category, since, until) -> float | None:
    """Of the settled answers of that time, those with this category; None where too few are settled to say."""
    counts = Settlement.objects.filter(
        project=project_id,
        is_current=True,
        interaction__occurred_at__gt=since,
        interaction__occurred_at__lte=until,
    ).aggregate(all=Count("pk"), named=Count("pk", filter=Q(categories__contains=[category])))
    return counts["named"] / counts["all"] if counts["all"] >= ENOUGH_SETTLED else None


def _category_name(project_id, key) -> str:
    for schema in LabelSchema.objects.filter(project=project_id, is_current=True):
        if found := schema.category(key):
            return found["name"]
    return key


def effects_of(*, project, user, limit=100) -> list[Effect]:
    """This expert's fixes, the newest first, with who was told of them."""
    counts = dict(
        labels_in_fixes(project=project, user=user)
        .values_list("fix_id")
        .annotate(count=Count("pk", distinct=True))
    )
    fixes = (
        Fix.objects.filter(pk__in=counts)
        .prefetch_related("problems")
        .annotate(
            told=Count("notices", filter=Q(notices__state=Notice.State.SENT), distinct=True),
            thanks=Count("notices", filter=Q(notices__thanked_at__isnull=False), distinct=True),
        )
        .order_by("-shipped_at", "-id")[:limit]
    )
    return [Effect(fix, counts[fix.pk], fix.told, fix.thanks) for fix in fixes]


# --- the weekly mail ------------------------------------------------------------------------------


def write_weekly_letters(*, now: datetime | None = None) -> int:
    """On Mondays, of the seven days before: one letter to each expert whose labels went into a fix. Once a week.

    That it is done is noted at the end: after a worker died on the way the next one writes the rest.
    """
    now = now or timezone.now()
    monday = (now - timedelta(days=now.weekday())).replace(
        hour=MONDAY_AT, minute=0, second=0, microsecond=0
    )
    week = f"{monday:%G-W%V}"
    done = f"effect-letters-{week}"
    if now < monday or cache.get(done):
        return 0
    written = 0
    for project in Project.objects.order_by("pk"):
        mine: dict[int, dict[int, int]] = {}
        rows = (
            labels_in_fixes(project=project, shipped=(monday - timedelta(days=7), monday))
            .values_list("expert", "fix_id")
            .annotate(count=Count("pk", distinct=True))
        )
        for expert, fix, count in rows:
            mine.setdefault(expert, {})[fix] = count
        for user in User.objects.filter(pk__in=mine):
            _write(project, user, mine[user.pk], week)
            written += 1
    cache.set(done, True, 8 * 86_400)
    return written


def _write(project, user, counts, week):
    labels = sum(counts.values())
    lines = [
        f"- {fix.summary[:200]} ({ngettext('%d label', '%d labels', counts[fix.pk]) % counts[fix.pk]})"
        for fix in Fix.objects.filter(pk__in=counts).order_by("shipped_at", "id")
    ]
    letters.write(
        project=project,
        users=[user],
        kind="effect",
        key=week,
        quiet_unless="",
        subject=ngettext(
            "%d label of yours went into a fix", "%d labels of yours went into fixes", labels
        )
        % labels,
        body="\n\n".join(
            [
                _("Last week these were repaired, with your labels among what showed them:"),
                "\n".join(lines),
                settings.BASE_URL + reverse("my_effect", args=[project.slug]),
            ]
        ),
    )
