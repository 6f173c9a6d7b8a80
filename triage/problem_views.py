"""The pages of problems: the board, one problem, and what may be done to it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.models import Membership
from feedbackhub.filters import conditions
from feedbackhub.list_pages import ListPage, list_page
from feedbackhub.paging import BadCursor, paginate
from triage import (
    board,
    brief,
    changes,
    escalation,
    evidence,
    fixing,
    grouping_views,
    occurrence,
    priority,
    problems,
    ticket_fixes,
    ticket_notes,
    ticket_state,
    timeline,
)
from triage.forms import (
    FixableByForm,
    FixForm,
    MergeForm,
    MoveForm,
    OwnerForm,
    RenameForm,
    SeverityForm,
)
from triage.models import Escalation, Problem, ProblemMember, TicketNote, TrackerConnection

SEE = ("see_problems", "see_problems_of_own_items")


# --- the board ------------------------------------------------------------------------------------


@project_page(*SEE)
def problems_page(request):
    """The matrix above a board; with a state chosen, all problems in it as a list."""
    context = _list_context(request) if request.GET.get("state") else _board_context(request)
    return render(request, "triage/problems.html", context, status=context["list"].status)


def _chips(request, schema):
    return board.filter_chips(
        request.GET, request.project, board.possible_owners(request.project), schema
    )


def _list_context(request):
    schema = board.current_schema(request.project)
    found = list_page(
        request,
        board.visible_problems(request.membership).select_related("owner"),
        order=board.ORDER,
        allowed=board.problem_filters(request.membership),
        chips=_chips(request, schema),
    )
    return {
        "list": found,
        "cards": board.cards(found.rows, request.project),
        "categories": board.category_names(schema),
    }


def _board_context(request):
    allowed = board.problem_filters(request.membership)
    asked, errors = conditions(request.GET, allowed)
    chips = _chips(request, board.current_schema(request.project))
    visible = board.visible_problems(request.membership)
    query = request.GET.copy()

    def all_of(state):
        query["state"] = state
        return f"?{query.urlencode()}"

    rows = visible.none() if errors else visible.filter(asked)
    columns = board.board(rows, request.project, all_of)
    bubbles, is_cut = board.bubbles(rows, request.project)
    return {
        "list": ListPage([], chips, errors, is_filtered=any(request.GET.values())),
        "columns": columns,
        "bubbles": bubbles,
        "bubbles_cut_at": len(bubbles) if is_cut else 0,
        "figures": board.figures(visible),
        "is_empty": not any(column.cards for column in columns),
        "has_tracker": board.has_tracker(request.project),
    }


# --- one problem ----------------------------------------------------------------------------------


@project_page(*SEE)
def problem_page(request, number):
    return _problem_page(request, _problem(request, number))


def _problem(request, number) -> Problem:
    return get_object_or_404(
        board.visible_problems(request.membership).select_related("owner", "duplicate_of"),
        number=number,
    )


def _problem_page(request, problem, status=200, **forms):
    """The page, with whatever form came back with errors still filled in."""
    project, membership = request.project, request.membership
    schema = board.current_schema(project)
    (card,) = board.cards([problem], project)
    rows = evidence.for_reading(evidence.members(problem, membership))
    try:
        page = paginate(
            rows,
            order=evidence.ORDER,
            cursor=request.GET.get("cursor"),
            limit=evidence.AT_ONCE,
        )
    except BadCursor:
        page = paginate(rows, order=evidence.ORDER, limit=evidence.AT_ONCE)
    given_up = card.given_up
    filed_at = {each.connection_id for each in card.escalations if each.state != "cancelled"}
    return render(
        request,
        "triage/problem.html",
        {
            "problem": problem,
            "card": card,
            "factors": priority.arithmetic(problem),
            "page": page,
            "given_up": given_up,
            "told_fixes": _told_fixes(request, problem),
            "cases": evidence.cases(page.rows, project, schema, membership),
            "category": board.category_names(schema).get(problem.category, problem.category),
            "timeline": timeline.timeline(problem, card.escalations, project),
            "failed_notes": TicketNote.objects.filter(
                ticket__escalation__problem=problem, state=TicketNote.State.FAILED
            ).select_related("ticket"),
            "owners": board.possible_owners(project),
            "connections": [
                each
                for each in TrackerConnection.objects.filter(project=project, is_active=True)
                if each.pk not in filed_at
            ],
            "severities": SeverityForm.base_fields["severity"].choices,
            "fixable_by_choices": Problem.FixableBy.choices,
            "changes": changes.of_problem(problem) if membership.may("change_problems") else [],
            "occurrence": occurrence.occurrence(problem),
            "rename_form": RenameForm(initial={"title": problem.title, "summary": problem.summary}),
            "merge_form": MergeForm(),
            **forms,
        },
        status=status,
    )


def _told_fixes(request, problem):
    """What its tickets say shipped, each with the form that confirms it as it is seen here."""
    if not request.membership.may("record_fixes"):
        return []
    return [
        (
            told,
            FixForm(
                project=request.project,
                auto_id=False,
                initial=FixForm.initial_of(told.fix, [problem.number]),
            ),
        )
        for told in ticket_fixes.waiting_on(problem)
    ]


@project_page(*SEE)
def problem_brief(request, number):
    """The brief for whoever repairs it, to copy into a ticket or a prompt; with `?as=file` the Markdown itself."""
    problem = _problem(request, number)
    text = brief.brief(problem, request.membership, board.current_schema(request.project))
    if request.GET.get("as") != "file":
        return render(request, "triage/brief.html", {"problem": problem, "text": text})
    answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="P{problem.number}.md"'
    return answer


# --- what may be done to it -----------------------------------------------------------------------


@project_page("change_problems")
@require_POST
def move_problem(request, number):
    """From the state that the person saw to another; from the board (whose filters are the query) or the page."""
    problem = _problem(request, number)
    form, refused = MoveForm(request.POST), ""
    if not form.is_valid():
        refused = _("There is no such state.")
    elif form.cleaned_data["state"] == Problem.State.VERIFIED:
        refused = _(
            "P%d is verified when its cases pass again after a fix, or when a lead says why on the fix's page."
        ) % (number)
    elif form.cleaned_data["state"] == Problem.State.SHIPPED and fixing.lacks_a_fix(problem):
        return _ask_what_shipped(request, number)
    else:
        try:
            problems.move_problem_state(problem=problem, **form.cleaned_data)
        except problems.MoveRefused as error:
            refused = str(error)
    said = refused or _("P%(number)d is %(state)s.") % {
        "number": number,
        "state": Problem.State(problem.state).label.lower(),
    }
    if request.htmx:
        return _board_fragment(request, said, is_refused=bool(refused))
    (messages.error if refused else messages.success)(request, said)
    if request.POST.get("back") == "board":
        query = request.GET.urlencode()
        address = reverse("problems", args=[request.project.slug])
        return redirect(f"{address}?{query}" if query else address)
    return redirect("problem", request.project.slug, number)


def _ask_what_shipped(request, number):
    """Nothing is shipped by a drag: the fix says what, and its reporters hear of it."""
    messages.info(request, _("Say what shipped: P%d is shipped by recording its fix.") % number)
    address = reverse("record_fix", args=[request.project.slug]) + f"?problems=P{number}"
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _board_fragment(request, said, *, is_refused):
    """The board as it is now, and what stands above it: the answer to a card that was dropped."""
    response = render(
        request,
        "triage/_board_moved.html",
        _board_context(request),
        status=409 if is_refused else 200,
    )
    level = "error" if is_refused else "success"
    return trigger_client_event(response, "toast", {"text": said, "level": level})


@project_page("change_problems")
@require_POST
def rename_problem(request, number):
    problem = _problem(request, number)
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _problem_page(request, problem, 400, rename_form=form)
    problems.rename_problem(problem=problem, by=request.user, **form.cleaned_data)
    change = grouping_views.newest_change(problem)
    grouping_views.offer_undo(request, change and change.public_id, _("Saved."))
    return redirect("problem", request.project.slug, number)


@project_page("change_problems")
@require_POST
def describe_problem(request, number):
    """Its severity, its owner, or who can fix it: whichever of them is sent."""
    problem = _problem(request, number)
    for name, (make_form, change) in _DESCRIPTIONS.items():
        if name in request.POST:
            form = make_form(request.POST)
            if not form.is_valid():
                messages.error(request, _("There is no such choice."))
            else:
                try:
                    change(request, problem, form.cleaned_data[name])
                except problems.MoveRefused as refused:
                    messages.error(request, str(refused))
    return redirect("problem", request.project.slug, number)


def _set_owner(request, problem, public_id):
    membership = None
    if public_id:
        membership = get_object_or_404(
            Membership.objects.select_related("user"),
            project=request.project,
            user__public_id=public_id,
        )
    problems.set_owner(problem=problem, owner=membership.user if membership else None)


_DESCRIPTIONS = {
    "severity": (
        SeverityForm,
        lambda request, problem, value: problems.set_severity(problem=problem, severity=value),
    ),
    "fixable_by": (
        FixableByForm,
        lambda request, problem, value: problems.set_fixable_by(problem=problem, fixable_by=value),
    ),
    "owner": (OwnerForm, _set_owner),
}


@project_page("change_problems")
@require_POST
def merge_problem(request, number):
    problem = _problem(request, number)
    form = MergeForm(request.POST)
    if form.is_valid():
        into = Problem.objects.filter(
            project=request.project, number=form.cleaned_data["into"]
        ).first()
        if into is None:
            form.add_error("into", _("There is no P%d here.") % form.cleaned_data["into"])
        else:
            try:
                problems.merge_problem(problem=problem, into=into, by=request.user)
            except problems.MoveRefused as refused:
                form.add_error("into", str(refused))
            else:
                change = grouping_views.newest_change(problem)
                grouping_views.offer_undo(
                    request,
                    change and change.public_id,
                    _("P%(number)d is a duplicate of P%(into)d; its cases are there now.")
                    % {"number": number, "into": into.number},
                )
                return redirect("problem", request.project.slug, into.number)
    return _problem_page(request, problem, 400, merge_form=form)


@project_page("change_problems")
@require_POST
def leave_problem(request, number, interaction):
    """A case that does not belong here."""
    member = get_object_or_404(
        ProblemMember.objects.select_related("problem", "interaction"),
        problem=_problem(request, number),
        interaction__public_id=interaction,
        left_at=None,
    )
    problems.take_out_case(member=member, by=request.user)
    change = grouping_views.newest_change(member.problem)
    grouping_views.offer_undo(
        request,
        change and change.public_id,
        _("%(case)s left P%(number)d.")
        % {"case": member.interaction.external_id, "number": number},
    )
    return redirect("problem", request.project.slug, number)


# --- tickets --------------------------------------------------------------------------------------


@project_page("file_tickets")
@require_POST
def file_ticket(request, number, connection):
    problem = _problem(request, number)
    connection = get_object_or_404(
        TrackerConnection, project=request.project, public_id=connection, is_active=True
    )
    if problem.state in escalation.NOT_FILED:
        messages.error(request, _("Open P%d again before it is filed.") % number)
        return redirect("problem", request.project.slug, number)
    escalation.open_escalation(problem=problem, connection=connection)
    messages.success(
        request,
        _("P%(number)d is being filed at %(connection)s.")
        % {"number": number, "connection": connection.name},
    )
    return redirect("problem", request.project.slug, number)


@project_page("file_tickets")
@require_POST
def retry_escalation(request, public_id):
    row = get_object_or_404(
        Escalation.objects.select_related("problem", "connection"),
        project=request.project,
        public_id=public_id,
    )
    escalation.retry_escalation(escalation=row)
    messages.success(request, _("%s is tried again.") % row.connection.name)
    return redirect("problem", request.project.slug, row.problem.number)


@project_page("file_tickets")
@require_POST
def reopen_tickets(request, number):
    """The tracker gave it up, and a lead does not agree."""
    problem = _problem(request, number)
    if problem.state in Problem.UNSOLVED_STATES:
        ticket_notes.note_reopened(
            problem=problem, why="not_agreed", since=timezone.now(), states=ticket_state.GIVEN_UP
        )
        messages.success(request, _("Its ticket is opened again over there, and says why."))
    return redirect("problem", request.project.slug, number)


@project_page("file_tickets")
@require_POST
def retry_notes(request, number):
    """What could not be said on its tickets."""
    problem = _problem(request, number)
    for note in TicketNote.objects.filter(
        ticket__escalation__problem=problem, state=TicketNote.State.FAILED
    ):
        ticket_notes.retry_note(note=note)
    messages.success(request, _("Said again."))
    return redirect("problem", request.project.slug, number)
