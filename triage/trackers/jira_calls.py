"""How Jira is called: where it is, signed in as whom, and what its refusals say in our words."""

import base64
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import jira_settings, rendering
from triage.trackers.base import Tracker, reworded
from triage.trackers.reading import dig, list_at, text_at

ISSUE_ID = re.compile(r"[0-9]{1,19}")


class JiraCalls(Tracker):
    """The settings of one project of one Jira, and calls under them."""

    config_fields = jira_settings.FIELDS
    api = "/rest/api/3"

    @classmethod
    def judged_config(
        cls, config: Mapping[str, Any], allowed_hosts: Iterable[str] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        return jira_settings.judged_config(
            config, check_base=lambda given: cls.checked_base(given, allowed_hosts)
        )

    @staticmethod
    def checked_base(given: str, allowed_hosts: Iterable[str] | None) -> str:
        """The address that calls are built from, or ConfigError."""
        return jira_settings.base_url(given, allowed_hosts)

    @property
    def base(self) -> str:
        return self.checked_base(str(self.config.get("base_url") or ""), self._allowed_hosts)

    @property
    def project(self) -> str:
        return jira_settings.project_key(str(self.config.get("project_key") or ""))

    def call(
        self,
        method: str,
        path: str,
        *,
        may: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        writes: bool = False,
        may_be_empty: bool = False,
    ) -> Any:
        """One call; its parsed body. `may` says what the token must be allowed to do."""
        token, email = self.secret("api_token"), str(self.config.get("email") or "")
        authorization = (
            "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()
            if email
            else f"Bearer {token}"
        )
        url = f"{self.base}{self.api}{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        try:
            return self.request(
                method,
                url,
                writes=writes,
                may_be_empty=may_be_empty,
                json=body,
                content=content,
                headers={"Authorization": authorization, **(headers or {})},
            ).json
        except OutboundError as error:
            raise self._explained(error, may) from None

    def pages(self, path: str, *keys: str, may: str) -> list[dict[str, Any]]:
        """The rows of a paged list, under the first of the keys that holds one."""
        rows: list[dict[str, Any]] = []
        for _ in range(10):
            page = self.call(
                "GET", path, query={"startAt": str(len(rows)), "maxResults": "200"}, may=may
            )
            found = next((page[key] for key in keys if isinstance(dig(page, key), list)), None)
            if found is None:
                raise self.unreadable(writes=False)
            rows += [row for row in found if isinstance(row, dict)]
            total = dig(page, "total")
            if not found or not isinstance(total, int) or len(rows) >= total:
                break
        return rows

    def _explained(self, error: OutboundError, may: str) -> OutboundError:
        """The same error, with the thing named and the next step."""
        reasons = _reasons(error)
        words = {
            401: (
                f"Jira does not accept the token of {self.project}: it is wrong, withdrawn or "
                "past its term. Make a new one and enter it in the connection's settings."
            ),
            403: (
                f"Jira refused {self.project}: the token may not {may} there. "
                "Give its account that permission, then try again."
            ),
            404: (
                f"Jira shows nothing here to the token of {self.project}: it does not exist, or "
                f"the token may not {may}."
            ),
            409: f"Jira is changing the ticket at this moment. {reasons}",
            410: f"Jira no longer offers what is needed to {may}. FeedbackHub must be updated.",
        }.get(error.status or 0)
        if words is None and error.status is not None and 400 <= error.status < 500:
            words = f"Jira refused to {may} in {self.project}. {reasons}" if reasons else None
        later = Outcome.REFUSED_TRY_LATER if error.status == 409 else None
        return reworded(error, (words or str(error)).strip(), later)


def issue_path(remote_id: str) -> str:
    if not ISSUE_ID.fullmatch(remote_id):
        raise OutboundError(f"“{remote_id[:40]}” is no Jira id.", Outcome.REFUSED_FOR_GOOD)
    return f"/issue/{remote_id}"


def account_of(person: Any) -> str:
    """Who it is, for good; Data Center has no account ids."""
    return text_at(person, "accountId") or text_at(person, "key")


def _reasons(error: OutboundError) -> str:
    """What Jira says against each field; the words are shown, never matched."""
    said = error.answer.json if error.answer else None
    parts = [text for text in list_at(said, "errorMessages") if isinstance(text, str)]
    errors = dig(said, "errors")
    if isinstance(errors, dict):
        parts += [f"{name}: {text}" for name, text in errors.items()]
    return rendering.one_line(" ".join(parts), 300)
