"""A ticket that people have filed already is followed from here: its pasted link or key leads to it, once."""

import uuid

from django.db import IntegrityError, transaction

from triage import connections, ticket_notes
from triage.escalation import record_ticket
from triage.models import Escalation, Ticket

State = Escalation.State


class AdoptionRefused(ValueError):
    """A ticket that cannot be followed from here; the sentence says why."""


def adopt_ticket(*, problem, connection, pasted: str):
    """Follow a ticket that people have filed already, by its pasted link or key. Raises AdoptionRefused, OutboundError.

    It is looked up before anything is written. An escalation that was waiting has its ticket by that; while it is being
    filed, or may have been, nothing is adopted. That is asked again of the locked row: the look took its time.
    """
    escalation = Escalation.objects.filter(problem=problem, connection=connection).first()
    if escalation:
        _demand_adoptable(escalation, problem, connection)
    seen = connections.tracker_of(connection).locate(pasted)
    try:
        with transaction.atomic():
            return _adopt(problem, connection, seen)
    except IntegrityError:  # somebody adopted it for another problem at this moment
        _demand_not_taken(connection, seen)
        raise


def _adopt(problem, connection, seen):
    _demand_not_taken(connection, seen)
    escalation, _is_new = Escalation.objects.get_or_create(
        project_id=problem.project_id,
        problem=problem,
        connection=connection,
        # not pending: nobody is to file it in this moment
        defaults={"marker": uuid.uuid4(), "state": State.CANCELLED},
    )
    escalation = Escalation.objects.select_for_update(no_key=True).get(pk=escalation.pk)
    _demand_adoptable(escalation, problem, connection)
    ticket = record_ticket(escalation=escalation, seen=seen)
    ticket_notes.note_adopted(ticket=ticket)
    return ticket


def _demand_adoptable(escalation, problem, connection):
    if escalation.state == State.UNKNOWN:
        raise AdoptionRefused(
            f"P{problem.number} may have a ticket at {connection.name}: it is being looked up. Wait for the answer."
        )
    if escalation.state == State.FILING or Ticket.objects.filter(escalation=escalation).exists():
        raise AdoptionRefused(
            f"P{problem.number} has a ticket at {connection.name}, or is being filed there now."
        )


def _demand_not_taken(connection, seen):
    taken = (
        Ticket.objects.filter(connection=connection, remote_id=seen.remote_id)
        .select_related("escalation__problem")
        .first()
    )
    if taken:
        raise AdoptionRefused(f"{taken.key} belongs to P{taken.escalation.problem.number} already.")
