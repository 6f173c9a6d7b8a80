"""A version's cases, one after the other, as a format may have them; and how many may not leave at all, by reason.

The holdout is dropped here for every training format, whatever was asked, and so is every example whose split became
stricter, or that was contaminated, after the version was frozen. The other formats drop what is held out today unless it
was asked for.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import orjson
from django.db import connection, models
from django.db.models import F, Q, Value

from annotation.export_options import Options
from annotation.exports.cases import Case, Format, LeftOut
from annotation.models import GoldVersion, GoldVersionMember, Split

BATCH = 1_000
_LONG_NUMBER = re.compile(r"\d{18}")
_FIELDS = (
    "revision_id",
    "revision__example_id",
    "revision__example__public_id",
    "revision__example__interaction__external_id",
    "split",
    "revision__messages",
    "revision__tools",
    "revision__context",
    "revision__ideal_answer",
    "revision__rejected_answers",
    "revision__labels",
    "revision__assertions",
    "revision__preferences",
    "revision__settlement__agreement",
    "revision__settlement_id",
)


def members(version: GoldVersion, format: Format, options: Options):
    """Who may leave, in the order of the rows."""
    found = GoldVersionMember.objects.filter(
        version=version,
        split__in=[split for split in options.splits if split in format.splits],
        revision__erased_at=None,
    )
    if format.is_training:
        found = found.filter(
            # an example's split may have become stricter since this version was frozen
            revision__example__split=F("split"),
            revision__example__is_contaminated=False,
        )
    elif Split.HOLDOUT not in options.splits:
        found = found.exclude(revision__example__split=Split.HOLDOUT)
    return found.order_by("revision__example_id")


def kept_back(version: GoldVersion, format: Format, options: Options) -> Counter:
    """Why members of the version are not even asked, with counts."""
    reasons = [
        models.When(~Q(revision__erased_at=None), then=Value("erased")),
        models.When(
            ~Q(split__in=options.splits) & ~Q(split="holdout"), then=Value("split_not_asked_for")
        ),
    ]
    if format.is_training:
        reasons += [
            models.When(Q(split="holdout"), then=Value("holdout")),
            models.When(
                ~Q(revision__example__split__in=format.splits), then=Value("holdout_since")
            ),
            models.When(Q(revision__example__is_contaminated=True), then=Value("contaminated")),
        ]
    reasons.append(models.When(~Q(split__in=options.splits), then=Value("split_not_asked_for")))
    if format.is_training:
        reasons.append(
            models.When(~Q(revision__example__split=F("split")), then=Value("stricter_since"))
        )
    elif Split.HOLDOUT not in options.splits:
        held_out_now = Q(revision__example__split=Split.HOLDOUT)
        reasons.append(models.When(held_out_now, then=Value("holdout_since")))
    reason = models.Case(*reasons, default=Value(""), output_field=models.CharField())
    counts = (
        GoldVersionMember.objects.filter(version=version)
        .annotate(reason=reason)
        .exclude(reason="")
        .values("reason")
        .annotate(count=models.Count("pk"))
        .values_list("reason", "count")
        .order_by("reason")
    )
    return Counter(dict(counts))


def batches(found, format: Format, version: GoldVersion) -> Iterator[list[tuple[int, int, Case]]]:
    """(revision's key, example's key, case) in batches, read by a server-side cursor: memory stays flat.

    Rows come as psycopg gives them, which takes a third of the time of Django's converters.
    """
    with_tools = has_tools(version)
    with connection.chunked_cursor() as cursor:
        cursor.execute(*found.values_list(*_FIELDS).query.sql_with_params())
        while rows := cursor.fetchmany(BATCH):
            yield _with_judgements([_case(row, with_tools) for row in rows], format, version)


def _case(row, with_tools) -> tuple[int, int, Case]:
    revision_id, example_id, public_id, interaction_id, split, messages, tools, *more = row
    context, ideal, rejected, labels, checks, preferences, agreement, settlement_id = more
    case = Case(
        str(public_id), interaction_id, split, orjson.loads(messages), _json(tools) if with_tools else None,
        _json(context), ideal, rejected, _json(labels), _json(checks), orjson.loads(preferences), agreement, settlement_id,
    )  # fmt: skip
    return revision_id, example_id, case


def _json(text: str):
    """A number that orjson would round is read with all its digits: the same row is the same bytes for ever."""
    return json.loads(text) if _LONG_NUMBER.search(text) else orjson.loads(text)


def has_tools(version) -> bool:
    """Whether any case of the version was given tools: the rows of all have a place for them then, or those of none."""
    return (
        GoldVersionMember.objects.filter(version=version, revision__erased_at=None)
        .exclude(revision__tools=[])
        .exists()
    )


def _with_judgements(batch, format, version):
    if format.gather is None:
        return batch
    said = format.gather([case.settlement_id for _, _, case in batch], version.created_at)
    return [
        (revision_id, example_id, replace(case, judgements=said.get(case.settlement_id, [])))
        for revision_id, example_id, case in batch
    ]


def rows_of(
    case: Case, format: Format, options: Options, left_out: Counter
) -> tuple[Case, list[dict]]:
    """The case's rows, none when it is left out; why is counted."""
    behind: list[str] = []
    try:
        case, behind = options.admit(case, format)
        left_out.update(behind)
        made = format.rows(case)
    except LeftOut as reason:
        if not behind or str(reason) != "no_rejected_answer":  # else its reasons are counted
            left_out[str(reason)] += 1
        return case, []
    rows = [row for row in made if not isinstance(row, LeftOut)]
    if len(rows) < len(made):
        left_out.update(str(row) for row in made if isinstance(row, LeftOut))
    return case, rows
