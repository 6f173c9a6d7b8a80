"""A candidate at the gate: gold versions to hold it against, and answers that are right but where told otherwise."""

from annotation import gold
from annotation.evaluation import assessing, runs
from annotation.models import GoldExample
from tests.factories import InteractionFactory, SettlementFactory


def gold_version(project, by, count, *, split="validation", severity_of=None):
    """A version of `count` cases in one split, their severities by number where told."""
    for number in range(count):
        interaction = InteractionFactory(
            project=project,
            messages=[{"role": "user", "content": f"Question {number * 7919:o}?"}],
        )
        severity = (severity_of or {}).get(number, "medium")
        gold.promote_to_gold(
            settlement=SettlementFactory(interaction=interaction, severity=severity), by=by
        )
    GoldExample.objects.update(split=split)
    return gold.freeze_gold_version(project=project, by=by)


def answers(version, wrong=()):
    """The ideal answer to each case; those numbered in `wrong` get the rejected one."""
    members = version.members.select_related("revision__example").order_by("revision__example_id")
    return [
        {
            "id": str(member.revision.example.public_id),
            "output": member.revision.rejected_answers[0]
            if number in wrong
            else member.revision.ideal_answer,
        }
        for number, member in enumerate(members)
    ]


def evaluate(version, *, wrong=(), results=None, split="validation"):
    """Request and assess, as a worker would."""
    run = runs.request_evaluation(
        version=version,
        split=split,
        candidate="prompt=v2",
        results=answers(version, wrong) if results is None else results,
    )
    return assessing.assess_evaluation(run_id=run.pk) or run
