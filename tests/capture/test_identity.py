import hmac
import json

from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.api import strict_json
from feedbackhub.capture.identity import canonical_hash, project_key, pseudonym

KEY = project_key("secret", 1)

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(st.characters(codec="ascii")), parts),
    max_leaves=20,
)


def shuffled(value):
    """The same document in another spelling: keys the other way round, 1 as 1.0."""
    if isinstance(value, dict):
        return {key: shuffled(part) for key, part in reversed(value.items())}
    if isinstance(value, list):
        return [shuffled(part) for part in value]
    if type(value) in (int, float):
        return float(value) + 0.0  # no -0.0
    return value


@given(documents)
def test_canonical_hash_is_the_same_for_every_spelling(value):
    spelled = json.dumps(shuffled(value), indent=3, ensure_ascii=True).encode()
    try:
        again = strict_json.parse(spelled)
    except strict_json.BadDocument:
        return  # NUL in a key

    assert canonical_hash(again, KEY) == canonical_hash(value, KEY)


@given(documents, documents)
def test_canonical_hash_tells_documents_apart(one, other):
    are_equal = json.dumps(shuffled(one), sort_keys=True) == json.dumps(
        shuffled(other), sort_keys=True
    )

    assert (canonical_hash(one, KEY) == canonical_hash(other, KEY)) == are_equal


def test_canonical_hash_tells_what_python_takes_for_equal():
    values = [1, True, "1", [1], {"1": 1}, 0, False, None, "", [], {}, 1.5, [[1]], "v2.0"]

    assert len({canonical_hash(value, KEY) for value in values}) == len(values)
    assert canonical_hash({"a": 2.0, "b": "v2.0"}, KEY) == canonical_hash(
        {"b": "v2.0", "a": 2}, KEY
    )
    assert canonical_hash(-0.0, KEY) == canonical_hash(0, KEY)
    assert len(canonical_hash({}, KEY)) == 32


def test_hashes_are_of_one_project_only():
    other = project_key("secret", 2)

    assert pseudonym("ana@example.com", KEY) != pseudonym("ana@example.com", other)
    assert canonical_hash({}, KEY) != canonical_hash({}, other)
    assert project_key("secret", 1) != project_key("another", 1)


def test_pseudonym_is_64_hex_digits_and_always_the_same():
    assert pseudonym("u-9", KEY) == pseudonym("u-9", KEY)
    assert len(pseudonym("é" * 200, KEY)) == 64
    assert pseudonym("u-9", KEY) != pseudonym("u-9 ", KEY)


def test_the_canonical_form_never_changes():
    # Rows are compared with it years after they were stored: a newer orjson must spell it the same.
    body = {
        "id": "a",
        "n": [1.0, 2.5, -3, 1e22, 1e-7],
        "t": 'é\u2028😀"\\\n\x01',
        "x": None,
        "f": True,
    }
    text = r'{"f":true,"id":"a","n":[1,2.5,-3,1e+22,1e-7],"t":"é\u2028😀\"\\\n\u0001","x":null}'
    text = text.replace(r"\u2028", "\u2028")

    expected = hmac.digest(b"k" * 32, b"body\0" + text.encode(), "sha256")
    assert canonical_hash(body, b"k" * 32) == expected
