"""Annotation's brooms: what a killed worker, a lost message or somebody who went home left behind."""

from annotation import exporting, intake, queue_rules, review_queue, suggestions
from annotation.evaluation import assessing
from feedbackhub.outbox.sweeping import sweeper

sweeper(exporting.take_back_abandoned)
sweeper(assessing.take_back_abandoned)
sweeper(review_queue.expire_leases)
sweeper(intake.let_in)
sweeper(queue_rules.watch_agreement)
sweeper(suggestions.prepare_ahead)
