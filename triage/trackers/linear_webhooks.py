"""What a webhook of Linear says, and how old it may be: its time counts only where it stands in the signed body."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from triage.trackers import rendering
from triage.trackers.base import EventKind, TicketState, TrackerEvent, WebhookRefused
from triage.trackers.deliveries import delivery_id, header, read_payload
from triage.trackers.linear_calls import UUID
from triage.trackers.reading import dig, earliest, text_at, time_at

_LONGEST_AGE = 60  # seconds, either way
_EVENTS = {
    ("Issue", "create"): EventKind.CREATED,
    ("Issue", "update"): EventKind.UPDATED,
    ("Issue", "remove"): EventKind.DELETED,
    ("Comment", "create"): EventKind.COMMENTED,
    ("Comment", "update"): EventKind.COMMENTED,
    ("Comment", "remove"): EventKind.COMMENTED,
}


def demand_this_minute(raw_body: bytes, now: datetime | None) -> None:
    """WebhookRefused unless the time in the body is within a minute of ours."""
    signed_at = dig(read_payload(raw_body), "webhookTimestamp")
    if not isinstance(signed_at, int | float):
        raise WebhookRefused("the signed body holds no webhookTimestamp")
    age = (now or datetime.now(UTC)).timestamp() - signed_at / 1000
    if not abs(age) <= _LONGEST_AGE:  # also false for NaN
        raise WebhookRefused("the signed webhookTimestamp is not of this minute")


def event_of(
    raw_body: bytes, headers: Mapping[str, str], *, state_of: Callable[[Any], TicketState]
) -> TrackerEvent | None:
    """The event in our words; None where it is about nothing we follow. `state_of` takes an issue."""
    payload = read_payload(raw_body)
    subject, action = text_at(payload, "type"), text_at(payload, "action")
    kind = _EVENTS.get((subject, action))
    data = dig(payload, "data")
    of_issue = subject == "Issue"
    remote_id = text_at(data, "id" if of_issue else "issueId").lower()
    if kind is None or not UUID.fullmatch(remote_id):
        return None
    state = state_of(data) if of_issue and dig(data, "state") else None
    if kind is EventKind.DELETED or (of_issue and dig(data, "trashed") is True):
        state = TicketState.DELETED
    key = ("identifier",) if of_issue else ("issue", "identifier")
    said = "" if of_issue else text_at(data, "body", limit=10_000)
    return TrackerEvent(
        delivery_id=delivery_id(header(headers, "Linear-Delivery"), raw_body),
        kind=kind,
        remote_id=remote_id,
        key=rendering.one_line(text_at(data, *key), 60),
        status_name=rendering.one_line(text_at(data, "state", "name"), 100),
        state=state,
        updated_at=earliest(time_at(data, "updatedAt"), time_at(payload, "createdAt")),
        actor_id=rendering.one_line(text_at(payload, "actor", "id"), 128),
        actor_name=rendering.one_line(text_at(payload, "actor", "name"), 100),
        comment=rendering.clean(said),
        markers=(remote_id,) if uuid.UUID(remote_id).version == 4 else (),
    )
