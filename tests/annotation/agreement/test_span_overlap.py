import pytest

from annotation.agreement.coefficients import NO_OVERLAP
from annotation.agreement.span_overlap import (
    NOTHING_MARKED,
    Mark,
    match_count,
    overlap_f1,
    span_agreement,
)


def marks(*places, label="wrong"):
    return [Mark("output", start, end, label) for start, end in places]


def test_the_four_figures_differ_by_what_counts_as_the_same_mark():
    figures = span_agreement(
        [
            {"ana": marks((0, 5), (10, 20)), "ben": marks((0, 5), (15, 30))},
            {"ana": marks((0, 9)), "ben": marks((0, 9), label="unsupported")},
        ]
    )
    assert figures.exact.value == pytest.approx(2 * 2 / 6)
    assert figures.exact_with_label.value == pytest.approx(2 * 1 / 6)
    assert figures.overlapping.value == 1
    assert figures.overlapping_with_label.value == pytest.approx(2 * 2 / 6)
    assert (figures.exact.items, figures.exact.answers) == (2, 4)


def test_one_long_mark_pairs_with_one_short_one_only():
    figures = span_agreement([{"ana": marks((0, 100)), "ben": marks((0, 10), (20, 30), (40, 50))}])
    assert figures.overlapping.value == pytest.approx(2 * 1 / 4)


def test_the_pairing_is_the_largest_possible():
    # taking the first that fits for (0, 10) would leave (8, 9) alone
    ones, others = marks((0, 10), (8, 9)), marks((5, 9), (0, 3))
    assert match_count(ones, others, lambda a, b: a.start < b.end and b.start < a.end) == 2


def test_the_same_mark_twice_needs_two_partners():
    assert overlap_f1(marks((0, 5), (0, 5)), marks((0, 5))) == pytest.approx(2 / 3)


def test_marks_that_touch_or_stand_in_other_texts_do_not_overlap():
    figures = span_agreement(
        [
            {"ana": marks((0, 5)), "ben": marks((5, 9))},
            {"ana": marks((0, 5)), "ben": [Mark("documents.0", 0, 5, "wrong")]},
        ]
    )
    assert figures.overlapping.value == 0


def test_three_people_are_three_pairs():
    figures = span_agreement([{"a": marks((0, 5)), "b": marks((0, 5)), "c": []}])
    assert figures.exact.value == pytest.approx(2 / 4)


def test_who_marked_nothing_disagrees_with_who_marked_something():
    assert span_agreement([{"a": marks((0, 5)), "b": []}]).exact.value == 0


def test_nothing_marked_and_nobody_together_are_undefined():
    nothing = span_agreement([{"a": [], "b": []}]).exact
    assert (nothing.value, nothing.why, nothing.items) == (None, NOTHING_MARKED, 1)
    alone = span_agreement([{"a": marks((0, 5))}]).overlapping
    assert (alone.value, alone.why) == (None, NO_OVERLAP)
    assert overlap_f1([], []) is None


def test_spans_have_an_interval_over_units():
    units = [{"a": marks((0, 5)), "b": marks((0, 5 + unit % 2))} for unit in range(40)]
    figure = span_agreement(units).exact
    assert figure.value == 0.5
    assert 0.3 < figure.low < 0.5 < figure.high < 0.7
