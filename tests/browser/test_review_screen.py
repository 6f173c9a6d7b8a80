"""The review screen in a browser: judged by keys alone, marked behind emoji, undone, contradicted, on a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from annotation import default_schema
from annotation.models import Annotation, Assignment, LabelSchema, ReviewItem
from feedbackhub.capture.models import Interaction, RetrievedDocument
from tests.annotation.desk import pass_time, queue_with, submit
from tests.annotation.test_review_context import settled
from tests.factories import (
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ReviewItemFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REVIEW = "/p/tax-help/review/"
EMOJI = "👩‍👩‍👧 paid 🧾 in full, cafe\u0301 and \u05e9\u05dc\u05d5\u05dd included."


@pytest.fixture
def queue(project):
    queue, _ = queue_with(project, items=0, name="Tax", slug="tax")
    return queue


@pytest.fixture
def items(queue):
    return [
        ReviewItemFactory(
            queue=queue,
            interaction=InteractionFactory(
                project=queue.project,
                messages=[{"role": "user", "content": f"Question {number}?"}],
                output=EMOJI if number == 1 else f"Answer number {number} of this test.",
            ),
        )
        for number in (1, 2, 3, 4)
    ]


def verdict(page):
    return page.locator('[name="verdict"]:checked')


def wait_until_saved(page):
    expect(page.locator("[data-draft-status]")).to_have_text("Saved")


def wait_until_sent(page):
    """The next item is there before the server has the answer."""
    page.wait_for_selector('[data-unsent="0"]')


def wait_until_ahead(page):
    page.wait_for_selector("[data-ahead-count]")


def select(page, field, start, end):
    """Select units `start` to `end` of a text, as a pointer would."""
    page.evaluate(
        """([field, start, end]) => {
          const node = document.querySelector(`[data-text="${field}"]`).firstChild;
          getSelection().setBaseAndExtent(node, start, node, end);
        }""",
        [field, start, end],
    )
    expect(page.locator("[data-marker]")).to_be_visible()


def press_as(page, event):
    """A key as another keyboard has it: {key, code}."""
    page.evaluate(
        """(init) => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init}))""",
        event,
    )


def units(text, words):
    """Where JavaScript counts these words to begin and end."""
    before = text[: text.index(words)]
    start = len(before.encode("utf-16-le")) // 2
    return start, start + len(words.encode("utf-16-le")) // 2


def highlighted(page):
    """The texts that are highlighted now, as the browser cuts them."""
    return page.evaluate(
        """() => [...CSS.highlights].filter(([name]) => name !== "span-here")
          .flatMap(([, highlight]) => [...highlight].map(String))"""
    )


def hold_back(page, path):
    """The requests to such addresses, held until the test lets them go."""
    held = []
    page.route(path, lambda route: held.append(route))
    return held


def wait_for_held(page, held, count=1):
    for _ in range(100):
        if len(held) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError("No such request was made.")


# --- judging --------------------------------------------------------------------------------------


def test_items_are_judged_with_keys_alone(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    said = page.locator("[data-review-said]")
    page.keyboard.press("3")
    expect(said).to_have_text("Wrong chosen")
    page.keyboard.press("w")
    expect(said).to_have_text("Outdated chosen")
    page.keyboard.press("a")  # retrieval misled
    page.keyboard.press("6")
    page.keyboard.type("See 1 and 2.")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    expect(verdict(page)).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 3 of this test.")
    wait_until_sent(page)
    kept = Annotation.objects.order_by("pk").values_list(
        "verdict", "severity", "categories", "root_cause", "note"
    )
    assert list(kept) == [
        ("wrong", "medium", ["outdated"], "retrieval_misled", "See 1 and 2."),
        ("correct", "none", [], "", ""),
    ]


def test_next_item_is_there_without_being_fetched(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    fetched = []
    page.on(
        "request",
        lambda request: (
            request.resource_type in ("document", "fetch")
            and request.method == "GET"
            and fetched.append(request.url)
        ),
    )
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    assert fetched == []


def test_keys_rest_while_typing_held_or_with_altgr(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    page.keyboard.press("6")
    page.keyboard.type("1 q n")
    page.keyboard.press("Escape")
    fire = """(init) => document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init}))"""
    page.evaluate(fire, {"key": "3", "code": "Digit3", "repeat": True})
    page.evaluate(fire, {"key": "3", "code": "Digit3", "modifierAltGraph": True})
    page.evaluate(fire, {"key": "q", "code": "KeyQ", "ctrlKey": True})
    page.evaluate(fire, {"key": "Enter", "code": "Enter", "ctrlKey": True, "repeat": True})
    expect(page.locator("#note")).to_have_value("1 q n")
    expect(page.locator("#decision-form :checked")).to_have_count(0)
    assert Annotation.objects.count() == 0


@pytest.mark.parametrize(
    ("event", "checked"),
    [
        ({"key": "&", "code": "Digit1"}, '[value="correct"]'),  # AZERTY: digits without Shift
        ({"key": "é", "code": "Digit2"}, '[value="partly"]'),
        ({"key": "1", "code": "Digit1", "shiftKey": True}, '[value="correct"]'),
        ({"key": "a", "code": "KeyQ"}, '[value="retrieval_misled"]'),  # its cap says A
        ({"key": "w", "code": "KeyZ"}, '[value="fabricated"]'),
        ({"key": "z", "code": "KeyY"}, '[value="tone"]'),  # QWERTZ
        ({"key": "y", "code": "KeyZ"}, '[value="incomplete"]'),
        ({"key": "ß", "code": "Minus"}, '[value="wrong"]'),  # one's own
        ({"key": "й", "code": "KeyQ"}, '[value="factual_error"]'),  # no Latin letter: the place
    ],
)
def test_keys_mean_what_their_caps_say(sit_down, ana, items, event, checked):
    LabelSchema.objects.update(categories=default_schema.CATEGORIES)
    ana.review_keys = {"verdict:wrong": "ß"}
    ana.save()
    page = sit_down(ana, REVIEW)
    press_as(page, event)
    expect(page.locator(f"input{checked}")).to_be_checked()


def test_key_held_into_the_next_item_does_nothing_there(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    page.keyboard.press("3")
    page.keyboard.down("1")  # and stays down
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    page.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown",
          {bubbles: true, cancelable: true, key: "1", code: "Digit1"}))"""
    )  # a repeat that does not say so, as remote desktops send
    expect(verdict(page)).to_have_count(0)
    page.keyboard.up("1")
    page.keyboard.press("1")
    expect(verdict(page)).to_have_value("correct")


def test_command_enter_submits_one_item_after_the_other(sit_down, ana, items):
    """macOS sends no keyup for Enter while ⌘ is down."""
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    for number in (2, 3):
        page.keyboard.press("1")
        for name, key, code, held in (
            ("keydown", "Meta", "MetaLeft", True),
            ("keydown", "Enter", "Enter", True),
            ("keyup", "Meta", "MetaLeft", False),
        ):
            page.evaluate(
                """([name, init]) => document.body.dispatchEvent(
                  new KeyboardEvent(name, {bubbles: true, cancelable: true, ...init}))""",
                [name, {"key": key, "code": code, "metaKey": held}],
            )
        expect(page.locator('[data-text="output"]')).to_have_text(
            f"Answer number {number} of this test."
        )
    wait_until_sent(page)
    assert Annotation.objects.count() == 2


def test_own_key_acts_and_stands_in_the_sheet(sit_down, ana, items):
    ana.review_keys = {"verdict:wrong": "ö"}
    ana.save()
    page = sit_down(ana, REVIEW)
    page.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown",
          {bubbles: true, cancelable: true, key: "ö", code: "Semicolon"}))"""
    )
    expect(verdict(page)).to_have_value("wrong")
    page.keyboard.press("?")
    verdicts = page.locator(
        "[data-keys-here] > section", has=page.get_by_role("heading", name="Verdict")
    )
    expect(verdicts.locator("dl > div", has_text="Wrong")).to_contain_text("Ö")


def test_conflict_of_keys_is_shown_while_choosing(sit_down, ana, items):
    page = sit_down(ana, "/p/tax-help/review/keys/")
    page.get_by_label("Write a note").focus()
    page.keyboard.press("3")
    expect(page.locator("[data-said]:not(:empty)")).to_have_text(
        ["Also on: Write a note", "Also on: Wrong"]
    )
    page.get_by_label("Write a note").focus()
    page.keyboard.press(";")
    expect(page.locator("[data-said]:not(:empty)")).to_have_count(0)
    page.get_by_role("button", name="Save my keys").click()
    expect(page.get_by_text("Saved. The caps")).to_be_visible()
    ana.refresh_from_db()
    assert ana.review_keys == {"note": ";"}


def test_enter_on_a_choice_does_not_submit(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    page.locator('[name="verdict"]').first.focus()
    page.keyboard.press("Enter")
    expect(page.locator('[value="correct"]')).to_be_checked()
    assert Annotation.objects.count() == 0


def test_severity_follows_until_it_is_chosen(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    severity = page.locator('[name="severity"]:checked')
    for key, value in [("1", "none"), ("3", "medium"), ("e", "critical"), ("e", "medium")]:
        page.keyboard.press(key)
        expect(severity).to_have_value(value)
    page.keyboard.press("l")
    page.keyboard.press("e")
    expect(severity).to_have_value("low")
    page.keyboard.press("1")  # what the verdict rules out follows all the same
    expect(severity).to_have_value("none")


def test_focused_category_shows_what_it_means_with_a_good_and_a_bad_example(sit_down, ana, items):
    LabelSchema.objects.update(categories=default_schema.CATEGORIES)
    page = sit_down(ana, REVIEW)
    shown = page.locator("[data-meaning][data-shown]")
    expect(shown).to_have_count(0)
    boxes = page.locator('[name="categories"]')
    for place in (0, 2):
        if place == 0:
            boxes.first.focus()
        else:
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
        expect(boxes.nth(place)).to_be_focused()
        category = default_schema.CATEGORIES[place]
        expect(shown).to_have_count(1)
        expect(shown).to_be_visible()
        expect(shown).to_contain_text(category["meaning"])
        expect(shown.locator(".is-bad")).to_have_text(category["bad_example"])
        expect(shown.locator(".is-good")).to_have_text(category["good_example"])
    expect(page.locator("#decision-form :checked")).to_have_count(0)


def test_what_is_missing_is_said_at_its_field(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    sit_down.errors.clear()
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-errors-for="verdict"] [data-error]')).to_contain_text(
        "Choose one of"
    )
    expect(page.locator('[name="verdict"]').first).to_be_focused()
    sit_down.errors.clear()  # the refused request shows in the console


# --- marks ----------------------------------------------------------------------------------------


def test_marks_behind_emoji_are_kept_on_reload_and_submitted(sit_down, ana, items, project):
    source = "For 🧾 see the guide."
    RetrievedDocument.objects.create(
        project=project, interaction=items[0].interaction, position=0, title="Guide", text=source
    )
    page = sit_down(ana, REVIEW)
    select(page, "output", *units(EMOJI, "paid 🧾 in full"))
    page.keyboard.press("1")
    expect(page.locator("[data-review-said]")).to_have_text("Marked Wrong: paid 🧾 in full")
    select(page, "output", *units(EMOJI, "full, cafe\u0301 and \u05e9\u05dc\u05d5\u05dd"))
    page.keyboard.press("2")
    select(page, "messages.0", 0, 8)
    page.keyboard.press("2")
    select(page, "documents.0", *units(source, "the guide"))
    page.keyboard.press("2")
    wait_until_saved(page)
    page.reload()
    page.wait_for_load_state("networkidle")
    quotes = [
        "paid 🧾 in full",
        "full, cafe\u0301 and \u05e9\u05dc\u05d5\u05dd",
        "Question",
        "the guide",
    ]
    assert highlighted(page) == quotes
    expect(page.locator("[data-span] q")).to_have_text(quotes)
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    spans = Annotation.objects.get().spans.filter(field="output").order_by("start")
    assert [EMOJI[span.start : span.end] for span in spans] == quotes[:2]
    in_source = Annotation.objects.get().spans.get(field="documents.0")
    assert source[in_source.start : in_source.end] == "the guide"


def test_mark_never_cuts_a_letter(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    start, end = units(EMOJI, "cafe\u0301")
    select(page, "output", start, end - 1)  # without its accent
    page.keyboard.press("1")
    select(page, "output", 0, 4)  # through the middle of a family
    page.keyboard.press("1")
    expect(page.locator("[data-span] q")).to_have_text(["cafe\u0301", "👩‍👩‍👧"])


def test_mark_is_made_and_taken_off_with_the_keyboard(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    page.locator('[data-text="messages.0"]').focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")
    expect(page.locator("[data-span] q")).to_have_text(["Question"])
    page.locator("[data-span-show]").focus()
    page.keyboard.press("Delete")
    expect(page.locator("[data-span]")).to_have_count(0)
    assert highlighted(page) == []


RENDERED = """Keep **this** in mind.

| paid | owed |
|---|---|
| 🧾 shalom שלום | cafe\u0301 |

```python
paid = "🧾"
owed = 2
```
"""


def select_rendered(page, first, last=None):
    """Select from words that stand in one piece of the rendered answer to others in a later one, or only these."""
    page.evaluate(
        """([first, last]) => {
          const walker = document.createTreeWalker(
            document.querySelector("[data-rendered]"), NodeFilter.SHOW_TEXT);
          const find = (words) => {
            while (!walker.currentNode.data?.includes(words) && walker.nextNode());
            return [walker.currentNode, walker.currentNode.data.indexOf(words)];
          };
          const [from, start] = find(first);
          const [to, end] = find(last);
          getSelection().setBaseAndExtent(from, start, to, end + last.length);
        }""",
        [first, last or first],
    )
    expect(page.locator("[data-marker]")).to_be_visible()


def test_marks_are_made_in_tables_and_code_of_rendered_markdown(sit_down, ana, queue, project):
    ReviewItemFactory(queue=queue, interaction=InteractionFactory(project=project, output=RENDERED))
    page = sit_down(ana, REVIEW)
    quotes = ["this", "שלום", "cafe\u0301", 'paid = "🧾"']
    for words in quotes:
        select_rendered(page, words)
        page.keyboard.press("1")
    expect(page.locator("[data-span] q")).to_have_text(quotes)
    assert highlighted(page) == [words for words in quotes for _ in ("raw", "rendered")]
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    spans = Annotation.objects.get().spans.order_by("start")
    assert [RENDERED[span.start : span.end] for span in spans] == quotes


def test_mark_goes_across_emphasis_cells_and_lines_of_rendered_markdown(
    sit_down, ana, queue, project
):
    ReviewItemFactory(queue=queue, interaction=InteractionFactory(project=project, output=RENDERED))
    page = sit_down(ana, REVIEW)
    ends = [("Keep", "in mind"), ("paid", "owed"), ("שלום", "cafe\u0301"), ("paid =", "owed = 2")]
    for first, last in ends:
        select_rendered(page, first, last)
        page.keyboard.press("1")
    quotes = [
        "Keep **this** in mind",
        "paid | owed",
        "שלום | cafe\u0301",
        'paid = "🧾"\nowed = 2',
    ]
    assert page.locator("[data-span] q").all_text_contents() == quotes
    shown = "".join(highlighted(page))
    assert all(words in shown for words in quotes)
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    spans = Annotation.objects.get().spans.order_by("start")
    assert [RENDERED[span.start : span.end] for span in spans] == quotes


def test_mark_is_relabelled_and_resized_with_the_keyboard(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    select(page, "output", *units(EMOJI, "paid 🧾 in"))
    page.keyboard.press("1")
    page.get_by_role("button", name="Change this mark").press("Enter")
    page.get_by_role("button", name="End a word later").press("Enter")
    page.get_by_role("button", name="End a word later").press("Enter")
    expect(page.locator("[data-span] q")).to_have_text(["paid 🧾 in full, cafe\u0301"])
    page.get_by_role("button", name="Begin a word later").press("Enter")
    expect(page.locator("[data-span] q")).to_have_text(["in full, cafe\u0301"])
    names = page.locator("[data-span-relabel] option").all_text_contents()
    page.get_by_label("Label", exact=True).select_option(names[1])
    expect(page.locator("[data-span-label]")).to_have_text(names[1])
    assert highlighted(page) == ["in full, cafe\u0301"]


def test_code_points_and_units_agree_with_python(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    texts = ["plain", "a🧾b", EMOJI, "e\u0301\u0323x", "\u202eשלום🧾", "𝕏𝕐𝕑", "🇩🇪🇫🇷"]
    found = page.evaluate(
        """async (texts) => {
          const {toCodePoints, toUnits} = await import("/static/js/review/code_points.js");
          return texts.map((text) => {
            const points = [...text];
            return points.map((_, at) => {
              const units = toUnits(text, at);
              return [units, toCodePoints(text, units)];
            }).concat([[toUnits(text, points.length), toCodePoints(text, text.length)]]);
          });
        }""",
        texts,
    )
    expected = [
        [[len(text[:at].encode("utf-16-le")) // 2, at] for at in range(len(text) + 1)]
        for text in texts
    ]
    assert found == expected


# --- the correction -------------------------------------------------------------------------------


def test_correction_shows_what_changes_while_one_types(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    diff = page.locator('[data-correction-diff] > [data-diff-column="inline"]')
    expect(diff).to_have_count(0)
    page.locator("#correction").fill("Answer number 7 of every test.")
    expect(diff.locator("del")).to_have_text(["2", "this"])
    expect(diff.locator("ins")).to_have_text(["7", "every"])
    page.get_by_role("button", name="Back to the original").click()
    expect(diff).to_be_hidden()
    expect(page.locator("#correction")).to_have_value("Answer number 2 of this test.")


def test_caret_stays_where_one_types_and_what_moved_is_told_from_what_went(sit_down, ana, items):
    first, second = "Keep every receipt you get.", "Then send the form in."
    Interaction.objects.filter(pk=items[0].interaction_id).update(output=f"{first} {second}")
    page = sit_down(ana, REVIEW)
    correction = page.locator("#correction")
    caret = "() => [document.activeElement.id, document.activeElement.selectionStart]"
    correction.focus()
    page.evaluate("() => document.activeElement.setSelectionRange(5, 5)")
    for typed, letter in enumerate("only ", 1):
        page.keyboard.type(letter)
        page.wait_for_timeout(100)  # what changed is drawn
        assert page.evaluate(caret) == ["correction", 5 + typed]
    expect(correction).to_have_value(f"Keep only every receipt you get. {second}")
    diff = page.locator('[data-correction-diff] > [data-diff-column="inline"]')
    expect(diff.locator("ins")).to_have_text(["only "])
    expect(diff.locator(".is-moved")).to_have_count(0)
    correction.fill(f"{second} {first}")
    expect(diff.locator("del.is-moved").first).to_be_visible()
    moved = {kind: diff.locator(f"{kind}.is-moved").all_text_contents() for kind in ("del", "ins")}
    bare = {kind: {text.strip(" .") for text in texts} for kind, texts in moved.items()}
    assert bare["del"] == bare["ins"] <= {first.strip("."), second.strip(".")}


def test_correction_is_compared_side_by_side(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    page.locator("#correction").fill("Paid in full.")
    columns = page.locator("[data-diff-column]:visible")
    expect(columns).to_have_count(1)
    page.locator("#review-title").focus()
    page.keyboard.press("+")
    expect(columns).to_have_count(2)
    expect(columns.last.locator("ins").first).to_be_visible()
    press_as(page, {"key": "+", "code": "BracketRight"})  # QWERTZ
    expect(columns).to_have_count(1)
    press_as(page, {"key": "-", "code": "Digit6"})  # AZERTY: the key of the note
    expect(page.locator("#note")).to_be_focused()
    expect(columns).to_have_count(1)


def test_words_are_struck_and_sources_cited_in_the_correction(sit_down, ana, items, project):
    RetrievedDocument.objects.create(
        project=project, interaction=items[0].interaction, position=0, title="Guide", text="Text"
    )
    page = sit_down(ana, REVIEW)
    correction = page.locator("#correction")
    select(page, "output", *units(EMOJI, "in full"))
    page.get_by_role("button", name="Strike").click()
    expect(correction).to_have_value(EMOJI.replace(" in full", ""))
    select(page, "output", *units(EMOJI, "\u05e9\u05dc\u05d5\u05dd"))
    page.get_by_role("button", name="Cite 1").click()
    expect(correction).to_have_value(
        EMOJI.replace(" in full", "").replace("\u05dd included", "\u05dd [1] included")
    )


def test_words_are_struck_and_cited_by_keys_where_no_mark_is_known(
    sit_down, ana, items, queue, project
):
    LabelSchema.objects.update(span_labels=[])
    RetrievedDocument.objects.create(
        project=project, interaction=items[0].interaction, position=0, title="Guide", text="Text"
    )
    page = sit_down(ana, REVIEW)
    expect(page.locator("[data-marks]")).to_have_count(0)
    select(page, "output", *units(EMOJI, "in full"))
    page.keyboard.press("x")
    expect(page.locator("#correction")).to_have_value(EMOJI.replace(" in full", ""))
    page.keyboard.press("Escape")
    expect(page.locator("[data-marker]")).to_be_hidden()
    select(page, "output", *units(EMOJI, "paid"))
    expect(page.locator("[data-marker]")).to_be_visible()
    page.keyboard.press("9")
    expect(page.locator("#correction")).to_have_value(
        EMOJI.replace(" in full", "").replace("paid", "paid [1]")
    )


def test_mark_ticks_the_category_that_it_says_too(sit_down, ana, items):
    labels = [{"key": "stale", "name": "Stale", "category": "outdated"}]
    LabelSchema.objects.update(span_labels=labels)
    page = sit_down(ana, REVIEW)
    select(page, "output", *units(EMOJI, "paid"))
    page.keyboard.press("1")
    expect(page.locator("[data-span-label]")).to_have_text("Stale")
    expect(page.locator('[name="categories"]:checked')).to_have_value("outdated")


def test_marks_of_the_house_tick_the_category_that_fits(sit_down, ana, items):
    LabelSchema.objects.update(
        categories=default_schema.CATEGORIES, span_labels=default_schema.SPAN_LABELS
    )
    page = sit_down(ana, REVIEW)
    ticked = page.locator('[name="categories"]:checked')
    for key, values in [
        ("8", []),  # good
        ("4", []),  # a source is missing: that says nothing of the whole answer
        ("1", ["factual_error"]),
        ("2", ["factual_error", "fabricated"]),
        ("7", ["factual_error", "fabricated", "privacy"]),
    ]:
        select(page, "output", *units(EMOJI, "paid"))
        page.keyboard.press(key)
        expect(page.locator("[data-marker]")).to_be_hidden()
        assert ticked.evaluate_all("(boxes) => boxes.map((box) => box.value)") == values
    expect(page.locator("[data-span]")).to_have_count(5)


# --- beside the item ------------------------------------------------------------------------------


def test_suggestion_is_taken_by_one_key_and_is_recorded(sit_down, ana, items):
    LabelSchema.objects.update(categories=default_schema.CATEGORIES)
    FeedbackEventFactory(interaction=items[0].interaction, category="outdated")
    page = sit_down(ana, REVIEW)
    expect(page.get_by_role("button", name="Take it")).to_be_visible()
    page.keyboard.press("3")
    press_as(page, {"key": ",", "code": "KeyM"})  # AZERTY
    expect(page.locator('[name="categories"]:checked')).to_have_value("outdated")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    assert Annotation.objects.get().suggestion == {
        "source": "reporter",
        "seen": True,
        "taken": ["categories"],
        "as": {"categories": "outdated"},
    }


def test_settling_like_a_similar_case_is_one_key_and_is_recorded(
    sit_down, ana, items, queue, monkeypatch
):
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: "train")
    case = settled(queue, "Question 1?", categories=["outdated"])
    page = sit_down(ana, REVIEW)
    expect(page.get_by_role("button", name="Settle like this one")).to_be_visible()
    page.keyboard.press(".")
    expect(verdict(page)).to_have_value("wrong")
    expect(page.locator('[value="outdated"]')).to_be_checked()
    page.keyboard.press("l")  # but less bad
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    assert Annotation.objects.get().suggestion == {
        "source": f"case:{case.public_id}",
        "seen": True,
        "taken": ["verdict", "severity", "categories"],
        "as": {"verdict": "wrong", "severity": "medium", "categories": "outdated"},
        "changed": ["severity"],
    }


def test_what_is_taken_before_a_reload_and_changed_after_it_is_told_as_that(
    sit_down, ana, items, queue, monkeypatch
):
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: "train")
    settled(queue, "Question 1?", categories=["outdated"])
    written = CandidateAnswerFactory(
        interaction=items[0].interaction, source="reporter", text="Better words."
    )
    page = sit_down(ana, REVIEW)
    page.get_by_role("button", name="Settle like this one").click()
    page.get_by_role("button", name="Start from this one").click()
    expect(page.locator("#correction")).to_have_value("Better words.")
    wait_until_saved(page)
    page.reload()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    said = Annotation.objects.get().suggestion
    assert said["source"] == f"answer:{written.public_id}"
    assert said["taken"] == ["verdict", "severity", "categories", "correction"]
    assert said["changed"] == ["verdict"]


def test_late_suggestion_is_noted_for_the_item_that_it_is_of(
    sit_down, ana, items, queue, monkeypatch
):
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: "train")
    settled(queue, "Question 1?")
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    held = hold_back(page, "**/context/")
    page.reload()
    wait_for_held(page, held)
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_for_held(page, held, 2)
    with page.expect_response("**/context/"):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert "seen" not in page.locator('[name="suggestion"]').input_value()
    held[1].continue_()


def test_suggestions_come_when_the_server_has_a_verdict(sit_down, ana, items, queue, monkeypatch):
    monkeypatch.setattr("annotation.splits.split_of_key", lambda key: "train")
    queue.suggestions_after_first_answer = True
    queue.save()
    settled(queue, "Question 1?")
    page = sit_down(ana, REVIEW)
    expect(page.locator("[data-waits]")).to_be_visible()
    page.keyboard.press("3")
    expect(page.get_by_role("button", name="Settle like this one")).to_be_visible()
    assert Assignment.objects.get(state="claimed").draft["verdict"] == "wrong"


def test_what_the_answer_shares_with_a_source_is_highlighted_there(sit_down, ana, queue, project):
    asked = InteractionFactory(project=project, output="You may deduct the way to work.")
    RetrievedDocument.objects.create(
        project=project,
        interaction=asked,
        position=0,
        title="Guide",
        text="Note: the way to work counts. Nothing else does.",
    )
    ReviewItemFactory(queue=queue, interaction=asked)
    page = sit_down(ana, REVIEW)
    expect(page.locator("[data-overlap]")).to_have_text("57 % of the answer")
    shared = page.evaluate('() => [...CSS.highlights.get("overlap")].map(String)')
    assert shared == ["the way to work"]


# --- undo, drafts, leases, two windows ------------------------------------------------------------


def test_undo_brings_the_item_back_as_it_was(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    page.keyboard.press("4")
    page.keyboard.press("6")
    page.keyboard.type("Dangerous")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    page.keyboard.press("Control+z")
    expect(page.locator('[data-text="output"]')).to_have_text(EMOJI)
    expect(verdict(page)).to_have_value("harmful")
    expect(page.locator("#note")).to_have_value("Dangerous")
    assert Annotation.objects.current().count() == 0
    page.keyboard.press("Control+Enter")  # and the item that was open by then comes next
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    assert Annotation.objects.current().count() == 1


def test_undo_by_key_takes_the_newest_first(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    for number in (2, 3):
        page.keyboard.press("1")
        page.keyboard.press("Control+Enter")
        expect(page.locator('[data-text="output"]')).to_have_text(
            f"Answer number {number} of this test."
        )
    page.keyboard.press("Control+z")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    assert Annotation.objects.current().get().item == items[0]


def test_undo_waits_for_a_try_that_may_arrive(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    held = hold_back(page, "**/submit/")
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    wait_for_held(page, held)
    held.pop().abort()
    wait_for_held(page, held)  # the second try
    page.keyboard.press("Control+z")
    page.wait_for_timeout(100)
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    held.pop().continue_()
    expect(page.locator('[data-text="output"]')).to_have_text(EMOJI)
    expect(verdict(page)).to_have_value("wrong")
    assert list(Annotation.objects.values_list("is_current", flat=True)) == [False]
    sit_down.errors.clear()  # the failed request shows in the console


def test_slow_skip_never_takes_the_next_item(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    held = hold_back(page, "**/draft/")
    page.keyboard.press("1")
    page.keyboard.press("8")
    page.get_by_role("button", name="Not my field").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_for_held(page, held)
    held.pop().continue_()
    wait_until_sent(page)
    page.wait_for_timeout(100)
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    assert Assignment.objects.filter(state="skipped").count() == 0
    sit_down.errors.clear()  # the late draft was refused


def test_draft_survives_a_lost_connection(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    page.context.set_offline(True)
    page.keyboard.press("6")
    page.keyboard.type("Typed in a tunnel")
    status = page.locator("[data-draft-status]")
    expect(status).to_have_text("Not saved: no connection. Trying again.")
    page.keyboard.press("Control+Enter")  # without a verdict
    expect(page.locator("#note")).to_have_value("Typed in a tunnel")
    page.context.set_offline(False)
    expect(status).to_have_text("Saved", timeout=10_000)
    assert Assignment.objects.get(state="claimed").draft["note"] == "Typed in a tunnel"
    sit_down.errors.clear()  # failed requests show in the console


def test_stale_submit_shows_both_and_keeps_what_is_typed(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    page.keyboard.press("3")
    page.keyboard.press("6")
    page.keyboard.type("Typed here")
    wait_until_saved(page)
    submit(Assignment.objects.get(state="claimed"), "partly", "low", note="Said elsewhere")
    page.keyboard.press("Control+Enter")
    conflict = page.get_by_role("alert")
    expect(conflict).to_contain_text("Said elsewhere")
    expect(conflict).to_contain_text("Typed here")
    expect(page.locator("#note")).to_have_value("Typed here")
    assert Annotation.objects.get().note == "Said elsewhere"
    page.get_by_role("button", name="Revise it").click()
    expect(conflict).to_have_count(0)
    wait_until_saved(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    said = Annotation.objects.order_by("revision").values_list("note", "is_current")
    assert list(said) == [("Said elsewhere", False), ("Typed here", True)]
    sit_down.errors.clear()


def test_lost_lease_is_said_and_the_item_taken_up_again(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    pass_time(31 * 60, Assignment.objects.get(state="claimed"))
    page.keyboard.press("6")
    page.keyboard.type("After lunch")
    expect(page.get_by_role("alert")).to_contain_text("Your time with this item is over.")
    page.get_by_role("button", name="Take it up again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    wait_until_saved(page)
    hand = Assignment.objects.get(state="claimed")
    assert (hand.fence, hand.draft["note"]) == (2, "After lunch")
    sit_down.errors.clear()


def test_two_windows_choose_which_draft_is_kept(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    other = sit_down(ana, REVIEW)
    other.locator("#note").fill("From the other window")
    wait_until_saved(other)
    page.locator("#note").fill("From this window")
    expect(page.get_by_role("alert")).to_contain_text("From the other window")
    page.get_by_role("button", name="Keep mine").click()
    wait_until_saved(page)
    assert Assignment.objects.get(state="claimed").draft["note"] == "From this window"
    sit_down.errors.clear()


def test_skip_with_a_reason_goes_on(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    page.keyboard.press("8")
    page.get_by_role("button", name="Needs discussion").click()
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    assert ReviewItem.objects.get(needs_discussion=True) == items[0]


def test_last_item_leads_to_the_empty_page(sit_down, ana, queue, project):
    ReviewItemFactory(queue=queue, interaction=InteractionFactory(project=project))
    page = sit_down(ana, REVIEW)
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator('[value="correct"]')).to_be_checked()


# --- the frame ------------------------------------------------------------------------------------


def test_columns_are_dragged_by_keyboard_and_remembered(sit_down, ana, items):
    page = sit_down(ana, REVIEW)
    width = "document.querySelector('.review-decision').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.get_by_role("separator", name="Width of the decision").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(width) == before + 32
    page.keyboard.press("0")
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(width) == before + 32
    expect(page.locator("[data-queue-folded]")).to_have_count(1)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_screen_has_no_accessibility_violation(sit_down, ana, items, project, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    RetrievedDocument.objects.create(
        project=project, interaction=items[0].interaction, position=0, title="Guide", text="Text"
    )
    FeedbackEventFactory(interaction=items[0].interaction)
    page = sit_down(ana, REVIEW, width=width, theme=theme, touch=width < 720)
    wait_until_ahead(page)
    page.keyboard.press("3")
    page.keyboard.press("q")
    select(page, "output", *units(EMOJI, "paid"))
    page.keyboard.press("1")
    page.locator("#correction").fill("Better.")
    wait_until_saved(page)
    found = Axe().run(page, options={"runOnly": RULES})
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_own_keys_have_no_accessibility_violation(sit_down, ana, items, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = sit_down(ana, "/p/tax-help/review/keys/", width=width, theme=theme)
    page.get_by_label("Write a note").focus()
    page.keyboard.press("3")
    found = Axe().run(page, options={"runOnly": RULES})
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def tab_to(page, selector):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab.")


def test_whole_screen_works_by_keyboard_alone(sit_down, ana, items, queue):
    """From the first item to the third: judge, mark, change the mark, correct, undo, submit, skip, read the keys."""
    page = sit_down(ana, REVIEW)
    wait_until_ahead(page)
    keys = page.keyboard
    for key in ("3", "q", "a", "l"):
        keys.press(key)
    tab_to(page, '[data-text="output"]')
    keys.press("Shift+ArrowRight")
    keys.press("Shift+ArrowRight")
    expect(page.locator("[data-marker]")).to_be_visible()
    keys.press("2")
    expect(page.locator("[data-span]")).to_have_count(1)
    marked = page.locator("[data-span] q").inner_text()
    tab_to(page, "[data-span-change]")
    keys.press("Enter")
    tab_to(page, "[data-span-relabel]")
    keys.press("ArrowUp")
    expect(page.locator("[data-span-label]")).to_have_text("Wrong")
    tab_to(page, '[data-span-resize="end-later"]')
    keys.press("Enter")
    expect(page.locator("[data-span] q")).not_to_have_text(marked)
    keys.press("5")
    keys.press("Control+End")
    keys.type(" And more.")
    keys.press("Escape")
    keys.press("6")
    keys.type("Checked.")
    keys.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    keys.press("Control+z")
    expect(page.locator("#note")).to_have_value("Checked.")
    keys.press("Control+Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    wait_until_sent(page)
    keys.press("8")
    expect(page.get_by_role("button", name="Not my field")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 3 of this test.")
    wait_until_sent(page)
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    said = Annotation.objects.current().get()
    assert (said.verdict, said.severity, said.categories) == ("wrong", "low", ["factual_error"])
    changed = said.spans.get()
    assert (said.note, changed.label) == ("Checked.", "wrong")
    assert changed.end > len(marked) and EMOJI[changed.start :].startswith(marked)
    assert said.candidates.get(state="proposed").text == f"{EMOJI} And more."
    assert Assignment.objects.filter(state="skipped").count() == 1


def test_phone_shows_answer_and_submit_together(sit_down, ana, items):
    page = sit_down(ana, REVIEW, width=360, height=740, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for _ in range(2):
        expect(page.locator('[data-text="output"]')).to_be_in_viewport()
        expect(page.get_by_role("button", name="Submit")).to_be_in_viewport(ratio=1)
        page.get_by_text("Wrong", exact=True).first.tap()
    page.get_by_role("button", name="Submit").tap()
    expect(page.locator('[data-text="output"]')).to_have_text("Answer number 2 of this test.")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    toasts = page.locator(".toasts").bounding_box()
    assert toasts["y"] + toasts["height"] < page.locator(".review-decision").bounding_box()["y"]


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_itself_never_scrolls_whatever_is_focused(sit_down, ana, items, width):
    page = sit_down(ana, REVIEW, width=width)
    page.locator("#note").focus()
    page.evaluate("() => scrollTo(0, 500)")
    assert page.evaluate("() => [scrollX, scrollY]") == [0, 0]


def test_more_turns_of_the_conversation_are_shown_by_keys(queue, items, ana, sit_down):
    asked = items[0].interaction
    asked.session_id = "one"
    asked.save()
    for number in range(30):
        InteractionFactory(
            project=queue.project,
            session_id="one",
            occurred_at=asked.occurred_at - timedelta(minutes=30 - number),
            output=f"Turn {number}." if number else "The first. " * 500,
        )
    page = sit_down(ana, REVIEW)
    page.get_by_text("The rest of this conversation").click()
    turns = page.locator(".review-context ol > li")
    expect(turns).to_have_count(11)
    page.get_by_role("button", name="Show earlier turns").press("Enter")
    expect(turns).to_have_count(30)
    expect(turns.nth(19)).to_be_focused()
    expect(turns.nth(19)).to_contain_text("Turn 19.")
    page.get_by_role("button", name="Show the whole text").press("Enter")
    expect(turns.first).to_be_focused()
    expect(turns.first).to_contain_text(("The first. " * 500).strip())


def test_time_without_an_act_is_not_counted_after_a_minute(queue, items, ana, sit_down):
    page = sit_down(ana, REVIEW)
    page.clock.install()
    page.reload()
    page.wait_for_selector("[data-is-ready]")

    def spent():
        return int(page.locator("#review-item [name=seconds_spent]").input_value() or 0)

    page.keyboard.press("Shift")
    at_work = spent()
    page.clock.run_for(30_000)
    assert 29 <= spent() - at_work <= 59
    page.clock.run_for(300_000)
    idle = spent()
    assert 59 <= idle - at_work <= 61
    page.clock.run_for(30_000)
    assert spent() == idle
    page.keyboard.press("Shift")
    page.clock.run_for(10_000)
    assert 9 <= spent() - idle <= 59
