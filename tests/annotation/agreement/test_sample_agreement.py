"""The research sets as annotations of as many people, and the page's figures beside an independent library's.

The independent figures are computed from the source files themselves by what the product does not use: alpha and kappa by nltk,
F1 by SciPy's assignment, percent and Fleiss' kappa by counting. So the way through import, storage, report and page is tested, and the
libraries of the product too.
"""

import gzip
import json
import re
from itertools import combinations

import numpy as np
import pytest
from django.core.management import call_command
from django.utils.html import strip_tags
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import binary_distance, interval_distance
from scipy.optimize import linear_sum_assignment

from annotation.models import Annotation, Settlement, Span

pytestmark = [pytest.mark.shared, pytest.mark.django_db]


def rows_of(path):
    with gzip.open(path) as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture
def load(project, shared, capsys):
    def load(name, mapping):
        path = shared / "data" / f"{name}.jsonl.gz"
        call_command(
            "import_interactions", str(path), project="tax-help", mapping="sample", quiet=True
        )
        capsys.readouterr()
        call_command("import_annotations", str(path), project="tax-help", mapping=mapping)
        return rows_of(path), json.loads(capsys.readouterr().out)

    return load


@pytest.fixture
def page(as_user, ben):
    """What a lead sees: the report, and what is printed in the row of each thing."""

    def page(field):
        answer = as_user(ben).get("/p/tax-help/agreement/", {"field": field})
        rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", answer.content.decode())
        said = [
            (strip_tags(name), strip_tags(figures.replace("<", " <"))) for name, figures in rows
        ]
        return answer.context["report"], said

    return page


def printed(said, start):
    """The figures of the row whose name starts so, intervals among them."""
    (words,) = [words.split() for name, words in said if name.startswith(start)]
    return words


def task(table, distance=binary_distance, people=None):
    """`table`: a row for each person, NaN where they said nothing. With `people` what these judged together."""
    people = range(len(table)) if people is None else people
    units = range(table.shape[1])
    if people != range(len(table)):
        units = [unit for unit in units if not np.isnan(table[list(people), unit]).any()]
    said = [(person, unit, table[person, unit]) for person in people for unit in units]
    return AnnotationTask([each for each in said if not np.isnan(each[2])], distance)


def ordinal_distance(table):
    """Krippendorff's: how many of the answers that can be paired lie between two values, squared."""
    paired = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    values, counts = np.unique(paired[~np.isnan(paired)], return_counts=True)

    def distance(one, other):
        low, high = sorted([one, other])
        between = counts[(values >= low) & (values <= high)].sum()
        ends = counts[values == low].sum() + counts[values == high].sum()
        return float(between - ends / 2) ** 2 if low != high else 0.0

    return distance


def test_feedbackqa_ratings_are_two_or_three_people(load, page):
    rows, answer = load("feedbackqa_sample", "feedbackqa")
    assert answer == {"rows": 423, "accepted": 1074, "errors": []}
    words = ["Bad", "Could be Improved", "Acceptable", "Excellent"]
    table = np.full((3, len(rows)), np.nan)
    for place, row in enumerate(rows):
        for person, said in enumerate(row["feedback"]):
            table[person, place] = words.index(said["value"]) + 1
    report, said = page("rating.rating")
    (rating,) = [each for each in report.fields if each.kind == "rating"]
    ordinal = task(table, ordinal_distance(table)).alpha()
    interval = task(table, interval_distance).alpha()
    assert rating.alpha.value == pytest.approx(ordinal)
    assert rating.alpha_interval.value == pytest.approx(interval)
    assert (rating.alpha.items, rating.alpha.answers) == (423, 1074)
    assert rating.alpha.low < rating.alpha.value < rating.alpha.high
    pairs = [
        (one["value"], other["value"])
        for row in rows
        for one, other in combinations(row["feedback"], 2)
    ]
    same = np.mean([one == other for one, other in pairs])
    assert rating.percent.value == pytest.approx(same)
    shown = printed(said, "rating")
    assert shown[0] == f"{same:.0%}"
    assert {f"{ordinal:.2f}", f"{interval:.2f}", "423", "1,074"} <= set(shown)
    weighted = task(table, interval_distance, (0, 1)).weighted_kappa_pairwise(0, 1)
    (pair,) = [each for each in report.pairs if each.kappa.items == 423]
    assert pair.kappa.value == pytest.approx(weighted)
    verdicts = np.where(table == 2, 3, table)  # bad is wrong, excellent correct, all between partly
    kappa = task(verdicts, people=(0, 1)).kappa_pairwise(0, 1)
    report, said = page("verdict")
    (pair,) = [each for each in report.pairs if each.kappa.items == 423]
    assert pair.kappa.value == pytest.approx(kappa)
    (shown,) = [words.split() for _who, words in said if words.split()[-1] == "423"]
    assert f"{kappa:.2f}" == shown[4]  # behind the share with its interval
    kept = Annotation.objects.filter(item__interaction__external_id="fbqa-00000").first().ratings
    assert kept == [{"name": "rating", "word": "Excellent", "value": 4, "scale": [1, 4]}]


def test_xsum_marks_and_votes_are_three_people(load, page):
    rows, answer = load("xsum_spans_sample", "xsum")
    assert answer == {"rows": 260, "accepted": 780, "errors": []}
    assert Span.objects.count() == sum(len(row["human_labels"]) for row in rows)
    votes = np.full((3, len(rows)), np.nan)
    for place, row in enumerate(rows):
        for vote in row["item_labels"]:
            votes[PEOPLE.index(vote["annotator"]), place] = vote["value"]
    report, said = page("spans")
    (factual,) = [each for each in report.fields if each.key == "is_factual"]
    alpha, fleiss = task(votes, ordinal_distance(votes)).alpha(), _fleiss(votes)
    assert factual.alpha.value == pytest.approx(alpha)
    assert factual.alpha.items == 197  # the others were not voted on
    assert factual.fleiss.value == pytest.approx(fleiss)
    assert {f"{alpha:.2f}", f"{fleiss:.2f}", "197"} <= set(printed(said, "is_factual"))
    for name, fits in {
        "exact": _is_same,
        "exact_with_label": lambda one, other: _is_same(one, other) and _has_same_label(one, other),
        "overlapping": _overlap,
        "overlapping_with_label": lambda one, other: (
            _overlap(one, other) and _has_same_label(one, other)
        ),
    }.items():
        f1 = _f1(rows, fits)
        assert getattr(report.spans, name).value == pytest.approx(f1)
        start = "Exactly" if name.startswith("exact") else "Overlapping"
        assert f"{f1:.2f}" in printed(said, start)
    assert Settlement.objects.filter(annotation_count=3).exists()


PEOPLE = ["wid_0", "wid_1", "wid_2"]


def _f1(rows, fits):
    """Of each two people's marks the most that can be paired, found as an assignment."""
    matched = marked = 0
    for row in rows:
        marks = [[m for m in row["human_labels"] if m["annotator"] == person] for person in PEOPLE]
        for ones, others in combinations(marks, 2):
            worth = np.array([[fits(one, other) for other in others] for one in ones], dtype=int)
            if worth.size:
                matched += 2 * worth[linear_sum_assignment(worth, maximize=True)].sum()
            marked += len(ones) + len(others)
    return matched / marked


def _is_same(one, other):
    return (one["start"], one["end"]) == (other["start"], other["end"])


def _overlap(one, other):
    return one["start"] < other["end"] and other["start"] < one["end"]


def _has_same_label(one, other):
    return one["type"] == other["type"]


def _fleiss(table):
    """Straight from the paper, for units with all three votes."""
    whole = table[:, ~np.isnan(table).any(axis=0)]
    counts = np.array([(whole == value).sum(axis=0) for value in (0, 1)]).T
    seen = ((counts**2).sum(axis=1) - 3) / 6
    share = counts.sum(axis=0) / counts.sum()
    return (seen.mean() - (share**2).sum()) / (1 - (share**2).sum())
