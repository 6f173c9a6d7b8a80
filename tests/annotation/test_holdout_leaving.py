"""The holdout leaves when somebody asks for it by name, and each time counts as a use, as a run of the gate does."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation import exporting
from annotation.evaluation import runs
from annotation.export_preview import sample_row
from annotation.exports import FORMATS
from annotation.models import ExportRun, GoldExample
from tests.annotation.evaluation.candidate import answers, evaluate
from tests.annotation.exports.house import frozen_house, made

TO_TEST_WITH = sorted(name for name, found in FORMATS.items() if not found.is_training)
ASKED = {"version": 1, "format": "eval", "splits": ["holdout", "train"]}


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
def version(project, ben):
    return frozen_house(project, ben)


@pytest.mark.parametrize("format", TO_TEST_WITH)
def test_unasked_no_format_holds_it_and_nothing_is_counted(version, format):
    """Nor what became holdout since the version was frozen, under the split that it had."""
    GoldExample.objects.filter(pk=GoldExample.objects.earliest("id").pk).update(split="holdout")
    run = made(version, format)
    told = run.manifest
    assert (told["filter"]["splits"], told["cases"]) == (
        ["train", "validation"],
        0 if format == "raw_annotations" else 2,  # nobody judged these
    )
    assert {"split_not_asked_for": 1, "holdout_since": 1}.items() <= told["left_out"].items()
    assert runs.holdout_used(version) == 0


def test_an_export_of_it_is_a_use_with_who_and_when(version, project, dana):
    run = exporting.request_export(version=version, format="eval", splits=["holdout"], by=dana)
    assert runs.holdout_used(version) == 1
    assert (run.requested_by, run.created_at is not None) == (dana, True)
    made(version, "csv", splits=["train"])
    assert runs.holdout_used(version) == 1
    exporting.cancel_export(run=run)
    assert runs.holdout_used(version) == 0  # nobody was given a file of it


def test_runs_of_the_gate_and_exports_use_up_the_same_holdout(version, project):
    runs.change_rules(project=project, holdout_uses=2)
    made(version, "inspect", splits=["holdout"])
    held_out = answers(version)[-1:]
    evaluate(version, split="holdout", results=held_out)
    with pytest.raises(runs.HoldoutWornOut):
        evaluate(version, split="holdout", results=held_out)
    with pytest.raises(runs.HoldoutWornOut):
        exporting.request_export(version=version, format="eval", splits=["holdout"])
    assert ExportRun.objects.count() == 1


def test_a_worn_out_holdout_is_refused_wherever_it_is_asked_for(
    version, project, api, as_user, dana
):
    runs.change_rules(project=project, holdout_uses=0)
    answer = api("export").post("/api/v1/exports", ASKED, content_type="application/json")
    assert answer.status_code == 409
    page = reverse("exports", args=[project.slug])
    answer = as_user(dana).post(f"{page}?format=eval", {"version": 1, "splits": ASKED["splits"]})
    assert answer.status_code == 400
    assert "as often as this project allows" in answer.content.decode()
    with pytest.raises(CommandError, match="as often as this project allows"):
        call_command("export", "--project", project.slug, "--format=eval", "--split=holdout")
    assert not ExportRun.objects.exists()


def test_the_page_ticks_every_split_but_the_holdout_and_says_what_it_costs(
    version, project, as_user, dana
):
    page = reverse("exports", args=[project.slug])
    shown = as_user(dana).get(f"{page}?format=promptfoo").context["splits"]
    assert [(each["value"], each["is_chosen"]) for each in shown] == [
        ("train", True),
        ("validation", True),
        ("holdout", False),
    ]
    assert "counts as a use" in shown[-1]["hint"]


def test_no_sample_row_is_of_the_holdout(version):
    GoldExample.objects.update(split="holdout")
    assert sample_row(version, FORMATS["eval"]) is None


def test_gold_over_the_api_gives_the_holdout_when_asked_and_never_its_answers(version, api):
    def read(query=""):
        return api("export").get(f"/api/v1/gold{query}").json()["results"]

    for rows in (read(), read("?version=1")):
        assert [row["split"] for row in rows] == ["train"] * 3
        assert all(row["ideal_answer"] and row["rejected_answers"] for row in rows)
    for query in ("?split=holdout", "?version=1&split=holdout"):
        (row,) = read(query)
        assert row["messages"]
        assert (row["ideal_answer"], row["rejected_answers"]) == (None, [])
