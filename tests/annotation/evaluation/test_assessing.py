"""Workers at a run: dying, thawing, handing over, slow patterns, a slow judge, and people who are forgotten meanwhile."""

from datetime import timedelta
from threading import Event, Thread

import pgtrigger
import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation import case_assertions, gold
from annotation.evaluation import assessing, runs
from annotation.evaluation.checks import assess
from annotation.models import EvalResult, EvalRun, GoldExample, GoldRevision
from feedbackhub.capture.erasure import erase_person, person_hash
from tests.annotation.evaluation.candidate import answers, evaluate, gold_version
from tests.factories import InteractionFactory, SettlementFactory


def requested(version, wrong=()):
    return runs.request_evaluation(
        version=version, split="validation", candidate="c", results=answers(version, wrong)
    )


def given_to_another(run):
    """As the sweep and another worker do when a lease runs out."""
    lease = timezone.now() + timedelta(minutes=5)
    EvalRun.objects.filter(pk=run.pk).update(state="pending", lease_until=None)
    EvalRun.objects.filter(pk=run.pk).update(state="running", lease_until=lease)


def test_a_run_whose_worker_died_is_assessed_again_once(project, ben):
    version = gold_version(project, ben, 2)
    run = runs.request_evaluation(
        version=version, split="validation", candidate="c", results=answers(version)
    )
    past = timezone.now() - timedelta(seconds=1)
    EvalRun.objects.filter(pk=run.pk).update(state="running", lease_until=past)
    assert assessing.assess_evaluation(run_id=run.pk) is None  # somebody has it
    EvalRun.objects.filter(pk=run.pk).update(created_at=past - timedelta(minutes=1))
    assert assessing.take_back_abandoned() == 1
    run = EvalRun.objects.get()
    if run.state == "pending":
        run = assessing.assess_evaluation(run_id=run.pk)
    assert (run.state, run.passed) == ("done", True)


def test_a_thawed_workers_error_leaves_the_run_to_the_worker_that_has_it(project, ben, monkeypatch):
    run = requested(gold_version(project, ben, 2))

    def freezes(*args, **more):
        given_to_another(run)
        raise RuntimeError("thawed")

    monkeypatch.setattr(assessing, "assess", freezes)
    with pytest.raises(RuntimeError):
        assessing.assess_evaluation(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.failure) == ("running", "")


def test_a_thawed_worker_writes_no_result(project, ben, monkeypatch):
    run = requested(gold_version(project, ben, 2))

    def freezes(*args, **more):
        given_to_another(run)
        return assess(*args, **more)

    monkeypatch.setattr(assessing, "assess", freezes)
    assert assessing.assess_evaluation(run_id=run.pk) is None
    assert set(run.results.values_list("passed", flat=True)) == {None}


def test_an_error_of_its_own_fails_a_run(project, ben, monkeypatch):
    run = requested(gold_version(project, ben, 1))
    monkeypatch.setattr(assessing, "assess", None)
    with pytest.raises(TypeError):
        assessing.assess_evaluation(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.failure, run.lease_until) == ("failed", "TypeError", None)


def test_a_shift_ends_with_the_run_handed_over_and_nothing_is_assessed_twice(
    project, ben, monkeypatch, django_capture_on_commit_callbacks
):
    run = requested(gold_version(project, ben, 5), wrong=[4])
    seen = []

    def counted(case, output, **more):
        seen.append(output)
        return assess(case, output, **more)

    monkeypatch.setattr(assessing, "assess", counted)
    monkeypatch.setattr(assessing, "BATCH", 2)
    monkeypatch.setattr(assessing, "SHIFT", 0)
    progress = []
    for _shift in range(3):
        with django_capture_on_commit_callbacks() as rung:
            assert assessing.assess_evaluation(run_id=run.pk) is None
        run.refresh_from_db()
        progress.append((run.state, run.progress_count, len(rung)))
    assert progress == [("pending", 2, 1), ("pending", 4, 1), ("pending", 5, 1)]
    monkeypatch.setattr(assessing, "SHIFT", 900)
    run = assessing.assess_evaluation(run_id=run.pk)
    assert (run.state, run.summary["passed_cases"], len(seen)) == ("done", 4, 5)


def test_the_lease_is_renewed_by_the_clock_not_by_the_batch(project, ben, monkeypatch):
    run = requested(gold_version(project, ben, 4))
    leases = []

    def noted(*args, **more):
        leases.append(EvalRun.objects.get().lease_until)
        return assess(*args, **more)

    monkeypatch.setattr(assessing, "assess", noted)
    monkeypatch.setattr(assessing, "BEAT", 0)  # as if each answer took that long
    assert assessing.assess_evaluation(run_id=run.pk).state == "done"
    assert leases == sorted(set(leases)) and len(leases) == 4


# --- categories -----------------------------------------------------------------------------------


def test_a_threshold_holds_for_what_was_merged_into_its_category(project, ben):
    version = gold_version(project, ben, 2)
    schemas = [each.settlement.schema for each in version.revisions.order_by("id")]
    for revision, key in zip(version.revisions.order_by("id"), ["stale", "wrong"], strict=True):
        revision.labels["categories"] = [key]
        with pgtrigger.ignore("annotation.GoldRevision:goldrevision_content"):
            GoldRevision.objects.filter(pk=revision.pk).update(labels=revision.labels)
    for schema in schemas:
        schema.categories = [{"key": "wrong", "name": "Wrong"}]
        schema.former = [{"key": "stale", "name": "Stale", "into": ["wrong"]}]
        schema.save()
    runs.change_rules(project=project, overall=0, categories={"stale": 0.9, "wrong": 0.1})
    run = evaluate(version, wrong=[0])
    assert run.rules["categories"] == {"wrong": 0.9}
    assert run.summary["reasons"][0].startswith("Wrong: 1 of 2 pass, 90% must.")
    assert run.summary["categories"].keys() == {"wrong"}


# --- erasure --------------------------------------------------------------------------------------


@pytest.fixture
def jos_version(project, ben):
    """One case of Jo's, whose answer is held against a pattern."""
    interaction = InteractionFactory(
        project=project, user_hash=person_hash(project=project, reference="jo")
    )
    case_assertions.add(
        interaction=interaction, given={"kind": "must_mention", "texts": ["Jo's file"]}, by=ben
    )
    gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    GoldExample.objects.update(split="validation")
    return gold.freeze_gold_version(project=project)


def forget_jo(project):
    erase_person(project=project, ref_hash=person_hash(project=project, reference="jo"))


def test_an_erased_persons_case_leaves_no_text_in_a_run(project, ben, jos_version):
    run = evaluate(jos_version, wrong=[0])
    later = evaluate(jos_version, wrong=[0])
    runs.override(run=run, by=ben, reason="So be it.")
    assert "Jo's file" in str(run.summary)
    forget_jo(project)
    assert list(run.results.values_list("output", "checks")) == [("", [])]
    for each in (run, later):
        each.refresh_from_db()
        assert "Jo's file" not in str(each.summary)
        assert (each.summary["cases"], each.summary["counts"]["failed"]) == (1, 1)


@pytest.mark.parametrize("moment", ["assess", "case_results"])
def test_what_a_worker_writes_after_an_erasure_holds_no_text(
    project, jos_version, monkeypatch, moment
):
    run = requested(jos_version, wrong=[0])
    honest = getattr(assessing, moment)

    def slow(*args, **more):
        found = honest(*args, **more)
        forget_jo(project)
        return found

    monkeypatch.setattr(assessing, moment, slow)
    run = assessing.assess_evaluation(run_id=run.pk)
    assert "Jo's file" not in str(run.summary)
    assert list(run.results.values_list("output", "checks")) == [("", [])]


@pytest.mark.django_db(transaction=True)
def test_an_erasure_that_commits_while_a_worker_waits_to_write_wins(project, jos_version):
    """The erasure holds the rows; the worker's write comes after it."""
    with transaction.atomic():  # the bell finds it taken
        run = requested(jos_version, wrong=[0])
        going = assessing._Assessing(run, timezone.now() + timedelta(seconds=60))
        EvalRun.objects.update(state="running", lease_until=going.lease)
    has_erased, is_waited_for = Event(), Event()

    def erase():
        try:
            with transaction.atomic():
                forget_jo(project)
                has_erased.set()
                is_waited_for.wait(0.5)
        finally:
            connection.close()

    result = EvalResult.objects.select_related("revision").get(run=run)
    result.passed, result.checks = False, [{"check": "c", "passed": False, "why": "Jo's file"}]
    eraser = Thread(target=erase)
    eraser.start()
    has_erased.wait(10)
    going._keep([result])
    eraser.join()
    result.refresh_from_db()
    assert (result.output, result.checks) == ("", [])
