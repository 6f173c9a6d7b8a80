"""Jira Cloud, REST v3.

Sources: Atlassian's OpenAPI document and ADF schema, and its pages on rate limiting, searching
and webhooks. What is surprising in it:

- There is no idempotency key, and the search lags behind by seconds to minutes
  (https://developer.atlassian.com/cloud/jira/platform/search-and-reconcile/). A ticket carries
  our marker as a label, and as a property in the same request; after a lost answer it is looked
  for by label, several times, before it is made again. That narrows the window for a double and
  does not close it.
- Entity properties cannot be searched with a plain API token; they tell a clone, which keeps the
  label, from the ticket that we filed.
- A ticket's key changes when it moves; its numeric id does not.
- 404 also stands for "you may not see this".

How it is called, what a create screen demands, what a status means and what a webhook says stand in the `jira_*.py` beside
this file.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import jira_files, jira_webhooks, rendering
from triage.trackers.base import (
    COMMENTS_SHOWN,
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
from triage.trackers.deliveries import check_hub_signature, header
from triage.trackers.jira_calls import ISSUE_ID, JiraCalls, account_of, issue_path
from triage.trackers.jira_create_screen import read_create_screen
from triage.trackers.jira_settings import FILLED, GATEWAY, SITE
from triage.trackers.jira_statuses import state_of
from triage.trackers.markers import holds_marker, marker_label, without_markers
from triage.trackers.reading import dig, folded, list_at, text_at, text_of_adf, time_at

_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,49}-[0-9]{1,9}")

_PROPERTY = "feedbackhub"
_FIELDS_READ = ("status", "resolution", "updated", "labels", "assignee")


class Jira(JiraCalls):
    """One project of one Jira Cloud site, under an API token or an OAuth access token."""

    name = "jira"
    label = "Jira"
    place_fields = ("base_url", "project_key")
    create_is_repeatable = False
    look_again_after = (15, 60, 180)
    look_for_doubles_after = 300

    # Where Data Center differs: `jira_data_center`.
    _search_path = "/search/jql"
    _search_options: ClassVar[dict[str, Any]] = {"properties": [_PROPERTY]}

    @staticmethod
    def _description(draft: TicketDraft) -> Any:
        return rendering.adf_description(draft)

    @staticmethod
    def _comment_body(text: str | Sequence[Block], footer: str) -> Any:
        return rendering.adf_text(text, footer)

    # --- testing the connection -------------------------------------------------------------------

    def check(self) -> ConnectionReport:
        """Who we are there, whether tickets may be made, and what of them can be filled in."""
        myself = self.call("GET", "/myself", may="sign in")
        account = account_of(myself)
        if not account:
            raise self.unreadable(writes=False)
        names = {
            "BROWSE_PROJECTS": "see issues",
            "CREATE_ISSUES": "create issues",
            "ADD_COMMENTS": "add comments",
            "TRANSITION_ISSUES": "move issues between statuses",
        }
        held = self.call(
            "GET",
            "/mypermissions",
            query={"projectKey": self.project, "permissions": ",".join(names)},
            may="see the project",
        )
        missing = [
            words
            for permission, words in names.items()
            if dig(held, "permissions", permission, "havePermission") is not True
        ]
        for needed in ("see issues", "create issues"):
            if needed in missing:
                raise OutboundError(
                    f"Jira refused {self.project}: the token may not {needed} there. "
                    "Give its account that permission, then test again.",
                    Outcome.REFUSED_FOR_GOOD,
                    status=403,
                )
        screen = read_create_screen(self)
        screen.demand_fillable({*FILLED, *screen.further_fields(self.config)})
        warnings = [f"The token may not {words} in {self.project}." for words in missing]
        if "priority" not in screen:
            warnings.append(f"{self.project} has no priority on its create screen: none is set.")
        if "description" not in screen:
            warnings.append(f"{self.project} has no description on its create screen.")
        return ConnectionReport(
            lines=(
                f"Signed in as {rendering.one_line(text_at(myself, 'displayName'), 80)}.",
                f"Tickets go to {self.project} as {screen.type_name}.",
            ),
            account_id=account,
            warnings=(*warnings, *self._warnings()),
        )

    def account_id(self) -> str:
        return account_of(self.call("GET", "/myself", may="sign in"))

    # --- tickets ----------------------------------------------------------------------------------

    def create(self, draft: TicketDraft) -> FiledTicket:
        """See the contract. Two reads go first: what the create screen holds decides the body."""
        label = marker_label(draft.marker)
        screen = read_create_screen(self)
        fields: dict[str, Any] = {
            "project": {"key": self.project},
            "issuetype": {"id": screen.type_id},
            "summary": rendering.title(draft),
            "labels": [label, *_labels(draft.labels)],
            **screen.further_fields(self.config),
        }
        if "description" in screen:
            fields["description"] = self._description(draft)
        if "priority" not in fields and (priority := screen.priority(draft.severity)):
            fields["priority"] = priority
        screen.demand_fillable(fields)
        made = self.call(
            "POST",
            "/issue",
            body={"fields": fields, "properties": [{"key": _PROPERTY, "value": {"marker": label}}]},
            writes=True,
            may="create issues",
        )
        remote_id, key = text_at(made, "id"), text_at(made, "key")
        if not ISSUE_ID.fullmatch(remote_id) or not _ISSUE_KEY.fullmatch(key):
            raise self.unreadable(writes=True)
        return FiledTicket(remote_id, key, self._browse_url(key))

    def find(self, marker: str | uuid.UUID) -> list[FiledTicket]:
        """By label; where a person cloned the ticket, the property tells which one is ours."""
        label = marker_label(marker)
        found = self.call(
            "POST",
            self._search_path,
            body={
                "jql": f'labels = "{label}"',
                "fields": list(_FIELDS_READ),
                "maxResults": 50,
                **self._search_options,
            },
            may="see issues",
        )
        issues = dig(found, "issues")
        if not isinstance(issues, list):
            raise self.unreadable(writes=False)
        ours = [issue for issue in issues if self._marker_of(issue, issues) == label]
        tickets = [self._ticket(issue) for issue in ours or issues]
        return sorted(tickets, key=lambda ticket: int(ticket.remote_id))

    def _marker_of(self, issue: Any, found: list[Any]) -> str:
        """The marker that an issue of a search's answer has as its property."""
        return text_at(issue, "properties", _PROPERTY, "marker")

    def read(self, remote_id: str) -> FiledTicket:
        try:
            issue = self.call(
                "GET",
                issue_path(remote_id),
                query={"fields": ",".join(_FIELDS_READ)},
                may="see issues",
            )
        except OutboundError as error:
            if error.status == 404:
                return FiledTicket(remote_id, "", "", TicketState.DELETED)
            raise
        return self._ticket(issue)

    def _ticket(self, issue: Any) -> FiledTicket:
        remote_id, key = text_at(issue, "id"), text_at(issue, "key", limit=60)
        if not ISSUE_ID.fullmatch(remote_id) or not _ISSUE_KEY.fullmatch(key):
            raise self.unreadable(writes=False)
        status = dig(issue, "fields", "status")
        return FiledTicket(
            remote_id,
            key,
            self._browse_url(key),
            self._state(status, dig(issue, "fields", "resolution")),
            rendering.one_line(text_at(status, "name"), 100),
            time_at(issue, "fields", "updated"),
            _assignee(issue),
        )

    def _state(self, status: Any, resolution: Any) -> TicketState:
        """The owner's table first, then what we take it for ourselves."""
        by_owner = self._state_by_owner(text_at(status, "id"), text_at(status, "name"))
        return by_owner or state_of(status, resolution)

    def comment(self, remote_id: str, text: str | Sequence[Block], marker: str | uuid.UUID) -> str:
        """Looks first among the newest hundred comments: the marker stands in the comment's text."""
        label = marker_label(marker)
        path = issue_path(remote_id) + "/comment"
        earlier = self.call(
            "GET", path, query={"orderBy": "-created", "maxResults": "100"}, may="see comments"
        )
        comments = dig(earlier, "comments")
        if not isinstance(comments, list):
            raise self.unreadable(writes=False)
        for existing in comments:
            if label in json.dumps(dig(existing, "body")) and text_at(existing, "id"):
                return text_at(existing, "id")
        made = self.call(
            "POST",
            path,
            body={"body": self._comment_body(text, f"FeedbackHub {label}")},
            writes=True,
            may="add comments",
        )
        if not text_at(made, "id"):
            raise self.unreadable(writes=True)
        return text_at(made, "id")

    def reopen(self, remote_id: str, key: str = "") -> FiledTicket:
        """By whichever transition leads to an open status and asks for nothing that we lack."""
        ticket = self.read(remote_id)
        shown = ticket.key or key or remote_id
        if ticket.state is TicketState.DELETED:
            raise OutboundError(
                f"Jira no longer shows {shown}: it was deleted, or the token may not see it.",
                Outcome.REFUSED_FOR_GOOD,
                status=404,
            )
        if ticket.is_open:
            return ticket
        path = issue_path(remote_id) + "/transitions"
        offered = self.call("GET", path, query={"expand": "transitions.fields"}, may="see issues")
        ways = [way for way in list_at(offered, "transitions") if _is_walkable(way)]
        for wanted in (TicketState.OPEN, TicketState.IN_PROGRESS):
            for way in ways:
                if self._state(way.get("to"), None) is wanted:
                    self.call(
                        "POST",
                        path,
                        body={"transition": {"id": text_at(way, "id")}},
                        writes=True,
                        may_be_empty=True,
                        may="move issues between statuses",
                    )
                    name = rendering.one_line(text_at(way, "to", "name"), 100)
                    return FiledTicket(remote_id, ticket.key, ticket.url, wanted, name)
        raise CannotReopen(
            f"Jira offers the token no way from “{ticket.status_name}” back to an open status for "
            f"{shown}. Reopen it there by hand.",
            Outcome.REFUSED_FOR_GOOD,
        )

    def statuses(self) -> list[RemoteStatus]:
        """Of every issue type of the project; one name may stand for several ids."""
        types = self.call(
            "GET", f"/project/{self.project}/statuses", may="see the project's statuses"
        )
        if not isinstance(types, list):
            raise self.unreadable(writes=False)
        wanted = folded(str(self.config.get("issue_type") or ""))
        mine = [t for t in types if folded(text_at(t, "name")) == wanted] or types
        found = {
            text_at(status, "id"): RemoteStatus(
                text_at(status, "id"),
                rendering.one_line(text_at(status, "name"), 100),
                state_of(status, None),
            )
            for each in mine
            for status in list_at(each, "statuses")
            if text_at(status, "id") and text_at(status, "name")
        }
        return list(found.values())

    def comments(self, remote_id: str) -> list[RemoteComment]:
        said = self.call(
            "GET",
            issue_path(remote_id) + "/comment",
            query={"orderBy": "-created", "maxResults": str(COMMENTS_SHOWN)},
            may="see comments",
        )
        comments = dig(said, "comments")
        if not isinstance(comments, list):
            raise self.unreadable(writes=False)
        return [
            RemoteComment(
                rendering.one_line(text_at(comment, "author", "displayName"), 100),
                rendering.clean(text_of_adf(dig(comment, "body")))[:4_000],
                time_at(comment, "created"),
                text_at(comment, "id"),
                is_ours=holds_marker(json.dumps(dig(comment, "body"))),
                is_by_team=self._is_by_team(dig(comment, "author")),
            )
            for comment in comments[:COMMENTS_SHOWN]
        ]

    def _is_by_team(self, author: Any) -> bool:
        """Portal customers comment too; an account that says nothing of its type is nobody we know."""
        return text_at(author, "accountType") in ("atlassian", "app")

    def _browse_url(self, key: str) -> str:
        site = str(self.config.get("site_url") or "")
        if not SITE.fullmatch(site):
            site = "" if GATEWAY.fullmatch(self.base) else self.base.partition("/ex/")[0]
        return f"{site}/browse/{key}" if site and _ISSUE_KEY.fullmatch(key) else ""

    def locate(self, pasted: str) -> FiledTicket:
        key = pasted.strip()
        if "/" in key:
            link = outbound.check_url(key, service="The link", allowed_hosts=self._allowed_hosts)
            site = str(self.config.get("site_url") or "") or self.base.partition("/ex/")[0]
            if not key.lower().startswith(f"{site.lower()}/browse/"):
                raise self._foreign(pasted)
            key = link.path.rpartition("/browse/")[2].strip("/")
        key = key.upper()
        if not _ISSUE_KEY.fullmatch(key) or key.rpartition("-")[0] != self.project:
            raise self._foreign(pasted)
        issue = self.call(
            "GET", f"/issue/{key}", query={"fields": ",".join(_FIELDS_READ)}, may="see issues"
        )
        return self._ticket(issue)

    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        self.call(
            "POST",
            issue_path(remote_id) + "/remotelink",
            body={
                "globalId": "feedbackhub:" + hashlib.sha256(url.encode()).hexdigest()[:40],
                "object": {"url": url, "title": rendering.one_line(title, otherwise="FeedbackHub")},
            },
            writes=True,
            may="link issues",
        )

    def attach(self, remote_id: str, *, name: str, text: str, marker: str | uuid.UUID) -> None:
        """As a file; where files are refused it is a comment."""
        try:
            jira_files.put_once(self, remote_id, name=name, text=text, marker=marker)
        except OutboundError as error:
            if not is_refused_for_good(error):
                raise
            super().attach(remote_id, name=name, text=text, marker=marker)

    # --- webhooks ---------------------------------------------------------------------------------

    def verify_webhook(
        self, raw_body: bytes, headers: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        """X-Hub-Signature over the raw bytes; sha256 whatever else the header names."""
        given = header(headers, "X-Hub-Signature")
        check_hub_signature(raw_body, self.webhook_secret, given)

    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        return jira_webhooks.event_of(raw_body, headers, state_of=self._state)


# --- small parts ----------------------------------------------------------------------------------


def _assignee(issue: Any) -> str:
    return rendering.one_line(text_at(issue, "fields", "assignee", "displayName"), 100)


def _labels(labels: Iterable[str]) -> list[str]:
    """Labels hold no blanks."""
    return without_markers("-".join(rendering.clean(label).split())[:100] for label in labels)


def _is_walkable(way: Any) -> bool:
    if not text_at(way, "id") or dig(way, "isAvailable") is False:
        return False
    fields = dig(way, "fields")
    return not any(
        dig(field, "required") is True and dig(field, "hasDefaultValue") is not True
        for field in (fields.values() if isinstance(fields, dict) else ())
    )
