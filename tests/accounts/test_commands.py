"""What an operator's script needs without a browser."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from feedbackhub.accounts.api_keys import find_api_key
from feedbackhub.accounts.models import ApiKey, Membership, Project

pytestmark = pytest.mark.django_db


def run(name, *arguments) -> dict:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_create_project_prints_it_as_json():
    answer = run("create_project", "tax", "--name", "Tax help")
    assert answer == {"id": str(Project.objects.get().public_id), "slug": "tax", "name": "Tax help"}


def test_create_project_says_what_is_wrong_in_one_sentence(project):
    with pytest.raises(CommandError, match="already a project “tax-help”"):
        run("create_project", "tax-help")


def test_create_user_adds_roles_and_reads_the_password_from_standard_input(project, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    answer = run(
        "create_user",
        "nia@example.com",
        "--project",
        "tax-help",
        "--role",
        "lead",
        "--password-stdin",
    )
    assert answer["roles"] == ["lead"] and answer["is_new"]
    assert Membership.objects.get().user.check_password("correct horse battery")


def test_create_user_refuses_a_weak_password(project, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("password\n"))
    with pytest.raises(CommandError, match="too short"):
        run(
            "create_user",
            "nia@example.com",
            "--project",
            "tax-help",
            "--role",
            "lead",
            "--password-stdin",
        )
    assert not Membership.objects.exists()


def test_create_user_names_the_projects_there_are(project):
    with pytest.raises(CommandError, match=r"no project 'nope'\. There is: tax-help"):
        run("create_user", "nia@example.com", "--project", "nope", "--role", "lead")


def test_create_api_key_shows_the_secret_once_and_keeps_its_hash(project):
    answer = run(
        "create_api_key", "--project", "tax-help", "--name", "pipeline", "--scope", "capture"
    )
    key = ApiKey.objects.get()
    assert find_api_key(answer["secret"]) == key
    assert answer["secret"].encode() not in bytes(key.secret_hash)
    assert answer["secret"] not in str(ApiKey.objects.values())


def test_create_api_key_needs_a_scope_or_an_origin(project):
    with pytest.raises(CommandError, match="--scope"):
        run("create_api_key", "--project", "tax-help", "--name", "x")
    with pytest.raises(CommandError, match="--origin"):
        run("create_api_key", "--project", "tax-help", "--name", "x", "--public")


def test_sweep_prints_what_each_broom_moved():
    assert run("sweep")["swept"]["feedbackhub.outbox.delivery.deliver_due"] == 0
