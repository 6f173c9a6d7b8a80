from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.similarity import minhash

QUESTION = "Can I deduct the costs of my home office if I only work there two days a week?"


def test_a_text_is_its_own_near_duplicate_whatever_its_case_and_punctuation():
    shouted = "CAN I DEDUCT the costs of my home-office, if I only work there two days a week??"
    assert minhash.are_near_duplicates(QUESTION, shouted)
    assert set(minhash.bands(QUESTION, salt="1")) & set(minhash.bands(shouted, salt="1"))


def test_a_small_change_is_a_near_duplicate_and_another_question_is_not():
    twin = QUESTION.replace("two days", "three days")
    assert minhash.are_near_duplicates(QUESTION, twin)
    assert not minhash.are_near_duplicates(
        QUESTION, "Which form do I need to declare rent from abroad?"
    )


def test_projects_share_no_band():
    assert not set(minhash.bands(QUESTION, salt="1")) & set(minhash.bands(QUESTION, salt="2"))


def test_bands_stay_what_they_were():
    """Splits of gold hang on them: a change of these numbers is a new PARAMETERS."""
    assert minhash.bands("frozen", salt="1")[:2] == [FIRST, SECOND]


FIRST, SECOND = 235214386494028840, -4951695306530492435


@given(st.text())
def test_any_text_has_sixteen_bands_that_fit_a_bigint(text):
    bands = minhash.bands(text, salt="1")
    assert len(bands) == 16
    assert all(-(2**63) <= band < 2**63 for band in bands)
