"""Nothing is ever lost: the server stopped in the middle of work, the page reloaded while it is away, the sign-in over."""

import os
import time

import pytest
from playwright.sync_api import expect

from tests.browsing import Person
from tests.processes import Stack

pytestmark = [pytest.mark.browser]

OUTAGE = float(os.environ.get("OUTAGE", 0))  # seconds that the server stays away longer
FURNISH = """
from annotation.default_rules import install_defaults
from annotation.models import ReviewItem
from feedbackhub.accounts.models import Membership, Project, User
from feedbackhub.capture.models import Interaction
from django.utils import timezone
project = Project.objects.create(slug="tax-help", name="Tax help")
queue = install_defaults(project)
ana = User.objects.create_user("ana@example.com", "a long enough password", name="Ana")
Membership.objects.create(project=project, user=ana, roles=["expert"])
for n in range(1, 6):
    asked = Interaction.objects.create(
        project=project, external_id=f"chat/{n}", body_hash=b"", output=f"Answer number {n} of this test.",
        messages=[{"role": "user", "content": f"Question {n}?"}], occurred_at=timezone.now(),
    )
    ReviewItem.objects.create(project=project, queue=queue, interaction=asked)
"""
SAID = """
SELECT verdict, note, revision, is_current FROM annotation_annotation ORDER BY item_id, revision
"""


@pytest.fixture(scope="module")
def house():
    with Stack(processes=("web",)) as stack:
        stack.manage("shell", "-c", FURNISH)
        yield stack


@pytest.fixture
def work(house, browser):
    """Ana at the screen, everything in place for the server to go away; the queue as at first."""
    house.sql("DELETE FROM annotation_settlement_annotations")
    house.sql("DELETE FROM outbox_outboxevent")
    for table in ("settlement", "candidateanswer", "span", "annotation", "assignment"):
        house.sql(f"DELETE FROM annotation_{table}")
    house.sql("UPDATE annotation_reviewitem SET state = 'waiting', taken_count = 0")
    ana = Person(browser, house.url)
    ana.sign_in("ana@example.com", "a long enough password")
    ana.go("/p/tax-help/review/")
    ana.page.wait_for_selector("[data-ahead-count='2']")
    ana.page.wait_for_selector("[data-is-kept]")
    yield ana
    ana.context.close()


def shown(page):
    return page.locator('[data-text="output"]')


def unsent(page):
    return page.locator("[data-outbox-count]")


def judge(page, verdict, note):
    page.keyboard.press(verdict)
    page.keyboard.press("6")
    page.keyboard.type(note)
    page.keyboard.press("Control+Enter")


def test_work_goes_on_without_the_server_and_arrives_once(house, work):
    page = work.page
    house.kill("web")
    judge(page, "3", "Said without a server")
    expect(shown(page)).to_have_text("Answer number 2 of this test.")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.keyboard.press("4")
    page.keyboard.press("6")
    page.keyboard.type("Half a thought")
    expect(page.locator("[data-draft-status]")).to_contain_text("no connection")

    page.reload()

    expect(shown(page)).to_have_text("Answer number 2 of this test.")
    expect(page.locator("#note")).to_have_value("Half a thought")
    expect(page.locator('[name="verdict"]:checked')).to_have_value("harmful")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.keyboard.press("Control+Enter")
    expect(shown(page)).to_have_text("Answer number 3 of this test.")
    expect(unsent(page)).to_have_text("2 not sent yet")
    judge(page, "1", "")
    expect(page.get_by_text("Nothing more is here to judge")).to_be_visible()
    expect(unsent(page)).to_have_text("3 not sent yet")

    time.sleep(OUTAGE)
    house.start("web")

    expect(shown(page)).to_have_text("Answer number 4 of this test.", timeout=30_000)
    expect(page.locator("[data-outbox]")).to_be_hidden(timeout=30_000)
    assert house.sql(SAID) == [
        ("wrong", "Said without a server", 1, True),
        ("harmful", "Half a thought", 1, True),
        ("correct", "", 1, True),
    ]


def test_server_that_hangs_is_one_that_is_away_and_gets_the_answer_once(house, work):
    page = work.page
    page.evaluate(
        """() => {
          const timeout = AbortSignal.timeout.bind(AbortSignal);
          AbortSignal.timeout = (wait) => timeout(wait / 10);
        }"""
    )  # a tenth of the patience
    house.freeze("web")
    judge(page, "3", "Said to a server that hangs")
    expect(shown(page)).to_have_text("Answer number 2 of this test.")
    expect(page.get_by_text("Your answer is kept here and goes out by itself.")).to_be_visible()
    page.locator("#note").fill("Half a thought")
    expect(page.locator("[data-draft-status]")).to_contain_text("no connection")

    page.reload()

    expect(shown(page)).to_have_text("Answer number 2 of this test.", timeout=20_000)
    expect(page.locator("#note")).to_have_value("Half a thought")
    expect(unsent(page)).to_have_text("1 not sent yet")
    house.thaw("web")
    expect(page.locator("[data-outbox]")).to_be_hidden(timeout=30_000)
    assert house.sql(SAID) == [("wrong", "Said to a server that hangs", 1, True)]


def test_unsent_answer_can_be_taken_back(house, work):
    page = work.page
    house.kill("web")
    judge(page, "3", "Too quick")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.keyboard.press("Control+z")
    expect(shown(page)).to_have_text("Answer number 1 of this test.")
    expect(page.locator("#note")).to_have_value("Too quick")
    expect(page.locator("[data-outbox]")).to_be_hidden()
    house.start("web")
    house.wait_until_up()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    assert house.sql(SAID) == [("correct", "Too quick", 1, True)]


def test_unsent_answer_is_taken_back_after_a_reload_and_kept(house, work):
    page = work.page
    house.kill("web")
    judge(page, "3", "Too quick")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.reload()
    expect(shown(page)).to_have_text("Answer number 2 of this test.")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.keyboard.press("Control+z")
    for _ in range(2):
        expect(shown(page)).to_have_text("Answer number 1 of this test.")
        expect(page.locator("#note")).to_have_value("Too quick")
        expect(page.locator('[name="verdict"]:checked')).to_have_value("wrong")
        expect(page.locator("[data-outbox]")).to_be_hidden()
        page.reload()
    house.start("web")
    house.wait_until_up()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    assert house.sql(SAID) == [("wrong", "Too quick", 1, True)]


def test_answer_waits_for_a_new_sign_in(house, work):
    page = work.page
    house.sql("DELETE FROM django_session")
    judge(page, "3", "Said after the session was over")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.reload()
    expect(page.locator("input[name=password]")).to_be_visible()
    work.sign_in("ana@example.com", "a long enough password")
    work.go("/p/tax-help/review/")
    expect(shown(page)).to_have_text("Answer number 2 of this test.")
    expect(page.locator("[data-outbox]")).to_be_hidden()
    assert house.sql(SAID) == [("wrong", "Said after the session was over", 1, True)]


def test_answer_given_after_the_lease_was_over_arrives_all_the_same(house, work):
    page = work.page
    house.kill("web")
    judge(page, "3", "Away for long")
    expect(unsent(page)).to_have_text("1 not sent yet")
    house.sql("UPDATE annotation_assignment SET lease_until = now() - interval '1 hour'")
    house.start("web")
    expect(page.locator("[data-outbox]")).to_be_hidden()
    assert house.sql(SAID) == [("wrong", "Away for long", 1, True)]


LEFT = """async () => [
    ...(await indexedDB.databases()).map((each) => each.name),
    ...(await caches.keys()),
    ...(await navigator.serviceWorker.getRegistrations()).map((each) => each.scope),
    ...Object.keys(sessionStorage),
]"""


def sign_out(page):
    page.get_by_role("button", name="You:").click()
    page.get_by_role("button", name="Sign out").click()


def test_signing_out_leaves_nothing_behind_and_loses_nothing(house, work):
    page = work.page
    page.locator("#note").fill("Typed a moment ago")
    sign_out(page)
    page.wait_for_url(lambda url: "review" not in url)
    assert page.evaluate(LEFT) == []
    notes = house.sql("SELECT draft->>'note' FROM annotation_assignment WHERE draft != '{}'")
    assert notes == [("Typed a moment ago",)]


def test_the_page_for_signing_out_leaves_nothing_behind_either(house, work):
    work.go("/accounts/logout/")
    page = work.page
    assert page.evaluate(LEFT) != []
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "logout" not in url)
    assert page.evaluate(LEFT) == []


def test_signing_out_asks_before_unsent_work_is_lost(house, work):
    page, asked = work.page, []

    def say_no(dialog):
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", say_no)
    house.kill("web")
    judge(page, "3", "Not sent yet")
    expect(unsent(page)).to_have_text("1 not sent yet")
    page.locator("#note").fill("Half a thought")
    sign_out(page)
    expect(page.locator("#note")).to_have_value("Half a thought")
    page.wait_for_timeout(200)
    assert asked == ["2 answers of yours are not sent yet. Sign out and lose them?"]
    house.start("web")
    house.wait_until_up()
    expect(page.locator("[data-outbox]")).to_be_hidden()
    assert house.sql(SAID) == [("wrong", "Not sent yet", 1, True)]
