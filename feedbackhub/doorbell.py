"""Ring for a task once the transaction is committed. A lost ring costs seconds, never work: the sweep rings too."""

import atexit
import math
import threading
import time

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


def ring_together(task, *, after: float = 0) -> None:
    """As `ring`, for a task that takes whatever is due: many rings in a moment are one, and no request waits for it.

    Of rings for a later time, those of one second are one.
    """
    if after > LONGEST_WAIT:
        return

    def ring_it():
        if settings.TASKS_EAGER:
            _queue(task, None, {})
        elif after:
            _later(task, after)
        else:
            _soon(task)

    transaction.on_commit(ring_it)


_waiting: dict = {}  # task by name
_rung_for: set[tuple[str, int]] = set()  # (task, second)
_lock = threading.Lock()


def _later(task, after) -> None:
    now = time.time()
    second = math.ceil(now + after)
    with _lock:
        if (task.name, second) in _rung_for:
            return
        _rung_for.difference_update([rung for rung in _rung_for if rung[1] < now])
        _rung_for.add((task.name, second))
    _queue(task, second - now + 0.2, {})


def _soon(task) -> None:
    with _lock:
        if task.name in _waiting:
            return
        _waiting[task.name] = task
    timer = threading.Timer(TOGETHER, _ring_now, [task])
    timer.daemon = True
    timer.start()


def _ring_now(task) -> None:
    with _lock:
        if _waiting.pop(task.name, None) is None:
            return
    _queue(task, None, {})


@atexit.register
def _ring_what_waits() -> None:
    """A command that ends at once rings before it goes."""
    for task in list(_waiting.values()):
        _ring_now(task)


def _queue(task, countdown, ids) -> None:
    try:
        task.apply_async(kwargs=ids, countdown=countdown)
    except Exception as error:
        log.warning("doorbell.lost", task=task.name, error=type(error).__name__, **ids)
