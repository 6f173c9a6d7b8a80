"""Export rows per second beside a server-side cursor that reads the same columns, and peak memory at 10 thousand and at all.

`BENCH_EXPORT_ROWS=1000000 … python -m benchmarks exports` for the million; 60,000 unless told.
"""

import os
import time
from pathlib import Path

from benchmarks.house import say

ROWS = int(os.environ.get("BENCH_EXPORT_ROWS", "60000"))

_FILL = [
    """INSERT INTO capture_interaction (project_id, public_id, external_id, body_hash, session_id, user_hash, user_role,
    user_region, environment, feature, model, model_version, model_parameters, retrieval_index, retrieval_version, messages,
    output, is_fallback, tags, metadata, trace_url, redaction_counts, occurred_at, received_at, is_sampled)
    SELECT %(project)s, gen_random_uuid(), 'gold/' || n, '\\x00', '', '', '', '', '', 'tax', 'm', '', '{}', '', '',
    '[{"role":"user","content":"q"}]', 'a', false, '{}', '{}', '', '{}', now(), now(), false
    FROM generate_series(1, %(rows)s) n""",
    """INSERT INTO annotation_goldexample (project_id, public_id, interaction_id, split, is_contaminated, created_at)
    SELECT project_id, gen_random_uuid(), id, 'train', false, now() FROM capture_interaction
    WHERE project_id = %(project)s AND external_id LIKE 'gold/%%'""",
    """INSERT INTO annotation_goldrevision (project_id, public_id, example_id, revision, is_current, settlement_id, messages,
    context, ideal_answer, rejected_answers, preferences, labels, assertions, content_hash, approved_at)
    SELECT project_id, gen_random_uuid(), id, 1, true, %(settlement)s,
    jsonb_build_array(jsonb_build_object('role', 'user', 'content', repeat('Can I deduct number ' || id || '? ', 10))), '[]',
    repeat('The better answer ' || id || '. ', 30), ARRAY[repeat('The wrong answer ' || id || '. ', 30)], '[]',
    '{"verdict":"wrong","severity":"medium"}', '[]', md5(id::text), now()
    FROM annotation_goldexample WHERE project_id = %(project)s""",
]


SMALL = 10_000


def run() -> None:
    from django.db import connection

    small = _version("small", SMALL)
    _forget_peak()
    _export(small, "openai_sft")  # warms up, and grows what grows once
    _export(small, "trl_dpo")
    least = _peak()
    version = _version("exports", ROWS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    limit = _server_side_cursor(version)
    _forget_peak()
    sft, ours = _export(version, "openai_sft"), _export(version, "trl_dpo")
    most = _peak()
    say(
        f"export of {ROWS:,} rows, TRL DPO",
        f"{ours:.0f} rows/s = {ours / limit:.2f} × cursor ({limit:.0f}); SFT {sft:.0f}/s",
        "≥ 0.6 × server-side cursor",
        ours >= 0.6 * limit,
    )
    say(
        "export, peak memory",
        f"{least:.0f} MiB at {SMALL:,}; {most:.0f} MiB at {ROWS:,} (+{most - least:.0f})",
        "+ ≤ 16 MiB",
        most - least <= 16,
    )


def _forget_peak() -> None:
    """What filling and freezing took is not what an export takes."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """The most memory since it was forgotten, in MiB; of the whole process, so never too little."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _version(slug, rows):
    from django.db import connection

    from annotation import gold
    from annotation.models import GoldVersion
    from feedbackhub.accounts.members import create_project

    project = create_project(slug=slug, name=slug)
    settlement = _settlement(project)
    given = {"project": project.pk, "rows": rows, "settlement": settlement.pk}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # filling is not what is measured
        for statement in _FILL:
            cursor.execute(statement, given)
        version = gold.freeze_gold_version(project=project)
        cursor.execute("SET session_replication_role = origin")
    assert GoldVersion.objects.get(pk=version.pk).example_count == rows
    return version


def _settlement(project):
    from django.utils import timezone

    from annotation.models import LabelSchema, ReviewItem, ReviewQueue, Settlement
    from feedbackhub.capture.models import Interaction

    interaction = Interaction.objects.create(
        project=project, external_id="s", body_hash=b"0", output="a", occurred_at=timezone.now()
    )
    queue = ReviewQueue.objects.get(project=project, slug="general")
    item = ReviewItem.objects.create(project=project, queue=queue, interaction=interaction)
    schema = LabelSchema.objects.get(project=project)
    return Settlement.objects.create(
        project=project,
        interaction=interaction,
        item=item,
        schema=schema,
        schema_name=schema.name,
        decided_how="agreed",
        verdict="wrong",
        severity="medium",
        agreement=1.0,
        takes_effect_at=timezone.now(),
    )


def _server_side_cursor(version) -> float:
    """The same join and columns, read by psycopg and thrown away."""
    from django.db import connection

    connection.ensure_connection()
    started, rows = time.perf_counter(), 0
    with connection.connection.transaction(), connection.connection.cursor(name="bench") as cursor:
        cursor.itersize = 1_000
        cursor.execute(
            "SELECT r.id, e.id, e.public_id, i.external_id, m.split, r.messages, r.tools, r.context, r.ideal_answer, "
            "r.rejected_answers, r.labels, r.assertions, r.preferences, s.agreement, s.id "
            "FROM annotation_goldversionmember m JOIN annotation_goldrevision r ON r.id = m.revision_id "
            "JOIN annotation_goldexample e ON e.id = r.example_id JOIN capture_interaction i ON i.id = e.interaction_id "
            "JOIN annotation_settlement s ON s.id = r.settlement_id "
            "WHERE m.version_id = %s ORDER BY r.example_id",
            [version.pk],
        )
        for _ in cursor:
            rows += 1
    return rows / (time.perf_counter() - started)


def _export(version, format) -> float:
    from annotation import exporting

    run = exporting.request_export(version=version, format=format, is_left_to_a_worker=False)
    started = time.perf_counter()
    run = exporting.make_export(export_id=run.pk)
    return run.row_count / (time.perf_counter() - started)
