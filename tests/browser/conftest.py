"""A browser on the live server, signed in as one of the cast."""

import pytest
from django.conf import settings as django_settings
from django.test import Client


@pytest.fixture
def sit_down(browser, live_server):
    """`sit_down(ana, "/p/tax-help/review/")` → a page; fails the test on any script or policy error."""
    contexts, errors = [], []

    def sit_down(user, path, *, width=1280, height=860, theme="light", touch=False):
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        name = django_settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        context.add_cookies([cookie])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        return page

    sit_down.errors = errors
    yield sit_down
    for context in contexts:
        context.close()
    assert errors == []
