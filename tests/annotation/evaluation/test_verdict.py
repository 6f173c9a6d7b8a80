"""A run summed up against thresholds and the last accepted run."""

import pytest
from scipy.stats import binomtest

from annotation.evaluation.verdict import CaseResult, Thresholds, mcnemar, summarise, wilson


def case(name, ok=True, severity="medium", categories=(), attempts=1, passes=None):
    passes = (attempts if ok else 0) if passes is None else passes
    return CaseResult(name, severity, list(categories), attempts, passes, "" if ok else "wrong")


def test_three_repaired_and_one_critical_broken_is_red_and_names_it_first():
    before = {"a": False, "b": False, "c": False, "d": True, **{f"e{n}": True for n in range(40)}}
    results = [case(f"e{n}") for n in range(40)]
    results += [case("a"), case("b"), case("c"), case("d", ok=False, severity="critical")]
    found = summarise(results, Thresholds(), before)
    assert found["passed"] is False
    assert found["reasons"] == ["Critical: 0 of 1 pass, 100% must. First failure: d."]
    assert [each["id"] for each in found["comparison"]["broken"]] == ["d"]
    assert [each["id"] for each in found["comparison"]["repaired"]] == ["a", "b", "c"]

    results[-1] = case("d", severity="critical")
    assert summarise(results, Thresholds(), before)["passed"] is True


def test_a_category_and_the_whole_have_thresholds_of_their_own():
    results = [case("a", categories=["tone"], ok=False), case("b", categories=["tone"])]
    found = summarise(results, Thresholds(overall=0.6, categories={"tone": 0.8}))
    assert found["reasons"] == [
        "Tone: 1 of 2 pass, 80% must. First failure: a.",
        "All cases: 1 of 2 pass, 60% must. First failure: a.",
    ]


def test_a_case_that_passes_now_and_then_is_flaky_and_does_not_pass():
    found = summarise([case("a", attempts=3, passes=2)], Thresholds())
    assert (found["passed_cases"], found["flaky"]) == (0, ["a"])


def test_a_case_without_an_answer_does_not_pass():
    found = summarise([case("a", attempts=0)], Thresholds(overall=0.5))
    assert (found["passed"], found["missing"]) == (False, 1)


def test_a_case_that_only_a_judge_could_decide_counts_neither_way():
    unjudged = CaseResult("j", "low", [], 2, 0, undecided_attempts=2)
    found = summarise([unjudged, case("a")], Thresholds(overall=1.0))
    assert (found["passed"], found["undecided"], found["cases"]) == (True, ["j"], 2)
    assert summarise([unjudged], Thresholds())["passed"] is False


def test_a_threshold_is_not_reached_while_one_of_its_cases_is_open():
    open_ones = [
        CaseResult("j", "critical", [], 1, 0, undecided_attempts=1),
        CaseResult("k", "critical", ["tone"], 2, 1, undecided_attempts=1),  # half is not all
    ]
    found = summarise([*open_ones, case("a")], Thresholds(categories={"tone": 0.5}))
    assert found["passed"] is False
    assert found["reasons"] == [
        "Critical: 2 cases could not be decided. First: j.",
        "Tone: 1 case could not be decided. First: k.",
    ]
    assert (
        found["severities"]["critical"] | {"undecided": 2, "cases": 0}
        == (found["severities"]["critical"])
    )


def test_an_attempt_that_fails_decides_a_case_whatever_is_open():
    half_open = CaseResult("j", "low", [], 2, 0, undecided_attempts=1)
    found = summarise([half_open], Thresholds())
    assert (found["undecided"], [each["id"] for each in found["failed"]]) == ([], ["j"])


def test_a_case_that_a_training_file_has_is_listed_and_proves_nothing():
    seen = CaseResult("s", "critical", ["tone"], 1, 0, "wrong", is_contaminated=True)
    found = summarise([seen, case("a")], Thresholds(categories={"tone": 1.0}), {"s": True})
    assert (found["passed"], found["contaminated"], found["cases"]) == (True, ["s"], 1)
    assert (found["severities"].keys(), found["categories"]) == ({"medium"}, {})
    assert found["comparison"]["broken"] == []


def test_lists_end_where_counts_do_not():
    results = [case(f"c{n:04}", ok=False) for n in range(700)]
    found = summarise(results, Thresholds(), {each.id: True for each in results})
    assert (len(found["failed"]), found["counts"]["failed"]) == (500, 700)
    comparison = found["comparison"]
    assert (len(comparison["broken"]), comparison["broken_count"]) == (500, 700)


def test_a_flaky_case_is_marked_where_it_is_listed():
    found = summarise([case("a", attempts=3, passes=2), case("b", ok=False)], Thresholds())
    assert [(each["id"], each["is_flaky"]) for each in found["failed"]] == [
        ("a", True),
        ("b", False),
    ]


def test_nothing_to_hold_it_against_is_no_pass():
    assert summarise([], Thresholds())["passed"] is False


def test_too_many_broken_cases_fail_a_run_that_reaches_the_rest():
    results = [case("a", ok=False), *[case(f"b{n}") for n in range(20)]]
    before = {"a": True}
    assert summarise(results, Thresholds(most_broken=1), before)["passed"] is True
    assert summarise(results, Thresholds(most_broken=0), before)["passed"] is False


@pytest.mark.parametrize(("passed", "cases"), [(0, 5), (3, 7), (50, 50), (812, 1_000)])
def test_the_interval_is_wilsons(passed, cases):
    expected = binomtest(passed, cases).proportion_ci(method="wilson")
    assert wilson(passed, cases) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("broken", "repaired"), [(0, 0), (1, 3), (5, 5), (0, 8), (12, 2)])
def test_the_paired_comparison_is_mcnemars_exact_test(broken, repaired):
    changed = broken + repaired
    expected = binomtest(broken, changed).pvalue if changed else 1.0
    assert mcnemar(broken, repaired) == pytest.approx(expected)
