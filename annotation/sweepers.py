"""Annotation's brooms: what a killed worker or a lost message left behind."""

from annotation import exporting
from feedbackhub.outbox.sweeping import sweeper

sweeper(exporting.take_back_abandoned)
