"""Sign-in through allauth, for invited people only.

Ten failures of an account from one address are enough for ten minutes there: a stranger at one address locks nobody out
elsewhere. What several addresses try together is held back for up to an hour, except where its owner signed in lately.
"""

import hashlib

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django.core.cache import cache
from django.core.exceptions import ValidationError

ANYWHERE = "login_failed_anywhere"  # of one account, from all addresses: how many, the settings say
KNOWN_FOR = 30 * 24 * 3600  # seconds
COME_BACK, COME_BACK_ANYWHERE = 600, 3600


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """Nobody signs up unasked: an owner adds members, or `manage.py create_user` does."""

    def is_open_for_signup(self, request):
        return False

    def pre_authenticate(self, request, **credentials):
        """Too many failures are answered 429, whether the password would have been right or not."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as too_many:
            raise _refused(request, COME_BACK) from too_many
        is_known = cache.get(self._known_key(request, credentials))
        if not is_known and not ratelimit.consume(
            request, action=ANYWHERE, key=_account(credentials), dry_run=True
        ):
            raise _refused(request, COME_BACK_ANYWHERE)

    def authentication_failed(self, request, **credentials):
        ratelimit.consume(request, action=ANYWHERE, key=_account(credentials))

    def authenticate(self, request, **credentials):
        user = super().authenticate(request, **credentials)
        if user:
            cache.set(self._known_key(request, credentials), True, KNOWN_FOR)
        return user

    def _get_login_attempts_cache_key(self, request, **credentials) -> str:
        """allauth counts failures by this key: an account at an address."""
        return f"{_account(credentials)} {self.get_client_ip(request)}"

    def _known_key(self, request, credentials) -> str:
        place = self._get_login_attempts_cache_key(request, **credentials)
        return f"signed-in-from-{hashlib.sha256(place.encode()).hexdigest()}"


def _account(credentials) -> str:
    return credentials.get("email", "").lower()


def _refused(request, seconds) -> ImmediateHttpResponse:
    answer = ratelimit.respond_429(request)
    answer["Retry-After"] = str(seconds)
    return ImmediateHttpResponse(answer)
