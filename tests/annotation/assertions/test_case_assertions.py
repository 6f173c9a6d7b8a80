"""The assertions of a case: tried on both answers, copied into gold, and pages that show them."""

import pytest
from django.urls import reverse

from annotation import assertions, case_assertions, gold
from annotation.approval import not_ready_for_gold, ready_for_gold
from annotation.models import CaseAssertion
from tests.factories import (
    AssignmentFactory,
    CandidateAnswerFactory,
    InteractionFactory,
    QueueMemberFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

MENTION = {"kind": "must_mention", "texts": ["commute"]}


@pytest.fixture
def settled(project):
    """A wrong answer ("You can deduct …") with the correction of the factory."""
    return SettlementFactory(interaction__project=project)


def page(interaction, **query):
    address = reverse("assertions", args=[interaction.project.slug, interaction.public_id])
    return address + "".join(f"?{key}={value}" for key, value in query.items())


# --- trying ---------------------------------------------------------------------------------------


def test_an_assertion_is_held_against_both_answers(settled):
    interaction = settled.interaction
    words = settled.chosen_answer.text.split()[-1].strip(".")
    assert words not in interaction.output
    case_assertions.add(
        interaction=interaction, given={"kind": "must_mention", "texts": [words]}, by=None
    )
    [tried] = case_assertions.tried(interaction)
    assert (tried.original.passed, tried.corrected.passed, tried.doubt) == (False, True, "")


def test_one_that_would_not_have_caught_the_case_is_doubted(settled):
    case_assertions.add(
        interaction=settled.interaction, given={"kind": "max_words", "words": 90_000}, by=None
    )
    [tried] = case_assertions.tried(settled.interaction)
    assert "would not have caught" in tried.doubt


def test_one_that_the_correction_fails_is_doubted(settled):
    case_assertions.add(interaction=settled.interaction, given=MENTION, by=None)
    CaseAssertion.objects.update(body={"kind": "must_mention", "texts": ["no such words"]})
    [tried] = case_assertions.tried(settled.interaction)
    assert "corrected answer fails it too" in tried.doubt


def test_an_answer_that_was_found_right_ought_to_pass(project):
    settled = SettlementFactory(interaction__project=project, verdict="correct", chosen_answer=None)
    for given in ({"kind": "max_words", "words": 90_000}, {"kind": "max_words", "words": 1}):
        case_assertions.add(interaction=settled.interaction, given=given, by=None)
    passes, fails = case_assertions.tried(settled.interaction)
    assert (passes.doubt, fails.doubt) == ("", "The answer was found right, yet fails it.")


def test_what_was_settled_on_is_the_correction_whatever_was_written_since(settled):
    CandidateAnswerFactory(interaction=settled.interaction, text="Another one, proposed later.")
    assert case_assertions.newest_correction(settled.interaction) == settled.chosen_answer


def test_the_same_assertion_twice_is_one(settled):
    first = case_assertions.add(interaction=settled.interaction, given=MENTION, by=None)
    assert case_assertions.add(interaction=settled.interaction, given=MENTION, by=None) == first


def test_one_that_was_written_again_since_is_not_put_back_beside_itself(settled):
    first = case_assertions.add(interaction=settled.interaction, given=MENTION, by=None)
    case_assertions.remove(assertion=first)
    again = case_assertions.add(interaction=settled.interaction, given=MENTION, by=None)
    case_assertions.put_back(assertion=first)
    assert list(case_assertions.of(settled.interaction)) == [again]


def test_nothing_is_put_back_beyond_the_most_that_a_case_has(settled, as_user, ben):
    interaction = settled.interaction
    first = case_assertions.add(interaction=interaction, given=MENTION, by=None)
    case_assertions.remove(assertion=first)
    for words in range(1, assertions.MOST + 1):
        given = {"kind": "max_words", "words": words}
        case_assertions.add(interaction=interaction, given=given, by=None)
    back = reverse("put_assertion_back", args=["tax-help", interaction.public_id, first.public_id])
    answer = as_user(ben).post(back, follow=True)
    assert "A case has at most 20 assertions." in answer.content.decode()
    assert len(case_assertions.bodies(interaction)) == assertions.MOST


# --- into gold ------------------------------------------------------------------------------------


def test_gold_takes_a_copy_and_a_change_waits_for_approval_again(project, settled, ben):
    revision = gold.promote_to_gold(settlement=settled, by=ben)
    assert revision.assertions == []
    assertion = case_assertions.add(interaction=settled.interaction, given=MENTION, by=ben)
    assert list(ready_for_gold(project)) == [settled]
    second = gold.promote_to_gold(settlement=settled, by=ben)
    assert (second.revision, second.assertions) == (2, [MENTION])
    assert list(ready_for_gold(project)) == []

    case_assertions.remove(assertion=assertion)
    case_assertions.put_back(assertion=assertion)  # nothing changed in the end
    assert gold.promote_to_gold(settlement=settled, by=ben).revision == 2
    assert list(ready_for_gold(project)) == []


def test_a_wrong_answer_with_an_assertion_needs_no_rewrite(project, ben):
    settled = SettlementFactory(interaction__project=project, chosen_answer=None)
    assert list(not_ready_for_gold(project)) == [settled]
    case_assertions.add(interaction=settled.interaction, given=MENTION, by=ben)
    assert list(ready_for_gold(project)) == [settled]
    revision = gold.promote_to_gold(settlement=settled, by=ben)
    assert (revision.ideal_answer, revision.rejected_answers, revision.assertions) == (
        "",
        [settled.interaction.output],
        [MENTION],
    )


# --- pages ----------------------------------------------------------------------------------------


def test_an_expert_tries_keeps_takes_off_and_puts_back(as_user, ana, project):
    item = ReviewItemFactory(queue__project=project)
    QueueMemberFactory(queue=item.queue, user=ana)
    interaction = item.interaction
    client = as_user(ana)
    address = page(interaction, kind="max_words")
    tried = client.post(address, {"words": "3", "act": "try"})
    assert tried.context["trial"].words == "Has at most 3 words"
    assert not CaseAssertion.objects.exists()

    client.post(address, {"words": "3", "act": "keep"})
    assertion = CaseAssertion.objects.get()
    assert (assertion.author, assertion.body) == (ana, {"kind": "max_words", "words": 3})
    assert b"Has at most 3 words" in client.get(address).content

    where = [project.slug, interaction.public_id, assertion.public_id]
    client.post(reverse("remove_assertion", args=where))
    assert case_assertions.bodies(interaction) == []
    assert b"Put back" in client.get(address).content
    client.post(reverse("put_assertion_back", args=where))
    assert case_assertions.bodies(interaction) == [assertion.body]


@pytest.mark.parametrize(
    "about", [{"overlap": 2}, {"queue__is_blind": False, "purpose": "calibration"}]
)
def test_who_judges_blind_or_is_measured_sees_what_others_said_after_their_own_answer(
    as_user, ana, ben, project, about
):
    """Neither their correction nor their assertions, nor how these fare."""
    item = ReviewItemFactory(queue__project=project, state="in_review", **about)
    QueueMemberFactory(queue=item.queue, user=ana)
    CandidateAnswerFactory(interaction=item.interaction, text="Bens rewording.", author=ben)
    theirs, mine = (
        case_assertions.add(interaction=item.interaction, given=given, by=by)
        for given, by in [(MENTION, ben), ({"kind": "max_words", "words": 3}, ana)]
    )
    client, address = as_user(ana), page(item.interaction)
    answer = client.get(address)
    assert [each.assertion for each in answer.context["tried"]] == [mine]
    assert "commute" not in answer.content.decode()
    assert "rewording" not in answer.content.decode()
    where = [project.slug, item.interaction.public_id, theirs.public_id]
    assert client.post(reverse("remove_assertion", args=where)).status_code == 404
    trial = client.post(address + "?kind=max_words", {"words": "4", "act": "try"})
    assert trial.context["trial"].corrected is None

    AssignmentFactory(item=item, expert=ana, state="submitted")
    answer = client.get(address)
    assert [each.assertion for each in answer.context["tried"]] == [theirs, mine]
    assert "rewording" in answer.content.decode()


@pytest.mark.parametrize("state", ["claimed", "expired", "returned"])
def test_a_lead_who_has_it_to_judge_blind_sees_none_of_others_before_their_own_answer(
    as_user, ana, ben, project, state
):
    item = ReviewItemFactory(queue__project=project, overlap=2)
    case_assertions.add(interaction=item.interaction, given=MENTION, by=ana)
    client, address = as_user(ben), page(item.interaction)
    assert "commute" in client.get(address).content.decode()
    AssignmentFactory(item=item, expert=ben, state=state)
    assert "commute" not in client.get(address).content.decode()


def test_an_assertion_with_personal_data_is_flagged_when_it_is_kept(as_user, dana, project):
    address = page(InteractionFactory(project=project), kind="must_mention")
    answer = as_user(dana).post(address, {"texts": "ada@example.org", "act": "keep"}, follow=True)
    assert "Personal data is left: 1 × EMAIL" in answer.content.decode()


def test_what_is_wrong_is_said_at_its_field(as_user, dana, project):
    answer = as_user(dana).post(
        page(InteractionFactory(project=project), kind="matches"), {"pattern": "("}
    )
    assert answer.status_code == 400
    assert "This is no pattern" in answer.context["form"].errors["pattern"][0]


def test_an_expert_sees_no_case_of_another_queue(as_user, ana, project):
    assert as_user(ana).get(page(InteractionFactory(project=project))).status_code == 404


def test_another_projects_assertion_cannot_be_taken_off(as_user, dana, project, other_project):
    theirs = case_assertions.add(
        interaction=InteractionFactory(project=other_project), given=MENTION, by=None
    )
    ours = InteractionFactory(project=project)
    where = [project.slug, ours.public_id, theirs.public_id]
    assert as_user(dana).post(reverse("remove_assertion", args=where)).status_code == 404
    theirs.refresh_from_db()
    assert theirs.removed_at is None


def test_hostile_texts_stay_texts(as_user, dana, project):
    interaction = InteractionFactory(project=project)
    case_assertions.add(
        interaction=interaction,
        given={"kind": "must_mention", "texts": ["<script>alert(1)</script>"]},
        by=None,
    )
    assert b"<script>alert" not in as_user(dana).get(page(interaction)).content


def test_the_page_costs_the_same_queries_with_one_and_with_three(as_user, dana, ana, project):
    interaction = InteractionFactory(project=project)

    def write(number):
        for _ in range(number):
            done = CaseAssertion.objects.count()
            case_assertions.add(
                interaction=interaction, given={"kind": "max_words", "words": done + 1}, by=ana
            )

    assert_same_queries(as_user(dana), page(interaction), write)
