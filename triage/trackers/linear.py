"""Linear, GraphQL.

Sources: Linear's schema and its own SDK. What is surprising in it:

- The id of an issue or a comment may be chosen by the caller (a UUID version 4). A second insert
  with the same id is refused with a conflict: not a repeat of the first answer, but proof that it
  was made. So a lost answer is settled by reading that id, and a create may simply be repeated.
- Errors come with status 200 and with 400; a rate limit is a 400 with the code RATELIMITED.
- An issue that does not exist is an input error.
- The set of workflow state types is open.
- A webhook's time counts only where it stands in the signed body (`webhookTimestamp`).
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feedbackhub import outbound
from feedbackhub.outbound import Answer, OutboundError, Outcome
from triage.trackers import linear_files, rendering
from triage.trackers.base import (
    Block,
    CannotReopen,
    ConfigError,
    ConfigField,
    ConnectionReport,
    EventKind,
    FiledTicket,
    RemoteComment,
    RemoteStatus,
    TicketDraft,
    TicketState,
    Tracker,
    TrackerEvent,
    WebhookRefused,
    reworded,
)
from triage.trackers.deliveries import check_signature, delivery_id, header, read_payload
from triage.trackers.markers import marker_uuid
from triage.trackers.reading import dig, earliest, list_at, text_at, time_at
from triage.trackers.settings import opened_url, secrets_and_errors, webhook_secret

API_URL = "https://api.linear.app/graphql"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEAM_KEY = re.compile(r"[A-Z0-9]{1,10}")
_WEB_URL = re.compile(r"https://linear\.app/[!-~]{1,1000}")
_ISSUE_LINK = re.compile(
    r"https://linear\.app/[a-z0-9-]+/issue/([A-Za-z0-9]{1,10}-[0-9]{1,9})(?:[/?#]|$)"
)
_ISSUE_KEY = re.compile(r"[A-Z0-9]{1,10}-[0-9]{1,9}")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_WEBHOOK_AGE = 60  # seconds, either way

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

_ISSUE = """
fragment Ticket on Issue {
  id identifier url updatedAt trashed state { id name type } assignee { displayName }
}
"""
VIEWER = """
query Viewer { viewer { id name } organization { name } }
"""
TEAM = """
query Team($team: String!) { team(id: $team) { id key name } }
"""
PREPARE = """
query Prepare($team: String!, $labels: [String!], $withLabels: Boolean!) {
  team(id: $team) { id }
  issueLabels(first: 50, filter: {name: {in: $labels}}) @include(if: $withLabels) {
    nodes { id isGroup team { id } parent { id } }
  }
}
"""
CREATE = (
    """
mutation Create($input: IssueCreateInput!) {
  issueCreate(input: $input) { success issue { ...Ticket } }
}
"""
    + _ISSUE
)
READ = (
    """
query Read($id: String!) { issue(id: $id) { ...Ticket } }
"""
    + _ISSUE
)
STATES = (
    """
query States($id: String!) {
  issue(id: $id) { ...Ticket team { states(first: 50) { nodes { id name type position } } } }
}
"""
    + _ISSUE
)
MOVE = (
    """
mutation Move($id: String!, $state: String!) {
  issueUpdate(id: $id, input: {stateId: $state}) { success issue { ...Ticket } }
}
"""
    + _ISSUE
)
COMMENT = """
mutation Comment($input: CommentCreateInput!) {
  commentCreate(input: $input) { success comment { id } }
}
"""
READ_COMMENT = """
query ReadComment($id: String!) { comment(id: $id) { id } }
"""
TEAM_STATES = """
query TeamStates($team: String!) {
  team(id: $team) { states(first: 50) { nodes { id name type } } }
}
"""
COMMENTS = """
query Comments($id: String!) {
  issue(id: $id) {
    comments(first: 20, orderBy: createdAt) { nodes { id body createdAt user { displayName } } }
  }
}
"""
LINK = """
mutation Link($input: AttachmentCreateInput!) {
  attachmentCreate(input: $input) { success attachment { id } }
}
"""
DOCUMENTS = (
    VIEWER,
    TEAM,
    PREPARE,
    CREATE,
    READ,
    STATES,
    MOVE,
    COMMENT,
    READ_COMMENT,
    TEAM_STATES,
    COMMENTS,
    LINK,
    linear_files.EVIDENCE,
    linear_files.UPLOAD,
)


class _Refused(OutboundError):
    """`errors` in an answer. `is_input_error`: Linear understood us, and says no to the values."""

    is_input_error = False


class Linear(Tracker):
    """One team of one Linear workspace, under a personal API key or an OAuth access token."""

    name = "linear"
    label = "Linear"
    config_fields = (
        ConfigField("team", "Team", "Its key (the letters of its issues) or its id."),
        ConfigField(
            "base_url",
            "API address",
            "Leave it as it is.",
            kind="url",
            required=False,
            placeholder=API_URL,
        ),
        ConfigField(
            "api_key", "API key", "A personal key or an OAuth access token.", kind="secret"
        ),
        webhook_secret("Linear shows it beside the webhook."),
    )
    place_fields = ("base_url", "team")
    create_is_repeatable = True
    look_again_after = (5,)
    look_for_doubles_after = None

    # --- settings ---------------------------------------------------------------------------------

    @classmethod
    def normalise_config(
        cls,
        config: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        allowed_hosts: Iterable[str] | None = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        kept_secrets, errors = secrets_and_errors(
            cls.config_fields,
            {**secrets, "api_key": _without_bearer(str(secrets.get("api_key") or ""))},
        )
        kept: dict[str, Any] = {}
        try:
            kept["base_url"] = _base_url(str(config.get("base_url") or ""), allowed_hosts)
        except ConfigError as problem:
            errors |= problem.errors
        team = str(config.get("team") or "").strip()
        kept["team"] = team.lower() if _UUID.fullmatch(team.lower()) else team.upper()
        if not _UUID.fullmatch(kept["team"]) and not _TEAM_KEY.fullmatch(kept["team"]):
            errors["team"] = "Team: enter its key, such as ENG."
        if errors:
            raise ConfigError(errors)
        return kept, kept_secrets

    @property
    def _team(self) -> str:
        return str(self.config.get("team") or "")

    # --- calls ------------------------------------------------------------------------------------

    def _ask(
        self, document: str, variables: Mapping[str, Any], *, writes: bool = False
    ) -> tuple[Any, _Refused | None]:
        """One operation: its data, and what Linear says against it. Either may be missing.

        Raises OutboundError where there is no answer to judge.
        """
        key = str(self.secrets.get("api_key") or "")
        if not key:
            raise ConfigError({"api_key": "API key: enter one."})
        url = _base_url(str(self.config.get("base_url") or ""), self._allowed_hosts)
        try:
            answer = outbound.request_json(
                "POST",
                url,
                expects_write=writes,
                json={"query": document, "variables": dict(variables)},
                # A personal key goes without Bearer, a token with it.
                headers={"Authorization": key if key.startswith("lin_api_") else f"Bearer {key}"},
                service=self.label,
                accept_status={400},
                limits=self._limits,
                allowed_hosts=self._allowed_hosts,
            )
        except OutboundError as error:
            raise self._explained(error) from None
        errors = dig(answer.json, "errors")
        if errors:
            return dig(answer.json, "data"), self._refused(answer, errors, writes)
        if answer.status == 400:
            raise OutboundError(
                "Linear refused the call (status 400).", Outcome.REFUSED_FOR_GOOD, status=400
            )
        if not isinstance(dig(answer.json, "data"), dict):
            raise self.unreadable(writes=writes)
        return answer.json["data"], None

    def _refused(self, answer: Answer, errors: Any, writes: bool) -> _Refused:
        """`errors`, judged by code and type, never by their words."""
        code = text_at(errors, 0, "extensions", "code").upper()
        kind = text_at(errors, 0, "extensions", "type").lower()
        said = text_at(errors, 0, "extensions", "userPresentableMessage") or text_at(
            errors, 0, "message"
        )
        said = rendering.one_line(said, 200)
        wait = None
        if code == "RATELIMITED" or kind == "ratelimited":
            outcome, words = Outcome.REFUSED_TRY_LATER, "Linear asks to wait."
            wait = outbound.retry_after(answer.headers)
        elif code == "AUTHENTICATION_ERROR" or kind == "authentication error":
            outcome, words = Outcome.REFUSED_FOR_GOOD, _KEY_REFUSED
        elif code in _SAYS_NO_CODES or kind in _SAYS_NO_TYPES:
            outcome, words = Outcome.REFUSED_FOR_GOOD, f"Linear refused {self._team}: {said}"
        else:
            outcome = Outcome.UNKNOWN if writes else Outcome.REFUSED_TRY_LATER
            words = f"Linear failed ({kind or code.lower() or 'no reason given'})."
        refused = _Refused(
            words,
            outcome,
            retry_after=wait,
            status=answer.status,
            credential_refused=words is _KEY_REFUSED,
        )
        refused.is_input_error = code in _INPUT_CODES or kind in ("invalid input", "user error")
        return refused

    def _explained(self, error: OutboundError) -> OutboundError:
        words = str(error)
        if error.status == 401:
            words = _KEY_REFUSED
        elif error.status == 403:
            words = (
                f"Linear refused {self._team}: the key may not do this there. Give it the "
                "permission, then try again."
            )
        return reworded(error, words)

    # --- testing the connection -------------------------------------------------------------------

    def check(self) -> ConnectionReport:
        """Who we are there, and whether the team is shown to us."""
        data, refused = self._ask(VIEWER, {})
        if refused:
            raise refused
        account = text_at(data, "viewer", "id")
        if not account:
            raise self.unreadable(writes=False)
        team, refused = self._ask(TEAM, {"team": self._team})
        if refused:
            raise self._no_team() if refused.is_input_error else refused
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
        data, refused = self._ask(VIEWER, {})
        if refused:
            raise refused
        return text_at(data, "viewer", "id")

    def _no_team(self) -> OutboundError:
        return OutboundError(
            f"Linear shows no team {self._team} to this key. Check the team in the connection's "
            "settings, or give the key's owner access to it.",
            Outcome.REFUSED_FOR_GOOD,
        )

    # --- tickets ----------------------------------------------------------------------------------

    def create(self, draft: TicketDraft) -> FiledTicket:
        """The marker becomes the issue's id, so the same draft may be filed again and again."""
        marker = marker_uuid(draft.marker)
        prepared, refused = self._ask(
            PREPARE,
            {
                "team": self._team,
                "labels": list(draft.labels),
                "withLabels": bool(draft.labels),
            },
        )
        if refused:
            raise self._no_team() if refused.is_input_error else refused
        team_id = text_at(prepared, "team", "id")
        if not team_id:
            raise self.unreadable(writes=False)
        data, refused = self._ask(
            CREATE,
            {
                "input": {
                    "id": marker,
                    "teamId": team_id,
                    "title": rendering.one_line(draft.title, otherwise="Untitled problem"),
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
        ticket = self._read(_issue_id(remote_id))
        return ticket or FiledTicket(remote_id, "", "", TicketState.DELETED)

    def _read(self, remote_id: str, *, writes: bool = False) -> FiledTicket | None:
        """The issue, or None where there is none. `writes`: asked on behalf of a write that may
        have happened, which a failure here leaves unknown."""
        try:
            data, refused = self._ask(READ, {"id": remote_id}, writes=writes)
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
        if not _UUID.fullmatch(remote_id) or not key:
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
        data, refused = self._ask(
            COMMENT,
            {
                "input": {
                    "id": comment_id,
                    "issueId": _issue_id(remote_id),
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
            existing, _ = self._ask(READ_COMMENT, {"id": comment_id})
            if text_at(existing, "comment", "id"):
                return text_at(existing, "comment", "id")
        raise refused

    def reopen(self, remote_id: str, key: str = "") -> FiledTicket:
        """To the team's first state of the kind unstarted, else backlog, triage, started."""
        data, refused = self._ask(STATES, {"id": _issue_id(remote_id)})
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
        if ticket.state in (TicketState.OPEN, TicketState.IN_PROGRESS):
            return ticket
        states = list_at(data, "issue", "team", "states", "nodes")
        for kind in _REOPEN_TO:
            of_kind = [s for s in states if text_at(s, "type") == kind and text_at(s, "id")]
            if of_kind:
                first = min(of_kind, key=_position)
                moved, refused = self._ask(
                    MOVE, {"id": remote_id, "state": text_at(first, "id")}, writes=True
                )
                if refused:
                    raise refused
                return self._ticket(dig(moved, "issueUpdate", "issue"), writes=True)
        raise CannotReopen(
            f"Linear offers no open state for {ticket.key}. Reopen it there by hand.",
            Outcome.REFUSED_FOR_GOOD,
        )

    def statuses(self) -> list[RemoteStatus]:
        data, refused = self._ask(TEAM_STATES, {"team": self._team})
        if refused:
            raise self._no_team() if refused.is_input_error else refused
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
        data, refused = self._ask(COMMENTS, {"id": _issue_id(remote_id)})
        if refused:
            raise refused
        said = [
            RemoteComment(
                rendering.one_line(text_at(comment, "user", "displayName"), 100),
                rendering.clean(text_at(comment, "body", limit=4_000)),
                time_at(comment, "createdAt"),
                text_at(comment, "id").lower(),
                is_by_team=dig(comment, "user")
                is not None,  # an integration or a customer has none
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
        data, refused = self._ask(READ, {"id": key})
        if refused:
            raise self._foreign(pasted) if refused.is_input_error else refused
        ticket = self._ticket(dig(data, "issue"))
        is_ours = _UUID.fullmatch(self._team) or ticket.key.rpartition("-")[0] == self._team
        if not is_ours:
            raise self._foreign(pasted)
        return ticket

    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        self._link(remote_id, url, title)

    def _link(self, remote_id: str, url: str, title: str, **more: str) -> None:
        data, refused = self._ask(
            LINK,
            {
                "input": {
                    "issueId": _issue_id(remote_id),
                    "url": url,
                    "title": rendering.one_line(title, otherwise="FeedbackHub"),
                    **more,
                }
            },
            writes=True,
        )
        if refused:
            raise refused
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
            if error.outcome is not Outcome.REFUSED_FOR_GOOD or error.credential_refused:
                raise
            if not self._has_evidence(remote_id, marker):  # another worker's was quicker
                super().attach(remote_id, name=name, text=text, marker=marker)

    def _has_evidence(self, remote_id: str, marker: str | uuid.UUID) -> bool:
        data, refused = self._ask(
            linear_files.EVIDENCE, {"id": _issue_id(remote_id), "marker": marker_uuid(marker)}
        )
        if refused:
            raise refused
        kinds = ("attachments", "comments")
        return any(list_at(data, "issue", kind, "nodes") for kind in kinds)

    def _upload(self, name: str, content: bytes) -> linear_files.Upload:
        data, refused = self._ask(
            linear_files.UPLOAD,
            {"name": name, "type": linear_files.CONTENT_TYPE, "size": len(content)},
            writes=True,
        )
        if refused:
            raise refused
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
        check_signature(
            raw_body,
            str(self.secrets.get("webhook_secret") or ""),
            header(headers, "Linear-Signature"),
        )
        signed_at = dig(read_payload(raw_body), "webhookTimestamp")
        if not isinstance(signed_at, int | float):
            raise WebhookRefused("the signed body holds no webhookTimestamp")
        age = (now or datetime.now(UTC)).timestamp() - signed_at / 1000
        if not abs(age) <= _WEBHOOK_AGE:  # also false for NaN
            raise WebhookRefused("the signed webhookTimestamp is not of this minute")

    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        payload = read_payload(raw_body)
        subject, action = text_at(payload, "type"), text_at(payload, "action")
        kind = _EVENTS.get((subject, action))
        data = dig(payload, "data")
        of_issue = subject == "Issue"
        remote_id = text_at(data, "id" if of_issue else "issueId").lower()
        if kind is None or not _UUID.fullmatch(remote_id):
            return None
        state = self._state(data) if of_issue and dig(data, "state") else None
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


# --- small parts ----------------------------------------------------------------------------------

_EVENTS = {
    ("Issue", "create"): EventKind.CREATED,
    ("Issue", "update"): EventKind.UPDATED,
    ("Issue", "remove"): EventKind.DELETED,
    ("Comment", "create"): EventKind.COMMENTED,
    ("Comment", "update"): EventKind.COMMENTED,
    ("Comment", "remove"): EventKind.COMMENTED,
}
_KEY_REFUSED = (
    "Linear does not accept the key: it is wrong, withdrawn or past its term. "
    "Make a new one and enter it in the connection's settings."
)
_INPUT_CODES = {"INPUT_ERROR", "INVALID_INPUT", "BAD_USER_INPUT"}
_SAYS_NO_CODES = {
    *_INPUT_CODES,
    "FORBIDDEN",
    "FEATURE_NOT_ACCESSIBLE",
    "USAGE_LIMIT_EXCEEDED",
    "GRAPHQL_VALIDATION_FAILED",
    "GRAPHQL_PARSE_FAILED",
    "BAD_REQUEST",
}
_SAYS_NO_TYPES = {
    "invalid input",
    "user error",
    "forbidden",
    "feature not accessible",
    "usage limit exceeded",
}


def _base_url(given: str, allowed_hosts: Iterable[str] | None) -> str:
    """Linear's one address, or a host that the operator opened; whatever it is gets the key."""
    url = given.strip().removesuffix("/")
    if url.lower() in ("", API_URL):
        return API_URL
    opened = opened_url(url, allowed_hosts)
    if opened is not None and opened.path == "/graphql":
        return str(opened)
    raise ConfigError({"base_url": f"API address: it is {API_URL}."})


def _without_bearer(key: str) -> str:
    return key.strip().removeprefix("Bearer ")


def _issue_id(remote_id: str) -> str:
    if not _UUID.fullmatch(remote_id.lower()):
        raise OutboundError(f"“{remote_id[:40]}” is no Linear id.", Outcome.REFUSED_FOR_GOOD)
    return remote_id.lower()


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
