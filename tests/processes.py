"""The real thing, for journeys and faults: web, worker and beat as processes on a database of their own.

    with Stack(settings={"OUTBOUND_ALLOWED_HOSTS": "127.0.0.1:9001"}) as stack:
        httpx.get(stack.url + "/readyz")
        stack.kill("worker")  # kill -9, its children included
        stack.start("worker")
        stack.sql("SELECT count(*) FROM outbox_outboxevent")

What a Stack shares with the rest of the run is the PostgreSQL server; `own_postgres=True` gives it
one that may be killed. The broker is PostgreSQL, or the Redis given. Logs are printed on failure.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import psycopg
from psycopg import sql

from feedbackhub import embedded_postgres
from feedbackhub.quickstart import Child, die_with_parent
from tests.environment import FOLDER, ROOT

TEMPLATE = "stack_template"
ALL = ("web", "worker", "beat")
running: list["Stack"] = []  # whose logs are shown with a failed test


class Stack:
    def __init__(
        self,
        *,
        processes: tuple[str, ...] = ALL,
        redis: "RedisServer | None" = None,
        own_postgres: bool = False,
        settings: dict[str, str] | None = None,
    ):
        self.processes, self.redis, self.own_postgres = processes, redis, own_postgres
        self.settings = settings or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.name = f"stack_{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> "Stack":
        self.folder = Path(tempfile.mkdtemp(prefix="stack-", dir=FOLDER))
        self.database_url = self._make_database()
        self.env = _environment() | {
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.folder),
            "BASE_URL": self.url,
            "BIND": f"127.0.0.1:{self.port}",
            "REDIS_URL": self.redis.url if self.redis else "",
            "UNDO_SECONDS": "1",
            **self.settings,
        }
        self.children = {
            name: Child(name, self.env, self.folder / "logs" / f"{name}.log") for name in ALL
        }
        try:
            for name in self.processes:
                self.children[name].start()
            if "web" in self.processes:
                self.wait_until_up()
        except BaseException as error:
            sys.stdout.write(self.logs())
            self.__exit__(type(error), error, None)
            raise
        running.append(self)
        return self

    def __exit__(self, kind, error, traceback) -> None:
        for child in self.children.values():
            child.signal(signal.SIGCONT)
            child.kill()
        if self in running:
            running.remove(self)
        if self.own_postgres:
            embedded_postgres.stop(self.folder)
        else:
            with _admin(os.environ["DATABASE_URL"]) as connection:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(self.name)))
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- processes ------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        self.children[name].start()
        if name == "web":
            self.wait_until_up()

    def kill(self, name: str) -> None:
        """kill -9, for the process and its own children at once."""
        self.children[name].kill()

    def stop(self, name: str) -> None:
        """SIGTERM: it may finish what it has in hand."""
        self.children[name].stop()

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def freeze(self, name: str) -> None:
        self.children[name].signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.children[name].signal(signal.SIGCONT)

    def is_running(self, name: str) -> bool:
        return self.children[name].is_running()

    def kill_postgres(self) -> None:
        assert self.own_postgres, "only its own: others work on the shared one"
        os.kill(embedded_postgres.postmaster_pid(self.folder), signal.SIGKILL)

    def start_postgres(self) -> None:
        embedded_postgres.database_url(self.folder)

    # --- asking ---------------------------------------------------------------------------------

    def wait_until_up(self, seconds: float = 180) -> None:
        def is_up() -> bool:
            assert self.is_running("web"), "the web process ended"
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=5):
                    return True
            except OSError:
                return False

        wait_for(is_up, seconds, "the web process did not come up")

    def sql(self, query: str, *parameters) -> list[tuple]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """What a management command prints on its standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def logs(self) -> str:
        return "".join(f"\n--- {name} ---\n{self.log(name)[-6000:]}" for name in ALL)

    def log(self, name: str) -> str:
        log = self.children[name].log
        return log.read_text(errors="replace") if log.exists() else ""

    def _make_database(self) -> str:
        if self.own_postgres:
            _copy_own_template(self.folder)
            return embedded_postgres.database_url(self.folder)
        _make_template()
        with _admin(os.environ["DATABASE_URL"]) as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(sql.Identifier(self.name), sql.Identifier(TEMPLATE)))
        return _address(self.name)


class RedisServer:
    """A private Redis that keeps nothing on disk; `kill` and `empty` are faults to survive."""

    def __init__(self):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.kill()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
            ],
            cwd=FOLDER,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent(os.getpid()),
        )
        wait_for(lambda: self._client().ping(), 10, "Redis did not come up")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def empty(self) -> None:
        self._client().flushall()

    def _client(self):
        import redis

        return redis.Redis.from_url(self.url)


def wait_for(question, seconds: float = 30, complaint: str = "it did not happen"):
    """Ask until the answer is true, and return it; an error in asking is not an answer yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := question():
                return answer
        except AssertionError:
            raise
        except Exception as error:
            complaint = f"{complaint.partition(' (')[0]} ({error!r})"
        assert time.monotonic() < deadline, f"{complaint}, in {seconds} s"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment() -> dict[str, str]:
    """The tests' settings, but for what makes a test simpler than the real thing."""
    return {name: value for name, value in os.environ.items() if name != "TASKS_EAGER"} | {
        "DJANGO_SETTINGS_MODULE": "feedbackhub.settings",
        "PYTHONUNBUFFERED": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }


def _address(database: str) -> str:
    return os.environ["DATABASE_URL"].replace(f"/{embedded_postgres.DATABASE}?", f"/{database}?")


def _admin(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


def _make_template() -> None:
    """Migrated once for a whole run, then copied: a copy takes a tenth of a second."""
    done = FOLDER / "stack_template.done"
    with open(FOLDER / "stack_template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return
        with _admin(os.environ["DATABASE_URL"]) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(_environment() | {"DATABASE_URL": _address(TEMPLATE), "REDIS_URL": ""})
        done.touch()


def _copy_own_template(folder: Path) -> None:
    """The same for a server of one's own: its folder, migrated and stopped once for a whole run."""
    template, done = FOLDER / "own_template", FOLDER / "own_template.done"
    with open(FOLDER / "own_template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            address = embedded_postgres.database_url(template)
            _migrate(_environment() | {"DATABASE_URL": address, "REDIS_URL": ""})
            embedded_postgres.stop(template)
            done.touch()
    # with its owner: as root the server runs as another user
    subprocess.run(["cp", "-a", template / "postgres", folder / "postgres"], check=True)


def _migrate(env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
