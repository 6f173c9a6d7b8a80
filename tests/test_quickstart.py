"""`make quickstart` for real: it comes up, survives kill -9 of everything, and keeps the data."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import psycopg
import pytest

from feedbackhub import embedded_postgres, quickstart
from tests.environment import FOREIGN, ROOT, SETTINGS
from tests.processes import free_port, wait_for

pytestmark = pytest.mark.xdist_group("quickstart")


class Terminal:
    """A person's terminal: starts the command, reads what it says, presses Ctrl-C or pulls the plug."""

    def __init__(self, data_dir: Path):
        self.data_dir = data_dir
        self.screen = data_dir.parent / "screen"

    def run(self, *arguments: str, stdin: str | None = None) -> "Terminal":
        hidden = {*SETTINGS, *FOREIGN, "DATABASE_URL", "DATA_DIR", "FEEDBACKHUB_ENV_FILE"}
        hidden |= {"PYTEST_CURRENT_TEST", "FEEDBACKHUB_TEST_FOLDER", "DJANGO_SETTINGS_MODULE"}
        with open(self.screen, "w") as screen:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "feedbackhub.quickstart"),
                    *("--data-dir", str(self.data_dir), *arguments),
                ],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name not in hidden},
                stdin=subprocess.PIPE,
                stdout=screen,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        if stdin is not None:
            self.process.communicate(stdin, timeout=120)
        return self

    def says(self) -> str:
        return self.screen.read_text()

    def wait_for_address(self) -> str:
        def address():
            assert self.process.poll() is None, self.says()
            return re.search(r"FeedbackHub runs at (http://\S+)", self.says())

        return wait_for(address, 600, "quickstart did not come up")[1]

    def children(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(quickstart.MARK) == str(self.data_dir):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def press_ctrl_c(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart") / "local"
    yield folder
    terminal = Terminal(folder)
    for process in terminal.children():
        process.kill()
    embedded_postgres.stop(folder)


@pytest.fixture(scope="module")
def terminal(data_dir):
    terminal = Terminal(data_dir)
    yield terminal
    if terminal.process.poll() is None:
        terminal.process.kill()
        terminal.process.wait()


def count(data_dir, table):
    url = embedded_postgres.database_url(data_dir)
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


class Browser:
    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def open(self, url: str, form: dict | None = None) -> tuple[int, str, str]:
        body = urllib.parse.urlencode(form).encode() if form else None
        with self.opener.open(url, body, timeout=20) as answer:
            return answer.status, answer.url, answer.read().decode()

    def sign_in(self, link: str) -> tuple[int, str, str]:
        _status, _url, page = self.open(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        return self.open(link, {"csrfmiddlewaretoken": token})


def fetch(url: str) -> tuple[int, str, str]:
    return Browser().open(url)


def test_quickstart_from_nothing_to_kill_9_and_back(terminal, data_dir):
    """One story, told in order: each start is worth seconds."""
    port = free_port()
    address = terminal.run("--port", str(port)).wait_for_address()
    assert address == f"http://127.0.0.1:{port}"
    assert fetch(address + "/healthz")[0] == 200

    # secrets of its own, for its owner only
    env = data_dir / "env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    secrets = env.read_text()

    # one link per role signs in and leads home
    links = re.findall(rf"^  (\w+) .*({address}/\S+)$", terminal.says(), re.MULTILINE)
    assert {role for role, _link in links} == {"expert", "engineer", "lead", "owner"}
    for _role, link in links:
        status, landed, _page = Browser().sign_in(link)
        assert (status, "/login" in landed, landed == link) == (200, False, False)

    # a second one in the same folder says where the first is, and changes nothing
    second = Terminal(data_dir)
    second.screen = data_dir.parent / "second"
    assert second.run().process.wait(120) == 1
    assert f"already runs here: {address}" in second.says()

    interactions = count(data_dir, "capture_interaction")
    assert interactions > 300

    # the plug is pulled: children follow, the database included, and nothing is lost
    terminal.process.kill()
    terminal.process.wait()
    wait_for(lambda: not terminal.children(), 60, "children outlived their parent")
    os.kill(embedded_postgres.postmaster_pid(data_dir), signal.SIGKILL)

    with socket.socket() as other:  # and somebody else took the port
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        again = terminal.run("--port", str(port)).wait_for_address()
        assert again != address
        assert f"Port {port} is taken" in terminal.says()
        assert fetch(again + "/healthz")[0] == 200
    assert count(data_dir, "capture_interaction") == interactions
    assert env.read_text() == secrets

    # what dies alone is started again
    [worker] = [
        child
        for child in terminal.children()
        if "worker" in child.cmdline() and child.ppid() == terminal.process.pid
    ]
    worker.kill()
    os.kill(embedded_postgres.postmaster_pid(data_dir), signal.SIGKILL)
    wait_for(lambda: "worker process stopped" in terminal.says(), 60)
    wait_for(lambda: "PostgreSQL stopped" in terminal.says(), 60)
    wait_for(lambda: fetch(again + "/readyz")[0] == 200, 90)

    # Ctrl-C ends everything, cleanly
    assert terminal.press_ctrl_c() == 0
    assert "Everything is kept" in terminal.says()
    assert terminal.children() == []
    assert not embedded_postgres.is_running(data_dir)
    log = (data_dir / "postgres" / "log").read_text()
    assert "database system is shut down" in log.splitlines()[-1]


def test_quickstart_reset_asks_first(terminal, data_dir):
    secrets = (data_dir / "env").read_text()
    assert terminal.run("--reset", stdin="no\n").process.returncode == 1
    assert "Nothing was deleted." in terminal.says()
    assert (data_dir / "env").read_text() == secrets

    terminal.run("--reset", "--yes", "--port", str(free_port()))
    wait_for(lambda: "Starting the private PostgreSQL" in terminal.says(), 60)
    assert terminal.press_ctrl_c() == 0  # in the middle of getting ready
    assert (data_dir / "env").read_text() != secrets
    assert terminal.children() == []
    assert not embedded_postgres.is_running(data_dir)


def test_quickstart_finds_what_an_earlier_start_left_behind(tmp_path):
    environment = os.environ | {quickstart.MARK: str(tmp_path)}
    left = subprocess.Popen(["sleep", "600"], env=environment)
    quickstart._stop_leftovers(tmp_path)
    assert not psutil.pid_exists(left.pid)
