"""Judgements given elsewhere come in as annotations of as many people."""

import json

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Annotation, Assignment, CandidateAnswer, ReviewItem, Settlement
from feedbackhub.accounts.models import Membership, User
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import claim, queue_with, submit
from tests.factories import InteractionFactory

RATING = {"name": "helpful", "word": "Meh", "value": 2, "scale": [1, 5]}


@pytest.fixture
def queue(project):
    queue, _ = queue_with(project, items=0, slug="tax", overlap=1)
    InteractionFactory(project=project, external_id="chat/1")
    return queue


def judgement(person="ann-1", **more):
    return {
        "interaction_id": "chat/1",
        "queue": "tax",
        "person": {"id": person, "name": f"Annotator {person}"},
        "verdict": "wrong",
        "severity": "medium",
        **more,
    }


def send(api, body, key=None):
    return api("admin").post(
        "/api/v1/annotations/import", json.dumps(body), content_type="application/json"
    )


def test_three_people_make_three_annotations_and_one_settlement(api, queue):
    span = {"field": "output", "start": 0, "end": 3, "label": "wrong"}
    answer = send(
        api,
        [
            judgement("a", spans=[span], ratings=[RATING], source="survey 4"),
            judgement("b", spans=[span], correction="You cannot deduct it."),
            judgement("c", verdict="partly", severity="low"),
        ],
    )
    assert answer.json() == {"accepted": 3, "duplicates": 0, "rejected": []}
    item = ReviewItem.objects.get()
    assert (item.state, item.overlap, item.taken_count) == ("settled", 3, 3)
    settlement = Settlement.objects.get(is_current=True)
    assert (settlement.verdict, settlement.annotation_count) == ("wrong", 3)
    assert settlement.chosen_answer.text == "You cannot deduct it."
    first = Annotation.objects.order_by("pk").first()
    assert (first.ratings, first.imported_from) == ([RATING], "survey 4")
    assert first.spans.get().quote == "You"
    assert OutboxEvent.objects.filter(kind="item_settled").count() == 1


def test_people_who_are_no_members_are_names_that_cannot_sign_in(api, queue, project):
    send(api, judgement("a"))
    send(api, {**judgement("a"), "interaction_id": other(project)})
    person = User.objects.get(email__endswith="@elsewhere.invalid")
    assert (person.name, person.is_active, person.has_usable_password()) == (
        "Annotator a",
        False,
        False,
    )
    assert not Membership.objects.filter(user=person).exists()
    assert Annotation.objects.filter(expert=person).count() == 2


def other(project):
    return InteractionFactory(project=project, external_id="chat/2").external_id


def test_a_member_is_found_by_address_but_not_one_of_another_project(api, queue, ana, eve):
    mine = judgement() | {"person": {"id": "x", "email": "ANA@example.com"}}
    assert send(api, mine).status_code == 201
    assert Annotation.objects.get().expert == ana
    theirs = judgement() | {"person": {"id": "y", "email": eve.email}}
    refused = send(api, theirs)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "person.email"


def test_the_same_again_is_a_duplicate_and_another_word_a_conflict(api, queue):
    assert send(api, judgement()).status_code == 201
    again = send(api, judgement())
    assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
    assert send(api, judgement(verdict="correct", severity="none")).status_code == 409
    assert Annotation.objects.count() == 1


def test_a_second_voice_can_turn_agreement_into_a_dispute(api, queue):
    send(api, judgement("a"))
    assert ReviewItem.objects.get().state == "settled"
    send(api, judgement("b", verdict="correct", severity="none"))
    assert ReviewItem.objects.get().state == "disputed"
    assert not Settlement.objects.filter(is_current=True).exists()


def test_an_imported_voice_takes_a_place_beside_the_houses_own(api, project, ana):
    queue, (item,) = queue_with(project, slug="tax", overlap=2)
    submit(claim(ana, queue))
    send(api, judgement() | {"interaction_id": item.interaction.external_id})
    item.refresh_from_db()
    assert (item.state, item.overlap, item.taken_count) == ("settled", 2, 2)


def test_harm_judged_elsewhere_is_told(api, queue):
    send(api, judgement(verdict="harmful", severity="critical"))
    about = OutboxEvent.objects.get(kind="harm_found").about
    assert about["annotation_id"] == Annotation.objects.get().pk


def test_notes_names_and_corrections_are_masked_before_they_are_stored(api, queue):
    secret = "write to zaphodina@example.org"
    send(
        api,
        judgement(note=secret, correction=secret, ratings=[{**RATING, "word": secret}])
        | {"person": {"id": "a", "name": "zaphodina@example.org"}},
    )
    annotation = Annotation.objects.get()
    stored = [annotation.note, CandidateAnswer.objects.get().text, annotation.ratings[0]["word"]]
    assert [text for text in [*stored, annotation.expert.name] if "zaphodina" in text] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interaction_id": "chat/9"}, "interaction_id"),
        ({"queue": "nowhere"}, "queue"),
        ({"person": {}}, "person.id"),
        ({"person": {"id": "a", "roles": ["lead"]}}, "person"),
        ({"verdict": "bad"}, "verdict"),
        ({"severity": None}, "severity"),
        ({"categories": ["no_such"]}, "categories.0"),
        ({"spans": [{"field": "output", "start": 0, "end": 9_999, "label": "wrong"}]}, "spans.0.start"),
        ({"spans": [{"field": "output", "start": 0, "end": 3, "quote": "Yup", "label": "wrong"}]}, "spans.0.quote"),
        ({"ratings": [{"name": "x", "value": 9, "scale": [1, 5]}]}, "ratings[0]"),
        ({"ratings": [RATING, RATING]}, "ratings"),
        ({"judged_at": "2999-01-01T00:00:00Z"}, "judged_at"),
        ({"judged_at": "2026-13-41"}, "judged_at"),
        ({"fence": 3}, "fence"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_does_not_fit_is_named_and_leaves_nothing(api, queue, change, field):
    refused = send(api, judgement() | change)
    assert refused.status_code == 400
    assert field in [error["field"] for error in refused.json()["errors"]]
    assert not ReviewItem.objects.exists()
    assert not Assignment.objects.exists()


def test_a_bad_row_in_a_batch_leaves_the_others(api, queue):
    answer = send(api, [judgement("a"), judgement("b", verdict="bad"), 7]).json()
    assert (answer["accepted"], [each["index"] for each in answer["rejected"]]) == (1, [1, 2])


def test_an_id_that_looks_like_a_members_address_is_somebody_else(api, queue, ana):
    InteractionFactory(project=queue.project, external_id="chat/2")
    stranger = judgement() | {"person": {"id": ana.email}}
    mine = judgement(interaction_id="chat/2") | {"person": {"id": "x", "email": ana.email}}
    assert send(api, [stranger, mine]).json()["accepted"] == 2
    by_case = dict(
        Annotation.objects.values_list("item__interaction__external_id", "expert__email")
    )
    assert by_case["chat/2"] == ana.email
    assert by_case["chat/1"].endswith("@elsewhere.invalid")


def test_the_tenth_person_is_refused(api, queue):
    answer = send(api, [judgement(f"p{number}") for number in range(10)]).json()
    assert (answer["accepted"], len(answer["rejected"])) == (9, 1)
    assert ReviewItem.objects.get().overlap == 9


def test_an_item_that_a_lead_took_out_stays_out(api, queue):
    send(api, judgement("a"))
    ReviewItem.objects.update(state="disputed")
    ReviewItem.objects.update(state="dismissed")
    assert send(api, judgement("b")).status_code == 409


def test_answers_of_another_project_are_not_there(api, queue, other_project):
    InteractionFactory(project=other_project, external_id="theirs")
    assert send(api, judgement(interaction_id="theirs")).status_code == 400


def test_only_an_admin_key_may_import(api, queue):
    refused = api("review").post(
        "/api/v1/annotations/import", judgement(), content_type="application/json"
    )
    assert refused.status_code == 403


def test_the_command_takes_rows_as_the_api_and_names_bad_lines(queue, project, tmp_path, capsys):
    file = tmp_path / "judged.jsonl"
    row = judgement("a")
    del row["queue"]
    file.write_text(f"{json.dumps(row)}\n\nno json\n[1]\n")
    call_command("import_annotations", str(file), project="tax-help", queue="tax")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["accepted"], answer["invalid"]) == (3, 1, 2)
    assert [each["line"] for each in answer["errors"]] == [2, 3]
    with pytest.raises(CommandError, match="no queue"):
        call_command("import_annotations", str(file), project="tax-help", queue="nowhere")
