"""The one door to the outside, tried with real sockets."""

import datetime
import http.server
import ipaddress
import json
import logging
import pickle
import socket
import ssl
import struct
import threading
import time
import traceback

import httpcore
import pytest

from feedbackhub import outbound
from feedbackhub.outbound import Limits, OutboundError, Outcome, request, request_json

QUICK = Limits(connect=0.5, read=0.3, total=0.8, body=10_000)
SECRET = "sk-very-secret"


class Listener:
    """A server that does with each connection what the test says, after reading the request."""

    def __init__(self, behave):
        self.requests = []
        self._behave = behave
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def allowed(self):
        return [f"127.0.0.1:{self.port}"]

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.requests.append(self._read_request(connection))
                    self._behave(connection)
                except OSError:
                    pass

    @staticmethod
    def _read_request(connection):
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self):
        self._socket.close()


@pytest.fixture
def listen():
    listeners = []

    def start(behave):
        listeners.append(Listener(behave))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


def says(raw):
    return lambda connection: connection.sendall(raw)


def answer(body=b'{"ok": true}', status=b"200 OK", kind=b"application/json", extra=b""):
    return (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\n" + extra +
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )  # fmt: skip


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(connection):
    time.sleep(1.5)


def trickle(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    for _ in range(30):
        connection.sendall(b"X-Slow: 1\r\n")
        time.sleep(0.1)


def write(listener, **options):
    return request_json(
        "POST",
        listener.url(),
        expects_write=True,
        **{"json": {"title": "t"}, "limits": QUICK, "allowed_hosts": listener.allowed, **options},
    )


def read(listener, **options):
    return request_json(
        "GET",
        listener.url(),
        expects_write=False,
        **{"limits": QUICK, "allowed_hosts": listener.allowed, **options},
    )


def failure(call, *args, **options):
    with pytest.raises(OutboundError) as caught:
        call(*args, **options)
    return caught.value


@pytest.fixture
def connections(monkeypatch):
    """Which addresses the guard asked the operating system to connect to; none is reached."""
    asked = []

    def connect_tcp(self, host, port, **options):
        asked.append((host, port))
        raise httpcore.ConnectError("not in this test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
    return asked


# --- what goes well -------------------------------------------------------------------------------


def test_request_json_returns_status_headers_and_parsed_body(listen):
    server = listen(says(answer(extra=b"X-Seen: yes\r\n")))

    reply = write(server, headers={"Authorization": "Bearer x"})

    assert (reply.status, reply.json, reply.headers["x-seen"]) == (200, {"ok": True}, "yes")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {"title": "t"}
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer x\r\n" in head
    assert b"\r\nAccept-Encoding: identity\r\n" in head


def test_request_json_accepts_an_empty_body_only_where_the_caller_expects_one(listen):
    server = listen(says(b"HTTP/1.1 204 No Content\r\n\r\n"))

    assert write(server, may_be_empty=True).json is None
    assert failure(write, server).outcome is Outcome.UNKNOWN


def test_request_sends_exact_bytes_and_leaves_the_answer_alone(listen):
    server = listen(says(answer(b"ok", kind=b"text/plain")))

    reply = request(
        "POST",
        server.url("/hook"),
        expects_write=True,
        content=b'{"signed": 1}',
        headers={"Content-Type": "application/json"},
        allowed_hosts=server.allowed,
    )

    assert reply.content == b"ok"
    assert server.requests[0].endswith(b'\r\n\r\n{"signed": 1}')


def test_request_sends_a_form(listen):
    server = listen(says(answer()))

    write(server, json=None, form={"grant_type": "refresh_token", "a b": "c&d"})

    assert server.requests[0].endswith(b"\r\n\r\ngrant_type=refresh_token&a+b=c%26d")


def test_accept_status_returns_a_refusal_instead_of_raising_it(listen):
    server = listen(says(answer(b'{"errors": []}', status=b"400 Bad Request")))

    reply = write(server, accept_status={400})

    assert (reply.status, reply.json) == (400, {"errors": []})


# --- the three outcomes ---------------------------------------------------------------------------

CUT = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + (
    b'{"id": "1'
)
SPOILT = {
    "hangs": hang,
    "trickles": trickle,
    "resets": reset,
    "closes": lambda connection: None,
    "truncates": says(CUT),
    "truncates headers": says(b"HTTP/1.1 201 Created\r\nContent-"),
    "speaks nonsense": says(b"\x00\x01\x02\x03 what\r\n\r\n"),
    "answers 500": says(answer(status=b"500 Internal Server Error")),
    "answers 502 in HTML": says(answer(b"<html>", b"502 Bad Gateway", b"text/html")),
    "answers 408": says(answer(status=b"408 Request Timeout")),
    "answers HTML": says(answer(b"<html>log in</html>", kind=b"text/html")),
    "answers JSON called HTML": says(answer(kind=b"text/html")),
    "answers half a JSON": says(answer(b'{"id": "1')),
    "answers nothing": says(answer(b"")),
    "answers invalid UTF-8": says(answer(b'{"id": "\xff"}')),
    "answers deep JSON": says(answer(b"[" * 9_000)),
    "answers gzip unasked": says(answer(extra=b"Content-Encoding: gzip\r\n")),
    "answers too much": says(answer(b'"' + b"a" * 20_000 + b'"')),
    "redirects": says(answer(status=b"302 Found", extra=b"Location: /elsewhere\r\n")),
}


@pytest.mark.parametrize("behave", SPOILT.values(), ids=SPOILT)
def test_a_write_whose_answer_is_lost_or_spoilt_is_unknown_and_sent_once(listen, behave):
    server = listen(behave)

    assert failure(write, server).outcome is Outcome.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("behave", SPOILT.values(), ids=SPOILT)
def test_a_read_whose_answer_is_lost_or_spoilt_may_be_tried_later(listen, behave):
    server = listen(behave)

    assert failure(read, server).outcome is Outcome.REFUSED_TRY_LATER
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "status", [b"400 Bad", b"401 No", b"403 No", b"404 No", b"409 No", b"422 No"]
)
def test_a_4xx_refuses_for_good_whatever_its_body(listen, status):
    code = int(status[:3])
    for body, kind in (
        (b'{"errors": {"priority": "no"}}', b"application/json"),
        (b"<h1>", b"text/html"),
    ):
        server = listen(says(answer(body, status, kind)))
        error = failure(write, server)
        assert (error.outcome, error.status) == (Outcome.REFUSED_FOR_GOOD, code)
        assert error.credential_refused is (code == 401)
    server = listen(says(answer(b'{"errors": {"priority": "no"}}', status)))
    assert failure(write, server).answer.json == {"errors": {"priority": "no"}}


def test_a_4xx_cut_in_the_middle_is_still_a_refusal(listen):
    server = listen(says(CUT.replace(b"201 Created", b"400 Bad Request")))

    error = failure(write, server)

    assert (error.outcome, error.answer.json) == (Outcome.REFUSED_FOR_GOOD, None)


def test_429_refuses_up_front_and_names_when_to_come_back(listen):
    server = listen(says(answer(status=b"429 Too Many", extra=b"Retry-After: 1800\r\n")))

    error = failure(write, server)

    assert (error.outcome, error.retry_after, error.status) == (
        Outcome.REFUSED_TRY_LATER,
        1800,
        429,
    )


def test_503_with_retry_after_is_unknown_for_a_write_and_keeps_the_time(listen):
    server = listen(says(answer(status=b"503 Away", extra=b"Retry-After: 7\r\n")))

    assert (failure(write, server).outcome, failure(write, server).retry_after) == (
        Outcome.UNKNOWN,
        7,
    )


def test_a_write_that_never_connected_may_be_tried_later():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = failure(
        request_json,
        "POST",
        f"http://127.0.0.1:{port}/",
        expects_write=True,
        json={},
        allowed_hosts=[f"127.0.0.1:{port}"],
        service="Jira",
    )

    assert error.outcome is Outcome.REFUSED_TRY_LATER
    assert str(error) == f"Jira at 127.0.0.1:{port} cannot be reached."


def test_a_name_that_does_not_resolve_may_be_tried_later():
    def unknown(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    error = failure(
        request_json,
        "POST",
        "https://nowhere.test/",
        expects_write=True,
        json={},
        allowed_hosts=[],
        resolve=unknown,
    )

    assert error.outcome is Outcome.REFUSED_TRY_LATER


def test_a_name_lookup_that_hangs_is_given_up_at_the_connect_limit():
    started = time.monotonic()

    error = failure(
        request_json,
        "POST",
        "https://slow.test/",
        expects_write=True,
        json={},
        limits=QUICK,
        allowed_hosts=[],
        resolve=lambda host, port: time.sleep(3) or ["127.0.0.1"],
    )

    assert error.outcome is Outcome.REFUSED_TRY_LATER
    assert time.monotonic() - started < 1.5


def test_the_deadline_ends_an_answer_that_keeps_trickling(listen):
    server = listen(trickle)
    started = time.monotonic()

    failure(read, server, limits=Limits(connect=1, read=1, total=0.5))

    assert time.monotonic() - started < 1.2


def test_the_deadline_cuts_a_single_wait_short_too(listen):
    server = listen(hang)
    started = time.monotonic()

    failure(read, server, limits=Limits(connect=5, read=5, total=0.3))

    assert time.monotonic() - started < 1.2


def test_an_endless_answer_is_cut_off_while_it_arrives(listen):
    sent = []

    def flood(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while sum(sent) < 50_000_000:
            sent.append(connection.send(b"a" * 65536))

    server = listen(flood)

    error = failure(read, server, limits=Limits(body=1024 * 1024))

    assert "more than 1048576 bytes" in str(error)
    assert sum(sent) < 20_000_000  # what fits into the buffers in between


def test_a_request_that_cannot_be_written_down_is_refused_before_anything_is_sent(listen):
    server = listen(says(answer()))

    for options in (
        {"json": {"title": "lone \ud800 surrogate"}},
        {"json": {"score": float("nan")}},
        {"headers": {"Authorization": f"{SECRET}…"}},
        {"headers": {"Authorization": f"{SECRET}\r\nX-Evil: 1"}},
    ):
        error = failure(write, server, **options)
        assert error.outcome is Outcome.REFUSED_FOR_GOOD
        assert SECRET not in str(error)
    assert b"".join(server.requests).strip() == b""


# --- where a call may go --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://example.com",
        "//example.com/x",
        "example.com",
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://acme.atlassian.net@evil.test/",
        "http://example.com/",
        "http://127.0.0.1:1/",
        "https://exa mple.com/",
        "https://[::1/",
        "https://0177.0.0.1/",
        "https://example.com:99999999/",
        "https://example.com:0/",
        "https://exam\\ple.com/",
        "https://example.com\\@evil.test/",
        "https://[fe80::1%25eth0]/",
        "",
    ],
)
def test_urls_that_are_not_plain_https_are_refused_before_any_lookup(url):
    looked_up = []

    error = failure(
        request,
        "GET",
        url,
        expects_write=False,
        allowed_hosts=[],
        resolve=lambda host, port: looked_up.append(host) or [],
    )

    assert error.outcome is Outcome.REFUSED_FOR_GOOD
    assert looked_up == []


DENIED = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", DENIED)
def test_a_name_that_leads_to_a_denied_address_is_never_connected_to(connections, address):
    error = failure(
        request,
        "POST",
        "https://hooks.test/secret-path",
        expects_write=True,
        allowed_hosts=[],
        resolve=lambda host, port: [address],
    )

    assert error.outcome is Outcome.REFUSED_FOR_GOOD
    assert connections == []
    assert address not in str(error)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_connected_to(connections, address):
    error = failure(
        request,
        "GET",
        "https://hooks.test/",
        expects_write=False,
        allowed_hosts=[],
        resolve=lambda host, port: [address],
    )

    assert connections == [(address, 443)]
    assert error.outcome is Outcome.REFUSED_TRY_LATER


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0", "127.1", "2130706433", "0x7f000001", "[::1]", "①②⑦.⓪.⓪.①"],
)
def test_spellings_of_this_machine_are_refused_by_the_system_resolver_too(connections, host):
    error = failure(request, "GET", f"https://{host}/", expects_write=False, allowed_hosts=[])

    assert connections == []
    assert error.outcome in (Outcome.REFUSED_FOR_GOOD, Outcome.REFUSED_TRY_LATER)


def test_one_denied_address_among_public_ones_refuses_the_name(connections):
    error = failure(
        request,
        "GET",
        "https://mixed.test/",
        expects_write=False,
        allowed_hosts=[],
        resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"],
    )

    assert error.outcome is Outcome.REFUSED_FOR_GOOD
    assert connections == []


def test_a_name_that_changes_its_address_is_asked_once_and_the_checked_address_is_used(connections):
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]

    failure(
        request,
        "GET",
        "https://rebinding.test/",
        expects_write=False,
        allowed_hosts=[],
        resolve=lambda host, port: answers.pop(0),
    )

    assert connections == [("93.184.216.34", 443)]
    assert len(answers) == 2


def test_a_peer_other_than_the_one_checked_is_dropped_before_anything_is_sent(listen, monkeypatch):
    server = listen(says(answer()))
    connect_tcp = httpcore.SyncBackend.connect_tcp
    monkeypatch.setattr(
        httpcore.SyncBackend,
        "connect_tcp",
        lambda self, host, port, **options: connect_tcp(self, "127.0.0.1", server.port, **options),
    )

    error = failure(
        request,
        "POST",
        "https://diverted.test/",
        expects_write=True,
        allowed_hosts=[],
        resolve=lambda host, port: ["93.184.216.34"],
    )

    assert error.outcome is Outcome.REFUSED_FOR_GOOD
    assert [seen for seen in server.requests if seen.strip()] == []


def test_the_next_address_is_tried_when_one_does_not_answer(listen):
    server = listen(says(answer()))

    reply = request_json(
        "GET",
        f"http://two.test:{server.port}/",
        expects_write=False,
        allowed_hosts=[f"two.test:{server.port}"],
        resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"],
    )

    assert reply.json == {"ok": True}
    assert f"Host: two.test:{server.port}".encode() in server.requests[0]


def test_an_opened_host_may_be_private_but_not_the_metadata_service(connections):
    for address, asked in (("10.0.0.1", 1), ("169.254.169.254", 0), ("fe80::1", 0), ("0.0.0.0", 0)):
        connections.clear()
        failure(
            request,
            "GET",
            "https://jira.intranet:8443/",
            expects_write=False,
            allowed_hosts=["Jira.Intranet:8443"],
            resolve=lambda host, port, address=address: [address],
        )
        assert len(connections) == asked


def test_an_opened_host_is_opened_at_its_port_only():
    opened = ["127.0.0.1:8071", "[::1]:8071", "jira.intranet:443"]

    for url, expected in (
        ("http://127.0.0.1:8071/rest", True),
        ("http://[::1]:8071/", True),
        ("https://JIRA.intranet/x", True),
        ("http://127.0.0.1:8072/", False),
        ("http://127.0.0.1/", False),
        ("http://jira.intranet/", False),
        ("http://127.0.0.1.evil.test:8071/", False),
    ):
        assert outbound.is_opened(url, allowed_hosts=opened) is expected


def test_opened_hosts_default_to_the_setting(monkeypatch):
    import django.conf

    class Settings:
        OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1:9"]

    monkeypatch.setattr(django.conf, "settings", Settings)

    assert outbound.is_opened("http://127.0.0.1:9/") is True
    assert outbound.is_opened("http://127.0.0.1:10/") is False


def test_is_public_agrees_with_ipaddress_on_ordinary_addresses():
    for text in ("1.1.1.1", "9.9.9.9", "2620:fe::fe"):
        assert ipaddress.ip_address(text).is_global
        assert outbound.is_public(text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_never_followed(httpserver, status):
    httpserver.expect_request("/start").respond_with_data(
        "", status=status, headers={"Location": httpserver.url_for("/trap")}
    )
    httpserver.expect_request("/trap").respond_with_json({"trapped": True})

    error = failure(
        request_json,
        "GET",
        httpserver.url_for("/start"),
        expects_write=False,
        allowed_hosts=[f"{httpserver.host}:{httpserver.port}"],
    )

    assert "redirect" in str(error)
    assert [seen.path for seen, _ in httpserver.log] == ["/start"]


def test_proxies_of_the_environment_are_not_used(listen, monkeypatch):
    server, proxy = listen(says(answer())), listen(says(answer(b'{"proxied": true}')))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())

    assert read(server).json == {"ok": True}
    assert proxy.requests == []


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(tmp_path):
    """An HTTPS server for tracker.test on this machine, and a context that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tracker.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tracker.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "tracker.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    seen = {"hosts": [], "names": []}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen["hosts"].append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"secure": true}')

        def log_message(self, *args):
            pass

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    server_side.sni_callback = lambda sock, name, context: seen["names"].append(name)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = server_side.wrap_socket(server.socket, server_side=True)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    trusting = ssl.create_default_context(cafile=str(pem))
    yield server.server_address[1], trusting, seen
    server.shutdown()
    server.server_close()


def call_tls(port, host, **options):
    return request_json(
        "GET",
        f"https://{host}:{port}/",
        expects_write=False,
        allowed_hosts=[f"{host}:{port}"],
        resolve=lambda host, port: ["127.0.0.1"],
        **options,
    )


def test_tls_and_host_header_speak_of_the_name_not_of_the_address(tls_server):
    port, trusting, seen = tls_server

    assert call_tls(port, "tracker.test", tls=trusting).json == {"secure": True}
    assert seen == {"hosts": [f"tracker.test:{port}"], "names": ["tracker.test"]}


def test_a_certificate_for_another_name_or_of_an_unknown_issuer_is_refused(tls_server):
    port, trusting, seen = tls_server

    for error in (
        failure(call_tls, port, "other.test", tls=trusting),
        failure(call_tls, port, "tracker.test"),
    ):
        assert error.outcome is Outcome.REFUSED_TRY_LATER
        assert "certificate" in str(error)
    assert seen["hosts"] == []


# --- secrets --------------------------------------------------------------------------------------


def test_secrets_stay_out_of_errors_and_logs(listen, caplog):
    caplog.set_level(logging.DEBUG)
    cookie = f"Set-Cookie: {SECRET}\r\n".encode()
    echo = answer(SECRET.encode(), b"403 No", b"text/plain", cookie)
    bodies = (reset, hang, says(echo), says(answer(b"<")))

    for behave in bodies:
        server = listen(behave)
        error = failure(
            request_json,
            "POST",
            server.url(f"/services/{SECRET}?token={SECRET}"),
            expects_write=True,
            json={"text": SECRET},
            headers={"Authorization": f"Basic {SECRET}"},
            limits=QUICK,
            allowed_hosts=server.allowed,
        )
        shown = [str(error), repr(error), repr(error.answer), *traceback.format_exception(error)]
        assert SECRET not in "".join(shown)
    assert SECRET not in caplog.text


def test_outbound_errors_travel_between_processes():
    error = OutboundError("Jira asks to wait.", "refused_try_later", retry_after=3, status=429)

    back = pickle.loads(pickle.dumps(error))

    assert (str(back), back.outcome, back.retry_after, back.status) == (
        "Jira asks to wait.",
        Outcome.REFUSED_TRY_LATER,
        3,
        429,
    )


# --- when to come back ----------------------------------------------------------------------------

NOON = datetime.datetime(2026, 11, 20, 12, 0, 0, tzinfo=datetime.UTC)
DATE = "Fri, 20 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "99999999999999999999"}, 72 * 3600),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 12:00:20 GMT", "Date": DATE}, 20),
        ({"Retry-After": "Fri, 20 Nov 2026 11:00:00 GMT", "Date": DATE}, 0),
        ({"X-RateLimit-Reset": "2026-11-20T12:05:00Z", "Date": DATE}, 300),
        (
            {"X-RateLimit-Reset": "2026-11-20T12:05Z", "X-RateLimit-Remaining": "0", "Date": DATE},
            300,
        ),
        (
            {
                "X-RateLimit-Reset": "2026-11-20T12:05:00Z",
                "X-RateLimit-Remaining": "5",
                "Date": DATE,
            },
            None,
        ),
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 60), "Date": DATE}, 60),
        ({"X-RateLimit-Requests-Reset": str(int(NOON.timestamp() + 90) * 1000), "Date": DATE}, 90),
        (
            {
                "X-RateLimit-Requests-Remaining": "12",
                "X-RateLimit-Requests-Reset": str(int(NOON.timestamp() + 3600) * 1000),
                "X-RateLimit-Complexity-Remaining": "0",
                "X-RateLimit-Complexity-Reset": str(int(NOON.timestamp() + 40) * 1000),
                "Date": DATE,
            },
            40,
        ),
        ({"X-RateLimit-Reset": "1e400", "Date": DATE}, None),
        ({"X-RateLimit-Reset": "9" * 30, "Date": DATE}, None),
        ({"Retry-After": "7", "X-RateLimit-Reset": "2026-11-20T13:00:00Z", "Date": DATE}, 7),
    ],
)
def test_retry_after_reads_every_form(headers, expected):
    assert outbound.retry_after(headers, now=NOON) == expected


def test_retry_after_is_held_against_the_answers_own_clock():
    an_hour_off = NOON + datetime.timedelta(hours=1)

    headers = {"Retry-After": "Fri, 20 Nov 2026 12:00:20 GMT", "Date": DATE}

    assert outbound.retry_after(headers, now=an_hour_off) == 20
