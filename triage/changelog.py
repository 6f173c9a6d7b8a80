"""The prompt changelog hears of fixes: which problems a version addresses, on what evidence, and whether it helped.

It says numbers only, never a title or anybody's words, so nothing in it has to be forgotten later.
"""

from django.db import transaction

from feedbackhub.capture.models import PromptVersion


def version_of(*, project, carrier, version) -> PromptVersion | None:
    """The one prompt version that people call so: "v14", or "tax-help v14"; None where it could be several."""
    if carrier != "prompt" or not version.strip():
        return None
    name, _space, rest = version.strip().rpartition(" ")
    rows = PromptVersion.objects.filter(project=project)
    for found in (rows.filter(version=version.strip()), rows.filter(name=name, version=rest)):
        only = list(found.order_by("-id")[:2])
        if len(only) == 1:
            return only[0]
    return None


def note_recorded(*, fix, problems_fixed) -> None:
    """Which failure this version addresses, on what evidence."""
    for problem in problems_fixed:
        _add(
            fix,
            f"Addresses P{problem.number}: {problem.member_count} cases, {problem.reach} people, "
            f"{problem.frequency:.2f} of 1,000 answers in 28 days, severity {problem.severity}.",
        )


def note_verified(*, fix) -> None:
    """Whether it helped, in the figures that were seen when it was verified."""
    for rate in fix.evidence.get("rates", ()):
        before, after = rate["before"], rate["after"]
        how = (
            f"its {fix.evidence['cases']} cases pass again"
            if fix.evidence.get("how") == "replays"
            else "by a lead's word"
        )
        _add(
            fix,
            f"P{rate['problem']} verified: {how}; {_rate(before)} before, {_rate(after)} since.",
        )


def _rate(shown) -> str:
    if shown["per_thousand"] is None:
        return "no answers"
    return f"{shown['per_thousand']:.2f} of 1,000 ({shown['low']:.2f} to {shown['high']:.2f})"


@transaction.atomic
def _add(fix, line) -> None:
    if fix.prompt_version_id is None:
        return
    version = PromptVersion.objects.select_for_update().get(pk=fix.prompt_version_id)
    if line not in version.rationale:
        version.rationale = f"{version.rationale}\n{line}".strip()
        version.save(update_fields=["rationale"])
