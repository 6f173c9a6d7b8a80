"""Statements on the hot paths, which PostgreSQL plans once per connection instead of at every request.

Django sends each statement with its values written into it, so each is parsed and planned anew: for capture that was a
third of the whole request. Here the values travel apart, and what was sent five times (`prepare_threshold`) is kept planned.
"""

from collections.abc import Sequence

import psycopg
from django.db import connection


def rows_of(statement: str, values: Sequence | dict) -> list[tuple]:
    """The rows that `statement` answers, in the current transaction. Raises Django's own database errors."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _cursor():
    if connection.execute_wrappers:  # the audit context writes itself in front of a statement
        return connection.cursor()
    connection.ensure_connection()
    apart = psycopg.Cursor(connection.connection)
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(apart)
