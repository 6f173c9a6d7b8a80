"""What every API view shares: a key's project, and a scope for each method."""

from rest_framework.views import APIView


class ProjectAPIView(APIView):
    """`scopes` says which scope each method needs; `self.project` is the key's project."""

    scopes: dict[str, str] = {}

    @property
    def project(self):
        return self.request.auth.project
