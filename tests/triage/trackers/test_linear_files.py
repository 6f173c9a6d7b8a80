"""The brief as a file of a Linear ticket: put to Linear's storage without our key, linked once whatever fails."""

import json
import uuid

import pytest
from werkzeug import Response

from feedbackhub.outbound import Limits, OutboundError, Outcome
from tests.triage.trackers.drafts import MARKER
from tests.triage.trackers.fake_linear import KEY, failure
from tests.triage.trackers.test_doubles import Double, OnLinear, new_draft
from triage.trackers import linear_files
from triage.trackers.linear_files import Upload, upload_of

TEXT = "# P7 Outdated rate\n\nÜber die Quelle: “alt”\n"
NOTHING_YET = {"data": {"issue": {"attachments": {"nodes": []}, "comments": {"nodes": []}}}}
LINKED = {"data": {"attachmentCreate": {"success": True, "attachment": {"id": MARKER}}}}
SAID = {"data": {"commentCreate": {"success": True, "comment": {"id": MARKER}}}}


def prepared(url, **headers):
    return {
        "data": {
            "fileUpload": {
                "success": True,
                "uploadFile": {
                    "uploadUrl": url,
                    "assetUrl": "https://uploads.linear.app/a/b",
                    "headers": [{"key": key, "value": value} for key, value in headers.items()],
                },
            }
        }
    }


@pytest.fixture
def storage(httpserver, linear_api):
    """Where files are put; `puts` is what came, `answers` how it is answered."""

    class Storage:
        def __init__(self):
            self.puts, self.status, self.url = [], 200, httpserver.url_for("/signed/1?sig=x")
            httpserver.expect_request("/signed/1").respond_with_handler(self.answer)
            linear_api.gives(
                Evidence=NOTHING_YET, Upload=prepared(self.url), Link=LINKED, Comment=SAID
            )

        def answer(self, request):
            self.puts.append(request)
            return Response(b"", self.status)

    return Storage()


def attach(linear_tracker):
    linear_tracker().attach(MARKER, name="P7-brief.md", text=TEXT, marker=MARKER)


# --- the way it goes ------------------------------------------------------------------------------


def test_the_file_is_put_with_the_signed_headers_and_without_our_key(
    linear_api, linear_tracker, storage
):
    linear_api.gives(Upload=prepared(storage.url, **{"x-goog-content-length-range": "9,9"}))
    attach(linear_tracker)
    (put,) = storage.puts
    assert (put.method, put.data.decode()) == ("PUT", TEXT)
    assert put.headers["Content-Type"] == "text/markdown"
    assert put.headers["x-goog-content-length-range"] == "9,9"
    assert "Authorization" not in put.headers and KEY not in str(put.headers)
    asked = dict(linear_api.asked)
    assert asked["Upload"] == {
        "name": "P7-brief.md",
        "type": "text/markdown",
        "size": len(TEXT.encode()),
    }
    assert asked["Link"]["input"] == {
        "id": MARKER,
        "issueId": MARKER,
        "url": "https://uploads.linear.app/a/b",
        "title": "P7-brief.md",
    }
    assert "Comment" not in linear_api.operations


@pytest.mark.parametrize("there", ["attachments", "comments"])
def test_what_is_there_already_is_not_put_again(linear_api, linear_tracker, storage, there):
    seen = json.loads(json.dumps(NOTHING_YET))
    seen["data"]["issue"][there]["nodes"] = [{"id": MARKER}]
    linear_api.gives(Evidence=seen)
    attach(linear_tracker)
    assert (linear_api.operations, storage.puts) == (["Evidence"], [])


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/put",
        "https://linear.app.evil.example/put",
        "https://storage.googleapis.com@evil.example/put",
        "https://storage.googleapis.com:8443/put",
        "http://storage.googleapis.com/put",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "//storage.googleapis.com/put",
        "https://[::1]/put",
    ],
)
def test_a_place_that_is_not_linears_storage_gets_nothing(url, monkeypatch):
    """Not a byte goes to the address that the answer named."""
    called = []
    monkeypatch.setattr(linear_files.outbound, "request", lambda *args, **_: called.append(args))
    with pytest.raises(OutboundError) as caught:
        linear_files.put(Upload(url, "", {}), b"x", limits=None, allowed_hosts=())
    assert (caught.value.outcome, called) == (Outcome.REFUSED_FOR_GOOD, [])


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/uploads/x?sig=1",
        "https://linear-uploads.storage.googleapis.com/x",
        "https://uploads.linear.app/x",
    ],
)
def test_linears_own_storage_is_called(url, monkeypatch):
    called = []
    monkeypatch.setattr(linear_files.outbound, "request", lambda *args, **_: called.append(args))
    linear_files.put(Upload(url, "", {}), b"x", limits=None, allowed_hosts=())
    assert called == [("PUT", url)]


def test_headers_that_would_steer_the_call_are_not_taken():
    upload = upload_of(
        prepared(
            "https://storage.googleapis.com/x",
            Authorization="Bearer theirs",
            Host="evil.example",
            **{"Content-Type": "text/x", "bad name": "x", "X-Goog-Meta": "1"},
        )["data"]
    )
    assert upload.headers == {
        "content-type": "text/x",
        "cache-control": "public, max-age=31536000",
        "x-goog-meta": "1",
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_where_the_file_is_refused_the_brief_is_a_comment(
    linear_api, linear_tracker, storage, status
):
    """Also a 401 of the storage: it says nothing of our key, so nothing is paused."""
    storage.status = status
    attach(linear_tracker)
    assert linear_api.operations == ["Evidence", "Upload", "Evidence", "Comment"]


def test_a_storage_that_is_away_is_tried_later(linear_api, linear_tracker, storage):
    storage.status = 503
    error = failure(attach, linear_tracker)
    assert (error.outcome, error.credential_refused) == (Outcome.REFUSED_TRY_LATER, False)
    assert "Comment" not in linear_api.operations


def test_a_redirect_of_the_storage_is_not_followed(linear_api, linear_tracker, storage):
    storage.status = 307
    failure(attach, linear_tracker)
    assert len(storage.puts) == 1


# --- against the strict double --------------------------------------------------------------------

PATIENT = Limits(connect=2, read=1.5, total=3)
CALLS = ["fileUpload", "uploadFile", "attachmentCreate"]
FAULTS = [
    "500", "502-html", "503-retry-after", "429", "hang", "reset", "bad-json", "html-login", "redirect",
    "create-then-timeout", "create-then-reset", "create-then-500", "create-then-truncate",
    "create-then-wrong-shape", "graphql-internal", "success-false",
]  # fmt: skip


@pytest.fixture(scope="module")
def running():
    double = Double("linear.py")
    yield double
    double.stop()


@pytest.fixture
def linear(running):
    running.admin("reset", {})
    return OnLinear(running)


def evidence(linear, name="P7-brief.md"):
    (issue,) = linear.double.issues()
    files = [each for each in issue["attachments"] if each["title"] == name]
    said = [each for each in issue["comments"] if "brief" in each["body"]]
    return files, said


@pytest.mark.shared
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("preset", FAULTS)
def test_whatever_fails_there_is_one_piece_of_evidence(linear, call, preset):
    adapter, marker = linear.adapter(limits=PATIENT), str(uuid.uuid4())
    ticket = adapter.create(new_draft())
    linear.double.fault(preset, call)
    for _ in range(4):
        try:
            adapter.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
        except OutboundError as error:
            assert not error.credential_refused
    adapter.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
    files, said = evidence(linear)
    assert len(files) + len(said) == 1
    violations = linear.double.admin("violations?level=error")["violations"]
    assert [each for each in violations if "Authorization" in str(each)] == []


@pytest.mark.shared
def test_the_double_takes_the_file_as_it_is_and_without_our_key(linear):
    adapter, marker = linear.adapter(limits=PATIENT), str(uuid.uuid4())
    ticket = adapter.create(new_draft())
    for _ in range(2):
        adapter.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
    ((file,), said) = evidence(linear)
    assert (file["id"], said) == (marker, [])
    (upload,) = linear.double.admin("state")["uploads"]
    assert (upload["received"], upload["size"]) == (True, len(TEXT.encode()))
    linear.double.assert_clean(issues=1)


@pytest.mark.shared
@pytest.mark.parametrize("until", ["_upload", "_link"])
def test_a_worker_killed_on_the_way_leaves_one_file(linear, until, monkeypatch):
    killed, marker = linear.adapter(limits=PATIENT), str(uuid.uuid4())
    ticket = killed.create(new_draft())
    step = getattr(killed, until)

    class Killed(BaseException):
        pass

    def dies(*args, **options):
        step(*args, **options)
        raise Killed

    monkeypatch.setattr(killed, until, dies)
    with pytest.raises(Killed):
        killed.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
    linear.adapter(limits=PATIENT).attach(
        ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker
    )
    files, said = evidence(linear)
    assert (len(files), said) == (1, [])
    linear.double.assert_clean(issues=1)


@pytest.mark.shared
def test_of_two_workers_at_once_one_file_stays(linear):
    first, second, marker = (
        linear.adapter(limits=PATIENT),
        linear.adapter(limits=PATIENT),
        str(uuid.uuid4()),
    )
    ticket = first.create(new_draft())
    put = first._upload

    def meanwhile(*args):
        second.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
        return put(*args)

    first._upload = meanwhile
    first.attach(ticket.remote_id, name="P7-brief.md", text=TEXT, marker=marker)
    files, said = evidence(linear)
    assert (len(files), said) == (1, [])
