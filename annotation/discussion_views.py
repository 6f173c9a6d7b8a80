"""The discussion of an item: for leads on the item's page, for experts who had the item on a page of its own."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import discussion, discussion_parts, item_views
from annotation.discussion_parts import CommentForm
from annotation.models import Assignment, ReviewItem
from annotation.refusals import Refusal
from feedbackhub.accounts.access import project_page


@project_page("search_interactions", "see_own_work")
@require_GET
def item_discussion(request, public_id):
    """Leads and engineers find it on the item's page; an expert reads it here."""
    found = find_item(request, public_id)
    if request.membership.may("search_interactions"):
        return redirect("item", request.project.slug, found.public_id)
    return _page(request, found)


@project_page("search_interactions", "see_own_work")
@require_POST
def comment_on_item(request, public_id):
    found = find_item(request, public_id)
    form = CommentForm(request.POST, readers=discussion.readers_of(found))
    if not form.is_valid():
        return _page(request, found, form, status=400)
    said = form.cleaned_data
    try:
        discussion.say(item=found, by=request.user, **said)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _page(request, found, form, status=409)
    messages.success(request, _("Said."))
    return redirect("item_discussion", request.project.slug, found.public_id)


def find_item(request, public_id) -> ReviewItem:
    items = discussion.readable_by(request.membership)
    found = items.select_related("interaction", "queue").filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


# --- steps ----------------------------------------------------------------------------------------


def _page(request, found, form=None, status=200):
    """On the item's own page for those who may open that."""
    if request.membership.may("search_interactions"):
        return item_views.show_item(request, found.public_id, comment_form=form, status=status)
    own = Assignment.objects.filter(item=found, expert=request.user).first()
    context = {"item": found, "own": own, **discussion_parts.around(request, found, form)}
    return render(request, "annotation/discussion.html", context, status=status)
