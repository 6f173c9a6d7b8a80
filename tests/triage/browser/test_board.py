"""The board under the hand: dragged, walked and moved by keys, and told the truth when somebody was quicker."""

import pytest

from tests.factories import ProblemFactory
from triage.models import Problem

BOARD = "/p/tax-help/problems/"


@pytest.fixture
def problem(transactional_db, project):
    return ProblemFactory(project=project, number=7, title="Rates of last year")


def lies_in(page, state):
    page.locator(f'[data-column="{state}"] #p7').wait_for(timeout=10_000)
    return Problem.objects.get(number=7).state


def test_a_card_is_dragged_to_another_column(visit, ben, problem):
    page = visit(ben, BOARD)
    page.drag_and_drop("#p7 .card-title", '[data-column="investigating"] .board-head')
    assert lies_in(page, "investigating") == "investigating"
    assert "P7 is investigating." in page.locator("#toasts").inner_text()


def test_the_matrix_is_drawn_anew_after_a_drag_and_its_bubbles_lead_to_their_problems(
    visit, ben, project, problem
):
    ProblemFactory(project=project, number=8, state="shipped", frequency=3, reach=4)
    page = visit(ben, BOARD)
    bubbles = page.locator(".matrix svg a")
    assert bubbles.count() == 1
    page.drag_and_drop("#p8 .card-title", '[data-column="open"] .board-head')
    page.locator('.matrix a[aria-label^="P8"]').wait_for(timeout=10_000)
    assert bubbles.count() == 2
    page.locator('.matrix a[aria-label^="P8"]').click()
    page.wait_for_url("**/problems/8/")


def test_a_column_that_a_card_cannot_go_to_takes_none(visit, ben, problem):
    page = visit(ben, BOARD)
    page.drag_and_drop("#p7 .card-title", '[data-column="verified"] .board-head')
    page.wait_for_timeout(300)
    assert lies_in(page, "open") == "open"


def test_cards_are_walked_with_arrows_and_moved_with_m(visit, ben, project, problem):
    ProblemFactory(project=project, number=8, state="fixing")
    page = visit(ben, BOARD)
    page.locator("#p8 .card-title").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.closest('[data-card]').id") == "p7"
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    assert lies_in(page, "investigating") == "investigating"
    page.wait_for_function("document.activeElement.closest('[data-card]')?.id === 'p7'")


def test_who_was_not_quick_enough_sees_where_it_is_now(visit, ben, problem):
    page = visit(ben, BOARD)
    Problem.objects.filter(pk=problem.pk).update(state="shipped")
    page.drag_and_drop("#p7 .card-title", '[data-column="fixing"] .board-head')
    assert lies_in(page, "shipped") == "shipped"
    assert "P7 is shipped by now." in page.locator("#toasts").inner_text()


def test_who_may_not_move_problems_drags_nothing(visit, dana, problem):
    page = visit(dana, BOARD)
    assert page.locator("#p7").get_attribute("draggable") is None
    assert page.locator("#p7 [data-move]").count() == 0


def test_the_mail_is_drawn_while_one_types_and_a_chip_adds_its_problem(visit, dana, problem):
    page = visit(dana, "/p/tax-help/fixes/record/")
    page.click('[data-adds="P7"]')
    page.fill("[name=summary]", "All rates are of this year.")
    page.locator("#mail-preview", has_text="All rates are of this year.").wait_for(timeout=10_000)
    assert page.input_value("[name=problems]") == "P7"


def test_a_test_of_a_connection_leaves_what_was_typed(visit, olu, jira, transactional_db):
    page = visit(olu, "/p/tax-help/settings/trackers/new/jira/")
    for name, value in {
        "base_url": jira.base_url,
        "project_key": "FBH",
        "issue_type": "Bug",
        "email": "bot@acme.test",
        "api_token": "typed-token",
    }.items():
        page.fill(f"[name={name}]", value)
    page.click("button[name=test]")
    page.locator("#connection-test", has_text="It works.").wait_for(timeout=15_000)
    assert page.input_value("[name=api_token]") == "typed-token"


@pytest.mark.parametrize("path", ["problems/", "problems/7/", "fixes/", "fixes/record/", "outbox/"])
def test_pages_fit_a_phone(visit, ben, problem, path):
    page = visit(ben, f"/p/tax-help/{path}", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
