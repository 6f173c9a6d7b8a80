"""A gold example leads on to the problem that its answer is in and to the fix of it."""

import pytest
from django.urls import reverse

from annotation import exporting, gold
from annotation.lineage import lineage
from annotation.models import GoldExample
from feedbackhub.capture.models import PromptVersion
from tests.annotation.evaluation.candidate import evaluate, gold_version
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    SettlementFactory,
)
from triage import fixing, problems


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


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


def test_an_example_leads_back_to_its_prompt_and_on_to_its_export_by_api_and_on_its_page(
    api, as_user, dana, project, ana, ben
):
    prompt = PromptVersion.objects.create(project=project, name="tax-help", version="v1.4")
    interaction = InteractionFactory(
        project=project, external_id="chat/bicycle", prompt_version=prompt, model="lumen-2"
    )
    complaint = FeedbackEventFactory(interaction=interaction, kind="report", category="outdated")
    settlement = SettlementFactory(interaction=interaction)
    said = [
        AnnotationFactory(
            assignment=AssignmentFactory(item=settlement.item, expert=expert, slot=slot),
            verdict=verdict,
        )
        for slot, (expert, verdict) in enumerate([(ana, "wrong"), (ben, "partly")], start=1)
    ]
    settlement.annotations.add(*said)
    example = gold.promote_to_gold(settlement=settlement, by=ben).example
    GoldExample.objects.update(split="train")
    version = gold.freeze_gold_version(project=project, by=ben)
    run = exporting.request_export(version=version, format="trl_dpo", is_left_to_a_worker=False)
    run = exporting.make_export(export_id=run.pk)

    assert api("export").get(f"/api/v1/gold/{example.public_id}/lineage").json() == {
        "example": {"id": str(example.public_id), "split": "train", "revision": 1},
        "settlement": {
            "id": str(settlement.public_id),
            "how": "agreed",
            "verdict": "wrong",
            "approved_by": str(ben),
        },
        "annotations": [
            {
                "id": str(each.public_id),
                "expert": str(each.expert),
                "revision": 1,
                "verdict": each.verdict,
            }
            for each in said
        ],
        "feedback": [{"id": str(complaint.public_id), "kind": "report", "category": "outdated"}],
        "interaction": {"id": "chat/bicycle", "model": "lumen-2"},
        "prompt_version": {"name": "tax-help", "version": "v1.4"},
        "versions": [1],
        "exports": [{"id": str(run.public_id), "format": "trl_dpo", "digest": run.digest}],
        "evaluations": [],
        "problems": [],
        "fixes": [],
    }
    page = as_user(dana).get(reverse("gold_example", args=[project.slug, example.public_id]))
    text = " ".join(page.content.decode().split())
    for words in (
        "tax-help v1.4</a>", "lumen-2", "chat/bicycle</a>", "report · outdated", "Ana", "Ben", "Partly", "agreed",
        "revision 1", "v1</a>", f"trl_dpo <code>{run.digest[:12]}</code>",
    ):  # fmt: skip
        assert words.lower() in text.lower(), words
