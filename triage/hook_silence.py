"""A tracker's webhook that has gone quiet: its tickets changed over there, and we found it out only by looking."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from triage.models import Ticket, TicketNote, TrackerDelivery

SILENT_FOR = timedelta(days=1)
OUR_DOING = timedelta(minutes=10)  # a change so soon after something we wrote may be that


@dataclass(frozen=True)
class HookSilence:
    """`since`: when it was last heard of, None for never in the days that deliveries are kept."""

    since: datetime | None
    ticket_count: int


def hook_silence(connection, *, now=None) -> HookSilence | None:
    """Nothing came from it for long although tickets changed over there; None while all is well, or nothing happened.

    That a ticket is newer by the tracker's clock than the last news can only have come from a look. What we wrote
    ourselves proves nothing: not every webhook is set to tell of that.
    """
    if not connection.is_active:
        return None
    now = now or timezone.now()
    since = (
        TrackerDelivery.objects.filter(connection=connection)
        .order_by("-id")
        .values_list("received_at", flat=True)
        .first()
    )
    if since and since > now - SILENT_FOR:
        return None
    ours = TicketNote.objects.filter(
        ticket=OuterRef("pk"), sent_at__gt=OuterRef("remote_updated_at") - OUR_DOING
    )
    changed = Ticket.objects.filter(
        Q(remote_updated_at__gt=since + OUR_DOING) if since else Q(),
        ~Exists(ours),
        connection=connection,
        remote_updated_at__gt=F("created_at") + OUR_DOING,
    )
    count = changed.count()
    return HookSilence(since, count) if count else None
