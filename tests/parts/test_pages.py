"""The frame, the error pages and the style guide: drawn with nothing, and with nothing inline."""

import re

import pytest
from django.template.loader import get_template
from django.test import RequestFactory

from feedbackhub.parts.theme import set_theme, theme_of
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
        '"historyCacheSize":0}\'>'
    ) in html


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("auto", "auto"), ("<x>", "auto")]
)
def test_theme_of_knows_three_themes(cookie, theme):
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = cookie
    assert theme_of(request) == theme


def test_set_theme_keeps_the_choice_and_goes_back():
    response = set_theme(
        RequestFactory().post("/theme/", {"theme": "dark", "next": "/p/tax/problems/?a=1"})
    )
    assert (response.status_code, response["Location"]) == (302, "/p/tax/problems/?a=1")
    assert response.cookies["theme"].value == "dark"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "javascript:x"])
def test_set_theme_goes_nowhere_else(elsewhere):
    response = set_theme(RequestFactory().post("/theme/", {"theme": "dark", "next": elsewhere}))
    assert response["Location"] == "/"


def test_set_theme_refuses_other_themes_and_methods():
    assert set_theme(RequestFactory().post("/theme/", {"theme": "pink"})).status_code == 400
    assert set_theme(RequestFactory().get("/theme/")).status_code == 405


def test_set_theme_answers_a_script_with_nothing():
    request = RequestFactory().post("/theme/", {"theme": "light"}, HTTP_X_REQUESTED_WITH="fetch")
    assert set_theme(request).status_code == 204
