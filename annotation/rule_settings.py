"""The settings of routing rules: in order, on or off, tried before they are saved, with a log of what they did."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import F, OuterRef, Subquery
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation import routing, rules, tasks
from annotation.models import RoutingMatch, RoutingRule
from annotation.rule_form import RuleForm
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.browsing import LastUserMessage
from feedbackhub.doorbell import ring
from feedbackhub.list_pages import list_page

TRIED_DAYS = 28  # what a dry run looks back on
BACKFILL_DAYS = (7, 28, 90)


@project_page("change_rules")
def settings_rules(request):
    newest = RoutingMatch.objects.filter(rule=OuterRef("pk")).order_by("-pk")
    found = list(
        RoutingRule.objects.filter(project=request.project)
        .select_related("queue")
        .annotate(acted_at=Subquery(newest.values("created_at")[:1]))
        .order_by("position", "pk")
    )
    for rule in found:
        rule.words = rules.in_words(rule.when)
    return render(request, "annotation/settings_rules.html", {"rules": found})


@project_page("change_rules")
def new_rule(request):
    return _edit(request, None)


@project_page("change_rules")
def rule(request, public_id):
    return _edit(request, _rule(request, public_id))


def _rule(request, public_id) -> RoutingRule:
    found = RoutingRule.objects.filter(project=request.project, public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _edit(request, found):
    """Save, or only count what the rule as it is typed would have matched."""
    form = RuleForm(request.POST or None, instance=found, project=request.project)
    tried = None
    if request.method == "POST" and form.is_valid():
        if request.POST.get("act") != "try":
            saved = rules.save_rule(rule=form.save(commit=False))
            messages.success(request, _("%(rule)s is saved.") % {"rule": saved})
            return redirect("settings_rules", request.project.slug)
        since = timezone.now() - timedelta(days=TRIED_DAYS)
        tried = routing.dry_run(rule=form.save(commit=False), since=since)
    log = None
    if found is not None:
        matches = RoutingMatch.objects.filter(rule=found).select_related("interaction")
        log = list_page(
            request,
            matches.annotate(question_line=LastUserMessage(F("interaction__messages"))).defer(
                "interaction__messages",
                "interaction__tools",
                "interaction__output",
                "interaction__metadata",
            ),
            order=("-id",),
            limit=20,
        )
    return render(
        request,
        "annotation/settings_rule.html",
        {
            "form": form,
            "rule": found,
            "tried": tried,
            "tried_days": TRIED_DAYS,
            "backfill_days": BACKFILL_DAYS,
            "log": log,
        },
        status=400 if form.errors else 200,
    )


@project_page("change_rules")
@require_POST
def switch(request, public_id):
    rules.switch_rule(rule=_rule(request, public_id), is_active=request.POST.get("on") == "yes")
    return redirect("settings_rules", request.project.slug)


@project_page("change_rules")
@require_POST
def move(request, public_id):
    rules.move_rule(rule=_rule(request, public_id), is_up=request.POST.get("to") == "up")
    return redirect("settings_rules", request.project.slug)


@project_page("change_rules")
@require_POST
def delete(request, public_id):
    found = _rule(request, public_id)
    rules.delete_rule(rule=found)
    messages.success(
        request, _("%(rule)s is gone. What it brought into review stays.") % {"rule": found}
    )
    return redirect("settings_rules", request.project.slug)


@project_page("change_rules")
@require_POST
def backfill(request, public_id):
    """Let a rule act on what came in before it was made; a worker does it, the log shows how far it is."""
    found = _rule(request, public_id)
    try:
        days = int(request.POST.get("days", ""))
    except ValueError:
        days = 0
    if days not in BACKFILL_DAYS:
        raise Http404
    since = timezone.now() - timedelta(days=days)
    ring(tasks.backfill_rule, rule_id=found.pk, since=since.isoformat())
    messages.success(
        request,
        _("Looking back over %(days)d days. The log below fills as it acts.") % {"days": days},
    )
    return redirect("settings_rule", request.project.slug, public_id)
