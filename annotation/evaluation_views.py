"""The gate in the browser: runs and their verdicts, answers brought in as a file, a lead's override, what must be reached."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from annotation import comparing
from annotation.evaluation import runs
from annotation.evaluation.verdict import WORST_FIRST
from annotation.evaluation_forms import CompareForm, EvaluationForm, OverrideForm, RulesForm
from annotation.models import EvalResult, EvalRun, GoldExample, GoldVersion, Split
from annotation.refusals import InvalidAnswer, Refusal
from annotation.schema_history import ProjectCategories
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import choice, list_page

MOST_VERSIONS = 50
SHOWN = 50  # cases of each kind that a run's page shows
FILTERS = {
    "split": filters.one_of("split", Split.values),
    "state": filters.one_of("state", EvalRun.State.values),
    "candidate": filters.text("candidate"),
}


@project_page("evaluate")
def evaluations(request):
    """Runs, newest first; POST brings a candidate's answers in as a file."""
    versions = list(
        GoldVersion.objects.filter(project=request.project).order_by("-number")[:MOST_VERSIONS]
    )
    form = EvaluationForm(request.POST or None, request.FILES or None, versions=versions)
    if request.method == "POST" and form.is_valid():
        run = _start(request, form, versions)
        if run:
            messages.success(request, _("Taken in. A worker assesses it now."))
            return redirect("evaluation", request.project.slug, run.public_id)
    listed = list_page(
        request,
        EvalRun.objects.filter(project=request.project)
        .select_related("version", "requested_by")
        .defer("rules"),
        order=("-id",),
        allowed=FILTERS,
        chips=[
            choice(request.GET, "split", _("Split"), Split.choices),
            choice(request.GET, "state", _("State"), EvalRun.State.choices),
        ],
        limit=25,
    )
    return render(
        request,
        "annotation/evaluations.html",
        {
            "list": listed,
            "form": form,
            "versions": versions,
            "holdout_used": runs.holdout_used(versions[0]) if versions else 0,
            "holdout_uses": runs.rules_of(request.project).holdout_uses,
        },
        status=400 if form.errors else listed.status,
    )


def _start(request, form, versions):
    said = form.cleaned_data
    version = next(each for each in versions if each.number == said["version"])
    try:
        return runs.request_evaluation(
            version=version,
            split=said["split"],
            candidate=said["candidate"],
            results=said["results"],
            versions=said["versions"],
            by=request.user,
        )
    except InvalidAnswer as refusal:
        for name, sentence in refusal.errors.items():
            is_row = name.startswith("results.")
            text = _("Line %(line)d: %(said)s") if is_row else "%(said)s"
            line = int(name.partition(".")[2]) + 1 if is_row else 0
            field = "results" if is_row else name if name in form.fields else None
            form.add_error(field, text % {"line": line, "said": sentence})
    except Refusal as refusal:
        form.add_error(None, str(refusal))
    return None


@project_page("evaluate")
def evaluation(request, public_id):
    """One run: the verdict and why, what broke, what was repaired, and each failing case with its answer."""
    run = _run(request, public_id)
    if request.htmx:
        return render(request, "annotation/_evaluation_progress.html", {"run": run})
    return _page(request, run, OverrideForm())


@project_page("approve_gold")
@require_POST
def override(request, public_id):
    run = _run(request, public_id)
    form = OverrideForm(request.POST)
    if form.is_valid():
        try:
            runs.override(run=run, by=request.user, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            form.add_error(None, str(refusal))
            return _page(request, run, form, status=409)
        messages.success(request, _("Accepted, with your reason on the record."))
        return redirect("evaluation", request.project.slug, public_id)
    return _page(request, run, form, status=400)


@project_page("approve_gold")
@require_POST
def compare_run(request, public_id):
    """Let experts compare the candidate's answers with those that were given, blind."""
    run = _run(request, public_id)
    form = CompareForm(request.POST, project=request.project)
    if not form.is_valid():
        return _page(request, run, OverrideForm(), compare=form, status=400)
    made = comparing.compare_run(run=run, by=request.user, **form.cleaned_data)
    if made:
        messages.success(
            request,
            ngettext(
                "%(count)d comparison waits in %(queue)s.",
                "%(count)d comparisons wait in %(queue)s.",
                made,
            )
            % {"count": made, "queue": form.cleaned_data["queue"]},
        )
    else:
        messages.info(request, _("There is nothing new to compare: the answers are the same."))
    return redirect("evaluation", request.project.slug, public_id)


def _run(request, public_id) -> EvalRun:
    run = (
        EvalRun.objects.filter(project=request.project, public_id=public_id)
        .select_related("version", "requested_by", "overridden_by", "baseline")
        .first()
    )
    if run is None:
        raise Http404
    return run


def _page(request, run, form, compare=None, status=200):
    summary = run.summary
    comparison = summary.get("comparison") or {}
    lists = {
        "broken": comparison.get("broken", []),
        "failed": summary.get("failed", []),
        "repaired": comparison.get("repaired", []),
    }
    asides = {name: summary.get(name, [])[:SHOWN] for name in ("undecided", "contaminated")}
    examples = _examples(request.project, lists, asides)
    answers = _answers(run, lists)
    cases = {
        name: [(each, examples.get(each["id"]), answers.get(each["id"])) for each in found[:SHOWN]]
        for name, found in lists.items()
    }
    return render(
        request,
        "annotation/evaluation.html",
        {
            "run": run,
            "summary": summary,
            "severities": [
                (name, summary["severities"][name])
                for name in WORST_FIRST
                if name in summary.get("severities", {})
            ],
            "cases": cases,
            "asides": {
                name: [examples[each] for each in ids if each in examples]
                for name, ids in asides.items()
            },
            "form": form,
            "compare": compare or CompareForm(project=request.project),
            "names": ProjectCategories(request.project).names,
        },
        status=status,
    )


def _examples(project, lists, asides) -> dict:
    """The examples that the page names, with their question in a line, by public id."""
    ids = {each["id"] for found in lists.values() for each in found[:SHOWN]}
    ids.update(*asides.values())
    rows = GoldExample.objects.filter(project=project, public_id__in=ids, erased_at=None)
    return {str(row.public_id): row for row in rows.select_related("interaction")}


def _answers(run, lists) -> dict[str, EvalResult]:
    """The first failing attempt at each case that the page shows, with the gold it was held against."""
    ids = [each["id"] for name in ("broken", "failed") for each in lists[name][:SHOWN]]
    rows = (
        EvalResult.objects.filter(run=run, passed=False, revision__example__public_id__in=ids)
        .select_related("revision__example")
        .order_by("-attempt")
    )
    return {str(row.revision.example.public_id): row for row in rows}


@project_page("evaluate", post="change_rules")
def gate_rules(request):
    """What a candidate must reach; a lead changes it, runs that were made keep what they had."""
    rules = runs.rules_of(request.project)
    form = RulesForm(
        request.POST or None,
        rules=rules,
        categories=ProjectCategories(request.project),
        shares=runs.shares_now(request.project, rules.categories),
    )
    if request.method == "POST" and form.is_valid():
        runs.change_rules(project=request.project, **form.fields_of_rules())
        messages.success(request, _("Saved. It holds for the runs to come."))
        return redirect("gate_rules", request.project.slug)
    return render(
        request,
        "annotation/gate_rules.html",
        {"form": form},
        status=400 if form.errors else 200,
    )
