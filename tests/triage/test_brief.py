"""Where a problem occurs and where not, and the brief for whoever repairs it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from markdown_it import MarkdownIt

from annotation.models import Split
from feedbackhub.capture import near_duplicates
from feedbackhub.capture.models import PromptVersion, RetrievedDocument
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    SettlementFactory,
)
from triage import brief
from triage.occurrence import occurrence

pytestmark = pytest.mark.django_db

HOSTILE = "![x](https://evil.test/a.png) @everyone <img src=x> [a](javascript:1)\n# Not a heading"


def version(project, name):
    return PromptVersion.objects.create(project=project, name="tax", version=name)


def answer(project, prompt=None, **fields):
    return InteractionFactory(project=project, prompt_version=prompt, **fields)


def test_it_occurs_in_some_versions_and_not_in_others(project):
    old, new, later = (version(project, name) for name in ("v1", "v2", "v3"))
    problem = ProblemFactory(project=project)
    for prompt, cases, others in ((old, 0, 3), (new, 2, 2), (later, 0, 4)):
        for _ in range(cases):
            ProblemMemberFactory(problem=problem, interaction=answer(project, prompt))
        for _ in range(others):
            answer(project, prompt, model="lumen-3")
    found = occurrence(problem)
    assert [(each.name, each.cases, each.answers) for each in found.prompts] == [
        (str(later), 0, 4), (str(new), 2, 4), (str(old), 0, 0),
    ]  # fmt: skip
    assert {(each.name, each.cases) for each in found.models} == {("lumen-2", 2), ("lumen-3", 0)}


def test_first_and_last_seen_are_those_of_its_cases(project):
    problem = ProblemFactory(project=project)
    times = [timezone.now() - timedelta(days=days) for days in (9, 4, 1)]
    for each in times[:2]:
        ProblemMemberFactory(problem=problem, interaction=answer(project, occurred_at=each))
    answer(project, occurred_at=times[2])
    found = occurrence(problem)
    assert (found.first_seen_at, found.last_seen_at) == (times[0], times[1])


def test_a_document_given_to_several_cases_is_named(project):
    problem = ProblemFactory(project=project)
    for n in range(3):
        row = ProblemMemberFactory(problem=problem).interaction
        for name in ("guide", f"other-{n}"):
            RetrievedDocument.objects.create(
                project=project, interaction=row, position=len(name), document_id=name, title=name
            )
    assert [(each["name"], each["cases"]) for each in occurrence(problem).documents] == [("guide", 3)]  # fmt: skip


def test_a_problem_without_cases_was_never_seen(project):
    assert occurrence(ProblemFactory(project=project)).first_seen_at is None


def test_questions_do_not_grow_with_the_cases(project):
    prompt = version(project, "v1")
    problem = ProblemFactory(project=project)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            occurrence(problem)
        return len(seen)

    ProblemMemberFactory(problem=problem, interaction=answer(project, prompt))
    one = queries()
    for _ in range(2):
        ProblemMemberFactory(problem=problem, interaction=answer(project, prompt))
    assert queries() == one


# --- the brief ------------------------------------------------------------------------------------


def settled(problem, *, placed=True, **fields):
    row = answer(problem.project, **fields)
    if placed:
        near_duplicates.place(row)
    settlement = SettlementFactory(
        interaction=row, spans=[{"field": "output", "start": 0, "end": 7, "label": "wrong"}]
    )
    ProblemMemberFactory(problem=problem, interaction=row, settlement=settlement)
    return row


def test_the_brief_holds_what_is_needed_to_repair_it(as_user, ben, project, splits):
    problem = ProblemFactory(project=project, number=7, title="Rates of last year")
    row = settled(problem, external_id="chat-seven")
    FeedbackEventFactory(interaction=row, comment="This changed in January.")
    RetrievedDocument.objects.create(
        project=project,
        interaction=row,
        position=1,
        document_id="g",
        title="Guide",
        text="30 cents",
    )
    address = reverse("problem_brief", args=["tax-help", 7])
    assert "Case 1: chat-seven" in as_user(ben).get(address).content.decode()
    answer = as_user(ben).get(address, {"as": "file"})
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    for words in (
        "# P7 Rates of last year", "Case 1: chat-seven", "> This changed in January.", "Marked as wrong",
        "What the document Guide said", "> 30 cents", "Suggested examples for the prompt", "lumen-2: occurs",
        "Priority",
    ):  # fmt: skip
        assert words in text
    assert problem.members.get().settlement.chosen_answer.text in text


def test_right_answers_of_the_holdout_and_its_twins_stay_out_of_the_brief(project, ben, splits):
    """And those of what is not placed yet: it may turn out to be a twin."""
    problem = ProblemFactory(project=project)
    rent = "Which of the forms do I need for rent that comes in from abroad this year{}"
    asked = [rent.format("?"), rent.format(" then?"), "What is the bicycle worth?", "And the car?"]
    rows = [
        settled(problem, placed=words != asked[3], messages=[{"role": "user", "content": words}])
        for words in asked
    ]  # the holdout, its twin, one for training, one not placed
    assert rows[0].signature.group == rows[1].signature.group
    splits[rows[0].signature.group.key] = Split.HOLDOUT
    text = brief.brief(problem, ben.membership_set.get(), None)
    assert text.count("A right answer") == 1
    examples = text.split("## Suggested examples for the prompt")[1]
    assert [words in examples for words in asked] == [False, False, True, False]
    assert "3 cases kept back: holdout" in text


def test_the_brief_quotes_marks_in_sources_and_messages_but_no_right_answer_of_the_holdout(
    project, ben, splits
):
    problem = ProblemFactory(project=project)
    row = settled(problem, messages=[{"role": "user", "content": "Is @mine wrong?"}])
    settlement = problem.members.get().settlement
    right = settlement.chosen_answer.text
    for position, text in ((0, "30 cents, says 2019."), (1, f"So: {right}")):
        row.documents.create(
            project=project, position=position, document_id=f"d{position}", text=text
        )
    settlement.spans = [
        {"field": "documents.0", "start": 0, "end": 8, "label": "outdated"},
        {"field": "messages.0", "start": 3, "end": 8, "label": "odd"},
        {"field": "documents.1", "start": 0, "end": 4 + len(right), "label": "hidden"},
    ]
    settlement.save()
    membership = ben.membership_set.get()
    text = brief.brief(problem, membership, None)
    assert "> in source 1: 30 cents (outdated)\n> in message 1: @\u200bmine (odd)\n" in text
    assert "(hidden)" in text
    splits[row.signature.group.key] = Split.HOLDOUT
    text = brief.brief(problem, membership, None)
    assert "(outdated)" in text
    assert "(hidden)" not in text


def test_nothing_in_others_words_is_markdown_in_the_brief(project, ben):
    problem = ProblemFactory(project=project, title=HOSTILE.split("\n")[0])
    settled(problem, output=HOSTILE, messages=[{"role": "user", "content": HOSTILE}])
    membership = ben.membership_set.get()
    text = brief.brief(problem, membership, None)
    html = MarkdownIt("commonmark").render(text)
    assert [tag for tag in ("<img", "<a ", "<script") if tag in html] == []
    assert (html.count("<h1>"), "@everyone" in text, "https://" in text) == (1, False, False)


def test_an_erased_case_is_not_in_the_brief(project, ben):
    problem = ProblemFactory(project=project)
    row = settled(problem, external_id="chat-seven")
    type(row).objects.filter(pk=row.pk).update(erased_at=timezone.now())
    assert "chat-seven" not in brief.brief(problem, ben.membership_set.get(), None)


def test_another_projects_brief_is_not_found(as_user, eve, project):
    ProblemFactory(project=project, number=7)
    assert as_user(eve).get(reverse("problem_brief", args=["elsewhere", 7])).status_code == 404


def test_the_brief_tells_the_trend(project):
    problem = ProblemFactory(project=project)
    for days in (0, 0, 3):
        when = timezone.now() - timedelta(days=days)
        ProblemMemberFactory(problem=problem, interaction=answer(project, occurred_at=when))
    text = brief.brief(problem, None, None)
    assert "Cases by two days over four weeks, the newest last: " + "0 " * 12 + "1 2\n" in text
