"""What can be said, for those who judge: guidelines, categories, and their own proposals; and a lead's answers to those."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation import category_proposals, label_schema, schema_settings
from annotation.default_schema import install_schema
from annotation.models import CategoryProposal, LabelSchema, ReviewQueue
from annotation.refusals import WrongState
from annotation.schema_forms import AnswerForm, ProposalForm
from annotation.schema_history import ProjectCategories, category_words
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import list_page


@project_page("propose_categories")
def what_can_be_said(request):
    """The categories and guidelines of one's queues (`?schema=` of that one), and a form for what is missing."""
    schema = _own_schema(request)
    form = ProposalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            category_proposals.propose_category(schema=schema, by=request.user, **form.cleaned_data)
        except WrongState as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Proposed. A lead answers, and you read it here."))
            return redirect(
                f"{reverse('what_can_be_said', args=[request.project.slug])}{schema_settings.around(schema)['query']}"
            )
    listed = list_page(
        request,
        category_proposals.proposals_of(request.membership),
        order=("-pk",),
        others=("schema",),
        limit=20,
    )
    for proposal in listed:
        proposal.is_news = proposal.decided_at is not None and proposal.told_at is None
        proposal.became = _became(proposal, schema, request)
    category_proposals.tell(request.membership)
    status = 409 if form.non_field_errors() else 400 if form.errors else 200
    return render(
        request,
        "annotation/what_can_be_said.html",
        {
            **schema_settings.around(schema),
            "schemas": _schema_names(request),
            "form": form,
            "list": listed,
        },
        status=status,
    )


@project_page("change_label_schema")
def answer_proposal(request, pk):
    """Merge it into a category, or decline it; a word to who proposed it."""
    proposal = get_object_or_404(
        CategoryProposal.objects.select_related("schema", "proposed_by"),
        project=request.project,
        pk=pk,
    )
    schema = label_schema.current_schema(request.project, proposal.schema.name)
    if schema is None:
        raise Http404
    form = AnswerForm(request.POST or None, schema=schema)
    if request.method == "POST" and form.is_valid():
        into = form.cleaned_data["into"]
        state = CategoryProposal.State.MERGED if into else CategoryProposal.State.DECLINED
        return _answer(request, proposal, schema, state, into, form.cleaned_data["answer"])
    return render(
        request,
        "annotation/answer_proposal.html",
        {**schema_settings.around(schema), "form": form, "proposal": proposal},
        status=400 if form.errors else 200,
    )


@project_page("change_label_schema")
@require_POST
def decline(request, pk):
    proposal = get_object_or_404(
        CategoryProposal.objects.select_related("schema"), project=request.project, pk=pk
    )
    return _answer(request, proposal, proposal.schema, CategoryProposal.State.DECLINED)


def _answer(request, proposal, schema, state, into="", answer=""):
    try:
        category_proposals.answer_proposal(
            proposal=proposal, by=request.user, state=state, category_key=into, answer=answer
        )
    except WrongState as refusal:
        messages.error(request, str(refusal))
    else:
        said = _("Merged.") if into else _("Declined.")
        messages.success(request, said + " " + _("Who proposed it reads it on their page."))
    return redirect(schema_settings.address(request, "settings_schema", schema=schema))


def _own_schema(request) -> LabelSchema:
    names = _schema_names(request)
    name = request.GET.get("schema") or (names[0] if names else label_schema.NAME)
    if name not in names and name != label_schema.NAME:
        raise Http404
    found = label_schema.current_schema(request.project, name)
    if found is None and name == label_schema.NAME:
        found = install_schema(request.project)
    if found is None:
        raise Http404
    return found


def _schema_names(request) -> list[str]:
    """Of the queues that they judge in, the project's own first."""
    queues = ReviewQueue.objects.of_member(request.membership)
    names = sorted(set(queues.values_list("schema_name", flat=True)))
    return sorted(names, key=lambda name: name != label_schema.NAME)


def _became(proposal, schema, request) -> str:
    if not proposal.category_key:
        return ""
    if proposal.schema.name != schema.name:
        if not hasattr(request, "category_names"):
            request.category_names = ProjectCategories(request.project).names
        return request.category_names.get(proposal.category_key, proposal.category_key)
    return category_words(proposal.category_key, then=None, now=schema)
