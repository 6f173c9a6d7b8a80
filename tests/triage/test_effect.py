"""Experts see which of their labels went into which fix: a figure, a page, a letter on Mondays."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from annotation import queries
from feedbackhub.accounts.models import Membership
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries
from triage import effect, fixing, letters
from triage.models import Letter

MONDAY = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def forgetful(db):
    cache.clear()


def judged(expert, problem, occurred_at=MONDAY - timedelta(days=10)):
    interaction = InteractionFactory(project=problem.project, occurred_at=occurred_at)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    item = ReviewItemFactory(queue__project=problem.project, interaction=interaction)
    assignment = AssignmentFactory(item=item, expert=expert, state="submitted")
    return AnnotationFactory(assignment=assignment)


def fixed(project, *problems, summary="The rates are current.", days_ago=2.0, **options):
    return fixing.record_fix(
        project=project,
        summary=summary,
        problems_fixed=problems,
        shipped_at=MONDAY - timedelta(days=days_ago),
        **options,
    )


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project)


def in_fixes(user):
    cache.clear()
    return queries.labels_in_fixes(Membership.objects.get(user=user))


def test_a_label_counts_once_its_problem_is_fixed(project, problem, ana, ben):
    judged(ana, problem), judged(ana, problem), judged(ben, problem)
    judged(ana, ProblemFactory(project=project))
    assert in_fixes(ana) == 0
    fix = fixed(project, problem)
    assert (in_fixes(ana), in_fixes(ben)) == (2, 1)
    fixing.revert_fix(fix=fix)
    assert in_fixes(ana) == 0


def test_a_label_of_an_answer_that_failed_after_the_fix_did_not_go_into_it(project, problem, ana):
    judged(ana, problem)
    fixed(project, problem, days_ago=3)
    judged(ana, problem, occurred_at=MONDAY - timedelta(days=2))
    assert in_fixes(ana) == 1
    fixed(project, problem, summary="Once more.", days_ago=1)
    assert in_fixes(ana) == 2
    assert [each.labels for each in effect.effects_of(project=project, user=ana)] == [2, 1]


def test_a_label_in_two_fixes_is_one_label(project, problem, ana):
    judged(ana, problem)
    fixed(project, problem)
    fixed(project, problem, summary="And the links.")
    assert in_fixes(ana) == 1
    assert [each.labels for each in effect.effects_of(project=project, user=ana)] == [1, 1]


def test_what_was_taken_back_or_left_the_problem_does_not_count(project, problem, ana):
    annotation, kept = judged(ana, problem), judged(ana, problem)
    fixed(project, problem)
    annotation.taken_back_at = MONDAY
    annotation.save()
    assert in_fixes(ana) == 1
    problem.members.filter(interaction=kept.item.interaction).update(left_at=MONDAY)
    assert in_fixes(ana) == 0


def test_an_expert_reads_what_came_of_it(as_user, ana, project, problem):
    judged(ana, problem)
    fixed(project, problem)
    answer = as_user(ana).get(reverse("my_effect", args=["tax-help"]))
    (row,) = answer.context["effects"]
    assert (row.labels, row.told) == (1, 0)
    assert "The rates are current." in answer.content.decode()


def test_the_page_costs_the_same_with_one_fix_and_with_three(as_user, ana, project):
    def grow(number):
        for _ in range(number):
            problem = ProblemFactory(project=project)
            judged(ana, problem)
            fixed(project, problem)

    assert_same_queries(as_user(ana), reverse("my_effect", args=["tax-help"]), grow)


def test_on_monday_each_expert_reads_of_last_weeks_fixes_once(project, problem, ana, ben):
    judged(ana, problem), judged(ana, problem)
    old = ProblemFactory(project=project)
    judged(ben, old)
    fixed(project, problem)
    fixed(project, old, days_ago=8)
    assert effect.write_weekly_letters(now=MONDAY - timedelta(hours=1)) == 0
    assert effect.write_weekly_letters(now=MONDAY) == 1
    cache.clear()  # whatever forgets that it was done
    effect.write_weekly_letters(now=MONDAY + timedelta(hours=3))
    letter = Letter.objects.get()
    assert (letter.user, letter.subject) == (ana, "Tax help: 2 labels of yours went into fixes")
    for letter_id in letters.due_letters():
        letters.send_letter(letter_id=letter_id)
    assert "- The rates are current. (2 labels)" in mail.outbox[0].body


# --- the line under the review screen ---------------------------------------------------------------


def told(user):
    cache.clear()
    return queries.newest_effect(Membership.objects.get(user=user))


def settled_around(project, shipped_at, *, days, all, outdated):
    for number in range(all):
        interaction = InteractionFactory(
            project=project, occurred_at=shipped_at + timedelta(days=days)
        )
        SettlementFactory(
            interaction=interaction,
            chosen_answer=None,
            categories=["outdated"] if number < outdated else [],
        )


def test_a_worker_that_dies_on_the_way_leaves_the_rest_to_the_next(
    project, problem, ana, ben, monkeypatch
):
    judged(ana, problem), judged(ben, problem)
    fixed(project, problem)
    write, written = effect._write, []

    def die_at_the_second(*letter):
        if written:
            raise SystemExit
        written.append(write(*letter))

    monkeypatch.setattr(effect, "_write", die_at_the_second)
    with pytest.raises(SystemExit):
        effect.write_weekly_letters(now=MONDAY)
    monkeypatch.undo()
    effect.write_weekly_letters(now=MONDAY)
    assert set(Letter.objects.values_list("user", flat=True)) == {ana.pk, ben.pk}


def test_the_line_names_what_carries_the_newest_fix(project, problem, ana, ben):
    judged(ana, problem)
    fixed(project, problem, carrier="prompt", carrier_version="13", days_ago=9)
    fixed(project, problem, carrier="prompt", carrier_version="14", summary="Better")
    assert told(ana) == queries.EffectTold("prompt 14")
    assert told(ben) is None


def test_the_line_says_how_the_category_fell_once_enough_is_settled(as_user, project, problem, ana):
    annotation = judged(ana, problem)
    annotation.categories = ["outdated"]
    annotation.save()
    fix = fixed(project, problem, carrier="prompt", carrier_version="14")
    settled_around(project, fix.shipped_at, days=-3, all=20, outdated=4)
    settled_around(project, fix.shipped_at, days=1, all=19, outdated=1)
    assert told(ana).category == ""
    settled_around(project, fix.shipped_at, days=1, all=1, outdated=0)
    assert told(ana) == queries.EffectTold("prompt 14", "Outdated", 0.2, 0.05)
    page = as_user(ana).get(reverse("review", args=["tax-help"]), follow=True)
    assert page.context["effect"].category == "Outdated"


def test_the_line_keeps_silent_about_a_category_that_rose(project, problem, ana):
    annotation = judged(ana, problem)
    annotation.categories = ["outdated"]
    annotation.save()
    fix = fixed(project, problem, carrier="prompt", carrier_version="14")
    settled_around(project, fix.shipped_at, days=-3, all=20, outdated=1)
    settled_around(project, fix.shipped_at, days=1, all=20, outdated=2)
    assert told(ana) == queries.EffectTold("prompt 14")
