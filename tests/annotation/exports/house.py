"""A frozen version of four cases, and exports of it."""

from annotation import exporting, gold
from annotation.models import ExportRun, GoldExample, GoldVersion
from tests.factories import InteractionFactory, SettlementFactory


def frozen_house(project, by) -> GoldVersion:
    """chat/0 to chat/3, corrected and approved; the last one is holdout."""
    for n in range(4):
        interaction = InteractionFactory(
            project=project,
            external_id=f"chat/{n}",
            messages=[{"role": "user", "content": f"Question {n * 7919:o}?"}],
        )
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=by)
    last = GoldExample.objects.order_by("-id").first()
    GoldExample.objects.exclude(pk=last.pk).update(split="train")
    GoldExample.objects.filter(pk=last.pk).update(split="holdout")
    return gold.freeze_gold_version(project=project, by=by)


def made(version, format="openai_sft", **asked_for) -> ExportRun:
    run = exporting.request_export(
        version=version, format=format, is_left_to_a_worker=False, **asked_for
    )
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    return run
