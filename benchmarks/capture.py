"""Capture beside its limits, in one run: single interactions and feedback, batches, memory."""

import json
import resource
import time

from benchmarks import bodies
from benchmarks.house import percentile, say, web
from benchmarks.load import post_all

REQUESTS = 2_400
BATCH_ROWS = 10_000


def run() -> None:
    from feedbackhub.accounts.api_keys import create_api_key
    from feedbackhub.accounts.members import create_project

    project = create_project(slug="bench", name="Bench")
    _, secret = create_api_key(project=project, name="bench", scopes=["capture", "read"])
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with web() as port:
        _single(port, headers)
    _batch(project)


def _single(port, headers):
    one = [json.dumps(body).encode() for body in bodies.interactions(2 * REQUESTS)]
    said = [json.dumps(body).encode() for body in bodies.feedback(REQUESTS)]
    post_all(port, "/bare", one[:200], headers)
    post_all(
        port, "/api/v1/interactions", [b.replace(b"bench/", b"warm/") for b in one[:200]], headers
    )
    figures = {}
    for round in range(2):  # twice in turns, so that a noisy moment does not fall on one of them
        half = slice(round * REQUESTS // 2, (round + 1) * REQUESTS // 2)
        for name, path, sent in (
            ("bare", "/bare", one),
            ("interactions", "/api/v1/interactions", one),
            ("feedback", "/api/v1/feedback", said),
        ):
            figures.setdefault(name, []).append(post_all(port, path, sent[half], headers))
    rate = {name: sum(r for r, _ in found) / len(found) for name, found in figures.items()}
    p50, p95 = (
        {
            name: 1000 * percentile([t for _, times in found for t in times], share)
            for name, found in figures.items()
        }
        for share in (0.5, 0.95)
    )
    print(
        f"   bare view, one INSERT: {rate['bare']:.0f}/s, p50 {p50['bare']:.1f} ms, p95 {p95['bare']:.1f} ms"
    )
    for name, goal_p95 in (
        ("interactions", 2 * p95["bare"]),
        ("feedback", max(25, 2 * p95["bare"])),
    ):
        share = rate[name] / rate["bare"]
        say(
            f"capture {name}, one per request, 8 clients",
            f"{rate[name]:.0f}/s = {share:.2f} × bare; p50 {p50[name]:.1f}, p95 {p95[name]:.1f} ms",
            f"≥ 0.5 × bare, p95 ≤ {goal_p95:.0f} ms",
            share >= 0.5 and p95[name] <= goal_p95,
        )


def _batch(project):
    from django.db import connection

    from feedbackhub.capture import ingest

    rows = list(bodies.interactions(BATCH_ROWS, start=1_000_000))
    ingest.record_interactions(
        project=project, rows=enumerate(bodies.interactions(500, start=900_000))
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    for at in range(0, BATCH_ROWS, 5_000):
        ingest.record_interactions(project=project, rows=enumerate(rows[at : at + 5_000]))
    ours = BATCH_ROWS / (time.perf_counter() - started)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    limit = _bare_bulk_create(project, rows[: BATCH_ROWS // 2])
    say(
        "capture, batch of 5,000 rows",
        f"{ours:.0f} rows/s = {ours / limit:.2f} × bulk_create ({limit:.0f}); memory +{grown:.0f} MiB",
        "≥ 0.8 × bare bulk_create, ≤ 64 MiB",
        ours >= 0.8 * limit and grown <= 64,
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM capture_interaction WHERE external_id LIKE 'bulk/%%'")


def _bare_bulk_create(project, rows) -> float:
    """The same interactions and documents as plain model instances, without checks, redaction, hashes or news."""
    from datetime import datetime

    from feedbackhub.capture.models import Interaction, RetrievedDocument

    started = time.perf_counter()
    for at in range(0, len(rows), 500):
        made = Interaction.objects.bulk_create(
            Interaction(
                project=project,
                external_id="bulk/" + row["id"],
                body_hash=b"0" * 32,
                messages=row["messages"],
                output=row["output"],
                tags=row["tags"],
                metadata=row["metadata"],
                occurred_at=datetime.fromisoformat(row["occurred_at"]),
            )
            for row in rows[at : at + 500]
        )
        RetrievedDocument.objects.bulk_create(
            RetrievedDocument(
                project=project,
                interaction=interaction,
                position=position,
                document_id=document["id"],
                title=document["title"],
                text=document["text"],
            )
            for interaction, row in zip(made, rows[at : at + 500], strict=True)
            for position, document in enumerate(row["retrieval"]["documents"])
        )
    rate = len(rows) / (time.perf_counter() - started)
    RetrievedDocument.objects.filter(interaction__external_id__startswith="bulk/").delete()
    return rate
