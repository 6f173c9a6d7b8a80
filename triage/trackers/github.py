"""GitHub Issues, REST.

What is surprising in it:

- There is no idempotency key. A ticket carries our marker as a label and in its text: labels are dropped without a word
  where the token may not push, so both are looked for, in the list of issues and not in the search index, which lags.
- Rate limits come as 403 and as 429, with Retry-After or with an empty budget and its reset.
- An issue is addressed by its number in the repository; 410 says that issues are switched off, or that it was deleted.
- "Closed" has a reason: completed, not planned, duplicate. None stands for completed.
- Webhooks are signed without a time, and nothing is sent again by itself: polling is the net.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import rendering
from triage.trackers.base import (
    COMMENTS_SHOWN,
    Block,
    ConnectionReport,
    EventKind,
    FiledTicket,
    RemoteComment,
    RemoteStatus,
    TicketDraft,
    TicketState,
    Tracker,
    TrackerEvent,
    reworded,
)
from triage.trackers.deliveries import check_hub_signature, delivery_id, header, read_payload
from triage.trackers.markers import (
    MARKER_PREFIX,
    holds_marker,
    marker_label,
    markers_in,
    without_markers,
)
from triage.trackers.reading import dig, list_at, text_at, time_at
from triage.trackers.settings import (
    ConfigError,
    ConfigField,
    api_address,
    api_address_field,
    judged,
    texts,
    webhook_secret,
)

API_URL = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_LINK = re.compile(r"https://github\.com/([^/]+/[^/]+)/issues/([0-9]+)(?:[/?#]|$)", re.IGNORECASE)
_MARKER_IN_TEXT = re.compile(MARKER_PREFIX + r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LIMIT = 60_000  # characters of a body; GitHub takes 65,536
_REPEATED_WITHIN = timedelta(days=4)  # a comment is tried for 72 hours

# (open or closed, reason) → the status as people say it, and what it means to us
_STATUSES = {
    "open": ("Open", TicketState.OPEN),
    "completed": ("Closed as completed", TicketState.DONE),
    "not_planned": ("Closed as not planned", TicketState.WONT_FIX),
    "duplicate": ("Closed as duplicate", TicketState.DUPLICATE),
}
_EVENTS = {
    ("issues", "opened"): EventKind.CREATED,
    ("issues", "deleted"): EventKind.DELETED,
    ("issues", "transferred"): EventKind.DELETED,
    ("issue_comment", "created"): EventKind.COMMENTED,
    ("issue_comment", "edited"): EventKind.COMMENTED,
    ("issue_comment", "deleted"): EventKind.COMMENTED,
}
_TEAM = {"OWNER", "MEMBER", "COLLABORATOR"}  # on a public repository anybody may comment


class GitHub(Tracker):
    """The issues of one repository, under a fine-grained token or a GitHub App's."""

    name = "github"
    label = "GitHub Issues"
    config_fields = (
        ConfigField("repository", "Repository", "Owner and name.", placeholder="acme/support"),
        api_address_field(API_URL),
        ConfigField(
            "api_token",
            "Token",
            "A fine-grained token with read and write access to this repository's issues.",
            kind="secret",
        ),
        webhook_secret("The secret entered with the webhook in GitHub."),
    )
    place_fields = ("base_url", "repository")
    create_is_repeatable = False
    look_again_after = (10, 30, 90)
    look_for_doubles_after = 180

    # --- settings ---------------------------------------------------------------------------------

    @classmethod
    def judged_config(
        cls, config: Mapping[str, Any], allowed_hosts: Iterable[str] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        checks = {
            "base_url": lambda given: _address(given, allowed_hosts),
            "repository": lambda given: _repository(given.strip("/")),
        }
        return judged(texts(config, checks), checks)

    @property
    def _repository(self) -> str:
        return _repository(str(self.config.get("repository") or ""))

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, *, may: str, body: Any = None, writes=False) -> Any:
        token = self.secret("api_token")
        base = _address(str(self.config.get("base_url") or ""), self._allowed_hosts)
        try:
            return self.request(
                method,
                f"{base}{path}",
                writes=writes,
                json=body,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Accept": "application/vnd.github+json",
                    "X-GitHub-Api-Version": "2022-11-28",
                    "User-Agent": "FeedbackHub",
                },
            ).json
        except OutboundError as error:
            raise self._explained(error, may) from None

    def _in_repository(self, method: str, path: str, **options: Any) -> Any:
        return self._call(method, f"/repos/{self._repository}{path}", **options)

    def _explained(self, error: OutboundError, may: str) -> OutboundError:
        headers = error.answer.headers if error.answer else {}
        said = text_at(error.answer.json, "message") if error.answer else ""
        if error.status in (403, 429) and _is_rate_limit(headers, said):
            return OutboundError(
                "GitHub asks to wait.",
                Outcome.REFUSED_TRY_LATER,
                retry_after=outbound.retry_after(headers) or 60,
                status=429,
            )
        words = {
            401: (
                f"GitHub does not accept the token of {self._repository}: it is wrong, withdrawn or past its term. "
                "Make a new one and enter it in the connection's settings."
            ),
            403: (
                f"GitHub refused {self._repository}: the token may not {may} there. Give it that permission, "
                "then try again."
            ),
            404: (
                f"GitHub shows nothing here to the token of {self._repository}: it does not exist, or the token may "
                f"not {may}."
            ),
            410: f"Issues are switched off in {self._repository}, or this one was deleted.",
        }.get(error.status or 0)
        return reworded(error, words or error.message)

    # --- testing the connection -------------------------------------------------------------------

    def check(self) -> ConnectionReport:
        me = self._call("GET", "/user", may="sign in")
        repository = self._in_repository("GET", "", may="see the repository")
        if not text_at(me, "login") or not text_at(repository, "full_name"):
            raise self.unreadable(writes=False)
        if dig(repository, "has_issues") is False:
            raise OutboundError(
                f"Issues are switched off in {self._repository}. Switch them on in its settings.",
                Outcome.REFUSED_FOR_GOOD,
            )
        warnings = []
        if dig(repository, "permissions", "push") is not True:
            warnings.append(
                "The token may not push: GitHub drops labels then without a word. Tickets are found by their text."
            )
        return ConnectionReport(
            lines=(
                f"Signed in as {rendering.one_line(text_at(me, 'login'), 80)}.",
                f"Tickets go to {rendering.one_line(text_at(repository, 'full_name'), 150)}.",
            ),
            account_id=text_at(me, "id"),
            warnings=(*warnings, *self._warnings()),
        )

    def account_id(self) -> str:
        return text_at(self._call("GET", "/user", may="sign in"), "id")

    # --- tickets ----------------------------------------------------------------------------------

    def create(self, draft: TicketDraft) -> FiledTicket:
        labels = [marker_label(draft.marker), *_labels(draft.labels)]
        made = self._in_repository(
            "POST",
            "/issues",
            body={
                "title": rendering.title(draft),
                "body": rendering.markdown_description(draft, _LIMIT),
                "labels": labels,
            },
            writes=True,
            may="create issues",
        )
        return self._ticket(made, writes=True)

    def find(self, marker: str | uuid.UUID) -> list[FiledTicket]:
        """By label; where there is none with it, by the text of the newest hundred."""
        label = marker_label(marker)
        found = self._issues(f"labels={label}&state=all&per_page=50")
        if not found:
            newest = self._issues("state=all&sort=created&direction=desc&per_page=100")
            found = [
                issue
                for issue in newest
                if label in _MARKER_IN_TEXT.findall(text_at(issue, "body", limit=_LIMIT + 9_000))
            ]
        tickets = [self._ticket(issue) for issue in found]
        return sorted(tickets, key=lambda ticket: int(ticket.remote_id))

    def _issues(self, query: str) -> list[Any]:
        found = self._in_repository("GET", f"/issues?{query}", may="see issues")
        if not isinstance(found, list):
            raise self.unreadable(writes=False)
        return [issue for issue in found if dig(issue, "pull_request") is None]

    def read(self, remote_id: str) -> FiledTicket:
        try:
            issue = self._in_repository("GET", _path(remote_id), may="see issues")
        except OutboundError as error:
            if error.status in (404, 410):
                return FiledTicket(remote_id, "", "", TicketState.DELETED)
            raise
        return self._ticket(issue)

    def _ticket(self, issue: Any, *, writes: bool = False) -> FiledTicket:
        number = text_at(issue, "number")
        if not _NUMBER.fullmatch(number):
            raise self.unreadable(writes=writes)
        name, state = self._state(issue)
        return FiledTicket(
            number,
            f"{self._repository}#{number}"[:60],
            f"https://github.com/{self._repository}/issues/{number}",
            state,
            name,
            time_at(issue, "updated_at"),
            rendering.one_line(text_at(issue, "assignee", "login"), 100),
        )

    def _state(self, issue: Any) -> tuple[str, TicketState]:
        word = text_at(issue, "state")
        if word == "closed":
            word = text_at(issue, "state_reason") or "completed"
        name, state = _STATUSES.get(word, (rendering.one_line(word, 60), TicketState.UNKNOWN))
        return name, self._state_by_owner(word, name) or state

    def comment(self, remote_id: str, text: str | Sequence[Block], marker: str | uuid.UUID) -> str:
        """Looks first among those of the last days: the marker stands in the comment's text."""
        label, path = marker_label(marker), _path(remote_id) + "/comments"
        since = (datetime.now(UTC) - _REPEATED_WITHIN).strftime("%Y-%m-%dT%H:%M:%SZ")
        earlier = self._in_repository(
            "GET", f"{path}?per_page=100&since={since}", may="see comments"
        )
        if not isinstance(earlier, list):
            raise self.unreadable(writes=False)
        for existing in earlier:
            if label in text_at(existing, "body", limit=_LIMIT + 9_000) and text_at(existing, "id"):
                return text_at(existing, "id")
        body = f"{rendering.markdown_text(text, _LIMIT)}\n\nFeedbackHub {label}"
        made = self._in_repository(
            "POST", path, body={"body": body}, writes=True, may="add comments"
        )
        if not text_at(made, "id"):
            raise self.unreadable(writes=True)
        return text_at(made, "id")

    def reopen(self, remote_id: str, key: str = "") -> FiledTicket:
        ticket = self.read(remote_id)
        if ticket.state is TicketState.DELETED:
            raise OutboundError(
                f"GitHub no longer shows {key or remote_id}: it was deleted or moved away.",
                Outcome.REFUSED_FOR_GOOD,
                status=404,
            )
        if ticket.is_open:
            return ticket
        moved = self._in_repository(
            "PATCH",
            _path(remote_id),
            body={"state": "open", "state_reason": "reopened"},
            writes=True,
            may="change issues",
        )
        return self._ticket(moved, writes=True)

    def statuses(self) -> list[RemoteStatus]:
        return [RemoteStatus(word, name, state) for word, (name, state) in _STATUSES.items()]

    def comments(self, remote_id: str) -> list[RemoteComment]:
        """The newest twenty. GitHub lists the oldest first: they are at the end, of which the issue's count tells."""
        issue = self._in_repository("GET", _path(remote_id), may="see issues")
        count = text_at(issue, "comments")
        last = max(1, -(-int(count) // COMMENTS_SHOWN)) if count.isdigit() else 1
        said = []
        for page in range(max(1, last - 1), last + 1):
            found = self._in_repository(
                "GET",
                f"{_path(remote_id)}/comments?per_page={COMMENTS_SHOWN}&page={page}",
                may="see comments",
            )
            if not isinstance(found, list):
                raise self.unreadable(writes=False)
            said += found
        return [
            RemoteComment(
                rendering.one_line(text_at(comment, "user", "login"), 100),
                rendering.clean(text_at(comment, "body", limit=4_000)),
                time_at(comment, "created_at"),
                text_at(comment, "id"),
                is_ours=holds_marker(text_at(comment, "body", limit=_LIMIT + 9_000)),
                is_by_team=text_at(comment, "author_association") in _TEAM,
            )
            for comment in reversed(said[-COMMENTS_SHOWN:])
        ]

    def locate(self, pasted: str) -> FiledTicket:
        number = pasted.strip().removeprefix("#")
        link = _LINK.match(pasted.strip())
        if link:
            if link[1].lower() != self._repository.lower():
                raise self._foreign(pasted)
            number = link[2]
        elif number.lower().startswith(f"{self._repository.lower()}#"):
            number = number[len(self._repository) + 1 :]
        if not _NUMBER.fullmatch(number):
            raise self._foreign(pasted)
        issue = self._in_repository("GET", _path(number), may="see issues")
        if dig(issue, "pull_request") is not None:
            raise self._foreign(pasted)
        return self._ticket(issue)

    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        """GitHub keeps no links beside an issue: ours stands in its text."""

    # --- webhooks ---------------------------------------------------------------------------------

    def verify_webhook(
        self, raw_body: bytes, headers: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        given = header(headers, "X-Hub-Signature-256")
        check_hub_signature(raw_body, self.webhook_secret, given)

    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        payload = read_payload(raw_body)
        event, action = header(headers, "X-GitHub-Event"), text_at(payload, "action")
        issue = dig(payload, "issue")
        number = text_at(issue, "number")
        is_here = text_at(payload, "repository", "full_name").lower() == self._repository.lower()
        if event not in ("issues", "issue_comment") or not is_here:
            return None
        if not _NUMBER.fullmatch(number) or dig(issue, "pull_request") is not None:
            return None
        kind = _EVENTS.get((event, action), EventKind.UPDATED)
        name, state = self._state(issue)
        labels = [text_at(label, "name") for label in list_at(issue, "labels")]
        in_text = _MARKER_IN_TEXT.findall(text_at(issue, "body", limit=_LIMIT + 9_000))
        return TrackerEvent(
            delivery_id=delivery_id(header(headers, "X-GitHub-Delivery"), raw_body),
            kind=kind,
            remote_id=number,
            key=f"{self._repository}#{number}"[:60],
            status_name=name,
            state=TicketState.DELETED if kind is EventKind.DELETED else state,
            updated_at=time_at(issue, "updated_at"),
            actor_id=rendering.one_line(text_at(payload, "sender", "id"), 128),
            actor_name=rendering.one_line(text_at(payload, "sender", "login"), 100),
            comment=rendering.clean(text_at(payload, "comment", "body", limit=10_000)),
            markers=markers_in(labels) or markers_in(in_text[-1:]),
        )


# --- small parts ----------------------------------------------------------------------------------


def _address(given: str, allowed_hosts: Iterable[str] | None) -> str:
    return api_address(given, allowed_hosts, own=API_URL, paths=("", "/", "/api/v3"))


def _repository(given: str) -> str:
    if not _REPOSITORY.fullmatch(given):
        raise ConfigError(
            {"repository": "Repository: enter its owner and name, such as acme/support."}
        )
    return given


def _is_rate_limit(headers: Mapping[str, str], said: str) -> bool:
    """The secondary limits may come with no header at all: then only the words tell them from a missing permission."""
    return (
        bool(header(headers, "retry-after"))
        or header(headers, "x-ratelimit-remaining") == "0"
        or "rate limit" in said.lower()
    )


def _labels(labels: Iterable[str]) -> list[str]:
    """At most fifty characters each."""
    return without_markers(rendering.one_line(label, 50) for label in labels)


def _path(remote_id: str) -> str:
    if not _NUMBER.fullmatch(remote_id):
        raise OutboundError(f"“{remote_id[:40]}” is no issue's number.", Outcome.REFUSED_FOR_GOOD)
    return f"/issues/{remote_id}"
