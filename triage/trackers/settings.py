"""The settings of a connection: their fields, and what those of every tracker have in common."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError, Outcome


@dataclass(frozen=True)
class ConfigField:
    """One field of a connection's settings page. `kind` is text, url, email, json or secret."""

    name: str
    label: str
    help: str = ""
    kind: str = "text"
    required: bool = True
    placeholder: str = ""
    may_hold_blanks: bool = False  # of a secret: a phrase that people chose

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"


class ConfigError(OutboundError):
    """Settings that cannot work. `errors` holds a sentence for each field that needs another look."""

    def __init__(self, errors: Mapping[str, str]):
        super().__init__(" ".join(errors.values()), Outcome.REFUSED_FOR_GOOD)
        self.errors = dict(errors)

    def __reduce__(self):
        return (type(self), (self.errors,))


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


def api_address_field(own: str) -> ConfigField:
    """For a vendor with one address: another one is for the operator's own."""
    return ConfigField(
        "base_url",
        "API address",
        "Leave it as it is.",
        kind="url",
        required=False,
        placeholder=own,
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


def api_address(
    given: str, allowed_hosts: Iterable[str] | None, *, own: str, paths: Iterable[str]
) -> str:
    """The vendor's one address, or a host that the operator opened; whatever it is gets the key."""
    url = given.strip().removesuffix("/")
    if url.lower() in ("", own):
        return own
    opened = opened_url(url, allowed_hosts)
    if opened is not None and opened.path in paths:
        return str(opened).removesuffix("/")
    raise ConfigError({"base_url": f"API address: it is {own}."})
