"""What the frame of every page shows: the project, the person's places, the theme."""

from collections.abc import Callable
from contextlib import suppress

from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from feedbackhub.accounts.models import Membership, Project
from feedbackhub.accounts.permissions import PERMISSIONS

# name, label, icon, permissions of which one is enough
PLACES = [
    ("review", "Review", "pencil-square", ("judge",)),
    ("interactions", "Interactions", "chat-bubble-left-right", ("search_interactions",)),
    ("agreement", "Agreement", "scale", ("see_own_work",)),
    ("people", "People", "users", ("see_everyones_figures",)),
    ("gold", "Gold", "star", ("browse_gold",)),
    ("exports", "Exports", "arrow-down-tray", ("export_gold",)),
    ("problems", "Problems", "exclamation-triangle", ("see_problems", "see_problems_of_own_items")),
    ("fixes", "Fixes", "wrench-screwdriver", ("see_problems",)),
    ("outbox", "Outbox", "paper-airplane", ("release_notices",)),
    ("settings", "Settings", "cog-6-tooth", ("see_members", "change_rules")),
]

# in the menu of the person: their own, in this project
OWN_PLACES = [("my_figures", "My figures", "chart-bar", "see_own_work")]

SETTINGS_PLACES = [
    ("settings_members", "Members", "users", "see_members"),
    ("settings_keys", "API keys", "key", "see_api_keys"),
    ("settings_queues", "Queues", "queue-list", "change_queues"),
    ("settings_rules", "Routing rules", "arrows-right-left", "change_rules"),
    ("settings_schema", "Label schema", "tag", "change_label_schema"),
    ("settings_trackers", "Trackers", "ticket", "see_trackers"),
    ("settings_reporters", "Telling reporters", "paper-airplane", "release_notices"),
    ("settings_problems", "Problems", "exclamation-triangle", "change_rules"),
    ("settings_privacy", "Privacy", "shield-check", "see_privacy"),
    ("settings_audit", "Audit trail", "clipboard-document-list", "read_audit"),
]


_beside_person: list[Callable[[Membership], dict | None]] = []


def beside_person(function):
    """Register what stands beside the person on every page of a project: {"url", "count", "shown"}, or None."""
    _beside_person.append(function)
    return function


def frame(request):
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "auto")
    context = {
        "theme": theme if theme in ("auto", "light", "dark") else "auto",
        "project": getattr(request, "project", None),
        "membership": getattr(request, "membership", None),
        "places": [],
        "projects": [],
        "can": {},
    }
    if user is None or not user.is_authenticated:
        return context
    context["person_links"] = [
        {"label": _("Profile"), "url": reverse("profile"), "icon": "user-circle"}
    ]
    context["projects"] = Project.objects.for_user(user).order_by("name")
    membership = context["membership"]
    if membership:
        context["person_links"] += list(_own_links(membership))
        context["can"] = {permission: membership.may(permission) for permission in PERMISSIONS}
        context["places"] = list(_places(request, membership))
        context["settings_places"] = list(_settings_places(request, membership))
        context["waits_for_me"] = SimpleLazyObject(lambda: _waiting(membership))
    return context


def _places(request, membership):
    for name, label, icon, permissions in PLACES:
        if not any(membership.may(permission) for permission in permissions):
            continue
        try:
            url = reverse(name, args=[membership.project.slug])
        except NoReverseMatch:
            continue
        yield {
            "name": name,
            "label": _(label),
            "url": url,
            "icon": icon,
            "is_current": request.path.startswith(url),
        }


def _waiting(membership) -> list[dict]:
    """Asked when the bar is drawn: fragments have none."""
    return [found for tell in _beside_person if (found := tell(membership))]


def _own_links(membership):
    for name, label, icon, permission in OWN_PLACES:
        if membership.may(permission):
            with suppress(NoReverseMatch):
                url = reverse(name, args=[membership.project.slug])
                yield {"label": _(label), "url": url, "icon": icon}


def _settings_places(request, membership):
    for name, label, icon, permission in SETTINGS_PLACES:
        if membership.may(permission):
            try:
                url = reverse(name, args=[membership.project.slug])
            except NoReverseMatch:
                continue
            yield {
                "name": name,
                "label": _(label),
                "url": url,
                "icon": icon,
                "is_current": request.path.startswith(url),
            }
