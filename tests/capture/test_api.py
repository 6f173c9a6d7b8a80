"""POST and GET of interactions and feedback, to the letter of DESIGN §4."""

import gzip
import json

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from feedbackhub.capture.models import FeedbackEvent, Interaction, PromptVersion
from feedbackhub.outbox import delivery

BODY = {"id": "chat/2026 1", "input": "Can I deduct my bicycle?", "output": "Yes, in full."}
INTERACTIONS, FEEDBACK = "/api/v1/interactions", "/api/v1/feedback"


def send(client, body, address=INTERACTIONS, content_type="application/json", **extra):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(address, raw, content_type=content_type, **extra)


def test_one_object_is_201_then_200_then_409(api):
    client = api("capture")
    first, again, other = (send(client, body) for body in (BODY, BODY, {**BODY, "output": "No."}))
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == {"id": "chat/2026 1", "status": "accepted", "redacted": {}}
    assert other.headers["Content-Type"] == "application/problem+json"


def test_an_array_and_ndjson_say_what_became_of_each_row(api):
    client = api("capture")
    rows = [BODY, {"id": "bad"}, BODY]
    expected = {"accepted": 1, "duplicates": 1}
    answer = send(client, rows).json()
    assert {**answer, "rejected": None} == {**expected, "rejected": None}
    assert [(row["index"], row["id"]) for row in answer["rejected"]] == [(1, "bad")]
    lines = b'{"id": "n1", "output": "a"}\n{broken\n{"id": "n2", "output": "b"}\n'
    answer = send(client, lines, content_type="application/x-ndjson").json()
    assert answer["accepted"] == 2
    assert [(row["index"], row["id"]) for row in answer["rejected"]] == [(1, None)]


def test_a_broken_array_rejects_the_whole(api):
    assert send(api("capture"), b'[{"id": "a", "output": "b"}, {broken]').status_code == 400
    assert not Interaction.objects.exists()


def test_too_many_rows_reject_the_whole(api):
    rows = b"[" + b",".join(b'{"id":"%d","output":"a"}' % n for n in range(5_001)) + b"]"
    assert send(api("capture"), rows).status_code == 413
    assert not Interaction.objects.exists()


def test_gzip_is_unpacked(api):
    packed = gzip.compress(json.dumps(BODY).encode())
    answer = send(api("capture"), packed, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"id": "a\\u0000b", "output": "x"}', "application/json", 400),
        (b'{"id": "a", "output": "\\ud800"}', "application/json", 400),
        (b'{"id": "a", "output": "x", "confidence": NaN}', "application/json", 400),
        (b'{"id": "a", "output": "x", "metadata": {"n": 1e400}}', "application/json", 400),
        (b'{"id": "a", "id": "b", "output": "x"}', "application/json", 400),
        (b'{"id": 7, "output": "x"}', "application/json", 400),
        (b'{"id": "a", "output": "x", "surprise": 1}', "application/json", 400),
        (
            b'{"id": "a", "output": "x", "occurred_at": "2027-12-31T00:00:00Z"}',
            "application/json",
            400,
        ),
        (
            b'{"id": "a", "output": "x", "metadata": ' + b"[" * 100 + b"]" * 100 + b"}",
            "application/json",
            400,
        ),
        (b"id=a&output=x", "application/x-www-form-urlencoded", 415),
        (b'{"id": "a", "output": "x"}', "application/json; charset=utf-7", 415),
        (b'{"id": "a", "output": "' + b"x" * (4 << 20) + b'"}', "application/json", 413),
        (b'{"id": "a", "output": "' + b"x" * 1_048_577 + b'"}', "application/json", 400),
    ],
)
def test_what_is_not_an_interaction_is_refused_as_a_problem_and_leaves_nothing(
    api, raw, content_type, status
):
    answer = send(api("capture"), raw, content_type=content_type)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Interaction.objects.exists()


@pytest.mark.parametrize("scopes", [["read"], ["export"], []])
def test_a_key_without_the_scope_is_403_and_no_key_401(api, client, scopes):
    assert send(api(*scopes), BODY).status_code == 403
    assert send(client, BODY).status_code == 401


def test_a_public_key_may_not_send_interactions(project, client):
    from feedbackhub.accounts.api_keys import create_api_key

    _, secret = create_api_key(
        project=project, name="web", kind="public", origins=["https://a.example"]
    )
    answer = send(client, BODY, headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


def test_a_database_that_is_away_is_503_with_retry_after(api, monkeypatch):
    from feedbackhub.capture import ingest

    def away(**options):
        raise OperationalError("connection refused")

    monkeypatch.setattr(ingest, "record_interactions", away)
    answer = send(api("capture"), BODY)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_an_unknown_interactions_feedback_gets_the_same_answer(api):
    client = api("capture")
    send(client, BODY)
    known, unknown = (
        send(client, {"id": n, "interaction_id": i, "kind": "thumbs_down"}, FEEDBACK)
        for n, i in (("f1", BODY["id"]), ("f2", "nobody knows"))
    )
    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()
    assert FeedbackEvent.objects.count() == 2


def test_one_interaction_with_its_trail_whatever_its_id(api):
    client = api("capture", "read")
    send(client, BODY)
    send(client, {"interaction_id": BODY["id"], "kind": "comment", "comment": "Old."}, FEEDBACK)
    answer = client.get("/api/v1/interactions/chat/2026%201").json()
    assert answer["output"] == "Yes, in full."
    assert [entry["kind"] for entry in answer["trail"]] == ["answered", "reported"]


def test_an_interaction_of_another_project_is_not_there(api, other_project):
    send(api("capture"), BODY)
    client = api("read", project=other_project)
    assert client.get("/api/v1/interactions/chat/2026%201").status_code == 404
    assert client.get(INTERACTIONS).json()["results"] == []


@pytest.fixture
def three(api):
    client = api("capture", "read")
    for n, model in enumerate(["lumen-2", "lumen-2", "harbor-1"]):
        body = {**BODY, "id": f"c{n}", "model": model, "input": f"bicycle number {n}"}
        send(client, {**body, "occurred_at": f"2026-11-0{n + 1}T00:00:00Z"})
    send(client, {"interaction_id": "c1", "kind": "report", "category": "outdated"}, FEEDBACK)
    delivery.deliver_due()
    return client


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["c2", "c1", "c0"]),
        ("model=lumen-2", ["c1", "c0"]),
        ("model=lumen-2&model=harbor-1", ["c2", "c1", "c0"]),
        ("feedback=report", ["c1"]),
        ("category=outdated&model=lumen-2", ["c1"]),
        ("has_feedback=no", ["c2", "c0"]),
        ("since=2026-11-02", ["c2", "c1"]),
        ("until=2026-11-02T00:00:00Z", ["c0"]),
        ("q=bicycle 2", ["c2"]),
        ("q=car", []),
    ],
)
def test_interactions_are_found_by_the_names_offered(three, query, ids):
    found = three.get(f"{INTERACTIONS}?{query}").json()["results"]
    assert [row["id"] for row in found] == ids


@pytest.mark.parametrize(
    "query",
    [
        "output=x",
        "project=1",
        "project__slug=a",
        "_connector=OR",
        "model__regex=(",
        "since=yesterday",
        "q=%00",
        "limit=1000",
        "feedback=hug",
    ],
)
def test_a_filter_that_is_not_offered_is_refused(three, query):
    assert three.get(f"{INTERACTIONS}?{query}").status_code == 400


def test_the_list_is_paged_by_key_and_costs_the_same_queries(three):
    first = three.get(f"{INTERACTIONS}?limit=2").json()
    second = three.get(INTERACTIONS, {"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [r["id"] for r in first["results"] + second["results"]] == ["c2", "c1", "c0"]
    counts = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            three.get(f"{INTERACTIONS}?limit={limit}")
        counts.append(len(queries))
    assert counts == [2, 2]  # the key, the page


def test_a_prompt_version_is_announced_once(api):
    client = api("capture", "read")
    body = {
        "name": "tax",
        "version": "v14",
        "text": "Be careful.",
        "rationale": "P3: outdated rates",
    }
    assert send(client, body, "/api/v1/prompt-versions").status_code == 201
    assert send(client, body, "/api/v1/prompt-versions").status_code == 409
    assert send(client, {"name": "tax"}, "/api/v1/prompt-versions").status_code == 400
    assert [row["version"] for row in client.get("/api/v1/prompt-versions").json()["results"]] == [
        "v14"
    ]


@pytest.mark.parametrize("is_named_first", [True, False])
def test_a_version_named_by_answers_and_one_told_with_its_text_are_one(api, is_named_first):
    client = api("capture", "read")
    told = {"name": "tax", "version": "v14", "text": "Be careful."}
    named = BODY | {"prompt": {"name": "tax", "version": "v14"}}
    calls = [(named, INTERACTIONS), (told, "/api/v1/prompt-versions")]
    for body, path in calls if is_named_first else reversed(calls):
        assert send(client, body, path).status_code in (200, 201)
    version = PromptVersion.objects.get()
    assert (version.text, Interaction.objects.get().prompt_version) == ("Be careful.", version)
    changed = told | {"text": "Be bold."}
    assert send(client, changed, "/api/v1/prompt-versions").status_code == 201
    assert PromptVersion.objects.count() == 2
