"""The ways to trackers: set up, tried, paused when their credentials fail, resumed with their work kept."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from feedbackhub.capture.vocabulary import Severity
from feedbackhub.outbound import OutboundError, Outcome
from triage import credentials, escalation, letters
from triage.models import Problem, Ticket, TicketState, TrackerConnection
from triage.trackers import TRACKERS
from triage.trackers.base import ConfigError, ConnectionReport, RemoteStatus, Tracker
from triage.trackers.reading import folded


def tracker_of(connection) -> Tracker:
    """The adapter for this connection. Raises OutboundError where its credentials can no longer be opened."""
    try:
        secrets = credentials.unseal(connection.credentials)
    except credentials.CredentialsLost as lost:
        raise OutboundError(str(lost), Outcome.REFUSED_FOR_GOOD, credential_refused=True) from None
    return TRACKERS[connection.tracker](
        connection.config, secrets, status_map=connection.status_map
    )


def kind_of(connection) -> type[Tracker]:
    """The adapter's class: its name for people, and what it promises."""
    return TRACKERS[connection.tracker]


def create_connection(
    *,
    project,
    name,
    tracker,
    config,
    secrets,
    status_map=None,
    files_by_itself=True,
    files_from=Severity.HIGH,
):
    """A new connection, its settings judged by its adapter. Raises ConfigError; calls nobody."""
    config, secrets = TRACKERS[tracker].normalise_config(config, secrets)
    try:
        with transaction.atomic():
            return TrackerConnection.objects.create(
                project=project,
                name=name,
                tracker=tracker,
                config=config,
                credentials=credentials.seal(secrets),
                status_map=status_map or {},
                files_by_itself=files_by_itself,
                files_from=files_from,
            )
    except IntegrityError:
        raise ConfigError(
            {"name": f"This project has a connection called {name} already."}
        ) from None


def update_connection(*, connection, config=None, secrets=None, **changes):
    """Change settings. A secret left empty keeps the one that is kept; new credentials end a pause.

    Secrets that no key opens any more are as good as none: the required ones must be given again. Raises ConfigError.

    `changes`: name, status_map, files_by_itself, files_from, is_active.
    """
    try:
        kept = credentials.unseal(connection.credentials)
    except credentials.CredentialsLost:
        kept = {}
    given = {name: value for name, value in (secrets or {}).items() if value}
    adapter = TRACKERS[connection.tracker]
    config, all_secrets = adapter.normalise_config(
        connection.config if config is None else config, kept | given
    )
    _demand_same_place(adapter, connection, config)
    if config.get("base_url") != connection.config.get("base_url"):
        _demand_anew(adapter, given)
    is_other = config != connection.config or all_secrets != kept
    was_active = connection.is_active
    if is_other:
        connection.account_id = ""
    connection.config, connection.credentials = config, credentials.seal(all_secrets)
    for field, value in changes.items():
        if field not in ("name", "status_map", "files_by_itself", "files_from", "is_active"):
            raise TypeError(field)
        setattr(connection, field, value)
    try:
        with transaction.atomic():
            connection.save(update_fields=["config", "credentials", "account_id", *changes])
    except IntegrityError:
        raise ConfigError(
            {"name": f"This project has a connection called {connection.name} already."}
        ) from None
    if is_other or (connection.is_active and not was_active):
        resume_connection(connection=connection)
    return connection


def _demand_same_place(adapter, connection, config) -> None:
    """Where tickets hang on it, a connection stays where it is: elsewhere their ids name strangers' tickets."""
    moved = [
        name for name in adapter.place_fields if config.get(name) != connection.config.get(name)
    ]
    if moved and not can_be_deleted(connection):
        raise ConfigError(
            dict.fromkeys(
                moved,
                "Tickets were filed there. Make a new connection for the other place, and switch this one off.",
            )
        )


def _demand_anew(adapter, given) -> None:
    """A kept token is not sent to another address: whoever may edit a connection could have it sent to their own."""
    missing = [
        field.name
        for field in adapter.config_fields
        if field.is_secret and field.required and field.name not in given
    ]
    if missing:
        raise ConfigError(dict.fromkeys(missing, "The address changed: enter this again."))


def learn_account(*, connection, tracker) -> None:
    """Who we are over there, asked once: before we write what will come back as news. A tracker that does not say is asked again."""
    if connection.account_id:
        return
    try:
        account = tracker.account_id()[:128]
    except OutboundError:
        return  # what is written next says what is wrong
    TrackerConnection.objects.filter(pk=connection.pk).update(account_id=account)


def try_settings(*, tracker, config, secrets) -> ConnectionReport:
    """Try settings that are not kept yet, without writing anything over there. Raises ConfigError, OutboundError."""
    return TRACKERS[tracker](*TRACKERS[tracker].normalise_config(config, secrets)).check()


def test_connection(*, connection) -> ConnectionReport:
    """Try it without writing anything over there; what works ends a pause. Raises OutboundError."""
    report = tracker_of(connection).check()
    if connection.is_paused:
        resume_connection(connection=connection)
    return report


test_connection.__test__ = False  # not one of pytest's


@transaction.atomic
def pause_connection(*, connection, reason, tells_owner=True):
    """Stop calling this tracker until a person has looked; its work is kept, its owners are told."""
    is_news = TrackerConnection.objects.filter(pk=connection.pk, paused_reason="").update(
        paused_reason=reason[:300]
    )
    connection.refresh_from_db(fields=["paused_reason"])
    if is_news and tells_owner:
        letters.connection_paused(connection=connection)
    return connection


def resume_connection(*, connection):
    """Call it again: what waited for it is due now, with its 72 hours before it."""
    TrackerConnection.objects.filter(pk=connection.pk).update(paused_reason="", paused_until=None)
    connection.refresh_from_db(fields=["paused_reason", "paused_until"])
    Ticket.objects.filter(connection=connection, state=TicketState.DELETED).update(
        look_at=timezone.now()  # it may have been gone for the old credentials only
    )
    escalation.resume_connection_work(connection=connection)
    return connection


def rest_connection(*, connection, until):
    """The tracker asked for a rest, or cannot be reached: one gate for all that waits for it."""
    TrackerConnection.objects.filter(pk=connection.pk).exclude(paused_until__gte=until).update(
        paused_until=until
    )


def may_be_called(*, now=None):
    """The connections that are switched on, not paused and not resting, as a queryset."""
    return TrackerConnection.objects.filter(is_active=True, paused_reason="").exclude(
        paused_until__gt=now or timezone.now()
    )


def filing_connections(*, project, severity) -> list[TrackerConnection]:
    """Those that file a problem this severe by themselves."""
    return [
        connection
        for connection in TrackerConnection.objects.filter(
            project=project, is_active=True, files_by_itself=True
        ).order_by("id")
        if Severity(severity).rank >= Severity(connection.files_from).rank
    ]


def waiting_for_a_tracker(*, project):
    """Unsolved problems without any escalation: the board says that they wait here."""
    return Problem.objects.for_project(project).unsolved().filter(escalations=None)


def webhook_url(connection) -> str:
    """What the owner pastes into the tracker's webhook settings."""
    path = reverse("tracker_hook", args=[connection.tracker, connection.public_id])
    return settings.BASE_URL + path


def switch_connection(*, connection, is_active: bool):
    """Off: nothing is filed there any more, what is there stays. On: what waited for it is due now."""
    TrackerConnection.objects.filter(pk=connection.pk).update(is_active=is_active)
    connection.refresh_from_db(fields=["is_active"])
    return resume_connection(connection=connection) if is_active else connection


def can_be_deleted(connection) -> bool:
    """Nothing was filed there, or may have been."""
    return not connection.escalations.filter(state__in=["filing", "unknown", "filed"]).exists()


@transaction.atomic
def delete_connection(*, connection) -> bool:
    """Forget a connection at which nothing was filed; False where something was: then it can be switched off."""
    row = TrackerConnection.objects.select_for_update().get(pk=connection.pk)
    if not can_be_deleted(row):
        return False
    row.delete()
    return True


def statuses_of(connection) -> list[tuple[RemoteStatus, str]]:
    """Each status over there, and the state that the owner chose for it (empty: as its tracker means it)."""
    chosen = {folded(name): state for name, state in connection.status_map.items()}
    return [
        (status, chosen.get(folded(status.id)) or chosen.get(folded(status.name)) or "")
        for status in tracker_of(connection).statuses()
    ]


def map_statuses(*, connection, states: dict[str, str]) -> None:
    """What each named status means; an empty state takes the owner's word back. Tickets are looked at anew."""
    kept = {
        name: state
        for name, state in connection.status_map.items()
        if folded(name) not in {folded(each) for each in states}
    }
    connection.status_map = kept | {name: state for name, state in states.items() if state}
    connection.save(update_fields=["status_map"])
    Ticket.objects.filter(connection=connection, look_at__isnull=False).update(
        look_at=timezone.now()
    )
