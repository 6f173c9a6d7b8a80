"""Both ways: an existing ticket followed, its status mapped, who is on it, what was said, a way back that is not there."""

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from feedbackhub.outbox import delivery
from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from tests.triage.fake_jira import DONE, IN_PROGRESS, people_file
from triage import adoption, connections, escalation, letters, problems, ticket_notes, ticket_state
from triage.models import Escalation, Letter, Ticket, TicketNote, TrackerDelivery


@pytest.fixture
def problem(project):
    problem = ProblemFactory(project=project, number=1_007, severity="critical")
    ProblemMemberFactory(problem=problem, interaction=InteractionFactory(project=project))
    return problem


@pytest.fixture
def filed(problem, connection, jira):
    duty = escalation.open_escalation(problem=problem, connection=connection)
    escalation.pursue(escalation=duty)
    return Ticket.objects.get()


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def say_all():
    TicketNote.objects.update(due_at=timezone.now())
    for note in TicketNote.objects.filter(state="waiting"):
        ticket_notes.send_note(note=note)


# --- adoption -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pasted", ["FBH-77", "fbh-77 ", "{site}/browse/FBH-77", "{site}/browse/FBH-77?x=1"]
)
def test_a_ticket_of_theirs_is_followed_by_its_pasted_link(
    as_user, ben, problem, connection, jira, pasted
):
    issue = people_file(jira, assignee={"displayName": "Zaphod"})
    as_user(ben).post(
        url("adopt_ticket", 1_007, connection.public_id),
        {"link": pasted.format(site=jira.base_url)},
    )
    ticket = Ticket.objects.get()
    assert (ticket.remote_id, ticket.key, ticket.assignee) == (issue["id"], "FBH-77", "Zaphod")
    assert (Escalation.objects.get().state, len(jira.posts)) == ("filed", 0)
    say_all()
    (comment,) = issue["comments"]
    assert "follows this ticket as P1007" in str(comment["body"])


def test_names_that_no_database_keeps_are_shown_without_it(as_user, ben, problem, connection, jira):
    issue = people_file(jira, assignee={"displayName": "Za\0phod \ud800"})
    adoption.adopt_ticket(problem=problem, connection=connection, pasted="FBH-77")
    jira.say(issue["id"], "Look.", by="Mar\0vin \ud800")
    ticket = Ticket.objects.get()
    assert ticket.assignee == "Za\ufffdphod \ufffd"
    answer = as_user(ben).get(url("ticket_comments", ticket.public_id))
    assert "Mar\ufffdvin" in answer.content.decode()


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "OTHER-1",
        "https://evil.example/browse/FBH-77",
        "FBH-77/../../x",
        "javascript:1",
        "FBH-999",
    ],
)
def test_what_is_no_ticket_of_this_connection_is_refused(
    as_user, ben, problem, connection, jira, pasted
):
    people_file(jira)
    answer = as_user(ben).post(
        url("adopt_ticket", 1_007, connection.public_id), {"link": pasted}, follow=True
    )
    assert answer.status_code == 200
    assert not Ticket.objects.exists()
    assert not Escalation.objects.exists()


def test_one_ticket_belongs_to_one_problem(project, problem, connection, filed):
    other = ProblemFactory(project=project, number=1_008)
    with pytest.raises(adoption.AdoptionRefused, match="belongs to P1007"):
        adoption.adopt_ticket(problem=other, connection=connection, pasted=filed.key)


def test_a_problem_that_has_a_ticket_there_takes_no_second_one(problem, connection, filed, jira):
    people_file(jira)
    with pytest.raises(adoption.AdoptionRefused, match="has a ticket"):
        adoption.adopt_ticket(problem=problem, connection=connection, pasted="FBH-77")


def test_an_escalation_that_failed_has_its_ticket_by_adoption(problem, connection, jira):
    duty = escalation.open_escalation(problem=problem, connection=connection)
    Escalation.objects.update(state="failed", failure="No permission.")
    people_file(jira)
    adoption.adopt_ticket(problem=problem, connection=connection, pasted="FBH-77")
    duty.refresh_from_db()
    assert (duty.state, duty.failure) == ("filed", "")


@pytest.mark.parametrize(
    ("state", "says"), [("filing", "being filed"), ("unknown", "being looked up")]
)
def test_what_began_to_be_filed_while_the_ticket_was_looked_up_is_not_adopted(
    problem, connection, jira, monkeypatch, state, says
):
    duty = escalation.open_escalation(problem=problem, connection=connection)
    people_file(jira)
    tracker = connections.tracker_of(connection)
    locate = tracker.locate

    def slowly(pasted):
        Escalation.objects.update(state="filing")
        Escalation.objects.update(state=state)
        return locate(pasted)

    monkeypatch.setattr(tracker, "locate", slowly)
    monkeypatch.setattr(connections, "tracker_of", lambda _connection: tracker)
    with pytest.raises(adoption.AdoptionRefused, match=says):
        adoption.adopt_ticket(problem=problem, connection=connection, pasted="FBH-77")
    duty.refresh_from_db()
    assert (duty.state, Ticket.objects.count()) == (state, 0)


def test_an_engineer_adopts_nothing_and_another_projects_connection_is_not_there(
    as_user, dana, ben, problem, connection, connect, other_project
):
    theirs = connect(other_project, name="Theirs")
    address = url("adopt_ticket", 1_007, connection.public_id)
    assert as_user(dana).post(address, {"link": "FBH-77"}).status_code == 403
    address = url("adopt_ticket", 1_007, theirs.public_id)
    assert as_user(ben).post(address, {"link": "FBH-77"}).status_code == 404


# --- a regression ---------------------------------------------------------------------------------


def test_where_nothing_leads_back_a_new_ticket_is_filed_that_names_the_old_one(
    problem, filed, jira, connection
):
    jira.move(filed.remote_id, DONE)
    jira.can_reopen = False
    problems.move_problem_state(problem=problem, state="shipped")
    problems.reopen_problem(problem=problem, why="recurrence")
    delivery.deliver_due()
    say_all()
    duty = Escalation.objects.get()
    assert (duty.state, duty.earlier_tickets[0]["key"]) == ("pending", "FBH-1")
    escalation.pursue(escalation=duty)
    ticket = Ticket.objects.get()
    assert (ticket.key, len(jira.issues)) == ("FBH-2", 2)
    assert "FBH-1" in str(jira.posts[1]["fields"]["description"])
    assert jira.posts[0]["fields"]["labels"] != jira.posts[1]["fields"]["labels"]


# --- seen -----------------------------------------------------------------------------------------


def test_who_is_on_it_over_there_is_shown(as_user, ben, problem, filed, jira):
    jira.issue(filed.remote_id)["assignee"] = {"displayName": "<b>Zaphod</b>"}
    jira.move(filed.remote_id, IN_PROGRESS)
    as_user(ben).post(url("look_at_ticket", filed.public_id))
    filed.refresh_from_db()
    assert (filed.assignee, filed.state) == ("<b>Zaphod</b>", "in_progress")
    page = as_user(ben).get(url("problem", 1_007)).content.decode()
    assert "&lt;b&gt;Zaphod&lt;/b&gt;" in page


@pytest.mark.parametrize("is_away", [False, True])
def test_a_look_that_was_not_possible_is_not_told_as_news(
    as_user, ben, filed, jira, connection, is_away
):
    address = url("look_at_ticket", filed.public_id)
    said = [str(m) for m in get_messages(as_user(ben).post(address).wsgi_request)]
    assert said == ["FBH-1 is Open."]
    if is_away:
        jira.goes_down(503)
    else:
        connections.pause_connection(connection=connection, reason="By hand.")
    *_, said = get_messages(as_user(ben).post(address).wsgi_request)
    assert "FBH-1 was Open when last seen" in str(said)


def test_what_was_said_there_is_asked_for_and_stored_nowhere(as_user, ben, filed, jira):
    body = {
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Ana <script> says"}]}
        ],
    }
    jira.issue(filed.remote_id)["comments"].append(
        {
            "id": "1",
            "author": {"displayName": "Ford"},
            "body": body,
            "created": "2026-11-20T08:00:00.000+0000",
        }
    )
    for headers in ({}, {"HX-Request": "true"}):
        text = (
            as_user(ben)
            .get(url("ticket_comments", filed.public_id), headers=headers)
            .content.decode()
        )
        assert "Ana &lt;script&gt; says" in text
        assert "Ford" in text


def test_a_tracker_that_is_away_is_said_where_the_comments_would_stand(as_user, ben, filed, jira):
    jira.goes_down(503)
    answer = as_user(ben).get(url("ticket_comments", filed.public_id))
    assert answer.status_code == 200
    assert answer.context["error"]


# --- statuses -------------------------------------------------------------------------------------


def test_an_owner_says_what_each_status_means(as_user, olu, filed, jira, connection):
    address = url("connection_statuses", connection.public_id)
    rows = as_user(olu).get(address).context["rows"]
    assert [(row[1].name, row[2]) for row in rows] == [
        ("To Do", "Open"),
        ("In Progress", "In progress"),
        ("Done", "Done"),
    ]
    as_user(olu).post(address, {"status-1": "", "status-2": "", "status-3": "wont_fix"})
    connection.refresh_from_db()
    assert connection.status_map == {"Done": "wont_fix"}
    jira.move(filed.remote_id, DONE)
    filed.refresh_from_db()
    assert ticket_state.look_at_ticket(ticket=filed).state == "wont_fix"
    as_user(olu).post(address, {"status-1": "done"})  # a page from before there were more
    connection.refresh_from_db()
    assert connection.status_map == {"Done": "wont_fix", "To Do": "done"}
    as_user(olu).post(address, {"status-1": "", "status-3": "", "status-2": "deleted"})
    connection.refresh_from_db()
    assert connection.status_map == {}


def test_a_lead_sees_what_statuses_mean_and_changes_nothing(as_user, ben, filed, connection):
    address = url("connection_statuses", connection.public_id)
    assert as_user(ben).get(address).status_code == 200
    assert as_user(ben).post(address, {"status-2": "done"}).status_code == 403


def test_a_tracker_that_does_not_answer_leaves_the_map_alone(as_user, olu, connection, jira):
    connections.map_statuses(connection=connection, states={"Done": "done"})
    jira.goes_down(503)
    answer = as_user(olu).post(
        url("connection_statuses", connection.public_id), {"status-0": "done"}
    )
    connection.refresh_from_db()
    assert (answer.status_code, connection.status_map) == (400, {"Done": "done"})


# --- deliveries and pauses ------------------------------------------------------------------------


def test_a_delivery_is_taken_over_once_more(as_user, olu, filed, connection, project):
    row = TrackerDelivery.objects.create(
        project=project,
        connection=connection,
        delivery_id="1",
        processed_at=timezone.now(),
        outcome="could not be taken over",
        event={"remote_id": filed.remote_id, "state": "done", "status_name": "Done", "key": "",
               "updated_at": "2026-11-20T12:00:00+00:00", "markers": []},
    )  # fmt: skip
    as_user(olu).post(url("retry_delivery", connection.public_id, row.pk))
    row.refresh_from_db()
    filed.refresh_from_db()
    assert (row.outcome, filed.state) == ("taken over", "done")


def test_a_connection_whose_credentials_fail_tells_its_owners_once(
    olu, ben, problem, connection, jira
):
    jira.goes_down(401)
    duty = escalation.open_escalation(problem=problem, connection=connection)
    escalation.pursue(escalation=duty)
    connection.refresh_from_db()
    connections.pause_connection(connection=connection, reason="Again.")
    letter = Letter.objects.get()
    assert (letter.user, letter.kind) == (olu, "connection_paused")
    for letter_id in letters.due_letters():
        letters.send_letter(letter_id=letter_id)
    (message,) = mail.outbox
    assert str(connection.public_id) in message.body
    assert "token-that-must-not-leak" not in message.body
