"""Telling the people who reported a problem that it is fixed: one notice per reporter and fix, at most once.

`pending → sending → sent`; a message that was handed to the mail server and whose answer was lost is `uncertain` and is never
sent again by itself. Consent is asked when the notice is made and again in the moment before it is handed over.
"""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from feedbackhub.capture.models import FeedbackEvent, Reporter
from feedbackhub.capture.vocabulary import FeedbackKind
from feedbackhub.doorbell import ring
from feedbackhub.outbound import OutboundError, Outcome
from triage import reporter_link
from triage.channels import CHANNELS
from triage.models import Fix, Notice, NoticePolicy

LEASE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=72)
STATE = Notice.State

# Who said one of these complained; thumbs up and copies are no complaints.
COMPLAINTS = (
    FeedbackKind.THUMBS_DOWN,
    FeedbackKind.REPORT,
    FeedbackKind.COMMENT,
    FeedbackKind.EDIT,
    FeedbackKind.OVERRIDE,
)


class NoticeRefused(ValueError):
    """What a notice's state does not allow; the sentence says why."""


def complaints_about(problems):
    """The feedback events with which people reported these problems."""
    return FeedbackEvent.objects.filter(
        Q(kind__in=COMPLAINTS) | Q(kind=FeedbackKind.RATING, score__lt=0.5),
        interaction__problem_members__problem__in=problems,
        interaction__problem_members__left_at=None,
        erased_at=None,
    )


def policy_of(project) -> NoticePolicy:
    """How this project tells its reporters; the defaults where nobody has chosen."""
    return NoticePolicy.objects.filter(project=project).first() or NoticePolicy(project=project)


def is_time_to_tell(*, fix) -> bool:
    return (
        fix.state == Fix.State.VERIFIED or policy_of(fix.project).when == NoticePolicy.When.AT_ONCE
    )


def prepare_notices(*, fix) -> list[Notice]:
    """One notice for each person who reported what this fix solves; safe to repeat."""
    from triage import tasks

    reporters = Reporter.objects.filter(
        pk__in=complaints_about(fix.problems.all()).exclude(reporter=None).values("reporter")
    ).order_by("id")
    Notice.objects.bulk_create(
        [
            Notice(
                project_id=fix.project_id,
                fix=fix,
                reporter=reporter,
                state=STATE.SUPPRESSED if _reason_not_to(reporter) else STATE.PENDING,
                reason=_reason_not_to(reporter),
            )
            for reporter in reporters
        ],
        ignore_conflicts=True,
    )
    pending = list(fix.notices.filter(state=STATE.PENDING))
    for notice in pending:
        ring(tasks.deliver_notice, notice_id=notice.pk)
    return pending


def _reason_not_to(reporter) -> str:
    """Why this person is not told; empty when they are."""
    if reporter.erased_at:
        return "erased"
    if reporter.unsubscribed_at:
        return "unsubscribed"
    if not reporter.has_consent:
        return "no consent"
    if not reporter.email:
        return "no address"
    return ""


# --- sending --------------------------------------------------------------------------------------


def deliver_notice(*, notice_id: int) -> Notice | None:
    """Send one due notice, if nobody else is at it; answers it, or None."""
    lease = timezone.now() + LEASE
    taken = Notice.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=timezone.now()),
        pk=notice_id,
        state=STATE.PENDING,
        due_at__lte=timezone.now(),
    ).update(lease_until=lease, attempts=F("attempts") + 1)
    if not taken:
        return None
    notice = Notice.objects.select_related("fix__project", "reporter").get(pk=notice_id)
    reason = _reason_not_to(notice.reporter)
    if not reason and notice.fix.state == Fix.State.REVERTED:
        reason = "reverted"
    if reason:
        return _become(notice, lease, STATE.SUPPRESSED, reason=reason)
    message = compose(notice)
    try:
        CHANNELS[notice.channel].deliver(
            message, on_handover=lambda: _hand_over(notice, lease, message)
        )
    except _NotOurs:
        return None
    except OutboundError as error:
        return _write_failure(notice, lease, error)
    return _become(notice, lease, STATE.SENT, sent_at=timezone.now(), failure="")


class _NotOurs(Exception):
    """The lease ended, or the person was erased, in the moment before the message was handed over."""


def _hand_over(notice, lease, message):
    """pending → sending, the last thing before the mail server gets it: from here on it may have been sent."""
    with transaction.atomic():
        reporter = Reporter.objects.select_for_update().get(pk=notice.reporter_id)
        is_ours = not _reason_not_to(reporter) and Notice.objects.filter(
            pk=notice.pk, state=STATE.PENDING, lease_until=lease
        ).update(state=STATE.SENDING, subject=message.subject[:200], body=message.body)
        if not is_ours:
            raise _NotOurs


def _become(notice, lease, state, **fields):
    Notice.objects.filter(pk=notice.pk, lease_until=lease).update(
        state=state, lease_until=None, **fields
    )
    notice.refresh_from_db()
    return notice


def _write_failure(notice, lease, error):
    notice.refresh_from_db()
    failure = str(error)[:300]
    if error.outcome is Outcome.UNKNOWN:
        return _become(notice, lease, STATE.UNCERTAIN, failure=failure)
    is_given_up = timezone.now() - notice.created_at > GIVE_UP_AFTER
    if error.outcome is Outcome.REFUSED_FOR_GOOD or is_given_up:
        return _become(notice, lease, STATE.FAILED, failure=failure)
    pause = min(timedelta(seconds=2 ** min(notice.attempts, 12)), LONGEST_PAUSE)
    return _become(notice, lease, STATE.PENDING, failure=failure, due_at=timezone.now() + pause)


def take_back_abandoned() -> int:
    """Notices whose worker died: handed over means uncertain, else they are due again."""
    now = timezone.now()
    return Notice.objects.filter(state=STATE.SENDING, lease_until__lt=now).update(
        state=STATE.UNCERTAIN,
        lease_until=None,
        failure="The worker died while sending; it may have been sent.",
    )


def due_notices(limit: int = 200) -> list[int]:
    now = timezone.now()
    return list(
        Notice.objects.filter(
            Q(lease_until=None) | Q(lease_until__lt=now), state=STATE.PENDING, due_at__lte=now
        )
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )


# --- by hand --------------------------------------------------------------------------------------


def retry_notice(*, notice) -> Notice:
    """A person sends a failed notice again, or decides that an uncertain one did not arrive."""
    from triage import tasks

    moved = Notice.objects.filter(
        pk=notice.pk, state__in=[STATE.FAILED, STATE.UNCERTAIN, STATE.HELD]
    ).update(state=STATE.PENDING, due_at=timezone.now(), failure="", lease_until=None)
    if not moved:
        raise NoticeRefused(_("Only a failed, held or uncertain notice can be sent again."))
    ring(tasks.deliver_notice, notice_id=notice.pk)
    notice.refresh_from_db()
    return notice


def mark_sent(*, notice) -> Notice:
    """A person found out that an uncertain notice did arrive."""
    moved = Notice.objects.filter(pk=notice.pk, state=STATE.UNCERTAIN).update(
        state=STATE.SENT, sent_at=timezone.now()
    )
    if not moved:
        raise NoticeRefused(_("Only an uncertain notice can be marked as sent."))
    notice.refresh_from_db()
    return notice


def hold_notice(*, notice) -> Notice:
    """Keep a notice back that is not sent yet."""
    moved = Notice.objects.filter(pk=notice.pk, state=STATE.PENDING, lease_until=None).update(
        state=STATE.HELD, reason="held by a lead"
    )
    if not moved:
        raise NoticeRefused(_("It is not waiting any more."))
    notice.refresh_from_db()
    return notice


def suppress_all(*, fix=None, reporter=None, reason: str) -> int:
    """What was not sent is not to be sent."""
    rows = Notice.objects.filter(state__in=[STATE.PENDING, STATE.HELD, STATE.FAILED])
    if fix is not None:
        rows = rows.filter(fix=fix)
    if reporter is not None:
        rows = rows.filter(reporter=reporter)
    return rows.update(state=STATE.SUPPRESSED, reason=reason, lease_until=None)


# --- the words ------------------------------------------------------------------------------------


def compose(notice) -> EmailMultiAlternatives:
    """The mail of a notice, in the reporter's language where there is one. Plain text: no pixel, nothing to load."""
    reporter, fix = notice.reporter, notice.fix
    token = reporter_link.token_for(notice)
    page = settings.BASE_URL + reverse("reporter_page", args=[token])
    unsubscribe = settings.BASE_URL + reverse("reporter_unsubscribe", args=[token])
    with translation.override(_language(reporter.locale)):
        complaints = (
            complaints_about(fix.problems.all())
            .filter(reporter=reporter)
            .order_by("occurred_at", "id")
        )
        context = {
            "project": fix.project,
            "fix": fix,
            "complaints": complaints[:10],
            "page": page,
            "unsubscribe": unsubscribe,
        }
        subject = render_to_string("triage/mail/fix_subject.txt", context)
        body = render_to_string("triage/mail/fix.txt", context)
    return EmailMultiAlternatives(
        subject=" ".join(subject.split())[:150],
        body=body,
        to=[reporter.email],
        headers={
            "Message-ID": f"<{notice.public_id}@{_mail_domain()}>",  # the same on every try
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )


def _language(locale: str) -> str:
    known = {code for code, _name in settings.LANGUAGES}
    for code in (locale.lower(), locale.lower().partition("-")[0]):
        if code in known:
            return code
    return settings.LANGUAGE_CODE


def _mail_domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
