"""Trackers: a file each, named after it, and its longer parts beside it. A new one is a file, and a place in `TRACKERS`."""

from triage.trackers.base import Tracker
from triage.trackers.github import GitHub
from triage.trackers.jira import Jira
from triage.trackers.jira_data_center import JiraDataCenter
from triage.trackers.linear import Linear

TRACKERS: dict[str, type[Tracker]] = {
    tracker.name: tracker for tracker in (Jira, JiraDataCenter, Linear, GitHub)
}


def choices() -> list[tuple[str, str]]:
    """For a model field: a function, so that a new tracker needs no migration."""
    return [(name, tracker.label) for name, tracker in TRACKERS.items()]
