"""`feedbackhub gate …` holds a candidate against gold, `feedbackhub verdict RUN` reads what a lead made of it."""

import argparse
import os
import sys

from feedbackhub.sdk.client import Client, Refused, Unreachable
from feedbackhub.sdk.gate import GateError, gate, verdict

PASSED, FAILED, WRONG = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """0 when the candidate may ship, 1 when it may not, 2 when it could not be found out."""
    options = _parser().parse_args(arguments)
    if not options.url or not options.key:
        return _complain("Say --url and --key, or set FEEDBACKHUB_URL and FEEDBACKHUB_API_KEY.")
    try:
        return PASSED if options.act(Client(options.url, options.key), options) else FAILED
    except (GateError, Refused, Unreachable, OSError, ValueError) as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("Stopped.")


def _complain(sentence: str) -> int:
    sys.stderr.write(f"feedbackhub: {sentence}\n")
    return WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="feedbackhub")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_gate(commands)
    _add_verdict(commands)
    return parser


def _add_gate(commands) -> None:
    command = commands.add_parser(
        "gate",
        help="hold a candidate prompt or model against gold",
        description="Holds a candidate's answers against a frozen gold version. Exit code 0: it passes, 1: it does not,"
        " 2: it could not be found out.",
    )
    command.set_defaults(act=gate)
    _add_connection(command)
    command.add_argument("--version", type=int, required=True, help="number of the gold version")
    command.add_argument(
        "--split", default="validation", choices=["train", "validation", "holdout"]
    )
    command.add_argument("--candidate", required=True, help='in your words: "prompt=v1.5 model=…"')
    command.add_argument(
        "--carries",
        action="append",
        default=[],
        metavar="VERSION",
        help="a version that it is made of, as fixes name it; may be repeated. Those of name=version words of the"
        " candidate are known",
    )
    answers = command.add_mutually_exclusive_group(required=True)
    answers.add_argument("--results", help='JSONL of {"id", "output", "attempt"}')
    answers.add_argument(
        "--run", help="a command: a case as JSON on its standard input, the answer on its output"
    )
    command.add_argument(
        "--repeats", type=int, default=1, help="attempts at each case (with --run)"
    )
    command.add_argument("--jobs", type=int, default=4, help="commands at once (with --run)")
    command.add_argument("--timeout", type=float, default=120, help="seconds for one answer")
    command.add_argument("--junit", help="write a JUnit file")
    command.add_argument("--markdown", help="write a summary for a pull request")
    command.add_argument("--note", default="")


def _add_verdict(commands) -> None:
    command = commands.add_parser(
        "verdict",
        help="read again whether a run may ship",
        description="Reads a run that was made. Exit code 0: it passes, or a lead accepted it for a reason, 1: it does"
        " not, 2: it could not be found out.",
    )
    command.set_defaults(act=verdict)
    _add_connection(command)
    command.add_argument("run_id", metavar="RUN_ID", help="as `feedbackhub gate` printed it")


def _add_connection(command) -> None:
    command.add_argument(
        "--url", default=os.environ.get("FEEDBACKHUB_URL"), help="or FEEDBACKHUB_URL"
    )
    command.add_argument(
        "--key",
        default=os.environ.get("FEEDBACKHUB_API_KEY"),
        help="an API key of scope export; better in FEEDBACKHUB_API_KEY",
    )
    command.add_argument(
        "--wait", type=float, default=1_800, help="seconds to wait for the verdict"
    )
