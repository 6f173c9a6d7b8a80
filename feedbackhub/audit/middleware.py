"""Says on each audit row who acted and by which request."""

import pghistory


class AuditMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self.get_response(request)
        user = getattr(request, "user", None)
        with pghistory.context(
            user=user.pk if user is not None and user.is_authenticated else None,
            action=f"{request.method} {request.resolver_match.view_name if request.resolver_match else ''}".strip(),
        ):
            return self.get_response(request)
