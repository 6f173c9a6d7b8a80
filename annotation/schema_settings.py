"""The settings of the label schema: what can be said about an answer, category by category.

A project has one schema of its own and may have others for some of its queues: `?schema=` names one of those. Each form
shows, while one types, how the decision will look to an expert.
"""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from annotation import category_proposals, label_schema, review_keys, review_screen
from annotation.default_schema import NAME, install_schema
from annotation.models import CategoryProposal, LabelSchema
from annotation.refusals import WrongState
from annotation.schema_forms import (
    CategoryForm,
    GuidelinesForm,
    MergeForm,
    NewSchemaForm,
    SeenForm,
    SplitForm,
    rows_form,
)
from annotation.schema_history import category_words
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.vocabulary import ReportedCategory, Severity

LISTS = {
    "rubric": (
        gettext_lazy("Criteria"),
        gettext_lazy(
            "What each answer is scored on. Say what good means, or numbers mean nothing."
        ),
    ),
    "span_labels": (
        gettext_lazy("Marks"),
        gettext_lazy(
            "What selected words can be marked as, and the category that a mark says too. "
            "The first eight have the keys 1 to 8."
        ),
    ),
    "root_causes": (
        gettext_lazy("Causes"),
        gettext_lazy("The expert's best guess at why. The first eight have keys."),
    ),
}
NOBODY = "00000000-0000-0000-0000-000000000000"


@project_page("change_label_schema")
def settings_schema(request):
    schema = schema_of(request)
    return render(
        request,
        "annotation/settings_schema.html",
        {
            **around(schema),
            "schemas": label_schema.schemas_of(request.project),
            "queues": list(label_schema.queues_of(schema).order_by("name")),
            "listed": [
                {**row, "shortcut": key}
                for row, key in zip(schema.categories, _keys(len(schema.categories)), strict=True)
            ],
            "keyless_count": max(0, len(schema.categories) - len(review_keys.CATEGORIES)),
            "former": [
                {**row, "words": category_words(row["key"], then=None, now=schema)}
                for row in schema.former
            ],
            "lists": [
                {"part": part, "title": title, "about": about, "rows": getattr(schema, part)}
                for part, (title, about) in LISTS.items()
            ],
            "proposals": category_proposals.open_proposals(schema),
            "reported_words": dict(ReportedCategory.choices),
            "new_schema": NewSchemaForm(),
            **preview_of(schema),
        },
    )


@project_page("change_label_schema")
@require_POST
def new_schema(request):
    """Another schema, for queues with other questions."""
    like, form = schema_of(request), NewSchemaForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(form.errors["name"]))
        return redirect(address(request, "settings_schema", schema=like))
    try:
        made = label_schema.make_schema(
            project=request.project, name=form.cleaned_data["name"], like=like
        )
    except WrongState as refusal:
        messages.error(request, str(refusal))
        return redirect(address(request, "settings_schema", schema=like))
    messages.success(request, _("Made. Name it in the queues that use it."))
    return redirect(address(request, "settings_schema", schema=made))


# --- one category ---------------------------------------------------------------------------------


@project_page("change_label_schema")
def new_category(request):
    """Empty, or with what an expert proposed."""
    schema = schema_of(request)
    proposal = _proposal(request, request.POST.get("proposal") or request.GET.get("proposal"))
    initial = {"seen": schema.version, "default_severity": Severity.MEDIUM}
    if proposal:
        initial |= {"name": proposal.name, "meaning": proposal.meaning}
    form = CategoryForm(request.POST or None, initial=initial)

    def add(seen, *, is_trial=False):
        made = label_schema.add_category(schema=seen, is_trial=is_trial, **form.values())
        if proposal and not is_trial:
            category_proposals.answer_proposal(
                proposal=proposal,
                by=request.user,
                state=CategoryProposal.State.ACCEPTED,
                category_key=made.category_keys[-1],
            )
        return made

    return _edit(request, form, schema, add, {"proposal": proposal}, shown="last")


@project_page("change_label_schema")
def category(request, key):
    schema = schema_of(request)
    found = schema.category(key)
    if found is None:
        raise Http404
    initial = {name: found.get(name, "") for name in CategoryForm.FIELDS}
    form = CategoryForm(request.POST or None, initial=initial | {"seen": schema.version})

    def change(seen, *, is_trial=False):
        return label_schema.change_category(
            schema=seen, key=key, is_trial=is_trial, **form.values()
        )

    more = {
        "category": found,
        "merge": MergeForm(schema=schema, key=key, initial={"seen": schema.version}),
        "split": SplitForm(initial={"seen": schema.version}),
    }
    return _edit(request, form, schema, change, more, shown=key)


@project_page("change_label_schema")
@require_POST
def merge(request, key):
    schema = schema_of(request)
    form = MergeForm(request.POST, schema=schema, key=key)
    return _act(
        request,
        form,
        lambda seen: label_schema.merge_category(
            schema=seen, key=key, into=form.cleaned_data["into"]
        ),
        _("Merged. What was said with it stays readable and counts with the other."),
    )


@project_page("change_label_schema")
@require_POST
def split(request, key):
    form = SplitForm(request.POST)
    return _act(
        request,
        form,
        lambda seen: label_schema.split_category(
            schema=seen, key=key, names=form.cleaned_data["names"]
        ),
        _(
            "Split. Say what each part means. What was said with the whole stays until somebody chooses."
        ),
    )


@project_page("change_label_schema")
@require_POST
def retire(request, key):
    return _act(
        request,
        SeenForm(request.POST),
        lambda seen: label_schema.retire_category(schema=seen, key=key),
        _("Retired. What was said with it stays."),
    )


@project_page("change_label_schema")
@require_POST
def restore(request, key):
    return _act(
        request,
        SeenForm(request.POST),
        lambda seen: label_schema.restore_category(schema=seen, key=key),
        _("It can be chosen again, and counts as itself."),
    )


@project_page("change_label_schema")
@require_POST
def move(request, key):
    by = -1 if request.POST.get("to") == "up" else 1
    return _act(
        request,
        SeenForm(request.POST),
        lambda seen: label_schema.move_category(schema=seen, key=key, by=by),
        None,
    )


# --- the rest -------------------------------------------------------------------------------------


@project_page("change_label_schema")
def guidelines(request):
    schema = schema_of(request)
    initial = {"guidelines": schema.guidelines, "seen": schema.version}
    form = GuidelinesForm(request.POST or None, initial=initial)

    def change(seen, *, is_trial=False):
        return label_schema.change_guidelines(
            schema=seen, guidelines=form.cleaned_data["guidelines"], is_trial=is_trial
        )

    return _edit(request, form, schema, change, {"is_guidelines": True})


@project_page("change_label_schema")
def schema_list(request, part):
    """The criteria, the marks or the causes, all at once."""
    if part not in LISTS:
        raise Http404
    schema = schema_of(request)
    rows = getattr(schema, part)
    about_rows = {"schema": schema} if part == "span_labels" else {}
    formset = rows_form(part)(
        request.POST or None, initial=rows, prefix="row", form_kwargs=about_rows
    )
    form = SeenForm(request.POST or None, initial={"seen": schema.version})

    def change(seen, *, is_trial=False):
        known = {row["key"] for row in getattr(seen, part)}
        return label_schema.change_list(
            schema=seen, part=part, rows=formset.rows(known), is_trial=is_trial
        )

    title, about = LISTS[part]
    more = {"formset": formset, "part": part, "title": title, "about": about}
    return _edit(request, form, schema, change, more, also=formset)


# --- steps ----------------------------------------------------------------------------------------


def schema_of(request) -> LabelSchema:
    """The schema that `?schema=` names, else the project's own."""
    name = request.GET.get("schema", NAME)
    if name == NAME:
        return label_schema.current_schema(request.project) or install_schema(request.project)
    found = label_schema.current_schema(request.project, name) if _is_name(name) else None
    if found is None:
        raise Http404
    return found


def around(schema) -> dict:
    """What every page of a schema shows; `query` keeps its links with it."""
    return {"schema": schema, "query": _query(schema)}


def address(request, name, *args, schema) -> str:
    return reverse(name, args=[request.project.slug, *args]) + _query(schema)


def preview_of(schema, *, shown: str = "") -> dict:
    """The decision as an expert sees it. `shown` is the category whose meaning stands open."""
    return {
        **review_screen.choices_of(schema),
        "schema": schema,
        "shown_meaning": shown,
        "assignment": {"public_id": NOBODY, "fence": 0, "draft_revision": 0},
        "answers": {},
        "keys": review_screen.keys_of(None),
        "is_in_hand": True,
    }


def seen_version(request, schema, number) -> LabelSchema:
    found = LabelSchema.objects.filter(
        project=request.project, name=schema.name, version=number
    ).first()
    if found is None:
        raise Http404
    return found


def _edit(request, form, schema, act, context, *, also=None, shown=""):
    is_valid = request.method == "POST" and form.is_valid() and (also is None or also.is_valid())
    if request.method == "POST" and request.htmx:
        return _trial(request, schema, act, context, is_valid=is_valid, shown=shown)
    if is_valid:
        try:
            act(seen_version(request, schema, form.cleaned_data["seen"]))
        except WrongState as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It holds from the next answer on."))
            return redirect(address(request, "settings_schema", schema=schema))
    is_wrong = bool(form.errors or (also is not None and request.method == "POST" and not is_valid))
    return render(
        request,
        "annotation/settings_list.html"
        if also is not None
        else "annotation/settings_category.html",
        {"form": form, **around(schema), **preview_of(schema, shown=shown), **context},
        status=409 if form.non_field_errors() else 400 if is_wrong else 200,
    )


def _trial(request, schema, act, context, *, is_valid, shown):
    """The preview beside the form, with what is typed as far as it fits; nothing is kept."""
    trial = schema
    if is_valid:
        try:
            trial = act(schema, is_trial=True)
        except WrongState:
            is_valid = False
    if shown == "last":
        shown = trial.category_keys[-1] if is_valid else ""
    return render(
        request,
        "annotation/_schema_preview.html",
        {**context, **preview_of(trial, shown=shown), "is_behind": not is_valid},
    )


def _act(request, form, act, message):
    """A change with one button: done, or refused with the reason, on the schema's page."""
    schema = schema_of(request)
    back = redirect(address(request, "settings_schema", schema=schema))
    if not form.is_valid():
        if "seen" in form.errors:
            raise Http404
        messages.error(
            request, " ".join(each for errors in form.errors.values() for each in errors)
        )
        return back
    try:
        act(seen_version(request, schema, form.cleaned_data["seen"]))
    except WrongState as refusal:
        messages.error(request, str(refusal))
    else:
        if message:
            messages.success(request, message)
    return back


def _keys(count: int) -> list[str]:
    keys = list(review_keys.CATEGORIES[:count])
    return keys + [""] * (count - len(keys))


def _query(schema) -> str:
    return "" if schema.name == NAME else f"?{urlencode({'schema': schema.name})}"


def _is_name(name: str) -> bool:
    return len(name) <= 80 and name.isprintable()


def _proposal(request, pk):
    if not pk or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return CategoryProposal.objects.filter(project=request.project, pk=pk, state="open").first()
