"""What annotation adds to an interaction's trail: how it came to review, what was said, what holds, what became gold."""

from django.utils.translation import gettext as _

from annotation.models import Annotation, GoldRevision, ReviewItem, Settlement
from annotation.queries import still_to_judge
from feedbackhub.capture.trail import TrailEntry, contributor, withholder
from feedbackhub.page_links import page_url


@withholder
def _not_judged_yet(interaction, membership):
    """Whoever has it to judge blind sees nobody's answer before their own, nor what came of one; a lead too."""
    to_judge = still_to_judge(project=membership.project_id, expert=membership.user_id)
    if to_judge.filter(item__interaction=interaction).exists():
        return {"routed", "judged", "settled", "gold", "problem", "ticket", "fix", "notice"}
    return ()


@contributor
def _reviewed(interaction):
    items = ReviewItem.objects.filter(interaction=interaction).select_related(
        "queue", "flagged_by", "project"
    )
    for item in items.order_by("pk"):
        yield TrailEntry(
            at=item.created_at,
            kind="routed",
            title=_("Sent to review in %(queue)s") % {"queue": item.queue},
            text=item.reason,
            by=str(item.flagged_by) if item.flagged_by else "",
            facts={"state": item.state},
            link=page_url("item", item.project.slug, item.public_id),
        )


@contributor
def _judged(interaction):
    annotations = (
        Annotation.objects.current()
        .filter(item__interaction=interaction)
        .select_related("expert", "preference")
        .prefetch_related("candidates")
    )
    for annotation in annotations.order_by("pk"):
        if not annotation.verdict:
            yield TrailEntry(
                at=annotation.created_at,
                kind="judged",
                title=_("Compared with another answer: %(outcome)s")
                % {"outcome": annotation.preference.get_outcome_display()},
                text=annotation.note,
                by=str(annotation.expert),
            )
            continue
        correction = next(iter(annotation.candidates.all()), None)
        yield TrailEntry(
            at=annotation.created_at,
            kind="judged",
            title=_("Judged"),
            text=annotation.note,
            by=str(annotation.expert),
            facts={
                "verdict": annotation.verdict,
                "severity": annotation.severity,
                "categories": annotation.categories,
                "root_cause": annotation.root_cause,
                "edited_output": correction.text if correction else "",
            },
        )


@contributor
def _settled(interaction):
    settlements = Settlement.objects.filter(interaction=interaction, is_current=True)
    for settlement in settlements.select_related("decided_by").order_by("pk"):
        yield TrailEntry(
            at=settlement.created_at,
            kind="settled",
            title=_("Settled"),
            text=settlement.reason,
            by=str(settlement.decided_by or settlement.get_decided_how_display()),
            facts={
                "verdict": settlement.verdict,
                "severity": settlement.severity,
                "categories": settlement.categories,
                "root_cause": settlement.root_cause,
            },
        )


@contributor
def _gold(interaction):
    revisions = GoldRevision.objects.filter(
        example__interaction=interaction, erased_at=None
    ).select_related("example", "approved_by", "project")
    for revision in revisions.order_by("pk"):
        yield TrailEntry(
            at=revision.approved_at,
            kind="gold",
            title=_("Approved as gold, revision %(number)d") % {"number": revision.revision},
            by=str(revision.approved_by) if revision.approved_by else "",
            facts={"state": revision.example.split, "split": revision.example.split},
            link=page_url("gold_example", revision.project.slug, revision.example.public_id),
        )
