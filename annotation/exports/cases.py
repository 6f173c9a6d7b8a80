"""A gold revision as the formats see it, and what every format promises."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

TRAINERS_SPLITS = ("train", "validation")
ROWS = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Case:
    """One member of a gold version. `messages` end before the answer."""

    example_id: str
    interaction_id: str
    split: str
    messages: list[dict]
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
    for character, escape in _LINE_ENDS.items():
        if character in found:
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
        """What leaves when nothing is asked for: never validation mixed into a file to train on."""
        mixes = self.is_training and len(self.files(self.splits)) == 1
        return ("train",) if mixes else self.splits

    def files(self, splits) -> list[str]:
        """The files that the rows of these splits go to."""
        return list(dict.fromkeys(self.file_for(split) for split in splits))


def conversation(case: Case) -> list[dict]:
    """The messages as trainers take them: an optional system message, then user and assistant in turns, a user last.

    Content is always a string. Neighbours of one role are joined; what a tool answered cannot be told without its call,
    so such a case is left out.
    """
    turns: list[dict] = []
    for message in case.messages:
        role, content = message["role"], message["content"]
        if role == "tool":
            raise LeftOut("tool_messages")
        if role == "system" and turns and turns[-1]["role"] != "system":
            raise LeftOut("late_system_message")
        if turns and turns[-1]["role"] == role:
            turns[-1] = {"role": role, "content": turns[-1]["content"] + "\n\n" + content}
        else:
            turns.append({"role": role, "content": content})
    spoken = [turn for turn in turns if turn["role"] != "system"]
    if not spoken or spoken[-1]["role"] != "user":
        raise LeftOut("no_question_at_the_end")
    if spoken[0]["role"] != "user":
        raise LeftOut("does_not_start_with_the_user")
    if not all(turn["content"].strip() for turn in spoken):
        raise LeftOut("empty_message")
    return turns


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
