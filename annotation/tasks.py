"""Doorbells of annotation: find the row, call the action."""

from datetime import datetime

from annotation import export_counts, exporting, queues, reordering, routing, suggestions
from annotation.evaluation import assessing
from annotation.models import RoutingRule
from feedbackhub.celery import app


@app.task
def make_export(export_id):
    exporting.make_export(export_id=export_id)


@app.task
def count_export(version_id, format, filter, name):
    export_counts.make_count(version_id=version_id, format=format, filter=filter, name=name)


@app.task
def assess_evaluation(run_id):
    assessing.assess_evaluation(run_id=run_id)


@app.task
def suggest(item_id):
    suggestions.suggest(item_id=item_id)


@app.task
def follow_judges():
    queues.follow_changed_judges()


@app.task
def reorder_queue(queue_id):
    reordering.reorder(queue_id=queue_id)


@app.task
def backfill_rule(rule_id, since):
    """What the rule did before, it does not do again: twice is once."""
    rule = RoutingRule.objects.select_related("queue", "project").filter(pk=rule_id).first()
    if rule:
        routing.backfill(rule=rule, since=datetime.fromisoformat(since))
