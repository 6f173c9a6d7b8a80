"""Rules bring an answer to the people who can judge it, or escalate it at once.

Every rule that escalates and matches does so. Of those that send to review, the first that matches (by position) has
its way. What a rule did is logged as a RoutingMatch, once per rule and interaction, which makes all of this safe to
repeat: the same news twice, two workers at once, a backfill.

A rule that escalates writes the news `harm_found` in the same transaction, due at once:
{interaction_id, rule_id, feedback_id (the signal that speaks loudest, or None), source: "rule", severity}.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from annotation.conditions import Case, Signal, check_when, is_in_sample, matches  # noqa: F401
from annotation.intake import admit, is_full
from annotation.models import ReviewItem, ReviewQueue, RoutingMatch, RoutingRule
from feedbackhub import outbox
from feedbackhub.capture.models import FeedbackEvent, Interaction
from feedbackhub.capture.vocabulary import Severity

log = structlog.get_logger(__name__)

AT_ONCE = 500  # cases looked at together
LET_IN_AT_ONCE = 200

LOG_MATCH = """
INSERT INTO annotation_routingmatch (project_id, rule_id, interaction_id, created_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (rule_id, interaction_id) DO NOTHING
RETURNING id
"""


class DryRun(NamedTuple):
    """How many interactions a rule would match of those looked at."""

    matched: int
    examined: int


@transaction.atomic
def route_interaction(interaction: Interaction) -> list[RoutingMatch]:
    """Do what the active rules say about an interaction and its feedback; answers what is new. Safe to repeat."""
    rules = active_rules(interaction.project_id)
    case = next(_cases(Interaction.objects.kept().filter(pk=interaction.pk)), None)
    if case is None:
        return []
    return [match for rule in rules_for(case, rules) if (match := _act(rule, case, interaction))]


def active_rules(project_id: int) -> list[RoutingRule]:
    return list(
        RoutingRule.objects.filter(project=project_id, is_active=True)
        .select_related("queue", "project")
        .order_by("position", "pk")
    )


def rules_for(case: Case, rules: list[RoutingRule]) -> list[RoutingRule]:
    """The rules that act on a case: every escalating one, and the first that sends to review."""
    matching = [rule for rule in rules if not _samples(rule) and matches(rule.when, case)]
    if not matching:
        matching = [rule for rule in rules if _samples(rule) and _is_sampled(rule, case)]
    escalating = [rule for rule in matching if rule.action == RoutingRule.Action.ESCALATE]
    reviewing = [rule for rule in matching if rule.action == RoutingRule.Action.REVIEW]
    return [*escalating, *reviewing[:1]]


def dry_run(*, rule: RoutingRule, since: datetime) -> DryRun:
    """How many interactions since then `rule` (saved or not, active or not) would match; changes nothing."""
    examined = _kept_since(rule.project_id, since).count()
    matched = sum(1 for _case in _cases_of(rule, since))
    return DryRun(matched=matched, examined=examined)


def backfill(*, rule: RoutingRule, since: datetime) -> int:
    """Do what `rule` says about every interaction since then that it matches; answers how many were new.

    Other rules' order does not matter here: a lead asked for this one. What it did before, it does not do again.
    """
    count = 0
    for case in _cases_of(rule, since):
        interaction = Interaction(pk=case.interaction_id, project_id=rule.project_id)
        with transaction.atomic():
            count += _act(rule, case, interaction) is not None
    log.info("routing.backfilled", rule_id=rule.pk, count=count)
    return count


def let_in() -> int:
    """What rules sent to a queue that was full comes in as places come free; the oldest first, with the
    severity and the due time that they came with. The sweep calls it."""
    admitted = 0
    for queue in ReviewQueue.objects.filter(is_open=True, intake_cap__isnull=False):
        if not is_full(queue):
            admitted += _let_into(queue)
    return admitted


@transaction.atomic
def _let_into(queue) -> int:
    came_in = ReviewItem.objects.filter(queue=queue, interaction=OuterRef("interaction"))
    turned_away = (
        RoutingMatch.objects.filter(
            rule__queue=queue, rule__is_active=True, interaction__erased_at=None
        )
        .filter(~Exists(came_in))
        .select_related("rule__project", "interaction")
        .order_by("pk")[:LET_IN_AT_ONCE]
    )
    cases = {
        case.interaction_id: case
        for case in _cases(
            Interaction.objects.filter(pk__in=[m.interaction_id for m in turned_away])
        )
    }
    admitted = 0
    for match in turned_away:
        case = cases[match.interaction_id]
        _, is_new = admit(
            interaction=match.interaction,
            queue=queue,
            reason=match.rule.name,
            priority=match.rule.priority,
            severity=case.claimed_severity,
            due_at=_due_at(match.rule, case, match.created_at),
            rule=match.rule,
        )
        if not is_new:
            break
        _note_sampled(match.rule, case)
        admitted += 1
    return admitted


# --- steps ----------------------------------------------------------------------------------------


def _act(rule: RoutingRule, case: Case, interaction: Interaction) -> RoutingMatch | None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(LOG_MATCH, [rule.project_id, rule.pk, case.interaction_id, now])
        new = cursor.fetchone()
    if new is None:
        return None
    if rule.action == RoutingRule.Action.ESCALATE:
        loudest = _loudest(case)
        outbox.publish(
            "harm_found",
            project=rule.project,
            interaction_id=case.interaction_id,
            rule_id=rule.pk,
            feedback_id=loudest.id if loudest else None,
            source="rule",
            severity=case.claimed_severity or str(Severity.HIGH),
        )
    else:
        item_id, _ = admit(
            interaction=interaction,
            queue=rule.queue,
            reason=rule.name,
            priority=rule.priority,
            severity=case.claimed_severity,
            due_at=_due_at(rule, case, now),
            rule=rule,
        )
        if item_id:
            _note_sampled(rule, case)
    log.info("routing.matched", rule_id=rule.pk, interaction_id=case.interaction_id)
    return RoutingMatch(
        pk=new[0],
        project_id=rule.project_id,
        rule=rule,
        interaction_id=case.interaction_id,
        created_at=now,
    )


def _note_sampled(rule, case) -> None:
    """An answer that a sample brought to review, not one that it only would have."""
    if _samples(rule):
        sampled = Interaction.objects.filter(pk=case.interaction_id, is_sampled=False)
        sampled.update(is_sampled=True)


def _due_at(rule, case, now) -> datetime | None:
    """By the project's hours for the severity claimed (medium when none is). The unflagged have no hurry."""
    if _samples(rule):
        return None
    hours = rule.project.sla_hours
    return now + timedelta(hours=hours.get(case.claimed_severity) or hours["medium"])


def _loudest(case: Case) -> Signal | None:
    def loudness(signal):
        is_harm = signal.category in ("harmful", "privacy")
        return is_harm, Severity(signal.severity).rank if signal.severity else 0, signal.id

    return max(case.counting, key=loudness, default=None)


def _samples(rule: RoutingRule) -> bool:
    return "sample_percent" in rule.when


def _is_sampled(rule: RoutingRule, case: Case) -> bool:
    return matches(rule.when, case) and is_in_sample(rule.when["sample_percent"], case.external_id)


def _cases_of(rule: RoutingRule, since: datetime) -> Iterator[Case]:
    """Every case since then that `rule` matches. A sample is of what no other active rule matches."""
    flagging = []
    if _samples(rule):
        flagging = [other for other in active_rules(rule.project_id) if not _samples(other)]
    for case in _cases(_kept_since(rule.project_id, since).filter(_roughly(rule.when))):
        if _samples(rule):
            is_flagged = any(matches(other.when, case) for other in flagging)
            if not is_flagged and _is_sampled(rule, case):
                yield case
        elif matches(rule.when, case):
            yield case


def _kept_since(project_id, since):
    return Interaction.objects.kept().filter(project=project_id, occurred_at__gte=since)


def _roughly(when: dict) -> Q:
    """What the database can leave out beforehand; `matches` decides."""
    rough = Q()
    for key, column in (
        ("models", "model"),
        ("features", "feature"),
        ("roles", "user_role"),
        ("regions", "user_region"),
    ):
        if key in when:
            rough &= Q(**{f"{column}__in": when[key]})
    if when.get("metadata"):
        rough &= Q(metadata__contains=when["metadata"])
    feedback = {
        f"{column}__in": when[key]
        for key, column in (
            ("kinds", "kind"),
            ("categories", "category"),
            ("severities", "severity"),
        )
        if key in when
    }
    if "regenerates" in when:
        rough &= Q(Exists(_feedback_of_outer().filter(kind="regenerate")))
    if feedback or "max_score" in when:
        rough &= Q(Exists(_feedback_of_outer().filter(**feedback)))
    return rough


def _feedback_of_outer():
    return FeedbackEvent.objects.filter(interaction=OuterRef("pk"), erased_at=None)


def _cases(interactions) -> Iterator[Case]:
    """Cases of a queryset, some hundred at a time, without their texts."""
    rows = interactions.order_by("pk").values_list(
        "pk",
        "external_id",
        "model",
        "feature",
        "user_role",
        "user_region",
        "prompt_version__name",
        "prompt_version__version",
        "metadata",
    )
    last = 0
    while page := list(rows.filter(pk__gt=last)[:AT_ONCE]):
        signals = _signals([row[0] for row in page])
        for row in page:
            *words, metadata = row[1:]
            yield Case(
                row[0],
                *(word or "" for word in words),
                metadata=metadata,
                signals=tuple(signals[row[0]]),
            )
        if len(page) < AT_ONCE:
            return
        last = page[-1][0]


def _signals(interaction_ids) -> dict[int, list[Signal]]:
    signals = defaultdict(list)
    rows = (
        FeedbackEvent.objects.filter(interaction__in=interaction_ids, erased_at=None)
        .order_by("received_at", "pk")
        .values_list("interaction_id", "pk", "kind", "category", "severity", "score", "reporter_id")
    )
    for interaction_id, *fields in rows:
        signals[interaction_id].append(Signal(*fields))
    return signals
