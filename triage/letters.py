"""What FeedbackHub tells the project's own people by mail: rows first, each once, numbers and a link and nobody's words.

`write` in the transaction that made it true; a task sends it, and the sweep finds what a lost message left behind.
"""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import LEAD, OWNER
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.outbound import OutboundError, Outcome
from triage.channels import email
from triage.links import problem_url
from triage.models import Escalation, Letter, rules_of
from triage.quiet_hours import not_before

LEASE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=72)
STATE = Letter.State


def write(*, project, users, kind, key, subject, body, quiet_unless=None) -> None:
    """A letter to each of `users`, once for this kind and key; at once, or, given `quiet_unless` (how severe it is, or ""),
    not within the project's quiet hours unless that is critical.
    """
    from triage import tasks

    due_at = timezone.now()
    if quiet_unless is not None:
        due_at = not_before(due_at, severity=quiet_unless, rules=rules_of(project.pk))
    Letter.objects.bulk_create(
        [
            Letter(
                project=project,
                user=user,
                kind=kind,
                key=key[:100],
                subject=f"{project.name}: {subject}"[:200],
                body=body,
                due_at=due_at,
            )
            for user in users
        ],
        ignore_conflicts=True,
    )
    tasks.ring(tasks.send_letters)


def people_with(project, role) -> list:
    return [
        membership.user
        for membership in Membership.objects.filter(
            project=project, roles__contains=[role], user__is_active=True
        ).select_related("user")
    ]


# --- the occasions --------------------------------------------------------------------------------


def connection_paused(*, connection) -> None:
    """Its credentials fail: the owners are told, once for each pause."""
    where = settings.BASE_URL + reverse(
        "connection", args=[connection.project.slug, connection.public_id]
    )
    waiting = Escalation.objects.open().filter(connection=connection)
    write(
        project=connection.project,
        users=people_with(connection.project, OWNER),
        quiet_unless=max(
            waiting.values_list("problem__severity", flat=True),
            key=lambda one: Severity(one).rank,
            default="",
        ),
        kind="connection_paused",
        key=f"{connection.pk} {timezone.now():%Y-%m-%dT%H:%M:%S}",
        subject=_("%s is paused") % connection.name,
        body="\n\n".join(
            [
                _("%s is paused, since its tracker refuses what we send:") % connection.name,
                connection.paused_reason,
                _("What is to be filed there waits, and nothing is lost. Enter what it needs:"),
                where,
            ]
        ),
    )


def webhook_disabled(*, policy) -> None:
    write(
        project=policy.project,
        users=people_with(policy.project, OWNER),
        quiet_unless="",
        kind="webhook_disabled",
        key=f"{timezone.now():%Y-%m-%dT%H:%M:%S}",
        subject=_("the product's webhook is switched off"),
        body="\n\n".join(
            [
                policy.webhook_disabled,
                _("Reporters without a mail address are not told any more. Enter it anew:"),
                settings.BASE_URL + reverse("settings_reporters", args=[policy.project.slug]),
            ]
        ),
    )


def still_wrong(*, said) -> None:
    """A reporter says that it is still wrong: the problem's owner and every lead hear of it at once."""
    problem = said.problem
    people = {each.pk: each for each in people_with(problem.project, LEAD)}
    if problem.owner:
        people[problem.owner_id] = problem.owner
    write(
        project=problem.project,
        users=people.values() or people_with(problem.project, OWNER),
        kind="still_wrong",
        key=f"{said.pk}-{said.feedback_id}",
        subject=_("P%d is still wrong, a reporter says") % problem.number,
        body="\n\n".join(
            [
                _("After the fix a reporter says that P%d is still wrong. It is open again.")
                % problem.number,
                problem_url(problem),
            ]
        ),
    )


# --- sending --------------------------------------------------------------------------------------


def due_letters(limit: int = 200) -> list[int]:
    return list(_free().order_by("due_at").values_list("pk", flat=True)[:limit])


def send_letter(*, letter_id: int) -> None:
    """Send one due letter, if nobody else is at it; who has left the project gets none."""
    lease = timezone.now() + LEASE
    if not _free().filter(pk=letter_id).update(lease_until=lease, attempts=F("attempts") + 1):
        return
    ours = Letter.objects.filter(pk=letter_id, lease_until=lease)
    letter = ours.select_related("user").get()
    if not _is_here(letter):
        ours.update(state=STATE.DROPPED, lease_until=None)
        return
    message = EmailMessage(
        subject=letter.subject,
        body=letter.body,
        to=[letter.user.email],
        headers={"Auto-Submitted": "auto-generated"},
    )

    def hand_over():
        if not ours.filter(state=STATE.PENDING).update(state=STATE.SENDING):
            raise _NotOurs

    try:
        email.deliver(message, on_handover=hand_over)
    except _NotOurs:
        return
    except OutboundError as error:
        _write_failure(letter, ours, error)
    else:
        ours.update(state=STATE.SENT, lease_until=None, sent_at=timezone.now(), failure="")


def take_back_abandoned() -> int:
    """Handed over by a worker that died: uncertain, and not sent again."""
    return Letter.objects.filter(state=STATE.SENDING, lease_until__lt=timezone.now()).update(
        state=STATE.UNCERTAIN, lease_until=None, failure="The worker died while sending."
    )


class _NotOurs(Exception):
    """The lease ended in the moment before the letter was handed over."""


def _free():
    now = timezone.now()
    return Letter.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), state=STATE.PENDING, due_at__lte=now
    )


def _is_here(letter) -> bool:
    return (
        letter.user.is_active
        and Membership.objects.filter(project=letter.project_id, user=letter.user_id).exists()
    )


def _write_failure(letter, ours, error):
    now, failure = timezone.now(), str(error)[:300]
    if error.outcome is Outcome.UNKNOWN:
        ours.update(state=STATE.UNCERTAIN, lease_until=None, failure=failure)
    elif error.outcome is Outcome.REFUSED_FOR_GOOD or now - letter.created_at > GIVE_UP_AFTER:
        ours.update(state=STATE.FAILED, lease_until=None, failure=failure)
    else:
        pause = min(timedelta(seconds=2 ** min(letter.attempts, 12)), LONGEST_PAUSE)
        ours.update(state=STATE.PENDING, lease_until=None, failure=failure, due_at=now + pause)
