"""A gold example leads on to the problem that its answer is in and to the fix of it."""

from django.urls import reverse

from annotation.lineage import lineage
from tests.annotation.evaluation.candidate import evaluate, gold_version
from tests.factories import ProblemFactory
from triage import fixing, problems


def test_an_example_leads_on_to_evaluations_problems_and_fixes(as_user, dana, project, ben):
    version = gold_version(project, ben, 1)
    run = evaluate(version, wrong=[0])
    example = version.revisions.get().example
    problem = ProblemFactory(project=project, title="Bicycles are no cars")
    problems.join_problem(problem=problem, interaction=example.interaction, source="expert")
    fix = fixing.record_fix(
        project=project, summary="Reads the law anew.", problems_fixed=[problem]
    )

    found = lineage(example)
    assert found["evaluations"] == [
        {"id": run.public_id, "candidate": "prompt=v2", "passed": False}
    ]
    assert [each["number"] for each in found["problems"]] == [problem.number]
    assert [each["id"] for each in found["fixes"]] == [fix.public_id]
    page = as_user(dana).get(reverse("gold_example", args=[project.slug, example.public_id]))
    for words in (b"Bicycles are no cars", b"Reads the law anew.", b"prompt=v2"):
        assert words in page.content
