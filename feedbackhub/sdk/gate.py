"""Hold a candidate against gold: get its answers, send them, wait for the verdict, write it down."""

import json
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from feedbackhub.sdk import reports
from feedbackhub.sdk.client import Client

_RUN_ID = re.compile(r"[0-9a-fA-F-]{32,36}")


class GateError(Exception):
    """What went wrong, in a sentence."""


def gate(client: Client, options) -> bool:
    """Whether the candidate passes; reports are written as `options` (the command line) asks."""
    if options.split == "holdout":
        _ask_for_the_holdout(client, options.version)
    rows = read_results(options.results) if options.results else run_candidate(client, options)
    sent = client.post(
        f"gold-versions/{options.version}/evaluations",
        {
            "candidate": options.candidate,
            "split": options.split,
            "note": options.note,
            "versions": options.carries,
            "results": rows,
        },
    )
    run = _verdict(client, sent["id"], options.wait)
    sys.stdout.write(reports.plain(run))
    if options.markdown:
        Path(options.markdown).write_text(reports.markdown(run), encoding="utf-8")
    if options.junit:
        results = list(client.pages(f"evaluations/{run['id']}/results"))
        Path(options.junit).write_bytes(reports.junit(run, results))
    if not run["passed"]:
        sys.stdout.write(
            f"  If a lead lets it ship all the same, this passes: feedbackhub verdict {run['id']}\n"
        )
    return run["passed"]


def verdict(client: Client, options) -> bool:
    """Whether a run that was made may ship: it passes, or a lead said why it may all the same."""
    if not _RUN_ID.fullmatch(options.run_id):
        raise GateError(f"{options.run_id} is no id of a run.")
    run = _verdict(client, options.run_id, options.wait)
    sys.stdout.write(reports.plain(run))
    return run["is_accepted"]


def _verdict(client, run_id, seconds) -> dict:
    run = wait_for_verdict(client, run_id, seconds)
    if run["state"] != "done":
        raise GateError(f"The server could not assess it: {run['failure']}. {run['url']}")
    return run


def _ask_for_the_holdout(client, version) -> None:
    """Nobody answers every case to hear then that the holdout is worn out."""
    if client.get(f"gold-versions/{version}/holdout")["holdout_left"] == 0:
        raise GateError(
            f"The holdout of version {version} was used as often as this project allows. Iterate on validation."
        )


def read_results(path: str) -> list[dict]:
    """Rows of a JSONL file."""
    rows = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    rows.append(json.loads(line))
                except ValueError as error:
                    raise GateError(f"{path}, line {number}: {error}") from None
    if not rows:
        raise GateError(f"{path} holds no answer.")
    return rows


def run_candidate(client: Client, options) -> list[dict]:
    """Answer each case by the command, several at once; one that fails has no answer, and fails at the gate."""
    command = shlex.split(options.run)
    cases = list(client.pages(f"gold-versions/{options.version}/cases", split=options.split))
    if not cases:
        raise GateError(f"Version {options.version} has no case in {options.split}.")
    asked = [(case, attempt) for case in cases for attempt in range(1, options.repeats + 1)]
    rows = []
    pool = ThreadPoolExecutor(max(1, options.jobs))
    try:
        answers = {
            pool.submit(_answer, command, case, options.timeout): (case, attempt)
            for case, attempt in asked
        }
        for answer in as_completed(answers):
            case, attempt = answers[answer]
            output, complaint = answer.result()
            rows.append({"id": case["id"], "attempt": attempt, "output": output})
            _show_progress(len(rows), len(asked), complaint and f"{case['id']}: {complaint}")
    finally:
        pool.shutdown(cancel_futures=True)  # what waits its turn when something went wrong
    return sorted(rows, key=lambda row: (row["id"], row["attempt"]))


def _answer(command, case, timeout) -> tuple[str, str]:
    """(the answer, what went wrong); the answer is empty then."""
    try:
        done = subprocess.run(  # noqa: S603 (the caller's own command)
            command,
            input=json.dumps(case).encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {timeout:g} s"
    except OSError as error:
        raise GateError(f"{command[0]} cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return "", f"exit code {done.returncode} {' '.join(said)}"
    return done.stdout.decode(errors="replace").strip("\n"), ""


def _show_progress(done, total, complaint) -> None:
    out = sys.stderr
    if complaint:
        out.write(f"\r{complaint}\n")
    if out.isatty():
        width = 30 * done // total
        out.write(f"\r[{'#' * width}{'.' * (30 - width)}] {done} of {total} answers")
        if done == total:
            out.write("\n")
    elif done == total or done % max(1, total // 10) == 0:
        out.write(f"{done} of {total} answers\n")
    out.flush()


def wait_for_verdict(client: Client, run_id: str, seconds: float) -> dict:
    deadline, pause = time.monotonic() + seconds, 0.2
    while True:
        run = client.get(f"evaluations/{run_id}")
        if run["state"] in ("done", "failed"):
            return run
        if time.monotonic() > deadline:
            raise GateError(f"No verdict within {seconds:g} s; it goes on at {run['url']}")
        time.sleep(pause)
        pause = min(pause * 1.5, 5)
