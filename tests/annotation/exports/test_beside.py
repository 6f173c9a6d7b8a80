"""What a format writes beside its rows, read as the tool it is for reads it: every name in it is there.

The tools themselves are gigabytes; docs/exports.md says how they are run (`tests.journeys.loaders`).
"""

import hashlib
import json

import jsonschema
import pytest
import yaml
from django.core.files.storage import default_storage

from tests.annotation.exports.house import frozen_house, made
from tests.annotation.exports.test_tools import TALK, TOOL, approved


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


@pytest.fixture
def folder(project, ben):
    """Makes an export and reads its files by name; one of its cases calls a tool."""
    approved(project, ben, external_id="calls/1", messages=TALK, tools=[TOOL])
    version = frozen_house(project, ben)

    def folder(format):
        run = made(version, format)
        names = ["manifest.json", *(file["name"] for file in run.manifest["files"])]

        def read(name):
            with default_storage.open(f"{run.file_name}/{name}") as file:
                return file.read()

        return {name: read(name) for name in names}

    return folder


def rows_in(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


@pytest.mark.parametrize("format", ["llama_factory_sft", "llama_factory_dpo"])
def test_both_trainers_find_the_file_and_its_columns(folder, format):
    files = folder(format)
    columns = rows_in(files["rows.jsonl"])[0].keys()
    (entry,) = json.loads(files["dataset_info.json"]).values()
    assert entry["file_name"] in files
    assert set(entry["columns"].values()) <= columns
    (dataset,) = yaml.safe_load(files["axolotl.yml"])["datasets"]
    assert dataset["path"] in files
    named = {value for name, value in dataset.items() if name.startswith("field_")}
    assert named and named <= columns


def test_promptfoo_finds_its_prompt_and_its_tests(folder):
    files = folder("promptfoo")
    found = yaml.safe_load(files["promptfooconfig.yaml"])
    for address in (*found["prompts"], found["tests"]):
        assert address.removeprefix("file://") in files
    for row in rows_in(files["rows.jsonl"]):
        assert row["vars"]["messages"]
        assert all(check["type"] for check in row["assert"])


def test_the_cards_front_matter_names_the_files_of_the_folder(folder):
    files = folder("huggingface")
    _before, front, _card = files["README.md"].decode().split("---\n", 2)
    (config,) = yaml.safe_load(front)["configs"]
    assert config["default"] is True
    paths = {each["path"] for each in config["data_files"]}
    assert paths and paths <= files.keys()


def test_croissant_names_each_file_by_its_digest_and_reads_every_column(folder):
    files = folder("huggingface")
    croissant = json.loads(files["croissant.json"])
    assert croissant["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    described = {each["@id"]: each for each in croissant["distribution"]}
    for each in described.values():
        assert each["sha256"] == hashlib.sha256(files[each["contentUrl"]]).hexdigest()
    for records in croissant["recordSet"]:
        for field in records["field"]:
            for source in (each["source"] for each in field.get("subField", [field])):
                file = described[source["fileObject"]["@id"]]["contentUrl"]
                assert source["extract"]["column"] == field["name"]
        assert [field["name"] for field in records["field"]] == list(rows_in(files[file])[0])


# A chat file as providers check it: no other key, and a tool's part in it as their API has it.
TEXT = {"type": "string"}
CALL = {
    "type": "object",
    "required": ["id", "type", "function"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "type": {"const": "function"},
        "function": {
            "type": "object",
            "required": ["name", "arguments"],
            "additionalProperties": False,
            "properties": {"name": TEXT, "arguments": TEXT},
        },
    },
}


def turn(role, required=(), **properties):
    return {
        "type": "object",
        "required": ["role", "content", *required],
        "additionalProperties": False,
        "properties": {"role": {"const": role}, "content": TEXT, **properties},
    }


CHAT = {
    "type": "object",
    "required": ["messages"],
    "additionalProperties": False,
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    turn("system"),
                    turn("user"),
                    turn("assistant", tool_calls={"type": "array", "minItems": 1, "items": CALL}),
                    turn("tool", ["tool_call_id"], tool_call_id=TEXT),
                ]
            },
        },
        "tools": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["type", "function"]},
        },
    },
}


def test_a_chat_file_holds_nothing_that_providers_refuse(folder):
    rows = rows_in(folder("openai_sft")["rows.jsonl"])
    for row in rows:
        jsonschema.validate(row, CHAT)
        assert row["messages"][-1]["role"] == "assistant"
    assert ["tools" in row for row in rows].count(True) == 1


def test_preference_pairs_ask_as_a_chat_file_does(folder):
    rows = rows_in(folder("openai_preference")["rows.jsonl"])
    for row in rows:
        jsonschema.validate(row.pop("input"), CHAT)
        assert row.keys() == {"preferred_output", "non_preferred_output"}
