"""A person who is forgotten is in no table, no file and no mail; the anonymous label stays (rule 12, I18)."""

import json

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from annotation import case_assertions, comparing, exporting, gold
from annotation.models import (
    Annotation,
    Assignment,
    ExportRun,
    GoldExample,
    GoldVersion,
    ItemComment,
    ModelSuggestion,
    ReviewItem,
    Settlement,
    Span,
)
from feedbackhub.accounts.models import IdempotencyKey
from feedbackhub.capture import ingest
from feedbackhub.capture.erasure import erase_person, person_hash
from feedbackhub.capture.models import FeedbackEvent, Interaction, Reporter
from feedbackhub.outbox import delivery
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    CandidateAnswerFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from triage import fixing, notice_words, notices, problems
from triage.models import Fix, Notice, Problem

MARKER = "Zaphodina"
OTHER = "Trillian"


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


def interaction(project, number, name):
    body = {
        "id": f"chat/{number}",
        "session_id": f"session of {name}",
        "input": f"I am {name}. Can I deduct bicycle number {number * 7919:o}?",
        "output": f"Yes, {name}, in full.",
        "metadata": {"who": name},
        "tags": [name],
        "retrieval": {"documents": [{"id": "d1", "text": f"The file of {name}"}]},
        "user": {"id": name, "region": name},
    }
    ingest.record_interactions(project=project, rows=[(0, body)])
    return Interaction.objects.get(project=project, external_id=body["id"])


def complaint(project, row, name, **more):
    body = {
        "id": f"f-{row.pk}",
        "interaction_id": row.external_id,
        "kind": "report",
        "comment": f"{name} says it is wrong.",
        "reporter": {"ref": name, "email": f"{name}@example.com".lower(), "consent": True},
        "metadata": {"who": name},
        **more,
    }
    ingest.record_feedback(project=project, rows=[(0, body)])


def judged(row, name, ana):
    """Everything that people may have written about an answer, with the name in it."""
    item = ReviewItemFactory(
        interaction=row, queue__project=row.project, state="settled", reason=f"Ask about {name}."
    )
    assignment = AssignmentFactory(
        item=item, expert=ana, state="submitted", draft={"note": name}, skip_note=name
    )
    annotation = AnnotationFactory(
        assignment=assignment,
        note=f"{name} is right.",
        ratings=[{"word": f"{name} agrees", "value": 1}],
    )
    Span.objects.create(
        project=row.project,
        annotation=annotation,
        field="output",
        start=5,
        end=5 + len(name),
        quote=name,
        label="wrong",
    )
    ItemComment.objects.create(project=row.project, item=item, author=ana, text=f"Ask {name}.")
    wanted = {"kind": "must_not_mention", "texts": [name]}
    case_assertions.add(interaction=row, given=wanted, by=ana)
    ModelSuggestion.objects.create(
        project=row.project, item=item, schema=annotation.schema, model="m", why=f"Of {name}."
    )
    comparing.compare_answers(interaction=row, text=f"Never, {name}.", queue=item.queue)
    settlement = SettlementFactory(
        interaction=row,
        item=item,
        reason=f"{name} was wrong.",
        spans=[{"field": "output", "start": 5, "end": 9, "quote": name, "label": "wrong"}],
        chosen_answer=CandidateAnswerFactory(interaction=row, text=f"No, {name}."),
    )
    settlement.annotations.add(annotation)
    return settlement


@pytest.fixture
def house(project, ana, ben):
    """Two people's answers, judged, gold, exported, a problem each is a member of, told of its fix."""
    mine, theirs = interaction(project, 1, MARKER), interaction(project, 2, OTHER)
    for row, name in ((mine, MARKER), (theirs, OTHER)):
        complaint(project, row, name)
    delivery.deliver_due()
    for row, name in ((mine, MARKER), (theirs, OTHER)):
        gold.promote_to_gold(settlement=judged(row, name, ana), by=ben)
    GoldExample.objects.update(split="train")
    version = gold.freeze_gold_version(project=project, by=ben)
    for format in ("openai_sft", "trl_dpo", "eval"):
        run = exporting.request_export(version=version, format=format, is_left_to_a_worker=False)
        exporting.make_export(export_id=run.pk)
    title = problems.problem_title(
        category_name="Wrong", feature="tax", words=mine.last_user_message
    )
    problem = problems.open_problem(project=project, title=title)
    for row in (mine, theirs):
        problems.join_problem(problem=problem, interaction=row, source="expert")
    fix = fixing.record_fix(project=project, summary="Repaired.", problems_fixed=[problem])
    Fix.objects.filter(pk=fix.pk).update(evidence={"reason": f"{MARKER} and {OTHER} are content"})
    notices.prepare_notices(fix=fix)
    for notice in Notice.objects.all():
        message = notice_words.mail([notice])
        Notice.objects.filter(pk=notice.pk).update(subject=message.subject, body=message.body)
    IdempotencyKey.objects.create(
        project=project,
        key="asked",
        caller="a backend",
        method_and_path="POST /api/v1/recall",
        body_hash=b"",
        answer={"block": f"{MARKER} was told"},
        locked_until=timezone.now(),
    )
    return project


def places_with(word):
    """Every table whose rows hold the word somewhere."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{word}%"]
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def files_with(word, tmp_path):
    return [path for path in tmp_path.rglob("*") if path.is_file() and word in path.read_text()]


@pytest.fixture
def erased(house, django_capture_on_commit_callbacks):
    assert len(places_with(MARKER)) >= 12, "the setup holds something that could leak"
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(project=house, ref_hash=person_hash(project=house, reference=MARKER))
    return house


def test_no_table_holds_them_any_more(erased):
    assert places_with(MARKER) == []


def test_no_file_of_an_earlier_export_holds_them_and_the_new_ones_hold_the_others(erased, tmp_path):
    assert files_with(MARKER, tmp_path) == []
    assert len(files_with(OTHER, tmp_path)) == 3
    for run in ExportRun.objects.all():
        assert (run.state, run.row_count, run.erasure_epoch) == ("done", 1, 1)
        assert default_storage.exists(f"{run.file_name}/rows.jsonl")


def test_the_anonymous_label_stays(erased):
    row = Interaction.objects.get(external_id="chat/1")
    settlement = Settlement.objects.get(interaction=row)
    assert (settlement.verdict, settlement.severity) == ("wrong", "medium")
    assert Annotation.objects.get(item__interaction=row).categories == ["factual_error"]
    assert row.model_version == "" and row.erased_at


def test_what_is_somebody_elses_stays_whole(erased):
    assert len(places_with(OTHER)) >= 12
    assert Reporter.objects.get(erased_at=None).email == "trillian@example.com"


def test_no_mail_goes_to_them_any_more(erased):
    mine = Notice.objects.get(reporter__erased_at__isnull=False)
    assert (mine.state, mine.reason) == ("suppressed", "erased")
    assert [message.to for message in mail.outbox] == [["trillian@example.com"]]


def test_the_frozen_version_has_a_tombstone_and_a_new_digest_that_is_explained(house):
    before = GoldVersion.objects.get()
    erase_person(project=house, ref_hash=person_hash(project=house, reference=MARKER))
    after = GoldVersion.objects.get()
    assert after.digest != before.digest
    assert after.previous_digests == [{"digest": before.digest, "erasure_epoch": 0}]
    assert after.members.count() == 2
    run = ExportRun.objects.filter(format="eval").get()
    exporting.make_export(export_id=run.pk)
    run.refresh_from_db()
    assert run.manifest["gold_predecessors"] == after.previous_digests


def test_their_ids_are_tombstones(erased):
    again = ingest.record_interactions(
        project=erased, rows=[(0, {"id": "chat/1", "input": "Hi", "output": MARKER})]
    )
    assert again[0].status == "gone"
    assert places_with(MARKER) == []


def test_their_own_edit_of_somebody_elses_answer_goes_and_the_answer_stays(house):
    row = Interaction.objects.get(external_id="chat/2")
    complaint(house, row, MARKER, id="edit-1", kind="edit", edited_output=f"{MARKER} knows better.")
    delivery.deliver_due()
    assert "annotation_candidateanswer" in places_with("knows better")
    erase_person(project=house, ref_hash=person_hash(project=house, reference=MARKER))
    assert places_with("knows better") == []
    row.refresh_from_db()
    assert row.output == f"Yes, {OTHER}, in full."


def test_work_on_their_answers_leaves_the_queue(house, ana):
    row = interaction(house, 3, MARKER)
    item = ReviewItemFactory(interaction=row, queue__project=house)
    assignment = AssignmentFactory(item=item, expert=ana, draft={"note": MARKER})
    erase_person(project=house, ref_hash=person_hash(project=house, reference=MARKER))
    item.refresh_from_db()
    assert item.state == ReviewItem.State.DISMISSED
    assert Assignment.objects.get(pk=assignment.pk).draft == {}


def test_forgetting_twice_or_nobody_does_no_harm(erased):
    ref_hash = person_hash(project=erased, reference=MARKER)
    assert erase_person(project=erased, ref_hash=ref_hash)["interactions"] == 0
    assert erase_person(project=erased, ref_hash="nobody") == {
        "interactions": 0,
        "feedback": 0,
        "reporters": 0,
    }


def test_the_same_reference_in_another_project_is_another_person(house, other_project):
    interaction(other_project, 1, "x")
    theirs = {"id": "chat/9", "input": MARKER, "output": "b", "user": {"id": MARKER}}
    ingest.record_interactions(project=other_project, rows=[(0, theirs)])
    erase_person(project=house, ref_hash=person_hash(project=house, reference=MARKER))
    assert Interaction.objects.get(external_id="chat/9").erased_at is None


def test_an_operator_forgets_a_person_by_command(house, capsys):
    call_command("erase_person", MARKER, "--project", house.slug)
    said = json.loads(capsys.readouterr().out)
    assert said == {"interactions": 1, "feedback": 1, "reporters": 1}
    assert Problem.objects.get().title
    assert FeedbackEvent.objects.filter(erased_at__lte=timezone.now()).count() == 1
