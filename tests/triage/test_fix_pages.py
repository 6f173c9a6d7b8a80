"""The pages of fixes and of the outbox: recorded, verified, taken back; told, held, sent again."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedbackhub.capture.models import Reporter
from feedbackhub.capture.trail import trail_of
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from tests.triage.test_problem_pages import HOSTILE, escalated
from triage import fixing, notice_delivery, notices, verification
from triage.models import Fix, Notice, NoticePolicy, Undeliverable


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=7, title="Rates of last year")


def complaint(problem, **fields):
    """A case of the problem, and who complained about it."""
    reporter = ReporterFactory(project=problem.project, **fields)
    interaction = InteractionFactory(project=problem.project)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(interaction=interaction, reporter=reporter, comment="Old rates!")
    return interaction


def recorded(problem, **options):
    options = {"summary": "The rates are current."} | options
    return fixing.record_fix(project=problem.project, problems_fixed=[problem], **options)


def form(**changes):
    return {
        "summary": "The rates are current.",
        "problems": "P7",
        "tickets": "",
        "carrier": "prompt",
        "carrier_version": "v14",
        "state": "shipped",
    } | changes


# --- recording ------------------------------------------------------------------------------------


def test_an_engineer_records_what_shipped(as_user, dana, problem):
    answer = as_user(dana).post(url("record_fix"), form())
    fix = Fix.objects.get()
    assert answer.url == url("fix", fix.public_id)
    assert (fix.state, fix.carrier_version, fix.recorded_by) == ("shipped", "v14", dana)
    assert list(fix.problems.all()) == [problem]
    problem.refresh_from_db()
    assert problem.state == "shipped"


def test_problems_may_be_named_by_their_tickets(as_user, dana, problem):
    escalated(problem, key="TAX-220")
    as_user(dana).post(url("record_fix"), form(problems="", tickets="TAX-220"))
    assert list(Fix.objects.get().problems.all()) == [problem]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"summary": "  "}, "summary", "required"),
        ({"problems": ""}, "problems", "at least one"),
        ({"problems": "P7, P88", "tickets": "TAX-9"}, "problems", "P88, TAX-9"),
        ({"problems": "seven"}, "problems", "seven"),
        ({"problems": "P" + "9" * 30}, "problems", "no problem"),
        ({"carrier": "pigeon"}, "carrier", "pigeon"),
        ({"state": "verified"}, "state", "verified"),
    ],
)
def test_what_makes_no_fix_is_said_and_what_was_typed_is_kept(
    as_user, dana, problem, change, field, says
):
    answer = as_user(dana).post(url("record_fix"), form(carrier_version="kept v9") | change)
    assert answer.status_code == 400
    assert says in " ".join(answer.context["form"].errors[field])
    assert "kept v9" in answer.content.decode()
    assert not Fix.objects.exists()


def test_the_form_begins_with_the_problem_one_came_from(as_user, dana, problem):
    answer = as_user(dana).get(url("record_fix"), {"problems": "P7"})
    assert 'value="P7"' in answer.content.decode()


def test_the_mail_is_shown_as_a_reporter_will_read_it(as_user, dana, problem):
    complaint(problem)
    complaint(problem, has_consent=False)
    answer = as_user(dana).post(url("preview_mail"), form(summary="All rates are of this year."))
    mail = answer.context["mail"]
    assert mail["subject"] == "Tax help: what you reported is fixed"
    assert "All rates are of this year." in mail["body"]
    assert "“Old rates!”" in mail["body"]
    assert mail["people"] == 1
    assert "/r/" not in answer.content.decode()


def test_who_is_told_by_webhook_is_counted_and_whose_address_bounced_is_not(as_user, dana, problem):
    NoticePolicy.objects.create(
        project=problem.project, webhook_url="https://acme.test/told", webhook_secrets=b"x"
    )
    complaint(problem), complaint(problem, email=""), complaint(problem)
    bounced = problem.members.last().interaction.feedback.get().reporter
    Undeliverable.objects.create(
        project=problem.project,
        reporter=bounced,
        address_hash=notices.address_hash(bounced),
        why=Undeliverable.Why.BOUNCED,
    )
    answer = as_user(dana).post(url("preview_mail"), form())
    assert answer.context["mail"]["people"] == 2


@pytest.mark.parametrize("has_hook", [False, True])
def test_the_preview_counts_whom_the_notices_will_tell(as_user, dana, problem, has_hook):
    if has_hook:
        NoticePolicy.objects.create(project=problem.project, webhook_secrets=b"x")

    def preview():
        with CaptureQueriesContext(database) as queries:
            answer = client.post(url("preview_mail"), form())
        return answer.context["mail"]["people"], len(queries)

    def bounce(address, now=None):
        reporter = complaint(problem, email=address).feedback.get().reporter
        Undeliverable.objects.create(
            project=problem.project,
            reporter=reporter,
            address_hash=notices.address_hash(reporter),
            why=Undeliverable.Why.BOUNCED,
        )
        Reporter.objects.filter(pk=reporter.pk).update(email=now or address)

    client = as_user(dana)
    complaint(problem), bounce("away@example.org"), preview()
    _people, asked = preview()
    gone = {"unsubscribed_at": timezone.now(), "has_consent": False}
    for fields in (
        {"email": "AWAY@example.org"},
        {"email": "enough@example.org", **gone},
        {"email": "Enough@example.org"},
        {"email": "", **gone},
        {"email": ""},
        {"email": "", "callback_url": "https://acme.test/told"},
        {"has_consent": False},
        {"erased_at": timezone.now()},
    ):
        complaint(problem, **fields)
    bounce("old@example.org", now="new@example.org")
    people, asked_for_more = preview()
    notices.prepare_notices(fix=recorded(problem))
    assert people == Notice.objects.filter(state="pending").count() == 2 + has_hook
    assert asked_for_more == asked


def test_without_a_script_the_preview_is_a_button_that_records_nothing(as_user, dana, problem):
    answer = as_user(dana).post(url("record_fix"), form(preview="1"))
    assert answer.status_code == 200
    assert "The rates are current." in answer.context["mail"]["body"]
    assert not Fix.objects.exists()


def test_a_preview_of_nonsense_is_no_server_error(as_user, dana, project):
    answer = as_user(dana).post(url("preview_mail"), {"summary": HOSTILE, "problems": "x; drop\0"})
    assert answer.status_code == 200
    assert "<img" not in answer.content.decode()


def test_who_only_judges_records_nothing(as_user, ana, problem):
    client = as_user(ana)
    for name in ("record_fix", "preview_mail"):
        assert client.post(url(name), form()).status_code == 403
    assert client.get(url("fixes")).status_code == 403


# --- one fix --------------------------------------------------------------------------------------


def test_a_fix_shows_its_problems_open_cases_replays_and_who_is_told(as_user, dana, problem):
    passed, waiting = complaint(problem), complaint(problem)
    fix = recorded(problem)
    notices.prepare_notices(fix=fix)
    verification.record_results(
        fix=fix, results=[verification.Result(passed, True, "Now it is right.")]
    )
    answer = as_user(dana).get(url("fix", fix.public_id))
    text = answer.content.decode()
    assert answer.context["open_cases"] == [waiting.external_id]
    assert answer.context["told"] == [("pending", 2)]
    for words in ("Rates of last year", "Now it is right.", passed.external_id):
        assert words in text


def test_a_lead_verifies_by_hand_with_a_reason(as_user, ben, problem):
    complaint(problem)
    fix = recorded(problem)
    client = as_user(ben)
    assert client.post(url("verify_fix", fix.public_id), {"reason": ""}).status_code == 400
    client.post(url("verify_fix", fix.public_id), {"reason": "Seen with ten customers."})
    fix.refresh_from_db()
    assert (fix.state, fix.evidence["reason"]) == ("verified", "Seen with ten customers.")
    assert "Seen with ten customers." in client.get(url("fix", fix.public_id)).content.decode()


def test_an_engineer_may_not_call_it_verified(as_user, dana, problem):
    fix = recorded(problem)
    answer = as_user(dana).post(url("verify_fix", fix.public_id), {"reason": "Trust me."})
    assert answer.status_code == 403


def test_a_planned_fix_ships_and_one_that_was_taken_back_does_not(as_user, dana, problem):
    fix = recorded(problem, is_planned=True)
    client = as_user(dana)
    client.post(url("ship_fix", fix.public_id))
    fix.refresh_from_db()
    assert fix.state == "shipped"
    client.post(url("revert_fix", fix.public_id))
    client.post(url("ship_fix", fix.public_id))
    fix.refresh_from_db()
    problem.refresh_from_db()
    assert (fix.state, problem.state) == ("reverted", "regressed")


def test_a_planned_fix_is_not_verified(as_user, ben, problem):
    fix = recorded(problem, is_planned=True)
    as_user(ben).post(url("verify_fix", fix.public_id), {"reason": "Early."})
    fix.refresh_from_db()
    assert fix.state == "planned"


def test_another_projects_fix_is_not_found(as_user, eve, problem):
    fix = recorded(problem)
    client = as_user(eve)
    elsewhere = ["elsewhere", fix.public_id]
    assert client.get(reverse("fix", args=elsewhere)).status_code == 404
    for name in ("verify_fix", "ship_fix", "revert_fix"):
        assert client.post(reverse(name, args=elsewhere), {"reason": "x"}).status_code == 404
    assert client.get(url("fixes")).status_code == 404


def test_summaries_are_text(as_user, ben, problem):
    fix = recorded(problem, summary=HOSTILE, carrier_version=HOSTILE)
    client = as_user(ben)
    for address in (url("fixes"), url("fix", fix.public_id)):
        assert "<img" not in client.get(address).content.decode()


def test_fixes_are_filtered_and_paged(as_user, dana, project, problem):
    for _ in range(52):
        Fix.objects.create(project=project, summary="x", state="planned")
    recorded(problem, carrier="index")
    client = as_user(dana)
    first = client.get(url("fixes")).context["list"]
    second = client.get(url("fixes") + first.older_url).context["list"]
    assert (len(first.rows), len(second.rows)) == (50, 3)
    assert len(client.get(url("fixes"), {"carrier": "index"}).context["list"].rows) == 1
    assert client.get(url("fixes"), {"carrier": "pigeon"}).status_code == 400


def test_fixes_cost_the_same_queries_with_one_and_with_three(as_user, dana, problem):
    client, counts = as_user(dana), []
    complaint(problem)
    for _ in range(3):
        fix = recorded(problem)
        notices.prepare_notices(fix=fix)
        Notice.objects.filter(fix=fix).update(state="sending")
        Notice.objects.filter(fix=fix).update(state="sent", sent_at=timezone.now())
        client.get(url("fixes"))
        with CaptureQueriesContext(database) as queries:
            client.get(url("fixes"))
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 12


def test_a_fix_costs_the_same_queries_with_one_case_and_with_three(as_user, dana, problem):
    client, counts, fix = as_user(dana), [], None
    for _ in range(3):
        interaction = complaint(problem)
        fix = fix or recorded(problem)
        verification.record_results(fix=fix, results=[verification.Result(interaction, False)])
        client.get(url("fix", fix.public_id))
        with CaptureQueriesContext(database) as queries:
            client.get(url("fix", fix.public_id))
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 13


# --- the outbox -----------------------------------------------------------------------------------


@pytest.fixture
def notice(problem):
    complaint(problem, email="ana.berg@example.com")
    fix = recorded(problem)
    notices.prepare_notices(fix=fix)
    return fix.notices.get()


def put(notice, *states, **fields):
    for state in states:
        Notice.objects.filter(pk=notice.pk).update(state=state)
    Notice.objects.filter(pk=notice.pk).update(**fields)


def test_the_outbox_shows_what_was_sent_and_never_an_address(as_user, ben, notice):
    notice_delivery.deliver_notice(notice_id=notice.pk)
    text = as_user(ben).get(url("outbox")).content.decode()
    assert "Tax help: what you reported is fixed" in text
    assert "The rates are current." in text
    assert "a…@example.com" in text
    assert "ana.berg" not in text


def test_where_mail_is_sent_the_reporters_own_link_is_not_shown(as_user, ben, notice, settings):
    notice_delivery.deliver_notice(notice_id=notice.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    text = as_user(ben).get(url("outbox")).content.decode()
    assert "/r/…/" in text
    assert "No mail leaves this machine" not in text
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    text = as_user(ben).get(url("outbox")).content.decode()
    assert "No mail leaves this machine" in text
    assert 'href="http://testserver/r/' in text


def test_a_waiting_notice_is_held_and_released(as_user, ben, notice):
    client = as_user(ben)
    client.post(url("hold_notice", notice.public_id))
    notice.refresh_from_db()
    assert notice.state == "held"
    client.post(url("send_notice", notice.public_id))
    notice.refresh_from_db()
    assert notice.state == "pending"


def test_a_failed_one_is_sent_again(as_user, ben, notice):
    put(notice, "failed", failure="The mail server answered 550.")
    client = as_user(ben)
    assert "The mail server answered 550." in client.get(url("outbox")).content.decode()
    client.post(url("send_notice", notice.public_id))
    notice.refresh_from_db()
    assert (notice.state, notice.failure) == ("pending", "")


@pytest.mark.parametrize(
    ("act", "state"), [("mark_notice_sent", "sent"), ("send_notice", "pending")]
)
def test_a_person_decides_about_an_uncertain_one(as_user, ben, notice, act, state):
    put(notice, "sending", "uncertain")
    client = as_user(ben)
    assert "never sent again by itself" in client.get(url("outbox")).content.decode()
    client.post(url(act, notice.public_id))
    notice.refresh_from_db()
    assert notice.state == state


def test_what_was_sent_cannot_be_sent_again(as_user, ben, notice):
    put(notice, "sending", "sent")
    client = as_user(ben)
    for act in ("hold_notice", "send_notice", "mark_notice_sent"):
        assert client.post(url(act, notice.public_id)).status_code == 302
    notice.refresh_from_db()
    assert notice.state == "sent"


def test_only_leads_and_owners_of_the_project_release_notices(as_user, dana, ana, eve, notice):
    for person in (dana, ana):
        client = as_user(person)
        assert client.get(url("outbox")).status_code == 403
        assert client.post(url("hold_notice", notice.public_id)).status_code == 403
    client = as_user(eve)
    theirs = reverse("hold_notice", args=["elsewhere", notice.public_id])
    assert client.post(theirs).status_code == 404
    assert client.get(reverse("outbox", args=["elsewhere"])).context["list"].rows == []
    notice.refresh_from_db()
    assert notice.state == "pending"


def test_the_outbox_is_filtered_by_state_and_fix(as_user, ben, problem, notice):
    fix = recorded(problem)
    notices.prepare_notices(fix=fix)
    other = fix.notices.get()
    put(other, "held")
    client = as_user(ben)

    def shown(**query):
        return [row.pk for row in client.get(url("outbox"), query).context["list"]]

    assert shown() == [other.pk, notice.pk]
    assert shown(state="held") == [other.pk]
    assert shown(fix=str(notice.fix.public_id)) == [notice.pk]
    assert client.get(url("outbox"), {"reporter__email": "a"}).status_code == 400


def test_words_of_a_notice_are_text(as_user, ben, notice):
    put(notice, "sending", subject=HOSTILE, body=HOSTILE, failure=HOSTILE)
    assert "<img" not in as_user(ben).get(url("outbox")).content.decode()


def test_the_outbox_costs_the_same_queries_with_one_and_with_three(as_user, ben, problem):
    client, counts = as_user(ben), []
    complaint(problem)
    for _ in range(3):
        notices.prepare_notices(fix=recorded(problem))
        client.get(url("outbox"))
        with CaptureQueriesContext(database) as queries:
            client.get(url("outbox"))
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 8


# --- the trail of an interaction ------------------------------------------------------------------


def test_an_interactions_trail_tells_of_its_problem_ticket_fix_and_notice(problem):
    interaction = complaint(problem, email="ana.berg@example.com")
    escalated(problem, key="TAX-220")
    fix = recorded(problem)
    notices.prepare_notices(fix=fix)
    entries = trail_of(interaction)
    told = {entry.kind: entry for entry in entries}
    assert told["problem"].link == url("problem", 7)
    assert told["ticket"].title == "Ticket TAX-220"
    assert told["fix"].link == url("fix", fix.public_id)
    assert told["notice"].facts["state"] == "pending"
    assert "example.com" not in repr(entries)


def test_another_reporters_notice_is_not_in_the_trail(problem):
    mine = complaint(problem)
    complaint(problem)
    notices.prepare_notices(fix=recorded(problem))
    assert [entry.kind for entry in trail_of(mine)].count("notice") == 1


def test_an_answer_that_left_its_problem_keeps_only_that(problem):
    interaction = complaint(problem)
    recorded(problem)
    interaction.problem_members.update(left_at=timezone.now())
    kinds = [entry.kind for entry in trail_of(interaction)]
    assert (kinds.count("problem"), kinds.count("fix")) == (2, 0)


def test_the_fix_shows_the_rates_before_and_since(as_user, dana, problem):
    complaint(problem)
    fix = recorded(problem)
    answer = as_user(dana).get(url("fix", fix.public_id))
    (change,) = answer.context["changes"]
    assert (change.before.cases, change.before.answers) == (1, 1)
    assert "1 of 1" in answer.content.decode()
    assert "no answers since" in answer.content.decode()


def test_a_fix_that_was_verified_before_the_rate_could_tell_says_so(as_user, dana, problem):
    interaction = complaint(problem)
    fix = recorded(problem)
    verification.record_results(fix=fix, results=[verification.Result(interaction, True)])
    address = url("fix", fix.public_id)
    assert "when too few answers had come since" in as_user(dana).get(address).content.decode()
    shown = as_user(dana).get(url("problem", problem.number)).content.decode()
    assert "its 1 case passed again; too few answers since" in shown
    fix.refresh_from_db()
    fix.evidence["is_early"] = False
    fix.save(update_fields=["evidence"])
    assert "had come since" not in as_user(dana).get(address).content.decode()
