"""The label schema while one types: the preview beside the form is the experts' own form."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from annotation.default_rules import install_defaults
from annotation.models import CategoryProposal, LabelSchema

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SETTINGS = "/p/tax-help/settings/schema/"
PAGES = {
    "schema": SETTINGS,
    "category": f"{SETTINGS}category/outdated/",
    "criteria": f"{SETTINGS}list/rubric/",
    "guidelines": f"{SETTINGS}guidelines/",
    "file": f"{SETTINGS}file/",
    "versions": f"{SETTINGS}versions/",
    "categories": "/p/tax-help/review/categories/",
}


@pytest.fixture
def schema(project, ben):
    install_defaults(project)
    schema = LabelSchema.objects.get(project=project)
    CategoryProposal.objects.create(
        project=project,
        schema=schema,
        proposed_by=ben,
        name="Too technical",
        meaning="Nobody outside the office understands it.",
    )
    return schema


def test_the_preview_follows_what_is_typed_and_saving_needs_the_button(sit_down, ben, schema):
    page = sit_down(ben, PAGES["category"])
    preview = page.locator("#schema-preview")
    page.get_by_label("Name", exact=True).fill("Out of date")
    preview.get_by_text("Out of date", exact=True).first.wait_for()
    assert preview.locator("[data-meaning=outdated]").is_visible()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("w")  # a key of the previewed form does nothing here
    assert not preview.locator("input[value=fabricated]").is_checked()
    assert LabelSchema.objects.get().category("outdated")["name"] == "Outdated"
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{SETTINGS}")
    assert LabelSchema.objects.get().category("outdated")["name"] == "Out of date"


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
def test_the_pages_of_the_schema_have_no_accessibility_violation(
    sit_down, ben, schema, width, theme
):
    page = sit_down(ben, PAGES["schema"], theme=theme, width=width)
    for name, path in PAGES.items():
        page.goto(page.url.split("/p/")[0] + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
        assert [(name, each["id"], each["nodes"][0]["html"]) for each in found] == []
