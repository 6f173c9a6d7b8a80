"""A mail server that fails half the time and a worker killed, up to three times: each reporter has exactly one message.

Real processes and a real SMTP conversation. `NOTICES=10000 pytest tests/triage/test_notices_killed.py` is the full measure.
"""

import os
import random
import socket
import threading
import time
from collections import Counter

import pytest
from aiosmtpd.controller import Controller

from tests.processes import Stack

COUNT = int(os.environ.get("NOTICES", "24"))
KILLS = 3 if COUNT >= 100 else 1
AT_ONCE = 16  # at most so many messages are in a worker's hands when it is killed

SET_UP = """
from django.utils import timezone
from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import FeedbackEvent, Interaction, Reporter
from triage import fixing, problems
from triage.models import ProblemMember
project = Project.objects.create(slug="house", name="House")
problem = problems.open_problem(project=project, title="It hurts")
now, count = timezone.now(), {count}
reporters = Reporter.objects.bulk_create(
    Reporter(project=project, ref_hash=f"{{n:064}}", email=f"r{{n}}@example.com", has_consent=True) for n in range(count)
)
rows = Interaction.objects.bulk_create(
    Interaction(project=project, external_id=f"chat/{{n}}", body_hash=b"0" * 32, messages=[], output="x", occurred_at=now)
    for n in range(count)
)
ProblemMember.objects.bulk_create(
    ProblemMember(project=project, problem=problem, interaction=row, source="expert") for row in rows
)
FeedbackEvent.objects.bulk_create(
    FeedbackEvent(
        project=project, interaction=row, interaction_external_id=row.external_id, reporter=reporter, body_hash=b"0" * 32,
        kind="thumbs_down", occurred_at=now,
    )
    for row, reporter in zip(rows, reporters)
)
fixing.record_fix(project=project, summary="Repaired.", problems_fixed=[problem])
"""


class HalfASink:
    """Takes every second message, at random; refuses the others before, within and after DATA.

    Of some answers to DATA nobody hears: the connection is lost after the message was taken, or before.
    """

    def __init__(self):
        self.taken, self.refused, self.lost, self._chance = Counter(), 0, 0, random.Random(7)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self._chance.random() < 0.25:
            return self._refuse("452 The mailbox is full")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self._chance.random() < 0.33:
            return self._refuse("451 Try again later")
        is_lost = self._chance.random() < 0.2
        if not is_lost or self._chance.random() < 0.7:
            self.taken[envelope.rcpt_tos[0]] += 1
        if is_lost:
            self.lost += 1
            server.transport.abort()
        return "250 OK"

    def _refuse(self, answer):
        self.refused += 1
        return answer


@pytest.fixture
def sink():
    handler = HalfASink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.url = f"smtp://127.0.0.1:{port}"
    yield handler
    controller.stop()


def states(stack) -> Counter:
    return Counter(dict(stack.sql("SELECT state, count(*) FROM triage_notice GROUP BY state")))


def time_passes(stack):
    """What waits for a later try is due, and a dead worker's leases are over."""
    stack.sql(
        "UPDATE triage_notice SET due_at = now() WHERE state = 'pending' AND due_at > now();"
        "UPDATE triage_notice SET lease_until = now() - interval '1 s' WHERE state IN ('pending', 'sending')"
        " AND lease_until < now() + interval '50 s'"
    )
    stack.manage("sweep")


ASK = """
import pathlib
from triage import notices
from triage.models import Notice
arrived = set(pathlib.Path({log!r}).read_text().split())
for notice in Notice.objects.filter(state="uncertain").select_related("reporter"):
    act = notices.mark_sent if notice.reporter.email in arrived else notices.retry_notice
    act(notice=notice)
"""


def a_person_asks_the_mail_servers_log(stack, sink, log):
    """Each uncertain notice arrived and is marked as sent, or it did not and is sent again: the acts of the outbox's page."""
    log.write_text("\n".join(sink.taken))
    stack.manage("shell", "-c", ASK.format(log=str(log)))


def test_each_reporter_has_exactly_one_message(sink, tmp_path):
    seconds = 300 + COUNT / 5
    with Stack(processes=("worker",), settings={"EMAIL_URL": sink.url}) as stack:
        stack.manage("shell", "-c", SET_UP.format(count=COUNT))
        stack.manage("sweep")
        killed, until, uncertain = 0, time.monotonic() + seconds, 0
        while time.monotonic() < until:
            taken = sum(sink.taken.values())
            if killed < KILLS and taken > (killed + 1) * COUNT / (KILLS + 2):
                stack.kill("worker")
                killed += 1
                stack.start("worker")
            found = states(stack)
            if found["uncertain"] and not found["pending"] + found["sending"]:
                uncertain += found["uncertain"]
                a_person_asks_the_mail_servers_log(stack, sink, tmp_path / "log")
            if found["sent"] == COUNT:
                break
            threading.Event().wait(3)
            time_passes(stack)
        assert killed == KILLS
        assert states(stack) == {"sent": COUNT}
        assert sink.taken == {f"r{number}@example.com": 1 for number in range(COUNT)}
        assert sink.lost > 0
        assert sink.lost <= uncertain <= sink.lost + KILLS * AT_ONCE
        assert sink.refused > COUNT / 4
