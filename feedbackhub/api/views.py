"""What every API view shares: a key's project, a scope for each method, and Idempotency-Key on POST."""

from django.db import transaction
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response
from rest_framework.views import APIView

from feedbackhub.api import idempotency


class OnlyJSON(DefaultContentNegotiation):
    """There is one renderer: whatever a client accepts, it gets that."""

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class ProjectAPIView(APIView):
    """`scopes` says which scope each method needs; `self.project` is the key's project."""

    scopes: dict[str, str] = {}
    content_negotiation_class = OnlyJSON

    @property
    def project(self):
        return self.request.auth.project

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and "Idempotency-Key" in request.headers:
            self.post = self._once(self.post)

    def _once(self, post):
        """The handler, done once per Idempotency-Key."""

        def handler(request, *args, **kwargs):
            row = idempotency.begin(
                request._request, project=self.project, caller=str(request.auth.public_id)
            )
            if row.status is not None:
                return Response(
                    row.answer, status=row.status, headers={"Idempotent-Replayed": "true"}
                )
            try:
                with transaction.atomic():
                    response = post(request, *args, **kwargs)
                    idempotency.finish(row, status=response.status_code, answer=response.data)
                return response
            except Exception:
                idempotency.forget(row)
                raise

        return handler
