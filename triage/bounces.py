"""Mail that came back, and mail that somebody marked as spam: nobody writes to that address again.

Two ways in. A mail service's webhook, by django-anymail where it is installed (it checks their signatures); and, where
mail goes by SMTP, the report itself: the mail server pipes it into `manage.py take_bounce`.
"""

import email
import re
import uuid

from triage import notices
from triage.models import Notice, Undeliverable

BOUNCED, COMPLAINED = Undeliverable.Why.BOUNCED, Undeliverable.Why.COMPLAINED
# anymail's words for what happened, in ours; a deferral is not the end.
_EVENTS = {"bounced": BOUNCED, "rejected": BOUNCED, "complained": COMPLAINED}
UNSUBSCRIBED = "unsubscribed"  # by the service's own link
_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^>\s]+>")


def take_event(*, event_type: str, metadata: dict) -> Notice | None:
    """What a mail service tells of one message; answers the notice that it is about."""
    if event_type not in (*_EVENTS, UNSUBSCRIBED):
        return None
    notice = _find(metadata.get("notice", ""))
    if notice and event_type == UNSUBSCRIBED:
        notices.unsubscribe(reporter=notice.reporter)
    elif notice:
        notices.note_undeliverable(notice=notice, why=_EVENTS[event_type])
    return notice


def take_report(raw: bytes) -> Notice | None:
    """A delivery report (RFC 3464) or a complaint (RFC 5965) as it came by mail; None when it is not about us."""
    message = email.message_from_bytes(raw)  # headers as they came: reading broken ones can raise
    parts = list(message.walk())
    kinds = {part.get_content_type() for part in parts}
    if "message/feedback-report" in kinds:
        why = COMPLAINED
    elif any(_has_failed(part) for part in parts):
        why = BOUNCED
    else:
        return None
    named = (_MESSAGE_ID.search(_message_id(part)) for part in parts[1:])
    notice = next(filter(None, (_find(found[1]) for found in named if found)), None)
    if notice:
        notices.note_undeliverable(notice=notice, why=why)
    return notice


def _has_failed(part) -> bool:
    """A block about one recipient that says: failed, for good."""
    return (
        str(part.get("Action", "")).strip().lower() == "failed"
        and str(part.get("Status", "5")).strip()[:1] == "5"
    )


def _message_id(part) -> str:
    """Of the message that came back: whole, or only its headers."""
    if part.get_content_type() == "text/rfc822-headers":
        part = email.message_from_bytes(part.get_payload(decode=True) or b"")
    return str(part.get("Message-ID", ""))


def _find(public_id) -> Notice | None:
    try:
        wanted = uuid.UUID(str(public_id))
    except ValueError:
        return None
    return Notice.objects.select_related("reporter__project").filter(public_id=wanted).first()


def listen_to_anymail() -> None:
    """Hear what anymail's webhooks tell, where it is installed."""
    try:
        from anymail.signals import tracking
    except ImportError:
        return
    tracking.connect(_on_tracking, dispatch_uid="triage.bounces")


def _on_tracking(sender, event, **_unused):
    take_event(event_type=event.event_type, metadata=event.metadata or {})
