"""The settings of trackers: connections, their test, their webhooks."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import list_page
from feedbackhub.outbound import OutboundError
from triage import connections, credentials
from triage.forms import ConnectionForm
from triage.hook_silence import hook_silence
from triage.models import Escalation, TrackerConnection, TrackerDelivery
from triage.trackers import TRACKERS, choices
from triage.trackers.base import ConfigError, ConnectionReport


@dataclass(frozen=True)
class Tried:
    """What a test of a connection says: facts, or what is wrong and what to do."""

    report: ConnectionReport | None = None
    error: str = ""


@project_page("see_trackers")
def settings_trackers(request):
    rows = TrackerConnection.objects.filter(project=request.project).annotate(
        ticket_count=Count("tickets", distinct=True)
    )
    found = list_page(request, rows, order=("name", "id"))
    for row in found.rows:
        row.kind = TRACKERS[row.tracker].label if row.tracker in TRACKERS else row.tracker
        row.rests = _rests(row)
    return render(
        request,
        "triage/settings_trackers.html",
        {"list": found, "trackers": choices()},
        status=found.status,
    )


def _rests(connection) -> bool:
    return connection.paused_until is not None and connection.paused_until > timezone.now()


@project_page("change_trackers")
def add_connection(request, tracker):
    if tracker not in TRACKERS:
        raise Http404
    kind = TRACKERS[tracker]
    form = ConnectionForm(request.POST or None, tracker=kind)
    result = None
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            result = _try(form, kind)
        else:
            try:
                connection = connections.create_connection(
                    project=request.project,
                    tracker=tracker,
                    config=form.config,
                    secrets=form.secrets,
                    status_map=form.cleaned_data["status_map"],
                    **form.choices_made,
                )
            except ConfigError as refused:
                form.refuse(refused.errors)
            else:
                messages.success(request, _("%s is connected.") % connection.name)
                return redirect("connection", request.project.slug, connection.public_id)
    return _form_answer(request, "triage/add_connection.html", form, result, tracker=kind.label)


def _try(form, kind, kept=None) -> Tried | None:
    """Call the tracker with what the form says; None when its adapter refuses the settings (said at the fields)."""
    secrets = {name: value or (kept or {}).get(name, "") for name, value in form.secrets.items()}
    try:
        return Tried(
            connections.try_settings(tracker=kind.name, config=form.config, secrets=secrets)
        )
    except ConfigError as refused:
        form.refuse(refused.errors)
        return None
    except OutboundError as error:
        return Tried(error=error.message)


def _form_answer(request, template, form, result, **context):
    """The page; for a test by htmx only what it found, so that what was typed stays untouched, secrets too."""
    if request.htmx and "test" in request.POST:
        return render(request, "triage/_connection_test.html", {"result": result, "form": form})
    status = 400 if form.errors else 200
    return render(request, template, {"form": form, "result": result, **context}, status=status)


def _connection(request, public_id) -> TrackerConnection:
    return get_object_or_404(
        TrackerConnection, project=request.project, public_id=public_id, tracker__in=TRACKERS
    )


@project_page("see_trackers", post="change_trackers")
def connection_page(request, public_id):
    connection = _connection(request, public_id)
    kind = connections.kind_of(connection)
    try:
        kept, is_lost = credentials.unseal(connection.credentials), ""
    except credentials.CredentialsLost as lost:
        kept, is_lost = {}, str(lost)
    form = ConnectionForm(request.POST or None, tracker=kind, connection=connection)
    result = None
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            result = _test(connection, form, kind, kept)
        else:
            try:
                connections.update_connection(
                    connection=connection,
                    config=form.config,
                    secrets=form.secrets,
                    status_map=form.cleaned_data["status_map"],
                    **form.choices_made,
                )
            except ConfigError as refused:
                connection.refresh_from_db()
                form.refuse(refused.errors)
            else:
                messages.success(request, _("Saved."))
                return redirect("connection", request.project.slug, public_id)
    deliveries = list_page(
        request,
        TrackerDelivery.objects.filter(connection=connection),
        order=("-id",),
        limit=25,
    )
    return _form_answer(
        request,
        "triage/connection.html",
        form,
        result,
        tracker=kind.label,
        connection=connection,
        is_lost=is_lost,
        rests=_rests(connection),
        webhook_url=connections.webhook_url(connection),
        has_webhook_secret=bool(kept.get("webhook_secret")),
        silence=hook_silence(connection),
        can_be_deleted=connections.can_be_deleted(connection),
        waiting=Escalation.objects.open().filter(connection=connection).count(),
        list=deliveries,
    )


def _test(connection, form, kind, kept):
    """What stands in the form; unchanged, the connection itself, which ends its pause when it works."""
    is_changed = form.config != _as_typed(connection, kind) or any(form.secrets.values())
    if is_changed:
        return _try(form, kind, kept)
    try:
        return Tried(connections.test_connection(connection=connection))
    except ConfigError as refused:
        form.refuse(refused.errors)
        return None
    except OutboundError as error:
        return Tried(error=error.message)


def _as_typed(connection, kind) -> dict:
    blank = ConnectionForm(tracker=kind, connection=connection)
    return {
        each.name: str(blank.initial.get(each.name, "")).strip()
        for each in kind.config_fields
        if not each.is_secret
    }


@project_page("change_trackers")
@require_POST
def pause_connection(request, public_id):
    connection = _connection(request, public_id)
    connections.pause_connection(
        connection=connection, reason=_("Paused by %s.") % request.user, tells_owner=False
    )
    messages.success(request, _("Paused. What is to be filed there waits."))
    return redirect("connection", request.project.slug, public_id)


@project_page("change_trackers")
@require_POST
def resume_connection(request, public_id):
    connections.resume_connection(connection=_connection(request, public_id))
    messages.success(request, _("Resumed. What waited is filed now."))
    return redirect("connection", request.project.slug, public_id)


@project_page("change_trackers")
@require_POST
def switch_connection(request, public_id):
    connection = _connection(request, public_id)
    is_active = request.POST.get("is_active") == "yes"
    connections.switch_connection(connection=connection, is_active=is_active)
    messages.success(
        request,
        _("%s is switched on.") % connection.name
        if is_active
        else _("%s is switched off.") % connection.name,
    )
    return redirect("connection", request.project.slug, public_id)


@project_page("change_trackers")
@require_POST
def delete_connection(request, public_id):
    connection = _connection(request, public_id)
    if connections.delete_connection(connection=connection):
        messages.success(request, _("%s is deleted.") % connection.name)
        return redirect("settings_trackers", request.project.slug)
    messages.error(request, _("Tickets were filed there, so it stays. Switch it off instead."))
    return redirect("connection", request.project.slug, public_id)
