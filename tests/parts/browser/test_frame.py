"""The frame in a browser: keys, palette, dialogs, toasts, themes, a phone's width."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize(
    ("path", "width", "theme"),
    [  # the style guide holds both themes
        ("/styleguide/", 1280, "light"),
        ("/styleguide/", 360, "dark"),
        ("/list/", 1280, "dark"),
        ("/list/", 360, "light"),
    ],
)
def test_page_has_no_accessibility_violation(visit, path, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(path, width=width, theme=theme)
    found = Axe().run(page, options={"runOnly": RULES})
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


@pytest.mark.parametrize("path", ["/styleguide/", "/list/"])
def test_phone_needs_no_sideways_scrolling(visit, path):
    page = visit(path, width=360, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_phone_controls_are_44_px_high(visit):
    page = visit("/styleguide/", width=360, touch=True)
    small = page.evaluate(
        """() => [...document.querySelectorAll(
            '.button, .chip, .choice, .tab, .bar-item, select, input[type=search], .menu-item')]
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 43.5)
          .filter((each) => !each.matches('.chip-group > .chip') && !each.closest('.code'))
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert small == []


def test_j_k_walk_the_list_and_enter_opens(visit):
    page = visit("/list/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="two")).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="one")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/row/one/")


def test_x_ticks_and_the_action_counts(visit):
    page = visit("/list/")
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Approve 2")).to_be_visible()


def test_single_keys_rest_while_typing(visit):
    page = visit("/list/")
    page.locator("#words").focus()
    page.keyboard.type("jax?")
    expect(page.locator("#words")).to_have_value("jax?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_single_keys_can_be_switched_off(visit):
    page = visit("/list/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Add")
    page.get_by_role("switch").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_key_on_a_button_presses_it_and_escape_gives_focus_back(visit):
    page = visit("/list/")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Add an example")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_palette_goes_to_a_place(visit):
    page = visit("/list/")
    page.keyboard.press("Control+k")
    page.keyboard.type("gold")
    expect(page.get_by_role("option", selected=True)).to_have_text(re.compile("^Gold"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/gold/")


def test_palette_finds_and_says_where_it_stands(visit):
    page = visit("/list/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    field.fill("receipts")
    option = page.get_by_role("option", name="Problem about receipts")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", option.get_attribute("id"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/row/found/")


def test_palette_does_what_the_page_offers(visit):
    page = visit("/list/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("add")
    page.get_by_role("option").first.click()
    expect(page.get_by_role("dialog", name="Add an example")).to_be_visible()


def test_palette_survives_a_search_that_fails(visit, page_errors_allowed):
    page = visit("/list/")
    page.route("**/palette/**", lambda route: route.abort())
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("gold")
    expect(page.get_by_text("The search did not answer.")).to_be_visible()
    expect(page.get_by_role("option", name="Gold")).to_be_visible()


def test_confirm_asks_before_a_form_goes_and_cancel_keeps_it(visit):
    page = visit("/list/")
    page.get_by_role("checkbox", name="Tick one").check()
    page.get_by_role("button", name="Approve 1").click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("Approve them all?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    assert page.url.endswith("/list/")
    page.get_by_role("button", name="Approve 1").click()
    question.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/approve/")


def test_toast_offers_undo_and_goes_when_it_is_taken(visit):
    page = visit("/list/")
    page.locator("#undoable").click()
    toast = page.locator(".toast", has_text="Submitted.")
    expect(toast).to_be_visible()
    with page.expect_request("**/undo/") as sent:
        page.keyboard.press("Control+z")
    assert sent.value.method == "POST"
    assert sent.value.headers["x-csrftoken"]
    expect(toast).to_have_count(0)


def test_undo_counts_down_and_goes_with_its_seconds(visit):
    page = visit("/list/")
    page.clock.install()
    page.locator("#undoable").click()
    expect(page.locator(".toast .seconds")).to_have_text(re.compile("10 s|9 s"))
    page.clock.fast_forward(11_000)
    expect(page.locator(".toast", has_text="Submitted.")).to_have_count(0)


def test_server_error_is_said_and_stays(visit, page_errors_allowed):
    page = visit("/list/")
    page.clock.install()
    page.locator("#broken").click()
    toast = page.locator(".toast", has_text="The server could not do this.")
    expect(toast).to_be_visible()
    page.clock.fast_forward(60_000)
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_thin_bar_appears_only_after_400_ms(visit):
    page = visit("/list/")
    held = []
    page.route("**/slow/", lambda route: held.append(route))
    page.clock.install()
    page.locator("#slow").click()
    line = page.locator("[data-waiting]")
    page.clock.run_for(300)
    expect(line).not_to_have_attribute("data-on", "")
    page.clock.run_for(200)
    expect(line).to_have_attribute("data-on", "")
    held[0].fulfill(status=200, body="")
    expect(line).not_to_have_attribute("data-on", "")


def test_drawer_loads_its_link_and_a_click_beside_closes_it(visit):
    page = visit("/list/")
    page.locator("#drawer-link").click()
    drawer = page.get_by_role("dialog", name="Row one")
    expect(drawer).to_contain_text("row one")
    page.mouse.click(40, 600)
    expect(drawer).to_be_hidden()


def test_theme_changes_at_once_and_is_drawn_by_the_server_next_time(visit):
    page = visit("/list/")
    page.get_by_role("button", name="You: Ana Brandt").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    page.reload()
    assert 'data-theme="dark"' in page.content()


def test_menu_is_walked_with_arrows_and_escape_gives_focus_back(visit):
    page = visit("/list/")
    button = page.get_by_role("button", name="You: Ana Brandt")
    button.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="As the system")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Light")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_skip_link_is_first_and_leads_to_the_page(visit):
    page = visit("/list/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_times_are_told_in_the_readers_zone(visit):
    page = visit("/styleguide/")
    titles = page.locator("time[data-relative]").evaluate_all("all => all.map((t) => t.title)")
    assert titles and all(re.search(r"\d{4}", title) for title in titles)


def test_reduced_motion_leaves_nothing_moving(visit):
    page = visit("/list/")
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((each) =>
          getComputedStyle(each).transitionDuration.split(',').some((t) => parseFloat(t) > 0.01))
          .map((each) => each.outerHTML.slice(0, 80))"""
    )
    assert moving == []
