"""Doorbells of capture: find the row, call the action."""

from feedbackhub.capture import vectors
from feedbackhub.celery import app


@app.task
def renew_vectors(project_id):
    vectors.renew(project_id=project_id)
