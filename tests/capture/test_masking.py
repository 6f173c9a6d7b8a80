import dataclasses
import json

import pytest

from feedbackhub.capture import masking
from feedbackhub.capture.identity import project_key, pseudonym
from feedbackhub.capture.masking import redact_feedback, redact_interaction
from feedbackhub.capture.payloads import read_feedback, read_interaction

KEY = project_key("secret", 1)
EMAIL = "ana.maier@example.com"


@pytest.fixture(autouse=True)
def _nothing_known():
    masking._KNOWN_CLEAN.clear()


def interaction(**changes):
    return read_interaction({"id": "a", "output": "x", **changes})


def everywhere(text):
    """An interaction with this text in every field that takes one, but for its id."""
    return interaction(
        output=text,
        session_id=text,
        user={"id": text, "role": text, "region": text},
        environment=text,
        feature=text,
        model=text,
        model_version=text,
        model_parameters={text: [text]},
        prompt={"name": text, "version": text, "text": text},
        messages=[{"role": role, "content": text} for role in ("system", "user", "tool")],
        retrieval={
            "index": text,
            "version": text,
            "documents": [{"id": text, "chunk_id": text, "title": text, "url": text, "text": text}],
        },
        tags=[text],
        metadata={text: {"deep": [text]}},
        trace_url="https://t.example.com/" + text.replace(" ", "/"),
    )


def test_redact_interaction_leaves_no_text_unmasked():
    masked, counts = redact_interaction(everywhere(f"of {EMAIL}."), key=KEY)

    assert "maier" not in str(dataclasses.asdict(masked))
    assert masked.output == "of [EMAIL]."
    assert masked.messages[0] == {"role": "system", "content": "of [EMAIL]."}
    assert masked.tags == ["of [EMAIL]."]
    assert masked.metadata == {"of [EMAIL].": {"deep": ["of [EMAIL]."]}}
    # Once in each field; the person's id is hashed whole.
    assert counts == {"EMAIL": 27}


def test_redact_interaction_again_masks_what_it_has_masked_before():
    payload = everywhere(EMAIL)

    first, second = (redact_interaction(payload, key=KEY) for _ in range(2))

    assert first == second


def test_redact_interaction_leaves_what_holds_nothing_personal():
    payload = everywhere("Which rate applies?")

    for _ in range(2):
        masked, counts = redact_interaction(payload, key=KEY)
        expected = dataclasses.replace(
            payload, user_id="", user_hash=pseudonym("Which rate applies?", KEY)
        )
        assert (masked, counts) == (expected, {})


def test_redact_interaction_remembers_nothing_of_a_text():
    redact_interaction(everywhere("Which rate applies?"), key=KEY)

    assert masking._KNOWN_CLEAN
    assert all(type(known) is bytes and len(known) == 16 for known in masking._KNOWN_CLEAN)


def test_redact_interaction_does_not_trust_a_memory_of_other_kinds():
    payload = everywhere(EMAIL)

    untouched, _ = redact_interaction(payload, key=KEY, kinds=["CARD"])
    masked, _ = redact_interaction(payload, key=KEY)

    assert EMAIL in untouched.prompt_text
    assert "maier" not in str(dataclasses.asdict(masked))


def test_what_is_remembered_stays_small(monkeypatch):
    monkeypatch.setattr(masking, "_MOST_KNOWN", 3)

    for number in range(20):
        redact_interaction(interaction(feature=f"feature {number}"), key=KEY)

    assert len(masking._KNOWN_CLEAN) <= 3


def test_ids_stay_what_they_are_and_grouping_ids_stay_apart():
    documents = [{"id": "ana@example.com"}, {"id": "ben@example.com"}, {"id": "ana@example.com"}]
    payload = interaction(
        id="ana@example.com", session_id="s-1", retrieval={"documents": documents}
    )

    masked, _ = redact_interaction(payload, key=KEY)

    one, two, three = (document.document_id for document in masked.documents)
    assert (masked.external_id, masked.session_id) == ("ana@example.com", "s-1")
    assert one == three == pseudonym("ana@example.com", KEY)
    assert two == pseudonym("ben@example.com", KEY)


def test_masks_do_not_grow_out_of_their_columns():
    emails = " ".join(["a@b.co"] * 40)[:200]
    payload = interaction(
        feature=emails, tags=[emails[:80]], trace_url="https://x/" + "a@b.co," * 280
    )

    masked, _ = redact_interaction(payload, key=KEY)

    assert "b.co" not in masked.feature + masked.tags[0]
    assert len(masked.feature) <= 200
    assert len(masked.tags[0]) <= 80
    assert len(masked.trace_url) <= 2_000


def test_redact_feedback_masks_texts_and_hashes_the_person():
    payload = read_feedback(
        {
            "id": EMAIL,
            "interaction_id": EMAIL,
            "kind": "comment",
            "comment": f"Ask {EMAIL}",
            "edited_output": EMAIL,
            "metadata": {"by": EMAIL},
            "reporter": {"ref": "u-9", "email": EMAIL},
        }
    )

    masked, counts = redact_feedback(payload, key=KEY)

    assert (masked.comment, masked.edited_output) == ("Ask [EMAIL]", "[EMAIL]")
    assert masked.metadata == {"by": "[EMAIL]"}
    assert (masked.external_id, masked.interaction_external_id) == (EMAIL, EMAIL)
    assert (masked.reporter.ref, masked.reporter.email) == ("", EMAIL)
    assert masked.reporter.ref_hash == pseudonym("u-9", KEY)
    assert counts == {"EMAIL": 3}


def test_a_reporter_and_a_user_with_the_same_reference_are_the_same_person():
    asked, _ = redact_interaction(interaction(user={"id": "u-9"}), key=KEY)
    said, _ = redact_feedback(
        read_feedback({"interaction_id": "a", "kind": "copy", "reporter": {"ref": "u-9"}}), key=KEY
    )

    assert asked.user_hash == said.reporter.ref_hash


def test_a_reporter_without_anything_to_know_them_by_stays_without():
    body = {"interaction_id": "a", "kind": "copy"}

    for reporter in ({"locale": "de"}, {}, None):
        masked, counts = redact_feedback(read_feedback({**body, "reporter": reporter}), key=KEY)
        assert masked.reporter is None or masked.reporter.ref_hash == ""
        assert json.dumps(counts) == "{}"
