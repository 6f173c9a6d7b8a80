"""Agreement as leads, experts and programs see it."""

import csv
import io
from uuid import UUID

import pytest

from annotation.agreement.coefficients import cohen_kappa
from annotation.agreement.judgements import shared_judgements
from annotation.agreement.report import SEVERITIES, make_report
from annotation.models import LabelSchema
from tests.annotation.desk import judge, queue_with
from tests.cast import _member
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    LabelSchemaFactory,
    ReviewItemFactory,
)
from tests.pages import assert_same_queries

PAGE = "/p/tax-help/agreement/"
SPAN = {"field": "output", "start": 0, "end": 3, "quote": "You", "label": "wrong"}


@pytest.fixture
def cem(project):
    return _member(project, "Cem", "expert")


def judged(queue, said, *, state="settled", **fields):
    """An item and what each of these people said: {user: (verdict, severity)}."""
    item = ReviewItemFactory(queue=queue, overlap=max(len(said), 1), state=state, **fields)
    for slot, (user, (verdict, severity)) in enumerate(said.items(), 1):
        assignment = AssignmentFactory(item=item, expert=user, slot=slot, state="submitted")
        AnnotationFactory(assignment=assignment, verdict=verdict, severity=severity)
    return item


@pytest.fixture
def queue(project, ana, ben, cem):
    """Six items judged by two or three: they agree on four verdicts."""
    queue, _ = queue_with(project, items=0, name="Tax", slug="tax", overlap=3)
    right, wrong, bad = ("correct", "none"), ("wrong", "medium"), ("harmful", "critical")
    judged(queue, {ana: right, cem: right, ben: right})
    judged(queue, {ana: wrong, cem: wrong})
    judged(queue, {ana: wrong, cem: wrong})
    judged(queue, {ana: right, cem: right})
    judged(queue, {ana: right, cem: bad})
    judged(queue, {cem: wrong, ben: ("partly", "medium")}, state="disputed")
    judged(queue, {ana: right})
    return queue


def test_a_lead_sees_fields_pairs_and_what_to_talk_about(as_user, ben, queue):
    answer = as_user(ben).get(PAGE)
    report = answer.context["report"]
    assert (report.items, report.answers) == (6, 13)
    verdict = report.fields[0]
    assert verdict.percent.value == pytest.approx(6 / 8)
    assert verdict.alpha.items == 6 and 0 < verdict.alpha.value < 1
    pairs = {frozenset(people): pair.percent.items for *people, pair in answer.context["pairs"]}
    assert pairs == {
        frozenset(["Ana", "Cem"]): 5,
        frozenset(["Ben", "Cem"]): 2,
        frozenset(["Ana", "Ben"]): 1,
    }
    (worst, *_) = answer.context["differences"]
    assert [(voice["name"], voice["verdict"]) for voice in worst["said"]] == [
        ("Ana", "correct"),
        ("Cem", "harmful"),
    ]
    assert "not defined" in answer.content.decode()  # nobody named a root cause


def test_two_people_are_compared_on_the_field_that_is_asked_for(as_user, ben, ana, cem, queue):
    answer = as_user(ben).get(f"{PAGE}?field=severity")
    found = {frozenset(people): pair for *people, pair in answer.context["pairs"]}
    said = [
        ("none", "none"),
        ("medium", "medium"),
        ("medium", "medium"),
        ("none", "none"),
        ("none", "critical"),
    ]
    expected = cohen_kappa(said, "ordinal", SEVERITIES).value
    assert found[frozenset(["Ana", "Cem"])].kappa.value == pytest.approx(expected)
    assert expected != pytest.approx(cohen_kappa(said).value)
    assert (
        found[frozenset(["Ben", "Cem"])].percent.value == 1
    )  # the same severity of another verdict
    assert "Two by two: Severity" in answer.content.decode()
    table = as_user(ben).get("/p/tax-help/agreement.csv?field=severity").content.decode()
    assert "pair_severity,Ana / Cem,cohen_kappa,ordinal" in table
    assert as_user(ben).get(f"{PAGE}?field=note").status_code == 404


def test_two_people_are_compared_on_categories_and_marks(as_user, ben, ana, cem, project):
    queue, _ = queue_with(project, items=2, overlap=2)
    other = {**SPAN, "start": 4, "end": 7, "quote": "can"}
    judge(ana, queue, categories=["outdated"], spans=[SPAN])
    judge(cem, queue, categories=["outdated"], spans=[SPAN, other])
    judge(ana, queue, categories=["outdated", "factual_error"])
    judge(cem, queue, categories=["factual_error"])
    answer = as_user(ben).get(f"{PAGE}?field=categories")
    ((_one, _other, pair),) = answer.context["pairs"]
    assert (pair.percent.value, pair.percent.items) == (0.5, 2)
    assert pair.marks.value == pytest.approx(2 / 3)


def test_an_expert_sees_what_they_judged_and_no_names(as_user, ana, queue):
    answer = as_user(ana).get(PAGE)
    assert answer.context["report"].items == 5
    assert [(one, other) for one, other, _ in answer.context["pairs"]] == [
        ("You", "Colleague 2"),
        ("You", "Colleague 1"),
    ]
    for name in ("Cem", "Ben"):
        assert name not in answer.content.decode()


def test_an_expert_sees_others_verdicts_only_once_the_item_is_settled(as_user, cem, queue):
    shown = as_user(cem).get(PAGE).context
    assert [each["item"].is_settled for each in shown["differences"]] == [True]
    assert shown["report"].items == 5  # no figure tells either what Ben said of the disputed one


def test_calibration_repeats_revised_and_other_projects_answers_are_no_agreement(
    as_user, ana, ben, eve, other_project, project
):
    queue, _ = queue_with(project, items=0)
    for purpose in ("calibration", "repeat"):
        judged(queue, {ana: ("wrong", "low"), ben: ("wrong", "low")}, purpose=purpose)
    revised = judged(queue, {ana: ("wrong", "low"), ben: ("wrong", "low")})
    revised.annotations.filter(expert=ana).update(is_current=False)
    theirs, _ = queue_with(other_project, items=0)
    judged(theirs, {eve: ("wrong", "low"), ben: ("wrong", "low")})
    assert as_user(ben).get(PAGE).context["report"].items == 0


def test_the_page_says_what_is_missing_when_nobody_shares_an_item(as_user, ben, project):
    answer = as_user(ben).get(PAGE)
    assert answer.status_code == 200
    assert "Nothing to compare yet" in answer.content.decode()


@pytest.mark.parametrize("query", ["queue=nowhere", "days=7", "queue=%00"])
def test_unknown_narrowing_is_not_found(as_user, ben, queue, query):
    assert as_user(ben).get(f"{PAGE}?{query}").status_code == 404


def test_a_queue_and_a_period_narrow_the_figures(as_user, ben, queue):
    assert as_user(ben).get(f"{PAGE}?queue=tax&days=30").context["report"].items == 6
    queue_with(queue.project, items=0, slug="other")
    assert as_user(ben).get(f"{PAGE}?queue=other").context["report"].items == 0


def test_an_engineer_has_no_own_work_to_see(as_user, dana, queue):
    assert as_user(dana).get(PAGE).status_code == 403


def test_the_page_costs_the_same_queries_with_more_items(as_user, ana, cem, ben, project):
    queue, _ = queue_with(project, items=0)

    def grow(number):
        for _ in range(number):
            judged(queue, {ana: ("wrong", "low"), cem: ("correct", "none")})

    assert_same_queries(as_user(ben), PAGE, grow)


def test_the_file_holds_the_same_figures_and_no_formula(as_user, ben, cem, queue):
    cem.name = "=HYPERLINK(1)"
    cem.save()
    answer = as_user(ben).get("/p/tax-help/agreement.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    found = {(row["part"], row["key"], row["measure"]): row for row in rows}
    assert float(found["field", "verdict", "percent"]["value"]) == pytest.approx(0.75)
    undefined = found["field", "root_cause", "krippendorff_alpha"]
    assert (undefined["value"], undefined["undefined_because"]) == ("", "no_overlap")
    assert not [row for row in rows if row["key"].startswith("=")]
    assert answer["Content-Disposition"].startswith('attachment; filename="tax-help-agreement-')


def test_programs_get_figures_with_people_by_id(api, ana, queue):
    answer = api("review").get("/api/v1/agreement?queue=tax").json()
    assert (answer["items"], answer["answers"], answer["is_capped"]) == (6, 13, False)
    pairs = [each for each in answer["figures"] if each["part"] == "pair"]
    assert str(ana.public_id) in pairs[0]["key"]
    assert UUID(answer["differences"][0]["item_id"])


@pytest.mark.parametrize("query", ["queue=nowhere", "since=yesterday", "colour=red"])
def test_programs_are_told_which_filter_is_wrong(api, project, query):
    answer = api("review").get(f"/api/v1/agreement?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_programs_need_the_review_scope(api, project):
    assert api("read").get("/api/v1/agreement").status_code == 403


def test_marks_criteria_and_categories_are_compared_too(project, ana, cem):
    queue, _ = queue_with(project, items=2, overlap=2)
    for _ in range(2):
        judge(ana, queue, spans=[SPAN], categories=["outdated", "factual_error"])
    judge(cem, queue, spans=[SPAN], categories=["outdated"])
    judge(cem, queue, spans=[{**SPAN, "label": "unsupported"}], categories=[])
    report = make_report(shared_judgements(project=project), categories=["harmful"])
    assert (report.spans.exact.value, report.spans.exact_with_label.value) == (1, 0.5)
    assert [(each.key, each.percent.value) for each in report.categories] == [
        ("outdated", 0.5),
        ("factual_error", 0),
        ("harmful", 1),
    ]
    assert report.categories[2].alpha.why == "one_value"


@pytest.fixture
def scored(project, ana, cem):
    """Two items: scores 1/2 and 2/2 on a criterion, the same mark with another label and with the same one; of the
    categories "outdated" is named by one of two, "factual_error" by both; the root cause is theirs alone once.
    """
    clear = {"key": "clear", "name": "Clear", "scale": 3, "good": "", "required": False}
    causes = [{"key": "prompt", "name": "Prompt"}, {"key": "retrieval", "name": "Retrieval"}]
    LabelSchemaFactory(project=project, rubric=[clear], root_causes=causes)
    queue, _ = queue_with(project, items=2, overlap=2)
    both, one = ["factual_error", "outdated"], ["factual_error"]
    prompt, other = {"root_cause": "prompt"}, {"root_cause": "retrieval"}
    judge(ana, queue, spans=[SPAN], rubric_scores={"clear": 1}, categories=both, **prompt)
    judge(ana, queue, spans=[SPAN], rubric_scores={"clear": 2}, categories=one, **prompt)
    elsewhere = [{**SPAN, "label": "unsupported"}]
    judge(cem, queue, spans=elsewhere, rubric_scores={"clear": 2}, categories=one, **prompt)
    judge(cem, queue, spans=[SPAN], rubric_scores={"clear": 2}, categories=one, **other)
    return queue


def values(answer, part):
    return {each["measure"]: each["value"] for each in answer["figures"] if each["part"] == part}


@pytest.mark.parametrize(
    ("field", "part", "expected"),
    [
        ("verdict", "pair", {"percent": 1}),
        ("severity", "pair_severity", {"percent": 1}),
        ("root_cause", "pair_root_cause", {"percent": 0.5, "cohen_kappa": 0}),
        ("categories", "pair_categories", {"percent": 0.5, "cohen_kappa": 0}),
        ("category.outdated", "pair_category.outdated", {"percent": 0.5, "cohen_kappa": 0}),
        (
            "category.factual_error",
            "pair_category.factual_error",
            {"percent": 1, "cohen_kappa": None},
        ),
        ("rubric.clear", "pair_rubric.clear", {"percent": 0.5}),
        ("rating.stars", "pair_rating.stars", {}),
        (
            "spans",
            "pair_spans",
            {"f1_exact": 1, "f1_exact_with_label": 0.5, "f1_overlapping": 1, "f1": 0.5},
        ),
    ],
)
def test_programs_choose_what_pairs_and_weeks_are_about(api, scored, field, part, expected):
    answer = api("review").get(f"/api/v1/agreement?field={field}").json()
    assert answer["field"] == field
    pairs = values(answer, part)
    assert {measure: pairs[measure] for measure in expected} == expected
    weeks = values(answer, part.replace("pair", "week"))
    name = "f1_exact_with_label" if field == "spans" else "percent"
    assert weeks[name] == expected.get(name)


@pytest.mark.parametrize(
    "field", ["note", "category.nowhere", "rubric.nowhere", "rating.\n", "", "spans.exact"]
)
def test_programs_are_told_which_field_there_is_not(api, scored, field):
    answer = api("review").get("/api/v1/agreement", {"field": field})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "field"


@pytest.mark.parametrize(
    ("field", "title"),
    [
        ("spans", "Two by two: Marks"),
        ("rubric.clear", "Two by two: clear"),
        ("root_cause", "Two by two: Root cause"),
        ("category.outdated", "Two by two: Outdated"),
    ],
)
def test_the_page_and_the_file_compare_marks_causes_each_category_and_each_criterion(
    as_user, ben, scored, field, title
):
    answer = as_user(ben).get(f"{PAGE}?field={field}")
    page = answer.content.decode()
    assert title in page
    for offered in ("spans", "rubric.clear", "root_cause", "category.outdated"):
        assert f"field={offered}" in page
    ((_one, _other, pair),) = answer.context["pairs"]
    figure = pair.spans.exact_with_label if field == "spans" else pair.percent
    assert figure.value == 0.5
    table = as_user(ben).get("/p/tax-help/agreement.csv", {"field": field}).content.decode()
    assert f"pair_{field},Ana / Cem," in table and f"week_{field},20" in table


def test_a_merged_category_is_compared_as_what_it_was_merged_into(api, scored):
    schema = LabelSchema.objects.get(project=scored.project, is_current=True)
    kept, merged, _harmful = schema.categories
    schema.categories = [kept]
    schema.former = [{**merged, "into": ["factual_error"]}]
    schema.save()
    client = api("review")
    answer = client.get("/api/v1/agreement?field=category.factual_error").json()
    assert values(answer, "pair_category.factual_error")["percent"] == 1
    assert client.get("/api/v1/agreement?field=category.outdated").status_code == 400


def test_weeks_stand_in_order_with_their_own_counts(project, ana, cem):
    from datetime import UTC, datetime

    from annotation.models import Annotation

    queue, _ = queue_with(project, items=0)
    for day in (2, 3, 12):
        item = judged(queue, {ana: ("wrong", "low"), cem: ("wrong", "low")})
        Annotation.objects.filter(item=item).update(created_at=datetime(2026, 11, day, tzinfo=UTC))
    weeks = make_report(shared_judgements(project=project)).weeks
    assert [(each.week, each.percent.items) for each in weeks] == [
        ("2026-11-02", 2),
        ("2026-11-09", 1),
    ]
