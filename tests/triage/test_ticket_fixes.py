"""What shipped, as a ticket says it: a fix to be confirmed, once, by a person; nobody is told before."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from feedbackhub.outbox.delivery import deliver_due
from feedbackhub.outbox.models import OutboxEvent
from feedbackhub.outbox.sweeping import sweep
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from tests.triage.fake_jira import DONE, TO_DO, happened, paragraphs, refused
from tests.triage.test_webhooks import work
from triage import escalation, fixing, problems, ticket_fixes, ticket_state
from triage.models import Fix, Notice, Problem, Ticket, TicketFix, TicketNote
from triage.ticket_fixes import Told, read_told

WORDS = "The exemption for 2026 is now the current one."


@pytest.fixture
def problem(project):
    problem = ProblemFactory(project=project, number=7, severity="critical")
    interaction = InteractionFactory(project=project)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=ReporterFactory(project=project))
    return problem


@pytest.fixture
def ticket(problem, connection, jira):
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    TicketNote.objects.all().delete()
    return Ticket.objects.get()


@pytest.fixture
def closed(ticket, jira):
    """Done over there, and not looked at yet."""
    jira.move(ticket.remote_id, DONE)
    return ticket


def look(ticket):
    Ticket.objects.filter(pk=ticket.pk).update(look_at=timezone.now())
    return ticket_state.look_at_ticket(ticket=ticket)


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def confirmation(**changes):
    return {
        "summary": WORDS,
        "problems": "P7",
        "carrier": "prompt",
        "carrier_version": "support v14",
        "state": "shipped",
    } | changes


# --- what a comment says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        (f"Fix: {WORDS}", Told(WORDS)),
        (f"\n  fix :{WORDS}\n", Told(WORDS)),
        (f"**Fix:** {WORDS}", Told(WORDS)),
        (f"Fix:\n{WORDS}", Told(WORDS)),
        (f"Fix: {WORDS}\nVersion: prompt=support@v14", Told(WORDS, "prompt", "support v14")),
        (f"Fix: {WORDS}\n\nVersion: INDEX = tax-2026@11", Told(WORDS, "index", "tax-2026@11")),
        (f"Fix: {WORDS}\nversion: v14\nVersion: model=m2", Told(WORDS, "prompt", "v14")),
        (f"Fix: {WORDS}\n\nPR 12 by Ford, do not tell", Told(WORDS)),
        (
            f"Fix: {WORDS}\n  For all. \nVersion: v14\nnot this",
            Told(f"{WORDS} For all.", "prompt", "v14"),
        ),
        ("Fix: a\u202eb\x07c\ud800", Told("abc\ufffd")),
        ("Fix:", None),
        ("Fix:\nVersion: prompt=v14", None),
        (f"We should say Fix: {WORDS}", None),
        (f"> Fix: {WORDS}", None),
        (f"Done.\nFix: {WORDS}", None),
        (f"Fixed: {WORDS}", None),
        (f"Prefix: {WORDS}", None),
        ("", None),
    ],
    ids=range(18),
)
def test_a_comment_says_what_shipped_when_it_begins_with_fix(comment, told):
    assert read_told(comment) == told


def test_what_a_comment_says_is_cut_to_a_paragraph():
    assert len(read_told("Fix: " + "x" * 9_000).summary) == ticket_fixes.LONGEST_SUMMARY


# --- recorded -------------------------------------------------------------------------------------


def test_a_ticket_closed_as_done_records_what_it_says_shipped(closed, jira, problem):
    jira.say(closed.remote_id, "What is the state?")
    said = jira.say(closed.remote_id, f"Fix: {WORDS}\nVersion: prompt=support@v14")
    jira.say(closed.remote_id, "Thanks!")
    look(closed)
    fix = Fix.objects.get()
    assert (fix.summary, fix.state, fix.to_confirm) == (WORDS, "planned", True)
    assert (fix.carrier, fix.carrier_version, fix.recorded_by) == ("prompt", "support v14", None)
    assert list(fix.problems.all()) == [problem]
    told = fix.told_by
    assert (told.state, told.key, told.comment_id, told.said_by) == (
        "waiting",
        "FBH-1",
        said["id"],
        "Ford Prefect",
    )


def test_the_webhook_that_closes_it_has_its_comments_read(ticket, jira, post):
    jira.move(ticket.remote_id, DONE)
    jira.say(ticket.remote_id, f"Fix: {WORDS}")
    for delivery in ("d-1", "d-1", "d-2"):  # twice the same, and once more by another id
        post(happened(), delivery=delivery)
        work()
        sweep()
    assert Fix.objects.count() == TicketFix.objects.count() == 1


def test_what_is_said_after_it_was_closed_is_read_when_the_webhook_tells(closed, jira, post):
    look(closed)
    assert not Fix.objects.exists()
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    event = happened(event="comment_created") | {"comment": {"body": "Fix: x", "author": {}}}
    post(event, delivery="d-9")
    work()
    sweep()
    assert Fix.objects.get().summary == WORDS


def test_nobody_is_told_and_nothing_moves_by_a_ticket_alone(closed, jira, problem):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    fix = look(closed) and Fix.objects.get()
    fixing.ship_fix(fix=fix)
    fixing.revert_fix(fix=fix)
    fixing.ship_deployed()
    deliver_due()
    sweep()
    problem.refresh_from_db()
    assert (problem.state, Fix.objects.get().state) == ("fixing", "planned")
    assert not Notice.objects.exists()
    assert not OutboxEvent.objects.filter(kind="fix_shipped").exists()


@pytest.mark.parametrize("state", ["shipped", "verified", "reverted"])
def test_the_database_ships_nothing_that_is_not_confirmed(closed, jira, state):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    with pytest.raises(IntegrityError, match="fix_confirmed_first"), transaction.atomic():
        Fix.objects.update(state="shipped" if state == "verified" else state)


def test_a_version_that_is_deployed_already_ships_nothing_by_itself(closed, jira, project):
    from feedbackhub.capture.models import PromptVersion

    PromptVersion.objects.create(
        project=project, name="support", version="v14", deployed_at=timezone.now()
    )
    jira.say(closed.remote_id, f"Fix: {WORDS}\nVersion: prompt=support@v14")
    look(closed)
    sweep()
    fix = Fix.objects.get()
    assert (fix.state, fix.prompt_version, PromptVersion.objects.get().rationale) == (
        "planned",
        None,
        "",
    )


def test_a_ticket_that_is_not_done_records_nothing(ticket, jira):
    jira.say(ticket.remote_id, f"Fix: {WORDS}")
    look(ticket)
    assert not Fix.objects.exists()


def test_a_ticket_whose_problem_is_solved_records_nothing(closed, jira):
    Problem.objects.update(state="shipped")
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    assert not Fix.objects.exists()


def test_only_their_people_count(closed, jira, problem):
    """A customer of the portal does not, and neither does what FeedbackHub says itself, whatever it quotes."""
    jira.say(closed.remote_id, "Fix: I paid for this", account_type="customer")
    note = TicketNote.objects.create(
        project=problem.project,
        ticket=closed,
        kind="adopted",
        marker="0f5a4e7c-3a35-4f1c-9a52-16b2f1d7a001",
    )
    jira.say(closed.remote_id, f"Fix: by ourselves\nFeedbackHub fbh-{note.marker}")
    jira.issue(closed.remote_id)["comments"][-1]["id"] = "1"
    jira.say(closed.remote_id, "Fix: by ourselves")["id"] = str(note.marker)
    look(closed)
    assert not Fix.objects.exists()


def test_a_persons_data_in_it_is_masked_before_it_is_stored(closed, jira):
    jira.say(closed.remote_id, "Fix: marvin@example.org gets the new rate.")
    look(closed)
    assert "marvin" not in Fix.objects.get().summary


def test_comments_that_cannot_be_read_are_read_later(closed, jira, monkeypatch):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    answer = jira._of_issue

    def fails(issue, part, *rest):
        return refused(503) if part == "/comment" else answer(issue, part, *rest)

    monkeypatch.setattr(jira, "_of_issue", fails)
    seen = look(closed)
    assert (seen.state, Fix.objects.count()) == ("done", 0)
    assert seen.look_at < timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(jira, "_of_issue", answer)
    look(closed)
    assert Fix.objects.count() == 1


# --- edited, taken away ---------------------------------------------------------------------------


def test_an_edited_comment_changes_what_waits(closed, jira):
    comment = jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    comment["body"]["content"] = paragraphs("Fix: Better words.\nVersion: model=m3")
    look(closed)
    fix = Fix.objects.get()
    assert (fix.summary, fix.carrier, fix.carrier_version) == ("Better words.", "model", "m3")
    assert TicketFix.objects.count() == 1


def test_the_newest_such_comment_counts(closed, jira):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    newer = jira.say(closed.remote_id, "Fix: Better words.")
    look(closed)
    assert (Fix.objects.get().summary, TicketFix.objects.get().comment_id) == (
        "Better words.",
        newer["id"],
    )


@pytest.mark.parametrize("how", ["deleted", "edited away"])
def test_a_comment_that_is_gone_is_not_asked_about(closed, jira, how):
    comment = jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    if how == "deleted":
        jira.issue(closed.remote_id)["comments"].remove(comment)
    else:
        comment["body"]["content"] = paragraphs("Not yet, sorry.")
    look(closed)
    assert Fix.objects.count() == TicketFix.objects.count() == 0


def test_a_comment_that_many_newer_ones_hide_is_still_asked_about(closed, jira):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    for number in range(20):
        jira.say(closed.remote_id, f"chatter {number}")
    look(closed)
    assert Fix.objects.get().summary == WORDS


def test_a_ticket_opened_again_takes_it_back_and_closed_again_asks_anew(closed, jira):
    jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    jira.move(closed.remote_id, TO_DO)
    look(closed)
    assert not Fix.objects.exists()
    jira.move(closed.remote_id, DONE)
    look(closed)
    assert Fix.objects.get().summary == WORDS


# --- confirmed, edited, declined ------------------------------------------------------------------


@pytest.fixture
def told(closed, jira):
    jira.say(closed.remote_id, f"Fix: {WORDS}\nVersion: prompt=support@v14")
    look(closed)
    return Fix.objects.get()


def test_the_problem_asks_to_confirm_it_and_confirming_ships_what_was_seen(
    as_user, ben, told, problem, jira, closed
):
    page = as_user(ben).get(url("problem", 7))
    shown = page.content.decode()
    assert "From FBH-1: please confirm what shipped." in shown and "Ford Prefect" in shown
    assert "Its ticket is done. What shipped?" not in shown
    ((_told, form),) = page.context["told_fixes"]
    seen = {field.name: field.value() for field in form if field.value() is not None}
    # edited over there after the page was drawn: what was seen counts
    jira.issue(closed.remote_id)["comments"][-1]["body"]["content"] = paragraphs("Fix: Sneaky.")
    look(closed)
    answer = as_user(ben).post(url("confirm_fix", told.public_id), seen)
    assert answer.url == url("fix", told.public_id)
    told.refresh_from_db()
    problem.refresh_from_db()
    assert (told.summary, told.state, told.recorded_by) == (WORDS, "shipped", ben)
    assert (told.to_confirm, told.told_by.state, told.told_by.decided_by) == (
        False,
        "confirmed",
        ben,
    )
    assert problem.state == "shipped"
    deliver_due()
    assert Notice.objects.count() == 1


def test_confirmed_with_other_words_it_is_those_words(as_user, dana, told, project):
    other = ProblemFactory(project=project, number=8)
    form = as_user(dana).get(url("confirm_fix", told.public_id))
    assert WORDS in form.content.decode() and "FBH-1 says so." in form.content.decode()
    assert WORDS in form.context["mail"]["body"]
    as_user(dana).post(
        url("confirm_fix", told.public_id),
        confirmation(summary="The rate is right.", problems="P8", state="planned"),
    )
    told.refresh_from_db()
    assert (told.summary, told.state, told.to_confirm) == ("The rate is right.", "planned", False)
    assert list(told.problems.all()) == [other]


def test_a_confirmed_version_is_the_one_of_the_changelog(as_user, ben, told, project):
    from feedbackhub.capture.models import PromptVersion

    version = PromptVersion.objects.create(project=project, name="support", version="v14")
    as_user(ben).post(url("confirm_fix", told.public_id), confirmation())
    told.refresh_from_db()
    version.refresh_from_db()
    assert told.prompt_version == version and "Addresses P7" in version.rationale


def test_what_cannot_be_confirmed_is_said_and_what_was_typed_is_kept(as_user, ben, told):
    answer = as_user(ben).post(
        url("confirm_fix", told.public_id), confirmation(problems="P99", summary="kept words")
    )
    assert answer.status_code == 400 and "kept words" in answer.content.decode()
    assert Fix.objects.get().to_confirm


def test_declined_it_is_gone_and_not_asked_again_until_the_words_change(
    as_user, ben, told, jira, closed, problem
):
    answer = as_user(ben).post(url("decline_fix", told.public_id))
    assert answer.url == url("problem", 7)
    look(closed)
    assert not Fix.objects.exists()
    assert (TicketFix.objects.get().state, TicketFix.objects.get().decided_by) == ("declined", ben)
    assert "What shipped?" in as_user(ben).get(url("problem", 7)).content.decode()
    jira.issue(closed.remote_id)["comments"][-1]["body"]["content"] = paragraphs("Fix: Other.")
    look(closed)
    assert Fix.objects.get().summary == "Other."


def test_of_two_who_decide_one_counts(as_user, ben, dana, told):
    as_user(ben).post(url("confirm_fix", told.public_id), confirmation())
    as_user(dana).post(url("decline_fix", told.public_id))
    as_user(dana).post(url("confirm_fix", told.public_id), confirmation(summary="Too late."))
    told.refresh_from_db()
    assert (told.summary, told.state, told.told_by.state) == (WORDS, "shipped", "confirmed")
    with pytest.raises(fixing.FixRefused):
        fixing.confirm_fix(
            fix=told,
            summary="x",
            problems_fixed=list(told.problems.all()),
            carrier="prompt",
            by=ben,
        )


def test_another_fix_that_ships_first_answers_the_question(told, problem, closed):
    fixing.record_fix(project=problem.project, summary="Ours.", problems_fixed=[problem])
    assert list(Fix.objects.values_list("summary", flat=True)) == ["Ours."]
    assert TicketFix.objects.get().state == "declined"


def test_after_a_regression_the_words_of_the_last_fix_are_not_asked_again(
    as_user, ben, told, problem, closed, jira
):
    as_user(ben).post(url("confirm_fix", told.public_id), confirmation())
    Problem.objects.update(state="regressed")
    jira.say(closed.remote_id, "Fix: Now with the new table.")["created"] = (
        timezone.now() + timedelta(minutes=1)
    ).isoformat()
    look(closed)
    assert Fix.objects.filter(to_confirm=True).get().summary == "Now with the new table."


def test_what_was_said_before_a_fix_recorded_by_hand_is_about_that_one(problem, closed, jira):
    jira.say(closed.remote_id, f"Fix: {WORDS}")["created"] = (
        timezone.now() - timedelta(hours=1)
    ).isoformat()
    fixing.record_fix(project=problem.project, summary="Ours.", problems_fixed=[problem])
    Problem.objects.update(state="regressed")
    look(closed)
    assert not Fix.objects.filter(to_confirm=True).exists()


# --- where it is shown ----------------------------------------------------------------------------

HOSTILE = 'Fix: <script>alert(1)</script><img src=x onerror=y> {{7*7}} "><b>'


def test_hostile_words_are_text_everywhere(as_user, ben, closed, jira):
    jira.say(closed.remote_id, HOSTILE, by="<b>Zaphod</b>")
    look(closed)
    fix = Fix.objects.get()
    for page in (
        url("problem", 7),
        url("confirm_fix", fix.public_id),
        url("fix", fix.public_id),
        url("fixes"),
    ):
        shown = as_user(ben).get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown
        assert "<b>Zaphod" not in shown and "<img src=x" not in shown


def test_the_fixes_page_and_the_api_say_that_a_ticket_says_so(as_user, ben, told, api):
    assert "FBH-1 says so" in as_user(ben).get(url("fixes")).content.decode()
    (row,) = api("triage").get("/api/v1/fixes").json()["results"]
    assert (row["state"], row["to_confirm"], row["ticket"]) == ("planned", True, "FBH-1")


def test_who_may_not_record_fixes_sees_the_question_only(as_user, ana, ben, told, problem):
    shown = as_user(ana).get(url("problem", 7))
    assert WORDS not in shown.content.decode()
    assert as_user(ana).post(url("confirm_fix", told.public_id), confirmation()).status_code in (
        403,
        404,
    )
    assert Fix.objects.get().to_confirm


def test_its_cases_are_not_replayed_before_it_is_confirmed(told, problem, api):
    case = {"interaction_id": problem.members.get().interaction.external_id, "passed": True}
    answer = api("triage").post(
        f"/api/v1/fixes/{told.public_id}/replays", [case], content_type="application/json"
    )
    assert (answer.status_code, told.replays.count()) == (409, 0)


@pytest.mark.parametrize("is_said_first", [True, False])
def test_after_a_merge_it_is_asked_of_the_problem_that_it_was_all_along(
    closed, jira, problem, project, is_said_first
):
    into = ProblemFactory(project=project, number=8)
    if is_said_first:
        jira.say(closed.remote_id, f"Fix: {WORDS}")
        look(closed)
    problems.merge_problem(problem=problem, into=into)
    if not is_said_first:
        jira.say(closed.remote_id, f"Fix: {WORDS}")
    look(closed)
    assert [each.fix.summary for each in ticket_fixes.waiting_on(into)] == [WORDS]
    fixing.record_fix(project=project, summary="Ours.", problems_fixed=[into])
    assert TicketFix.objects.get().state == "declined"


def test_other_projects_see_nothing_of_it(as_user, eve, told):
    for act in ("confirm_fix", "decline_fix"):
        assert as_user(eve).post(url(act, told.public_id), confirmation()).status_code == 404
    assert Fix.objects.get().to_confirm


def test_a_gold_case_and_a_trail_show_no_fix_that_is_not_confirmed(told, problem):
    from feedbackhub.capture.trail import trail_of

    interaction = problem.members.get().interaction
    assert not [entry for entry in trail_of(interaction) if entry.kind == "fix"]
