"""What went wrong, as `application/problem+json` (RFC 9457), the same from every corner of the API.

An answer names the fields at fault in plain sentences, or, for a fault of ours, a request id and
nothing else. Actions and views raise `Problem`; everything DRF, Django or the database raises is
translated here, so that no input ends in an HTML page and no exception's text leaves the house.
"""

import json
import math
import re
import traceback
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
import structlog
from django.core import exceptions as django_exceptions
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.views import set_rollback

from feedbackhub.api.strict_json import BadInput, TooManyRows, join_path

log = structlog.get_logger(__name__)

PREFIXES = ("/api/", "/hooks/")  # addresses that programs call
RETRY_SECONDS = 5

# status: (type, title)
KINDS = {
    400: ("invalid-input", "The input is not valid"),
    401: ("unauthenticated", "No valid credential"),
    403: ("forbidden", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not offered"),
    406: ("not-acceptable", "Not available in this format"),
    409: ("conflict", "Conflict"),
    410: ("gone", "Gone"),
    411: ("length-required", "Length required"),
    413: ("too-large", "Too large"),
    415: ("unsupported-media-type", "Unsupported content type"),
    422: ("idempotency-key-reused", "Idempotency key reused"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "Something went wrong on our side"),
    503: ("unavailable", "Not available right now"),
}


class Problem(Exception):
    """An answer that is not a success.

    `errors` are `{"field": "messages[2].content", "message": "…"}`; `members` go into the body beside
    the standard ones (a conflict names the current revision there).
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: Iterable[Mapping[str, str]] = (),
        type: str = "",
        title: str = "",
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ):
        super().__init__(status, detail)
        kind, usual_title = KINDS.get(status, KINDS[400 if status < 500 else 500])
        self.status = status
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.type = type or f"/problems/{kind}"
        self.title = title or usual_title
        self.headers = dict(headers or {})
        self.members = members
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def body(self, request_id: str) -> dict[str, Any]:
        found = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = self.errors
        return {**found, **self.members, "request_id": request_id}


def invalid(errors: Iterable[Mapping[str, str]]) -> Problem:
    """Input that breaks the rules, field by field."""
    errors = list(errors)
    return Problem(400, _summary(errors), errors=errors)


def conflict(detail: str, **members: Any) -> Problem:
    return Problem(409, detail, **members)


def not_found() -> Problem:
    """One answer for what does not exist and what belongs to another project."""
    return Problem(404, "There is nothing here, or it is not yours to see.")


def problem_response(problem: Problem, request_id: str) -> HttpResponse:
    response = HttpResponse(
        # ASCII: it may quote half a surrogate pair.
        json.dumps(problem.body(request_id), cls=DjangoJSONEncoder),
        status=problem.status,
        content_type="application/problem+json",
        headers=problem.headers,
    )
    response["Cache-Control"] = "no-store"
    response["X-Request-ID"] = request_id
    return response


def request_id(request: HttpRequest | None) -> str:
    """The id under which the log knows this request; made up where nothing has given it one."""
    found = structlog.contextvars.get_contextvars().get("request_id", "")
    if _REQUEST_ID.fullmatch(found):
        return found
    found = getattr(request, "_problem_request_id", None) or str(uuid.uuid4())
    if request is not None:
        request._problem_request_id = found
    return found


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")


# --- from exceptions ----------------------------------------------------------------------------


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's hook: any exception of an API view as a problem."""
    set_rollback()
    request = context.get("request")
    request = getattr(request, "_request", request)
    problem = problem_for(exc)
    if problem.status == 405 and context.get("view") is not None:
        problem.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return problem_response(problem, request_id(request))


def problem_for(exc: Exception) -> Problem:
    """What an exception means to the caller. What is not foreseen is a 500, and is logged."""
    match exc:
        case Problem():
            return exc
        case TooManyRows():
            return Problem(413, str(exc), errors=exc.errors)
        case BadInput():
            return invalid(exc.errors)
        case Http404() | drf.NotFound():
            return not_found()
        case drf.APIException():
            return _from_drf(exc)
        case django_exceptions.PermissionDenied():
            return Problem(403, "This is not allowed with this key or role.")
        case django_exceptions.ValidationError():
            return invalid(_django_errors(exc))
        case django_exceptions.RequestDataTooBig():
            return Problem(413, "The body is too large.")
        case UnreadablePostError():
            return Problem(400, "The body ended early.")
        case (
            django_exceptions.SuspiciousOperation()
            | django_exceptions.BadRequest()
            | MultiPartParserError()
        ):
            return Problem(400, "This request cannot be understood.")
        case (
            OperationalError()
            | InterfaceError()
            | psycopg.OperationalError()
            | (psycopg.InterfaceError())
        ):
            return _from_database_away(exc)
        case DataError() | psycopg.DataError():
            _log(exc)
            return Problem(400, "A value in it cannot be stored.")
        case IntegrityError() if _sqlstate(exc) == _UNIQUE_VIOLATION:
            _log(exc)
            return conflict("Another request wrote the same thing at the same time. Try again.")
    _log(exc)
    return Problem(500)


_UNIQUE_VIOLATION = "23505"
_PROGRAM_LIMIT = "54"  # class: a row or an index entry larger than PostgreSQL can hold


def _from_database_away(exc: Exception) -> Problem:
    _log(exc)
    if _sqlstate(exc).startswith(_PROGRAM_LIMIT):
        return Problem(400, "A value in it is too large to be stored.")
    return Problem(
        503, "We cannot store or read anything right now. Try again.", retry_after=RETRY_SECONDS
    )


def _from_drf(exc: drf.APIException) -> Problem:
    match exc:
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            challenge = getattr(exc, "auth_header", None) or 'Bearer realm="FeedbackHub"'
            return Problem(401, _sentence(exc), headers={"WWW-Authenticate": challenge})
        case drf.ValidationError():
            return invalid(_nested_errors(exc.detail))
        case drf.Throttled():
            wait = exc.wait if exc.wait is not None else 60
            return Problem(429, "Too many requests. Slow down.", retry_after=wait)
        case drf.UnsupportedMediaType():
            return Problem(415, "Send application/json.", headers={"Accept": "application/json"})
    return Problem(exc.status_code, _sentence(exc))


def _sentence(exc: drf.APIException) -> str:
    return exc.detail if isinstance(exc.detail, str) else ""


def _nested_errors(detail: Any, path: str = "") -> list[dict[str, str]]:
    """DRF's nested lists and dicts of messages, flat."""
    if isinstance(detail, Mapping):
        return [
            error
            for key, part in detail.items()
            for error in _nested_errors(
                part, path if key == "non_field_errors" else join_path(path, key)
            )
        ]
    if isinstance(detail, list):
        return [
            error
            for index, part in enumerate(detail)
            for error in _nested_errors(
                part, path if isinstance(part, str) else join_path(path, index)
            )
        ]
    return [{"field": path, "message": str(detail)}]


def _django_errors(exc: django_exceptions.ValidationError) -> list[dict[str, str]]:
    by_field = exc.message_dict if hasattr(exc, "error_dict") else {"": exc.messages}
    return [
        {"field": "" if field == django_exceptions.NON_FIELD_ERRORS else field, "message": message}
        for field, messages in by_field.items()
        for message in messages
    ]


def _summary(errors: list[Mapping[str, str]]) -> str:
    if not errors:
        return ""
    first = errors[0]
    said = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return said if len(errors) == 1 else f"{said} And {len(errors) - 1} more."


def _sqlstate(exc: Exception) -> str:
    return getattr(exc, "sqlstate", None) or getattr(exc.__cause__, "sqlstate", None) or ""


def _log(exc: Exception) -> None:
    """What and where, never the exception's own words: the database quotes rows in them."""
    frames = traceback.extract_tb(exc.__traceback__)
    log.error(
        "request_failed_by_exception",
        exception=type(exc).__name__,
        sqlstate=_sqlstate(exc),
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )


# --- from everything outside DRF ----------------------------------------------------------------


class ApiProblemMiddleware:
    """Turns Django's own answers under `PREFIXES` into problems.

    An address that does not exist, a host that is not ours, a plain view that raised: what would be
    an HTML page. Other addresses are left alone.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if (
            response.status_code >= 400
            and request.path.startswith(PREFIXES)
            and not response.streaming
            and "json" not in response.get("Content-Type", "")
        ):
            return self._as_problem(request, response)
        return response

    def process_exception(self, request, exception):
        """A plain view (a webhook) raised; DRF's views never come here."""
        if request.path.startswith(PREFIXES):
            return problem_response(problem_for(exception), request_id(request))
        return None

    def _as_problem(self, request, response):
        problem = not_found() if response.status_code == 404 else Problem(response.status_code)
        answer = problem_response(problem, request_id(request))
        for name, value in response.items():  # Allow, Retry-After, …
            if name not in ("Content-Type", "Content-Length"):
                answer[name] = value
        answer.cookies = response.cookies
        return answer
