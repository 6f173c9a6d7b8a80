"""Error pages that say what happened and what to do next."""

import structlog
from django.db import InterfaceError, OperationalError
from django.shortcuts import render


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)


def bad_request(request, exception=None):
    return render(request, "400.html", status=400)


def server_error(request):
    """A request id and nothing else."""
    return render(request, "500.html", _request_id(), status=500)


class DatabaseAwayMiddleware:
    """A page that cannot be drawn because the database is away says so, and when to come again."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, OperationalError | InterfaceError):
            response = render(None, "503.html", _request_id(), status=503)
            response["Retry-After"] = "5"
            return response
        return None


def _request_id() -> dict:
    return {"request_id": structlog.contextvars.get_contextvars().get("request_id", "")}
