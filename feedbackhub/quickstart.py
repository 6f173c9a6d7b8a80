"""The whole of FeedbackHub on one machine: `make quickstart`.

A private PostgreSQL, the schema, a demo project, and three processes as in production: web, worker,
beat. This process watches over them until Ctrl-C. Nothing is lost when it is killed: on Linux its
children follow it, elsewhere the next start finds and stops them; the data stays where it was.
"""

import argparse
import ctypes
import fcntl
import io
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil

from feedbackhub import embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MARK = "FEEDBACKHUB_QUICKSTART"  # in the environment of every child: whose it is
STOP_SECONDS = 20

COMMANDS = {
    "web": [BIN / "gunicorn", "-c", "python:feedbackhub.gunicorn_conf", "feedbackhub.wsgi"],
    "worker": [
        *(BIN / "celery", "-A", "feedbackhub", "worker", "--concurrency=2"),
        *("--without-gossip", "--without-mingle", "--loglevel=INFO"),
    ],
    # The schedule is kept in memory: what is due is a row, and the sweep looks every 30 s.
    "beat": [
        *(BIN / "celery", "-A", "feedbackhub", "beat"),
        *("--scheduler=celery.beat:Scheduler", "--loglevel=INFO"),
    ],
}


class CannotStart(Exception):
    """Said to the person at the terminal, without a traceback."""


class Child:
    """One of our processes, with a log of its own; it leads a group, so none of its own is left."""

    def __init__(self, name: str, env: Mapping[str, str], log: Path):
        self.name, self.env, self.log = name, dict(env), log
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                COMMANDS[self.name],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """To all of the group: a killed parent alone could leave its own children at work."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to finish what it has in hand; insist after a while."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


def die_with_parent(parent: int):
    """What a new process does first: ask Linux for SIGTERM when its parent dies, however."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    logging.basicConfig(format="\n    %(message)s\n   ")  # warnings, in the middle of a step's line
    data_dir = options.data_dir.expanduser().resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGINT, _interrupt)  # a shell's `&` would have it ignored
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    children: list[Child] = []
    own_database = False
    try:
        with open(data_dir / "quickstart.lock", "a+") as lock:
            _take(lock)
            _stop_leftovers(data_dir)
            if options.reset:
                _reset(data_dir, ask=not options.yes)
            env = _environment(data_dir)
            own_database = "DATABASE_URL" not in env
            port = _free_port(options.port)
            address = f"http://127.0.0.1:{port}"
            lock.truncate(0)
            lock.write(address)
            lock.flush()
            env |= {"BASE_URL": address, "BIND": f"127.0.0.1:{port}"}
            if own_database:
                with step("Starting the private PostgreSQL"):
                    env["DATABASE_URL"] = embedded_postgres.database_url(data_dir)
            people = _prepare(env)
            children = [Child(name, env, data_dir / "logs" / f"{name}.log") for name in COMMANDS]
            with step("Starting web, worker and beat"):
                for child in children:
                    _keep_log_small(child.log)
                    child.start()
                _wait_until_up(address, children[0])
            _welcome(address, people, data_dir)
            _watch(children, data_dir if own_database else None)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # stopping is already under way
        print("\nStopping; the worker finishes what it has in hand …", flush=True)
        _stop(children)
        if own_database:
            embedded_postgres.stop(data_dir)
        print(
            f"Stopped. Everything is kept in {_short(data_dir)}; make quickstart goes on with it."
        )
        return 0
    except (CannotStart, embedded_postgres.EmbeddedPostgresError) as error:
        _stop(children)
        if own_database:
            embedded_postgres.stop(data_dir)
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make quickstart", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--port", type=int, default=8000, help="where to listen; else the next free"
    )
    parser.add_argument("--data-dir", type=Path, default=ROOT / ".local", help="where data is kept")
    parser.add_argument("--reset", action="store_true", help="delete the data and begin anew; asks")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser.parse_args(arguments)


def _interrupt(number, frame):
    raise KeyboardInterrupt


class step:
    """One line on the terminal: what is being done, and how long it took."""

    def __init__(self, what: str):
        self.what = what

    def __enter__(self):
        print(f"  {self.what} … ", end="", flush=True)
        self.began = time.monotonic()

    def __exit__(self, kind, error, traceback):
        print(f"{time.monotonic() - self.began:.1f} s" if kind is None else "", flush=True)


# --- one at a time ------------------------------------------------------------------------------


def _take(lock) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CannotStart(
            f"FeedbackHub already runs here: {lock.read() or 'it is just starting'}\n"
            "Stop it with Ctrl-C in its terminal, or give this one --data-dir."
        ) from None


def _stop_leftovers(data_dir: Path) -> None:
    """Children of a quickstart that was killed where nothing makes them follow it."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == str(data_dir):
                process.terminate()
                left.append(process)
        except psutil.Error:
            continue
    if left:
        print(f"  Stopping {len(left)} processes that an earlier start left behind", flush=True)
        _gone, alive = psutil.wait_procs(left, timeout=STOP_SECONDS)
        for process in alive:
            process.kill()


def _reset(data_dir: Path, *, ask: bool) -> None:
    kept = [data_dir / name for name in ("postgres", "files", "logs", "env")]
    if not any(path.exists() for path in kept):
        return
    if ask:
        print(f"This deletes the database, files and secrets in {data_dir}.")
        try:
            answer = input("Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CannotStart("Nothing was deleted.")
    embedded_postgres.stop(data_dir)
    for path in kept:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


# --- getting ready ------------------------------------------------------------------------------


def _environment(data_dir: Path) -> dict[str, str]:
    """Secrets are made once and stay; a setting given from outside wins."""
    file = data_dir / "env"
    if not file.exists():
        from cryptography.fernet import Fernet

        lines = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "IDENTIFIER_KEY": secrets.token_urlsafe(50),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "INSECURE_HTTP": "true",
            "DEMO_SIGN_IN": "true",
            "PLAIN_STATIC": "true",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
        }
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            output.writelines(f"{name}={value}\n" for name, value in lines.items())
        new.rename(file)
    import environ

    from_file = environ.Env()
    from_file.ENVIRON = {}
    from_file.read_env(file)
    return {
        **from_file.ENVIRON,
        **os.environ,
        MARK: str(data_dir),
        "DATA_DIR": str(data_dir),
        "FEEDBACKHUB_ENV_FILE": str(file),
        "CELERY_SKIP_CHECKS": "1",  # they would load every page into worker and beat: 25 MB each
        "DJANGO_SETTINGS_MODULE": "feedbackhub.settings",
        "PYTHONUNBUFFERED": "1",
    }


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != wanted:
            print(f"  Port {wanted} is taken; using {port}", flush=True)
        return port
    raise CannotStart(f"Ports {wanted} to {wanted + 99} are all taken: name another with --port.")


def _prepare(env: dict[str, str]) -> list[dict]:
    """Bring the schema up to date and see that the demo is there, in a process that then ends."""
    preparing = subprocess.Popen(
        [sys.executable, "-m", "feedbackhub.quickstart", "--prepare"],
        cwd=ROOT,
        env={"LOG_LEVEL": "ERROR", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent(os.getpid()),
    )
    people = []
    try:
        with preparing:
            for line in preparing.stdout:
                if line.startswith(b"people "):
                    people = json.loads(line.removeprefix(b"people "))
                else:
                    print(line.decode(), end="", flush=True)
    except (
        KeyboardInterrupt
    ):  # half a migration or demo is rolled back; the next start begins there
        preparing.kill()
        preparing.wait()
        raise
    if preparing.returncode != 0:
        raise CannotStart("The database could not be prepared; the reason stands above.")
    return people


def prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    with step("Bringing the database up to date"):
        call_command("migrate", verbosity=0, interactive=False)
    with step("Loading the demo project"):
        answer = io.StringIO()
        call_command("load_demo", stdout=answer)
    print("people", json.dumps(json.loads(answer.getvalue())["people"]), flush=True)


def _wait_until_up(address: str, web: Child, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not web.is_running():
            break
        try:
            with urllib.request.urlopen(address + "/readyz", timeout=2):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        time.sleep(0.1)
    log = web.log.read_text(errors="replace").splitlines()[-15:]
    raise CannotStart("The web process did not come up. Its log ends:\n    " + "\n    ".join(log))


def _keep_log_small(log: Path) -> None:
    if log.exists() and log.stat().st_size > 10_000_000:
        log.replace(log.with_suffix(".log.1"))


# --- while it runs ------------------------------------------------------------------------------


def _welcome(address: str, people: list[dict], data_dir: Path) -> None:
    print(f"\nFeedbackHub runs at {address}\n")
    if people:
        print("Sign in with one click as")
        for role in dict.fromkeys(role for person in people for role in person["roles"]):
            person = next(person for person in people if role in person["roles"])
            print(f"  {role:<9} {person['name']:<16} {person['sign_in']}")
        print()
    print(
        f"Data and logs: {_short(data_dir)}. Ctrl-C stops everything and loses nothing.", flush=True
    )


def _watch(children: list[Child], data_dir: Path | None) -> None:
    """Start again what dies, sooner the longer it had run."""
    pauses = {child.name: 1.0 for child in children}
    started = {child.name: time.monotonic() for child in children}
    while True:
        time.sleep(0.5)
        if data_dir is not None and not embedded_postgres.is_running(data_dir):
            _say("PostgreSQL stopped; starting it again")
            embedded_postgres.database_url(data_dir)
        for child in children:
            ran = time.monotonic() - started[child.name]
            if child.is_running():
                if ran > 60:
                    pauses[child.name] = 1.0
            elif ran > pauses[child.name]:
                _say(f"The {child.name} process stopped ({_short(child.log)}); starting it again")
                child.kill()  # what is left of its group
                child.start()
                started[child.name] = time.monotonic()
                pauses[child.name] = min(pauses[child.name] * 2, 60.0)


def _stop(children: list[Child]) -> None:
    for child in reversed(children):  # nothing new comes in first: beat, worker, web
        if child.is_running():
            child.process.terminate()
    for child in children:
        child.stop()


def _say(what: str) -> None:
    print(time.strftime("%H:%M:%S"), what, flush=True)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    if "--prepare" in sys.argv:
        prepare()
    else:
        sys.exit(main())
