"""Handing notices over: what is due for one person goes as one mail, and nobody gets it twice.

One worker at a time is at a person's notices. A webhook is called for each notice by itself: its id is the notice's, so
that a call may be repeated without news of another getting lost or told again.

`pending → sending → sent`. A mail that was handed to the mail server and whose answer was lost is `uncertain` and never
sent again by itself; a webhook may be repeated, since its id stays the same. Consent is asked when the notice is made
and again in the moment before it is handed over.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from feedbackhub.capture.models import Reporter
from feedbackhub.outbound import OutboundError, Outcome
from triage import notices
from triage.channels import CHANNELS
from triage.models import Fix, Notice, Problem

LEASE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=72)
TOGETHER = 20  # of one person's notices, in one message
A_MOMENT = timedelta(seconds=2)
STATE = Notice.State


def deliver_notice(*, notice_id: int) -> Notice | None:
    """Send one due notice, and what else is due for the same person; answers it, or None."""
    taken = _take(notice_id)
    if not taken:
        return None
    lease = taken[0].lease_until
    wanted = [notice for notice in taken if not _suppress(notice, lease)]
    if not wanted:
        return _again(taken, notice_id)
    wait = _wait_before(wanted[0])
    if wait:
        waits = {"lease_until": None, "due_at": timezone.now() + wait}
        if wait > LONGEST_PAUSE:
            waits["first_tried_at"] = None  # the next try is the first of a new series
        _all(wanted, lease).update(**waits)
        return _again(taken, notice_id)
    channel = CHANNELS[wanted[0].channel]
    try:
        message = channel.compose(wanted)
        channel.deliver(message, on_handover=lambda: _hand_over(wanted, lease, message))
    except _NotOurs:
        return None
    except OutboundError as error:
        if _write_failure(wanted, lease, error):
            channel.note_given_up(wanted[0])
    else:
        _all(wanted, lease).update(
            state=STATE.SENT, lease_until=None, sent_at=timezone.now(), failure=""
        )
    return _again(taken, notice_id)


def take_back_abandoned() -> int:
    """Notices whose worker died: a mail that was handed over is uncertain, the others are due again."""
    abandoned = Notice.objects.filter(state=STATE.SENDING, lease_until__lt=timezone.now())
    repeatable = [name for name, channel in CHANNELS.items() if channel.MAY_BE_REPEATED]
    again = abandoned.filter(channel__in=repeatable).update(state=STATE.PENDING, lease_until=None)
    return again + abandoned.update(
        state=STATE.UNCERTAIN,
        lease_until=None,
        failure="The worker died while sending; it may have been sent.",
    )


def due_notices(limit: int = 200) -> list[int]:
    return list(_free().order_by("due_at").values_list("pk", flat=True)[:limit])


# --- taking ---------------------------------------------------------------------------------------


def _free():
    now = timezone.now()
    return Notice.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), state=STATE.PENDING, due_at__lte=now
    )


@transaction.atomic
def _take(notice_id) -> list[Notice]:
    """This notice and what goes with it to the same person, under one lease; none if others are at it.

    The person is locked first: two workers with two notices of theirs make one message, not two.
    """
    row = _free().filter(pk=notice_id).values("reporter").first()
    if row is None:
        return []
    Reporter.objects.select_for_update(no_key=True).get(pk=row["reporter"])
    now = timezone.now()
    theirs = Notice.objects.filter(reporter=row["reporter"])
    if theirs.filter(lease_until__gt=now).exists():
        _free().filter(pk=notice_id).update(due_at=now + A_MOMENT)
        return []
    first = _free().select_for_update().filter(pk=notice_id).first()
    if first is None:
        return []
    keys = [notice_id]
    if CHANNELS[first.channel].GOES_TOGETHER:
        others = _free().filter(reporter=first.reporter_id, channel=first.channel)
        keys += (
            others.select_for_update()
            .exclude(pk=notice_id)
            .order_by("pk")
            .values_list("pk", flat=True)[: TOGETHER - 1]
        )
    Notice.objects.filter(pk__in=keys).update(lease_until=now + LEASE, attempts=F("attempts") + 1)
    reopened = Problem.objects.unsolved().filter(fixes=OuterRef("fix"))
    rows = (
        Notice.objects.filter(pk__in=keys)
        .select_related("fix__project", "reporter")
        .annotate(has_come_back=Exists(reopened))
    )
    return sorted(rows, key=lambda notice: (notice.pk != notice_id, notice.pk))


def _all(rows, lease):
    return Notice.objects.filter(pk__in=[row.pk for row in rows], lease_until=lease)


def _again(rows, notice_id) -> Notice:
    return Notice.objects.select_related("fix__project", "reporter").get(pk=notice_id)


def _suppress(notice, lease) -> bool:
    reason = notices.reason_not_to(notice.reporter, notice.channel)
    if not reason and notice.fix.state == Fix.State.REVERTED:
        reason = "reverted"
    if not reason and (notice.fix.recurred_at or notice.has_come_back):
        reason = notices.CAME_BACK
    if reason:
        _all([notice], lease).update(state=STATE.SUPPRESSED, lease_until=None, reason=reason)
    return bool(reason)


def _wait_before(notice) -> timedelta | None:
    """The project's limits: messages a minute, and hours between two for one person."""
    policy, now = notices.policy_of(notice.fix.project), timezone.now()
    if policy.hours_between:
        gap = timedelta(hours=policy.hours_between)
        last = (
            Notice.objects.filter(reporter=notice.reporter_id, sent_at__gt=now - gap)
            .order_by("-sent_at")
            .values_list("sent_at", flat=True)
            .first()
        )
        if last:
            return last + gap - now
    if policy.per_minute:
        minute = now - timedelta(minutes=1)
        busy = Notice.objects.filter(project=notice.project_id).filter(
            Q(sent_at__gt=minute) | Q(lease_until__gt=now, state=STATE.SENDING)
        )
        if busy.count() >= policy.per_minute:
            return timedelta(seconds=60)
    return None


# --- outcomes -------------------------------------------------------------------------------------


class _NotOurs(Exception):
    """The lease ended, or the person was erased, in the moment before the message was handed over."""


def _hand_over(rows, lease, message):
    """pending → sending, the last thing before the other side gets it: from here on it may have been sent."""
    with transaction.atomic():
        reporter = Reporter.objects.select_for_update().get(pk=rows[0].reporter_id)
        if notices.reason_not_to(reporter, rows[0].channel):
            raise _NotOurs
        moved = (
            _all(rows, lease)
            .filter(state=STATE.PENDING)
            .update(state=STATE.SENDING, subject=message.subject[:200], body=message.body)
        )
        if moved != len(rows):
            raise _NotOurs


def _write_failure(rows, lease, error) -> bool:
    """Whether it was tried for long enough to give it up."""
    ours, failure = _all(rows, lease), str(error)[:300]
    if error.outcome is Outcome.UNKNOWN:
        ours.update(state=STATE.UNCERTAIN, lease_until=None, failure=failure)
        return False
    if error.outcome is Outcome.REFUSED_FOR_GOOD:
        ours.update(state=STATE.FAILED, lease_until=None, failure=failure)
        return False
    now = timezone.now()
    given_up = ours.filter(first_tried_at__lt=now - GIVE_UP_AFTER).update(
        state=STATE.FAILED, lease_until=None, failure=failure
    )
    tries = max(row.attempts for row in rows)
    pause = min(timedelta(seconds=2 ** min(tries, 12)), LONGEST_PAUSE)
    if error.retry_after:
        pause = max(pause, timedelta(seconds=error.retry_after))
    ours.update(
        state=STATE.PENDING,
        lease_until=None,
        failure=failure,
        due_at=now + pause,
        first_tried_at=Coalesce("first_tried_at", now),
    )
    return bool(given_up)
