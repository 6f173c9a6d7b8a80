"""What we ask of GitHub, and what our own small GitHub answers, held against GitHub's contract.

The contract is stricter here than GitHub is: a request may hold only what it names, so that a misspelt field or parameter is
seen. Of answers our GitHub gives a part; what it gives has the contract's names and types.
"""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from tests.triage.fake_github import REPOSITORY, SECRET, FakeGitHub
from tests.triage.trackers.drafts import MARKER, OTHER_MARKER, draft, hostile_draft
from triage.trackers.github import GitHub

pytestmark = pytest.mark.shared


class Contract:
    """An OpenAPI 3.0 document as JSON Schema: nullable, and closed objects."""

    def __init__(self, path):
        self.document = json.loads(path.read_text())

    def operation(self, method, path):
        """(path template, operation) of a call, or an assertion that says which is missing."""
        for template, operations in self.document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in operations:
                return operations[method.lower()]
        raise AssertionError(f"the contract has no {method} {path}")

    def hold(self, request, response):
        operation = self.operation(request.method, request.path)
        known = {}
        for each in operation.get("parameters", []):
            if "$ref" in each:
                each = self.document["components"]["parameters"][each["$ref"].rpartition("/")[2]]
            known[each["name"], each["in"]] = each["schema"]
        for name, value in request.args.items():
            schema = known[name, "query"]
            self._check(int(value) if schema.get("type") == "integer" else value, schema)
        assert ("requestBody" in operation) == bool(request.data)
        if request.data:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            self._check(json.loads(request.data), body)
        answer = operation["responses"][str(response.status_code)]
        answer = self._named("responses", answer)
        schema = answer["content"]["application/json"]["schema"]
        self._check(json.loads(response.data), schema, whole=False)

    def _named(self, kind, value):
        if "$ref" in value:
            return self.document["components"][kind][value["$ref"].rpartition("/")[2]]
        return value

    def _check(self, value, schema, *, whole=True):
        schemas = _converted(self.document["components"]["schemas"], whole)
        root = {**_converted(schema, whole), "components": {"schemas": schemas}}
        jsonschema.Draft202012Validator(root).validate(value)


def _converted(schema, whole, closed=True):
    if isinstance(schema, list):
        return [_converted(each, whole, closed) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        {"oneOf": "anyOf"}.get(name, name): _converted(value, whole, name != "allOf")
        for name, value in schema.items()
        if name not in ("nullable", "example", "discriminator", "format")
    }
    if not whole and isinstance(schema.get("required"), list):
        del made["required"]
    if closed and isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


@pytest.fixture(scope="module")
def contract():
    shared = Path(os.environ["FEEDBACKHUB_SHARED"]).resolve()
    return Contract(shared / "contracts" / "github-issues.openapi.json")


@pytest.fixture
def github(httpserver):
    return FakeGitHub(httpserver)


@pytest.fixture
def adapter(github):
    return GitHub(
        {"repository": REPOSITORY, "base_url": github.base_url},
        {"api_token": "ghp_token-that-must-not-leak", "webhook_secret": SECRET},
        allowed_hosts=[github.host],
    )


def do_everything(github, adapter):
    adapter.check()
    adapter.account_id()
    made = adapter.create(draft())
    github.may_push = False
    adapter.create(hostile_draft())
    adapter.find(MARKER)
    adapter.find(OTHER_MARKER)  # by label, then by the newest texts
    adapter.comment(made.remote_id, "Open again.", MARKER)
    adapter.comment(made.remote_id, "Open again.", MARKER)
    adapter.attach(made.remote_id, name="P7-brief.md", text="# P7", marker=OTHER_MARKER)
    adapter.comments(made.remote_id)
    github.move(1, "closed", "completed")
    adapter.reopen(made.remote_id)
    adapter.locate("#1")
    adapter.read("99")


def test_every_call_and_every_answer_is_the_contracts(contract, github, adapter, httpserver):
    do_everything(github, adapter)
    asked = {(request.method, request.path) for request, _ in httpserver.log}
    assert {method for method, _ in asked} == {"GET", "POST", "PATCH"}
    assert len(asked) >= 8
    for request, response in httpserver.log:
        contract.hold(request, response)


@pytest.mark.parametrize(
    "body",
    [{"titel": "x"}, {"title": "x", "labels": "fbh"}, {"title": ["x"]}, {"body": "no title"}],
    ids=["misspelt", "labels as text", "title as list", "without a title"],
)
def test_what_the_contract_does_not_know_is_seen(contract, body):
    operation = contract.operation("POST", f"/repos/{REPOSITORY}/issues")
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    with pytest.raises(jsonschema.ValidationError):
        contract._check(body, schema)
