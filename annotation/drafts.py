"""Drafts: what an expert is typing, kept on the server so that nothing typed is ever lost.

A draft has the shape of a submit's answers: {"verdict", "severity", "categories", "root_cause", "rubric_scores",
"note", "confidence", "spans": [{"field", "start", "end", "quote", "label", "note"}], "correction"}, each optional.
It is not checked against the schema: half a thought is worth keeping.
"""

import json
import re

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.leases import lost
from annotation.models import Assignment
from annotation.refusals import InvalidAnswer, StaleDraft

LONGEST_DRAFT = 2 * 1024 * 1024  # bytes of JSON
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it; PostgreSQL cannot store it


def save_draft(*, assignment, fence: int, draft: dict, draft_revision: int) -> int:
    """Keep `draft`, written on top of revision `draft_revision`; answers the new revision.

    Raises LeaseLost; StaleDraft when another window kept a newer one; InvalidAnswer when it cannot be stored.
    """
    _check(draft)
    changed = Assignment.objects.filter(
        pk=assignment.pk,
        fence=fence,
        state__in=Assignment.HELD_STATES,
        lease_until__gt=timezone.now(),
        draft_revision=draft_revision,
    ).update(draft=draft, draft_revision=F("draft_revision") + 1)
    if changed:
        return draft_revision + 1
    refusal = lost(assignment, fence)
    is_in_hand = assignment.state in Assignment.HELD_STATES and assignment.fence == fence
    if is_in_hand and assignment.lease_until > timezone.now():
        raise StaleDraft(
            _("Another window kept a newer draft. Both are here: choose one."),
            yours=draft,
            kept=assignment.draft,
            kept_revision=assignment.draft_revision,
        )
    raise refusal


def _check(draft) -> None:
    if not isinstance(draft, dict):
        raise InvalidAnswer({"draft": _("A draft is an object.")})
    try:
        text = json.dumps(draft, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidAnswer({"draft": _("This draft holds what cannot be stored.")}) from error
    if _NUL.search(text):
        raise InvalidAnswer({"draft": _("This draft holds what cannot be stored.")})
    if size > LONGEST_DRAFT:
        raise InvalidAnswer({"draft": _("This draft is too long to be kept.")})
