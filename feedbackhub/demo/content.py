"""The demo project, drawn: interactions, feedback, judgements, decisions, problems.

Everything but the times is drawn once, from `random.Random(7)`. `interactions(now)` and `feedback(now)`
turn "so many days ago" into dates.
"""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from feedbackhub.demo import devtool
from feedbackhub.demo.drawing import FIELDS, Field, Row
from feedbackhub.demo.judging import decide, judge
from feedbackhub.demo.payloads import interaction_payload
from feedbackhub.demo.problems import find_problems
from feedbackhub.demo.prompts import PROMPTS
from feedbackhub.demo.reactions import Sayings, is_flagged, reactions
from feedbackhub.demo.shapes import PEOPLE, Decision, Judgement, Person, Problem

SEED = 7


def people() -> list[Person]:
    """The six members."""
    return list(PEOPLE)


def prompt_versions(now: datetime) -> list[dict]:
    """The prompt changelog: name, version, text, rationale, deployed_at."""
    first_use: dict[tuple[str, str], datetime] = {}
    for row in _corpus().rows:
        key, at = (row.prompt.name, row.prompt.version), _when(row, now)
        first_use[key] = min(first_use.get(key, at), at)
    return [
        {
            "name": prompt.name,
            "version": prompt.version,
            "text": prompt.text,
            "rationale": prompt.rationale,
            "deployed_at": _stamp(first_use[prompt.name, prompt.version] - timedelta(minutes=41)),
        }
        for prompt in PROMPTS
    ]


def interactions(now: datetime) -> list[dict]:
    """Payloads of POST /api/v1/interactions, oldest first."""
    rows = sorted(_corpus().rows, key=lambda row: (_when(row, now), row.id))
    return [{**copy.deepcopy(row.payload), "occurred_at": _stamp(_when(row, now))} for row in rows]


def feedback(now: datetime) -> list[dict]:
    """Payloads of POST /api/v1/feedback, oldest first."""
    events = []
    for row in _corpus().rows:
        at = _when(row, now)
        room = (now - at).total_seconds() - 20  # nobody has reacted tomorrow
        for event in row.feedback:
            after = event.seconds_after
            events.append((at + timedelta(seconds=min(after, room * after / (after + 9))), event))
    events.sort(key=lambda pair: (pair[0], pair[1].payload["id"]))
    return [{**copy.deepcopy(event.payload), "occurred_at": _stamp(at)} for at, event in events]


def judgements() -> list[Judgement]:
    """What the experts say, oldest interaction first, its first expert first."""
    return list(_corpus().judgements)


def decisions() -> list[Decision]:
    """Half of the disputes, settled; the others are left for whoever opens the demo."""
    return list(_corpus().decisions)


def disputed() -> list[str]:
    """The interactions on whose verdict the experts differ."""
    verdicts: dict[str, set[str]] = {}
    for judgement in _corpus().judgements:
        verdicts.setdefault(judgement.interaction_id, set()).add(judgement.verdict)
    return [key for key, said in verdicts.items() if len(said) > 1]


def sampled() -> list[str]:
    """Judged interactions that no default rule would send to review: the sampled quiet majority."""
    judged = dict.fromkeys(j.interaction_id for j in _corpus().judgements)
    flagged = {row.id for row in _corpus().rows if is_flagged(row)}
    return [key for key in judged if key not in flagged]


def problems() -> list[Problem]:
    """What the bad answers have in common."""
    return list(_corpus().problems)


@dataclass(frozen=True)
class Corpus:
    """Everything, drawn once."""

    rows: list[Row]
    judgements: list[Judgement]
    decisions: list[Decision]
    problems: list[Problem]


@cache
def _corpus() -> Corpus:
    rng = Random(SEED)  # noqa: S311
    rows: list[Row] = []
    taken: set[str] = set()
    for module in FIELDS:
        rows += Field(module, rng, taken).draw()
    rows.sort(key=lambda row: (-row.day, row.clock, row.id))
    for row in rows:
        row.payload = interaction_payload(row, rng)
    by_id = {row.id: row for row in rows}
    sayings = Sayings(rng)
    for row in rows:
        row.feedback = reactions(row, by_id, sayings, rng)
    judged = judge(rows, rng)
    found = find_problems(rows, {judgement.interaction_id for judgement in judged})
    return Corpus(rows, judged, decide(judged), found)


def _when(row: Row, now: datetime) -> datetime:
    """The date of a row: so many days ago at its time of day; developers rest at weekends."""
    now = now.astimezone(UTC)
    hour, minute, second = row.clock
    at = (now - timedelta(days=int(row.day))).replace(
        hour=hour, minute=minute, second=second, microsecond=0
    )
    if at > now - timedelta(minutes=30):
        at -= timedelta(days=1)
    if row.module is devtool and at.weekday() >= 5 and (hour + minute) % 8:
        at -= timedelta(days=at.weekday() - 4)
    return at + timedelta(minutes=row.minutes_later)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
