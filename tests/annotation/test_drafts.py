"""Drafts: nothing typed is ever lost, whatever window it was typed in."""

import pytest

from annotation.drafts import LONGEST_DRAFT, save_draft
from annotation.models import Assignment
from annotation.refusals import InvalidAnswer, StaleDraft
from tests.annotation.desk import claim, queue_with


@pytest.fixture
def assignment(project, ana):
    queue, _ = queue_with(project)
    return claim(ana, queue)


def save(assignment, draft, revision):
    return save_draft(assignment=assignment, fence=1, draft=draft, draft_revision=revision)


def test_a_draft_is_kept_and_its_revision_grows(assignment):
    assert save(assignment, {"note": "h"}, 0) == 1
    assert save(assignment, {"note": "half", "correction": "\u200fمرحبا 👍🏽"}, 1) == 2
    assignment.refresh_from_db()
    assert assignment.draft == {"note": "half", "correction": "\u200fمرحبا 👍🏽"}


def test_a_draft_on_top_of_an_old_one_is_refused_with_both(assignment):
    save(assignment, {"note": "other window"}, 0)
    with pytest.raises(StaleDraft) as refused:
        save(assignment, {"note": "this window"}, 0)
    assert refused.value.yours == {"note": "this window"}
    assert (refused.value.kept, refused.value.kept_revision) == ({"note": "other window"}, 1)
    assert Assignment.objects.get().draft == {"note": "other window"}


@pytest.mark.parametrize(
    "draft",
    [
        ["note"],
        None,
        {"note": "a\x00b"},
        {"note": "\\\\\x00"},
        {"a\x00": 1},
        {"note": "\ud800"},
        {"confidence": float("nan")},
        {"note": {1, 2}},
        {"note": "x" * LONGEST_DRAFT},
    ],
    ids=["list", "null", "NUL", "NUL behind", "NUL key", "surrogate", "NaN", "set", "long"],
)
def test_a_draft_that_cannot_be_stored_is_refused(assignment, draft):
    with pytest.raises(InvalidAnswer):
        save(assignment, draft, 0)
    assert Assignment.objects.get().draft_revision == 0


def test_a_draft_may_speak_of_nul_without_holding_one(assignment):
    save(assignment, {"note": "write \\u0000, not a NUL"}, 0)
    assignment.refresh_from_db()
    assert assignment.draft == {"note": "write \\u0000, not a NUL"}
