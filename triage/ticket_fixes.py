"""What shipped, as a ticket says it: a comment on a done ticket that begins with `Fix:` is a planned fix, to be confirmed.

    Fix: The exemption for 2026 is now the current one.
    Version: prompt=support@v14

It waits for a person here: it tells no reporter, moves no problem and takes no part in anything, which the database holds
(`fix_confirmed_first`). The newest such comment of the tracker's own people counts; ours never do. Edited, what waits is
changed; taken away, or the ticket open again, it is withdrawn. What was decided, or stands from before the last fix that
went out, is not asked again in the same words. Read whenever a done ticket is looked at, so doubled news is one fix.
"""

import hashlib
import itertools
import re
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.recall import kinds_of
from feedbackhub import redaction
from triage import ticket_state
from triage.models import Fix, FixedProblem, Problem, Ticket, TicketFix, TicketNote, TicketState
from triage.trackers import rendering
from triage.trackers.base import COMMENTS_SHOWN, RemoteComment

LONGEST_SUMMARY = 1_000
State = TicketFix.State

_FIX = re.compile(r"[*_]{0,3}fix[*_]{0,3}\s*:[*_]{0,3}(.*)", re.IGNORECASE)
_VERSION = re.compile(
    r"[*_]{0,3}version[*_]{0,3}\s*:[*_]{0,3}\s*(?:(prompt|model|index|product)\s*=)?(.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Told:
    """What a comment says shipped."""

    summary: str
    carrier: str = Fix.Carrier.PROMPT
    version: str = ""

    @property
    def digest(self) -> str:
        words = "\0".join((self.summary, self.carrier, self.version))
        return hashlib.sha256(words.encode()).hexdigest()


def read_told(text: str) -> Told | None:
    """The fix in a comment that begins with `Fix:`: its first paragraph. The rest of it, but for `Version:`, stays over there."""
    lines = [" ".join(line.split()) for line in rendering.clean(text).strip().split("\n")]
    begins = _FIX.fullmatch(lines[0])
    if begins is None:
        return None
    versions = [found for line in lines[1:] if (found := _VERSION.fullmatch(line))]
    said = "\n".join([begins[1], *lines[1:]]).strip().split("\n")  # the words may begin below
    summary = " ".join(
        itertools.takewhile(lambda line: line and not _VERSION.fullmatch(line), said)
    )
    if not summary:
        return None
    carrier, version = Fix.Carrier.PROMPT, ""
    if versions:
        carrier = Fix.Carrier((versions[0][1] or carrier).lower())
        version = rendering.one_line(versions[0][2].strip("*_` "), 200)
        if carrier == Fix.Carrier.PROMPT:  # as the changelog says it: name, then version
            version = " ".join(version.rsplit("@", 1))
    return Told(rendering.one_line(summary, LONGEST_SUMMARY), carrier, version)


def is_asked(ticket) -> bool:
    """The ticket is done, and nobody has said what shipped."""
    original = _problem(ticket).original
    return ticket.state == TicketState.DONE and original.state in Problem.UNSOLVED_STATES


def look_if_asked(*, ticket) -> None:
    """Something was said on it, or it was closed: read what, as soon as may be."""
    if is_asked(ticket):
        ticket_state.look_soon(ticket=ticket)


@transaction.atomic
def take_up(*, ticket, said: list[RemoteComment]) -> Fix | None:
    """Bring what waits for a person in line with what is said on the ticket now; answers the fix that waits."""
    ticket = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
    if not is_asked(ticket):
        return None
    waiting = (
        TicketFix.objects.filter(ticket=ticket, state=State.WAITING).select_related("fix").first()
    )
    comment, told = _newest(ticket, said)
    if told is None:
        if waiting and _is_shown(waiting, said):
            _withdraw(waiting)
            return None
        return waiting and waiting.fix
    if waiting and (waiting.comment_id, waiting.words_hash) == (comment.id, told.digest):
        return waiting.fix
    if _is_settled(ticket, comment, told):
        if waiting:
            _withdraw(waiting)
        return None
    return _rewrite(waiting, comment, told) if waiting else _write(ticket, comment, told)


@transaction.atomic
def withdraw(*, ticket) -> None:
    """The ticket is not done any more: what it said shipped is not asked about."""
    for waiting in TicketFix.objects.filter(ticket=ticket, state=State.WAITING):
        _withdraw(waiting)


def pass_over(*, problem) -> None:
    """Another fix is out: what waits on this problem's tickets is not asked about any more."""
    for told in _waiting(problem).filter(fix__to_confirm=True):
        decline(told=told)


def waiting_on(problem):
    """What the problem's tickets say shipped, the newest first, each with its fix."""
    if problem.state not in Problem.UNSOLVED_STATES:
        return TicketFix.objects.none()
    return _waiting(problem).select_related("fix").order_by("-id")


def confirm(*, told, by) -> None:
    TicketFix.objects.filter(pk=told.pk, state=State.WAITING).update(
        state=State.CONFIRMED, decided_by=by, decided_at=timezone.now()
    )


@transaction.atomic
def decline(*, told, by=None) -> bool:
    """Its fix is gone, and the same words of the same comment are not asked again; False when it was decided before."""
    fix = _still_to_confirm(told)
    if fix is None:
        return False
    TicketFix.objects.filter(pk=told.pk, state=State.WAITING).update(
        state=State.DECLINED, decided_by=by, decided_at=timezone.now(), fix=None
    )
    fix.delete()
    return True


# --- shared ---------------------------------------------------------------------------------------


def _waiting(problem):
    """On its own tickets, and on those of what was merged into it."""
    its_own = FixedProblem.objects.filter(Q(problem=problem) | Q(problem__duplicate_of=problem))
    return TicketFix.objects.filter(state=State.WAITING, fix__in=its_own.values("fix"))


def _problem(ticket) -> Problem:
    return Problem.objects.get(escalations=ticket.escalation_id)


def _newest(ticket, said) -> tuple[RemoteComment | None, Told | None]:
    """The newest comment of their people that says what shipped."""
    ours = _our_comments(ticket, said)
    for comment in said:
        if comment.id and comment.id not in ours and not comment.is_ours and comment.is_by_team:
            told = read_told(comment.text)
            if told:
                return comment, replace(told, summary=_masked(ticket, told.summary))
    return None, None


def _our_comments(ticket, said) -> set[str]:
    """Linear keeps our marker as the comment's id."""
    markers = set()
    for comment in said:
        try:
            markers.add(uuid.UUID(comment.id))
        except ValueError:
            pass
    found = TicketNote.objects.filter(project=ticket.project_id, marker__in=markers)
    return {str(marker) for marker in found.values_list("marker", flat=True)}


def _masked(ticket, text) -> str:
    return redaction.redact(text, enabled=frozenset(kinds_of(ticket.project))).text


def _is_shown(waiting, said) -> bool:
    """Whether its comment would be among those that were read, if it were still there as it was."""
    if len(said) < COMMENTS_SHOWN or any(each.id == waiting.comment_id for each in said):
        return True
    oldest = min((each.at for each in said if each.at), default=None)
    return bool(waiting.said_at and oldest and oldest < waiting.said_at)


def _is_settled(ticket, comment, told) -> bool:
    decided = TicketFix.objects.filter(
        ticket=ticket, comment_id=_cut_id(comment), words_hash=told.digest
    ).exclude(state=State.WAITING)
    return decided.exists() or _is_of_an_earlier_fix(ticket, comment.at)


def _is_of_an_earlier_fix(ticket, at: datetime | None) -> bool:
    """Said before the last fix was recorded as shipped: it speaks of that one."""
    out = [Fix.State.SHIPPED, Fix.State.VERIFIED]
    problem = _problem(ticket)
    its_own = FixedProblem.objects.filter(problem__in=[problem, problem.original])
    those = Fix.objects.filter(pk__in=its_own.values("fix"), state__in=out)
    last = those.order_by("-id").first()
    return bool(last and at and at < last.created_at)


def _write(ticket, comment, told) -> Fix:
    fix = Fix.objects.create(
        project_id=ticket.project_id,
        summary=told.summary,
        carrier=told.carrier,
        carrier_version=told.version,
        state=Fix.State.PLANNED,
        to_confirm=True,
    )
    FixedProblem.objects.create(
        project_id=ticket.project_id, fix=fix, problem=_problem(ticket).original
    )
    TicketFix.objects.create(
        project_id=ticket.project_id,
        ticket=ticket,
        fix=fix,
        key=ticket.key,
        **_told_by(comment, told),
    )
    return fix


def _rewrite(waiting, comment, told) -> Fix:
    Fix.objects.filter(pk=waiting.fix_id, to_confirm=True).update(
        summary=told.summary, carrier=told.carrier, carrier_version=told.version
    )
    TicketFix.objects.filter(pk=waiting.pk, state=State.WAITING).update(**_told_by(comment, told))
    return Fix.objects.filter(pk=waiting.fix_id).first()


def _told_by(comment, told) -> dict:
    return {
        "comment_id": _cut_id(comment),
        "said_by": comment.author[:100],
        "said_at": comment.at,
        "words_hash": told.digest,
    }


def _cut_id(comment) -> str:
    return comment.id[:100]


def _withdraw(waiting) -> None:
    fix = _still_to_confirm(waiting)
    if fix:
        waiting.delete()
        fix.delete()


def _still_to_confirm(told) -> Fix | None:
    """Its fix, locked: whoever decides comes here or to `fixing.confirm_fix` first, and one of them goes on."""
    return Fix.objects.select_for_update().filter(pk=told.fix_id, to_confirm=True).first()
