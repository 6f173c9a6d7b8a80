"""How rows of other shapes become ours: a mapping answers an interaction and its feedback, as the API takes them.

`native` rows are what the API takes already: an interaction, or a feedback event (it names an `interaction_id`).
`sample` rows are those of research sets with human labels (see docs/importing.md): one row holds an interaction, ratings,
thumbs, corrections and marked spans. Their offsets count code points of the source; they are moved to where the text is
after redaction.
"""

from collections.abc import Callable

from feedbackhub import redaction

Mapped = tuple[list[dict], list[dict]]  # interactions, feedback

# The words of a four-step rating, worst first, as the source has them.
RATINGS = ["Bad", "Could be Improved", "Acceptable", "Excellent"]
_THUMBS = {"up": "thumbs_up", "down": "thumbs_down", "red_flag": "report"}


def native(row: dict, *, kinds: frozenset[str] | None = None) -> Mapped:
    """A row as the API takes it."""
    return ([], [row]) if "interaction_id" in row else ([row], [])


def sample(row: dict, *, kinds: frozenset[str] | None = None) -> Mapped:
    """A row of a research set: its answer, and everything that people said of it."""
    interaction = {
        "id": row["interaction_id"],
        "session_id": row["session_id"],
        "feature": row["dataset"],
        "model": row["model"] or "",
        "messages": _messages(row),
        "output": row["raw_output"],
        "retrieval": {
            "documents": [
                {"id": d["id"], "title": d.get("title") or "", "text": d.get("text") or ""}
                for d in row["retrieved_context"]
            ]
        },
        "metadata": {
            "turn": row["turn"],
            "source": {k: v for k, v in row["meta"].items() if k != "history"},
            "spans": _spans(row, kinds),
            "labels": row["item_labels"],
        },
    }
    if row.get("temperature") is not None:
        interaction["model_parameters"] = {"temperature": row["temperature"]}
    return [interaction], [*_ratings(row), *_corrections(row)]


def _messages(row) -> list[dict]:
    """The turns before, then the question. The history alternates and begins with the person."""
    messages = []
    if row.get("system_prompt"):
        messages.append({"role": "system", "content": row["system_prompt"]})
    for place, said in enumerate(row["meta"].get("history") or []):
        messages.append({"role": "assistant" if place % 2 else "user", "content": said})
    messages.append({"role": "user", "content": row["user_input"]})
    return messages


def _spans(row, kinds) -> list[dict]:
    """The marked stretches, at their places after redaction; without the quotes, which the text itself holds."""
    texts = {"raw_output": row["raw_output"]}
    texts |= {f"context:{d['id']}": d.get("text") or "" for d in row["retrieved_context"]}
    redacted = {name: redaction.redact(text, enabled=kinds) for name, text in texts.items()}
    spans = []
    for label in row["human_labels"]:
        found = redacted.get(label["target"])
        if found is None:
            continue
        spans.append(
            {
                "field": "output" if label["target"] == "raw_output" else label["target"],
                "start": found.remap(label["start"]),
                "end": found.remap(label["end"], end=True),
                "label": label["type"],
                "annotator": label["annotator"],
            }
        )
    return spans


def _ratings(row):
    for place, said in enumerate(row["feedback"]):
        common = {"interaction_id": row["interaction_id"]}
        if said.get("text"):
            common["comment"] = said["text"]
        for time in range(said.get("count") or 1):
            event = {**common, "id": f"{row['interaction_id']}#feedback-{place}-{time}"}
            if said["kind"] == "rating":
                score = RATINGS.index(said["value"]) + 1
                yield {
                    **event,
                    "kind": "rating",
                    "score": score,
                    "scale": [1, len(RATINGS)],
                    "metadata": {"word": said["value"]},
                }
            else:
                yield {**event, "kind": _THUMBS[said["value"]]}


def _corrections(row):
    for place, said in enumerate(row["corrections"]):
        yield {
            "id": f"{row['interaction_id']}#correction-{place}",
            "interaction_id": row["interaction_id"],
            "kind": "edit",
            "edited_output": said["text"],
            "metadata": {"annotator": said["annotator"]},
        }


MAPPINGS: dict[str, Callable[..., Mapped]] = {"native": native, "sample": sample}
