"""What a webhook of Jira says.

It is signed without a time: its age proves nothing, its identifier is what tells a replay.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from triage.trackers import rendering
from triage.trackers.base import EventKind, TicketState, TrackerEvent
from triage.trackers.deliveries import delivery_id, header, read_payload
from triage.trackers.jira_calls import ISSUE_ID, account_of
from triage.trackers.markers import markers_in
from triage.trackers.reading import dig, earliest, list_at, text_at, time_at

_EVENTS = {
    "jira:issue_created": EventKind.CREATED,
    "jira:issue_updated": EventKind.UPDATED,
    "jira:issue_deleted": EventKind.DELETED,
    "comment_created": EventKind.COMMENTED,
    "comment_updated": EventKind.COMMENTED,
    "comment_deleted": EventKind.COMMENTED,
}


def event_of(
    raw_body: bytes,
    headers: Mapping[str, str],
    *,
    state_of: Callable[[Any, Any], TicketState],
) -> TrackerEvent | None:
    """The event in our words; None where it is about nothing we follow. `state_of` takes a status and a resolution."""
    payload = read_payload(raw_body)
    kind = _EVENTS.get(text_at(payload, "webhookEvent"))
    issue, comment = dig(payload, "issue"), dig(payload, "comment")
    remote_id = text_at(issue, "id") or _issue_of_comment(comment)
    if kind is None or not ISSUE_ID.fullmatch(remote_id):
        return None
    person = dig(comment, "author") if kind is EventKind.COMMENTED else dig(payload, "user")
    status = dig(issue, "fields", "status")
    state = state_of(status, dig(issue, "fields", "resolution")) if status else None
    times = (time_at(payload, "timestamp"), time_at(issue, "fields", "updated"))
    said = text_at(comment, "body", limit=10_000) if kind is EventKind.COMMENTED else ""
    return TrackerEvent(
        delivery_id=delivery_id(header(headers, "X-Atlassian-Webhook-Identifier"), raw_body),
        kind=kind,
        remote_id=remote_id,
        key=rendering.one_line(text_at(issue, "key"), 60),
        status_name=rendering.one_line(text_at(status, "name"), 100),
        state=TicketState.DELETED if kind is EventKind.DELETED else state,
        updated_at=earliest(*times),
        actor_id=rendering.one_line(account_of(person), 128),
        actor_name=rendering.one_line(text_at(person, "displayName"), 100),
        comment=rendering.clean(said),
        markers=markers_in(list_at(issue, "fields", "labels")),
    )


def _issue_of_comment(comment: Any) -> str:
    """Whether comment events carry their issue is not promised; the comment's own URL names it."""
    match = re.search(r"/issue/([0-9]{1,19})/comment/", text_at(comment, "self", limit=500))
    return match[1] if match else ""
