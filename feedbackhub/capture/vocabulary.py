"""The words for what people say about an answer, the same in model, API, page and docs."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class FeedbackGroup(TextChoices):
    """How a signal came about: somebody said it, somebody repaired the answer, or we infer it."""

    EXPLICIT = "explicit", _("said")
    CORRECTION = "correction", _("corrected")
    IMPLICIT = "implicit", _("inferred")


class FeedbackKind(TextChoices):
    """One signal about one answer; the latest per person and kind counts."""

    THUMBS_UP = "thumbs_up", _("thumbs up")
    THUMBS_DOWN = "thumbs_down", _("thumbs down")
    RATING = "rating", _("rating")
    COMMENT = "comment", _("comment")
    REPORT = "report", _("report")
    APPROVE = "approve", _("approve")
    EDIT = "edit", _("edit")
    OVERRIDE = "override", _("override")
    REGENERATE = "regenerate", _("regenerate")
    COPY = "copy", _("copy")
    ABANDON = "abandon", _("abandon")
    FOLLOW_UP = "follow_up", _("follow-up")
    OUTCOME = "outcome", _("outcome")

    @property
    def group(self) -> FeedbackGroup:
        return GROUP_OF_KIND[self]


GROUP_OF_KIND = {
    FeedbackKind.THUMBS_UP: FeedbackGroup.EXPLICIT,
    FeedbackKind.THUMBS_DOWN: FeedbackGroup.EXPLICIT,
    FeedbackKind.RATING: FeedbackGroup.EXPLICIT,
    FeedbackKind.COMMENT: FeedbackGroup.EXPLICIT,
    FeedbackKind.REPORT: FeedbackGroup.EXPLICIT,
    FeedbackKind.APPROVE: FeedbackGroup.EXPLICIT,
    FeedbackKind.EDIT: FeedbackGroup.CORRECTION,
    FeedbackKind.OVERRIDE: FeedbackGroup.CORRECTION,
    FeedbackKind.REGENERATE: FeedbackGroup.IMPLICIT,
    FeedbackKind.COPY: FeedbackGroup.IMPLICIT,
    FeedbackKind.ABANDON: FeedbackGroup.IMPLICIT,
    FeedbackKind.FOLLOW_UP: FeedbackGroup.IMPLICIT,
    FeedbackKind.OUTCOME: FeedbackGroup.IMPLICIT,
}


class Outcome(TextChoices):
    """What became of the task the answer was for."""

    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


class ReportedCategory(TextChoices):
    """The reporter's own word for what is wrong; an expert's categories are the label schema's."""

    WRONG = "wrong", _("wrong")
    UNHELPFUL = "unhelpful", _("unhelpful")
    OFF_TOPIC = "off_topic", _("off topic")
    OUTDATED = "outdated", _("outdated")
    TOO_LONG = "too_long", _("too long")
    WRONG_TONE = "wrong_tone", _("wrong tone")
    HARMFUL = "harmful", _("harmful")
    BIASED = "biased", _("biased")
    PRIVACY = "privacy", _("privacy")
    OTHER = "other", _("other")


class Severity(TextChoices):
    """How bad: claimed by a reporter, or judged by an expert. `rank` orders them."""

    NONE = "none", _("none")
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")
    CRITICAL = "critical", _("critical")

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class MessageRole(TextChoices):
    """Who speaks in a conversation."""

    SYSTEM = "system", _("system")
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")
    TOOL = "tool", _("tool")
