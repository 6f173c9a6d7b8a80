"""Linear, GraphQL.

Sources: Linear's schema and its own SDK. What is surprising in it:

- The id of an issue or a comment may be chosen by the caller (a UUID version 4). A second insert
  with the same id is refused with a conflict: not a repeat of the first answer, but proof that it
  was made. So a lost answer is settled by reading that id, and a create may simply be repeated.
- The set of workflow state types is open.

How it is asked, what is asked, its files and its webhooks stand in the `linear_*.py` beside this file.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import linear_documents as documents
from triage.trackers import linear_files, linear_webhooks, rendering
from triage.trackers.base import (
    Block,
    CannotReopen,
    ConnectionReport,
    FiledTicket,
    RemoteComment,
    RemoteStatus,
    TicketDraft,
    TicketState,
    TrackerEvent,
    is_refused_for_good,
)
from triage.trackers.deliveries import check_signature, header
from triage.trackers.linear_calls import UUID, LinearCalls, issue_id
from triage.trackers.markers import marker_uuid
from triage.trackers.reading import dig, list_at, text_at, time_at

_WEB_URL = re.compile(r"https://linear\.app/[!-~]{1,1000}")
_ISSUE_LINK = re.compile(
    r"https://linear\.app/[a-z0-9-]+/issue/([A-Za-z0-9]{1,10}-[0-9]{1,9})(?:[/?#]|$)"
)
_ISSUE_KEY = re.compile(r"[A-Z0-9]{1,10}-[0-9]{1,9}")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_PRIORITIES = {"critical": 1, "high": 2, "medium": 3, "low": 4}
_STATES = {
    "triage": TicketState.OPEN,
    "backlog": TicketState.OPEN,
    "unstarted": TicketState.OPEN,
    "started": TicketState.IN_PROGRESS,
    "completed": TicketState.DONE,
    "canceled": TicketState.WONT_FIX,
    "duplicate": TicketState.DUPLICATE,
}
_REOPEN_TO = ("unstarted", "backlog", "triage", "started")


class Linear(LinearCalls):
    """One team of one Linear workspace, under a personal API key or an OAuth access token."""

    name = "linear"
    label = "Linear"
    place_fields = ("base_url", "team")
    create_is_repeatable = True
    look_again_after = (5,)
    look_for_doubles_after = None

    # --- testing the connection -------------------------------------------------------------------

    def check(self) -> ConnectionReport:
        """Who we are there, and whether the team is shown to us."""
        data = self.demand(documents.VIEWER, {})
        account = text_at(data, "viewer", "id")
        if not account:
            raise self.unreadable(writes=False)
        team = self.ask_of_team(documents.TEAM)
        who = rendering.one_line(text_at(data, "viewer", "name"), 80)
        where = rendering.one_line(text_at(data, "organization", "name"), 80)
        name = rendering.one_line(text_at(team, "team", "name"), 80)
        return ConnectionReport(
            lines=(
                f"Signed in to {where} as {who}.",
                f"Tickets go to {name} ({text_at(team, 'team', 'key')}).",
            ),
            account_id=account,
            warnings=tuple(self._warnings()),
        )

    def account_id(self) -> str:
        return text_at(self.demand(documents.VIEWER, {}), "viewer", "id")

    # --- tickets ----------------------------------------------------------------------------------

    def create(self, draft: TicketDraft) -> FiledTicket:
        """The marker becomes the issue's id, so the same draft may be filed again and again."""
        marker = marker_uuid(draft.marker)
        prepared = self.ask_of_team(
            documents.PREPARE, labels=list(draft.labels), withLabels=bool(draft.labels)
        )
        team_id = text_at(prepared, "team", "id")
        if not team_id:
            raise self.unreadable(writes=False)
        data, refused = self.ask(
            documents.CREATE,
            {
                "input": {
                    "id": marker,
                    "teamId": team_id,
                    "title": rendering.title(draft),
                    "description": rendering.markdown_description(draft),
                    "priority": _PRIORITIES.get(draft.severity, 0),
                    "labelIds": _label_ids(prepared, team_id),
                }
            },
            writes=True,
        )
        issue = dig(data, "issueCreate", "issue")
        if issue is not None:
            return self._ticket(issue, writes=True)
        if refused is None:  # success: false without a reason
            raise self.unreadable(writes=True)
        if refused.is_input_error:
            # A conflict says that an earlier try made it. Reading it is surer than the wording.
            existing = self._read(marker, writes=True)
            if existing is not None:
                return existing
        raise refused

    def find(self, marker: str | uuid.UUID) -> list[FiledTicket]:
        ticket = self._read(marker_uuid(marker))
        return [] if ticket is None else [ticket]

    def read(self, remote_id: str) -> FiledTicket:
        ticket = self._read(issue_id(remote_id))
        return ticket or FiledTicket(remote_id, "", "", TicketState.DELETED)

    def _read(self, remote_id: str, *, writes: bool = False) -> FiledTicket | None:
        """The issue, or None where there is none. `writes`: asked on behalf of a write that may
        have happened, which a failure here leaves unknown."""
        try:
            data, refused = self.ask(documents.READ, {"id": remote_id}, writes=writes)
        except OutboundError as error:
            if writes:
                error.outcome = Outcome.UNKNOWN
            raise
        if refused:
            if refused.is_input_error:
                return None
            if writes:
                refused.outcome = Outcome.UNKNOWN
            raise refused
        return self._ticket(dig(data, "issue"), writes=writes)

    def _ticket(self, issue: Any, *, writes: bool = False) -> FiledTicket:
        remote_id, key = text_at(issue, "id").lower(), text_at(issue, "identifier", limit=60)
        if not UUID.fullmatch(remote_id) or not key:
            raise self.unreadable(writes=writes)
        url = text_at(issue, "url", limit=2000)
        state = TicketState.DELETED if dig(issue, "trashed") is True else self._state(issue)
        return FiledTicket(
            remote_id,
            rendering.one_line(key, 60),
            url if _WEB_URL.fullmatch(url) else "",
            state,
            rendering.one_line(text_at(issue, "state", "name"), 100),
            time_at(issue, "updatedAt"),
            rendering.one_line(text_at(issue, "assignee", "displayName"), 100),
        )

    def _state(self, issue: Any) -> TicketState:
        state = dig(issue, "state")
        by_owner = self._state_by_owner(text_at(state, "id"), text_at(state, "name"))
        return by_owner or _STATES.get(text_at(state, "type"), TicketState.UNKNOWN)

    def comment(self, remote_id: str, text: str | Sequence[Block], marker: str | uuid.UUID) -> str:
        """The marker becomes the comment's id."""
        comment_id = marker_uuid(marker)
        data, refused = self.ask(
            documents.COMMENT,
            {
                "input": {
                    "id": comment_id,
                    "issueId": issue_id(remote_id),
                    "body": rendering.markdown_text(text),
                }
            },
            writes=True,
        )
        made = text_at(data, "commentCreate", "comment", "id")
        if made:
            return made
        if refused is None:
            raise self.unreadable(writes=True)
        if refused.is_input_error:
            existing, _ = self.ask(documents.READ_COMMENT, {"id": comment_id})
            if text_at(existing, "comment", "id"):
                return text_at(existing, "comment", "id")
        raise refused

    def reopen(self, remote_id: str, key: str = "") -> FiledTicket:
        """To the team's first state of the kind unstarted, else backlog, triage, started."""
        data, refused = self.ask(documents.STATES, {"id": issue_id(remote_id)})
        if refused and not refused.is_input_error:
            raise refused
        ticket = None if refused else self._ticket(dig(data, "issue"))
        if ticket is None or ticket.state is TicketState.DELETED:
            raise OutboundError(
                f"Linear no longer shows {(ticket and ticket.key) or key or remote_id}: it was "
                "deleted, or the key may not see it.",
                Outcome.REFUSED_FOR_GOOD,
                status=404,
            )
        if ticket.is_open:
            return ticket
        states = list_at(data, "issue", "team", "states", "nodes")
        for kind in _REOPEN_TO:
            of_kind = [s for s in states if text_at(s, "type") == kind and text_at(s, "id")]
            if of_kind:
                first = min(of_kind, key=_position)
                moved = self.demand(
                    documents.MOVE, {"id": remote_id, "state": text_at(first, "id")}, writes=True
                )
                return self._ticket(dig(moved, "issueUpdate", "issue"), writes=True)
        raise CannotReopen(
            f"Linear offers no open state for {ticket.key}. Reopen it there by hand.",
            Outcome.REFUSED_FOR_GOOD,
        )

    def statuses(self) -> list[RemoteStatus]:
        data = self.ask_of_team(documents.TEAM_STATES)
        return [
            RemoteStatus(
                text_at(state, "id"),
                rendering.one_line(text_at(state, "name"), 100),
                _STATES.get(text_at(state, "type"), TicketState.UNKNOWN),
            )
            for state in list_at(data, "team", "states", "nodes")
            if text_at(state, "id") and text_at(state, "name")
        ]

    def comments(self, remote_id: str) -> list[RemoteComment]:
        data = self.demand(documents.COMMENTS, {"id": issue_id(remote_id)})
        said = [
            RemoteComment(
                rendering.one_line(text_at(comment, "user", "displayName"), 100),
                rendering.clean(text_at(comment, "body", limit=4_000)),
                time_at(comment, "createdAt"),
                text_at(comment, "id").lower(),
                # an integration or a customer is no user
                is_by_team=dig(comment, "user") is not None,
            )
            for comment in list_at(data, "issue", "comments", "nodes")
        ]
        return sorted(said, key=lambda one: one.at or _LONG_AGO, reverse=True)

    def locate(self, pasted: str) -> FiledTicket:
        key = pasted.strip()
        if "/" in key:
            found = _ISSUE_LINK.match(key)
            if found is None:
                raise self._foreign(pasted)
            key = found[1]
        key = key.upper()
        if not _ISSUE_KEY.fullmatch(key):
            raise self._foreign(pasted)
        data, refused = self.ask(documents.READ, {"id": key})
        if refused:
            raise self._foreign(pasted) if refused.is_input_error else refused
        ticket = self._ticket(dig(data, "issue"))
        is_ours = UUID.fullmatch(self.team) or ticket.key.rpartition("-")[0] == self.team
        if not is_ours:
            raise self._foreign(pasted)
        return ticket

    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        self._link(remote_id, url, title)

    def _link(self, remote_id: str, url: str, title: str, **more: str) -> None:
        data = self.demand(
            documents.LINK,
            {
                "input": {
                    "issueId": issue_id(remote_id),
                    "url": url,
                    "title": rendering.one_line(title, otherwise="FeedbackHub"),
                    **more,
                }
            },
            writes=True,
        )
        if dig(data, "attachmentCreate", "success") is not True:
            raise self.unreadable(writes=True)

    def attach(self, remote_id: str, *, name: str, text: str, marker: str | uuid.UUID) -> None:
        """The marker becomes the attachment's id, or the comment's where a file is refused: one of both, once."""
        if self._has_evidence(remote_id, marker):
            return
        try:
            upload = self._upload(name, text.encode())
            self._link(remote_id, upload.asset_url, name, id=marker_uuid(marker))
        except OutboundError as error:
            if not is_refused_for_good(error):
                raise
            if not self._has_evidence(remote_id, marker):  # another worker's was quicker
                super().attach(remote_id, name=name, text=text, marker=marker)

    def _has_evidence(self, remote_id: str, marker: str | uuid.UUID) -> bool:
        data = self.demand(
            documents.EVIDENCE, {"id": issue_id(remote_id), "marker": marker_uuid(marker)}
        )
        kinds = ("attachments", "comments")
        return any(list_at(data, "issue", kind, "nodes") for kind in kinds)

    def _upload(self, name: str, content: bytes) -> linear_files.Upload:
        data = self.demand(
            documents.UPLOAD,
            {"name": name, "type": linear_files.CONTENT_TYPE, "size": len(content)},
            writes=True,
        )
        upload = linear_files.upload_of(data)
        if upload is None:
            raise self.unreadable(writes=True)
        linear_files.put(upload, content, limits=self._limits, allowed_hosts=self._allowed_hosts)
        return upload

    # --- webhooks ---------------------------------------------------------------------------------

    def verify_webhook(
        self, raw_body: bytes, headers: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        """Linear-Signature over the raw bytes, then the signed time: within a minute of ours."""
        given = header(headers, "Linear-Signature")
        check_signature(raw_body, self.webhook_secret, given)
        linear_webhooks.demand_this_minute(raw_body, now)

    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        return linear_webhooks.event_of(raw_body, headers, state_of=self._state)


# --- small parts ----------------------------------------------------------------------------------


def _label_ids(prepared: Any, team_id: str) -> list[str]:
    """Of the labels found: those of this team or of all, no groups, one of each group."""
    chosen: dict[str, str] = {}
    for label in list_at(prepared, "issueLabels", "nodes"):
        label_id, of_team = text_at(label, "id"), text_at(label, "team", "id")
        if label_id and dig(label, "isGroup") is False and of_team in ("", team_id):
            chosen.setdefault(text_at(label, "parent", "id") or label_id, label_id)
    return list(chosen.values())


def _position(state: Any) -> float:
    position = dig(state, "position")
    return float(position) if isinstance(position, int | float) else float("inf")
