"""Says on each audit row who acted and through which page or call."""

from contextlib import ExitStack

import pghistory

SAFE = ("GET", "HEAD", "OPTIONS")


class AuditMiddleware:
    """Opens the audit context for what may change tracked rows. A view with `is_audited = False` (capture, whose rows are
    told by the outbox and never changed) goes without: the context costs a statement each time."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with ExitStack() as request._audit:
            return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        view = getattr(view, "cls", view)
        if request.method in SAFE or not getattr(view, "is_audited", True):
            return
        user = request.user
        request._audit.enter_context(
            pghistory.context(
                action=f"{request.method} {request.resolver_match.view_name}",
                **({"user": user.pk} if user.is_authenticated else {}),
            )
        )
