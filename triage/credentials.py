"""Credentials at rest (trackers', and the secrets of our webhooks): JSON under Fernet, the keys from CREDENTIAL_KEYS, the newest first.

They are opened where an adapter is built and nowhere else; no page, log, task argument or error holds them.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from triage.models import NoticePolicy, TrackerConnection


class CredentialsLost(Exception):
    """None of the keys in CREDENTIAL_KEYS opens them."""


def seal(secrets: dict[str, str]) -> bytes:
    return _keys().encrypt(json.dumps(secrets, sort_keys=True).encode())


def unseal(sealed: bytes) -> dict[str, str]:
    if not sealed:
        return {}
    try:
        return json.loads(_keys().decrypt(bytes(sealed)))
    except InvalidToken:
        raise CredentialsLost(
            "No key in CREDENTIAL_KEYS opens these credentials. Add the old key, or enter them anew."
        ) from None


def rotate() -> int:
    """Seal all credentials and webhook secrets under the newest key; answers how many there are.

    Add the new key in front of CREDENTIAL_KEYS, restart, rotate, then take the old key away.
    """
    return _rotate(TrackerConnection, "credentials") + _rotate(NoticePolicy, "webhook_secrets")


def _rotate(model, field) -> int:
    keys, rotated = _keys(), 0
    for pk in model.objects.exclude(**{field: b""}).values_list("pk", flat=True):
        with transaction.atomic():
            row = model.objects.select_for_update(no_key=True).get(pk=pk)
            try:
                setattr(row, field, keys.rotate(bytes(getattr(row, field))))
            except InvalidToken:
                raise CredentialsLost(
                    f"No key in CREDENTIAL_KEYS opens the credentials of {_named(row)}."
                ) from None
            row.save(update_fields=[field])
            rotated += 1
    return rotated


def _named(row) -> str:
    if isinstance(row, TrackerConnection):
        return f"connection {row.public_id}"
    return f"project {row.project_id}'s webhook"


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
