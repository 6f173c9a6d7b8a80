"""The ways to deploy say the same as the code: the commands, and every setting."""

import configparser
import os
import re
import shlex
import subprocess

import pytest
import yaml

from feedbackhub.quickstart import BIN, COMMANDS
from tests.environment import ROOT

# how loud a process is is each place's own business
SAME = {
    name: [str(word).removeprefix(f"{BIN}/") for word in words if "--loglevel" not in str(word)]
    for name, words in COMMANDS.items()
}


def settings_read() -> set[str]:
    code = (ROOT / "feedbackhub" / "settings.py").read_text()
    code += (ROOT / "feedbackhub" / "gunicorn_conf.py").read_text()
    return set(re.findall(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"', code))


def test_systemd_units_run_the_commands_of_the_quickstart():
    for name, command in SAME.items():
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(ROOT / "deploy" / f"feedbackhub-{name}.service")
        started = unit["Service"]["ExecStart"].replace("/srv/feedbackhub/.venv/bin/", "")
        assert shlex.split(started) == command


def test_compose_and_its_image_run_the_commands_of_the_quickstart():
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    assert services["worker"]["command"] == SAME["worker"]
    assert services["beat"]["command"] == SAME["beat"]
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    [command] = re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)
    assert yaml.safe_load(command) == SAME["web"]
    assert "noeviction" in services["redis"]["command"]


def test_operating_page_explains_every_setting_there_is():
    page = (ROOT / "docs" / "operating.md").read_text()
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    assert settings_read() - set(re.findall(r"`([A-Z_]+)`", table)) == set()


def test_env_example_sets_only_what_is_read():
    example = (ROOT / "deploy" / "env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named - settings_read() == {"POSTGRES_PASSWORD"}


@pytest.mark.redis
def test_smoke_runs_web_worker_and_beat_on_postgresql_over_tcp_and_redis():
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    run = subprocess.run(
        ["bash", ROOT / "deploy" / "smoke.sh"],
        env=kept,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert '{"id":"smoke-1","status":"accepted","redacted":{}}' in run.stdout
    assert "the worker told" in run.stdout
