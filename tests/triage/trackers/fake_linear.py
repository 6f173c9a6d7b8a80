"""A small Linear of our own, behind a real socket: it answers each operation as the test says."""

import json
import re
import traceback

import pytest
from werkzeug import Response

from feedbackhub.outbound import OutboundError

KEY = "lin_api_key-that-must-not-leak"
SECRET = "lin_wh_secret"
TEAM_ID = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
PREPARED = {"data": {"team": {"id": TEAM_ID}, "issueLabels": {"nodes": []}}}


class FakeLinear:
    """A GraphQL endpoint that answers by the operation's name, in turn where several are given."""

    def __init__(self, httpserver):
        self.url = httpserver.url_for("/graphql")
        self.host = f"{httpserver.host}:{httpserver.port}"
        self.asked = []
        self.headers = []
        self.answers = {"Prepare": [PREPARED]}
        httpserver.expect_request("/graphql", method="POST").respond_with_handler(self.answer)

    def answer(self, request):
        body = json.loads(request.data)
        operation = re.search(r"(?:query|mutation) (\w+)", body["query"])[1]
        self.asked.append((operation, body["variables"]))
        self.headers.append(request.headers)
        prepared = self.answers[operation]
        reply = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if isinstance(reply, Response):
            return reply
        status, reply = reply if isinstance(reply, tuple) else (200, reply)
        return Response(json.dumps(reply), status, content_type="application/json")

    def gives(self, **answers):
        self.answers.update(
            {name: a if isinstance(a, list) else [a] for name, a in answers.items()}
        )

    @property
    def operations(self):
        return [operation for operation, _ in self.asked]


def failure(call, *args, **options):
    with pytest.raises(OutboundError) as caught:
        call(*args, **options)
    assert KEY not in str(caught.value) + "".join(traceback.format_exception(caught.value))
    return caught.value
