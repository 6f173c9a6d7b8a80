"""Says on each audit row who acted and through which page or call."""

import pghistory


class AuditMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self.get_response(request)
        with pghistory.context():
            return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            # inside a context a further call adds to it; the caller of the API is added by its key
            pghistory.context(action=f"{request.method} {request.resolver_match.view_name}")
            if request.user.is_authenticated:
                pghistory.context(user=request.user.pk)
