"""What tests of reviewing do again and again: set up a queue, claim, submit, and many threads at once."""

import threading
from itertools import count

from django.db import connection

from annotation import annotating, review_queue
from tests.factories import LabelSchemaFactory, ReviewItemFactory, ReviewQueueFactory

_keys = count()


def queue_with(project, items=1, **fields):
    """A queue of the project with its schema and some waiting items: (queue, items)."""
    LabelSchemaFactory(project=project)
    queue = ReviewQueueFactory(project=project, **fields)
    return queue, ReviewItemFactory.create_batch(items, queue=queue)


def claim(expert, queue):
    return review_queue.claim_next(project=queue.project, expert=expert, queue=queue)


def submit(assignment, verdict="wrong", severity="medium", *, key=None, revision=0, **answers):
    return annotating.submit_annotation(
        assignment=assignment,
        fence=assignment.fence,
        revision=revision,
        submit_key=key or f"key-{next(_keys)}",
        verdict=verdict,
        severity=severity,
        **answers,
    )


def judge(expert, queue, verdict="wrong", severity="medium", **answers):
    """Claim and submit; answers the annotation."""
    return submit(claim(expert, queue), verdict, severity, **answers)


def pass_time(seconds, *rows):
    """Let time pass for these rows: what is timed on them lies further back."""
    from datetime import timedelta

    for row in rows:
        row.refresh_from_db()
        for name in ("final_at", "takes_effect_at", "lease_until", "due_at", "created_at"):
            if getattr(row, name, None):
                setattr(row, name, getattr(row, name) - timedelta(seconds=seconds))
        row.save()


def at_once(*functions):
    """Run each function in a thread of its own, all starting together; answers what they gave back or raised."""
    start = threading.Barrier(len(functions))
    outcomes = [None] * len(functions)

    def run(place, function):
        try:
            start.wait()
            outcomes[place] = function()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(place, function))
        for place, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
