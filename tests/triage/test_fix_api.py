"""POST /api/v1/fixes and its replays, GET /api/v1/reports: what a deploy pipeline and the product's own page say and ask."""

import pytest
from django.urls import reverse

from feedbackhub.capture.erasure import person_hash
from feedbackhub.capture.models import PromptVersion
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from tests.triage.test_problem_pages import escalated
from triage import fixing, notices, problems, verification
from triage.models import Fix, Problem, Replay
from triage.reporter_link import token_for

URL = "/api/v1/fixes"


@pytest.fixture
def key(api):
    return api("triage")


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, number=7)


def send(key, body, url=URL):
    return key.post(url, body, content_type="application/json")


def fix_of(problem, **fields):
    return {"id": "deploy-7", "summary": "Current rates.", "problems": [problem.number], **fields}


def test_a_pipeline_records_what_shipped(key, problem):
    answer = send(key, fix_of(problem, carrier="index", version="r43"))
    assert answer.status_code == 201
    fix = Fix.objects.get()
    assert answer.json() | {"created_at": None, "shipped_at": None} == {
        "id": str(fix.public_id),
        "external_id": "deploy-7",
        "summary": "Current rates.",
        "carrier": "index",
        "version": "r43",
        "state": "shipped",
        "to_confirm": False,
        "ticket": "",
        "problems": [7],
        "created_at": None,
        "shipped_at": None,
        "verified_at": None,
        "recurred_at": None,
        "evidence": {},
    }
    problem.refresh_from_db()
    assert problem.state == "shipped"


@pytest.mark.parametrize("name", ["number", "word", "id", "ticket"])
def test_problems_are_named_in_any_way_people_name_them(key, problem, name):
    escalated(problem, key="TAX-220")
    named = {
        "number": {"problems": [7]},
        "word": {"problems": ["P7"]},
        "id": {"problems": [str(problem.public_id)]},
        "ticket": {"problems": [], "tickets": ["TAX-220"]},
    }[name]
    answer = send(key, fix_of(problem) | named)
    assert (answer.status_code, answer.json()["problems"]) == (201, [7])


def test_the_same_fix_twice_is_one_and_another_under_its_id_a_conflict(key, problem):
    send(key, fix_of(problem))
    again = send(key, fix_of(problem))
    other = send(key, fix_of(problem, summary="Something else."))
    assert (again.status_code, other.status_code, Fix.objects.count()) == (200, 409, 1)
    assert other.json()["current"]["summary"] == "Current rates."


def test_what_shipped_earlier_is_told_with_its_time(key, problem):
    answer = send(key, fix_of(problem, shipped_at="2026-11-01T08:00:00Z"))
    assert answer.json()["shipped_at"] == "2026-11-01T08:00:00Z"


def announce(key, **fields):
    body = {
        "name": "tax-help",
        "version": "v14",
        "rationale": "It named last year.",
        "problems": ["P7"],
        "summary": "The rates are current.",
    }
    return send(key, body | fields, "/api/v1/prompt-versions")


def test_a_new_prompt_version_that_names_problems_plans_their_fix(api, problem):
    assert announce(api("capture", "triage")).status_code == 201
    fix = Fix.objects.get()
    assert (fix.state, fix.carrier_version, list(fix.problems.all())) == (
        "planned",
        "v14",
        [problem],
    )
    assert fix.prompt_version.rationale.startswith("It named last year.\nAddresses P7: ")


def test_one_that_is_deployed_ships_it(api, problem):
    announce(api("capture", "triage"), deployed_at="2026-11-20T08:00:00Z")
    problem.refresh_from_db()
    assert (Fix.objects.get().state, problem.state) == ("shipped", "shipped")


def test_one_that_an_answer_named_already_is_filled_in_and_fixes(api, project, problem):
    PromptVersion.objects.create(project=project, name="tax-help", version="v14")
    assert announce(api("capture", "triage")).status_code == 200
    fix = Fix.objects.get()
    assert (fix.state, fix.prompt_version) == ("planned", PromptVersion.objects.get())
    assert fix.prompt_version.rationale.startswith("It named last year.\nAddresses P7: ")
    assert announce(api("capture", "triage")).status_code == 409
    assert announce(api("capture", "triage"), rationale="Another.").status_code == 409


def test_that_a_planned_one_is_deployed_by_now_may_be_said_later(api, problem):
    announce(api("capture", "triage"))
    later = announce(
        api("capture"), deployed_at="2026-11-20T08:00:00Z", problems=[], rationale="", summary=""
    )
    assert later.status_code == 200
    fixing.ship_deployed()
    fix = Fix.objects.get()
    assert (fix.state, fix.shipped_at.isoformat()) == ("shipped", "2026-11-20T08:00:00+00:00")
    other = announce(
        api("capture"), deployed_at="2026-11-21T08:00:00Z", problems=[], rationale="", summary=""
    )
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [({"problems": ["P7", "P99"]}, "problems"), ({"summary": " "}, "summary")],
)
def test_one_that_names_no_problem_or_says_nothing_is_not_entered(api, problem, change, field):
    answer = announce(api("capture", "triage"), **change)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Fix.objects.exists() and not PromptVersion.objects.exists()


def test_a_products_own_key_tells_no_reporter_anything(api, problem):
    assert announce(api("capture")).status_code == 403
    assert not PromptVersion.objects.exists()


def test_a_planned_fix_that_comes_again_as_shipped_ships(key, problem):
    send(key, fix_of(problem, state="planned"))
    problem.refresh_from_db()
    assert problem.state == "open"
    assert send(key, fix_of(problem)).json()["state"] == "shipped"
    problem.refresh_from_db()
    assert problem.state == "shipped"


def test_unknown_problems_are_named(key, problem, other_project):
    ProblemFactory(project=other_project, number=99)
    answer = send(key, fix_of(problem, problems=[7, 99], tickets=["TAX-1"]))
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "problems", "message": "There is no such problem or ticket: P99, TAX-1."}
    ]
    assert not Fix.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"summary": " "}, "summary"),
        ({"summary": 7}, "summary"),
        ({"shipped_at": "2999-01-01T00:00:00Z"}, "shipped_at"),
        ({"shipped_at": "2026-11-01T08:00:00"}, "shipped_at"),
        ({"shipped_at": 7}, "shipped_at"),
        ({"summary": "x" * 4_001}, "summary"),
        ({"problems": []}, "problems"),
        ({"problems": "P7"}, "problems"),
        ({"problems": [True]}, "problems[0]"),
        ({"problems": [2**40]}, "problems[0]"),
        ({"problems": ["P٧"]}, "problems[0]"),
        ({"problems": [None]}, "problems[0]"),
        ({"tickets": [7]}, "tickets[0]"),
        ({"carrier": "pigeon"}, "carrier"),
        ({"carrier": ["prompt"]}, "carrier"),
        ({"state": "verified"}, "state"),
        ({"id": "x" * 201}, "id"),
        ({"project": 1}, "project"),
    ],
)
def test_what_makes_no_fix_is_said_by_field(key, problem, change, field):
    answer = send(key, fix_of(problem) | change)
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Fix.objects.exists()


@pytest.mark.parametrize("body", [[], "fix", 7, None])
def test_a_fix_is_an_object(key, problem, body):
    assert send(key, body).status_code == 400


def test_a_key_needs_the_scope(api, problem):
    reader = api("read", "capture")
    assert send(reader, fix_of(problem)).status_code == 403
    assert send(reader, [], url=f"{URL}/x/replays").status_code == 403
    assert reader.get("/api/v1/reports", {"reporter": "u1"}).status_code == 403


def test_fixes_are_listed_newest_first_and_stay_in_their_project(key, problem, api, other_project):
    send(key, fix_of(problem))
    send(key, fix_of(problem, id="deploy-8"))
    assert [row["external_id"] for row in key.get(URL).json()["results"]] == [
        "deploy-8",
        "deploy-7",
    ]
    assert api("triage", project=other_project).get(URL).json()["results"] == []


# --- replays --------------------------------------------------------------------------------------


@pytest.fixture
def cases(project, problem):
    made = [InteractionFactory(project=project, external_id=f"chat/{n}") for n in (1, 2)]
    for interaction in made:
        ProblemMemberFactory(problem=problem, interaction=interaction)
    return made


def test_a_fix_is_verified_when_its_last_case_has_passed(key, problem, cases):
    send(key, fix_of(problem))
    replays = f"{URL}/{Fix.objects.get().public_id}/replays"
    first = send(key, [{"interaction_id": "chat/1", "passed": True}], url=replays).json()
    assert (first["state"], first["open_cases"], first["accepted"]) == ("shipped", ["chat/2"], 1)
    last = send(key, {"interaction_id": "chat/2", "passed": True}, url=replays).json()
    assert (last["state"], last["open_cases"]) == ("verified", [])
    assert Problem.objects.get().state == "verified"


def test_a_case_that_fails_keeps_it_open_and_its_newest_word_counts(key, problem, cases):
    send(key, fix_of(problem))
    replays = f"{URL}/deploy-7/replays"  # the pipeline knows its own id
    send(key, [{"interaction_id": c.external_id, "passed": False} for c in cases], url=replays)
    assert Fix.objects.get().state == "shipped"
    send(key, [{"interaction_id": c.external_id, "passed": True} for c in cases], url=replays)
    assert (Fix.objects.get().state, Replay.objects.count()) == ("verified", 2)


def test_replayed_answers_are_masked_before_they_are_kept(key, problem, cases):
    send(key, fix_of(problem))
    row = {"interaction_id": "chat/1", "passed": False, "output": "Write to ana@example.com."}
    send(key, [row], url=f"{URL}/deploy-7/replays")
    assert Replay.objects.get().output == "Write to [EMAIL]."


def test_a_bad_replay_keeps_none(key, problem, cases, other_project):
    send(key, fix_of(problem))
    InteractionFactory(project=other_project, external_id="chat/theirs")
    answer = send(
        key,
        [
            {"interaction_id": "chat/1", "passed": True},
            {"interaction_id": "chat/theirs", "passed": True},
        ],
        url=f"{URL}/deploy-7/replays",
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "[1].interaction_id"
    assert not Replay.objects.exists()


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], ""),
        ([7], "[0]"),
        ([{"passed": True}], "[0].interaction_id"),
        ([{"interaction_id": "chat/1"}], "[0].passed"),
        ([{"interaction_id": "chat/1", "passed": "yes"}], "[0].passed"),
        ([{"interaction_id": "chat/1", "passed": True, "score": 1}], "[0].score"),
        ([{"interaction_id": "chat/1", "passed": True, "output": 7}], "[0].output"),
    ],
)
def test_what_is_no_replay_is_said_by_row_and_field(key, problem, cases, rows, field):
    send(key, fix_of(problem))
    answer = send(key, rows, url=f"{URL}/deploy-7/replays")
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_another_projects_fix_is_not_found(key, problem, api, other_project):
    send(key, fix_of(problem))
    theirs = api("triage", project=other_project)
    for name in (Fix.objects.get().public_id, "deploy-7", "deploy/8"):
        row = [{"interaction_id": "chat/1", "passed": True}]
        assert send(theirs, row, url=f"{URL}/{name}/replays").status_code == 404


# --- reports --------------------------------------------------------------------------------------


def reported(project, ref, state=None, **fields):
    reporter = ReporterFactory(
        project=project, ref_hash=person_hash(project=project, reference=ref)
    )
    interaction = InteractionFactory(project=project)
    if state:
        ProblemMemberFactory(
            problem=ProblemFactory(project=project, state=state), interaction=interaction
        )
    return FeedbackEventFactory(interaction=interaction, reporter=reporter, **fields)


def test_a_reporter_learns_how_their_reports_stand_in_plain_words(key, project):
    theirs = reported(project, "u-1", "fixing")
    reported(project, "u-2", "open")
    (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    assert row["id"] == str(theirs.public_id)
    assert (row["state"], row["words"]) == ("fixing", "We are repairing it.")


def test_a_reporter_learns_what_was_done_and_has_the_link_of_their_page(key, project, client):
    theirs, others = reported(project, "u-1", "open"), reported(project, "u-2", "open")
    fix = fixing.record_fix(
        project=project,
        summary="The rates are current.",
        problems_fixed=[
            each.interaction.problem_members.get().problem for each in (theirs, others)
        ],
    )
    notices.prepare_notices(fix=fix)
    (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    assert (row["state"], row["what_was_done"]) == ("shipped", "The rates are current.")
    notice = fix.notices.get(reporter=theirs.reporter)
    for state in ("held", "pending", "sending"):  # nobody was told yet
        assert row["page"] == ""
        fix.notices.update(state=state)
        (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    fix.notices.update(state="sent")
    (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    assert row["page"].endswith(reverse("reporter_page", args=[token_for(notice)]))
    Fix.objects.update(recurred_at=fix.shipped_at)
    (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    assert (row["what_was_done"], row["page"]) == ("", "")


def test_only_who_was_replayed_hears_that_the_cases_were_checked(key, project, ben, client):
    """By the API and on the reporter's page; of two verified fixes the newest speaks."""
    report = reported(project, "u-1", "open")
    problem = report.interaction.problem_members.get().problem

    def said(fix):
        notices.prepare_notices(fix=fix)
        page = reverse("reporter_page", args=[token_for(fix.notices.get())])
        (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
        assert row["state"] == "verified"
        assert row["words"] in client.get(page).content.decode()
        return row["words"]

    fix = fixing.record_fix(project=project, summary="Current.", problems_fixed=[problem])
    verification.verify_by_hand(fix=fix, by=ben, reason="Seen in production.")
    assert said(fix) == "It is repaired, and one of us has confirmed it."
    problems.reopen_problem(problem=problem, why="still_wrong")
    again = fixing.record_fix(project=project, summary="Now.", problems_fixed=[problem])
    verification.record_results(fix=again, results=[verification.Result(report.interaction, True)])
    assert said(again) == "It is repaired, and we checked it on the cases that were reported."


def test_a_report_of_no_problem_was_received(key, project):
    reported(project, "u-1")
    (row,) = key.get("/api/v1/reports", {"reporter": "u-1"}).json()["results"]
    assert (row["state"], row["words"]) == ("received", "We received it.")


def test_praise_is_no_report_and_strangers_have_none(key, project, other_project):
    reported(project, "u-1", kind="thumbs_up")
    reported(other_project, "u-3", "open")
    for ref in ("u-1", "u-3", "nobody"):
        assert key.get("/api/v1/reports", {"reporter": ref}).json()["results"] == []


@pytest.mark.parametrize("query", [{}, {"reporter": ""}, {"reporter": "a\0"}, {"who": "u-1"}])
def test_a_reporter_must_be_named(key, query):
    assert key.get("/api/v1/reports", query).status_code == 400
