"""The settings of a Jira connection: what is asked for, and what of it can work."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from triage.trackers import rendering
from triage.trackers.settings import (
    ConfigError,
    ConfigField,
    judged,
    opened_url,
    texts,
    webhook_secret,
)

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SITE = re.compile(r"https://[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.atlassian\.net")
GATEWAY = re.compile(r"https://api\.atlassian\.com/ex/jira/" + _UUID)
_OPENED_PATH = re.compile(r"/?|/ex/jira/" + _UUID)
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{0,49}")
_TEXTS = ("base_url", "project_key", "issue_type", "email", "site_url")

# What FeedbackHub itself fills in of every ticket.
FILLED = ("project", "issuetype", "summary", "description", "labels")

FIELDS = (
    ConfigField(
        "base_url",
        "Site",
        "https://yoursite.atlassian.net; with a scoped token or a service account "
        "https://api.atlassian.com/ex/jira/ and the cloud id.",
        kind="url",
        placeholder="https://yoursite.atlassian.net",
    ),
    ConfigField("project_key", "Project key", "The letters in front of its tickets' numbers."),
    ConfigField("issue_type", "Issue type", "By name, as Jira shows it.", placeholder="Bug"),
    ConfigField(
        "email",
        "Account",
        "The e-mail address of the account the token belongs to. Leave it empty for an OAuth "
        "access token.",
        kind="email",
        required=False,
    ),
    ConfigField(
        "site_url",
        "Site for links",
        "Only with api.atlassian.com: the site that links to tickets lead to.",
        kind="url",
        required=False,
    ),
    ConfigField(
        "extra_fields",
        "Further fields",
        'What the project requires of every ticket, as JSON: {"customfield_10050": '
        '{"value": "High"}}.',
        kind="json",
        required=False,
    ),
    ConfigField("api_token", "API token", "It lives a year at most: note the day.", kind="secret"),
    webhook_secret("The secret entered with the webhook in Jira."),
)


def judged_config(
    config: Mapping[str, Any], *, check_base: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings as they will be kept, and a sentence for each that cannot work."""
    given: dict[str, Any] = texts(config, _TEXTS)
    given["project_key"] = given["project_key"].upper()
    given["extra_fields"] = config.get("extra_fields")
    checks = {
        "base_url": check_base,
        "project_key": project_key,
        "issue_type": _issue_type,
        "email": _email,
        "site_url": _site_url,
        "extra_fields": extra_fields,
    }
    kept, errors = judged(given, checks)
    if kept.get("email") == "" and SITE.fullmatch(kept.get("base_url", "")):
        errors["email"] = (
            "Account: a site takes an API token together with its account's e-mail address."
        )
    return kept, errors


def project_key(given: str) -> str:
    if not _PROJECT.fullmatch(given):
        raise ConfigError({"project_key": "Project key: letters and digits, such as SUP."})
    return given


def _issue_type(given: str) -> str:
    name = rendering.one_line(given, 100)
    if not name:
        raise ConfigError({"issue_type": "Issue type: enter its name, such as Bug."})
    return name


def _email(given: str) -> str:
    if given and not re.fullmatch(r"[^\s:@]+@[^\s:@]+", given):
        raise ConfigError({"email": "Account: this is no e-mail address."})
    return given


def _site_url(given: str) -> str:
    url = given.lower().removesuffix("/")
    if url and not SITE.fullmatch(url):
        raise ConfigError(
            {"site_url": "Site for links: it has the form https://yoursite.atlassian.net."}
        )
    return url


def base_url(given: str, allowed_hosts: Iterable[str] | None) -> str:
    """The one form of the address that calls are built from, or ConfigError.

    A site, the gateway with a cloud id, or a host that the operator opened; nothing else, since
    whatever stands here is called with the token.
    """
    url = given.strip().removesuffix("/")
    if SITE.fullmatch(url.lower()) or GATEWAY.fullmatch(url.lower()):
        return url.lower()
    opened = opened_url(url, allowed_hosts)
    if opened is not None and _OPENED_PATH.fullmatch(opened.path):
        return str(opened).removesuffix("/")
    raise ConfigError(
        {
            "base_url": "Site: it has the form https://yoursite.atlassian.net, or "
            "https://api.atlassian.com/ex/jira/ and the cloud id."
        }
    )


def extra_fields(given: Any) -> dict[str, Any]:
    """What the owner wants set on every ticket, by Jira's names for it."""
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise ConfigError({"extra_fields": "Further fields: this is no JSON."}) from None
    if not given:
        return {}
    if not isinstance(given, dict):
        raise ConfigError({"extra_fields": "Further fields: a JSON object of fields is needed."})
    ours = sorted(set(FILLED) & set(given))
    if ours:
        raise ConfigError(
            {"extra_fields": f"Further fields: FeedbackHub itself fills in {', '.join(ours)}."}
        )
    return given
