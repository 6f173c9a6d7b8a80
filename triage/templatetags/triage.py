"""What triage shows of the world outside.

{% load triage %}{% ticket_link ticket %}
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedbackhub.page_links import outside_url

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
