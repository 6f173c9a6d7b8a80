"""One-click sign-in for the demo's people: signed links that only a quickstart hands out (DEMO_SIGN_IN)."""

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from feedbackhub.accounts.models import User

SALT = "feedbackhub.demo-sign-in"


def sign_in_link(user: User) -> str:
    """The address that signs this person in. Meaningless where DEMO_SIGN_IN is off."""
    token = signing.dumps(str(user.public_id), salt=SALT)
    return settings.BASE_URL + reverse("demo_sign_in", args=[token])


def sign_in(request, token: str):
    """Show who one is about to be, and sign in on POST (a link that is only fetched signs nobody in)."""
    if not settings.DEMO_SIGN_IN:
        raise Http404
    try:
        public_id = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise Http404 from error
    user = User.objects.filter(public_id=public_id, is_active=True).first()
    if user is None:
        raise Http404
    if request.method != "POST":
        roles = user.membership_set.select_related("project").order_by("project__name")
        return render(request, "account/demo_sign_in.html", {"person": user, "memberships": roles})
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")
