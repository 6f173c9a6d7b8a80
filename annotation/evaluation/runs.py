"""A candidate's answers taken in, and a lead's word on what came of them; `assessing` does what lies between.

The holdout is used a counted number of times (`GateRules.holdout_uses`): each use is a run, or an export that holds it, on
the record; and a new version of the same cases is no new holdout.
"""

import uuid
from itertools import islice

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.answers import is_storable
from annotation.models import (
    EvalResult,
    EvalRun,
    ExportRun,
    GateRules,
    GoldVersion,
    GoldVersionMember,
    Split,
)
from annotation.refusals import InvalidAnswer, Refusal, WrongState
from annotation.schema_history import ProjectCategories
from feedbackhub import redaction
from feedbackhub.doorbell import ring

BATCH = 200
MOST_ATTEMPTS = 20
MOST_RESULTS = 30_000
LONGEST_OUTPUT = 1_048_576  # characters
MOST_ERRORS = 20
FIELDS = {"id", "output", "attempt"}


class HoldoutWornOut(Refusal):
    """The cases of this holdout were used as often as the project allows."""


def rules_of(project) -> GateRules:
    """What a candidate must reach here; unsaved defaults until a lead changes them."""
    return GateRules.objects.filter(project=project).first() or GateRules(project=project)


def cases(version: GoldVersion, split: str):
    """The members that a candidate is asked, in a stable order; not those whose split has become stricter since."""
    return still_of_their_split(version).filter(split=split).order_by("revision__example_id")


def still_of_their_split(version: GoldVersion):
    return GoldVersionMember.objects.filter(
        version=version, revision__erased_at=None, revision__example__split=F("split")
    )


def holdout_used(version: GoldVersion) -> int:
    """How often candidates were held against any case of this version's holdout, or it was exported, in whichever version.

    An export that was cancelled before anybody was given a file of it used nothing.
    """
    held_out = GoldVersionMember.objects.filter(split=Split.HOLDOUT)
    cases = held_out.filter(version=version).values("revision__example")
    shared = held_out.filter(version=OuterRef("version"), revision__example__in=cases)
    runs = EvalRun.objects.filter(project=version.project_id, split=Split.HOLDOUT)
    exports = ExportRun.objects.filter(
        project=version.project_id, filter__contains={"splits": [Split.HOLDOUT]}
    ).exclude(state=ExportRun.State.CANCELLED, first_done_at=None)
    ours = Q(version=version) | Exists(shared)
    return runs.filter(ours).count() + exports.filter(ours).count()


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
    for name, texts in (("versions", versions), ("note", [note])):
        if not all(is_storable(str(each)) for each in texts):
            errors[name] = _("It holds a character that cannot be stored.")
    if split not in Split.values:
        errors["split"] = _("Choose one of: %s.") % ", ".join(Split.values)
    known = {} if errors else _known(version, split)
    rows = _rows(results, known, errors) if not errors else []
    if errors:
        raise InvalidAnswer(errors)
    rules = rules_of(version.project)
    if split == Split.HOLDOUT:
        use_holdout(version)
    run = EvalRun.objects.create(
        project=version.project,
        version=version,
        split=split,
        candidate=candidate,
        versions=_versions(candidate, versions),
        note=str(note)[:2_000],
        rules=_as_json(rules),
        total_count=len(rows),
        requested_by=by,
    )
    kinds = version.project.redaction_kinds
    enabled = None if kinds is None else frozenset(kinds)
    for batch in batches(rows, BATCH):
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


def batches(rows, size):
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def _candidate(candidate, errors) -> str:
    if not isinstance(candidate, str) or not candidate.strip() or len(candidate) > 200:
        errors["candidate"] = _("Say in 1 to 200 characters what is held against gold.")
        return ""
    if not is_storable(candidate):
        errors["candidate"] = _("It holds a character that cannot be stored.")
    return candidate.strip()


def _versions(candidate, more) -> list[str]:
    """What it is made of: what was said, and the versions in the name=version words of the candidate."""
    named = [word.partition("=")[2] for word in candidate.split() if "=" in word[1:]]
    said = dict.fromkeys(" ".join(str(each).split())[:200] for each in (*more, *named))
    return [each for each in said if each][:20]


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


def use_holdout(version: GoldVersion) -> None:
    """Make sure that one more use is allowed; the caller writes it down in the same transaction. Raises HoldoutWornOut.

    The project's first version is locked: two runs never share the last use, whichever versions they name.
    """
    GoldVersion.objects.select_for_update(no_key=True).filter(project=version.project_id).earliest(
        "id"
    )
    used = holdout_used(version)
    if used >= rules_of(version.project).holdout_uses:
        raise HoldoutWornOut(
            _(
                "The cases of the holdout of version %(number)d were used %(used)d times, as often as this project allows;"
                " another version with them changes nothing. Iterate on validation."
            )
            % {"number": version.number, "used": used}
        )


def shares_now(project, shares: dict[str, float]) -> dict[str, float]:
    """The shares that categories must reach; of those that were merged the higher one holds."""
    merged = ProjectCategories(project).merged()
    found: dict[str, float] = {}
    for key, share in shares.items():
        key = merged.get(key, key)
        found[key] = max(share, found.get(key, 0))
    return found


def _as_json(rules: GateRules) -> dict:
    return {
        "overall": rules.overall,
        "severities": rules.severities,
        "categories": shares_now(rules.project, rules.categories),
        "most_broken": rules.most_broken,
        "min_likeness": rules.min_likeness,
        "assertions": rules.assertions,
    }


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
