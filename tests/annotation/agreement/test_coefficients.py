"""The coefficients against published values, and honest where they are undefined."""

import numpy as np
import pytest

from annotation.agreement.coefficients import (
    NO_OVERLAP,
    ONE_VALUE,
    Figure,
    _alphas,
    _Tally,
    alpha,
    cohen_kappa,
    fleiss_kappa,
    pairs_of,
    people_in_pairs,
    percent,
)

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four observers, twelve units, missing data.
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}
KRIPPENDORFF = [
    {name: said[unit] for name, said in OBSERVERS.items() if said[unit] is not None}
    for unit in range(12)
]

# Fleiss (1971), "Measuring nominal scale agreement among many raters", table 1: thirty patients, the diagnoses that six
# psychiatrists gave each of them (a digit a diagnosis).
FLEISS = """
444444 222555 233335 555555 222444 113333 333355 113334 114444 555555
144444 124444 222333 144444 224445 333335 111455 111112 224444 133555
555555 244444 224555 114444 144445 222224 111155 224444 133333 555555
"""


@pytest.mark.parametrize(
    ("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_krippendorffs_own_example(scale, published):
    figure = alpha(KRIPPENDORFF, scale)
    assert round(figure.value, 3) == published
    assert (figure.items, figure.answers) == (
        11,
        40,
    )  # one unit has a single answer: it cannot pair
    assert figure.low <= figure.value <= figure.high


def test_alpha_of_krippendorffs_two_observers_with_two_values():
    # same paper, section A: ten units, two observers, nominal binary data
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    figure = alpha([{"meg": m, "owen": o} for m, o in zip(meg, owen, strict=True)])
    assert round(figure.value, 3) == 0.095


def test_fleiss_kappa_of_thirty_patients_and_six_psychiatrists():
    figure = fleiss_kappa([dict(enumerate(row)) for row in FLEISS.split()])
    assert round(figure.value, 3) == 0.430
    assert (figure.items, figure.answers) == (30, 180)


def test_fleiss_kappa_of_the_textbook_example():
    # https://en.wikipedia.org/wiki/Fleiss%27_kappa: ten units, fourteen raters, five categories; kappa .210
    rows = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    units = [
        dict(enumerate([place for place, count in enumerate(row) for _ in range(count)]))
        for row in rows
    ]
    assert round(fleiss_kappa(units).value, 3) == 0.210
    assert round(percent(units).value, 3) == 0.378


@pytest.mark.parametrize(
    ("table", "published"),
    [
        # two readers of fifty grant proposals
        ({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}, 0.40),
        # the same observed agreement, other margins
        ({("yes", "yes"): 45, ("yes", "no"): 15, ("no", "yes"): 25, ("no", "no"): 15}, 0.13),
        ({("yes", "yes"): 25, ("yes", "no"): 35, ("no", "yes"): 5, ("no", "no"): 35}, 0.26),
        # SAS, PROC FREQ AGREE: .4842
        ({(1, 2): 4, (1, 3): 1, (2, 2): 8, (3, 2): 1, (3, 3): 5}, 0.48),
    ],
    ids=["proposals", "similar-margins", "opposed-margins", "sas"],
)
def test_cohens_kappa_of_published_tables(table, published):
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    figure = cohen_kappa(pairs)
    assert round(figure.value, 2) == published
    assert figure.items == len(pairs)
    assert figure.low < figure.value < figure.high


def test_cohens_weighted_kappa_of_a_published_table():
    # Two radiologists read 85 xeromammograms: Altman (1991), "Practical Statistics for Medical Research", table 14.3, of Boyd et
    # al. (1982). Stata's manual, `kap rada radb`, prints .4728, and .6714 with `wgt(w2)`, the quadratic weights.
    table = [(21, 12, 0, 0), (4, 17, 1, 0), (3, 9, 15, 2), (0, 0, 0, 1)]
    read = ["normal", "benign", "suspect", "cancer"]
    pairs = [
        (read[one], read[other])
        for one, row in enumerate(table)
        for other, count in enumerate(row)
        for _ in range(count)
    ]
    figure = cohen_kappa(pairs, "ordinal", read)
    assert (figure.items, round(figure.value, 4)) == (85, 0.6714)
    assert round(cohen_kappa(pairs).value, 4) == 0.4728


def test_cohens_kappa_of_ordered_words_forgives_a_near_miss():
    order = ["none", "low", "medium", "high"]
    near = [("none", "none"), ("low", "medium"), ("medium", "low"), ("high", "high")] * 3
    far = [("none", "high"), ("low", "low"), ("medium", "medium"), ("high", "none")] * 3
    assert cohen_kappa(near, "ordinal", order).value > 0.7
    assert cohen_kappa(far, "ordinal", order).value < 0
    assert cohen_kappa(near).value == pytest.approx(cohen_kappa(far).value)


def test_percent_counts_pairs_of_answers():
    # three who agree are three pairs, two who differ are one
    assert percent([{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2}]).value == 0.75


def test_nobody_judged_the_same_thing_twice_so_nothing_is_said():
    alone = [{"ana": "wrong"}, {"ben": "correct"}, {}]
    nothing = Figure(None, items=0, answers=0, why=NO_OVERLAP)
    assert percent(alone) == fleiss_kappa(alone) == alpha(alone) == nothing
    assert cohen_kappa([]) == nothing


def test_everybody_said_the_same_one_thing_so_chance_cannot_be_beaten():
    same = [{"ana": "wrong", "ben": "wrong"}] * 6
    assert percent(same).value == 1.0
    for figure in (
        fleiss_kappa(same),
        alpha(same),
        alpha(same, "ordinal", ["correct", "wrong"]),
        cohen_kappa(pairs_of(same, "ana", "ben")),
    ):
        assert figure == Figure(None, items=6, answers=12, why=ONE_VALUE)


def test_a_value_said_only_where_nobody_else_answered_does_not_make_two_values():
    units = [{"ana": 1, "ben": 1}] * 5 + [{"ana": 2}]
    assert alpha(units).why == ONE_VALUE


def test_the_interval_is_the_same_each_time_and_narrows_with_more_units():
    few, many = KRIPPENDORFF, KRIPPENDORFF * 20
    assert alpha(few) == alpha(list(few))
    narrow, wide = alpha(many), alpha(few)
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2


def test_fewer_than_five_units_have_no_interval():
    figure = percent([{"a": 1, "b": 1}, {"a": 1, "b": 2}])
    assert (figure.value, figure.low, figure.high) == (0.5, None, None)


def test_the_order_of_people_and_units_does_not_matter():
    backwards = [dict(reversed(unit.items())) for unit in reversed(KRIPPENDORFF)]
    assert alpha(backwards, "ordinal").value == pytest.approx(alpha(KRIPPENDORFF, "ordinal").value)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_the_replicates_use_the_librarys_formula(scale):
    draw = np.random.default_rng(3)
    units = [
        {person: int(draw.integers(1, 6)) for person in range(draw.integers(2, 6))}
        for _ in range(80)
    ]
    tally = _Tally(units)
    weights = tally.times[np.newaxis].astype(float)
    ours = _alphas(tally.counts, weights, scale, np.array(tally.domain, float))
    assert ours[0] == pytest.approx(alpha(units, scale).value, abs=1e-12)


def test_people_in_pairs_names_those_who_met_most_often_first():
    units = [{"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 2}]
    assert people_in_pairs(units) == [("a", "b"), ("a", "c"), ("b", "c")]
