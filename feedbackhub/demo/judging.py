"""What the experts say, where they differ, and how the lead settles half of it."""

import re
from dataclasses import replace
from random import Random

from feedbackhub.demo import tax_help, voices
from feedbackhub.demo.drawing import FIELDS, Row
from feedbackhub.demo.reactions import is_flagged
from feedbackhub.demo.shapes import PEOPLE, SEVERITIES, Decision, Judgement
from feedbackhub.demo.writing import Span, fill, write

_NAMES = {person.key: person.name.split()[0] for person in PEOPLE}
_EXPERT_OF = {"tax_help": "ana", "pharmacy": "chidi", "devtool": "mira"}
_BAD_JUDGED, _GOOD_JUDGED, _DISSENTS, _TRIPLES, _MANY = 96, 44, 8, 8, 30


def judge(rows: list[Row], rng: Random) -> list[Judgement]:
    """Most bad answers, a share of the good ones; some by two or three experts.

    What came in during the last days is left to whoever opens the demo.
    """
    ripe = [row for row in rows if row.day > 1.5 and not row.follows]
    dissents = _spread([r for r in ripe if r.flaw and r.flaw.dissent and r.day > 5], _DISSENTS, rng)
    chosen = {row.id for row in dissents}
    bad = [row for row in ripe if row.flaw and row.id not in chosen]
    urgent = [row for row in bad if row.is_harmful and row.day > 2.5]
    others = [row for row in bad if row not in urgent and row.day > 4]
    bad_rows = dissents + rng.sample(urgent, round(len(urgent) * 0.9))
    rng.shuffle(others)
    first_of_kind = {row.flaw.kind: row for row in reversed(others)}
    others.sort(key=lambda row: first_of_kind[row.flaw.kind] is not row)  # every kind is judged
    bad_rows += others[: _BAD_JUDGED - len(bad_rows)]
    good = [row for row in ripe if row.flaw is None and row.day > 3]
    flagged = [row for row in good if is_flagged(row)]
    quiet = [row for row in good if row not in flagged]
    half = min(len(flagged) * 2 // 3, _GOOD_JUDGED // 2)
    good_rows = rng.sample(flagged, half) + rng.sample(quiet, _GOOD_JUDGED - half)
    judged = sorted(bad_rows + good_rows, key=lambda row: (-row.day, row.clock, row.id))

    agreeing = [row for row in judged if row not in dissents]
    doubles = {row.id for row in rng.sample(agreeing, _MANY - _DISSENTS)}
    triples = set(rng.sample(sorted(doubles), _TRIPLES))
    dissenting = {row.id for row in dissents}
    said = []
    for row in judged:
        first = _judgement(row, _EXPERT_OF[row.module.FEATURE], rng)
        said.append(first)
        if row.id in dissenting:
            said.append(_dissent(row, first, rng))
        elif row.id in triples:
            said += [_agreement(row, first, who, rng) for who in ("ben", "olu")]
        elif row.id in doubles:
            said.append(_agreement(row, first, rng.choice(["ben", "olu"]), rng))
    return said


def _spread(rows: list[Row], count: int, rng: Random) -> list[Row]:
    """So many rows, of different flaws and all fields as far as there are."""
    rng.shuffle(rows)
    taken: list[Row] = []
    for feature in [module.FEATURE for module in FIELDS] * count:
        for row in rows:
            if feature == row.module.FEATURE and all(row.flaw is not t.flaw for t in taken):
                taken.append(row)
                break
        if len(taken) == count:
            break
    return taken


def _judgement(row: Row, expert: str, rng: Random) -> Judgement:
    flaw = row.flaw
    length = len(row.answer.text)
    if flaw is None:
        bold = re.search(r"\*\*(.+?)\*\*", row.answer.text) if rng.random() < 0.35 else None
        spans = (Span("output", bold.start(1), bold.end(1), "good"),) if bold else ()
        return Judgement(
            interaction_id=row.id,
            expert=expert,
            verdict="correct",
            severity="none",
            spans=spans,
            note=rng.choice(_fine(row)) if rng.random() < 0.3 else "",
            seconds_spent=int(rng.uniform(14, 40) + length / 22),
            confidence=rng.choice([None, 0.8, 0.9, 1.0]),
            hours_after=round(rng.uniform(4, min(70, int(row.day) * 14)), 1),
        )
    hours = rng.uniform(0.4, 6) if row.is_harmful else rng.uniform(3, min(70, int(row.day) * 14))
    return Judgement(
        interaction_id=row.id,
        expert=expert,
        verdict=flaw.verdict,
        severity=flaw.severity,
        categories=tuple(dict.fromkeys([flaw.kind, *flaw.also])),
        root_cause=flaw.root_cause,
        spans=_spans(row),
        correction=row.correction,
        note=fill(flaw.note, row.values) if rng.random() < 0.9 else "",
        seconds_spent=int(rng.uniform(40, 120) + len(row.correction) / 4 + length / 20),
        confidence=rng.choice([None, 0.7, 0.8, 0.9, 1.0]),
        hours_after=round(hours, 1),
    )


def _fine(row: Row) -> list[str]:
    return voices.FINE_ALTHOUGH if is_flagged(row) else voices.FINE


def _spans(row: Row) -> tuple[Span, ...]:
    """What is marked: in the answer, and in the document that misled it."""
    spans = [Span("output", start, end, label) for start, end, label in row.answer.spans]
    quote = row.flaw.source_quote
    for position, chunk in enumerate(row.chunks):
        if quote and quote in chunk.text:
            start = chunk.text.index(quote)
            label = "outdated" if chunk.document == tax_help.MISLEADING else "misleading"
            spans.append(Span(f"documents.{position}", start, start + len(quote), label))
    return tuple(spans)


def _narrower(row: Row, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Another expert's marks on the same words: the first only, and not beyond its first clause."""
    span = next((span for span in spans if span.field == "output"), None)
    if span is None:
        return ()
    quote = row.answer.text[span.start : span.end]
    clause = re.match(r".{12,}?[,;.:](?=\s)", quote, re.DOTALL)
    return (span._replace(end=span.start + clause.end() - 1),) if clause else (span,)


def _agreement(row: Row, first: Judgement, expert: str, rng: Random) -> Judgement:
    """The same verdict from somebody else, in their own words."""
    later = round(first.hours_after + rng.uniform(1, min(30, int(row.day) * 5)), 1)
    if row.flaw is None:
        return replace(
            first,
            expert=expert,
            spans=(),
            note=rng.choice(_fine(row)) if rng.random() < 0.5 else "",
            seconds_spent=int(first.seconds_spent * rng.uniform(0.6, 1.5)),
            hours_after=later,
        )
    severity = first.severity
    if rng.random() < 0.3 and first.verdict != "correct":
        step = rng.choice([-1, 1])
        severity = SEVERITIES[min(4, max(1, SEVERITIES.index(severity) + step))]
    correction = ""
    if rng.random() < 0.6 and first.correction:
        own = write(rng.choice(row.case.good), row.values, rng).text
        correction = own if own != row.answer.text else ""
    return replace(
        first,
        expert=expert,
        severity=severity,
        categories=first.categories[:1] if rng.random() < 0.5 else first.categories,
        root_cause=first.root_cause if rng.random() < 0.75 else "",
        spans=_narrower(row, first.spans),
        correction=correction,
        note=rng.choice(voices.AGREES[row.flaw.kind]) if rng.random() < 0.8 else "",
        seconds_spent=int(first.seconds_spent * rng.uniform(0.5, 1.3)),
        hours_after=later,
    )


def _dissent(row: Row, first: Judgement, rng: Random) -> Judgement:
    """The second expert, who sees it otherwise."""
    ruling, why = row.flaw.dissent
    verdict, severity = ruling.split()
    return replace(
        first,
        expert="olu",
        verdict=verdict,
        severity=severity,
        categories=first.categories if verdict != "correct" else (),
        root_cause=first.root_cause if verdict != "correct" else "",
        spans=_narrower(row, first.spans) if verdict != "correct" else (),
        correction="",
        note=fill(why, row.values),
        seconds_spent=int(first.seconds_spent * rng.uniform(0.7, 1.6)),
        confidence=0.7,
        hours_after=round(first.hours_after + rng.uniform(2, 20), 1),
    )


_GRAVER = [
    "With {one}. Our guideline says: when you hesitate, take the graver verdict.",
    "With {one}: we judge what happens to somebody who believes it, not how much of it is right.",
    "With {one}. I know {other}'s argument, but I would not want to explain this to a reporter.",
]
_MILDER = (
    "With {one}: most of it helps, and one sentence repairs it. {other} has a point about the risk, so "
    "the severity stays."
)
_VERDICTS = ["correct", "partly", "wrong", "harmful"]


def decide(judged: list[Judgement]) -> list[Decision]:
    """Ben settles half of the disputes, mostly for the graver verdict."""
    said: dict[str, list[Judgement]] = {}
    for judgement in judged:
        said.setdefault(judgement.interaction_id, []).append(judgement)
    disputes = [pair for pair in said.values() if len({j.verdict for j in pair}) > 1]
    settled = []
    for i, pair in enumerate(disputes[: len(disputes) // 2]):
        milder, graver = sorted(pair, key=lambda j: _VERDICTS.index(j.verdict))
        is_mild = i == 2 and milder.verdict != "correct"
        taken, left = (milder, graver) if is_mild else (graver, milder)
        settled.append(
            Decision(
                interaction_id=taken.interaction_id,
                lead="ben",
                verdict=taken.verdict,
                severity=taken.severity,
                categories=taken.categories,
                root_cause=taken.root_cause,
                correction=taken.correction or left.correction,
                reason=(_MILDER if is_mild else _GRAVER[i % 3]).format(
                    one=_NAMES[taken.expert], other=_NAMES[left.expert]
                ),
            )
        )
    return settled
