"""A small Jira of our own, behind a real socket: it files, searches, comments and moves, and fails as the test says."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta

from werkzeug import Response

PATH = "/rest/api/3"
TO_DO = {"name": "To Do", "statusCategory": {"key": "new"}}
IN_PROGRESS = {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}
DONE = {"name": "Done", "statusCategory": {"key": "done"}}
SECRET = "It's a Secret to Everybody"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def happened(
    issue_id="10001", *, event="jira:issue_updated", status=DONE, at=NOW, labels=(), key="FBH-1"
):
    return {
        "timestamp": int(at.timestamp() * 1000),
        "webhookEvent": event,
        "user": {"accountId": "somebody"},
        "issue": {
            "id": issue_id,
            "key": key,
            "fields": {
                "status": status,
                "resolution": None,
                "updated": at.isoformat(),
                "labels": list(labels),
            },
        },
    }


def signed(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def people_file(jira, key="FBH-77", **fields):
    """A ticket that somebody filed over there by hand."""
    issue = {
        "id": str(20_000 + len(jira.issues)),
        "key": key,
        "labels": [],
        "fields": {},
        "properties": {},
        "status": TO_DO,
        "updated": jira.tick(),
        "comments": [],
        **fields,
    }
    jira.issues.append(issue)
    return issue


def paragraphs(text):
    """ADF of a text: a paragraph for each line."""
    return [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]}
        for line in text.split("\n")
    ]


class FakeJira:
    """`issues` is what it holds, `posts` the bodies of the creates it saw."""

    path, search_path = PATH, "/search/jql"

    def __init__(self, httpserver):
        self.issues, self.posts, self.searches = [], [], 0
        self.can_reopen = True
        self.is_searchable = True  # False: the index lags behind
        self.base_url = httpserver.url_for("").rstrip("/")
        self.host = f"{httpserver.host}:{httpserver.port}"
        self.after_create = lambda: None  # called when an issue was made, before the answer
        self._faults = []
        self._down = None
        self._clock = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        httpserver.expect_request(re.compile(f"^{self.path}/.*")).respond_with_handler(self._answer)

    # --- what tests say -----------------------------------------------------------------------

    def next_create(self, response, *, made):
        """The next create is answered so, and carried out before or not at all."""
        self._faults.append((response, made))

    def say(self, issue_id, text, *, by="Ford Prefect", account_type="atlassian"):
        """Somebody comments over there; answers the comment, for editing."""
        issue = self.issue(issue_id)
        comment = {
            "id": str(5_000 + len(issue["comments"])),
            "author": self.author(by, account_type),
            "body": self.text(text),
            "created": self.tick().isoformat(),
        }
        issue["comments"].append(comment)
        return comment

    @staticmethod
    def author(name, account_type):
        return {"displayName": name, "accountType": account_type}

    @staticmethod
    def text(text):
        return {"type": "doc", "content": paragraphs(text)}

    def goes_down(self, status=401, **headers):
        """Every call is refused from now on."""
        self._down = Response(
            json.dumps({"errorMessages": ["no"]}),
            status,
            headers=headers,
            content_type="application/json",
        )

    def comes_back(self):
        self._down = None

    def move(self, issue_id, status):
        issue = self.issue(issue_id)
        issue["status"], issue["updated"] = status, self.tick()
        return issue

    def issue(self, issue_id):
        return next(i for i in self.issues if str(issue_id) in (i["id"], i["key"]))

    def tick(self):
        self._clock += timedelta(minutes=1)
        return self._clock

    # --- what it answers ----------------------------------------------------------------------

    def _answer(self, request):
        if self._down is not None:
            return self._down
        path, method = request.path.removeprefix(self.path), request.method
        is_json = request.mimetype == "application/json" and request.data
        body = json.loads(request.data) if is_json else None
        if path.startswith("/issue/createmeta/"):
            return self._screen(path)
        if path == "/issue" and method == "POST":
            return self._create(body)
        if path == self.search_path:
            return self._search(body)
        if path == "/myself":
            return _json({"accountId": "us", "displayName": "Bot"})
        if path == "/mypermissions":
            names = request.args["permissions"].split(",")
            return _json({"permissions": {name: {"havePermission": True} for name in names}})
        if path == "/project/FBH/statuses":
            named = [TO_DO, IN_PROGRESS, DONE]
            statuses = [{"id": str(number), **each} for number, each in enumerate(named, 1)]
            return _json([{"id": "1", "name": "Bug", "statuses": statuses}])
        found = re.fullmatch(
            r"/issue/([\w-]+)(/comment|/transitions|/properties/feedbackhub|/remotelink|/attachments|)",
            path,
        )
        if found is None or not any(found[1] in (i["id"], i["key"]) for i in self.issues):
            return _json({"errorMessages": ["Issue does not exist"]}, 404)
        if found[2] == "/attachments":
            return self._attach(self.issue(found[1]), request)
        return self._of_issue(self.issue(found[1]), found[2], method, body)

    @staticmethod
    def _attach(issue, request):
        if request.headers.get("X-Atlassian-Token") != "no-check":
            return _json({"errorMessages": ["XSRF check failed"]}, 403)
        file = request.files["file"]
        kept = {"id": "1", "filename": file.filename, "text": file.read().decode()}
        issue.setdefault("attachments", []).append(kept)
        return _json([kept])

    def _screen(self, path):
        if path.endswith("/issuetypes"):
            return _json({"issueTypes": [{"id": "10002", "name": "Bug"}], "total": 1})
        fields = [
            {"fieldId": name, "name": name, "required": False}
            for name in ("summary", "description", "labels")
        ]
        return _json({"fields": fields, "total": len(fields)})

    def _create(self, body):
        self.posts.append(body)
        response, made = self._faults.pop(0) if self._faults else (None, True)
        if made:
            number = len(self.issues) + 1
            self.issues.append(
                {
                    "id": str(10_000 + number),
                    "key": f"FBH-{number}",
                    "labels": body["fields"]["labels"],
                    "fields": body["fields"],
                    "properties": {p["key"]: p["value"] for p in body["properties"]},
                    "status": TO_DO,
                    "updated": self.tick(),
                    "comments": [],
                }
            )
            self.after_create()
        if response is not None:
            return response
        return _json({"id": self.issues[-1]["id"], "key": self.issues[-1]["key"]}, 201)

    def _search(self, body):
        self.searches += 1
        label = re.search(r'"(fbh-[0-9a-f-]+)"', body["jql"])[1]
        found = [self._shown(i) for i in self.issues if label in i["labels"] and self.is_searchable]
        return _json({"issues": found, "isLast": True})

    def _of_issue(self, issue, part, method, body):
        if part == "":
            return _json(self._shown(issue))
        if part == "/remotelink":
            issue.setdefault("links", {})[body["globalId"]] = body["object"]
            return _json({"id": 1}, 201)
        if part == "/comment":
            if method == "GET":
                return _json({"comments": issue["comments"][::-1]})  # the newest first, as asked
            issue["comments"].append({"id": str(len(issue["comments"]) + 1), "body": body["body"]})
            return _json(issue["comments"][-1], 201)
        if method == "GET":
            if not self.can_reopen:
                return _json({"transitions": [{"id": "41", "to": DONE}]})
            return _json({"transitions": [{"id": "11", "to": TO_DO}, {"id": "41", "to": DONE}]})
        self.move(issue["id"], {"11": TO_DO, "41": DONE}[body["transition"]["id"]])
        return Response(status=204)

    @staticmethod
    def _shown(issue):
        return {
            "id": issue["id"],
            "key": issue["key"],
            "fields": {
                "status": issue["status"],
                "resolution": None,
                "updated": issue["updated"].isoformat(),
                "labels": issue["labels"],
                "assignee": issue.get("assignee"),
                "attachment": issue.get("attachments", []),
            },
            "properties": issue["properties"],
        }


class FakeDataCenter(FakeJira):
    """The older API under a path: wiki text, people by name and key, no word of who is a customer."""

    path, search_path = "/jira/rest/api/2", "/search"

    def _search(self, body):
        """Knows the fields of its own API only, and shows no properties."""
        if set(body) - {"jql", "startAt", "maxResults", "validateQuery", "fields", "expand"}:
            return refused(400, "Unrecognized field")
        return super()._search(body)

    def _of_issue(self, issue, part, method, body):
        if part == "/properties/feedbackhub":
            value = issue["properties"].get("feedbackhub")
            return _json({"key": "feedbackhub", "value": value}, 200 if value else 404)
        return super()._of_issue(issue, part, method, body)

    @staticmethod
    def author(name, account_type):
        return {"displayName": name, "name": name.split()[0].lower(), "key": "JIRAUSER10100"}

    @staticmethod
    def text(text):
        return text

    @staticmethod
    def _shown(issue):
        return FakeJira._shown({**issue, "properties": {}})


def _json(value, status=200):
    return Response(json.dumps(value), status, content_type="application/json")


def refused(status, message="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        json.dumps({"errorMessages": [message]}),
        status,
        headers=named,
        content_type="application/json",
    )


def half_an_answer():
    return Response('{"id": "10', 201, content_type="application/json")


def login_page():
    return Response("<html>Log in</html>", 200, content_type="text/html")
