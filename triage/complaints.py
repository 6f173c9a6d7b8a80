"""What counts as a complaint: one list for placing answers, for telling their reporters and for showing how it stands."""

from django.db.models import Q

from feedbackhub.capture.vocabulary import FeedbackKind

# Who said one of these complained; thumbs up and copies are no complaints.
KINDS = (
    FeedbackKind.THUMBS_DOWN,
    FeedbackKind.REPORT,
    FeedbackKind.COMMENT,
    FeedbackKind.EDIT,
    FeedbackKind.OVERRIDE,
)


def is_complaint() -> Q:
    """Of feedback events: a complaint, or a rating in the lower half."""
    return Q(kind__in=KINDS) | Q(kind=FeedbackKind.RATING, score__lt=0.5)
