"""What every tracker speaks of, in our words: drafts, tickets, events, and the adapter's promises.

A tracker is a subclass of `Tracker` in the file of its name, listed in `triage.trackers.TRACKERS`; of
a long one, each part has a file beside it. It is built from plain dicts, holds no state of its own, and
reaches the outside through `outbound` only.
"""

import abc
import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from feedbackhub import outbound
from feedbackhub.outbound import Answer, Limits, OutboundError, Outcome
from triage.trackers.reading import folded
from triage.trackers.settings import ConfigError, ConfigField, secrets_and_errors

# --- what goes out --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heading:
    """Our own words above a part of the ticket."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Our own words. What they quote is shown as it is, but nothing in it works."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Names of ours beside values from anywhere, each on one line."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Verbatim:
    """Text from outside (a question, an answer, a comment), shown exactly and inert."""

    text: str


Block = Heading | Paragraph | Facts | Verbatim


@dataclass(frozen=True)
class TicketDraft:
    """A ticket to be filed.

    `marker` is a UUID version 4, stored before the first call: a ticket is found again by it, and
    the same marker never makes two tickets where the tracker allows that to be promised.
    `severity` is one of none, low, medium, high, critical. `link_back_url` is the problem's page
    here. Everything in it leaves the house: redact first.
    """

    title: str
    blocks: tuple[Block, ...]
    marker: str | uuid.UUID
    link_back_url: str
    severity: str = "none"
    labels: tuple[str, ...] = ()
    trace_url: str = ""


# --- what comes back ------------------------------------------------------------------------------

COMMENTS_SHOWN = 20


class TicketState(enum.StrEnum):
    """Where a ticket stands. Done says that its people are finished, not that a fix shipped."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    WONT_FIX = "wont_fix"
    DUPLICATE = "duplicate"
    DELETED = "deleted"
    UNKNOWN = "unknown"  # the tracker used a word that nobody told us the meaning of


@dataclass(frozen=True)
class FiledTicket:
    """A ticket as the tracker has it. `remote_id` never changes; `key` does when it moves.

    `remote_updated_at` is the tracker's own time, None where the answer did not hold it. `assignee` is the name of
    whoever is on it over there; None where the answer says nothing of it.
    """

    remote_id: str
    key: str
    url: str
    state: TicketState = TicketState.OPEN
    status_name: str = ""
    remote_updated_at: datetime | None = None
    assignee: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in (TicketState.OPEN, TicketState.IN_PROGRESS)


@dataclass(frozen=True)
class RemoteStatus:
    """One status that a ticket can have over there, and what we take it for without the owner's word."""

    id: str
    name: str
    state: TicketState


@dataclass(frozen=True)
class RemoteComment:
    """What somebody said on a ticket: shown, and stored only where it says what shipped (`ticket_fixes`).

    `is_ours` where our marker stands in it; `is_by_team` where the tracker says that they belong to those who work there.
    """

    author: str
    text: str
    at: datetime | None = None
    id: str = ""
    is_ours: bool = False
    is_by_team: bool = True


class CannotReopen(OutboundError):
    """The tracker offers no way back to an open status: a new ticket is linked instead."""


class EventKind(enum.StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    COMMENTED = "commented"


@dataclass(frozen=True)
class TrackerEvent:
    """What a webhook said of one ticket.

    `updated_at` is the earliest time the tracker gives for it, so that an event which comes late
    never seems new. `state` is None where the event says nothing of the state. `markers` are our
    UUIDs that the ticket carries: by them a ticket is adopted whose making was never answered.
    """

    delivery_id: str
    kind: EventKind
    remote_id: str
    key: str = ""
    status_name: str = ""
    state: TicketState | None = None
    updated_at: datetime | None = None
    actor_id: str = ""
    actor_name: str = ""
    comment: str = ""
    markers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Ids, states and times for a row; no names, no texts."""
        shown = asdict(self)
        del shown["actor_name"], shown["comment"]
        shown["updated_at"] = self.updated_at and self.updated_at.isoformat()
        shown["markers"] = list(self.markers)
        return shown


class WebhookRefused(Exception):
    """A webhook that does not count. `status` is the answer it deserves; the text is for the log."""

    def __init__(self, reason: str, status: int = 401):
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class ConnectionReport:
    """What a test of the connection found, in lines to show.

    `account_id` is who we are over there, as the adapter's own says. `warnings` are lines that do not stop a ticket from being filed.
    """

    lines: tuple[str, ...]
    account_id: str
    warnings: tuple[str, ...] = ()


# --- the adapter ----------------------------------------------------------------------------------


class Tracker(abc.ABC):
    """One place in one tracker.

    `config` and `secrets` are dicts with the names of `config_fields`. Operations raise
    OutboundError and nothing else for what the tracker or the network does; its outcome says
    whether the step happened. Settings are judged again at each call, so that a stored row cannot
    lead where the form would not have let it.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    config_fields: ClassVar[tuple[ConfigField, ...]]
    # What names the place: the ids of tickets mean something there only.
    place_fields: ClassVar[tuple[str, ...]]
    # May the same create be sent again after `unknown`? (True: the marker is the ticket's own id.)
    create_is_repeatable: ClassVar[bool]
    # Seconds after an unknown create at which to look by marker, before creating again.
    look_again_after: ClassVar[tuple[int, ...]]
    # Seconds after every create at which to look once more for a double; None: there can be none.
    look_for_doubles_after: ClassVar[int | None]

    def __init__(
        self,
        config: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        status_map: Mapping[str, str] | None = None,
        allowed_hosts: Iterable[str] | None = None,
        limits: Limits = outbound.LIMITS,
    ):
        self.config = dict(config)
        self.secrets = dict(secrets)
        self._status_map = {
            folded(name): TicketState(state)
            for name, state in (status_map or {}).items()
            if state in TicketState.__members__.values()
        }
        self._allowed_hosts = None if allowed_hosts is None else tuple(allowed_hosts)
        self._limits = limits

    @classmethod
    def normalise_config(
        cls,
        config: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        allowed_hosts: Iterable[str] | None = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The settings as they will be kept, unknown names dropped. Raises ConfigError."""
        kept_secrets, errors = secrets_and_errors(cls.config_fields, secrets)
        kept, more_errors = cls.judged_config(config, allowed_hosts)
        if errors | more_errors:
            raise ConfigError(errors | more_errors)
        return kept, kept_secrets

    @classmethod
    @abc.abstractmethod
    def judged_config(
        cls, config: Mapping[str, Any], allowed_hosts: Iterable[str] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """What of the settings may be shown, as it will be kept, and a sentence for each that cannot work."""

    @abc.abstractmethod
    def check(self) -> ConnectionReport:
        """Try the connection without writing anything."""

    @abc.abstractmethod
    def account_id(self) -> str:
        """Who we are over there: events by that actor are echoes of our own writes."""

    @abc.abstractmethod
    def create(self, draft: TicketDraft) -> FiledTicket:
        """File the ticket. Sent at most once per call."""

    @abc.abstractmethod
    def find(self, marker: str | uuid.UUID) -> list[FiledTicket]:
        """Every ticket that was filed with this marker, the oldest first.

        An empty list is no proof where the tracker's search lags: see `look_again_after`.
        """

    @abc.abstractmethod
    def read(self, remote_id: str) -> FiledTicket:
        """The ticket now. Gone, or no longer shown to us, is the state `deleted`."""

    @abc.abstractmethod
    def comment(self, remote_id: str, text: str | Sequence[Block], marker: str | uuid.UUID) -> str:
        """Add a comment and return its id; the same marker (a UUID version 4) adds it once."""

    @abc.abstractmethod
    def reopen(self, remote_id: str, key: str = "") -> FiledTicket:
        """Bring a finished ticket back among the open ones; an open one stays as it is."""

    @abc.abstractmethod
    def statuses(self) -> list[RemoteStatus]:
        """Every status that a ticket of this place can have."""

    @abc.abstractmethod
    def comments(self, remote_id: str) -> list[RemoteComment]:
        """The newest twenty, the newest first."""

    @abc.abstractmethod
    def locate(self, pasted: str) -> FiledTicket:
        """The ticket behind a pasted link or key. The link itself is never called; it must be of this very place."""

    @abc.abstractmethod
    def link_back(self, remote_id: str, *, url: str, title: str) -> None:
        """Set our page beside the ticket; the same URL twice is one link."""

    def attach(self, remote_id: str, *, name: str, text: str, marker: str | uuid.UUID) -> None:
        """Put a file of text to the ticket, once; where the tracker takes none it is a comment."""
        self.comment(remote_id, (Paragraph(f"{name}:"), Verbatim(text)), marker)

    @abc.abstractmethod
    def verify_webhook(
        self, raw_body: bytes, headers: Mapping[str, str], *, now: datetime | None = None
    ) -> None:
        """Raise WebhookRefused unless this very body was signed with this connection's secret."""

    @abc.abstractmethod
    def parse_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackerEvent | None:
        """What a verified webhook says; None where it is about nothing we follow."""

    def secret(self, name: str) -> str:
        """A secret that no call goes without."""
        value = str(self.secrets.get(name) or "")
        if not value:
            label = next(field.label for field in self.config_fields if field.name == name)
            raise ConfigError({name: f"{label}: enter one."})
        return value

    @property
    def webhook_secret(self) -> str:
        return str(self.secrets.get("webhook_secret") or "")

    def request(self, method: str, url: str, *, writes: bool, **options: Any) -> Answer:
        """The way out: one call within this connection's limits, its answer parsed."""
        return outbound.request_json(
            method,
            url,
            expects_write=writes,
            service=self.label,
            limits=self._limits,
            allowed_hosts=self._allowed_hosts,
            **options,
        )

    def unreadable(self, *, writes: bool) -> OutboundError:
        """The error for an answer that says yes and cannot be understood."""
        return outbound.unreadable(self.label, expects_write=writes)

    def _warnings(self) -> list[str]:
        """What a test of any connection warns of."""
        if self.webhook_secret:
            return []
        return [f"No webhook secret is set: news from {self.label} comes by polling only."]

    def _foreign(self, pasted: str) -> OutboundError:
        return OutboundError(
            f"“{pasted[:80]}” is no ticket of this connection. Paste its link, or its key.",
            Outcome.REFUSED_FOR_GOOD,
        )

    def _state_by_owner(self, *names: str) -> TicketState | None:
        """What the owner's own table says of a status, by id or by name."""
        for name in names:
            if folded(name) in self._status_map:
                return self._status_map[folded(name)]
        return None


def reworded(error: OutboundError, words: str, outcome: Outcome | None = None) -> OutboundError:
    """The same failure, with the thing named and the next step."""
    return OutboundError(
        words,
        outcome or error.outcome,
        retry_after=error.retry_after,
        status=error.status,
        credential_refused=error.credential_refused,
    )


def is_refused_for_good(error: OutboundError) -> bool:
    """Whether this very step was refused, and not the credential: another step may do instead."""
    return error.outcome is Outcome.REFUSED_FOR_GOOD and not error.credential_refused
