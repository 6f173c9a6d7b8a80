"""A tracker's webhook as it comes in: its headers, its signature, its body, its id."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from triage.trackers.base import WebhookRefused


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its name, however the web server spelt it."""
    for given, value in headers.items():
        if given.lower() == name.lower():
            return value
    return ""


def check_signature(raw_body: bytes, secret: str, given: str) -> None:
    """HMAC-SHA256 over the very bytes, in hex, compared in constant time; or WebhookRefused."""
    if not secret:
        raise WebhookRefused("no webhook secret is set for this connection")
    if not given:
        raise WebhookRefused("the signature is missing")
    expected = hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
    # Bytes: compare_digest raises TypeError for text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise WebhookRefused("the signature does not match")


def check_hub_signature(raw_body: bytes, secret: str, given: str) -> None:
    """A signature that names its method, as `sha256=…`; no other method counts, whatever the header says."""
    method, _, signature = given.partition("=")
    if given and method != "sha256":
        raise WebhookRefused("only sha256 signatures count")
    check_signature(raw_body, secret, signature)


def read_payload(raw_body: bytes) -> dict[str, Any]:
    """The body as an object, or WebhookRefused with status 400."""
    try:
        payload = json.loads(raw_body)
    except (ValueError, RecursionError):
        raise WebhookRefused("the body is not JSON", status=400) from None
    if not isinstance(payload, dict):
        raise WebhookRefused("the body is not an object", status=400)
    return payload


def delivery_id(given: str, raw_body: bytes) -> str:
    """The sender's id of the delivery; the body's own digest where there is none worth keeping."""
    if re.fullmatch(r"[!-~]{1,200}", given):
        return given
    return "sha256:" + hashlib.sha256(raw_body).hexdigest()
