"""What a Jira project lets be set of a new ticket, and what it demands: read before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from feedbackhub.outbound import OutboundError, Outcome
from triage.trackers import jira_settings, rendering
from triage.trackers.jira_calls import ISSUE_ID, JiraCalls
from triage.trackers.reading import folded, list_at, text_at

# Names in the schemes that Jira ships; a project with other names gets no priority from us.
_PRIORITIES = {
    "critical": ("highest", "blocker", "critical"),
    "high": ("high", "critical", "major"),
    "medium": ("medium", "major"),
    "low": ("low", "minor"),
    "none": ("lowest", "trivial"),
}


@dataclass(frozen=True)
class CreateScreen:
    """One issue type of one project, and the fields that may be set when making one."""

    project: str
    type_id: str
    type_name: str
    fields: dict[str, dict[str, Any]]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def further_fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The connection's further fields, all of which the screen must have."""
        extra = jira_settings.extra_fields(config.get("extra_fields"))
        for name in extra:
            if name not in self:
                raise OutboundError(
                    f"{self.project} has no field {name} on its create screen: take it out of "
                    "the connection's further fields, or add it to the screen.",
                    Outcome.REFUSED_FOR_GOOD,
                )
        return extra

    def priority(self, severity: str) -> dict[str, str] | None:
        allowed = list_at(self.fields, "priority", "allowedValues")
        for wanted in _PRIORITIES.get(severity, ()):
            for value in allowed:
                if folded(text_at(value, "name")) == wanted and text_at(value, "id"):
                    return {"id": text_at(value, "id")}
        return None

    def demand_fillable(self, filled: Iterable[str]) -> None:
        """Refuse before anything is sent what Jira would refuse."""
        if "labels" not in self:
            raise OutboundError(
                f"{self.project} has no labels on its create screen. Add the field: by its label "
                "a ticket is found again when an answer gets lost.",
                Outcome.REFUSED_FOR_GOOD,
            )
        lacking = [
            rendering.one_line(text_at(field, "name") or name, 60)
            for name, field in self.fields.items()
            if field.get("required") is True
            and field.get("hasDefaultValue") is not True
            and name not in set(filled)
        ]
        if lacking:
            raise OutboundError(
                f"{self.project} requires of every ticket: {', '.join(lacking)}. Set it under "
                "the connection's further fields, or make it optional in Jira.",
                Outcome.REFUSED_FOR_GOOD,
            )


def read_create_screen(jira: JiraCalls) -> CreateScreen:
    """The screen of the connection's issue type, named by its name or its id."""
    path = f"/issue/createmeta/{jira.project}/issuetypes"
    types = jira.pages(path, "issueTypes", "values", may="create issues")
    wanted = folded(str(jira.config.get("issue_type") or ""))
    for row in types:
        if wanted in (folded(text_at(row, "name")), text_at(row, "id")):
            break
    else:
        offered = ", ".join(rendering.one_line(text_at(row, "name"), 40) for row in types[:12])
        raise OutboundError(
            f"Jira offers no issue type “{jira.config.get('issue_type')}” in {jira.project} "
            f"to this token. It offers: {offered or 'none'}.",
            Outcome.REFUSED_FOR_GOOD,
        )
    type_id = text_at(row, "id")
    if not ISSUE_ID.fullmatch(type_id):
        raise jira.unreadable(writes=False)
    fields = jira.pages(f"{path}/{type_id}", "fields", "results", "values", may="create issues")
    by_name = {text_at(field, "fieldId") or text_at(field, "key"): field for field in fields}
    return CreateScreen(jira.project, type_id, text_at(row, "name"), by_name)
