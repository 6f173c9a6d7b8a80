"""Which problem a bad answer belongs to: one with the same cause, a new one, or none yet, with the reason kept.

Kept on the careful side: a case that is swallowed by the wrong problem gets no ticket of its own, while two problems that turn
out to be one are merged with a click. An answer belongs to a problem when

1. it is a member already, or was one until it was found right (a harmful one: unless likeness alone put it there, and
   experts name another category); or
2. one of the problem's members is its near-duplicate (nearly the same question: capture groups them); or
3. the problem has the same category, a member of the same feature that joined in the last 14 days, and that member's
   question shares at least half of its words with this one; or
4. it is alike enough to the problem's members in the mean (`nearness`), no second problem is about as near, and experts
   did not name another category. A harmful case asks for the same category and a member of the last 14 days here too.

A problem that a lead took this answer out of is not tried again. A harmful case that belongs nowhere opens a problem; one
of a problem that was solved before it happened opens that again, with its ticket. Any other bad answer that belongs nowhere
is left alone, for a regrouping to find.
"""

import re
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotation.models import LabelSchema
from feedbackhub.accounts.models import Project
from feedbackhub.capture import near_duplicates
from feedbackhub.outbound import OutboundError
from triage import cases, escalation, nearness, placing_notes, problems, verification
from triage.models import Placement, Problem, ProblemMember

WITHIN = timedelta(days=14)
ALIKE = 0.5
BETWEEN = 0.03  # of likeness: two problems this close to each other are not told apart
_CANDIDATES = 200
_WORD = re.compile(r"\w{3,}")
SOLVED = [Problem.State.SHIPPED, Problem.State.VERIFIED]
HARM_JOINS = [*Problem.UNSOLVED_STATES, *SOLVED]
Reason = Placement.Reason


@transaction.atomic
def place_case(*, interaction, source, severity, category="", settlement=None):
    """Make a harmful answer a member of the problem it belongs to, and see that this is filed. Idempotent.

    One placement at a time in a project: two workers with two cases of one cause open one problem.
    """
    project = _alone_in(interaction)
    found = _look_for(interaction, category, HARM_JOINS, is_harm=True)
    problem = found.problem
    if problem is None:
        problem = problems.open_problem(
            project=project,
            title=problems.problem_title(
                category_name=category_name(project=project, key=category),
                feature=interaction.feature,
                words=interaction.last_user_message,
            ),
            category=category,
            severity=severity,
        )
        found.problem, found.reason = problem, Reason.NEW
    placing_notes.keep(found)
    member = problems.join_problem(
        problem=problem,
        interaction=interaction,
        source=source,
        severity=severity,
        settlement=settlement,
    )
    problem.refresh_from_db()
    if problem.state in SOLVED and interaction.occurred_at > _solved_at(problem):
        verification.note_harm_after_fix(problem=problem)
        problem = problems.reopen_problem(problem=problem, why="recurrence")
        escalation.escalate_problem(problem=problem)
    return member


def _solved_at(problem):
    """Since when its cases should not happen any more: its newest fix, or the move by hand."""
    fix = verification.newest_fix(problem)
    return fix.shipped_at if fix else problem.state_changed_at


@transaction.atomic
def place_item(*, interaction, severity, category="", settlement=None) -> Placement:
    """Put a bad answer that is not harmful into the problem it belongs to, or leave it alone; answers where and why."""
    _alone_in(interaction)
    found = _look_for(interaction, category, nearness.PLACEABLE, is_harm=False)
    if found.problem:
        problems.join_problem(
            problem=found.problem,
            interaction=interaction,
            source=ProblemMember.Source.SIMILARITY,
            severity=severity,
            settlement=settlement,
        )
    return placing_notes.keep(found)


@transaction.atomic
def take_back_placement(*, interaction) -> None:
    """The answer was found right: what likeness, a rule or an earlier judgement made a member leaves, a person's hand stays."""
    placed = Placement.objects.filter(interaction=interaction)
    member = ProblemMember.objects.filter(interaction=interaction, left_at=None).first()
    if member and _is_by_hand(member, placed):
        return
    if member:
        problems.leave_problem(member=member)
        ProblemMember.objects.filter(pk=member.pk).update(is_taken_back=True)
    placed.delete()


def _is_by_hand(member, placed) -> bool:
    """Somebody put or pinned it there; a lead's verdict alone is a judgement, and carries its settlement."""
    Source = ProblemMember.Source
    if member.is_pinned or member.source == Source.REPORTER:
        return True
    was_put = placed.filter(reason=Reason.HAND).exists()
    return member.source == Source.LEAD and (was_put or member.settlement_id is None)


def category_name(*, project, key: str) -> str:
    """The label schema's name of a category; its key where the schema does not know it."""
    if not key:
        return ""
    schema = LabelSchema.objects.filter(project=project, is_current=True).order_by("id").first()
    known = schema.category(key) if schema else None
    return known["name"] if known else key.replace("_", " ").capitalize()


def _alone_in(interaction) -> Project:
    return Project.objects.select_for_update(no_key=True).get(pk=interaction.project_id)


def _look_for(interaction, category, states, *, is_harm) -> Placement:
    """Where it belongs, as a row that is not yet saved."""
    found = Placement(project_id=interaction.project_id, interaction=interaction)
    member = _membership(interaction, states)
    if member and not (is_harm and _is_misplaced(member, category)):
        found.problem, found.reason = member.problem, Reason.MEMBER
        return found
    members = (
        ProblemMember.objects.filter(
            project=interaction.project_id, left_at=None, problem__state__in=states
        )
        .exclude(problem__in=_left(interaction))
        .exclude(interaction=interaction)
        .order_by("-id")
    )
    twins = _near_duplicates(interaction, members)
    if twin := twins.exclude(problem__state__in=SOLVED).first() or twins.first():
        found.problem, found.reason = twin.problem, Reason.TWIN
    elif alike := _most_alike(interaction, category, members):
        found.problem, found.reason = alike, Reason.WORDS
    else:
        _look_near(found, _of_category(members, category, is_harm=is_harm))
    return found


def _membership(interaction, states) -> ProblemMember | None:
    """Where it is; else where it was until it was found right, as far as that is still one of these."""
    known = ProblemMember.objects.filter(interaction=interaction).select_related(
        "problem__duplicate_of"
    )
    member = known.filter(left_at=None).first()
    if member is None and (member := known.filter(is_taken_back=True).order_by("-left_at").first()):
        member.problem = member.problem.original
        return member if member.problem.state in states else None
    return member


def _is_misplaced(member, category) -> bool:
    """Likeness alone put it there, and it is not of that kind, or nobody works on that problem any more."""
    problem = member.problem
    return member.is_by_likeness and (
        problem.category not in ("", category) or problem.state not in HARM_JOINS
    )


def _of_category(members, category, *, is_harm):
    if is_harm:
        return members.filter(problem__category=category, joined_at__gt=timezone.now() - WITHIN)
    return members.filter(problem__category__in=("", category)) if category else members


def _look_near(found, members) -> None:
    """By the mean likeness to the problems' members."""
    interaction = found.interaction
    try:
        embedder, vector = cases.vector_of(interaction)
    except OutboundError:
        found.reason = Reason.AWAY
        return
    if vector is None or not any(vector):
        found.reason = Reason.EMPTY
        return
    near = nearness.nearest_problems(
        interaction=interaction, vector=vector, embedder=embedder, members=members
    )
    if not near:
        was_taken_out = _left(interaction).exists()
        found.reason = Reason.TAKEN_OUT if was_taken_out else Reason.NOTHING
        return
    best, *others = near
    found.nearest_id, found.alike, found.needed = best.problem_id, best.alike, best.needed
    if not best.is_enough:
        found.reason = Reason.FAR
    elif others and others[0].is_enough and best.alike - others[0].alike < BETWEEN:
        found.reason = Reason.BETWEEN
    else:
        found.problem = Problem.objects.get(pk=best.problem_id)
        found.reason = Reason.NEAR


def _left(interaction):
    """Not where a verdict took it out: another verdict may bring it back."""
    return ProblemMember.objects.filter(
        interaction=interaction, left_at__isnull=False, is_taken_back=False
    ).values("problem")


def _near_duplicates(interaction, members):
    group = near_duplicates.group_of(interaction)
    return members.filter(interaction__signature__group=group).select_related("problem")


def _most_alike(interaction, category, members):
    words = _words(interaction)
    if not category or not words:
        return None
    best, most = None, ALIKE
    for member in members.filter(
        problem__category=category,
        interaction__feature=interaction.feature,
        joined_at__gt=timezone.now() - WITHIN,
    ).select_related("problem", "interaction")[:_CANDIDATES]:
        alike = _share(words, _words(member.interaction))
        if alike >= most and (best is None or alike > most):
            best, most = member.problem, alike
    return best


def _words(interaction) -> set[str]:
    return set(_WORD.findall(interaction.last_user_message.casefold()[:4_000]))


def _share(some: set[str], others: set[str]) -> float:
    return len(some & others) / len(some | others) if some and others else 0.0
