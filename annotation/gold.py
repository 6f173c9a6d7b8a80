"""Gold: what a lead approved as truth, kept in immutable revisions, frozen into numbered versions.

Approval is its own step after settling. Every gold revision leads back to its settlement, and from there to annotations,
feedback, interaction, prompt version and model.
"""

import hashlib
import json

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import case_assertions, personal_data
from annotation.gold_versions import free_tags
from annotation.models import (
    CandidateAnswer,
    GoldExample,
    GoldRevision,
    GoldVersion,
    GoldVersionMember,
    ReviewItem,
    Settlement,
    Verdict,
)
from annotation.preferences import preferences_of
from annotation.splits import split_of_group
from feedbackhub import outbox
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import NearDuplicateGroup
from feedbackhub.capture.near_duplicates import group_of


class NotReady(Exception):
    """A settlement that cannot be gold yet; `reasons` say what is missing, in words."""

    def __init__(self, reasons: list[str]):
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class NothingToFreeze(Exception):
    """There is no approved example, or nothing changed since the last version."""


def missing_for_gold(settlement: Settlement) -> list[str]:
    """What is missing before this settlement can be gold; empty when nothing is."""
    reasons = []
    if not settlement.is_current:
        reasons.append(_("It was judged again since; approve the newer judgement."))
    if settlement.takes_effect_at > timezone.now():
        reasons.append(_("It can still be taken back for a few seconds."))
    if settlement.interaction.erased_at:
        reasons.append(_("Its person was erased."))
    if disputed_again(settlement):
        reasons.append(_("Its experts disagree in another queue; settle that first."))
    if (
        settlement.verdict != Verdict.CORRECT
        and not (settlement.chosen_answer and settlement.chosen_answer.text)
        and not case_assertions.of(settlement.interaction).exists()
    ):
        reasons.append(
            _("A wrong answer needs a correction or an assertion before it can teach anything.")
        )
    if not settlement.interaction.messages:
        reasons.append(_("It has no question."))
    return reasons


def disputed_again(settlement: Settlement) -> bool:
    """Another queue that judges by the same schema waits for a lead's word on the same case."""
    return ReviewItem.objects.filter(
        interaction=settlement.interaction_id,
        queue__schema_name=settlement.schema_name,
        purpose=ReviewItem.Purpose.LABEL,
        state=ReviewItem.State.DISPUTED,
    ).exists()


def replaced_by(settlement: Settlement) -> str:
    """The other schema under which this case is gold already, when there is one: a case is gold once."""
    found = GoldRevision.objects.filter(
        example__interaction=settlement.interaction_id, example__retired_at=None, is_current=True
    ).exclude(settlement__schema_name=settlement.schema_name)
    return found.values_list("settlement__schema_name", flat=True).first() or ""


def already_gold(schema_name: str) -> str:
    return _("It is gold already under the schema %s; approving this replaces that.") % schema_name


def personal_data_in(settlement: Settlement) -> dict[str, int]:
    """What its revision would hold of it, by kind."""
    return personal_data.left_in(_content(settlement), settlement.project)


def personal_data_left(found: dict[str, int]) -> str:
    words = ", ".join(f"{count} × {kind}" for kind, count in sorted(found.items()))
    return _("Personal data is left: %s. Mask it, or change the correction.") % words


@transaction.atomic
def promote_to_gold(*, settlement: Settlement, by, masks=False, replaces=False) -> GoldRevision:
    """Approve a settlement as gold: a new example with its split, or a new revision of the one there is.

    Raises NotReady, for personal data too, unless it is to be masked on the way (`masks`), and where the case is gold under
    another schema, unless this is to take its place (`replaces`). Approving the same settlement again answers the revision it has.
    """
    settlement = (
        Settlement.objects.select_for_update(of=("self",))
        .select_related("interaction", "chosen_answer", "schema", "project")
        .get(pk=settlement.pk)
    )
    reasons = missing_for_gold(settlement)
    if not replaces and (other := replaced_by(settlement)):
        reasons.append(already_gold(other))
    if reasons:
        raise NotReady(reasons)
    content = _content(settlement)
    if masks:
        content = personal_data.masked(content, settlement.project)
    elif found := personal_data.left_in(content, settlement.project):
        raise NotReady([personal_data_left(found)])
    example = _example_of(settlement)
    newest = example.revisions.order_by("-revision").first()
    is_same = newest and newest.is_current and newest.settlement_id == settlement.pk
    if is_same and newest.content_hash == content_hash(content):
        GoldRevision.objects.filter(pk=newest.pk).update(approved_at=timezone.now())
        return newest
    example.revisions.filter(is_current=True).update(is_current=False)
    revision = GoldRevision.objects.create(
        project=settlement.project,
        example=example,
        revision=newest.revision + 1 if newest else 1,
        settlement=settlement,
        approved_by=by,
        content_hash=content_hash(content),
        **content,
    )
    if settlement.chosen_answer:
        _approve_answer(settlement)
        outbox.publish("correction_approved", project=settlement.project, revision_id=revision.pk)
    return revision


def _example_of(settlement) -> GoldExample:
    interaction = settlement.interaction
    first = next(iter(sorted(settlement.categories)), "")
    split = split_of_group(_held_group_of(interaction), first)
    example, is_new = GoldExample.objects.get_or_create(
        interaction=interaction, defaults={"project_id": interaction.project_id, "split": split}
    )
    if not is_new and example.retired_at:
        GoldExample.objects.filter(pk=example.pk).update(retired_at=None)
        example.retired_at = None
    return GoldExample.objects.select_for_update().get(pk=example.pk)


def _held_group_of(interaction) -> NearDuplicateGroup:
    """Its group, kept from merging and from other newcomers to gold until we commit: twins are born one after the other."""
    while True:
        group = group_of(interaction)
        NearDuplicateGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
        if group_of(interaction).pk == group.pk:
            return group


def _content(settlement) -> dict:
    interaction, chosen = settlement.interaction, settlement.chosen_answer
    is_correct = settlement.verdict == Verdict.CORRECT
    ideal = chosen.text if chosen else interaction.output if is_correct else ""
    rejected = [] if ideal == interaction.output or is_correct else [interaction.output]
    return {
        "messages": interaction.messages,
        **({"tools": interaction.tools} if interaction.tools else {}),
        "context": [
            {
                "id": d.document_id,
                "chunk_id": d.chunk_id,
                "title": d.title,
                "url": d.url,
                "text": d.text,
            }
            for d in interaction.documents.all()
        ],
        "ideal_answer": ideal,
        "rejected_answers": rejected,
        "preferences": preferences_of(interaction),
        "labels": {
            "verdict": settlement.verdict,
            "severity": settlement.severity,
            "categories": sorted(settlement.categories),
            "root_cause": settlement.root_cause,
            "schema": f"{settlement.schema.name} v{settlement.schema.version}",
            **({"rubric_scores": scores} if (scores := settlement.rubric_scores) else {}),
        },
        "assertions": case_assertions.bodies(interaction),
    }


def content_hash(content: dict) -> str:
    """SHA-256 of what a revision says."""
    plain = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _approve_answer(settlement) -> None:
    answers = CandidateAnswer.objects.filter(interaction=settlement.interaction)
    answers.filter(state="approved").exclude(pk=settlement.chosen_answer_id).update(
        state="superseded"
    )
    answers.filter(pk=settlement.chosen_answer_id).exclude(state="approved").update(
        state="approved"
    )


@transaction.atomic
def retire_example(*, example: GoldExample) -> GoldExample:
    """Take an example out of the versions to come; frozen ones stay whole."""
    GoldExample.objects.filter(pk=example.pk, retired_at=None).update(retired_at=timezone.now())
    example.refresh_from_db()
    return example


def bring_back(*, example: GoldExample) -> GoldExample:
    """Take a retired example into the versions to come again, as it was; nothing when nothing of it holds any more: its
    words were erased, or its case was judged again or opened again since.
    """
    GoldExample.objects.filter(
        pk=example.pk,
        erased_at=None,
        revisions__is_current=True,
        revisions__settlement__is_current=True,
    ).update(retired_at=None)
    example.refresh_from_db()
    return example


# --- versions -------------------------------------------------------------------------------------

# One statement, hence one moment: what a version is, is counted from what was frozen.
FREEZE = """
INSERT INTO annotation_goldversionmember (project_id, version_id, revision_id, split)
SELECT revision.project_id, %s, revision.id, example.split
  FROM annotation_goldrevision revision
  JOIN annotation_goldexample example ON example.id = revision.example_id
 WHERE revision.project_id = %s AND revision.is_current AND revision.erased_at IS NULL
   AND example.retired_at IS NULL AND example.erased_at IS NULL
 ORDER BY revision.example_id
"""


@transaction.atomic
def freeze_gold_version(*, project: Project, by=None, description="", tags=()) -> GoldVersion:
    """Freeze the current revisions of all living examples as the next numbered version.

    Raises NothingToFreeze when there are none, or when the last version holds exactly these; InvalidAnswer for a taken tag.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = GoldVersion.objects.filter(project=project).order_by("-number").first()
    version = GoldVersion.objects.create(
        project=project,
        number=project.next_gold_version,
        description=description,
        tags=free_tags(project, tags),
        erasure_epoch=project.erasure_epoch,
        frozen_by=by,
    )
    with connection.cursor() as cursor:
        cursor.execute(FREEZE, [version.pk, project.pk])
    version.digest, version.example_count = digest_of_version(version)
    if not version.example_count:
        raise NothingToFreeze(_("No example is approved yet. Approve settled cases first."))
    if last and last.digest == version.digest:
        raise NothingToFreeze(
            _("Nothing changed since version %(number)d.") % {"number": last.number}
        )
    version.save(update_fields=["digest", "example_count"])
    Project.objects.filter(pk=project.pk).update(next_gold_version=F("next_gold_version") + 1)
    outbox.publish("gold_frozen", project=project, version_id=version.pk)
    return version


def digest_of_version(version: GoldVersion) -> tuple[str, int]:
    """(digest, count) of what a version holds."""
    members = GoldVersionMember.objects.filter(version=version).order_by("revision__example_id")
    lines = members.values_list("revision__example__public_id", "revision__content_hash", "split")
    return digest_of(lines.iterator())


def digest_of(lines) -> tuple[str, int]:
    """(digest, count) of (example's public id, content hash, split) lines in order: what a version is."""
    sha, count = hashlib.sha256(), 0
    for public_id, revision_hash, split in lines:
        sha.update(f"{public_id} {revision_hash} {split}\n".encode())
        count += 1
    return sha.hexdigest(), count
