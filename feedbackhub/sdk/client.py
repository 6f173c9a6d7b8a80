"""Calls of the API, sent again where that is safe: reads always, writes under an Idempotency-Key."""

import gzip
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator

TRIES = 5
LONGEST_PAUSE = 30.0  # seconds between two tries
TIMEOUT = 60.0  # seconds a call may take
COMPRESSED_FROM = 64 * 1024  # bytes


class Refused(Exception):
    """The server said no; `status` and `problem` (RFC 9457) say why."""

    def __init__(self, status: int, problem: dict):
        self.status, self.problem = status, problem
        said = [problem.get("detail") or problem.get("title") or f"Status {status}"]
        said += [
            f"{each.get('field') or 'body'}: {each.get('message')}"
            for each in problem.get("errors") or []
        ]
        super().__init__("\n".join(said))


class Unreachable(Exception):
    """No answer came, however often it was tried."""


class Client:
    """`Client("https://feedback.example", "fh_sk_…").get("gold-versions")`"""

    def __init__(self, url: str, key: str, *, sleep=time.sleep):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{url!r} is no web address.")
        self.url, self.key, self._sleep = url.rstrip("/"), key, sleep

    def get(self, path: str, **query) -> dict:
        asked = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urllib.parse.urlencode(asked)}" if asked else path)

    def post(self, path: str, body) -> dict:
        """Sent again when no answer comes; the server does it once."""
        return self._call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def pages(self, path: str, **query) -> Iterator[dict]:
        """Every row of a list."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, limit=200, **query)
            yield from page["results"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(self, method, path, body=None, headers=()) -> dict:
        request = self._request(method, path, body, dict(headers))
        for attempt in range(1, TRIES + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 (checked)
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 502, 503, 504) or attempt == TRIES:
                    raise Refused(error.code, _problem(error)) from None
                self._sleep(_pause(attempt, error.headers.get("Retry-After")))
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                if attempt == TRIES:
                    reason = getattr(error, "reason", error)
                    raise Unreachable(f"{self.url} does not answer: {reason}") from None
                self._sleep(_pause(attempt, None))
        raise AssertionError("unreachable")

    def _request(self, method, path, body, headers):
        data = None
        headers |= {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
            if len(data) >= COMPRESSED_FROM:
                data = gzip.compress(data)
                headers["Content-Encoding"] = "gzip"
        return urllib.request.Request(  # noqa: S310 (the scheme was checked)
            f"{self.url}/api/v1/{path}", data=data, headers=headers, method=method
        )


def _problem(error) -> dict:
    try:
        found = json.load(error)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pause(attempt: int, retry_after: str | None) -> float:
    """Seconds: what the server asks for, else twice as long each time."""
    if retry_after and retry_after.isdigit():
        return min(float(retry_after), LONGEST_PAUSE)
    return min(0.5 * 2**attempt, LONGEST_PAUSE)
