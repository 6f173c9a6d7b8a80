"""Where LLaMA-Factory and Axolotl differ from the others: their pairs hold one message a side, and a file says how to read them.

`dataset_info.json` is LLaMA-Factory's, `axolotl.yml` the part of an Axolotl configuration that names the file. Cases that
call a tool are left out: LLaMA-Factory drops what was said beside a call, and its tables fill arguments with nulls. Axolotl
reads them from the OpenAI-style file.
"""

import json

from annotation.exports.cases import ROWS, Case, Format, assistant, conversation, ideal, pairs

_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


def _dataset_info(**entry) -> bytes:
    entry = {"file_name": ROWS, "formatting": "sharegpt", **entry, "tags": _TAGS}
    return json.dumps({"feedbackhub": entry}, indent=2).encode() + b"\n"


_AXOLOTL_SFT = b"""\
datasets:
  - path: rows.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    roles_to_train: [assistant]
    train_on_eos: turn
"""
_AXOLOTL_DPO = b"""\
rl: dpo
datasets:
  - path: rows.jsonl
    ds_type: json
    split: train
    type: chat_template.default
    field_messages: messages
    field_chosen: chosen
    field_rejected: rejected
"""


def sft_rows(case: Case) -> list[dict]:
    return [{"messages": [*conversation(case), assistant(ideal(case))]}]


def pair_rows(case: Case):
    messages = conversation(case)  # LLaMA-Factory reads no calls beside a text
    return pairs(
        case,
        lambda chosen, rejected: {
            "messages": messages,
            "chosen": assistant(chosen),
            "rejected": assistant(rejected),
        },
    )


SFT = Format(
    name="llama_factory_sft",
    label="Chat fine-tuning (LLaMA-Factory, Axolotl)",
    description="Conversations, with the dataset_info.json of LLaMA-Factory and the lines of an Axolotl configuration beside them.",
    is_training=True,
    rows=sft_rows,
    beside=lambda facts: {
        "dataset_info.json": _dataset_info(columns={"messages": "messages"}),
        "axolotl.yml": _AXOLOTL_SFT,
    },
)
DPO = Format(
    name="llama_factory_dpo",
    label="Preference pairs (LLaMA-Factory, Axolotl)",
    description="One message a side, as these two want it, with dataset_info.json and the lines of an Axolotl configuration.",
    is_training=True,
    rows=pair_rows,
    has_rejected=True,
    beside=lambda facts: {
        "dataset_info.json": _dataset_info(
            ranking=True,
            columns={"messages": "messages", "chosen": "chosen", "rejected": "rejected"},
        ),
        "axolotl.yml": _AXOLOTL_DPO,
    },
)
