"""The assertions of one case: read, tried on both answers while they are written, taken off, put back."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation import case_assertions, gold
from annotation.assertion_form import AssertionForm
from annotation.assertions import KINDS
from annotation.models import CaseAssertion, ReviewItem
from annotation.queries import to_come
from annotation.refusals import InvalidAnswer
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.models import Interaction


@project_page("judge", "search_interactions")
def assertions(request, public_id):
    """One kind's form at a time, by `?kind=`; the button that was pressed says whether to try or to keep."""
    interaction = _interaction(request, public_id)
    unseen_by = request.user if _must_not_see(request.membership, interaction) else None
    kind = KINDS.get(request.GET.get("kind", ""), KINDS["must_mention"])
    form = AssertionForm(request.POST or None, kind=kind)
    trial = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("act") != "try":
                kept = case_assertions.add(
                    interaction=interaction, given=form.given(), by=request.user
                )
                messages.success(request, _("Kept. Gold takes it over at the next approval."))
                if found := case_assertions.personal_data_in(kept.body, request.project):
                    messages.warning(request, gold.personal_data_left(found))
                return _back(request, interaction)
            trial = case_assertions.tried(interaction, extra=form.given(), unseen_by=unseen_by)[-1]
        except InvalidAnswer as refusal:
            form.refuse(refusal.errors)
    return render(
        request,
        "annotation/assertions.html",
        {
            "interaction": interaction,
            "form": form,
            "kind": kind,
            "kinds": KINDS.values(),
            "tried": case_assertions.tried(interaction, unseen_by=unseen_by),
            "trial": trial,
            "correction": None if unseen_by else case_assertions.newest_correction(interaction),
            "removed": case_assertions.removed_from(interaction, unseen_by=unseen_by),
            "is_blind": unseen_by is not None,
        },
        status=400 if form.errors else 200,
    )


@project_page("judge", "search_interactions")
@require_POST
def remove(request, public_id, assertion_id):
    interaction = _interaction(request, public_id)
    case_assertions.remove(assertion=_assertion(request, interaction, assertion_id))
    messages.success(request, _("Taken off. It can be put back below."))
    return _back(request, interaction)


@project_page("judge", "search_interactions")
@require_POST
def put_back(request, public_id, assertion_id):
    interaction = _interaction(request, public_id)
    try:
        case_assertions.put_back(assertion=_assertion(request, interaction, assertion_id))
    except InvalidAnswer as refusal:
        messages.error(request, " ".join(refusal.errors.values()))
    return _back(request, interaction)


def _interaction(request, public_id) -> Interaction:
    """Who may search sees every case; an expert those of their queues."""
    cases = Interaction.objects.kept().for_project(request.project)
    if not request.membership.may("search_interactions"):
        items = ReviewItem.objects.visible_to(request.membership)
        cases = cases.filter(pk__in=items.values("interaction"))
    interaction = cases.filter(public_id=public_id).prefetch_related("documents").first()
    if interaction is None:
        raise Http404
    return interaction


def _must_not_see(membership, interaction) -> bool:
    return to_come(membership).filter(interaction=interaction).exists()


def _assertion(request, interaction, public_id) -> CaseAssertion:
    found = CaseAssertion.objects.filter(interaction=interaction, public_id=public_id)
    if _must_not_see(request.membership, interaction):
        found = found.filter(author=request.user)
    assertion = found.first()
    if assertion is None:
        raise Http404
    return assertion


def _back(request, interaction):
    return redirect(reverse("assertions", args=[request.project.slug, interaction.public_id]))
