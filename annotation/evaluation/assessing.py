"""A worker's go at a run: the judge measured, each answer assessed, the sum compared with the last accepted run.

What is assessed stays assessed: a worker that dies, or whose shift is over, leaves the rest to the next. The lease is renewed
by the clock, so that slow patterns and a slow judge cost time and nothing else.
"""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from django.db import transaction
from django.utils import timezone

from annotation.evaluation import judge as judging
from annotation.evaluation.checks import GoldCase, assess
from annotation.evaluation.runs import batches, cases, shares_now, still_of_their_split
from annotation.evaluation.verdict import CaseResult, Thresholds, summarise, without_words
from annotation.models import EvalResult, EvalRun, GoldExample, Split
from annotation.schema_history import ProjectCategories
from feedbackhub import outbox
from feedbackhub.doorbell import ring

LEASE = timedelta(seconds=60)
BEAT = 10.0  # seconds between two signs of life
SHIFT = 900.0  # seconds until a new task goes on, well within a task's time
BATCH = 200
MEASURED_ON = 1_000  # cases that are looked through for answers to measure a judge on


class _Lost(Exception):
    """Another worker has it now."""


class _ShiftOver(Exception):
    """A new task goes on from here."""


def assess_evaluation(*, run_id: int) -> EvalRun | None:
    """Assess a waiting run; None when somebody else has it, it is over, or a new task goes on."""
    lease = timezone.now() + LEASE
    if not EvalRun.objects.filter(pk=run_id, state="pending").update(
        state="running", lease_until=lease
    ):
        return None
    run = EvalRun.objects.select_related("version", "project").get(pk=run_id)
    assessing = _Assessing(run, lease)
    try:
        return assessing.assess()
    except _Lost:
        return None
    except _ShiftOver:
        assessing.hand_over()
        return None
    except Exception as error:
        assessing.move(state="failed", failure=type(error).__name__, finished_at=timezone.now())
        raise


class _Assessing:
    """One worker's go at one run."""

    def __init__(self, run, lease):
        self.run, self.lease = run, lease
        self.began = self.beat_at = time.monotonic()
        self.done = 0

    def assess(self) -> EvalRun:
        judge, trust = self._judge()
        self._assess_results(judge)
        return self._finish(trust)

    def move(self, **fields) -> bool:
        """Change the run while it is ours; answers whether it was."""
        return bool(
            EvalRun.objects.filter(pk=self.run.pk, state="running", lease_until=self.lease).update(
                **{"lease_until": None} | fields
            )
        )

    @transaction.atomic
    def hand_over(self) -> None:
        from annotation import tasks

        if self.move(state="pending"):
            ring(tasks.assess_evaluation, run_id=self.run.pk)

    def _beat(self, **fields) -> None:
        """Renew the lease; raises _Lost when it is not ours any more."""
        lease = timezone.now() + LEASE
        if not self.move(lease_until=lease, **fields):
            raise _Lost
        self.lease, self.beat_at = lease, time.monotonic()

    def _beat_in_time(self) -> None:
        if time.monotonic() - self.beat_at >= BEAT:
            self._beat()

    # --- the judge

    def _judge(self):
        """(the judge, None unless it is trusted; how far it agrees with the people, None where nobody is asked).

        It is measured once for a run, whoever goes on with it.
        """
        judge = judging.configured()
        if judge is None:
            return None, None
        trust = self.run.summary.get("judge")
        if not trust or trust["model"] != judge.model:
            trust = judging.measure(judge, self._known_cases(), ask_all=self._together).as_json()
            self._beat(summary={"judge": trust})
        return (judge if trust["is_trusted"] else None), trust

    def _known_cases(self):
        members = (
            still_of_their_split(self.run.version)
            .filter(
                split__in=[
                    Split.TRAIN,
                    Split.VALIDATION,
                ],  # the holdout is not worn out by measuring
                revision__assertions__contains=[{"kind": "rubric"}],
            )
            .select_related("revision")
            .order_by("revision__example_id")
        )
        return [_gold_case(each.revision) for each in members[:MEASURED_ON]]

    def _together(self, ask, things) -> list:
        """Ask about several things at once, with signs of life meanwhile."""
        pool = ThreadPoolExecutor(judging.AT_ONCE)
        try:
            asked = [pool.submit(ask, thing) for thing in things]
            while wait(asked, timeout=BEAT).not_done:
                self._beat()
            return [each.result() for each in asked]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    # --- answer by answer

    def _assess_results(self, judge):
        """Those that nobody has assessed yet."""
        results = EvalResult.objects.filter(run=self.run)
        waiting = results.filter(passed=None, checks=[], revision__erased_at=None)
        self.done = results.count() - waiting.count()
        rows = waiting.select_related("revision").order_by("id").iterator(chunk_size=BATCH)
        assessed = []
        for batch in batches(rows, judging.AT_ONCE if judge else 1):
            self._assess_batch(batch, judge)
            assessed += batch
            if len(assessed) >= BATCH or time.monotonic() - self.beat_at >= BEAT:
                self._keep(assessed)
                assessed = []
        self._keep(assessed)

    def _assess_batch(self, batch, judge):
        rules = self.run.rules
        held = []
        for result in batch:
            case = _gold_case(result.revision)
            found = assess(
                case,
                result.output,
                house_assertions=rules["assertions"],
                min_likeness=rules["min_likeness"],
            )
            held.append((case, result.output, found))
            self._beat_in_time()
        founds = [found for _case, _output, found in held]
        if judge:
            founds = self._together(lambda each: judging.decide(judge, *each), held)
        for result, found in zip(batch, founds, strict=True):
            result.passed, result.likeness = found.passed, found.likeness
            result.checks = [check.as_json() for check in found.checks]

    def _keep(self, assessed):
        """Write down what was found, but for those whose person was erased meanwhile; hand over when it is time."""
        with transaction.atomic():
            rows = EvalResult.objects.filter(pk__in=[each.pk for each in assessed])
            list(rows.select_for_update().order_by("pk").values_list("pk"))
            erased = set(rows.exclude(revision__erased_at=None).values_list("pk", flat=True))
            EvalResult.objects.bulk_update(
                [each for each in assessed if each.pk not in erased],
                ["passed", "likeness", "checks"],
            )
            self.done += len(assessed)
            self._beat(progress_count=self.done)
        if time.monotonic() - self.began >= SHIFT:
            raise _ShiftOver

    # --- the sum

    @transaction.atomic
    def _finish(self, trust) -> EvalRun:
        run, rules = self.run, self.run.rules
        run.results.exclude(revision__erased_at=None).update(output="", checks=[])
        baseline = last_accepted(run)
        thresholds = Thresholds(
            overall=rules["overall"],
            severities=rules["severities"],
            categories=shares_now(run.project, rules["categories"]),
            most_broken=rules["most_broken"],
        )
        accepted = baseline and {
            each.id: each.passed for each in case_results(baseline) if not each.is_undecided
        }
        summary = summarise(case_results(run), thresholds, accepted)
        summary["judge"] = trust
        is_ours = self.move(
            state="done",
            passed=summary["passed"],
            is_accepted=summary["passed"],
            summary=summary,
            baseline=baseline,
            finished_at=timezone.now(),
        )
        if not is_ours:
            raise _Lost
        _forget_words(EvalRun.objects.filter(pk=run.pk))  # of who was erased while it was summed up
        outbox.publish("evaluation_finished", project=run.project, run_id=run.pk)
        run.refresh_from_db()
        return run


def _gold_case(revision) -> GoldCase:
    return GoldCase(
        ideal_answer=revision.ideal_answer,
        rejected_answers=revision.rejected_answers,
        assertions=revision.assertions,
        context=revision.context,
    )


def last_accepted(run: EvalRun) -> EvalRun | None:
    """The newest run before this one, on the same split of whichever version, that may ship."""
    return (
        EvalRun.objects.filter(
            project=run.project_id, split=run.split, is_accepted=True, pk__lt=run.pk
        )
        .order_by("-id")
        .first()
    )


def case_results(run: EvalRun) -> list[CaseResult]:
    """Each case of the run's split with its attempts added up; one that nobody answered has none.

    What was merged counts with what it was merged into. Of what a training file has the near-duplicates prove nothing either.
    """
    found = {}
    given_out = GoldExample.objects.filter(project=run.project_id, is_contaminated=True)
    groups = given_out.exclude(interaction__signature=None)
    contaminated = set(groups.values_list("interaction__signature__group", flat=True))
    categories = ProjectCategories(run.project)
    rows = (
        EvalResult.objects.filter(run=run)
        .only("revision_id", "passed", "checks")
        .order_by("revision_id", "attempt")
    )
    for revision_id, attempts in groupby(rows.iterator(), attrgetter("revision_id")):
        found[revision_id] = list(attempts)
    members = cases(run.version, run.split).values_list(
        "revision_id",
        "revision__example__public_id",
        "revision__labels",
        "revision__settlement__schema_name",
        "revision__example__is_contaminated",
        "revision__example__interaction__signature__group",
    )
    return [
        CaseResult(
            id=str(public_id),
            severity=labels.get("severity") or "none",
            categories=categories.count_as(labels.get("categories") or [], schema_name),
            attempts=len(attempts := found.get(revision_id, [])),
            passed_attempts=sum(each.passed is True for each in attempts),
            undecided_attempts=sum(each.passed is None for each in attempts),
            why=_why(attempts),
            is_contaminated=is_contaminated or group in contaminated,
        )
        for revision_id, public_id, labels, schema_name, is_contaminated, group in members
    ]


def _why(attempts) -> str:
    if not attempts:
        return "No answer was sent."
    checks = (check for each in attempts if each.passed is False for check in each.checks)
    return next((check["why"][:300] for check in checks if check["passed"] is False), "")


def take_back_abandoned() -> int:
    """Runs whose worker died go back to the queue, and forgotten ones get their bell rung; answers how many."""
    from annotation import tasks

    now = timezone.now()
    EvalRun.objects.filter(state="running", lease_until__lt=now).update(
        state="pending", lease_until=None
    )
    waiting = list(
        EvalRun.objects.filter(state="pending", created_at__lt=now - timedelta(seconds=20))
        .order_by("id")
        .values_list("pk", flat=True)[:100]
    )
    for run_id in waiting:
        ring(tasks.assess_evaluation, run_id=run_id)
    return len(waiting)


# --- erasure --------------------------------------------------------------------------------------


@transaction.atomic
def forget_answers(*, revisions) -> None:
    """Empty what candidates answered to these erased cases, and the words of it that summaries quote."""
    results = EvalResult.objects.filter(revision__in=revisions).order_by("pk")
    list(results.select_for_update().values_list("pk"))
    results.update(output="", checks=[])
    _forget_words(EvalRun.objects.filter(results__revision__in=revisions))


def _forget_words(runs) -> None:
    for run in EvalRun.objects.filter(pk__in=runs.values("pk")).select_for_update().order_by("pk"):
        erased = run.results.exclude(revision__erased_at=None)
        ids = {
            str(public_id)
            for public_id in erased.values_list("revision__example__public_id", flat=True)
        }
        if ids:
            EvalRun.objects.filter(pk=run.pk).update(summary=without_words(run.summary, ids))
