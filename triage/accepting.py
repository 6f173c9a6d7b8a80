"""Doing what a lead accepted of a regrouping: by a worker, step by step, each step whole or not at all.

A step is some cases of one proposed group. How far the plan is done is written with it: a worker that is killed is followed by
one that goes on from there, and nothing is done twice. What a frozen worker still wants to do is refused by its lease.

Each case is looked at again: what a person moved, pinned or took out since the preview is left as it is. Tickets are asked for
when all is done and the undo has passed; the whole is one change, and can be undone when it is over.
"""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from feedbackhub import doorbell
from feedbackhub.accounts.models import Project
from feedbackhub.outbound import OutboundError
from triage import changes, describing, placing_notes, problems, tasks
from triage.models import Placement, Problem, ProblemChange, ProblemMember, Regrouping
from triage.regrouping import FEWEST, STATES

AT_ONCE = 100  # cases of a step
LEASE = timedelta(seconds=60)
SHIFT = 60  # seconds; then others' work is let in before the next ring
MOST_TRIES = 5  # workers that got no step further
State = Regrouping.State


class NotReady(ValueError):
    """The proposal is not one that can be accepted, in a sentence."""


# --- accepting ------------------------------------------------------------------------------------


@transaction.atomic
def accept_regrouping(*, regrouping, by=None) -> Regrouping:
    """A lead's word; a worker does it. Twice is once."""
    Regrouping.objects.filter(pk=regrouping.pk, state=State.READY).update(
        state=State.ACCEPTING, decided_by=by, decided_at=timezone.now(), lease_until=None
    )
    regrouping.refresh_from_db()
    if regrouping.state not in (State.ACCEPTING, State.ACCEPTED):
        raise NotReady("This proposal was decided already, or is still being prepared.")
    if regrouping.state == State.ACCEPTING:
        doorbell.ring(tasks.carry_out_regrouping, regrouping_id=regrouping.pk)
    return regrouping


def waiting_for_a_worker():
    """Accepted, and nobody does it: the message was lost, or its worker died."""
    now = timezone.now()
    return Regrouping.objects.filter(state=State.ACCEPTING).filter(
        Q(lease_until__lt=now) | Q(lease_until=None, decided_at__lt=now - LEASE)
    )


# --- doing it -------------------------------------------------------------------------------------


def carry_out(*, regrouping) -> Regrouping:
    """The task's work: step after step until the plan is done, or the shift is over and the next ring goes on."""
    lease, until = _take_turn(regrouping), time.monotonic() + SHIFT
    while lease and time.monotonic() < until:
        lease = _step(regrouping, lease)
    if lease:
        Regrouping.objects.filter(pk=regrouping.pk, lease_until=lease).update(lease_until=None)
        doorbell.ring(tasks.carry_out_regrouping, regrouping_id=regrouping.pk)
    regrouping.refresh_from_db()
    return regrouping


def _take_turn(regrouping):
    """This worker's lease; None while another has it, or where too many died over the same step."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = Regrouping.objects.filter(free, pk=regrouping.pk, state=State.ACCEPTING)
    if not taken.update(lease_until=now + LEASE, tries=F("tries") + 1):
        return None
    regrouping.refresh_from_db()
    if regrouping.tries > MOST_TRIES:
        _finish(
            regrouping, State.FAILED, "It stopped half-way. What was done so far can be undone."
        )
        return None
    return regrouping.lease_until


def _step(regrouping, lease):
    """The next cases, and the lease anew; None when all is done, or the lease is another's by now."""
    with transaction.atomic():
        project = Project.objects.select_for_update(no_key=True).get(pk=regrouping.project_id)
        row = (
            Regrouping.objects.select_for_update(no_key=True, of=("self",))
            .select_related("change")
            .filter(pk=regrouping.pk, state=State.ACCEPTING, lease_until=lease)
            .first()
        )
        if row is None:
            return None
        part, start = _part_at(row)
        if part is None:
            _finish(row, State.ACCEPTED)
            return None
        asking = set(row.asks_for_tickets)
        with problems.together(asking=asking):
            _do(project, row, part, start)
        row.asks_for_tickets, row.tries = sorted(asking), 0
        row.lease_until = timezone.now() + LEASE
        row.save()
    if part.get("is_new") and start + AT_ONCE >= len(part["joins"]):
        _describe(part["problem"])
    return row.lease_until


def _part_at(row) -> tuple[dict | None, int]:
    """The proposed group that comes next, and from which of its cases on."""
    start = row.done_count
    for part in row.plan:
        if start < len(part["joins"]):
            return part, start
        start -= len(part["joins"])
    return None, 0


def _do(project, row, part, start) -> None:
    change = (
        changes.go_on(row.change)
        if row.change
        else changes.begin(
            kind=ProblemChange.Kind.REGROUP, project_id=project.pk, by=row.decided_by
        )
    )
    planned = part["joins"][start : start + AT_ONCE]
    if part["problem"] is None and not _open(project, part, change):
        planned = part["joins"][start:]  # too few of them are left to open one
    problem = Problem.objects.filter(project=project, pk=part["problem"], state__in=STATES).first()
    found = still_as_found(project, planned, problem)
    for interaction, member in found if problem else []:
        _join(change, interaction, member, problem)
    row.done_count += len(planned)
    row.skipped_count += len(planned) - len(found)
    row.joined_count += len(found) if problem else 0
    row.stayed_count += 0 if problem else len(found)
    row.change = change.keep() or row.change


def _open(project, part, change) -> bool:
    if len(still_as_found(project, part["joins"])) < FEWEST:
        return False
    problem = problems.open_problem(project=project, title="")
    change.opened(problem)
    part["problem"], part["is_new"] = problem.pk, True
    return True


def _join(change, interaction, member, problem) -> None:
    if member:
        change.move(member=member, to=problem, source=member.source)
    else:
        change.join(interaction=interaction, to=problem)
    placing_notes.keep(
        Placement(
            project_id=problem.project_id,
            interaction=interaction,
            problem=problem,
            reason=Placement.Reason.NEAR,
        )
    )


def _describe(pk) -> None:
    """In its cases' own words, as soon as they are all there; the broom does it where this is not reached."""
    problem = Problem.objects.filter(pk=pk).first()
    try:
        if problem and not problem.title_model:
            describing.describe_problem(problem=problem)
    except OutboundError:
        return


@transaction.atomic
def _finish(row, state, failure="") -> None:
    row.state, row.failure, row.lease_until = state, failure, None
    row.save()
    for problem in Problem.objects.filter(pk__in=row.asks_for_tickets).order_by("pk"):
        problems.file_by_itself(problem, after=problems.undo_time())


def still_as_found(project, joins, problem=None) -> list[tuple]:
    """(interaction, membership or None) of the cases that are where the plan found them and may still move (to `problem`)."""
    wanted = {each["interaction"]: each["from"] for each in joins}
    members = {
        member.interaction_id: member
        for member in ProblemMember.objects.filter(
            project=project, interaction__in=wanted, left_at=None
        ).select_related("interaction", "settlement")
    }
    alone = {
        placed.interaction_id: placed.interaction
        for placed in Placement.objects.filter(
            project=project, interaction__in=wanted, interaction__erased_at=None
        ).select_related("interaction")
    }
    taken_out = set(
        ProblemMember.objects.filter(
            problem=problem,
            interaction__in=wanted,
            left_at__isnull=False,
            is_taken_back=False,
        ).values_list("interaction_id", flat=True)
        if problem
        else []
    )
    found = []
    for pk, origin in wanted.items():
        member = members.get(pk)
        if pk in taken_out:
            continue
        if origin is None and member is None and pk in alone:
            found.append((alone[pk], None))
        elif member and member.problem_id == origin and not member.is_by_person:
            found.append((member.interaction, member))
    return found
