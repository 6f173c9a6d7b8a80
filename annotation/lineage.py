"""Where a gold example comes from and where it went (DESIGN §3, rule 14), by public ids and the caller's own."""

from collections.abc import Callable

from annotation.models import EvalResult, ExportRun, GoldExample, GoldRevision, GoldVersion

MOST_EVALUATIONS = 50  # the newest
_onward: list[Callable[[GoldExample], dict]] = []


def onward(function: Callable[[GoldExample], dict]):
    """Register what an app to the right knows of an example: {name: list of facts}."""
    _onward.append(function)
    return function


def lineage(example: GoldExample, *, revision: GoldRevision | None = None) -> dict:
    """Where an example comes from and where it went (rule 14), by public ids and the caller's own.

    It came from what its current wording, or the `revision` that is read, was settled on.
    """
    interaction = example.interaction
    revision = revision or example.revision_to_read()
    settlement = revision.settlement
    prompt = interaction.prompt_version
    return {
        "example": {"id": example.public_id, "split": example.split, "revision": revision.revision},
        "settlement": {
            "id": settlement.public_id,
            "how": settlement.decided_how,
            "verdict": settlement.verdict,
            "approved_by": str(revision.approved_by) if revision.approved_by else None,
        },
        "annotations": [
            {
                "id": a.public_id,
                "expert": str(a.expert),
                "revision": a.revision,
                "verdict": a.verdict,
            }
            for a in settlement.annotations.select_related("expert").order_by("id")
        ],
        "feedback": [
            {"id": f.public_id, "kind": f.kind, "category": f.category}
            for f in interaction.feedback.order_by("id")
        ],
        "interaction": {"id": interaction.external_id, "model": interaction.model},
        "prompt_version": {"name": prompt.name, "version": prompt.version} if prompt else None,
        "versions": list(
            GoldVersion.objects.filter(revisions__example=example)
            .order_by("number")
            .values_list("number", flat=True)
            .distinct()
        ),
        "exports": [
            {"id": export.public_id, "format": export.format, "digest": export.digest}
            for export in _exports_of(example)
        ],
        "evaluations": [
            {"id": run.public_id, "candidate": run.candidate, "passed": passed}
            for run, passed in _evaluations_of(example)
        ],
        **{name: found for part in _onward for name, found in part(example).items()},
    }


def _exports_of(example):
    return (
        ExportRun.objects.filter(members__revision__example=example, state="done")
        .order_by("id")
        .distinct()
    )


def _evaluations_of(example):
    """The newest runs that asked this case, each with whether every attempt at it passed."""
    found = {}
    results = (
        EvalResult.objects.filter(revision__example=example)
        .select_related("run")
        .only("passed", "run__public_id", "run__candidate")
        .order_by("-run_id")
    )
    for result in results[: 20 * MOST_EVALUATIONS]:
        run, passed = found.get(result.run_id, (result.run, True))
        found[result.run_id] = run, passed and result.passed is True
    return list(found.values())[:MOST_EVALUATIONS]
