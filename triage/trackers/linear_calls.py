"""How Linear is asked: where it is, with which key, and what it says against a question in our words.

What is surprising in it:

- Errors come with status 200 and with 400; a rate limit is a 400 with the code RATELIMITED.
- An issue that does not exist is an input error.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from feedbackhub import outbound
from feedbackhub.outbound import Answer, OutboundError, Outcome
from triage.trackers import rendering
from triage.trackers.base import Tracker, reworded
from triage.trackers.reading import dig, text_at
from triage.trackers.settings import (
    ConfigError,
    ConfigField,
    api_address,
    api_address_field,
    judged,
    texts,
    webhook_secret,
)

API_URL = "https://api.linear.app/graphql"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEAM_KEY = re.compile(r"[A-Z0-9]{1,10}")

_KEY_REFUSED = (
    "Linear does not accept the key: it is wrong, withdrawn or past its term. "
    "Make a new one and enter it in the connection's settings."
)
_INPUT_CODES = {"INPUT_ERROR", "INVALID_INPUT", "BAD_USER_INPUT"}
_SAYS_NO_CODES = {
    *_INPUT_CODES,
    "FORBIDDEN",
    "FEATURE_NOT_ACCESSIBLE",
    "USAGE_LIMIT_EXCEEDED",
    "GRAPHQL_VALIDATION_FAILED",
    "GRAPHQL_PARSE_FAILED",
    "BAD_REQUEST",
}
_SAYS_NO_TYPES = {
    "invalid input",
    "user error",
    "forbidden",
    "feature not accessible",
    "usage limit exceeded",
}


class Refused(OutboundError):
    """`errors` in an answer. `is_input_error`: Linear understood us, and says no to the values."""

    is_input_error = False


class LinearCalls(Tracker):
    """The settings of one team of one Linear workspace, and questions under them."""

    config_fields = (
        ConfigField("team", "Team", "Its key (the letters of its issues) or its id."),
        api_address_field(API_URL),
        ConfigField(
            "api_key", "API key", "A personal key or an OAuth access token.", kind="secret"
        ),
        webhook_secret("Linear shows it beside the webhook."),
    )

    @classmethod
    def normalise_config(
        cls, config: Mapping[str, Any], secrets: Mapping[str, str], **options: Any
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """See the contract. A key may be pasted with the word that stands before it in a header."""
        key = str(secrets.get("api_key") or "").strip().removeprefix("Bearer ")
        return super().normalise_config(config, {**secrets, "api_key": key}, **options)

    @classmethod
    def judged_config(
        cls, config: Mapping[str, Any], allowed_hosts: Iterable[str] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        checks = {"base_url": lambda given: _address(given, allowed_hosts), "team": _team}
        return judged(texts(config, checks), checks)

    @property
    def team(self) -> str:
        return str(self.config.get("team") or "")

    def ask(
        self, document: str, variables: Mapping[str, Any], *, writes: bool = False
    ) -> tuple[Any, Refused | None]:
        """One operation: its data, and what Linear says against it. Either may be missing.

        Raises OutboundError where there is no answer to judge.
        """
        key = self.secret("api_key")
        url = _address(str(self.config.get("base_url") or ""), self._allowed_hosts)
        try:
            answer = self.request(
                "POST",
                url,
                writes=writes,
                json={"query": document, "variables": dict(variables)},
                # A personal key goes without Bearer, a token with it.
                headers={"Authorization": key if key.startswith("lin_api_") else f"Bearer {key}"},
                accept_status={400},
            )
        except OutboundError as error:
            raise self._explained(error) from None
        errors = dig(answer.json, "errors")
        if errors:
            return dig(answer.json, "data"), self._refused(answer, errors, writes)
        if answer.status == 400:
            raise OutboundError(
                "Linear refused the call (status 400).", Outcome.REFUSED_FOR_GOOD, status=400
            )
        if not isinstance(dig(answer.json, "data"), dict):
            raise self.unreadable(writes=writes)
        return answer.json["data"], None

    def demand(self, document: str, variables: Mapping[str, Any], *, writes: bool = False) -> Any:
        """One operation that must be granted: its data."""
        data, refused = self.ask(document, variables, writes=writes)
        if refused:
            raise refused
        return data

    def ask_of_team(self, document: str, **more: Any) -> Any:
        """What Linear shows of the connection's team, with words of its own where there is no such team."""
        data, refused = self.ask(document, {"team": self.team, **more})
        if refused and refused.is_input_error:
            raise OutboundError(
                f"Linear shows no team {self.team} to this key. Check the team in the connection's "
                "settings, or give the key's owner access to it.",
                Outcome.REFUSED_FOR_GOOD,
            )
        if refused:
            raise refused
        return data

    def _refused(self, answer: Answer, errors: Any, writes: bool) -> Refused:
        """`errors`, judged by code and type, never by their words."""
        code = text_at(errors, 0, "extensions", "code").upper()
        kind = text_at(errors, 0, "extensions", "type").lower()
        said = text_at(errors, 0, "extensions", "userPresentableMessage") or text_at(
            errors, 0, "message"
        )
        said = rendering.one_line(said, 200)
        wait = None
        if code == "RATELIMITED" or kind == "ratelimited":
            outcome, words = Outcome.REFUSED_TRY_LATER, "Linear asks to wait."
            wait = outbound.retry_after(answer.headers)
        elif code == "AUTHENTICATION_ERROR" or kind == "authentication error":
            outcome, words = Outcome.REFUSED_FOR_GOOD, _KEY_REFUSED
        elif code in _SAYS_NO_CODES or kind in _SAYS_NO_TYPES:
            outcome, words = Outcome.REFUSED_FOR_GOOD, f"Linear refused {self.team}: {said}"
        else:
            outcome = Outcome.UNKNOWN if writes else Outcome.REFUSED_TRY_LATER
            words = f"Linear failed ({kind or code.lower() or 'no reason given'})."
        refused = Refused(
            words,
            outcome,
            retry_after=wait,
            status=answer.status,
            credential_refused=words is _KEY_REFUSED,
        )
        refused.is_input_error = code in _INPUT_CODES or kind in ("invalid input", "user error")
        return refused

    def _explained(self, error: OutboundError) -> OutboundError:
        words = str(error)
        if error.status == 401:
            words = _KEY_REFUSED
        elif error.status == 403:
            words = (
                f"Linear refused {self.team}: the key may not do this there. Give it the "
                "permission, then try again."
            )
        return reworded(error, words)


def _address(given: str, allowed_hosts: Iterable[str] | None) -> str:
    return api_address(given, allowed_hosts, own=API_URL, paths=("/graphql",))


def _team(given: str) -> str:
    team = given.lower() if UUID.fullmatch(given.lower()) else given.upper()
    if not UUID.fullmatch(team) and not _TEAM_KEY.fullmatch(team):
        raise ConfigError({"team": "Team: enter its key, such as ENG."})
    return team


def issue_id(remote_id: str) -> str:
    if not UUID.fullmatch(remote_id.lower()):
        raise OutboundError(f"“{remote_id[:40]}” is no Linear id.", Outcome.REFUSED_FOR_GOOD)
    return remote_id.lower()
