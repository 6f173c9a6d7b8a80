"""From harm to a problem: what says so is looked at again, and the case finds its place."""

import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from annotation.models import RoutingRule, Settlement
from feedbackhub import outbox
from feedbackhub.capture.models import Interaction
from feedbackhub.outbox.delivery import deliver_due
from feedbackhub.outbox.models import OutboxEvent
from tests.factories import (
    AnnotationFactory,
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReviewItemFactory,
)
from triage import problems
from triage.models import Escalation, Problem, ProblemMember

pytestmark = pytest.mark.django_db

# alike in their words, and no near-duplicates: those share most of their letters in a row
ASKED = "Is ibuprofen safe with aspirin, paracetamol, alcohol?"
ALIKE = "Alcohol, aspirin, paracetamol: which is safe with ibuprofen?"


def judged(project, *, words="May I take both pills?", **about):
    """An expert's current judgement, harmful unless said otherwise."""
    item = ReviewItemFactory(
        queue__project=project,
        interaction=InteractionFactory(
            project=project, messages=[{"role": "user", "content": words}], feature="pharmacy"
        ),
    )
    return AnnotationFactory(
        assignment__item=item,
        **{"verdict": "harmful", "severity": "critical", "categories": ["harmful"], **about},
    )


def tell(annotation, **more):
    about = {
        "interaction_id": annotation.item.interaction_id,
        "annotation_id": annotation.pk,
        **more,
    }
    outbox.publish("harm_found", project=annotation.project, **about)
    deliver_due()


def settle(annotation, **about):
    return Settlement.objects.create(
        project=annotation.project,
        interaction=annotation.item.interaction,
        item=annotation.item,
        schema=annotation.schema,
        schema_name="default",
        takes_effect_at=timezone.now(),
        **{"verdict": "harmful", "severity": "high", "decided_how": "agreed",
           "categories": ["outdated"], **about},
    )  # fmt: skip


# --- what counts ----------------------------------------------------------------------------------


def test_a_harmful_verdict_opens_a_problem_in_its_own_words(project):
    tell(judged(project))
    problem, member = Problem.objects.get(), ProblemMember.objects.get()
    assert problem.title == "Harmful in pharmacy: “May I take both pills?”"
    assert (problem.severity, problem.category, problem.state) == ("critical", "harmful", "open")
    assert (member.source, member.severity, problem.member_count) == ("expert", "critical", 1)
    assert problem.due_at is not None


def test_told_twice_is_one_problem_one_member_one_escalation(project, connection):
    annotation = judged(project)
    tell(annotation)
    tell(annotation)
    assert (Problem.objects.count(), ProblemMember.objects.count()) == (1, 1)
    assert Escalation.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"is_current": False},
        {"taken_back_at": timezone.now()},
        {"verdict": "wrong", "severity": "high"},
    ],
)
def test_a_judgement_that_no_longer_stands_says_nothing(project, change):
    annotation = judged(project)
    type(annotation).objects.filter(pk=annotation.pk).update(**change)
    tell(annotation)
    assert not Problem.objects.exists()
    assert OutboxEvent.objects.get().delivered_at is not None


def test_nothing_is_opened_before_the_undo_has_passed(project):
    annotation = judged(project, final_at=timezone.now() + timedelta(seconds=9))
    tell(annotation)
    event = OutboxEvent.objects.get()
    assert not Problem.objects.exists()
    assert (event.delivered_at, event.failure) == (None, "NotYet")
    type(annotation).objects.update(final_at=timezone.now())
    OutboxEvent.objects.update(due_at=timezone.now())
    deliver_due()
    assert Problem.objects.count() == 1


def test_an_erased_answer_opens_nothing(project):
    annotation = judged(project)
    Interaction.objects.update(erased_at=timezone.now())
    tell(annotation)
    assert not Problem.objects.exists()


def test_an_answer_of_another_project_opens_nothing(project, other_project):
    annotation = judged(project)
    outbox.publish(
        "harm_found",
        project=other_project,
        interaction_id=annotation.item.interaction_id,
        annotation_id=annotation.pk,
    )
    deliver_due()
    assert not Problem.objects.exists()


def test_harmful_of_little_severity_counts_as_high(project):
    tell(judged(project, severity="low"))
    assert ProblemMember.objects.get().severity == "high"


def test_critical_without_harm_counts(project):
    tell(judged(project, verdict="wrong", severity="critical"))
    assert Problem.objects.get().severity == "critical"


def test_a_settlement_counts_with_its_own_words(project):
    annotation = judged(project)
    settlement = settle(annotation, decided_how="lead")
    tell(annotation, settlement_id=settlement.pk)
    member = ProblemMember.objects.get()
    assert (member.settlement, member.source, member.severity) == (settlement, "lead", "high")
    assert Problem.objects.get().category == "outdated"


def test_a_rule_escalates_what_a_reporter_claims_before_anyone_judged(project):
    LabelSchemaFactory(
        project=project,
        categories=[{"key": "privacy_leak", "name": "Privacy leak", "reported_as": ["privacy"]}],
    )
    event = FeedbackEventFactory(
        interaction=InteractionFactory(project=project),
        kind="report",
        category="privacy",
        severity="critical",
    )
    rule = RoutingRule.objects.create(project=project, name="Privacy", action="escalate")
    outbox.publish(
        "harm_found",
        project=project,
        interaction_id=event.interaction_id,
        rule_id=rule.pk,
        feedback_id=event.pk,
    )
    deliver_due()
    member = ProblemMember.objects.select_related("problem").get()
    assert (member.source, member.severity, member.problem.category) == (
        "rule", "critical", "privacy_leak",
    )  # fmt: skip
    assert member.problem.title.startswith("Privacy leak in tax_help: ")


def test_an_experts_word_raises_what_a_rule_had_escalated(project):
    annotation = judged(project)
    problem = ProblemFactory(project=project, severity="high")
    ProblemMemberFactory(
        problem=problem, interaction=annotation.item.interaction, source="rule", severity="high"
    )
    tell(annotation)
    problem.refresh_from_db()
    assert (Problem.objects.count(), problem.severity) == (1, "critical")


# --- where it belongs -----------------------------------------------------------------------------


def test_a_near_duplicate_joins_the_open_problem(project):
    words = "May I take ibuprofen together with the aspirin that my doctor gave me?"
    tell(judged(project, words=words))
    tell(judged(project, words=words, categories=["outdated"]))
    assert Problem.objects.get().member_count == 2


def test_a_question_alike_in_category_and_feature_joins(project):
    tell(judged(project, words=ASKED))
    tell(judged(project, words=ALIKE))
    assert Problem.objects.get().member_count == 2


@pytest.mark.parametrize(
    "other",
    [
        {"words": "What does the flu shot cost in Bremen?"},
        {"words": ALIKE, "categories": ["outdated"]},
    ],
)
def test_another_question_or_category_opens_another_problem(project, other):
    tell(judged(project, words=ASKED))
    tell(judged(project, **other))
    assert Problem.objects.count() == 2


def test_a_question_alike_after_a_fortnight_opens_another_problem(project):
    tell(judged(project, words=ASKED))
    ProblemMember.objects.update(joined_at=timezone.now() - timedelta(days=15))
    tell(judged(project, words=ALIKE))
    assert Problem.objects.count() == 2


@pytest.mark.parametrize("state", ["shipped", "verified"])
def test_a_solved_problem_is_opened_again_by_a_new_harmful_case(project, connection, state):
    words = "May I take ibuprofen together with the aspirin that my doctor gave me?"
    tell(judged(project, words=words))
    Problem.objects.update(state="shipped", state_changed_at=timezone.now())
    Problem.objects.update(state=state)
    tell(judged(project, words=words))
    problem = Problem.objects.get()
    assert (problem.state, problem.member_count) == ("regressed", 2)
    assert Escalation.objects.get().state == "pending"
    assert OutboxEvent.objects.get(kind="problem_regressed").about["why"] == "recurrence"


def test_a_twin_in_another_project_does_not_draw_it_in(project, other_project):
    for one in (other_project, project):
        tell(judged(one))
    assert set(Problem.objects.values_list("project", "member_count")) == {
        (project.pk, 1), (other_project.pk, 1),
    }  # fmt: skip


def test_what_a_lead_took_out_does_not_come_back(project):
    annotation = judged(project)
    tell(annotation)
    problems.leave_problem(member=ProblemMember.objects.get())
    tell(annotation)
    assert Problem.objects.count() == 2


def found_right(annotation):
    """The house's word flips: it is settled anew, as right."""
    Settlement.objects.update(is_current=False)
    right = settle(annotation, verdict="correct", severity="none", categories=[])
    outbox.publish("item_settled", project=annotation.project, settlement_id=right.pk)
    deliver_due()
    Settlement.objects.update(is_current=False)


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_verdict_that_flips_twice_finds_its_problem_and_its_ticket_again(
    project, connection, is_merged
):
    annotation = judged(project)
    tell(annotation, settlement_id=settle(annotation).pk)
    problem = Problem.objects.get()
    found_right(annotation)
    assert ProblemMember.objects.get().left_at is not None
    if is_merged:
        other = ProblemFactory(project=project, number=70)
        problems.merge_problem(problem=problem, into=other)
        problem = other
    tell(annotation, settlement_id=settle(annotation).pk)
    member = ProblemMember.objects.get(left_at=None)
    problem.refresh_from_db()
    assert (member.problem, problem.member_count) == (problem, 1)
    assert Problem.objects.count() == Escalation.objects.count() == 1 + is_merged


def test_what_a_lead_took_out_stays_out_although_its_verdict_flips(project):
    annotation = judged(project)
    tell(annotation, settlement_id=settle(annotation).pk)
    problems.take_out_case(member=ProblemMember.objects.get())
    found_right(annotation)
    tell(annotation, settlement_id=settle(annotation).pk)
    assert Problem.objects.count() == 2


# --- what is filed --------------------------------------------------------------------------------


def test_a_harmful_case_is_filed_by_itself(
    project, connection, jira, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        tell(judged(project))
    assert (Escalation.objects.get().state, len(jira.issues)) == ("filed", 1)


def test_a_second_case_of_the_problem_makes_no_second_ticket(
    project, connection, jira, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        tell(judged(project))
        tell(judged(project))
    assert (Problem.objects.get().member_count, len(jira.issues)) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_cases_of_one_cause_placed_at_once_open_one_problem(project, connection, jira):
    annotations = [judged(project) for _ in range(6)]
    for annotation in annotations:
        OutboxEvent.objects.create(
            project=project,
            kind="harm_found",
            about={
                "interaction_id": annotation.item.interaction_id,
                "annotation_id": annotation.pk,
            },
        )

    def work():
        try:
            deliver_due()
        finally:
            databases.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not OutboxEvent.objects.filter(kind="harm_found", delivered_at=None).exists()
    problem = Problem.objects.get()
    assert (problem.member_count, Escalation.objects.count(), len(jira.issues)) == (6, 1, 1)
