"""Seal the audit trail into a hash chain, in batches, and verify it.

Each link is SHA-256 over the link before it and the rows of one event table since its last link, in the columns that the
table had then: one that a later release adds changes nothing. A row changed or removed behind a seal breaks every later link.
"""

import hashlib
import json
from functools import cache

import pghistory
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField
from django.db.migrations.recorder import MigrationRecorder

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
            columns = _columns(table)
            rows = _rows(cursor, table, columns, after=last or 0, limit=BATCH)
            if not rows:
                continue
            digest = _link(digest, table, columns, rows)
            Seal.objects.create(
                table=table,
                first_id=rows[0][0],
                last_id=rows[-1][0],
                row_count=len(rows),
                columns=columns,
                digest=digest,
            )
            sealed += len(rows)
    return sealed


def verify() -> str | None:
    """None when every link holds; else what is broken."""
    digest = b""
    newer = cache(_newer_columns)
    with connection.cursor() as cursor:
        for link in Seal.objects.order_by("id").iterator():
            columns = link.columns or _columns_then(link, newer())
            rows = _rows(cursor, link.table, columns, after=link.first_id - 1, until=link.last_id)
            digest = _link(digest, link.table, link.columns, rows)
            if len(rows) != link.row_count or digest != bytes(link.digest):
                return (
                    f"{link.table} rows {link.first_id} to {link.last_id} are not what was sealed"
                )
    return None


def _columns(table) -> list[str]:
    (model,) = [model for model in event_models() if model._meta.db_table == table]
    return sorted(field.column for field in model._meta.concrete_fields)


def _columns_then(link, newer) -> list[str]:
    """Of a seal from before columns were kept: all that its table had then. `newer` says when later ones came."""
    added = {column for column, at in newer.get(link.table, ()) if at > link.sealed_at}
    return [column for column in _columns(link.table) if column not in added]


def _newer_columns() -> dict[str, list]:
    """{event table: [(column, when the migration that adds it ran here)]}"""
    applied = MigrationRecorder(connection).applied_migrations()
    tables = {model._meta.label_lower: model._meta.db_table for model in event_models()}
    newer = {}
    for (app, name), migration in MigrationLoader(connection).disk_migrations.items():
        for operation in _each(migration.operations):
            table = tables.get(f"{app}.{getattr(operation, 'model_name_lower', '')}")
            if table and isinstance(operation, AddField) and (app, name) in applied:
                is_key = operation.field.many_to_one
                column = f"{operation.name}_id" if is_key else operation.name
                newer.setdefault(table, []).append((column, applied[app, name].applied))
    return newer


def _each(operations):
    for operation in operations:
        yield operation
        yield from _each(getattr(operation, "operations", ()))  # those that go together


def _rows(cursor, table, columns, *, after, until=None, limit=None):
    """(id, the columns as text) of each row."""
    # A row inserted by a transaction that commits late could hide behind the last id; wait until it is settled.
    cursor.execute(
        "SELECT pgh_id, (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t))"  # noqa: S608 (our own names)
        "                 WHERE key = ANY(%s))::text"
        f"  FROM {connection.ops.quote_name(table)} t "
        "WHERE pgh_id > %s AND (%s::bigint IS NULL OR pgh_id <= %s) "
        "AND (%s::bigint IS NOT NULL OR pgh_created_at < now() - interval '60 seconds') "
        "ORDER BY pgh_id LIMIT %s",
        [columns, after, until, until, until, limit],
    )
    return cursor.fetchall()


def _link(previous: bytes, table: str, columns: list[str], rows) -> bytes:
    named = [table, columns] if columns else [table]
    body = json.dumps([*named, [text for _, text in rows]], ensure_ascii=False)
    return hashlib.sha256(previous + body.encode()).digest()
