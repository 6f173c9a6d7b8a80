"""Ring for a task once the transaction is committed. A lost ring costs seconds, never work: the sweep rings too."""

import threading

import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

LONGEST_WAIT = 60  # seconds; what waits longer is found by the sweep
TOGETHER = 0.1  # seconds: rings for the same work within this time are one


def ring(task, *, after: float = 0, **ids) -> None:
    """Queue `task` with `ids` after commit, `after` seconds later. A broker that is away is logged and no error."""
    if after > LONGEST_WAIT:
        return
    # a moment late rather than early: a row that is not yet due is left alone
    transaction.on_commit(lambda: _queue(task, after + 0.2 if after else None, ids))


def ring_together(task) -> None:
    """As `ring`, for a task that takes whatever is due: many rings in a moment are one, and no request waits for it."""
    transaction.on_commit(lambda: _queue(task, None, {}) if settings.TASKS_EAGER else _soon(task))


_waiting: set[str] = set()
_lock = threading.Lock()


def _soon(task) -> None:
    with _lock:
        if task.name in _waiting:
            return
        _waiting.add(task.name)
    timer = threading.Timer(TOGETHER, _ring_now, [task])
    timer.daemon = True
    timer.start()


def _ring_now(task) -> None:
    with _lock:
        _waiting.discard(task.name)
    _queue(task, None, {})


def _queue(task, countdown, ids) -> None:
    try:
        task.apply_async(kwargs=ids, countdown=countdown)
    except Exception as error:
        log.warning("doorbell.lost", task=task.name, error=type(error).__name__, **ids)
