"""The settings of the label schema: what can be said about an answer, category by category."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from annotation import label_schema
from annotation.default_schema import install_schema
from annotation.models import CategoryProposal, LabelSchema
from annotation.refusals import WrongState
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.vocabulary import ReportedCategory, Severity

FIELDS = ("name", "meaning", "default_severity", "good_example", "bad_example", "reported_as")


class _SeenForm(forms.Form):
    """Carries the version that the page showed, so that two leads never undo each other."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class CategoryForm(_SeenForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    meaning = forms.CharField(
        label=gettext_lazy("What it means"),
        max_length=500,
        help_text=gettext_lazy("One sentence that experts read beside it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    default_severity = forms.ChoiceField(
        label=gettext_lazy("How bad, unless somebody says otherwise"), choices=Severity.choices
    )
    bad_example = forms.CharField(
        label=gettext_lazy("An answer that has the fault"),
        max_length=1_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    good_example = forms.CharField(
        label=gettext_lazy("The same without it"),
        max_length=1_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    reported_as = forms.MultipleChoiceField(
        label=gettext_lazy("Reporters' words that suggest it"),
        choices=ReportedCategory.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in FIELDS}


class GuidelinesForm(_SeenForm):
    guidelines = forms.CharField(
        label=gettext_lazy("How to judge, as Markdown"),
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 24}),
    )


@project_page("change_label_schema")
def settings_schema(request):
    return render(
        request,
        "annotation/settings_schema.html",
        {
            "schema": _schema(request),
            "proposals": label_schema.open_proposals(request.project),
            "reported_words": dict(ReportedCategory.choices),
        },
    )


@project_page("change_label_schema")
def new_category(request):
    """Empty, or with what an expert proposed."""
    schema = _schema(request)
    proposal = _proposal(request, request.POST.get("proposal") or request.GET.get("proposal"))
    initial = {"seen": schema.version, "default_severity": Severity.MEDIUM}
    if proposal:
        initial |= {"name": proposal.name, "meaning": proposal.meaning}
    form = CategoryForm(request.POST or None, initial=initial)

    def add(seen):
        label_schema.add_category(schema=seen, **form.values())
        if proposal:
            label_schema.close_proposal(proposal=proposal, state=CategoryProposal.State.ACCEPTED)

    return _edit(request, form, schema, add, {"proposal": proposal})


@project_page("change_label_schema")
def category(request, key):
    schema = _schema(request)
    found = schema.category(key)
    if found is None:
        raise Http404
    initial = {name: found.get(name, "") for name in FIELDS} | {"seen": schema.version}
    form = CategoryForm(request.POST or None, initial=initial)

    def change(seen):
        label_schema.change_category(schema=seen, key=key, **form.values())

    return _edit(request, form, schema, change, {"category": found})


@project_page("change_label_schema")
def guidelines(request):
    schema = _schema(request)
    initial = {"guidelines": schema.guidelines, "seen": schema.version}
    form = GuidelinesForm(request.POST or None, initial=initial)

    def change(seen):
        label_schema.change_guidelines(schema=seen, guidelines=form.cleaned_data["guidelines"])

    return _edit(request, form, schema, change, {"is_guidelines": True})


def _edit(request, form, schema, act, context):
    if request.method == "POST" and form.is_valid():
        try:
            act(_seen(request, form.cleaned_data["seen"]))
        except WrongState as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It holds from the next answer on."))
            return redirect("settings_schema", request.project.slug)
    return render(
        request,
        "annotation/settings_category.html",
        {"form": form, "schema": schema, **context},
        status=409 if form.non_field_errors() else 400 if form.errors else 200,
    )


@project_page("change_label_schema")
@require_POST
def retire(request, key):
    try:
        number = int(request.POST.get("seen", ""))
    except ValueError:
        raise Http404 from None
    try:
        label_schema.retire_category(schema=_seen(request, number), key=key)
    except WrongState as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Retired. What was said with it stays."))
    return redirect("settings_schema", request.project.slug)


@project_page("change_label_schema")
@require_POST
def decline(request, pk):
    proposal = get_object_or_404(CategoryProposal, project=request.project, pk=pk)
    label_schema.close_proposal(proposal=proposal, state=CategoryProposal.State.DECLINED)
    messages.success(request, _("Declined."))
    return redirect("settings_schema", request.project.slug)


def _schema(request) -> LabelSchema:
    return label_schema.current_schema(request.project) or install_schema(request.project)


def _seen(request, number) -> LabelSchema:
    schema = (
        LabelSchema.objects.filter(project=request.project, version=number)
        .filter(name=label_schema.NAME)
        .first()
    )
    if schema is None:
        raise Http404
    return schema


def _proposal(request, pk):
    if not pk or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return CategoryProposal.objects.filter(project=request.project, pk=pk, state="open").first()
