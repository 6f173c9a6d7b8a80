"""Keyed hashes: to know a person and a body again without keeping either.

Every hash is under a key of its project, so that the same person in two projects is two strangers.
Whoever has the database without `IDENTIFIER_KEY` cannot try out e-mail addresses on it.
"""

import hmac
from typing import Any

import orjson


def project_key(secret: str, project_id: int) -> bytes:
    """The key of one project, from `settings.IDENTIFIER_KEY`."""
    return hmac.digest(secret.encode(), b"project %d" % project_id, "sha256")


def pseudonym(reference: str, key: bytes) -> str:
    """What stands in the database for a person's id or a reporter's reference: 64 hex digits."""
    return hmac.digest(key, b"person\0" + reference.encode(), "sha256").hex()


def canonical_hash(value: Any, key: bytes) -> bytes:
    """The 32-byte hash of a parsed JSON body as it was received, before anything was masked.

    Key order, white space, escapes and the spelling of numbers (1, 1.0, 1e0) make no difference; list
    order does. The value comes from `strict_json`: text that can be encoded, integers in range.
    """
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if b".0" in text:  # it may be a float that is a whole number
        text = orjson.dumps(_plain_numbers(value), option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, b"body\0" + text, "sha256")


def _plain_numbers(value: Any) -> Any:
    """The same value, with whole floats as integers."""
    kind = type(value)
    if kind is dict:
        return {key: _plain_numbers(part) for key, part in value.items()}
    if kind is list:
        return [_plain_numbers(part) for part in value]
    if kind is float and value.is_integer() and -(2.0**53) <= value <= 2.0**53:
        return int(value)
    return value
