"""List pages 1 and 200 of a large table: API and query, filtered and sorted, by key."""

import os
import time

from benchmarks.house import percentile, say

ROWS = int(os.environ.get("BENCH_LIST_ROWS", "200000"))

_FILL = """
INSERT INTO capture_interaction (project_id, public_id, external_id, body_hash, session_id, user_hash, user_role,
    user_region, environment, feature, model, model_version, model_parameters, retrieval_index, retrieval_version,
    messages, output, is_fallback, tags, metadata, trace_url, redaction_counts, occurred_at, received_at, is_sampled)
SELECT %s, gen_random_uuid(), 'list/' || n, '\\x00', '', '', '', '', '', (ARRAY['tax_help','pharmacy','devtool'])[1 + n %% 3],
    'lumen-2', '', '{}', '', '', jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'Question ' || n)),
    repeat('Answer ' || n || ' ', 60), false, '{}', '{}', '', '{}', now() - n * interval '7 seconds', now(), false
FROM generate_series(1, %s) n
"""


def run() -> None:
    from django.db import connection
    from django.test import Client

    from feedbackhub.accounts.api_keys import create_api_key
    from feedbackhub.accounts.members import create_project

    project = create_project(slug="lists", name="Lists")
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [project.pk, ROWS])
        cursor.execute("ANALYZE capture_interaction")
    _, secret = create_api_key(project=project, name="lists", scopes=["read"])
    client = Client(headers={"authorization": f"Bearer {secret}"}, SERVER_NAME="127.0.0.1")
    for query in ({}, {"feature": "tax_help"}):
        first, _ = _times(client, query)
        cursor_200 = _walk(client, query, 199)
        far, _ = _times(client, {**query, "cursor": cursor_200})
        say(
            f"API list page 1 and 200 of {ROWS:,}{' filtered' if query else ''}",
            f"p50 {first:.1f} ms and {far:.1f} ms = {far / first:.2f} ×",
            "≤ 10 ms; page 200 ≤ 1.3 × page 1",
            first <= 10 and far <= 1.3 * first,
        )


def _times(client, query):
    times = []
    for _ in range(40):
        started = time.perf_counter()
        answer = client.get("/api/v1/interactions", query)
        times.append(1000 * (time.perf_counter() - started))
    assert answer.status_code == 200, answer.content[:200]
    return percentile(times, 0.5), percentile(times, 0.95)


def _walk(client, query, pages):
    cursor = None
    for _ in range(pages):
        cursor = client.get(
            "/api/v1/interactions", {**query, **({"cursor": cursor} if cursor else {})}
        ).json()["next_cursor"]
    return cursor
