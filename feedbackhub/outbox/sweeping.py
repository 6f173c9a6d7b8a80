"""Every 30 seconds: find what a lost message or a killed process left behind, and finish it.

Apps register their own broom with `@sweeper`; two beats do no harm, because the sweep holds an advisory lock.
"""

from collections.abc import Callable

import structlog
from django.db import connection

from feedbackhub.outbox import delivery

log = structlog.get_logger(__name__)
SWEEP_LOCK = 0x5EE9  # pg_try_advisory_lock key
_sweepers: list[Callable[[], int]] = []


def sweeper(function: Callable[[], int]):
    """Register a broom: takes nothing, answers how many rows it moved."""
    _sweepers.append(function)
    return function


def sweep() -> dict[str, int]:
    """Run every broom once; answers what each moved. Does nothing while another sweep runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SWEEP_LOCK])
        if not cursor.fetchone()[0]:
            return {}
        try:
            swept = {}
            for broom in [*_sweepers, delivery.deliver_due]:
                name = f"{broom.__module__}.{broom.__name__}"
                try:
                    swept[name] = broom()
                except Exception as error:  # one broken broom must not stop the others
                    log.exception("sweep.failed", broom=name, error=type(error).__name__)
            return swept
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SWEEP_LOCK])
