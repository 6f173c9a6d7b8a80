"""Which interactions: the one list of names by which pages and API may filter them."""

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q

from feedbackhub import filters
from feedbackhub.capture.models import FeedbackEvent
from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity

NEWEST_FIRST = ("-occurred_at", "-id")


def _has_feedback(**conditions) -> Q:
    return Q(Exists(FeedbackEvent.objects.filter(interaction=OuterRef("pk"), **conditions)))


def _with_feedback(field: str, choices) -> filters.Filter:
    found = filters.one_of(field, choices)
    return filters.Filter(
        found.read, lambda values: _has_feedback(**{f"{field}__in": values}), found.choices
    )


INTERACTION_FILTERS = {
    "q": filters.words(
        lambda words: Q(text__search=SearchQuery(words, config="simple", search_type="websearch"))
    ),
    "since": filters.since("occurred_at"),
    "until": filters.until("occurred_at"),
    "model": filters.text("model"),
    "model_version": filters.text("model_version"),
    "prompt": filters.text("prompt_version__name"),
    "prompt_version": filters.text("prompt_version__version"),
    "feature": filters.text("feature"),
    "environment": filters.text("environment"),
    "user_role": filters.text("user_role"),
    "user_region": filters.text("user_region"),
    "session": filters.text("session_id"),
    "tag": filters.Filter(filters.text("tags").read, lambda values: Q(tags__contains=values)),
    "feedback": _with_feedback("kind", FeedbackKind.values),
    "category": _with_feedback("category", ReportedCategory.values),
    "severity": _with_feedback("severity", Severity.values),
    "has_feedback": filters.yes_no(_has_feedback()),
}
