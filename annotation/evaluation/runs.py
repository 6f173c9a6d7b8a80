"""A candidate's answers taken in, assessed by a worker, compared with the last accepted run, accepted or not.

The holdout is used a counted number of times for each version (`GateRules.holdout_uses`): each use is a run on the record.
"""

import uuid
from datetime import timedelta
from itertools import groupby, islice
from operator import attrgetter

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.answers import is_storable
from annotation.evaluation import judge as judging
from annotation.evaluation.checks import GoldCase, assess
from annotation.evaluation.verdict import CaseResult, Thresholds, summarise
from annotation.models import EvalResult, EvalRun, GateRules, GoldVersion, GoldVersionMember, Split
from annotation.refusals import InvalidAnswer, Refusal, WrongState
from feedbackhub import outbox, redaction
from feedbackhub.doorbell import ring

LEASE = timedelta(seconds=60)
LEASE_WITH_A_JUDGE = timedelta(minutes=10)  # measuring it is up to eighty questions
BATCH = 200
JUDGED_AT_ONCE = 5  # answers between two heartbeats where each asks a model
MEASURED_ON = 1_000  # cases that are looked through for answers to measure a judge on
MOST_ATTEMPTS = 20
MOST_RESULTS = 30_000
LONGEST_OUTPUT = 1_048_576  # characters
MOST_ERRORS = 20
FIELDS = {"id", "output", "attempt"}


class HoldoutWornOut(Refusal):
    """The holdout of this version was used as often as the project allows."""


def rules_of(project) -> GateRules:
    """What a candidate must reach here; unsaved defaults until a lead changes them."""
    return GateRules.objects.filter(project=project).first() or GateRules(project=project)


def cases(version: GoldVersion, split: str):
    """The members that a candidate is asked, in a stable order."""
    return GoldVersionMember.objects.filter(
        version=version, split=split, revision__erased_at=None
    ).order_by("revision__example_id")


@transaction.atomic
def request_evaluation(
    *, version: GoldVersion, split: str, candidate: str, results, note="", versions=(), by=None
) -> EvalRun:
    """Take a candidate's answers in; a worker assesses them.

    `results`: [{"id": the example's, "output": text, "attempt": 1 to 20}]. Raises InvalidAnswer naming each row that
    does not fit, and HoldoutWornOut; then nothing is kept.
    """
    from annotation import tasks

    errors: dict[str, str] = {}
    candidate = _candidate(candidate, errors)
    if split not in Split.values:
        errors["split"] = _("Choose one of: %s.") % ", ".join(Split.values)
    version = GoldVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    known = {} if errors else _known(version, split)
    rows = _rows(results, known, errors) if not errors else []
    if errors:
        raise InvalidAnswer(errors)
    rules = rules_of(version.project)
    if split == Split.HOLDOUT:
        _use_holdout(version, rules)
    run = EvalRun.objects.create(
        project=version.project,
        version=version,
        split=split,
        candidate=candidate,
        versions=[str(each)[:200] for each in versions][:20],
        note=str(note)[:2_000],
        rules=_as_json(rules),
        total_count=len(rows),
        requested_by=by,
    )
    kinds = version.project.redaction_kinds
    enabled = None if kinds is None else frozenset(kinds)
    for batch in _batches(rows):
        EvalResult.objects.bulk_create(
            EvalResult(
                project=version.project,
                run=run,
                revision_id=known[row["id"]],
                attempt=row["attempt"],
                output=redaction.redact(row["output"], enabled=enabled).text,
            )
            for row in batch
        )
    ring(tasks.assess_evaluation, run_id=run.pk)
    return run


def _candidate(candidate, errors) -> str:
    if not isinstance(candidate, str) or not candidate.strip() or len(candidate) > 200:
        errors["candidate"] = _("Say in 1 to 200 characters what is held against gold.")
        return ""
    if not is_storable(candidate):
        errors["candidate"] = _("It holds a character that cannot be stored.")
    return candidate.strip()


def _known(version, split) -> dict[str, int]:
    members = cases(version, split).values_list("revision__example__public_id", "revision_id")
    return {str(public_id): revision for public_id, revision in members}


def _rows(results, known, errors) -> list[dict]:
    if not isinstance(results, list) or not results:
        errors["results"] = _("Send the candidate's answers: a list of {id, output}.")
        return []
    if len(results) > MOST_RESULTS:
        errors["results"] = _("At most %d answers at once.") % MOST_RESULTS
        return []
    rows, seen = [], set()
    for index, given in enumerate(results):
        wrong = _wrong(given, known)
        if not wrong:
            row = {"id": _plain_id(given["id"]), "output": given["output"]}
            row["attempt"] = given.get("attempt", 1)
            if (row["id"], row["attempt"]) in seen:
                wrong = _("This case was answered before, at the same attempt.")
            seen.add((row["id"], row["attempt"]))
            rows.append(row)
        if wrong:
            errors[f"results.{index}"] = wrong
            if len(errors) >= MOST_ERRORS:
                break
    return rows


def _wrong(given, known) -> str:
    if not isinstance(given, dict) or given.keys() - FIELDS:
        return _("Send an object of id, output and attempt.")
    if _plain_id(given.get("id")) not in known:
        return _("There is no such case in this split of this version.")
    output, attempt = given.get("output"), given.get("attempt", 1)
    if not isinstance(output, str) or len(output) > LONGEST_OUTPUT or not is_storable(output):
        return _("output is a text of at most %d characters.") % LONGEST_OUTPUT
    if not isinstance(attempt, int) or isinstance(attempt, bool):
        return _("attempt is a whole number.")
    if not 1 <= attempt <= MOST_ATTEMPTS:
        return _("attempt is between 1 and %d.") % MOST_ATTEMPTS
    return ""


def _plain_id(given) -> str:
    try:
        return str(uuid.UUID(given)) if isinstance(given, str) and len(given) <= 45 else ""
    except ValueError:
        return ""


def _use_holdout(version, rules) -> None:
    """The version's row is locked: two runs never share the last use."""
    used = EvalRun.objects.filter(version=version, split=Split.HOLDOUT).count()
    if used >= rules.holdout_uses:
        raise HoldoutWornOut(
            _(
                "The holdout of version %(number)d was used %(used)d times, as often as this project allows. Freeze a new"
                " version, or iterate on validation."
            )
            % {"number": version.number, "used": used}
        )


def _as_json(rules: GateRules) -> dict:
    return {
        "overall": rules.overall,
        "severities": rules.severities,
        "categories": rules.categories,
        "most_broken": rules.most_broken,
        "min_likeness": rules.min_likeness,
        "assertions": rules.assertions,
    }


# --- at work --------------------------------------------------------------------------------------


class _Lost(Exception):
    """Another worker has it now."""


def assess_evaluation(*, run_id: int) -> EvalRun | None:
    """Assess a waiting run; None when somebody else has it or it is over."""
    lease = _new_lease()
    if not EvalRun.objects.filter(pk=run_id, state="pending").update(
        state="running", lease_until=lease
    ):
        return None
    run = EvalRun.objects.select_related("version", "project").get(pk=run_id)
    try:
        judge, trust = _judge_of(run)
        lease = _beat(run, lease, 0)
        lease = _assess_results(run, lease, judge)
        return _finish(run, lease, trust)
    except _Lost:
        return None
    except Exception as error:
        EvalRun.objects.filter(pk=run_id, state="running").update(
            state="failed", failure=type(error).__name__, finished_at=timezone.now()
        )
        raise


def _new_lease():
    return timezone.now() + (LEASE_WITH_A_JUDGE if judging.configured() else LEASE)


def _judge_of(run):
    """(the judge, None unless it is trusted; how far it agrees with the people, None where nobody is asked)."""
    judge = judging.configured()
    if judge is None:
        return None, None
    members = GoldVersionMember.objects.filter(
        version=run.version,
        split__in=[Split.TRAIN, Split.VALIDATION],  # the holdout is not worn out by measuring
        revision__erased_at=None,
        revision__assertions__contains=[{"kind": "rubric"}],
    ).order_by("revision__example_id")[:MEASURED_ON]
    trust = judging.measure(judge, [_gold_case(each.revision) for each in members])
    return (judge if trust.is_trusted else None), trust


def _assess_results(run, lease, judge):
    done = 0
    results = EvalResult.objects.filter(run=run).select_related("revision").order_by("id")
    for batch in _batches(results.iterator(chunk_size=BATCH), JUDGED_AT_ONCE if judge else BATCH):
        for result in batch:
            case = _gold_case(result.revision)
            found = assess(
                case,
                result.output,
                house_assertions=run.rules["assertions"],
                min_likeness=run.rules["min_likeness"],
            )
            if judge:
                found = judging.decide(judge, case, result.output, found)
            result.passed, result.likeness = found.passed, found.likeness
            result.checks = [check.as_json() for check in found.checks]
        EvalResult.objects.bulk_update(batch, ["passed", "likeness", "checks"])
        done += len(batch)
        lease = _beat(run, lease, done)
    return lease


def _beat(run, lease, done):
    """Say how far we are and renew the lease; raises _Lost when it is not ours any more."""
    renewed = _new_lease()
    if not EvalRun.objects.filter(pk=run.pk, state="running", lease_until=lease).update(
        progress_count=done, lease_until=renewed
    ):
        raise _Lost
    return renewed


def _batches(rows, size=BATCH):
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def _gold_case(revision) -> GoldCase:
    return GoldCase(
        ideal_answer=revision.ideal_answer,
        rejected_answers=revision.rejected_answers,
        assertions=revision.assertions,
        context=revision.context,
    )


@transaction.atomic
def _finish(run, lease, trust) -> EvalRun:
    baseline = last_accepted(run)
    rules = run.rules
    thresholds = Thresholds(
        overall=rules["overall"],
        severities=rules["severities"],
        categories=rules["categories"],
        most_broken=rules["most_broken"],
    )
    accepted = baseline and {
        each.id: each.passed for each in case_results(baseline) if not each.is_undecided
    }
    summary = summarise(case_results(run), thresholds, accepted)
    summary["judge"] = trust.as_json() if trust else None
    is_ours = EvalRun.objects.filter(pk=run.pk, state="running", lease_until=lease).update(
        state="done",
        passed=summary["passed"],
        is_accepted=summary["passed"],
        summary=summary,
        baseline=baseline,
        lease_until=None,
        finished_at=timezone.now(),
    )
    if not is_ours:
        raise _Lost
    outbox.publish("evaluation_finished", project=run.project, run_id=run.pk)
    run.refresh_from_db()
    return run


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
    """Each case of the run's split with its attempts added up; one that nobody answered has none."""
    found = {}
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
        "revision__example__is_contaminated",
    )
    return [
        CaseResult(
            id=str(public_id),
            severity=labels.get("severity") or "none",
            categories=labels.get("categories") or [],
            attempts=len(attempts := found.get(revision_id, [])),
            passed_attempts=sum(each.passed is True for each in attempts),
            undecided_attempts=sum(each.passed is None for each in attempts),
            why=_why(attempts),
            is_contaminated=is_contaminated,
        )
        for revision_id, public_id, labels, is_contaminated in members
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
        EvalRun.objects.filter(Q(state="pending"), created_at__lt=now - timedelta(seconds=20))
        .order_by("id")
        .values_list("pk", flat=True)[:100]
    )
    for run_id in waiting:
        ring(tasks.assess_evaluation, run_id=run_id)
    return len(waiting)


# --- a lead's word --------------------------------------------------------------------------------


def override(*, run: EvalRun, by, reason: str) -> EvalRun:
    """Accept a run that fails, for a reason that stays on the record. Raises WrongState, InvalidAnswer."""
    if not reason.strip():
        raise InvalidAnswer({"reason": _("Say why it may ship although it fails.")})
    changed = EvalRun.objects.filter(
        pk=run.pk, state="done", passed=False, is_accepted=False
    ).update(
        is_accepted=True,
        override_reason=reason.strip()[:2_000],
        overridden_by=by,
        overridden_at=timezone.now(),
    )
    if not changed:
        raise WrongState(_("This run is accepted already, or not over."))
    run.refresh_from_db()
    return run


def change_rules(*, project, **fields) -> GateRules:
    """Set what candidates must reach from now on; runs that were made keep the rules they had."""
    rules, _is_new = GateRules.objects.update_or_create(project=project, defaults=fields)
    return rules
