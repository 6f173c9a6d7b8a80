"""What leads decided on an expert's items: what the expert said beside what holds now, the reason, and one reply."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import adjudication, waits
from annotation.models import Annotation, ItemComment, LabelSchema, Settlement
from annotation.refusals import Refusal
from annotation.review_forms import ReplyForm
from annotation.schema_history import category_words, keys_now
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import list_page

FIELDS = ("verdict", "severity", "root_cause")


@project_page("see_own_work")
@require_GET
def decisions(request):
    """Newest first. Who looks at them has seen them."""
    looked_at = timezone.now()
    response = _page(request)
    waits.note_decisions_seen(membership=request.membership, until=looked_at)
    return response


@project_page("see_own_work")
@require_POST
def reply_to_decision(request, public_id):
    found = get_object_or_404(
        Settlement, project=request.project, public_id=public_id, decided_how="lead"
    )
    if not Annotation.objects.filter(item=found.item_id, expert=request.user).exists():
        raise Http404
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _page(request, wrong=(found.pk, form), status=400)
    try:
        adjudication.reply(settlement=found, by=request.user, text=form.cleaned_data["text"])
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Said. The leads read it with the item."))
    return redirect("decisions", request.project.slug)


def _page(request, *, wrong=(None, None), status=200):
    rows = adjudication.decisions_for(project=request.project, expert=request.user)
    listed = list_page(request, rows, order=("-pk",), limit=20)
    items = [settlement.item_id for settlement in listed]
    own = {
        annotation.item_id: annotation
        for annotation in Annotation.objects.current()
        .filter(item__in=items, expert=request.user)
        .select_related("assignment", "schema")
    }
    replies = {
        comment.replies_to_id: comment
        for comment in ItemComment.objects.filter(replies_to__in=listed.rows, author=request.user)
    }
    schemas = LabelSchema.objects.filter(project=request.project, is_current=True)
    now = {schema.name: schema for schema in schemas}
    shown = [
        {
            "settlement": settlement,
            "own": own[settlement.item_id],
            "own_categories": _names(own[settlement.item_id], now[settlement.schema_name]),
            "categories": _names(settlement, now[settlement.schema_name]),
            "differing": _differing(
                settlement, own[settlement.item_id], now[settlement.schema_name]
            ),
            "reply": replies.get(settlement.pk),
            "form": wrong[1] if settlement.pk == wrong[0] else None,
        }
        for settlement in listed
        if settlement.item_id in own
    ]
    context = {"shown": shown, "list": listed}
    return render(request, "annotation/decisions.html", context, status=status)


def _names(said, now) -> str:
    return ", ".join(category_words(key, then=said.schema, now=now) for key in said.categories)


def _differing(settlement, own, now) -> set[str]:
    differing = {name for name in FIELDS if getattr(settlement, name) != getattr(own, name)}
    if set(keys_now(now, settlement.categories)) != set(keys_now(now, own.categories)):
        differing.add("categories")
    return differing
