"""What a person does with tickets: follow an existing one, read what was said there, ask the tracker, map its statuses."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from feedbackhub.accounts.access import project_page
from feedbackhub.outbound import OutboundError
from triage import adoption, connections, ticket_state, webhooks
from triage.models import Problem, Ticket, TicketState, TrackerConnection, TrackerDelivery
from triage.trackers import TRACKERS

# What a status over there can be taken for; "deleted" and "unknown" are not for people to choose.
CHOICES = [
    TicketState.OPEN,
    TicketState.IN_PROGRESS,
    TicketState.DONE,
    TicketState.WONT_FIX,
    TicketState.DUPLICATE,
]


@project_page("file_tickets")
@require_POST
def adopt_ticket(request, number, connection):
    """Follow the ticket behind a pasted link or key."""
    problem = get_object_or_404(Problem, project=request.project, number=number)
    connection = get_object_or_404(
        TrackerConnection, project=request.project, public_id=connection, is_active=True
    )
    pasted = request.POST.get("link", "").strip()[:500]
    try:
        if not pasted:
            raise adoption.AdoptionRefused(_("Paste the ticket's link, or its key."))
        ticket = adoption.adopt_ticket(problem=problem, connection=connection, pasted=pasted)
    except adoption.AdoptionRefused as refused:
        messages.error(request, str(refused))
    except OutboundError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            _("P%(number)d follows %(key)s.") % {"number": number, "key": ticket.key},
        )
    return redirect("problem", request.project.slug, number)


def _ticket(request, public_id) -> Ticket:
    return get_object_or_404(
        Ticket.objects.select_related("connection", "escalation__problem"),
        project=request.project,
        public_id=public_id,
    )


@project_page("see_problems")
def ticket_comments(request, public_id):
    """What was said on it, asked of the tracker now and kept nowhere."""
    ticket, comments, error = _ticket(request, public_id), [], ""
    try:
        comments = connections.tracker_of(ticket.connection).comments(ticket.remote_id)
    except OutboundError as failed:
        error = failed.message
    template = "triage/_ticket_comments.html" if request.htmx else "triage/ticket_comments.html"
    return render(request, template, {"ticket": ticket, "comments": comments, "error": error})


@project_page("file_tickets")
@require_POST
def look_at_ticket(request, public_id):
    """Ask the tracker now how it stands."""
    ticket, began = _ticket(request, public_id), timezone.now()
    Ticket.objects.filter(pk=ticket.pk).update(look_at=began)
    ticket = ticket_state.look_at_ticket(ticket=ticket)
    words = {
        "key": ticket.key,
        "state": ticket.get_state_display(),
        "connection": ticket.connection.name,
    }
    if ticket.seen_at >= began:
        messages.success(request, _("%(key)s is %(state)s.") % words)
    else:
        messages.error(
            request,
            _(
                "%(connection)s is off, paused or resting, or did not answer. %(key)s was %(state)s when last seen."
            )
            % words,
        )
    return redirect("problem", request.project.slug, ticket.escalation.problem.number)


# --- settings -------------------------------------------------------------------------------------


def _connection(request, public_id) -> TrackerConnection:
    return get_object_or_404(
        TrackerConnection, project=request.project, public_id=public_id, tracker__in=TRACKERS
    )


@project_page("see_trackers", post="change_trackers")
def connection_statuses(request, public_id):
    """Every status of the tracker, and what it means here."""
    connection, rows, error = _connection(request, public_id), [], ""
    try:
        rows = connections.statuses_of(connection)
    except OutboundError as failed:
        error = failed.message
    if request.method == "POST" and not error:
        given = {
            status.name: request.POST[f"status-{status.id}"]
            for status, _state in rows
            if f"status-{status.id}" in request.POST
        }
        connections.map_statuses(
            connection=connection,
            states={name: state if state in CHOICES else "" for name, state in given.items()},
        )
        messages.success(request, _("Saved. Its tickets are looked at anew."))
        return redirect("connection_statuses", request.project.slug, public_id)
    return render(
        request,
        "triage/connection_statuses.html",
        {
            "connection": connection,
            "tracker": connections.kind_of(connection).label,
            "rows": [
                (status.id, status, TicketState(str(status.state)).label, state)
                for status, state in rows
            ],
            "choices": [(state, state.label) for state in CHOICES],
            "error": error,
        },
        status=400 if request.method == "POST" else 200,
    )


@project_page("change_trackers")
@require_POST
def retry_delivery(request, public_id, delivery):
    """Take a webhook over once more."""
    connection = _connection(request, public_id)
    row = get_object_or_404(TrackerDelivery, connection=connection, pk=delivery)
    outcome = webhooks.retry_delivery(delivery=row)
    messages.success(request, _("Taken over again: %s.") % outcome)
    return redirect("connection", request.project.slug, public_id)
