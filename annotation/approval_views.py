"""Gold approval: a lead reads one settled case with its evidence, and approves it; or all that are shown."""

from django.contrib import messages
from django.db.models import F
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from annotation import case_assertions
from annotation.approval import approve_each, not_ready_for_gold, ready_for_gold
from annotation.gold import (
    NotReady,
    already_gold,
    missing_for_gold,
    personal_data_in,
    promote_to_gold,
    replaced_by,
)
from annotation.models import LabelSchema, Settlement
from annotation.schema_history import (
    ProjectCategories,
    category_filter,
    category_words,
    other_words,
)
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.browsing import LastUserMessage
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.list_pages import choice, list_page
from feedbackhub.parts.words import SEVERITIES, VERDICTS

SHOWN = 25
FILTERS = {
    "verdict": filters.one_of("verdict", ["correct", "partly", "wrong", "harmful"]),
    "severity": filters.one_of("severity", Severity.values),
    "feature": filters.text("interaction__feature"),
}


@project_page("approve_gold")
def gold_approve(request):
    """The list at the side, one case open: the one named by ?case=, or the first."""
    if request.method == "POST":
        return _approve_one(request)
    is_ready = request.GET.get("show") != "missing"
    rows = (ready_for_gold if is_ready else not_ready_for_gold)(request.project)
    listed = list_page(
        request,
        rows.select_related("interaction")
        .annotate(question_line=LastUserMessage(F("interaction__messages")))
        .defer("interaction__messages", "interaction__tools", "interaction__output", "spans"),
        order=("-id",),
        allowed={**FILTERS, "category": category_filter(request.project)},
        chips=_chips(request),
        others=("show", "case"),
        limit=SHOWN,
    )
    case = _open_case(request, rows, listed)
    return render(
        request,
        "annotation/gold_approve.html",
        {"list": listed, "case": case, "is_ready": is_ready, **_around(request, listed, case)},
        status=listed.status,
    )


def _chips(request):
    query = request.GET
    yield choice(query, "verdict", _("Verdict"), [(k, w[2]) for k, w in VERDICTS.items()])
    yield choice(query, "severity", _("Severity"), [(k, w[1]) for k, w in SEVERITIES.items()])
    categories = ProjectCategories(request.project).to_choose()
    yield choice(query, "category", _("Category"), categories)


def _open_case(request, rows, listed):
    """The case to read, with everything that speaks for it."""
    if listed.errors:
        return None
    named, pk = request.GET.get("case"), listed.rows[0].pk if listed.rows else None
    rows = rows.select_related(
        "interaction__prompt_version", "chosen_answer__author", "decided_by", "schema", "project"
    ).prefetch_related("annotations__expert", "interaction__documents", "interaction__feedback")
    if named:
        try:
            case = rows.filter(public_id=filters.public_id("").read(named)).first()
        except ValueError:
            raise Http404 from None
        if case is not None:
            return _with_words(case)
    return _with_words(rows.filter(pk=pk).first()) if pk else None


def _with_words(case):
    """What it lacks, and its labels in the words of the schema they were given under and of today's."""
    now = LabelSchema.objects.filter(
        project=case.project_id, name=case.schema_name, is_current=True
    ).first()
    versions = {"then": case.schema, "now": now or case.schema}
    case.missing = missing_for_gold(case)
    case.replaces = already_gold(other) if (other := replaced_by(case)) else ""
    case.personal_data = personal_data_in(case)
    case.category_names = [category_words(key, **versions) for key in case.categories]
    case.cause_name = other_words("root_causes", case.root_cause, **versions)
    case.tried = case_assertions.tried(case.interaction)
    return case


def _around(request, listed, case) -> dict:
    """Addresses of the cases before and after the open one, in the list as it is shown."""
    if case is None:
        return {"previous_url": "", "next_url": ""}
    keys = [row.public_id for row in listed]
    place = keys.index(case.public_id) if case.public_id in keys else -1

    def address(at):
        if not 0 <= at < len(keys):
            return ""
        query = request.GET.copy()
        query["case"] = str(keys[at])
        return f"?{query.urlencode()}"

    return {
        "previous_url": address(place - 1),
        "next_url": address(place + 1) if place >= 0 else "",
        "next_case": keys[place + 1] if 0 <= place < len(keys) - 1 else "",
    }


def _approve_one(request):
    settlement = Settlement.objects.filter(
        project=request.project, public_id=_uuid(request.POST.get("case", ""))
    ).first()
    if settlement is None:
        raise Http404
    try:
        revision = promote_to_gold(
            settlement=settlement,
            by=request.user,
            masks="masks" in request.POST,
            replaces="replaces" in request.POST,
        )
    except NotReady as error:
        messages.error(request, " ".join(error.reasons))
    else:
        messages.success(
            request,
            _("Approved. It is in %(split)s.") % {"split": revision.example.get_split_display()},
        )
    return redirect(_back(request))


def _back(request) -> str:
    """The list with its filters, the next case open."""
    query = request.GET.copy()
    query.pop("case", None)
    if request.POST.get("next"):
        query["case"] = request.POST["next"]
    url = reverse("gold_approve", args=[request.project.slug])
    return f"{url}?{query.urlencode()}" if query else url


def _uuid(word):
    try:
        return filters.public_id("").read(word)
    except ValueError:
        raise Http404 from None


@project_page("approve_gold")
@require_POST
def approve_all(request):
    """Approve the cases that were on the page; those that are not ready stay, and the page says why."""
    given = [_uuid(word) for word in request.POST.getlist("case")[:SHOWN]]
    settlements = Settlement.objects.filter(project=request.project, public_id__in=given)
    outcome = approve_each(settlements=settlements.order_by("pk"), by=request.user)
    number = len(outcome.revisions)
    if number:
        messages.success(
            request,
            ngettext("%(number)d case is gold now.", "%(number)d cases are gold now.", number)
            % {"number": number},
        )
    if not outcome.exceptions:
        return redirect("gold_approve", request.project.slug)
    questions = {
        row.pk: row.last_user_message
        for row in Interaction.objects.filter(
            pk__in=[settlement.interaction_id for settlement, _reasons in outcome.exceptions]
        )
    }
    return render(
        request,
        "annotation/gold_exceptions.html",
        {
            "number": number,
            "exceptions": [
                (settlement, questions[settlement.interaction_id], reasons)
                for settlement, reasons in outcome.exceptions
            ],
        },
    )
