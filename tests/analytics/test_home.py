"""What to do next, for each role; and what the palette finds."""

from datetime import timedelta

import pytest
from django.contrib.postgres.search import SearchVector
from django.db.models import Value
from django.urls import reverse
from django.utils import timezone

from annotation import exporting, gold, pausing
from feedbackhub.accounts.api_keys import create_api_key
from feedbackhub.accounts.models import ApiKey, Membership
from feedbackhub.analytics import next_steps
from feedbackhub.capture.models import InteractionText
from tests.annotation.desk import claim, judge, queue_with
from tests.annotation.test_calibration import known_cases
from tests.factories import (
    InteractionFactory,
    ProblemFactory,
    ReviewItemFactory,
    SettlementFactory,
    TrackerConnectionFactory,
)
from tests.pages import assert_same_queries
from triage.models import Escalation, Ticket


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def lines(as_user, user):
    """{verb: count} of every line on somebody's home."""
    parts = as_user(user).get(url("project_home")).context["parts"]
    return {step.verb: step.count for part in parts for step in part.steps}


def test_an_expert_sees_what_waits_what_came_back_and_what_they_did(as_user, ana, ben, project):
    from annotation import lead_decisions

    queue, _items = queue_with(project, items=4)
    judge(ana, queue)
    back = claim(ana, queue)
    lead_decisions.return_assignment(assignment=back, by=ben, reason="Look at the source.")
    assert lines(as_user, ana) == {"Look again": "1", "Review": "2", "See yours": "1"}


def test_a_lead_sees_disputes_gold_problems_tickets_and_escalations(as_user, ben, project):
    ReviewItemFactory(queue__project=project, state="disputed")
    SettlementFactory(interaction__project=project)
    SettlementFactory(interaction__project=project, chosen_answer=None)
    ProblemFactory(project=project, due_at=timezone.now() - timedelta(hours=1))
    ProblemFactory(project=project, due_at=timezone.now() + timedelta(hours=1))
    ticketed = ProblemFactory(project=project)
    connection = TrackerConnectionFactory(project=project)
    escalation = Escalation.objects.create(
        project=project,
        problem=ticketed,
        connection=connection,
        marker="7f1c1f2e-0000-4000-8000-000000000001",
        state="filed",
    )
    Ticket.objects.create(
        project=project,
        escalation=escalation,
        connection=connection,
        remote_id="1",
        key="TAX-1",
        state="done",
    )
    Escalation.objects.create(
        project=project,
        problem=ProblemFactory(project=project),
        connection=connection,
        marker="7f1c1f2e-0000-4000-8000-000000000002",
        state="failed",
    )
    assert lines(as_user, ben) == {
        "Help": "1",
        "Repair": "1",
        "Settle": "1",
        "Record the fix": "1",
        "Approve": "1",
    }


def test_a_lead_sees_what_should_have_been_judged_by_now(as_user, ben, project):
    past = timezone.now() - timedelta(hours=1)
    ReviewItemFactory(queue__project=project, due_at=past)
    ReviewItemFactory(queue__project=project, due_at=past, purpose="repeat")
    ReviewItemFactory(queue__project=project, due_at=past + timedelta(hours=2))
    page = as_user(ben).get("/p/tax-help/").content.decode()
    assert "answer should have been judged by now" in page
    assert "?state=overdue" in page


def test_an_engineer_sees_fresh_gold_the_last_version_and_exports(as_user, dana, ben, project):
    for _ in range(2):
        gold.promote_to_gold(settlement=SettlementFactory(interaction__project=project), by=ben)
    version = gold.freeze_gold_version(project=project)
    run = exporting.request_export(
        version=version,
        format="eval",
        splits=["train", "validation", "holdout"],
        is_left_to_a_worker=False,
    )
    exporting.make_export(export_id=run.pk)
    gold.promote_to_gold(settlement=SettlementFactory(interaction__project=project), by=ben)
    assert lines(as_user, dana) == {"Freeze": "1", "Export": "v1", "Download": "2"}


def test_an_owner_sees_missing_trackers_unused_keys_and_paused_connections(as_user, olu, project):
    assert lines(as_user, olu) == {"Connect": "0", "Make a key": "0"}
    create_api_key(project=project, name="new", scopes=["read"])
    create_api_key(project=project, name="old", scopes=["read"])
    ApiKey.objects.filter(name="old").update(created_at=timezone.now() - timedelta(days=30))
    TrackerConnectionFactory(project=project, paused_reason="Its token was refused.")
    assert lines(as_user, olu) == {"Repair": "1", "Revoke": "1"}


def test_several_roles_see_a_part_for_each(as_user, ana, project):
    Membership.objects.filter(user=ana).update(roles=["engineer", "expert", "owner"])
    parts = as_user(ana).get(url("project_home")).context["parts"]
    assert [part.role for part in parts] == ["expert", "engineer", "owner"]


def test_what_happens_elsewhere_is_nobodys_work_here(as_user, ana, ben, olu, other_project):
    queue_with(other_project, items=2)
    SettlementFactory(interaction__project=other_project)
    ProblemFactory(project=other_project, due_at=timezone.now() - timedelta(hours=1))
    TrackerConnectionFactory(project=other_project, paused_reason="refused")
    create_api_key(project=other_project, name="theirs", scopes=["read"])
    assert (lines(as_user, ana), lines(as_user, ben)) == ({}, {})
    assert lines(as_user, olu) == {"Connect": "0", "Make a key": "0"}


def test_counts_stop_early(as_user, ben, project, monkeypatch):
    monkeypatch.setattr(next_steps, "SOME", 2)
    for _ in range(3):
        SettlementFactory(interaction__project=project)
    assert lines(as_user, ben)["Approve"] == "2+"


def test_an_empty_project_says_how_to_send_the_first_interaction(as_user, olu, project, settings):
    settings.BASE_URL = "https://hub.example.com"
    text = as_user(olu).get(url("project_home")).content.decode()
    assert "curl https://hub.example.com/api/v1/interactions" in text
    InteractionFactory(project=project)
    assert "curl" not in as_user(olu).get(url("project_home")).content.decode()


def test_what_the_empty_project_says_to_send_is_accepted(api, project):
    import re

    from feedbackhub.analytics.views import FIRST_INTERACTION

    said = FIRST_INTERACTION.format(base="")
    for path, body in re.findall(r"curl (\S+).*?-d '(.*?)'", said, re.S):
        answer = api("capture").post(path, body, content_type="application/json")
        assert answer.status_code == 201, answer.content


def test_a_home_costs_the_same_queries_with_one_case_and_with_three(as_user, ben, project):
    def grow(number):
        for _ in range(number):
            SettlementFactory(interaction__project=project)
            ReviewItemFactory(queue__project=project, state="disputed")

    assert_same_queries(as_user(ben), url("project_home"), grow)


# --- the palette ----------------------------------------------------------------------------------


def found(as_user, user, words):
    groups = as_user(user).get(url("palette"), {"q": words}).json()["groups"]
    return {group["label"]: group["entries"] for group in groups}


def test_the_palette_finds_an_interaction_by_its_id_or_by_words(as_user, ben, project):
    interaction = InteractionFactory(project=project, external_id="chat/2026/11")
    InteractionText.objects.create(
        project=project,
        interaction=interaction,
        search=SearchVector(Value("can i deduct my bicycle"), config="simple"),
    )
    entry = {
        "label": "Can I deduct my bicycle?",
        "url": url("interaction", interaction.public_id),
        "hint": "chat/2026/11",
    }
    for words in ("chat/2026/11", "bicycle deduct"):
        assert found(as_user, ben, words) == {"Interactions": [entry]}


@pytest.mark.parametrize("words", ["41", "P41", "#41", "misread"])
def test_the_palette_finds_a_problem_by_number_or_title(words, as_user, ben, project):
    ProblemFactory(project=project, number=41, title="Dates are misread")
    ProblemFactory(project=project, number=7, title="Other")
    (entry,) = found(as_user, ben, words)["Problems"]
    assert (entry["label"], entry["hint"]) == ("Dates are misread", "P41 · Open")


def test_the_palette_goes_to_settings_that_one_may_see(as_user, ben, ana, project):
    assert [entry["url"] for entry in found(as_user, ben, "rules")["Pages"]] == [
        url("settings_rules")
    ]
    assert found(as_user, ana, "rules") == {}


def test_the_palette_finds_nothing_of_another_project_and_nothing_for_an_expert_to_browse(
    as_user, ben, ana, project, other_project
):
    InteractionFactory(project=other_project, external_id="theirs")
    ProblemFactory(project=other_project, number=41, title="theirs")
    InteractionFactory(project=project, external_id="ours")
    assert found(as_user, ben, "theirs") == found(as_user, ben, "41") == {}
    assert found(as_user, ana, "ours") == {}


@pytest.mark.parametrize("words", ["", " ", "\0", "' OR 1=1 --", "x" * 5000, "%", "٣", "9" * 30])
def test_the_palette_answers_whatever_is_typed(words, as_user, ben, project):
    ProblemFactory(project=project, number=41, title="Dates")
    assert found(as_user, ben, words) == {}


def test_who_is_below_the_bar_or_paused_reads_it_and_the_lead_sees_how_many(
    as_user, project, ana, ben
):
    known_cases(project, ben, 5)
    queue, _ = queue_with(project, items=0, name="Tax", onboarding_count=5)
    for _ in range(5):
        judge(ana, queue, "partly")
    pausing.pause_expert(queue=queue, user=ana, by=ben, reason="Let us talk.")
    home = f"/p/{project.slug}/"
    anas = as_user(ana).get(home).content.decode()
    assert "of the last 5 known cases in Tax judged as they are settled; 70 % are asked for" in anas
    assert "A lead paused your work in Tax. Let us talk." in anas
    assert "expert is below the bar on known cases" in as_user(ben).get(home).content.decode()
