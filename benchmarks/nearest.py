"""Placing one item and recalling, among ten thousand and a hundred thousand: `make bench ARGS=nearest` (BENCH_CASES=10000,100000).

The cases are made inside the database: invented questions from a small grammar, embedded by the default embedder; problems of
a hundred members each; every case settled. Timed is what a consumer does, and what a product waits for that asks
`POST /recall`; of each the share of the database alone is said beside it, for that is what may grow with the cases.
"""

import os
import random
import time

from benchmarks.claims import execute
from benchmarks.house import percentile, say

SIZES = [int(each) for each in os.environ.get("BENCH_CASES", "10000,100000").split(",")]
MEMBERS = 100  # of a problem
ASKED = 200
WARM = 5  # of these, not counted
_AT_ONCE = 2_000

_WHO = [
    "my card",
    "the transfer",
    "my account",
    "a refund",
    "the invoice",
    "my pension",
    "the form",
    "rent",
]
_WHAT = [
    "was declined",
    "is late",
    "cannot be found",
    "costs more",
    "was changed",
    "is missing",
    "was charged twice",
]
_WHERE = [
    "abroad",
    "at the counter",
    "in the app",
    "on the website",
    "by phone",
    "after the move",
    "last week",
]
_WHY = [
    "what can I do",
    "who decides that",
    "which rule applies",
    "how long does it take",
    "is that allowed",
]


def question(chance) -> str:
    parts = [chance.choice(part) for part in (_WHO, _WHAT, _WHERE, _WHY)]
    return f"{parts[0]} {parts[1]} {parts[2]}, {parts[3]}? reference {chance.randrange(10**6)}"


def run() -> None:
    from django.db import connection

    medians = {}
    for size in SIZES:
        for name, times in measure(size).items():
            p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
            medians.setdefault(name, []).append(p50)
            say(
                f"{name} among {size:,}",
                f"p50 {p50:.1f} ms, p95 {p95:.1f} ms",
                "p95 ≤ 50 ms",
                p95 <= 50,
            )
    for name, (first, *_between, last) in medians.items():
        if len(SIZES) > 1:
            say(f"{name}: p50, {SIZES[-1]:,} ÷ {SIZES[0]:,}", f"{last / first:.2f}", "", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_total_relation_size('capture_embedding'))")
        print(f"   the vectors and their indexes take {cursor.fetchone()[0]}")


def measure(size) -> dict[str, list[float]]:
    """Milliseconds of each try, the whole of it and what the database took; the first tries warm up."""
    from django.test import Client

    from annotation.default_rules import install_defaults
    from feedbackhub.accounts.api_keys import create_api_key
    from feedbackhub.accounts.models import Project
    from feedbackhub.capture import vectors
    from feedbackhub.capture.models import Interaction
    from triage import placing
    from triage.models import Placement, ProblemMember

    chance = random.Random(7)
    project = Project.objects.create(slug=f"nearest-{size}", name="nearest")
    queue = install_defaults(project)
    _, secret = create_api_key(project=project, name="nearest", scopes=["review"])
    product = Client(headers={"authorization": f"Bearer {secret}", "host": "127.0.0.1"})
    started = time.perf_counter()
    fill(project, queue, chance, size)
    vectors.renew(project_id=project.pk)  # fits; there are no vectors yet
    embed_all(project, vectors.embedder_of(project.pk))
    execute("VACUUM ANALYZE", [])
    print(
        f"   {size:,} cases made in {time.perf_counter() - started:.0f} s, load {os.getloadavg()[0]:.1f}"
    )

    placed, recalled = Stopwatch(), Stopwatch()
    for n in range(ASKED):
        row = Interaction.objects.create(
            project=project,
            external_id=f"asked/{n}",
            body_hash=b"",
            messages=[{"role": "user", "content": question(chance)}],
            output="…",
            occurred_at="2026-11-20T10:00:00Z",
        )
        found = Placement(project_id=project.pk, interaction=row)
        with placed:
            placing._look_near(found, ProblemMember.objects.filter(project=project, left_at=None))
    for _ in range(ASKED):
        body = {"input": question(chance)}
        with recalled:
            answer = product.post("/api/v1/recall", body, content_type="application/json")
        if answer.status_code != 200:
            raise SystemExit(f"POST /recall answered {answer.status_code}: {answer.content!r}")
    return {
        "place one item": placed.whole[WARM:],
        "place one item, the database alone": placed.database[WARM:],
        "POST /recall": recalled.whole[WARM:],
        "POST /recall, the database alone": recalled.database[WARM:],
    }


class Stopwatch:
    """Each stretch in milliseconds: the whole of it, and what its queries took."""

    def __init__(self):
        self.whole, self.database = [], []

    def __enter__(self):
        from django.db import connection

        self._in_database = 0.0
        self._watch = connection.execute_wrapper(self._time)
        self._watch.__enter__()
        self._started = time.perf_counter()

    def __exit__(self, *error):
        self.whole.append(1000 * (time.perf_counter() - self._started))
        self.database.append(1000 * self._in_database)
        self._watch.__exit__(*error)

    def _time(self, execute, *given):
        started = time.perf_counter()
        try:
            return execute(*given)
        finally:
            self._in_database += time.perf_counter() - started


def fill(project, queue, chance, size) -> None:
    """Interactions with their text, group, item and settlement; problems with members."""
    from annotation.models import LabelSchema

    schema = LabelSchema.objects.filter(project=project).first()
    questions = [question(chance) for _ in range(size)]
    execute(
        """
        INSERT INTO capture_interaction (public_id, project_id, external_id, body_hash, session_id, user_hash,
               user_role, user_region, environment, feature, model, model_version, model_parameters, retrieval_index,
               retrieval_version, messages, output, is_fallback, tags, metadata, trace_url, redaction_counts,
               is_sampled, occurred_at, received_at)
        SELECT gen_random_uuid(), %s, 'chat/' || n, '\\x00', '', '', '', '', '', 'bank', 'lumen-2', '', '{}', '',
               '', jsonb_build_array(jsonb_build_object('role', 'user', 'content', words)), 'You can.', false, '{}',
               '{}', '', '{}', false, now(), now()
          FROM unnest(%s::text[]) WITH ORDINALITY AS given(words, n)
        """,
        [project.pk, questions],
    )
    for statement in (
        """INSERT INTO capture_interactiontext (project_id, interaction_id, search)
           SELECT project_id, id, to_tsvector('simple', messages->0->>'content') FROM capture_interaction
            WHERE project_id = %s""",
        """INSERT INTO capture_nearduplicategroup (project_id, key, created_at)
           SELECT project_id, external_id, now() FROM capture_interaction WHERE project_id = %s""",
        """INSERT INTO capture_nearduplicatesignature (project_id, interaction_id, group_id, parameters, bands)
           SELECT i.project_id, i.id, g.id, 'v1', '{}' FROM capture_interaction i
             JOIN capture_nearduplicategroup g ON g.key = i.external_id AND g.project_id = i.project_id
            WHERE i.project_id = %s""",
    ):
        execute(statement, [project.pk])
    execute(
        """
        INSERT INTO annotation_reviewitem (public_id, project_id, queue_id, interaction_id, purpose, round, state,
               overlap, taken_count, priority, reason, needs_discussion, created_at)
        SELECT gen_random_uuid(), project_id, %s, id, 'label', 1, 'settled', 1, 1, 0, 'sample', false, now()
          FROM capture_interaction WHERE project_id = %s
        """,
        [queue.pk, project.pk],
    )
    execute(
        """
        INSERT INTO annotation_settlement (public_id, project_id, interaction_id, item_id, schema_id, schema_name,
               is_current, decided_how, reason, verdict, severity, categories, root_cause, spans, annotation_count,
               created_at, takes_effect_at)
        SELECT gen_random_uuid(), project_id, interaction_id, id, %s, 'default', true, 'agreed', '', 'correct', 'none',
               '{}', '', '[]', 1, now(), now()
          FROM annotation_reviewitem WHERE project_id = %s
        """,
        [schema.pk, project.pk],
    )
    execute(
        """
        INSERT INTO triage_problem (public_id, project_id, number, title, summary, is_described_by_hand, state, severity,
               category, fixable_by, reach, member_count, frequency, priority, state_changed_at, created_at)
        SELECT gen_random_uuid(), %s, n, 'Problem ' || n, '', false, 'open', 'medium', '', '', 0, 0, 0, 0, now(), now()
          FROM generate_series(1, %s) n
        """,
        [project.pk, size // MEMBERS],
    )
    execute(
        """
        INSERT INTO triage_problemmember (project_id, problem_id, interaction_id, source, severity, is_pinned, joined_at)
        SELECT i.project_id, p.id, i.id, 'similarity', 'medium', false, now()
          FROM (SELECT *, row_number() OVER (ORDER BY messages->0->>'content') AS place FROM capture_interaction
                 WHERE project_id = %s) i
          JOIN triage_problem p ON p.project_id = i.project_id AND p.number = 1 + (i.place - 1) / %s
        """,
        [project.pk, MEMBERS],
    )


def embed_all(project, embedder) -> None:
    """Both kinds of vectors; the indexes are built afterwards, as a restore does it."""
    from django.db import connection

    from feedbackhub.capture.models import Interaction

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'embedding_nearest%'"
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        asked = Interaction.objects.filter(project=project)
        rows = list(asked.order_by("pk").values_list("pk", "messages"))
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            made = embedder.embed([messages[0]["content"] for _pk, messages in some])
            with cursor.copy(
                "COPY capture_embedding (project_id, interaction_id, kind, embedder, embedder_version, vector, created_at)"
                " FROM STDIN"
            ) as copy:
                for (pk, _messages), vector in zip(some, made, strict=True):
                    words = "[" + ",".join(f"{each:.6g}" for each in vector) + "]"
                    for kind in ("input", "case"):
                        copy.write_row(
                            (
                                project.pk,
                                pk,
                                kind,
                                embedder.name,
                                embedder.version,
                                words,
                                "2026-11-20",
                            )
                        )
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            cursor.execute(definition)
