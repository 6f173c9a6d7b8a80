"""Items, annotations and settlements for programs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.annotation.desk import judge, queue_with
from tests.factories import InteractionFactory, SettlementFactory


def flag(client, **body):
    return client.post("/api/v1/review-items", body, content_type="application/json")


def test_flag_puts_an_interaction_into_a_queue_once(api, project):
    queue, _ = queue_with(project, items=0, slug="tax")
    InteractionFactory(project=project, external_id="chat/1")
    made = flag(api("review"), interaction_id="chat/1", queue="tax", reason="odd", priority=5)
    again = flag(api("review"), interaction_id="chat/1", queue="tax")
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    assert (made.json()["reason"], made.json()["priority"]) == ("odd", 5)
    assert queue.items.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "interaction_id"),
        ({"interaction_id": 7}, "interaction_id"),
        ({"interaction_id": "chat/1", "queue": "nowhere"}, "queue"),
        ({"interaction_id": "chat/1", "priority": 10**9}, "priority"),
        ({"interaction_id": "chat/1", "reason": "x" * 201}, "reason"),
        ({"interaction_id": "chat/1", "colour": "red"}, "colour"),
    ],
)
def test_flag_names_the_field_that_is_wrong(api, project, body, field):
    queue, _ = queue_with(project, items=0)
    InteractionFactory(project=project, external_id="chat/1")
    refused = flag(api("review"), **body)
    assert refused.status_code == 400
    assert field in [error["field"] for error in refused.json()["errors"]]
    assert queue.items.count() == 0


def test_flag_of_another_projects_interaction_is_not_found(api, project, other_project):
    queue_with(project, items=0)
    InteractionFactory(project=other_project, external_id="theirs")
    assert flag(api("review"), interaction_id="theirs").status_code == 404


@pytest.mark.parametrize("address", ["review-items", "annotations", "settlements"])
def test_lists_need_the_review_scope(api, project, address):
    assert api("capture").get(f"/api/v1/{address}").status_code == 403


def test_annotations_say_everything_an_expert_said(api, project, ana):
    queue, (item,) = queue_with(project)
    span = {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}
    judge(
        ana,
        queue,
        categories=["outdated"],
        spans=[span],
        correction="You cannot deduct it.",
        note="See 2026.",
    )
    (row,) = (
        api("review").get("/api/v1/annotations?verdict=wrong&category=outdated").json()["results"]
    )
    assert row["interaction_id"] == item.interaction.external_id
    assert row["correction"] == "You cannot deduct it."
    assert row["spans"] == [{**span, "note": ""}]
    assert (row["revision"], row["expert"]["name"], row["note"]) == (1, "Ana", "See 2026.")
    assert api("review").get("/api/v1/annotations?category=harmful").json()["results"] == []


def test_settlements_show_what_stands(api, project, other_project):
    settlement = SettlementFactory(interaction=InteractionFactory(project=project))
    SettlementFactory(interaction=InteractionFactory(project=other_project))
    (row,) = api("review").get("/api/v1/settlements").json()["results"]
    assert row["id"] == str(settlement.public_id)
    assert row["chosen_answer"] == settlement.chosen_answer.text


def test_items_can_be_filtered_and_only_by_known_names(api, project):
    _, (first, _second) = queue_with(project, items=2, slug="tax")
    client = api("review")
    found = client.get(f"/api/v1/review-items?interaction_id={first.interaction.external_id}")
    assert [row["id"] for row in found.json()["results"]] == [str(first.public_id)]
    assert client.get("/api/v1/review-items?queue__project__slug=x").status_code == 400


@pytest.mark.parametrize("address", ["review-items", "annotations", "settlements"])
def test_lists_cost_the_same_for_one_row_and_three(api, project, ana, address):
    queue, _ = queue_with(project, items=3)
    client, costs = api("review"), []
    client.get(f"/api/v1/{address}")  # the first use of a key is noted on it
    for rows in (1, 3):
        while ana.annotations.count() < rows:
            judge(ana, queue, correction="Another answer.")
        with CaptureQueriesContext(
            connection,
        ) as caught:
            results = client.get(f"/api/v1/{address}").json()["results"]
        costs.append(len(caught))
    assert len(results) == 3
    assert costs[0] == costs[1]
