"""A gold revision as the formats see it, and what every format promises."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import orjson

TRAINERS_SPLITS = ("train", "validation")


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


class LeftOut(Exception):
    """This case does not become a row; the word why is counted in the manifest."""


@dataclass(frozen=True)
class Format:
    """`row(case)` answers a JSON object, or raises LeftOut. Same keys in every row from the first on."""

    name: str
    label: str
    description: str
    is_training: bool
    row: Callable[[Case], dict]

    @property
    def splits(self) -> tuple[str, ...]:
        """What may leave in this format."""
        return TRAINERS_SPLITS if self.is_training else (*TRAINERS_SPLITS, "holdout")


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


def ideal(case: Case) -> str:
    if not case.ideal_answer.strip():
        raise LeftOut("no_ideal_answer")
    return case.ideal_answer


def pair(case: Case) -> tuple[str, str]:
    """(chosen, rejected); never the same text (rule 5)."""
    chosen = ideal(case)
    rejected = next((text for text in case.rejected_answers if text.strip()), None)
    if rejected is None:
        raise LeftOut("no_rejected_answer")
    if rejected.strip() == chosen.strip():
        raise LeftOut("chosen_equals_rejected")
    return chosen, rejected


_LINE_ENDS = {character.encode(): b"\\u%04x" % ord(character) for character in "\u2028\u2029\u0085"}


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
