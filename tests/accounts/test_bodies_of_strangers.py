"""Who is not signed in sends little, and what is larger is refused before it is read."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.urls import reverse

from feedbackhub.bodies_of_strangers import MOST


class NeverRead(FileUploadHandler):
    """Fails as soon as a byte of a file is taken."""

    def receive_data_chunk(self, raw_data, start):
        raise AssertionError("The body was read.")

    def file_complete(self, file_size):
        raise AssertionError("The body was read.")


def a_file(size):
    return {"file": SimpleUploadedFile("a.bin", b"x" * size)}


@pytest.fixture
def nothing_is_read(settings):
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.NeverRead"]


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/password/reset/", "/r/token/still-wrong/1/", "/nowhere/"],
)
@pytest.mark.django_db
def test_a_large_file_of_a_stranger_is_refused_unread(client, nothing_is_read, path):
    answer = client.post(path, a_file(MOST))
    assert answer.status_code == 413
    assert "larger than this page takes" in answer.content.decode()


@pytest.mark.django_db
def test_a_large_form_of_a_stranger_is_refused_too(client):
    answer = client.post(reverse("account_login"), {"login": "x" * MOST, "password": "y"})
    assert answer.status_code == 413


@pytest.mark.django_db
def test_a_small_form_of_a_stranger_is_taken(client):
    answer = client.post(reverse("account_login"), {"login": "nia@example.com", "password": "y"})
    assert answer.status_code == 200


def test_in_a_room_a_stranger_is_shown_the_way_to_sign_in(client, project, nothing_is_read):
    answer = client.post(reverse("settings_queues", args=[project.slug]), a_file(MOST))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


def test_who_is_signed_in_sends_files(as_user, ben, project):
    answer = as_user(ben).post(reverse("take_in_schema", args=[project.slug]), a_file(MOST))
    assert answer.status_code != 413


def test_programs_keep_their_own_limits(api, project):
    body = {"id": "a", "input": "x" * MOST, "output": "y"}
    answer = api("capture").post("/api/v1/interactions", body, content_type="application/json")
    assert answer.status_code == 201
