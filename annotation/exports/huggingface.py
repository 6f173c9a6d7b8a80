"""A Hugging Face dataset folder: a card, a JSONL file for each split, and Croissant metadata; `load_dataset(FOLDER)` reads it."""

import json

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
    croissant = json.dumps(_croissant(facts, filled), ensure_ascii=False, indent=2)
    return {
        "README.md": _card(facts, filled).encode(),
        "croissant.json": croissant.encode() + b"\n",
    }


def _card(facts, filled) -> str:
    front = "".join(
        f"      - split: {split}\n        path: {file['name']}\n" for split, file in filled
    )
    counts = "".join(f"| {split} | {file['rows']} |\n" for split, file in filled)
    left_out = "".join(f"| {reason} | {count} |\n" for reason, count in facts["left_out"].items())
    names = [name for name in FIELDS if name != "tools" or facts.get("has_tools")]
    fields = "".join(f"- `{name}`: {FIELDS[name]}\n" for name in names)
    head = (
        "---\nlicense: other\ntask_categories:\n  - text-generation\nconfigs:\n  - config_name: default\n"
        "    default: true\n    data_files:\n" + front + "---\n\n"
    )
    return head + (
        f"# {facts['project']}, gold version {facts['gold_version']}\n\n"
        "Answers of a language model, judged and corrected by experts, approved by a lead.\n\n"
        f"Gold digest `{facts['gold_digest']}`, erasure epoch {facts['erasure_epoch']}. {facts['licence']}\n\n"
        f"| split | rows |\n|---|---|\n{counts}\nThe holdout is not in it.\n\n## Fields\n\n{fields}\n"
        f"## Left out\n\n| why | count |\n|---|---|\n{left_out}\n"
        f"Redaction: {facts['redaction']}. Splits: {facts['splitter']}\n"
    )


_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PLAIN = ("id", "verdict", "severity", "root_cause")  # columns that hold one text


def _croissant(facts, filled) -> dict:
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{facts['project']}-gold-v{facts['gold_version']}",
        "description": "Answers of a language model, judged and corrected by experts.",
        "license": facts["licence"],
        "url": "./README.md",
        "version": f"{facts['gold_version']}.{facts['erasure_epoch']}.0",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": split,
                "name": split,
                "contentUrl": file["name"],
                "contentSize": f"{file['bytes']} B",
                "encodingFormat": "application/jsonlines",
                "sha256": file["sha256"],
            }
            for split, file in filled
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": f"{split}_rows",
                "name": f"{split}_rows",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"{split}_rows/{name}",
                        "name": name,
                        "description": FIELDS[name],
                        "dataType": "sc:Text",
                        "source": {"fileObject": {"@id": split}, "extract": {"column": name}},
                    }
                    for name in _PLAIN
                ],
            }
            for split, _file in filled
        ],
    }


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
