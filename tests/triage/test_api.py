"""GET /api/v1/problems: what hurts, for programs."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory
from triage import escalation
from triage.models import Escalation, Ticket

pytestmark = pytest.mark.django_db

URL = "/api/v1/problems"


@pytest.fixture
def key(api):
    return api("triage")


def numbers(response):
    return [row["number"] for row in response.json()["results"]]


def test_problems_come_with_what_hurts_most_first(key, project, ben):
    for number, weight in ((1, 3.0), (2, 9.5), (3, 3.0)):
        ProblemFactory(project=project, number=number, priority=weight, owner=ben)
    response = key.get(URL)
    assert (response.status_code, numbers(response)) == (200, [2, 3, 1])
    row = response.json()["results"][0]
    assert row["url"] == "http://testserver/p/tax-help/problems/2/"
    assert (row["owner"], row["tickets"], row["asks_what_shipped"]) == (
        str(ben.public_id),
        [],
        False,
    )


def test_a_problem_shows_its_tickets_and_what_keeps_them_back(key, project, connect, jira):
    problem = ProblemFactory(project=project)
    filed = escalation.open_escalation(problem=problem, connection=connect(project, "Jira"))
    escalation.pursue(escalation=filed)
    late = escalation.open_escalation(problem=problem, connection=connect(project, "Late"))
    Escalation.objects.filter(pk=late.pk).update(
        created_at=timezone.now() - timezone.timedelta(hours=1)
    )
    Ticket.objects.update(state="done")
    row = key.get(URL).json()["results"][0]
    assert row["asks_what_shipped"] is True
    assert row["tickets"] == [
        {
            "connection": "Jira", "tracker": "jira", "escalation": "filed", "needs_a_person": False,
            "failure": "", "key": "FBH-1", "url": f"{jira.base_url}/browse/FBH-1", "state": "done",
            "status_name": "",
        },
        {
            "connection": "Late", "tracker": "jira", "escalation": "pending", "needs_a_person": True,
            "failure": "", "key": "", "url": "", "state": "", "status_name": "",
        },
    ]  # fmt: skip


def test_filters_are_any_of_their_values(key, project):
    ProblemFactory(project=project, number=1, state="open", severity="high", category="outdated")
    ProblemFactory(project=project, number=2, state="fixing", severity="low")
    ProblemFactory(project=project, number=3, state="shipped", severity="high")
    assert numbers(key.get(URL, {"state": ["open", "fixing"]})) == [2, 1]
    assert numbers(key.get(URL, {"severity": "high", "state": "shipped"})) == [3]
    assert numbers(key.get(URL, {"category": "outdated"})) == [1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "sad"}, "state"),
        ({"project": "1"}, "project"),
        ({"owner__password__startswith": "p"}, "owner__password__startswith"),
        ({"_connector": "OR"}, "_connector"),
        ({"category": "a\0b"}, "category"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "١٢"}, "limit"),
        ({"cursor": "made-up"}, "cursor"),
    ],
)
def test_what_is_no_filter_of_ours_is_400_and_named(key, project, query, field):
    response = key.get(URL, query)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response.json()["errors"][0]["field"] == field


def test_pages_follow_one_another_without_gap_or_overlap(key, project):
    for number in range(1, 8):
        ProblemFactory(project=project, number=number, priority=number % 3)
    seen, cursor = [], None
    while True:
        page = key.get(URL, {"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        seen += [row["number"] for row in page["results"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 7
    assert sorted(seen) == list(range(1, 8))


def test_one_problem_comes_with_its_arithmetic_and_cases(key, project):
    problem = ProblemFactory(project=project, summary="Why it hurts")
    ProblemMemberFactory(problem=problem, severity="low")
    worst = InteractionFactory(
        project=project, external_id="chat/worst", trace_url="https://t.test/1"
    )
    ProblemMemberFactory(problem=problem, interaction=worst, severity="critical")
    ProblemMemberFactory(problem=problem, left_at=timezone.now())
    answer = key.get(f"{URL}/{problem.public_id}").json()
    assert [factor["name"] for factor in answer["arithmetic"]] == [
        "Severity", "Reach", "Frequency", "Recency",
    ]  # fmt: skip
    assert len(answer["cases"]) == 2
    assert answer["cases"][0]["interaction_id"] == "chat/worst"
    assert answer["cases"][0]["trace_url"] == "https://t.test/1"
    assert answer["summary"] == "Why it hurts"


def test_nothing_of_another_project_is_seen(api, project, other_project):
    problem = ProblemFactory(project=other_project)
    mine = api("triage")
    assert numbers(mine.get(URL)) == []
    assert mine.get(f"{URL}/{problem.public_id}").status_code == 404


def test_only_a_key_with_the_scope_may_look(api, client, project):
    problem = ProblemFactory(project=project)
    for url in (URL, f"{URL}/{problem.public_id}"):
        assert client.get(url).status_code == 401
        assert api("capture", "read", "review", "export").get(url).status_code == 403
        assert api("admin").get(url).status_code == 200
        assert api("triage").post(url, {}, content_type="application/json").status_code == 405


def test_three_problems_cost_the_queries_of_one(key, project, connect, ben):
    jira = connect(project)

    def add():
        problem = ProblemFactory(project=project, owner=ben)
        duty = escalation.open_escalation(problem=problem, connection=jira)
        escalation.pursue(escalation=duty)

    def cost():
        with CaptureQueriesContext(
            database,
        ) as queries:
            assert key.get(URL).status_code == 200
        return len(queries)

    add()
    key.get(URL)
    one = cost()
    add()
    add()
    assert cost() == one
