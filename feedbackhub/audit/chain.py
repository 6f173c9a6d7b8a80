"""Seal the audit trail into a hash chain, in batches, and verify it.

Each link is SHA-256 over the link before it and the rows of one event table since its last link. A row changed or
removed behind a seal breaks every later link.
"""

import hashlib
import json

import pghistory
from django.apps import apps
from django.db import connection, transaction

from feedbackhub.audit.models import Seal

SEAL_LOCK = 0x5EA1
BATCH = 10_000


def event_models() -> list:
    """The models of the audit trail, in a stable order."""
    return sorted(
        (
            model
            for model in apps.get_models()
            if issubclass(model, pghistory.models.Event)
            and not model._meta.proxy
            and model._meta.managed
        ),
        key=lambda model: model._meta.db_table,
    )


def event_tables() -> list[str]:
    return [model._meta.db_table for model in event_models()]


def seal() -> int:
    """Seal what is new; answers how many rows. Nothing while another seal runs."""
    sealed = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        previous = Seal.objects.order_by("-id").first()
        digest = bytes(previous.digest) if previous else b""
        for table in event_tables():
            last = (
                Seal.objects.filter(table=table)
                .order_by("-last_id")
                .values_list("last_id", flat=True)
                .first()
            )
            rows = _rows(cursor, table, after=last or 0, limit=BATCH)
            if not rows:
                continue
            digest = _link(digest, table, rows)
            Seal.objects.create(
                table=table,
                first_id=rows[0][0],
                last_id=rows[-1][0],
                row_count=len(rows),
                digest=digest,
            )
            sealed += len(rows)
    return sealed


def verify() -> str | None:
    """None when every link holds; else what is broken."""
    digest = b""
    with connection.cursor() as cursor:
        for link in Seal.objects.order_by("id").iterator():
            rows = _rows(cursor, link.table, after=link.first_id - 1, until=link.last_id)
            digest = _link(digest, link.table, rows)
            if len(rows) != link.row_count or digest != bytes(link.digest):
                return (
                    f"{link.table} rows {link.first_id} to {link.last_id} are not what was sealed"
                )
    return None


def _rows(cursor, table, *, after, until=None, limit=None):
    # A row inserted by a transaction that commits late could hide behind the last id; wait until it is settled.
    cursor.execute(
        f"SELECT pgh_id, to_jsonb(t)::text FROM {connection.ops.quote_name(table)} t "  # noqa: S608 (our own names)
        "WHERE pgh_id > %s AND (%s::bigint IS NULL OR pgh_id <= %s) "
        "AND (%s::bigint IS NOT NULL OR pgh_created_at < now() - interval '60 seconds') "
        "ORDER BY pgh_id LIMIT %s",
        [after, until, until, until, limit],
    )
    return cursor.fetchall()


def _link(previous: bytes, table: str, rows) -> bytes:
    body = json.dumps([table, [text for _, text in rows]], ensure_ascii=False)
    return hashlib.sha256(previous + body.encode()).digest()
