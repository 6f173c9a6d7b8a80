"""What may be said: held against the schema, and spans against the very text."""

import pytest

from annotation.answers import check_answers, is_real_change, suggested_severity
from annotation.refusals import InvalidAnswer
from feedbackhub.capture.models import RetrievedDocument
from tests.factories import InteractionFactory, LabelSchemaFactory


@pytest.fixture
def schema(project):
    return LabelSchemaFactory(
        project=project,
        rubric=[{"key": "clear", "name": "Clear", "scale": 5, "required": True}],
    )


@pytest.fixture
def interaction(project):
    interaction = InteractionFactory(
        project=project,
        messages=[{"role": "user", "content": "مرحبا 👩‍🔬, deduct?"}],
        output="Ja 👍🏽 naïve e\u0301",
    )
    RetrievedDocument.objects.create(
        project=project, interaction=interaction, position=2, text="Tax guide 2023"
    )
    return interaction


def said(schema, interaction, **answers):
    given = {"verdict": "wrong", "severity": "low", "rubric_scores": {"clear": 3}} | answers
    return check_answers(schema=schema, interaction=interaction, **given)


def errors_of(schema, interaction, **answers):
    with pytest.raises(InvalidAnswer) as refused:
        said(schema, interaction, **answers)
    return list(refused.value.errors)


def span(field, start, end, quote, label="wrong"):
    return {"field": field, "start": start, "end": end, "quote": quote, "label": label}


@pytest.mark.parametrize(
    "mark",
    [
        span("output", 3, 5, "👍🏽"),
        span("output", 6, 11, "naïve"),
        span("output", 12, 14, "e\u0301"),
        span("messages.0", 0, 5, "مرحبا"),
        span("messages.0", 6, 9, "👩‍🔬"),
        span("documents.2", 10, 14, "2023"),
    ],
    ids=lambda mark: f"{mark['field']} {mark['start']}",
)
def test_offsets_count_code_points_of_the_stored_text(schema, interaction, mark):
    assert said(schema, interaction, spans=[mark])["spans"] == [{**mark, "note": ""}]


def test_spans_may_overlap(schema, interaction):
    marks = [span("output", 0, 5, "Ja 👍🏽"), span("output", 3, 11, "👍🏽 naïve", "unsupported")]
    assert len(said(schema, interaction, spans=marks)["spans"]) == 2


@pytest.mark.parametrize(
    "mark, field",
    [
        (span("output", 3, 7, "👍🏽"), "quote"),  # counted in UTF-16
        (span("output", 0, 2, "Ya"), "quote"),
        (span("output", 2, 2, ""), "start"),
        (span("output", 5, 3, "x"), "start"),
        (span("output", -2, 1, "x"), "start"),
        (span("output", 0, 99, "x"), "start"),
        (span("output", True, 2, "a"), "start"),
        (span("output", "0", 2, "Ja"), "start"),
        (span("messages.1", 0, 1, "x"), "field"),
        (span("messages.01", 0, 1, "م"), "field"),
        (span("documents.0", 0, 1, "T"), "field"),
        (span("metadata", 0, 1, "x"), "field"),
        (span(None, 0, 1, "x"), "field"),
        (span("output", 0, 2, "Ja", label="bad"), "label"),
        (span("output", 0, 2, "Ja", label=["wrong"]), "label"),
    ],
)
def test_a_mark_that_does_not_fit_its_text_is_refused_by_name(schema, interaction, mark, field):
    good = span("output", 0, 2, "Ja")
    assert errors_of(schema, interaction, spans=[good, mark]) == [f"spans.1.{field}"]


@pytest.mark.parametrize(
    "answers, fields",
    [
        ({"verdict": "meh"}, ["verdict"]),
        ({"verdict": None, "severity": 3}, ["verdict", "severity"]),
        ({"categories": ["outdated", "nonsense"]}, ["categories.1"]),
        ({"categories": [["outdated"]]}, ["categories.0"]),
        ({"categories": "outdated"}, ["categories"]),
        ({"root_cause": "the_moon"}, ["root_cause"]),
        ({"rubric_scores": {}}, ["rubric_scores.clear"]),
        ({"rubric_scores": {"clear": 6}}, ["rubric_scores.clear"]),
        ({"rubric_scores": {"clear": True}}, ["rubric_scores.clear"]),
        ({"rubric_scores": {"clear": 3, "kind": 1}}, ["rubric_scores.kind"]),
        ({"note": "a\x00b"}, ["note"]),
        ({"note": "\ud800"}, ["note"]),
        ({"note": 5}, ["note"]),
        ({"correction": "x" * 1_048_577}, ["correction"]),
        ({"confidence": 1.1}, ["confidence"]),
        ({"confidence": float("nan")}, ["confidence"]),
        ({"confidence": "high"}, ["confidence"]),
        ({"seconds_spent": -1}, ["seconds_spent"]),
        ({"seconds_spent": float("nan")}, ["seconds_spent"]),
        ({"suggestion": {"source": 1}}, ["suggestion"]),
        ({"suggestion": {"taken": ["everything"]}}, ["suggestion"]),
        ({"suggestion": {"taken": [[]]}}, ["suggestion"]),
        ({"spans": "output"}, ["spans"]),
        ({"spans": [None]}, ["spans.0"]),
        ({"spans": [{}] * 501}, ["spans"]),
        ({"verdict": "correct", "severity": "high"}, ["severity"]),
        ({"verdict": "harmful", "severity": "none"}, ["severity"]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused_by_name(schema, interaction, answers, fields):
    assert errors_of(schema, interaction, **answers) == fields


def test_a_category_named_twice_is_named_once_in_the_order_given(schema, interaction):
    given = ["outdated", "factual_error", "outdated"]
    assert said(schema, interaction, categories=given)["categories"] == [
        "outdated",
        "factual_error",
    ]


def test_a_forgotten_window_counts_as_a_day_at_most(schema, interaction):
    assert said(schema, interaction, seconds_spent=10**6)["seconds_spent"] == 24 * 3600


@pytest.mark.parametrize(
    "verdict, categories, severity",
    [
        ("correct", ["harmful"], "none"),
        ("wrong", [], "medium"),
        ("wrong", ["outdated", "harmful"], "critical"),
        ("harmful", ["outdated"], "critical"),
        ("partly", ["outdated"], "medium"),
    ],
)
def test_the_suggested_severity_is_the_worst_default(schema, verdict, categories, severity):
    assert suggested_severity(schema, verdict, categories) == severity


def test_a_real_change_is_one_that_can_be_read():
    assert is_real_change("Yes!", "Yes.")
    assert is_real_change("One Two", "OneTwo")
    assert not is_real_change("Yes.\r\n", "Yes.")
