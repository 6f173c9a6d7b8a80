"""A ticket says what shipped: confirmed under the hand in one act, as it was seen."""

from datetime import UTC, datetime

import pytest

from tests.factories import ProblemFactory
from tests.triage.test_problem_pages import escalated
from triage import ticket_fixes
from triage.models import Fix, Ticket
from triage.trackers.base import RemoteComment

WORDS = "The exemption for 2026 is now the current one, in every answer about the home office."


@pytest.fixture
def told(transactional_db, project):
    problem = ProblemFactory(project=project, number=7, title="Rates of last year", state="fixing")
    escalated(problem, key="TAX-220")
    Ticket.objects.update(state="done", status_name="Done")
    said = RemoteComment(
        "Ford Prefect",
        f"Fix: {WORDS}\nVersion: prompt=support@v14",
        datetime(2026, 11, 21, 9, tzinfo=UTC),
        "5001",
    )
    return ticket_fixes.take_up(ticket=Ticket.objects.get(), said=[said])


def test_what_a_ticket_says_shipped_is_confirmed_in_one_act(visit, ben, told):
    page = visit(ben, "/p/tax-help/problems/7/")
    assert WORDS in page.locator(".told-fix").inner_text()
    page.locator(".told-fix").get_by_role("button", name="It shipped").click()
    page.locator("#confirm").get_by_role("button", name="It shipped").click()
    page.wait_for_url(f"**/fixes/{told.public_id}/")
    assert "Confirmed." in page.locator("body").inner_text()
    fix = Fix.objects.get()
    assert (fix.state, fix.summary, fix.carrier_version) == ("shipped", WORDS, "support v14")
