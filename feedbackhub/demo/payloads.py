"""A row as the payload of POST /api/v1/interactions, all but its time."""

from random import Random

from feedbackhub.demo.drawing import BLOG_REMOVED, DAYS, Row

MODEL_VERSIONS = {"lumen-2": "2026-07-30", "lumen-2-mini": "2026-08-12", "harbor-1.5": "1.5.3"}


def interaction_payload(row: Row, rng: Random) -> dict:
    """An interaction as DESIGN §4 shapes it, without its time."""
    feature = row.module.FEATURE
    text = row.answer.text
    model = _model(row, rng)
    slow = row.flaw is not None and row.flaw.kind == "slow"
    latency = rng.uniform(28_000, 46_000) if slow else min(14_000, rng.lognormvariate(7.75, 0.45))
    payload = {
        "id": row.id,
        "session_id": row.session,
        "user": {"id": row.user.id, "role": row.user.role, "region": row.user.region},
        "environment": "staging" if rng.random() < 0.03 else "production",
        "feature": feature,
        "model": model,
        "model_version": MODEL_VERSIONS[model],
        "model_parameters": {
            "temperature": 0.2 if feature != "devtool" else 0.1,
            "max_tokens": 800,
        },
        "prompt": {
            "name": row.prompt.name,
            "version": row.prompt.version,
            "text": row.prompt.text,
        },
        **_input(row, rng),
        "output": text,
        "usage": {
            "input_tokens": 210
            + sum(len(turn) for turn in row.turns) // 4
            + sum(len(chunk.text) for chunk in row.chunks) // 4,
            "output_tokens": max(9, len(text) // 4),
        },
        "latency_ms": int(latency),
        "fallback": row.flaw is not None and row.flaw.kind == "refused_wrongly",
        "tags": _tags(row, rng),
        "metadata": _metadata(row, rng),
        "trace_url": f"https://traces.example.com/t/{rng.getrandbits(64):016x}",
    }
    if row.chunks:
        payload["retrieval"] = _retrieval(row, rng)
    if rng.random() < 0.85:
        payload["confidence"] = round(
            rng.uniform(0.42, 0.94) if row.is_bad else rng.uniform(0.66, 0.98), 2
        )
    return payload


def _input(row: Row, rng: Random) -> dict:
    """The conversation, as messages or in the short form."""
    feature = row.module.FEATURE
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(row.turns)
    ]
    if feature == "tax_help":
        about = f"Tax year 2025. Profile: {row.user.role.replace('_', '-')}, {row.user.region}."
        if len(row.turns) > 1 or rng.random() < 0.7:
            return {"messages": [{"role": "system", "content": about}, *messages]}
        return {"system_prompt": about, "input": row.turns[0]}
    if feature == "devtool" and row.chunks and rng.random() < 0.12:
        found = ", ".join(chunk.title for chunk in row.chunks)
        return {"messages": [*messages, {"role": "tool", "content": f"search_docs: {found}"}]}
    if len(row.turns) == 1 and rng.random() < (0.7 if feature == "pharmacy" else 0.3):
        return {"input": row.turns[0]}
    return {"messages": messages}


def _model(row: Row, rng: Random) -> str:
    chance = rng.random()
    match row.module.FEATURE:
        case "tax_help":
            if chance < 0.12:
                return "harbor-1.5"
            return "lumen-2-mini" if row.day > 29 and chance < 0.5 else "lumen-2"
        case "pharmacy":
            return "harbor-1.5" if chance < 0.8 else "lumen-2"
        case _:
            return "lumen-2-mini" if row.day > 28 or chance < 0.1 else "lumen-2"


def _retrieval(row: Row, rng: Random) -> dict:
    index, version = {
        "tax_help": ("kontor-library", "2026-09"),
        "pharmacy": ("harbour-library", "r43" if row.day < BLOG_REMOVED else "r42"),
        "devtool": ("tidewater-docs", "main"),
    }[row.module.FEATURE]
    score = rng.uniform(0.84, 0.95)
    documents = []
    for chunk in row.chunks:
        documents.append(
            {
                "id": chunk.document,
                "chunk_id": f"{chunk.document}#{chunk.key}",
                "title": chunk.title,
                "url": chunk.url,
                "text": chunk.text,
                "score": round(score, 3),
            }
        )
        score -= rng.uniform(0.02, 0.14)
    return {"index": index, "version": version, "documents": documents}


def _tags(row: Row, rng: Random) -> list[str]:
    tags = [rng.choice(["mobile", "web", "web"])]
    if row.case.lang != "en":
        tags.append(f"lang-{row.case.lang}")
    if rng.random() < 0.1:
        tags.append("beta")
    return tags


def _metadata(row: Row, rng: Random) -> dict:
    version = f"4.{11 + int((DAYS - row.day) / 15)}.{rng.randrange(3)}"
    metadata: dict = {"app_version": version}
    if row.module.FEATURE == "devtool":
        metadata["surface"] = rng.choice(["editor", "merge request", "command line"])
    if row.follows:
        metadata["follows"] = row.follows
    return metadata
