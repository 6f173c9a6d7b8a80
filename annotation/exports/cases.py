"""A gold revision as the formats see it, and what every format promises."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from feedbackhub.capture.messages import Call, calls_of

TRAINERS_SPLITS = ("train", "validation")
ROWS = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Case:
    """One member of a gold version. `messages` end before the answer."""

    example_id: str
    interaction_id: str
    split: str
    messages: list[dict]
    tools: list[dict] | None  # that the model could call; None where no case of the version has any
    context: list[dict]
    ideal_answer: str
    rejected_answers: list[str]
    labels: dict
    assertions: list[dict]
    preferences: list[dict] = field(default_factory=list)  # [{"chosen", "rejected"}]
    agreement: float | None = None
    settlement_id: int | None = None
    judgements: list[dict] = field(default_factory=list)  # for formats that `gather` them
    weight: float = 1.0


class LeftOut(Exception):
    """This case, or this row of it, does not leave; the word why is counted in the manifest."""


def _nothing(_facts) -> dict[str, bytes]:
    return {}


def line(row: dict) -> bytes:
    """One row as a line of JSON: UTF-8, ended by \\n, with the other characters that readers take for line ends escaped."""
    try:
        found = orjson.dumps(row)
    except TypeError:  # PostgreSQL spells 1e300 with all its digits: an integer beyond 64 bits
        found = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
    if not found.isascii():
        for character, escape in _LINE_ENDS.items():
            found = found.replace(character, escape)
    return found + b"\n"


_LINE_ENDS = {character.encode(): b"\\u%04x" % ord(character) for character in "\u2028\u2029\u0085"}


@dataclass(frozen=True)
class Format:
    """`rows(case)` answers JSON objects, and LeftOut in the place of one that may not leave; or raises LeftOut for all.

    Same keys in every row from the first on. The same case is the same rows, in the same order, for ever.
    """

    name: str
    label: str
    description: str
    is_training: bool
    rows: Callable[[Case], Iterable[dict | LeftOut]]
    has_rejected: bool = False  # rejected answers leave too, so limits hold for them
    spell: Callable[[dict], bytes] = line
    head: bytes = b""  # before the first row of a file
    file_for: Callable[[str], str] = lambda split: ROWS
    beside: Callable[[dict], dict[str, bytes]] = _nothing  # other files, from the manifest so far
    # judgements by settlement, as they stood when the version was frozen
    gather: Callable[[list[int], datetime], dict[int, list[dict]]] | None = None

    @property
    def splits(self) -> tuple[str, ...]:
        """What may leave in this format."""
        return TRAINERS_SPLITS if self.is_training else (*TRAINERS_SPLITS, "holdout")

    @property
    def usual_splits(self) -> tuple[str, ...]:
        """What leaves when nothing is asked for: never validation mixed into a file to train on, and never the holdout."""
        mixes = self.is_training and len(self.files(self.splits)) == 1
        return ("train",) if mixes else TRAINERS_SPLITS

    def files(self, splits) -> list[str]:
        """The files that the rows of these splits go to."""
        return list(dict.fromkeys(self.file_for(split) for split in splits))


Spell = Callable[[Call], dict]  # how a format writes the call of a tool


def conversation(case: Case, spell: Spell | None = None, *, names_tools=False) -> list[dict]:
    """The messages as trainers take them: an optional system message, then user and assistant in turns, a user last.

    Content is always a string. Neighbours of one role are joined. Calls of tools stand on the assistant's message, right
    before what the tools answered, one answer each, and the assistant goes on; a format that cannot `spell` a call leaves
    such a case out, and so does every format where a call or an answer stands alone. `names_tools`: an answer carries the
    tool's name too.
    """
    turns: list[dict] = []
    open_calls: dict[str, str] = {}
    for message in case.messages:
        role, content = message["role"], message["content"]
        last = turns[-1]["role"] if turns else ""
        if role == "tool":
            turns.append(_answer_of(message, open_calls, names_tools))
            continue
        if open_calls:
            raise LeftOut("call_without_answer")
        if role == "system" and last not in ("", "system"):
            raise LeftOut("late_system_message")
        if last == "tool" and role != "assistant":
            raise LeftOut("tool_answer_not_taken_up")
        if last == role:
            said = [turns.pop()["content"], content]
            content = "\n\n".join(filter(None, said) if message.get("tool_calls") else said)
        turns.append({"role": role, "content": content})
        if calls := calls_of(message):
            if spell is None:
                raise LeftOut("calls_a_tool")
            turns[-1]["tool_calls"] = [spell(call) for call in calls]
            open_calls = {call.id: call.name for call in calls}
    if open_calls:
        raise LeftOut("call_without_answer")
    spoken = [turn for turn in turns if turn["role"] != "system"]
    if not spoken or spoken[-1]["role"] not in ("user", "tool"):
        raise LeftOut("no_question_at_the_end")
    if spoken[0]["role"] != "user":
        raise LeftOut("does_not_start_with_the_user")
    if not all(_says_something(turn) for turn in spoken):
        raise LeftOut("empty_message")
    return turns


def _answer_of(message, open_calls, names_tools) -> dict:
    """What a tool answered to one of the calls before it."""
    name = open_calls.pop(message.get("tool_call_id", ""), None)
    if name is None:
        raise LeftOut("tool_messages")
    turn = {"role": "tool", "content": message["content"], "tool_call_id": message["tool_call_id"]}
    return turn | {"name": message.get("name") or name} if names_tools else turn


def _says_something(turn) -> bool:
    return bool(turn["content"].strip() or turn.get("tool_calls") or turn["role"] == "tool")


def openai_call(call: Call) -> dict:
    """A call as chat APIs write it: its arguments are JSON as text."""
    return _call(call, json.dumps(arguments_of(call), ensure_ascii=False))


def template_call(call: Call) -> dict:
    """A call as chat templates take it (TRL, Transformers): its arguments are an object."""
    return _call(call, arguments_of(call))


def _call(call, arguments) -> dict:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def arguments_of(call: Call) -> dict:
    found = call.read_arguments()
    if found is None:
        raise LeftOut("arguments_are_no_json")
    return found


def template_prompt(case: Case) -> list[dict]:
    """The conversation as TRL's trainers take it."""
    return conversation(case, template_call, names_tools=True)


def tools_column(case: Case) -> dict[str, str]:
    """The tools as JSON text, which TRL's trainers read too: schemas differ too much for the columns of a table.

    In every row once a case of the version has some, and in none otherwise.
    """
    return {} if case.tools is None else {"tools": json.dumps(case.tools, ensure_ascii=False)}


def tools_if_used(case: Case) -> dict[str, list[dict]]:
    """The tools as chat APIs take them: only where there are some, for they refuse an empty list."""
    return {"tools": case.tools} if case.tools else {}


def assistant(text: str) -> dict:
    return {"role": "assistant", "content": text}


def ideal(case: Case) -> str:
    if not case.ideal_answer.strip():
        raise LeftOut("no_ideal_answer")
    return case.ideal_answer


def ideal_or_assertions(case: Case) -> str:
    """The ideal answer, empty where assertions stand instead of a rewrite: such a case can be tested, not imitated."""
    return case.ideal_answer if case.assertions else ideal(case)


def pairs(case: Case, spell: Callable[[str, str], dict]) -> list[dict | LeftOut]:
    """`spell(chosen, rejected)` for each pair of a case: the ideal answer over each rejected one, then what was preferred.

    The sides of a pair are never the same text (rule 5), no pair comes twice, and none turns an earlier one around.
    """
    given = [(case.ideal_answer, text) for text in case.rejected_answers if text.strip()]
    given += [(each["chosen"], each["rejected"]) for each in case.preferences]
    if not given:
        ideal(case)
        raise LeftOut("no_rejected_answer")
    rows, seen = [], set()
    for pair in given:
        chosen, rejected = pair
        if not chosen.strip():
            rows.append(LeftOut("no_ideal_answer"))
        elif chosen.strip() == rejected.strip():
            rows.append(LeftOut("chosen_equals_rejected"))
        elif pair in seen:
            rows.append(LeftOut("same_pair_twice"))
        elif (rejected, chosen) in seen:
            rows.append(LeftOut("contradicts_another_pair"))
        else:
            seen.add(pair)
            rows.append(spell(chosen, rejected))
    return rows
