"""Jira Data Center: the same as Jira Cloud but for what its older API asks otherwise.

- REST v2 at the house's own address, perhaps under a path; wiki text instead of ADF.
- A personal access token as Bearer, and no account beside it.
- `POST /search` instead of `/search/jql`, and it knows no `properties`: each is asked of its issue.
- A comment does not say whether its author is one of the team or a customer of the portal: the owner says whose count.
- The address may be anywhere: the network guard lets only public ones through, and what the operator opened by name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError
from triage.trackers import rendering
from triage.trackers.base import Block, TicketDraft
from triage.trackers.jira import _PROPERTY, Jira
from triage.trackers.jira_calls import issue_path
from triage.trackers.reading import folded, text_at
from triage.trackers.settings import ConfigError, ConfigField

_NOT_HERE = {"email", "site_url"}
_HELP = {
    "base_url": (
        "Where your house's Jira is, such as https://jira.example.com; a private address must be opened by the operator."
    ),
    "api_token": "A personal access token of the account that files.",
}
_FIX_TELLERS = ConfigField(
    "fix_tellers",
    "Who may say what shipped",
    "User names, separated by commas: a comment of theirs that begins with Fix: is offered to be confirmed. "
    "* where customers cannot comment. Empty: nobody's is.",
    required=False,
)


class JiraDataCenter(Jira):
    """One project of a Jira that a house runs itself, under a personal access token."""

    name = "jira_dc"
    label = "Jira Data Center"
    config_fields = (
        *(
            type(field)(
                field.name,
                field.label,
                _HELP.get(field.name, field.help),
                field.kind,
                field.required,
                "https://jira.example.com" if field.name == "base_url" else field.placeholder,
                field.may_hold_blanks,
            )
            for field in Jira.config_fields
            if field.name not in _NOT_HERE
        ),
        _FIX_TELLERS,
    )
    api = "/rest/api/2"
    _search_path = "/search"
    _search_options: ClassVar[dict[str, Any]] = {}

    @classmethod
    def judged_config(
        cls, config: Mapping[str, Any], allowed_hosts: Iterable[str] | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        here = {name: value for name, value in config.items() if name not in _NOT_HERE}
        kept, errors = super().judged_config(here, allowed_hosts)
        tellers = _names(config.get("fix_tellers"))
        return kept | {"fix_tellers": ", ".join(tellers)}, errors

    @staticmethod
    def checked_base(given: str, allowed_hosts: Iterable[str] | None) -> str:
        try:
            url = outbound.check_url(
                given.strip().rstrip("/"), service="Jira", allowed_hosts=allowed_hosts
            )
        except OutboundError as refused:
            raise ConfigError({"base_url": f"Site: {refused.message}"}) from None
        if url.query or url.fragment or str(url.host).endswith(".atlassian.net"):
            raise ConfigError(
                {"base_url": "Site: the address of your own Jira, and nothing behind it."}
            )
        return str(url).rstrip("/")

    def _marker_of(self, issue: Any, found: list[Any]) -> str:
        """Asked for only where there is something to tell apart."""
        if len(found) < 2:
            return ""
        try:
            kept = self.call(
                "GET",
                f"{issue_path(text_at(issue, 'id'))}/properties/{_PROPERTY}",
                may="see issues",
            )
        except OutboundError as error:
            if error.status == 404:
                return ""
            raise
        return text_at(kept, "value", "marker")

    def _is_by_team(self, author: Any) -> bool:
        """Data Center does not tell its own people from the portal's customers: the owner does, by name."""
        tellers = _names(self.config.get("fix_tellers"))
        return "*" in tellers or folded(text_at(author, "name")) in map(folded, tellers)

    @staticmethod
    def _description(draft: TicketDraft) -> str:
        return rendering.wiki_description(draft)

    @staticmethod
    def _comment_body(text: str | Sequence[Block], footer: str) -> str:
        return rendering.wiki_text(text, footer)


def _names(given: Any) -> list[str]:
    cleaned = (rendering.one_line(name, 100) for name in str(given or "").split(","))
    return list(dict.fromkeys(name for name in cleaned if name))
