"""When experts agree, by the rule of their queue; and what happens when they do not."""

import pytest

from annotation import settling
from annotation.consensus import weights_of
from annotation.models import Settlement
from tests.annotation.desk import claim, judge, queue_with
from tests.cast import _member
from tests.factories import LabelSchemaFactory, ReviewItemFactory, ReviewQueueFactory


@pytest.fixture
def experts(project):
    return [_member(project, name, "expert") for name in ("Cem", "Dee", "Fay", "Gus", "Hal")]


def outcome(item):
    item.refresh_from_db()
    current = Settlement.objects.filter(item=item, is_current=True).first()
    return item.state, current and current.verdict


def say(queue, experts, *verdicts):
    for expert, verdict in zip(experts, verdicts, strict=False):
        judge(expert, queue, verdict, "none" if verdict == "correct" else "medium")


@pytest.mark.parametrize(
    ("rule", "verdicts", "expected"),
    [
        ("majority", ["wrong", "wrong", "partly"], ("settled", "wrong")),
        ("majority", ["wrong", "partly", "correct"], ("disputed", None)),
        ("unanimous", ["wrong", "wrong", "partly"], ("disputed", None)),
        ("unanimous", ["wrong", "wrong", "wrong"], ("settled", "wrong")),
        ("weighted", ["wrong", "wrong", "partly"], ("settled", "wrong")),  # nobody is known yet
        ("weighted", ["wrong", "partly", "correct"], ("disputed", None)),
    ],
)
def test_three_experts_by_rule(project, experts, rule, verdicts, expected):
    queue, (item,) = queue_with(project, overlap=3, consensus=rule)
    say(queue, experts, *verdicts)
    assert outcome(item) == expected


@pytest.mark.parametrize("rule", ["majority", "weighted", "unanimous"])
def test_harm_is_never_outvoted(project, experts, rule):
    queue, (item,) = queue_with(project, overlap=3, consensus=rule, on_tie="reviewer")
    say(queue, experts, "wrong", "wrong")
    judge(experts[2], queue, "harmful", "critical")
    assert outcome(item) == ("disputed", None)


def known_cases(project, ben, expert, *, right, wrong):
    """Disputes that this expert took part in and a lead decided."""
    queue, items = queue_with(project, items=right + wrong, overlap=1)
    for place, item in enumerate(items):
        judge(expert, queue, "wrong", "medium")
        verdict = "wrong" if place < right else "partly"
        settling.decide_dispute(item=item, by=ben, verdict=verdict, severity="medium", reason="So")


def test_the_word_of_who_does_well_on_known_cases_weighs_more_and_the_weights_are_kept(
    project, ben, experts
):
    good, bad, worse = experts[:3]
    known_cases(project, ben, good, right=8, wrong=0)
    known_cases(project, ben, bad, right=0, wrong=8)
    known_cases(project, ben, worse, right=0, wrong=4)
    queue, (item,) = queue_with(project, overlap=3, consensus="weighted")
    assert weights_of(queue, [good.pk, bad.pk, worse.pk]) == {
        good.pk: 0.9,
        bad.pk: 0.1,
        worse.pk: 0.17,
    }
    mine = judge(good, queue, "partly", "medium")
    say(queue, [bad, worse], "wrong", "wrong")
    assert outcome(item) == ("settled", "partly")
    kept = Settlement.objects.get(item=item, is_current=True)
    assert sorted(kept.weights.values()) == [0.1, 0.17, 0.9]
    assert kept.weights[str(mine.public_id)] == 0.9
    assert kept.agreement == pytest.approx(1 / 3)


def test_somebody_new_weighs_half(project, ana):
    queue, _ = queue_with(project, items=0)
    assert weights_of(queue, [ana.pk]) == {ana.pk: 0.5}


def test_a_case_settled_under_another_schema_says_nothing_about_this_queue(project, ana, ben):
    LabelSchemaFactory(project=project, name="tone")
    queue, (item,) = queue_with(project)
    tone = ReviewQueueFactory(project=project, schema_name="tone")
    other = ReviewItemFactory(queue=tone, interaction=item.interaction)
    judge(ana, queue, "wrong", "medium")
    settling.decide_dispute(item=item, by=ben, verdict="wrong", severity="medium", reason="So")
    judge(ben, tone, "correct", "none")
    settling.decide_dispute(item=other, by=ben, verdict="correct", severity="none", reason="So")
    assert weights_of(queue, [ana.pk]) == {ana.pk: 0.67}
    assert weights_of(tone, [ana.pk]) == {ana.pk: 0.5}


def test_a_tie_asks_one_more_expert_who_decides_it(project, experts):
    queue, (item,) = queue_with(project, overlap=2, on_tie="reviewer")
    say(queue, experts, "wrong", "partly")
    assert outcome(item) == ("waiting", None)
    assert item.overlap == 3
    assert claim(experts[0], queue) is None
    judge(experts[2], queue, "partly", "medium")
    assert outcome(item) == ("settled", "partly")


def test_two_more_experts_at_most_then_a_lead(project, experts):
    queue, (item,) = queue_with(project, overlap=2, on_tie="reviewer")
    say(queue, experts, "wrong", "partly", "correct")
    judge(experts[3], queue, "wrong", "high")
    assert outcome(item) == ("disputed", None)
    assert item.overlap == 4


def test_a_lead_decides_a_tie_unless_the_queue_says_otherwise(project, experts):
    queue, (item,) = queue_with(project, overlap=2)
    say(queue, experts, "wrong", "partly")
    assert outcome(item) == ("disputed", None)
