"""Keys for programs: made, shown once, looked up by hash, checked for scope."""

import hashlib
import secrets
from datetime import timedelta
from functools import cache

import pghistory
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from feedbackhub.accounts.models import ApiKey, Project
from feedbackhub.prepared import rows_of

_PREFIX = {ApiKey.Kind.SECRET: "fh_sk_", ApiKey.Kind.PUBLIC: "fh_pk_"}


def hash_secret(secret: str) -> bytes:
    """32 random bytes need no slow hash: SHA-256 is enough, and quick on every request."""
    return hashlib.sha256(secret.encode()).digest()


def create_api_key(*, project, name, scopes=(), kind=ApiKey.Kind.SECRET, origins=(), by=None):
    """Make a key; answers (row, secret). The secret is shown this once and kept nowhere."""
    secret = _PREFIX[kind] + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        project=project,
        kind=kind,
        name=name,
        prefix=secret[:12],
        secret_hash=hash_secret(secret),
        scopes=sorted(set(scopes)),
        origins=list(origins),
        created_by=by,
    )
    return key, secret


def revoke_api_key(*, key):
    """End a key; idempotent."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db()
    return key


def find_api_key(secret: str) -> ApiKey | None:
    """The live key with this secret, with its project. The look-up is by hash, so its time says nothing about the secret.

    Written out and prepared, because every request of the API begins with it.
    """
    found = rows_of(_find_statement(), [hash_secret(secret)])
    if not found:
        return None
    (row,) = found
    keys, projects = _columns(ApiKey), _columns(Project)
    key = ApiKey.from_db(connection.alias, keys, row[: len(keys)])
    key.project = Project.from_db(connection.alias, projects, row[len(keys) :])
    return key


@cache
def _columns(model) -> list[str]:
    """All but JSON, which needs a conversion and is fetched when somebody asks for it."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if not isinstance(field, models.JSONField)
    ]


@cache
def _find_statement() -> str:
    columns = [f"k.{name}" for name in _columns(ApiKey)] + [
        f"p.{name}" for name in _columns(Project)
    ]
    return (
        f"SELECT {', '.join(columns)} FROM accounts_apikey k "  # noqa: S608 (our own names)
        "JOIN accounts_project p ON p.id = k.project_id WHERE k.secret_hash = %s AND k.revoked_at IS NULL"
    )


def note_use(key: ApiKey) -> None:
    """Remember when a key was last used, at most once a minute."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > timedelta(minutes=1):
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1)), pk=key.pk
        ).update(last_used_at=now)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer fh_sk_…`; sets `request.auth` to the key and `request.project`."""

    def authenticate(self, request):
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not secret:
            return None
        key = find_api_key(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None or key.kind != ApiKey.Kind.SECRET:
            raise AuthenticationFailed("This API key is not known. Make one in Settings, Keys.")
        note_use(key)
        request._request.project = key.project
        pghistory.context(api_key=str(key.public_id))
        return None, key

    def authenticate_header(self, request):
        return 'Bearer realm="FeedbackHub"'


class HasScope(BasePermission):
    """The view says `scopes = {"GET": "read", "POST": "capture"}`; a key with `admin` may do everything."""

    message = "This API key's scopes do not allow this."

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        scope = view.scopes.get(request.method if request.method != "HEAD" else "GET")
        return scope is None or request.auth.allows(scope)
