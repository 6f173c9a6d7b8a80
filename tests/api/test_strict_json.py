import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackhub.api import strict_json
from feedbackhub.api.strict_json import BadDocument, TooManyRows

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(st.characters(codec="ascii")), parts),
    max_leaves=20,
)


def refused(raw, **limits):
    with pytest.raises(BadDocument) as caught:
        strict_json.parse(raw, **limits)
    return caught.value


# --- one document -------------------------------------------------------------------------------


@given(documents, st.booleans())
def test_parse_reads_what_json_dumps_writes(value, ascii_only):
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()

    try:
        assert strict_json.parse(raw) == value
    except BadDocument as error:
        assert "U+0000" in error.message and "\\u0000" in raw.decode()


@given(st.binary())
def test_parse_of_any_bytes_raises_nothing_but_its_own_error(raw):
    try:
        strict_json.parse(raw)
    except BadDocument as error:
        assert error.message.endswith(".")


JSON_LIKE = st.lists(
    st.sampled_from(
        [*'{}[],:"\\ 019.-eE+', "\\u0000", "\\ud800", "null", "NaN", '"a"', '"a":', "\n"]
    )
).map("".join)


@given(JSON_LIKE)
@settings(max_examples=500)
def test_parse_never_takes_what_the_stock_parser_refuses(text):
    try:
        value = strict_json.parse(text.encode())
    except BadDocument:
        return
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        (b"", "", "It is empty."),
        (b" \n ", "", "It is empty."),
        (b"\xef\xbb\xbf{}", "", "It starts with a byte order mark; send plain UTF-8 without one."),
        (b'{"a":"\xff"}', "", "This is not UTF-8: byte 6 cannot be read."),
        (b'"\xed\xa0\x80"', "", "This is not UTF-8: byte 1 cannot be read."),
        (b'{"a":"\\u0000"}', "a", "Text may not hold the character U+0000."),
        (b'{"\\u0000":1}', r'["\u0000"]', "Text may not hold the character U+0000."),
        (b'{"a":["\\ud83d"]}', "a[0]", "Text may not hold half of a surrogate pair."),
        (b'{"a":{"\\uDE00":1}}', r'a["\ude00"]', "Text may not hold half of a surrogate pair."),
        (b'{"a":NaN}', "a", "NaN is not JSON."),
        (b"[-Infinity]", "[0]", "-Infinity is not JSON."),
        (b'{"a":{"b":[0,1e400]}}', "a.b[1]", "This number is too large."),
        (b'{"a":1,"b":2,"a":3}', "a", "This key is given twice."),
        (b'{"m":[{"x y":1,"x y":1}]}', 'm[0]["x y"]', "This key is given twice."),
        (b'{"a":9007199254740993}', "a", "Integers go up to 2^53; send a larger one as text."),
        (b"-9007199254740993", "", "Integers go up to 2^53; send a larger one as text."),
        (b"9" * 5_000, "", "Integers go up to 2^53; send a larger one as text."),
        (b"1." + b"0" * 1_000, "", "This number is too large."),
        (
            b"{} {}",
            "",
            "This is not JSON: something follows after the end (line 1, column 4).",
        ),
        (
            b'{"a":"\0"}',
            "",
            "This is not JSON: a control character stands unescaped in a string (line 1, column 7).",
        ),
    ],
)
def test_parse_refuses_and_says_where(raw, field, message):
    error = refused(raw)

    assert (error.field, error.message) == (field, message)
    assert error.errors == [{"field": field, "message": message}]


def test_parse_takes_what_only_looks_dangerous():
    text = '{"nul":"\\\\u0000","half":"\\\\ud83d","pair":"\\ud83d\\ude00","deep":"%s"}' % (
        "[" * 5_000
    )

    assert strict_json.parse(text.encode()) == {
        "nul": "\\u0000",
        "half": "\\ud83d",
        "pair": "😀",
        "deep": "[" * 5_000,
    }


def test_parse_sees_through_an_escaped_backslash_before_half_a_pair():
    assert refused(b'"\\\\ud83d\\ude00"').message == "Text may not hold half of a surrogate pair."


def test_parse_takes_integers_to_two_to_the_53rd():
    assert strict_json.parse(b"[9007199254740992,-9007199254740992]") == [2**53, -(2**53)]


def test_parse_takes_numbers_too_small_as_zero():
    assert strict_json.parse(b"1e-400") == 0.0


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
def test_parse_takes_32_levels_and_no_more(opening, closing):
    def nested(levels):
        return (opening * levels + "0" + closing * levels).encode()

    strict_json.parse(nested(32))
    for levels in (33, 199, 200, 201, 5_000, 100_000):
        assert refused(nested(levels)).message == "It nests deeper than 32 levels."


def test_parse_counts_empty_brackets_as_a_level():
    strict_json.parse(b"[" * 32 + b"]" * 32)

    assert refused(b"[" * 33 + b"]" * 33).message == "It nests deeper than 32 levels."


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 1_000_000,
        b'{"a":' * 500_000,
        b"]" * 500_000 + b"[" * 500_000,
        b"[]" * 100_000 + b"[" * 5_000,
        b'["\\""' + b"," * 10 + b"[" * 100_000,
        b'"' + b'\\"' * 500_000,
        b'["' * 100_000,
        b"[}" * 100_000,
    ],
)
def test_parse_survives_brackets_that_never_close(raw):
    refused(raw)
    with pytest.raises(BadDocument):
        list(strict_json.parse_array(b"[" + raw))


def test_parse_counts_depth_the_same_on_a_document_with_many_brackets():
    wide = b"[" + b",".join([b'{"a":[1,"[[[["]}'] * 500) + b"]"

    assert len(strict_json.parse(wide)) == 500
    assert refused(b"[" * 30 + wide + b"]" * 30).message == "It nests deeper than 32 levels."


def test_parse_takes_ten_thousand_keys_and_no_more():
    def with_keys(count):
        inner = {f"key {n}": n for n in range(count - 1)}
        return json.dumps({"all": [inner]}).encode()

    strict_json.parse(with_keys(10_000))
    assert refused(with_keys(10_001)).message == "It has more than 10,000 keys."


def test_parse_limits_can_be_narrower():
    assert refused(b"[[1]]", max_depth=1).message == "It nests deeper than 1 levels."
    assert refused(b'{"aaaa":1,"bbbb":2}', max_keys=1).message == "It has more than 1 keys."


def test_refusals_can_be_sent_whatever_the_key_was():
    error = refused(b'{"' + b"k" * 100_000 + b'":{"\\ud800":NaN}}')

    assert len(error.field) < 200
    error.field.encode()


# --- newline-delimited --------------------------------------------------------------------------


def test_parse_ndjson_keeps_good_lines_beside_bad_ones():
    raw = b'{"a":1}\n{"a":\n\xff\n{"a":1,"a":1}\n{"a":2}\n'

    rows = list(strict_json.parse_ndjson(raw))

    assert [index for index, _ in rows] == [0, 1, 2, 3, 4]
    assert [value for _, value in rows if not isinstance(value, BadDocument)] == [
        {"a": 1},
        {"a": 2},
    ]
    assert rows[2][1].message == "This is not UTF-8: byte 0 cannot be read."


def test_parse_ndjson_ends_lines_at_line_feed_only():
    raw = '"a\u2028b\u2029c\u0085d"\r\n"e"'.encode()

    assert list(strict_json.parse_ndjson(raw)) == [(0, "a\u2028b\u2029c\u0085d"), (1, "e")]


def test_parse_ndjson_passes_over_blank_lines_but_counts_them():
    assert list(strict_json.parse_ndjson(b"\n1\n \r\n\t\n2\n\n")) == [(1, 1), (4, 2)]
    assert list(strict_json.parse_ndjson(b"")) == []
    assert list(strict_json.parse_ndjson(b"\n" * 20_000)) == []


def test_parse_ndjson_refuses_too_many_rows_before_the_first():
    assert len(list(strict_json.parse_ndjson(b"1\n" * 5_000))) == 5_000
    assert len(list(strict_json.parse_ndjson(b"1\n\n" * 5_000))) == 5_000
    with pytest.raises(TooManyRows):
        strict_json.parse_ndjson(b"1\n" * 5_001)


@given(st.binary())
def test_parse_ndjson_of_any_bytes_raises_nothing(raw):
    lines = raw.split(b"\n")

    for index, value in strict_json.parse_ndjson(raw):
        if not isinstance(value, BadDocument):
            assert json.loads(lines[index]) == value


# --- arrays -------------------------------------------------------------------------------------


@given(st.lists(documents), st.booleans(), st.sampled_from([None, 1]), st.integers(1, 40))
def test_parse_array_reads_the_same_rows_whatever_the_window(rows, ascii_only, indent, window):
    raw = json.dumps(rows, ensure_ascii=ascii_only, indent=indent).encode()
    usual = strict_json._WINDOW
    strict_json._WINDOW = window
    try:
        found = list(strict_json.parse_array(raw))
    finally:
        strict_json._WINDOW = usual

    for (index, value), expected in zip(found, rows, strict=True):
        assert value == expected or "\\u0000" in json.dumps(expected)
        assert rows[index] is expected


@given(JSON_LIKE, st.integers(1, 10))
@settings(max_examples=500)
def test_parse_array_takes_an_array_only_if_the_stock_parser_does(text, window):
    raw = f"[{text}]".encode()
    usual = strict_json._WINDOW
    strict_json._WINDOW = window
    try:
        rows = [value for _, value in strict_json.parse_array(raw)]
    except BadDocument:
        with pytest.raises(ValueError):
            json.loads(raw)
        return
    finally:
        strict_json._WINDOW = usual
    stock = json.loads(raw)
    assert len(stock) == len(rows)
    for value, expected in zip(rows, stock, strict=True):
        assert isinstance(value, BadDocument) or value == expected


def test_parse_array_refuses_a_row_that_breaks_a_rule_alone():
    deep = b"[" * 33 + b"]" * 33
    raw = b'[{"a":1}, {"a":1,"a":2}, {"a":NaN}, {"b":[1e999]}, "\\u0000", %s, {"a":2}]' % deep

    rows = list(strict_json.parse_array(raw))

    assert [(i, v.field, v.message) for i, v in rows if isinstance(v, BadDocument)] == [
        (1, "a", "This key is given twice."),
        (2, "a", "NaN is not JSON."),
        (3, "b[0]", "This number is too large."),
        (4, "", "Text may not hold the character U+0000."),
        (5, "", "It nests deeper than 32 levels."),
    ]
    assert (rows[0], rows[6]) == ((0, {"a": 1}), (6, {"a": 2}))


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'[{"a":1},{"a":}]', "[1]"),
        (b'[{"a":1},{"a"', "[1]"),
        (b"[1,2", ""),
        (b"[1,]", "[1]"),
        (b"[1 2]", ""),
        (b"[] []", ""),
        (b"[1]]", ""),
        (b'["\xff"]', ""),
        (b"\xef\xbb\xbf[]", ""),
        (b"[" * 100_000, ""),
        (b"{}", ""),
        (b"", ""),
    ],
)
def test_parse_array_refuses_a_broken_array_as_a_whole(raw, field):
    with pytest.raises(BadDocument) as caught:
        strict_json.parse_array(raw)

    assert caught.value.field == field


def test_parse_array_reads_a_row_longer_than_its_window():
    rows = ["x", "😀" * 1_500_000, "y"]

    assert [row for _, row in strict_json.parse_array(json.dumps(rows).encode())] == rows
    assert [
        row for _, row in strict_json.parse_array(json.dumps(rows, ensure_ascii=False).encode())
    ] == rows


def test_parse_array_takes_five_thousand_rows_and_no_more():
    assert len(list(strict_json.parse_array(json.dumps([1] * 5_000).encode()))) == 5_000
    with pytest.raises(TooManyRows) as caught:
        strict_json.parse_array(json.dumps([1] * 5_001).encode())
    assert caught.value.errors == [{"field": "", "message": "A batch holds at most 5,000 rows."}]


def test_parse_array_takes_blanks_and_none():
    assert list(strict_json.parse_array(b" [ ] \n")) == []
    assert list(strict_json.parse_array(b"\t[ 1 , 2 ]\r\n")) == [(0, 1), (1, 2)]


def test_is_storable_knows_what_postgresql_cannot_hold():
    assert strict_json.is_storable("a \u2028 é 😀 \x01")
    assert not strict_json.is_storable("a\0")
    assert not strict_json.is_storable("é\ud800")
    assert math.isfinite(strict_json.parse(b"1.7976931348623157e308"))
