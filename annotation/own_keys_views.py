"""One's own keys of the review screen: every act with its key, conflicts shown, back to the house's."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation import review_keys
from annotation.models import ReviewQueue
from annotation.settling import current_schema
from feedbackhub.accounts.access import project_page


@project_page("judge")
def own_keys(request):
    acts = _acts(request)
    if request.method == "POST" and "defaults" in request.POST:
        known = {act.name for act in acts}
        _keep(
            request, {act: key for act, key in request.user.review_keys.items() if act not in known}
        )
        messages.success(request, _("These are the house's keys again."))
        return redirect("own_keys", request.project.slug)
    chosen = {act.name: request.user.review_keys.get(act.name, act.default) for act in acts}
    impossible = set()
    if request.method == "POST":
        chosen = {act.name: request.POST.get(act.name, "").strip().lower() for act in acts}
        impossible = {name for name, key in chosen.items() if not review_keys.is_possible(key)}
    conflicts = review_keys.conflicts(acts, chosen)
    if request.method == "POST" and not conflicts and not impossible:
        others = {act: key for act, key in request.user.review_keys.items() if act not in chosen}
        changed = {act.name: chosen[act.name] for act in acts if chosen[act.name] != act.default}
        _keep(request, others | changed)
        messages.success(request, _("Saved. The caps on the screen show your keys."))
        return redirect("own_keys", request.project.slug)
    groups = {}
    for act in acts:
        groups.setdefault(act.group, []).append(
            {
                "act": act,
                "key": chosen[act.name],
                "others": [other.label for other in conflicts.get(act.name, ())],
                "is_impossible": act.name in impossible,
            }
        )
    is_refused = bool(conflicts or impossible)
    status = 400 if request.method == "POST" else 200
    context = {"groups": groups, "is_refused": is_refused, "taken": review_keys.TAKEN}
    return render(request, "annotation/own_keys.html", context, status=status)


def _acts(request):
    queues = ReviewQueue.objects.of_member(request.membership).order_by("name", "pk")
    schemas = {queue.schema_name: queue for queue in reversed(queues)}
    return review_keys.acts_of(current_schema(queue) for queue in reversed(schemas.values()))


def _keep(request, keys: dict) -> None:
    request.user.review_keys = keys
    request.user.save(update_fields=["review_keys"])
