"""Two answers to one input: how they come in, how they are judged blind, and what becomes of it."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation import annotating, comparing, gold, lead_decisions, review_queue, settling
from annotation.agreement.judgements import shared_judgements
from annotation.approval import ready_for_gold
from annotation.models import (
    Annotation,
    Comparison,
    EvalResult,
    GoldVersion,
    Preference,
    ReviewItem,
    Settlement,
)
from annotation.preferences import preferences_of
from annotation.refusals import InvalidAnswer, WrongState
from feedbackhub.outbox.models import OutboxEvent
from tests.annotation.desk import at_once, claim, pass_time, queue_with
from tests.annotation.evaluation.candidate import evaluate, gold_version
from tests.factories import InteractionFactory, SettlementFactory

GIVEN = "You can deduct it if you ride it to work."
OTHER = "You cannot deduct it; you claim the commuting allowance instead."


@pytest.fixture
def cem(project):
    from tests.cast import _member

    return _member(project, "Cem", "expert")


@pytest.fixture
def queue(project):
    return queue_with(project, items=0, name="Tax", slug="tax")[0]


@pytest.fixture
def interaction(project):
    return InteractionFactory(project=project, external_id="chat/x", output=GIVEN)


@pytest.fixture
def item(queue, interaction):
    return comparing.compare_answers(
        interaction=interaction, text=OTHER, queue=queue, label="prompt v14"
    )


def letter_of(assignment, text):
    return next(letter for letter, each in comparing.sides_of(assignment) if each == text)


def prefer(assignment, text, **said):
    """Say that this text is the better one, or "equal" or "neither"."""
    letter = text if text in ("equal", "neither") else letter_of(assignment, text)
    return annotating.submit_annotation(
        assignment=assignment,
        fence=assignment.fence,
        revision=assignment.annotations.count(),
        submit_key=f"key {assignment.pk} {assignment.fence}",
        preference=letter,
        **said,
    )


def pass_undo():
    for annotation in Annotation.objects.current():
        pass_time(11, annotation)


# --- how they come in -----------------------------------------------------------------------------


def test_comparison_waits_in_its_queue_like_any_other_item(ana, queue, item):
    assert (item.purpose, item.state, item.overlap) == ("pairwise", "waiting", 1)
    assert claim(ana, queue).item == item


@pytest.mark.parametrize("text", [GIVEN, f"  {GIVEN}\n", "", "   "])
def test_same_answer_or_none_is_no_comparison(queue, interaction, text):
    assert comparing.compare_answers(interaction=interaction, text=text, queue=queue) is None
    assert not ReviewItem.objects.exists()


def test_database_refuses_a_comparison_of_equal_texts(item):
    with pytest.raises(IntegrityError), transaction.atomic():
        Comparison.objects.update(text_hash="same", given_hash="same")


def test_same_text_twice_is_one_comparison_and_another_text_a_second(queue, interaction, item):
    again = comparing.compare_answers(interaction=interaction, text=OTHER, queue=queue)
    more = comparing.compare_answers(interaction=interaction, text="No.", queue=queue)
    assert (again, again.is_new) == (item, False)
    assert (more.round, more.is_new) == (2, True)


@pytest.mark.django_db(transaction=True)
def test_same_text_at_the_same_instant_is_one_comparison(queue, interaction):
    def compare():
        return comparing.compare_answers(interaction=interaction, text=OTHER, queue=queue).pk

    assert len(set(at_once(compare, compare, compare))) == 1


def test_other_answer_is_masked_before_it_is_kept(queue, interaction):
    comparing.compare_answers(
        interaction=interaction, text="Write to ana.miller@example.com.", queue=queue
    )
    assert "ana.miller" not in Comparison.objects.get().text


def test_label_item_of_the_same_answer_stands_beside_it(queue, interaction, item):
    from annotation import intake

    flagged = intake.flag_interaction(interaction=interaction, queue=queue)
    assert flagged != item


# --- blind ----------------------------------------------------------------------------------------


def test_sides_stay_for_one_expert_and_differ_between_experts(project, queue, interaction):
    from tests.cast import _member

    seen = set()
    for number in range(12):
        expert = _member(project, f"Expert {number}", "expert")
        item = comparing.compare_answers(
            interaction=interaction, text=f"{OTHER} {number}", queue=queue
        )
        hand = review_queue.claim_next(project=project, expert=expert, items=[item.pk])
        first, second = comparing.sides_of(hand), comparing.sides_of(hand)
        assert first == second
        seen.add(first[0][1] == GIVEN)
    assert seen == {True, False}


def test_screen_says_nothing_of_whose_an_answer_is(as_user, ana, queue, interaction, item):
    interaction.feedback.create(
        project=queue.project,
        interaction_external_id="chat/x",
        kind="edit",
        edited_output="Tell-tale edit",
        occurred_at=interaction.occurred_at,
        body_hash=b"\0" * 32,
    )
    hand = claim(ana, queue)
    client = as_user(ana)
    page = client.get(reverse("review_item", args=["tax-help", hand.public_id])).content.decode()
    beside = client.get(reverse("review_context", args=["tax-help", hand.public_id]))
    assert GIVEN in page and OTHER in page
    for tell_tale in ("prompt v14", "lumen-2", "Tell-tale edit"):
        assert tell_tale not in page + beside.content.decode()


def test_long_answer_is_whole_under_its_letter_only(as_user, ana, queue, item):
    hand = claim(ana, queue)
    client = as_user(ana)
    texts = [
        client.get(reverse("review_text", args=["tax-help", hand.public_id, letter])).content
        for letter in "ab"
    ]
    assert texts == [text.encode() for _letter, text in comparing.sides_of(hand)]
    output = client.get(reverse("review_text", args=["tax-help", hand.public_id, "output"]))
    assert output.status_code == 404


# --- judging --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(GIVEN, "given"), (OTHER, "other"), ("equal", "equal"), ("neither", "neither")],
)
def test_preference_is_kept_as_what_it_is_about(ana, queue, item, said, outcome):
    annotation = prefer(claim(ana, queue), said, reasons=["correct", "short"], note="Law of 2024")
    preference = Preference.objects.get()
    item.refresh_from_db()
    assert (preference.outcome, preference.reasons) == (outcome, ["correct", "short"])
    assert (annotation.verdict, annotation.note, item.state) == ("", "Law of 2024", "settled")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "preference"),
        ({"preference": "given"}, "preference"),
        ({"preference": "a", "reasons": ["pretty"]}, "reasons"),
        ({"preference": "a", "reasons": [{}]}, "reasons"),
        ({"preference": "a", "note": "\0"}, "note"),
    ],
)
def test_preference_that_does_not_fit_names_its_field(ana, queue, item, said, field):
    hand = claim(ana, queue)
    with pytest.raises(InvalidAnswer) as refusal:
        annotating.submit_annotation(
            assignment=hand, fence=hand.fence, revision=0, submit_key="k", **said
        )
    assert list(refusal.value.errors) == [field]


def test_preference_settles_nothing_and_tells_nobody(ana, queue, item):
    prefer(claim(ana, queue), "neither")
    assert not Settlement.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_undo_brings_the_comparison_back_as_it_was_answered(ana, queue, item):
    hand = claim(ana, queue)
    letter = letter_of(hand, OTHER)
    prefer(hand, OTHER, reasons=["safe"])
    hand.refresh_from_db()
    back = annotating.undo_submit(assignment=hand, fence=hand.fence)
    item.refresh_from_db()
    said = {"preference": letter, "reasons": ["safe"], "note": "", "seconds_spent": 0}
    assert back.draft == said
    assert (back.state, item.state) == ("claimed", "in_review")
    prefer(back, GIVEN)
    pass_undo()
    assert comparing.counts_of(comparisons().get())["given"] == 1


def test_lead_may_send_a_preference_back_but_not_decide_it(ana, ben, queue, item):
    annotation = prefer(claim(ana, queue), OTHER)
    with pytest.raises(WrongState):
        settling.decide_dispute(
            item=item, by=ben, verdict="wrong", severity="low", reason="I say so"
        )
    lead_decisions.return_assignment(assignment=annotation.assignment, by=ben, reason="Look again")
    item.refresh_from_db()
    assert item.state == "waiting"


def test_agreement_on_labels_knows_no_preferences(ana, cem, project, interaction):
    queue, _ = queue_with(project, items=0, overlap=2)
    comparing.compare_answers(interaction=interaction, text=OTHER, queue=queue)
    prefer(claim(ana, queue), OTHER)
    prefer(claim(cem, queue), GIVEN)
    assert shared_judgements(project=project).items == []


# --- what becomes of it ---------------------------------------------------------------------------


def comparisons():
    return Comparison.objects.prefetch_related(comparing.current_preferences())


def test_preferred_answer_makes_a_pair_once_the_undo_has_passed(ana, queue, interaction, item):
    prefer(claim(ana, queue), OTHER)
    assert preferences_of(interaction) == []
    pass_undo()
    assert preferences_of(interaction) == [{"chosen": OTHER, "rejected": GIVEN}]


@pytest.mark.parametrize("said", ["equal", "neither"])
def test_tie_makes_no_pair(ana, queue, interaction, item, said):
    prefer(claim(ana, queue), said)
    pass_undo()
    assert preferences_of(interaction) == []


def test_more_than_half_must_prefer_it_and_all_must_have_said(ana, ben, cem, project, interaction):
    queue, _ = queue_with(project, items=0, overlap=3)
    comparing.compare_answers(interaction=interaction, text=OTHER, queue=queue)
    for expert, said in ((ana, GIVEN), (ben, GIVEN)):
        prefer(claim(expert, queue), said)
    pass_undo()
    assert preferences_of(interaction) == []  # the third is at work
    prefer(claim(cem, queue), OTHER)
    pass_undo()
    assert preferences_of(interaction) == [{"chosen": GIVEN, "rejected": OTHER}]


def test_experts_overrule_what_came_with_the_answer(ana, queue, interaction, item):
    interaction.metadata = {
        "source": {
            "alternatives": [OTHER],
            "preferences": [{"first": 1, "second": 2, "winner": 1}],
        }
    }
    interaction.save()
    assert preferences_of(interaction) == [{"chosen": GIVEN, "rejected": OTHER}]
    prefer(claim(ana, queue), OTHER)
    pass_undo()
    assert preferences_of(interaction) == [{"chosen": OTHER, "rejected": GIVEN}]


def test_finished_comparison_asks_for_the_next_approval_and_goes_into_gold(
    ana, ben, project, queue, interaction, item
):
    settlement = SettlementFactory(interaction=interaction, project=project)
    gold.promote_to_gold(settlement=settlement, by=ben)
    assert not ready_for_gold(project).exists()
    prefer(claim(ana, queue), OTHER)
    pass_undo()
    assert ready_for_gold(project).get() == settlement
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    assert (revision.revision, revision.preferences) == (
        2,
        [{"chosen": OTHER, "rejected": GIVEN}],
    )
    assert not ready_for_gold(project).exists()


# --- from a run of the gate -----------------------------------------------------------------------


@pytest.fixture
def run(project, ben):
    """A candidate that answers its one case with `OTHER`."""
    return evaluate(gold_version(project, ben, 1))


def test_answers_of_a_run_are_compared_once(queue, ben, run):
    assert comparing.compare_run(run=run, queue=queue, most=20, by=ben) == 1
    assert comparing.compare_run(run=run, queue=queue, most=20, by=ben) == 0
    comparison = Comparison.objects.get()
    assert (comparison.text, comparison.label, comparison.run) == (OTHER, "prompt=v2", run)


def test_run_that_answers_as_before_has_nothing_to_compare(queue, ben, run):
    EvalResult.objects.update(output=GIVEN)
    assert comparing.compare_run(run=run, queue=queue, most=20, by=ben) == 0


def test_lead_sends_a_run_to_be_compared_from_its_page(as_user, ana, ben, dana, queue, run):
    address = reverse("compare_run", args=["tax-help", run.public_id])
    assert as_user(dana).post(address, {"queue": "tax", "most": 5}).status_code == 403
    client = as_user(ben)
    answer = client.post(address, {"queue": "tax", "most": 5}, follow=True)
    assert "1 comparison waits in Tax." in answer.content.decode()
    assert client.post(address, {"queue": "nowhere", "most": 5}).status_code == 400


# --- pages and API --------------------------------------------------------------------------------


def compare(client, **body):
    return client.post("/api/v1/comparisons", body, content_type="application/json")


def test_program_brings_another_answer_in_once(api, queue, interaction):
    body = {"interaction_id": "chat/x", "output": OTHER, "label": "model 2", "queue": "tax"}
    made, again = compare(api("review"), **body), compare(api("review"), **body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    assert made.json()["preferred"] == {"given": 0, "other": 0, "equal": 0, "neither": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"output": OTHER}, "interaction_id"),
        ({"interaction_id": "chat/x"}, "output"),
        ({"interaction_id": "chat/x", "output": GIVEN}, "output"),
        ({"interaction_id": "chat/x", "output": 7}, "output"),
        ({"interaction_id": "chat/x", "output": OTHER, "queue": "nowhere"}, "queue"),
        ({"interaction_id": "chat/x", "output": OTHER, "colour": "red"}, "colour"),
        ({"interaction_id": "chat/x", "output": OTHER, "label": "x" * 201}, "label"),
    ],
)
def test_program_hears_which_field_is_wrong(api, queue, interaction, body, field):
    refused = compare(api("review"), **body)
    assert refused.status_code == 400
    assert field in [error["field"] for error in refused.json()["errors"]]
    assert not Comparison.objects.exists()


def test_comparing_another_projects_answer_is_not_found(api, queue, other_project):
    InteractionFactory(project=other_project, external_id="theirs")
    refused = compare(api("review"), interaction_id="theirs", output=OTHER)
    assert refused.status_code == 404


def test_program_reads_what_was_preferred(api, ana, queue, item):
    prefer(claim(ana, queue), OTHER)
    pass_undo()
    (row,) = api("review").get("/api/v1/comparisons").json()["results"]
    assert (row["winner"], row["preferred"]["other"], row["label"]) == ("other", 1, "prompt v14")
    assert api("review").get("/api/v1/annotations").json()["results"] == []


def test_comparisons_cost_the_same_queries_for_one_and_for_three(api, ana, queue, item):
    counts = []
    for texts in ([], ["No.", "Maybe."]):
        for text in texts:
            comparing.compare_answers(interaction=item.interaction, text=text, queue=queue)
        with CaptureQueriesContext(connection) as queries:
            api("review").get("/api/v1/comparisons")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_lead_sees_whose_it_is_and_what_each_preferred(as_user, ana, ben, queue, item):
    prefer(claim(ana, queue), OTHER, reasons=["correct"], note="Law of 2024")
    page = as_user(ben).get(reverse("item", args=["tax-help", item.public_id])).content.decode()
    for words in ("prompt v14", "The other one", "More correct", "Law of 2024"):
        assert words in page
    assert "Decide otherwise" not in page


def test_finished_list_and_trail_tell_of_a_comparison(as_user, ana, ben, queue, item):
    prefer(claim(ana, queue), OTHER)
    finished = as_user(ana).get("/p/tax-help/review/finished/")
    assert "compared" in finished.content.decode()
    trail = as_user(ben).get(reverse("interaction", args=["tax-help", item.interaction.public_id]))
    assert "Compared with another answer: The other one" in trail.content.decode()


def test_plain_form_is_judged_drafted_and_refused_in_place(as_user, ana, queue, item):
    hand = claim(ana, queue)
    client = as_user(ana)
    form = {"fence": hand.fence, "revision": 0, "draft_revision": 0, "submit_key": "one"}
    draft = client.post(
        reverse("save_draft", args=["tax-help", hand.public_id]),
        {**form, "preference": "equal", "reasons": ["safe"]},
    )
    assert draft.status_code == 302
    hand.refresh_from_db()
    assert hand.draft == {"preference": "equal", "reasons": ["safe"]}
    submit = reverse("submit_annotation", args=["tax-help", hand.public_id])
    refused = client.post(submit, {**form, "note": "kept"})
    assert refused.status_code == 400
    assert "Choose one of these." in refused.content.decode()
    assert "kept" in refused.content.decode()
    client.post(submit, {**form, "preference": "equal", "seconds_spent": "12"})
    assert Annotation.objects.get().seconds_spent == 12
    assert GoldVersion.objects.count() == 0
