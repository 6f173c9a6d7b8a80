"""A preview that counts the whole version, by a worker."""

import json
import time

import pytest

from annotation import export_counts, export_preview, export_reading
from annotation.exports.reasons import in_words
from annotation.models import ExportRun
from tests.annotation.exports.house import frozen_house, made

ASKED = {"format": "trl_dpo", "splits": ["train"], "options": {"min_severity": "low"}}
PAGE = "/p/tax-help/exports/"


@pytest.fixture
def version(project, ben, monkeypatch):
    """Four cases, of which a preview looks at two and a batch holds one."""
    monkeypatch.setattr(export_preview, "MOST", 2)
    monkeypatch.setattr(export_reading, "BATCH", 1)
    return frozen_house(project, ben)


@pytest.fixture
def count(version, django_capture_on_commit_callbacks):
    def count(**asked_for):
        with django_capture_on_commit_callbacks(execute=True):
            name = export_counts.count_all(version=version, **(ASKED | asked_for))
        return export_counts.look(project=version.project_id, name=name)

    return count


def test_a_whole_count_is_what_the_export_then_holds(version, count):
    assert not export_preview.preview_export(version=version, **ASKED)["is_whole"]
    found = count()
    assert (found["state"], found["preview"]["is_whole"]) == ("done", True)
    assert not ExportRun.objects.exists()
    run = made(version, ASKED["format"], splits=ASKED["splits"], options=ASKED["options"])
    for name in ("rows", "cases", "rows_by_split", "left_out", "filter"):
        assert found["preview"][name] == run.manifest[name], name


def test_a_count_says_how_far_it_is(version, count, monkeypatch):
    said = []
    monkeypatch.setattr(export_counts, "_say", lambda *_about, done, of: said.append((done, of)))
    count()
    assert said == [(0, 4), (1, 3), (2, 3), (3, 3)]


def test_the_same_question_is_counted_once_until_somebody_is_erased(version, count, monkeypatch):
    rung = []
    monkeypatch.setattr(export_counts, "ring", lambda _task, **ids: rung.append(ids["name"]))
    first, again, other = count(), count(), count(splits=["validation"])
    assert first["done"] == again["done"] == other["done"] == 0
    assert len(rung) == len(set(rung)) == 2
    version.project.erasure_epoch += 1
    version.project.save()
    count()
    assert len(set(rung)) == 3


def test_a_count_whose_worker_died_is_lost_and_begins_anew(version, count, monkeypatch):
    rung = []
    monkeypatch.setattr(export_counts, "ring", lambda _task, **ids: rung.append(ids["name"]))
    count()
    later = time.time() + export_counts.SILENT + 1
    monkeypatch.setattr(export_counts.time, "time", lambda: later)
    assert not export_counts.look(project=version.project_id, name=rung[0])["is_lost"], "it waits"
    export_counts._say(version.project_id, rung[0], done=1, of=3)
    later += export_counts.SILENT + 1
    assert export_counts.look(project=version.project_id, name=rung[0])["is_lost"]
    assert not count()["is_lost"]
    assert len(rung) == 2


# --- the page -------------------------------------------------------------------------------------


def start(client, **changes):
    asked = {"version": 1, "format": "trl_dpo", "filter": json.dumps({"splits": ["train"]})}
    return client.post(f"{PAGE}count/", asked | changes)


def test_count_all_on_the_page_leads_to_the_whole_count(
    version, as_user, dana, django_capture_on_commit_callbacks
):
    client = as_user(dana)
    asked = {"version": 1, "splits": ["train"], "preview": "yes"}
    page = client.post(f"{PAGE}?format=trl_dpo", asked)
    assert "Counted of the first 2 of 3 cases." in page.content.decode()
    filter = page.context["preview"]["filter_text"]
    with django_capture_on_commit_callbacks(execute=True):
        found = start(client, filter=filter)
    page = client.get(found.url)
    preview = page.context["counting"]["preview"]
    assert (preview["rows"], preview["is_whole"]) == (3, True)
    assert preview["left_out"] == in_words({"holdout": 1})
    assert "Count all" not in page.content.decode()


def test_the_page_asks_for_itself_while_a_worker_counts(version, as_user, dana):
    client = as_user(dana)
    found = start(client)  # nothing is committed here: no worker hears of it
    page = client.get(found.url).content.decode()
    name = found.url.split("count=")[1].split("#")[0]
    assert f'hx-get="{PAGE}count/{name}/"' in page
    assert "0 of 4 cases" in page
    part = client.get(f"{PAGE}count/{name}/", headers={"hx-request": "true"})
    assert part.content.decode().count("<section") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"filter": "{"},
        {"filter": "[]"},
        {"filter": '{"splits": ["holdout"]}'},
        {"filter": '{"splits": 5}'},
        {"filter": '{"splits": [{}]}'},
        {"filter": '{"path": "x"}'},
        {"format": "exe"},
        {"version": "x"},
    ],
    ids=str,
)
def test_what_no_export_may_ask_for_is_refused(version, as_user, dana, changes):
    assert start(as_user(dana), **changes).status_code == 400


def test_a_count_is_the_projects_own(version, as_user, dana, eve, other_project, count):
    found = start(as_user(dana))
    name = found.url.split("count=")[1].split("#")[0]
    assert export_counts.look(project=other_project.pk, name=name) is None
    for unknown in ("0" * 32, "x:1"):
        assert as_user(dana).get(f"{PAGE}count/{unknown}/").url == PAGE
        asked = as_user(dana).get(f"{PAGE}count/{unknown}/", headers={"HX-Request": "true"})
        assert "The worker stopped counting" in asked.content.decode()
        assert "hx-get" not in asked.content.decode().split('id="preview"')[1]
    assert as_user(eve).get(f"{PAGE}count/{name}/").status_code == 404
    assert start(as_user(eve)).status_code == 404
    assert start(as_user(dana), version=99).status_code == 404


def test_experts_do_not_count_exports(version, as_user, ana):
    assert start(as_user(ana)).status_code == 403
