"""The items as a lead sees them: the list by state, one item with what its experts said side by side, and a lead's word.

Who may search interactions may read them; each act asks for its own permission.
"""

from functools import wraps

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import lead_decisions, review_screen, settling
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    ReviewItem,
    ReviewQueue,
    Settlement,
)
from annotation.refusals import InvalidAnswer, Refusal
from annotation.review_forms import DecisionForm, DiscussionForm, ReasonForm
from annotation.review_views import plain_text
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.paging import BadCursor, paginate

AT_ONCE = 50
NEWEST_FIRST = ("-pk",)
NEEDS_A_LEAD = "needs_lead"


# --- pages ----------------------------------------------------------------------------------------


@project_page("search_interactions")
@require_GET
def review_items(request):
    """The project's items, newest first; `?state=` (or `needs_lead`) and `?queue=` narrow them."""
    queues = list(ReviewQueue.objects.for_project(request.project).order_by("name", "pk"))
    state = request.GET.get("state", "")
    items = ReviewItem.objects.visible_to(request.membership)
    if state == NEEDS_A_LEAD:
        items = items.for_lead()
    asked, errors = filters.conditions(
        request.GET,
        {"queue": filters.one_of("queue__slug", [queue.slug for queue in queues])},
        others=("cursor", "state"),
    )
    if errors or state not in ("", NEEDS_A_LEAD, *ReviewItem.State.values):
        raise Http404
    if state in ReviewItem.State.values:
        items = items.filter(state=state)
    try:
        page = paginate(
            items.filter(asked).select_related("interaction", "queue"),
            order=NEWEST_FIRST,
            cursor=request.GET.get("cursor"),
            limit=AT_ONCE,
        )
    except BadCursor as bad:
        raise Http404 from bad
    settled = Settlement.objects.filter(
        item__in=[item.pk for item in page], is_current=True
    ).in_bulk(field_name="pk")
    settlement_of = {settlement.item_id: settlement for settlement in settled.values()}
    context = {
        "rows": [(item, settlement_of.get(item.pk)) for item in page],
        "page": page,
        "state": state,
        "states": [(NEEDS_A_LEAD, _("Needs a lead")), *ReviewItem.State.choices],
        "queues": queues,
        "queue_slug": request.GET.get("queue", ""),
    }
    return render(request, "annotation/review_items.html", context)


@project_page("search_interactions")
@require_GET
def item(request, public_id):
    """One item: what was to be judged, what each expert said, what the house holds, and what a lead may do."""
    return _page(request, _item(request, public_id))


@project_page("search_interactions")
@require_GET
def item_text(request, public_id, field):
    return plain_text(_item(request, public_id).interaction, field)


# --- a lead's acts --------------------------------------------------------------------------------


def _lead_act(view):
    """A refusal is said on the item's page, with what was written still in its form."""

    @wraps(view)
    def wrapped(request, public_id):
        found = _item(request, public_id)
        try:
            return view(request, found)
        except InvalidAnswer as refusal:
            return _page(request, found, refusal=refusal, status=400)
        except Refusal as refusal:
            return _page(request, _item(request, public_id), refusal=refusal, status=409)

    return wrapped


@project_page("settle_disputes")
@require_POST
@_lead_act
def decide_dispute(request, found):
    form = _decision_form(found, request.POST)
    if not form.is_valid():
        return _page(request, found, decision=form, status=400)
    said = form.cleaned_data
    chosen = said.pop("chosen_answer")
    marks_of = Annotation.objects.current().filter(item=found, public_id__in=said.pop("marks_of"))
    settling.decide_dispute(
        item=found,
        by=request.user,
        spans=_marks(marks_of),
        chosen_answer=_candidates(found).filter(public_id=chosen).first() if chosen else None,
        **said,
    )
    return _done(request, found, _("Decided. The experts see your reason."))


@project_page("return_work")
@require_POST
def return_assignment(request, public_id):
    assignment = get_object_or_404(
        Assignment.objects.filter(project=request.project).select_related("item"),
        public_id=public_id,
    )
    found = _item(request, assignment.item.public_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, reason=form, status=400)
    try:
        lead_decisions.return_assignment(
            assignment=assignment, by=request.user, reason=form.cleaned_data["reason"]
        )
    except Refusal as refusal:
        return _page(request, found, refusal=refusal, status=409)
    return _done(request, found, _("Sent back, with your reason."))


@project_page("return_work")
@require_POST
@_lead_act
def reopen_item(request, found):
    return _with_reason(request, found, lead_decisions.reopen_item, _("Open again."))


@project_page("return_work")
@require_POST
@_lead_act
def dismiss_item(request, found):
    return _with_reason(request, found, lead_decisions.dismiss_item, _("Taken out of the queue."))


@project_page("settle_disputes")
@require_POST
@_lead_act
def close_discussion(request, found):
    form = DiscussionForm(request.POST)
    if not form.is_valid():
        return _page(request, found, refusal=_("This answer is too long."), status=400)
    lead_decisions.close_discussion(item=found, by=request.user, **form.cleaned_data)
    return _done(request, found, _("Closed."))


# --- steps ----------------------------------------------------------------------------------------


def _item(request, public_id) -> ReviewItem:
    return get_object_or_404(
        ReviewItem.objects.visible_to(request.membership).select_related(
            "interaction__prompt_version", "queue", "project", "flagged_by"
        ),
        public_id=public_id,
    )


def _with_reason(request, found, act, message):
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, reason=form, status=400)
    act(item=found, by=request.user, reason=form.cleaned_data["reason"])
    return _done(request, found, message)


def _done(request, found, message):
    messages.success(request, message)
    return redirect("item", request.project.slug, found.public_id)


def _annotations(found):
    return (
        Annotation.objects.current()
        .filter(item=found)
        .select_related("expert", "assignment")
        .prefetch_related("spans", "candidates")
        .order_by("pk")
    )


def _candidates(found):
    return (
        CandidateAnswer.objects.filter(interaction=found.interaction_id)
        .exclude(state=CandidateAnswer.State.SUPERSEDED)
        .select_related("author")
        .order_by("-revision")
    )


def _decision_form(found, posted=None, *, annotations=None, candidates=None):
    return DecisionForm(
        posted,
        schema=settling.current_schema(found.queue),
        annotations=_annotations(found) if annotations is None else annotations,
        candidates=_candidates(found) if candidates is None else candidates,
    )


def _marks(annotations) -> list[dict]:
    """The marks of several experts, each once."""
    marks = {}
    for annotation in annotations.prefetch_related("spans"):
        for span in annotation.spans.all():
            marks[span.field, span.start, span.end, span.label] = span.quote
    return [
        {"field": field, "start": start, "end": end, "label": label, "quote": quote}
        for (field, start, end, label), quote in sorted(marks.items())
    ]


def _page(request, found, *, decision=None, reason=None, refusal=None, status=200):
    schema = settling.current_schema(found.queue)
    choices = review_screen.choices_of(schema)
    annotations = list(_annotations(found))
    candidates = list(_candidates(found))
    settlement = (
        Settlement.objects.filter(
            interaction=found.interaction_id, schema_name=found.queue.schema_name, is_current=True
        )
        .select_related("decided_by", "chosen_answer__author", "item")
        .first()
    )
    decision = decision or _decision_form(found, annotations=annotations, candidates=candidates)
    context = {
        **review_screen.show_interaction(found.interaction),
        **choices,
        "item": found,
        "annotations": [_side(each, schema, choices, found.interaction) for each in annotations],
        "differing": _differing(annotations),
        "candidates": candidates,
        "settlement": settlement,
        "settled": _settled_words(settlement, choices),
        "decision": decision,
        "chosen": _chosen(decision, settlement, annotations),
        "reason": reason,
        "refusal": refusal,
        "assignments": found.assignments.select_related("expert").order_by("pk"),
        "comments": found.comments.select_related("author"),
        "can_decide": found.state in (ReviewItem.State.DISPUTED, ReviewItem.State.SETTLED),
        "is_open": found.state in ReviewItem.OPEN_STATES,
        "text_url": "item_text",
    }
    return render(request, "annotation/review_item_page.html", context, status=status)


def _side(annotation, schema, choices, interaction) -> dict:
    """What one expert said, in words and with the marks in their colours."""
    words = {choice["value"]: choice["label"] for choice in choices["categories"]}
    causes = {choice["value"]: choice["label"] for choice in choices["root_causes"]}
    labels = {label["key"]: label for label in choices["span_labels"]}
    corrections = sorted(annotation.candidates.all(), key=lambda candidate: -candidate.revision)
    return {
        "annotation": annotation,
        "categories": [words.get(key, key) for key in annotation.categories],
        "root_cause": causes.get(annotation.root_cause, annotation.root_cause),
        "marks": [
            {
                "quote": span.quote,
                "label": labels.get(span.label, {}).get("name", span.label),
                "colour": labels.get(span.label, {}).get("colour", 1),
            }
            for span in annotation.spans.all()
        ],
        "correction": corrections[0] if corrections else None,
        "is_comparable": bool(corrections)
        and len(corrections[0].text) + len(interaction.output)
        <= 2 * review_screen.LONGEST_COMPARED,
    }


def _differing(annotations) -> set[str]:
    """The fields in which the experts do not say the same."""
    fields = ("verdict", "severity", "root_cause")
    differing = {name for name in fields if len({getattr(a, name) for a in annotations}) > 1}
    if len({frozenset(a.categories) for a in annotations}) > 1:
        differing.add("categories")
    return differing


def _settled_words(settlement, choices) -> dict:
    if settlement is None:
        return {}
    words = {choice["value"]: choice["label"] for choice in choices["categories"]}
    causes = {choice["value"]: choice["label"] for choice in choices["root_causes"]}
    return {
        "categories": [words.get(key, key) for key in settlement.categories],
        "root_cause": causes.get(settlement.root_cause, settlement.root_cause),
    }


def _chosen(decision, settlement, annotations) -> dict:
    """What the decision form shows as chosen: what was posted, else what stands, else what the experts share."""
    if decision.is_bound:
        return {
            name: decision.data.getlist(name)
            if name in ("categories", "marks_of")
            else decision.data.get(name, "")
            for name in decision.fields
        }
    source = settlement or (annotations[0] if annotations else None)
    shared = bool(settlement) or not _differing(annotations)
    return {
        "verdict": source.verdict if source and shared else "",
        "severity": source.severity if source and shared else "",
        "categories": source.categories
        if settlement
        else sorted({key for annotation in annotations for key in annotation.categories}),
        "root_cause": source.root_cause if source and shared else "",
        "marks_of": [str(annotation.public_id) for annotation in annotations],
        "chosen_answer": str(settlement.chosen_answer.public_id)
        if settlement and settlement.chosen_answer
        else "",
        "reason": "",
    }
