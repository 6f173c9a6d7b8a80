"""Feedback events as icons.

{% load feedback %}{% feedback_icons row.events %}
"""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory
from feedbackhub.parts.templatetags.parts import icon

register = template.Library()

# kind: icon, tone
MARKS: dict[str, tuple[str, str]] = {
    FeedbackKind.THUMBS_UP: ("hand-thumb-up", "good"),
    FeedbackKind.THUMBS_DOWN: ("hand-thumb-down", "bad"),
    FeedbackKind.RATING: ("star", "neutral"),
    FeedbackKind.COMMENT: ("chat-bubble-bottom-center-text", "neutral"),
    FeedbackKind.REPORT: ("flag", "bad"),
    FeedbackKind.APPROVE: ("check-badge", "good"),
    FeedbackKind.EDIT: ("pencil", "caution"),
    FeedbackKind.OVERRIDE: ("pencil-square", "caution"),
    FeedbackKind.REGENERATE: ("arrow-path", "caution"),
    FeedbackKind.COPY: ("square-2-stack", "neutral"),
    FeedbackKind.ABANDON: ("arrow-right-start-on-rectangle", "neutral"),
    FeedbackKind.FOLLOW_UP: ("chat-bubble-left-ellipsis", "neutral"),
    FeedbackKind.OUTCOME: ("clipboard-document-check", "neutral"),
}
UNKNOWN = ("question-mark-circle", "neutral")
WORSE = {ReportedCategory.HARMFUL, ReportedCategory.PRIVACY}


@register.simple_tag
def feedback_icons(events) -> SafeString:
    """One mark for each kind, in the order they came, and the reporters' own words: [{"kind", "category"}]."""
    if not events:
        return mark_safe("")
    kinds = dict.fromkeys(event["kind"] for event in events)
    categories = dict.fromkeys(event["category"] for event in events if event["category"])
    return format_html(
        '<span class="feedback">{}{}</span>',
        format_html_join(
            "",
            '<span class="feedback-kind tone-{}" title="{}">{}</span>',
            (
                (*_mark(kind), icon(MARKS.get(kind, UNKNOWN)[0], label=_word(kind)))
                for kind in kinds
            ),
        ),
        format_html_join(
            "",
            '<span class="tag{}">{}</span>',
            (
                (mark_safe(" tone-harm") if each in WORSE else "", _category(each))
                for each in categories
            ),
        ),
    )


def _mark(kind):
    return MARKS.get(kind, UNKNOWN)[1], _word(kind)


def _word(kind):
    return dict(FeedbackKind.choices).get(kind, kind)


def _category(word):
    return dict(ReportedCategory.choices).get(word, word)


@register.filter
def feedback_icon(kind: str) -> str:
    """The icon's name of a kind."""
    return MARKS.get(kind, UNKNOWN)[0]


@register.filter
def feedback_tone(kind: str) -> str:
    return MARKS.get(kind, UNKNOWN)[1]


@register.filter
def spaced(key: str) -> str:
    """A key as words: contradicts_source is "contradicts source"."""
    return str(key).replace("_", " ")
