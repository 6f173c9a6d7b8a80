"""Exports: ask for one, watch it, stop it, take it away."""

import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation import export_counts, exporting
from annotation.evaluation.runs import HoldoutWornOut
from annotation.export_downloads import PARTS, export_file
from annotation.export_form import ExportForm, options_in_words
from annotation.export_preview import preview_export, sample_row
from annotation.exports import FORMATS
from annotation.exports.cases import line
from annotation.exports.reasons import in_words
from annotation.models import ExportRun, GoldVersion, Split
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import choice, list_page

MOST_VERSIONS = 50
SHORT = 160  # characters of a text that a sample row shows

FILTERS = {
    "made_as": filters.one_of("format", FORMATS),
    "state": filters.one_of("state", ExportRun.State.values),
}


@project_page("export_gold")
def exports(request):
    chosen = FORMATS.get(request.GET.get("format", ""), next(iter(FORMATS.values())))
    versions = list(
        GoldVersion.objects.filter(project=request.project).order_by("-number")[:MOST_VERSIONS]
    )
    form = ExportForm(
        request.POST or None,
        versions=versions,
        initial={
            "version": versions[0].number if versions else None,
            "splits": list(chosen.usual_splits),
        },
    )
    preview = None
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            preview = _preview(form, chosen, versions)
        elif _start(request, form, chosen, versions):
            return redirect("exports", request.project.slug)
    listed = list_page(
        request,
        ExportRun.objects.filter(project=request.project).select_related("version", "requested_by"),
        order=("-id",),
        allowed=FILTERS,
        chips=[
            choice(
                request.GET,
                "made_as",
                _("Format"),
                [(name, found.label) for name, found in FORMATS.items()],
            ),
            choice(request.GET, "state", _("State"), ExportRun.State.choices),
        ],
        others=("format", "count"),
        limit=25,
    )
    for run in listed:
        _name_format(run)
    return render(
        request,
        "annotation/exports.html",
        {
            "list": listed,
            "form": form,
            "purposes": _purposes(),
            "chosen": chosen,
            "versions": versions,
            "splits": list(_split_choices(form, chosen)),
            "preview": preview,
            "counting": _counting(request, request.GET.get("count", "")),
            "preview_address": f"?format={chosen.name}#preview",
            "sample": _sample(chosen, _chosen_version(form, versions)) if versions else "",
        },
        status=400 if form.errors else listed.status,
    )


def _purposes():
    """The formats by what they are for."""
    yield _("To train with"), [found for found in FORMATS.values() if found.is_training]
    yield _("To test with, and to read"), [f for f in FORMATS.values() if not f.is_training]


def _start(request, form, chosen, versions) -> bool:
    try:
        exporting.request_export(**form.asked_for(chosen, versions), by=request.user)
    except ValidationError as error:
        form.refuse(error)
        return False
    except HoldoutWornOut as refusal:
        form.add_error("splits", str(refusal))
        return False
    messages.success(request, _("The export is on its way. It shows below how far it is."))
    return True


def _preview(form, chosen, versions) -> dict | None:
    try:
        preview = preview_export(**form.asked_for(chosen, versions))
    except ValidationError as error:
        form.refuse(error)
        return None
    return _in_words(preview)


def _in_words(preview) -> dict:
    left_out = in_words(preview["left_out"])
    return preview | {"left_out": left_out, "filter_text": json.dumps(preview["filter"])}


# --- the preview of a whole version ---------------------------------------------------------------


@project_page("export_gold")
@require_POST
def start_count(request):
    """Have a worker look at every case; the page shows how far it is."""
    given = request.POST
    try:
        filter = json.loads(given.get("filter", ""))
        options = {name: value for name, value in filter.items() if name != "splits"}
        number = int(given.get("version", ""))
    except (ValueError, AttributeError, RecursionError):
        return HttpResponseBadRequest()
    version = get_object_or_404(GoldVersion, project=request.project, number=number)
    format = given.get("format", "")
    try:
        name = export_counts.count_all(
            version=version, format=format, splits=filter.get("splits", ()), options=options
        )
    except (ValidationError, TypeError):
        return HttpResponseBadRequest()
    address = reverse("exports", args=[request.project.slug])
    return redirect(f"{address}?format={format}&count={name}#preview")


@project_page("export_gold")
def count(request, name):
    """The part of the page that asks for itself while a worker counts; without a script, the page."""
    if not request.htmx:
        return redirect("exports", request.project.slug)
    counting = _counting(request, name) or {"is_lost": True}  # nobody is to ask for it for ever
    return render(request, "annotation/_export_count.html", {"counting": counting})


def _counting(request, name) -> dict | None:
    found = export_counts.look(project=request.project.pk, name=name)
    if found is None:
        return None
    if found["state"] == export_counts.DONE:
        found["preview"] = _in_words(found["preview"])
    return found | {"name": name}


def _split_choices(form, chosen):
    """The splits with what may not leave greyed, and why."""
    given = form["splits"].value() or []
    for value, label in Split.choices:
        may_leave = value in chosen.splits
        yield {
            "value": value,
            "label": label,
            "is_chosen": value in given and may_leave,
            "is_disabled": not may_leave,
            "hint": _hint(value, may_leave),
        }


def _hint(split, may_leave) -> str:
    if not may_leave:
        return _("kept apart to test with: never in a format that trains")
    return _("each export counts as a use of it, as at the gate") if split == Split.HOLDOUT else ""


def _chosen_version(form, versions) -> GoldVersion:
    number = str(form["version"].value())
    return next((each for each in versions if str(each.number) == number), versions[0])


def _sample(chosen, version) -> str:
    """A true row of this version in this format, long texts cut; empty when none of the first cases makes one."""
    row = sample_row(version, chosen)
    if row is None:
        return ""
    if chosen.head:  # not JSON: as the file has it
        return (chosen.head + chosen.spell(_shortened(row))).decode()
    return json.dumps(_shortened(json.loads(line(row))), ensure_ascii=False, indent=2)


def _shortened(value):
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value[:4]]
    if isinstance(value, str) and len(value) > SHORT:
        return f"{value[:SHORT]}…"
    return value


def _name_format(run):
    run.format_label = FORMATS[run.format].label if run.format in FORMATS else run.format
    run.options = options_in_words(run.filter)
    run.left_out = in_words(run.manifest.get("left_out", {}))


# --- one export -----------------------------------------------------------------------------------


def _run(request, public_id) -> ExportRun:
    run = (
        ExportRun.objects.filter(project=request.project, public_id=public_id)
        .select_related("version", "requested_by", "project")
        .first()
    )
    if run is None:
        raise Http404
    _name_format(run)
    return run


@project_page("export_gold")
def export(request, public_id):
    """The row that polls itself while it runs; without a script, the list."""
    if not request.htmx:
        return redirect("exports", request.project.slug)
    return render(request, "annotation/_export.html", {"run": _run(request, public_id)})


@project_page("export_gold")
@require_POST
def cancel(request, public_id):
    run = exporting.cancel_export(run=_run(request, public_id))
    if run.state == ExportRun.State.CANCELLED:
        messages.success(request, _("Cancelled. Nothing of it was kept."))
    else:
        messages.info(request, _("It was over already."))
    return redirect("exports", request.project.slug)


@project_page("export_gold")
@require_POST
def again(request, public_id):
    """The same export anew: after a failure, or because somebody was erased since."""
    run = _run(request, public_id)
    try:
        exporting.request_export(
            version=run.version,
            format=run.format,
            splits=run.filter.get("splits", ()),
            options={name: value for name, value in run.filter.items() if name != "splits"},
            by=request.user,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except HoldoutWornOut as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The same export is on its way again."))
    return redirect("exports", request.project.slug)


@project_page("export_gold")
def manifest(request, public_id):
    run = _finished(request, public_id)
    name = f"{run.project.slug}-gold-v{run.version.number}-{run.format}.manifest.json"
    return HttpResponse(
        json.dumps(run.manifest, ensure_ascii=False, indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@project_page("export_gold")
def download(request, public_id, part):
    if part not in PARTS:
        raise Http404
    return export_file(_finished(request, public_id), part)


def _finished(request, public_id) -> ExportRun:
    run = _run(request, public_id)
    if run.state != ExportRun.State.DONE:
        raise Http404
    return run
