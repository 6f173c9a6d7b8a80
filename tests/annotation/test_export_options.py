"""Limits, filters and weights of an export; its preview; its links."""

import io
import json
import zipfile

import pgtrigger
import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from annotation import export_preview, exporting, gold
from annotation.export_downloads import signed_link
from annotation.exports import FORMATS
from annotation.exports.reasons import REASONS
from annotation.models import ExportRun, GoldExample, GoldRevision, GoldVersion, Settlement
from tests.annotation.exports.house import frozen_house, made
from tests.factories import SettlementFactory

FINE = {
    "max_characters": 10_000,
    "max_similarity": 1,
    "min_severity": "none",
    "min_agreement": 0,
    "weigh_by": ["severity", "agreement"],
}


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


@pytest.fixture
def first(version):
    """The revision of the first case, to be changed behind the version's back."""
    with pgtrigger.ignore("annotation.GoldRevision:goldrevision_content"):
        yield GoldRevision.objects.filter(example=GoldExample.objects.order_by("id").first())


def provenance(run):
    with default_storage.open(f"{run.file_name}/provenance.jsonl") as file:
        return [json.loads(line) for line in file.read().splitlines()]


@pytest.mark.parametrize(
    ("option", "value", "change", "reason"),
    [
        ("max_characters", 200, {"ideal_answer": "long " * 50}, "too_long"),
        ("max_characters", 200, {"rejected_answers": ["long " * 50]}, "too_long"),
        (
            "max_similarity",
            0.9,
            {"ideal_answer": "A long answer it is.", "rejected_answers": ["A long answer it is!"]},
            "too_similar",
        ),
        ("min_severity", "medium", {"labels": {"severity": "low"}}, "below_severity"),
    ],
)
def test_an_option_leaves_out_what_it_names(version, first, option, value, change, reason):
    first.update(**change)
    run = made(version, "trl_dpo", options={option: value})
    assert run.manifest["left_out"] == {"holdout": 1, reason: 1}
    assert (run.row_count, run.filter[option]) == (2, value)


def test_agreement_below_what_is_asked_for_leaves_out(version, first):
    Settlement.objects.filter(gold_revisions__in=first).update(agreement=0.5)
    assert made(version, options={"min_agreement": 0.6}).manifest["left_out"] == {
        "below_agreement": 1,
        "holdout": 1,
    }
    assert made(version, options={"min_agreement": 0.5}).row_count == 3


def test_a_similar_rejected_answer_leaves_the_good_one_of_the_case_behind(version, first):
    first.update(ideal_answer="A long answer it is.", rejected_answers=["A long answer it is!"])
    run = made(version, "kto", options={"max_similarity": 0.9})
    assert (run.row_count, run.manifest["left_out"]) == (5, {"holdout": 1, "too_similar": 1})


def test_weights_stand_beside_the_rows_line_for_line(version, first):
    first.update(labels={"severity": "critical"})
    Settlement.objects.filter(gold_revisions__in=first).update(agreement=0.75)
    run = made(version, options={"weigh_by": ["severity", "agreement"]})
    assert [row["weight"] for row in provenance(run)] == [3.0, 2.0, 2.0]
    assert run.manifest["weights"]["severity"]["critical"] == 4
    assert "weight" not in provenance(made(version))[0]


def test_the_same_options_are_the_same_bytes_in_whatever_order_they_were_asked_for(version):
    one = made(version, options=FINE)
    other = made(version, options=dict(reversed(FINE.items())))
    assert json.dumps(one.filter) == json.dumps(other.filter)
    assert (one.digest, one.manifest) == (other.digest, other.manifest)


def test_what_was_not_asked_for_is_not_in_the_filter(version):
    run = made(version, options={"max_characters": None, "min_severity": "", "weigh_by": []})
    assert run.filter == {"splits": ["train"]}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_characters", 0),
        ("max_characters", True),
        ("max_characters", "10"),
        ("max_characters", 10**12),
        ("max_similarity", 1.1),
        ("max_similarity", "0.5"),
        ("min_severity", "severe"),
        ("min_severity", ["low"]),
        ("min_agreement", -1),
        ("min_agreement", float("nan")),
        ("weigh_by", "severity"),
        ("weigh_by", ["price"]),
        ("weigh_by", [["severity"]]),
        ("revision__messages", "x"),
    ],
)
def test_an_option_that_is_not_offered_is_refused_by_its_name(version, option, value):
    with pytest.raises(ValidationError) as refused:
        exporting.request_export(version=version, format="trl_dpo", options={option: value})
    assert set(refused.value.message_dict) == {option}
    assert not ExportRun.objects.exists()


# --- preview --------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_the_preview_counts_what_the_export_then_holds_and_leaves_out(version, first, format):
    first.update(rejected_answers=[], labels={"severity": "low"})
    asked_for = {"splits": ["train"], "options": {"min_severity": "low", "max_characters": 5_000}}
    preview = export_preview.preview_export(version=version, format=format, **asked_for)
    assert not ExportRun.objects.exists()
    run = made(version, format, **asked_for)
    for name in ("rows", "cases", "rows_by_split", "left_out", "filter"):
        assert preview[name] == run.manifest[name], name
    assert preview["is_whole"]
    assert set(preview["left_out"]) <= set(REASONS)


def test_a_large_version_is_looked_at_in_part_and_the_preview_says_so(version, monkeypatch):
    monkeypatch.setattr(export_preview, "MOST", 2)
    preview = export_preview.preview_export(version=version, format="openai_sft")
    assert (preview["looked_at"], preview["of"], preview["is_whole"]) == (2, 3, False)
    assert preview["left_out"] == {"holdout": 1}


def test_what_may_not_leave_at_all_is_counted_by_reason(version):
    train = list(GoldExample.objects.filter(split="train").order_by("id"))
    GoldExample.objects.filter(pk=train[0].pk).update(split="holdout")
    GoldExample.objects.filter(pk=train[1].pk).update(is_contaminated=True)
    train[2].revisions.update(erased_at=timezone.now())
    preview = export_preview.preview_export(version=version, format="openai_sft")
    assert preview["left_out"] == {
        "contaminated": 1,
        "erased": 1,
        "holdout": 1,
        "holdout_since": 1,
    }
    assert preview["rows"] == 0


def test_the_api_previews_with_the_body_of_the_export(version, api):
    client = api("export")

    def post(body):
        return client.post("/api/v1/exports/preview", body, content_type="application/json")

    assert post({"format": "kto", "max_characters": 1}).json() == {
        "version": 1,
        "format": "kto",
        "filter": {"splits": ["train"], "max_characters": 1},
        "cases": 0,
        "rows": 0,
        "rows_by_split": {},
        "left_out": {"holdout": 1, "too_long": 3},
        "looked_at": 3,
        "of": 3,
        "is_whole": True,
    }
    refused = post({"format": "kto", "splits": ["holdout"], "min_agreement": 2, "path": "x"})
    assert refused.status_code == 400
    assert not ExportRun.objects.exists()


def test_another_projects_version_cannot_be_previewed(version, api, other_project):
    answer = api("export", project=other_project).post(
        "/api/v1/exports/preview", {"format": "kto"}, content_type="application/json"
    )
    assert answer.status_code == 400


def test_the_page_previews_in_words_keeps_what_was_chosen_and_writes_nothing(
    version, as_user, dana
):
    answer = as_user(dana).post(
        "/p/tax-help/exports/?format=trl_dpo",
        {"version": 1, "splits": ["train"], "max_characters": 1, "preview": "yes"},
    )
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "longer than asked for" in text and "0 rows" in text and 'value="1"' in text
    assert not ExportRun.objects.exists()


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "raw_annotations"])
def test_the_page_shows_a_true_row_of_the_chosen_version_in_each_format(
    version, project, ben, as_user, dana, format
):
    """The first line of the file that an export of that version holds; another version has other cases."""
    GoldExample.objects.update(retired_at=timezone.now())
    settlement = SettlementFactory(
        interaction__project=project,
        interaction__external_id="chat/late",
        chosen_answer__text="Late.",
    )
    late = gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.filter(pk=late.example_id).update(split="train")
    gold.freeze_gold_version(project=project, by=ben)
    for number in (1, 2):
        page = as_user(dana).post(
            f"/p/tax-help/exports/?format={format}",
            {"version": number, "splits": ["train"], "preview": "yes"},
        )
        of = GoldVersion.objects.get(number=number)
        assert page.status_code == 200
        assert page.context["sample"] == first_row(made(of, format, splits=["train"]))
        assert page.context["sample"] and (("Late." in page.context["sample"]) == (number == 2))


def first_row(run) -> str:
    rows = next(
        name for name in files_of(run) if name.endswith(("rows.jsonl", "train.jsonl", "rows.csv"))
    )
    with default_storage.open(f"{run.file_name}/{rows}") as file:
        said = file.read().decode()
    if rows.endswith("csv"):
        return "".join(said.splitlines(keepends=True)[:2])
    return json.dumps(json.loads(said.split("\n")[0]), ensure_ascii=False, indent=2)


def files_of(run) -> list[str]:
    return [each["name"] for each in run.manifest["files"]]


def test_the_list_says_what_was_asked_for(version, as_user, dana):
    made(version, options={"max_characters": 500, "weigh_by": ["severity"]})
    text = as_user(dana).get("/p/tax-help/exports/").content.decode()
    assert "At most so many characters: 500 · Weigh rows by: severity" in text


def test_the_command_previews(version, capsys):
    call_command("export", "--project=tax-help", "--format=csv", "--preview", "--max-characters=1")
    assert json.loads(capsys.readouterr().out)["left_out"] == {
        "split_not_asked_for": 1,  # the holdout
        "too_long": 3,
    }


# --- taking it away -------------------------------------------------------------------------------


def test_a_signed_link_gives_the_file_without_a_sign_in_for_five_minutes(version, client, api):
    run = made(version)
    answer = api("export").get(f"/api/v1/exports/{run.public_id}/link").json()
    address = answer["url"].removeprefix("http://testserver")
    assert b"".join(client.get(address).streaming_content).count(b"\n") == 3
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=6)):
        assert client.get(address).status_code == 404
    assert client.get(address[:-2] + "xx").status_code == 404


def test_a_link_to_an_export_that_was_made_again_is_over(version, client):
    run = made(version)
    address = signed_link(run, "rows")[0].removeprefix("http://testserver")
    exporting.make_again(runs=[run])
    assert client.get(address).status_code == 404


def test_no_link_to_what_is_unfinished_of_another_project_or_not_a_part(
    version, api, other_project
):
    run = made(version)
    address = f"/api/v1/exports/{run.public_id}/link"
    assert api("export", project=other_project).get(address).status_code == 404
    assert api("export").get(f"{address}?part=../x").status_code == 400
    assert api("capture").get(address).status_code == 403
    waiting = exporting.request_export(version=version, format="eval", is_left_to_a_worker=False)
    assert api("export").get(f"/api/v1/exports/{waiting.public_id}/link").status_code == 409


@pytest.mark.parametrize("format", ["trl_dpo", "huggingface"])
def test_the_folder_is_one_zip_of_every_file_and_its_manifest(version, api, format):
    run = made(version, format)
    client = api("export")

    def zipped():
        return b"".join(client.get(f"/api/v1/exports/{run.public_id}/file?part=folder"))

    archive = zipfile.ZipFile(io.BytesIO(zipped()))
    assert archive.testzip() is None
    assert archive.namelist() == ["manifest.json", *(f["name"] for f in run.manifest["files"])]
    assert json.loads(archive.read("manifest.json")) == run.manifest
    assert zipped() == zipped()


def test_rows_that_fill_several_files_go_as_the_folder(version, api):
    run = made(version, "huggingface")
    answer = api("export").get(f"/api/v1/exports/{run.public_id}/file")
    assert answer["Content-Disposition"].endswith('huggingface.zip"')


def test_the_command_copies_the_folder_and_the_rows(version, tmp_path, capsys):
    out = tmp_path / "out"
    call_command(
        "export",
        "--project=tax-help",
        "--format=promptfoo",
        f"--folder={out}",
        f"--out={out}/again",
    )
    assert sorted(path.name for path in out.iterdir()) == [
        "again",
        "manifest.json",
        "prompt.json",
        "promptfooconfig.yaml",
        "provenance.jsonl",
        "rows.jsonl",
    ]
    assert (out / "again").read_bytes() == (out / "rows.jsonl").read_bytes()


def test_gold_that_was_approved_with_stated_preferences_keeps_them(project, ben):
    from tests.factories import InteractionFactory, SettlementFactory

    interaction = InteractionFactory(
        project=project,
        output="First.",
        metadata={
            "source": {
                "alternatives": ["Second.", "First. ", 7],
                "preferences": [
                    {"first": 1, "second": 2, "winner": 2},
                    {"first": 1, "second": 2, "winner": 2},
                    {"first": 1, "second": 2, "winner": None},
                    {"first": 1, "second": 3, "winner": 1},  # the same text
                    {"first": 1, "second": 4, "winner": 1},  # no text
                    {"first": 1, "second": 9, "winner": 9},
                    {"first": True, "second": 2, "winner": True},
                    "nonsense",
                ],
            }
        },
    )
    revision = gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    assert revision.preferences == [{"chosen": "Second.", "rejected": "First."}]
