"""Prompt versions, made on first sight when an interaction names an unknown one; the list of them is the changelog."""

import hashlib
import time
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from feedbackhub import redaction
from feedbackhub.capture.body_checks import (
    ID_LIMIT,
    Wrong,
    list_of,
    moment,
    name,
    object_of,
    text,
)
from feedbackhub.capture.models import PromptVersion
from feedbackhub.capture.payloads import BadPayload, InteractionPayload

# (project, name, version, content hash) → id, of committed rows only. A version is never changed nor removed while
# interactions name it, so a stale entry cannot mislead.
_KNOWN: dict[tuple, int] = {}
# The same for what is named without its text, with the time until which it is believed: another of that name may come.
_CALLED: dict[tuple, tuple[int, float]] = {}
_BELIEVED = 60.0  # seconds
_MOST_KNOWN = 5_000


def identity_of(payload: InteractionPayload) -> tuple[str, str, str]:
    """What tells one prompt version from another."""
    content_hash = payload.prompt_hash
    if not content_hash and payload.prompt_text:
        content_hash = hashlib.sha256(payload.prompt_text.encode()).hexdigest()
    return payload.prompt_name, payload.prompt_version, content_hash


def ids_of(project, payloads, *, now=None) -> dict[tuple, int]:
    """{identity: id} for every prompt that the payloads name; unknown ones are made now."""
    wanted = {identity_of(payload): payload for payload in payloads if payload.has_prompt}
    found = {key: _KNOWN[(project.pk, *key)] for key in wanted if (project.pk, *key) in _KNOWN}
    missing = {key: payload for key, payload in wanted.items() if key not in found}
    found |= _known_by_version(project, [key for key in missing if not key[2]])
    missing = {key: payload for key, payload in missing.items() if key not in found}
    if not missing:
        return found
    PromptVersion.objects.bulk_create(
        [
            PromptVersion(
                project=project,
                name=name,
                version=version,
                content_hash=content_hash,
                text=payload.prompt_text,
                created_at=now or timezone.now(),
            )
            for (name, version, content_hash), payload in missing.items()
        ],
        ignore_conflicts=True,
    )
    rows = PromptVersion.objects.filter(
        project=project,
        name__in={key[0] for key in missing},
        version__in={key[1] for key in missing},
        content_hash__in={key[2] for key in missing},
    ).values_list("name", "version", "content_hash", "pk", "created_at")
    for *key, pk, created_at in rows:
        found[tuple(key)] = pk
        if created_at != now:  # made by this very transaction, which may yet be rolled back
            _remember((project.pk, *key), pk)
    return found


def _known_by_version(project, keys) -> dict[tuple, int]:
    """{identity: id} for what is named without its text, where one version alone is called so."""
    now = time.monotonic()
    known = {key: _CALLED.get((project.pk, *key), (0, 0.0)) for key in keys}
    found = {key: pk for key, (pk, until) in known.items() if until > now}
    keys = [key for key in keys if key not in found]
    if not keys:
        return found
    rows = PromptVersion.objects.filter(
        project=project, name__in={key[0] for key in keys}, version__in={key[1] for key in keys}
    ).values_list("name", "version", "pk")
    called = {}
    for *key, pk in rows:
        called.setdefault((*key, ""), []).append(pk)
    for key in keys:
        if len(called.get(key, ())) == 1:
            found[key] = called[key][0]
            _CALLED[(project.pk, *key)] = (found[key], now + _BELIEVED)
    if len(_CALLED) > _MOST_KNOWN:
        _CALLED.clear()
    return found


def _remember(key, pk) -> None:
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[key] = pk


_ANNOUNCEMENT = object_of(
    {
        "name": text(200, may_be_empty=False),
        "version": name,
        "hash": text(128),
        "text": text(),
        "rationale": text(),
        "deployed_at": moment,
        "problems": list_of(text(ID_LIMIT, may_be_empty=False), 200),  # numbers or ticket keys
        "summary": text(4_000),
    },
    required=("name", "version"),
)

_listeners: list[Callable[[PromptVersion, list[str], str], bool]] = []


def announced(function):
    """Register who hears of a version that names problems: (version, their names, what changed in the reporters' words).

    It runs in the announcement's transaction, answers whether that was news to it, and may refuse it by BadPayload.
    """
    _listeners.append(function)
    return function


def announce(*, project, body) -> tuple[PromptVersion | None, bool]:
    """Enter a version into the changelog, before its first answer or after; answers it, and whether it was made now.

    A version that is there already takes what was not known of it: why it was made, which problems it addresses, when it
    was deployed. Where there is nothing new to say, or something else was said before, the answer is None. Raises
    BadPayload.
    """
    try:
        found = _ANNOUNCEMENT(body)
    except Wrong as wrong:
        raise BadPayload(wrong.faults) from None
    kinds = None if project.redaction_kinds is None else frozenset(project.redaction_kinds)
    for key in ("text", "rationale", "summary"):
        found[key] = redaction.redact(found.get(key, ""), enabled=kinds).text
    with transaction.atomic():
        content_hash = found.get("hash", "") or _hash_told(project, found)
        version, is_new = PromptVersion.objects.select_for_update().get_or_create(
            project=project,
            name=found["name"],
            version=found["version"],
            content_hash=content_hash,
            defaults={key: found.get(key) for key in ("text", "rationale", "deployed_at")},
        )
        if not is_new and not _may_say(version, found):
            return None, False
        is_news = is_new | _fill(version, found)
        if found.get("problems"):
            for tell in _listeners:
                is_news |= tell(version, found["problems"], found["summary"])
        return (version, is_new) if is_news else (None, False)


def _hash_told(project, found) -> str:
    """By which hash a version is known: of the text told now, or none when answers named it before its text was known."""
    if not found["text"]:
        return ""
    content_hash = hashlib.sha256(found["text"].encode()).hexdigest()
    named = PromptVersion.objects.filter(
        project=project, name=found["name"], version=found["version"]
    )
    rows = dict(named.values_list("content_hash", "text"))
    is_only_named = list(rows) == [""] and rows[""] in ("", found["text"])
    return "" if is_only_named else content_hash


def _may_say(version, found) -> bool:
    """Nothing that was said of it before is contradicted. The rationale begins with the announcement's own words."""
    is_same_reason = not version.rationale or version.rationale.startswith(found["rationale"])
    known, told = version.deployed_at, found.get("deployed_at")
    return is_same_reason and (known is None or told in (None, known))


def _fill(version, found) -> bool:
    """What is told of it now and was not known."""
    news = [
        key
        for key in ("text", "rationale", "deployed_at")
        if found.get(key) and not getattr(version, key)
    ]
    for key in news:
        setattr(version, key, found[key])
    if news:
        version.save(update_fields=news)
    return bool(news)
