"""Statements on the hot paths, which PostgreSQL plans once per connection instead of at every request.

Django sends each statement with its values written into it, so each is parsed and planned anew: for capture that was a
third of the whole request. Here the values travel apart, and what was sent five times (`prepare_threshold`) is kept planned.
"""

import json
import time
from collections.abc import Sequence

import pghistory
import psycopg
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

SAY_WHO_ACTS = """
SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)
"""


def rows_of(statement: str, values: Sequence | dict) -> list[tuple]:
    """The rows that `statement` answers. Raises Django's own database errors.

    A statement that changes audited rows belongs into a transaction: who acts is said once for all of it.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    began = time.monotonic()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        if connection.execute_wrappers and connection.in_atomic_block:
            _say_who_acts(cursor)
        rows = cursor.execute(statement, values).fetchall()
    if connection.queries_logged:
        seconds = f"{time.monotonic() - began:.3f}"
        connection.queries_log.append({"sql": statement, "time": seconds})
    return rows


def _say_who_acts(cursor) -> None:
    """What the audit context puts in front of each of Django's own statements."""
    with pghistory.context() as acting:  # the open one
        said = json.dumps(acting.metadata, cls=DjangoJSONEncoder)
        cursor.execute(SAY_WHO_ACTS, [str(acting.id), said])
