"""What the settings of every tracker have in common: secrets, the webhook's secret, an address that the operator opened."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError
from triage.trackers.base import ConfigError, ConfigField


def webhook_secret(help: str) -> ConfigField:
    """The field that every tracker's connection ends with."""
    return ConfigField(
        "webhook_secret",
        "Webhook secret",
        f"{help} Without it no webhook is accepted.",
        kind="secret",
        required=False,
        may_hold_blanks=True,
    )


def secrets_and_errors(
    fields: Iterable[ConfigField], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets as they will be kept, and a sentence for each that cannot be one."""
    kept, errors = {}, {}
    for field in fields:
        if not field.is_secret:
            continue
        value = str(secrets.get(field.name) or "").strip()
        if not value and field.required:
            errors[field.name] = f"{field.label}: enter one."
        elif not re.fullmatch(r"[ -~]*" if field.name == "webhook_secret" else r"[!-~]*", value):
            errors[field.name] = f"{field.label}: it holds characters that no such secret has."
        kept[field.name] = value
    return kept, errors


def texts(config: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """What was entered under these names; empty where nothing was."""
    return {name: str(config.get(name) or "").strip() for name in names}


def judged(
    given: Mapping[str, Any], checks: Mapping[str, Callable[[Any], Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Each value as its check wants it kept, and a sentence for each that was refused by a ConfigError."""
    kept, errors = {}, {}
    for name, check in checks.items():
        try:
            kept[name] = check(given[name])
        except ConfigError as problem:
            errors |= problem.errors
    return kept, errors


def opened_url(url: str, allowed_hosts: Iterable[str] | None) -> httpx.URL | None:
    """The URL, if the operator opened its host and port and it is nothing but scheme and path."""
    try:
        parsed = outbound.check_url(url, allowed_hosts=allowed_hosts)
    except OutboundError:
        return None
    if (
        parsed.query
        or parsed.fragment
        or not outbound.is_opened(parsed, allowed_hosts=allowed_hosts)
    ):
        return None
    return parsed
