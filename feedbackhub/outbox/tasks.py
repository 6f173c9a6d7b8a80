"""The doorbell of the outbox, and the sweep that rings when a doorbell was lost."""

from feedbackhub.celery import app
from feedbackhub.outbox import delivery, sweeping


@app.task
def deliver_due():
    while delivery.deliver_due(limit=500) == 500:
        pass


@app.task
def sweep():
    sweeping.sweep()
