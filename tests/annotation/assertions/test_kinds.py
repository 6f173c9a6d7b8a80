"""Each kind of assertion: what it takes, what it refuses, and how a text is held against it."""

import pytest

from annotation import assertions
from annotation.refusals import InvalidAnswer

DOCUMENTS = [{"id": "vat-12", "title": "VAT on books", "url": "https://help.example/vat"}]


def outcome(assertion, text):
    return assertions.hold(assertions.tidy(assertion), text, documents=DOCUMENTS).passed


@pytest.mark.parametrize(
    ("assertion", "passes", "fails"),
    [
        ({"kind": "must_mention", "texts": ["7 %", "books"]}, "Books:  7\u00a0%.", "Books: 19 %."),
        ({"kind": "must_not_mention", "texts": ["ibuprofen"]}, "Ask a doctor.", "Take IBUPROFEN"),
        ({"kind": "matches", "pattern": r"\b7 ?%"}, "It is 7%.", "It is 17%."),
        ({"kind": "is_json"}, '```json\n{"a": 1}\n```', "{'a': 1}"),
        (
            {"kind": "is_json", "schema": {"type": "object", "required": ["rate"]}},
            '{"rate": 7}',
            '{"tax": 7}',
        ),
        (
            {"kind": "language", "language": "de"},
            "Für Bücher gilt der ermäßigte Steuersatz von sieben Prozent.",
            "The reduced rate of seven percent applies to books.",
        ),
        ({"kind": "max_words", "words": 3}, "one two three", "one two three four"),
        ({"kind": "cites_one_of", "documents": ["vat-12"]}, "See vat on Books.", "See the law."),
        ({"kind": "cites_one_of", "documents": ["vat-12"]}, "[vat-12]", "[vat-13]"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_a_text_passes_or_fails(assertion, passes, fails):
    assert (outcome(assertion, passes), outcome(assertion, fails)) == (True, False)


def test_a_failure_says_why():
    found = assertions.hold({"kind": "max_words", "words": 1}, "two words")
    assert found.why == "It has 2 words, 1 are allowed."


def test_a_sentence_for_a_judge_is_left_to_one():
    assert outcome({"kind": "rubric", "sentence": "Names the deadline."}, "Until May.") is None


def test_texts_are_compared_as_they_are_read():
    assertion = {"kind": "must_mention", "texts": ["Strasse café"]}
    assert outcome(assertion, "STRAßE\n  cafe\u0301")


def test_a_pattern_that_would_run_for_ever_fails_in_time():
    found = assertions.hold(
        {"kind": "matches", "pattern": r"(a|aa)+$"}, "a" * 5_000 + "!", documents=()
    )
    assert found.passed is False and "too long" in found.why


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("must_mention", ""),
        ({"kind": "shell"}, "kind"),
        ({"kind": ["matches"]}, "kind"),
        ({"kind": "must_mention", "texts": []}, "texts"),
        ({"kind": "must_mention", "texts": ["a"] * 21}, "texts"),
        ({"kind": "must_mention", "texts": ["\x00"]}, "texts"),
        ({"kind": "must_mention", "texts": ["a" * 2_001]}, "texts"),
        ({"kind": "must_mention", "texts": [7]}, "texts"),
        ({"kind": "must_mention", "texts": ["a"], "exec": "rm"}, "exec"),
        ({"kind": "matches", "pattern": "("}, "pattern"),
        ({"kind": "matches"}, "pattern"),
        ({"kind": "is_json", "schema": "{"}, "schema"),
        ({"kind": "is_json", "schema": {"type": "nonsense"}}, "schema"),
        ({"kind": "is_json", "schema": {"$ref": "http://127.0.0.1/"}}, "schema"),
        ({"kind": "is_json", "schema": {"items": [{"$ref": "file:///etc/passwd"}]}}, "schema"),
        ({"kind": "is_json", "schema": {"pattern": "(a+)+$"}}, "schema"),
        ({"kind": "language", "language": "klingon"}, "language"),
        ({"kind": "max_words", "words": 0}, "words"),
        ({"kind": "max_words", "words": True}, "words"),
        ({"kind": "max_words", "words": "many"}, "words"),
        ({"kind": "rubric", "sentence": "  "}, "sentence"),
    ],
    ids=str,
)
def test_what_is_no_assertion_is_refused_by_field(given, field):
    with pytest.raises(InvalidAnswer) as refused:
        assertions.tidy(given)
    assert list(refused.value.errors) == [field]


def in_doubles(levels):
    """A schema that asks each of its definitions twice for the next one: 2 ** levels parts when written out."""
    last = f"#/$defs/{levels}"
    twice = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/0", "$defs": twice | {last.rpartition("/")[2]: {"type": "object"}}}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "#"}, id="itself"),
        pytest.param({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, id="a circle"),
        pytest.param({"$ref": "#/nowhere"}, id="nowhere"),
        pytest.param({"$ref": "#/$defs/a"}, id="no such definition"),
        pytest.param({"$dynamicRef": "#a"}, id="by its scope"),
        pytest.param(in_doubles(200), id="exponentially often"),
    ],
)
def test_a_schema_refers_to_its_own_definitions_and_not_too_often(schema):
    with pytest.raises(InvalidAnswer) as refused:
        assertions.tidy({"kind": "is_json", "schema": schema})
    assert list(refused.value.errors) == ["schema"]


def test_a_schema_with_definitions_is_followed():
    schema = {"properties": {"to": {"$ref": "#/$defs/name"}}, "$defs": {"name": {"type": "string"}}}
    assertion = assertions.tidy({"kind": "is_json", "schema": schema})
    assert assertions.hold(assertion, '{"to": "Ada"}').passed is True
    assert assertions.hold(assertion, '{"to": 7}').passed is False


def test_a_kept_schema_that_leads_nowhere_is_no_error():
    kept = {"kind": "is_json", "schema": {"$ref": "#/nowhere"}}
    assert assertions.hold(kept, "{}").passed is False


def test_every_kind_says_itself_in_a_sentence():
    samples = [
        {"kind": "must_mention", "texts": ["a"]},
        {"kind": "must_not_mention", "texts": ["a"]},
        {"kind": "matches", "pattern": "a"},
        {"kind": "is_json", "schema": {}},
        {"kind": "language", "language": "en"},
        {"kind": "max_words", "words": 1},
        {"kind": "cites_one_of", "documents": ["a"]},
        {"kind": "rubric", "sentence": "a"},
    ]
    assert {each["kind"] for each in samples} == set(assertions.KINDS)
    for sample in samples:
        assert assertions.words(assertions.tidy(sample))


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("```\n[1]\n```", True),
        ("\n ```json  \n[1]\n\n``` \n", True),
        ("```python\n[1]\n```", False),
        ("```[1]```", False),
        ("````", False),
        ("```" + "\n" * 200_000, False),
        ("```" + "\n" * 200_000 + "x", False),
    ],
    ids=["plain", "json", "python", "one line", "four marks", "newlines", "newlines and a word"],
)
def test_a_code_fence_is_taken_off_in_no_time(text, passed):
    assert outcome({"kind": "is_json"}, text) is passed


def test_a_number_that_a_schema_cannot_divide_fails_and_breaks_nothing():
    schema = {"multipleOf": 0.5}
    found = assertions.hold({"kind": "is_json", "schema": schema}, "1" + "0" * 400)
    assert (found.passed, found.why) == (False, "The schema could not be followed.")
