"""Doorbells of annotation: find the row, call the action."""

from annotation import exporting
from feedbackhub.celery import app


@app.task
def make_export(export_id):
    exporting.make_export(export_id=export_id)
