"""A small GitHub of our own, behind a real socket: issues, comments, labels that may be dropped, limits, webhooks."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta

from werkzeug import Response

SECRET = "It's a Secret to Everybody"
REPOSITORY = "acme/support"


class FakeGitHub:
    """`issues` by number, `posts` the bodies of the creates it saw; `next_create` spoils the next answer."""

    def __init__(self, httpserver):
        self.issues, self.posts = {}, []
        self.may_push = True
        self.base_url = httpserver.url_for("").rstrip("/")
        self.host = f"{httpserver.host}:{httpserver.port}"
        self.spoils, self.refusal = None, None
        self._clock = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        httpserver.expect_request(re.compile("^/.*")).respond_with_handler(self._answer)

    def _answer(self, request):
        assert request.headers["Authorization"] == "Bearer ghp_token-that-must-not-leak"
        if self.refusal is not None:
            return self.refusal
        path, body = request.path, json.loads(request.data) if request.data else None
        if path == "/user":
            return _json({"login": "hub-bot", "id": 7})
        rest = path.removeprefix(f"/repos/{REPOSITORY}")
        if rest == "":
            return _json(
                {
                    "full_name": REPOSITORY,
                    "has_issues": True,
                    "permissions": {"push": self.may_push},
                }
            )
        if rest == "/issues" and request.method == "POST":
            return self._create(body)
        if rest == "/issues":
            wanted = request.args.get("labels")
            rows = [i for i in self.issues.values() if not wanted or wanted in _names(i)]
            rows.sort(key=lambda i: -i["number"])
            return _json([self._shown(i) for i in rows])
        found = re.fullmatch(r"/issues/(\d+)(/comments|)", rest)
        if found is None or int(found[1]) not in self.issues:
            return _json({"message": "Not Found"}, 404)
        issue = self.issues[int(found[1])]
        if found[2]:
            return self._comments(issue, request.method, body, request.args)
        if request.method == "PATCH":
            self.move(issue["number"], **body)
        return _json(self._shown(issue))

    def _create(self, body):
        self.posts.append(body)
        number = len(self.issues) + 1
        labels = body["labels"] if self.may_push else []
        self.issues[number] = {
            "number": number,
            "id": 9_000 + number,
            "title": body["title"],
            "body": body["body"],
            "labels": [{"name": label} for label in labels],
            "state": "open",
            "state_reason": None,
            "assignee": None,
            "updated_at": self._tick(),
            "comments_": [],
        }
        spoilt, self.spoils = self.spoils, None
        return spoilt or _json(self._shown(self.issues[number]), 201)

    def _comments(self, issue, method, body, asked):
        if method == "POST":
            comment = {"id": len(issue["comments_"]) + 1, "body": body["body"],
                       "user": {"login": "hub-bot"}, "created_at": self._tick()}  # fmt: skip
            issue["comments_"].append(comment)
            return _json(comment, 201)
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        return _json(issue["comments_"][size * (page - 1) : size * page])

    def move(self, number, state, state_reason=None):
        self.issues[number] |= {
            "state": state, "state_reason": state_reason, "updated_at": self._tick()
        }  # fmt: skip

    def event(self, number, action="closed", event="issues", **more):
        """(body, headers) of a webhook, signed."""
        payload = {
            "action": action,
            "issue": self._shown(self.issues[number]),
            "repository": {"full_name": REPOSITORY},
            "sender": {"login": "ford", "id": 42},
            **more,
        }
        raw = json.dumps(payload).encode()
        signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        return raw, {
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        }

    def _tick(self):
        self._clock += timedelta(minutes=1)
        return self._clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    @staticmethod
    def _shown(issue):
        shown = {name: value for name, value in issue.items() if name != "comments_"}
        return shown | {"comments": len(issue["comments_"])}


def _names(issue):
    return {label["name"] for label in issue["labels"]}


def _json(value, status=200, **headers):
    return Response(json.dumps(value), status, headers=headers, content_type="application/json")


def limited(status, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        '{"message": "rate limit"}', status, headers=named, content_type="application/json"
    )
