"""Load exported folders with the tools that they are for; prints what each made of them.

    LOADERS_PYTHON -m tests.journeys.loaders FOLDER...

`LOADERS_PYTHON` is the Python of an environment of its own with `datasets`, `trl`, `inspect-ai` and
`together==2.9.0`; `mlcroissant` and `promptfoo` are run where they are on the PATH. A FOLDER holds an export with its
manifest (`manage.py export --folder`), or is searched for such. Nothing is fetched.
docs/exports.md says when it was run last and with what.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
os.environ |= {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}


class NotHere(Exception):
    """The tool is not installed."""


def lines_of(folder: Path) -> list[dict]:
    """Only \\n ends a line: what `splitlines` takes for an end is escaped."""
    lines = (folder / "rows.jsonl").read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def by_datasets(folder: Path) -> str:
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(
            "json", data_files=str(folder / "rows.jsonl"), split="train", cache_dir=cache
        )
        rows = lines_of(folder)
        assert len(loaded) == len(rows), (len(loaded), len(rows))
        if not {"labels", "metadata", "spans"} & rows[0].keys():  # what varies is filled with nulls
            given_back = [dict(row) for row in loaded]
            for row in given_back:
                if row.get("tools", "") is None:  # in this row there were none
                    del row["tools"]
            assert rows == given_back
        return f"{len(loaded)} rows, {', '.join(loaded.column_names)}"


def by_datasets_as_a_folder(folder: Path) -> str:
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(str(folder), cache_dir=cache)
        counts = {split: rows.num_rows for split, rows in loaded.items()}
        assert counts == json.loads((folder / "manifest.json").read_bytes())["rows_by_split"]
        return ", ".join(f"{split} {count}" for split, count in counts.items())


def by_mlcroissant(folder: Path) -> str:
    command = shutil.which("mlcroissant")
    if command is None:
        raise NotHere
    said = subprocess.run(
        [command, "validate", "--jsonld", folder / "croissant.json"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr[-2_000:]
    warnings = [line for line in said.stderr.splitlines() if "Property" in line]
    rows = json.loads((folder / "manifest.json").read_bytes())["rows_by_split"]
    loaded = [f"{split} {_loaded_by_mlcroissant(command, folder, split)}" for split in rows]
    return f"valid, {len(warnings)} recommendations; loaded {', '.join(loaded)}"


def _loaded_by_mlcroissant(command, folder, split) -> int:
    """How many rows it reads by the metadata, each with everything that it says of them."""
    words = ["--jsonld", folder / "croissant.json", "--record_set", f"{split}_rows"]
    said = subprocess.run(
        [command, "load", *words, "--num_records", "-1"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr[-2_000:]
    lines = [line for line in said.stdout.splitlines() if line.startswith("{")]
    with (folder / "data" / f"{split}.jsonl").open("rb") as file:
        first = json.loads(file.readline())
    assert all(f"{split}_rows/{name}" in lines[0] for name in first), lines[0][:500]
    return len(lines)


def by_trl(folder: Path) -> str:
    from trl.data_utils import extract_prompt, is_conversational

    rows = lines_of(folder)
    assert all(is_conversational(row) for row in rows)
    if rows[0].keys() == {"chosen", "rejected"}:
        assert all(extract_prompt(row)["prompt"] for row in rows)
        return f"{len(rows)} conversational, prompt found in both sides"
    return f"{len(rows)} conversational"


def by_unpaired(folder: Path) -> str:
    """What KTOTrainer asks: prompt, completion, a label that is true or false, and some of each."""
    from trl.data_utils import is_conversational

    rows = lines_of(folder)
    assert all(is_conversational(row) and type(row["label"]) is bool for row in rows)
    return f"{sum(r['label'] for r in rows)} good, {sum(not r['label'] for r in rows)} bad"


def by_inspect(folder: Path) -> str:
    from inspect_ai.dataset import FieldSpec, json_dataset

    first = lines_of(folder)[0]
    fields = FieldSpec(input="messages", target="ideal", id="id") if "ideal" in first else None
    dataset = json_dataset(str(folder / "rows.jsonl"), fields)
    assert all(sample.target and not isinstance(sample.input, str) for sample in dataset)
    return f"{len(dataset)} samples"


def by_together(folder: Path) -> str:
    command = Path(sys.executable).with_name("together")
    said = subprocess.run(
        [command, "files", "check", "--json", folder / "rows.jsonl"], capture_output=True, text=True
    ).stdout
    report = json.loads(said[said.index("{") :])
    assert report["is_check_passed"], said
    return "check passed"


def by_promptfoo(folder: Path) -> str:
    command = shutil.which("promptfoo")
    if command is None:
        raise NotHere
    with tempfile.TemporaryDirectory() as written:
        outcome = Path(written) / "outcome.json"
        for words in (["validate"], ["eval", "--no-cache", "--no-write", "-o", str(outcome)]):
            said = subprocess.run(
                [command, *words, "-c", "promptfooconfig.yaml"],
                cwd=folder,
                capture_output=True,
                text=True,
            )
            assert said.returncode in (0, 100), said.stdout + said.stderr  # 100: a test failed
        counts = json.loads(outcome.read_bytes())["results"]["stats"]
    passed, failed, errors = (counts[name] for name in ("successes", "failures", "errors"))
    tests = len(lines_of(folder))
    assert passed + failed + errors == tests, (counts, tests)
    return f"valid, {passed} of {tests} passed, {failed} failed, {errors} could not be told"


def by_csv(folder: Path) -> str:
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == json.loads((folder / "manifest.json").read_bytes())["rows"]
    risky = [cell for row in rows for cell in row.values() if cell.lstrip()[:1] in tuple("=+-@")]
    assert not risky, risky
    return f"{len(rows)} rows, no formula"


PAIRS = [by_datasets, by_trl]
TOOLS = {
    "openai_sft": [by_datasets, by_trl, by_together],
    "trl_sft": [by_datasets, by_trl],
    "llama_factory_sft": [by_datasets, by_trl, by_together],
    "openai_preference": [by_datasets, by_together],
    "trl_dpo": PAIRS,
    "reward_implicit": PAIRS,
    "reward_explicit": PAIRS,
    "llama_factory_dpo": [by_datasets],
    "kto": [by_datasets, by_unpaired],
    "huggingface": [by_datasets_as_a_folder, by_mlcroissant],
    "eval": [by_datasets, by_inspect],
    "promptfoo": [by_datasets, by_promptfoo],
    "inspect": [by_datasets, by_inspect],
    "csv": [by_csv],
    "raw_annotations": [by_datasets],
}


def exports(folders: list[str]) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted(Path(folder).rglob("manifest.json")):
            manifest = json.loads(path.read_bytes())
            if manifest["rows"]:
                yield path.parent, manifest["format"]


def main(folders: list[str]) -> int:
    wrong = 0
    for folder, format in exports(folders):
        for tool in TOOLS[format]:
            try:
                said = tool(folder)
            except NotHere:
                said = "not here"
            except Exception as error:
                wrong += 1
                said = f"FAILED: {type(error).__name__}: {error}"
            name = tool.__name__.removeprefix("by_")
            sys.stdout.write(f"{format:18} {name:20} {said}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
