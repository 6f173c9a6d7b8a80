"""The gate in the browser and over the API."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation.evaluation import runs
from annotation.models import EvalRun, GateRules, GoldExample
from feedbackhub.capture import near_duplicates
from feedbackhub.capture.models import NearDuplicateSignature
from tests.annotation.evaluation.candidate import answers, evaluate, gold_version
from tests.factories import LabelSchemaFactory
from tests.pages import assert_same_queries

HOSTILE = "<script>alert(1)</script>"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def jsonl(rows):
    return SimpleUploadedFile("out.jsonl", "\n".join(map(json.dumps, rows)).encode())


# --- pages ----------------------------------------------------------------------------------------


def test_without_gold_the_gate_says_what_to_do(as_user, dana, project):
    assert b"Freeze the first one" in as_user(dana).get(url("evaluations")).content


def test_answers_brought_in_as_a_file_become_a_verdict(
    as_user, dana, ben, project, django_capture_on_commit_callbacks
):
    version = gold_version(project, ben, 3)
    given = {"candidate": "prompt v2", "version": version.number, "split": "validation"}
    given["versions"] = "tax-help v2\n\nlumen-2\n"
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_user(dana).post(
            url("evaluations"), given | {"results": jsonl(answers(version, wrong=[0]))}, follow=True
        )
    run = EvalRun.objects.get()
    assert (run.passed, run.requested_by, run.candidate) == (False, dana, "prompt v2")
    assert run.versions == ["tax-help v2", "lumen-2"]
    page = as_user(dana).get(url("evaluation", run.public_id)).content.decode()
    assert "It is the answer that was rejected." in page and "66.7 %" in page
    assert answer.status_code == 200


def test_the_page_says_how_often_the_holdout_was_used(as_user, dana, ben, project):
    version = gold_version(project, ben, 1, split="holdout")
    evaluate(version, split="holdout")
    page = as_user(dana).get(url("evaluations")).content.decode()
    assert f"The holdout of version {version.number}: 1 of 20 used." in page


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "nonsense", "output": "a"}], "Line 1: There is no such case"),
        ([{"id": 7}], "Line 1:"),
    ],
)
def test_a_bad_line_is_named(as_user, dana, ben, project, rows, said):
    version = gold_version(project, ben, 1)
    given = {"candidate": "c", "version": version.number, "split": "validation"}
    answer = as_user(dana).post(url("evaluations"), given | {"results": jsonl(rows)})
    assert answer.status_code == 400 and said in answer.content.decode()


def test_a_file_that_is_no_json_is_refused_by_line(as_user, dana, ben, project):
    version = gold_version(project, ben, 1)
    file = SimpleUploadedFile("out.jsonl", b'{"id": "a", "output": "b"}\n{"id": NaN}\n')
    given = {"candidate": "c", "version": version.number, "split": "validation", "results": file}
    answer = as_user(dana).post(url("evaluations"), given)
    assert answer.status_code == 400 and "Line 2:" in answer.content.decode()


def test_what_broke_stands_first_with_its_diff_and_hostile_answers_stay_texts(
    as_user, dana, ben, project
):
    version = gold_version(project, ben, 2)
    evaluate(version)
    rows = answers(version)
    rows[0]["output"] = HOSTILE
    run = evaluate(version, results=rows)
    page = as_user(dana).get(url("evaluation", run.public_id))
    assert [said["id"] for said, _e, _r in page.context["cases"]["broken"]] == [rows[0]["id"]]
    assert HOSTILE.encode() not in page.content


def test_what_is_left_out_is_listed_and_what_is_flaky_marked(as_user, dana, ben, project):
    version = gold_version(project, ben, 4, split="holdout")
    seen, *_others = GoldExample.objects.order_by("id")
    GoldExample.objects.filter(pk=seen.pk).update(is_contaminated=True)
    rows = answers(version, wrong=[0])
    wrong = answers(version, wrong=[1])[1]
    run = evaluate(version, results=[*rows, {**wrong, "attempt": 2}], split="holdout")
    assert (run.summary["contaminated"], run.summary["cases"]) == ([str(seen.public_id)], 3)
    page = as_user(dana).get(url("evaluation", run.public_id))
    said = page.content.decode()
    assert page.context["asides"]["contaminated"] == [seen]
    assert "1 case is in a training file, or a near-duplicate is, and was left out." in said
    assert ">flaky</span>" in said


def test_a_twin_of_what_a_training_file_has_proves_nothing_either(project, ben):
    """A case born into the holdout, whose near-duplicate had left in an export before their groups became one."""
    version = gold_version(project, ben, 4, split="holdout")
    seen, twin, *_others = GoldExample.objects.order_by("id")
    GoldExample.objects.filter(pk=seen.pk).update(is_contaminated=True)
    group = near_duplicates.group_of(seen.interaction)
    near_duplicates.group_of(twin.interaction)
    NearDuplicateSignature.objects.filter(interaction=twin.interaction).update(group=group)
    run = evaluate(version, results=answers(version, wrong=[1]), split="holdout")
    assert set(run.summary["contaminated"]) == {str(seen.public_id), str(twin.public_id)}
    assert (run.summary["cases"], run.passed) == (2, True)


def test_a_long_list_says_how_many_there_are(as_user, dana, ben, project):
    run = evaluate(gold_version(project, ben, 2), wrong=[0, 1])
    comparison = {"cases": 700, "broken": run.summary["failed"], "broken_count": 300, "p_value": 0}
    EvalRun.objects.update(summary=run.summary | {"comparison": comparison})
    page = as_user(dana).get(url("evaluation", run.public_id)).content.decode()
    assert "300 broke" in page and "The first 2 of 300." in page
    assert "300 broke" in as_user(dana).get(url("evaluations")).content.decode()


def test_only_a_lead_overrides_and_says_why(as_user, dana, ben, project):
    run = evaluate(gold_version(project, ben, 1), wrong=[0])
    address = url("override_evaluation", run.public_id)
    assert as_user(dana).post(address, {"reason": "x"}).status_code == 403
    assert as_user(ben).post(address, {"reason": ""}).status_code == 400
    as_user(ben).post(address, {"reason": "The law changed."})
    run.refresh_from_db()
    assert (run.is_accepted, run.override_reason) == (True, "The law changed.")
    assert b"The law changed." in as_user(dana).get(url("evaluation", run.public_id)).content


def test_another_projects_run_is_not_there(as_user, dana, other_project, ben, project):
    theirs = evaluate(gold_version(other_project, ben, 1))
    assert as_user(dana).get(url("evaluation", theirs.public_id)).status_code == 404


def test_a_lead_says_in_percent_what_must_be_reached(as_user, ben, dana, project):
    given = {
        "overall": "95",
        "severity_critical": "100",
        "severity_high": "97.5",
        "most_broken": "0",
        "min_likeness": "0.3",
        "never": "as an AI\nlanguage model",
        "holdout_uses": "5",
    }
    assert as_user(dana).post(url("gate_rules"), given).status_code == 403
    as_user(ben).post(url("gate_rules"), given)
    rules = GateRules.objects.get()
    assert (rules.overall, rules.severities) == (0.95, {"critical": 1.0, "high": 0.975})
    assert rules.assertions == [
        {"kind": "must_not_mention", "texts": ["as an AI", "language model"]}
    ]
    page = as_user(dana).get(url("gate_rules")).content.decode()
    assert 'value="97.5"' in page and "as an AI" in page
    assert as_user(ben).post(url("gate_rules"), given | {"overall": "101"}).status_code == 400


def test_what_no_answer_may_mention_is_on_the_record(ben, project):
    for texts in (["as an AI"], ["language model"]):
        runs.change_rules(
            project=project, assertions=[{"kind": "must_not_mention", "texts": texts}]
        )
    trail = GateRules.objects.get().audit_events.order_by("pgh_id")
    assert [each.assertions[0]["texts"] for each in trail] == [["as an AI"], ["language model"]]


def test_thresholds_of_every_schemas_categories_can_be_set_and_none_is_lost(as_user, ben, project):
    rows = [{"key": "tone", "name": "Tone"}], [{"key": "law", "name": "Law"}]
    for name, categories in zip(["errors", "style"], rows, strict=True):
        LabelSchemaFactory(project=project, name=name, categories=categories, is_current=True)
    runs.change_rules(project=project, categories={"law": 0.5, "retired_one": 0.25})
    page = as_user(ben).get(url("gate_rules")).content.decode()
    assert "Of “Tone”, %" in page and "Of “Law”, %" in page
    given = {"overall": "90", "min_likeness": "0.2", "holdout_uses": "5", "category_tone": "80"}
    kept = {"category_law": "50", "category_retired_one": "25"}
    assert as_user(ben).post(url("gate_rules"), given | kept).status_code == 302
    assert GateRules.objects.get().categories == {"tone": 0.8, "law": 0.5, "retired_one": 0.25}


def test_the_list_says_how_far_the_judge_of_each_run_agreed(as_user, dana, ben, project):
    version = gold_version(project, ben, 1)
    judged, _without = evaluate(version), evaluate(version)
    judge = {"model": "judge-1", "asked": 18, "agreed": 17, "is_trusted": True}
    judged.summary = judged.summary | {"judge": judge}
    judged.save(update_fields=["summary"])
    said = as_user(dana).get(url("evaluations")).content.decode()
    assert said.count("judge agrees on 17 of 18") == said.count("judge agrees on") == 1


def test_the_list_costs_the_same_queries_with_one_run_and_with_three(as_user, dana, ben, project):
    version = gold_version(project, ben, 1)
    assert_same_queries(
        as_user(dana), url("evaluations"), lambda n: [evaluate(version) for _ in range(n)]
    )


def test_a_runs_page_costs_the_same_queries_with_one_failure_and_with_three(
    as_user, dana, ben, project, django_assert_max_num_queries
):
    version = gold_version(project, ben, 3)
    evaluate(version)
    run = evaluate(version, wrong=[0, 1, 2])
    client = as_user(dana)
    client.get(url("evaluation", run.public_id))
    with django_assert_max_num_queries(10):
        client.get(url("evaluation", run.public_id))


# --- API ------------------------------------------------------------------------------------------


def test_a_pipeline_reads_the_cases_sends_answers_and_reads_the_verdict(
    api, ben, project, django_capture_on_commit_callbacks
):
    version = gold_version(project, ben, 3)
    client = api("export")
    base = f"/api/v1/gold-versions/{version.number}"
    cases = client.get(f"{base}/cases").json()["results"]
    assert len(cases) == 3 and cases[0].keys() == {"id", "split", "messages", "tools", "context"}
    assert client.get(f"{base}/cases?split=holdout").json()["results"] == []

    body = {"candidate": "prompt=v2", "results": answers(version, wrong=[0])}
    with django_capture_on_commit_callbacks(execute=True):
        sent = client.post(f"{base}/evaluations", body, content_type="application/json")
    assert sent.status_code == 202
    found = client.get(f"/api/v1/evaluations/{sent.json()['id']}").json()
    assert (found["state"], found["passed"], found["summary"]["passed_cases"]) == ("done", False, 2)
    failed = client.get(f"/api/v1/evaluations/{found['id']}/results?passed=no").json()["results"]
    assert [each["id"] for each in failed] == [body["results"][0]["id"]]
    assert [each["id"] for each in client.get("/api/v1/evaluations").json()["results"]] == [
        found["id"]
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], ""),
        ({"candidate": "c", "results": [], "exec": 1}, "exec"),
        ({"candidate": 7, "results": []}, "candidate"),
        ({"candidate": "c"}, "results"),
        ({"candidate": "c", "results": [], "versions": "x"}, "versions"),
        ({"candidate": "c", "results": [], "split": []}, "split"),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_by_field(api, ben, project, body, field):
    version = gold_version(project, ben, 1)
    answer = api("export").post(
        f"/api/v1/gold-versions/{version.number}/evaluations", body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert field in [each["field"] for each in answer.json()["errors"]]


def test_a_worn_out_holdout_is_a_conflict(api, ben, project):
    version = gold_version(project, ben, 1, split="holdout")
    runs.change_rules(project=project, holdout_uses=1)
    body = {"candidate": "c", "split": "holdout", "results": answers(version)}
    address = f"/api/v1/gold-versions/{version.number}/evaluations"
    client = api("export")
    statuses = [
        client.post(address, body, content_type="application/json").status_code for _ in range(2)
    ]
    assert statuses == [202, 409]
    left = client.get(f"/api/v1/gold-versions/{version.number}/holdout").json()
    assert left == {
        "version": version.number,
        "holdout_uses": 1,
        "holdout_used": 1,
        "holdout_left": 0,
    }


def test_unknown_versions_and_other_projects_are_not_there(api, ben, project, other_project):
    run = evaluate(gold_version(other_project, ben, 1))
    client = api("export")
    for address in ("gold-versions/1/cases", f"gold-versions/{2**40}/cases"):
        assert client.get(f"/api/v1/{address}").status_code == 404
    assert client.get(f"/api/v1/evaluations/{run.public_id}").status_code == 404
    assert client.get(f"/api/v1/evaluations/{run.public_id}/results").status_code == 404
