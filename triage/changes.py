"""What leads do to problems, so that it can be undone: which cases went where, which words and states were which.

A change is begun, told what it does (`move`, `set`, `note`, `opened`), and kept. Undoing looks first whether everything is
still as the change left it: what somebody changed since is not overwritten, and then nothing is undone.
"""

from django.db import transaction
from django.utils import timezone

from feedbackhub.accounts.models import Project
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

NEWEST = 5  # changes of a problem that its page offers to undo


class UndoRefused(ValueError):
    """Something was changed since, in a sentence."""


class Recorder:
    """Writes down what a change does while it is done, or what it does further (`begin`, `go_on`)."""

    def __init__(self, change: ProblemChange):
        self._change = change
        self._problems: set[int] = set()

    def move(self, *, member, to, source=ProblemMember.Source.LEAD) -> None:
        """A case leaves its problem for another."""
        self._problems |= {member.problem_id, to.pk}
        self._change.moves.append(
            {
                "interaction": member.interaction_id,
                "from": member.problem_id,
                "to": to.pk,
            }
        )
        problems.join_problem(
            problem=to,
            interaction=member.interaction,
            source=source,
            severity=member.severity,
            settlement=member.settlement,
            is_pinned=member.is_pinned,
        )

    def join(self, *, interaction, to) -> None:
        """A case that was in no problem goes into one."""
        self._problems.add(to.pk)
        self._change.moves.append({"interaction": interaction.pk, "from": None, "to": to.pk})
        problems.join_problem(
            problem=to,
            interaction=interaction,
            source=ProblemMember.Source.SIMILARITY,
            **cases.as_settled(interaction),
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
        change.save()
        ChangedProblem.objects.bulk_create(
            [
                ChangedProblem(project_id=change.project_id, change=change, problem_id=pk)
                for pk in sorted(self._problems)
            ],
            ignore_conflicts=True,
        )
        return change


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
    for move in reversed(change.moves):
        _move_back(move, change)
    for pk, fields in _by_problem(change.fields).items():
        Problem.objects.filter(pk=pk).update(**fields)
        if fields.get("state") in Problem.UNSOLVED_STATES:
            escalation.resume_cancelled(problem=Problem.objects.get(pk=pk))
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    Problem.objects.filter(pk__in=change.opened).delete()
    for problem in Problem.objects.filter(pk__in=touched):
        priority.recompute(problem=problem)
    return change


def _by_problem(fields) -> dict[int, dict]:
    """What each problem's fields were, in one piece: a state and what it asks for go together."""
    found: dict[int, dict] = {}
    for field in fields:
        found.setdefault(field["problem"], {}).setdefault(field["name"], field["was"])
    return found


def _demand_unchanged(change) -> None:
    if Regrouping.objects.filter(change=change, state=Regrouping.State.ACCEPTING).exists():
        raise UndoRefused("It is still being done. Undo it when it is over.")
    for field in change.fields:
        now = Problem.objects.filter(pk=field["problem"]).values_list(field["name"], flat=True)
        if list(now) != [field["now"]]:
            raise UndoRefused("Something was changed since. Undo that first.")
    stay = {(move["interaction"], move["to"]) for move in change.moves}
    members = ProblemMember.objects.filter(
        left_at=None, interaction__in=[pk for pk, _to in stay]
    ).values_list("interaction_id", "problem_id")
    if set(members) != stay:
        raise UndoRefused("Some of these cases were moved since. Undo that first.")
    in_opened = ProblemMember.objects.filter(problem__in=change.opened, left_at=None)
    opened = Problem.objects.filter(pk__in=change.opened)
    duties = Escalation.objects.select_for_update().filter(problem__in=change.opened)
    if in_opened.exclude(interaction__in=[pk for pk, _to in stay]).exists() or (
        any(duty.may_have_a_ticket for duty in duties)
        or opened.filter(fixed_by__isnull=False).exists()
    ):
        raise UndoRefused("The new problem has cases, a ticket or a fix of its own by now.")


def _move_back(move, change) -> None:
    """The membership from before comes back as it was; the one that the change made goes."""
    here = ProblemMember.objects.filter(interaction=move["interaction"], problem=move["to"])
    here.filter(joined_at__gte=change.created_at).delete()
    here.update(left_at=change.created_at)
    ProblemMember.objects.filter(interaction=move["interaction"], problem=move["from"]).update(
        left_at=None
    )
    Placement.objects.filter(interaction=move["interaction"]).update(problem=move["from"])
