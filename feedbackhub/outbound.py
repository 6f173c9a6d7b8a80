"""The one HTTP client: every call that leaves the house goes through this door.

What it promises:

- **No call goes where it may not.** The name is resolved once, every address it stands for is
  checked, and the socket is opened to an address that was checked; TLS and the Host header still
  speak of the name. Redirects are never followed, proxies and credentials from the environment
  are never used.
- **No call is repeated.** Each has its own connection, closed afterwards, so that no layer below
  can send it a second time.
- **No call hangs or floods.** Time-outs for connecting and for each read, a deadline over all of
  it (the name lookup included), and a limit on the answer's size while it arrives.
- **Every failure says what may have happened**: `OutboundError.outcome`. A caller that writes may
  simply try again only what was refused; after `unknown` it looks first.

Errors name the service and the host, never a path, a header or a body: paths and headers hold
secrets.
"""

import enum
import functools
import ipaddress
import json as json_module
import logging
import math
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

# httpcore tells each step at DEBUG, response headers included.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Outcome(enum.StrEnum):
    """What a failed call left behind at the other end."""

    REFUSED_FOR_GOOD = "refused_for_good"  # nothing happened, and the same call will not succeed
    REFUSED_TRY_LATER = "refused_try_later"  # nothing happened; the same call may succeed later
    UNKNOWN = "unknown"  # it may have happened: look before repeating it


class OutboundError(Exception):
    """A call that did not succeed, in words for the person who can do something about it.

    `retry_after` is in seconds, where the other side named a time. `status` is the HTTP status if
    one came. `credential_refused` says that every further call with this credential will fail.
    `answer` is what came with a refusal, for the adapter that asked; it is kept out of messages.
    """

    def __init__(
        self,
        message: str,
        outcome: Outcome | str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        credential_refused: bool = False,
        answer: "Answer | None" = None,
    ):
        super().__init__(message)
        self.outcome = Outcome(outcome)
        self.retry_after = retry_after
        self.status = status
        self.credential_refused = credential_refused
        self.answer = answer

    @property
    def message(self) -> str:
        return str(self)

    @property
    def is_unknown(self) -> bool:
        return self.outcome is Outcome.UNKNOWN

    @property
    def can_be_repeated(self) -> bool:
        return self.outcome is Outcome.REFUSED_TRY_LATER

    def __reduce__(self):
        known = {
            "retry_after": self.retry_after,
            "status": self.status,
            "credential_refused": self.credential_refused,
        }
        return (type(self), (str(self), self.outcome), known)


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes; the defaults are RELIABILITY §2's."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 15.0
    body: int = 1024 * 1024


LIMITS = Limits()


@dataclass(frozen=True)
class Answer:
    """An answer that came whole. `json` is None where the body was empty or was not asked for."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False, default=b"")
    json: Any = field(repr=False, default=None)


Resolver = Callable[[str, int], Sequence[str]]


def request(
    method: str,
    url: str,
    *,
    expects_write: bool,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    service: str = "the service",
    accept_status: Collection[int] = (),
    limits: Limits = LIMITS,
    allowed_hosts: Iterable[str] | None = None,
    resolve: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """One call, sent at most once; the answer if it came whole and says 2xx.

    `expects_write` says that the call may change something over there: then whatever may have
    happened after the first byte was sent is `unknown`. Without it the same failure is
    `refused_try_later`. `accept_status` names other statuses to be returned rather than raised.
    `allowed_hosts` (default: the setting OUTBOUND_ALLOWED_HOSTS) opens `host:port` pairs that the
    guard would keep shut.

    Raises OutboundError and nothing else for what the outside world does.
    """
    target = check_url(url, service=service, allowed_hosts=allowed_hosts)
    call = _Call(
        service=f"{service} at {_host_and_port(target)}",
        expects_write=expects_write,
        deadline=time.monotonic() + limits.total,
    )
    try:
        outgoing = httpx.Request(
            method,
            target,
            headers={
                "User-Agent": "FeedbackHub",
                "Accept": "application/json",
                **(headers or {}),
                "Accept-Encoding": "identity",  # an unpacked size could not be capped while reading
                "Connection": "close",
            },
            content=content,
            json=json,
            data=form,
        )
        body = outgoing.read()
    except (ValueError, TypeError) as problem:  # lone surrogates, non-ASCII header values, NaN
        raise OutboundError(
            f"{call.service} was not called: the request cannot be written down "
            f"({type(problem).__name__}).",
            Outcome.REFUSED_FOR_GOOD,
        ) from None
    backend = _GuardedBackend(
        call, resolve or _ask_the_system, is_opened(target, allowed_hosts=allowed_hosts)
    )
    extensions = {
        "timeout": {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": 0}
    }
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=tls or _system_tls(),
                max_connections=1,
                max_keepalive_connections=0,
                retries=0,
                network_backend=backend,
            ) as pool,
            pool.stream(
                outgoing.method,
                httpcore.URL(
                    scheme=target.raw_scheme,
                    host=target.raw_host,
                    port=target.port,
                    target=target.raw_path,
                ),
                headers=outgoing.headers.raw,
                content=body,
                extensions=extensions,
            ) as response,
        ):
            headers_in = httpx.Headers(response.headers)
            status = response.status
            if 200 <= status < 300 or status in accept_status:
                return Answer(status, headers_in, _read_body(call, response, limits.body))
            raise _refusal(call, status, headers_in, response, limits.body)
    except _AddressDenied:
        raise OutboundError(
            f"{call.service} was not called: the address is not a public one. "
            "If it is meant, open it in the setting OUTBOUND_ALLOWED_HOSTS.",
            Outcome.REFUSED_FOR_GOOD,
        ) from None
    except httpcore.LocalProtocolError:  # a line break in a header: found before anything is sent
        raise OutboundError(
            f"{call.service} was not called: the request breaks the protocol.",
            Outcome.REFUSED_FOR_GOOD,
        ) from None
    except httpcore.TimeoutException:
        raise call.failed("did not answer in time.") from None
    except httpcore.ConnectError as problem:
        raise call.failed(_why_not_connected(problem)) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
        raise call.failed("broke off the connection.") from None


def request_json(
    method: str,
    url: str,
    *,
    expects_write: bool,
    may_be_empty: bool = False,
    **options: Any,
) -> Answer:
    """`request`, with the answer's body parsed into `Answer.json`.

    An answer that is no JSON (a login page, half a document) is a failure: `unknown` after a
    write, since it may come from something that stands in between. `may_be_empty` accepts an
    empty body, as 204 has it; `json` is then None.
    """
    answer = request(method, url, expects_write=expects_write, **options)
    if not answer.content and may_be_empty:
        return answer
    parsed = _parse(answer.headers, answer.content)
    if parsed is _UNREADABLE:
        service = options.get("service", "the service")
        raise unreadable(
            f"{service} at {_host_and_port(httpx.URL(url))}",
            expects_write=expects_write,
            status=answer.status,
        )
    return Answer(answer.status, answer.headers, answer.content, parsed)


def unreadable(service: str, *, expects_write: bool, status: int | None = None) -> OutboundError:
    """The error for an answer that says yes and cannot be understood."""
    return OutboundError(
        f"{service} gave an answer that cannot be read"
        + (f" (status {status})." if status else "."),
        Outcome.UNKNOWN if expects_write else Outcome.REFUSED_TRY_LATER,
        status=status,
    )


# --- where a call may go --------------------------------------------------------------------------


def check_url(
    url: str, *, service: str = "the service", allowed_hosts: Iterable[str] | None = None
) -> httpx.URL:
    """The URL parsed, if a call to it may be tried at all; for forms as well as for calls.

    https, or http to an opened host; a host; no user name or password. Where the host's addresses
    may be is decided when the socket opens, not here.
    """

    def refused(reason: str) -> OutboundError:
        return OutboundError(f"{service} was not called: {reason}", Outcome.REFUSED_FOR_GOOD)

    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise refused("its address is not a valid URL.") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise refused("its address must begin with https:// and a host.")
    port = 443 if target.port is None else target.port
    if not _HOST.fullmatch(target.raw_host) or not 0 < port < 65536:
        raise refused("its address holds no valid host and port.")
    if target.userinfo:
        raise refused("its address must not hold a user name or a password.")
    if target.scheme == "http" and not is_opened(target, allowed_hosts=allowed_hosts):
        raise refused("its address must begin with https://.")
    return target


_HOST = re.compile(rb"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")  # a name, or an IPv6 address


def is_opened(url: httpx.URL | str, *, allowed_hosts: Iterable[str] | None = None) -> bool:
    """Whether the operator opened this URL's host and port, by name, in OUTBOUND_ALLOWED_HOSTS."""
    if allowed_hosts is None:
        from django.conf import settings

        allowed_hosts = getattr(settings, "OUTBOUND_ALLOWED_HOSTS", ())
    return _host_and_port(httpx.URL(url)) in {entry.strip().lower() for entry in allowed_hosts}


# What `ipaddress` calls global and is not: forms that wrap an IPv4 address, and special ranges
# that Python 3.11's tables do not know.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/8",  # IPv4-compatible, -mapped and -translated addresses, and NAT64 (64:ff9b::/96)
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
    )
)


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, judged more strictly than `is_global`."""
    ip = ipaddress.ip_address(address)
    if not ip.is_global or ip.is_multicast:
        return False
    return not any(ip.version == net.version and ip in net for net in _NOT_PUBLIC)


def _may_connect(address: str, opened: bool) -> bool:
    if not opened:
        return is_public(address)
    # An opened host may be private or on this machine, but a cloud's metadata service
    # (link-local) is never what was meant.
    ip = ipaddress.ip_address(address)
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified)


class _AddressDenied(Exception):
    """The guard's no. Not an OSError, so that nothing takes it for a network failure."""


class _GuardedBackend(httpcore.NetworkBackend):
    """Opens the sockets: resolves once, checks every address, connects to a checked one."""

    def __init__(self, call: "_Call", resolve: Resolver, opened: bool):
        self._call, self._resolve, self._opened = call, resolve, opened

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        addresses = _resolve_in_time(self._resolve, host, port, self._call.left(timeout))
        for address in addresses:
            if not _may_connect(address, self._opened):
                raise _AddressDenied
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:4]:
            try:
                # A literal address: nothing is resolved a second time.
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, timeout=self._call.left(timeout), socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                failure = problem
                continue
            peer = stream.get_extra_info("server_addr")[0]
            if not _may_connect(peer, self._opened):
                stream.close()
                raise _AddressDenied
            return _TimedStream(stream, self._call)
        raise failure

    def connect_unix_socket(self, path, timeout=None, socket_options=None):
        raise _AddressDenied


def _ask_the_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _resolve_in_time(resolve: Resolver, host: str, port: int, seconds: float) -> list[str]:
    """The system's resolver takes no time-out; a lookup that hangs is left behind in its thread."""
    results: queue.SimpleQueue = queue.SimpleQueue()

    def look_up():
        try:
            results.put(list(resolve(host, port)))
        except (OSError, UnicodeError):
            results.put(None)

    threading.Thread(target=look_up, daemon=True, name="outbound-resolve").start()
    try:
        addresses = results.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("name lookup") from None
    if not addresses:
        raise httpcore.ConnectError("unknown host")
    return addresses


# --- one call on its way --------------------------------------------------------------------------


@dataclass
class _Call:
    """What is known of one call while it is under way."""

    service: str
    expects_write: bool
    deadline: float
    has_sent: bool = False

    def left(self, timeout: float | None) -> float:
        """How long the next step may take."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("deadline")
        return left if timeout is None else min(timeout, left)

    def failed(self, what: str) -> OutboundError:
        unknown = self.has_sent and self.expects_write
        return OutboundError(
            f"{self.service} {what}",
            Outcome.UNKNOWN if unknown else Outcome.REFUSED_TRY_LATER,
        )


class _TimedStream(httpcore.NetworkStream):
    """A stream that keeps to the call's deadline and remembers whether anything was sent."""

    def __init__(self, stream: httpcore.NetworkStream, call: _Call):
        self._stream, self._call = stream, call

    def read(self, max_bytes, timeout=None):
        return self._stream.read(max_bytes, self._call.left(timeout))

    def write(self, buffer, timeout=None):
        self._call.has_sent = True
        self._stream.write(buffer, self._call.left(timeout))

    def close(self):
        self._stream.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        secured = self._stream.start_tls(ssl_context, server_hostname, self._call.left(timeout))
        return _TimedStream(secured, self._call)

    def get_extra_info(self, info):
        return self._stream.get_extra_info(info)


@functools.cache
def _system_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _why_not_connected(problem: httpcore.ConnectError) -> str:
    cause = problem.__cause__ or problem.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "could not prove who it is: its certificate is not valid."
    if isinstance(cause, ssl.SSLError):
        return "does not speak TLS as it should."
    return "cannot be reached."


def _read_body(call: _Call, response: httpcore.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit:
            raise call.failed(f"sent more than {limit} bytes.")
    return bytes(body)


_UNREADABLE = object()


def _parse(headers: httpx.Headers, content: bytes) -> Any:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    packed = headers.get("Content-Encoding", "identity").strip().lower()
    if packed != "identity" or not (kind == "application/json" or kind.endswith("+json")):
        return _UNREADABLE
    try:
        return json_module.loads(content)
    except (ValueError, RecursionError):
        return _UNREADABLE


# 408 and 499 come from things in between that gave up waiting: the request may have gone through.
_GAVE_UP_WAITING = (408, 499)
_NOT_NOW = (425, 429)


def _refusal(
    call: _Call,
    status: int,
    headers: httpx.Headers,
    response: httpcore.Response,
    limit: int,
) -> OutboundError:
    """Any status but 2xx, judged: a 4xx refuses, a proxy's 502 may hide a 201."""
    unclear = Outcome.UNKNOWN if call.expects_write else Outcome.REFUSED_TRY_LATER
    parsed = None
    if status < 400:
        outcome = unclear
        words = f"answered with a redirect (status {status}), which is never followed."
    elif status in _NOT_NOW:
        outcome, words = Outcome.REFUSED_TRY_LATER, f"asks to wait (status {status})."
    elif status >= 500 or status in _GAVE_UP_WAITING:
        outcome, words = unclear, f"failed (status {status})."
    else:
        outcome, words = Outcome.REFUSED_FOR_GOOD, f"refused the call (status {status})."
        try:
            parsed = _parse(headers, _read_body(call, response, limit))
        except (OutboundError, httpcore.TimeoutException, httpcore.NetworkError):
            pass  # the status has said no already; its reasons are lost
        except httpcore.ProtocolError:
            pass
    return OutboundError(
        f"{call.service} {words}",
        outcome,
        retry_after=retry_after(headers),
        status=status,
        credential_refused=status == 401,
        answer=Answer(status, headers, json=None if parsed is _UNREADABLE else parsed),
    )


# --- when to come back ----------------------------------------------------------------------------

_LONGEST_WAIT = 72 * 3600.0
_RESETS = re.compile(r"x-ratelimit-(?:(.+)-)?reset")


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds until the other side wants to hear from us again, if it says so; at most 72 hours.

    Reads Retry-After in both its forms, and X-RateLimit-[…-]Reset (seconds or milliseconds since
    1970, or ISO 8601) of every budget whose Remaining is not above zero. Times are held against
    the answer's own Date, so that a clock that is off does not matter.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given[:9]), _LONGEST_WAIT)
    here = _http_date(headers.get("date", "")) or now or datetime.now(UTC)
    when = _http_date(given)
    if when is not None:
        return _seconds_between(here, when)
    waits = []
    for name, value in headers.items():
        budget = _RESETS.fullmatch(name)
        if budget is None:
            continue
        prefix = f"x-ratelimit-{budget[1]}-" if budget[1] else "x-ratelimit-"
        remaining = _number(headers.get(prefix + "remaining", "0"))
        when = _point_in_time(value)
        if when is not None and (remaining is None or remaining <= 0):
            waits.append(_seconds_between(here, when))
    return max(waits, default=None)


def _seconds_between(here: datetime, then: datetime) -> float:
    return min(max((then - here).total_seconds(), 0.0), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _point_in_time(value: str) -> datetime | None:
    number = _number(value)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
        when = datetime.fromisoformat(value.strip())
    except (ValueError, OverflowError, OSError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _host_and_port(url: httpx.URL) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host.lower()}:{url.port or (443 if url.scheme == 'https' else 80)}"
