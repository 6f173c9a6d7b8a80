"""Telling the people who reported a problem that it is fixed: one notice per reporter and fix, at most once.

Who is told, when, and by which way. What it says stands in `notice_words`, how it is handed over in `notice_delivery`.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from feedbackhub.capture.erasure import person_hash
from feedbackhub.capture.models import FeedbackEvent, Reporter
from feedbackhub.doorbell import ring
from triage import fixing
from triage.complaints import is_complaint
from triage.models import (
    Fix,
    FixedProblem,
    Notice,
    NoticePolicy,
    Problem,
    ProblemMember,
    Undeliverable,
)

STATE = Notice.State
LOOKED_AT_EVERY = 600  # seconds
LATE_UNTIL = timedelta(days=28)  # after a fix shipped

CAME_BACK = "its problem came back"
CAME_BACK_HELD = "its problem came back while it was held"
TOLD_ALREADY = "told under another reference"
HELD_FIRST = "until a lead releases it"


class NoticeRefused(ValueError):
    """What a notice's state does not allow; the sentence says why."""


def complaints_about(problems, *, until=None):
    """The feedback events with which people reported these problems; `until`: about answers of before that moment."""
    members = ProblemMember.objects.filter(problem__in=problems, left_at=None)
    return _complaints_in(members, until)


def complaints_solved_by(fix):
    """What people reported that the fix is about. An answer that failed after it shipped is none of its successes."""
    return _complaints_in(fixing.cases_of(fix), fix.shipped_at)


def _complaints_in(members, until):
    found = FeedbackEvent.objects.filter(
        is_complaint(), interaction__in=members.values("interaction"), erased_at=None
    )
    return found.filter(interaction__occurred_at__lte=until) if until else found


def policy_of(project) -> NoticePolicy:
    """How this project tells its reporters; the defaults where nobody has chosen."""
    return NoticePolicy.objects.filter(project=project).first() or NoticePolicy(project=project)


def is_time_to_tell(*, fix) -> bool:
    """It is out (or verified, where the project chose so), and nothing speaks against it."""
    came_back = Q(duplicate_of__state=Problem.State.REGRESSED) | Q(
        duplicate_of__state__in=Problem.UNSOLVED_STATES,
        duplicate_of__fixes__state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED],
    )
    is_open = Q(state__in=Problem.UNSOLVED_STATES)
    if fix.recurred_at or fix.problems.filter(is_open | came_back).exists():
        return False
    if fix.state == Fix.State.SHIPPED:
        return policy_of(fix.project).when == NoticePolicy.When.AT_ONCE
    return fix.state == Fix.State.VERIFIED


def prepare_late(*, now=None) -> int:
    """Reports of before a fix that were placed, or came in, only after its notices were made: they are told as well."""
    now = now or timezone.now()
    if not cache.add(
        f"late-notices-{int(now.timestamp()) // LOOKED_AT_EVERY}", True, LOOKED_AT_EVERY
    ):
        return 0
    recent = Fix.objects.filter(
        state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED],
        recurred_at=None,
        shipped_at__gt=now - LATE_UNTIL,
        created_at__lt=now - timedelta(minutes=1),  # its own news comes first
    )
    return sum(
        prepare_notices(fix=fix)
        for fix in recent.select_related("project").order_by("id")
        if is_time_to_tell(fix=fix)
    )


def prepare_notices(*, fix) -> int:
    """One notice for each person who reported what this fix solves; safe to repeat. Answers how many it made."""
    from triage import tasks

    policy = policy_of(fix.project)
    reporters = list(
        Reporter.objects.filter(
            pk__in=complaints_solved_by(fix).exclude(reporter=None).values("reporter")
        )
        .exclude(pk__in=fix.notices.values("reporter"))
        .select_related("project")
        .order_by("id")
    )
    told = _addresses_told(fix) if reporters else set()
    made = [_notice(fix, reporter, policy, told) for reporter in reporters]
    Notice.objects.bulk_create(made, ignore_conflicts=True, batch_size=1_000)
    if fix.notices.filter(state=STATE.PENDING).exists():
        ring(tasks.deliver_notices)
    return len(made)


def _addresses_told(fix) -> set[str]:
    mails = fix.notices.filter(channel="email").exclude(state=STATE.SUPPRESSED)
    return {address.lower() for address in mails.values_list("reporter__email", flat=True)}


def _notice(fix, reporter, policy, told: set[str]) -> Notice:
    """For one reporter; `told` are the addresses that hear of this fix already, under another reference."""
    channel = channel_for(reporter, policy)
    reason = reason_not_to(reporter, channel)
    if channel == "email" and not reason:
        if reporter.email.lower() in told:
            reason = TOLD_ALREADY
        told.add(reporter.email.lower())
    notice = Notice(
        project_id=fix.project_id, fix=fix, reporter=reporter, channel=channel or "email"
    )
    if reason:
        notice.state, notice.reason = STATE.SUPPRESSED, reason
    elif policy.is_held_first:
        notice.state, notice.reason = STATE.HELD, HELD_FIRST
    return notice


def channel_for(reporter, policy) -> str:
    """The way to this person: their mail address, else a webhook (their own or the product's); empty for none."""
    if reporter.email:
        return "email"
    has_hook = policy.webhook_secrets and not policy.webhook_disabled
    if has_hook and (reporter.callback_url or policy.webhook_url):
        return "webhook"
    return ""


def reason_not_to(reporter, channel) -> str:
    """Why this person is not told; empty when they are."""
    if reporter.erased_at:
        return "erased"
    if reporter.unsubscribed_at or _is_unsubscribed(reporter.project_id, reporter.email):
        return "unsubscribed"
    if not reporter.has_consent:
        return "no consent"
    if not channel or (channel == "email" and not reporter.email):
        return "no address"
    if channel == "email":
        return _why_undeliverable(reporter)
    return ""


def _is_unsubscribed(project_id, address) -> bool:
    """Its owner wants no more mail, and may have said so under another reference."""
    said = Reporter.objects.filter(project=project_id, unsubscribed_at__isnull=False)
    return address != "" and said.filter(email__iexact=address).exists()


def _why_undeliverable(reporter) -> str:
    """Under whatever reference it was found out."""
    known = Undeliverable.objects.filter(
        project=reporter.project_id, address_hash=address_hash(reporter)
    ).first()
    if known is None:
        return ""
    return "their address bounced" if known.why == "bounced" else "marked as spam"


def people_to_tell(*, project, complaints) -> int:
    """How many of those who complained would get a notice, counted by the database: an address once, whatever its references."""
    policy = policy_of(project)
    reporters = Reporter.objects.filter(
        pk__in=complaints.order_by().values("reporter"),
        has_consent=True,
        unsubscribed_at=None,
        erased_at=None,
    )
    by_hook = Q(pk__in=[])
    if policy.webhook_secrets and not policy.webhook_disabled:
        by_hook = Q(email="") if policy.webhook_url else Q(email="") & ~Q(callback_url="")
    same_address = {"project": project, "email__iexact": OuterRef("email")}
    unsubscribed = Reporter.objects.filter(unsubscribed_at__isnull=False, **same_address)
    by_mail = ~Q(email="") & ~Exists(unsubscribed)
    hashes = set(
        Undeliverable.objects.filter(project=project).values_list("address_hash", flat=True)
    )
    bounced = Reporter.objects.filter(undeliverable__isnull=False, **same_address)
    addresses = reporters.filter(by_mail).values(address=Lower("email")).distinct().count()
    dead = {
        reporter.email.lower()
        for reporter in reporters.filter(by_mail, Exists(bounced)).select_related("project")
        if address_hash(reporter) in hashes
    }
    return addresses - len(dead) + reporters.filter(by_hook).count()


def address_hash(reporter) -> str:
    """The reporter's present address under the project's key: to know it again, not to read it."""
    return person_hash(project=reporter.project, reference=reporter.email.lower())


# --- by hand --------------------------------------------------------------------------------------


def retry_notice(*, notice) -> Notice:
    """A person sends a failed notice again, or decides that an uncertain one did not arrive."""
    from triage import tasks

    moved = Notice.objects.filter(
        pk=notice.pk, state__in=[STATE.FAILED, STATE.UNCERTAIN, STATE.HELD]
    ).update(state=STATE.PENDING, lease_until=None, **_tried_anew())
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


def release_all(*, fix) -> int:
    """Every held notice of a fix is due now."""
    from triage import tasks

    ring(tasks.deliver_notices)
    return fix.notices.filter(state=STATE.HELD).update(
        state=STATE.PENDING, reason="", **_tried_anew()
    )


def _tried_anew() -> dict:
    """Due now, and given up no sooner than if it had never been tried."""
    return {"due_at": timezone.now(), "failure": "", "attempts": 0, "first_tried_at": None}


def hold_all(*, fix) -> int:
    """Every notice of a fix that is not on its way yet waits for a lead."""
    return fix.notices.filter(state=STATE.PENDING, lease_until=None).update(
        state=STATE.HELD, reason="held by a lead"
    )


@transaction.atomic
def note_undeliverable(*, notice, why: str) -> None:
    """A mail came back, or was marked as spam: nobody writes to that address again; safe to repeat.

    Who marks it as spam has unsubscribed by that.
    """
    in_that_mail = Q(pk=notice.pk)
    if notice.body:
        in_that_mail |= Q(reporter=notice.reporter_id, channel=notice.channel, body=notice.body)
    Notice.objects.filter(in_that_mail, state__in=[STATE.SENT, STATE.UNCERTAIN]).update(
        state=STATE.BOUNCED, reason=str(Undeliverable.Why(why).label)
    )
    reporter = notice.reporter
    if reporter.erased_at or not reporter.email:
        return
    for each in behind_one_address(reporter):
        Undeliverable.objects.update_or_create(
            project_id=notice.project_id,
            reporter=each,
            defaults={"address_hash": address_hash(each), "why": why},
        )
    if why == Undeliverable.Why.COMPLAINED:
        unsubscribe(reporter=reporter, reason="marked as spam")


@transaction.atomic
def unsubscribe(*, reporter: Reporter, reason="unsubscribed") -> None:
    """No more messages to this address, under whatever reference its owner complained; safe to repeat."""
    for each in behind_one_address(reporter):
        Reporter.objects.filter(pk=each.pk, unsubscribed_at=None).update(
            unsubscribed_at=timezone.now(), has_consent=False
        )
        suppress_all(reporter=each, reason=reason)


def behind_one_address(reporter) -> list[Reporter]:
    """The reporter, and the project's others with the same mail address."""
    its_own = Q(pk=reporter.pk)
    if reporter.email:
        its_own |= Q(project=reporter.project_id, email__iexact=reporter.email, erased_at=None)
    return list(Reporter.objects.filter(its_own).select_related("project"))


def suppress_came_back(*, problem, before) -> int:
    """The problem is open again: nobody is told any more that an earlier fix repaired it."""
    those = {"fix__in": _fixes_about(problem), "created_at__lte": before}
    held = suppress_all(reason=CAME_BACK_HELD, state=STATE.HELD, **those)
    return held + suppress_all(reason=CAME_BACK, **those)


@transaction.atomic
def tell_after_all(*, problem) -> int:
    """The problem is solved again, and by no new fix: who was not told because it was open is told of the old one."""
    from triage import tasks

    held = due = 0
    its_own = _fixes_about(problem).filter(problems=problem)
    for fix in _fixes_about(problem):
        newer = Q(pk__gt=fix.pk) | Q(shipped_at__gt=fix.shipped_at)
        if its_own.filter(newer).exists() or not is_time_to_tell(fix=fix):
            continue
        kept_back = fix.notices.filter(state=STATE.SUPPRESSED)
        held += kept_back.filter(reason=CAME_BACK_HELD).update(state=STATE.HELD, reason=HELD_FIRST)
        again = kept_back.filter(reason=CAME_BACK)
        if policy_of(fix.project).is_held_first:
            held += again.update(state=STATE.HELD, reason=HELD_FIRST)
        else:
            due += again.update(state=STATE.PENDING, reason="", **_tried_anew())
    if due:
        ring(tasks.deliver_notices)
    return held + due


def _fixes_about(problem):
    """Those that are out, of this problem or of what was merged into it."""
    named = FixedProblem.objects.filter(Q(problem=problem) | Q(problem__duplicate_of=problem))
    return Fix.objects.filter(
        pk__in=named.values("fix"), state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED]
    )


def suppress_all(*, fix=None, reporter=None, reason: str, **those) -> int:
    """What was not sent is not to be sent."""
    rows = Notice.objects.filter(state__in=[STATE.PENDING, STATE.HELD, STATE.FAILED], **those)
    if fix is not None:
        rows = rows.filter(fix=fix)
    if reporter is not None:
        rows = rows.filter(reporter=reporter)
    return rows.update(state=STATE.SUPPRESSED, reason=reason, lease_until=None)
