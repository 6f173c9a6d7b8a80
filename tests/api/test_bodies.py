import gzip
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
from django.http import UnreadablePostError
from django.test import RequestFactory

from feedbackhub.api import bodies
from feedbackhub.api.problems import Problem
from feedbackhub.api.strict_json import BadDocument, TooManyRows
from tests.environment import ROOT

MB = 1024 * 1024


def post(body=b"{}", content_type="application/json", **headers):
    request = RequestFactory().post("/api/v1/x", body, content_type=content_type, headers=headers)
    request.META["CONTENT_TYPE"] = content_type  # the factory sends none without a body
    return request


def refused(request, read=bodies.read_submission, **options):
    with pytest.raises(Problem) as caught:
        read(request, **options)
    return caught.value


# --- what kind of body --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=utf8; profile=x",
        "application/json;",
    ],
)
def test_read_json_takes_json_in_utf8(content_type):
    assert bodies.read_json(post(b'{"a":1}', content_type)) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/jsonx",
        "application/x-ndjson",
        "application/json; charset=utf-7",
        "application/json; charset=idna",
        "application/json; charset=unicode_escape",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset",
        "application/json; =; x",
        "application/json, application/json",
    ],
)
def test_read_json_refuses_every_other_content_type(content_type):
    problem = refused(post(b"{}", content_type), bodies.read_json)

    assert problem.status == 415


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, identity", "x"])
def test_read_json_refuses_every_other_coding(coding):
    problem = refused(post(b"{}", content_encoding=coding), bodies.read_json)

    assert (problem.status, problem.headers) == (415, {"Accept-Encoding": "gzip, identity"})


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_read_json_unpacks_gzip(coding):
    body = gzip.compress(b'{"a":1}')

    assert bodies.read_json(post(body, content_encoding=coding)) == {"a": 1}


def test_read_json_takes_identity():
    assert bodies.read_json(post(b"[1]", content_encoding="identity")) == [1]


def test_read_body_takes_the_content_types_an_endpoint_names():
    request = post(b"\x0a", "application/x-protobuf")

    body = bodies.read_body(request, limit=10, media_types=("application/x-protobuf",))

    assert body == bodies.Body(raw=b"\x0a", media_type="application/x-protobuf")


# --- how much -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_gzip", [False, True])
def test_read_body_takes_its_limit_and_not_a_byte_more(is_gzip):
    def sized(size):
        raw = b" " * size
        return post(gzip.compress(raw), content_encoding="gzip") if is_gzip else post(raw)

    assert len(bodies.read_body(sized(1_000), limit=1_000).raw) == 1_000
    problem = refused(sized(1_001), bodies.read_body, limit=1_000)
    assert (problem.status, problem.detail) == (
        413,
        "The body may hold at most 1,000 bytes, unpacked as well.",
    )


def test_read_body_holds_gzip_to_the_limit_on_the_wire():
    noise = os.urandom(2_000)

    assert (
        refused(
            post(gzip.compress(noise), content_encoding="gzip"), bodies.read_body, limit=1_000
        ).status
        == 413
    )


def test_read_body_refuses_by_content_length_without_unpacking():
    request = post(b"x" * 2_000, content_encoding="gzip")  # no gzip at all

    assert refused(request, bodies.read_body, limit=1_000).status == 413


def test_read_body_stops_unpacking_a_bomb_at_the_limit():
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MB)) for _ in range(512)) + packer.flush()
    assert len(bomb) < bodies.WEBHOOK_LIMIT
    request = post(bomb, content_encoding="gzip")

    tracemalloc.start()
    assert refused(request, bodies.read_body, limit=bodies.WEBHOOK_LIMIT).status == 413
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MB


def test_read_body_reads_gzip_of_several_members_within_reason():
    member = gzip.compress(b" ")

    assert (
        bodies.read_body(post(member * 1_000, content_encoding="gzip"), limit=MB).raw
        == b" " * 1_000
    )
    assert (
        refused(post(member * 1_001, content_encoding="gzip"), bodies.read_body, limit=MB).status
        == 400
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"\x1f\x8b",
        gzip.compress(b"[1,2,3]", mtime=0)[:-4],
        gzip.compress(b"{}", mtime=0) + b"tail",
        b"",
    ],
)
def test_read_body_refuses_what_is_no_whole_gzip(body):
    assert refused(post(body, content_encoding="gzip"), bodies.read_body, limit=MB).status == 400


def test_read_body_refuses_a_body_that_ends_early():
    request = post(b'{"a":1}\n{"a":2}', "application/x-ndjson")
    request.META["CONTENT_LENGTH"] = "500"
    request._stream = io.BytesIO(request.read())

    assert refused(request).detail == "The body ended early."


def test_read_body_refuses_a_body_whose_sender_went_away():
    request = post(b"{}")
    request.read = lambda size: (_ for _ in ()).throw(UnreadablePostError("gone"))

    assert refused(request).status == 400


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "0x10"])
def test_read_body_refuses_a_length_that_is_no_number(length):
    request = post(b"{}")
    request.META["CONTENT_LENGTH"] = length

    assert refused(request).status == 400


def test_read_body_reads_chunks_where_the_server_ends_them():
    request = post(b"")
    request.META |= {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": io.BytesIO(b'{"a":1}'),
    }

    assert bodies.read_json(request) == {"a": 1}


def test_read_body_asks_for_a_length_where_the_server_does_not():
    request = post(b"")
    request.META["HTTP_TRANSFER_ENCODING"] = "chunked"

    assert refused(request).status == 411


def test_read_body_reads_to_the_end_what_it_refuses():
    request = post(b"x" * (3 * MB), "text/plain")

    assert refused(request).status == 415
    assert request.read() == b""


# --- one or many --------------------------------------------------------------------------------


def test_read_submission_tells_one_from_many():
    one = bodies.read_submission(post(b' {"a":[1]}'))
    array = bodies.read_submission(post(b' [{"a":1},{"a":2}]'))
    lines = bodies.read_submission(post(b'{"a":1}\n{"a"', "application/x-ndjson"))

    assert (one.is_batch, one.value) == (False, {"a": [1]})
    assert (array.is_batch, list(array.rows)) == (True, [(0, {"a": 1}), (1, {"a": 2})])
    rows = list(lines.rows)
    assert (lines.is_batch, rows[0]) == (True, (0, {"a": 1}))
    assert isinstance(rows[1][1], BadDocument)


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b'"\\ud800"', b"\xef\xbb\xbf{}"])
def test_read_submission_refuses_a_broken_document(body):
    with pytest.raises(BadDocument):
        bodies.read_submission(post(body))


def test_read_submission_takes_4_mb_for_one_and_16_for_many():
    def padded(text, size):
        return text + b" " * (size - len(text))

    bodies.read_submission(post(padded(b"{}", 4 * MB)))
    bodies.read_submission(post(padded(b"[{}]", 16 * MB)))
    bodies.read_submission(post(padded(b"{}\n", 16 * MB), "application/x-ndjson"))

    assert refused(post(padded(b"{}", 4 * MB + 1))).status == 413
    assert refused(post(padded(b"[{}]", 16 * MB + 1))).status == 413
    assert refused(post(padded(b"{}\n", 16 * MB + 1), "application/x-ndjson")).status == 413


def test_read_submission_refuses_too_many_rows():
    with pytest.raises(TooManyRows):
        bodies.read_submission(post(json.dumps([{}] * 5_001).encode()))
    with pytest.raises(TooManyRows):
        bodies.read_submission(post(b"{}\n" * 5_001, "application/x-ndjson"))


# --- over a real connection ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gunicorn = f"-m gunicorn -c python:feedbackhub.gunicorn_conf {__package__}.body_server"
    process = subprocess.Popen(
        [sys.executable, *gunicorn.split()],
        cwd=ROOT,
        env=os.environ | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"},
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=20)
    yield connection
    connection.close()


def send(connection, body, **headers):
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", "/api/v1/take", body=body, headers=headers)
    response = connection.getresponse()
    return response.status, response.headers["Content-Type"], json.loads(response.read())


def test_a_body_in_chunks_is_read(connection):
    status, _, body = send(connection, iter([b"[1,", b"2]"]))

    assert (status, body) == (200, {"is_batch": True, "rows": 2})


def test_a_body_too_large_gets_its_answer_and_keeps_the_connection(connection):
    for body in (b"x" * (30 * MB), iter([b"x" * MB] * 30)):
        status, content_type, problem = send(connection, body)

        assert (status, content_type) == (413, "application/problem+json")
        assert problem["type"] == "/problems/too-large"
    assert send(connection, b"{}")[2] == {"is_batch": False, "rows": 1}


def test_a_refused_content_type_keeps_the_connection(connection):
    status, _, _ = send(connection, b"x" * (2 * MB), **{"Content-Type": "text/plain"})

    assert status == 415
    assert send(connection, b"{}")[0] == 200


def test_a_malformed_chunk_is_a_problem(server):
    with socket.create_connection(("127.0.0.1", server), timeout=20) as raw:
        raw.sendall(
            b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nZZ\r\n"
        )
        answer = raw.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_chunks_that_end_early_are_a_problem(server):
    with socket.create_connection(("127.0.0.1", server), timeout=20) as raw:
        raw.sendall(
            b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
        )
        raw.shutdown(socket.SHUT_WR)
        answer = raw.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 400 ")
