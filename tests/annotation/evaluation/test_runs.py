"""A candidate held against gold: taken in, assessed by a worker, compared, accepted, overridden."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from annotation import case_assertions, gold
from annotation.evaluation import runs
from annotation.models import EvalResult, EvalRun, GoldExample
from annotation.refusals import InvalidAnswer, WrongState
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.evaluation.candidate import answers, evaluate, gold_version
from tests.factories import InteractionFactory, SettlementFactory


def test_a_candidate_that_gives_the_ideal_answers_passes(project, ben):
    run = evaluate(gold_version(project, ben, 3))
    assert (run.state, run.passed, run.is_accepted) == ("done", True, True)
    assert (run.summary["cases"], run.summary["passed_cases"]) == (3, 3)
    assert OutboxEvent.objects.filter(kind="evaluation_finished").count() == 1


def test_three_repaired_and_one_critical_broken_is_red_then_green(project, ben):
    version = gold_version(project, ben, 12, severity_of={11: "critical"})
    before = evaluate(version, wrong=[0])
    assert before.passed  # 11 of 12, none critical
    worse = evaluate(version, wrong=[1, 2, 3])
    runs.override(run=worse, by=ben, reason="A demo needs it.")

    red = evaluate(version, wrong=[11])
    critical = str(version.revisions.get(labels__severity="critical").example.public_id)
    assert red.passed is False and red.baseline == worse
    assert red.summary["reasons"] == [
        f"Critical: 0 of 1 pass, 100% must. First failure: {critical}."
    ]
    assert [each["id"] for each in red.summary["comparison"]["broken"]] == [critical]
    assert len(red.summary["comparison"]["repaired"]) == 3

    green = evaluate(version)
    assert green.passed and green.baseline == worse  # the red one was not accepted


def test_a_case_that_nobody_answered_fails(project, ben):
    version = gold_version(project, ben, 2)
    run = evaluate(version, results=answers(version)[:1])
    assert (run.passed, run.summary["missing"]) == (False, 1)


def test_attempts_that_differ_make_a_case_flaky(project, ben):
    version = gold_version(project, ben, 1)
    right, wrong = answers(version)[0], answers(version, wrong=[0])[0]
    run = evaluate(version, results=[right, {**wrong, "attempt": 2}])
    assert (run.passed, run.summary["flaky"]) == (False, [right["id"]])


def test_assertions_of_the_case_and_of_the_project_are_asked(project, ben):
    settled = SettlementFactory(interaction=InteractionFactory(project=project), chosen_answer=None)
    case_assertions.add(
        interaction=settled.interaction, given={"kind": "must_mention", "texts": ["§ 9"]}, by=ben
    )
    gold.promote_to_gold(settlement=settled, by=ben)
    GoldExample.objects.update(split="validation")
    version = gold.freeze_gold_version(project=project)
    [case] = answers(version)
    assert evaluate(version, results=[{**case, "output": "See § 9."}]).passed
    failed = evaluate(version, results=[{**case, "output": "See the law."}])
    assert failed.summary["failed"][0]["why"] == "It does not mention “§ 9”."

    runs.change_rules(project=project, assertions=[{"kind": "max_words", "words": 1}])
    assert not evaluate(version, results=[{**case, "output": "See § 9."}]).passed


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"candidate": " "}, "candidate"),
        ({"split": "all"}, "split"),
        ({"results": []}, "results"),
        ({"results": "x"}, "results"),
        ({"results": [{"id": "nonsense", "output": "a"}]}, "results.0"),
        ({"results": ["nonsense"]}, "results.0"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_kept(project, ben, change, field):
    version = gold_version(project, ben, 1)
    given = {"split": "validation", "candidate": "c", "results": answers(version)} | change
    with pytest.raises(InvalidAnswer) as refused:
        runs.request_evaluation(version=version, **given)
    assert list(refused.value.errors) == [field]
    assert not EvalRun.objects.exists()


@pytest.mark.parametrize(
    "change", [{"output": None}, {"output": "\ud800"}, {"attempt": 0}, {"attempt": True}, {"x": 1}]
)
def test_a_row_that_does_not_fit_is_named(project, ben, change):
    version = gold_version(project, ben, 1)
    [row] = answers(version)
    with pytest.raises(InvalidAnswer) as refused:
        evaluate(version, results=[row | change])
    assert list(refused.value.errors) == ["results.0"]


def test_the_same_attempt_twice_is_refused(project, ben):
    version = gold_version(project, ben, 1)
    with pytest.raises(InvalidAnswer):
        evaluate(version, results=answers(version) * 2)


def test_a_case_of_another_split_is_not_in_this_one(project, ben):
    version = gold_version(project, ben, 1)
    with pytest.raises(InvalidAnswer):
        runs.request_evaluation(
            version=version, split="holdout", candidate="c", results=answers(version)
        )


def test_a_candidates_answer_is_redacted_before_it_is_kept(project, ben):
    version = gold_version(project, ben, 1)
    [row] = answers(version)
    evaluate(version, results=[{**row, "output": "Write to jo@example.com."}])
    assert EvalResult.objects.get().output == "Write to [EMAIL]."


# --- the holdout ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_last_use_of_the_holdout_is_given_once_to_four_at_a_time(project, ben):
    version = gold_version(project, ben, 1, split="holdout")
    runs.change_rules(project=project, holdout_uses=1)

    def use(_number):
        try:
            return evaluate(version, split="holdout") is not None
        except runs.HoldoutWornOut:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_a_new_version_of_these_cases_is_no_fresh_holdout(project, ben):
    first = gold_version(project, ben, 2, split="holdout")
    evaluate(first, split="holdout")
    one = GoldExample.objects.order_by("id").first()
    GoldExample.objects.filter(pk=one.pk).update(retired_at=timezone.now())
    second = gold.freeze_gold_version(project=project, by=ben)
    assert (runs.holdout_used(first), runs.holdout_used(second)) == (1, 1)
    runs.change_rules(project=project, holdout_uses=1)
    with pytest.raises(runs.HoldoutWornOut) as refused:
        evaluate(second, split="holdout")
    assert "Freeze" not in str(refused.value)


def test_a_holdout_of_other_cases_has_its_own_uses(project, ben):
    first = gold_version(project, ben, 2, split="holdout")
    evaluate(first, split="holdout")
    GoldExample.objects.update(retired_at=timezone.now())
    second = gold_version(project, ben, 3, split="holdout")
    assert second.members.count() == 3
    assert (runs.holdout_used(first), runs.holdout_used(second)) == (1, 0)


def test_a_case_whose_split_became_stricter_is_asked_of_nobody(project, ben):
    version = gold_version(project, ben, 2)
    moved = GoldExample.objects.order_by("id").first()
    GoldExample.objects.filter(pk=moved.pk).update(split="holdout")
    assert runs.cases(version, "validation").count() == 1
    assert runs.cases(version, "holdout").count() == 0
    with pytest.raises(InvalidAnswer):
        evaluate(version)
    assert evaluate(version, results=answers(version)[1:]).summary["cases"] == 1


@pytest.mark.parametrize(
    "given", [{"versions": ["a\0"]}, {"note": "a\0"}], ids=["versions", "note"]
)
def test_what_cannot_be_stored_is_refused_by_name(project, ben, given):
    version = gold_version(project, ben, 1)
    with pytest.raises(InvalidAnswer) as refused:
        runs.request_evaluation(
            version=version, split="validation", candidate="c", results=answers(version), **given
        )
    assert list(refused.value.errors) == list(given)


# --- a lead's word -------------------------------------------------------------------------------


def test_an_override_needs_a_reason_and_a_failed_run(project, ben):
    version = gold_version(project, ben, 1)
    failed, passed = evaluate(version, wrong=[0]), evaluate(version)
    with pytest.raises(InvalidAnswer):
        runs.override(run=failed, by=ben, reason=" ")
    with pytest.raises(WrongState):
        runs.override(run=passed, by=ben, reason="Why not.")
    runs.override(run=failed, by=ben, reason="The case is out of date.")
    failed.refresh_from_db()
    assert (failed.is_accepted, failed.overridden_by) == (True, ben)
