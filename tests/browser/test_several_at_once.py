"""Several at once in a browser: a selection as a stream, look-alikes ticked and taken back, two answers compared."""

import os
import re

import pytest
from playwright.sync_api import expect

from annotation import comparing
from annotation.models import Annotation, Preference, ReviewItem, Split
from feedbackhub.capture import near_duplicates
from tests.annotation.desk import queue_with
from tests.browser.test_review_screen import press_as
from tests.factories import InteractionFactory, ReviewItemFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUESTION = "Can I deduct the bicycle that I ride to work every day{}?"
SAME = "You can deduct it if you ride it to work."


@pytest.fixture
def queue(project):
    return queue_with(project, items=0, name="Tax", slug="tax")[0]


@pytest.fixture
def alike(queue, monkeypatch):
    """Three that ask the same; the third was answered otherwise. And one about something else."""
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: Split.TRAIN)
    made = []
    for question, output in [
        (QUESTION.format(""), SAME),
        (QUESTION.format(" please"), SAME),
        (QUESTION.format(" then"), "You can deduct half of it, if you ride it to work daily."),
        ("Which form do I need to declare rent from a flat abroad?", "Form 12."),
    ]:
        interaction = InteractionFactory(
            project=queue.project,
            messages=[{"role": "user", "content": question}],
            output=output,
        )
        near_duplicates.place(interaction)
        made.append(ReviewItemFactory(queue=queue, interaction=interaction))
    return made


def picture(page, name):
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
def test_look_alikes_get_the_answer_and_one_undo_takes_all_back(sit_down, ana, alike, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = sit_down(ana, "/p/tax-help/review/", width=width, theme=theme)
    page.wait_for_selector("[data-ahead-count]")
    beside = page.get_by_role("region", name="Look-alikes")
    expect(beside.get_by_role("checkbox")).to_have_count(2)
    page.keyboard.press("3")
    page.keyboard.press("w")
    press_as(page, {"key": "=", "code": "Digit0", "shiftKey": True})  # QWERTZ; 0 folds the queue
    expect(beside.locator("[data-gets]").first).to_contain_text("Gets: Wrong")
    expect(page.locator("[data-queue-folded]")).to_have_count(0)
    page.locator("#correction").fill("You cannot deduct it.")
    expect(beside.locator("[data-gets]").nth(0)).to_contain_text("your correction")
    expect(beside.locator("[data-gets]").nth(1)).to_contain_text("no correction, no marks")
    beside.scroll_into_view_if_needed()
    picture(page, f"look-alikes-{width}-{theme}")
    found = Axe().run(page, options={"runOnly": RULES})
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted, with 2 look-alikes.")).to_be_visible()
    # those were fetched ahead, and are not shown: they are answered
    expect(page.locator("#review-title")).to_contain_text(alike[3].interaction.external_id)
    assert Annotation.objects.current().filter(item__in=alike[:3]).count() == 3
    page.keyboard.press("Control+z")
    expect(page.locator("#review-title")).to_contain_text(alike[0].interaction.external_id)
    expect(page.locator('[name="verdict"]:checked')).to_have_value("wrong")
    assert not Annotation.objects.current().exists()
    assert not ReviewItem.objects.filter(assignments__state="submitted").exists()


def test_filtered_list_becomes_a_stream_with_a_way_out(sit_down, ben, queue, alike):
    page = sit_down(ben, "/p/tax-help/items/?queue=tax")
    picture(page, "items-1280-light")
    page.get_by_role("button", name="Review these").click()
    page.wait_for_url(re.compile("selection="))
    side = page.get_by_role("complementary", name="Queue")
    expect(side).to_contain_text("1 of 4 in your selection")
    expect(page.locator("#review-title")).to_contain_text(alike[3].interaction.external_id)
    page.wait_for_selector("[data-ahead-count]")
    picture(page, "selection-1280-light")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#review-title")).to_contain_text(alike[2].interaction.external_id)
    expect(side).to_contain_text("2 of 4 in your selection")
    side.get_by_role("link", name="Leave it").click()
    expect(side.get_by_role("button", name="All my queues")).to_be_visible()
    assert "selection" not in page.url


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (360, "light")])
def test_two_answers_are_compared_with_keys_alone(sit_down, ana, queue, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    items = [
        comparing.compare_answers(
            interaction=InteractionFactory(
                project=queue.project,
                messages=[{"role": "user", "content": f"Question {number}?"}],
                output=f"{SAME}\n\n- Keep **receipts**\n- Note the days",
            ),
            text=f"You **cannot** deduct it, you claim the allowance of {number} €.",
            queue=queue,
            label="prompt v14",
        )
        for number in (1, 2)
    ]
    page = sit_down(ana, "/p/tax-help/review/", width=width, theme=theme)
    page.wait_for_selector("[data-ahead-count]")
    expect(page.get_by_role("heading", name="Answer A")).to_be_visible()
    expect(page.get_by_role("heading", name="Answer B")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Choose one of these.")).to_be_visible()
    page.keyboard.press("b")
    page.keyboard.press("q")
    expect(page.locator('[name="preference"]:checked')).to_have_value("b")
    expect(page.locator("[data-draft-status]")).to_have_text("Saved")
    picture(page, f"compare-{width}-{theme}")
    found = Axe().run(page, options={"runOnly": RULES})
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#review-title")).to_contain_text(items[1].interaction.external_id)
    page.wait_for_selector('[data-unsent="0"]')
    assert Preference.objects.get().reasons == ["correct"]
    page.keyboard.press("Control+z")
    expect(page.locator('[name="preference"]:checked')).to_have_value("b")
    expect(page.locator('[name="reasons"]:checked')).to_have_value("correct")
    page.keyboard.press("=")
    expect(page.locator('[name="preference"]:checked')).to_have_value("equal")
    page.keyboard.press("x")
    expect(page.locator('[name="preference"]:checked')).to_have_value("neither")
