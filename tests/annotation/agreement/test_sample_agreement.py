"""The research sets as annotations of as many people, and the page's figures beside an independent library's.

The independent figures are computed from the source files themselves: alpha by `krippendorff` from raw reliability data, kappa
by scikit-learn, percent and F1 by counting, so that the way through import, storage and report is what is tested.
"""

import gzip
import json
from itertools import combinations

import numpy as np
import pytest
from django.core.management import call_command
from sklearn.metrics import cohen_kappa_score

from annotation.agreement.judgements import shared_judgements
from annotation.agreement.report import make_report
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


def library_alpha(table, level):
    """`table`: a row for each person, NaN where they said nothing."""
    import krippendorff

    return krippendorff.alpha(reliability_data=table, level_of_measurement=level)


def test_feedbackqa_ratings_are_two_or_three_people(load, project):
    rows, answer = load("feedbackqa_sample", "feedbackqa")
    assert answer == {"rows": 423, "accepted": 1074, "errors": []}
    words = ["Bad", "Could be Improved", "Acceptable", "Excellent"]
    table = np.full((3, len(rows)), np.nan)
    for place, row in enumerate(rows):
        for person, said in enumerate(row["feedback"]):
            table[person, place] = words.index(said["value"]) + 1
    report = make_report(shared_judgements(project=project))
    (rating,) = [each for each in report.fields if each.kind == "rating"]
    assert rating.alpha.value == pytest.approx(library_alpha(table, "ordinal"))
    assert rating.alpha_interval.value == pytest.approx(library_alpha(table, "interval"))
    assert (rating.alpha.items, rating.alpha.answers) == (423, 1074)
    assert rating.alpha.low < rating.alpha.value < rating.alpha.high
    pairs = [
        (one["value"], other["value"])
        for row in rows
        for one, other in combinations(row["feedback"], 2)
    ]
    assert rating.percent.value == pytest.approx(np.mean([one == other for one, other in pairs]))
    kappas = {}
    for one, other in combinations(range(3), 2):
        both = ~np.isnan(table[one]) & ~np.isnan(table[other])
        verdicts = np.array(["", "wrong", "partly", "partly", "correct"])
        kappas[int(both.sum())] = cohen_kappa_score(
            verdicts[table[one, both].astype(int)], verdicts[table[other, both].astype(int)]
        )
    assert {pair.kappa.items: pair.kappa.value for pair in report.pairs}[423] == pytest.approx(
        kappas[423]
    )
    kept = Annotation.objects.filter(item__interaction__external_id="fbqa-00000").first().ratings
    assert kept == [{"name": "rating", "word": "Excellent", "value": 4, "scale": [1, 4]}]


def test_xsum_marks_and_votes_are_three_people(load, project):
    rows, answer = load("xsum_spans_sample", "xsum")
    assert answer == {"rows": 260, "accepted": 780, "errors": []}
    assert Span.objects.count() == sum(len(row["human_labels"]) for row in rows)
    people = ["wid_0", "wid_1", "wid_2"]
    votes = np.full((3, len(rows)), np.nan)
    for place, row in enumerate(rows):
        for vote in row["item_labels"]:
            votes[people.index(vote["annotator"]), place] = vote["value"]
    report = make_report(shared_judgements(project=project))
    (factual,) = [each for each in report.fields if each.key == "is_factual"]
    assert factual.alpha.value == pytest.approx(library_alpha(votes, "ordinal"))
    assert factual.alpha.items == 197  # the others were not voted on
    assert factual.fleiss.value == pytest.approx(_fleiss(votes))
    matched = marked = 0
    for row in rows:
        places = [
            [(m["start"], m["end"]) for m in row["human_labels"] if m["annotator"] == person]
            for person in people
        ]
        for ones, others in combinations(places, 2):
            both = sum(min(ones.count(place), others.count(place)) for place in set(ones))
            matched, marked = matched + 2 * both, marked + len(ones) + len(others)
    assert report.spans.exact.value == pytest.approx(matched / marked)
    assert report.spans.exact_with_label.value < report.spans.exact.value
    assert report.spans.exact.value < report.spans.overlapping.value
    assert Settlement.objects.filter(annotation_count=3).exists()


def _fleiss(table):
    """Straight from the paper, for units with all three votes."""
    whole = table[:, ~np.isnan(table).any(axis=0)]
    counts = np.array([(whole == value).sum(axis=0) for value in (0, 1)]).T
    seen = ((counts**2).sum(axis=1) - 3) / 6
    share = counts.sum(axis=0) / counts.sum()
    return (seen.mean() - (share**2).sum()) / (1 - (share**2).sum())
