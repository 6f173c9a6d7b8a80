"""`Idempotency-Key` on every POST of the API: the same key with the same body is done once and answered twice.

The work and its remembered answer are committed together. While the first is still at work its twin gets 409; a key that
comes back with another body or address gets 422. A failed request forgets its key, so that the corrected one may use it.
"""

import hashlib
import io
import json
from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils import timezone

from feedbackhub.accounts.models import IdempotencyKey
from feedbackhub.api import bodies
from feedbackhub.api.problems import Problem, conflict

KEPT = timedelta(days=7)
LEASE = timedelta(seconds=60)
LONGEST = 200


def begin(request, *, project, caller: str) -> IdempotencyKey | None:
    """Take the key that the request names, or find its remembered answer; None where it names none.

    Raises 400 for a key that is too long, 409 while its twin is at work, 422 for a key of another request.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not key or len(key) > LONGEST or not key.isprintable():
        raise Problem(400, f"Idempotency-Key holds 1 to {LONGEST} printable characters.")
    body_hash = _body_hash(request)
    address = f"{request.method} {request.path}"[:300]
    now = timezone.now()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                project=project,
                key=key,
                caller=caller,
                method_and_path=address,
                body_hash=body_hash,
                locked_until=now + LEASE,
            )
    except IntegrityError:
        row = IdempotencyKey.objects.get(project=project, caller=caller, key=key)
    if (bytes(row.body_hash), row.method_and_path) != (body_hash, address):
        raise Problem(422, "This Idempotency-Key was used for another request. Choose a new one.")
    if row.status is None and not _take_over(row, now):
        raise conflict("The same request is still at work. Ask again in a moment.")
    return row


def finish(row: IdempotencyKey, *, status: int, answer) -> None:
    """Remember the answer, in the transaction of the work itself."""
    plain = json.loads(json.dumps(answer, cls=DjangoJSONEncoder))
    IdempotencyKey.objects.filter(pk=row.pk).update(status=status, answer=plain)


def forget(row: IdempotencyKey) -> None:
    """The request failed and left nothing behind."""
    IdempotencyKey.objects.filter(pk=row.pk, status=None).delete()


def forget_old() -> int:
    """Drop keys past their seven days; answers how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _take_over(row, now) -> bool:
    """The first one died at work: whoever renews its lease goes on in its place."""
    return bool(
        IdempotencyKey.objects.filter(pk=row.pk, status=None, locked_until__lt=now).update(
            locked_until=now + LEASE
        )
    )


def _body_hash(request) -> bytes:
    """SHA-256 of the body, which is put back for the view to read."""
    body = bodies.read_body(
        request, limit=bodies.BATCH_LIMIT, media_types=(bodies.JSON, bodies.NDJSON)
    )
    request._stream = io.BytesIO(body.raw)
    request._read_started = False
    request.META["CONTENT_LENGTH"] = str(len(body.raw))
    request.META.pop("HTTP_CONTENT_ENCODING", None)
    request.META.pop("HTTP_TRANSFER_ENCODING", None)
    return hashlib.sha256(body.raw).digest()
