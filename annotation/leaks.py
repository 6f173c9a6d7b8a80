"""Whether a training file of anybody's holds cases of the holdout, word for word or nearly.

A row of whatever shape is read for what it asks (messages before the last answer, or any text) and for what it answers.
Questions are compared by the MinHash that splits gold (`feedbackhub.similarity.minhash`), answers word for word.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from annotation.models import GoldExample, GoldRevision, Split
from feedbackhub.capture.near_duplicates import (
    MOST_CANDIDATES,
    likely_twins,
    text_to_compare,
)
from feedbackhub.similarity import minhash

SHORTEST = 12  # characters of a text that is compared: "yes" is in every file
SHORTEST_LAST = 24  # of the last question of a conversation: "and for 2025?" is in many
MOST_LISTED = 1_000
MOST_TEXTS = 50  # of one row
NAMES = frozenset({"role", "name", "id", "type", "system", "label", "split"})


@dataclass(frozen=True, slots=True)
class Leak:
    row: int  # from 1
    example: str  # public id
    how: str  # "same question", "near question", "same answer"
    likeness: float  # Jaccard of the questions' shingles, 0 to 1

    def as_json(self) -> dict:
        return {
            "row": self.row,
            "example": self.example,
            "how": self.how,
            "likeness": round(self.likeness, 4),
        }


@dataclass
class Report:
    rows: int = 0
    leaking_rows: int = 0
    leaks: list[Leak] = field(default_factory=list)  # the first thousand


def check(project, rows: Iterator) -> Report:
    """Hold each row (any JSON value) of a training file against the project's holdout."""
    holdout = _Holdout(project)
    report = Report()
    for number, row in enumerate(rows, start=1):
        report.rows += 1
        found = holdout.leaks_of(number, row)
        report.leaking_rows += bool(found)
        report.leaks += found[: MOST_LISTED - len(report.leaks)]
    return report


@dataclass(frozen=True, slots=True)
class _LastQuestion:
    public_id: str
    text: str


class _Holdout:
    """The holdout's answers in memory by their words, and what its conversations ask last by band; whole questions stay in
    the database, found by band too.
    """

    def __init__(self, project):
        self.project = project
        self.answers = {}
        self.last_questions: dict[int, list[_LastQuestion]] = {}
        revisions = GoldRevision.objects.filter(
            project=project, is_current=True, erased_at=None, example__split=Split.HOLDOUT
        )
        rows = revisions.values_list("example__public_id", "ideal_answer", "messages")
        for public_id, answer, messages in rows.order_by("pk").iterator(chunk_size=1_000):
            self._remember_last_question(str(public_id), messages)
            plain = minhash.normalise(answer)
            if len(plain) >= SHORTEST:
                self.answers.setdefault(plain, str(public_id))

    def _remember_last_question(self, public_id, messages):
        """Of a conversation: alone it is like the whole of it no more."""
        said = [each for each in messages if each["role"] != "system"]
        asked = [each["content"] for each in said if each["role"] == "user"]
        if len(said) > 1 and asked and len(minhash.normalise(asked[-1])) >= SHORTEST_LAST:
            found = _LastQuestion(public_id, asked[-1])
            for band in minhash.bands(found.text, salt=str(self.project.pk)):
                self.last_questions.setdefault(band, []).append(found)

    def leaks_of(self, number, row) -> list[Leak]:
        found = {}
        for text in texts_of(row):
            plain = minhash.normalise(text)
            if len(plain) < SHORTEST:
                continue
            if plain in self.answers:
                example = self.answers[plain]
                found.setdefault(example, Leak(number, example, "same answer", 1.0))
            for example, likeness in self._alike(text):
                how = "same question" if likeness == 1.0 else "near question"
                if example not in found or found[example].likeness < likeness:
                    found[example] = Leak(number, example, how, likeness)
        return list(found.values())

    def _alike(self, text) -> Iterator[tuple[str, float]]:
        bands = minhash.bands(text, salt=str(self.project.pk))
        twins = likely_twins(self.project.pk, bands).filter(
            interaction__gold_examples__split=Split.HOLDOUT
        )
        mine = minhash.shingles(text)
        for twin in twins.select_related("interaction")[:MOST_CANDIDATES]:
            likeness = minhash.jaccard(mine, minhash.shingles(text_to_compare(twin.interaction)))
            if likeness >= minhash.THRESHOLD:
                example = GoldExample.objects.get(interaction=twin.interaction_id)
                yield str(example.public_id), likeness
        seen = set()
        for example in (each for band in bands for each in self.last_questions.get(band, ())):
            if example.public_id not in seen:
                seen.add(example.public_id)
                likeness = minhash.jaccard(mine, minhash.shingles(example.text))
                if likeness >= minhash.THRESHOLD:
                    yield example.public_id, likeness


def texts_of(row) -> list[str]:
    """What a row says: each conversation's question as it is compared for splitting, then every text on its own."""
    texts, rest = [], deque([row])
    while rest and len(texts) < MOST_TEXTS:
        value = rest.popleft()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            rest += [each for name, each in value.items() if name not in NAMES]
        elif isinstance(value, list):
            question = _question(value)
            if question:
                texts.append(question)
            rest += value
    return list(dict.fromkeys(texts))


def _question(messages) -> str:
    """A list of messages without instructions and without the answer at its end; empty when it is no such list."""
    if not all(
        isinstance(each, dict)
        and isinstance(each.get("content") or "", str)  # none where a tool is called
        and isinstance(each.get("role"), str)
        for each in messages
    ):
        return ""
    if messages and messages[-1]["role"] == "assistant":
        messages = messages[:-1]
    said = [each.get("content") or "" for each in messages if each["role"] != "system"]
    return "\n".join(said)
