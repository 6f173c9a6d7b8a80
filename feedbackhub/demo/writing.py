"""`Case` and `Flaw`, and the notation the demo's texts are written in.

Texts are hard-wrapped in the source and unwrapped when used; lists, tables and code keep their
lines. Inside a text

    {days}                    is the value of a slot of the case,
    ‹yes|of course›           is one of the alternatives, drawn once,
    ⟦five euros⇒six euros⟧    is a flaw: the answer says the left side, an expert's correction
                              the right side, and the left side is marked as a span,
    ⟦tone§as usual⇒⟧          the same, with a label of its own, and the words removed,
    ⟦⇒ Only once a year.⟧     is something the answer left out,
    ⟦five euros⟧              is marked only; the correction is then written out (`Flaw.fix`).
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

Turns = tuple[str, ...]  # user, assistant, user …

NEW_LINE = re.compile(r"^\s*([-*] |\d{1,2}\. |\||#|>)")
ALTERNATIVES = re.compile(r"‹([^‹›]*)›")
BEGINS = re.compile(r"(^|[.!?]\*{0,2}\s|\n\n)[⟦*]*$")
SLOT = re.compile(r"\{([a-z_]+)\}")
MARK = re.compile(r"⟦(?:([a-z_]+)§)?([^⟦⟧⇒]*)(⇒[^⟦⟧]*)?⟧")


class Span(NamedTuple):
    """A marked stretch of a text, in code points, end exclusive."""

    field: str  # "output", "messages.<n>" or "documents.<n>"
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Chunk:
    """A piece of a document, as the search returns it."""

    document: str
    key: str
    title: str
    url: str
    text: str


@dataclass(frozen=True)
class Flaw:
    """A bad answer to a case's question, and what an expert says about it.

    `ruling` is "verdict severity root-cause"; `dissent` is a second expert who sees it otherwise:
    "verdict severity", and why.
    """

    kind: str
    ruling: str
    text: str
    note: str = ""
    says: tuple[str, ...] | list[str] = ()
    fix: str = ""
    also: tuple[str, ...] = ()
    docs: str | None = None
    source_quote: str = ""  # the words in a retrieved document that misled the answer
    asks: tuple[str | Turns, ...] | list[str | Turns] = ()
    dissent: tuple[str, str] | None = None
    times: int = 1  # how often it is seen before others come round again

    @property
    def verdict(self) -> str:
        return self.ruling.split()[0]

    @property
    def severity(self) -> str:
        return self.ruling.split()[1]

    @property
    def root_cause(self) -> str:
        return self.ruling.split()[2]


@dataclass(frozen=True)
class Case:
    """One thing people ask about: ways to ask it, right answers, wrong answers."""

    key: str
    asks: list[str | Turns]
    good: list[str]
    flaws: list[Flaw] = field(default_factory=list)
    docs: str = ""
    slots: dict[str, list] = field(default_factory=dict)
    work: Callable[[dict], dict] | None = None
    lang: str = "en"
    praise: list[str] = field(default_factory=list)
    then: list[tuple[str, str]] = field(default_factory=list)  # what they ask next, the answer
    doubt: tuple[str, str] | None = None  # an expert who finds the good answer wanting


@dataclass(frozen=True)
class Written:
    """A text after its notation is resolved."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    corrected: str


def single(key: str, ask: str, answer: str, docs: str = "") -> Case:
    """Something that one person asks, once, and that is answered well."""
    return Case(key=key, asks=[ask], good=[answer], docs=docs)


def unwrap(source: str) -> str:
    """Join hard-wrapped lines; keep paragraphs, lists, tables, quotes and fenced code."""
    lines: list[str] = []
    fenced = False
    joins = False
    for line in textwrap.dedent(source).strip("\n ").split("\n"):
        if line.lstrip().startswith("```"):
            lines.append(line)
            fenced = not fenced
            joins = False
        elif fenced:
            lines.append(line)
        elif not line.strip():
            lines.append("")
            joins = False
        elif joins and not NEW_LINE.match(line):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.rstrip())
            joins = not line.startswith(("#", "|"))
    return "\n".join(lines)


def fill(text: str, values: dict) -> str:
    """Put slot values in; braces that name no slot (code) stay as they are."""
    return SLOT.sub(lambda slot: str(values.get(slot[1], slot[0])), text)


def fill_answer(text: str, values: dict) -> str:
    """The same for an answer, whose sentences begin with a capital."""

    def value(slot: re.Match) -> str:
        filled = str(values.get(slot[1], slot[0]))
        return filled[0].upper() + filled[1:] if BEGINS.search(text[: slot.start()]) else filled

    return SLOT.sub(value, text)


def draw_alternatives(text: str, rng: Random) -> str:
    while ALTERNATIVES.search(text):
        text = ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), text)
    return text


def write(source: str, values: dict, rng: Random, label: str = "") -> Written:
    """Resolve the notation: the text, its marked spans, and the text with every mark corrected."""
    text = draw_alternatives(fill_answer(unwrap(source), values), rng)
    said: list[str] = []
    corrected: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = at = gap = 0  # gap: the space that removed words leave behind
    for mark in MARK.finditer(text):
        before, quote = text[at : mark.start()], mark[2]
        said += [before, quote]
        corrected.append(before[gap:])
        better = mark[3][1:] if mark[3] else quote
        follows_gap = "".join(corrected)[-1:] in ("", " ", "\n")
        corrected.append(better.removeprefix(" ") if follows_gap else better)
        gap = int(not better and follows_gap and text[mark.end() :].startswith(" "))
        start = length + len(before) + len(quote) - len(quote.lstrip())
        if quote.strip():
            spans.append((start, start + len(quote.strip()), mark[1] or label))
        length += len(before) + len(quote)
        at = mark.end()
    said.append(text[at:])
    corrected.append(text[at + gap :])
    return Written("".join(said), tuple(spans), "".join(corrected).strip())


def library(pages: dict[str, tuple[str, str, dict[str, str]]]) -> dict[str, Chunk]:
    """`{"doc": (title, url, {"chunk": text})}` as chunks by "doc/chunk"."""
    return {
        f"{document}/{key}": Chunk(document, key, title, url, unwrap(text))
        for document, (title, url, chunks) in pages.items()
        for key, text in chunks.items()
    }


def euro(amount: float) -> str:
    return f"€{amount:,.0f}" if float(amount).is_integer() else f"€{amount:,.2f}"
