"""Does a fix help? Its own cases, the rates before and since, a lead's reason; and what comes back is regressed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.evaluation import assessing, runs
from feedbackhub.capture.models import PromptVersion
from feedbackhub.outbox import delivery
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.evaluation.candidate import answers as answers_of
from tests.annotation.evaluation.candidate import gold_version
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
    SettlementFactory,
)
from triage import fixing, notices, rates, verification
from triage.models import Fix, Notice, ProblemMember, Replay
from triage.verification import Result

NOW = timezone.now()


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project)


def case(problem, days_ago=10.0):
    at = timezone.now() - timedelta(days=days_ago)
    interaction = InteractionFactory(project=problem.project, occurred_at=at)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    return interaction


def answers(project, count, days_ago):
    for _ in range(count):
        InteractionFactory(project=project, occurred_at=timezone.now() - timedelta(days=days_ago))


def ship(problem, days_ago=0.0, **options):
    return fixing.record_fix(
        project=problem.project,
        summary="The rates are current.",
        problems_fixed=[problem],
        shipped_at=timezone.now() - timedelta(days=days_ago),
        **options,
    )


# --- its own cases --------------------------------------------------------------------------------


def test_a_fix_is_verified_when_all_of_its_cases_passed_again(problem):
    cases = [case(problem), case(problem)]
    fix = ship(problem)
    verification.record_results(fix=fix, results=[Result(cases[0], True), Result(cases[1], False)])
    fix.refresh_from_db()
    assert (fix.state, verification.open_cases(fix)) == ("shipped", [cases[1].external_id])
    verification.record_results(fix=fix, results=[Result(cases[1], True)])
    fix.refresh_from_db()
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("verified", "verified")
    assert OutboxEvent.objects.get(kind="fix_verified").about == {"fix_id": fix.pk}


def test_results_of_an_evaluation_run_count_as_well_and_say_where_they_come_from(problem):
    interaction = case(problem)
    fix = ship(problem)
    verification.record_results(
        fix=fix, results=[Result(interaction, True)], source=Replay.Source.EVALUATION
    )
    fix.refresh_from_db()
    assert (fix.state, Replay.objects.get().source) == ("verified", "evaluation")


def test_one_foreign_case_among_the_results_keeps_them_all_out(project, problem):
    mine, foreign = case(problem), InteractionFactory(project=project)
    fix = ship(problem)
    with pytest.raises(fixing.FixRefused, match="no case"):
        verification.record_results(fix=fix, results=[Result(mine, True), Result(foreign, True)])
    assert not Replay.objects.exists()


def test_an_answer_after_the_fix_is_no_case_to_replay(problem):
    old = case(problem, days_ago=3)
    fix = ship(problem, days_ago=2)
    case(problem, days_ago=1)
    assert verification.open_cases(fix) == [old.external_id]


def test_complaints_that_nobody_judged_are_told_by_the_rate_where_others_were_judged(problem):
    complained = case(problem)
    ProblemMember.objects.update(source="similarity")
    fix = ship(problem)
    assert verification.open_cases(fix) == [complained.external_id]
    judged, settled = case(problem), case(problem)
    ProblemMember.objects.filter(interaction=settled).update(source="similarity")
    SettlementFactory(project=problem.project, interaction=settled)
    assert verification.open_cases(fix) == [judged.external_id, settled.external_id]
    verification.record_results(
        fix=fix, results=[Result(judged, True), Result(settled, True)], source="evaluation"
    )
    fix.refresh_from_db()
    assert fix.state == "verified"


def test_a_planned_fix_whose_cases_pass_in_staging_is_verified_when_it_ships(problem):
    interaction = case(problem)
    fix = ship(problem, is_planned=True)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    fix.refresh_from_db()
    assert fix.state == "planned"
    fixing.ship_fix(fix=fix)
    delivery.deliver_due()
    fix.refresh_from_db()
    assert fix.state == "verified"


def test_a_lead_may_verify_with_a_reason_only(problem, ben):
    fix = ship(problem)
    with pytest.raises(fixing.FixRefused):
        verification.verify_by_hand(fix=fix, by=ben, reason=" ")
    verification.verify_by_hand(fix=fix, by=ben, reason="Checked in production.")
    assert Fix.objects.get().evidence["reason"] == "Checked in production."


def test_cases_alone_verify_and_the_evidence_says_that_no_answer_came_since(problem):
    interaction = case(problem)
    fix = ship(problem)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    fix.refresh_from_db()
    (rate,) = fix.evidence["rates"]
    assert (fix.state, fix.evidence["is_early"]) == ("verified", True)
    assert rate["after"] == {
        "cases": 0, "answers": 0, "per_thousand": None, "low": None, "high": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "is_early"),
    [
        ((10, 100), (0, 0), True),
        ((10, 100), (0, 10), True),
        ((10, 100), (0, 100), False),
        ((0, 100), (0, 10), False),  # nothing to fall from
    ],
)
def test_it_is_early_while_even_no_case_would_not_show_a_fall(before, after, is_early):
    change = rates.Change(None, rates.Rate(*before), rates.Rate(*after))
    assert change.is_early is is_early


# --- the rates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cases", "of"), [(5, 1000), (0, 100), (50, 100), (100, 100)])
def test_the_interval_is_wilsons(cases, of):
    from scipy.stats import binomtest

    published = binomtest(cases, of).proportion_ci(0.9, method="wilson")
    rate = rates.Rate(cases, of)
    assert (rate.low, rate.high) == pytest.approx(
        (1000 * published.low, 1000 * published.high), abs=0.01
    )


def test_no_answers_say_nothing():
    rate = rates.Rate(0, 0)
    assert (rate.per_thousand, rate.low, rate.high) == (None, 0.0, 1000.0)


def test_the_rates_before_and_since_are_kept_when_it_is_verified(project, problem):
    interaction = case(problem, days_ago=10)
    answers(project, 9, days_ago=10)
    answers(project, 5, days_ago=60)  # too long ago to count
    fix = ship(problem, days_ago=5)
    answers(project, 4, days_ago=2)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    (kept,) = Fix.objects.get().evidence["rates"]
    assert kept["problem"] == problem.number
    assert (kept["before"]["cases"], kept["before"]["answers"]) == (1, 10)
    assert (kept["after"]["cases"], kept["after"]["answers"]) == (0, 4)
    assert kept["before"]["per_thousand"] == 100


# --- coming back ----------------------------------------------------------------------------------


def verified(problem, days_ago=3):
    interaction = case(problem, days_ago=20)
    answers(problem.project, 99, days_ago=20)
    fix = ship(problem, days_ago=days_ago)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    return fix


def test_five_cases_above_the_old_rate_make_it_regressed_and_open_its_tickets(problem, project):
    fix = verified(problem)
    answers(project, 20, days_ago=1)
    for _ in range(5):
        case(problem, days_ago=1)
    assert verification.find_recurrences() == 1
    problem.refresh_from_db()
    fix.refresh_from_db()
    assert problem.state == "regressed"
    assert fix.recurred_at and fix.evidence["recurrence"]["after"]["cases"] == 5
    told = OutboxEvent.objects.get(kind="problem_regressed")
    assert told.about == {"problem_id": problem.pk, "why": "recurrence"}
    assert verification.find_recurrences() == 0


def test_four_cases_prove_nothing(problem, project):
    verified(problem)
    for _ in range(4):
        case(problem, days_ago=1)
    assert verification.find_recurrences() == 0


def test_cases_within_the_old_rate_are_no_recurrence(problem, project):
    verified(problem)  # 1 of 100
    for _ in range(5):
        case(problem, days_ago=1)
    answers(project, 300, days_ago=1)  # 5 of 305: its interval reaches below 1 of 100
    assert verification.find_recurrences() == 0


def test_cases_before_the_fix_and_older_than_a_week_do_not_count(problem, project):
    verified(problem, days_ago=9)
    for _ in range(5):
        case(problem, days_ago=8)
    for _ in range(5):
        case(problem, days_ago=9.5)
    assert verification.find_recurrences() == 0


def test_what_has_come_back_is_not_verified_by_its_old_cases(problem, project):
    interaction = case(problem, days_ago=20)
    answers(project, 99, days_ago=20)
    fix = ship(problem, days_ago=3)
    for _ in range(6):
        case(problem, days_ago=1)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    fix.refresh_from_db()
    assert fix.state == "shipped"


def test_who_was_not_told_yet_is_not_told_of_a_fix_that_did_not_hold(problem, project):
    fix = verified(problem)
    reporter = ReporterFactory(project=project)
    FeedbackEventFactory(interaction=case(problem), reporter=reporter)
    notices.prepare_notices(fix=fix)
    for _ in range(5):
        case(problem, days_ago=1)
    verification.find_recurrences()
    notice = Notice.objects.get()
    assert (notice.state, notice.reason) == ("suppressed", "its problem came back")


# --- the changelog --------------------------------------------------------------------------------


@pytest.fixture
def version(project):
    return PromptVersion.objects.create(
        project=project, name="tax-help", version="v14", rationale="Names the year."
    )


@pytest.mark.parametrize("words", ["v14", "tax-help v14"])
def test_the_changelog_says_what_a_version_addresses_and_whether_it_helped(problem, version, words):
    interaction = case(problem)
    fix = ship(problem, carrier_version=words)
    verification.record_results(fix=fix, results=[Result(interaction, True)])
    version.refresh_from_db()
    first, second, third = version.rationale.splitlines()
    assert first == "Names the year."
    assert second.startswith(f"Addresses P{problem.number}: 0 cases, 0 people")
    assert third.startswith(f"P{problem.number} verified: its 1 cases pass again; ")


def test_a_version_that_two_prompts_have_is_not_guessed(problem, version, project):
    PromptVersion.objects.create(project=project, name="summary", version="v14")
    assert ship(problem, carrier_version="v14").prompt_version is None


def test_a_planned_fix_ships_when_its_version_is_deployed(problem, version):
    fix = ship(problem, carrier_version="v14", is_planned=True)
    assert fixing.ship_deployed() == 0
    version.deployed_at = timezone.now() - timedelta(minutes=1)
    version.save()
    assert fixing.ship_deployed() == 1
    fix.refresh_from_db()
    assert (fix.state, fix.shipped_at) == ("shipped", version.deployed_at)


# --- an evaluation run ----------------------------------------------------------------------------


@pytest.fixture
def gold(project, problem, ben):
    """Two cases of the problem's."""
    gold = gold_version(project, ben, 2)
    for member in gold.members.select_related("revision__settlement"):
        row = member.revision.settlement.interaction
        ProblemMemberFactory(problem=problem, interaction=row)
    return gold


def gate_run(gold, wrong=(), candidate="prompt=v1.5", **more):
    run = runs.request_evaluation(
        version=gold,
        split="validation",
        candidate=candidate,
        results=answers_of(gold, wrong),
        **more,
    )
    return assessing.assess_evaluation(run_id=run.pk)


@pytest.mark.parametrize(("wrong", "state"), [((), "verified"), ((0,), "shipped")])
def test_the_gates_run_of_the_version_that_carries_a_fix_proves_it(problem, gold, wrong, state):
    fix = ship(problem, carrier_version="v1.5")
    gate_run(gold, wrong)
    delivery.deliver_due()
    fix.refresh_from_db()
    assert fix.state == state
    assert set(fix.replays.values_list("source", "output")) == {("evaluation", "")}


@pytest.mark.parametrize(
    ("carries", "candidate", "versions"),
    [
        ("v14", "model=m prompt=v14", []),
        ("v14", "the new one", ["tax-help v14"]),
        ("tax-help v14", "prompt=v14", []),
        ("tax-help v14", "the new one", ["tax-help  v14"]),
    ],
)
def test_a_run_names_a_version_as_the_fix_does_or_with_its_prompts_name(
    problem, gold, version, carries, candidate, versions
):
    fix = ship(problem, carrier_version=carries)
    gate_run(gold, candidate=candidate, versions=versions)
    delivery.deliver_due()
    fix.refresh_from_db()
    assert fix.state == "verified"


@pytest.mark.parametrize("candidate", ["prompt=v15", "v14", "=v14"])
def test_a_run_of_another_version_proves_nothing(problem, gold, version, candidate):
    fix = ship(problem, carrier_version="v14")
    gate_run(gold, candidate=candidate)
    delivery.deliver_due()
    assert not fix.replays.exists()


def test_of_two_runs_whose_news_come_out_of_order_the_newer_counts(problem, gold):
    fix = ship(problem, carrier_version="v1.5")
    older, newer = gate_run(gold), gate_run(gold, wrong=[0])
    for run in (newer, older):
        verification.take_evaluation(run=run)
    fix.refresh_from_db()
    assert sorted(fix.replays.values_list("has_passed", flat=True)) == [False, True]
    assert fix.state == "shipped"
