"""A signed call to the product (Standard Webhooks 1.0): it tells the person in its own way.

At least once, under an id that stays the same on every try; the receiver counts it once. The body is thin: ids that the
product itself gave, what changed, and the page's link. No words of anybody go along. It stays under 20 kB, as the standard
asks: what finds no room among the reports is counted, and the page shows it.
"""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError, Outcome
from triage import credentials, reporter_link
from triage.models import Notice, NoticePolicy

MAY_BE_REPEATED = True
GOES_TOGETHER = False  # the id is one notice's: the receiver must not drop another with it
SUBJECT = "problem.fixed"
TRIED_IN_VAIN = timedelta(hours=72)
_REPORTS = 50
_BYTES = 20_000


@dataclass(frozen=True)
class Call:
    """One event for one address; `body` is what is signed, byte for byte."""

    url: str
    message_id: str
    keys: tuple[str, ...]
    body: str
    policy_id: int
    is_own: bool  # the product's one endpoint, not a reporter's own
    subject: str = SUBJECT


def compose(rows) -> Call:
    from triage.notices import complaints_solved_by

    (first,) = rows
    policy = NoticePolicy.objects.filter(project=first.project_id).first()
    try:
        keys = tuple(keys_of(policy)) if policy else ()
    except credentials.CredentialsLost as lost:  # the old key may come back
        raise OutboundError(str(lost), Outcome.REFUSED_TRY_LATER) from None
    own = first.reporter.callback_url
    url = own or (policy.webhook_url if policy else "")
    if not url or not keys or (policy.webhook_disabled and not own):
        raise OutboundError("The product has no webhook to call.", Outcome.REFUSED_FOR_GOOD)
    complaints = complaints_solved_by(first.fix).filter(reporter=first.reporter).distinct()
    reports = [
        {
            "id": event.external_id or str(event.public_id),
            "interaction_id": event.interaction_external_id,
        }
        for event in complaints.order_by("id")[:_REPORTS]
    ]
    body = {
        "type": SUBJECT,
        "timestamp": first.created_at.isoformat(),
        "data": {
            "fixes": [{"id": str(first.fix.public_id), "what_changed": first.fix.summary[:2_000]}],
            "reports": reports,
            "reports_left_out": complaints.count() - len(reports),
            "page": reporter_link.page_of(first),
        },
    }
    return Call(
        url=url,
        message_id=f"msg_{first.public_id.hex}",
        keys=keys,
        body=_within_the_limit(body),
        policy_id=policy.pk,
        is_own=not own,
    )


def deliver(call: Call, *, on_handover: Callable[[], None]) -> None:
    """Raises OutboundError. 410 ends the calls to the product's endpoint until somebody enters it anew."""
    now = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": call.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(key).sign(call.message_id, now, call.body) for key in call.keys
        ),
    }
    on_handover()
    try:
        outbound.request(
            "POST",
            call.url,
            expects_write=False,  # it may be repeated: the id tells
            headers=headers,
            content=call.body.encode(),
            service="The product's webhook",
        )
    except OutboundError as error:
        if error.status == 410 and call.is_own:
            _disable(call.policy_id, "The product answered 410: it takes no more webhooks here.")
        is_final = error.status is None and error.outcome is Outcome.REFUSED_FOR_GOOD
        raise OutboundError(
            error.message,
            Outcome.REFUSED_FOR_GOOD
            if is_final or error.status == 410
            else Outcome.REFUSED_TRY_LATER,
            retry_after=error.retry_after,
            status=error.status,
        ) from None


def _within_the_limit(body) -> str:
    """As JSON; the last reports are left out, and counted, until it fits."""
    data = body["data"]
    while True:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) < _BYTES or not data["reports"]:
            return text
        data["reports"].pop()
        data["reports_left_out"] += 1


def keys_of(policy) -> list[str]:
    """The secrets that sign, the newest first; two while one is being exchanged."""
    return credentials.unseal(policy.webhook_secrets).get("keys", [])


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def rotate_secret(policy) -> str:
    """A new secret, shown once; the last one signs beside it until the next change, if it can be opened still."""
    secret = new_secret()
    try:
        last = keys_of(policy)[:1]
    except credentials.CredentialsLost:
        last = []
    policy.webhook_secrets = credentials.seal({"keys": [secret, *last]})
    policy.save()
    return secret


def note_given_up(notice) -> None:
    """The product's endpoint took nothing for 72 hours: it is not called any more, and the owners are told."""
    if notice.reporter.callback_url:
        return
    lately = timezone.now() - TRIED_IN_VAIN
    took_any = Notice.objects.filter(
        project=notice.project_id, channel="webhook", reporter__callback_url="", sent_at__gt=lately
    ).exists()
    policy = NoticePolicy.objects.filter(project=notice.project_id).first()
    if policy and not took_any:
        _disable(policy.pk, "It took no call for 72 hours.")


@transaction.atomic
def _disable(policy_id, why):
    from triage import letters

    if NoticePolicy.objects.filter(pk=policy_id, webhook_disabled="").update(webhook_disabled=why):
        policy = NoticePolicy.objects.select_related("project").get(pk=policy_id)
        letters.webhook_disabled(policy=policy)
