"""Signing in: by password, within limits, and by demo links only where a quickstart says so."""

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from feedbackhub.accounts.demo_sign_in import sign_in_link
from feedbackhub.accounts.models import User

PASSWORD = "correct horse battery"


@pytest.fixture
def nia(project, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
    cache.clear()
    user = User.objects.create_user("nia@example.com", PASSWORD, name="Nia")
    yield user
    cache.clear()


def sign_in(client, password, address="203.0.113.7", email="nia@example.com"):
    return client.post(
        reverse("account_login"), {"login": email, "password": password}, REMOTE_ADDR=address
    )


def test_the_right_password_signs_in_whatever_the_case_of_the_address(client, nia):
    answer = sign_in(client, PASSWORD, email="NIA@example.com")
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(nia.pk)


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(client, nia):
    wrong = sign_in(client, "not the password")
    unknown = sign_in(client, "not the password", email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert "_auth_user_id" not in client.session


def fail(client, times, **where):
    return [sign_in(client, "not the password", **where).status_code for _ in range(times)]


def test_ten_failures_of_an_account_from_one_address_are_enough_for_ten_minutes(client, nia):
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        assert fail(client, 11) == [200] * 10 + [429]
        refused = sign_in(client, PASSWORD)
        assert (refused.status_code, refused["Retry-After"]) == (429, "600")
        clock.shift(601)
        assert sign_in(client, PASSWORD).status_code == 302


def test_what_strangers_try_locks_nobody_out_elsewhere(client, nia):
    assert fail(client, 11, address="198.51.100.1")[-1] == 429
    assert sign_in(client, PASSWORD).status_code == 302


def test_typos_of_a_colleague_behind_the_same_address_lock_nobody_out(client, nia):
    assert fail(client, 11, email="other@example.com")[-1] == 429
    assert sign_in(client, PASSWORD).status_code == 302


def test_many_addresses_together_are_held_back_but_not_where_the_owner_signed_in_lately(
    client, nia, settings
):
    settings.ACCOUNT_RATE_LIMITS = {
        **settings.ACCOUNT_RATE_LIMITS,
        "login_failed_anywhere": "5/h/key",
    }
    sign_in(client, PASSWORD)
    client.logout()
    tried = [fail(client, 1, address=f"198.51.100.{n}")[0] for n in range(6)]
    assert tried == [200] * 5 + [429]
    assert sign_in(client, PASSWORD, address="198.51.100.99").status_code == 429
    assert sign_in(client, PASSWORD).status_code == 302


def test_signing_in_rightly_is_no_failure(client, nia):
    for _ in range(12):
        assert sign_in(client, PASSWORD).status_code == 302
        client.logout()


def test_the_login_page_sends_nobody_to_another_site(client, nia):
    answer = client.post(
        reverse("account_login"),
        {"login": "nia@example.com", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert answer.url == "/"


def test_nobody_signs_up_unasked(client, db):
    answer = client.post(
        reverse("account_signup"),
        {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not User.objects.exists()
    assert b"By invitation" in answer.content


def test_a_demo_link_signs_in_on_the_button_not_on_the_look(client, nia, settings):
    settings.DEMO_SIGN_IN = True
    link = sign_in_link(nia)
    assert b"Sign in as Nia" in client.get(link).content
    assert "_auth_user_id" not in client.session
    client.post(link)
    assert client.session["_auth_user_id"] == str(nia.pk)


def test_a_demo_link_is_nothing_outside_a_quickstart(client, nia):
    assert client.get(sign_in_link(nia)).status_code == 404
    assert client.post(sign_in_link(nia)).status_code == 404


def test_a_forged_demo_link_is_nothing(client, nia, settings):
    settings.DEMO_SIGN_IN = True
    assert client.post(sign_in_link(nia)[:-3] + "xx/").status_code == 404


def test_home_goes_to_the_only_project(as_user, ana):
    assert as_user(ana).get("/").url == "/p/tax-help/"


def test_cookies_are_secure_unless_told_otherwise():
    import os
    import subprocess
    import sys

    script = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.DEBUG)"
    )
    environment = os.environ | {
        "INSECURE_HTTP": "false",
        "DJANGO_SETTINGS_MODULE": "feedbackhub.settings",
        "BASE_URL": "https://hub.example",
    }
    said = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "True", "True", "False"]


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/confirm-email/"])
def test_nobody_gives_themselves_another_address(client, nia, path):
    client.force_login(nia, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(path, {"action_add": "", "email": "boss@example.com"})
    assert answer.url == reverse("profile")
    nia.refresh_from_db()
    assert nia.email == "nia@example.com"
    assert not nia.emailaddress_set.filter(email="boss@example.com").exists()
