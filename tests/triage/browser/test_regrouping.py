"""A lead accepts a proposal and watches it being done: the page follows the worker by itself."""

import pytest

from tests.triage.test_accepting import lease_passes, left_alone, proposal
from tests.triage.test_grouping import RENT, problem_of, url
from triage import accepting
from triage.models import Problem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _one_step_at_a_time(monkeypatch):
    monkeypatch.setattr(accepting, "AT_ONCE", 2)
    monkeypatch.setattr("feedbackhub.doorbell.ring", lambda task, **ids: None)


def test_page_follows_the_worker_to_the_outcome(visit, ben, project):
    row = proposal(project, (problem_of(project, [], number=7), left_alone(project, RENT)))
    page = visit(ben, url("regrouping"))
    page.get_by_role("button", name="Accept all of it").dblclick()
    page.get_by_text("0 of 4 cases").wait_for()
    row.refresh_from_db()
    lease = accepting._take_turn(row)
    accepting._step(row, lease)
    page.get_by_text("2 of 4 cases").wait_for()
    lease_passes()
    accepting.carry_out(regrouping=row)
    page.get_by_text("4 cases joined their problems").wait_for()
    page.get_by_role("button", name="Undo it").click()
    page.get_by_text("Undone.").wait_for()
    assert Problem.objects.get().members.filter(left_at=None).count() == 0
