"""What triage shows of the world outside.

{% load triage %}{% ticket_link ticket %} {{ complaint|said_by_reporter }}
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedbackhub.page_links import outside_url
from triage.notice_words import KIND_WORDS

register = template.Library()


@register.simple_tag
def ticket_link(ticket) -> SafeString:
    """A ticket's key, as a link where its address is a web page."""
    url = outside_url(ticket.url)
    if not url:
        return format_html('<span class="ticket-key">{}</span>', ticket.key)
    return format_html(
        '<a class="link ticket-key" href="{}" rel="noopener noreferrer" target="_blank">{}</a>',
        url,
        ticket.key,
    )


@register.filter
def said_by_reporter(complaint) -> str:
    """What kind of report it was, in the reporter's language."""
    return str(KIND_WORDS.get(complaint.kind, complaint.get_kind_display()))
