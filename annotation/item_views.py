"""The items as a lead sees them: the list by state, one item with what its experts said side by side, and a lead's word.

Who may search interactions may read them; each act asks for its own permission. An expert sees in the list what waits in
their own queues and they have not had, to make a stream of it: nothing of what anybody said, and no known case.
"""

from functools import wraps

from django.contrib import messages
from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import (
    adjudication,
    comparing,
    discussion_parts,
    lead_decisions,
    queue_judges,
    review_screen,
    revisions,
    selections,
    settling,
)
from annotation.answers import TextsOf
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    Comparison,
    Preference,
    ReviewItem,
    ReviewQueue,
    Settlement,
)
from annotation.queries import kept_from
from annotation.refusals import InvalidAnswer, Refusal
from annotation.review_forms import DecisionForm, DiscussionForm, ReasonForm
from annotation.review_views import plain_text
from annotation.schema_history import category_words, keys_to_choose, other_words
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.models import FeedbackEvent
from feedbackhub.capture.vocabulary import ReportedCategory
from feedbackhub.list_pages import choice
from feedbackhub.paging import BadCursor, paginate

AT_ONCE = 50
NEWEST_FIRST, OLDEST_FIRST = ("-pk",), ("pk",)
NEEDS_A_LEAD, OVERDUE = "needs_lead", "overdue"


# --- pages ----------------------------------------------------------------------------------------


@project_page("search_interactions", "judge")
@require_GET
def review_items(request):
    """The project's items, newest first or `?order=oldest`; `?state=` (or `needs_lead`, `overdue`), `?queue=`, `?category=`
    (the reporter's word) and words narrow them.
    """
    sees_all = request.membership.may("search_interactions")
    items, order, queues = _found(request)
    try:
        page = paginate(
            items.select_related("interaction", "queue"),
            order=order,
            cursor=request.GET.get("cursor"),
            limit=AT_ONCE,
        )
    except BadCursor as bad:
        raise Http404 from bad
    settled = (
        Settlement.objects.filter(
            item__in=[item.pk for item in page] if sees_all else [], is_current=True
        )
        .exclude(
            item__in=ReviewItem.objects.filter(
                kept_from(project=request.project, expert=request.user)
            ).values("pk")
        )
        .in_bulk(field_name="pk")
    )
    settlement_of = {settlement.item_id: settlement for settlement in settled.values()}
    state = request.GET.get("state", "")
    context = {
        "rows": [(item, settlement_of.get(item.pk)) for item in page],
        "page": page,
        "state": state,
        "states": [
            *([(NEEDS_A_LEAD, _("Needs a lead"))] if sees_all else []),
            (OVERDUE, _("Overdue")),
            *(ReviewItem.State.choices if sees_all else []),
        ],
        "sees_all": sees_all,
        "queues": queues,
        "queue_slug": request.GET.get("queue", ""),
        "words": request.GET.get("q", ""),
        "category": choice(request.GET, "category", _("Said"), ReportedCategory.choices),
        "is_oldest_first": order == OLDEST_FIRST,
        "is_filtered": any(request.GET.get(name) for name in ("state", "queue", "category", "q")),
        "can_be_reviewed": state in ("", OVERDUE, ReviewItem.State.WAITING),
    }
    return render(request, "annotation/review_items.html", context)


@project_page("judge")
@require_POST
def review_these(request):
    """What the list's address finds becomes this person's own stream, in the order of the list."""
    items, order, _queues = _found(request)
    selection = selections.select_items(membership=request.membership, items=items.order_by(*order))
    if selection is None:
        messages.info(
            request, _("None of these waits for you: they are judged, or a colleague has them.")
        )
        return redirect(
            f"{reverse('review_items', args=[request.project.slug])}?{request.GET.urlencode()}"
        )
    return redirect(
        reverse("review", args=[request.project.slug])
        + selections.Stream(selection=selection).query
    )


@project_page("search_interactions")
@require_GET
def item(request, public_id):
    """One item: what was to be judged, what each expert said, what the house holds, and what a lead may do."""
    return _page(request, _item(request, public_id))


def show_item(request, public_id, *, comment_form, status):
    """The page again, with a comment that could not be taken."""
    found = _item(request, public_id)
    return _page(request, found, comment_form=comment_form, status=status)


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
    chosen, own = said.pop("chosen_answer"), said.pop("own_answer")
    keys, is_own = set(said.pop("marks")), chosen == form.OWN
    theirs = [mark for mark in adjudication.marks_of(_annotations(found)) if mark["key"] in keys]
    adjudication.decide(
        item=found,
        by=request.user,
        marks=[*theirs, *said.pop("own_marks")],
        own_answer=own if is_own else "",
        chosen_answer=_candidates(found).filter(public_id=chosen).first()
        if chosen and not is_own
        else None,
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


def _found(request):
    """The items that the address asks for, their order, and the project's queues."""
    queues = ReviewQueue.objects.for_project(request.project)
    state, order = request.GET.get("state", ""), request.GET.get("order", "")
    items = ReviewItem.objects.visible_to(request.membership)
    states = ["", NEEDS_A_LEAD, OVERDUE, *ReviewItem.State.values]
    if not request.membership.may("search_interactions"):
        queues = ReviewQueue.objects.of_member(request.membership)
        items, states = _to_pick_from(items, request.user), ["", OVERDUE]
    queues = list(queues.order_by("name", "pk"))
    if state == NEEDS_A_LEAD:
        items = items.for_lead()
    if state == OVERDUE:
        items = items.overdue()
    asked, errors = filters.conditions(
        request.GET,
        {"queue": filters.one_of("queue__slug", [queue.slug for queue in queues]), **_OF_ANSWER},
        others=("cursor", "state", "order"),
    )
    is_known = state in states and order in ("", "oldest")
    if errors or not is_known:
        raise Http404
    if state in ReviewItem.State.values:
        items = items.filter(state=state)
    return items.filter(asked), OLDEST_FIRST if order else NEWEST_FIRST, queues


def _to_pick_from(items, expert):
    """What waits for this expert: nothing that they had, and nothing that measures them or a colleague."""
    had = Assignment.objects.filter(
        item=OuterRef("pk"),
        expert=expert,
        state__in=[Assignment.State.SUBMITTED, Assignment.State.SKIPPED],
    )
    return items.waiting().exclude(purpose__in=ReviewItem.MEASURING).filter(~Exists(had))


_OF_ANSWER = {
    "q": filters.words(
        lambda words: Q(
            interaction__text__search=SearchQuery(words, config="simple", search_type="websearch")
        )
    ),
    "category": filters.Filter(
        filters.one_of("", ReportedCategory.values).read,
        lambda values: Q(
            Exists(
                FeedbackEvent.objects.filter(
                    interaction=OuterRef("interaction"), category__in=values, erased_at=None
                )
            )
        ),
    ),
}


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
        .select_related("expert", "assignment", "schema")
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


def _decision_form(found, posted=None, *, marks=None, candidates=None):
    return DecisionForm(
        posted,
        schema=settling.current_schema(found.queue),
        texts=TextsOf(found.interaction),
        marks=adjudication.marks_of(_annotations(found)) if marks is None else marks,
        candidates=_candidates(found) if candidates is None else candidates,
    )


def _page(
    request, found, *, decision=None, reason=None, refusal=None, comment_form=None, status=200
):
    schema = settling.current_schema(found.queue)
    choices = review_screen.choices_of(schema)
    is_to_judge = _is_to_judge(request, found)
    annotations = [] if is_to_judge else list(_annotations(found))
    candidates = [] if is_to_judge else list(_candidates(found))
    settlement = (
        None
        if is_to_judge
        else (
            Settlement.objects.filter(
                interaction=found.interaction_id,
                schema_name=found.queue.schema_name,
                is_current=True,
            )
            .select_related("decided_by", "chosen_answer__author", "item", "schema")
            .first()
        )
    )
    marks = adjudication.marks_of(annotations)
    decision = decision or _decision_form(found, marks=marks, candidates=candidates)
    taken = next((a for a in annotations if str(a.public_id) == request.GET.get("take")), None)
    weights = (settlement and settlement.weights) or {}
    is_left = found.needs_discussion and queue_judges.is_stuck(found)
    shown = review_screen.show_interaction(found.interaction)
    texts = review_screen.texts_to_mark(shown)
    context = {
        **shown,
        **choices,
        "texts_to_mark": texts,
        "item": found,
        "annotations": [
            _side(each, schema, choices, found.interaction, marks)
            | {"weight": weights.get(str(each.public_id))}
            for each in annotations
        ],
        "revisions": [] if is_to_judge else revisions.of_item(found),
        "marks": _worded(marks, choices, dict(texts)),
        "differing": adjudication.differing_fields(annotations, schema),
        "candidates": candidates,
        "settlement": settlement,
        "settled": _settled_words(settlement, schema),
        "decision": decision,
        "chosen": _chosen(
            decision, schema, settlement, annotations, marks, taken, found.interaction.output
        ),
        "taken": taken,
        "reason": reason,
        "refusal": refusal,
        "skips": [] if is_to_judge else _skips(found),
        **({} if is_to_judge else discussion_parts.around(request, found, comment_form)),
        "can_decide": not is_to_judge
        and found.purpose != ReviewItem.Purpose.PAIRWISE
        and (found.state in (ReviewItem.State.DISPUTED, ReviewItem.State.SETTLED) or is_left),
        "is_left": is_left,
        "is_to_judge": is_to_judge,
        **({} if is_to_judge else _compared(found, annotations)),
        "is_open": found.state in ReviewItem.OPEN_STATES,
        "text_url": "item_text",
    }
    return render(request, "annotation/review_item_page.html", context, status=status)


def _is_to_judge(request, found) -> bool:
    """Whoever has an item of a blind queue to judge, in hand or to take up again, sees nobody's answer before their own.

    A lead too. Once it is disputed or settled it is no longer to judge, and they decide with all before them; unless they
    have the same answer in hand in another queue. Nor is it where nobody else is left: then it is theirs to decide.
    """
    if found.needs_discussion and queue_judges.is_stuck(found):
        return False
    kept = kept_from(project=request.project, expert=request.user)
    return ReviewItem.objects.filter(kept, pk=found.pk).exists()


def _skips(found):
    """Who passed it on with a word to it."""
    return found.assignments.exclude(skip_note="").select_related("expert").order_by("pk")


def _compared(found, annotations) -> dict:
    """The two answers with their names, and who preferred which: leads see what those who judge do not."""
    if found.purpose != ReviewItem.Purpose.PAIRWISE:
        return {}
    comparison = Comparison.objects.select_related("run").get(item=found)
    preferences = Preference.objects.filter(annotation__in=annotations)
    said = preferences.select_related("annotation__expert").order_by("pk")
    return {
        "comparison": comparison,
        "comparison_is_short": len(comparison.text) + len(found.interaction.output)
        <= 2 * review_screen.LONGEST_COMPARED,
        "preferences": [
            (each, [str(comparing.REASONS.get(key, key)) for key in each.reasons]) for each in said
        ],
    }


def _side(annotation, schema, choices, interaction, marks) -> dict:
    """What one expert said, in the words of then and of today, with the marks in their colours."""
    versions = {"then": annotation.schema, "now": schema}
    labels = {label["key"]: label for label in choices["span_labels"]}
    corrections = sorted(annotation.candidates.all(), key=lambda candidate: -candidate.revision)
    shared = {mark["key"] for mark in marks if mark["is_shared"]}
    return {
        "annotation": annotation,
        "categories": [category_words(key, **versions) for key in annotation.categories],
        "root_cause": other_words("root_causes", annotation.root_cause, **versions),
        "marks": [
            {
                "quote": span.quote,
                "label": other_words("span_labels", span.label, **versions),
                "colour": labels.get(span.label, {}).get("colour", 1),
                "is_shared": f"{span.field}:{span.start}:{span.end}:{span.label}" in shared,
            }
            for span in annotation.spans.all()
        ],
        "scores": [
            (other_words("rubric", key, **versions), score)
            for key, score in sorted(annotation.rubric_scores.items())
        ],
        "correction": corrections[0] if corrections else None,
        "is_comparable": bool(corrections)
        and len(corrections[0].text) + len(interaction.output)
        <= 2 * review_screen.LONGEST_COMPARED,
    }


def _worded(marks, choices, texts) -> list[dict]:
    """The marks to choose from, with the names and colours of their labels, and what they stand in if not in the answer."""
    labels = {label["key"]: label for label in choices["span_labels"]}
    return [
        {
            **mark,
            "name": labels.get(mark["label"], {}).get("name", mark["label"]),
            "colour": labels.get(mark["label"], {}).get("colour", 1),
            "text": texts.get(mark["field"], "") if mark["field"] != "output" else "",
        }
        for mark in marks
    ]


def _settled_words(settlement, schema) -> dict:
    if settlement is None:
        return {}
    versions = {"then": settlement.schema, "now": schema}
    return {
        "categories": [category_words(key, **versions) for key in settlement.categories],
        "root_cause": other_words("root_causes", settlement.root_cause, **versions),
        "scores": [
            f"{other_words('rubric', key, **versions)} {score}"
            for key, score in sorted(settlement.rubric_scores.items())
        ],
    }


def _chosen(decision, schema, settlement, annotations, marks, taken, output) -> dict:
    """What the decision form shows as chosen: what was posted; one expert's answer, when a lead takes it; else what
    stands; else what the experts share.
    """
    if decision.is_bound:
        return {
            name: decision.data.getlist(name)
            if name in ("categories", "marks")
            else decision.data.get(name, "")
            for name in decision.fields
        } | {name: decision[name].data for name in ("rubric_scores", "own_marks")}
    source = taken or settlement or (annotations[0] if annotations else None)
    is_one = bool(taken or settlement)
    differing = set() if is_one else adjudication.differing_fields(annotations, schema)
    answer = ""
    if taken:
        newest = max(taken.candidates.all(), key=lambda each: each.revision, default=None)
        answer = str(newest.public_id) if newest else ""
    elif settlement and settlement.chosen_answer:
        answer = str(settlement.chosen_answer.public_id)
    return {
        **{
            name: getattr(source, name) if source and name not in differing else ""
            for name in adjudication.FIELDS
        },
        "categories": keys_to_choose(schema, source.categories)
        if is_one
        else sorted(
            {
                key
                for annotation in annotations
                for key in keys_to_choose(schema, annotation.categories)
            }
        ),
        "rubric_scores": source.rubric_scores if is_one else settling.middle_scores(annotations),
        "marks": _chosen_marks(marks, settlement, taken),
        "own_marks": [] if taken else _own_marks(marks, settlement),
        "chosen_answer": answer,
        "own_answer": output if len(output) <= review_screen.LONGEST_COMPARED else "",
        "reason": "",
    }


def _chosen_marks(marks, settlement, taken) -> list[str]:
    if taken:
        return [mark["key"] for mark in marks if taken.expert in mark["experts"]]
    if settlement:
        stand = {(s["field"], s["start"], s["end"], s["label"]) for s in settlement.spans}
        return [m["key"] for m in marks if (m["field"], m["start"], m["end"], m["label"]) in stand]
    return [mark["key"] for mark in marks]


def _own_marks(marks, settlement) -> list[tuple[str, str, str, str]]:
    """The marks that stand without any expert of this item, as words, label, the text that they stand in and their place."""
    theirs = {(mark["field"], mark["start"], mark["end"], mark["label"]) for mark in marks}
    return [
        (span["quote"], span["label"], span["field"], f"{span['start']}:{span['end']}")
        for span in (settlement.spans if settlement else ())
        if (span["field"], span["start"], span["end"], span["label"]) not in theirs
    ]
