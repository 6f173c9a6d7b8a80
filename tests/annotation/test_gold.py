"""From a settled case to gold, and from gold to a frozen version."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from annotation import assertions, case_assertions, gold
from annotation.approval import not_ready_for_gold, ready_for_gold
from annotation.lineage import lineage
from annotation.models import GoldExample, GoldRevision, GoldVersion, GoldVersionMember, Settlement
from annotation.refusals import InvalidAnswer
from feedbackhub.accounts.models import Project
from feedbackhub.capture.erasure import erase_person
from tests.annotation.desk import at_once
from tests.factories import (
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    ReporterFactory,
    ReviewItemFactory,
    SettlementFactory,
)


def test_an_approved_correction_is_the_ideal_answer_and_the_original_the_rejected_one(project, ben):
    settlement = SettlementFactory(project=project, interaction__project=project)
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    assert revision.ideal_answer == settlement.chosen_answer.text
    assert revision.rejected_answers == [settlement.interaction.output]
    assert revision.approved_by == ben
    settlement.chosen_answer.refresh_from_db()
    assert settlement.chosen_answer.state == "approved"


def test_an_answer_approved_later_supersedes_the_one_approved_first(project, ben):
    first = SettlementFactory(interaction__project=project)
    gold.promote_to_gold(settlement=first, by=ben)
    Settlement.objects.filter(pk=first.pk).update(is_current=False)
    better = CandidateAnswerFactory(interaction=first.interaction, text="Better.", author=ben)
    second = SettlementFactory(interaction=first.interaction, chosen_answer=better)
    assert gold.promote_to_gold(settlement=second, by=ben).ideal_answer == "Better."
    states = [(first.chosen_answer, "superseded"), (better, "approved")]
    for answer, state in states:
        answer.refresh_from_db()
        assert answer.state == state


def test_a_correct_answer_is_its_own_ideal_and_rejects_nothing(project, ben):
    settlement = SettlementFactory(
        interaction__project=project, verdict="correct", chosen_answer=None
    )
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    assert (revision.ideal_answer, revision.rejected_answers) == (settlement.interaction.output, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"chosen_answer": None}, "needs a correction"),
        ({"chosen_answer__text": ""}, "needs a correction"),  # its author was erased
        ({"is_current": False}, "judged again"),
        ({"takes_effect_at": timezone.now() + timedelta(hours=1)}, "taken back"),
        ({"interaction__erased_at": timezone.now()}, "erased"),
        ({"interaction__messages": []}, "no question"),
    ],
)
def test_what_is_missing_for_gold_is_said(project, ben, change, reason):
    settlement = SettlementFactory(interaction__project=project, **change)
    with pytest.raises(gold.NotReady, match=reason):
        gold.promote_to_gold(settlement=settlement, by=ben)
    assert not GoldExample.objects.exists()


def test_a_case_that_is_disputed_in_another_queue_is_no_gold_until_that_is_settled(project, ben):
    settlement = SettlementFactory(interaction__project=project)
    other = ReviewItemFactory(
        queue__project=project, interaction=settlement.interaction, state="disputed"
    )
    assert (list(ready_for_gold(project)), list(not_ready_for_gold(project))) == ([], [settlement])
    with pytest.raises(gold.NotReady, match="experts disagree"):
        gold.promote_to_gold(settlement=settlement, by=ben)
    other.state = "settled"
    other.save()
    assert list(ready_for_gold(project)) == [settlement]
    assert gold.promote_to_gold(settlement=settlement, by=ben)


def test_a_case_is_gold_under_one_schema_until_a_lead_replaces_it_knowingly(as_user, project, ben):
    first = SettlementFactory(interaction__project=project)
    gold.promote_to_gold(settlement=first, by=ben)
    second = SettlementFactory(
        interaction=first.interaction,
        chosen_answer=first.chosen_answer,
        schema=LabelSchemaFactory(project=project, name="tone"),
    )
    assert (list(ready_for_gold(project)), list(not_ready_for_gold(project))) == ([], [second])
    with pytest.raises(gold.NotReady, match="already under the schema default"):
        gold.promote_to_gold(settlement=second, by=ben)
    page, address = as_user(ben), reverse("gold_approve", args=["tax-help"])
    assert b"Replace that and approve" in page.get(address + "?show=missing").content
    page.post(address, {"case": second.public_id, "replaces": "1"})
    assert GoldRevision.objects.get(is_current=True).settlement == second
    assert (list(ready_for_gold(project)), list(not_ready_for_gold(project))) == ([], [first])


@pytest.mark.parametrize("is_still_settled", [True, False])
def test_when_the_current_wording_is_erased_the_one_before_holds_or_the_example_is_retired(
    api, as_user, dana, project, ben, is_still_settled
):
    """The reporter's own edit was the ideal answer; they ask to be forgotten."""
    old = SettlementFactory(interaction__project=project)
    gold.promote_to_gold(settlement=old, by=ben)
    reporter = ReporterFactory(project=project)
    FeedbackEventFactory(interaction=old.interaction, reporter=reporter, kind="edit")
    edit = CandidateAnswerFactory(interaction=old.interaction, text="Mine.", source="reporter")
    schema = LabelSchemaFactory(project=project, name="tone") if is_still_settled else old.schema
    Settlement.objects.filter(pk=old.pk).update(is_current=is_still_settled)
    new = SettlementFactory(interaction=old.interaction, chosen_answer=edit, schema=schema)
    example = gold.promote_to_gold(settlement=new, by=ben, replaces=True).example
    erase_person(project=project, ref_hash=reporter.ref_hash)
    example.refresh_from_db()
    assert (example.retired_at is None, example.erased_at) == (is_still_settled, None)
    assert list(example.revisions.filter(is_current=True).values_list("revision", flat=True)) == (
        [1] if is_still_settled else []
    )
    assert lineage(example)["settlement"]["id"] == old.public_id
    assert api("export").get(f"/api/v1/gold/{example.public_id}/lineage").status_code == 200
    page = reverse("gold_example", args=["tax-help", example.public_id])
    assert as_user(dana).get(page).status_code == 200
    assert as_user(dana).get(reverse("gold", args=["tax-help"]) + "?retired=yes").status_code == 200


def test_personal_data_in_an_assertion_keeps_a_case_from_gold_too(project, ben):
    settlement = SettlementFactory(interaction__project=project)
    for given in (
        {"kind": "must_mention", "texts": ["ada@example.org"]},
        {"kind": "matches", "pattern": r"write to ada@example\.org"},
    ):
        case_assertions.add(interaction=settlement.interaction, given=given, by=ben)
    with pytest.raises(gold.NotReady, match="2 × EMAIL"):
        gold.promote_to_gold(settlement=settlement, by=ben)
    revision = gold.promote_to_gold(settlement=settlement, by=ben, masks=True)
    assert "ada@" not in str(revision.assertions)
    for assertion in revision.assertions:
        assert assertions.hold(assertion, "write to [EMAIL]").passed


def test_personal_data_keeps_a_case_from_gold_until_it_is_masked_there(project, ben):
    settlement = SettlementFactory(
        interaction__project=project, chosen_answer__text="Write to ada@example.org instead."
    )
    with pytest.raises(gold.NotReady, match="1 × EMAIL"):
        gold.promote_to_gold(settlement=settlement, by=ben)
    assert not GoldExample.objects.exists()
    revision = gold.promote_to_gold(settlement=settlement, by=ben, masks=True)
    assert revision.ideal_answer == "Write to [EMAIL] instead."
    settlement.chosen_answer.refresh_from_db()
    assert settlement.chosen_answer.text == "Write to ada@example.org instead."


def test_what_a_project_does_not_mask_is_no_personal_data_there(project, ben):
    Project.objects.filter(pk=project.pk).update(redaction_kinds=["CARD"])
    settlement = SettlementFactory(
        interaction__project=project, chosen_answer__text="Write to ada@example.org instead."
    )
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    assert revision.ideal_answer == "Write to ada@example.org instead."


def test_approving_twice_is_approving_once(project, ben):
    settlement = SettlementFactory(interaction__project=project)
    first = gold.promote_to_gold(settlement=settlement, by=ben)
    assert gold.promote_to_gold(settlement=settlement, by=ben) == first
    assert GoldRevision.objects.count() == 1


def test_a_case_that_was_settled_anew_becomes_the_next_revision_of_the_same_example(project, ben):
    old = SettlementFactory(interaction__project=project)
    gold.promote_to_gold(settlement=old, by=ben)
    old.is_current = False
    old.save()
    new = SettlementFactory(
        interaction=old.interaction,
        item=old.item,
        chosen_answer=CandidateAnswerFactory(interaction=old.interaction, text="Better still."),
    )
    revision = gold.promote_to_gold(settlement=new, by=ben)
    assert (revision.revision, revision.ideal_answer) == (2, "Better still.")
    assert GoldExample.objects.count() == 1
    assert list(GoldRevision.objects.order_by("revision").values_list("is_current", flat=True)) == [
        False,
        True,
    ]


def test_twins_are_born_into_one_split(project, ben):
    question = "Can I deduct the costs of my home office if I work there {} days a week?"
    for n, days in enumerate(["two", "three", "four"]):
        interaction = InteractionFactory(
            project=project,
            external_id=f"twin-{n}",
            messages=[{"role": "user", "content": question.format(days)}],
        )
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)
    assert GoldExample.objects.values("split").distinct().count() == 1
    assert GoldExample.objects.count() == 3


def approve(project, ben, count):
    for n in range(count):
        interaction = InteractionFactory(
            project=project, messages=[{"role": "user", "content": f"Question {n * 7919:o}?"}]
        )
        gold.promote_to_gold(settlement=SettlementFactory(interaction=interaction), by=ben)


def test_a_version_holds_what_is_approved_at_that_moment(project, ben):
    approve(project, ben, 3)
    version = gold.freeze_gold_version(project=project, by=ben, tags=["release-1"])
    approve(project, ben, 1)
    assert (version.number, version.example_count, version.members.count()) == (1, 3, 3)
    assert gold.freeze_gold_version(project=project, by=ben).example_count == 4


def test_freezing_nothing_new_says_so(project, ben):
    with pytest.raises(gold.NothingToFreeze, match="No example is approved"):
        gold.freeze_gold_version(project=project)
    approve(project, ben, 1)
    gold.freeze_gold_version(project=project)
    with pytest.raises(gold.NothingToFreeze, match="Nothing changed since version 1"):
        gold.freeze_gold_version(project=project)


def test_a_retired_example_is_in_old_versions_only(project, ben):
    approve(project, ben, 2)
    first = gold.freeze_gold_version(project=project)
    gold.retire_example(example=GoldExample.objects.first())
    second = gold.freeze_gold_version(project=project)
    assert (first.members.count(), second.members.count()) == (2, 1)


def test_the_same_gold_has_the_same_digest_and_any_change_another(project, ben):
    approve(project, ben, 2)
    first = gold.freeze_gold_version(project=project)
    lines = GoldRevision.objects.order_by("example_id").values_list(
        "example__public_id", "content_hash", "example__split"
    )
    assert gold.digest_of(lines) == (first.digest, 2)
    with pgtrigger.ignore():
        first_of_all = GoldRevision.objects.order_by("pk")[:1].values("pk")
        GoldRevision.objects.filter(pk__in=first_of_all).update(content_hash="0" * 64)
    assert gold.digest_of(lines.all())[0] != first.digest


@pytest.mark.django_db(transaction=True)
def test_a_version_is_what_was_frozen_whatever_is_retired_or_approved_meanwhile(
    project, ben, monkeypatch
):
    approve(project, ben, 3)
    settlement = SettlementFactory(interaction__project=project)
    counted = gold.digest_of

    def change_meanwhile(lines):
        at_once(
            lambda: gold.retire_example(example=GoldExample.objects.first()),
            lambda: gold.promote_to_gold(settlement=settlement, by=ben),
        )
        monkeypatch.setattr(gold, "digest_of", counted)
        return counted(lines)

    monkeypatch.setattr(gold, "digest_of", change_meanwhile)
    version = gold.freeze_gold_version(project=project)
    assert gold.digest_of_version(version) == (version.digest, version.example_count)
    assert GoldExample.objects.filter(retired_at=None).count() == 3
    assert version.example_count == 3


def test_a_new_version_may_not_take_the_tag_of_another(api, as_user, dana, project, ben):
    approve(project, ben, 1)
    gold.freeze_gold_version(project=project, tags=["release-14"])
    approve(project, ben, 2)
    with pytest.raises(InvalidAnswer, match="Version 1 has one of these tags"):
        gold.freeze_gold_version(project=project, tags=["release-14"])
    page = as_user(dana).post(reverse("gold_versions", args=["tax-help"]), {"tags": "release-14"})
    assert page.status_code == 400 and b"Version 1 has one of these tags" in page.content
    answer = api("export").post(
        "/api/v1/gold-versions", {"tags": ["release-14"]}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "tags")
    assert GoldVersion.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"ideal_answer": "Other."}, {"labels": {}}, {"content_hash": "0"}, {"revision": 7}]
)
def test_a_revision_is_immutable_in_the_database_itself(project, ben, change):
    approve(project, ben, 1)
    with pytest.raises(DatabaseError, match="Cannot update rows"), transaction.atomic():
        GoldRevision.objects.update(**change)
    GoldRevision.objects.update(is_current=True, approved_at=timezone.now())


def test_a_frozen_member_is_immutable_in_the_database_itself(project, ben):
    approve(project, ben, 1)
    gold.freeze_gold_version(project=project)
    with pytest.raises(DatabaseError, match="Cannot update rows"), transaction.atomic():
        GoldVersionMember.objects.update(split="elsewhere")


def test_two_versions_never_share_a_number(project, ben):
    approve(project, ben, 1)
    version = gold.freeze_gold_version(project=project)
    with pytest.raises(IntegrityError), transaction.atomic():
        GoldVersion.objects.create(project=project, number=version.number, digest="x")
    assert Project.objects.get(pk=project.pk).next_gold_version == 2


def test_every_gold_row_leads_back_to_its_interaction(project, ben):
    settlement = SettlementFactory(interaction__project=project)
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    version = gold.freeze_gold_version(project=project)
    trail = lineage(revision.example)
    assert trail["interaction"]["id"] == settlement.interaction.external_id
    assert trail["settlement"]["id"] == settlement.public_id
    assert trail["versions"] == [version.number]


def test_settled_scores_are_among_the_labels_where_there_are_some(project, ben):
    scored = SettlementFactory(
        project=project, interaction__project=project, verdict="correct", rubric_scores={"clear": 4}
    )
    plain = SettlementFactory(project=project, interaction__project=project, verdict="correct")
    labels = [
        gold.promote_to_gold(settlement=settlement, by=ben).labels for settlement in (scored, plain)
    ]
    assert labels[0].pop("rubric_scores") == {"clear": 4}
    assert set(labels[0]) == set(labels[1])
