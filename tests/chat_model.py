"""A language model behind a real socket, which says what a test wants it to."""

import json

from werkzeug import Response


class FakeChatModel:
    """An OpenAI-compatible service. It answers `says` (text, or what becomes JSON; a function of the material that it was given
    is asked first) and keeps the bodies of what it was `asked`.
    """

    def __init__(self, httpserver, settings, says):
        self.says, self.status, self.asked = says, 200, []
        self.address = httpserver.url_for("/v1")
        settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
        httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(
            self._reply
        )

    @property
    def materials(self) -> list[str]:
        return [body["messages"][1]["content"] for body in self.asked]

    def _reply(self, request):
        self.asked.append(request.get_json())
        said = self.says(self.materials[-1]) if callable(self.says) else self.says
        content = said if isinstance(said, str) else json.dumps(said)
        body = {"choices": [{"message": {"role": "assistant", "content": content}}]}
        return Response(json.dumps(body), self.status, content_type="application/json")
