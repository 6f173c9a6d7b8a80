"""The board and the pages of problems: what is seen, by whom, and what may be done there."""

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import ReviewItem
from tests.annotation.desk import judge, pass_time, queue_with
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReviewItemFactory,
    SettlementFactory,
    TrackerConnectionFactory,
)
from triage import board, fixing, problems
from triage.models import Escalation, Problem, Ticket, TicketNote

HOSTILE = "<img src=x onerror=alert(1)>\"'{{ 7|add:7 }}‮"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def escalated(problem, *, state="pending", key="", **fields):
    """An escalation, with its ticket when it has a key."""
    row = Escalation.objects.create(
        project=problem.project,
        problem=problem,
        connection=fields.pop("connection", None)
        or TrackerConnectionFactory(project=problem.project),
        marker=uuid.uuid4(),
        state="filed" if key else state,
        **fields,
    )
    if key:
        Ticket.objects.create(
            project=problem.project,
            escalation=row,
            connection=row.connection,
            remote_id=key,
            key=key,
            url=f"https://acme.atlassian.net/browse/{key}",
        )
    return row


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=7, title="Rates of last year", severity="high")


def numbers(answer, state):
    columns = {column.state: column for column in answer.context["columns"]}
    return [card.problem.number for card in columns[state].cards]


# --- the board ------------------------------------------------------------------------------------


def test_the_board_shows_problems_by_state_the_weightiest_first(as_user, ben, project):
    ProblemFactory(project=project, number=1, priority=1)
    ProblemFactory(project=project, number=2, priority=9)
    ProblemFactory(project=project, number=3, state="fixing")
    answer = as_user(ben).get(url("problems"))
    assert (numbers(answer, "open"), numbers(answer, "fixing")) == ([2, 1], [3])


def test_a_card_says_whose_it_is_how_far_it_reaches_and_that_it_is_late(as_user, ben, problem):
    Problem.objects.update(owner=ben, reach=12, due_at=timezone.now() - timedelta(hours=2))
    text = as_user(ben).get(url("problems")).content.decode()
    card = text.partition('id="p7"')[2].partition("</article>")[0]
    for words in ("P7", "Rates of last year", "12 people", "Ben", "overdue"):
        assert words in card


def test_a_card_without_any_connection_waits_for_a_tracker(as_user, ben, problem, project):
    client = as_user(ben)
    assert "waits for a tracker" in client.get(url("problems")).content.decode()
    TrackerConnectionFactory(project=project)
    assert "waits for a tracker" not in client.get(url("problems")).content.decode()


def test_a_card_shows_its_ticket_with_its_state(as_user, ben, problem):
    escalated(problem, key="TAX-220")
    Ticket.objects.update(state="in_progress", status_name="Doing")
    card = as_user(ben).get(url("problems")).content.decode().partition('id="p7"')[2]
    assert "TAX-220" in card
    assert "Doing" in card


def test_a_failed_escalation_asks_for_a_person_with_its_reason_and_a_retry(as_user, ben, problem):
    row = escalated(problem, state="failed", failure="The token may not create issues in TAX.")
    card = as_user(ben).get(url("problems")).content.decode().partition('id="p7"')[2]
    assert "Needs a person" in card
    assert "The token may not create issues in TAX." in card
    assert url("retry_escalation", row.public_id) in card


def test_filters_are_the_address(as_user, ben, project):
    ProblemFactory(project=project, number=1, severity="high", owner=ben, category="outdated")
    ProblemFactory(project=project, number=2, severity="low", fixable_by="prompt")
    client = as_user(ben)

    def shown(**query):
        return numbers(client.get(url("problems"), query), "open")

    assert shown(severity="high") == [1]
    assert shown(owner="me") == [1]
    assert shown(owner="nobody") == [2]
    assert shown(owner=str(ben.public_id)) == [1]
    assert shown(fixable_by="prompt") == [2]
    assert shown(category="outdated") == [1]
    assert shown(severity="high", fixable_by="prompt") == []


def test_what_problems_need_is_a_filter_too(as_user, ben, project):
    ProblemFactory(project=project, number=1, due_at=timezone.now() - timedelta(hours=1))
    escalated(ProblemFactory(project=project, number=2), state="failed")
    escalated(ProblemFactory(project=project, number=3), key="TAX-1")
    Ticket.objects.update(state="done")
    client = as_user(ben)
    for needs, expected in (("time", [1]), ("person", [2]), ("fix", [3]), ("ticket", [1])):
        assert numbers(client.get(url("problems"), {"needs": needs}), "open") == expected
    assert client.get(url("problems")).context["figures"] == {
        "unsolved": 3,
        "time": 1,
        "person": 1,
        "fix": 1,
        "answer": 0,
        "ticket": 1,
    }


@pytest.mark.parametrize(
    "query",
    [
        {"severity": "awful"},
        {"owner__password__startswith": "p"},
        {"_connector": "OR"},
        {"owner": "x' OR 1=1"},
        {"category": "a\0b"},
        {"state": "sad"},
        {"needs": "sleep"},
    ],
)
def test_a_filter_that_does_not_exist_is_said_and_shows_nothing(as_user, ben, problem, query):
    answer = as_user(ben).get(url("problems"), query)
    assert answer.status_code == 400
    assert "Rates of last year" not in answer.content.decode()


def test_a_chosen_state_is_a_list_paged_by_key(as_user, ben, project):
    for number in range(1, 54):
        ProblemFactory(project=project, number=number, state="wont_fix", priority=number)
    client = as_user(ben)
    first = client.get(url("problems"), {"state": "wont_fix"})
    second = client.get(url("problems") + first.context["list"].older_url)
    shown = [card.problem.number for page in (first, second) for card in page.context["cards"]]
    assert shown == list(range(53, 0, -1))


def test_a_long_column_is_capped_and_leads_to_the_whole_list(as_user, ben, project):
    ProblemFactory.create_batch(22, project=project, state="verified")
    answer = as_user(ben).get(url("problems"), {"severity": "medium"})
    column = next(each for each in answer.context["columns"] if each.state == "verified")
    assert (len(column.cards), column.has_more, column.url) == (
        20,
        True,
        "?severity=medium&state=verified",
    )


def test_the_matrix_holds_every_unsolved_problem_and_not_only_those_on_cards(as_user, ben, project):
    for number in range(1, 26):
        ProblemFactory(project=project, number=number, priority=number, frequency=number)
    ProblemFactory(project=project, number=26, state="regressed", severity="high")
    ProblemFactory(project=project, number=27, state="verified")
    client = as_user(ben)
    drawn = matrix_of(client.get(url("problems")))
    assert sorted(drawn) == list(range(1, 27))
    assert "P3 Problem" in drawn[3] and "Medium, 3.0 per 1,000" in drawn[3]
    assert list(matrix_of(client.get(url("problems"), {"severity": "high"}))) == [26]


def test_a_matrix_of_too_many_leaves_the_least_out_and_says_so(as_user, ben, project, monkeypatch):
    monkeypatch.setattr(board, "BUBBLES", 3)
    for number in range(1, 4):
        ProblemFactory(project=project, number=number, priority=number)
    client, words = as_user(ben), "How often, how bad: the 3 of highest priority"
    assert words not in client.get(url("problems")).content.decode()
    ProblemFactory(project=project, number=4, priority=4)
    answer = client.get(url("problems"))
    assert sorted(matrix_of(answer)) == [2, 3, 4]
    assert words in answer.content.decode()


def matrix_of(answer):
    """{number of the problem: what its bubble says}."""
    figure = answer.content.decode().partition('<figure class="chart matrix">')[2]
    figure = figure.partition("</figure>")[0]
    found = re.findall(r'<a href="([^"]+)"[^>]* aria-label="([^"]+)"><title>', figure)
    return {int(address.rstrip("/").rpartition("/")[2]): said for address, said in found}


def test_titles_are_text_wherever_they_come_from(as_user, ben, project):
    ProblemFactory(project=project, number=1, title=HOSTILE, frequency=2, reach=5)
    client = as_user(ben)
    for address in (url("problems"), url("problems") + "?state=open", url("problem", 1)):
        text = client.get(address).content.decode()
        assert "<img src=x" not in text
        assert "{{ 7|add:7 }}" in text


def test_an_empty_board_says_what_fills_it(as_user, ben):
    assert "No problems yet" in as_user(ben).get(url("problems")).content.decode()


# --- who sees what --------------------------------------------------------------------------------


def test_an_expert_sees_the_problems_of_their_items_and_their_own_cases_only(
    as_user, ana, project, problem
):
    mine = InteractionFactory(project=project, external_id="chat/mine")
    theirs = InteractionFactory(project=project, external_id="chat/theirs")
    for interaction in (mine, theirs):
        ProblemMemberFactory(problem=problem, interaction=interaction)
    item = ReviewItemFactory(queue__project=project, interaction=mine)
    AssignmentFactory(item=item, expert=ana, state="submitted")
    ReviewItem.objects.filter(pk=item.pk).update(state="settled")
    ProblemFactory(project=project, number=8, title="None of mine")
    client = as_user(ana)
    board = client.get(url("problems"))
    assert numbers(board, "open") == [7]
    page = client.get(url("problem", 7)).content.decode()
    assert "chat/mine" in page
    assert "chat/theirs" not in page
    assert client.get(url("problem", 8)).status_code == 404


@pytest.mark.parametrize("state", ["reserved", "claimed", "submitted"])
def test_an_expert_reads_no_colleagues_answer_that_could_still_sway_them(
    state, as_user, ana, ben, project, problem
):
    queue, (item,) = queue_with(project, overlap=3)
    ProblemMemberFactory(problem=problem, interaction=item.interaction)
    judge(ben, queue, "harmful", "critical", note="Ben says it kills", correction="Do not.")
    AssignmentFactory(item=item, expert=ana, state=state, slot=2)
    client = as_user(ana)
    assert numbers(client.get(url("problems")), "open") == []
    for address in (url("problem", 7), url("problem_brief", 7)):
        assert client.get(address).status_code == 404


def test_an_expert_who_may_get_the_case_in_another_blind_queue_reads_it_after_their_answer_there(
    as_user, ana, ben, project, problem
):
    queue, (item,) = queue_with(project)
    ProblemMemberFactory(problem=problem, interaction=item.interaction)
    judge(ana, queue)
    client = as_user(ana)
    assert client.get(url("problem", 7)).status_code == 200
    other, _ = queue_with(project, items=0, overlap=2)
    again = ReviewItemFactory(queue=other, interaction=item.interaction, overlap=2)
    judge(ben, other, "harmful", "critical", note="Ben says it kills")
    assert client.get(url("problem", 7)).status_code == 404
    AssignmentFactory(item=again, expert=ana, state="submitted", slot=2)
    assert client.get(url("problem", 7)).status_code == 200


def test_an_item_that_measures_an_expert_shows_them_nothing_of_its_case(
    as_user, ana, project, problem
):
    case = InteractionFactory(project=project)
    ProblemMemberFactory(problem=problem, interaction=case)
    item = ReviewItemFactory(
        queue__project=project, interaction=case, purpose="calibration", state="settled"
    )
    AssignmentFactory(item=item, expert=ana, state="submitted")
    assert as_user(ana).get(url("problem", 7)).status_code == 404


def test_a_lead_who_is_to_judge_a_case_blind_reads_no_colleagues_words_of_it(
    as_user, ana, ben, project, problem
):
    queue, (item,) = queue_with(project, overlap=2)
    ProblemMemberFactory(problem=problem, interaction=item.interaction)
    said = judge(ana, queue, note="Ana says it kills", correction="Never do this.")
    pass_time(3600, said)
    held = AssignmentFactory(item=item, expert=ben, state="claimed", slot=2)

    def read():
        pages = [as_user(ben).get(url(name, 7)) for name in ("problem", "problem_brief")]
        assert [page.status_code for page in pages] == [200, 200]
        return ["Ana says it kills" in page.content.decode() for page in pages]

    assert read() == [False, False]
    page = as_user(ben).get(url("problem", 7)).content.decode()
    assert "Never do this." not in page
    assert "You judge this answer yourself" in page
    type(held).objects.filter(pk=held.pk).update(state="submitted")
    assert read() == [True, True]


def test_other_projects_see_and_touch_nothing(as_user, eve, problem):
    client = as_user(eve)
    row = escalated(problem, state="failed")
    for address in (
        url("problems"),
        url("problem", 7),
        reverse("problem", args=["elsewhere", 7]),
    ):
        assert client.get(address).status_code == 404
    assert (
        client.post(reverse("retry_escalation", args=["elsewhere", row.public_id])).status_code
        == 404
    )
    assert client.post(reverse("rename_problem", args=["elsewhere", 7])).status_code == 404
    row.refresh_from_db()
    assert row.state == "failed"


@pytest.mark.parametrize(
    "address",
    [
        ("move_problem", 7),
        ("rename_problem", 7),
        ("describe_problem", 7),
        ("merge_problem", 7),
        ("leave_problem", 7, uuid.uuid4()),
        ("file_ticket", 7, uuid.uuid4()),
        ("retry_notes", 7),
        ("retry_escalation", uuid.uuid4()),
    ],
)
def test_engineers_and_experts_look_on(as_user, dana, ana, problem, address):
    for person in (dana, ana):
        assert as_user(person).post(url(*address)).status_code == 403


def test_a_number_beyond_every_column_is_not_found(as_user, ben, problem):
    assert as_user(ben).get(url("problem", 10**30)).status_code == 404


# --- one problem ----------------------------------------------------------------------------------


def test_a_problem_shows_its_cases_with_what_is_wrong_and_what_was_said(as_user, ben, problem):
    schema = LabelSchemaFactory(project=problem.project)
    interaction = InteractionFactory(
        project=problem.project, output="You can deduct 60 cents.", external_id="chat/9"
    )
    settlement = SettlementFactory(
        interaction=interaction,
        schema=schema,
        spans=[{"field": "output", "start": 15, "end": 23, "quote": "60 cents", "label": "wrong"}],
    )
    ProblemMemberFactory(problem=problem, interaction=interaction, settlement=settlement)
    FeedbackEventFactory(interaction=interaction, comment="That was 2019.")
    page = as_user(ben).get(url("problem", 7)).content.decode()
    assert '<mark class="span span-1" title="Wrong">60 cents</mark>' in page
    assert "That was 2019." in page
    assert "commuting" in page  # the right answer, as a diff
    assert "Can I deduct my bicycle?" in page


@pytest.mark.parametrize("is_settled", [True, False])
def test_what_is_marked_in_a_source_or_a_message_stands_beside_the_case(
    as_user, ben, problem, is_settled
):
    interaction = given_sources(problem.project)
    marks = [
        {"field": "documents.4", "start": 0, "end": 8, "quote": "30 cents", "label": "wrong"},
        {"field": "messages.0", "start": 4, "end": 10, "quote": "<mine>", "label": "wrong"},
        {"field": "documents.9", "start": 0, "end": 3, "quote": "gone", "label": "wrong"},
    ]
    settlement = SettlementFactory(interaction=interaction, spans=marks) if is_settled else None
    ProblemMemberFactory(problem=problem, interaction=interaction, settlement=settlement)
    if not is_settled:
        item = ReviewItemFactory(queue__project=problem.project, interaction=interaction)
        annotation = AnnotationFactory(assignment__item=item)
        for mark in marks:
            annotation.spans.create(project=problem.project, **mark)
    (case,) = as_user(ben).get(url("problem", 7)).context["cases"]
    assert sorted((m.is_source, m.number, m.quote) for m in case.marks_elsewhere) == [
        (False, 1, "<mine>"),
        (True, 2, "30 cents"),
    ]
    page = " ".join(as_user(ben).get(url("problem", 7)).content.decode().split())
    assert 'in source 2:</span> <q dir="auto">30 cents</q>' in page
    assert 'in message 1:</span> <q dir="auto">&lt;mine&gt;</q>' in page
    type(interaction).objects.update(erased_at=timezone.now())
    (case,) = as_user(ben).get(url("problem", 7)).context["cases"]
    assert case.marks_elsewhere == []


def given_sources(project):
    interaction = InteractionFactory(
        project=project, messages=[{"role": "user", "content": "Can <mine> be deducted?"}]
    )
    for position, text in ((1, "Nothing."), (4, "30 cents it is.")):
        interaction.documents.create(
            project=project, position=position, document_id=f"d{position}", text=text
        )
    return interaction


def test_before_it_is_settled_the_experts_own_words_stand_there(as_user, ben, problem):
    member = ProblemMemberFactory(problem=problem)
    item = ReviewItemFactory(queue__project=problem.project, interaction=member.interaction)
    AnnotationFactory(assignment__item=item, note="It quotes the wrong paragraph.")
    assert "It quotes the wrong paragraph." in as_user(ben).get(url("problem", 7)).content.decode()


def test_its_priority_is_explained(as_user, ben, problem):
    factors = as_user(ben).get(url("problem", 7)).context["factors"]
    assert [factor.name for factor in factors] == ["Severity", "Reach", "Frequency", "Recency"]


def test_cases_are_paged_by_key(as_user, ben, problem):
    made = ProblemMemberFactory.create_batch(12, problem=problem)
    client = as_user(ben)
    first = client.get(url("problem", 7)).context["page"]
    second = client.get(url("problem", 7), {"cursor": first.next_cursor}).context["page"]
    assert [*first.rows, *second.rows] == made[::-1]
    assert client.get(url("problem", 7), {"cursor": "forged"}).status_code == 200


def test_hostile_texts_of_a_case_are_text(as_user, ben, problem):
    interaction = InteractionFactory(
        project=problem.project,
        messages=[{"role": "user", "content": HOSTILE}],
        output=HOSTILE,
        external_id=HOSTILE,
    )
    settlement = SettlementFactory(
        interaction=interaction,
        chosen_answer__text=f"{HOSTILE} not",
        spans=[{"field": "output", "start": 0, "end": 4, "quote": "<img", "label": HOSTILE}],
    )
    ProblemMemberFactory(problem=problem, interaction=interaction, settlement=settlement)
    FeedbackEventFactory(interaction=interaction, comment=HOSTILE)
    row = escalated(problem, key="TAX-1", failure=HOSTILE)
    Ticket.objects.update(url="javascript:alert(1)", key=HOSTILE[:60], status_name=HOSTILE)
    page = as_user(ben).get(url("problem", 7)).content.decode()
    assert "<img" not in page
    assert 'href="javascript:' not in page
    assert row.failure[:4] == "<img"


def test_an_erased_case_shows_nothing_of_it(as_user, ben, problem):
    interaction = InteractionFactory(
        project=problem.project, output="secret words", erased_at=timezone.now()
    )
    ProblemMemberFactory(problem=problem, interaction=interaction)
    page = as_user(ben).get(url("problem", 7)).content.decode()
    assert "secret words" not in page
    assert "Erased at its person" in page


def test_its_story_tells_what_happened_and_what_is_to_come(as_user, ben, problem):
    member = ProblemMemberFactory(problem=problem)
    FeedbackEventFactory(interaction=member.interaction)
    escalated(problem, key="TAX-220")
    client = as_user(ben)
    client.post(url("move_problem", 7), {"state": "fixing", "was": "open"})
    story = client.get(url("problem", 7)).context["timeline"]
    titles = {entry.title: entry for entry in story}
    assert {"Reported", "Opened", "Ticket TAX-220", "Fixing"} <= titles.keys()
    assert titles["Fixing"].who == "Ben"
    assert [entry.title for entry in story if entry.to_come] == [
        "A fix ships",
        "Its cases pass again",
        "Its reporters are told",
    ]


# --- what may be done to it -----------------------------------------------------------------------


def test_moving_goes_back_to_where_one_came_from(as_user, ben, problem):
    client = as_user(ben)
    move = {"state": "investigating", "was": "open"}
    answer = client.post(url("move_problem", 7) + "?severity=high", move | {"back": "board"})
    assert answer.url == url("problems") + "?severity=high"
    answer = client.post(url("move_problem", 7), {"state": "fixing", "was": "investigating"})
    assert answer.url == url("problem", 7)
    problem.refresh_from_db()
    assert problem.state == "fixing"


def test_a_dropped_card_is_answered_with_the_board(as_user, ben, problem):
    answer = as_user(ben).post(
        url("move_problem", 7), {"state": "fixing", "was": "open"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<div id="board"')
    assert numbers(answer, "fixing") == [7]


def test_a_drop_redraws_what_stands_above_the_board(as_user, ben, project, problem):
    ProblemFactory(project=project, number=8)
    fixing.record_fix(project=project, summary="Better now.", problems_fixed=[problem])
    answer = as_user(ben).post(
        url("move_problem", 7), {"state": "shipped", "was": "open"}, headers={"HX-Request": "true"}
    )
    section = answer.content.decode().partition('<section id="overview"')[2]
    assert 'hx-swap-oob="true"' in section.partition(">")[0]
    assert list(matrix_of(answer)) == [8]
    assert answer.context["figures"]["unsolved"] == 1


@pytest.mark.parametrize("is_dropped", [True, False])
def test_nothing_is_shipped_by_a_drag_its_fix_is_asked_for(
    as_user, ben, project, problem, is_dropped
):
    client, move = as_user(ben), {"state": "shipped", "was": "open"}
    headers = {"HX-Request": "true"} if is_dropped else {}
    answer = client.post(url("move_problem", 7), move, headers=headers)
    asked = url("record_fix") + "?problems=P7"
    assert (answer.headers["HX-Redirect"] if is_dropped else answer.url) == asked
    problem.refresh_from_db()
    assert problem.state == "open"
    fixing.record_fix(project=project, summary="Better now.", problems_fixed=[problem])
    Problem.objects.update(state="fixing")
    client.post(url("move_problem", 7), move | {"was": "fixing"}, headers=headers)
    problem.refresh_from_db()
    assert problem.state == "shipped"


def given_up(problem, state):
    escalated(problem, key="FBH-1")
    Ticket.objects.update(state=state)
    return Ticket.objects.get()


def test_a_ticket_that_was_given_up_asks_a_lead_who_agrees_or_opens_it_again(as_user, ben, problem):
    ticket, client = given_up(problem, "wont_fix"), as_user(ben)
    assert "agreed?" in client.get(url("problems")).content.decode()
    assert numbers(client.get(url("problems"), {"needs": "answer"}), "open") == [7]
    assert "FBH-1 was closed without a repair" in client.get(url("problem", 7)).content.decode()
    client.post(url("reopen_tickets", 7))
    note = TicketNote.objects.get(ticket=ticket)
    assert (note.kind, note.why) == ("reopened", "not_agreed")
    client.post(url("move_problem", 7), {"state": "wont_fix", "was": "open"})
    assert "without a repair" not in client.get(url("problem", 7)).content.decode()


def test_only_the_ticket_that_was_given_up_is_opened_again_and_once(as_user, ben, problem):
    ticket, client = given_up(problem, "wont_fix"), as_user(ben)
    escalated(problem, key="FBH-2")  # somebody works on that one
    client.post(url("reopen_tickets", 7))
    client.post(url("reopen_tickets", 7))
    assert [note.ticket for note in TicketNote.objects.all()] == [ticket]
    TicketNote.objects.update(state="sent", sent_at=timezone.now())
    Ticket.objects.update(state="open")
    client.post(url("reopen_tickets", 7))
    assert TicketNote.objects.count() == 1


def test_a_ticket_that_was_closed_as_a_duplicate_leads_to_the_merge(as_user, ben, ana, problem):
    given_up(problem, "duplicate")
    text = as_user(ben).get(url("problem", 7)).content.decode()
    assert 'href="#merge"' in text and '<details class="fold" id="merge" open>' in text


def test_a_stale_drop_is_refused_plainly_and_overwrites_nothing(as_user, ben, problem):
    Problem.objects.update(state="wont_fix")
    client = as_user(ben)
    stale = {"state": "fixing", "was": "open"}
    answer = client.post(url("move_problem", 7), stale, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "P7 is won't fix by now" in answer.headers["HX-Trigger"].replace("\\u0027", "'")
    assert client.post(url("move_problem", 7), stale).status_code == 302
    problem.refresh_from_db()
    assert problem.state == "wont_fix"


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_move_one_problem_at_once_one_is_told(project, ben, problem):
    start, outcomes = threading.Barrier(2), []

    def move(state):
        mine = Problem.objects.get(pk=problem.pk)
        start.wait()
        try:
            problems.move_problem_state(problem=mine, state=state, was="open")
            outcomes.append(state)
        except problems.MoveRefused:
            outcomes.append("refused")
        finally:
            databases.close_all()

    threads = [threading.Thread(target=move, args=[state]) for state in ("fixing", "wont_fix")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problem.refresh_from_db()
    assert sorted(outcomes) == sorted(["refused", problem.state])


@pytest.mark.parametrize("state", ["verified", "gone", "duplicate", ""])
def test_moves_that_need_more_than_a_click_are_refused(as_user, ben, problem, state):
    Problem.objects.update(state="shipped")
    as_user(ben).post(url("move_problem", 7), {"state": state, "was": "shipped"})
    problem.refresh_from_db()
    assert problem.state == "shipped"


def test_a_forged_former_state_is_no_server_error(as_user, ben, problem):
    answer = as_user(ben).post(url("move_problem", 7), {"state": "fixing", "was": "x"})
    assert answer.status_code == 302


def test_a_lead_renames_it_and_errors_keep_what_was_typed(as_user, ben, problem):
    client = as_user(ben)
    client.post(url("rename_problem", 7), {"title": "Rates of 2019", "summary": "An old guide."})
    problem.refresh_from_db()
    assert (problem.title, problem.summary) == ("Rates of 2019", "An old guide.")
    answer = client.post(url("rename_problem", 7), {"title": "", "summary": "Half a thought"})
    assert answer.status_code == 400
    assert "Half a thought" in answer.content.decode()


def test_a_lead_says_how_severe_it_is_whose_it_is_and_who_can_fix_it(as_user, ben, ana, problem):
    client = as_user(ben)
    for said in ({"severity": "critical"}, {"owner": ana.public_id}, {"fixable_by": "retrieval"}):
        client.post(url("describe_problem", 7), said)
    problem.refresh_from_db()
    assert (problem.severity, problem.owner, problem.fixable_by) == ("critical", ana, "retrieval")
    client.post(url("describe_problem", 7), {"owner": ""})
    problem.refresh_from_db()
    assert problem.owner is None


def test_a_stranger_cannot_be_made_its_owner(as_user, ben, eve, problem):
    answer = as_user(ben).post(url("describe_problem", 7), {"owner": eve.public_id})
    assert answer.status_code == 404


def test_a_duplicate_is_merged_and_a_bad_number_is_kept_in_the_form(as_user, ben, project, problem):
    into = ProblemFactory(project=project, number=9)
    member = ProblemMemberFactory(problem=problem)
    client = as_user(ben)
    answer = client.post(url("merge_problem", 7), {"into": "P44"})
    assert (answer.status_code, b"There is no P44 here." in answer.content) == (400, True)
    assert 'value="P44"' in answer.content.decode()
    assert client.post(url("merge_problem", 7), {"into": "P9"}).url == url("problem", 9)
    problem.refresh_from_db()
    assert (problem.state, problem.duplicate_of) == ("duplicate", into)
    assert into.members.get(left_at=None).interaction == member.interaction


def test_another_projects_problem_cannot_be_merged_into(as_user, ben, problem, other_project):
    ProblemFactory(project=other_project, number=99)
    assert as_user(ben).post(url("merge_problem", 7), {"into": "99"}).status_code == 400


def test_a_case_that_does_not_belong_leaves(as_user, ben, problem):
    member = ProblemMemberFactory(problem=problem)
    as_user(ben).post(url("leave_problem", 7, member.interaction.public_id))
    member.refresh_from_db()
    assert member.left_at


def test_a_ticket_is_filed_by_hand_and_a_failed_one_tried_again(as_user, ben, project, problem):
    connection = TrackerConnectionFactory(project=project)
    client = as_user(ben)
    client.post(url("file_ticket", 7, connection.public_id))
    row = Escalation.objects.get()
    assert (row.state, row.connection) == ("pending", connection)
    Escalation.objects.update(state="failed", failure="No.")
    client.post(url("retry_escalation", row.public_id))
    row.refresh_from_db()
    assert (row.state, row.failure) == ("pending", "")


def test_another_projects_connection_files_nothing(as_user, ben, problem, other_project):
    theirs = TrackerConnectionFactory(project=other_project)
    assert as_user(ben).post(url("file_ticket", 7, theirs.public_id)).status_code == 404
    assert not Escalation.objects.exists()


def test_news_that_a_ticket_was_not_told_can_be_told_again(as_user, ben, problem):
    ticket = escalated(problem, key="TAX-1").ticket
    note = TicketNote.objects.create(
        project=problem.project,
        ticket=ticket,
        kind="reopened",
        state="failed",
        failure="Jira refused the comment.",
        marker=uuid.uuid4(),
    )
    client = as_user(ben)
    assert "Jira refused the comment." in client.get(url("problem", 7)).content.decode()
    client.post(url("retry_notes", 7))
    note.refresh_from_db()
    assert note.state == "waiting"


# --- cost -----------------------------------------------------------------------------------------


def full_problem(project, number):
    """A problem with all that its card and its page look at."""
    problem = ProblemFactory(project=project, number=number)
    escalated(problem, key=f"TAX-{number}")
    escalated(problem, state="failed")
    return full_case(problem)


def full_case(problem):
    settlement = SettlementFactory(interaction__project=problem.project)
    ProblemMemberFactory(problem=problem, interaction=settlement.interaction, settlement=settlement)
    FeedbackEventFactory(interaction=settlement.interaction)
    item = ReviewItemFactory(queue__project=problem.project, interaction=settlement.interaction)
    AnnotationFactory(assignment__item=item)
    return problem


@pytest.mark.parametrize("query", ["", "?state=open"])
def test_the_board_costs_the_same_queries_with_one_problem_and_with_three(
    as_user, ben, project, query
):
    client = as_user(ben)
    counts = []
    for number in (1, 2, 3):
        full_problem(project, number)
        client.get(url("problems") + query)
        with CaptureQueriesContext(database) as queries:
            client.get(url("problems") + query)
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 20


def test_a_problem_costs_the_same_queries_with_one_case_and_with_three(as_user, ben, project):
    client, counts = as_user(ben), []
    problem = full_problem(project, 1)
    for _ in range(3):
        client.get(url("problem", 1))
        with CaptureQueriesContext(database) as queries:
            client.get(url("problem", 1))
        counts.append(len(queries))
        full_case(problem)
    assert counts[0] == counts[2] <= 35
