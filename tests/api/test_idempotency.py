"""Idempotency-Key: the same request is done once and answered twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from feedbackhub.accounts.models import IdempotencyKey, Project
from feedbackhub.api.problems import Problem
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture.models import PromptVersion


class Notes(ProjectAPIView):
    """A call that makes a row each time it runs."""

    scopes = {"POST": "admin"}

    def post(self, request):
        row = PromptVersion.objects.create(
            project=self.project, name="note", version=str(PromptVersion.objects.count())
        )
        if request.data.get("fail"):
            raise Problem(400, "No.")
        return Response({"id": row.public_id, "text": request.data["text"]}, status=201)


urlpatterns = [path("api/v1/notes", Notes.as_view()), path("api/v1/others", Notes.as_view())]
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.test_idempotency")]


def post(client, body, key="k-1", address="/api/v1/notes"):
    return client.post(
        address, body, content_type="application/json", headers={"Idempotency-Key": key}
    )


def test_the_same_request_is_done_once_and_answered_twice(api):
    client = api("admin")
    first, second = (post(client, {"text": "a"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert PromptVersion.objects.count() == 1


def test_without_a_key_each_request_counts(api):
    client = api("admin")
    for _ in range(2):
        client.post("/api/v1/notes", {"text": "a"}, content_type="application/json")
    assert PromptVersion.objects.count() == 2


def test_a_key_with_another_body_or_address_is_refused(api):
    client = api("admin")
    post(client, {"text": "a"})
    assert post(client, {"text": "b"}).status_code == 422
    assert post(client, {"text": "a"}, address="/api/v1/others").status_code == 422
    assert PromptVersion.objects.count() == 1


def test_another_caller_may_use_the_same_key(api, other_project):
    post(api("admin"), {"text": "a"})
    assert post(api("admin", project=other_project), {"text": "b"}).status_code == 201


def test_a_failed_request_leaves_nothing_and_frees_its_key(api):
    client = api("admin")
    assert post(client, {"text": "a", "fail": True}).status_code == 400
    assert not PromptVersion.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert post(client, {"text": "a"}).status_code == 201


def test_a_twin_at_work_is_a_conflict_until_its_lease_ends(api):
    client = api("admin")
    post(client, {"text": "a"})
    IdempotencyKey.objects.update(status=None, answer=None)
    assert post(client, {"text": "a"}).status_code == 409
    IdempotencyKey.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert post(client, {"text": "a"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x7fb"])
def test_a_key_that_is_none_is_refused(api, key):
    assert post(api("admin"), {"text": "a"}, key=key).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_twins_at_the_same_instant_make_one_row(api):
    clients = [api("admin")] * 6
    barrier, answers = threading.Barrier(6), []

    def send(client):
        barrier.wait()
        answers.append(post(client, {"text": "a"}).status_code)
        connection.close()

    threads = [threading.Thread(target=send, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert PromptVersion.objects.count() == 1
    assert Project.objects.count() == 1
