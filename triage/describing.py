"""A title and three lines for a group of cases, in their members' own words; a lead's own words are never replaced.

The title names the words that set the group apart and quotes the most typical question; the summary quotes the three most
typical ones. Only what several members say names the group. Erasure knows both by their quotations (`problems.forget_words`).
"""

from django.core.cache import cache

from feedbackhub.capture import vectors
from feedbackhub.capture.models import Interaction
from feedbackhub.outbound import OutboundError
from feedbackhub.similarity import naming
from triage import cases, problems
from triage.models import Placement, Problem, ProblemMember

LOOKED_AT, OTHERS = (
    200,
    500,
)  # newest members of a group, and other cases that it is told apart from
LINES = 3
AGAIN_AFTER = 3_600  # seconds
ENOUGH = 3  # members from which on a summary says more than the one question


def describe(*, project_id: int, interactions: list[int]) -> tuple[str, str]:
    """A title and a summary; both empty when there are no words."""
    questions = _questions(interactions[:LOOKED_AT])
    if not questions:
        return "", ""
    keys = list(questions)
    made = vectors.make_vectors(project_id=project_id, kind=cases.KIND, interactions=keys)
    keys = [key for key in keys if key in made]
    typical = naming.most_typical([made[key] for key in keys], LINES) if keys else []
    quotes = [problems.quotable(questions[keys[place]]) for place in typical]
    others = _questions(_other_cases(project_id, interactions))
    words = naming.telling_words(
        list(questions.values()), naming.document_counts(list(others.values())), of=len(others)
    )
    place = ", ".join(words).capitalize() or "Alike"
    title = problems.quoting(place, quotes[0] if quotes else "")
    return title, "\n".join(f"“{quote}”" for quote in quotes)


def describe_problem(*, problem) -> Problem:
    """Its title and summary anew, as far as its cases have words. A person's stay."""
    if problem.is_described_by_hand:
        return problem
    members = problem.members.filter(left_at=None).order_by("-id")
    interactions = list(members.values_list("interaction_id", flat=True)[:LOOKED_AT])
    title, summary = describe(project_id=problem.project_id, interactions=interactions)
    said = {"summary": summary, "title_model": ""} | ({"title": title} if title else {})
    Problem.objects.filter(pk=problem.pk, is_described_by_hand=False).update(**said)
    problem.refresh_from_db()
    return problem


def describe_new(limit: int = 20) -> int:
    """Problems that have grown to a few members and say nothing yet. One without words is tried again an hour later."""
    described = 0
    silent = Problem.objects.unsolved().filter(
        summary="", is_described_by_hand=False, member_count__gte=ENOUGH
    )
    for problem in silent.order_by("id").iterator():
        if described == limit:
            break
        if not cache.add(f"describing-{problem.pk}", True, AGAIN_AFTER):
            continue
        try:
            described += bool(describe_problem(problem=problem).summary)
        except OutboundError:
            cache.delete(f"describing-{problem.pk}")
            return described
    return described


def _questions(interactions) -> dict[int, str]:
    rows = Interaction.objects.kept().filter(pk__in=interactions).only("messages")
    return {each.pk: text for each in rows if (text := vectors.question(each).strip())}


def _other_cases(project_id, interactions) -> list[int]:
    members = ProblemMember.objects.filter(project=project_id, left_at=None)
    placed = Placement.objects.filter(project=project_id, problem=None)
    found = [
        pk
        for rows in (members, placed)
        for pk in rows.order_by("-id").values_list("interaction_id", flat=True)[:OTHERS]
    ]
    return list(set(found) - set(interactions))[:OTHERS]
