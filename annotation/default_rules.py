"""What a new project begins with: a label schema, a queue for everybody who may judge, and rules that make sense."""

from django.db import transaction

from annotation.default_schema import install_schema
from annotation.intake import FIRST_IN_LINE
from annotation.models import ReviewQueue, RoutingRule
from feedbackhub.accounts.members import furnisher
from feedbackhub.capture.vocabulary import FeedbackKind as Kind
from feedbackhub.capture.vocabulary import ReportedCategory as Reported
from feedbackhub.capture.vocabulary import Severity

REVIEW, ESCALATE = RoutingRule.Action.REVIEW, RoutingRule.Action.ESCALATE

# name, action, priority, when
RULES = [
    ("Claimed critical", ESCALATE, 0, {"severities": [Severity.CRITICAL]}),
    (
        "Reported as harmful or private",
        ESCALATE,
        0,
        {"categories": [Reported.HARMFUL, Reported.PRIVACY]},
    ),
    ("Claimed critical", REVIEW, FIRST_IN_LINE, {"severities": [Severity.CRITICAL]}),
    (
        "Reported as harmful or private",
        REVIEW,
        FIRST_IN_LINE,
        {"categories": [Reported.HARMFUL, Reported.PRIVACY]},
    ),
    ("Report", REVIEW, 50, {"kinds": [Kind.REPORT]}),
    ("Corrected by its user", REVIEW, 40, {"kinds": [Kind.EDIT, Kind.OVERRIDE]}),
    ("Thumbs down", REVIEW, 30, {"kinds": [Kind.THUMBS_DOWN]}),
    ("Rating in the lowest third", REVIEW, 30, {"kinds": [Kind.RATING], "max_score": 0.334}),
    ("Regenerated twice", REVIEW, 20, {"regenerates": 2}),
    ("1 % of the unflagged", REVIEW, 0, {"sample_percent": 1}),
]


@furnisher
@transaction.atomic
def install_defaults(project) -> ReviewQueue:
    """Furnish a project; what it has already stays as it is. Answers its general queue."""
    install_schema(project)
    queue, _is_new = ReviewQueue.objects.get_or_create(
        project=project, slug="general", defaults={"name": "General"}
    )
    if not RoutingRule.objects.filter(project=project).exists():
        RoutingRule.objects.bulk_create(
            RoutingRule(
                project=project,
                name=name,
                position=10 * place,
                action=action,
                queue=queue if action == REVIEW else None,
                priority=priority,
                when={key: _plain(value) for key, value in when.items()},
            )
            for place, (name, action, priority, when) in enumerate(RULES, start=1)
        )
    return queue


def _plain(value):
    return [str(word) for word in value] if isinstance(value, list) else value
