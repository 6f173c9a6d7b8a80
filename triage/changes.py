"""What leads do to problems, so that it can be undone: which cases went where, which words and states were which.

A change is begun, told what it does (`move`, `set`, `note`, `opened`), and kept. Undoing looks first whether everything is
still as the change left it: what somebody changed since is not overwritten, and then nothing is undone. What the cases
brought about by themselves where they went, a severity, a due time, a ticket that nobody asked for yet, goes with them;
unless it was changed since, or is owed to another case that is there by now: then that alone stays. A harmful verdict on one
of the cases since is no less a change: nothing is undone over it.
"""

from django.db import transaction
from django.utils import timezone

from feedbackhub.accounts.models import Project
from feedbackhub.capture.vocabulary import Severity
from triage import cases, escalation, priority, problems
from triage.models import (
    ChangedProblem,
    Escalation,
    Placement,
    Problem,
    ProblemChange,
    ProblemMember,
    Regrouping,
)

_PLACED = ("reason", "nearest", "alike", "needed")
_HAD = ("source", "is_pinned", "joined_at", "left_at", "is_taken_back")
NEWEST = 5  # changes of a problem that its page offers to undo
BROUGHT = ("severity", "due_at")  # what joining cases change in a problem by themselves


class UndoRefused(ValueError):
    """Something was changed since, in a sentence."""


class Recorder:
    """Writes down what a change does while it is done, or what it does further (`begin`, `go_on`)."""

    def __init__(self, change: ProblemChange):
        self._change = change
        self._problems: set[int] = set()
        self._was: dict[int, dict] = {}  # by problem: BROUGHT before its first case joined

    def move(self, *, member, to, source=ProblemMember.Source.LEAD) -> None:
        """A case leaves its problem for another."""
        self._remember(member.interaction_id, member.problem_id, to.pk)
        made = problems.join_problem(
            problem=to,
            interaction=member.interaction,
            source=source,
            severity=member.severity,
            settlement=member.settlement,
            is_pinned=member.is_pinned,
        )
        self._change.moves[-1]["severity"] = made.severity

    def join(self, *, interaction, to, source=ProblemMember.Source.SIMILARITY) -> None:
        """A case that was in no problem goes into one."""
        self._remember(interaction.pk, None, to.pk)
        made = problems.join_problem(
            problem=to, interaction=interaction, source=source, **cases.as_settled(interaction)
        )
        self._change.moves[-1]["severity"] = made.severity

    def leave(self, *, member) -> None:
        """A case leaves its problem for none."""
        self._remember(member.interaction_id, member.problem_id, None)
        problems.leave_problem(member=member)

    def _remember(self, interaction, origin, to) -> None:
        self._problems |= {origin, to} - {None}
        if to and to not in self._was:
            self._was[to] = _brought(to)
        placed = Placement.objects.filter(interaction=interaction).values(*_PLACED).first()
        had = (
            ProblemMember.objects.filter(interaction=interaction, problem=to).values(*_HAD).first()
        )
        self._change.moves.append(
            {
                "interaction": interaction,
                "from": origin,
                "to": to,
                "placed": placed,
                "had": had
                and had | {"joined_at": str(had["joined_at"]), "left_at": str(had["left_at"])},
            }
        )

    def note(self, problem, name, now) -> None:
        """A field that somebody else writes."""
        self._problems.add(problem.pk)
        was = getattr(problem, name)
        if was != now:
            self._change.fields.append(
                {"problem": problem.pk, "name": name, "was": was, "now": now}
            )

    def set(self, problem, name, now) -> None:
        self.note(problem, name, now)
        setattr(problem, name, now)
        problem.save(update_fields=[name.removesuffix("_id")])

    def opened(self, problem) -> None:
        self._problems.add(problem.pk)
        self._change.opened.append(problem.pk)

    def keep(self) -> ProblemChange | None:
        """Nothing done is nothing kept."""
        change = self._change
        if not (change.moves or change.fields or change.opened):
            return None
        for pk, was in self._was.items():
            now = _brought(pk)
            change.fields += [
                {"problem": pk, "name": name, "was": was[name], "now": now[name]}
                for name in BROUGHT
            ]
        change.save()
        ChangedProblem.objects.bulk_create(
            [
                ChangedProblem(project_id=change.project_id, change=change, problem_id=pk)
                for pk in sorted(self._problems)
            ],
            ignore_conflicts=True,
        )
        return change


def _brought(pk) -> dict:
    """As it can be kept: a time in words."""
    found = Problem.objects.values(*BROUGHT).get(pk=pk)
    return found | {"due_at": found["due_at"] and found["due_at"].isoformat()}


def begin(*, kind, project_id, by=None) -> Recorder:
    return Recorder(ProblemChange(project_id=project_id, kind=kind, by=by))


def go_on(change: ProblemChange) -> Recorder:
    """With a change that is done in several steps."""
    return Recorder(change)


def of_problem(problem):
    """The newest changes that can be undone."""
    return (
        ProblemChange.objects.filter(changedproblem__problem=problem, undone_at=None)
        .select_related("by")
        .order_by("-id")[:NEWEST]
    )


@transaction.atomic
def undo_change(*, change) -> ProblemChange:
    """Everything as it was before, or nothing. Twice is once."""
    Project.objects.select_for_update(no_key=True).get(pk=change.project_id)
    change = ProblemChange.objects.select_for_update(no_key=True).get(pk=change.pk)
    if change.undone_at:
        return change
    _demand_unchanged(change)
    touched = set(ChangedProblem.objects.filter(change=change).values_list("problem_id", flat=True))
    _leave_again(change)
    _come_back(change)
    _place_back(change)
    _take_away_what_they_brought(change)
    for pk, fields in _by_problem(_noted(change)).items():
        Problem.objects.filter(pk=pk).update(**fields)
        if fields.get("state") in Problem.UNSOLVED_STATES:
            escalation.resume_cancelled(problem=Problem.objects.get(pk=pk))
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    Problem.objects.filter(pk__in=change.opened).delete()
    for problem in Problem.objects.filter(pk__in=touched):
        priority.recompute(problem=problem)
    return change


def _noted(change) -> list[dict]:
    return [field for field in change.fields if field["name"] not in BROUGHT]


def _by_problem(fields) -> dict[int, dict]:
    """What each problem's fields were, in one piece: a state and what it asks for go together."""
    found: dict[int, dict] = {}
    for field in fields:
        found.setdefault(field["problem"], {}).setdefault(field["name"], field["was"])
    return found


def _demand_unchanged(change) -> None:
    if Regrouping.objects.filter(change=change, state=Regrouping.State.ACCEPTING).exists():
        raise UndoRefused("It is still being done. Undo it when it is over.")
    for field in _noted(change):
        now = Problem.objects.filter(pk=field["problem"]).values_list(field["name"], flat=True)
        if list(now) != [field["now"]]:
            raise UndoRefused("Something was changed since. Undo that first.")
    members = {
        (member.interaction_id, member.problem_id): member
        for member in ProblemMember.objects.filter(
            interaction__in=[move["interaction"] for move in change.moves]
        )
    }
    stay = {(move["interaction"], move["to"]): move for move in change.moves if move["to"]}
    if {key for key, member in members.items() if member.left_at is None} != set(stay):
        raise UndoRefused("Some of these cases were moved since. Undo that first.")
    if any(_is_worse_since(move, members) for move in stay.values()):
        raise UndoRefused("One of these cases was judged harmful since. Move it by hand.")
    its_own = {field["problem"] for field in _noted(change)}
    origins = {move["from"] for move in change.moves} - its_own
    if Problem.objects.filter(pk__in=origins, state=Problem.State.DUPLICATE).exists():
        raise UndoRefused("The problem that they came from was merged since. Undo that first.")
    in_opened = ProblemMember.objects.filter(problem__in=change.opened, left_at=None)
    opened = Problem.objects.filter(pk__in=change.opened)
    duties = Escalation.objects.select_for_update().filter(problem__in=change.opened)
    if in_opened.exclude(interaction__in=[pk for pk, _to in stay]).exists() or (
        any(duty.may_have_a_ticket for duty in duties)
        or opened.filter(fixed_by__isnull=False).exists()
    ):
        raise UndoRefused("The new problem has cases, a ticket or a fix of its own by now.")


def _is_worse_since(move, members) -> bool:
    """It is found harmful by now, and worse than when it went there; an earlier release kept only where it came from."""
    now = Severity(members[move["interaction"], move["to"]].severity)
    origin = members.get((move["interaction"], move["from"]))
    was = move.get("severity") or (origin.severity if origin else Severity.LOW)
    return now.rank >= cases.HARMFUL.rank and now.rank > Severity(was).rank


def _leave_again(change) -> None:
    """The memberships that the change made go, with what was said in their words; or are again what they had been."""
    made = [move for move in change.moves if move["to"] and not move.get("had")]
    for to, cases_there in _by(made, "to").items():
        here = ProblemMember.objects.filter(problem=to, interaction__in=cases_there)
        going = here.filter(joined_at__gte=change.created_at)
        if to not in change.opened:
            problems.forget_words_in(
                Problem.objects.get(pk=to),
                [each.interaction for each in going.select_related("interaction")],
                since=change.created_at,
            )
        going.delete()
        here.update(left_at=change.created_at)
    for move in change.moves:
        if move.get("had"):
            here = ProblemMember.objects.filter(problem=move["to"], interaction=move["interaction"])
            here.update(**move["had"])


def _come_back(change) -> None:
    """The memberships from before are there again, as they were."""
    left = [move for move in change.moves if move["from"]]
    for origin, cases_there in _by(left, "from").items():
        ProblemMember.objects.filter(problem=origin, interaction__in=cases_there).update(
            left_at=None
        )


def _by(moves, name) -> dict[int, list[int]]:
    """The cases by the problem that they left, or went to."""
    found: dict[int, list[int]] = {}
    for move in moves:
        found.setdefault(move[name], []).append(move["interaction"])
    return found


def _place_back(change) -> None:
    """What was said of each place before: why, and what was nearest, as far as that is still there."""
    moves = {move["interaction"]: move for move in change.moves}
    nearest = {(move.get("placed") or {}).get("nearest") for move in change.moves}
    there = set(Problem.objects.filter(pk__in=nearest - {None}).values_list("pk", flat=True))
    back, gone = [], []
    for placement in Placement.objects.filter(interaction__in=moves):
        move = moves[placement.interaction_id]
        placed = move.get("placed", {})
        if placed is None:
            gone.append(placement.pk)
            continue
        placement.problem_id = move["from"]
        for name, was in placed.items():
            is_gone = name == "nearest" and was not in there
            setattr(
                placement, "nearest_id" if name == "nearest" else name, None if is_gone else was
            )
        back.append(placement)
    Placement.objects.filter(pk__in=gone).delete()
    Placement.objects.bulk_update(back, ["problem", *_PLACED], batch_size=500)


def _take_away_what_they_brought(change) -> None:
    """Where the cases went: as severe and as urgent as before, and no ticket for their sake."""
    brought = [field for field in change.fields if field["name"] in BROUGHT]
    for pk in {field["problem"] for field in brought} - set(change.opened):
        fields = [field for field in brought if field["problem"] == pk]
        was = next(field["was"] for field in fields if field["name"] == "severity")
        others = ProblemMember.objects.filter(problem=pk, left_at=None).exclude(
            interaction__in=[move["interaction"] for move in change.moves]
        )
        severities = others.values_list("severity", flat=True).distinct()
        worst = max((Severity(each).rank for each in severities), default=0)
        if worst > Severity(was).rank:
            continue
        for field in reversed(fields):
            Problem.objects.filter(pk=pk, **{field["name"]: field["now"]}).update(
                **{field["name"]: field["was"]}
            )
        if _severity(pk) == was and worst < cases.HARMFUL.rank:
            escalation.drop_untried(problem=pk, since=change.created_at)


def _severity(pk) -> str:
    return Problem.objects.values_list("severity", flat=True).get(pk=pk)
