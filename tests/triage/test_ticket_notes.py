"""What is said on tickets that are filed: open again, more cases. Once, within the hour, and not lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedbackhub.outbox.delivery import deliver_due
from feedbackhub.outbox.models import OutboxEvent
from feedbackhub.outbox.sweeping import sweep
from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from tests.triage.fake_jira import DONE, refused
from triage import connections, escalation, problems, ticket_notes
from triage.models import Escalation, Ticket, TicketNote, TrackerConnection

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=7, severity="critical")


@pytest.fixture
def ticket(problem, connection, jira):
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    TicketNote.objects.all().delete()  # the link and the brief: a matter of their own, below
    return Ticket.objects.get()


@pytest.fixture
def solved(problem, ticket, jira):
    """The ticket is done and the fix has shipped."""
    jira.move(ticket.remote_id, DONE)
    type(ticket).objects.update(state="done")
    return problems.move_problem_state(problem=problem, state="shipped")


def joins(problem):
    return problems.join_problem(
        problem=problem, interaction=InteractionFactory(project=problem.project), source="expert"
    )


def hours_pass(hours):
    """The clock moves on for everything that waits and everything that was said."""
    earlier = timedelta(hours=hours)
    for note in TicketNote.objects.all():
        note.due_at -= earlier
        note.created_at -= earlier
        note.first_tried_at = note.first_tried_at and note.first_tried_at - earlier
        note.sent_at = note.sent_at and note.sent_at - earlier
        note.save()
    for ticket in Ticket.objects.all():
        ticket.created_at -= earlier
        ticket.save()


def send_due():
    for note in TicketNote.objects.filter(state="waiting"):
        ticket_notes.send_note(note=note)


def comments(jira):
    return [str(comment["body"]) for issue in jira.issues for comment in issue["comments"]]


# --- open again -----------------------------------------------------------------------------------


def test_a_regressed_problem_reopens_its_ticket_and_says_why(solved, ticket, jira):
    problems.reopen_problem(problem=solved, why="still_wrong")
    deliver_due()
    send_due()
    ticket.refresh_from_db()
    assert jira.issue(ticket.remote_id)["status"]["name"] == "To Do"
    assert (ticket.state, TicketNote.objects.get().state) == ("open", "sent")
    (said,) = comments(jira)
    assert "P7 is open again. A reporter says that it is still wrong after the fix." in said


def test_told_twice_is_said_once(solved, ticket, jira):
    problems.reopen_problem(problem=solved, why="still_wrong")
    deliver_due()
    send_due()
    OutboxEvent.objects.update(delivered_at=None)
    deliver_due()
    send_due()
    assert len(comments(jira)) == 1


def test_a_worker_killed_between_the_comment_and_the_row_says_it_once(solved, ticket, jira):
    problems.reopen_problem(problem=solved, why="recurrence")
    deliver_due()
    note = TicketNote.objects.get()
    killed = connections.tracker_of(ticket.connection)
    killed.comment(ticket.remote_id, "said by a worker that then died", note.marker)
    send_due()
    assert TicketNote.objects.get().state == "sent"
    assert len(comments(jira)) == 1


def test_a_problem_solved_again_meanwhile_is_not_reopened_over_there(solved, ticket, jira):
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    solved.refresh_from_db()
    problems.move_problem_state(problem=solved, state="shipped")
    send_due()
    assert (comments(jira), TicketNote.objects.count()) == ([], 0)


def test_a_tracker_that_is_away_is_told_later(solved, ticket, jira, connection):
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    jira.goes_down(429, **{"Retry-After": "90"})
    send_due()
    note = TicketNote.objects.get()
    connection.refresh_from_db()
    assert (note.state, note.attempts) == ("waiting", 1)
    assert note.due_at > timezone.now() + timedelta(seconds=89)
    assert connection.paused_until > timezone.now()
    jira.comes_back()
    TrackerConnection.objects.update(paused_until=None)
    TicketNote.objects.update(due_at=timezone.now())
    sweep()
    assert TicketNote.objects.get().state == "sent"


@pytest.mark.parametrize(
    "reason",
    ["jira-burst-based", "jira-per-issue-on-write", "jira-quota-tenant-based"],
)
def test_each_of_jiras_limits_rests_the_whole_connection(solved, ticket, jira, connection, reason):
    """One gate for all: stricter than a limit of one issue or one method asks for."""
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    jira.goes_down(429, **{"Retry-After": "1800", "RateLimit-Reason": reason})
    send_due()
    connection.refresh_from_db()
    assert connection.paused_until > timezone.now() + timedelta(seconds=1_790)
    assert not connection.is_paused  # nobody is called: it ends by itself
    assert not connections.may_be_called().exists()
    jira.comes_back()
    send_due()
    assert (TicketNote.objects.get().state, comments(jira)) == ("waiting", [])


def test_a_refused_credential_keeps_the_note(solved, ticket, jira, connection):
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    jira.goes_down(401)
    send_due()
    connection.refresh_from_db()
    assert (TicketNote.objects.get().state, connection.is_paused) == ("waiting", True)
    jira.comes_back()
    connections.resume_connection(connection=connection)
    send_due()
    assert len(comments(jira)) == 1


def test_a_ticket_that_takes_no_comment_from_us_fails_alone(solved, ticket, jira, connection):
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    jira.goes_down(403)
    send_due()
    connection.refresh_from_db()
    assert (TicketNote.objects.get().state, connection.is_paused) == ("failed", False)


def test_a_ticket_that_is_gone_fails_with_a_sentence_and_can_be_retried(solved, ticket, jira):
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    gone, jira.issues = jira.issues, []
    send_due()
    note = TicketNote.objects.get()
    assert note.state == "failed"
    assert "Jira no longer shows FBH-1" in note.failure
    jira.issues = gone
    ticket_notes.retry_note(note=note)
    send_due()
    assert TicketNote.objects.get().state == "sent"


def test_a_deleted_ticket_is_replaced_when_its_problem_comes_back(solved, ticket, jira):
    Ticket.objects.update(state="deleted")
    jira.issues = []
    joins(solved)
    assert not TicketNote.objects.exists()  # of more cases it is told nothing
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    send_due()
    duty = Escalation.objects.get()
    assert (duty.state, duty.earlier_tickets[0]["key"]) == ("pending", "FBH-1")
    escalation.pursue(escalation=duty)
    assert (len(jira.posts), Ticket.objects.get().state) == (2, "open")


def test_a_ticket_that_only_seemed_deleted_is_reopened(solved, ticket, jira):
    Ticket.objects.update(state="deleted")
    problems.reopen_problem(problem=solved, why="by_hand")
    deliver_due()
    send_due()
    ticket.refresh_from_db()
    assert (ticket.state, len(comments(jira)), len(jira.posts)) == ("open", 1, 1)


# --- more cases -----------------------------------------------------------------------------------


def test_more_cases_are_told_together_within_the_hour(problem, ticket, jira):
    joins(problem)
    joins(problem)
    send_due()
    assert comments(jira) == []
    hours_pass(1)
    send_due()
    (said,) = comments(jira)
    assert "2 more cases of P7." in said
    assert "http://testserver/p/tax-help/problems/7/" in said


def test_an_hour_lies_between_two_comments(problem, ticket, jira):
    hours_pass(5)
    joins(problem)
    send_due()
    joins(problem)
    send_due()
    assert len(comments(jira)) == 1
    hours_pass(1)
    send_due()
    assert len(comments(jira)) == 2


def test_a_case_that_was_taken_out_again_is_not_told(problem, ticket, jira):
    problems.leave_problem(member=joins(problem))
    hours_pass(1)
    send_due()
    assert (comments(jira), TicketNote.objects.count()) == ([], 0)


def test_cases_before_the_ticket_are_in_the_ticket(problem, connection, jira):
    joins(problem)
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    assert not TicketNote.objects.filter(kind="more_cases").exists()


# --- the link and the brief -----------------------------------------------------------------------


@pytest.fixture
def with_evidence(problem, connection, jira):
    """A ticket of a problem with a case, whose link and brief wait."""
    interaction = InteractionFactory(
        project=problem.project, output="Ask @everyone or write to marvin@example.org."
    )
    ProblemMemberFactory(problem=problem, interaction=interaction)
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    return jira.issues[0]


def test_a_ticket_gets_the_link_and_the_brief_once(with_evidence, jira):
    ticket, note = Ticket.objects.get(), TicketNote.objects.get()
    killed = connections.tracker_of(ticket.connection)
    ticket_notes._put_evidence(killed, ticket, note.marker)
    send_due()
    (link,) = with_evidence["links"].values()
    assert (link["title"], TicketNote.objects.get().state) == ("FeedbackHub P7", "sent")
    assert link["url"].endswith("/problems/7/")
    (file,) = with_evidence["attachments"]
    assert file["filename"].startswith("P7-brief-") and file["text"].startswith("# P7 ")
    assert "marvin" not in file["text"] and "@everyone" not in file["text"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (403, "You do not have permission to create attachments."),
        (404, "Attachments are disabled."),
        (413, "The attachments exceed the maximum size."),
        (413, "An issue takes 60 files at most."),
    ],
    ids=["not allowed", "switched off", "too large", "60 files"],
)
def test_where_nothing_may_be_attached_the_brief_is_a_comment(
    with_evidence, jira, connection, monkeypatch, status, why
):
    monkeypatch.setattr(jira, "_attach", lambda *_: refused(status, why))
    send_due()
    (said,) = comments(jira)
    assert "P7-brief.md:" in said and TicketNote.objects.get().state == "sent"
    connection.refresh_from_db()
    assert not connection.is_paused


def test_the_brief_delays_no_news_of_cases(with_evidence, problem):
    send_due()
    joins(problem)
    news = TicketNote.objects.get(kind="more_cases")
    ticket = Ticket.objects.get()
    assert news.due_at == ticket.created_at + ticket_notes.AT_MOST_EVERY
