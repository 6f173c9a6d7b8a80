"""A file for a Jira ticket. Its name holds the marker: whether it is there already is looked up first."""

import uuid

from triage.trackers.jira_calls import JiraCalls, issue_path
from triage.trackers.markers import marker_uuid
from triage.trackers.reading import list_at, text_at


def put_once(
    jira: JiraCalls, remote_id: str, *, name: str, text: str, marker: str | uuid.UUID
) -> None:
    stem, dot, ending = name.rpartition(".")
    unique = f"{stem}-{marker_uuid(marker)[:8]}{dot}{ending}"
    shown = jira.call(
        "GET", issue_path(remote_id), query={"fields": "attachment"}, may="see issues"
    )
    there = list_at(shown, "fields", "attachment")
    if not any(text_at(each, "filename") == unique for each in there):
        _upload(jira, remote_id, unique, text)


def _upload(jira: JiraCalls, remote_id: str, name: str, text: str) -> None:
    boundary = f"feedbackhub-{uuid.uuid4().hex}"
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/markdown; charset=utf-8\r\n\r\n"
    )
    jira.call(
        "POST",
        issue_path(remote_id) + "/attachments",
        content=f"{head}{text}\r\n--{boundary}--\r\n".encode(),
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "X-Atlassian-Token": "no-check",
        },
        writes=True,
        may="attach files",
    )
