"""Every embedder gives vectors of one size and length one, and a version that says what made them."""

import numpy
import pytest

from feedbackhub.similarity import groups, naming
from feedbackhub.similarity.embedders import DIMENSIONS, sized
from feedbackhub.similarity.tfidf import TfidfEmbedder

CARDS = [
    "my card was swallowed by the machine",
    "the machine swallowed my card",
    "an ATM kept my card",
    "why did the machine keep my card",
]
RATES = [
    "which exchange rate do you use",
    "what is the exchange rate for dollars",
    "how good is your exchange rate",
    "is the exchange rate the same at weekends",
]


@pytest.fixture(scope="module")
def fitted():
    return TfidfEmbedder.fit((CARDS + RATES) * 3)


def test_what_is_like_is_near_and_what_is_not_is_far(fitted):
    for embedder in (fitted, TfidfEmbedder.cold()):
        swallowed, same, other = embedder.embed([CARDS[0], CARDS[1], RATES[0]])
        assert swallowed @ same > 2 * (swallowed @ other)


def test_vectors_have_one_size_and_length_one_and_nothing_is_zero(fitted):
    for embedder in (fitted, TfidfEmbedder.cold()):
        vectors = embedder.embed([CARDS[0], "", "  \n"])
        assert vectors.shape == (3, DIMENSIONS)
        assert numpy.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 0], abs=1e-5)


def test_what_was_learnt_survives_the_store_and_holds_nobodys_words(fitted):
    content = fitted.to_bytes()
    again = TfidfEmbedder.from_bytes(content, version=fitted.version)
    assert numpy.allclose(again.embed(RATES), fitted.embed(RATES), atol=1e-6)
    assert b"exchange" not in content


def test_the_same_texts_are_the_same_version_and_others_another(fitted):
    assert TfidfEmbedder.fit((CARDS + RATES) * 3).version == fitted.version
    assert TfidfEmbedder.fit(CARDS * 3).version != fitted.version
    assert TfidfEmbedder.cold().version != fitted.version


def test_longer_vectors_are_projected_and_keep_their_angles():
    random = numpy.random.default_rng(0)
    one, other = random.standard_normal((2, 1536))
    near = one + 0.3 * other
    first, second, third = sized([one, near, other])
    assert first.shape == (DIMENSIONS,)
    assert first @ second > 0.9
    assert abs(first @ third) < 0.2


def test_shorter_vectors_are_filled_up_and_keep_their_angles_exactly():
    first, second = sized([[3.0, 4.0], [4.0, 3.0]])
    assert first @ second == pytest.approx(24 / 25)


# --- groups ---------------------------------------------------------------------------------------


def test_texts_of_one_cause_are_one_group_and_nothing_is_alone(fitted):
    numbers = groups.group(fitted.embed([*CARDS, *RATES, "", ""]), cut=fitted.cut, neighbours=8)
    assert len(set(numbers[:4])) == 1
    assert len(set(numbers[4:8])) == 1
    assert len(set(numbers)) == 4


def test_a_single_text_and_none_are_grouped_too(fitted):
    assert len(groups.group(fitted.embed(CARDS[:1]), cut=0.6)) == 1
    assert groups.group(numpy.zeros((0, DIMENSIONS)), cut=0.6) == []


def test_more_than_linkage_can_hold_is_refused():
    with pytest.raises(ValueError, match="10000"):
        groups.group(numpy.zeros((groups.MOST + 1, 2)), cut=0.6)


# --- names ----------------------------------------------------------------------------------------


def test_the_words_that_set_a_group_apart_name_it():
    others = naming.document_counts(CARDS)
    words = naming.telling_words(RATES, others, of=len(CARDS), most=2)
    assert words == ["exchange", "rate"]


def test_the_most_typical_are_near_the_middle_and_not_twins():
    vectors = sized([[1, 0.1], [1, 0.1], [1, 0.9], [0.1, 1]])
    assert naming.most_typical(vectors, 2) == [2, 0]
