"""What the demo's content hands out, apart from the API's own payloads: people, judgements, problems."""

from dataclasses import dataclass

from feedbackhub.demo.writing import Span

SEVERITIES = ["none", "low", "medium", "high", "critical"]
EVERY_FIELD = ("tax_help", "pharmacy", "devtool")


@dataclass(frozen=True)
class Person:
    """A member of the demo project; `fields` are the queues (features) they judge in."""

    key: str
    name: str
    email: str
    roles: tuple[str, ...]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What one expert says about one interaction. `root_cause` and `correction` may be empty."""

    interaction_id: str
    expert: str
    verdict: str
    severity: str
    categories: tuple[str, ...] = ()
    root_cause: str = ""
    spans: tuple[Span, ...] = ()
    correction: str = ""
    note: str = ""
    seconds_spent: int = 60
    confidence: float | None = None
    hours_after: float = 24.0  # how long after the interaction


@dataclass(frozen=True)
class Decision:
    """How a lead settles what the experts do not agree on."""

    interaction_id: str
    lead: str
    verdict: str
    severity: str
    categories: tuple[str, ...]
    root_cause: str
    correction: str
    reason: str


@dataclass(frozen=True)
class Fix:
    """What was done about a problem, in a reporter's words, and the version that carries it."""

    text: str
    carried_by: tuple[
        str, str
    ]  # ("prompt", "tax-assistant v14") or ("index", "harbour-library r43")
    state: str  # planned, shipped, verified
    days_ago: float


@dataclass(frozen=True)
class Problem:
    """Bad answers that share a cause; members are interactions that somebody judged or reported."""

    key: str
    title: str
    summary: str
    severity: str
    category: str
    fixable_by: str
    state: str
    owner: str
    interaction_ids: tuple[str, ...]
    fix: Fix | None = None


PEOPLE = [
    Person("ana", "Ana Lindqvist", "ana@example.com", ("expert",), ("tax_help",)),
    Person("chidi", "Chidi Eze", "chidi@example.com", ("expert",), ("pharmacy",)),
    Person("mira", "Mira Navarro", "mira@example.com", ("expert",), ("devtool",)),
    Person("ben", "Ben Hartmann", "ben@example.com", ("lead",), EVERY_FIELD),
    Person("dana", "Dana Rosen", "dana@example.com", ("engineer",)),
    Person("olu", "Olu Adeyemi", "olu@example.com", ("owner",), EVERY_FIELD),
]
