"""What happened to a problem, in order: reported, judged, filed, moved, fixed, verified, told, still wrong; and what is to come."""

from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db.models import Count, Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from feedbackhub.accounts.models import User
from feedbackhub.capture.models import FeedbackEvent
from feedbackhub.page_links import outside_url, page_url
from triage.models import Fix, Notice, Problem, StillWrong, TicketState

MOVES_SHOWN = 30
SAID_SHOWN = 10

_TICKET_TONES = {TicketState.DONE: "good", TicketState.DELETED: "bad"}


@dataclass(frozen=True)
class Entry:
    """The parameters of parts/_timeline_entry.html."""

    title: str
    at: datetime | None = None
    icon: str = "clock"
    tone: str = ""
    who: str = ""
    text: str = ""
    url: str = ""
    to_come: bool = False


def timeline(problem, escalations, project) -> list[Entry]:
    """Oldest first, then what has not happened yet."""
    fixes = list(problem.fixes.filter(to_confirm=False).order_by("id"))
    said = list(
        StillWrong.objects.filter(problem=problem)
        .select_related("feedback")
        .order_by("-id")[:SAID_SHOWN]
    )
    entries = [
        *_reported(problem),
        *_judged(problem),
        *_moves(problem),
        *_tickets(escalations),
        *_fixes(fixes, project),
        *_told(problem),
        *_still_wrong(said),
    ]
    return sorted(entries, key=lambda entry: entry.at) + _to_come(problem, fixes)


def _reported(problem):
    found = FeedbackEvent.objects.filter(
        interaction__problem_members__problem=problem,
        interaction__problem_members__left_at=None,
        erased_at=None,
    ).aggregate(first=Min("occurred_at"), count=Count("pk"))
    if found["count"]:
        yield Entry(
            _("Reported"),
            found["first"],
            icon="flag",
            text=ngettext("%d signal since", "%d signals since", found["count"]) % found["count"],
        )


def _judged(problem):
    found = problem.members.filter(left_at=None, settlement__is_current=True).aggregate(
        first=Min("settlement__created_at"), count=Count("pk")
    )
    if found["count"]:
        yield Entry(
            _("Judged"),
            found["first"],
            icon="scale",
            text=ngettext("%d case settled", "%d cases settled", found["count"]) % found["count"],
        )


def _moves(problem):
    """From the audit trail, which the database writes itself."""
    events = list(
        apps.get_model("triage", "ProblemEvent")
        .objects.filter(pgh_obj=problem.pk)
        .select_related("pgh_context")
        .order_by("-pgh_id")[: MOVES_SHOWN + 1]
    )
    events.reverse()
    names = _names(events)
    before = None
    for event in events:
        who = names.get(_actor(event), "")
        if event.pgh_label == "created":
            yield Entry(
                _("Opened"), problem.created_at, icon="exclamation-circle", tone="info", who=who
            )
        elif before is not None and event.state != before:
            state = Problem.State(event.state)
            yield Entry(
                str(state.label), event.pgh_created_at, who=who, **_LOOK_OF_STATE.get(state, {})
            )
        before = event.state


_LOOK_OF_STATE = {
    Problem.State.OPEN: {"icon": "exclamation-circle", "tone": "info"},
    Problem.State.INVESTIGATING: {"icon": "magnifying-glass", "tone": "accent"},
    Problem.State.FIXING: {"icon": "wrench", "tone": "accent"},
    Problem.State.SHIPPED: {"icon": "rocket-launch", "tone": "accent"},
    Problem.State.VERIFIED: {"icon": "check-badge", "tone": "good"},
    Problem.State.REGRESSED: {"icon": "arrow-uturn-left", "tone": "bad"},
    Problem.State.WONT_FIX: {"icon": "no-symbol"},
    Problem.State.DUPLICATE: {"icon": "square-2-stack"},
}


def _actor(event):
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _names(events) -> dict[int, str]:
    actors = {_actor(event) for event in events} - {None}
    return dict(User.objects.filter(pk__in=actors).values_list("pk", "name"))


def _tickets(escalations):
    for escalation in escalations:
        ticket = getattr(escalation, "ticket", None)
        if ticket is None:
            continue
        yield Entry(
            _("Ticket %s") % ticket.key,
            escalation.filed_at or ticket.created_at,
            icon="ticket",
            text=escalation.connection.name,
            url=outside_url(ticket.url),
        )
        said = ticket.get_state_display().lower()
        if ticket.state != TicketState.OPEN:
            yield Entry(
                _("%(key)s is %(state)s") % {"key": ticket.key, "state": said},
                ticket.remote_updated_at or ticket.seen_at,
                icon="ticket",
                tone=_TICKET_TONES.get(ticket.state, ""),
                text=ticket.status_name if ticket.status_name.lower() != said else "",
            )


def _fixes(fixes, project):
    for fix in fixes:
        url = page_url("fix", project.slug, fix.public_id)
        where = " ".join(filter(None, (fix.get_carrier_display(), fix.carrier_version)))
        if fix.shipped_at:
            yield Entry(
                _("Fix shipped"),
                fix.shipped_at,
                icon="rocket-launch",
                tone="accent",
                text=f"{fix.summary[:200]} · {where}",
                url=url,
            )
        else:
            yield Entry(
                _("Fix planned"), fix.created_at, icon="calendar", text=fix.summary[:200], url=url
            )
        if fix.verified_at:
            yield Entry(
                _("Fix verified"),
                fix.verified_at,
                icon="check-badge",
                tone="good",
                text=_by_what(fix.evidence),
                url=url,
            )


def _by_what(evidence) -> str:
    if evidence.get("how") == "replays":
        cases = evidence.get("cases", 0)
        passed = ngettext("its %d case passed again", "its %d cases passed again", cases) % cases
        early = _("too few answers since for the rate to tell")
        return f"{passed}; {early}" if evidence.get("is_early") else passed
    return str(evidence.get("reason", ""))


def _told(problem):
    found = Notice.objects.filter(fix__problems=problem, state=Notice.State.SENT).aggregate(
        last=Max("sent_at"), count=Count("pk")
    )
    if found["count"]:
        yield Entry(
            _("Told"),
            found["last"],
            icon="paper-airplane",
            tone="good",
            text=ngettext("%d person", "%d people", found["count"]) % found["count"],
        )


def _still_wrong(said):
    for word in said:
        yield Entry(
            _("“Still wrong”"),
            word.created_at,
            icon="hand-thumb-down",
            tone="bad",
            text=word.feedback.comment[:400] if word.feedback else "",
        )


def _to_come(problem, fixes) -> list[Entry]:
    if problem.state in (Problem.State.WONT_FIX, Problem.State.DUPLICATE, Problem.State.VERIFIED):
        return []
    entries = []
    if problem.state in Problem.UNSOLVED_STATES and not any(
        fix.state == Fix.State.PLANNED for fix in fixes
    ):
        entries.append(Entry(_("A fix ships"), icon="rocket-launch", to_come=True))
    entries.append(Entry(_("Its cases pass again"), icon="check-badge", to_come=True))
    if problem.state in Problem.UNSOLVED_STATES:
        entries.append(Entry(_("Its reporters are told"), icon="paper-airplane", to_come=True))
    return entries
