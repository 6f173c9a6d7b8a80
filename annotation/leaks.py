"""Whether a training file of anybody's holds cases of the holdout, word for word or nearly.

A row of whatever shape is read for all its texts. What the holdout asks and answers is looked for word for word anywhere
in them, and nearly (by the MinHash that splits gold, `feedbackhub.similarity.minhash`) in each whole text and in the
pieces that a template makes of it: what stands after its labels, its paragraphs, its lines.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from annotation.models import GoldRevision, Split
from feedbackhub.capture.near_duplicates import MOST_CANDIDATES
from feedbackhub.similarity import minhash

SHORTEST = 12  # characters of a text that is compared: "yes" is in every file
SHORTEST_INSIDE = 24  # of what is looked for inside others: "and for 2025?" is in many
MOST_LISTED = 1_000
MOST_CHARACTERS = (
    100_000  # of one row's pieces that are compared nearly: a tenth of a second or two
)
MOST_TO_THE_END = 4  # labels of a text after which all the rest is a piece too
NAMES = frozenset({"role", "name", "id", "type", "system", "label", "split"})

_SECTION = re.compile(r"^(?=[ \t]*(?:#|[<\[]|[*_]*\w[\w ]{0,30}[*_]*:))", re.MULTILINE)
_LABEL = re.compile(r"\s*(?:[^:\n]{1,200}:\s|#[^\n]*\n|[<\[][^\n]{0,40}[>\]]\w*\s)\s*")
_PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Leak:
    row: int  # from 1
    example: str  # public id
    how: str  # "same question", "near question", "same answer", "near answer"
    likeness: float  # Jaccard of the shingles, 0 to 1

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
    partly_compared_rows: int = (
        0  # too long: only their beginning was looked at for what is nearly the same
    )
    leaks: list[Leak] = field(default_factory=list)  # the first thousand


def check(project, rows: Iterator) -> Report:
    """Hold each row (any JSON value) of a training file against the project's holdout."""
    holdout = _Holdout(project)
    report = Report()
    for number, row in enumerate(rows, start=1):
        report.rows += 1
        found, is_whole = holdout.leaks_of(number, row)
        report.leaking_rows += bool(found)
        report.partly_compared_rows += not is_whole
        report.leaks += found[: MOST_LISTED - len(report.leaks)]
    return report


@dataclass(frozen=True, slots=True)
class _Saying:
    """What a case of the holdout asks or answers."""

    example: str
    what: str  # "question" or "answer"
    plain: str


class _Holdout:
    """All that the holdout says, in memory: by its words, by 24 characters of it, by its bands."""

    def __init__(self, project):
        self.salt = str(project.pk)
        self.whole: dict[str, list[_Saying]] = {}
        self.anchors: dict[str, list[_Saying]] = {}
        self.bands: dict[int, list[_Saying]] = {}
        self.near = lru_cache(maxsize=1_000)(self._near)  # instructions stand in every row
        revisions = GoldRevision.objects.filter(  # former wordings too: frozen versions hold them
            project=project, erased_at=None, example__split=Split.HOLDOUT
        )
        rows = revisions.values_list("example__public_id", "ideal_answer", "messages")
        rows = rows.order_by("example", "pk").iterator(chunk_size=1_000)
        for public_id, wordings in groupby(rows, itemgetter(0)):
            said = (each for _, answer, messages in wordings for each in _said(answer, messages))
            for what, plain in dict.fromkeys(said):
                self._remember(_Saying(str(public_id), what, plain))

    def _remember(self, saying) -> None:
        plain = saying.plain
        if len(plain) < SHORTEST:
            return
        self.whole.setdefault(plain, []).append(saying)
        for band in minhash.bands(plain, salt=self.salt):
            self.bands.setdefault(band, []).append(saying)
        if len(plain) >= SHORTEST_INSIDE:  # by what the fewest others have: many begin alike
            last = len(plain) - SHORTEST_INSIDE
            places = {last * part // 7 for part in range(8)}
            grams = sorted(plain[place : place + SHORTEST_INSIDE] for place in places)
            anchor = min(grams, key=lambda gram: len(self.anchors.get(gram, ())))
            self.anchors.setdefault(anchor, []).append(saying)

    def leaks_of(self, number, row) -> tuple[list[Leak], bool]:
        """And whether the whole row was compared nearly too."""
        found: dict[str, Leak] = {}
        left, is_whole = MOST_CHARACTERS, True
        texts = texts_of(row)
        for text in texts:
            for saying in self._inside(minhash.normalise(text, longest=None)):
                _note(found, number, saying, 1.0)
        for piece in dict.fromkeys(piece for text in texts for piece in pieces_of(text)):
            left -= len(piece)
            if left < 0:
                is_whole = False
                break
            for saying, likeness in self.near(piece):
                _note(found, number, saying, likeness)
        return list(found.values()), is_whole

    def _inside(self, plain) -> Iterator[_Saying]:
        """What the holdout says word for word in this text."""
        yield from self.whole.get(plain, ())
        seen = set()
        for start in range(len(plain) - SHORTEST_INSIDE + 1):
            anchor = plain[start : start + SHORTEST_INSIDE]
            if anchor in self.anchors and anchor not in seen:
                seen.add(anchor)
                yield from (each for each in self.anchors[anchor] if each.plain in plain)

    def _near(self, piece) -> list[tuple[_Saying, float]]:
        bands = minhash.bands(piece, salt=self.salt)
        shared = Counter(each for band in bands for each in self.bands.get(band, ()))
        alike = [each for each, _ in shared.most_common(MOST_CANDIDATES)]
        mine = minhash.shingles(piece) if alike else frozenset()
        likely = [(each, minhash.jaccard(mine, minhash.shingles(each.plain))) for each in alike]
        return [(each, likeness) for each, likeness in likely if likeness >= minhash.THRESHOLD]


def _note(found, number, saying, likeness) -> None:
    """The best reason for each case: the likest, and a question before an answer."""
    how = f"{'same' if likeness == 1.0 else 'near'} {saying.what}"
    new = Leak(number, saying.example, how, likeness)
    old = found.get(saying.example)
    if not old or (likeness, saying.what) > (old.likeness, old.how.split()[1]):
        found[saying.example] = new


def _said(answer, messages) -> Iterator[tuple[str, str]]:
    """("answer" or "question", the text as it is compared)."""
    yield "answer", minhash.normalise(answer)
    for question in _asked(messages):
        yield "question", minhash.normalise(question)


def _asked(messages) -> list[str]:
    """All that was said to the model but its instructions; and of a conversation its last question, alone like it no more."""
    said = [each for each in messages if each["role"] != "system"]
    whole = "\n".join(each["content"] for each in said)
    last = [each["content"] for each in said if each["role"] == "user"][-1:]
    last = [text for text in last if len(minhash.normalise(text)) >= SHORTEST_INSIDE]
    return list(dict.fromkeys([whole, *last]))


def texts_of(row) -> list[str]:
    """What a row says: each conversation's question as it is compared for splitting, then every text on its own."""
    texts, rest = [], deque([row])
    while rest:
        value = rest.popleft()
        if isinstance(value, str):
            texts.append(_without_halves(value))
        elif isinstance(value, dict):
            rest += [each for name, each in value.items() if name not in NAMES]
        elif isinstance(value, list):
            question = _question(value)
            if question:
                texts.append(_without_halves(question))
            rest += value
    return list(dict.fromkeys(texts))


def _without_halves(text: str) -> str:
    """JSON can hold half a character (a lone surrogate), which no text of ours has and nothing can hash."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def pieces_of(text) -> Iterator[str]:
    """A text as it is compared, and the pieces of one that was put together by a template."""
    whole = minhash.normalise(text)
    if len(whole) >= SHORTEST:
        yield whole
    sections = _SECTION.split(text)
    ends = ["".join(sections[n:]) for n in range(1, min(len(sections), MOST_TO_THE_END + 1))]
    for part in [text, *sections, *ends, *_PARAGRAPH.split(text), *text.splitlines()]:
        for piece in (part, _LABEL.sub("", part, count=1) if _LABEL.match(part) else ""):
            plain = minhash.normalise(piece)
            if len(plain) >= SHORTEST_INSIDE:
                yield plain


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
