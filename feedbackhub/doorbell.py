"""Ring for a task once the transaction is committed. A lost ring costs seconds, never work: the sweep rings too."""

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)

LONGEST_WAIT = 60  # seconds; what waits longer is found by the sweep


def ring(task, *, after: float = 0, **ids) -> None:
    """Queue `task` with `ids` after commit, `after` seconds later. A broker that is away is logged and no error."""
    if after > LONGEST_WAIT:
        return

    def queue():
        try:
            # a moment late rather than early: a row that is not yet due is left alone
            task.apply_async(kwargs=ids, countdown=after + 0.2 if after else None)
        except Exception as error:
            log.warning("doorbell.lost", task=task.name, error=type(error).__name__, **ids)

    transaction.on_commit(queue)
