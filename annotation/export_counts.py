"""The preview of a whole version, counted by a worker while somebody watches.

Nothing but numbers, kept in the cache for some minutes, for a twin may move a case to the holdout in between: a count that a
dead worker left is asked for again by whoever wants it.
The same question of the same version in one erasure epoch is one count, however often it is asked.
"""

import hashlib
import json
import re
import time

from django.core.cache import cache

from annotation.export_options import read_filter
from annotation.export_preview import preview_export
from annotation.exporting import format_named
from annotation.models import GoldVersion
from feedbackhub.accounts.models import Project
from feedbackhub.doorbell import ring

KEPT = 900  # seconds
SILENT = 60  # seconds without a word, after which a count that was begun is taken for lost
COUNTING, DONE = "counting", "done"
_IS_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch


def count_all(*, version: GoldVersion, format: str, splits=(), options: dict | None = None) -> str:
    """Have a worker count all; answers the name to look for it by. Raises ValidationError like the export."""
    from annotation import tasks

    filter = read_filter(format_named(format), splits=splits, options=options)
    name = _name(version, format, filter)
    found = look(project=version.project_id, name=name)
    if not found or found["is_silent"]:
        _say(version.project_id, name, done=0, of=version.example_count)
        ring(tasks.count_export, version_id=version.pk, format=format, filter=filter, name=name)
    return name


def make_count(*, version_id: int, format: str, filter: dict, name: str) -> None:
    """Count, saying how far it is. Twice does no harm."""
    version = GoldVersion.objects.get(pk=version_id)
    counted = preview_export(
        version=version,
        format=format,
        splits=filter["splits"],
        options={option: value for option, value in filter.items() if option != "splits"},
        is_whole=True,
        on_progress=lambda done, of: _say(version.project_id, name, done=done, of=of),
    )
    _keep(version.project_id, name, {"state": DONE, "preview": counted})


def look(*, project: int, name: str) -> dict | None:
    """How a count stands: {"state", "done", "of", "is_silent", "is_lost"}, or {"state", "preview"} once it is done; None for none."""
    found = cache.get(_key(project, name)) if _IS_NAME(name) else None
    if found:
        is_silent = found["state"] == COUNTING and time.time() - found["at"] > SILENT
        found["is_silent"], found["is_lost"] = is_silent, is_silent and found["done"] > 0
    return found


def _say(project, name, **how_far) -> None:
    _keep(project, name, {"state": COUNTING, **how_far})


def _keep(project, name, found) -> None:
    cache.set(_key(project, name), {**found, "at": time.time()}, KEPT)


def _name(version, format, filter) -> str:
    epoch = Project.objects.values_list("erasure_epoch", flat=True).get(pk=version.project_id)
    asked = json.dumps([version.number, format, filter, epoch], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _key(project, name) -> str:
    return f"export-count:{project}:{name}"
