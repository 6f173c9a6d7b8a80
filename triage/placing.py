"""Which problem a harmful case belongs to: an open one with the same cause, or a new one.

Kept simple, and on the careful side: a case that is swallowed by the wrong problem gets no ticket of its own, while two
problems that turn out to be one are merged with a click. A case belongs to an open problem when

1. it is a member already; or
2. one of the problem's members is its near-duplicate (nearly the same question: capture groups them); or
3. the problem has the same category, a member of the same feature that joined in the last 14 days, and that member's
   question shares at least half of its words with this one.

A problem that a lead took this answer out of is not tried again.
"""

import re
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotation.models import LabelSchema
from feedbackhub.accounts.models import Project
from feedbackhub.capture import near_duplicates
from triage import escalation, problems
from triage.models import Problem, ProblemMember

WITHIN = timedelta(days=14)
ALIKE = 0.5
_CANDIDATES = 200
_WORD = re.compile(r"\w{3,}")


@transaction.atomic
def place_case(*, interaction, source, severity, category="", settlement=None):
    """Make a harmful answer a member of the problem it belongs to, and see that this is filed. Idempotent.

    One placement at a time in a project: two workers with two cases of one cause open one problem.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=interaction.project_id)
    problem = problem_of(interaction=interaction, category=category)
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
    member = problems.join_problem(
        problem=problem,
        interaction=interaction,
        source=source,
        severity=severity,
        settlement=settlement,
    )
    problem.refresh_from_db()
    if problem.state in Problem.UNSOLVED_STATES:
        escalation.escalate_problem(problem=problem)
    return member


def problem_of(*, interaction, category=""):
    """The problem that this answer belongs to, or None. See the module's docstring."""
    member = (
        ProblemMember.objects.filter(interaction=interaction, left_at=None)
        .select_related("problem")
        .first()
    )
    if member:
        return member.problem
    members = (
        ProblemMember.objects.filter(
            project=interaction.project_id,
            left_at=None,
            problem__state__in=Problem.UNSOLVED_STATES,
        )
        .exclude(
            problem__in=ProblemMember.objects.filter(interaction=interaction).values("problem")
        )
        .order_by("-id")
    )
    twin = _near_duplicates(interaction, members).first()
    return twin.problem if twin else _most_alike(interaction, category, members)


def category_name(*, project, key: str) -> str:
    """The label schema's name of a category; its key where the schema does not know it."""
    if not key:
        return ""
    schema = LabelSchema.objects.filter(project=project, is_current=True).order_by("id").first()
    known = schema.category(key) if schema else None
    return known["name"] if known else key.replace("_", " ").capitalize()


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
