"""The schema says of each call what it really takes and gives."""

import pytest
import yaml
from django.core.management import call_command

from annotation import exporting, gold
from tests.factories import (
    AnnotationFactory,
    InteractionFactory,
    ProblemFactory,
    SettlementFactory,
)
from triage import fixing

EVERY_SCOPE = ("capture", "read", "review", "export", "triage")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "schema.yaml"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True)
    return yaml.safe_load(file.read_text())["paths"]


@pytest.fixture
def one_of_each(project, ben):
    """At least one row on each list."""
    settlement = SettlementFactory(interaction=InteractionFactory(project=project))
    AnnotationFactory(assignment__item__queue__project=project)
    gold.promote_to_gold(settlement=settlement, by=ben)
    version = gold.freeze_gold_version(project=project, by=ben)
    exporting.request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    fixing.record_fix(
        project=project, summary="Repaired.", problems_fixed=[ProblemFactory(project=project)]
    )


def resolved(schema):
    return schema["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    "name",
    [
        "interactions",
        "review-items",
        "annotations",
        "settlements",
        "gold",
        "gold-versions",
        "exports",
        "fixes",
    ],
)
def test_a_row_of_a_list_has_the_fields_that_the_schema_says(paths, one_of_each, api, name):
    said = resolved(paths[f"/api/v1/{name}"]["get"]["responses"]["200"])["properties"]["results"][
        "items"
    ]
    rows = api(*EVERY_SCOPE).get(f"/api/v1/{name}").json()["results"]
    assert rows
    for row in rows:
        assert set(row) == set(said["properties"])
        assert set(said["required"]) == set(row)


def test_a_report_and_a_prompt_version_have_the_fields_that_the_schema_says(paths, project, api):
    client = api(*EVERY_SCOPE)
    client.post(
        "/api/v1/feedback",
        {"interaction_id": "chat-1", "kind": "thumbs_down", "reporter": {"ref": "ada"}},
        content_type="application/json",
    )
    client.post(
        "/api/v1/prompt-versions", {"name": "tax", "version": "1"}, content_type="application/json"
    )
    for name, query in (("reports", "?reporter=ada"), ("prompt-versions", "")):
        said = resolved(paths[f"/api/v1/{name}"]["get"]["responses"]["200"])
        (row,) = client.get(f"/api/v1/{name}{query}").json()["results"]
        assert set(row) == set(said["properties"]["results"]["items"]["properties"])


def test_a_list_names_its_filters_and_how_it_is_paged(paths):
    given = {each["name"]: each for each in paths["/api/v1/interactions"]["get"]["parameters"]}
    assert {"cursor", "limit", "model", "feature"} <= set(given)
    assert given["limit"]["schema"]["maximum"] == 200


def test_every_call_that_takes_a_body_says_which(paths):
    without = [
        path
        for path, calls in paths.items()
        if "post" in calls and "requestBody" not in calls["post"]
    ]
    assert without == []


def test_every_call_says_what_it_gives(paths):
    for path, calls in paths.items():
        for method, call in calls.items():
            assert any(code.startswith("2") for code in call["responses"]), (method, path)


def test_every_call_asks_for_a_key(paths):
    for calls in paths.values():
        for call in calls.values():
            assert {"apiKey": []} in call["security"]
