"""Reading the audit trail of a project: who did what to which row, when, before and after."""

from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.db import connection

from feedbackhub.accounts.models import User
from feedbackhub.audit import chain

SALT = "feedbackhub.audit-trail"


@dataclass(frozen=True)
class AuditRow:
    """One change. `fields` maps what was remembered to (before, after); before is None for a new row."""

    table: str
    row_id: int
    change: str  # created, changed, deleted
    at: datetime
    who: str
    action: str
    fields: dict


@dataclass(frozen=True)
class AuditPage:
    rows: list[AuditRow]
    older: str | None


def of_project(project, *, before: str = "", limit: int = 50) -> AuditPage:
    """The newest changes, or those before the cursor `before`. One query, however many tables are watched."""
    until = _read(before)
    events = _events(project, until, limit + 1)
    names = dict(
        User.objects.filter(pk__in={event["who"] for event in events if event["who"]}).values_list(
            "pk", "name"
        )
    )
    rows = [_row(event, names) for event in events[:limit]]
    older = events[limit - 1] if len(events) > limit else None
    return AuditPage(rows, _write(older) if older else None)


def _events(project, until, limit):
    quote = connection.ops.quote_name
    parts, values = [], []
    for table in _tables_with_project():
        # each table gives its newest few by its own index; the outer sort merges them
        parts.append(
            f"(SELECT %s AS name, pgh_id, pgh_obj_id, pgh_label, pgh_created_at, pgh_context_id, "  # noqa: S608
            f"to_jsonb(t) AS said, (SELECT to_jsonb(p) FROM {quote(table)} p WHERE p.pgh_obj_id = t.pgh_obj_id "
            f"AND p.pgh_id < t.pgh_id ORDER BY p.pgh_id DESC LIMIT 1) AS earlier "
            f"FROM {quote(table)} t WHERE project_id = %s AND (pgh_created_at, pgh_id) < (%s, %s) "
            f"ORDER BY pgh_id DESC LIMIT %s)"
        )
        values += [table, project.pk, *until, limit]
    sql = (
        f"SELECT e.*, (c.metadata->>'user')::bigint AS who, c.metadata->>'action' AS action "  # noqa: S608
        f"FROM ({' UNION ALL '.join(parts)}) e LEFT JOIN pghistory_context c ON c.id = e.pgh_context_id "
        f"ORDER BY pgh_created_at DESC, pgh_id DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, limit])
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _tables_with_project() -> list[str]:
    return [model._meta.db_table for model in chain.event_models() if _has_project(model)]


def _has_project(model) -> bool:
    return any(field.name == "project" for field in model._meta.local_fields)


def _row(event, names) -> AuditRow:
    said, earlier = _facts(event["said"]), _facts(event["earlier"])
    return AuditRow(
        table=event["name"].removesuffix("event").partition("_")[2],
        row_id=event["pgh_obj_id"],
        change=event["pgh_label"],
        at=event["pgh_created_at"],
        who=names.get(event["who"], ""),
        action=event["action"] or "",
        fields={
            name: (earlier.get(name), value)
            for name, value in said.items()
            if event["pgh_label"] != "changed" or earlier.get(name) != value
        },
    )


def _facts(row) -> dict:
    import json

    if isinstance(row, str):
        row = json.loads(row)
    return {
        name: value
        for name, value in (row or {}).items()
        if not name.startswith("pgh_") and name != "project_id"
    }


def _write(event) -> str:
    return signing.dumps([event["pgh_created_at"].isoformat(), event["pgh_id"]], salt=SALT)


def _read(cursor: str):
    try:
        at, row_id = signing.loads(cursor, salt=SALT)
        return datetime.fromisoformat(at), row_id
    except signing.BadSignature:
        return "infinity", 2**62
