"""The frame, the error pages and the style guide: drawn with nothing, and with nothing inline."""

import re

import pytest
from django.template.loader import get_template
from django.test import RequestFactory

from feedbackhub.styleguide import styleguide

ERRORS = ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"]
INLINE = re.compile(
    r"""<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:""", re.IGNORECASE
)


@pytest.mark.parametrize("name", ERRORS)
def test_error_page_needs_no_context_and_names_a_next_step(name):
    html = get_template(name).render({})
    assert "<h1>" in html
    assert not INLINE.search(html)
    assert re.search(r"<p>[^<]*(again|Check|owner|start|Wait)", html) or name == "500.html"


def test_500_shows_the_request_id_and_nothing_else_of_what_happened():
    html = get_template("500.html").render({"request_id": "0193-ab", "exception": "secret text"})
    assert "0193-ab" in html
    assert "secret text" not in html


def test_styleguide_draws_every_part_with_nothing_inline(db):
    html = styleguide(RequestFactory().get("/styleguide/")).content.decode()
    assert not INLINE.search(html)
    assert html.count('class="page guide-theme"') == 2


def test_styleguide_has_no_id_twice(db):
    html = styleguide(RequestFactory().get("/styleguide/")).content.decode()
    html = re.sub(r"<form class=\"form\".*?</form>", "", html, flags=re.DOTALL)  # one per theme
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert sorted(ids) == sorted(set(ids))


def test_frame_carries_csrf_once_and_the_htmx_settings(db):
    html = styleguide(RequestFactory().get("/styleguide/")).content.decode()
    assert html.count("hx-headers") == 1
    assert (
        '<meta name="htmx-config" content=\'{"includeIndicatorStyles":false,"allowEval":false,'
        '"historyCacheSize":0,"attributesToSettle":["class","width","height"]}\'>'
    ) in html
