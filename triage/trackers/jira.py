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
- "Done", "Won't Do" and "Duplicate" are all of the category `done`; statuses are named by their
  owners. The category and the resolution decide.
- A ticket's key changes when it moves; its numeric id does not.
- 404 also stands for "you may not see this".
- Webhooks are signed without a time: their age proves nothing, their identifier is what tells a
  replay.
"""

import base64
import hashlib
import json
import re
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import rendering
from triage.trackers.base import (
    COMMENTS_SHOWN,
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
    reworded,
)
from triage.trackers.deliveries import check_hub_signature, delivery_id, header, read_payload
from triage.trackers.markers import (
    MARKER_PREFIX,
    holds_marker,
    marker_label,
    marker_uuid,
    markers_in,
)
from triage.trackers.reading import dig, earliest, folded, list_at, text_at, time_at
from triage.trackers.settings import opened_url, secrets_and_errors, webhook_secret

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SITE = re.compile(r"https://[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.atlassian\.net")
_GATEWAY = re.compile(r"https://api\.atlassian\.com/ex/jira/" + _UUID)
_OPENED_PATH = re.compile(r"/?|/ex/jira/" + _UUID)
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{0,49}")
_ISSUE_ID = re.compile(r"[0-9]{1,19}")
_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,49}-[0-9]{1,9}")

_PROPERTY = "feedbackhub"
_FIELDS_READ = ("status", "resolution", "updated", "labels", "assignee")
_NOT_EXTRA = {"project", "issuetype", "summary", "description", "labels"}

# Names in the schemes that Jira ships; a project with other names gets no priority from us.
_PRIORITIES = {
    "critical": ("highest", "blocker", "critical"),
    "high": ("high", "critical", "major"),
    "medium": ("medium", "major"),
    "low": ("low", "minor"),
    "none": ("lowest", "trivial"),
}

_DONE = {"done", "fixed", "resolved", "completed", "complete"}
_WONT_FIX = {
    "won't do",
    "won't fix",
    "cannot reproduce",
    "declined",
    "rejected",
    "cancelled",
    "canceled",
    "known error",
    "incomplete",
    "invalid",
    "not a bug",
    "works as designed",
    "abandoned",
}
_DUPLICATE = {"duplicate", "duplicated"}

_EVENTS = {
    "jira:issue_created": EventKind.CREATED,
    "jira:issue_updated": EventKind.UPDATED,
    "jira:issue_deleted": EventKind.DELETED,
    "comment_created": EventKind.COMMENTED,
    "comment_updated": EventKind.COMMENTED,
    "comment_deleted": EventKind.COMMENTED,
}


class Jira(Tracker):
    """One project of one Jira Cloud site, under an API token or an OAuth access token."""

    name = "jira"
    label = "Jira"
    config_fields = (
        ConfigField(
            "base_url",
            "Site",
            "https://yoursite.atlassian.net; with a scoped token or a service account "
            "https://api.atlassian.com/ex/jira/ and the cloud id.",
            kind="url",
            placeholder="https://yoursite.atlassian.net",
        ),
        ConfigField("project_key", "Project key", "The letters in front of its tickets' numbers."),
        ConfigField("issue_type", "Issue type", "By name, as Jira shows it.", placeholder="Bug"),
        ConfigField(
            "email",
            "Account",
            "The e-mail address of the account the token belongs to. Leave it empty for an OAuth "
            "access token.",
            kind="email",
            required=False,
        ),
        ConfigField(
            "site_url",
            "Site for links",
            "Only with api.atlassian.com: the site that links to tickets lead to.",
            kind="url",
            required=False,
        ),
        ConfigField(
            "extra_fields",
            "Further fields",
            'What the project requires of every ticket, as JSON: {"customfield_10050": '
            '{"value": "High"}}.',
            kind="json",
            required=False,
        ),
        ConfigField(
            "api_token", "API token", "It lives a year at most: note the day.", kind="secret"
        ),
        webhook_secret("The secret entered with the webhook in Jira."),
    )
    place_fields = ("base_url", "project_key")
    create_is_repeatable = False
    look_again_after = (15, 60, 180)
    look_for_doubles_after = 300

    # Where Data Center differs: `jira_data_center`.
    _api = "/rest/api/3"
    _search_path = "/search/jql"
    _search_options: ClassVar[dict[str, Any]] = {"properties": [_PROPERTY]}

    # --- settings ---------------------------------------------------------------------------------

    @classmethod
    def normalise_config(
        cls,
        config: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        allowed_hosts: Iterable[str] | None = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        kept_secrets, errors = secrets_and_errors(cls.config_fields, secrets)
        kept: dict[str, Any] = {}
        given = {name: str(config.get(name) or "").strip() for name in (*_TEXTS, "base_url")}
        try:
            kept["base_url"] = cls._checked_base(given["base_url"], allowed_hosts)
        except ConfigError as problem:
            errors |= problem.errors
        kept["project_key"] = given["project_key"].upper()
        if not _PROJECT.fullmatch(kept["project_key"]):
            errors["project_key"] = "Project key: letters and digits, such as SUP."
        kept["issue_type"] = rendering.one_line(given["issue_type"], 100)
        if not kept["issue_type"]:
            errors["issue_type"] = "Issue type: enter its name, such as Bug."
        kept["email"] = given["email"]
        if kept["email"] and not re.fullmatch(r"[^\s:@]+@[^\s:@]+", kept["email"]):
            errors["email"] = "Account: this is no e-mail address."
        kept["site_url"] = given["site_url"].lower().removesuffix("/")
        if kept["site_url"] and not _SITE.fullmatch(kept["site_url"]):
            errors["site_url"] = "Site for links: it has the form https://yoursite.atlassian.net."
        try:
            kept["extra_fields"] = _extra_fields(config.get("extra_fields"))
        except ConfigError as problem:
            errors |= problem.errors
        if not kept["email"] and _SITE.fullmatch(kept.get("base_url", "")):
            errors["email"] = (
                "Account: a site takes an API token together with its account's e-mail address."
            )
        if errors:
            raise ConfigError(errors)
        return kept, kept_secrets

    @property
    def _base(self) -> str:
        return self._checked_base(str(self.config.get("base_url") or ""), self._allowed_hosts)

    @staticmethod
    def _checked_base(given: str, allowed_hosts: Iterable[str] | None) -> str:
        return _base_url(given, allowed_hosts)

    @staticmethod
    def _description(draft: TicketDraft) -> Any:
        return rendering.adf_description(draft)

    @staticmethod
    def _comment_body(text: str | Sequence[Block], footer: str) -> Any:
        return rendering.adf_text(text, footer)

    @property
    def _project(self) -> str:
        key = str(self.config.get("project_key") or "")
        if not _PROJECT.fullmatch(key):
            raise ConfigError({"project_key": "Project key: letters and digits, such as SUP."})
        return key

    def _browse_url(self, key: str) -> str:
        site = str(self.config.get("site_url") or "")
        if not _SITE.fullmatch(site):
            site = "" if _GATEWAY.fullmatch(self._base) else self._base.partition("/ex/")[0]
        return f"{site}/browse/{key}" if site and _ISSUE_KEY.fullmatch(key) else ""

    # --- calls ------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        *,
        may: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        writes: bool = False,
        may_be_empty: bool = False,
    ) -> Any:
        """One call; its parsed body. `may` says what the token must be allowed to do."""
        token = str(self.secrets.get("api_token") or "")
        email = str(self.config.get("email") or "")
        if not token:
            raise ConfigError({"api_token": "API token: enter one."})
        authorization = (
            "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()
            if email
            else f"Bearer {token}"
        )
        url = f"{self._base}{self._api}{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        try:
            return outbound.request_json(
                method,
                url,
                expects_write=writes,
                may_be_empty=may_be_empty,
                json=body,
                content=content,
                headers={"Authorization": authorization, **(headers or {})},
                service=self.label,
                limits=self._limits,
                allowed_hosts=self._allowed_hosts,
            ).json
        except OutboundError as error:
            raise self._explained(error, may) from None

    def _explained(self, error: OutboundError, may: str) -> OutboundError:
        """The same error, with the thing named and the next step."""
        reasons = _reasons(error)
        words = {
            401: (
                f"Jira does not accept the token of {self._project}: it is wrong, withdrawn or "
                "past its term. Make a new one and enter it in the connection's settings."
            ),
            403: (
                f"Jira refused {self._project}: the token may not {may} there. "
                "Give its account that permission, then try again."
            ),
            404: (
                f"Jira shows nothing here to the token of {self._project}: it does not exist, or "
                f"the token may not {may}."
            ),
            409: f"Jira is changing the ticket at this moment. {reasons}",
            410: f"Jira no longer offers what is needed to {may}. FeedbackHub must be updated.",
        }.get(error.status or 0)
        if words is None and error.status is not None and 400 <= error.status < 500:
            words = f"Jira refused to {may} in {self._project}. {reasons}" if reasons else None
        later = Outcome.REFUSED_TRY_LATER if error.status == 409 else None
        return reworded(error, (words or str(error)).strip(), later)

    # --- testing the connection -------------------------------------------------------------------

    def check(self) -> ConnectionReport:
        """Who we are there, whether tickets may be made, and what of them can be filled in."""
        myself = self._call("GET", "/myself", may="sign in")
        account = _account(myself)
        if not account:
            raise self._unreadable(writes=False)
        names = {
            "BROWSE_PROJECTS": "see issues",
            "CREATE_ISSUES": "create issues",
            "ADD_COMMENTS": "add comments",
            "TRANSITION_ISSUES": "move issues between statuses",
        }
        held = self._call(
            "GET",
            "/mypermissions",
            query={"projectKey": self._project, "permissions": ",".join(names)},
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
                    f"Jira refused {self._project}: the token may not {needed} there. "
                    "Give its account that permission, then test again.",
                    Outcome.REFUSED_FOR_GOOD,
                    status=403,
                )
        issue_type, fields = self._create_screen()
        self._demand_fillable(fields, {*_FILLED, *self._extra(fields)})
        warnings = [f"The token may not {words} in {self._project}." for words in missing]
        if "priority" not in fields:
            warnings.append(f"{self._project} has no priority on its create screen: none is set.")
        if "description" not in fields:
            warnings.append(f"{self._project} has no description on its create screen.")
        return ConnectionReport(
            lines=(
                f"Signed in as {rendering.one_line(text_at(myself, 'displayName'), 80)}.",
                f"Tickets go to {self._project} as {issue_type[1]}.",
            ),
            account_id=account,
            warnings=(*warnings, *self._warnings()),
        )

    def account_id(self) -> str:
        return _account(self._call("GET", "/myself", may="sign in"))

    def _pages(self, path: str, *keys: str, may: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for _ in range(10):
            page = self._call(
                "GET", path, query={"startAt": str(len(rows)), "maxResults": "200"}, may=may
            )
            found = next((page[key] for key in keys if isinstance(dig(page, key), list)), None)
            if found is None:
                raise self._unreadable(writes=False)
            rows += [row for row in found if isinstance(row, dict)]
            total = dig(page, "total")
            if not found or not isinstance(total, int) or len(rows) >= total:
                break
        return rows

    def _create_screen(self) -> tuple[tuple[str, str], dict[str, dict[str, Any]]]:
        """The issue type (id, name), and the fields that may be set when making one."""
        path = f"/issue/createmeta/{self._project}/issuetypes"
        types = self._pages(path, "issueTypes", "values", may="create issues")
        wanted = folded(str(self.config.get("issue_type") or ""))
        for row in types:
            if wanted in (folded(text_at(row, "name")), text_at(row, "id")):
                break
        else:
            offered = ", ".join(rendering.one_line(text_at(row, "name"), 40) for row in types[:12])
            raise OutboundError(
                f"Jira offers no issue type “{self.config.get('issue_type')}” in {self._project} "
                f"to this token. It offers: {offered or 'none'}.",
                Outcome.REFUSED_FOR_GOOD,
            )
        type_id = text_at(row, "id")
        if not _ISSUE_ID.fullmatch(type_id):
            raise self._unreadable(writes=False)
        fields = self._pages(
            f"{path}/{type_id}", "fields", "results", "values", may="create issues"
        )
        return (type_id, text_at(row, "name")), {
            text_at(field, "fieldId") or text_at(field, "key"): field for field in fields
        }

    def _extra(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        extra = _extra_fields(self.config.get("extra_fields"))
        for name in extra:
            if name not in fields:
                raise OutboundError(
                    f"{self._project} has no field {name} on its create screen: take it out of "
                    "the connection's further fields, or add it to the screen.",
                    Outcome.REFUSED_FOR_GOOD,
                )
        return extra

    def _demand_fillable(self, fields: Mapping[str, Any], filled: Iterable[str]) -> None:
        """Refuse before anything is sent what Jira would refuse."""
        if "labels" not in fields:
            raise OutboundError(
                f"{self._project} has no labels on its create screen. Add the field: by its label "
                "a ticket is found again when an answer gets lost.",
                Outcome.REFUSED_FOR_GOOD,
            )
        lacking = [
            rendering.one_line(text_at(field, "name") or name, 60)
            for name, field in fields.items()
            if field.get("required") is True
            and field.get("hasDefaultValue") is not True
            and name not in set(filled)
        ]
        if lacking:
            raise OutboundError(
                f"{self._project} requires of every ticket: {', '.join(lacking)}. Set it under "
                "the connection's further fields, or make it optional in Jira.",
                Outcome.REFUSED_FOR_GOOD,
            )

    # --- tickets ----------------------------------------------------------------------------------

    def create(self, draft: TicketDraft) -> FiledTicket:
        """See the contract. Two reads go first: what the create screen holds decides the body."""
        label = marker_label(draft.marker)
        (type_id, _), screen = self._create_screen()
        fields: dict[str, Any] = {
            "project": {"key": self._project},
            "issuetype": {"id": type_id},
            "summary": rendering.one_line(draft.title, otherwise="Untitled problem"),
            "labels": [label, *_labels(draft.labels)],
            **self._extra(screen),
        }
        if "description" in screen:
            fields["description"] = self._description(draft)
        if "priority" not in fields and (priority := _priority(screen, draft.severity)):
            fields["priority"] = priority
        self._demand_fillable(screen, fields)
        made = self._call(
            "POST",
            "/issue",
            body={"fields": fields, "properties": [{"key": _PROPERTY, "value": {"marker": label}}]},
            writes=True,
            may="create issues",
        )
        remote_id, key = text_at(made, "id"), text_at(made, "key")
        if not _ISSUE_ID.fullmatch(remote_id) or not _ISSUE_KEY.fullmatch(key):
            raise self._unreadable(writes=True)
        return FiledTicket(remote_id, key, self._browse_url(key))

    def find(self, marker: str | uuid.UUID) -> list[FiledTicket]:
        """By label; where a person cloned the ticket, the property tells which one is ours."""
        label = marker_label(marker)
        found = self._call(
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
            raise self._unreadable(writes=False)
        ours = [issue for issue in issues if self._marker_of(issue, issues) == label]
        tickets = [self._ticket(issue) for issue in ours or issues]
        return sorted(tickets, key=lambda ticket: int(ticket.remote_id))

    def _marker_of(self, issue: Any, found: list[Any]) -> str:
        """The marker that an issue of a search's answer has as its property."""
        return text_at(issue, "properties", _PROPERTY, "marker")

    def read(self, remote_id: str) -> FiledTicket:
        try:
            issue = self._call(
                "GET",
                _issue_path(remote_id),
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
        if not _ISSUE_ID.fullmatch(remote_id) or not _ISSUE_KEY.fullmatch(key):
            raise self._unreadable(writes=False)
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
        """The owner's table first; then the category and, of what is done, the resolution.

        A name alone never makes a ticket done. It can keep one from counting as done: a workflow
        that resolves "Won't Do" as "Done" is common.
        """
        name = text_at(status, "name")
        by_owner = self._state_by_owner(text_at(status, "id"), name)
        if by_owner is not None:
            return by_owner
        category = text_at(status, "statusCategory", "key")
        if category == "new":
            return TicketState.OPEN
        if category == "indeterminate":
            return TicketState.IN_PROGRESS
        if category != "done":
            return TicketState.UNKNOWN
        how = folded(text_at(resolution, "name"))
        for word in (how, folded(name)):
            if word in _WONT_FIX:
                return TicketState.WONT_FIX
            if word in _DUPLICATE:
                return TicketState.DUPLICATE
        return TicketState.DONE if not how or how in _DONE else TicketState.UNKNOWN

    def comment(self, remote_id: str, text: str | Sequence[Block], marker: str | uuid.UUID) -> str:
        """Looks first among the newest hundred comments: the marker stands in the comment's text."""
        label = marker_label(marker)
        path = _issue_path(remote_id) + "/comment"
        earlier = self._call(
            "GET", path, query={"orderBy": "-created", "maxResults": "100"}, may="see comments"
        )
        comments = dig(earlier, "comments")
        if not isinstance(comments, list):
            raise self._unreadable(writes=False)
        for existing in comments:
            if label in json.dumps(dig(existing, "body")) and text_at(existing, "id"):
                return text_at(existing, "id")
        made = self._call(
            "POST",
            path,
            body={"body": self._comment_body(text, f"FeedbackHub {label}")},
            writes=True,
            may="add comments",
        )
        if not text_at(made, "id"):
            raise self._unreadable(writes=True)
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
        if ticket.state in (TicketState.OPEN, TicketState.IN_PROGRESS):
            return ticket
        path = _issue_path(remote_id) + "/transitions"
        offered = self._call("GET", path, query={"expand": "transitions.fields"}, may="see issues")
        ways = [way for way in list_at(offered, "transitions") if _is_walkable(way)]
        for wanted in (TicketState.OPEN, TicketState.IN_PROGRESS):
            for way in ways:
                if self._state(way.get("to"), None) is wanted:
                    self._call(
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
        types = self._call(
            "GET", f"/project/{self._project}/statuses", may="see the project's statuses"
        )
        if not isinstance(types, list):
            raise self._unreadable(writes=False)
        wanted = folded(str(self.config.get("issue_type") or ""))
        mine = [t for t in types if folded(text_at(t, "name")) == wanted] or types
        plain = type(self)(self.config, self.secrets, allowed_hosts=self._allowed_hosts)
        found = {
            text_at(status, "id"): RemoteStatus(
                text_at(status, "id"),
                rendering.one_line(text_at(status, "name"), 100),
                plain._state(status, None),
            )
            for each in mine
            for status in list_at(each, "statuses")
            if text_at(status, "id") and text_at(status, "name")
        }
        return list(found.values())

    def comments(self, remote_id: str) -> list[RemoteComment]:
        said = self._call(
            "GET",
            _issue_path(remote_id) + "/comment",
            query={"orderBy": "-created", "maxResults": str(COMMENTS_SHOWN)},
            may="see comments",
        )
        comments = dig(said, "comments")
        if not isinstance(comments, list):
            raise self._unreadable(writes=False)
        return [
            RemoteComment(
                rendering.one_line(text_at(comment, "author", "displayName"), 100),
                rendering.clean(_plain(dig(comment, "body")))[:4_000],
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

    def locate(self, pasted: str) -> FiledTicket:
        key = pasted.strip()
        if "/" in key:
            link = outbound.check_url(key, service="The link", allowed_hosts=self._allowed_hosts)
            site = str(self.config.get("site_url") or "") or self._base.partition("/ex/")[0]
            if not key.lower().startswith(f"{site.lower()}/browse/"):
                raise self._foreign(pasted)
            key = link.path.rpartition("/browse/")[2].strip("/")
        key = key.upper()
        if not _ISSUE_KEY.fullmatch(key) or key.rpartition("-")[0] != self._project:
            raise self._foreign(pasted)
        issue = self._call(
            "GET", f"/issue/{key}", query={"fields": ",".join(_FIELDS_READ)}, may="see issues"
        )
        return self._ticket(issue)

    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        self._call(
            "POST",
            _issue_path(remote_id) + "/remotelink",
            body={
                "globalId": "feedbackhub:" + hashlib.sha256(url.encode()).hexdigest()[:40],
                "object": {"url": url, "title": rendering.one_line(title, otherwise="FeedbackHub")},
            },
            writes=True,
            may="link issues",
        )

    def attach(self, remote_id: str, *, name: str, text: str, marker: str | uuid.UUID) -> None:
        """The file's name holds the marker: whether it is there already is looked up first."""
        stem, dot, ending = name.rpartition(".")
        unique = f"{stem}-{marker_uuid(marker)[:8]}{dot}{ending}"
        try:
            shown = self._call(
                "GET", _issue_path(remote_id), query={"fields": "attachment"}, may="see issues"
            )
            there = list_at(shown, "fields", "attachment")
            if not any(text_at(each, "filename") == unique for each in there):
                self._upload(remote_id, unique, text)
        except OutboundError as error:
            if error.outcome is not Outcome.REFUSED_FOR_GOOD or error.credential_refused:
                raise
            super().attach(remote_id, name=name, text=text, marker=marker)

    def _upload(self, remote_id: str, name: str, text: str) -> None:
        boundary = f"feedbackhub-{uuid.uuid4().hex}"
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: text/markdown; charset=utf-8\r\n\r\n"
        )
        self._call(
            "POST",
            _issue_path(remote_id) + "/attachments",
            content=f"{head}{text}\r\n--{boundary}--\r\n".encode(),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "X-Atlassian-Token": "no-check",
            },
            writes=True,
            may="attach files",
        )

    # --- webhooks ---------------------------------------------------------------------------------

    def verify_webhook(
        self, raw_body: bytes, headers: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        """X-Hub-Signature over the raw bytes; sha256 whatever else the header names."""
        secret = str(self.secrets.get("webhook_secret") or "")
        check_hub_signature(raw_body, secret, header(headers, "X-Hub-Signature"))

    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        payload = read_payload(raw_body)
        kind = _EVENTS.get(text_at(payload, "webhookEvent"))
        issue, comment = dig(payload, "issue"), dig(payload, "comment")
        remote_id = text_at(issue, "id") or _issue_of_comment(comment)
        if kind is None or not _ISSUE_ID.fullmatch(remote_id):
            return None
        person = dig(comment, "author") if kind is EventKind.COMMENTED else dig(payload, "user")
        status = dig(issue, "fields", "status")
        state = self._state(status, dig(issue, "fields", "resolution")) if status else None
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
            actor_id=rendering.one_line(_account(person), 128),
            actor_name=rendering.one_line(text_at(person, "displayName"), 100),
            comment=rendering.clean(said),
            markers=markers_in(list_at(issue, "fields", "labels")),
        )


# --- small parts ----------------------------------------------------------------------------------

_TEXTS = ("project_key", "issue_type", "email", "site_url")
_FILLED = ("project", "issuetype", "summary", "description", "labels")


def _base_url(given: str, allowed_hosts: Iterable[str] | None) -> str:
    """The one form of the address that calls are built from, or ConfigError.

    A site, the gateway with a cloud id, or a host that the operator opened; nothing else, since
    whatever stands here is called with the token.
    """
    url = given.strip().removesuffix("/")
    if _SITE.fullmatch(url.lower()) or _GATEWAY.fullmatch(url.lower()):
        return url.lower()
    opened = opened_url(url, allowed_hosts)
    if opened is not None and _OPENED_PATH.fullmatch(opened.path):
        return str(opened).removesuffix("/")
    raise ConfigError(
        {
            "base_url": "Site: it has the form https://yoursite.atlassian.net, or "
            "https://api.atlassian.com/ex/jira/ and the cloud id."
        }
    )


def _extra_fields(given: Any) -> dict[str, Any]:
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise ConfigError({"extra_fields": "Further fields: this is no JSON."}) from None
    if not given:
        return {}
    if not isinstance(given, dict):
        raise ConfigError({"extra_fields": "Further fields: a JSON object of fields is needed."})
    ours = sorted(_NOT_EXTRA & set(given))
    if ours:
        raise ConfigError(
            {"extra_fields": f"Further fields: FeedbackHub itself fills in {', '.join(ours)}."}
        )
    return given


def _account(person: Any) -> str:
    """Who it is, for good; Data Center has no account ids."""
    return text_at(person, "accountId") or text_at(person, "key")


def _assignee(issue: Any) -> str:
    return rendering.one_line(text_at(issue, "fields", "assignee", "displayName"), 100)


def _plain(body: Any, depth: int = 0) -> str:
    """A comment as text: ADF's text nodes, a line for each paragraph; or what is text already."""
    if isinstance(body, str):
        return body
    if not isinstance(body, dict) or depth > 20:
        return ""
    if body.get("type") == "text":
        return text_at(body, "text", limit=10_000)
    if body.get("type") == "mention":
        return text_at(body, "attrs", "text")
    inside = "".join(_plain(child, depth + 1) for child in list_at(body, "content"))
    ends_line = body.get("type") in ("paragraph", "heading", "codeBlock", "hardBreak")
    return f"{inside}\n" if ends_line else inside


def _labels(labels: Iterable[str]) -> list[str]:
    """Labels hold no blanks; one that looks like a marker is not taken from a draft."""
    cleaned = ("-".join(rendering.clean(label).split())[:100] for label in labels)
    return list(dict.fromkeys(c for c in cleaned if c and not c.lower().startswith(MARKER_PREFIX)))


def _priority(screen: Mapping[str, Any], severity: str) -> dict[str, str] | None:
    allowed = list_at(screen, "priority", "allowedValues")
    for wanted in _PRIORITIES.get(severity, ()):
        for value in allowed:
            if folded(text_at(value, "name")) == wanted and text_at(value, "id"):
                return {"id": text_at(value, "id")}
    return None


def _is_walkable(way: Any) -> bool:
    if not text_at(way, "id") or dig(way, "isAvailable") is False:
        return False
    fields = dig(way, "fields")
    return not any(
        dig(field, "required") is True and dig(field, "hasDefaultValue") is not True
        for field in (fields.values() if isinstance(fields, dict) else ())
    )


def _issue_path(remote_id: str) -> str:
    if not _ISSUE_ID.fullmatch(remote_id):
        raise OutboundError(f"“{remote_id[:40]}” is no Jira id.", Outcome.REFUSED_FOR_GOOD)
    return f"/issue/{remote_id}"


def _issue_of_comment(comment: Any) -> str:
    """Whether comment events carry their issue is not promised; the comment's own URL names it."""
    match = re.search(r"/issue/([0-9]{1,19})/comment/", text_at(comment, "self", limit=500))
    return match[1] if match else ""


def _reasons(error: OutboundError) -> str:
    """What Jira says against each field; the words are shown, never matched."""
    said = error.answer.json if error.answer else None
    parts = [text for text in list_at(said, "errorMessages") if isinstance(text, str)]
    errors = dig(said, "errors")
    if isinstance(errors, dict):
        parts += [f"{name}: {text}" for name, text in errors.items()]
    return rendering.one_line(" ".join(parts), 300)
