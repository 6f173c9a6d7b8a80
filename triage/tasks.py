"""Doorbells: find the row, call the action. Running one twice does no harm, losing one neither: the sweep rings again."""

import random
import time
from contextlib import suppress

import psycopg
import structlog
from django.db import transaction
from kombu.exceptions import KombuError

from feedbackhub.audit.acting import acting
from feedbackhub.celery import app
from triage import (
    accepting,
    escalation,
    letters,
    notice_delivery,
    regrouping,
    ticket_notes,
    ticket_state,
    webhooks,
)
from triage.models import Escalation, Regrouping, Ticket, TicketNote, TrackerDelivery

log = structlog.get_logger(__name__)

_BROKER_AWAY = (KombuError, psycopg.Error, OSError)
LONGEST_WAIT = 60  # seconds; what waits longer is found by the sweep


def ring(task, *, after: float = 0, **ids):
    """Queue `task` once this transaction is committed. A broker that is away costs seconds: the sweep rings too."""
    if after > LONGEST_WAIT:
        return

    def queue():
        try:
            # a moment late rather than early: a row that is not yet due is left alone
            task.apply_async(kwargs=ids, countdown=after + 0.2 if after else None)
        except _BROKER_AWAY as error:
            log.warning("doorbell.lost", task=task.name, error=type(error).__name__, **ids)

    transaction.on_commit(queue)


@app.task
def pursue_escalation(escalation_id):
    row = (
        Escalation.objects.select_related("connection", "problem").filter(pk=escalation_id).first()
    )
    if row:
        with acting(action="file_ticket"), suppress(Escalation.DoesNotExist):  # undone meanwhile
            escalation.pursue(escalation=row)


@app.task
def process_delivery(delivery_id):
    row = TrackerDelivery.objects.filter(pk=delivery_id, processed_at=None).first()
    if row:
        with acting(action="tracker_webhook"):
            webhooks.process_delivery(delivery=row)


@app.task
def look_at_ticket(ticket_id):
    row = Ticket.objects.select_related("connection").filter(pk=ticket_id).first()
    if row:
        with acting(action="look_at_ticket"):
            ticket_state.look_at_ticket(ticket=row)


@app.task
def send_ticket_note(note_id):
    row = TicketNote.objects.filter(pk=note_id).first()
    if row:
        with acting(action="send_ticket_note"):
            ticket_notes.send_note(note=row)


@app.task
def prepare_regrouping(regrouping_id):
    row = Regrouping.objects.filter(pk=regrouping_id, state=Regrouping.State.ASKED).first()
    if row:
        with acting(action="prepare_regrouping"):
            regrouping.prepare_regrouping(regrouping=row)


@app.task
def carry_out_regrouping(regrouping_id):
    row = (
        Regrouping.objects.filter(pk=regrouping_id, state=Regrouping.State.ACCEPTING)
        .select_related("decided_by")
        .first()
    )
    if row:
        with acting(action="accept_regrouping", user=row.decided_by):
            accepting.carry_out(regrouping=row)


@app.task
def improve_words(problem_id):
    from triage import wording

    with acting(action="improve_words"):
        wording.improve_words(problem_id=problem_id)


@app.task
def deliver_notice(notice_id):
    with acting(action="deliver_notice"):
        notice_delivery.deliver_notice(notice_id=notice_id)


BATCH = 50
AT_WORK_FOR = 60  # seconds; then the next ring


@app.task
def deliver_notices():
    """Whatever is due, in an order of this worker's own, so that several do not meet at each row."""
    until = time.monotonic() + AT_WORK_FOR
    with acting(action="deliver_notice"):
        while time.monotonic() < until:
            due = notice_delivery.due_notices(4 * BATCH)
            if not due:
                return
            for notice_id in random.sample(due, min(BATCH, len(due))):
                _without_holding_up_others(notice_delivery.deliver_notice, notice_id=notice_id)
    deliver_notices.delay()


def _without_holding_up_others(action, **ids) -> None:
    """What cannot be done now is done when its lease is over; those behind it are not to wait for that."""
    try:
        action(**ids)
    except Exception as error:
        log.exception(f"{action.__name__}.failed", error=type(error).__name__, **ids)


@app.task
def send_letters():
    with acting(action="send_letter"):
        for letter_id in letters.due_letters():
            _without_holding_up_others(letters.send_letter, letter_id=letter_id)
