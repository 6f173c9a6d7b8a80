"""A browser that is signed in to the project."""

import pytest
from django.conf import settings


@pytest.fixture
def visit(browser, live_server, client):
    """`visit(ben, "/p/tax-help/problems/")` → a page that fails the test on any script or policy error."""
    contexts, errors = [], []

    def visit(user, path, *, width=1280):
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        return page

    yield visit
    for context in contexts:
        context.close()
    # a refused move answers 409, which the console calls an error
    assert [error for error in errors if "409" not in error] == []
