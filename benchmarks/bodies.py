"""Typical rows: about 3 kB an interaction, two documents, a conversation of three turns."""

import random

_WORDS = [
    "the",
    "travel",
    "allowance",
    "of",
    "your",
    "office",
    "day",
    "tax",
    "form",
    "receipt",
    "costs",
    "income",
    "year",
    "return",
    "home",
    "child",
    "amount",
    "rate",
    "section",
    "guide",
    "employer",
    "deduct",
    "claim",
    "paid",
    "monthly",
    "insurance",
    "contract",
    "total",
    "limit",
    "rule",
    "applies",
    "document",
]


def _text(rng, words):
    return " ".join(rng.choices(_WORDS, k=words)).capitalize() + "."


def interactions(count, *, start=0):
    rng = random.Random(start)
    for n in range(start, start + count):
        yield {
            "id": f"bench/{n}",
            "session_id": f"s-{n // 3}",
            "user": {"id": f"u-{n % 997}", "role": "client", "region": "EU"},
            "occurred_at": f"2026-{1 + n % 10:02}-{1 + n % 27:02}T{n % 24:02}:00:00Z",
            "feature": ["tax_help", "pharmacy", "devtool"][n % 3],
            "model": "lumen-2" if n % 4 else "harbor-1.5",
            "prompt": {"name": "assistant", "version": f"v{n % 5}"},
            "messages": [
                {"role": "system", "content": "You are careful."},
                {"role": "user", "content": _text(rng, 30)},
                {"role": "assistant", "content": _text(rng, 60)},
                {"role": "user", "content": f"{_text(rng, 25)} Number {n}?"},
            ],
            "output": _text(rng, 150),
            "retrieval": {
                "index": "guide",
                "version": "r1",
                "documents": [
                    {
                        "id": f"d{n % 40}",
                        "chunk_id": str(k),
                        "title": _text(rng, 4),
                        "text": _text(rng, 60),
                    }
                    for k in range(2)
                ],
            },
            "usage": {"input_tokens": 500, "output_tokens": 200},
            "latency_ms": 812.5,
            "tags": ["web", "de"],
            "metadata": {"plan": "pro", "build": 4711},
        }


def feedback(count):
    for n in range(count):
        yield {
            "id": f"bench-f/{n}",
            "interaction_id": f"bench/{n}",
            "kind": "thumbs_down",
            "category": "wrong",
            "comment": "That is from last year, I think.",
            "reporter": {
                "ref": f"u-{n % 997}",
                "email": f"u{n % 997}@example.com",
                "consent": True,
            },
        }
