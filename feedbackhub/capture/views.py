"""Interactions to look through, the whole trail of one, and the changelog of prompts."""

from datetime import timedelta

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.capture import browsing
from feedbackhub.capture.models import Interaction, PromptVersion
from feedbackhub.capture.queries import INTERACTION_FILTERS, NEWEST_FIRST
from feedbackhub.capture.trail import trail_of, withheld_from
from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity
from feedbackhub.list_pages import choice, list_page
from feedbackhub.page_links import outside_url, page_url

RAW = "answer"  # ?answer=raw shows the answer as it came
MOST_CHOICES = 40

# kind of a trail's entry: icon, tone
TRAIL_MARKS = {
    "answered": ("chat-bubble-left-right", ""),
    "routed": ("arrows-right-left", ""),
    "judged": ("scale", "accent"),
    "corrected": ("pencil-square", "accent"),
    "settled": ("check-circle", "good"),
    "gold": ("star", "good"),
    "problem": ("exclamation-triangle", "caution"),
    "ticket": ("ticket", "info"),
    "fix": ("wrench-screwdriver", "good"),
    "notice": ("paper-airplane", "info"),
}


@project_page("search_interactions")
def interactions(request):
    rows = browsing.for_reading(Interaction.objects.kept().for_project(request.project))
    listed = list_page(
        request,
        rows,
        order=NEWEST_FIRST,
        allowed=INTERACTION_FILTERS,
        chips=_chips(request),
    )
    browsing.add_feedback(listed.rows)
    return render(request, "capture/interactions.html", {"list": listed}, status=listed.status)


def _chips(request):
    query, project = request.GET, request.project
    models, features = browsing.recent_choices(project)
    prompts = (
        PromptVersion.objects.filter(project=project)
        .exclude(version="")
        .order_by("-pk")
        .values_list("version", "name")[:MOST_CHOICES]
    )
    versions = {version: f"{name} {version}" for version, name in prompts}
    yield choice(
        query,
        "has_feedback",
        _("Feedback"),
        [("yes", _("some")), ("no", _("none"))],
    )
    yield choice(query, "feedback", _("Kind"), FeedbackKind.choices)
    yield choice(query, "category", _("Reported as"), ReportedCategory.choices)
    yield choice(query, "severity", _("Claimed severity"), Severity.choices)
    yield choice(query, "feature", _("Feature"), [(name, name) for name in features[:MOST_CHOICES]])
    yield choice(query, "model", _("Model"), [(name, name) for name in models[:MOST_CHOICES]])
    yield choice(query, "prompt_version", _("Prompt"), list(versions.items()))
    yield choice(query, "since", _("Since"), _since())
    yield from _asked_by_address(query)


def _since():
    today = timezone.now().date()
    for days, word in (
        (0, _("today")),
        (7, _("7 days ago")),
        (28, _("28 days ago")),
        (90, _("90 days ago")),
    ):
        yield (today - timedelta(days=days)).isoformat(), word


def _asked_by_address(query):
    """Filters that have no menu of their own show as chips when the address has them, so that they can come off."""
    labels = {
        "until": _("Until"),
        "session": _("Session"),
        "prompt": _("Prompt name"),
        "model_version": _("Model version"),
        "environment": _("Environment"),
        "user_role": _("Role"),
        "user_region": _("Region"),
        "tag": _("Tag"),
    }
    for name, label in labels.items():
        if value := query.get(name):
            yield choice(query, name, label, [(value, value[:60])])


@project_page("search_interactions")
def interaction(request, public_id):
    """One interaction with its whole trail, and J/K through the list one came from."""
    found = (
        Interaction.objects.for_project(request.project)
        .select_related("prompt_version")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise Http404
    crumbs, newer_url, older_url = _walk(request, found)
    context = {
        "interaction": found,
        "crumbs": crumbs,
        "newer_url": newer_url,
        "older_url": older_url,
    }
    if found.erased_at:
        return render(request, "capture/interaction_erased.html", context, status=410)
    withheld = withheld_from(request.membership, found)
    trail = trail_of(found, without=withheld)
    for entry in trail:
        entry.facts.pop("id", None)
    context |= {
        "trail": [(entry, *TRAIL_MARKS.get(entry.kind, ("clock", ""))) for entry in trail],
        "is_withheld": bool(withheld),
        "documents": found.documents.all(),
        "is_raw": request.GET.get(RAW) == "raw",
        "answer_urls": _answer_urls(request),
        "facts": _facts(found, request.project),
        "metadata": sorted(found.metadata.items()),
        "trace": (found.trace_url, outside_url(found.trace_url)),
        "masked": sorted(found.redaction_counts.items()),
        "session": browsing.of_same_session(found),
        "flag_url": request.membership.may("flag_interaction")
        and page_url("flag_interaction", request.project.slug, found.public_id),
    }
    return render(request, "capture/interaction.html", context)


def _walk(request, found):
    """The way back to the list with its filters, and the neighbours in it."""
    query = request.GET.copy()
    query.pop(RAW, None)
    asked, errors = filters.conditions(query, INTERACTION_FILTERS)
    if errors:
        query.clear()
    rows = Interaction.objects.kept().for_project(request.project)
    newer, older = browsing.neighbours(rows if errors else rows.filter(asked), found)
    ending = f"?{query.urlencode()}" if query else ""
    slug = request.project.slug
    crumbs = [{"label": _("Interactions"), "url": reverse("interactions", args=[slug]) + ending}]
    urls = (
        reverse("interaction", args=[slug, each.public_id]) + ending if each else ""
        for each in (newer, older)
    )
    return crumbs, *urls


def _answer_urls(request):
    rendered, raw = request.GET.copy(), request.GET.copy()
    rendered.pop(RAW, None)
    raw[RAW] = "raw"
    return {"rendered": f"?{rendered.urlencode()}#answer", "raw": f"?{raw.urlencode()}#answer"}


def _facts(found, project):
    """Names and values of what is known of an interaction; what is unknown is left out."""
    model = f"{found.model} {found.model_version}".strip()
    retrieval = f"{found.retrieval_index} {found.retrieval_version}".strip()
    tokens = [found.input_tokens, found.output_tokens]
    facts = [
        {"name": _("Id"), "value": found.external_id, "is_id": True},
        {"name": _("Model"), "value": model},
        {"name": _("Feature"), "value": found.feature},
        {"name": _("Environment"), "value": found.environment},
        {"name": _("Retrieval"), "value": retrieval},
        {
            "name": _("Latency"),
            "value": f"{found.latency_ms:,.0f} ms" if found.latency_ms is not None else "",
        },
        {
            "name": _("Tokens"),
            "value": _("%(input)s in, %(output)s out") % {"input": tokens[0], "output": tokens[1]}
            if None not in tokens
            else "",
        },
        {
            "name": _("Confidence"),
            "value": f"{found.confidence:.2f}" if found.confidence is not None else "",
        },
        {"name": _("Fallback"), "value": _("yes") if found.is_fallback else ""},
        {
            "name": _("Asked by"),
            "value": ", ".join(filter(None, [found.user_role, found.user_region])),
        },
        {"name": _("Tags"), "value": ", ".join(found.tags)},
        {"name": _("Sampled"), "value": _("from the unflagged") if found.is_sampled else ""},
    ]
    if found.session_id:
        url = reverse("interactions", args=[project.slug])
        query = urlencode({"session": found.session_id})
        facts.insert(1, {"name": _("Session"), "value": found.session_id, "url": f"{url}?{query}"})
    return [fact for fact in facts if fact["value"]]


@project_page("search_interactions")
def prompts(request):
    """The changelog: what changed from one version to the next, why, and how it went."""
    listed = list_page(
        request,
        browsing.prompt_changelog(request.project),
        order=("-id",),
        allowed={"name": filters.text("name")},
        limit=10,
    )
    browsing.add_figures(request.project, listed.rows)
    return render(request, "capture/prompts.html", {"list": listed}, status=listed.status)
