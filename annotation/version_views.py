"""One frozen version: what it holds as it was then, what differs from another one, and what it is called."""

from django import forms
from django.contrib import messages
from django.db.models import F, Q
from django.db.models.functions import Left
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation import gold_versions, splits
from annotation.models import GoldRevision, GoldVersion, Split
from annotation.refusals import InvalidAnswer
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.browsing import LINE, LastUserMessage
from feedbackhub.list_pages import choice, list_page
from feedbackhub.parts.words import VERDICTS

SHOWN = 100  # differences on a page
MOST_VERSIONS = 50
FILTERS = {
    "split": filters.one_of("split", Split.values),
    "verdict": filters.one_of("revision__labels__verdict", list(VERDICTS)),
    "contaminated": filters.yes_no(Q(revision__example__is_contaminated=True)),
}


class DescribeForm(forms.Form):
    description = forms.CharField(
        label=gettext_lazy("What is new in it"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        max_length=2_000,
        required=False,
        help_text=gettext_lazy(
            "With commas between them, such as release-14. A tag names one version."
        ),
    )


@project_page("browse_gold", post="freeze_gold")
def gold_version(request, number):
    """The version's members as they were frozen; POST says what it is called."""
    version = _version(request, number)
    form = DescribeForm(
        request.POST or None,
        initial={"description": version.description, "tags": ", ".join(version.tags)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            gold_versions.describe(
                version=version,
                description=form.cleaned_data["description"],
                tags=form.cleaned_data["tags"].split(","),
            )
        except InvalidAnswer as refusal:
            form.add_error("tags", list(refusal.errors.values()))
        else:
            messages.success(request, _("Saved. What it holds stays as it is."))
            return redirect("gold_version", request.project.slug, number)
    listed = list_page(
        request,
        gold_versions.members_of(version)
        .annotate(
            question_line=LastUserMessage(F("revision__messages")),
            ideal_lines=Left("revision__ideal_answer", LINE),
        )
        .defer(
            "revision__messages",
            "revision__tools",
            "revision__context",
            "revision__ideal_answer",
            "revision__rejected_answers",
            "revision__assertions",
            "revision__example__interaction__messages",
            "revision__example__interaction__tools",
            "revision__example__interaction__output",
            "revision__example__interaction__metadata",
        ),
        order=("id",),
        allowed=FILTERS,
        chips=_chips(request),
    )
    return render(
        request,
        "annotation/gold_version.html",
        {
            "version": version,
            "list": listed,
            "form": form,
            "facts": gold_versions.facts_of(version),
            "splitter": splits.DESCRIPTION,
            "others": _others(request.project, version),
        },
        status=400 if form.errors else listed.status,
    )


def _chips(request):
    query = request.GET
    yield choice(query, "split", _("Split"), Split.choices)
    yield choice(query, "verdict", _("Verdict"), [(k, w[2]) for k, w in VERDICTS.items()])
    yield choice(query, "contaminated", _("Contaminated"), [("yes", _("only")), ("no", _("not"))])


@project_page("browse_gold")
def version_differences(request, number, other):
    """What differs from version `other` to version `number`, counted and listed by key."""
    new, old = _version(request, number), _version(request, other)
    try:
        after = int(request.GET.get("after", "0"))
        if not 0 <= after < 2**63:
            raise ValueError
    except ValueError:
        raise Http404 from None
    rows = gold_versions.differences(old, new, after=after, limit=SHOWN + 1)
    shown = rows[:SHOWN]
    revisions = (
        GoldRevision.objects.filter(pk__in=[pk for row in shown for pk in row[1:3] if pk])
        .annotate(question_line=LastUserMessage(F("messages")))
        .select_related("example")
        .only("example__public_id", "labels", "erased_at")
        .in_bulk()
    )
    return render(
        request,
        "annotation/version_differences.html",
        {
            "new": new,
            "old": old,
            "counts": gold_versions.difference_counts(old, new),
            "rows": [
                {
                    "change": change,
                    "old": revisions.get(old_pk),
                    "new": revisions.get(new_pk),
                    "either": revisions.get(new_pk) or revisions.get(old_pk),
                    "splits": (old_split, new_split),
                    "is_reworded_too": is_reworded and change == "relabelled",
                    "labels": gold_versions.label_changes(
                        revisions[old_pk].labels, revisions[new_pk].labels
                    )
                    if change == "relabelled"
                    else [],
                }
                for _example, old_pk, new_pk, change, old_split, new_split, is_reworded in shown
            ],
            "after": shown[-1][0] if len(rows) > SHOWN else None,
        },
    )


def _version(request, number) -> GoldVersion:
    found = (
        GoldVersion.objects.filter(project=request.project, number=number)
        .select_related("frozen_by")
        .first()
        if number < 2**31
        else None
    )
    if found is None:
        raise Http404
    return found


def _others(project, version):
    return (
        GoldVersion.objects.filter(project=project)
        .exclude(pk=version.pk)
        .order_by("-number")[:MOST_VERSIONS]
    )
