"""What the command palette finds: interactions by id or words, problems by number or title, places by name."""

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q
from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.models import ReviewItem
from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.context import SETTINGS_PLACES
from feedbackhub.capture import browsing
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.queries import NEWEST_FIRST
from feedbackhub.page_links import page_url
from triage.models import Problem

LONGEST = 200
SHOWN = 6
OTHER_PLACES = [
    ("gold_approve", "Gold approval", "approve_gold"),
    ("gold_versions", "Gold versions", "browse_gold"),
    ("prompts", "Prompt changelog", "search_interactions"),
]


@project_page()
def palette(request):
    """{"groups": [{"label", "entries": [{"label", "url", "hint"}]}]}; nothing for nothing."""
    words = "".join(c for c in request.GET.get("q", "")[:LONGEST] if c.isprintable()).strip()
    groups = []
    if words:
        for label, find in (
            (_("Interactions"), _interactions),
            (_("Problems"), _problems),
            (_("Pages"), _places),
        ):
            if entries := list(find(request.membership, words)):
                groups.append({"label": label, "entries": entries})
    return JsonResponse({"groups": groups})


def _interactions(membership, words):
    """By id first, then by words; an expert finds those of their items."""
    rows = Interaction.objects.kept().for_project(membership.project)
    if not membership.may("search_interactions"):
        yield from _items(membership, words)
        return
    by_id = rows.filter(Q(external_id=words) | Q(session_id=words))
    found = list(browsing.for_reading(by_id).order_by(*NEWEST_FIRST)[:SHOWN])
    if not found:
        query = SearchQuery(words, config="simple", search_type="websearch")
        by_words = rows.filter(text__search=query)
        found = list(browsing.for_reading(by_words).order_by(*NEWEST_FIRST)[:SHOWN])
    for row in found:
        yield {
            "label": row.question_line or row.external_id,
            "url": reverse("interaction", args=[membership.project.slug, row.public_id]),
            "hint": row.external_id[:40],
        }


def _items(membership, words):
    items = ReviewItem.objects.visible_to(membership).filter(interaction__external_id=words)
    for item in items.select_related("queue").order_by("-pk")[:SHOWN]:
        if url := page_url("item", membership.project.slug, item.public_id):
            yield {"label": words, "url": url, "hint": item.queue.name}


def _problems(membership, words):
    asked = Q(title__icontains=words)
    number = words.lstrip("#Pp")
    if number.isascii() and number.isdigit() and len(number) < 10:
        asked |= Q(number=int(number))
    problems = Problem.objects.visible_to(membership).filter(asked).order_by("-priority", "-pk")
    for problem in problems[:SHOWN]:
        if url := page_url("problem", membership.project.slug, problem.number):
            yield {
                "label": problem.title,
                "url": url,
                "hint": f"P{problem.number} · {problem.get_state_display()}",
            }


def _places(membership, words):
    places = [(name, label, permission) for name, label, _icon, permission in SETTINGS_PLACES]
    for name, label, permission in [*OTHER_PLACES, *places]:
        is_named = all(word in _(label).lower() for word in words.lower().split())
        url = page_url(name, membership.project.slug) if is_named else ""
        if url and membership.may(permission):
            yield {"label": _(label), "url": url}
