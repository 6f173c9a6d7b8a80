"""What the review screen fetches beside the item: a long text whole, the context, and what lets it stand without the server."""

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation import comparing, review_context, review_screen, review_views, revisions
from feedbackhub.accounts.access import project_page


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
    context |= {"interaction": assignment.item.interaction}
    context |= {"revisions": revisions.of_assignment(assignment)}
    context |= {"keys": review_screen.keys_of(request.user.review_keys)}
    return render(request, "annotation/_review_context.html", context)


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
