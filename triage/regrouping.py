"""Grouping the cases anew: prepared by a task, looked at by a lead, and done only when the lead accepts.

Considered are the members of problems that are being worked on, and the bad answers that were left alone, the newest first.
What a person joined or pinned stays where it is, and draws its like to it; what likeness or a rule put somewhere may move to
the problem that most of its group is in; what is in none may join one, or open one together with its like. A plan holds keys
only. What an accepted one does stands in `accepting`.
"""

from collections import Counter, defaultdict
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from feedbackhub import doorbell
from feedbackhub.accounts.models import Project
from feedbackhub.capture import vectors
from feedbackhub.outbound import OutboundError
from feedbackhub.similarity import groups
from triage import cases, tasks
from triage.models import Placement, Problem, ProblemMember, Regrouping

FEWEST = 3  # cases that open a problem of their own
_AT_ONCE = 500
LEASE = timedelta(minutes=20)  # for as many cases as are ever compared, by a slow embedder
STATES = [
    Problem.State.OPEN,
    Problem.State.INVESTIGATING,
    Problem.State.FIXING,
    Problem.State.REGRESSED,
]


# --- asking ---------------------------------------------------------------------------------------


@transaction.atomic
def ask_regrouping(*, project, by=None) -> Regrouping:
    """One proposal of a project at a time; an older one that nobody decided on is declined, one that is being done goes first."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    waiting = open_regrouping(project)
    if waiting and waiting.state == Regrouping.State.ASKED:
        doorbell.ring(tasks.prepare_regrouping, regrouping_id=waiting.pk)
        return waiting
    if waiting:
        waiting = decline_regrouping(regrouping=waiting, by=by)
    if waiting and waiting.state == Regrouping.State.ACCEPTING:  # another lead was faster
        return waiting
    asked = Regrouping.objects.create(project=project, asked_by=by)
    doorbell.ring(tasks.prepare_regrouping, regrouping_id=asked.pk)
    return asked


def open_regrouping(project) -> Regrouping | None:
    return Regrouping.objects.filter(project=project, state__in=Regrouping.OPEN_STATES).first()


@transaction.atomic
def decline_regrouping(*, regrouping, by=None) -> Regrouping:
    Regrouping.objects.filter(pk=regrouping.pk, state__in=["asked", "ready"]).update(
        state=Regrouping.State.DECLINED, decided_by=by, decided_at=timezone.now()
    )
    regrouping.refresh_from_db()
    return regrouping


def prepare_regrouping(*, regrouping) -> Regrouping:
    """The task's work. One worker at a time, and twice is once: a plan is written only while it is asked for."""
    if not _take_turn(regrouping):
        return regrouping
    project_id = regrouping.project_id
    try:
        embedder = vectors.embedder_of(project_id)
        found = _considered(project_id)
        made = _vectors(project_id, list(found), embedder)
        plan = _plan(found, made, embedder, _taken_out(list(found)))
    except OutboundError as error:
        Regrouping.objects.filter(pk=regrouping.pk, state="asked").update(
            state=Regrouping.State.FAILED, failure=str(error)[:300], decided_at=timezone.now()
        )
    else:
        Regrouping.objects.filter(pk=regrouping.pk, state="asked").update(
            state=Regrouping.State.READY,
            plan=plan,
            considered=len(found),
            embedder=f"{embedder.name} {embedder.version}",
            ready_at=timezone.now(),
        )
    regrouping.refresh_from_db()
    return regrouping


def waiting_for_a_worker():
    """Asked for, and nobody prepares it: the message was lost, or its worker died."""
    now = timezone.now()
    return Regrouping.objects.filter(state=Regrouping.State.ASKED).filter(
        Q(lease_until__lt=now) | Q(lease_until=None, created_at__lt=now - timedelta(minutes=5))
    )


def _take_turn(regrouping) -> bool:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = Regrouping.objects.filter(free, pk=regrouping.pk, state=Regrouping.State.ASKED)
    return bool(taken.update(lease_until=now + LEASE))


def _considered(project_id) -> dict[int, ProblemMember | None]:
    """By interaction: its membership, or None where it was left alone."""
    members = ProblemMember.objects.filter(
        project=project_id,
        left_at=None,
        problem__state__in=STATES,
        interaction__erased_at=None,
    ).order_by("-id")[: groups.MOST]
    found = {member.interaction_id: member for member in members}
    alone = (
        Placement.objects.filter(project=project_id, problem=None, interaction__erased_at=None)
        .exclude(interaction__problem_members__in=ProblemMember.objects.filter(left_at=None))
        .order_by("-id")
        .values_list("interaction_id", flat=True)
    )
    for pk in alone[: groups.MOST - len(found)]:
        found[pk] = None
    return found


def _vectors(project_id, interactions, embedder) -> dict:
    made = {}
    for start in range(0, len(interactions), _AT_ONCE):
        some = interactions[start : start + _AT_ONCE]
        made |= vectors.make_vectors(
            project_id=project_id, kind=cases.KIND, interactions=some, embedder=embedder
        )
    return made


def _taken_out(interactions) -> set[tuple[int, int]]:
    """(interaction, problem) that a lead, or a better place, has separated."""
    return set(
        ProblemMember.objects.filter(
            interaction__in=interactions, left_at__isnull=False, is_taken_back=False
        ).values_list("interaction_id", "problem_id")
    )


def _plan(found, made, embedder, taken_out) -> list[dict]:
    keys = sorted(made)
    by_group = defaultdict(list)
    for key, number in zip(
        keys,
        groups.group([made[key] for key in keys], cut=embedder.cut, neighbours=embedder.neighbours),
        strict=True,
    ):
        by_group[number].append(key)
    joins: dict[int | None, list] = defaultdict(list)
    opened = []
    for _number, group in sorted(by_group.items(), key=lambda row: row[1]):
        home = _home(group, found)
        moves = [
            {"interaction": key, "from": found[key].problem_id if found[key] else None}
            for key in group
            if _may_move(found[key], home, group, found) and (key, home) not in taken_out
        ]
        if home is not None:
            joins[home] += moves
        elif len(moves) >= FEWEST:
            opened.append({"problem": None, "joins": moves})
    known = [{"problem": pk, "joins": moves} for pk, moves in joins.items() if moves]
    return sorted([*known, *opened], key=lambda part: -len(part["joins"]))


def _home(group, found) -> int | None:
    """The problem that most of a group's cases are in by a person's word; else that most are in; else none."""
    members = [found[key] for key in group if found[key]]
    fixed = [each.problem_id for each in members if each.is_by_person]
    counted = Counter(fixed or [each.problem_id for each in members])
    return min(counted, key=lambda pk: (-counted[pk], pk)) if counted else None


def _may_move(member, home, group, found) -> bool:
    """Into another problem only when that has more of the group than the one it is in."""
    if member is None:
        return True
    if member.is_by_person or member.problem_id == home:
        return False
    others = [found[key] for key in group if found[key] and found[key] is not member]
    at = Counter(each.problem_id for each in others)
    return at[home] > at[member.problem_id]
