"""The review screen: the next item of one's queues, and what an expert does with it.

An expert sees and touches only their own assignments; anybody else's is a 404. Each post works as a plain form
(redirect, or the page again with everything typed) and from the screen's scripts (`Accept: application/json`), which
get `{"message", …}`, or with a refusal `{"kind", "message", "errors", "html"}` and a status as RELIABILITY §2 says.
"""

import json
import uuid
from functools import wraps

import structlog
from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import (
    annotating,
    comparing,
    discussion,
    drafts,
    look_alikes,
    pausing,
    queries,
    review_queue,
    review_screen,
)
from annotation.models import Assignment, ReviewQueue
from annotation.refusals import (
    ClaimRefused,
    InvalidAnswer,
    LeaseLost,
    Refusal,
    StaleDraft,
    StaleSubmit,
    SubmitKeyReused,
    UndoIsOver,
    WrongState,
)
from annotation.review_forms import (
    HoldForm,
    SkipForm,
    complete_answers,
    read_answers,
    read_preference,
)
from annotation.selections import stream_of
from annotation.settling import current_schema
from feedbackhub.accounts.access import project_page
from feedbackhub.paging import BadCursor, paginate

log = structlog.get_logger(__name__)

State = Assignment.State
AHEAD = 2  # items fetched before they are asked for
FINISHED_AT_ONCE = 50


# --- pages ----------------------------------------------------------------------------------------


@project_page("judge")
@require_GET
def review(request):
    """The item in hand, or the next one of the person's queues (`?queue=` of that one, `?selection=` of those items), or
    why there is none.
    """
    try:
        assignment = _next(request)
    except ClaimRefused as refusal:
        return _nothing(request, refusal)
    if assignment is None:
        return _nothing(request)
    return redirect(_item_url(request, assignment))


@project_page("judge")
@require_GET
def review_item(request, public_id):
    """One assignment of one's own. `?part=item` answers without the frame, for the screen's scripts."""
    assignment = own_assignment(request, public_id)
    if assignment.state == State.RESERVED:
        try:
            review_queue.take_up(assignment=assignment, fence=assignment.fence)
        except LeaseLost:
            assignment = own_assignment(request, public_id)
    return _screen(request, assignment)


@project_page("judge")
@require_POST
def review_ahead(request):
    """Fetch the next items before they are asked for: the queue column, the figures, and each item in a template."""
    here = _named(request, request.POST.get("here", ""))
    line = _line(request, here)
    if len(line) < AHEAD:
        review_queue.reserve_ahead(**_whose(request), count=AHEAD)
        line = _line(request, here)
    context = around(request, here=here, ahead=line)
    known = set(
        request.POST.getlist("known")
    )  # "<id> <fence>" of those that the screen has already
    context["drawn"] = [
        (each, "" if f"{each.public_id} {each.fence}" in known else _draw_item(request, each))
        for each in line
    ]
    return render(request, "annotation/_review_ahead.html", context)


@project_page("judge")
@require_GET
def review_finished(request):
    """What the person has submitted, newest first, to be read again and revised."""
    try:
        page = paginate(
            queries.finished_by(project=request.project, expert=request.user),
            order=("-submitted_at", "-pk"),
            cursor=request.GET.get("cursor"),
            limit=FINISHED_AT_ONCE,
        )
    except BadCursor as bad:
        raise Http404 from bad
    judged = {
        annotation.assignment_id: annotation
        for annotation in annotating.Annotation.objects.current().filter(
            assignment__in=[assignment.pk for assignment in page]
        )
    }
    rows = [(assignment, judged.get(assignment.pk)) for assignment in page]
    talks = discussion.readable_by(request.membership).filter(
        pk__in=[assignment.item_id for assignment in page]
    )
    said = dict(talks.values_list("pk").annotate(Count("comments")))
    for assignment in page:
        assignment.comment_count = said.get(assignment.item_id)  # None: not to be read yet
    return render(request, "annotation/review_finished.html", {"rows": rows, "page": page})


# --- what one does with an item -------------------------------------------------------------------


def _refusable(view):
    """A refusal becomes an answer: JSON for scripts, else the item's page with everything that was typed."""

    @wraps(view)
    def wrapped(request, public_id):
        assignment = own_assignment(request, public_id)
        try:
            return view(request, assignment)
        except Refusal as refusal:
            return _refused(request, assignment, refusal)

    return wrapped


@project_page("judge")
@require_POST
@_refusable
def save_draft(request, assignment):
    hold = HoldForm.read(request.POST)
    draft = _typed(request, assignment)
    revision = drafts.save_draft(
        assignment=assignment,
        fence=hold["fence"],
        draft=draft,
        draft_revision=hold["draft_revision"],
    )
    if _wants_json(request):
        return JsonResponse({"message": _("Saved"), "draft_revision": revision})
    return redirect(_item_url(request, assignment))


@project_page("judge")
@require_POST
@_refusable
def submit_annotation(request, assignment):
    hold = HoldForm.read(request.POST)
    answers = _typed(request, assignment)
    if not comparing.is_pairwise(assignment.item):
        answers = complete_answers(answers, schema=current_schema(assignment.item.queue))
    annotation = annotating.submit_annotation(
        assignment=assignment,
        fence=hold["fence"],
        revision=hold["revision"],
        submit_key=hold["submit_key"],
        schema_version=hold["schema_version"],
        **answers,
    )
    together = look_alikes.apply(annotation=annotation, ticked=request.POST.getlist("together"))
    assignment.refresh_from_db()
    return _go_on(
        request,
        message=" ".join([*together.said(), *annotation.remarks]),
        undo=assignment if settings.UNDO_SECONDS else None,
    )


@project_page("judge")
@require_POST
@_refusable
def skip(request, assignment):
    form = SkipForm(request.POST)
    if not form.is_valid():
        raise InvalidAnswer({name: errors[0] for name, errors in form.errors.items()})
    review_queue.skip(assignment=assignment, **form.cleaned_data)
    return _go_on(request, message=_("Passed on."))


@project_page("judge")
@require_POST
@_refusable
def undo_submit(request, assignment):
    """The fence stands in the address, since the toast that offers Undo posts nothing else."""
    hold = HoldForm.read(request.POST if "fence" in request.POST else request.GET)
    look_alikes.undo_together(assignment=assignment, fence=hold["fence"])
    return _open(request, assignment, message=_("Taken back. Your answers are here."))


@project_page("judge")
@require_POST
@_refusable
def revise(request, assignment):
    annotating.revise(assignment=assignment)
    return _open(
        request, assignment, message=_("Open again. Your first answer counts until you submit.")
    )


@project_page("judge")
@require_POST
@_refusable
def take_up(request, assignment):
    """Take an own item up again: its lease was over, a lead returned it, or another window holds it."""
    return _open(
        request, review_queue.resume(assignment=assignment), message=_("It is yours again.")
    )


@project_page("judge")
@require_POST
@_refusable
def heartbeat(request, assignment):
    hold = HoldForm.read(request.POST)
    return JsonResponse(
        {"lease_until": review_queue.heartbeat(assignment=assignment, fence=hold["fence"])}
    )


@project_page("judge")
@require_POST
@_refusable
def release(request, assignment):
    """Stop here: this one and those fetched ahead go back, what was typed is kept."""
    hold = HoldForm.read(request.POST)
    review_queue.release(assignment=assignment, fence=hold["fence"])
    for ahead in queries.in_hand(project=request.project, expert=request.user).filter(
        state=State.RESERVED
    ):
        try:
            review_queue.release(assignment=ahead, fence=ahead.fence)
        except LeaseLost:
            continue
    messages.success(request, _("Given back. What you typed is kept for when you return."))
    return redirect("review_finished", request.project.slug)


# --- answers --------------------------------------------------------------------------------------


def plain_text(interaction, field) -> HttpResponse:
    return plain_response(review_screen.whole_text(interaction, field))


def plain_response(text: str | None) -> HttpResponse:
    if text is None:
        raise Http404
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="text.txt"'},
    )


def _go_on(request, *, message, undo=None):
    """After an item is done: the next one."""
    if not _wants_json(request):
        if not undo:
            messages.success(request, message)
        return redirect(_review_url(request))
    following = _following(request)
    answer = {"message": message, "next_url": _review_url(request), "next": None}
    if following:
        answer["next"] = {
            "id": following.public_id,
            "fence": following.fence,
            "url": _item_url(request, following),
        }
    if undo:
        answer["undo_url"] = _undo_url(undo)
        answer["undo_seconds"] = settings.UNDO_SECONDS
    return JsonResponse(answer)


def _open(request, assignment, *, message):
    """An item came (back) into hand: show it."""
    url = _item_url(request, assignment)
    if _wants_json(request) or request.htmx:
        opened = {
            "message": message,
            "url": url,
            "fence": assignment.fence,
            "draft_revision": assignment.draft_revision,
            "revision": review_screen.newest_revision(assignment),
        }
        response = JsonResponse(opened)
        if request.htmx:
            response = HttpResponse(status=204)
            response["HX-Trigger"] = json.dumps({"review-open": opened})
        return response
    messages.success(request, message)
    return redirect(url)


KINDS = {
    InvalidAnswer: ("invalid", 400),
    SubmitKeyReused: ("key_reused", 422),
    StaleDraft: ("stale_draft", 409),
    StaleSubmit: ("stale_submit", 409),
    LeaseLost: ("lease_lost", 409),
    UndoIsOver: ("undo_is_over", 409),
    WrongState: ("wrong_state", 409),
}


def _refused(request, assignment, refusal):
    kind, status = KINDS[type(refusal)]
    errors = getattr(refusal, "errors", {})
    assignment = own_assignment(request, assignment.public_id)
    if request.htmx and not _wants_json(request):
        response = HttpResponse(status=status)
        response["HX-Trigger"] = json.dumps({"toast": {"text": str(refusal), "level": "warning"}})
        return response
    conflict = _conflict(assignment, refusal)
    if _wants_json(request):
        html = ""
        if kind != "invalid":
            html = render_to_string(
                "annotation/_review_conflict.html",
                {"conflict": conflict, "assignment": assignment, "project": request.project},
                request,
            )
        answer = {
            "kind": kind,
            "message": str(refusal),
            "errors": errors,
            "html": html,
            "state": assignment.state,
        }
        if kind == "stale_submit" and _is_merely_late(assignment, refusal, request.POST):
            answer["take_up_url"] = reverse(
                "take_up", args=[request.project.slug, assignment.public_id]
            )
        return JsonResponse(answer, status=status)
    typed = None
    if {"verdict", "correction", "preference"} & set(request.POST):
        try:
            typed = _typed(request, assignment)
        except InvalidAnswer:
            typed = None
    conflict = conflict if kind != "invalid" else None
    return _screen(
        request, assignment, answers=typed, errors=errors, conflict=conflict, status=status
    )


def _typed(request, assignment) -> dict:
    if comparing.is_pairwise(assignment.item):
        return read_preference(request.POST)
    return read_answers(request.POST, output=assignment.item.interaction.output)


def _is_merely_late(assignment, refusal, posted) -> bool:
    """Whether only time has passed: nobody answered in between, and it is in no other window's hands."""
    is_over = assignment.state == State.EXPIRED or (
        assignment.state in Assignment.HELD_STATES and assignment.lease_until <= timezone.now()
    )
    return is_over and str(refusal.revision) == posted.get("revision", "0")


def _conflict(assignment, refusal) -> dict:
    """What to say and show when a write was refused: the sentence, both versions, and the next step."""
    conflict = {"sentence": str(refusal), "rows": [], "state": assignment.state}
    if isinstance(refusal, StaleDraft | StaleSubmit) and refusal.kept is not None:
        choices = review_screen.choices_of(current_schema(assignment.item.queue))
        conflict["rows"] = review_screen.compare_answers(refusal.yours, refusal.kept, choices)
    conflict["is_draft"] = isinstance(refusal, StaleDraft)
    conflict["kept_revision"] = getattr(refusal, "kept_revision", None)
    conflict["revision"] = getattr(refusal, "revision", None)
    return conflict


def _screen(request, assignment, *, answers=None, errors=None, conflict=None, status=200):
    item_html = _draw_item(request, assignment, answers=answers, errors=errors, conflict=conflict)
    if request.GET.get("part") == "item":
        return HttpResponse(item_html, status=status)
    context = {"assignment": assignment, "item_html": item_html}
    context |= around(request, here=assignment, ahead=_line(request, assignment))
    context |= {"undoable": review_screen.undoable_by(request.membership)}
    if context["undoable"]:
        context["undo_url"] = _undo_url(context["undoable"].assignment)
    return render(request, "annotation/review.html", context, status=status)


def _nothing(request, refusal=None):
    """No item: why, and what fills the queue."""
    context = around(request)
    context["undoable"] = review_screen.undoable_by(request.membership)
    if context["undoable"]:
        context["undo_url"] = _undo_url(context["undoable"].assignment)
    if not refusal:
        context["pauses"] = [pausing.why(pause) for pause in pausing.pauses_of(request.membership)]
    return render(request, "annotation/review_empty.html", {**context, "refusal": refusal})


def _draw_item(request, assignment, *, answers=None, errors=None, conflict=None) -> str:
    """The item as HTML; as plain text when it cannot be drawn, so that it never blocks a queue."""
    around_it = {
        "errors": errors or {},
        "conflict": conflict,
        "stream": stream_of(request),
        "text_url": "review_text",
    }

    def draw(*, is_plain):
        shown = review_screen.show_assignment(
            assignment, answers=answers, own_keys=request.user.review_keys, is_plain=is_plain
        )
        return render_to_string("annotation/_review_item.html", {**shown, **around_it}, request)

    try:
        return draw(is_plain=False)
    except DatabaseError:
        raise
    except Exception:  # whatever there is in the text: a person has to see it
        log.exception("item_not_drawn", item_id=assignment.item_id)
        return draw(is_plain=True)


# --- steps ----------------------------------------------------------------------------------------


def own_assignment(request, public_id) -> Assignment:
    """One's own assignment in this project; everybody else's is not there."""
    own = Assignment.objects.filter(project=request.project, expert=request.user)
    return get_object_or_404(
        own.select_related("project", "item__queue", "item__interaction__prompt_version"),
        public_id=public_id,
    )


def _whose(request) -> dict:
    """Whose next item is asked for, and of what."""
    stream = stream_of(request)
    who = {"project": request.project, "expert": request.user}
    return {**who, "queue": stream.queue, "items": stream.items}


def _next(request) -> Assignment | None:
    """What is in hand already (its lease over, but nobody took it: taken up again), else the next. Raises ClaimRefused."""
    who = _whose(request)
    in_hand = queries.in_hand(**who).filter(state=State.CLAIMED).first()
    return in_hand or _overdue(request) or review_queue.claim_next(**who)


def _following(request) -> Assignment | None:
    """What the screen shows by now (`showing`: fetched ahead, so claimed now), else the next one."""
    if named := request.POST.get("showing"):
        showing = _named(request, named)
        if showing and showing.state == State.RESERVED:
            try:
                return review_queue.take_up(assignment=showing, fence=showing.fence)
            except LeaseLost:
                return None
        return showing
    try:
        return _next(request)
    except ClaimRefused:
        return None


def _overdue(request) -> Assignment | None:
    """Back from lunch before the sweep came by: one's own item, with a new fence."""
    over = Assignment.objects.filter(
        project=request.project,
        expert=request.user,
        state=State.CLAIMED,
        lease_until__lte=timezone.now(),
    )
    stream = stream_of(request)
    if stream.queue:
        over = over.filter(item__queue=stream.queue)
    if stream.selection:
        over = over.filter(item__in=stream.items)
    found = over.order_by("pk").first()
    try:
        return review_queue.resume(assignment=found) if found else None
    except LeaseLost:
        return None


def _line(request, here) -> list[Assignment]:
    """What comes after `here`: other items in hand, then those fetched ahead."""
    held = queries.in_hand(**_whose(request))
    return list(held.exclude(pk=here.pk if here else None)[:AHEAD])


def _named(request, public_id: str) -> Assignment | None:
    """One's own assignment by an id that a script sent, if it is one."""
    try:
        named = uuid.UUID(public_id)
    except ValueError:
        return None
    own = Assignment.objects.filter(project=request.project, expert=request.user, public_id=named)
    return own.select_related("item__interaction", "item__queue").first()


def _my_queues(request):
    return ReviewQueue.objects.of_member(request.membership).order_by("name", "pk")


def around(request, *, here=None, ahead=()) -> dict:
    """What stands round the item: the person's queues, the figures, this item's place, what comes next."""
    stream = stream_of(request)
    return {
        "my_queues": list(_my_queues(request)),
        "stream": stream,
        "chosen_queue": stream.queue,
        "is_everything": not stream.query,
        "place": stream.place_of(here),
        "figures": queries.header_figures(membership=request.membership, queue=stream.queue),
        "agreement": queries.agreement_of(request.membership),
        "effect": queries.newest_effect(request.membership),
        "labels_in_fixes": queries.labels_in_fixes(request.membership),
        "here": here,
        "ahead": ahead,
        "keys": review_screen.keys_of(request.user.review_keys),
    }


def _review_url(request) -> str:
    return reverse("review", args=[request.project.slug]) + stream_of(request).query


def _item_url(request, assignment) -> str:
    url = reverse("review_item", args=[request.project.slug, assignment.public_id])
    return url + stream_of(request).query


def _undo_url(assignment) -> str:
    url = reverse("undo_submit", args=[assignment.project.slug, assignment.public_id])
    return f"{url}?fence={assignment.fence}"


def _wants_json(request) -> bool:
    return "application/json" in request.headers.get("Accept", "")
