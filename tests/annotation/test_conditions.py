"""What a rule's `when` means, one condition at a time, and what may be written into it."""

import pytest

from annotation.conditions import Case, Signal, check_when, is_in_sample, matches


def signal(kind="thumbs_down", id=1, **fields):
    return Signal(id=id, kind=kind, **fields)


def case(*signals, **fields):
    given = {
        "model": "lumen-2",
        "feature": "tax_help",
        "role": "customer",
        "region": "DE",
        "prompt_name": "tax",
        "prompt_version": "v13",
        "metadata": {"tenant": "north", "tier": 1, "beta": True},
    } | fields
    return Case(interaction_id=1, external_id="chat/1", signals=signals, **given)


@pytest.mark.parametrize(
    "when, signals, expected",
    [
        ({"kinds": ["thumbs_down", "report"]}, [signal("report")], True),
        ({"kinds": ["thumbs_down"]}, [signal("thumbs_up")], False),
        ({"kinds": ["thumbs_down"]}, [], False),
        ({"categories": ["harmful"]}, [signal(category="harmful")], True),
        ({"categories": ["harmful"]}, [signal(category="wrong")], False),
        ({"severities": ["critical"]}, [signal(severity="critical")], True),
        ({"severities": ["critical"]}, [signal()], False),
        ({"max_score": 0.33}, [signal("rating", score=0.33)], True),
        ({"max_score": 0.33}, [signal("rating", score=0.5)], False),
        ({"max_score": 0.33}, [signal("rating")], False),
        ({"regenerates": 2}, [signal("regenerate", 1), signal("regenerate", 2)], True),
        ({"regenerates": 2}, [signal("regenerate", 1)], False),
        ({"models": ["lumen-2"]}, [], True),
        ({"models": ["lumen"]}, [], False),
        ({"features": ["tax_help", "other"]}, [], True),
        ({"roles": ["admin"]}, [], False),
        ({"regions": ["DE"]}, [], True),
        ({"prompt_versions": ["v13"]}, [], True),
        ({"prompt_versions": ["tax v13"]}, [], True),
        ({"prompt_versions": ["v1"]}, [], False),
        ({"metadata": {"tenant": "north", "tier": 1}}, [], True),
        ({"metadata": {"tenant": "south"}}, [], False),
        ({"metadata": {"absent": "north"}}, [], False),
        ({"metadata": {"tier": True}}, [], False),
        ({}, [signal()], False),
    ],
)
def test_a_condition_holds(when, signals, expected):
    assert matches(when, case(*signals)) is expected


def test_everything_that_is_named_must_hold():
    when = {"kinds": ["report"], "models": ["lumen-2"]}
    assert matches(when, case(signal("report")))
    assert not matches(when, case(signal("report"), model="other"))
    assert not matches(when, case(signal("copy")))


def test_what_is_said_about_feedback_must_hold_for_one_signal():
    when = {"kinds": ["report"], "categories": ["harmful"]}
    apart = [signal("report", 1, category="wrong"), signal("comment", 2, category="harmful")]
    assert not matches(when, case(*apart))
    assert matches(when, case(signal("report", category="harmful")))


def test_a_changed_mind_counts_as_its_latest():
    down, up = signal("thumbs_down", 1, reporter_id=7), signal("thumbs_up", 2, reporter_id=7)
    when = {"kinds": ["thumbs_down"]}
    assert not matches(when, case(down, up))
    assert matches(when, case(up, down))


def test_only_the_same_persons_same_kind_is_replaced():
    when = {"categories": ["harmful"]}
    harmful = signal("report", 1, category="harmful", reporter_id=7)
    for later in (
        signal("report", 2, category="wrong", reporter_id=8),
        signal("comment", 2, category="wrong", reporter_id=7),
        signal("report", 2, category="wrong"),
    ):
        assert matches(when, case(harmful, later))
    assert not matches(when, case(harmful, signal("report", 2, category="wrong", reporter_id=7)))


def test_every_regenerate_of_one_person_counts():
    twice = [signal("regenerate", n, reporter_id=7) for n in (1, 2)]
    assert matches({"regenerates": 2}, case(*twice))


def test_a_sample_is_the_same_for_ever_and_about_as_large_as_said():
    ids = [f"chat/{n}" for n in range(20_000)]
    sampled = {external_id for external_id in ids if is_in_sample(1, external_id)}
    assert 140 <= len(sampled) <= 260
    assert sampled == {external_id for external_id in ids if is_in_sample(1, external_id)}
    assert sampled < {external_id for external_id in ids if is_in_sample(5, external_id)}
    assert not any(is_in_sample(0, external_id) for external_id in ids)
    assert all(is_in_sample(100, external_id) for external_id in ids)


@pytest.mark.parametrize(
    "when, keys",
    [
        ({"kinds": ["report"], "sample_percent": 2.5, "metadata": {"a": 1}}, []),
        ({"severities": ["critical"], "regenerates": 2, "models": ["x"], "max_score": 0}, []),
        ({}, [""]),
        ([], [""]),
        (None, [""]),
        ({"interaction__project": 1}, ["interaction__project"]),
        ({"kinds": []}, ["kinds"]),
        ({"kinds": "report"}, ["kinds"]),
        ({"kinds": ["shouting"]}, ["kinds"]),
        ({"kinds": [["report"]]}, ["kinds"]),
        ({"max_score": "0.3"}, ["max_score"]),
        ({"max_score": 2}, ["max_score"]),
        ({"max_score": float("nan")}, ["max_score"]),
        ({"max_score": True}, ["max_score"]),
        ({"regenerates": 1.5}, ["regenerates"]),
        ({"regenerates": 0}, ["regenerates"]),
        ({"models": [""]}, ["models"]),
        ({"models": ["a\x00"]}, ["models"]),
        ({"models": ["x"] * 101}, ["models"]),
        ({"metadata": {"a": {"b": 1}}}, ["metadata"]),
        ({"metadata": {}}, ["metadata"]),
        ({"sample_percent": 101}, ["sample_percent"]),
        ({"kinds": ["nope"], "regions": []}, ["kinds", "regions"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_when_names_only_what_exists_in_the_type_that_it_has(when, keys):
    errors = check_when(when)
    assert list(errors) == keys
    assert all(sentence.endswith(".") for sentence in errors.values())
