"""A browser on a live server that serves the style guide and two small pages."""

import pytest


@pytest.fixture
def visit(browser, live_server, settings):
    """`visit("/styleguide/", width=360, theme="dark")` → a page that fails the test on any script
    or policy error."""
    settings.ROOT_URLCONF = "tests.parts.browser.pages"
    contexts, errors = [], []

    def visit(path, *, width=1280, theme="light", touch=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        return page

    visit.errors = errors
    yield visit
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page_errors_allowed(visit):
    """A failed request shows as an error in the console; here it is meant."""
    yield
    visit.errors.clear()
