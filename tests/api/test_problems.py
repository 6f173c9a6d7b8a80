import json
from datetime import UTC, datetime

import psycopg
import pytest
import structlog
from django.core import exceptions as django_exceptions
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse
from django.test import RequestFactory
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from feedbackhub.api import problems
from feedbackhub.api.problems import ApiProblemMiddleware, Problem
from feedbackhub.api.strict_json import BadDocument, TooManyRows


def answered(exc, view=None):
    context = {"request": RequestFactory().get("/api/v1/x"), "view": view}
    response = problems.exception_handler(exc, context)
    assert response["Content-Type"] == "application/problem+json"
    return response, json.loads(response.content)


def with_cause(exc, cause):
    exc.__cause__ = cause
    return exc


def test_a_problem_says_what_went_wrong_where():
    exc = Problem(
        409,
        "Somebody else has changed it.",
        errors=[{"field": "revision", "message": "It is 3 by now."}],
        current={"revision": 3, "changed_at": datetime(2026, 1, 2, tzinfo=UTC)},
    )

    response, body = answered(exc)

    assert response.status_code == 409
    assert response["Cache-Control"] == "no-store"
    assert body.pop("request_id") == response["X-Request-ID"]
    assert body == {
        "type": "/problems/conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody else has changed it.",
        "errors": [{"field": "revision", "message": "It is 3 by now."}],
        "current": {"revision": 3, "changed_at": "2026-01-02T00:00:00Z"},
    }


def test_invalid_sums_up_its_errors():
    one = [{"field": "id", "message": "It is missing."}]

    assert problems.invalid(one).detail == "id: It is missing."
    assert problems.invalid([*one, *one, *one]).detail == "id: It is missing. And 2 more."


def test_a_problem_may_quote_what_cannot_be_encoded():
    _, body = answered(Problem(400, "\ud800 is half a pair."))

    assert body["detail"] == "\ud800 is half a pair."


@pytest.mark.parametrize(
    ("exc", "status", "kind"),
    [
        (BadDocument("It is empty."), 400, "invalid-input"),
        (TooManyRows(5_000), 413, "too-large"),
        (Http404("No Interaction matches"), 404, "not-found"),
        (drf.NotFound("No Interaction matches"), 404, "not-found"),
        (django_exceptions.PermissionDenied("role expert"), 403, "forbidden"),
        (drf.PermissionDenied(), 403, "forbidden"),
        (drf.ParseError(), 400, "invalid-input"),
        (drf.NotAcceptable(), 406, "not-acceptable"),
        (drf.UnsupportedMediaType("text/plain"), 415, "unsupported-media-type"),
        (django_exceptions.RequestDataTooBig(), 413, "too-large"),
        (django_exceptions.DisallowedHost("evil"), 400, "invalid-input"),
        (django_exceptions.BadRequest(), 400, "invalid-input"),
        (DataError("value too long: secret"), 400, "invalid-input"),
        (RuntimeError("secret"), 500, "internal-error"),
        (RecursionError("secret"), 500, "internal-error"),
    ],
)
def test_every_exception_is_a_problem_without_its_own_words(exc, status, kind):
    response, body = answered(exc)

    assert (response.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"/problems/{kind}",
    )
    for word in ("secret", "evil", "Interaction", "expert"):
        assert word not in response.content.decode()


def test_an_unforeseen_exception_is_a_request_id_and_nothing_else():
    _, body = answered(KeyError("secret"))

    assert body == {
        "type": "/problems/internal-error",
        "title": "Something went wrong on our side",
        "status": 500,
        "request_id": body["request_id"],
    }


def test_an_unforeseen_exception_is_logged_without_its_words():
    with structlog.testing.capture_logs() as logs:
        try:
            raise ValueError("ana@example.com said so")
        except ValueError as error:
            answered(error)

    assert [entry["exception"] for entry in logs] == ["ValueError"]
    assert "test_problems.py" in logs[0]["where"][-1]
    assert "ana@example.com" not in str(logs)


@pytest.mark.parametrize(
    "exc",
    [
        OperationalError("connection refused"),
        InterfaceError("connection already closed"),
        psycopg.OperationalError("server closed the connection"),
        with_cause(OperationalError("disk full"), psycopg.errors.DiskFull("no space: secret")),
    ],
)
def test_a_database_that_is_away_is_503_with_retry_after(exc):
    response, body = answered(exc)

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "secret" not in str(body)


def test_what_the_database_can_never_store_is_not_to_be_tried_again():
    too_large = psycopg.errors.ProgramLimitExceeded("string is too long for tsvector")

    response, _ = answered(with_cause(OperationalError("too long"), too_large))

    assert response.status_code == 400


def test_a_lost_race_is_a_conflict_and_other_integrity_errors_are_ours():
    lost = with_cause(IntegrityError("dup"), psycopg.errors.UniqueViolation("Key (secret)"))
    ours = with_cause(IntegrityError("null"), psycopg.errors.NotNullViolation("row (secret)"))

    assert answered(lost)[0].status_code == 409
    assert answered(ours)[0].status_code == 500


@pytest.mark.parametrize("exc", [drf.NotAuthenticated(), drf.AuthenticationFailed("Unknown key.")])
def test_no_credential_is_401_with_a_challenge_even_where_drf_says_403(exc):
    exc.status_code = 403

    response, _ = answered(exc)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="FeedbackHub"'


@pytest.mark.parametrize(("wait", "header"), [(0.2, "1"), (12.1, "13"), (None, "60")])
def test_too_many_requests_says_when_to_come_back(wait, header):
    response, _ = answered(drf.Throttled(wait))

    assert (response.status_code, response["Retry-After"]) == (429, header)


def test_drf_validation_errors_become_field_paths():
    exc = drf.ValidationError(
        {
            "name": ["Too long.", "Too odd."],
            "items": [{}, {"kind": ["Unknown."]}],
            "non_field_errors": ["They do not fit."],
        }
    )

    assert answered(exc)[1]["errors"] == [
        {"field": "name", "message": "Too long."},
        {"field": "name", "message": "Too odd."},
        {"field": "items[1].kind", "message": "Unknown."},
        {"field": "", "message": "They do not fit."},
    ]


def test_django_validation_errors_become_field_paths():
    by_field = django_exceptions.ValidationError({"name": "Too long.", "__all__": "Odd."})

    assert answered(by_field)[1]["errors"] == [
        {"field": "name", "message": "Too long."},
        {"field": "", "message": "Odd."},
    ]
    assert answered(django_exceptions.ValidationError("Odd."))[1]["errors"] == [
        {"field": "", "message": "Odd."}
    ]


def test_the_request_id_is_the_logs_own():
    with structlog.contextvars.bound_contextvars(request_id="0f2a-1"):
        assert answered(Problem(404))[0]["X-Request-ID"] == "0f2a-1"


def test_a_request_id_from_outside_is_not_repeated_when_it_is_odd():
    with structlog.contextvars.bound_contextvars(request_id="a\r\nSet-Cookie: x"):
        assert "Cookie" not in answered(Problem(404))[0]["X-Request-ID"]


# --- in DRF's views -----------------------------------------------------------------------------


class Shelf(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request):
        return Response({})

    def delete(self, request):
        raise OperationalError("gone")


def test_a_method_that_is_not_offered_is_405_with_allow():
    response = Shelf.as_view()(APIRequestFactory().put("/api/v1/x"))

    assert response.status_code == 405
    assert response["Allow"] == "GET, DELETE, HEAD, OPTIONS"
    assert json.loads(response.content)["type"] == "/problems/method-not-allowed"


def test_an_exception_in_a_view_is_a_problem():
    response = Shelf.as_view()(APIRequestFactory().delete("/api/v1/x"))

    assert (response.status_code, response["Retry-After"]) == (503, "5")


# --- outside DRF's views ------------------------------------------------------------------------


def through_middleware(path, response):
    return ApiProblemMiddleware(lambda request: response)(RequestFactory().get(path))


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/hooks/jira/1"])
def test_djangos_own_error_pages_become_problems_for_programs(path):
    page = HttpResponse("<h1>Not Found</h1>", status=404, headers={"Allow": "GET"})

    response = through_middleware(path, page)

    assert (response.status_code, response["Content-Type"], response["Allow"]) == (
        404,
        "application/problem+json",
        "GET",
    )
    assert json.loads(response.content)["detail"] == (
        "There is nothing here, or it is not yours to see."
    )


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/p/tax-help/board", HttpResponseForbidden("<h1>Forbidden</h1>")),
        ("/api/v1/x", JsonResponse({"partialSuccess": {}}, status=400)),
        ("/api/v1/docs/", HttpResponse("<h1>Docs</h1>")),
    ],
)
def test_other_answers_are_left_alone(path, response):
    assert through_middleware(path, response) is response


def test_an_exception_in_a_plain_view_is_a_problem_for_programs_only():
    middleware = ApiProblemMiddleware(lambda request: None)

    hook = middleware.process_exception(
        RequestFactory().post("/hooks/jira/1"), Problem(401, "The signature does not fit.")
    )
    assert (hook.status_code, hook["Content-Type"]) == (401, "application/problem+json")
    assert middleware.process_exception(RequestFactory().get("/p/x"), ValueError()) is None


@pytest.mark.parametrize(
    ("path", "host", "status"), [("/api/nothing", "testserver", 404), ("/api/v1/x", "evil", 400)]
)
def test_addresses_and_hosts_that_are_not_ours(client, path, host, status):
    response = client.get(path, headers={"host": host})

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
