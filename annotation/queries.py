"""Figures that several pages show; counted up to a limit, never by a full scan."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class HeaderFigures:
    """The line above the review screen. Counts stop at `COUNT_LIMIT`; the page then shows "999+"."""

    mine_today: int
    left_for_me: int
    left_for_all: int
    oldest_waiting_at: datetime | None


def header_figures(*, project, expert, queue=None) -> HeaderFigures:
    raise NotImplementedError


def in_hand(*, project, expert):
    """What the expert holds now, claimed first: assignments with item, interaction and queue loaded."""
    raise NotImplementedError


def waiting_for_lead(project):
    """Items that need a lead's word: disputed, or flagged for discussion."""
    raise NotImplementedError
