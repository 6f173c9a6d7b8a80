"""Addresses of pages that live in rooms one may not import: by name, or nothing where there is no such page."""

from urllib.parse import urlsplit

from django.urls import NoReverseMatch, reverse


def page_url(name: str, *arguments) -> str:
    """The address of a page by its URL name; empty when the house has no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def outside_url(address: str) -> str:
    """`address` when a click on it leads to a web page and nowhere else; else empty.

    Captured addresses are hostile: `javascript:`, `data:` and friends are text, never links.
    """
    try:
        parts = urlsplit(address)
        is_web_page = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return address if is_web_page and address.isprintable() and " " not in address else ""
