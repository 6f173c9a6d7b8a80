"""Eight clients that post without end, and write down what they were told: RELIABILITY's ledger."""

import threading
from itertools import count

import httpx

from feedbackhub.redaction import redact
from tests.processes import wait_for

CLIENTS = 8
QUESTION = "Why was my card 4111 1111 1111 1111 refused? Write to {name}@example.org 🙂"
ANSWER = "Because of number {name}; call +49 30 901820 or write to help@example.org."


class Ledger:
    """`acknowledged`: the server said 2xx. `unknown`: it said nothing, or 503. `surprises`: anything else."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.acknowledged: dict[str, dict] = {}
        self.unknown: dict[str, dict] = {}
        self.unavailable_count = 0
        self.surprises: list[str] = []
        self._stop = threading.Event()
        self._clients = [threading.Thread(target=self._post, args=(n,)) for n in range(CLIENTS)]

    def __enter__(self) -> "Ledger":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()

    def wait_for_more(self, number: int) -> None:
        goal = len(self.acknowledged) + number
        wait_for(lambda: len(self.acknowledged) >= goal, 60, "the clients got no further")

    @property
    def records(self) -> dict[str, dict]:
        return self.acknowledged | self.unknown

    def _post(self, client_number: int) -> None:
        with self._client() as client:
            for number in count():
                if self._stop.is_set():
                    return
                name = f"{client_number}-{number}"
                for path, record in ((INTERACTIONS, interaction(name)), (FEEDBACK, thumb(name))):
                    self._note(path, record, self._send(client, path, record))

    def _note(self, path, record, status) -> None:
        row = {record["id"]: {"path": path, "record": record}}
        if status in (200, 201):
            self.acknowledged |= row
        elif status in (0, 503):
            self.unknown |= row
            self.unavailable_count += status == 503
            self._stop.wait(0.5)  # as a polite client does; the next record is another one
        else:
            self.surprises.append(f"{record['id']}: {status}")

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.tenant.house.url + "/api/v1", headers=self.tenant.headers, timeout=30
        )

    def _send(self, client, path, record) -> int:
        try:
            answer = client.post(path, json=record)
        except httpx.HTTPError:
            return 0
        if answer.status_code == 503 and "Retry-After" not in answer.headers:
            return 599
        return answer.status_code

    def repeat_everything(self) -> None:
        """Post each record once more, as a client that was told nothing does: none is refused."""
        for path in (INTERACTIONS, FEEDBACK):
            records = [e["record"] for e in self.records.values() if e["path"] == path]
            answer = self.tenant.post(path, records)
            assert answer["rejected"] == []
            assert answer["accepted"] + answer["duplicates"] == len(records)

    # --- what must be true ------------------------------------------------------------------------

    def assert_holds(self) -> None:
        """I1 and I2: what was acknowledged is there once, what is unknown at most once, nothing else is there."""
        stored = self._stored()
        assert self.surprises == []
        assert len(stored) == len(set(stored))
        assert set(self.acknowledged) <= set(stored) <= set(self.records)

    def assert_complete(self) -> None:
        """After everything was posted again: each record exactly once, as it was sent but for what is masked."""
        assert sorted(self._stored()) == sorted(self.records)
        expected = {
            name: (redact(record["output"]).text, redact(record["input"]).text)
            for name, record in (
                (entry["record"]["id"], entry["record"])
                for entry in self.records.values()
                if entry["path"] == INTERACTIONS
            )
        }
        stored = self.tenant.house.sql(
            "SELECT external_id, output, messages->-1->>'content' FROM capture_interaction"
            " WHERE project_id = %s",
            self.tenant.id,
        )
        assert {name: tuple(texts) for name, *texts in stored} == expected

    def assert_followed_up(self, seconds: float = 90) -> None:
        """I4: each row has its news, all of it is told, and each thumb brought its answer to review, once."""
        news = ("interaction_captured", "feedback_captured")
        for table, kind in zip(("capture_interaction", "capture_feedbackevent"), news, strict=True):
            assert self.tenant.count("outbox_outboxevent", "kind = %s", kind) == self.tenant.count(
                table
            )
        wait_for(
            lambda: self.tenant.count("outbox_outboxevent", "delivered_at IS NULL") == 0,
            seconds,
            "news was not told",
        )
        thumbs = self.tenant.column("capture_feedbackevent", "interaction_id")
        reviewed = self.tenant.column("annotation_reviewitem", "interaction_id")
        assert len(reviewed) == len(set(reviewed))
        assert None not in thumbs
        assert set(thumbs) <= set(reviewed)

    def _stored(self) -> list[str]:
        return self.tenant.column("capture_interaction", "external_id") + self.tenant.column(
            "capture_feedbackevent", "external_id"
        )


INTERACTIONS, FEEDBACK = "/interactions", "/feedback"


def interaction(name: str) -> dict:
    return {
        "id": f"answer-{name}",
        "model": "lumen-2",
        "input": QUESTION.format(name=name),
        "output": ANSWER.format(name=name),
        "metadata": {"try": name},
    }


def thumb(name: str) -> dict:
    return {"id": f"thumb-{name}", "interaction_id": f"answer-{name}", "kind": "thumbs_down"}
