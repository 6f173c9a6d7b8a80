"""A browser on the live server, signed in as one of the cast."""

import threading

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.test import Client

from tests.processes import wait_for


@pytest.fixture
def quiet_server(live_server):
    """The live server; the test ends when it has answered all, or tables would be emptied under a request's feet."""
    under_way, lock = [0], threading.Lock()

    def count(change):
        with lock:
            under_way[0] += change

    def begin(**_):
        count(1)

    def end(**_):
        count(-1)

    request_started.connect(begin)
    request_finished.connect(end)
    yield live_server
    try:
        wait_for(lambda: under_way[0] <= 0, 20, "the live server is still at work")
    finally:
        request_started.disconnect(begin)
        request_finished.disconnect(end)


@pytest.fixture
def sit_down(browser, quiet_server):
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
        cookie = {"name": name, "value": client.cookies[name].value, "url": quiet_server.url}
        context.add_cookies([cookie])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(quiet_server.url + path)
        page.wait_for_load_state("networkidle")
        return page

    sit_down.errors = errors
    yield sit_down
    for context in contexts:
        context.close()
    assert errors == []
