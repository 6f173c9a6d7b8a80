"""Does a fix help? Its problems' own cases come out right now, and complaints like them have not come back.

A fix is `verified` when every case of its problems that was judged passed again and none of them has come back, or when a lead says why
it counts. That takes no answers since it shipped: what has none, or too few for its rate to tell (`Change.is_early`), is verified by
its cases alone, and says so. Results come from the team's pipeline (`POST /api/v1/fixes/{id}/replays`) or from an evaluation run; both end
in `record_results`. The rates before and after, with their intervals, are kept as evidence at that moment.

A problem has come back (`has_come_back`) when the last seven days since the fix hold at least five cases of it, and the
lower end of their rate's 90 % interval lies above the rate of the 28 days before the fix. Then it is `regressed`, its
tickets open again, and who was not told of the fix yet is not told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Settlement
from feedbackhub import outbox
from feedbackhub.capture.models import Interaction
from triage import changelog, fixing, notices, problems, rates
from triage.fixing import FixRefused
from triage.models import Fix, Problem, ProblemMember, Replay

RECENT = timedelta(days=7)
ENOUGH = 5  # cases; fewer prove nothing


@dataclass(frozen=True)
class Result:
    """How one case comes out now."""

    interaction: Interaction
    has_passed: bool
    output: str = ""


@transaction.atomic
def record_results(
    *, fix: Fix, results: Iterable[Result], source: str = Replay.Source.PIPELINE, at=None
) -> list[Replay]:
    """How the fix's cases come out now (or came out `at`), all of them or none; the newest word on a case counts.

    Masked text only. All passed verifies a shipped fix. Raises FixRefused for what is no case of its problems.
    """
    results = list(results)
    known = set(
        fixing.cases_of(fix)
        .filter(interaction__in=[result.interaction.pk for result in results])
        .values_list("interaction", flat=True)
    )
    for result in results:
        if result.interaction.pk not in known:
            raise FixRefused(
                _("%s is no case of this fix's problems.") % result.interaction.external_id
            )
    rows = [
        Replay.objects.update_or_create(
            fix=fix,
            interaction=result.interaction,
            defaults={
                "project_id": fix.project_id,
                "has_passed": result.has_passed,
                "output": result.output,
                "source": source,
                "created_at": at or timezone.now(),
            },
        )[0]
        for result in results
    ]
    verify_if_proven(fix=fix)
    return rows


def take_evaluation(*, run) -> int:
    """What an evaluation run says of the cases of the fixes that its candidate carries; answers how many fixes.

    A case passed when its every attempt did. Its answers are not copied: some are of the holdout. News may come late: a
    word on a case that is newer than the run stands.
    """
    judged: dict[int, bool] = {}
    for interaction, passed in run.results.exclude(passed=None).values_list(
        "revision__settlement__interaction", "passed"
    ):
        judged[interaction] = judged.get(interaction, True) and passed
    return sum(_take_evaluation(fix, run, judged) for fix in _carried_by(run))


def _carried_by(run):
    """Fixes whose version the run names: as the fix does, or as "name version" of the same prompt."""
    prompts = [
        changelog.version_of(project=run.project_id, carrier="prompt", version=words)
        for words in run.versions
    ]
    return Fix.objects.filter(
        Q(carrier_version__in=run.versions) | Q(prompt_version__in=list(filter(None, prompts))),
        project=run.project_id,
        state__in=[Fix.State.PLANNED, Fix.State.SHIPPED],
        to_confirm=False,
    ).exclude(carrier_version="")


@transaction.atomic
def _take_evaluation(fix, run, judged) -> bool:
    Fix.objects.select_for_update(no_key=True).get(pk=fix.pk)  # one run at a time
    newer = fix.replays.filter(created_at__gt=run.finished_at)
    own = Interaction.objects.filter(
        pk__in=fixing.cases_of(fix).filter(interaction__in=judged).values("interaction")
    ).exclude(pk__in=newer.values("interaction"))
    results = [Result(each, judged[each.pk]) for each in own]
    if results:
        record_results(
            fix=fix, results=results, source=Replay.Source.EVALUATION, at=run.finished_at
        )
    return bool(results)


@transaction.atomic
def verify_if_proven(*, fix: Fix) -> Fix:
    """`verified`, if every case passed again and nothing speaks against it. Safe to repeat."""
    fix = Fix.objects.select_for_update(no_key=True).get(pk=fix.pk)
    if fix.state != Fix.State.SHIPPED or fix.recurred_at:
        return fix
    passed = fix.replays.filter(has_passed=True).count()
    if not passed or open_cases(fix) or come_back(fix=fix):
        return fix
    return _verify(fix, {"how": "replays", "cases": passed})


def open_cases(fix) -> list[str]:
    """The external ids of the fix's cases that have not passed again yet.

    What happened after it shipped is no case to replay: it is told by the rate. So are complaints that only likeness put
    there, which nobody judged, as long as there is a case that somebody did judge.
    """
    members = fixing.cases_of(fix)
    if fix.shipped_at:
        members = members.filter(interaction__occurred_at__lte=fix.shipped_at)
    is_settled = Exists(
        Settlement.objects.filter(interaction=OuterRef("interaction"), is_current=True)
    )
    is_judged = Q(is_settled) | Q(is_pinned=True) | ~Q(source=ProblemMember.Source.SIMILARITY)
    members = members.filter(is_judged | ~Exists(members.filter(is_judged)))
    return list(
        members.exclude(interaction__in=fix.replays.filter(has_passed=True).values("interaction"))
        .exclude(interaction__erased_at__isnull=False)
        .order_by("interaction_id")
        .values_list("interaction__external_id", flat=True)
        .distinct()
    )


@transaction.atomic
def verify_by_hand(*, fix, by, reason: str) -> Fix:
    """A lead says why the fix counts as verified although not every case was replayed."""
    if not reason.strip():
        raise FixRefused(_("Say why this counts as verified without its cases passing."))
    return _verify(fix, {"how": "lead", "by": by.pk, "reason": reason.strip()})


def _verify(fix, evidence) -> Fix:
    now = timezone.now()
    found = rates.changes(fix=fix, now=now) if fix.shipped_at else []
    evidence["is_early"] = any(change.is_early for change in found)
    evidence["rates"] = [
        {
            "problem": change.problem.number,
            "before": change.before.to_json(),
            "after": change.after.to_json(),
        }
        for change in found
    ]
    moved = Fix.objects.filter(pk=fix.pk, state=Fix.State.SHIPPED).update(
        state=Fix.State.VERIFIED, verified_at=now, evidence=evidence
    )
    fix.refresh_from_db()
    if moved:
        for problem in fix.problems.select_for_update(of=("self",)).filter(state="shipped"):
            problems.move_problem_state(problem=problem, state=Problem.State.VERIFIED)
        changelog.note_verified(fix=fix)
        outbox.publish("fix_verified", project=fix.project, fix_id=fix.pk)
    return fix


def how_verified(problems) -> dict[int, str]:
    """{problem: how its newest verified fix was: `replays` or `lead`}, for those that have one."""
    found = Fix.objects.filter(problems__in=problems, state=Fix.State.VERIFIED)
    told = found.order_by("verified_at", "pk").values_list("problems", "evidence__how")
    return {problem: how or "" for problem, how in told}


# --- coming back ----------------------------------------------------------------------------------


def come_back(*, fix, now=None) -> list[rates.Change]:
    """The problems of a shipped fix that are complained of more often now than before it: recent days against before."""
    if not fix.shipped_at:
        return []
    found = [
        has_come_back(problem=problem, shipped_at=fix.shipped_at, now=now)
        for problem in fix.problems.all()
    ]
    return [change for change in found if change]


def has_come_back(*, problem, shipped_at, now=None) -> rates.Change | None:
    """The two rates, if the recent one is surely above the old one."""
    now = now or timezone.now()
    recent = rates.rate_between(problem=problem, after=max(shipped_at, now - RECENT), until=now)
    if recent.cases < ENOUGH:
        return None
    before = rates.rate_between(problem=problem, after=shipped_at - rates.BEFORE, until=shipped_at)
    if recent.low <= (before.per_thousand or 0):
        return None
    return rates.Change(problem, before, recent)


def find_recurrences(*, now=None) -> int:
    """Reopen every solved problem that has come back; answers how many. Safe to call at any time."""
    now = now or timezone.now()
    newest = Fix.objects.filter(
        problems=OuterRef("pk"), state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED]
    ).order_by("-shipped_at", "-id")
    suspects = (
        Problem.objects.filter(state__in=[Problem.State.SHIPPED, Problem.State.VERIFIED])
        .annotate(
            fix_id=Subquery(newest.values("pk")[:1]),
            fixed_at=Subquery(newest.values("shipped_at")[:1]),
        )
        .exclude(fix_id=None)
        .annotate(
            recent=Count(
                "members",
                filter=Q(
                    members__left_at=None,
                    members__interaction__occurred_at__gt=now - RECENT,
                    members__interaction__occurred_at__gte=F("fixed_at"),
                ),
            )
        )
        .filter(recent__gte=ENOUGH)
    )
    reopened = 0
    for problem in suspects:
        change = has_come_back(problem=problem, shipped_at=problem.fixed_at, now=now)
        reopened += bool(change and _regress(problem, change))
    return reopened


def newest_fix(problem) -> Fix | None:
    """The fix that should have solved it."""
    shipped = problem.fixes.filter(state__in=[Fix.State.SHIPPED, Fix.State.VERIFIED])
    return shipped.order_by("-shipped_at", "-id").first()


def note_harm_after_fix(*, problem) -> None:
    """One harmful case after the fix is enough: it does not count as verified, and nobody else is told of it."""
    fix = newest_fix(problem)
    if fix and fix.recurred_at is None:
        fix.recurred_at = timezone.now()
        fix.evidence = {
            **fix.evidence,
            "recurrence": {"problem": problem.number, "is_harm": True},
        }
        fix.save(update_fields=["recurred_at", "evidence"])
        notices.suppress_all(fix=fix, reason=notices.CAME_BACK)


@transaction.atomic
def _regress(problem, change) -> bool:
    fix = Fix.objects.select_for_update(no_key=True).get(pk=problem.fix_id)
    if fix.state not in (Fix.State.SHIPPED, Fix.State.VERIFIED):
        return False  # taken back at this moment
    is_news = Problem.objects.get(pk=problem.pk).state in ("shipped", "verified")
    problems.reopen_problem(problem=problem, why="recurrence")
    fix.recurred_at = fix.recurred_at or timezone.now()
    fix.evidence = {
        **fix.evidence,
        "recurrence": {
            "problem": problem.number,
            "before": change.before.to_json(),
            "after": change.after.to_json(),
        },
    }
    fix.save(update_fields=["recurred_at", "evidence"])
    notices.suppress_all(fix=fix, reason=notices.CAME_BACK)
    return is_news
