"""Exports: ask for one, watch it, stop it, take it away."""

import json

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from annotation import exporting
from annotation.exports import FORMATS, Case, LeftOut
from annotation.exports.cases import line
from annotation.gold_api import export_file
from annotation.models import ExportRun, GoldVersion, GoldVersionMember, Split
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import choice, list_page

MOST_VERSIONS = 50
TRIED = 20  # cases that a sample row is looked for in
SHORT = 160  # characters of a text that a sample row shows

FILTERS = {
    "made_as": filters.one_of("format", FORMATS),
    "state": filters.one_of("state", ExportRun.State.values),
}
PARTS = ("rows", "provenance")


class ExportForm(forms.Form):
    version = forms.TypedChoiceField(label=gettext_lazy("Gold version"), coerce=int)
    splits = forms.MultipleChoiceField(
        label=gettext_lazy("Splits"),
        widget=forms.CheckboxSelectMultiple,
        choices=Split.choices,
        error_messages={"required": gettext_lazy("Choose at least one split.")},
    )

    def __init__(self, *args, versions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].choices = [
            (
                version.number,
                _("Version %(number)d, %(count)d examples")
                % {"number": version.number, "count": version.example_count},
            )
            for version in versions
        ]


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
            "splits": list(chosen.splits),
        },
    )
    if request.method == "POST" and form.is_valid() and _start(request, form, chosen, versions):
        return redirect("exports", request.project.slug)
    listed = list_page(
        request,
        ExportRun.objects.filter(project=request.project)
        .select_related("version", "requested_by")
        .defer("manifest"),
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
        others=("format",),
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
            "formats": FORMATS.values(),
            "chosen": chosen,
            "versions": versions,
            "splits": list(_split_choices(form, chosen)),
            "sample": _sample(chosen, versions[0]) if versions else "",
        },
        status=400 if form.errors else listed.status,
    )


def _start(request, form, chosen, versions) -> bool:
    version = next(each for each in versions if each.number == form.cleaned_data["version"])
    try:
        exporting.request_export(
            version=version,
            format=chosen.name,
            splits=form.cleaned_data["splits"],
            by=request.user,
        )
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            form.add_error(name if name in form.fields else None, sentences)
        return False
    messages.success(request, _("The export is on its way. It shows below how far it is."))
    return True


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
            "hint": ""
            if may_leave
            else _("kept apart to test with: never in a format that trains"),
        }


def _sample(chosen, version) -> str:
    """A true row of this version in this format, long texts cut; empty when none of the first cases makes one."""
    members = GoldVersionMember.objects.filter(
        version=version, split__in=chosen.splits, revision__erased_at=None
    )
    if chosen.is_training:
        members = members.filter(
            revision__example__split__in=chosen.splits, revision__example__is_contaminated=False
        )
    cases = members.order_by("revision__example_id").values_list(
        "revision__example__public_id",
        "revision__example__interaction__external_id",
        "split",
        "revision__messages",
        "revision__context",
        "revision__ideal_answer",
        "revision__rejected_answers",
        "revision__labels",
        "revision__assertions",
    )
    for public_id, *rest in cases[:TRIED]:
        try:
            row = chosen.row(Case(str(public_id), *rest))
        except LeftOut:
            continue
        return json.dumps(_shortened(json.loads(line(row))), ensure_ascii=False, indent=2)
    return ""


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
            by=request.user,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
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
