"""The newest word on where an answer belongs: one row for each, kept by whoever puts it somewhere or leaves it alone."""

from triage.models import Placement


def keep(found: Placement) -> Placement:
    return Placement.objects.update_or_create(
        project_id=found.project_id,
        interaction=found.interaction,
        defaults={
            "problem": found.problem,
            "reason": found.reason,
            "nearest_id": found.nearest_id,
            "alike": found.alike,
            "needed": found.needed,
            "decided_at": found.decided_at,
        },
    )[0]


def note_by_hand(*, interaction, problem) -> Placement:
    """A lead put it where it is, or (None) took it out."""
    reason = Placement.Reason.HAND if problem else Placement.Reason.TAKEN_OUT
    return keep(
        Placement(
            project_id=interaction.project_id,
            interaction=interaction,
            problem=problem,
            reason=reason,
        )
    )
