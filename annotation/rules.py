"""Routing rules as a lead sets them up: written, ordered, switched, and said in words."""

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotation.models import RoutingRule
from feedbackhub.accounts.models import Project
from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity

STEP = 10  # between two positions


@transaction.atomic
def save_rule(*, rule: RoutingRule) -> RoutingRule:
    """Keep a new or changed rule; a new one comes last."""
    if rule.pk is None:
        Project.objects.select_for_update(no_key=True).get(pk=rule.project_id)
        last = RoutingRule.objects.filter(project=rule.project_id).aggregate(Max("position"))
        rule.position = (last["position__max"] or 0) + STEP
    rule.save()
    return rule


@transaction.atomic
def move_rule(*, rule: RoutingRule, is_up: bool) -> None:
    """Change places with the neighbour; the first that matches queues an answer, so order counts."""
    Project.objects.select_for_update(no_key=True).get(pk=rule.project_id)
    rules = list(RoutingRule.objects.filter(project=rule.project_id).order_by("position", "pk"))
    at = next(place for place, each in enumerate(rules) if each.pk == rule.pk)
    to = at - 1 if is_up else at + 1
    if not 0 <= to < len(rules):
        return
    rules[at], rules[to] = rules[to], rules[at]
    moved = []
    for place, each in enumerate(rules, start=1):
        if each.position != place * STEP:
            each.position = place * STEP
            moved.append(each)
    RoutingRule.objects.bulk_update(moved, ["position"])


def switch_rule(*, rule: RoutingRule, is_active: bool) -> RoutingRule:
    RoutingRule.objects.filter(pk=rule.pk).update(is_active=is_active)
    rule.refresh_from_db()
    return rule


def delete_rule(*, rule: RoutingRule) -> None:
    """Take a rule out, with its log; the items that it brought stay."""
    rule.delete()


def in_words(when: dict) -> list[tuple[str, str]]:
    """[(what is asked, of which one is enough)], in the order of the form."""
    named = []
    for key, (label, say) in _WORDS.items():
        if key in when:
            named.append((str(label()), say(when[key])))
    return named


def _of(choices):
    words = dict(choices.choices)
    return lambda values: ", ".join(str(words.get(value, value)) for value in values)


def _plain(values):
    return ", ".join(map(str, values))


_WORDS = {
    "kinds": (lambda: _("feedback"), _of(FeedbackKind)),
    "categories": (lambda: _("reported as"), _of(ReportedCategory)),
    "severities": (lambda: _("claimed severity"), _of(Severity)),
    "max_score": (lambda: _("score at most"), str),
    "regenerates": (lambda: _("regenerated at least"), lambda n: _("%(n)s times") % {"n": n}),
    "models": (lambda: _("model"), _plain),
    "prompt_versions": (lambda: _("prompt"), _plain),
    "features": (lambda: _("feature"), _plain),
    "roles": (lambda: _("asked by"), _plain),
    "regions": (lambda: _("region"), _plain),
    "metadata": (
        lambda: _("metadata"),
        lambda values: ", ".join(f"{key} = {value}" for key, value in values.items()),
    ),
    "sample_percent": (lambda: _("sample of the unflagged"), lambda n: f"{n} %"),
}
