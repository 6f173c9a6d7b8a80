"""Hold a candidate against gold: get its answers, send them, wait for the verdict, write it down."""

import json
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from feedbackhub.sdk import reports
from feedbackhub.sdk.client import Client


class GateError(Exception):
    """What went wrong, in a sentence."""


def gate(client: Client, options) -> bool:
    """Whether the candidate passes; reports are written as `options` (the command line) asks."""
    rows = read_results(options.results) if options.results else run_candidate(client, options)
    sent = client.post(
        f"gold-versions/{options.version}/evaluations",
        {
            "candidate": options.candidate,
            "split": options.split,
            "note": options.note,
            "results": rows,
        },
    )
    run = wait_for_verdict(client, sent["id"], options.wait)
    if run["state"] != "done":
        raise GateError(f"The server could not assess it: {run['failure']}. {run['url']}")
    sys.stdout.write(reports.plain(run))
    if options.markdown:
        Path(options.markdown).write_text(reports.markdown(run), encoding="utf-8")
    if options.junit:
        results = list(client.pages(f"evaluations/{run['id']}/results"))
        Path(options.junit).write_bytes(reports.junit(run, results))
    return run["passed"]


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
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        answers = {
            pool.submit(_answer, command, case, options.timeout): (case, attempt)
            for case, attempt in asked
        }
        for answer in as_completed(answers):
            case, attempt = answers[answer]
            output, complaint = answer.result()
            rows.append({"id": case["id"], "attempt": attempt, "output": output})
            _show_progress(len(rows), len(asked), complaint and f"{case['id']}: {complaint}")
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
