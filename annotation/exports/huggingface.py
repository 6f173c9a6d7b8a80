"""A Hugging Face dataset folder: a card, a JSONL file for each split, and Croissant metadata; `load_dataset(FOLDER)` reads it."""

import json

from annotation.exports import croissant
from annotation.exports.cases import (
    TRAINERS_SPLITS,
    Case,
    Format,
    assistant,
    ideal,
    template_prompt,
    tools_column,
)

FIELDS = {
    "id": "the gold example",
    "prompt": "the conversation before the answer",
    "completion": "the ideal answer",
    "rejected": "answers that were judged wrong",
    "verdict": "what the experts held the given answer to be",
    "severity": "how bad it was",
    "categories": "what was wrong with it",
    "root_cause": "why",
    "weight": "how much the row should count",
    "tools": "the functions that the model could call, as JSON",
}


def rows(case: Case) -> list[dict]:
    labels = case.labels
    return [
        {
            "id": case.example_id,
            "prompt": template_prompt(case),
            "completion": [assistant(ideal(case))],
            "rejected": [
                text
                for text in dict.fromkeys(case.rejected_answers)
                if text.strip() not in ("", case.ideal_answer.strip())
            ],
            "verdict": labels.get("verdict", ""),
            "severity": labels.get("severity", ""),
            "categories": labels.get("categories", []),
            "root_cause": labels.get("root_cause", ""),
            "weight": case.weight,
            **tools_column(case),
        }
    ]


def file_for(split: str) -> str:
    return f"data/{split}.jsonl"


def beside(facts: dict) -> dict[str, bytes]:
    filled = [
        (split, file)
        for split in TRAINERS_SPLITS
        for file in facts["files"]
        if file["name"] == file_for(split) and file["rows"]
    ]
    fields = {name: FIELDS[name] for name in FIELDS if name != "tools" or facts.get("has_tools")}
    described = json.dumps(croissant.of(facts, filled, fields), ensure_ascii=False, indent=2)
    return {
        "README.md": _card(facts, filled, fields).encode(),
        "croissant.json": described.encode() + b"\n",
    }


def _card(facts, filled, fields) -> str:
    front = "".join(
        f"      - split: {split}\n        path: {file['name']}\n" for split, file in filled
    )
    counts = "".join(f"| {split} | {file['rows']} |\n" for split, file in filled)
    left_out = "".join(f"| {reason} | {count} |\n" for reason, count in facts["left_out"].items())
    listed = "".join(f"- `{name}`: {meaning}\n" for name, meaning in fields.items())
    head = (
        "---\nlicense: other\ntask_categories:\n  - text-generation\nconfigs:\n  - config_name: default\n"
        "    default: true\n    data_files:\n" + front + "---\n\n"
    )
    return head + (
        f"# {facts['project']}, gold version {facts['gold_version']}\n\n"
        "Answers of a language model, judged and corrected by experts, approved by a lead.\n\n"
        f"Gold digest `{facts['gold_digest']}`, erasure epoch {facts['erasure_epoch']}. {facts['licence']}\n\n"
        f"| split | rows |\n|---|---|\n{counts}\nThe holdout is not in it.\n\n## Fields\n\n{listed}\n"
        f"## Left out\n\n| why | count |\n|---|---|\n{left_out}\n"
        f"Redaction: {facts['redaction']}. Splits: {facts['splitter']}\n"
    )


FORMAT = Format(
    name="huggingface",
    label="Hugging Face dataset folder",
    description="A folder to load or to push: a card, a file for each split, Croissant metadata. The holdout stays here.",
    is_training=True,
    rows=rows,
    has_rejected=True,
    file_for=file_for,
    beside=beside,
)
