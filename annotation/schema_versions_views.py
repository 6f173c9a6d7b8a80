"""The versions of a label schema and what changed between two of them; the schema as a file, out and in."""

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from annotation import schema_files, schema_settings
from annotation.models import LabelSchema
from annotation.refusals import WrongState
from annotation.schema_history import differences
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import list_page

PARTS = {
    "categories": gettext_lazy("Category"),
    "rubric": gettext_lazy("Criterion"),
    "span_labels": gettext_lazy("Mark"),
    "root_causes": gettext_lazy("Cause"),
    "guidelines": gettext_lazy("Guidelines"),
}
HOW = {
    "added": ("good", gettext_lazy("added")),
    "changed": ("info", gettext_lazy("changed")),
    "moved": ("neutral", gettext_lazy("in another order")),
    "removed": ("caution", gettext_lazy("removed")),
    "retired": ("caution", gettext_lazy("retired")),
    "merged": ("caution", gettext_lazy("merged into")),
    "split": ("caution", gettext_lazy("split into")),
}
FIELDS = {
    "name": gettext_lazy("Name"),
    "meaning": gettext_lazy("What it means"),
    "default_severity": gettext_lazy("How bad"),
    "good_example": gettext_lazy("Without the fault"),
    "bad_example": gettext_lazy("With the fault"),
    "reported_as": gettext_lazy("Reporters' words"),
    "category": gettext_lazy("Category"),
    "scale": gettext_lazy("From 1 to"),
    "good": gettext_lazy("What good means"),
    "required": gettext_lazy("Each answer needs it"),
    "guidelines": gettext_lazy("Text"),
}


@project_page("change_label_schema")
@require_GET
def schema_versions(request):
    """Newest first, each with how many answers were given under it."""
    schema = schema_settings.schema_of(request)
    rows = (
        LabelSchema.objects.filter(project=request.project, name=schema.name)
        .annotate(answer_count=Count("annotation", filter=Q(annotation__is_current=True)))
        .defer("guidelines", "former", "span_labels", "rubric", "root_causes")
    )
    listed = list_page(request, rows, order=("-version",), others=("schema",), limit=50)
    return render(
        request,
        "annotation/schema_versions.html",
        {**schema_settings.around(schema), "list": listed},
    )


@project_page("change_label_schema")
@require_GET
def schema_differences(request, old, new):
    schema = schema_settings.schema_of(request)
    before, after = (_version(request, schema, number) for number in (old, new))
    context = {"old": before, "new": after, "changes": worded(differences(before, after))}
    return render(
        request, "annotation/schema_differences.html", {**schema_settings.around(schema), **context}
    )


@project_page("change_label_schema")
@require_GET
def schema_file(request, number):
    """One version as JSON."""
    schema = schema_settings.schema_of(request)
    version = _version(request, schema, number)
    name = f"{request.project.slug}-{schema.name}-v{version.version}.json"
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    return HttpResponse(
        schema_files.write(version),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{safe}"'},
    )


class FileForm(schema_settings.SeenForm):
    """A file chosen, or the text of the one that was shown."""

    file = forms.FileField(
        label=gettext_lazy("A schema file (JSON)"), required=False, allow_empty_file=True
    )
    text = forms.CharField(
        widget=forms.HiddenInput, required=False, strip=False, max_length=schema_files.LARGEST
    )

    def clean(self):
        cleaned = super().clean()
        file = cleaned.get("file")
        if file is None and not cleaned.get("text"):
            self.add_error("file", _("Choose a file."))
        elif file is not None and file.size > schema_files.LARGEST:
            self.add_error("file", _("This file is larger than 1 MB."))
        elif file is not None:
            try:
                cleaned["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", _("This file is not UTF-8 text."))
        return cleaned


@project_page("change_label_schema")
def take_in_schema(request):
    """Choose a file, see what it would change, then take it in."""
    schema = schema_settings.schema_of(request)
    initial = {"seen": schema.version}
    if request.method != "POST":
        return _file_page(request, schema, FileForm(initial=initial))
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _file_page(request, schema, form, status=400)
    try:
        content = schema_files.read(form.cleaned_data["text"])
    except schema_files.UnreadableSchema as error:
        return _file_page(
            request, schema, FileForm(initial=initial), errors=error.errors, status=400
        )
    seen = schema_settings.seen_version(request, schema, form.cleaned_data["seen"])
    if "apply" not in request.POST:
        trial = schema_files.take_in(schema=schema, content=content, is_trial=True)
        changes = worded(differences(schema, trial))
        shown = FileForm(initial=initial | {"text": form.cleaned_data["text"]})
        return _file_page(request, schema, shown, changes=changes, is_read=True)
    try:
        schema_files.take_in(schema=seen, content=content)
    except WrongState as refusal:
        return _file_page(
            request, schema, FileForm(initial=initial), refusal=str(refusal), status=409
        )
    messages.success(
        request, _("The schema is what the file says. It holds from the next answer on.")
    )
    return redirect(schema_settings.address(request, "settings_schema", schema=schema))


def worded(changes) -> list[dict]:
    """Differences in words: [{"part", "how", "tone", "name", "into", "details"}]."""
    return [
        {
            **each,
            "part": PARTS[each["part"]],
            "tone": HOW[each["how"]][0],
            "how": HOW[each["how"]][1],
            "details": [
                (FIELDS.get(field, field), before, after)
                for field, before, after in each["details"]
            ],
        }
        for each in changes
    ]


def _file_page(request, schema, form, *, status=200, **context):
    return render(
        request,
        "annotation/schema_file.html",
        {**schema_settings.around(schema), "form": form, **context},
        status=status,
    )


def _version(request, schema, number) -> LabelSchema:
    if number >= 2**31:
        raise Http404
    return schema_settings.seen_version(request, schema, number)
