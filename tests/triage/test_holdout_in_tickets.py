"""Rule 6 where a problem leaves the house: no ticket, comment or file ever holds a right answer of the holdout.

Everything that goes out is read at the one door, whichever tracker it goes to; a training case's answer proves that it would show.
"""

import json

import pytest
from django.utils import timezone

from annotation.models import Split
from feedbackhub import outbound
from feedbackhub.capture import near_duplicates
from tests.factories import (
    AnnotationFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
)
from tests.triage.fake_github import FakeGitHub
from tests.triage.trackers.test_doubles import Double
from triage import brief, connections, escalation, problems, ticket_notes
from triage.models import TicketNote

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

RENT = "Which of the forms do I need for rent that comes in from abroad this year{}"
CASES = {
    "holdout": RENT.format("?"),
    "twin": RENT.format(" then?"),
    "training": "What is the bicycle worth that my employer lets me use?",
    "unplaced": "And the car?",
}
FILES = {"jira": "addAttachment", "linear": "fileUpload"}


def right(name):
    return f"The settled answer of the {name} case, word for word."


@pytest.fixture(scope="module")
def running():
    started = {name: Double(f"{name}.py") for name in FILES}
    yield started
    for double in started.values():
        double.stop()


@pytest.fixture
def sent(monkeypatch):
    """Every body that leaves the house, as text."""
    bodies, request = [], outbound.request

    def through_the_door(method, url, **options):
        content = options.get("content") or b""
        bodies.append(json.dumps(options.get("json"), ensure_ascii=False) + content.decode())
        return request(method, url, **options)

    monkeypatch.setattr(outbound, "request", through_the_door)
    return bodies


@pytest.fixture
def connection(name, project, running, settings, request):
    if name == "github":
        github = FakeGitHub(request.getfixturevalue("httpserver"))
        settings.OUTBOUND_ALLOWED_HOSTS = [github.host]
        config = {"repository": "acme/support", "base_url": github.base_url}
        secrets = {"api_token": "ghp_token-that-must-not-leak"}
    else:
        double = running[name]
        double.admin("reset", {})
        settings.OUTBOUND_ALLOWED_HOSTS = [double.host]
        config, secrets = {
            "jira": (
                {"base_url": double.url, "project_key": "FBH", "issue_type": "Bug",
                 "email": "bot@feedbackhub.test"},
                {"api_token": "jira-api-token"},
            ),
            "linear": (
                {"base_url": f"{double.url}/graphql", "team": "FBH"},
                {"api_key": "lin_api_double"},
            ),
        }[name]  # fmt: skip
    return connections.create_connection(
        project=project, name=name, tracker=name, config=config, secrets=secrets
    )


def settled(problem, name, *, severity):
    """A case whose right answer an expert's note and its reporter quote as well."""
    row = InteractionFactory(
        project=problem.project, messages=[{"role": "user", "content": CASES[name]}]
    )
    if name != "unplaced":
        near_duplicates.place(row)
    settlement = SettlementFactory(interaction=row, chosen_answer__text=right(name))
    AnnotationFactory(
        assignment__item=settlement.item,
        note=f"Wrong: {right(name).upper()}",
        final_at=timezone.now(),
    )
    FeedbackEventFactory(interaction=row, comment=f"You told me before:\n{right(name)}")
    ProblemMemberFactory(problem=problem, interaction=row, settlement=settlement, severity=severity)
    return row


@pytest.fixture
def worst():
    """The case that the ticket's own text shows."""
    return "holdout"


@pytest.fixture
def problem(project, splits, worst):
    problem = ProblemFactory(project=project, number=7, severity="critical")
    for name in CASES:
        row = settled(problem, name, severity="critical" if name == worst else "low")
        if name == "holdout":
            splits[row.signature.group.key] = Split.HOLDOUT
    return problem


def say_all():
    TicketNote.objects.filter(state="waiting").update(due_at=timezone.now())
    for note in TicketNote.objects.filter(state="waiting"):
        ticket_notes.send_note(note=note)
    assert not TicketNote.objects.exclude(state="sent").exists()


def everything_is_said(problem, connection):
    """Filed, with its brief; more cases; open again."""
    escalation.pursue(escalation=escalation.open_escalation(problem=problem, connection=connection))
    say_all()
    problems.join_problem(
        problem=problem, interaction=InteractionFactory(project=problem.project), source="expert"
    )
    ticket_notes.note_reopened(problem=problem, why="still_wrong", since=timezone.now())
    say_all()


@pytest.mark.parametrize("worst", CASES)
@pytest.mark.parametrize("name", ["jira", "linear", "github"])
def test_nothing_of_the_holdout_is_told_to_a_tracker(name, worst, problem, connection, sent):
    everything_is_said(problem, connection)
    out = "\n".join(sent).casefold()
    assert CASES["holdout"].casefold() in out  # the failing question is what is to be repaired
    told = [each for each in CASES if right(each).casefold() in out]
    assert told == ["training"]


@pytest.mark.parametrize("name", ["jira", "linear"])
def test_nor_where_the_brief_must_be_a_comment(name, problem, connection, sent, running):
    running[name].fault({"do": "status", "status": 403, "times": 9}, FILES[name])
    everything_is_said(problem, connection)
    out = "\n".join(sent).casefold()
    assert [each for each in CASES if right(each).casefold() in out] == ["training"]


def test_nor_in_the_brief_that_a_person_copies(problem, ben):
    for membership in (None, ben.membership_set.get()):
        text = brief.brief(problem, membership, None).casefold()
        assert [each for each in CASES if right(each).casefold() in text] == ["training"]
