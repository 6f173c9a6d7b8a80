"""The one parser of the API: strict JSON within the limits of RELIABILITY §2."""

from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """application/json only; anything else is a problem with its reason."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        from feedbackhub.api import bodies, strict_json

        body = bodies.read_body(parser_context["request"]._request, limit=bodies.SINGLE_LIMIT)
        return strict_json.parse(body.raw)
