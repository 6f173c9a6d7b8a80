"""Words that rendered Markdown shows know where they stand in the source."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.untrusted_markdown import untrusted_markdown


class Places(HTMLParser):
    """[(place, words)] of what was shown."""

    def __init__(self, source):
        super().__init__()
        self.found, self._open = [], []
        self.feed(untrusted_markdown(source, has_places=True))
        self.close()

    def handle_starttag(self, tag, attrs):
        place = dict(attrs).get("data-at")
        if tag == "span":
            self._open.append(place)
        if place is not None:
            self.found.append([int(place), ""])

    def handle_endtag(self, tag):
        if tag == "span":
            self._open.pop()

    def handle_data(self, words):
        if self._open and self._open[-1] is not None:
            self.found[-1][1] += words


def places_of(source):
    return [(place, words.rstrip("\n")) for place, words in Places(source).found]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Keep **this** in *mind*.", ["Keep ", "this", " in ", "mind", "."]),
        ("1. 1 apple\n2. 2 pears", ["1 apple", "2 pears"]),
        ("- a\n  - a\n", ["a", "a"]),
        ("> quoted\n> again", ["quoted", "again"]),
        ("```python\nprint(1)\n\n  print(2)\n```", ["print(1)", "  print(2)"]),
        ("    code\n    code", ["code", "code"]),
        ("| a | b |\n|---|---|\n| b | a |\n", ["a", "b", "b", "a"]),
        ("[b](b)b", ["b", "b"]),
        ("Use `x` or `x`.", ["Use ", "x", " or ", "x", "."]),
        ("👩‍👩‍👧 **cafe\u0301** שלום", ["👩‍👩‍👧 ", "cafe\u0301", " שלום"]),
        ("one\r\n\r\ntwo **three**", ["one", "two ", "three"]),
        ("# 3\n3", ["3", "3"]),
    ],
)
def test_each_stretch_stands_where_it_says(source, shown):
    places = places_of(source)
    assert [words for _, words in places] == shown
    assert [source[at : at + len(words)] for at, words in places] == shown
    assert [at for at, _ in places] == sorted({at for at, _ in places})


def test_second_of_two_equal_words_is_not_taken_for_the_first():
    assert places_of("[b](b)b") == [(1, "b"), (6, "b")]
    assert places_of("1. 1") == [(3, "1")]
    assert places_of("```py\np\n```") == [(6, "p")]


def test_what_is_shown_otherwise_than_it_stands_has_no_place():
    assert places_of("&amp; \\* x") == []


_WORDS = st.text(st.sampled_from("ab *_`[]()#>-|\n\r\\&;1.!é🧾 "), max_size=60)


@given(_WORDS)
def test_no_place_is_ever_wrong(source):
    for at, words in places_of(source):
        assert source[at : at + len(words)] == words
