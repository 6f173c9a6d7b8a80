"""The door of every project page: who comes in is decided in the query that finds the project."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.cache import add_never_cache_headers

from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.permissions import PERMISSIONS


def project_page(*permissions: str, post: str | None = None) -> Callable:
    """Decorate `view(request, …)` whose URL starts with `p/<slug:project>/`.

    Sets `request.project` and `request.membership`. Outsiders get the same 404 as for a project that does not exist;
    members whose roles hold none of `permissions` get 403 (a POST needs `post`, where given).
    """
    for permission in (*permissions, *([post] if post else [])):
        assert permission in PERMISSIONS, permission  # noqa: S101 (at import)

    def decorate(view):
        @login_required
        @wraps(view)
        def wrapped(request, project: str, *args, **kwargs):
            membership = (
                Membership.objects.filter(project__slug=project, user=request.user)
                .select_related("project")
                .first()
            )
            if membership is None:
                raise Http404
            needed = (post,) if post and request.method not in ("GET", "HEAD") else permissions
            if needed and not any(membership.may(permission) for permission in needed):
                raise PermissionDenied
            request.membership, request.project = membership, membership.project
            response = view(request, *args, **kwargs)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)
            return response

        wrapped.permissions, wrapped.post_permission = permissions, post
        return wrapped

    return decorate
