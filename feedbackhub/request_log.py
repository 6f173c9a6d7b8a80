"""One log line a request: route, row ids, status, who, how long. Never a query string, a token or a text."""

import time

import structlog
from django_structlog.middlewares import RequestMiddleware

SHOWN = ("project", "public_id", "connection", "number")  # ids in an address; a token is not one


class RequestLog(RequestMiddleware):
    """Binds a request id for every log line, answers it as X-Request-Id, and logs the end of the request."""

    def __call__(self, request):
        request.started_at = time.perf_counter()
        return super().__call__(request)

    def handle_response(self, request, response):
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        response.headers.setdefault("X-Request-Id", request_id)
        structlog.contextvars.bind_contextvars(
            ms=round((time.perf_counter() - request.started_at) * 1000, 1)
        )
        super().handle_response(request, response)

    @staticmethod
    def format_request(request) -> str:
        match = request.resolver_match
        if match is None:
            return request.method
        ids = "".join(f" {name}={match.kwargs[name]}" for name in SHOWN if name in match.kwargs)
        return f"{request.method} {match.route}{ids}"
