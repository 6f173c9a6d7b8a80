"""Rules that bring an answer to the people who can judge it, or escalate it at once."""

from typing import NamedTuple


class DryRun(NamedTuple):
    """How many interactions a rule would match of those looked at."""

    matched: int
    examined: int


def check_when(when) -> dict[str, str]:
    """What is wrong with a rule's `when`, {key: plain sentence}; empty when it is good."""
    raise NotImplementedError


def route_interaction(interaction):
    """Do what the active rules say about an interaction and its feedback; safe to repeat. Answers the new RoutingMatches."""
    raise NotImplementedError


def dry_run(*, rule, since) -> DryRun:
    """How many interactions received since then `rule` (saved or not) would match; changes nothing."""
    raise NotImplementedError


def backfill(*, rule, since) -> int:
    """Do what `rule` says about every interaction received since then; answers how many were new."""
    raise NotImplementedError
