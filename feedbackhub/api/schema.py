"""What the API's schema says of a view, read from the view itself.

`takes = {"POST": Body}` and `gives = {"POST": {201: Row, 200: Row}}` name TypedDicts (a room's `api_shapes`). A list says
only `row = Row`: its page and its filters follow from that.
"""

from typing import TypedDict

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_array_type, resolve_type_hint
from drf_spectacular.utils import OpenApiParameter

from feedbackhub.filters import LIMIT, MOST

VERBS = {"GET": "get", "POST": "post", "DELETE": "delete", "PUT": "put", "PATCH": "patch"}


class ErrorShape(TypedDict):
    field: str
    message: str


class ProblemShape(TypedDict, total=False):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorShape]
    request_id: str


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "feedbackhub.accounts.api_keys.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "A secret key: fh_sk_…"}


class ApiSchema(AutoSchema):
    def get_operation_id(self) -> str:
        verb = "list" if self._is_page() else VERBS[self.method]
        return f"{verb}_{self._resource()}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").partition("/")[0]]

    def get_request_serializer(self):
        taken = getattr(self.view, "takes", {}).get(self.method)
        if taken is None:
            return None
        return {media: shape_of(each) for media, each in _by_media(taken).items()}

    def get_response_serializers(self):
        given = getattr(self.view, "gives", {}).get(self.method, {})
        if self._is_page():
            given = {200: page_of(self.view.row)}
        answers = {
            code: shape if shape is None or isinstance(shape, dict) else shape_of(shape)
            for code, shape in given.items()
        }
        return answers | {("default", "application/problem+json"): shape_of(ProblemShape)}

    def get_override_parameters(self) -> list:
        if not self._is_page():
            return []
        filters = [
            OpenApiParameter(name, str, enum=each.choices or None, many=True)
            for name, each in self.view.filters.items()
        ]
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
        return [*filters, OpenApiParameter("cursor"), OpenApiParameter("limit", limit)]

    def _is_page(self) -> bool:
        return self.method == "GET" and getattr(self.view, "row", None) is not None

    def _resource(self) -> str:
        words = self.path.removeprefix("/api/v1/").strip("/").split("/")
        return "_".join(
            word.strip("{}").replace("-", "_")
            if not word.startswith("{")
            else "by_" + word.strip("{}")
            for word in words
        )


def shape_of(shape) -> dict:
    """The JSON schema of a TypedDict, or of a list of them. A TypedDict with `total=False` requires nothing."""
    return resolve_type_hint(shape)


def page_of(row) -> dict:
    cursor = {"type": "string", "nullable": True}
    return {
        "type": "object",
        "properties": {
            "results": build_array_type(shape_of(row)),
            "next_cursor": cursor,
            "previous_cursor": cursor,
        },
        "required": ["results", "next_cursor", "previous_cursor"],
    }


def _by_media(taken) -> dict:
    return taken if isinstance(taken, dict) else {"application/json": taken}
