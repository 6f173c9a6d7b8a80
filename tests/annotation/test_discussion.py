"""The discussion of an item: who reads it, who can be named, and what waits for whom."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation import annotating, discussion, lead_decisions, review_queue, settling, waits
from annotation.models import CategoryProposal, ItemComment, Mention
from annotation.refusals import WrongState
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import claim, judge, queue_with, submit
from tests.cast import _member
from tests.factories import LabelSchemaFactory, ReviewItemFactory
from tests.pages import assert_same_queries


@pytest.fixture
def cem(project):
    return _member(project, "Cem", "expert")


@pytest.fixture
def queue(project):
    return queue_with(project, items=1, name="Tax", overlap=2)[0]


@pytest.fixture
def disputed(queue, ana, cem):
    """Ana and Cem differ about it."""
    annotation = judge(ana, queue, "wrong")
    judge(cem, queue, "correct", "none")
    annotation.item.refresh_from_db()
    assert annotation.item.state == "disputed"
    return annotation.item


def may_read(user, item):
    return discussion.readable_by(Membership.objects.get(user=user)).filter(pk=item.pk).exists()


def waiting(user):
    return waits.count(Membership.objects.get(user=user))


def address(name, item):
    return reverse(name, args=["tax-help", item.public_id])


# --- who reads it ---------------------------------------------------------------------------------


def test_leads_and_engineers_read_every_discussion_and_outsiders_none(
    queue, ben, dana, eve, other_project
):
    item = queue.items.get()
    assert may_read(ben, item) and may_read(dana, item)
    assert not may_read(eve, item)


def test_an_expert_reads_it_once_it_cannot_sway_them(queue, ana, cem):
    item = queue.items.get()
    assert not may_read(ana, item)
    held = claim(ana, queue)
    assert not may_read(ana, item)
    review_queue.release(assignment=held, fence=held.fence)
    judge(ana, queue)
    assert not may_read(ana, item), "Cem has not judged it yet"
    judge(cem, queue)
    assert may_read(ana, item) and may_read(cem, item)


def say(item, author, text="Look at the date."):
    return ItemComment.objects.create(project=item.project, item=item, author=author, text=text)


@pytest.mark.parametrize("is_blind", [True, False], ids=["blind", "open"])
def test_what_others_wrote_about_a_blind_item_can_no_longer_change_ones_answer(
    as_user, queue, disputed, ana, ben, is_blind
):
    queue.is_blind = is_blind
    queue.save()
    say(disputed, ben)
    own = disputed.assignments.get(expert=ana)
    assert "Look at the date." in as_user(ana).get(address("item_discussion", disputed)).text
    answer = as_user(ana).post(reverse("revise", args=["tax-help", own.public_id]))
    own.refresh_from_db()
    assert own.state == ("submitted" if is_blind else "claimed")
    assert (answer.status_code == 409) is is_blind


def test_an_own_answer_can_be_changed_while_nobody_else_wrote_or_after_a_lead_sent_it_back(
    disputed, ana, ben
):
    own = disputed.assignments.get(expert=ana)
    say(disputed, ana)
    annotating.revise(assignment=own)
    assert not may_read(ana, disputed), "she has it in hand"
    submit(own, revision=1)
    say(disputed, ben)
    lead_decisions.return_assignment(assignment=own, by=ben, reason="Look again.")
    assert not may_read(ana, disputed)
    assert review_queue.resume(assignment=own).state == "claimed"


def test_a_lead_reads_it_when_they_have_judged_the_item_themselves(queue, ana, ben):
    judge(ana, queue)
    held = claim(ben, queue)
    assert not may_read(ben, held.item)
    submit(held)
    assert may_read(ben, held.item)


def test_an_expert_who_passed_it_on_reads_it(queue, ana):
    held = claim(ana, queue)
    review_queue.skip(assignment=held, fence=held.fence, reason="needs_discussion")
    assert may_read(ana, held.item)


def test_in_an_open_queue_who_had_it_reads_it_at_once(queue, ana, cem):
    queue.is_blind = False
    queue.save()
    item = claim(ana, queue).item
    assert may_read(ana, item) and not may_read(cem, item)


def test_a_reopened_item_is_judged_anew_without_it(disputed, ana, ben):
    lead_decisions.reopen_item(item=disputed, by=ben, reason="Once more.")
    assert not may_read(ana, disputed)


def test_readers_are_those_who_may_read(disputed, ana, ben, cem, dana, eve, project):
    _member(project, "Gil", "expert")
    gone = _member(project, "Hal", "lead")
    gone.is_active = False
    gone.save()
    assert discussion.readers_of(disputed) == [ana, ben, cem, dana]


# --- saying something -----------------------------------------------------------------------------


def test_a_comment_names_people_and_they_find_it_waiting_until_they_read_it(
    as_user, disputed, ana, ben
):
    answer = as_user(ben).post(
        address("comment_on_item", disputed),
        {"text": "@Ana which year?", "mentions": [ana.public_id]},
    )
    assert answer.url == address("item_discussion", disputed)
    comment = ItemComment.objects.get()
    assert (comment.author, comment.text, comment.item) == (ben, "@Ana which year?", disputed)
    assert waiting(ana).mentions == 1
    listed = as_user(ana).get("/p/tax-help/waiting/").content.decode()
    assert "@Ana which year?" in listed
    page = as_user(ana).get(address("item_discussion", disputed)).content.decode()
    assert "@Ana which year?" in page and "for you" in page
    assert waiting(ana).mentions == 0
    assert Mention.objects.get().read_at <= timezone.now()


def test_a_lead_reads_it_on_the_items_page(as_user, disputed, ana, ben):
    as_user(ana).post(
        address("comment_on_item", disputed), {"text": "2023.", "mentions": [ben.public_id]}
    )
    assert waiting(ben).mentions == 1
    answer = as_user(ben).get(address("item_discussion", disputed), follow=True)
    assert answer.redirect_chain == [(address("item", disputed), 302)]
    assert "2023." in answer.content.decode()
    assert waiting(ben).mentions == 0


def test_one_names_neither_oneself_nor_twice(disputed, ana, ben):
    discussion.say(item=disputed, by=ana, text="Hm.", mentions=[ana, ben, ben])
    assert [mention.user for mention in Mention.objects.all()] == [ben]


def test_who_cannot_see_it_cannot_be_named(as_user, disputed, ben, eve, project):
    gil = _member(project, "Gil", "expert")
    for somebody in (gil, eve):
        with pytest.raises(WrongState):
            discussion.say(item=disputed, by=ben, text="Look.", mentions=[somebody])
        answer = as_user(ben).post(
            address("comment_on_item", disputed),
            {"text": "Look at this.", "mentions": [somebody.public_id]},
        )
        assert answer.status_code == 400
        assert "Look at this." in answer.content.decode()
    assert not ItemComment.objects.exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 4_001, "nul\0"])
def test_an_empty_or_endless_comment_is_refused(as_user, disputed, ana, ben, text):
    for user in (ana, ben):
        answer = as_user(user).post(address("comment_on_item", disputed), {"text": text})
        assert answer.status_code == 400
    assert not ItemComment.objects.exists()


def test_a_comment_is_shown_as_text(as_user, disputed, ana):
    as_user(ana).post(address("comment_on_item", disputed), {"text": "<script>alert(1)</script>"})
    page = as_user(ana).get(address("item_discussion", disputed)).content.decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_who_cannot_read_it_finds_no_page(as_user, queue, ana, eve, project):
    item = queue.items.get()
    for user in (ana, eve):
        assert as_user(user).get(address("item_discussion", item)).status_code == 404
        posted = as_user(user).post(address("comment_on_item", item), {"text": "Hi."})
        assert posted.status_code == 404
    assert not ItemComment.objects.exists()


def test_an_expert_finds_it_among_what_they_judged_once_it_cannot_sway_them(
    as_user, queue, ana, cem
):
    item = judge(ana, queue).item
    page, there = "/p/tax-help/review/finished/", address("item_discussion", item)
    assert there not in as_user(ana).get(page).content.decode()
    judge(cem, queue)
    assert there in as_user(ana).get(page).content.decode()


def test_an_erased_answer_is_not_talked_about(as_user, disputed, ben):
    disputed.interaction.erased_at = timezone.now()
    disputed.interaction.save()
    answer = as_user(ben).post(address("comment_on_item", disputed), {"text": "Still."})
    assert answer.status_code == 409
    assert not ItemComment.objects.exists()


@pytest.mark.parametrize("name", ["item", "item_discussion"])
def test_the_page_costs_the_same_queries_with_more_comments(as_user, disputed, ana, ben, cem, name):
    reader = {"item": ben, "item_discussion": ana}[name]

    def grow(number):
        for _ in range(number):
            discussion.say(item=disputed, by=cem, text="Well.", mentions=[reader, cem])

    assert_same_queries(as_user(reader), address(name, disputed), grow)


# --- what waits -----------------------------------------------------------------------------------


def decide(item, by):
    return settling.decide_dispute(
        item=item, by=by, verdict="wrong", severity="medium", reason="The law says so."
    )


def test_a_decision_waits_until_the_list_was_looked_at(as_user, disputed, ana, ben, cem):
    decide(disputed, ben)
    assert (waiting(ana).decisions, waiting(cem).decisions, waiting(ben).decisions) == (1, 1, 0)
    as_user(ana).get("/p/tax-help/review/decisions/")
    assert (waiting(ana).decisions, waiting(cem).decisions) == (0, 1)
    decide(disputed, ben)
    assert waiting(ana).decisions == 1


def test_ones_own_decision_does_not_wait(queue, ana, ben):
    item = judge(ana, queue, "wrong").item
    judge(ben, queue, "correct", "none")
    item.refresh_from_db()
    decide(item, ben)
    assert (waiting(ben).decisions, waiting(ana).decisions) == (0, 1)


def test_what_a_lead_returned_waits_until_somebody_has_it(queue, ana, ben):
    annotation = judge(ana, queue)
    lead_decisions.return_assignment(assignment=annotation.assignment, by=ben, reason="Which year?")
    assert waiting(ana).returned == 1
    claim(ana, queue)
    assert waiting(ana).returned == 0


def test_disputes_discussions_and_proposals_wait_for_leads_alone(project, disputed, ana, ben, dana):
    ReviewItemFactory(queue=disputed.queue, needs_discussion=True)
    schema = LabelSchemaFactory(project=project)
    for state in ("open", "declined"):
        CategoryProposal.objects.create(
            project=project, schema=schema, proposed_by=ana, name="Rude", state=state
        )
    of_lead = waiting(ben)
    assert (of_lead.disputes, of_lead.discussions, of_lead.proposals) == (1, 1, 1)
    assert waiting(ana).total == waiting(dana).total == 0


def test_the_page_says_when_nothing_waits(as_user, ana, project):
    assert "Nothing waits for you" in as_user(ana).get("/p/tax-help/waiting/").content.decode()


def test_the_count_stands_in_the_frame_and_costs_one_query(as_user, disputed, ana, ben):
    discussion.say(item=disputed, by=ben, text="Ana?", mentions=[ana])
    assert "1 thing waits for you" in as_user(ana).get("/p/tax-help/people/me/").content.decode()
    membership = Membership.objects.select_related("project").get(user=ben)
    with CaptureQueriesContext(connection) as queries:
        assert waits.in_the_frame(membership)["count"] == 1
    assert len(queries) == 1


def test_the_list_costs_the_same_queries_with_more(as_user, project, ana, ben, cem):
    queue, _ = queue_with(project, items=0, overlap=2)

    def grow(number):
        for _ in range(number):
            item = ReviewItemFactory(queue=queue)
            judge(ana, queue, "wrong")
            judge(cem, queue, "correct", "none")
            item.refresh_from_db()
            discussion.say(item=item, by=cem, text="Hm.", mentions=[ben])

    assert_same_queries(as_user(ben), "/p/tax-help/waiting/", grow)


def test_another_projects_business_does_not_wait(disputed, ana, ben, other_project):
    theirs = Membership.objects.create(project=other_project, user=ben, roles=["lead"])
    discussion.say(item=disputed, by=ana, text="Ben?", mentions=[ben])
    assert waits.count(theirs).total == 0
