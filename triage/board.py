"""The board: which problems a member sees there, in columns by state, with what each card says and what waits for somebody.

Reads only. A column shows its first few by priority; all of one state are a list, paged by key.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, prefetch_related_objects
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import LabelSchema
from annotation.schema_history import category_filter, category_words
from feedbackhub import filters
from feedbackhub.accounts.models import Membership
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.list_pages import choice
from feedbackhub.page_links import page_url
from triage import clock, problems
from triage.models import (
    Escalation,
    Problem,
    ProblemMember,
    Ticket,
    TrackerConnection,
    rules_of,
)
from triage.ticket_state import GIVEN_UP, with_asks_what_shipped

State = Problem.State
COLUMNS = (
    State.OPEN,
    State.REGRESSED,
    State.INVESTIGATING,
    State.FIXING,
    State.SHIPPED,
    State.VERIFIED,
)
ORDER = ("-priority", "-id")  # the index problem_board
CARDS = 20  # of a column; the rest is one click away
BUBBLES = 300  # of the matrix; more would hide each other
TREND_DAYS, TREND_STEP = 28, 2


# --- which -----------------------------------------------------------------------------------------


def visible_problems(membership):
    """What this member may see, with `asks_what_shipped` on each; no row twice, whatever is joined."""
    found = Problem.objects.for_project(membership.project_id)
    if not membership.may("see_problems"):
        found = found.filter(pk__in=Problem.objects.visible_to(membership).values("pk"))
    return with_asks_what_shipped(found)


def needs_a_person() -> Q:
    return Q(
        Exists(Escalation.objects.waiting_for_a_person().filter(problem=OuterRef("pk"))),
        state__in=Problem.UNSOLVED_STATES,
    )


def is_overdue() -> Q:
    return Q(due_at__lt=timezone.now(), state__in=Problem.UNSOLVED_STATES)


def wants_a_fix() -> Q:
    """Its ticket is done, and nobody has said what shipped."""
    return Q(asks_what_shipped=True)


def wants_an_answer() -> Q:
    """Its ticket was closed without a repair, and nobody has said whether that is right."""
    closed = Ticket.objects.filter(escalation__problem=OuterRef("pk"), state__in=GIVEN_UP)
    return Q(Exists(closed), state__in=Problem.UNSOLVED_STATES)


def waits_for_a_ticket() -> Q:
    escalations = Escalation.objects.filter(problem=OuterRef("pk"))
    return Q(~Exists(escalations), state__in=Problem.UNSOLVED_STATES)


NEEDS = {
    "time": is_overdue,
    "person": needs_a_person,
    "fix": wants_a_fix,
    "answer": wants_an_answer,
    "ticket": waits_for_a_ticket,
}


def needs_choices():
    return [
        ("time", _("time: overdue")),
        ("person", _("a person: its ticket")),
        ("fix", _("a fix: its ticket is done")),
        ("answer", _("an answer: its ticket was given up")),
        ("ticket", _("a ticket")),
    ]


def problem_filters(membership) -> dict[str, filters.Filter]:
    def owner(word):
        if word in ("me", "nobody"):
            return word
        try:
            return uuid.UUID(word)
        except ValueError:
            raise ValueError(_("me, nobody or a member's id.")) from None

    def owned_by(values):
        found = Q()
        for value in values:
            if value == "me":
                found |= Q(owner=membership.user_id)
            elif value == "nobody":
                found |= Q(owner=None)
            else:
                found |= Q(owner__public_id=value)
        return found

    needs = filters.one_of("needs", NEEDS)
    return {
        "state": filters.one_of("state", State.values),
        "severity": filters.one_of("severity", Severity.values),
        "fixable_by": filters.one_of("fixable_by", Problem.FixableBy.values),
        "owner": filters.Filter(owner, owned_by),
        "category": category_filter(membership.project, lambda keys: Q(category__in=keys)),
        "needs": filters.Filter(
            needs.read, lambda values: Q(*(NEEDS[value]() for value in values)), needs.choices
        ),
    }


def filter_chips(query, project, members, schema) -> list[dict]:
    people = [("me", _("me")), ("nobody", _("nobody"))]
    people += [(str(each.user.public_id), str(each.user)) for each in members]
    return [
        choice(query, "state", _("State"), State.choices),
        choice(query, "severity", _("Severity"), reversed(Severity.choices)),
        choice(query, "fixable_by", _("Fixable by"), Problem.FixableBy.choices),
        choice(query, "owner", _("Owner"), people),
        choice(
            query,
            "category",
            _("Category"),
            [(each["key"], each["name"]) for each in (schema.categories if schema else ())],
        ),
        choice(query, "needs", _("Needs"), needs_choices()),
    ]


def possible_owners(project):
    return list(
        Membership.objects.filter(project=project).select_related("user").order_by("user__name")
    )


def current_schema(project):
    return LabelSchema.objects.filter(project=project, is_current=True).order_by("id").first()


def category_names(schema) -> dict[str, str]:
    """{key: name}; a former one with what became of it."""
    if schema is None:
        return {}
    keys = [each["key"] for each in (*schema.categories, *schema.former)]
    return {key: category_words(key, then=None, now=schema) for key in keys}


# --- what a card says ------------------------------------------------------------------------------


@dataclass
class Card:
    """One problem as the board and the list show it."""

    problem: Problem
    url: str
    trend: list[int] = field(default_factory=list)
    waits_for_tracker: bool = False
    is_due_soon: bool = False

    @property
    def escalations(self):
        return self.problem.escalations.all()

    @property
    def given_up(self) -> Ticket | None:
        """A ticket that was closed over there without a repair, while the problem is unsolved here."""
        tickets = (getattr(each, "ticket", None) for each in self.escalations)
        closed = (each for each in tickets if each and each.state in GIVEN_UP)
        return next(closed, None) if self.is_unsolved else None

    @property
    def is_overdue(self) -> bool:
        due = self.problem.due_at
        return self.is_unsolved and due is not None and due < timezone.now()

    @property
    def late_by(self) -> str:
        """Since when it should be solved, in the largest unit that counts."""
        minutes = int((timezone.now() - self.problem.due_at).total_seconds() // 60)
        for size, words in ((1440, _("%d d")), (60, _("%d h"))):
            if minutes >= size:
                return words % (minutes // size)
        return _("%d min") % minutes

    @property
    def is_unsolved(self) -> bool:
        return self.problem.state in Problem.UNSOLVED_STATES

    @property
    def moves(self):
        return [(state, State(state).label) for state in moves_by_hand(self.problem)]


@dataclass
class Column:
    state: str
    cards: list[Card]
    has_more: bool
    url: str


def moves_by_hand(problem) -> list[str]:
    """What the menu offers. `verified` is not in it: cases that pass say so, or a lead on the fix's page, with a reason."""
    return [state for state in problems.moves_of(problem) if state != State.VERIFIED]


def board(rows, project, all_of) -> list[Column]:
    """Columns with their first cards, by six short queries on one index; `all_of(state)` is the address of the rest."""
    found = []
    for state in COLUMNS:
        first = list(rows.filter(state=state).select_related("owner").order_by(*ORDER)[: CARDS + 1])
        found.append((state, first))
    shown = {row.pk: row for _state, first in found for row in first[:CARDS]}
    made = {card.problem.pk: card for card in cards(list(shown.values()), project)}
    return [
        Column(
            state, [made[row.pk] for row in first[:CARDS]], len(first) > CARDS, all_of(str(state))
        )
        for state, first in found
    ]


def cards(rows: list[Problem], project) -> list[Card]:
    escalations = Escalation.objects.select_related("connection", "ticket").order_by("id")
    prefetch_related_objects(rows, Prefetch("escalations", escalations))
    is_connected, rules = has_tracker(project), rules_of(project.pk)
    for row in rows:
        row.project = project  # the clock asks it for its hours
    trend_of = trends([row.pk for row in rows])
    return [
        Card(
            problem=row,
            url=page_url("problem", project.slug, row.number),
            trend=trend_of[row.pk],
            is_due_soon=row.state in Problem.UNSOLVED_STATES and clock.is_due_soon(row, rules),
            waits_for_tracker=not is_connected
            and row.state in Problem.UNSOLVED_STATES
            and not row.escalations.all(),
        )
        for row in rows
    ]


def has_tracker(project) -> bool:
    return TrackerConnection.objects.filter(project=project, is_active=True).exists()


def trends(pks) -> dict[int, list[int]]:
    """Cases by two days over four weeks, the newest last."""
    today = timezone.now().date()
    steps = TREND_DAYS // TREND_STEP
    found = defaultdict(lambda: [0] * steps)
    counted = (
        ProblemMember.objects.filter(
            problem__in=pks,
            left_at=None,
            interaction__occurred_at__gt=timezone.now() - timedelta(days=TREND_DAYS),
        )
        .values("problem_id", day=TruncDate("interaction__occurred_at"))
        .annotate(count=Count("id"))
    )
    for row in counted:
        age = min(max((today - row["day"]).days, 0), TREND_DAYS - 1)
        found[row["problem_id"]][steps - 1 - age // TREND_STEP] += row["count"]
    return found


def figures(rows) -> dict[str, int]:
    """How many problems are unsolved, and how many of them need something; one query."""
    return rows.filter(state__in=Problem.UNSOLVED_STATES).aggregate(
        unsolved=Count("pk"),
        **{name: Count("pk", filter=condition()) for name, condition in NEEDS.items()},
    )


def bubbles(rows, project) -> tuple[list[dict], bool]:
    """The unsolved problems for the matrix, on a card of the board or not; and whether those of least priority are left out."""
    found = list(
        rows.filter(state__in=Problem.UNSOLVED_STATES)
        .order_by(*ORDER)
        .values("number", "title", "severity", "frequency", "reach")[: BUBBLES + 1]
    )
    drawn = [
        {
            **row,
            "title": f"P{row['number']} {row['title']}",
            "url": page_url("problem", project.slug, row["number"]),
        }
        for row in found[:BUBBLES]
    ]
    return drawn, len(found) > BUBBLES
