"""One answer held against one gold case."""

import pytest

from annotation.evaluation.checks import GoldCase, assess, likeness

IDEAL = "Books are taxed at seven percent in Germany."
REJECTED = "Books are taxed at nineteen percent in Germany."
PLAIN = GoldCase(IDEAL, [REJECTED], [])
ASSERTED = GoldCase(IDEAL, [REJECTED], [{"kind": "must_mention", "texts": ["seven percent"]}])


def passed(case, output, **more):
    return assess(case, output, **more).passed


def test_an_empty_answer_fails():
    assert passed(PLAIN, " \n") is False


def test_an_assertion_decides_whatever_the_words_are():
    assert passed(ASSERTED, "It is seven percent, as for all printed matter there.") is True
    assert passed(ASSERTED, REJECTED) is False


def test_without_an_assertion_the_nearer_known_answer_decides():
    assert passed(PLAIN, "Books are taxed at seven percent there.") is True
    found = assess(PLAIN, REJECTED)
    assert (found.passed, found.checks[0].why) == (False, "It is the answer that was rejected.")


def test_the_rejected_answer_fails_though_its_assertions_hold():
    case = GoldCase(IDEAL, [REJECTED], [{"kind": "must_mention", "texts": ["books"]}])
    assert passed(case, REJECTED) is False


def test_a_right_answer_with_no_rejected_one_asks_for_the_likeness_that_the_project_wants():
    case = GoldCase(IDEAL, [], [])
    assert passed(case, "No idea.", min_likeness=0.3) is False
    assert passed(case, IDEAL.upper(), min_likeness=0.9) is True


def test_what_the_project_asks_of_every_answer_is_asked_of_this_one():
    house = [{"kind": "must_not_mention", "texts": ["as an AI"]}]
    assert passed(ASSERTED, "As an AI I say seven percent.", house_assertions=house) is False


def test_a_sentence_for_a_judge_leaves_the_case_open():
    case = GoldCase("", [], [{"kind": "rubric", "sentence": "Names the law."}])
    assert passed(case, "See the law.") is None


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [("a b c", "a b c", 1.0), ("a b", "c d", 0.0), ("", "", 1.0), ("a b c d", "a b", 0.6)],
)
def test_likeness_is_dices_coefficient_of_words_and_pairs(one, other, value):
    assert likeness(one, other) == pytest.approx(value)
    assert likeness(other, one) == pytest.approx(value)
