"""Word diffs: exact, quick, and never through the middle of a letter."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.text_diff import (
    DELETE,
    EQUAL,
    INSERT,
    changed_word_count,
    word_diff,
    word_diff_html,
)


def sides(steps):
    before = "".join(text for kind, text in steps if kind != INSERT)
    after = "".join(text for kind, text in steps if kind != DELETE)
    return before, after


def test_word_diff_names_replaced_word():
    assert word_diff("the limit is low", "the limit is high") == [
        (EQUAL, "the limit is "),
        (DELETE, "low"),
        (INSERT, "high"),
    ]


def test_word_diff_of_equal_texts_is_one_step():
    assert word_diff("same", "same") == [(EQUAL, "same")]
    assert word_diff("", "") == []


@pytest.mark.parametrize(("before", "after"), [("", "new words"), ("old words", "")])
def test_word_diff_with_one_side_empty(before, after):
    assert sides(word_diff(before, after)) == (before, after)


@given(st.text(max_size=200), st.text(max_size=200))
def test_word_diff_gives_back_both_texts(before, after):
    assert sides(word_diff(before, after)) == (before, after)


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("we are 👩‍🚀 here", "we are 👩‍🔬 here", "👩‍🚀"),  # joined by U+200D
        ("the cafe\u0301 closed", "the cafe closed", "cafe\u0301"),  # combining accent
        ("step 1\ufe0f\u20e3 done", "step 2\ufe0f\u20e3 done", "1\ufe0f\u20e3"),  # keycap
        ("किताब यहाँ", "किताबें यहाँ", "किताब"),  # vowel signs
        ("flag 🇩🇪 up", "flag 🇫🇷 up", "🇩🇪"),
    ],
)
def test_word_diff_keeps_what_is_one_letter_together(before, after, whole):
    assert (DELETE, whole) in word_diff(before, after)


def test_word_diff_compares_ideographs_one_by_one():
    assert word_diff("税金の本", "税金の書") == [(EQUAL, "税金の"), (DELETE, "本"), (INSERT, "書")]


def test_word_diff_of_long_unlike_texts_stays_within_its_time():
    before = " ".join(f"old{number}" for number in range(60_000))
    after = " ".join(f"new{number % 70}" for number in range(60_000))
    started = time.perf_counter()
    steps = word_diff(before, after)
    assert time.perf_counter() - started < 5  # half a second of diffing, the rest is coding
    assert sides(steps) == (before, after)


def test_word_diff_with_surrogate_sized_alphabet():
    words = [f"w{number}" for number in range(60_000)]  # passes the gap at U+D800
    before, after = " ".join(words), " ".join([*words, "end"])
    assert word_diff(before, after)[-1] == (INSERT, " end")


def test_word_diff_html_escapes_both_sides():
    html = word_diff_html("a <b>old</b>", "a <i onclick=x>new</i> & more")
    assert html == (
        "a &lt;<del>b&gt;old&lt;/b&gt;</del><ins>i onclick=x&gt;new&lt;/i&gt; &amp; more</ins>"
    )


def test_word_diff_html_marks_insert_and_delete():
    assert word_diff_html("one two", "one three") == "one <del>two</del><ins>three</ins>"


def test_words_that_moved_are_told_from_words_that_went():
    before = "Take it twice a day. Drink a lot of water with it. Ask your doctor."
    after = "Drink a lot of water with it. Take it twice a day. Ask your chemist."
    shown = word_diff_html(before, after)
    (out,) = re.findall(r'<del class="is-moved">(.*?)</del>', shown)
    (put,) = re.findall(r'<ins class="is-moved">(.*?)</ins>', shown)
    assert out.strip(" .") == put.strip(" .")
    assert "<del>doctor</del><ins>chemist</ins>" in shown


def test_word_diff_html_with_around_leaves_out_what_did_not_change():
    same = "unchanged words go on and on " * 20
    html = word_diff_html(f"{same}old {same}", f"{same}new {same}", around=30)
    assert "<del>old</del><ins>new</ins>" in html
    assert html.count('<span class="left-out"> … </span>') == 2
    assert len(html) < 300


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a c", "a b b c", 2),
        ("one two three", "uno due", 3),
    ],
)
def test_changed_word_count(before, after, count):
    assert changed_word_count(before, after) == count
