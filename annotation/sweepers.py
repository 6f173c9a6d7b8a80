"""Annotation's brooms: what a killed worker, a lost message or somebody who went home left behind."""

from annotation import (
    exporting,
    queue_rules,
    queues,
    reordering,
    review_queue,
    routing,
    suggestions,
)
from annotation.evaluation import assessing
from feedbackhub.outbox.sweeping import sweeper

sweeper(exporting.take_back_abandoned)
sweeper(assessing.take_back_abandoned)
sweeper(review_queue.expire_leases)
sweeper(queues.remind_of_changed_judges)
sweeper(queues.free_stuck)
sweeper(routing.let_in)
sweeper(reordering.finish_reordering)
sweeper(queue_rules.watch_agreement)
sweeper(suggestions.prepare_ahead)
