"""Gold to read, one example with where it comes from and where it went, and the frozen versions."""

from django import forms
from django.contrib import messages
from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Left
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from annotation import gold as golden
from annotation.approval import ready_for_gold
from annotation.assertions import words
from annotation.lineage import lineage
from annotation.models import GoldExample, GoldRevision, GoldVersion, GoldVersionMember, Split
from annotation.refusals import InvalidAnswer
from annotation.schema_history import ProjectCategories, category_filter
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.browsing import LINE, LastUserMessage
from feedbackhub.list_pages import choice, list_page
from feedbackhub.parts.words import VERDICTS

SOME = 200  # "200+" from here on


def _current(**conditions) -> Q:
    """The example's current revision says so."""
    return Q(
        Exists(
            GoldRevision.objects.filter(example=OuterRef("pk"), is_current=True).filter(
                **conditions
            )
        )
    )


FILTERS = {
    "q": filters.words(
        lambda words: Q(
            interaction__text__search=SearchQuery(words, config="simple", search_type="websearch")
        )
    ),
    "split": filters.one_of("split", Split.values),
    "verdict": filters.Filter(
        filters.one_of("", VERDICTS).read, lambda values: _current(labels__verdict__in=values)
    ),
    "retired": filters.yes_no(Q(retired_at__isnull=False)),
    "contaminated": filters.yes_no(Q(is_contaminated=True)),
    "unsettled": filters.yes_no(Q(retired_at=None) & ~_current(settlement__is_current=True)),
    "since": filters.since("created_at"),
}


def _has_category(keys) -> Q:
    return _current(labels__categories__has_any_keys=keys)


@project_page("browse_gold")
def gold(request):
    rows = GoldExample.objects.filter(project=request.project, erased_at=None).select_related(
        "interaction"
    )
    if "retired" not in request.GET and request.GET.get("contaminated") != "yes":
        rows = rows.filter(retired_at=None)  # what was given out stays on its list
    categories = ProjectCategories(request.project)
    listed = list_page(
        request,
        rows.defer(
            "interaction__messages",
            "interaction__tools",
            "interaction__output",
            "interaction__metadata",
        ),
        order=("-id",),
        allowed={**FILTERS, "category": category_filter(request.project, _has_category)},
        chips=_chips(request, categories),
    )
    _add_revisions(listed.rows)
    return render(
        request,
        "annotation/gold.html",
        {
            "list": listed,
            "ready_count": _some(ready_for_gold(request.project)),
            "names": categories.names,
        },
        status=listed.status,
    )


def _some(queryset) -> str:
    count = queryset.values("pk")[: SOME + 1].count()
    return f"{SOME}+" if count > SOME else str(count) if count else ""


def _chips(request, categories):
    query = request.GET
    yield choice(query, "split", _("Split"), Split.choices)
    yield choice(query, "verdict", _("Verdict"), [(k, w[2]) for k, w in VERDICTS.items()])
    yield choice(query, "category", _("Category"), categories.to_choose())
    yield choice(query, "retired", _("Retired"), [("yes", _("only")), ("no", _("not"))])
    yield choice(query, "contaminated", _("Contaminated"), [("yes", _("only")), ("no", _("not"))])
    judged_since = [("yes", _("only")), ("no", _("not"))]
    yield choice(query, "unsettled", _("Judged again since"), judged_since)


def _add_revisions(examples) -> None:
    """Give each example the `revision` to read, made for a line of a table, by one query."""
    revisions = {
        revision.example_id: revision
        for revision in GoldRevision.objects.filter(
            example__in=[example.pk for example in examples], erased_at=None
        )
        .order_by("example", "-is_current", "-revision")
        .distinct("example")
        .annotate(
            question_line=LastUserMessage(F("messages")),
            ideal_lines=Left("ideal_answer", LINE),
            is_settled=F("settlement__is_current"),
        )
        .defer("messages", "tools", "context", "ideal_answer", "rejected_answers", "assertions")
    }
    for example in examples:
        example.revision = revisions.get(example.pk)


@project_page("browse_gold")
def gold_example(request, public_id):
    """One example: a page of its own, or the drawer's content."""
    example = (
        GoldExample.objects.filter(project=request.project, public_id=public_id, erased_at=None)
        .select_related("interaction__prompt_version")
        .first()
    )
    revision = example and example.revision_to_read()
    if revision is None:
        raise Http404
    return _page_of(request, example, revision)


@project_page("browse_gold")
def gold_as_of(request, number, public_id):
    """One example as a version froze it, whatever became of it since."""
    member = (
        GoldVersionMember.objects.filter(
            version__project=request.project,
            version__number=number if number < 2**31 else 0,
            revision__example__public_id=public_id,
            revision__erased_at=None,
        )
        .select_related(
            "revision__settlement__item",
            "revision__approved_by",
            "revision__example__interaction__prompt_version",
        )
        .first()
    )
    if member is None:
        raise Http404
    return _page_of(
        request, member.revision.example, member.revision, version=number, split=member.split
    )


def _page_of(request, example, revision, *, version=None, split=None):
    return render(
        request,
        "annotation/_gold_example.html" if request.htmx else "annotation/gold_example.html",
        {
            "example": example,
            "revision": revision,
            "version_number": version,
            "split": split or example.split,
            "question": next(
                (m["content"] for m in reversed(revision.messages) if m["role"] == "user"), ""
            ),
            "rejected": revision.rejected_answers[0] if revision.rejected_answers else "",
            "lineage": lineage(example, revision=revision),
            "names": ProjectCategories(request.project).names,
            "assertions": [words(assertion) for assertion in revision.assertions],
        },
    )


@project_page("approve_gold")
@require_POST
def retire(request, public_id):
    example = get_object_or_404(
        GoldExample, project=request.project, public_id=public_id, erased_at=None
    )
    golden.retire_example(example=example)
    messages.success(
        request, _("Retired. It is in no version from now on; frozen ones stay whole.")
    )
    return redirect("gold_example", request.project.slug, public_id)


@project_page("approve_gold")
@require_POST
def bring_back(request, public_id):
    example = get_object_or_404(
        GoldExample, project=request.project, public_id=public_id, erased_at=None
    )
    if golden.bring_back(example=example).retired_at:
        messages.error(request, _("Nothing of it holds any more. Approve its case again."))
    else:
        messages.success(request, _("Brought back. It is in the versions from now on."))
    return redirect("gold_example", request.project.slug, public_id)


# --- versions -------------------------------------------------------------------------------------


class FreezeForm(forms.Form):
    description = forms.CharField(
        label=gettext_lazy("What is new in it"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Words with commas between them."),
    )

    def clean_tags(self):
        return self.cleaned_data["tags"].split(",")


@project_page("browse_gold", post="freeze_gold")
def gold_versions(request):
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = golden.freeze_gold_version(
                project=request.project, by=request.user, **form.cleaned_data
            )
        except golden.NothingToFreeze as error:
            form.add_error(None, str(error))
        except InvalidAnswer as refusal:
            form.add_error("tags", list(refusal.errors.values()))
        else:
            messages.success(
                request,
                _("Version %(number)d holds %(count)d examples.")
                % {"number": version.number, "count": version.example_count},
            )
            return redirect("gold_versions", request.project.slug)
    listed = list_page(
        request,
        GoldVersion.objects.filter(project=request.project).select_related("frozen_by"),
        order=("-number",),
        limit=25,
    )
    _add_splits(listed.rows)
    living = GoldExample.objects.filter(project=request.project, retired_at=None, erased_at=None)
    return render(
        request,
        "annotation/gold_versions.html",
        {
            "list": listed,
            "form": form,
            "next_number": request.project.next_gold_version,
            "living_count": _some(living),
            "unsettled_count": _some(living.exclude(_current(settlement__is_current=True))),
        },
        status=409 if form.non_field_errors() else 400 if form.errors else listed.status,
    )


def _add_splits(versions) -> None:
    """Give each version its `splits`, {split: how many}, by one query."""
    counts = (
        GoldVersion.objects.filter(pk__in=[version.pk for version in versions])
        .values("pk", "members__split")
        .annotate(number=Count("members"))
    )
    splits = {}
    for row in counts:
        splits.setdefault(row["pk"], {})[row["members__split"]] = row["number"]
    for version in versions:
        version.splits = {split: splits.get(version.pk, {}).get(split, 0) for split in Split.values}
