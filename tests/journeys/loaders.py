"""Load exported files with the tools that trainers use; prints what each made of them.

    LOADERS_PYTHON -m tests.journeys.loaders FOLDER...

`LOADERS_PYTHON` is the Python of an environment of its own with `datasets`, `trl`, `inspect-ai` and
`together==2.9.0`; a FOLDER holds a `rows.jsonl`, or is searched for such. Nothing is fetched.
docs/exports.md says when it was run last and with what.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def shape_of(row: dict) -> str:
    """Which of our formats a row is of, by its keys."""
    if row.keys() == {"messages"}:
        return "openai_sft"
    if "preferred_output" in row:
        return "openai_preference"
    if "chosen" in row:
        return "trl_dpo"
    return "eval"


def by_datasets(path: Path, shape: str) -> str:
    import datasets

    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(path.parent / "cache")
    )
    # Only \n ends a line: what `splitlines` takes for an end is escaped.
    lines = path.read_bytes().split(b"\n")[:-1]
    assert len(loaded) == len(lines), (len(loaded), len(lines))
    if shape != "eval":
        assert [json.loads(line) for line in lines] == list(loaded)
    return f"{len(loaded)} rows, {', '.join(loaded.column_names)}"


def by_trl(path: Path, shape: str) -> str:
    from trl.data_utils import is_conversational

    rows = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert all(is_conversational(row) for row in rows)
    return f"{len(rows)} conversational"


def by_inspect(path: Path, shape: str) -> str:
    from inspect_ai.dataset import FieldSpec, json_dataset

    fields = FieldSpec(input="messages", target="ideal", id="id")
    return f"{len(json_dataset(str(path), fields))} samples"


def by_together(path: Path, shape: str) -> str:
    command = Path(sys.executable).with_name("together")
    said = subprocess.run(
        [command, "files", "check", "--json", path], capture_output=True, text=True
    ).stdout
    report = json.loads(said[said.index("{") :])
    assert report["is_check_passed"], said
    return "check passed"


TOOLS = {
    "openai_sft": [by_datasets, by_trl, by_together],
    "openai_preference": [by_datasets, by_together],
    "trl_dpo": [by_datasets, by_trl],
    "eval": [by_datasets, by_inspect],
}


def exports(folders: list[str]) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted(Path(folder).rglob("rows.jsonl")):
            first, _, _ = path.read_bytes().partition(b"\n")
            if first:
                yield path, shape_of(json.loads(first))


def main(folders: list[str]) -> int:
    wrong = 0
    for path, shape in exports(folders):
        for tool in TOOLS[shape]:
            try:
                said = tool(path, shape)
            except Exception as error:
                wrong += 1
                said = f"FAILED: {type(error).__name__}: {error}"
            name = tool.__name__.removeprefix("by_")
            sys.stdout.write(f"{shape:18} {name:9} {said}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
