"""Gold, versions and exports over the API."""

import json

import pytest

from annotation import gold
from annotation.models import ExportRun, GoldExample
from tests.factories import InteractionFactory, SettlementFactory


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


@pytest.fixture
def examples(project, ben):
    for n in range(3):
        interaction = InteractionFactory(
            project=project,
            external_id=f"chat/{n}",
            messages=[{"role": "user", "content": f"Question {n * 7919:o}?"}],
        )
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    GoldExample.objects.update(split="train")


def post(client, address, body):
    return client.post(f"/api/v1/{address}", body, content_type="application/json")


def test_freeze_export_watch_and_download(api, examples, django_capture_on_commit_callbacks):
    client = api("export")
    version = post(client, "gold-versions", {"tags": ["release-1"]})
    assert (version.status_code, version.json()["number"], version.json()["examples"]) == (
        201,
        1,
        3,
    )
    with django_capture_on_commit_callbacks(execute=True):
        started = post(client, "exports", {"version": 1, "format": "openai_sft"})
    assert started.status_code == 202
    address = f"/api/v1/exports/{started.json()['id']}"
    done = client.get(address).json()
    assert (done["state"], done["rows"]) == ("done", 3)
    assert client.get(f"{address}/manifest").json()["gold_version"] == 1
    file = client.get(f"{address}/file")
    rows = [json.loads(line) for line in b"".join(file).decode().split("\n")[:-1]]
    assert len(rows) == 3
    assert file.headers["Content-Disposition"] == (
        'attachment; filename="tax-help-gold-v1-openai_sft.jsonl"'
    )
    assert b'"chat/0"' in b"".join(client.get(f"{address}/file?part=provenance"))


def test_an_unfinished_export_cannot_be_downloaded(api, examples):
    client = api("export")
    post(client, "gold-versions", {})
    run = post(client, "exports", {"format": "eval"}).json()
    for part in ("file", "manifest"):
        assert client.get(f"/api/v1/exports/{run['id']}/{part}").status_code == 409


def test_a_run_can_be_cancelled(api, examples):
    client = api("export")
    post(client, "gold-versions", {})
    run = post(client, "exports", {"format": "eval"}).json()
    assert client.delete(f"/api/v1/exports/{run['id']}").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"format": "pickle"}, "format"),
        ({"format": "openai_sft", "splits": ["holdout"]}, "splits"),
        ({"format": "openai_sft", "version": 99}, "version"),
        ({"format": "openai_sft", "version": 10**15}, "version"),
        ({"format": "openai_sft", "version": "1"}, "version"),
        ({"format": "openai_sft", "splits": [1]}, "splits"),
        ({"format": "openai_sft", "path": "../x"}, "path"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_field(api, examples, body, field):
    client = api("export")
    post(client, "gold-versions", {})
    answer = post(client, "exports", body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not ExportRun.objects.exists()


def test_freezing_nothing_new_is_a_conflict(api, examples):
    client = api("export")
    post(client, "gold-versions", {})
    assert post(client, "gold-versions", {}).status_code == 409


def test_lineage_leads_back_to_the_callers_own_id(api, examples):
    client = api("export")
    first = client.get("/api/v1/gold").json()["results"][0]
    trail = client.get(f"/api/v1/gold/{first['id']}/lineage").json()
    assert trail["interaction"]["id"] == first["interaction_id"] == "chat/2"


def test_gold_is_paged_by_key(api, examples):
    client = api("export")
    first = client.get("/api/v1/gold?limit=2").json()
    second = client.get("/api/v1/gold", {"limit": 2, "cursor": first["next_cursor"]}).json()
    ids = [row["interaction_id"] for row in first["results"] + second["results"]]
    assert ids == ["chat/2", "chat/1", "chat/0"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "split=gold",
        "password=x",
        "limit=0",
        "limit=201",
        "cursor=forged",
        "approved_since=now",
        "_connector=OR",
    ],
)
def test_a_query_that_is_not_offered_is_refused(api, examples, query):
    assert api("export").get(f"/api/v1/gold?{query}").status_code == 400


def test_a_version_gives_out_nothing_that_moved_to_a_stricter_split_since(api, examples):
    client = api("export")
    post(client, "gold-versions", {})
    held_out, *rest = GoldExample.objects.order_by("pk")
    GoldExample.objects.filter(pk=held_out.pk).update(split="holdout")
    for query in ("version=1&split=train", "version=1"):
        found = client.get(f"/api/v1/gold?{query}").json()["results"]
        assert sorted(each["id"] for each in found) == sorted(str(each.public_id) for each in rest)
        assert {each["split"] for each in found} == {"train"}
    assert client.get("/api/v1/gold?version=1&split=holdout").json()["results"] == []


def test_another_projects_gold_is_not_there(api, examples, other_project):
    client = api("export", project=other_project)
    assert client.get("/api/v1/gold").json()["results"] == []
    theirs = GoldExample.objects.first()
    assert client.get(f"/api/v1/gold/{theirs.public_id}/lineage").status_code == 404


@pytest.mark.parametrize("address", ["gold", "gold-versions", "exports"])
def test_a_key_without_the_scope_is_refused(api, address):
    assert api("capture", "read").get(f"/api/v1/{address}").status_code == 403


@pytest.mark.parametrize("address", ["gold", "gold-versions", "exports"])
def test_a_list_costs_the_same_queries_with_one_row_and_with_three(
    address, api, examples, ben, project
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = api("export")

    def add():
        interaction = InteractionFactory(project=project)
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
        post(client, "gold-versions", {})
        post(client, "exports", {"format": "eval"})

    counts = []
    for rows in (1, 2):
        for _ in range(rows):
            add()
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/api/v1/{address}")
        counts.append(len(queries))
    assert counts[0] == counts[1]
