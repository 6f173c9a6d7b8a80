"""The ground every test stands on: settings, and a private PostgreSQL in a temporary folder.

pytest loads this before Django's settings (`-p tests.environment`). The process that runs pytest
starts the server; xdist's workers inherit its address and make a database each. So runs never meet,
and nothing of a developer's own `.local` is read or touched.

A test marked `redis`, `browser` or `shared` is skipped, saying so, where its thing is missing; with
FEEDBACKHUB_REQUIRE_ALL=1 a missing Redis or Chromium fails it instead.
"""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import psutil
import pytest

from feedbackhub import embedded_postgres

# The same examples in each run, or a lucky find would fail somebody else's change; HYPOTHESIS_PROFILE=default looks for
# others, deep for many more, also where an example is dear.
HYPOTHESIS_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
IS_DEEP = HYPOTHESIS_PROFILE == "deep"
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("deep", max_examples=1_000, print_blob=True)
hypothesis.settings.load_profile(HYPOTHESIS_PROFILE)

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "feedbackhub-tests-"
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ

SETTINGS = {
    "SECRET_KEY": "for-tests-only-" + "0" * 40,
    "IDENTIFIER_KEY": "for-tests-only-" + "1" * 40,
    "CREDENTIAL_KEYS": "Zm9yLXRlc3RzLW9ubHktZm9yLXRlc3RzLW9ubHktMDA=",
    "BASE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "INSECURE_HTTP": "true",
    "PLAIN_STATIC": "true",
    "TASKS_EAGER": "true",
}
FOREIGN = [  # a developer's own, that must not leak in
    "BEHIND_PROXY",
    "CSRF_TRUSTED_ORIGINS",
    "DEBUG",
    "DEMO_SIGN_IN",
    "EMAIL_URL",
    "EMBEDDER",
    "EMBEDDER_KEY",
    "EMBEDDER_MODEL",
    "FILE_STORAGE",
    "JUDGE",
    "SUGGESTER",
    "FILE_STORAGE_OPTIONS",
    "LOG_LEVEL",
    "OUTBOUND_ALLOWED_HOSTS",
    "REDIS_URL",
    "SECRET_KEY_FALLBACKS",
    "UNDO_SECONDS",
]


def _begin() -> Path:
    """Start this run's server; its address and folder go to the workers by the environment."""
    _clear_leftovers()
    logging.getLogger("feedbackhub.embedded_postgres").setLevel(logging.ERROR)  # about root
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    (folder / "owner").write_text(str(os.getpid()))
    (folder / "env").touch()
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ |= SETTINGS | {
        "FEEDBACKHUB_TEST_FOLDER": str(folder),
        "FEEDBACKHUB_ENV_FILE": str(folder / "env"),
        "DATABASE_URL": embedded_postgres.database_url(folder),
    }
    return folder


def _end(folder: Path) -> None:
    embedded_postgres.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _clear_leftovers() -> None:
    """A run that was killed could not tidy up; the next one does."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            owner = psutil.Process(int((folder / "owner").read_text()))
            if any("pytest" in word or "tests." in word for word in owner.cmdline()):
                continue
        except psutil.NoSuchProcess:
            pass
        except (OSError, ValueError, psutil.Error):
            continue
        _end(folder)


FOLDER = Path(os.environ["FEEDBACKHUB_TEST_FOLDER"]) if IS_WORKER else _begin()
# Files are named by row, and each worker counts its rows from one.
os.environ["DATA_DIR"] = str(FOLDER / os.environ.get("PYTEST_XDIST_WORKER", "main"))


def pytest_unconfigure(config):
    if not IS_WORKER:
        _end(FOLDER)


# --- what a machine may lack --------------------------------------------------------------------


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def shared_folder() -> Path | None:
    named = os.environ.get("FEEDBACKHUB_SHARED", "")
    return Path(named).resolve() if named else None


MISSING = {
    "redis": (lambda: shutil.which("redis-server"), "there is no redis-server program here"),
    "browser": (chromium_path, "there is no Chromium here"),
    "shared": (shared_folder, "FEEDBACKHUB_SHARED names no folder of sample data and doubles"),
}


def pytest_runtest_setup(item):
    for marker, (find, reason) in MISSING.items():
        if item.get_closest_marker(marker) and not find():
            if marker != "shared" and os.environ.get("FEEDBACKHUB_REQUIRE_ALL") == "1":
                pytest.fail(f"{reason}, and FEEDBACKHUB_REQUIRE_ALL asks for it", pytrace=False)
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its processes said."""
    report = yield
    if report.failed:
        from tests import processes

        report.sections += [("Processes", stack.logs()) for stack in processes.running]
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; mark the test `browser`."""
    return chromium_path()


@pytest.fixture(scope="session")
def browser(chromium):
    """The one Chromium of a test process: Playwright runs once, and its loop stays in this thread."""
    from tests.browsing import chromium_at

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium_at(chromium) as browser:
        yield browser
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of sample data, contracts and tracker doubles; mark the test `shared`."""
    folder = shared_folder()
    assert folder.is_dir(), f"FEEDBACKHUB_SHARED names {folder}, which is no folder"
    return folder


@pytest.fixture(scope="session")
def redis_server():
    """A private Redis with `.url`, `.kill()`, `.start()`, `.empty()`; mark the test `redis`."""
    from tests.processes import RedisServer

    with RedisServer() as server:
        yield server


# --- Celery in ordinary tests -------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _tasks_run_at_once():
    """No broker: what is queued runs on the spot. Tests of the real thing use `tests.processes`."""
    from feedbackhub.celery import app

    app.conf.update(broker_url="memory://", task_always_eager=True, task_eager_propagates=True)
