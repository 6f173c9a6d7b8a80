"""A file for a Linear ticket: an upload that Linear signs, put to its storage, then linked beside the ticket.

Sources: Linear's schema, and its page on uploading files. What is surprising in it:

- The upload goes to an address that comes in an answer. It is called without our key, only at Linear's own hosts or its
  cloud storage (or where the operator opened a host), through the one outbound client.
- Its signature covers the content type and the headers that come with it: these very ones are sent.
- An upload that nothing links to is shown nowhere: what makes it a file of the ticket is the attachment, whose id we
  choose. So a lost answer or a killed worker leaves at most an unseen upload, and never a second file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from feedbackhub import outbound
from feedbackhub.outbound import Limits, OutboundError, Outcome
from triage.trackers.reading import dig, list_at, text_at

CONTENT_TYPE = "text/markdown"

_STORAGE = re.compile(r"(?:[a-z0-9-]+\.)*(?:linear\.app|storage\.googleapis\.com)")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_NOT_THEIRS = {
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "transfer-encoding",
}


@dataclass(frozen=True)
class Upload:
    """Where Linear wants the file, with which headers, and where it will be."""

    url: str
    asset_url: str
    headers: dict[str, str]


def upload_of(answer: Any) -> Upload | None:
    """The upload that Linear prepared; None where its answer names none."""
    prepared = dig(answer, "fileUpload", "uploadFile")
    url = text_at(prepared, "uploadUrl", limit=8_000)
    asset_url = text_at(prepared, "assetUrl", limit=2_000)
    if dig(answer, "fileUpload", "success") is not True or not url or not asset_url:
        return None
    given = {"content-type": CONTENT_TYPE, "cache-control": "public, max-age=31536000"}
    for header in list_at(prepared, "headers"):
        name = text_at(header, "key")
        if _HEADER.fullmatch(name) and name.lower() not in _NOT_THEIRS:
            given[name.lower()] = text_at(header, "value", limit=2_000)
    return Upload(url, asset_url, given)


def put(
    upload: Upload, content: bytes, *, limits: Limits, allowed_hosts: Iterable[str] | None
) -> None:
    """The bytes to the storage. What it says against them is no word on our key: nothing is paused by it."""
    _demand_storage(upload.url, allowed_hosts)
    try:
        outbound.request(
            "PUT",
            upload.url,
            expects_write=False,  # sent again it is the same file, or one that nothing links to
            content=content,
            headers=upload.headers,
            service="Linear's storage",
            limits=limits,
            allowed_hosts=allowed_hosts,
        )
    except OutboundError as error:
        raise OutboundError(error.message, error.outcome, retry_after=error.retry_after) from None


def _demand_storage(url: str, allowed_hosts: Iterable[str] | None) -> None:
    target = outbound.check_url(url, service="Linear's storage", allowed_hosts=allowed_hosts)
    is_theirs = target.scheme == "https" and target.port is None and _STORAGE.fullmatch(target.host)
    if not is_theirs and not outbound.is_opened(httpx.URL(url), allowed_hosts=allowed_hosts):
        raise OutboundError(
            "Linear named a place for the file that is not its storage; nothing was sent there.",
            Outcome.REFUSED_FOR_GOOD,
        )
