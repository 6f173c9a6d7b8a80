"""A mail in the morning that says what waits for somebody: at most one a day and project, none when nothing waits.

Morning is seven o'clock where they are. Whoever's day it is is decided by their row, in the transaction that writes the
letter: two workers write one. Switched off in one's profile. It quotes nobody: numbers and a link.
"""

from datetime import date, datetime

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation import calibration, waits
from annotation.models import Attention
from annotation.queries import zone_of
from feedbackhub.accounts.models import Membership
from triage import letters

MORNING = 7  # o'clock, where they are
MONDAY = 0
LOOKED_AT_EVERY = 600  # seconds


def write_digests(*, now: datetime | None = None) -> int:
    """A letter to each member whose morning has come and for whom something waits; answers how many."""
    now = now or timezone.now()
    if not cache.add(f"digests-{int(now.timestamp()) // LOOKED_AT_EVERY}", True, LOOKED_AT_EVERY):
        return 0
    members = Membership.objects.filter(user__is_active=True, user__wants_digest=True)
    done = {
        (project, user): day
        for project, user, day in Attention.objects.exclude(digested_on=None).values_list(
            "project", "user", "digested_on"
        )
    }
    written = 0
    for member in members.select_related("user", "project").order_by("pk"):
        there = now.astimezone(zone_of(member.user))
        last = done.get((member.project_id, member.user_id), date.min)
        if there.hour >= MORNING and last < there.date():
            written += _write(member, there.date())
    return written


@transaction.atomic
def _write(member: Membership, day: date) -> bool:
    own, _is_new = Attention.objects.get_or_create(project=member.project, user=member.user)
    is_ours = (
        Attention.objects.filter(pk=own.pk)
        .filter(Q(digested_on=None) | Q(digested_on__lt=day))
        .update(digested_on=day)
    )
    if not is_ours:
        return False
    waiting = waits.count(member)
    below = calibration.below_the_bar(member) if waiting.total or day.weekday() == MONDAY else []
    if not waiting.total and not below:
        return False
    letters.write(
        project=member.project,
        users=[member.user],
        kind="digest",
        key=day.isoformat(),
        subject=_subject(waiting),
        body=_body(member, waiting, below),
    )
    return True


def _subject(waiting) -> str:
    if not waiting.total:
        return _("how you did on known cases")
    return ngettext("%d thing waits for you", "%d things wait for you", waiting.total) % (
        waiting.total
    )


def _body(member, waiting, below) -> str:
    lines = [f"- {words % number}" for number, words in _lines(waiting) if number]
    lines += [
        "- "
        + _(
            "Known cases in %(queue)s: %(right)d of the last %(judged)d as they are settled; %(bar)d %% are asked for"
        )
        % {
            "queue": score.queue.name,
            "right": score.right,
            "judged": score.judged,
            "bar": score.queue.calibration_bar,
        }
        for score in below
    ]
    return "\n\n".join(
        [
            "\n".join(lines),
            settings.BASE_URL + reverse("waits_for_me", args=[member.project.slug]),
            _("You get this at most once a day. Switch it off in your profile:")
            + f"\n{settings.BASE_URL}{reverse('profile')}",
        ]
    )


def _lines(waiting):
    yield (
        waiting.mentions,
        ngettext("You were named in %d comment", "You were named in %d comments", waiting.mentions),
    )
    yield (
        waiting.returned,
        ngettext(
            "%d judgement came back to you", "%d judgements came back to you", waiting.returned
        ),
    )
    yield (
        waiting.decisions,
        ngettext(
            "A lead decided on %d item of yours",
            "A lead decided on %d items of yours",
            waiting.decisions,
        ),
    )
    yield (
        waiting.disputes,
        ngettext("%d dispute to settle", "%d disputes to settle", waiting.disputes),
    )
    yield (
        waiting.discussions,
        ngettext("%d item to be talked about", "%d items to be talked about", waiting.discussions),
    )
    yield (
        waiting.proposals,
        ngettext("%d category proposed", "%d categories proposed", waiting.proposals),
    )
