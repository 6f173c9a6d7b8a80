"""Adjudication: differences mark by mark, a lead takes, mixes or writes anew, and the experts reply once."""

import pytest
from django.urls import reverse

from annotation import adjudication, annotating, review_queue, settling
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    ItemComment,
    ReviewItem,
    Settlement,
)
from annotation.refusals import InvalidAnswer, WrongState
from feedbackhub.capture.models import RetrievedDocument
from tests.annotation.desk import claim, judge, queue_with, submit
from tests.cast import _member
from tests.factories import (
    AssignmentFactory,
    LabelSchemaFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

DECISIONS = "/p/tax-help/review/decisions/"


def span(start, end, label="wrong"):
    text = "You can deduct it if you ride it to work."
    return {"field": "output", "start": start, "end": end, "quote": text[start:end], "label": label}


@pytest.fixture
def cem(project):
    return _member(project, "Cem", "expert")


@pytest.fixture
def disputed(project, ana, cem):
    queue, (item,) = queue_with(project, overlap=2)
    judge(ana, queue, "wrong", "high", spans=[span(0, 3), span(4, 7)], correction="You cannot.")
    judge(cem, queue, "partly", "low", spans=[span(0, 3), span(4, 7, "unsupported")])
    item.refresh_from_db()
    return item


def add_source(item, **fields):
    return RetrievedDocument.objects.create(
        project_id=item.project_id, interaction=item.interaction, position=0, **fields
    )


def page(item):
    return f"/p/tax-help/items/{item.public_id}/"


def decide(client, item, **said):
    posted = {"verdict": "wrong", "severity": "medium", "reason": "It changed in 2026.", **said}
    return client.post(f"{page(item)}decide/", posted)


def test_each_mark_stands_once_with_who_made_it(disputed, ana, cem):
    annotations = list(Annotation.objects.order_by("pk").prefetch_related("spans"))
    marks = adjudication.marks_of(annotations)
    assert [(mark["key"], mark["experts"], mark["is_shared"]) for mark in marks] == [
        ("output:0:3:wrong", [ana, cem], True),
        ("output:4:7:unsupported", [cem], False),
        ("output:4:7:wrong", [ana], False),
    ]


def test_a_lead_picks_marks_one_by_one(as_user, ben, disputed):
    marks = ["output:0:3:wrong", "output:4:7:unsupported"]
    assert decide(as_user(ben), disputed, marks=marks).status_code == 302
    assert Settlement.objects.get(is_current=True).spans == [span(0, 3), span(4, 7, "unsupported")]


def test_a_mark_that_nobody_made_cannot_be_chosen(as_user, ben, disputed):
    assert decide(as_user(ben), disputed, marks=["output:9:11:wrong"]).status_code == 400
    assert not Settlement.objects.exists()


def test_a_lead_sets_marks_that_no_expert_made_and_finds_them_again(as_user, ben, disputed):
    client = as_user(ben)
    anew = {
        "mark_words": ["if you ride", "You", ""],
        "mark_label": ["unsupported", "wrong", "wrong"],
    }
    assert decide(client, disputed, marks=["output:0:3:wrong"], **anew).status_code == 302
    assert Settlement.objects.get(is_current=True).spans == [
        span(0, 3),
        span(18, 29, "unsupported"),
    ]
    chosen = client.get(page(disputed)).context["chosen"]
    assert chosen["own_marks"] == [("if you ride", "unsupported", "output", "18:29")]


def test_a_lead_marks_words_of_a_message_and_of_a_source_too(as_user, ben, disputed):
    client = as_user(ben)
    source = add_source(disputed, title="Guide 2023", text="Up to 2021 only.")
    asked = disputed.interaction.messages[-1]["content"]
    last = f"messages.{len(disputed.interaction.messages) - 1}"
    anew = {
        "mark_words": ["2021", asked[:3]],
        "mark_label": ["wrong", "unsupported"],
        "mark_text": ["documents.0", last],
    }
    assert decide(client, disputed, **anew).status_code == 302
    spans = Settlement.objects.get(is_current=True).spans
    assert [(s["field"], s["start"], s["end"], s["quote"], s["label"]) for s in spans] == [
        ("documents.0", 6, 10, "2021", "wrong"),
        (last, 0, 3, asked[:3], "unsupported"),
    ]
    answer = client.get(page(disputed))
    assert sorted(answer.context["chosen"]["own_marks"]) == [
        ("2021", "wrong", "documents.0", "6:10"),
        (asked[:3], "unsupported", last, "0:3"),
    ]
    assert ("documents.0", f"Source 1: {source.title}") in answer.context["texts_to_mark"]
    assert '<option value="documents.0" selected>' in answer.content.decode()


def test_a_mark_that_stands_stays_where_it_is_when_a_lead_decides_anew(as_user, ben, disputed):
    """Also on words that stand there twice, and over a line's end, which no field of one line keeps."""
    client = as_user(ben)
    add_source(disputed, text="Up to\n2021 only.")
    decide(client, disputed)
    there = [span(30, 32) | {"quote": "it"}, span(0, 10) | {"field": "documents.0"}]
    there[1]["quote"] = "Up to\n2021"
    Settlement.objects.filter(is_current=True).update(spans=there)
    shown = client.get(page(disputed)).context["chosen"]["own_marks"]
    words, labels, texts, places = zip(*shown, strict=True)
    assert words == ("it", "Up to\n2021")
    kept = {"mark_words": ["it", "Up to2021"], "mark_label": labels, "mark_text": texts}
    assert decide(client, disputed, **kept, mark_place=places).status_code == 302
    standing = {(s["field"], s["start"], s["end"], s["quote"]) for s in _spans()}
    assert standing == {("output", 30, 32, "it"), ("documents.0", 0, 10, "Up to\n2021")}
    typed = kept | {"mark_words": ["You can", "2021"]}
    assert decide(client, disputed, **typed, mark_place=places).status_code == 302
    standing = {(s["field"], s["start"], s["end"]) for s in _spans()}
    assert standing == {("output", 0, 7), ("documents.0", 6, 10)}


def _spans():
    return Settlement.objects.get(is_current=True).spans


@pytest.mark.parametrize("text", ["documents.0", "documents.9", "messages.9", "prompt", ""])
def test_a_mark_in_a_text_that_does_not_hold_the_words_is_refused(as_user, ben, disputed, text):
    add_source(disputed, text="Elsewhere.")
    own = {"mark_words": ["You can"], "mark_label": ["wrong"], "mark_text": [text]}
    answer = decide(as_user(ben), disputed, **own)
    assert answer.status_code == 400
    assert "does not stand in that text" in answer.content.decode()
    assert not Settlement.objects.exists()


@pytest.mark.parametrize(
    ("words", "label"), [("never said", "wrong"), ("You can", "no such label")], ids=str
)
def test_a_mark_on_nothing_is_refused_and_what_was_typed_stays(
    words, label, as_user, ben, disputed
):
    answer = decide(as_user(ben), disputed, mark_words=[words], mark_label=[label])
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Settlement.objects.exists()


def test_a_lead_takes_one_answer_and_the_form_holds_it(as_user, ben, ana, disputed):
    mine = Annotation.objects.get(expert=ana)
    chosen = as_user(ben).get(f"{page(disputed)}?take={mine.public_id}").context["chosen"]
    assert (chosen["verdict"], chosen["severity"]) == ("wrong", "high")
    assert chosen["marks"] == ["output:0:3:wrong", "output:4:7:wrong"]
    assert chosen["chosen_answer"] == str(mine.candidates.get().public_id)


def test_what_is_taken_must_be_of_this_item(as_user, ben, ana, disputed, project):
    queue, _ = queue_with(project)
    other = judge(ana, queue, "correct", "none")
    chosen = as_user(ben).get(f"{page(disputed)}?take={other.public_id}").context["chosen"]
    assert chosen["verdict"] == ""


def test_a_lead_writes_the_answer_anew(as_user, ben, disputed):
    own = "You can deduct 0.38 euro a kilometre."
    decide(as_user(ben), disputed, chosen_answer="own", own_answer=own)
    chosen = Settlement.objects.get(is_current=True).chosen_answer
    assert (chosen.text, chosen.source, chosen.author) == (own, "lead", ben)


@pytest.mark.parametrize("own", ["", "You can deduct it if you ride it to work."])
def test_an_own_answer_that_is_none_is_refused_and_nothing_is_decided(as_user, ben, disputed, own):
    answer = decide(as_user(ben), disputed, chosen_answer="own", own_answer=own)
    assert answer.status_code == 400
    assert not Settlement.objects.exists()
    assert not CandidateAnswer.objects.filter(source="lead").exists()


def test_an_own_answer_is_left_aside_unless_it_is_chosen(as_user, ben, disputed):
    decide(as_user(ben), disputed, chosen_answer="", own_answer="Something else entirely.")
    assert not CandidateAnswer.objects.filter(source="lead").exists()


def test_a_decision_that_is_refused_keeps_no_own_answer(ben, disputed):
    with pytest.raises(InvalidAnswer):
        adjudication.decide(
            item=disputed,
            by=ben,
            verdict="correct",
            severity="high",
            reason="So",
            own_answer="New text.",
        )
    assert not CandidateAnswer.objects.filter(source="lead").exists()


# --- rubric criteria ------------------------------------------------------------------------------

RUBRIC = [
    {"key": "clear", "name": "Clear", "scale": 5, "required": True, "good": "One reads it once."},
    {"key": "kind", "name": "Kind", "scale": 3, "required": False, "good": ""},
]


@pytest.fixture
def scored(project, ana, cem):
    """A dispute under a schema that asks for a score."""
    LabelSchemaFactory(project=project, rubric=RUBRIC)
    queue, (item,) = queue_with(project, overlap=2)
    judge(ana, queue, "wrong", "high", rubric_scores={"clear": 5, "kind": 1})
    judge(cem, queue, "partly", "low", rubric_scores={"clear": 2})
    item.refresh_from_db()
    return item


def test_a_lead_decides_without_scoring_what_the_experts_must_score(as_user, ben, scored):
    assert decide(as_user(ben), scored).status_code == 302
    assert Settlement.objects.get(is_current=True).rubric_scores == {}


def test_a_lead_sees_each_score_and_chooses_one(as_user, ben, scored):
    client = as_user(ben)
    answer = client.get(page(scored))
    assert answer.context["chosen"]["rubric_scores"] == {"clear": 2, "kind": 1}
    assert "Ana 5" in answer.content.decode()
    decide(client, scored, **{"rubric.clear": "4", "rubric.kind": ""})
    assert Settlement.objects.get(is_current=True).rubric_scores == {"clear": 4}
    assert "Clear 4" in client.get(page(scored)).content.decode()


@pytest.mark.parametrize("score", [{"rubric.clear": "6"}, {"rubric.brave": "1"}])
def test_a_score_that_is_none_of_the_scale_is_refused(as_user, ben, scored, score):
    answer = decide(as_user(ben), scored, **score)
    assert answer.status_code == 400
    assert "Choose one of the scores." in answer.content.decode()
    assert not Settlement.objects.exists()


def test_taking_one_answer_takes_its_scores(as_user, ben, ana, scored):
    mine = Annotation.objects.get(expert=ana)
    chosen = as_user(ben).get(f"{page(scored)}?take={mine.public_id}").context["chosen"]
    assert chosen["rubric_scores"] == {"clear": 5, "kind": 1}


def decided(item, ben):
    return settling.decide_dispute(
        item=item, by=ben, verdict="wrong", severity="medium", reason="It changed in 2026."
    )


def test_an_expert_sees_the_decision_beside_the_own_answer_and_replies_once(
    as_user, ana, ben, disputed
):
    settlement = decided(disputed, ben)
    client = as_user(ana)
    (row,) = client.get(DECISIONS).context["shown"]
    assert (row["settlement"], row["own"].expert, row["differing"]) == (
        settlement,
        ana,
        {"severity"},
    )
    address = f"{DECISIONS}{settlement.public_id}/reply/"
    assert client.post(address, {"text": ""}).status_code == 400
    assert client.post(address, {"text": "The old rule holds until May."}).status_code == 302
    client.post(address, {"text": "And another thing."})
    assert [comment.text for comment in ItemComment.objects.all()] == [
        "The old rule holds until May."
    ]
    assert "The old rule holds until May." in client.get(DECISIONS).content.decode()
    assert "replies to the decision" in as_user(ben).get(page(disputed)).content.decode()


def test_only_who_judged_the_item_may_see_and_reply(as_user, dana, ben, eve, project, disputed):
    settlement = decided(disputed, ben)
    gus = _member(project, "Gus", "expert")
    address = f"{DECISIONS}{settlement.public_id}/reply/"
    assert as_user(gus).get(DECISIONS).context["shown"] == []
    assert as_user(gus).post(address, {"text": "Me too"}).status_code == 404
    assert as_user(dana).get(DECISIONS).status_code == 403
    assert as_user(eve).post(address, {"text": "Me too"}).status_code == 404
    assert not ItemComment.objects.exists()


def test_a_decision_that_no_longer_holds_takes_no_reply(ana, ben, disputed):
    settlement = decided(disputed, ben)
    Settlement.objects.update(is_current=False)
    settlement.refresh_from_db()
    with pytest.raises(WrongState):
        adjudication.reply(settlement=settlement, by=ana, text="But")


def test_decisions_cost_the_same_queries_with_more_rows(as_user, ana, ben, project):
    queue, _ = queue_with(project, items=0)

    def grow(number):
        from tests.factories import ReviewItemFactory

        for _ in range(number):
            item = ReviewItemFactory(queue=queue)
            judge(ana, queue, "wrong", "low")
            decided(item, ben)

    assert_same_queries(as_user(ana), DECISIONS, grow)


# --- a lead who judges too ------------------------------------------------------------------------


@pytest.mark.parametrize("is_blind", [True, False], ids=["blind", "open"])
def test_a_lead_who_has_the_item_to_judge_sees_nobodys_answer_before_their_own(
    as_user, project, ana, ben, olu, is_blind
):
    queue, (item,) = queue_with(project, overlap=2, is_blind=is_blind)
    judge(ana, queue, "partly", "low", note="Ana's word", correction="Ana's correction")
    held = claim(ben, queue)
    words = ("Ana&#x27;s word", "Ana&#x27;s correction")

    def shows(user, **query):
        html = as_user(user).get(page(item), query).content.decode()
        return [word in html for word in words]

    mine = Annotation.objects.get(expert=ana)
    assert shows(ben) == shows(ben, take=mine.public_id) == [not is_blind] * 2
    assert shows(olu) == [True, True]
    review_queue.release(assignment=held, fence=held.fence)
    assert shows(ben) == [not is_blind] * 2
    judge(ben, queue, "wrong", "high")
    assert shows(ben) == [True, True]


@pytest.fixture
def held_by_lead(project, ana, ben):
    """An item of a blind queue: Ana judged it, revised her answer and wrote about it; Ben, a lead, has it in hand."""
    queue, (item,) = queue_with(project, overlap=2)
    annotating.revise(assignment=judge(ana, queue, "partly", "low", note="First word").assignment)
    submit(Assignment.objects.get(), "partly", "low", revision=1, note="Ana's word")
    ItemComment.objects.create(project=project, item=item, author=ana, text="Ana's remark")
    return claim(ben, queue)


def trail(item):
    return reverse("interaction", args=["tax-help", item.interaction.public_id])


def test_a_lead_who_has_an_answer_to_judge_finds_no_judgement_in_its_trail(
    as_user, project, ana, ben, olu, held_by_lead
):
    item = held_by_lead.item
    SettlementFactory(project=project, interaction=item.interaction, reason="So the house holds.")
    words = ("Ana&#x27;s word", "So the house holds.")

    def shows(user):
        html = as_user(user).get(trail(item)).content.decode()
        return [*(word in html for word in words), "You have this answer to judge" in html]

    assert shows(ben) == [False, False, True]
    assert shows(olu) == [True, True, False]
    submit(held_by_lead, "wrong", "high")
    assert shows(ben) == [True, True, False]


def test_a_lead_who_has_the_item_to_judge_finds_no_revisions_discussion_or_doubts_on_its_page(
    as_user, cem, ben, olu, held_by_lead
):
    item = held_by_lead.item
    skipped = {"state": "skipped", "skip_reason": "needs_discussion", "skip_note": "Is it so?"}
    AssignmentFactory(item=item, expert=cem, slot=3, **skipped)
    ReviewItem.objects.filter(pk=item.pk).update(needs_discussion=True)

    def shows(user):
        answer = as_user(user).get(page(item))
        words = ("Ana&#x27;s remark", "Is it so?")
        return [bool(answer.context["revisions"]), *(word in answer.text for word in words)]

    assert (shows(ben), shows(olu)) == ([False] * 3, [True] * 3)


def test_a_lead_with_the_answer_in_hand_in_another_queue_cannot_read_or_decide_its_dispute(
    as_user, project, ben, disputed
):
    LabelSchemaFactory(project=project, name="other")
    other, _ = queue_with(project, items=0, schema_name="other")
    ReviewItemFactory(queue=other, interaction=disputed.interaction)
    client, taken = as_user(ben), "Take this answer"
    assert taken in client.get(page(disputed)).content.decode()
    held = claim(ben, other)
    html = client.get(page(disputed)).content.decode()
    assert taken not in html and "decide-title" not in html
    review_queue.release(assignment=held, fence=held.fence)
    assert taken in client.get(page(disputed)).content.decode()
