"""Who is not signed in sends little: a sign-in, a word on a reporter's page. What is larger is refused before it is read.

Django holds back large forms but takes files of any size, into memory and onto the disk, before a view is asked. The API and
the hooks read their bodies themselves, each up to its own limit.
"""

from django.contrib.auth.views import redirect_to_login
from django.shortcuts import render

from feedbackhub.api.problems import PREFIXES

MOST = 128 * 1024  # bytes
ROOMS = "/p/"  # a session may have ended while somebody wrote: their browser keeps it and sends it again


class BodiesOfStrangersMiddleware:
    """413 for a large body of somebody who is not signed in; in a project's rooms the way to sign in, as for any body."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if (
            _length(request) > MOST
            and not request.path.startswith(PREFIXES)
            and not request.user.is_authenticated
        ):
            if request.path.startswith(ROOMS):
                return redirect_to_login(request.get_full_path())
            return render(request, "413.html", status=413)
        return self.get_response(request)


def _length(request) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
