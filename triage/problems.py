"""Problems: bad answers that share a cause. Opened, joined, moved, merged, reopened.

Who else touches a problem: `priority` computes its figures, `placing` finds the one that a harmful case belongs to,
`escalation` files its tickets, `ticket_state` brings back what became of them.

A move names the state it starts from: of two people who move one problem at once, the second is told (`MoveRefused`)
and nothing of the first is overwritten. Which moves exist stands in `triage.problem_models`; the database refuses the others.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from feedbackhub import outbox
from feedbackhub.accounts.models import Membership, Project
from feedbackhub.capture.vocabulary import Severity
from triage import cases, changes, escalation, notices, placing_notes, priority, ticket_notes
from triage.models import PROBLEM_MOVES, Problem, ProblemChange, ProblemMember, Wording

# Why a problem is open again: the words for its ticket.
WHY_REOPENED = {
    "still_wrong": "A reporter says that it is still wrong after the fix.",
    "recurrence": "New cases came in after the fix.",
    "reverted": "The fix was taken back.",
    "by_hand": "A lead reopened the problem.",
    "not_agreed": "It is not given up: a lead asks that it be repaired.",
}


_QUOTING = ": “"  # what stands in a title between our words and the asker's


class MoveRefused(ValueError):
    """A change that this problem does not take, in a sentence for the person who asked for it."""


# --- making ---------------------------------------------------------------------------------------


@transaction.atomic
def open_problem(
    *,
    project,
    title,
    category="",
    severity=Severity.MEDIUM,
    summary="",
    fixable_by="",
    owner=None,
):
    """A new problem with the project's next number. Its clock (SLA) starts now."""
    Project.objects.filter(pk=project.pk).update(next_problem_number=F("next_problem_number") + 1)
    number = Project.objects.values_list("next_problem_number", flat=True).get(pk=project.pk) - 1
    return Problem.objects.create(
        project=project,
        number=number,
        title=_one_line(title) or f"Problem {number}",
        summary=summary,
        category=category,
        severity=severity,
        fixable_by=fixable_by,
        owner=owner,
        due_at=_due_at(project, severity),
    )


@transaction.atomic
def open_by_hand(*, project, title, interactions=(), **fields):
    """A lead's own problem, in their words, with the cases they name."""
    problem = open_problem(project=project, title=title, **fields)
    problem.is_described_by_hand = True
    problem.save(update_fields=["is_described_by_hand"])
    with together():
        for interaction in interactions:
            join_problem(
                problem=problem,
                interaction=interaction,
                source=ProblemMember.Source.LEAD,
                severity=problem.severity,
            )
            placing_notes.note_by_hand(interaction=interaction, problem=problem)
    return problem


def problem_title(*, category_name: str, feature: str, words: str) -> str:
    """What it is, where, and the asker's own words: "Outdated in tax_help: “Can I deduct my bicycle?”"."""
    place = " in ".join(part for part in (category_name or "Harmful answer", feature) if part)
    return quoting(place, quotable(words))


def quotable(words: str) -> str:
    """A question as titles and summaries quote it: erasure finds it by these words."""
    return _one_line(words, limit=90)


def quoting(place: str, words: str) -> str:
    return _one_line(f"{place}{_QUOTING}{words}”" if words else place)


@transaction.atomic
def join_problem(
    *, problem, interaction, source, severity=Severity.MEDIUM, settlement=None, is_pinned=False
):
    """Make an answer a member; again only raises what is known of it. Answers the membership.

    An answer belongs to one problem at a time: it leaves the one it was in. A member that is worse than the problem
    makes the problem as severe; a problem that is worse by it, or holds a harmful case, is filed by the connections that
    file such. A ticket that is already filed hears of further members, at most once an hour. Only a settlement says that a
    case is less bad than it was held to be.
    """
    problem = Problem.objects.select_for_update(no_key=True).get(pk=problem.pk)
    for elsewhere in ProblemMember.objects.filter(interaction=interaction, left_at=None).exclude(
        problem=problem
    ):
        leave_problem(member=elsewhere)
    member, is_new = ProblemMember.objects.get_or_create(
        project_id=problem.project_id,
        problem=problem,
        interaction=interaction,
        defaults={
            "source": source,
            "severity": severity,
            "settlement": settlement,
            "is_pinned": is_pinned,
        },
    )
    if not is_new:
        is_new = member.left_at is not None
        if is_new:
            member.joined_at, member.source = timezone.now(), source
        member.left_at, member.is_taken_back = None, False
        member.severity = severity if settlement else max(severity, member.severity, key=_rank)
        member.settlement = settlement or member.settlement
        member.is_pinned = member.is_pinned or is_pinned
        member.save()
    is_worse = _be_at_least_as_severe_as(problem, member)
    _members_changed(
        problem,
        _News(
            has_more=is_new,
            asks_for_a_ticket=is_worse or _rank(member.severity) >= cases.HARMFUL.rank,
        ),
    )
    return member


@transaction.atomic
def leave_problem(*, member):
    """Take an answer out of its problem; idempotent. The problem's severity stays: a lead lowers it by hand."""
    if ProblemMember.objects.filter(pk=member.pk, left_at=None).update(left_at=timezone.now()):
        _members_changed(member.problem, _News())
    member.refresh_from_db()
    return member


@transaction.atomic
def put_case(*, interaction, problem, by=None):
    """A lead says that it belongs here, wherever it was. Can be undone."""
    change = changes.begin(kind=ProblemChange.Kind.PUT, project_id=problem.project_id, by=by)
    member = (
        ProblemMember.objects.filter(interaction=interaction, left_at=None)
        .select_related("interaction", "settlement")
        .first()
    )
    with together(files_after=undo_time()):
        if member is None:
            change.join(interaction=interaction, to=problem, source=ProblemMember.Source.LEAD)
        elif member.problem_id != problem.pk:
            change.move(member=member, to=problem)
        placing_notes.note_by_hand(interaction=interaction, problem=problem)
    return change.keep()


@transaction.atomic
def take_out_case(*, member, by=None):
    """A lead says that it does not belong here: it waits among those that were left alone, for a regrouping too. Can be undone."""
    change = changes.begin(kind=ProblemChange.Kind.TAKE_OUT, project_id=member.project_id, by=by)
    change.leave(member=member)
    placing_notes.note_by_hand(interaction=member.interaction, problem=None)
    change.keep()
    member.refresh_from_db()
    return member


class _News(NamedTuple):
    """What a change of its members means to a problem."""

    has_more: bool = False
    asks_for_a_ticket: bool = False


_changed_together: ContextVar[dict[int, _News] | None] = ContextVar(
    "changed_together", default=None
)


@contextmanager
def together(*, files_after=timedelta(0), asking: set | None = None):
    """While many answers join and leave: each problem's figures are counted, and its tickets hear of it, once at the end.

    What can be undone is filed when its undo has passed (`files_after`); what is only begun notes which problems ask for a
    ticket (`asking`) and has them filed when it is over (`file_by_itself`).
    """
    if _changed_together.get() is not None:
        yield
        return
    token = _changed_together.set({})
    try:
        yield
        changed = _changed_together.get()
    finally:
        _changed_together.reset(token)
    for problem in Problem.objects.filter(pk__in=changed).order_by("pk"):
        news = changed[problem.pk]
        if asking is not None and news.asks_for_a_ticket:
            asking.add(problem.pk)
            news = news._replace(asks_for_a_ticket=False)
        _members_changed(problem, news, files_after=files_after)


def undo_time() -> timedelta:
    return timedelta(seconds=settings.UNDO_SECONDS)


def _members_changed(problem, news: _News, *, files_after=timedelta(0)) -> None:
    changed = _changed_together.get()
    if changed is not None:
        known = changed.get(problem.pk, _News())
        changed[problem.pk] = _News(*(one or other for one, other in zip(known, news, strict=True)))
        return
    priority.recompute(problem=problem)
    if news.has_more:
        ticket_notes.note_more_cases(problem=problem)
    if news.asks_for_a_ticket:
        file_by_itself(problem, after=files_after)


def file_by_itself(problem, *, after=timedelta(0)) -> None:
    """By the connections that file such, unless it is solved."""
    if problem.state in Problem.UNSOLVED_STATES:
        escalation.escalate_problem(problem=problem, after=after)


# --- moving ---------------------------------------------------------------------------------------


def moves_of(problem) -> list[str]:
    """The states that a person may move this problem to, for the page's menu (merging has a form of its own)."""
    if problem.state == Problem.State.DUPLICATE:
        return [Problem.State.OPEN]  # back to what it was is an undo of the merge
    return [state for state in PROBLEM_MOVES[problem.state] if state != Problem.State.DUPLICATE]


@transaction.atomic
def move_problem_state(*, problem, state, was=None):
    """Move a problem to `state`; `was` is the state the person saw (default: the row's as loaded).

    To be told again what is so already changes nothing. Into `regressed` goes through `reopen_problem`. What is not
    going to be repaired needs no ticket: pending escalations are cancelled, and come back when it is open again.
    """
    was = was or problem.state
    if state == Problem.State.REGRESSED:
        return reopen_problem(problem=problem, why="by_hand")
    if state == was:
        return problem
    if (
        state not in PROBLEM_MOVES[was]
        or (was == "duplicate" and state != "open")
        or state == Problem.State.DUPLICATE
    ):
        raise MoveRefused(f"P{problem.number} cannot go from {_name(was)} to {_name(state)}.")
    _move(problem, was, state)
    if state == Problem.State.WONT_FIX:
        escalation.cancel_pending(problem=problem)
    elif state == Problem.State.SHIPPED:
        notices.tell_after_all(problem=problem)
    elif was in (Problem.State.WONT_FIX, Problem.State.DUPLICATE):
        problem.due_at = _due_at(problem.project, problem.severity)
        problem.duplicate_of = None
        problem.save(update_fields=["due_at", "duplicate_of"])
        escalation.resume_cancelled(problem=problem)
    elif was == Problem.State.SHIPPED and state in Problem.UNSOLVED_STATES:
        _open_again(problem, "by_hand")
    return problem


@transaction.atomic
def reopen_problem(*, problem, why):
    """What was thought solved is not: `regressed`, with a fresh clock, and its tickets are reopened.

    `why` is one of WHY_REOPENED. A problem that is still being worked on stays as it is; of a duplicate, the problem
    that it is a duplicate of is reopened. Answers the problem that was meant. Twice is once.
    """
    if why not in WHY_REOPENED:
        raise ValueError(why)
    problem = Problem.objects.select_for_update(no_key=True).get(pk=problem.pk)
    if problem.state == Problem.State.DUPLICATE:
        return reopen_problem(problem=problem.duplicate_of, why=why)
    if problem.state in Problem.UNSOLVED_STATES:
        return problem
    _move(problem, problem.state, Problem.State.REGRESSED)
    _open_again(problem, why)
    return problem


def _open_again(problem, why) -> None:
    """A fresh clock, and its tickets are reopened."""
    problem.due_at = _due_at(problem.project, problem.severity)
    problem.save(update_fields=["due_at"])
    priority.recompute(problem=problem)
    escalation.resume_cancelled(problem=problem)
    outbox.publish("problem_regressed", project=problem.project, problem_id=problem.pk, why=why)


@transaction.atomic
def merge_problem(*, problem, into, by=None):
    """`problem` was `into` all along: its members move there, it keeps its own tickets and history. Can be undone."""
    first, second = sorted(
        (problem.pk, into.pk)
    )  # both in one order, so that two merges never wait for each other
    rows = {
        row.pk: row
        for row in Problem.objects.select_for_update(no_key=True)
        .filter(pk__in=(first, second), project_id=problem.project_id)
        .order_by("pk")
    }
    if len(rows) < 2:
        raise MoveRefused("A problem cannot be a duplicate of itself.")
    problem, into = rows[problem.pk], rows[into.pk]
    if into.state == Problem.State.DUPLICATE:
        raise MoveRefused(
            f"P{into.number} is a duplicate itself. Name the problem that it belongs to."
        )
    if Problem.State.DUPLICATE not in PROBLEM_MOVES[problem.state]:
        raise MoveRefused(
            f"P{problem.number} is {_name(problem.state)}: reopen it before merging it."
        )
    change = changes.begin(kind=ProblemChange.Kind.MERGE, project_id=problem.project_id, by=by)
    for other in Problem.objects.filter(duplicate_of=problem):
        change.set(other, "duplicate_of_id", into.pk)
    change.note(problem, "state", Problem.State.DUPLICATE)
    change.note(problem, "duplicate_of_id", into.pk)
    Problem.objects.filter(pk=problem.pk).update(
        state=Problem.State.DUPLICATE, duplicate_of=into, state_changed_at=timezone.now()
    )
    problem.refresh_from_db()
    escalation.cancel_pending(problem=problem)
    members = problem.members.filter(left_at=None).select_related("interaction", "settlement")
    with together(files_after=undo_time()):
        for member in members:
            change.move(member=member, to=into, source=member.source)
    change.keep()
    return problem


# --- describing -----------------------------------------------------------------------------------


@transaction.atomic
def rename_problem(*, problem, title, summary=None, by=None):
    """A lead's own words; none of ours replaces them. Can be undone."""
    change = changes.begin(kind=ProblemChange.Kind.RENAME, project_id=problem.project_id, by=by)
    change.set(problem, "title", _one_line(title) or problem.title)
    change.set(problem, "summary", problem.summary if summary is None else summary)
    change.set(problem, "is_described_by_hand", True)
    change.set(problem, "title_model", "")
    change.keep()
    return problem


@transaction.atomic
def pin_case(*, member, is_pinned):
    """A lead says that it belongs here (or that it need not): no regrouping moves what is pinned."""
    ProblemMember.objects.filter(pk=member.pk, left_at=None).update(is_pinned=is_pinned)
    member.refresh_from_db()
    return member


@transaction.atomic
def move_cases(*, members, to=None, title="", by=None):
    """Cases of one problem go to another, or (`to` None) to a new one: a split. Answers that problem. Can be undone."""
    origin = members[0].problem
    kind = ProblemChange.Kind.MOVE if to else ProblemChange.Kind.SPLIT
    if to is not None and (to.pk == origin.pk or to.state == Problem.State.DUPLICATE):
        raise MoveRefused(f"P{to.number} cannot take cases of P{origin.number}.")
    change = changes.begin(kind=kind, project_id=origin.project_id, by=by)
    if to is None:
        to = open_problem(
            project=origin.project,
            title=title or f"Split from P{origin.number}",
            category=origin.category,
            severity=max((each.severity for each in members), key=_rank),
            fixable_by=origin.fixable_by,
        )
        if title:
            to.is_described_by_hand = True
            to.save(update_fields=["is_described_by_hand"])
        change.opened(to)
    with together(files_after=undo_time()):
        for member in members:
            change.move(member=member, to=to)
            placing_notes.note_by_hand(interaction=member.interaction, problem=to)
    change.keep()
    to.refresh_from_db()
    return to


def set_owner(*, problem, owner):
    """Who sees to it: a member of the project, or nobody."""
    if owner and not Membership.objects.filter(project_id=problem.project_id, user=owner).exists():
        raise MoveRefused(f"{owner} is not a member of this project.")
    problem.owner = owner
    problem.save(update_fields=["owner"])
    return problem


def set_fixable_by(*, problem, fixable_by):
    problem.fixable_by = fixable_by
    problem.save(update_fields=["fixable_by"])
    return problem


@transaction.atomic
def set_severity(*, problem, severity):
    """A lead's own word on how bad it is; the next worse member raises it again. What is worse by it may ask for a ticket."""
    problem = Problem.objects.select_for_update(no_key=True).get(pk=problem.pk)
    if severity != problem.severity:
        is_worse = _rank(severity) > _rank(problem.severity)
        problem.severity = severity
        problem.due_at = _due_at(problem.project, severity)
        problem.save(update_fields=["severity", "due_at"])
        priority.recompute(problem=problem)
        if is_worse:
            file_by_itself(problem)
    return problem


@transaction.atomic
def forget_words(*, interaction):
    """An answer is being erased: no title or summary goes on quoting it. Others' words, and a lead's own, stay.

    Called before the text is gone or after it: a title that quotes nobody who is still here loses its quotation.
    """
    for member in ProblemMember.objects.filter(interaction=interaction).select_related("problem"):
        forget_words_in(member.problem, [interaction])


@transaction.atomic
def forget_comments(*, interactions):
    """Comments on these answers are being erased: what a model said of them goes, and a rename whose undo would say it again."""
    those = Problem.objects.filter(members__interaction__in=interactions).distinct()
    ProblemChange.objects.filter(
        kind=ProblemChange.Kind.RENAME,
        changedproblem__problem__in=those,
        fields__contains=[{"name": "title_model"}],
    ).delete()
    for problem in those.exclude(title_model=""):
        forget_model_words(problem)


def forget_words_in(problem, interactions, *, since=None) -> None:
    """What the problem says in the words of these answers; with the renames whose undo would say it again.

    Answers that only leave again (they came `since`) take no more than that: a summary without their words stays.
    """
    if not interactions:
        return
    renames = ProblemChange.objects.filter(
        kind=ProblemChange.Kind.RENAME, changedproblem__problem=problem
    )
    (renames.filter(created_at__gte=since) if since else renames).delete()
    if problem.title_model:
        forget_model_words(problem)
        return
    said = [words for interaction in interactions if (words := _words(interaction))]
    place, _, quoted = problem.title.partition(_QUOTING)
    quoted = quoted.rstrip("”…")
    place = _without_words_of(interactions, place, problem)
    if any(words in problem.title for words in said) or (
        quoted and not _is_quoted(problem, quoted, interactions)
    ):
        problem.title = f"{place} (P{problem.number})"
    elif quoted:
        problem.title = quoting(place, quoted)
    is_ours = since is None and not problem.is_described_by_hand
    if any(words in problem.summary for words in said) or is_ours:
        problem.summary = ""  # ours is made anew of those who are left
    problem.save(update_fields=["title", "summary"])


def forget_model_words(problem) -> None:
    """They may say anything of whoever is erased: ours come back, made anew of those who are left."""
    Problem.objects.filter(pk=problem.pk).update(
        title=f"Problem {problem.number}", summary="", title_model=""
    )
    Wording.objects.filter(problem=problem).delete()


def _without_words_of(interactions, place, problem) -> str:
    """What names a group that nobody named, without words that only these answers had."""
    if problem.is_described_by_hand:
        return place
    others = problem.members.filter(interaction__erased_at=None)
    others = others.exclude(interaction__in=interactions)
    left = " ".join(
        member.interaction.last_user_message
        for member in others.select_related("interaction").order_by("-id")[:200]
    ).casefold()
    theirs = " ".join(each.last_user_message for each in interactions).casefold()
    kept = [
        word
        for word in place.split(", ")
        if word.casefold() not in theirs or word.casefold() in left
    ]
    return ", ".join(kept) or "Alike"


def _is_quoted(problem, quoted, but) -> bool:
    others = problem.members.filter(interaction__erased_at=None).exclude(interaction__in=but)
    return any(
        _words(other.interaction).startswith(quoted)
        for other in others.select_related("interaction").iterator()
    )


def _words(interaction) -> str:
    return _one_line(interaction.last_user_message, limit=90).rstrip("…")


# --- shared ---------------------------------------------------------------------------------------


def _move(problem, was, state):
    moved = Problem.objects.filter(pk=problem.pk, state=was).update(
        state=state, state_changed_at=timezone.now()
    )
    problem.refresh_from_db()
    if not moved:
        raise MoveRefused(
            f"P{problem.number} is {_name(problem.state)} by now. Look again before moving it."
        )


def _rank(severity) -> int:
    return Severity(severity).rank


def _be_at_least_as_severe_as(problem, member) -> bool:
    is_worse = _rank(member.severity) > _rank(problem.severity)
    if is_worse:
        problem.severity = member.severity
        sooner = _due_at(problem.project, member.severity)
        problem.due_at = min(filter(None, (problem.due_at, sooner)), default=None)
        problem.save(update_fields=["severity", "due_at"])
    return is_worse


def _due_at(project, severity):
    hours = project.sla_hours.get(str(severity))
    return timezone.now() + timedelta(hours=hours) if hours else None


def _one_line(text: str, limit: int = 200) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _name(state) -> str:
    return Problem.State(state).label.lower()
