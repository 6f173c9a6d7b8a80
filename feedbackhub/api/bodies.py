"""A request's body, within the limits of RELIABILITY §2 and with one reading only.

Only the content types that an endpoint names, only UTF-8, only plain or gzip. A limit holds on the
wire and unpacked, and unpacking stops where it is reached. What is refused is read to its end, as
far as that is reasonable: a client that is still sending would lose our answer with the connection.

Works on Django's `HttpRequest`; nothing of DRF reads the body.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, UnreadablePostError

from feedbackhub.api import strict_json
from feedbackhub.api.problems import Problem
from feedbackhub.api.strict_json import BadDocument

SINGLE_LIMIT = 4 * 1024 * 1024
BATCH_LIMIT = 16 * 1024 * 1024
WEBHOOK_LIMIT = 1024 * 1024

JSON = "application/json"
NDJSON = "application/x-ndjson"

_CHUNK = 64 * 1024
_DRAIN_BYTES = 64 * 1024 * 1024
_DRAIN_SECONDS = 10
_MAX_GZIP_MEMBERS = 1_000  # each costs a fresh window: twenty bytes on the wire, 40 kB here


@dataclass(frozen=True, slots=True)
class Body:
    raw: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent to an endpoint that takes one object or many.

    `rows` hands out (index, value or `BadDocument`) once. What makes one object unreadable was raised
    before; in a batch a bad row is handed out as the `BadDocument` that says why.
    """

    is_batch: bool
    rows: Iterator[tuple[int, Any | BadDocument]]

    @property
    def value(self) -> Any:
        """The one object, where it is no batch."""
        return next(self.rows)[1]


def read_body(request: HttpRequest, *, limit: int, media_types: tuple[str, ...] = (JSON,)) -> Body:
    """The whole body, unpacked; a `Problem` 400, 411, 413 or 415 where it is not to be had."""
    source = _Source(request)
    try:
        media_type = _media_type(request, media_types)
        is_gzip = _is_gzip(request)
        if source.length is not None and source.length > limit:
            raise _too_large(limit)
        raw = _unpacked(source, limit) if is_gzip else _plain(source, limit)
    except Problem:
        source.drain()
        raise
    if source.length is not None and source.taken != source.length:
        raise Problem(400, "The body ended early.")
    return Body(raw=raw, media_type=media_type)


def read_json(request: HttpRequest, *, limit: int = SINGLE_LIMIT) -> Any:
    """The value of a JSON body; a `Problem`, or the `BadDocument` that says what is wrong with it."""
    return strict_json.parse(read_body(request, limit=limit).raw)


def read_submission(request: HttpRequest) -> Submission:
    """One object, an array of them, or newline-delimited ones.

    Raises a `Problem`, a `BadDocument` or `TooManyRows`, which `problems` knows how to answer.
    """
    body = read_body(request, limit=BATCH_LIMIT, media_types=(JSON, NDJSON))
    if body.media_type == NDJSON:
        return Submission(is_batch=True, rows=strict_json.parse_ndjson(body.raw))
    if _ARRAY.match(body.raw):
        return Submission(is_batch=True, rows=strict_json.parse_array(body.raw))
    if len(body.raw) > SINGLE_LIMIT:
        raise _too_large(SINGLE_LIMIT)
    return Submission(is_batch=False, rows=iter([(0, strict_json.parse(body.raw))]))


_ARRAY = re.compile(rb"[ \t\r\n]*\[")


# --- what kind of body --------------------------------------------------------------------------

_PARAMETER = re.compile(r'\s*([A-Za-z0-9_.-]+)\s*=\s*("[^"]*"|[^\s";]*)\s*')


def _media_type(request: HttpRequest, accepted: tuple[str, ...]) -> str:
    media_type, *parameters = request.META.get("CONTENT_TYPE", "").split(";")
    media_type = media_type.strip().lower()
    if media_type not in accepted:
        raise Problem(
            415, f"Send {' or '.join(accepted)}.", headers={"Accept": ", ".join(accepted)}
        )
    for parameter in parameters:
        name, value = _split_parameter(parameter)
        if name == "charset" and value.strip('"').lower() not in ("utf-8", "utf8"):
            raise Problem(415, "Send it as UTF-8; no other charset is read.")
    return media_type


def _split_parameter(parameter: str) -> tuple[str, str]:
    found = _PARAMETER.fullmatch(parameter)
    if found:
        return found[1].lower(), found[2]
    if parameter.strip():
        raise Problem(415, "The Content-Type header cannot be understood.")
    return "", ""


def _is_gzip(request: HttpRequest) -> bool:
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in ("gzip", "x-gzip"):
        return True
    if coding in ("", "identity"):
        return False
    raise Problem(415, "Send it plain or with gzip.", headers={"Accept-Encoding": "gzip, identity"})


def _too_large(limit: int) -> Problem:
    size = f"{limit // (1024 * 1024)} MB" if limit >= 1024 * 1024 else f"{limit:,} bytes"
    return Problem(413, f"The body may hold at most {size}, unpacked as well.")


# --- reading ------------------------------------------------------------------------------------


class _Source:
    """The bytes as they come in.

    Django knows no body without Content-Length. A server that ends a chunked body by itself says so
    in `wsgi.input_terminated` (gunicorn does); then we read its stream directly.
    """

    def __init__(self, request: HttpRequest):
        self.taken = 0
        self.is_broken = False
        self.length: int | None = None
        self._read: Callable[[int], bytes] = request.read
        if request.META.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked":
            if not request.META.get("wsgi.input_terminated"):
                raise Problem(411, "Send the body with a Content-Length.")
            self._read = request.META["wsgi.input"].read
        else:
            declared = request.META.get("CONTENT_LENGTH") or "0"
            if not (declared.isascii() and declared.isdigit()):
                raise Problem(400, "The Content-Length header is not a number.")
            self.length = int(declared)

    def chunk(self) -> bytes:
        try:
            found = self._read(_CHUNK)
        except (OSError, UnreadablePostError):
            self.is_broken = True
            raise Problem(400, "The body ended early.") from None
        except Exception as error:  # gunicorn's own, for a chunk that is not well formed
            if type(error).__module__.partition(".")[0] != "gunicorn":
                raise
            self.is_broken = True
            raise Problem(400, "The body is not well-formed.") from None
        self.taken += len(found)
        return found

    def drain(self) -> None:
        """Read and forget the rest, within reason."""
        until = time.monotonic() + _DRAIN_SECONDS
        while self.taken < _DRAIN_BYTES and not self.is_broken and time.monotonic() < until:
            try:
                if not self.chunk():
                    return
            except Problem:
                return


def _plain(source: _Source, limit: int) -> bytes:
    chunks = []
    while chunk := source.chunk():
        if source.taken > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _unpacked(source: _Source, limit: int) -> bytes:
    """The content of a gzip stream of one or more members."""
    chunks, size, members = [], 0, 1
    unpacker = zlib.decompressobj(wbits=31)
    while packed := source.chunk():
        if source.taken > limit:
            raise _too_large(limit)
        while packed:
            if unpacker.eof:
                members += 1
                if members > _MAX_GZIP_MEMBERS:
                    raise Problem(400, "The gzip body has too many members.")
                unpacker = zlib.decompressobj(wbits=31)
            try:
                chunk = unpacker.decompress(packed, limit - size + 1)
            except zlib.error:
                raise Problem(400, "The body is not gzip, although it says so.") from None
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if not unpacker.eof:
        raise Problem(400, "The gzip body ended early.")
    return b"".join(chunks)
