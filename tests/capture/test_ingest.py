"""What is kept of what comes in, and what becomes of the same id again."""

import threading

import pytest
from django.db import connection, connections

from feedbackhub.capture import ingest
from feedbackhub.capture.ingest import Status
from feedbackhub.capture.models import FeedbackEvent, Interaction, PromptVersion, Reporter
from feedbackhub.outbox import delivery
from feedbackhub.outbox.models import OutboxEvent

BODY = {
    "id": "chat/1",
    "input": "Can I deduct my bicycle?",
    "system_prompt": "You help with tax.",
    "output": "Yes, in full.",
    "occurred_at": "2026-11-01T10:00:00Z",
    "model": "lumen-2",
    "prompt": {"name": "tax-assistant", "version": "v13", "text": "You help with tax."},
    "retrieval": {"index": "tax", "documents": [{"id": "d1", "text": "Old guide."}, {"id": "d2"}]},
    "tags": ["web", "de"],
    "metadata": {"plan": "pro"},
    "user": {"id": "u-1"},
}


def keep(project, *bodies):
    return ingest.record_interactions(project=project, rows=list(enumerate(bodies)))


def say(project, *bodies):
    return ingest.record_feedback(project=project, rows=list(enumerate(bodies)))


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def test_an_interaction_is_kept_with_its_documents_prompt_and_news(project):
    (outcome,) = keep(project, BODY)
    row = Interaction.objects.get()
    assert (outcome.status, outcome.id) == (Status.ACCEPTED, "chat/1")
    assert row.messages == [
        {"role": "system", "content": "You help with tax."},
        {"role": "user", "content": "Can I deduct my bicycle?"},
    ]
    assert [d.document_id for d in row.documents.all()] == ["d1", "d2"]
    assert (row.prompt_version.name, row.prompt_version.version) == ("tax-assistant", "v13")
    assert (row.tags, row.metadata, row.model) == (["web", "de"], {"plan": "pro"}, "lumen-2")
    assert row.user_hash and "u-1" not in row.user_hash
    assert OutboxEvent.objects.get().about == {"interaction_id": row.pk}


def test_calls_of_tools_and_the_tools_are_kept_and_come_back(project):
    call = {"id": "c", "function": {"name": "rate", "arguments": {"of": "ana@example.org"}}}
    body = {
        **BODY,
        "messages": [
            {"role": "user", "content": "Which rate?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "7 %"},
        ],
        "tools": [{"function": {"name": "rate"}}],
    }
    (outcome,) = keep(
        project, {k: v for k, v in body.items() if k not in ("input", "system_prompt")}
    )
    row = Interaction.objects.get()
    assert outcome.redacted == {"EMAIL": 1}
    assert row.messages[1:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": "rate", "arguments": '{"of": "[EMAIL]"}'},
                }
            ],
        },
        {"role": "tool", "content": "7 %", "tool_call_id": "c"},
    ]
    assert row.tools == [{"type": "function", "function": {"name": "rate"}}]


def test_the_same_body_again_is_a_duplicate_and_another_one_a_conflict(project):
    keep(project, BODY)
    reordered = dict(reversed(BODY.items()))
    assert statuses(keep(project, reordered)) == [Status.DUPLICATE]
    assert statuses(keep(project, {**BODY, "output": "No."})) == [Status.CONFLICT]
    assert Interaction.objects.get().output == "Yes, in full."
    assert OutboxEvent.objects.count() == 1


def test_bodies_that_differ_only_in_what_is_masked_are_a_conflict(project):
    keep(project, {**BODY, "output": "Write to ana@example.org"})
    again = keep(project, {**BODY, "output": "Write to ben@example.org"})
    assert statuses(again) == [Status.CONFLICT]


def test_twins_inside_a_batch_are_told_apart(project):
    outcomes = keep(project, BODY, BODY, {**BODY, "output": "No."})
    assert statuses(outcomes) == [Status.ACCEPTED, Status.DUPLICATE, Status.CONFLICT]
    assert Interaction.objects.count() == 1


def test_good_rows_are_kept_when_others_are_bad(project):
    outcomes = keep(project, BODY, {"id": "chat/2"}, {**BODY, "id": "chat/3"}, "nonsense")
    assert statuses(outcomes) == [Status.ACCEPTED, Status.INVALID, Status.ACCEPTED, Status.INVALID]
    assert outcomes[1].id == "chat/2"
    assert outcomes[1].errors[0]["field"] == "output"


def test_ids_of_two_projects_do_not_meet(project, other_project):
    keep(project, BODY)
    assert statuses(keep(other_project, {**BODY, "output": "No."})) == [Status.ACCEPTED]


def test_personal_data_is_masked_before_the_first_save_and_counted(project):
    body = {**BODY, "input": "I am ana@example.org", "metadata": {"mail": "ana@example.org"}}
    (outcome,) = keep(project, body)
    row = Interaction.objects.get()
    assert outcome.redacted == row.redaction_counts == {"EMAIL": 2}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM capture_interaction t WHERE t::text LIKE '%ana@example%'"
        )
        assert cursor.fetchone() == (0,)


def test_an_erased_id_stays_away(project):
    keep(project, BODY)
    Interaction.objects.update(erased_at="2026-11-02T00:00:00Z", output="")
    assert statuses(keep(project, BODY)) == [Status.GONE]
    feedback = {"interaction_id": "chat/1", "kind": "thumbs_down"}
    assert statuses(say(project, feedback)) == [Status.GONE]
    assert not FeedbackEvent.objects.exists()


def test_a_prompt_version_is_made_on_first_sight_only(project):
    keep(project, BODY, {**BODY, "id": "chat/2"})
    keep(project, {**BODY, "id": "chat/3"})
    changed = {**BODY, "id": "chat/4", "prompt": {**BODY["prompt"], "text": "You help a lot."}}
    keep(project, changed)
    assert PromptVersion.objects.count() == 2


def test_feedback_is_attached_to_its_interaction(project):
    keep(project, BODY)
    (outcome,) = say(
        project,
        {
            "id": "f-1",
            "interaction_id": "chat/1",
            "kind": "thumbs_down",
            "category": "wrong",
            "reporter": {"ref": "u-1", "email": "ana@example.org", "consent": True},
        },
    )
    event = FeedbackEvent.objects.get()
    assert (outcome.id, event.interaction.external_id) == ("f-1", "chat/1")
    assert (event.reporter.email, event.reporter.can_be_told) == ("ana@example.org", True)
    assert event.reporter.ref_hash == Interaction.objects.get().user_hash


def test_feedback_may_come_before_its_interaction(project):
    say(project, {"interaction_id": "chat/1", "kind": "thumbs_down"})
    assert FeedbackEvent.objects.get().interaction is None
    keep(project, BODY)
    delivery.deliver_due()
    assert FeedbackEvent.objects.get().interaction.external_id == "chat/1"


def test_feedback_whose_interaction_was_committed_meanwhile_finds_it(project):
    say(project, {"interaction_id": "chat/1", "kind": "thumbs_down"})
    OutboxEvent.objects.update(delivered_at="2026-11-02T00:00:00Z")
    keep(project, BODY)
    OutboxEvent.objects.filter(kind="interaction_captured").update(
        delivered_at="2026-11-02T00:00:00Z"
    )
    OutboxEvent.objects.filter(kind="feedback_captured").update(delivered_at=None)
    delivery.deliver_due()
    assert FeedbackEvent.objects.get().interaction.external_id == "chat/1"


def test_feedback_of_another_project_is_not_attached(project, other_project):
    keep(other_project, BODY)
    say(project, {"interaction_id": "chat/1", "kind": "thumbs_down"})
    delivery.deliver_due()
    assert FeedbackEvent.objects.get().interaction is None


def test_feedback_with_an_id_is_kept_once_and_without_one_each_time(project):
    with_id = {"id": "f-1", "interaction_id": "chat/1", "kind": "copy"}
    assert statuses(say(project, with_id, with_id)) == [Status.ACCEPTED, Status.DUPLICATE]
    assert statuses(say(project, {**with_id, "kind": "abandon"})) == [Status.CONFLICT]
    without = {"interaction_id": "chat/1", "kind": "copy"}
    assert statuses(say(project, without, without)) == [Status.ACCEPTED] * 2


def test_the_newest_word_on_consent_counts_whatever_the_order(project):
    def word(day, consent):
        return {
            "interaction_id": "chat/1",
            "kind": "thumbs_down",
            "occurred_at": f"2026-11-{day:02}T00:00:00Z",
            "reporter": {"ref": "u-1", "email": "ana@example.org", "consent": consent},
        }

    say(project, word(5, False))
    say(project, word(3, True))
    assert Reporter.objects.get().has_consent is False
    say(project, word(7, True))
    assert Reporter.objects.get().has_consent is True


def test_a_forgotten_reporter_does_not_come_back_by_an_old_word(project):
    old = {
        "interaction_id": "chat/1",
        "kind": "thumbs_down",
        "occurred_at": "2026-11-01T00:00:00Z",
        "reporter": {"ref": "u-1", "email": "ana@example.org", "consent": True},
    }
    say(project, old)
    Reporter.objects.update(email="", has_consent=False, erased_at="2026-11-05T00:00:00Z")
    say(project, old)
    assert Reporter.objects.get().email == ""
    say(project, {**old, "occurred_at": "2026-11-10T00:00:00Z"})
    assert Reporter.objects.get().can_be_told


def test_a_score_on_a_scale_is_kept_between_0_and_1_with_its_raw_value(project):
    say(project, {"interaction_id": "chat/1", "kind": "rating", "score": 2, "scale": [1, 5]})
    event = FeedbackEvent.objects.get()
    assert (event.score, event.raw_score) == (0.25, {"value": 2, "scale": [1, 5]})


@pytest.mark.parametrize("count", [1, 3, 50])
def test_a_batch_costs_the_same_statements_whatever_its_size(project, count):
    from django.test.utils import CaptureQueriesContext

    keep(project, {**BODY, "id": "warm"})
    keep(project, {**BODY, "id": "warm again"})
    with CaptureQueriesContext(connection) as queries:
        keep(project, *({**BODY, "id": f"chat/{n}"} for n in range(count)))
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_id_from_six_at_once_is_kept_once_and_nobody_gets_an_error(project):
    barrier, found = threading.Barrier(6), []

    def send(n):
        barrier.wait()
        for round in range(10):
            body = {**BODY, "id": f"chat/{round}", "output": "same" if n % 2 else "other"}
            found.append((round, keep(project, body)[0].status))
        connections.close_all()

    threads = [threading.Thread(target=send, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Interaction.objects.count() == 10
    for round in range(10):
        of_round = sorted(status for number, status in found if number == round)
        assert of_round == ["accepted"] + ["conflict"] * 3 + ["duplicate"] * 2
