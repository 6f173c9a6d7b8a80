"""How much redaction finds, and what it costs: `make bench ARGS=redaction`.

Recall is measured on `pii_nano` in the folder that FEEDBACKHUB_SHARED names, names of people, houses and
systems left aside. `python -m benchmarks.redaction FILE` measures another set with the same rows.
"""

import argparse
import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from feedbackhub.redaction import VERSION, Redacted, redact, redact_json

NAMES = {"PERSON", "ORG", "ORGANIZATION", "SYSTEM", "TITLE", "EVENT"}
BASELINE = "STACK.md: 148 of 184 with labels, 70 with patterns and checksums alone"

ORDINARY = (
    "The standard deduction for the 2024 tax year is $14,600 for single filers, and section 63(c)(5) "
    "limits it for dependants. To claim the credit, fill in Form 8880 and attach it before 2025-04-15. "
    "Take 500 mg with water every 6 to 8 hours; do not exceed 4,000 mg in 24 hours, and tell your doctor "
    "about blood pressure above 140/90. In Python 3.11.4 `json.loads(body)` raises `ValueError`; set the "
    "token limit to 4096 and retry after 30 s. Version 2.14.0 (commit 9fceb02) fixed it on 2024-11-03. "
)

# Each was written to make some pattern try hard and fail, everywhere.
ADVERSARIAL = {
    "one digit": "1",
    "one letter": "a",
    "one hyphen": "-",
    "one capital": "A",
    "spaces": " ",
    "at signs": "a@",
    "addresses": "a.b@c.d-",
    "dots": "a@a.a.a.a.",
    "capital digit": "A1 ",
    "digit space": "1 2 ",
    "plus digits": "+1 ",
    "phones": "+14155550100 ",
    "national phones": "0171 2345678, ",
    "almost cards": "4111111111111112 ",
    "almost ibans": "GB29 NWBK ",
    "almost ids": "12345678901;",
    "Chinese ids": "110105194912310021;",
    "dates": "2024-01-15 ",
    "colons": "a:",
    "dotted": "1.2.3.4.",
    "labels": "password ",
    "labels with links": "account number is 12 ",
    "labels with asides": "card for a b c d e f ",
    "tokens": "token=a1.",
    "key prefixes": "sk-",
    "web tokens": "eyJ",
    "web tokens cut": "eyJaaaaaaaaaa.",
    "key blocks": "-----BEGIN PRIVATE KEY-----\n",
    "addresses with users": "://a:b",
    "quotes": 'pass="',
    "masks": "[EMAIL]",
    "stars": "**123 ",
    "emoji": "👩‍💻",
    "zero width": "1\u200b",
    "arabic digits": "٤",
}


def examples(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def is_touched(redacted: Redacted, start: int, end: int) -> bool:
    return any(edit.start < end and start < edit.end for edit in redacted.edits)


def shows_digits(redacted: Redacted, text: str, start: int, end: int) -> bool:
    masked = {at for edit in redacted.edits for at in range(edit.start, edit.end)}
    return any(text[at].isdigit() and at not in masked for at in range(start, end))


def print_recall(path: Path) -> None:
    marked, found, bare = Counter(), Counter(), Counter()
    for example in examples(path):
        redacted = redact(example["text"])
        for mark in example["entities"]:
            if mark["type"] in NAMES:
                continue
            place = mark["start"], mark["end"]
            marked[mark["type"]] += 1
            found[mark["type"]] += is_touched(redacted, *place)
            bare[mark["type"]] += shows_digits(redacted, example["text"], *place)
    print(f"{'label':<22}{'found':>6}{'marked':>8}{'digits left':>13}")
    for label, count in marked.most_common():
        print(f"{label:<22}{found[label]:>6}{count:>8}{bare[label] or '':>13}")
    print(f"{'in total':<22}{found.total():>6}{marked.total():>8}{bare.total():>13}")
    print(f"to compare, {BASELINE}\n")


def seconds(action: Callable[[], object], times: int) -> float:
    """CPU seconds of one run, the best of five rounds."""
    action()
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            action()
        best = min(best, (time.process_time() - start) / times)
    return best


def print_speed() -> None:
    answer = (ORDINARY * 5)[:2048]
    personal = answer[:1900] + " Write to ana@example.com or call 415-555-0100."
    interaction = {
        "id": "a-17",
        "messages": [
            {"role": "user", "content": answer[:400]},
            {"role": "assistant", "content": "Hm."},
        ],
        "output": answer[:1600],
        "metadata": {"plan": "pro", "locale": "en-GB", "latency": 812},
    }
    large = ORDINARY * (1_000_000 // len(ORDINARY))
    print("ordinary text")
    print(f"  2 kB, nothing to mask      {seconds(lambda: redact(answer), 200) * 1e6:>8.0f} µs")
    print(f"  2 kB, two things to mask   {seconds(lambda: redact(personal), 200) * 1e6:>8.0f} µs")
    print(
        f"  interaction of 2 kB        {seconds(lambda: redact_json(interaction), 200) * 1e6:>8.0f} µs"
    )
    print(
        f"  1 MB                       {len(large) / seconds(lambda: redact(large), 1) / 1e6:>8.1f} MB/s\n"
    )


def print_worst_cases() -> None:
    taken = {}
    for name, piece in ADVERSARIAL.items():
        text = piece * (1_000_000 // len(piece))
        start = time.process_time()
        redact(text)
        taken[name] = time.process_time() - start
    print("1 MB of …, slowest first")
    for name, spent in sorted(taken.items(), key=lambda item: -item[1]):
        print(f"  {name:<22}{spent:>6.2f} s")


def run(path: Path | None = None) -> None:
    shared = os.environ.get("FEEDBACKHUB_SHARED")
    if path is None and shared:
        path = Path(shared, "data", "pii_nano.jsonl.gz")
    print(f"redaction rules version {VERSION}, load average {os.getloadavg()[0]:.1f}\n")
    if path is None:
        print("recall not measured: set FEEDBACKHUB_SHARED or name a file\n")
    else:
        print_recall(path)
    print_speed()
    print_worst_cases()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="?", type=Path)
    run(parser.parse_args().examples)
