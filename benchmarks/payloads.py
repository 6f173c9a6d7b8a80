"""What the input layer costs: microseconds for each step of a typical interaction, without a database.

    .venv/bin/python -m benchmarks.payloads

Beside each figure stands its ratio to `json.loads` of the same bytes in the same run: the machine's own
speed falls out of it. The best of many rounds is printed, because everything else is the neighbours.
"""

import json
import time

from django.conf import settings

if not settings.configured:
    settings.configure(USE_TZ=True)

from feedbackhub import redaction
from feedbackhub.api import strict_json
from feedbackhub.capture import masking
from feedbackhub.capture.identity import canonical_hash
from feedbackhub.capture.masking import redact_feedback, redact_interaction
from feedbackhub.capture.payloads import read_feedback, read_interaction

KEY = b"k" * 32
ROWS = 1_000
ANSWER = (
    "The reduced rate applies to food, books and local transport. Since July the meals a restaurant "
    "serves are charged at the full rate again, so the invoice of 12 March should show 19 %. If it "
    "shows 7 %, ask for a corrected one; a note of the difference is not enough. "
)
INTERACTION = {
    "id": "chat-7f3a/turn-12",
    "session_id": "chat-7f3a",
    "user": {"id": "u-20931", "role": "adviser", "region": "DE-BY"},
    "occurred_at": "2026-11-20T10:00:00Z",
    "environment": "production",
    "feature": "vat-help",
    "model": "small-chat",
    "model_version": "2026-10",
    "model_parameters": {"temperature": 0.2, "top_p": 0.95, "max_tokens": 800},
    "prompt": {"name": "vat-answer", "version": "12"},
    "messages": [
        {"role": "system", "content": "You are a careful tax adviser. Name your source. " * 5},
        {"role": "user", "content": "Which rate applies to a restaurant bill of last March? " * 4},
    ],
    "output": ANSWER * 6,
    "retrieval": {
        "index": "law",
        "version": "2026-11",
        "documents": [
            {
                "id": f"ustg-{number}",
                "chunk_id": f"12/{number}",
                "title": "Value added tax act, section 12",
                "url": f"https://law.example.com/ustg/12#{number}",
                "text": ANSWER,
                "score": 0.81,
            }
            for number in range(3)
        ],
    },
    "usage": {"input_tokens": 512, "output_tokens": 300},
    "latency_ms": 812.5,
    "fallback": False,
    "confidence": 0.83,
    "tags": ["vat", "restaurant"],
    "metadata": {"tenant": "t-1", "build": 1234, "flags": ["rerank", "cite"]},
    "trace_url": "https://traces.example.com/t/0af7651916cd43dd8448eb211c80319c",
}
FEEDBACK = {
    "interaction_id": "chat-7f3a/turn-12",
    "kind": "rating",
    "score": 2,
    "scale": [1, 5],
    "category": "outdated",
    "severity": "high",
    "comment": "The rate changed in July; this is the one of last year.",
    "reporter": {"ref": "u-20931", "email": "ana@example.com", "locale": "de", "consent": True},
    "occurred_at": "2026-11-20T12:00:00Z",
}


def microseconds(step, *, count: int = 300, rounds: int = 15) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            step()
        best = min(best, (time.perf_counter() - started) / count)
    return best * 1e6


def steps(name: str, body: dict, read, redact) -> None:
    raw = json.dumps(body).encode()
    unit = microseconds(lambda: json.loads(raw))
    print(f"\n{name}, {len(raw):,} bytes; json.loads {unit:.1f} µs")
    value = strict_json.parse(raw)
    payload = read(value)

    def first_sight():
        masking._KNOWN_CLEAN.clear()
        redact(payload, key=KEY)

    total = 0.0
    for label, step in {
        "parse": lambda: strict_json.parse(raw),
        "check": lambda: read(value),
        "hash": lambda: canonical_hash(value, KEY),
        "redact": lambda: redact(payload, key=KEY),
    }.items():
        spent = microseconds(step)
        total += spent
        print(f"  {label:<22}{spent:8.1f} µs {spent / unit:6.1f} ×")
    print(f"  {'together':<22}{total:8.1f} µs {total / unit:6.1f} ×")
    spent = microseconds(first_sight)
    print(f"  {'redact, nothing known':<22}{spent:8.1f} µs {spent / unit:6.1f} ×")


def batches() -> None:
    row = json.dumps(INTERACTION, ensure_ascii=False).encode()
    for name, raw, parse in (
        ("NDJSON", b"\n".join([row] * ROWS), strict_json.parse_ndjson),
        ("array", b"[" + b",".join([row] * ROWS) + b"]", strict_json.parse_array),
    ):
        spent = microseconds(lambda: [None for _ in parse(raw)], count=1, rounds=5) / ROWS  # noqa: B023
        print(f"  {name + ', a row':<22}{spent:8.1f} µs")


def main() -> None:
    print(f"redaction rules {redaction.VERSION}")
    steps("interaction", INTERACTION, read_interaction, redact_interaction)
    steps("feedback", FEEDBACK, read_feedback, redact_feedback)
    print("\nparsing a batch")
    batches()


if __name__ == "__main__":
    main()
