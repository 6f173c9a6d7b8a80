"""The pages of grouping: what was left alone, a proposal to look at, cases moved by hand, and undoing all of it."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.models import Interaction
from feedbackhub.list_pages import choice, list_page
from triage import accepting, changes, problems, regrouping
from triage.forms import MoveCasesForm, OpenProblemForm, PutForm
from triage.models import Placement, Problem, ProblemChange, ProblemMember, Regrouping

SHOWN = 5  # cases of a proposed group that are read at once


def offer_undo(request, change_id, said) -> None:
    """A toast that takes back what was just done; the page of the problem offers it later too."""
    address = reverse("undo_change", args=[request.project.slug, change_id]) if change_id else ""
    messages.success(request, said, extra_tags=address)


def newest_change(problem):
    return next(iter(changes.of_problem(problem)), None)


# --- undo -----------------------------------------------------------------------------------------


@project_page("change_problems")
@require_POST
def undo_change(request, public_id):
    change = get_object_or_404(ProblemChange, project=request.project, public_id=public_id)
    numbers = list(change.problems.order_by("number").values_list("number", flat=True))
    try:
        changes.undo_change(change=change)
    except changes.UndoRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Undone."))
    kept = Problem.objects.filter(project=request.project, number__in=numbers).order_by("number")
    first = kept.values_list("number", flat=True).first()
    address = (
        reverse("problem", args=[request.project.slug, first])
        if first
        else reverse("problems", args=[request.project.slug])
    )
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


# --- by hand --------------------------------------------------------------------------------------


@project_page("change_problems")
def open_problem(request):
    """A problem that nobody's verdict opened, with the cases that a lead names."""
    form = OpenProblemForm(request.POST or None, project=request.project)
    if request.method == "POST" and form.is_valid():
        problem = form.open()
        messages.success(request, _("P%d is open.") % problem.number)
        return redirect("problem", request.project.slug, problem.number)
    status = 400 if form.errors else 200
    return render(request, "triage/open_problem.html", {"form": form}, status=status)


@project_page("change_problems")
@require_POST
def move_cases(request, number):
    """Picked cases go to another problem, or to a new one."""
    problem = get_object_or_404(Problem, project=request.project, number=number)
    form = MoveCasesForm(request.POST, project=request.project)
    members = list(
        ProblemMember.objects.filter(
            problem=problem,
            left_at=None,
            interaction__public_id__in=form.cases(),
        ).select_related("problem", "interaction", "settlement")
    )
    if not members:
        messages.error(request, _("Pick the cases first."))
    elif not form.is_valid():
        messages.error(
            request, " ".join(error for found in form.errors.values() for error in found)
        )
    else:
        try:
            to = problems.move_cases(members=members, by=request.user, **form.cleaned_data)
        except problems.MoveRefused as refused:
            messages.error(request, str(refused))
        else:
            said = ngettext("%(n)d case is in P%(to)d now.", "%(n)d cases are in P%(to)d now.", len(members))  # fmt: skip
            change = newest_change(to)
            offer_undo(
                request, change and change.public_id, said % {"n": len(members), "to": to.number}
            )
    return redirect("problem", request.project.slug, number)


@project_page("change_problems")
@require_POST
def pin_case(request, number, interaction):
    """It belongs here whatever it is like; posted again it need not."""
    member = get_object_or_404(
        ProblemMember,
        problem__project=request.project,
        problem__number=number,
        interaction__public_id=interaction,
        left_at=None,
    )
    problems.pin_case(member=member, is_pinned=not member.is_pinned)
    messages.success(
        request, _("Pinned: it stays here.") if member.is_pinned else _("No longer pinned.")
    )
    return redirect("problem", request.project.slug, number)


# --- what was left alone --------------------------------------------------------------------------


@project_page("see_problems")
def left_alone(request):
    """Bad answers in no problem, the newest first, each with the reason."""
    rows = (
        Placement.objects.filter(project=request.project, problem=None, interaction__erased_at=None)
        .filter(~Q(interaction__problem_members__in=ProblemMember.objects.filter(left_at=None)))
        .select_related("interaction", "nearest")
    )
    found = list_page(
        request,
        rows,
        order=("-id",),
        allowed={"reason": filters.one_of("reason", Placement.Reason.values)},
        chips=[choice(request.GET, "reason", _("Reason"), _alone_reasons())],
    )
    return render(request, "triage/left_alone.html", {"list": found}, status=found.status)


def _alone_reasons():
    return [(each, Placement.Reason(each).label) for each in Placement.LEFT_ALONE]


@project_page("change_problems")
@require_POST
def put_case(request, interaction):
    """A lead puts an answer that was left alone into a problem."""
    row = get_object_or_404(
        Interaction.objects.kept(), project=request.project, public_id=interaction
    )
    form = PutForm(request.POST, project=request.project)
    if not form.is_valid():
        messages.error(
            request, " ".join(error for found in form.errors.values() for error in found)
        )
    else:
        problem = form.cleaned_data["into"]
        change = problems.put_case(interaction=row, problem=problem, by=request.user)
        offer_undo(request, change and change.public_id, _("It is in P%d now.") % problem.number)
    return redirect("left_alone", request.project.slug)


# --- regrouping -----------------------------------------------------------------------------------


@project_page("change_problems")
def regrouping_page(request):
    """The proposal that waits for a decision or is being done, or an offer to prepare one; what came of the last."""
    waiting = regrouping.open_regrouping(request.project)
    is_at_work = waiting and waiting.state != Regrouping.State.READY
    if request.htmx and not is_at_work:
        return HttpResponseClientRefresh()
    if request.htmx:
        return render(request, "triage/_regrouping_progress.html", {"waiting": waiting})
    decided = (
        Regrouping.objects.filter(project=request.project)
        .exclude(state__in=Regrouping.OPEN_STATES)
        .select_related("decided_by", "change")
        .order_by("-id")
        .first()
    )
    return render(
        request,
        "triage/regrouping.html",
        {
            "waiting": waiting,
            "groups": _shown(request.project, waiting) if waiting else [],
            "decided": decided,
            "alone_count": Placement.objects.filter(project=request.project, problem=None).count(),
        },
    )


def _shown(project, waiting) -> list[dict]:
    """Each proposed group with its problem, how many join it, and the first of them to read."""
    first = {each["interaction"] for part in waiting.plan for each in part["joins"][:SHOWN]}
    questions = {
        row.pk: row.last_user_message
        for row in Interaction.objects.kept().filter(project=project, pk__in=first)
    }
    wanted = {part["problem"] for part in waiting.plan} | {
        each["from"] for part in waiting.plan for each in part["joins"]
    }
    known = Problem.objects.filter(project=project, pk__in=wanted - {None}).in_bulk()
    return [
        {
            "problem": known.get(part["problem"]),
            "count": len(part["joins"]),
            "more": max(len(part["joins"]) - SHOWN, 0),
            "cases": [
                {
                    "question": questions.get(each["interaction"], ""),
                    "origin": known.get(each["from"]),
                }
                for each in part["joins"][:SHOWN]
            ],
        }
        for part in waiting.plan
    ]


@project_page("change_problems")
@require_POST
def ask_regrouping(request):
    regrouping.ask_regrouping(project=request.project, by=request.user)
    return redirect("regrouping", request.project.slug)


@project_page("change_problems")
@require_POST
def decide_regrouping(request, public_id) -> HttpResponse:
    row = get_object_or_404(Regrouping, project=request.project, public_id=public_id)
    if "accept" in request.POST:
        try:
            accepting.accept_regrouping(regrouping=row, by=request.user)
        except accepting.NotReady as refused:
            messages.error(request, str(refused))
    elif regrouping.decline_regrouping(regrouping=row, by=request.user).state == "declined":
        messages.success(request, _("Declined. Nothing was moved."))
    else:
        messages.error(request, _("It was accepted already. What it did can be undone."))
    return redirect("regrouping", request.project.slug)
