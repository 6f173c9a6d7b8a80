"""A house to measure: a PostgreSQL of its own, and the web process as in production, with a bare view beside ours.

*Bare* is a Django view under the same server that does one INSERT and nothing else: the limit that capture is compared with.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent


def prepare() -> Path:
    """A fresh database with Django set up on it, in this process; answers its folder."""
    folder = Path(tempfile.mkdtemp(prefix="feedbackhub-bench-"))
    (folder / "env").touch()
    os.environ |= {
        "FEEDBACKHUB_ENV_FILE": str(folder / "env"),
        "DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "IDENTIFIER_KEY": secrets.token_urlsafe(50),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "INSECURE_HTTP": "1",
        "PLAIN_STATIC": "1",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "feedbackhub.settings",
        "BASE_URL": "http://127.0.0.1",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with _cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_bare (id bigserial PRIMARY KEY, body jsonb, at timestamptz)"
        )
    return folder


def tear_down(folder: Path) -> None:
    from feedbackhub import embedded_postgres

    embedded_postgres.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _cursor():
    from django.db import connection

    return connection.cursor()


@contextmanager
def web():
    """gunicorn as in production, answering /bare too; yields its port. Nothing consumes: only the way in is measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            Path(sys.executable).parent / "gunicorn",
            "-c",
            "python:feedbackhub.gunicorn_conf",
            "benchmarks.wsgi",
        ],
        cwd=ROOT,
        env=os.environ | {"BIND": f"127.0.0.1:{port}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit("the web process did not start")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def percentile(values, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def say(path: str, measured: str, goal: str, is_met: bool | None = None) -> None:
    mark = "  " if is_met is None else "ok" if is_met else "✗ "
    print(f"{mark} {path:<44} {measured:<52} goal {goal}", flush=True)
