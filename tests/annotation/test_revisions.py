"""What was said before: each revision against the one before it, for its expert and for leads."""

import pytest
from django.urls import reverse

from annotation import annotating, revisions
from annotation.models import LabelSchema
from tests.annotation.desk import judge, pass_time, queue_with, submit


@pytest.fixture
def queue(project):
    queue, _ = queue_with(project, items=3)
    rubric = [{"key": "clear", "name": "Clear", "scale": 5, "good": "", "required": False}]
    LabelSchema.objects.update(rubric=rubric)
    return queue


def revised(expert, queue, *answers):
    """Judged once for each of these answers; the assignment."""
    annotation = None
    for number, said in enumerate(answers):
        if annotation is None:
            annotation = judge(expert, queue, **said)
            continue
        pass_time(11, annotation)
        again = annotating.revise(assignment=annotation.assignment)
        annotation = submit(again, revision=number, **said)
    return annotation.assignment


def rows(change):
    return [(row["field"], row["other"], row["yours"]) for row in change["rows"]]


def test_each_revision_tells_what_it_changed_newest_first(ana, queue):
    assignment = revised(
        ana,
        queue,
        {"rubric_scores": {"clear": 2}, "correction": "A"},
        {"rubric_scores": {"clear": 4}, "correction": "A"},
        {"rubric_scores": {"clear": 4}, "correction": "B", "root_cause": "retrieval_misled"},
    )
    (told,) = revisions.of_assignment(assignment)
    newest, middle = told["changes"]
    assert [each["annotation"].revision for each in told["changes"]] == [3, 2]
    assert rows(middle) == [("rubric_scores", "Clear 2", "Clear 4")]
    assert [row[0] for row in rows(newest)] == ["root_cause", "correction"]
    assert rows(newest)[1] == ("correction", "A", "B")


def test_an_answer_given_once_has_no_revisions(ana, queue):
    assert revisions.of_assignment(revised(ana, queue, {})) == []


def test_lead_and_expert_find_the_revisions(as_user, ana, ben, queue):
    assignment = revised(ana, queue, {"note": "Quick"}, {"note": "Slow"})
    beside = reverse("review_context", args=[queue.project.slug, assignment.public_id])
    page = reverse("item", args=[queue.project.slug, assignment.item.public_id])
    for who, url, title in (
        (ana, beside, "Your revisions"),
        (ben, page, f"Revisions of {ana}"),
    ):
        html = as_user(who).get(url).content.decode()
        assert title in html
        assert "<del>Quick</del>" in html
        assert "<ins>Slow</ins>" in html


def test_revisions_cost_the_same_for_two_and_for_five(ana, queue, django_assert_max_num_queries):
    item = revised(ana, queue, *({"note": f"{n}"} for n in range(2))).item
    with django_assert_max_num_queries(6) as few:
        assert len(revisions.of_item(item)[0]["changes"]) == 1
    item = revised(ana, queue, *({"note": f"{n}"} for n in range(5))).item
    with django_assert_max_num_queries(len(few)):
        assert len(revisions.of_item(item)[0]["changes"]) == 4
