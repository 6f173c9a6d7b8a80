import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.capture import payloads
from feedbackhub.capture.payloads import (
    BadPayload,
    DocumentPayload,
    FeedbackPayload,
    InteractionPayload,
    ReporterPayload,
    read_feedback,
    read_interaction,
)
from feedbackhub.capture.vocabulary import (
    GROUP_OF_KIND,
    FeedbackGroup,
    FeedbackKind,
    ReportedCategory,
    Severity,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

INTERACTION = {
    "id": "chat/42 #1",
    "session_id": "s-7",
    "user": {"id": "u-9", "role": "adviser", "region": "DE-BY"},
    "occurred_at": "2026-11-20T10:00:00.5+01:00",
    "environment": "production",
    "feature": "vat-help",
    "model": "small-chat",
    "model_version": "2026-10",
    "model_parameters": {"temperature": 0.2, "stop": ["\n\n"]},
    "prompt": {"name": "vat", "version": "12", "text": "Answer with care.", "hash": "ab12"},
    "messages": [
        {"role": "system", "content": "Answer with care."},
        {"role": "user", "content": "Which rate applies?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c-1", "type": "function", "function": {"name": "vat", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "content": "19 %", "name": "vat", "tool_call_id": "c-1"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "vat",
                "description": "The rate of a thing.",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
        }
    ],
    "output": "19 % applies.",
    "retrieval": {
        "index": "law",
        "version": "3",
        "documents": [
            {
                "id": "ustg",
                "chunk_id": "12/1",
                "title": "§ 12",
                "url": "doc://ustg/12",
                "text": "The rate is 19 %.",
                "score": -0.5,
            },
            {"id": "ustg"},
        ],
    },
    "usage": {"input_tokens": 120, "output_tokens": 0},
    "latency_ms": 812.5,
    "fallback": True,
    "confidence": 1,
    "tags": ["vat", "vat"],
    "metadata": {"tenant": "t-1", "nested": [{"a": None, "b": 1.5, "c": True}]},
    "trace_url": "https://traces.example.com/t/1?x=1",
}

FEEDBACK = {
    "id": "f-1",
    "interaction_id": "chat/42 #1",
    "kind": "rating",
    "category": "outdated",
    "severity": "high",
    "score": 2,
    "scale": [1, 5],
    "comment": "This changed in July.",
    "edited_output": "7 % applies.",
    "reporter": {
        "ref": "u-9",
        "email": "ana@example.com",
        "callback_url": "https://app.example.com:8443/cb?x=1",
        "locale": "pt_BR",
        "consent": True,
    },
    "occurred_at": "2026-11-20T12:00:00Z",
    "metadata": {"screen": "answer"},
}


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def changed(body, **changes):
    body = copy.deepcopy(body)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = body
        for step in parents:
            target = target[int(step) if step.isdigit() else step]
        target[last] = value
    return body


def faults(body, read=read_interaction):
    with pytest.raises(BadPayload) as caught:
        read(body)
    return [(error["field"], error["message"]) for error in caught.value.errors]


# --- interactions -------------------------------------------------------------------------------


def test_read_interaction_makes_a_payload_of_everything_that_can_be_sent():
    assert read_interaction(INTERACTION) == InteractionPayload(
        external_id="chat/42 #1",
        output="19 % applies.",
        session_id="s-7",
        user_id="u-9",
        user_hash="",
        user_role="adviser",
        user_region="DE-BY",
        occurred_at=datetime(2026, 11, 20, 9, 0, 0, 500_000, tzinfo=UTC),
        environment="production",
        feature="vat-help",
        model="small-chat",
        model_version="2026-10",
        model_parameters={"temperature": 0.2, "stop": ["\n\n"]},
        prompt_name="vat",
        prompt_version="12",
        prompt_text="Answer with care.",
        prompt_hash="ab12",
        messages=INTERACTION["messages"],
        tools=INTERACTION["tools"],
        retrieval_index="law",
        retrieval_version="3",
        documents=[
            DocumentPayload("ustg", "12/1", "§ 12", "doc://ustg/12", "The rate is 19 %.", -0.5),
            DocumentPayload(document_id="ustg"),
        ],
        input_tokens=120,
        output_tokens=0,
        latency_ms=812.5,
        is_fallback=True,
        confidence=1,
        tags=["vat", "vat"],
        metadata={"tenant": "t-1", "nested": [{"a": None, "b": 1.5, "c": True}]},
        trace_url="https://traces.example.com/t/1?x=1",
    )


def test_read_interaction_needs_an_id_and_an_output_and_nothing_else():
    payload = read_interaction({"id": "a", "output": ""})

    assert (payload.external_id, payload.output, payload.messages) == ("a", "", [])
    assert (payload.occurred_at, payload.input_tokens, payload.is_fallback) == (None, None, False)
    assert not payload.has_prompt
    assert faults({}) == [("id", "It is missing."), ("output", "It is missing.")]


def test_read_interaction_takes_null_as_left_out_but_not_where_it_is_required():
    everything = dict.fromkeys(INTERACTION, None)

    assert faults(everything) == [("id", "It is missing."), ("output", "It is missing.")]
    assert read_interaction({**everything, "id": "a", "output": ""}) == read_interaction(
        {"id": "a", "output": ""}
    )


def test_read_interaction_takes_the_short_form():
    body = {"id": "a", "output": "x", "input": "Why?", "system_prompt": "Be brief."}

    assert read_interaction(body).messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
    ]
    assert faults({**body, "messages": []}) == [
        ("input", "Send either messages, or input and system_prompt, not both."),
        ("system_prompt", "Send either messages, or input and system_prompt, not both."),
    ]


def test_read_interaction_joins_text_parts_and_refuses_others():
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    image = [{"type": "image_url", "image_url": {"url": "x"}}]

    body = changed(INTERACTION, messages__1__content=parts)
    assert read_interaction(body).messages[1] == {"role": "user", "content": "One.\nTwo."}
    assert faults(changed(INTERACTION, messages__1__content=image)) == [
        ("messages[1].content[0].type", "It must be text."),
        ("messages[1].content[0].image_url", "There is no such field."),
        ("messages[1].content[0].text", "It is missing."),
    ]


def test_read_interaction_names_every_fault_at_once():
    body = changed(
        INTERACTION,
        id="",
        outptu="x",
        messages__0__role="robot",
        messages__1__content=3,
        messages__2__refusal="x",
        user__id=7,
        usage__input_tokens=True,
        usage__output_tokens=-1,
        latency_ms="fast",
        fallback=1,
        confidence=1.01,
        tags=["ok", 1],
        prompt="vat",
        retrieval__documents__0__score="high",
        retrieval__documents__1__url="x" * 2_001,
        metadata__nested=["\0"],
        trace_url="javascript:alert(1)",
        occurred_at="yesterday",
        model_parameters=[],
    )

    assert sorted(faults(body)) == [
        ("confidence", "It must lie between 0 and 1."),
        ("fallback", "It must be true or false, not a number."),
        ("id", "It may not be empty."),
        ("latency_ms", "It must be a number, not text."),
        ("messages[0].role", "It must be one of system, user, assistant, tool."),
        ("messages[1].content", "It must be text, not a number."),
        ("messages[2].refusal", "There is no such field."),
        ("metadata.nested[0]", "It holds U+0000 or half of a surrogate pair."),
        ("model_parameters", "It must be an object, not a list."),
        ("occurred_at", "It must be a time with its offset, as 2026-01-31T12:00:00Z."),
        ("outptu", "There is no such field. Did you mean output?"),
        ("prompt", "It must be an object, not text."),
        ("retrieval.documents[0].score", "It must be a number, not text."),
        ("retrieval.documents[1].url", "It is longer than 2,000 characters."),
        ("tags[1]", "It must be text, not a number."),
        ("trace_url", "It must be an address that begins with https:// or http://."),
        ("usage.input_tokens", "It must be a whole number, not true or false."),
        ("usage.output_tokens", "It must lie between 0 and 2,147,483,647."),
        ("user.id", "It must be text, not a number."),
    ]


@pytest.mark.parametrize("body", [None, [], "x", 1, True, [{}]])
def test_read_interaction_takes_objects_only(body):
    [(field, message)] = faults(body)

    assert field == ""
    assert message.startswith("It must be an object, not ")


TEXTS = {
    "id": 200,
    "session_id": 200,
    "user__id": 200,
    "user__role": 200,
    "user__region": 200,
    "environment": 200,
    "feature": 200,
    "model": 200,
    "model_version": 200,
    "prompt__name": 200,
    "prompt__version": 200,
    "prompt__hash": 128,
    "prompt__text": 262_144,
    "messages__1__content": 262_144,
    "output": 1_048_576,
    "retrieval__index": 200,
    "retrieval__version": 200,
    "retrieval__documents__0__id": 200,
    "retrieval__documents__0__chunk_id": 200,
    "retrieval__documents__0__title": 262_144,
    "retrieval__documents__0__url": 2_000,
    "retrieval__documents__0__text": 1_048_576,
    "metadata__tenant": 262_144,
    "model_parameters__stop": 262_144,
}


@pytest.mark.parametrize(("path", "limit"), TEXTS.items())
def test_every_text_ends_at_its_limit_in_characters(path, limit):
    read_interaction(changed(INTERACTION, **{path: "😀" * limit}))

    [(_, message)] = faults(changed(INTERACTION, **{path: "x" * (limit + 1)}))
    assert message == f"It is longer than {limit:,} characters."


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("hostile", ["a\0b", "a\ud800b", "\udfff"])
def test_no_text_holds_what_cannot_be_stored(path, hostile):
    [(_, message)] = faults(changed(INTERACTION, **{path: hostile}))

    assert message == "It holds U+0000 or half of a surrogate pair."


@pytest.mark.parametrize("text", [" a ", "../../x", "a/b?c#d", "\x01\x7f\u202e", "é" * 200, "'"])
def test_an_id_holds_any_other_character_as_it_is(text):
    assert read_interaction({"id": text, "output": text}).external_id == text


def test_tags_end_at_a_hundred_of_eighty_characters():
    read_interaction(changed(INTERACTION, tags=["x" * 80] * 100))

    assert faults(changed(INTERACTION, tags=["x"] * 101)) == [
        ("tags", "It has more than 100 entries.")
    ]
    assert faults(changed(INTERACTION, tags=["x" * 81])) == [
        ("tags[0]", "It is longer than 80 characters.")
    ]


def test_documents_and_messages_have_their_limits():
    read_interaction(changed(INTERACTION, retrieval__documents=[{}] * 1_000))

    assert faults(changed(INTERACTION, retrieval__documents=[{}] * 1_001)) == [
        ("retrieval.documents", "It has more than 1,000 entries.")
    ]
    assert faults(changed(INTERACTION, messages=[{}] * 5_001)) == [
        ("messages", "It has more than 5,000 entries.")
    ]


def test_metadata_keys_are_texts_like_others():
    assert faults(changed(INTERACTION, metadata={"a": {"\0": 1}})) == [
        ("metadata.a", "A key in it cannot be stored.")
    ]
    assert faults(changed(INTERACTION, metadata={"k" * 262_145: 1})) == [
        ("metadata", "A key in it cannot be stored.")
    ]


def test_many_faults_are_answered_with_the_first_fifty():
    found = faults(changed(INTERACTION, messages=[{"rolle": "x"}] * 5_000))

    assert len(found) == 51
    assert found[0] == ("messages[0].rolle", "There is no such field. Did you mean role?")
    assert found[-1] == ("", "There are more faults than these.")


def test_a_field_with_an_odd_name_is_named_safely():
    [(field, _)] = faults(changed(INTERACTION, **{"\ud800 " + "x" * 5_000: 1}))

    assert len(field) < 100
    field.encode()


@pytest.mark.parametrize(
    "told",
    [
        "2000-01-01T00:00:00Z",
        "2026-11-21T12:00:00Z",
        "2026-11-20t10:00:00z",
        "2026-11-20 10:00:00+00:00",
        "2026-11-20T10:00:00.123456789-11:30",
        "2024-02-29T23:59:59-00:00",
    ],
)
def test_a_time_is_rfc_3339_from_2000_to_a_day_ahead(told):
    read = read_interaction(changed(INTERACTION, occurred_at=told)).occurred_at

    assert read.tzinfo is UTC
    assert datetime(2000, 1, 1, tzinfo=UTC) <= read <= NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "told",
    [
        *(
            "",
            "now",
            "2026-11-20",
            "2026-11-20T10:00:00",
            "20261120T100000Z",
            "2026-W47-5T10:00:00Z",
        ),
        *("2026-11-20T10:00Z", "2026-11-20T10:00:00+0100", "2026-11-20T10:00:00,5Z", "1763632800"),
        *("٢٠٢٦-11-20T10:00:00Z", "2026-11-20T10:00:0０Z", "2026-02-30T10:00:00Z"),
        *("2026-11-20T24:00:01Z", "2026-11-20T10:00:60Z", "2026-11-20T10:00:00+24:00"),
        *("1999-12-31T23:59:59Z", "2000-01-01T00:00:00+00:01", "2026-11-21T12:00:01Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "10000-01-01T00:00:00Z"),
        *("2026-11-20T10:00:00Z\n", " 2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z" + "0" * 99),
        *(1763632800, 1.5, True, ["2026-11-20T10:00:00Z"], {}),
    ],
)
def test_no_other_time_is_taken(told):
    [(field, _)] = faults(changed(INTERACTION, occurred_at=told))

    assert field == "occurred_at"


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("confidence", [0, 1, 0.5, 1e-9], [-1e-9, 1.0000001, 2, "1", True, float("nan")]),
        ("latency_ms", [0, 0.25, 2**31 - 1], [-0.1, 2**31, False, float("inf"), "5"]),
        ("usage__input_tokens", [0, 2**31 - 1], [-1, 2**31, 1.0, True, "5"]),
        ("retrieval__documents__0__score", [-1e300, 0, 1e300], ["1", True, float("inf")]),
        ("fallback", [True, False], [0, 1, "true", ""]),
    ],
)
def test_numbers_and_flags_are_strict(path, good, bad):
    for value in good:
        read_interaction(changed(INTERACTION, **{path: value}))
    for value in bad:
        assert len(faults(changed(INTERACTION, **{path: value}))) == 1


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "data:text/html,x", "//x.test", "ftp://x", "https://", "x"),
        *("https://a b", "https://x\n", 'https://x/"', "https://x/<"),
    ],
)
def test_a_trace_link_leads_to_the_web(url):
    assert [field for field, _ in faults(changed(INTERACTION, trace_url=url))] == ["trace_url"]


# --- feedback -----------------------------------------------------------------------------------


def test_read_feedback_makes_a_payload_of_everything_that_can_be_sent():
    assert read_feedback(FEEDBACK) == FeedbackPayload(
        external_id="f-1",
        interaction_external_id="chat/42 #1",
        kind=FeedbackKind.RATING,
        category="outdated",
        severity="high",
        score=0.25,
        raw_score={"value": 2, "scale": [1, 5]},
        comment="This changed in July.",
        edited_output="7 % applies.",
        next_interaction_id="",
        outcome="",
        reporter=ReporterPayload(
            ref="u-9",
            email="ana@example.com",
            callback_url="https://app.example.com:8443/cb?x=1",
            locale="pt-BR",
            has_consent=True,
        ),
        occurred_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        metadata={"screen": "answer"},
    )


def test_read_feedback_needs_an_interaction_and_a_kind():
    payload = read_feedback({"interaction_id": "a", "kind": "thumbs_down"})

    assert payload.external_id is None
    assert (payload.score, payload.raw_score, payload.reporter) == (None, None, None)
    assert faults({}, read_feedback) == [
        ("interaction_id", "It is missing."),
        ("kind", "It is missing."),
    ]


NEEDED = {
    FeedbackKind.RATING: ("score", {"score": 0.5}),
    FeedbackKind.EDIT: ("edited_output", {"edited_output": "x"}),
    FeedbackKind.OVERRIDE: ("edited_output", {"edited_output": "x"}),
    FeedbackKind.COMMENT: ("comment", {"comment": "x"}),
    FeedbackKind.FOLLOW_UP: ("comment", {"comment": "x"}),
    FeedbackKind.OUTCOME: ("outcome", {"outcome": "failed"}),
}


@pytest.mark.parametrize("kind", FeedbackKind)
def test_each_kind_asks_for_what_it_needs(kind):
    body = {"interaction_id": "a", "kind": kind.value}
    field, content = NEEDED.get(kind, (None, {}))

    assert read_feedback({**body, **content}).kind is kind
    if field:
        assert [name for name, _ in faults(body, read_feedback)] == [field]
        assert [name for name, _ in faults({**body, field: None}, read_feedback)] == [field]


@pytest.mark.parametrize(
    "content",
    [{"next_interaction_id": "b"}, {"metadata": {"next_interaction_id": "b"}}, {"comment": "And?"}],
)
def test_a_follow_up_carries_its_text_or_the_next_interaction(content):
    assert (
        read_feedback({"interaction_id": "a", "kind": "follow_up", **content}).kind == "follow_up"
    )


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ({"outcome": "succeeded"}, "succeeded"),
        ({"outcome": "failed", "score": 1}, "failed"),
        ({"score": 1}, "succeeded"),
        ({"score": 1, "scale": [1, 5]}, "failed"),
        ({"metadata": {"outcome": "failed"}}, "failed"),
        ({"metadata": {"succeeded": True}}, "succeeded"),
    ],
)
def test_an_outcome_says_how_the_task_ended(content, outcome):
    body = {"interaction_id": "a", "kind": "outcome", **content}

    assert read_feedback(body).outcome == outcome


@pytest.mark.parametrize(
    ("score", "scale", "normal"),
    [(1, [1, 5], 0), (5, [1, 5], 1), (3, [1, 5], 0.5), (-1, [-1, 1], 0), (0.7, None, 0.7)],
)
def test_a_score_is_brought_between_0_and_1(score, scale, normal):
    payload = read_feedback(changed(FEEDBACK, score=score, scale=scale))

    assert payload.score == normal
    assert payload.raw_score == (scale and {"value": score, "scale": scale})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"score": 2, "scale": None}, "score"),
        ({"score": -0.1, "scale": None}, "score"),
        ({"score": 6}, "score"),
        ({"score": None}, "score"),
        ({"score": True}, "score"),
        ({"score": float("nan")}, "score"),
        ({"scale": [5, 1]}, "scale"),
        ({"scale": [2, 2]}, "scale"),
        ({"scale": [1]}, "scale"),
        ({"scale": [1, 2, 3]}, "scale"),
        ({"scale": ["1", 5]}, "scale[0]"),
        ({"scale": [-1e308, 1e308]}, "scale[0]"),
        ({"scale": 5}, "scale"),
    ],
)
def test_a_score_outside_its_scale_is_refused(changes, field):
    assert field in [name for name, _ in faults(changed(FEEDBACK, **changes), read_feedback)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "thumbs-up"),
        ("kind", ["rating"]),
        ("category", "bad"),
        ("severity", "CRITICAL"),
        ("severity", 3),
        ("comment", 5),
        ("interaction_id", ""),
        ("id", ""),
        ("id", 7),
        ("reporter", "ana"),
        ("metadata", "x"),
    ],
)
def test_words_and_shapes_are_strict(field, value):
    assert [name for name, _ in faults(changed(FEEDBACK, **{field: value}), read_feedback)] == [
        field
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("http://x.test/cb", "https://user:pw@x.test/", "https://user@x.test", "https://"),
        *("https:///x", "https://x.test:123456/", "https://x.test\\@evil/", "https://x.test/ a"),
        *("https://é.test/", "https://x.test/\n", "file:///etc/passwd", "https://" + "x" * 2_000),
    ],
)
def test_a_callback_is_https_without_credentials(url):
    assert [f for f, _ in faults(changed(FEEDBACK, reporter__callback_url=url), read_feedback)] == [
        "reporter.callback_url"
    ]


@pytest.mark.parametrize("url", ["https://x.test", "https://[::1]:8443/cb", "HTTPS://a_b.test?x=@"])
def test_a_callback_may_be_any_such_address(url):
    payload = read_feedback(changed(FEEDBACK, reporter__callback_url=url))
    assert payload.reporter.callback_url == url


@pytest.mark.parametrize(
    "email",
    [
        *("ana", "@x.test", "ana@", "a@b@c", "Ana <ana@x.test>", "a@x.test,b@x.test", "a@x..test"),
        *("a b@x.test", "ana@x.test\r\nBcc: eve@x.test", "ana@x.test\n", "a" * 250 + "@x.test"),
    ],
)
def test_an_email_address_is_one_plain_address(email):
    assert [f for f, _ in faults(changed(FEEDBACK, reporter__email=email), read_feedback)] == [
        "reporter.email"
    ]


@pytest.mark.parametrize("locale", ["d", "de DE", "de;q=1", "../de", "x" * 36, ""])
def test_a_locale_is_a_language_tag(locale):
    assert [f for f, _ in faults(changed(FEEDBACK, reporter__locale=locale), read_feedback)] == [
        "reporter.locale"
    ]


def test_a_reporter_is_known_by_reference_or_else_by_address():
    assert ReporterPayload(ref="u-9", email="Ana@x.test").identity == "u-9"
    assert ReporterPayload(email="Ana@x.test").identity == "ana@x.test"
    assert read_feedback(changed(FEEDBACK, reporter={})).reporter is None
    assert read_feedback(changed(FEEDBACK, reporter={"locale": "de"})).reporter.identity == ""
    assert read_feedback(changed(FEEDBACK, reporter={"ref": "x"})).reporter.has_consent is None


def test_texts_of_feedback_end_at_their_limits():
    read_feedback(changed(FEEDBACK, comment="x" * 262_144, edited_output="x" * 1_048_576))

    for field, limit in {"comment": 262_144, "edited_output": 1_048_576, "id": 200}.items():
        assert faults(changed(FEEDBACK, **{field: "x" * (limit + 1)}), read_feedback) == [
            (field, f"It is longer than {limit:,} characters.")
        ]


# --- whatever comes -----------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["\ud800", "\0", "rating", "2026-11-20T10:00:00Z", "https://x.test", "user"])
    | st.binary(max_size=3)
)
keys = st.sampled_from(["role", "content", "type", "text", "id", "scale", "\ud800", "input_tokens"])
anything = st.recursive(
    scalars,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(keys, parts, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*INTERACTION, "input", "odd"]), anything, max_size=3))
def test_read_interaction_raises_nothing_but_its_own_error(changes):
    for body in (changes, {**INTERACTION, **changes}):
        try:
            payload = read_interaction(body)
        except BadPayload as error:
            assert 1 <= len(error.errors) <= payloads.MAX_ERRORS + 1
            json.dumps(error.errors).encode()
            assert all(found["message"].endswith((".", "?")) for found in error.errors)
        else:
            json.dumps(payload.metadata, allow_nan=False)


@given(st.dictionaries(st.sampled_from([*FEEDBACK, "outcome", "odd"]), anything, max_size=3))
def test_read_feedback_raises_nothing_but_its_own_error(changes):
    for body in (changes, {**FEEDBACK, **changes}):
        try:
            payload = read_feedback(body)
        except BadPayload as error:
            json.dumps(error.errors).encode()
        else:
            assert payload.score is None or 0 <= payload.score <= 1


@given(anything)
def test_reading_anything_at_all_raises_nothing_else(body):
    for read in (read_interaction, read_feedback):
        try:
            read(body)
        except BadPayload:
            pass
    payloads.claimed_id(body)


def test_a_refused_row_is_named_by_the_id_it_claims():
    assert payloads.claimed_id({"id": "a", "output": 5}) == "a"
    for body in (None, [], {}, {"id": 5}, {"id": ""}, {"id": "x" * 201}, {"id": "\0"}):
        assert payloads.claimed_id(body) is None


# --- vocabulary ---------------------------------------------------------------------------------


def test_every_kind_of_feedback_has_its_group():
    assert set(GROUP_OF_KIND) == set(FeedbackKind)
    assert FeedbackKind.OVERRIDE.group is FeedbackGroup.CORRECTION
    assert FeedbackKind.COPY.group is FeedbackGroup.IMPLICIT


def test_severities_are_ordered():
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3, 4]
    assert Severity.CRITICAL.rank > Severity.LOW.rank


def test_the_words_fit_their_columns():
    assert max(map(len, [*FeedbackKind.values, *ReportedCategory.values])) <= 20
    assert max(map(len, Severity.values)) <= 10
