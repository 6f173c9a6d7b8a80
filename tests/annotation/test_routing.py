"""Rules at work: what comes to review, what escalates, once each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import intake, queue_rules, routing
from annotation.default_rules import RULES, install_defaults
from annotation.models import CandidateAnswer, LabelSchema, ReviewItem, RoutingMatch, RoutingRule
from feedbackhub import outbox
from feedbackhub.accounts.members import create_project
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.outbox.delivery import deliver_due
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import at_once, queue_with
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ReporterFactory,
    ReviewQueueFactory,
)

REVIEW, ESCALATE = RoutingRule.Action.REVIEW, RoutingRule.Action.ESCALATE


@pytest.fixture
def queue(project):
    queue = install_defaults(project)
    RoutingRule.objects.filter(when__has_key="sample_percent").update(is_active=False)
    return queue


def rule(project, when, **fields):
    given = {"name": "Rule", "action": REVIEW, "position": 1} | fields
    if given["action"] == REVIEW:
        given.setdefault("queue", ReviewQueueFactory(project=project))
    return RoutingRule.objects.create(project=project, when=when, **given)


def routed(interaction):
    """(the items' reasons and priorities, whether it escalated)"""
    items = ReviewItem.objects.filter(interaction=interaction).order_by("pk")
    harm = OutboxEvent.objects.filter(
        kind="harm_found", about__interaction_id=interaction.pk
    ).count()
    return [(item.reason, item.priority) for item in items], harm


# --- a new project --------------------------------------------------------------------------------


def test_a_new_project_is_furnished_with_schema_queue_and_rules(olu):
    project = create_project(slug="fresh", name="Fresh", owner=olu)
    schema = LabelSchema.objects.get(project=project)
    assert len(schema.categories) == 16
    assert len(schema.root_causes) == 8
    assert not schema.is_frozen
    assert project.reviewqueue_set.get().slug == "general"
    assert RoutingRule.objects.filter(project=project).count() == len(RULES)
    assert all(not routing.check_when(each.when) for each in RoutingRule.objects.all())


def test_defaults_are_installed_once_and_leave_what_is_there(project):
    install_defaults(project)
    RoutingRule.objects.exclude(name="Thumbs down").delete()
    install_defaults(project)
    assert [each.name for each in RoutingRule.objects.all()] == ["Thumbs down"]
    assert LabelSchema.objects.count() == project.reviewqueue_set.count() == 1


# --- the default rules ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "feedback, expected",
    [
        ({"kind": "thumbs_down", "category": ""}, ([("Thumbs down", 30)], 0)),
        ({"kind": "report", "category": "wrong"}, ([("Report", 50)], 0)),
        ({"kind": "edit", "category": ""}, ([("Corrected by its user", 40)], 0)),
        ({"kind": "override", "category": ""}, ([("Corrected by its user", 40)], 0)),
        (
            {"kind": "rating", "category": "", "score": 0.25},
            ([("Rating in the lowest third", 30)], 0),
        ),
        ({"kind": "rating", "category": "", "score": 0.5}, ([], 0)),
        ({"kind": "regenerate", "category": ""}, ([], 0)),
        ({"kind": "thumbs_up", "category": ""}, ([], 0)),
        ({"kind": "copy", "category": ""}, ([], 0)),
        (
            {"kind": "comment", "category": "harmful"},
            ([("Reported as harmful or private", 100)], 1),
        ),
        (
            {"kind": "thumbs_down", "category": "privacy"},
            ([("Reported as harmful or private", 100)], 1),
        ),
        (
            {"kind": "report", "category": "wrong", "severity": "critical"},
            ([("Claimed critical", 100)], 1),
        ),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_the_default_rules_bring_what_hurts(project, queue, feedback, expected):
    event = FeedbackEventFactory(interaction__project=project, **feedback)
    routing.route_interaction(event.interaction)
    assert routed(event.interaction) == expected


def test_a_second_regenerate_comes_to_review(project, queue):
    interaction = InteractionFactory(project=project)
    FeedbackEventFactory.create_batch(2, interaction=interaction, kind="regenerate", category="")
    routing.route_interaction(interaction)
    assert routed(interaction) == ([("Regenerated twice", 20)], 0)


def test_harm_news_names_the_rule_the_signal_and_the_claim(project, queue):
    interaction = InteractionFactory(project=project)
    loudest = FeedbackEventFactory(interaction=interaction, category="harmful")
    FeedbackEventFactory(interaction=interaction, category="wrong")
    routing.route_interaction(interaction)
    event = OutboxEvent.objects.get(kind="harm_found")
    assert event.about == {
        "interaction_id": interaction.pk,
        "rule_id": RoutingRule.objects.get(
            name="Reported as harmful or private", action=ESCALATE
        ).pk,
        "feedback_id": loudest.pk,
        "source": "rule",
        "severity": "critical",
    }
    assert event.due_at <= timezone.now()


# --- order and repetition -------------------------------------------------------------------------


def test_the_first_matching_rule_queues_and_every_escalating_one_escalates(project):
    first = rule(project, {"models": ["lumen-2"]}, name="first", position=1)
    rule(project, {"features": ["tax_help"]}, name="second", position=2)
    rule(project, {"models": ["lumen-2"]}, action=ESCALATE, position=3)
    rule(project, {"features": ["tax_help"]}, action=ESCALATE, position=4)
    rule(project, {"models": ["lumen-2"]}, name="off", position=0, is_active=False)
    interaction = InteractionFactory(project=project)
    matches = routing.route_interaction(interaction)
    assert routed(interaction) == ([("first", 0)], 2)
    assert ReviewItem.objects.get().routed_by == first
    assert len(matches) == RoutingMatch.objects.count() == 3


def test_routing_again_does_nothing_new(project, queue):
    event = FeedbackEventFactory(interaction__project=project, category="harmful")
    assert len(routing.route_interaction(event.interaction)) == 2
    assert routing.route_interaction(event.interaction) == []
    assert routed(event.interaction) == ([("Reported as harmful or private", 100)], 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_news_route_it_once(project):
    install_defaults(project)
    for _ in range(4):
        event = FeedbackEventFactory(interaction__project=project, category="harmful")
        at_once(*[lambda e=event: routing.route_interaction(e.interaction)] * 4)
        assert routed(event.interaction) == ([("Reported as harmful or private", 100)], 1)


def test_worse_feedback_later_moves_the_waiting_item_forward_and_its_due_time_closer(
    project, queue
):
    event = FeedbackEventFactory(interaction__project=project, kind="thumbs_down", category="")
    routing.route_interaction(event.interaction)
    calm = ReviewItem.objects.get()
    FeedbackEventFactory(interaction=event.interaction, kind="report", severity="critical")
    routing.route_interaction(event.interaction)
    urgent = ReviewItem.objects.get()
    assert (calm.priority, urgent.priority) == (30, 100)
    assert urgent.due_at < calm.due_at


@pytest.mark.parametrize(
    "severity, hours", [("critical", 4), ("high", 24), ("low", 480), ("none", 120), ("", 120)]
)
def test_an_item_is_due_by_the_severity_that_was_claimed(project, queue, severity, hours):
    FeedbackEventFactory(interaction__project=project, category="wrong", severity=severity)
    routing.route_interaction(Interaction.objects.get())
    due_in = ReviewItem.objects.get().due_at - timezone.now()
    assert timedelta(hours=hours) - due_in < timedelta(minutes=1)


def test_an_erased_answer_is_not_routed(project, queue):
    event = FeedbackEventFactory(interaction__project=project)
    Interaction.objects.update(erased_at=timezone.now())
    assert routing.route_interaction(event.interaction) == []


def test_rules_of_one_project_see_nothing_of_another(project, other_project):
    rule(project, {"models": ["lumen-2"]})
    foreign = InteractionFactory(project=other_project)
    assert routing.route_interaction(foreign) == []
    assert routing.dry_run(
        rule=RoutingRule.objects.get(), since=timezone.now() - timedelta(days=1)
    ) == (0, 0)


# --- the quiet majority ---------------------------------------------------------------------------


def test_a_sample_is_of_what_no_other_rule_matches(project):
    sample = rule(project, {"sample_percent": 100}, name="sample", position=1)
    rule(project, {"kinds": ["thumbs_down"]}, name="down", position=2, queue=sample.queue)
    quiet = InteractionFactory(project=project)
    flagged = FeedbackEventFactory(interaction__project=project).interaction
    for interaction in (quiet, flagged):
        routing.route_interaction(interaction)
        interaction.refresh_from_db()
    assert (routed(quiet)[0], routed(flagged)[0]) == ([("sample", 0)], [("down", 0)])
    assert (quiet.is_sampled, flagged.is_sampled) == (True, False)
    assert ReviewItem.objects.get(interaction=quiet).due_at is None


def test_a_sampled_answer_that_a_full_queue_turns_away_is_sampled_when_it_comes_in(project):
    queue, _ = queue_with(project, items=1, intake_cap=1)
    rule(project, {"sample_percent": 100}, queue=queue)
    quiet = InteractionFactory(project=project)

    def is_sampled():
        quiet.refresh_from_db()
        return quiet.is_sampled

    routing.route_interaction(quiet)
    assert (routed(quiet)[0], is_sampled()) == ([], False)
    ReviewItem.objects.update(state="dismissed")
    assert (routing.let_in(), is_sampled()) == (1, True)


def test_a_sample_keeps_to_its_other_conditions(project):
    rule(project, {"sample_percent": 100, "models": ["lumen-3"]})
    assert routing.route_interaction(InteractionFactory(project=project)) == []
    assert len(routing.route_interaction(InteractionFactory(project=project, model="lumen-3"))) == 1


# --- trying out -----------------------------------------------------------------------------------


def test_a_dry_run_counts_and_changes_nothing(project):
    FeedbackEventFactory.create_batch(3, interaction__project=project)
    InteractionFactory.create_batch(2, project=project)
    long_ago = timezone.now() - timedelta(days=40)
    FeedbackEventFactory(interaction__project=project, interaction__occurred_at=long_ago)
    unsaved = RoutingRule(project=project, when={"kinds": ["thumbs_down"]})
    tried = routing.dry_run(rule=unsaved, since=timezone.now() - timedelta(days=28))
    assert (tried.matched, tried.examined) == (3, 5)
    assert not RoutingMatch.objects.exists()
    assert not ReviewItem.objects.exists()


@pytest.mark.parametrize(
    "when",
    [
        {"kinds": ["thumbs_down"]},
        {"max_score": 0.4},
        {"categories": ["harmful"], "models": ["lumen-3"]},
        {"regenerates": 1},
        {"metadata": {"tenant": "north"}},
        {"features": ["tax_help"], "roles": ["nurse"], "regions": ["DE"]},
        {"sample_percent": 50},
    ],
    ids=str,
)
def test_a_dry_run_counts_what_routing_would_match(project, when):
    for n in range(12):
        interaction = InteractionFactory(
            project=project,
            model=f"lumen-{2 + n % 2}",
            user_role="nurse" if n % 3 else "",
            user_region="DE",
            metadata={"tenant": "north"} if n % 4 == 0 else {},
        )
        kind = ["thumbs_down", "rating", "regenerate", "report"][n % 4]
        category = "harmful" if n % 3 == 0 else ""
        FeedbackEventFactory(interaction=interaction, kind=kind, category=category, score=n / 12)
    tried = rule(project, when)
    counted = routing.dry_run(rule=tried, since=timezone.now() - timedelta(days=1)).matched
    for interaction in Interaction.objects.all():
        routing.route_interaction(interaction)
    assert counted == RoutingMatch.objects.count() > 0


def test_a_dry_run_reads_in_portions(project, monkeypatch):
    monkeypatch.setattr(routing, "AT_ONCE", 2)
    FeedbackEventFactory.create_batch(5, interaction__project=project)
    tried = RoutingRule(project=project, when={"kinds": ["thumbs_down"]})
    assert routing.dry_run(rule=tried, since=timezone.now() - timedelta(days=1)).matched == 5


def test_a_backfill_does_what_the_rule_says_once(project):
    FeedbackEventFactory.create_batch(3, interaction__project=project)
    InteractionFactory(project=project)
    late = rule(project, {"kinds": ["thumbs_down"]})
    since = timezone.now() - timedelta(days=28)
    assert routing.backfill(rule=late, since=since) == 3
    assert routing.backfill(rule=late, since=since) == 0
    assert ReviewItem.objects.filter(queue=late.queue, routed_by=late).count() == 3


# --- a full queue ---------------------------------------------------------------------------------


def test_a_full_queue_takes_only_what_is_first_in_line_and_the_rest_as_places_come_free(project):
    queue, _ = queue_with(project, items=1, intake_cap=1)
    rule(project, {"models": ["lumen-2"]}, queue=queue)
    turned_away = InteractionFactory(project=project)
    routing.route_interaction(turned_away)
    assert routed(turned_away)[0] == []
    assert routing.let_in() == 0

    RoutingRule.objects.update(priority=intake.FIRST_IN_LINE)
    urgent = InteractionFactory(project=project)
    routing.route_interaction(urgent)
    assert len(routed(urgent)[0]) == 1

    RoutingRule.objects.update(priority=0)
    ReviewItem.objects.update(state="dismissed")
    assert routing.let_in() == 1
    assert len(routed(turned_away)[0]) == 1


def test_what_comes_in_late_brings_its_severity_and_the_time_it_is_due(project):
    queue, _ = queue_with(project, items=1, intake_cap=1, order="severity")
    rule(project, {"kinds": ["report"]}, queue=queue)
    report = FeedbackEventFactory(
        interaction__project=project, kind="report", severity="high", category="wrong"
    )
    routing.route_interaction(report.interaction)
    turned_away_at = RoutingMatch.objects.get().created_at
    ReviewItem.objects.update(state="dismissed")
    assert routing.let_in() == 1
    item = ReviewItem.objects.get(interaction=report.interaction)
    assert item.priority == Severity("high").rank * queue_rules.RANK
    assert item.due_at == turned_away_at + timedelta(hours=project.sla_hours["high"])


# --- by hand --------------------------------------------------------------------------------------


def test_flagging_by_hand_makes_one_item_however_full_the_queue(project, ben):
    queue, _ = queue_with(project, items=1, intake_cap=1)
    interaction = InteractionFactory(project=project)
    item = intake.flag_interaction(interaction=interaction, queue=queue, by=ben, reason="Odd.")
    assert (item.is_new, item.reason, item.flagged_by, item.state) == (True, "Odd.", ben, "waiting")
    again = intake.flag_interaction(interaction=interaction, queue=queue, by=ben)
    assert (again.pk, again.is_new) == (item.pk, False)


def test_flagging_a_dismissed_item_puts_it_back(project, ben):
    queue, [item] = queue_with(project)
    ReviewItem.objects.update(state="dismissed")
    again = intake.flag_interaction(interaction=item.interaction, queue=queue, by=ben)
    assert (again.pk, again.state, again.flagged_by) == (item.pk, "waiting", ben)


# --- by news --------------------------------------------------------------------------------------


def test_what_was_captured_is_routed_by_its_news_even_when_told_twice(project, queue):
    event = FeedbackEventFactory(interaction__project=project)
    for _ in range(2):
        outbox.publish("interaction_captured", project=project, interaction_id=event.interaction.pk)
        outbox.publish("feedback_captured", project=project, feedback_id=event.pk)
    deliver_due()
    assert not OutboxEvent.objects.filter(delivered_at=None).exists()
    assert routed(event.interaction) == ([("Thumbs down", 30)], 0)


def test_news_is_kept_until_it_was_routed(project, queue, monkeypatch):
    event = FeedbackEventFactory(interaction__project=project)
    outbox.publish("feedback_captured", project=project, feedback_id=event.pk)
    with monkeypatch.context() as broken:
        broken.setattr(routing, "active_rules", lambda project_id: 1 / 0)
        deliver_due()
    kept = OutboxEvent.objects.get(kind="feedback_captured")
    assert (kept.delivered_at, kept.attempts) == (None, 1)
    OutboxEvent.objects.update(due_at=timezone.now())
    deliver_due()
    assert len(routed(event.interaction)[0]) == 1


def test_feedback_that_came_before_its_interaction_is_routed_with_it(project, queue):
    early = FeedbackEventFactory(
        interaction=None,
        project=project,
        interaction_external_id="chat/late",
        kind="edit",
        edited_output="Better.",
    )
    outbox.publish("feedback_captured", project=project, feedback_id=early.pk)
    deliver_due()
    late = InteractionFactory(project=project, external_id="chat/late")
    outbox.publish("interaction_captured", project=project, interaction_id=late.pk)
    deliver_due()
    assert routed(late)[0] == [("Corrected by its user", 40)]
    assert CandidateAnswer.objects.get().text == "Better."


def test_a_reporters_edit_becomes_a_candidate_once_and_only_when_it_changes_something(project):
    interaction = InteractionFactory(project=project, output="Yes.")
    reporter = ReporterFactory(project=project)
    for text in ("Yes. ", "No.", "No."):
        edit = FeedbackEventFactory(
            interaction=interaction, kind="edit", edited_output=text, reporter=reporter
        )
        outbox.publish("feedback_captured", project=project, feedback_id=edit.pk)
    deliver_due()
    candidate = CandidateAnswer.objects.get()
    assert (candidate.text, candidate.source, candidate.revision) == ("No.", "reporter", 1)
