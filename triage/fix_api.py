"""Fixes and reports for programs: a deploy pipeline says what shipped and how the cases come out, a product how reports stand."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from rest_framework.response import Response

from feedbackhub import filters, redaction
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture.erasure import person_hash
from feedbackhub.capture.models import FeedbackEvent, Interaction
from triage import fixing, reporter_link, verification
from triage.api_shapes import FixBody, FixShape, ReplayBody, ReplayedShape, ReportShape
from triage.complaints import is_complaint
from triage.models import Fix, Notice, Problem, ProblemMember
from triage.reporter_views import words_of

MOST_NAMED = 200
MOST_REPLAYS = 1_000
LONGEST_SUMMARY = 4_000
LONGEST_ID = 200
LONGEST_OUTPUT = 1_048_576
REPAIRED = ("shipped", "verified")
RECEIVED = "We received it."  # of a report that belongs to no problem


# --- recording ------------------------------------------------------------------------------------


@dataclass
class _Fix:
    """A fix as it was sent, or what is wrong with it."""

    external_id: str | None = None
    summary: str = ""
    numbers: list[int] = field(default_factory=list)
    public_ids: list[uuid.UUID] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    carrier: str = Fix.Carrier.PROMPT
    version: str = ""
    is_planned: bool = False
    shipped_at: datetime | None = None
    errors: list[dict] = field(default_factory=list)


class FixesView(ProjectListView):
    """POST records what shipped, once for each `id` of the pipeline's own; GET lists fixes, newest first.

    `{"id", "summary", "problems": [12, "P13", "<id>"], "tickets": ["TAX-220"], "carrier", "version", "state", "shipped_at"}`.
    The summary is what reporters read; `shipped_at` is for what shipped earlier. Sent again with the same content it is the same answer (200); a planned one that
    comes again as shipped ships; another content under the same id is a conflict.
    """

    scopes = {"GET": "triage", "POST": "triage"}
    takes = {"POST": FixBody}
    gives = {"POST": {201: FixShape, 200: FixShape}}
    row = FixShape

    def rows(self):
        return (
            Fix.objects.filter(project=self.project)
            .select_related("told_by")
            .prefetch_related("problems")
        )

    def show(self, row):
        return _shown(row)

    @transaction.atomic
    def post(self, request):
        given = _read_fix(request.data)
        if given.errors:
            raise invalid(given.errors)
        problems = _problems(self.project, given)
        known = (
            given.external_id
            and Fix.objects.filter(project=self.project, external_id=given.external_id).first()
        )
        if known:
            return Response(_again(known, given, problems))
        try:
            fix = fixing.record_fix(
                project=self.project,
                summary=given.summary,
                problems_fixed=problems,
                carrier=given.carrier,
                carrier_version=given.version,
                external_id=given.external_id,
                is_planned=given.is_planned,
                shipped_at=given.shipped_at,
            )
        except fixing.FixRefused as refused:
            raise invalid([{"field": "", "message": str(refused)}]) from None
        return Response(_shown(fix), status=201)


def _again(fix, given, problems) -> dict:
    is_same = (
        (fix.summary, fix.carrier, fix.carrier_version)
        == (given.summary.strip(), given.carrier, given.version)
    ) and {problem.pk for problem in problems} == set(fix.problems.values_list("pk", flat=True))
    if not is_same:
        raise conflict("This id was used for another fix. Choose a new one.", current=_shown(fix))
    if fix.state == Fix.State.PLANNED and not given.is_planned:
        fixing.ship_fix(fix=fix, at=given.shipped_at)
    return _shown(fix)


def _problems(project, given) -> list[Problem]:
    try:
        return fixing.find_problems(
            project=project,
            numbers=given.numbers,
            public_ids=given.public_ids,
            ticket_keys=given.tickets,
        )
    except ValidationError as unknown:
        raise invalid(
            [{"field": "problems", "message": sentence} for sentence in unknown.messages]
        ) from None


def _shown(fix) -> dict:
    told = getattr(fix, "told_by", None)
    return {
        "id": fix.public_id,
        "external_id": fix.external_id,
        "summary": fix.summary,
        "carrier": fix.carrier,
        "version": fix.carrier_version,
        "state": fix.state,
        "to_confirm": fix.to_confirm,
        "ticket": told.key if told else "",
        "problems": sorted(problem.number for problem in fix.problems.all()),
        "created_at": fix.created_at,
        "shipped_at": fix.shipped_at,
        "verified_at": fix.verified_at,
        "recurred_at": fix.recurred_at,
        "evidence": {name: fix.evidence[name] for name in _TOLD_EVIDENCE if name in fix.evidence},
    }


_TOLD_EVIDENCE = ("how", "cases", "rates", "is_early", "recurrence")


_FIELDS = ("id", "summary", "problems", "tickets", "carrier", "version", "state", "shipped_at")


def _read_fix(body) -> _Fix:
    found = _Fix()
    if not isinstance(body, dict):
        found.errors.append({"field": "", "message": "Send a JSON object."})
        return found
    say = lambda name, message: found.errors.append({"field": name, "message": message})  # noqa: E731
    for name in body.keys() - set(_FIELDS):
        say(name[:80], f"There is no such field. Known: {', '.join(_FIELDS)}.")
    found.external_id = _text(body, "id", LONGEST_ID, say) or None
    found.summary = _text(body, "summary", LONGEST_SUMMARY, say)
    if "summary" not in body or (isinstance(body["summary"], str) and not found.summary.strip()):
        say("summary", "Say what changed, in words that a reporter understands.")
    found.version = _text(body, "version", LONGEST_ID, say)
    found.carrier = _one_of(body, "carrier", Fix.Carrier.values, Fix.Carrier.PROMPT, say)
    state = _one_of(body, "state", ("planned", "shipped"), "shipped", say)
    found.is_planned = state == "planned"
    if "shipped_at" in body:
        found.shipped_at = _past(body["shipped_at"], say)
    for place, word in enumerate(_list(body, "problems", say)):
        _sort_problem(word, f"problems[{place}]", found, say)
    for place, key in enumerate(_list(body, "tickets", say)):
        if isinstance(key, str) and 0 < len(key) <= LONGEST_ID:
            found.tickets.append(key)
        else:
            say(f"tickets[{place}]", "A ticket's key, such as TAX-220.")
    if not body.get("problems") and not body.get("tickets"):
        say("problems", "Name at least one problem or ticket that this solves.")
    return found


def _sort_problem(word, path, found, say):
    if isinstance(word, str) and word[:1] in "Pp" and word[1:].isascii() and word[1:].isdigit():
        word = int(word[1:10]) if len(word) <= 10 else -1
    if isinstance(word, int) and not isinstance(word, bool):
        if 0 < word < 2**31:
            found.numbers.append(word)
        else:
            say(path, "There is no such problem.")
        return
    try:
        found.public_ids.append(uuid.UUID(word))
    except (ValueError, TypeError, AttributeError):
        say(path, "A problem's number, such as 12, or its id.")


def _text(body, name, longest, say) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        say(name, "Send text.")
    elif len(value) > longest:
        say(name, f"At most {longest} characters.")
    else:
        return value
    return ""


def _past(value, say) -> datetime | None:
    try:
        when = datetime.fromisoformat(value) if value.isascii() else None
    except (ValueError, AttributeError):
        when = None
    if when is None or when.tzinfo is None or not _LONG_AGO < when <= timezone.now():
        say("shipped_at", "A time that has passed, with its offset, such as 2026-11-20T08:00:00Z.")
        return None
    return when


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _one_of(body, name, allowed, default, say) -> str:
    value = body.get(name, default)
    if value in allowed:
        return value
    say(name, f"One of {', '.join(allowed)}.")
    return default


def _list(body, name, say) -> list:
    value = body.get(name, [])
    if not isinstance(value, list):
        say(name, "Send a list.")
    elif len(value) > MOST_NAMED:
        say(name, f"At most {MOST_NAMED}.")
    else:
        return value
    return []


# --- replays --------------------------------------------------------------------------------------


class ReplaysView(ProjectAPIView):
    """How a fix's own cases come out now: `[{"interaction_id", "passed", "output"}]`, all of them or none are kept.

    The fix is named by its id here or by the pipeline's own. When the last case has passed, a shipped fix is verified.
    """

    scopes = {"POST": "triage"}
    takes = {"POST": ReplayBody | list[ReplayBody]}
    gives = {"POST": {200: ReplayedShape}}

    @transaction.atomic
    def post(self, request, fix):
        found = _find_fix(self.project, fix)
        if found.to_confirm:
            raise conflict(
                "Only a ticket says so yet. Confirm this fix before replaying its cases."
            )
        rows = request.data if isinstance(request.data, list) else [request.data]
        cases = self._cases(found, rows)
        verification.record_results(
            fix=found,
            results=[
                verification.Result(interaction, row["passed"], self._masked(row.get("output", "")))
                for interaction, row in cases
            ],
        )
        found.refresh_from_db()
        return Response(
            {
                "id": found.public_id,
                "state": found.state,
                "accepted": len(cases),
                "open_cases": verification.open_cases(found)[:MOST_REPLAYS],
            }
        )

    def _cases(self, fix, rows) -> list:
        errors = _replay_errors(rows)
        if errors:
            raise invalid(errors)
        known = {
            interaction.external_id: interaction
            for interaction in Interaction.objects.filter(
                project=self.project,
                external_id__in=[row["interaction_id"] for row in rows],
                problem_members__in=fixing.cases_of(fix),
                erased_at=None,
            )
        }
        errors = [
            {
                "field": f"[{place}].interaction_id",
                "message": "It is no case of this fix's problems.",
            }
            for place, row in enumerate(rows)
            if row["interaction_id"] not in known
        ]
        if errors:
            raise invalid(errors)
        return [(known[row["interaction_id"]], row) for row in rows]

    def _masked(self, output: str) -> str:
        kinds = self.project.redaction_kinds
        return redaction.redact(output, enabled=None if kinds is None else frozenset(kinds)).text


def _find_fix(project, name) -> Fix:
    rows = Fix.objects.select_for_update().filter(project=project)
    try:
        found = rows.filter(public_id=uuid.UUID(name)).first()
    except ValueError:
        found = None
    found = found or rows.filter(external_id=name).first()
    if found is None:
        raise not_found()
    return found


def _replay_errors(rows) -> list[dict]:
    if not 0 < len(rows) <= MOST_REPLAYS:
        return [{"field": "", "message": f"Send 1 to {MOST_REPLAYS} replays."}]
    errors = []
    for place, row in enumerate(rows):
        path = f"[{place}]"
        if not isinstance(row, dict):
            errors.append({"field": path, "message": "Send a JSON object."})
            continue
        say = lambda name, message, path=path: errors.append(  # noqa: E731
            {"field": f"{path}.{name}", "message": message}
        )
        for name in row.keys() - {"interaction_id", "passed", "output"}:
            say(name[:80], "There is no such field. Known: interaction_id, passed, output.")
        if not _text(row, "interaction_id", LONGEST_ID, say):
            say("interaction_id", "Name the case.")
        if not isinstance(row.get("passed"), bool):
            say("passed", "true or false.")
        _text(row, "output", LONGEST_OUTPUT, say)
    return errors


# --- reports --------------------------------------------------------------------------------------


class ReportsView(ProjectListView):
    """One reporter's reports and how each stands in plain words, newest first, for the product's own page.

    `reporter` is the reference that the product sends with feedback. Nobody is known by it → an empty list.
    """

    scopes = {"GET": "triage"}
    row = ReportShape
    order = ("-occurred_at", "-id")

    def get(self, request):
        given = request.query_params.get("reporter", "")
        if not 0 < len(given) <= LONGEST_ID or "\0" in given:
            raise invalid([{"field": "reporter", "message": "Name the reporter's reference."}])
        self.filters = {
            "reporter": filters.Filter(
                filters.text("reporter").read,
                lambda values: Q(
                    reporter__ref_hash=person_hash(project=self.project, reference=values[-1])
                ),
            )
        }
        return super().get(request)

    def rows(self):
        return FeedbackEvent.objects.filter(is_complaint(), project=self.project, erased_at=None)

    def show_all(self, rows):
        problems = _problems_reported(rows)
        how = verification.how_verified([problem.pk for problem in problems.values()])
        states = {interaction: problem.state for interaction, problem in problems.items()}
        words = {
            interaction: str(words_of(problem.state, how.get(problem.pk, "")))
            for interaction, problem in problems.items()
        }
        done, pages = _what_was_done(rows, states)
        return [
            {
                "id": row.external_id or str(row.public_id),
                "interaction_id": row.interaction_external_id,
                "kind": row.kind,
                "category": row.category,
                "reported_at": row.occurred_at,
                "state": states.get(row.interaction_id, "received"),
                "words": words.get(row.interaction_id, RECEIVED),
                "what_was_done": getattr(done.get(row.interaction_id), "summary", ""),
                "page": pages.get(row.pk, ""),
            }
            for row in rows
        ]


def _problems_reported(rows) -> dict[int, Problem]:
    """{interaction: its problem}, of a duplicate the problem that it is a duplicate of."""
    return {
        member.interaction_id: member.problem.duplicate_of or member.problem
        for member in ProblemMember.objects.filter(
            interaction__in=[row.interaction_id for row in rows], left_at=None
        ).select_related("problem__duplicate_of")
    }


def _what_was_done(rows, states) -> tuple[dict[int, Fix], dict[int, str]]:
    """{interaction: the newest fix of its problem, where that holds}, and {report: the link of its reporter's page}."""
    repaired = [row.interaction_id for row in rows if states.get(row.interaction_id) in REPAIRED]
    found = dict(
        ProblemMember.objects.filter(
            interaction__in=repaired,
            left_at=None,
            problem__fixes__state__in=REPAIRED,
            problem__fixes__recurred_at=None,
            problem__fixes__shipped_at__gte=F("interaction__occurred_at"),
        )
        .order_by("problem__fixes__shipped_at", "problem__fixes")
        .values_list("interaction", "problem__fixes")
    )
    fixes = Fix.objects.in_bulk(list(found.values()))
    told = {
        (notice.fix_id, notice.reporter_id): reporter_link.page_of(notice)
        for notice in Notice.objects.filter(
            fix__in=fixes,
            reporter__in=[row.reporter_id for row in rows],
            state=Notice.State.SENT,  # what a lead holds back is nobody's to read yet
        )
    }
    done = {interaction: fixes[fix] for interaction, fix in found.items()}
    pages = {row.pk: told.get((found.get(row.interaction_id), row.reporter_id), "") for row in rows}
    return done, pages
