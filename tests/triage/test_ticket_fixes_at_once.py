"""Several who read a ticket, several who decide on what it says shipped: real threads on real PostgreSQL, one fix, one word."""

import itertools

import pytest

from tests.factories import ProblemFactory
from tests.triage.test_escalation_at_once import by_several
from tests.triage.test_problem_pages import escalated
from triage import fixing, tasks, ticket_fixes
from triage.models import Fix, Ticket, TicketFix
from triage.trackers.base import RemoteComment

pytestmark = pytest.mark.django_db(transaction=True)

SAID = RemoteComment("Ford", "Fix: The rates are current.", None, "5001")


@pytest.fixture
def ticket(project, monkeypatch):
    monkeypatch.setattr(tasks, "ring", lambda *args, **kwargs: None)
    escalated(ProblemFactory(project=project, number=7, state="fixing"), key="TAX-220")
    Ticket.objects.update(state="done")
    return Ticket.objects.get()


def read(ticket, said=SAID):
    return ticket_fixes.take_up(ticket=ticket, said=[said])


def confirm(by):
    fix = Fix.objects.select_related("told_by").get()
    fixing.confirm_fix(
        fix=fix,
        summary=fix.summary,
        problems_fixed=list(fix.problems.all()),
        carrier="prompt",
        by=by,
    )


def test_a_comment_that_several_read_is_one_fix(ticket):
    assert by_several(lambda: read(ticket)) == []
    assert Fix.objects.count() == TicketFix.objects.count() == 1


def test_of_several_who_decide_one_is_followed(ticket, ben):
    """Whoever comes second finds it decided, or gone; a comment that is edited meanwhile changes nothing decided."""
    read(ticket)
    edited = RemoteComment("Ford", "Fix: Other words.", None, "5001")
    turn = itertools.count()
    acts = [
        lambda: confirm(ben),
        lambda: fixing.decline_fix(fix=Fix.objects.get(), by=ben),
        lambda: read(ticket, edited),
    ]
    raised = by_several(lambda: acts[next(turn) % len(acts)]())
    assert {type(error) for error in raised} <= {fixing.FixRefused, Fix.DoesNotExist}
    told = TicketFix.objects.exclude(state="waiting").order_by("-decided_at").first()
    fixes = Fix.objects.filter(to_confirm=False)
    assert told is not None
    if told.state == "confirmed":
        assert fixes.get().state == "shipped" and told.fix == fixes.get()
    else:
        assert not fixes.exists()
    assert (
        TicketFix.objects.filter(state="waiting").count()
        == Fix.objects.filter(to_confirm=True).count()
    )
