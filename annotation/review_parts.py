"""What the review screen fetches beside the item: a long text whole, the context, and what lets it stand without the server."""

from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotation import comparing, review_context, review_screen, review_views, revisions
from feedbackhub.accounts.access import project_page
from feedbackhub.capture import browsing
from feedbackhub.paging import BadCursor


@project_page("judge")
@require_GET
def review_text(request, public_id, field):
    """One text of the item, whole and plain: for what is too long to be shown at once. Of two that are compared: a or b."""
    assignment = review_views.own_assignment(request, public_id)
    if comparing.is_pairwise(assignment.item) and not field.startswith(("messages.", "documents.")):
        return review_views.plain_response(dict(comparing.sides_of(assignment)).get(field))
    return review_views.plain_text(assignment.item.interaction, field)


@project_page("judge")
@require_GET
def review_beside(request, public_id):
    """What stands beside the item, for when it is on the screen."""
    assignment = review_views.own_assignment(request, public_id)
    context = review_context.context_of(assignment, membership=request.membership)
    context |= {"assignment": assignment, "interaction": assignment.item.interaction}
    context |= {"revisions": revisions.of_assignment(assignment)}
    context |= {"keys": review_screen.keys_of(request.user.review_keys)}
    return render(request, "annotation/_review_context.html", context)


@project_page("judge")
@require_GET
def review_session(request, public_id):
    """More turns of the session: those before `?earlier=`, or behind `?later=`."""
    assignment = _with_session(request, public_id)
    cursors = {name: request.GET.get(name, "") for name in ("earlier", "later")}
    try:
        turns = review_context.more_of_session(assignment, **cursors)
    except BadCursor as bad:
        raise Http404 from bad
    return render(request, "annotation/_review_turns.html", {"assignment": assignment, **turns})


@project_page("judge")
@require_GET
def review_turn(request, public_id, turn):
    """One turn of the session with the whole of its texts."""
    assignment = _with_session(request, public_id)
    found = get_object_or_404(
        browsing.other_turns(assignment.item.interaction).defer(None), public_id=turn
    )
    found.question, found.answer = found.last_user_message, found.output
    context = {"assignment": assignment, "turn": found, "reached": [found]}
    return render(request, "annotation/_review_turn.html", context)


def _with_session(request, public_id):
    """Of two answers that are compared nothing is shown beside."""
    assignment = review_views.own_assignment(request, public_id)
    if comparing.is_pairwise(assignment.item):
        raise Http404
    return assignment


@project_page("judge")
@require_GET
def review_shell(request):
    """The screen without an item: what the browser keeps for when the server is away."""
    context = review_views.around(request)
    return render(request, "annotation/review.html", context)


@project_page("judge")
@require_GET
def review_worker(request):
    """The service worker. Its address is its scope: the review pages of this project, nothing else."""
    with open(finders.find("js/review_worker.js"), encoding="utf-8") as script:
        return HttpResponse(
            script.read(),
            content_type="text/javascript; charset=utf-8",
            headers={"Cache-Control": "no-cache"},
        )
