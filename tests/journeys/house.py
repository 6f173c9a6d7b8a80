"""The house under faults: the stack with two beats, a mail server and trackers outside, and how a test speaks to it."""

import json
import os
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager

import httpx
import psycopg

from feedbackhub.quickstart import Child, die_with_parent
from tests.environment import ROOT
from tests.journeys.outside import MailServer, Trackers
from tests.processes import Stack, wait_for

STANDING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE state = 'idle in transaction' AND xact_start < now() - interval '0.4 s'"
)


class House(Stack):
    """A stack of its own PostgreSQL, which may be killed, and the outside that belongs to it."""

    def __init__(self, *, mail: MailServer, trackers: Trackers | None, **options):
        self.mail, self.trackers = mail, trackers
        super().__init__(
            own_postgres=True,
            settings={
                "EMAIL_URL": mail.url,
                "OUTBOUND_ALLOWED_HOSTS": trackers.hosts if trackers else "",
            },
            **options,
        )

    def __enter__(self) -> "House":
        super().__enter__()
        self._console = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.console"],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
        return self

    def __exit__(self, *error) -> None:
        self._console.kill()
        self._console.communicate()
        super().__exit__(*error)

    def seed(self, what: str, **about) -> dict:
        """Run one of `seeding`'s functions in a process of the house."""
        self._console.stdin.write(json.dumps({"what": what, "about": about}) + "\n")
        self._console.stdin.flush()
        said = json.loads(self._console.stdout.readline())
        assert "error" not in said, said["error"]
        return said["answer"]

    def freeze_worker(self) -> None:
        """Between two transactions of all its processes: a frozen transaction keeps its locks, and that is another matter."""

        def is_frozen() -> bool:
            self.freeze("worker")
            threading.Event().wait(0.5)
            if not self.sql(STANDING):
                return True
            self.thaw("worker")
            return False

        wait_for(is_frozen, 60, "the worker was in a transaction each time")

    def sweep(self) -> None:
        """What beat rings for every 30 seconds, here and now."""
        self.seed("sweep")

    def command(self, *arguments: str, **environment: str) -> dict:
        """What a management command answers, run in an environment with these changes."""
        kept, self.env = self.env, self.env | environment
        try:
            return json.loads(self.manage(*arguments))
        finally:
            self.env = kept

    @contextmanager
    def another(self, name: str):
        """One more process of this kind."""
        child = Child(name, self.env, self.folder / "logs" / f"{name}-2.log")
        child.start()
        try:
            yield child
        finally:
            child.kill()

    @contextmanager
    def locked(self, query: str, *parameters):
        """Hold the rows that `query … FOR UPDATE` finds: who needs them stands still until then."""
        with psycopg.connect(self.database_url) as connection:
            assert connection.execute(f"{query} FOR UPDATE", parameters).fetchall()
            yield
            connection.rollback()

    def wait_until_standing(self, number: int) -> None:
        """Until so many sessions of the house wait for a lock."""
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: self.sql(waiting) == [(number,)], 60, f"not {number} of them wait")


class Tenant:
    """A project of its own in the house, and the product that sends its answers there."""

    def __init__(self, house: House, *, with_trackers: bool = False):
        self.house, self.slug = house, f"t{uuid.uuid4().hex[:10]}"
        urls = house.trackers.urls if with_trackers else {}
        furnished = house.seed("furnish", slug=self.slug, trackers=urls)
        self.id, self.hooks = furnished["id"], furnished["hooks"]
        self.headers = {"Authorization": f"Bearer {furnished['secret']}"}
        self.client = httpx.Client(base_url=house.url + "/api/v1", headers=self.headers, timeout=60)

    def post(self, path: str, body) -> dict:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> dict:
        answer = self.client.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def report_harm(self, *people: str, question: str = "How much of it may I take?") -> None:
        """Each of these people reports the same harmful answer, and wants to hear of its repair."""
        for number, email in enumerate(people):
            self.post(
                "/interactions",
                {
                    "id": f"harm-{number}",
                    "feature": "pharmacy",
                    "messages": [{"role": "user", "content": question}],
                    "output": "Take the whole package at once.",
                },
            )
            self.post(
                "/feedback",
                {
                    "interaction_id": f"harm-{number}",
                    "kind": "report",
                    "category": "harmful",
                    "severity": "critical",
                    "comment": "This could kill somebody.",
                    "reporter": {"ref": email, "email": email, "consent": True},
                },
            )

    def post_thumbs(self, name: str, number: int) -> None:
        """So many answers with a thumb down, which come to review by the default rules."""
        for n in range(number):
            self.post("/interactions", {"id": f"{name}-{n}", "output": f"An answer {n}."})
            self.post("/feedback", {"interaction_id": f"{name}-{n}", "kind": "thumbs_down"})

    def count(self, table: str, condition: str = "true", *parameters) -> int:
        [(count,)] = self.house.sql(
            f"SELECT count(*) FROM {table} WHERE project_id = %s AND {condition}",
            self.id,
            *parameters,
        )
        return count

    def column(self, table: str, name: str) -> list:
        """This column of the project's rows in that table, in order."""
        query = f"SELECT {name} FROM {table} WHERE project_id = %s ORDER BY 1"
        return [value for (value,) in self.house.sql(query, self.id)]

    def move(self, table: str, **changes: str) -> None:
        """Let time pass for this project's rows: a lease lies behind us, what waits is due.

        Leases last a minute and pauses up to a quarter of an hour; a test moves the row, not its own clock.
        """
        setting = ", ".join(f"{column} = {value}" for column, value in changes.items())
        self.house.sql(f"UPDATE {table} SET {setting} WHERE project_id = %s", self.id)
