"""What is said on tickets that are filed already: the link back and the brief; it is open again; more cases came in.

Each is a row first. While one waits, what happens in the meantime is said by it too; its words are made when it is
sent, and its marker lets the tracker keep it once, however often it is sent. News of cases goes out at most once an hour.
"""

import uuid
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from feedbackhub import redaction
from feedbackhub.outbound import OutboundError, Outcome
from triage import board, brief, connections, escalation, problems, tasks, ticket_state
from triage.links import problem_url
from triage.models import Problem, Ticket, TicketNote, TicketState
from triage.trackers.base import Block, CannotReopen, Facts, Paragraph

AT_MOST_EVERY = timedelta(hours=1)
LEASE = timedelta(minutes=2)  # reopening and commenting are several calls

Kind, State = TicketNote.Kind, TicketNote.State


def note_more_cases(*, problem):
    """An answer joined: say so on the problem's tickets, within the hour."""
    for ticket in _tickets(problem):
        due_at = max(timezone.now(), _spoke_at(ticket) + AT_MOST_EVERY)
        _note(ticket, Kind.MORE_CASES, due_at=due_at)


def note_reopened(*, problem, why, since, states=tuple(TicketState)):
    """The problem regressed: its tickets (those in `states`) are reopened, with the reason. News of the same event twice is one note.

    A ticket that was deleted is asked for once more, and replaced when it is gone.
    """
    for ticket in Ticket.objects.filter(escalation__problem=problem, state__in=states):
        if not ticket.notes.filter(kind=Kind.REOPENED, created_at__gte=since).exists():
            _note(ticket, Kind.REOPENED, due_at=timezone.now(), why=why)


def note_adopted(*, ticket):
    """People's own ticket is followed from here: it says so, with the link."""
    _note(ticket, Kind.ADOPTED, due_at=timezone.now())


def note_evidence(*, ticket):
    """A ticket is there: our page is linked beside it, and the brief for whoever repairs it is put to it."""
    _note(ticket, Kind.EVIDENCE, due_at=timezone.now())


def send_note(*, note):
    """Say it, if it is due and nobody else is saying it; what has become pointless meanwhile is dropped."""
    if not _claim(note):
        return None
    ticket = Ticket.objects.select_related("connection", "escalation__problem__project").get(
        pk=note.ticket_id
    )
    words = () if note.kind == Kind.EVIDENCE else _words(note, ticket)
    if not words and note.kind != Kind.EVIDENCE:
        note.delete()
        return None
    try:
        tracker = connections.tracker_of(ticket.connection)
        connections.learn_account(connection=ticket.connection, tracker=tracker)
        if note.kind == Kind.EVIDENCE:
            _put_evidence(tracker, ticket, note.marker)
        if note.kind == Kind.REOPENED:
            seen = tracker.reopen(ticket.remote_id, ticket.key)
            ticket_state.note_seen(ticket=ticket, seen=seen)
        if words:
            tracker.comment(ticket.remote_id, words, note.marker)
    except CannotReopen:
        escalation.replace_ticket(ticket=ticket)
        return None
    except OutboundError as error:
        if error.status == 404 and note.kind == Kind.REOPENED and ticket.is_deleted:
            escalation.replace_ticket(ticket=ticket)
            return None
        _write_failure(note, ticket, error)
    else:
        TicketNote.objects.filter(pk=note.pk, state=State.WAITING).update(
            state=State.SENT, sent_at=timezone.now(), failure=""
        )
    note.refresh_from_db()
    return note


def retry_note(*, note):
    """A person asks for another try."""
    TicketNote.objects.filter(pk=note.pk, state=State.FAILED).update(
        state=State.WAITING, due_at=timezone.now(), failure="", first_tried_at=None
    )
    note.refresh_from_db()
    tasks.ring(tasks.send_ticket_note, note_id=note.pk)
    return note


# --- shared ---------------------------------------------------------------------------------------


def _tickets(problem):
    return Ticket.objects.filter(escalation__problem=problem).exclude(state=TicketState.DELETED)


def _note(ticket, kind, *, due_at, why=""):
    note, _ = TicketNote.objects.get_or_create(
        project_id=ticket.project_id,
        ticket=ticket,
        kind=kind,
        state=State.WAITING,
        defaults={"marker": uuid.uuid4(), "due_at": due_at, "why": why},
    )
    seconds = max(0, (note.due_at - timezone.now()).total_seconds())
    tasks.ring(tasks.send_ticket_note, after=seconds, note_id=note.pk)
    return note


def _claim(note) -> bool:
    now = timezone.now()
    claimed = TicketNote.objects.filter(
        pk=note.pk,
        state=State.WAITING,
        due_at__lte=now,
        ticket__in=Ticket.objects.filter(connection__in=connections.may_be_called(now=now)),
    ).update(due_at=now + LEASE, attempts=F("attempts") + 1)
    note.refresh_from_db()
    return bool(claimed)


def _words(note, ticket) -> tuple[Block, ...]:
    """What to say now; nothing when there is nothing (any more) to say."""
    problem = ticket.escalation.problem
    if note.kind == Kind.REOPENED:
        if problem.state not in Problem.UNSOLVED_STATES:
            return ()
        how = "is still open" if note.why == "not_agreed" else "is open again"
        return (
            Paragraph(f"P{problem.number} {how}. {problems.WHY_REOPENED[note.why]}"),
            _figures(problem),
        )
    if note.kind == Kind.ADOPTED:
        return (
            Paragraph(f"FeedbackHub follows this ticket as P{problem.number}."),
            _figures(problem),
        )
    count = problem.members.filter(left_at=None, joined_at__gt=_spoke_at(ticket)).count()
    if not count:
        return ()
    cases = "One more case" if count == 1 else f"{count} more cases"
    return (Paragraph(f"{cases} of P{problem.number}."), _figures(problem))


def _spoke_at(ticket):
    """When the ticket last heard how many cases there are."""
    said = ticket.notes.filter(state=State.SENT).exclude(kind=Kind.EVIDENCE).order_by("-sent_at")
    last = said.values_list("sent_at", flat=True).first()
    return max(filter(None, (ticket.created_at, last)))


def _put_evidence(tracker, ticket, marker) -> None:
    problem = ticket.escalation.problem
    name = f"P{problem.number}"
    try:
        tracker.link_back(ticket.remote_id, url=problem_url(problem), title=f"FeedbackHub {name}")
    except OutboundError as error:  # not everybody may link: the address stands in the text as well
        if error.outcome is not Outcome.REFUSED_FOR_GOOD or escalation.is_signed_out(error):
            raise
    if problem.members.filter(left_at=None).exists():
        text = brief.brief(problem, None, board.current_schema(problem.project))
        masked = redaction.redact(text).text
        tracker.attach(ticket.remote_id, name=f"{name}-brief.md", text=masked, marker=marker)


def _figures(problem) -> Facts:
    return Facts(
        (
            ("Cases", str(problem.member_count)),
            ("People", str(problem.reach)),
            ("Severity", problem.severity),
            ("In FeedbackHub", problem_url(problem)),
        )
    )


def _write_failure(note, ticket, error):
    waiting = TicketNote.objects.filter(pk=note.pk, state=State.WAITING)
    said, now = error.message[:500], timezone.now()
    tried_since = (
        note.first_tried_at or now
    )  # what waited for its hour or for a pause was not tried
    if escalation.is_signed_out(error):
        waiting.update(due_at=now, failure=said, first_tried_at=None)
        connections.pause_connection(connection=ticket.connection, reason=said)
    elif error.outcome is Outcome.REFUSED_FOR_GOOD or now - tried_since > escalation.TRIED_FOR:
        waiting.update(state=State.FAILED, failure=said)
    else:  # also after `unknown`: the marker makes a repeat harmless
        pause = escalation.pause_seconds(2.0 ** min(note.attempts - 1, 10), error.retry_after)
        waiting.update(
            due_at=now + timedelta(seconds=pause), failure=said, first_tried_at=tried_since
        )
        if error.retry_after is not None:
            connections.rest_connection(
                connection=ticket.connection, until=now + timedelta(seconds=pause)
            )
        tasks.ring(tasks.send_ticket_note, after=pause, note_id=note.pk)
