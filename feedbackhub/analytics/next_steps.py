"""What somebody should do next: one count and one verb a line, for each role they hold.

Every count stops early, so the page costs the same however much waits. What is zero is not listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from annotation import calibration, pausing, queries
from annotation.approval import ready_for_gold
from annotation.models import Assignment, ExportRun, GoldRevision, GoldVersion, ReviewItem
from feedbackhub.accounts.models import ApiKey, Membership
from feedbackhub.accounts.permissions import Role
from feedbackhub.page_links import page_url
from triage.models import (
    Escalation,
    FixedProblem,
    Notice,
    Problem,
    Ticket,
    TicketState,
    TrackerConnection,
)

SOME = 200  # "200+" from here on
UNUSED = timedelta(days=7)  # a key this old that nobody ever used is worth a look


@dataclass(frozen=True)
class Step:
    """One line: how many, of what, and the verb that leads there."""

    count: str
    text: str
    verb: str = ""
    url: str = ""
    icon: str = "chevron-right"
    tone: str = ""
    at: datetime | None = None
    at_word: str = ""  # what `at` is the time of


@dataclass(frozen=True)
class Part:
    """One role's lines; `calm` is what is said when there are none."""

    role: str
    title: str | Promise
    calm: str | Promise
    steps: list[Step] = field(default_factory=list)


def for_member(membership: Membership) -> list[Part]:
    """The parts of the roles that somebody holds, in the order of the table of permissions."""
    return [
        Part(role, title(), calm(), list(steps(membership)))
        for role, (title, calm, steps) in _PARTS.items()
        if role in membership.roles
    ]


def _step(rows: QuerySet, text, **rest) -> Iterator[Step]:
    """A line for these rows, unless there are none."""
    number = rows.values("pk")[: SOME + 1].count()
    if number:
        yield Step(_capped(number), text % number, **rest)


def _capped(number: int) -> str:
    return f"{SOME}+" if number > SOME else str(number)


def _expert(membership):
    slug, figures = membership.project.slug, queries.header_figures(membership=membership)
    own = Assignment.objects.filter(project=membership.project_id, expert=membership.user_id)
    review = page_url("review", slug)
    yield from _step(
        own.filter(state=Assignment.State.RETURNED),
        ngettext_lazy(
            "judgement came back to you from a lead", "judgements came back to you from a lead"
        ),
        verb=_("Look again"),
        url=review,
        icon="arrow-uturn-left",
        tone="caution",
    )
    for score in calibration.below_the_bar(membership):
        yield Step(
            str(score.right),
            _(
                "of the last %(judged)d known cases in %(queue)s judged as they are settled; "
                "%(bar)d %% are asked for"
            )
            % {
                "judged": score.judged,
                "queue": score.queue,
                "bar": score.queue.calibration_bar,
            },
            verb=_("See"),
            url=page_url("my_figures", slug),
            icon="academic-cap",
            tone="caution",
        )
    for pause in pausing.pauses_of(membership):
        yield Step(
            "",
            pausing.why(pause),
            icon="pause-circle",
            tone="caution",
            at=pause.paused_at,
        )
    if figures.left_for_me:
        number = figures.left_for_me
        yield Step(
            _capped(number),
            ngettext("answer waits for you", "answers wait for you", number),
            verb=_("Review"),
            url=review,
            icon="pencil-square",
            tone="accent",
            at=figures.oldest_waiting_at,
            at_word=_("oldest"),
        )
    if figures.mine_today:
        number = figures.mine_today
        yield Step(
            str(number),
            ngettext("answer judged by you today", "answers judged by you today", number),
            verb=_("See yours"),
            url=page_url("review_finished", slug),
            icon="check-circle",
            tone="good",
        )


def _lead(membership):
    project, slug = membership.project, membership.project.slug
    figures = queries.header_figures(membership=membership)
    yield from _step(
        Escalation.objects.filter(project=project).waiting_for_a_person(),
        ngettext_lazy("escalation needs a person", "escalations need a person"),
        verb=_("Help"),
        url=page_url("problems", slug),
        icon="hand-raised",
        tone="bad",
    )
    yield from _step(
        Problem.objects.for_project(project).unsolved().filter(due_at__lt=timezone.now()),
        ngettext_lazy("problem is overdue", "problems are overdue"),
        verb=_("Repair"),
        url=page_url("problems", slug),
        icon="exclamation-triangle",
        tone="bad",
    )
    yield from _step(
        queries.waiting_for_lead(membership).order_by(),
        ngettext_lazy("dispute to settle", "disputes to settle"),
        verb=_("Settle"),
        url=f"{page_url('review_items', slug)}?state=needs_lead",
        icon="scale",
        tone="caution",
    )
    yield from _step(
        ReviewItem.objects.for_project(project).overdue(),
        ngettext_lazy(
            "answer should have been judged by now", "answers should have been judged by now"
        ),
        verb=_("See"),
        url=f"{page_url('review_items', slug)}?state=overdue",
        icon="clock",
        tone="caution",
    )
    below = calibration.experts_below(project)
    if below:
        yield Step(
            str(len(below)),
            ngettext(
                "expert is below the bar on known cases",
                "experts are below the bar on known cases",
                len(below),
            ),
            verb=_("See"),
            url=page_url("people", slug),
            icon="academic-cap",
            tone="caution",
        )
    fixed = FixedProblem.objects.filter(problem=OuterRef("escalation__problem"))
    yield from _step(
        Ticket.objects.filter(
            ~Exists(fixed),
            project=project,
            state=TicketState.DONE,
            escalation__problem__state__in=Problem.UNSOLVED_STATES,
        ),
        ngettext_lazy(
            "ticket is done, and nobody said what was fixed",
            "tickets are done, and nobody said what was fixed",
        ),
        verb=_("Record the fix"),
        url=page_url("fixes", slug),
        icon="wrench-screwdriver",
        tone="caution",
    )
    yield from _step(
        Notice.objects.filter(project=project, state=Notice.State.HELD),
        ngettext_lazy(
            "message to a reporter waits for your word", "messages to reporters wait for your word"
        ),
        verb=_("Release"),
        url=page_url("outbox", slug),
        icon="paper-airplane",
    )
    yield from _step(
        ready_for_gold(project),
        ngettext_lazy("settled case could become gold", "settled cases could become gold"),
        verb=_("Approve"),
        url=page_url("gold_approve", slug),
        icon="star",
        tone="accent",
    )
    if figures.left_for_all:
        number = figures.left_for_all
        yield Step(
            _capped(number),
            ngettext("answer waits for an expert", "answers wait for an expert", number),
            verb=_("Review"),
            url=page_url("review", slug),
            icon="pencil-square",
            at=figures.oldest_waiting_at,
            at_word=_("oldest"),
        )


def _engineer(membership):
    project, slug = membership.project, membership.project.slug
    last = GoldVersion.objects.filter(project=project).order_by("-number").first()
    fresh = GoldRevision.objects.filter(
        project=project, is_current=True, erased_at=None, example__retired_at=None
    )
    if last:
        fresh = fresh.filter(approved_at__gt=last.created_at)
    yield from _step(
        fresh,
        ngettext_lazy(
            "gold example approved that no version holds",
            "gold examples approved that no version holds",
        ),
        verb=_("Freeze"),
        url=page_url("gold_versions", slug),
        icon="star",
        tone="accent",
    )
    exports = ExportRun.objects.filter(project=project)
    yield from _step(
        exports.filter(state=ExportRun.State.FAILED, created_at__gt=timezone.now() - UNUSED),
        ngettext_lazy("export failed this week", "exports failed this week"),
        verb=_("Retry"),
        url=page_url("exports", slug),
        icon="x-circle",
        tone="bad",
    )
    if last:
        yield Step(
            f"v{last.number}",
            ngettext(
                "the last gold version, %d example",
                "the last gold version, %d examples",
                last.example_count,
            )
            % last.example_count,
            verb=_("Export"),
            url=page_url("exports", slug),
            icon="arrow-down-tray",
            at=last.created_at,
            at_word=_("frozen"),
        )
    newest = exports.filter(state=ExportRun.State.DONE).order_by("-pk").first()
    if newest:
        yield Step(
            f"{newest.row_count:,}",
            _("rows in the last export, %(format)s") % {"format": newest.format},
            verb=_("Download"),
            url=page_url("exports", slug),
            icon="document-arrow-down",
            at=newest.finished_at,
        )


def _owner(membership):
    project, slug = membership.project, membership.project.slug
    connections = TrackerConnection.objects.filter(project=project, is_active=True)
    yield from _step(
        connections.exclude(paused_reason=""),
        ngettext_lazy("tracker connection is paused", "tracker connections are paused"),
        verb=_("Repair"),
        url=page_url("settings_trackers", slug),
        icon="pause-circle",
        tone="bad",
    )
    if not connections.exists():
        yield Step(
            "0",
            _("trackers connected: harmful answers wait on the board"),
            verb=_("Connect"),
            url=page_url("settings_trackers", slug),
            icon="ticket",
            tone="caution",
        )
    keys = ApiKey.objects.live().filter(project=project)
    yield from _step(
        keys.filter(last_used_at=None, created_at__lt=timezone.now() - UNUSED),
        ngettext_lazy("key was never used", "keys were never used"),
        verb=_("Revoke"),
        url=page_url("settings_keys", slug),
        icon="key",
        tone="caution",
    )
    if not keys.exists():
        yield Step(
            "0",
            _("keys: your product cannot send anything yet"),
            verb=_("Make a key"),
            url=page_url("settings_keys", slug),
            icon="key",
            tone="caution",
        )


_PARTS = {
    Role.EXPERT: (
        lambda: _("To judge"),
        lambda: _("Nothing waits for you. Rules bring answers here as people complain."),
        _expert,
    ),
    Role.LEAD: (
        lambda: _("To decide"),
        lambda: _("Nothing waits for a lead: no dispute, nothing overdue, no case for gold."),
        _lead,
    ),
    Role.ENGINEER: (
        lambda: _("To learn from"),
        lambda: _("No gold yet. It grows as leads approve what experts settled."),
        _engineer,
    ),
    Role.OWNER: (
        lambda: _("To look after"),
        lambda: _("Trackers are connected, keys are in use. Nothing to do."),
        _owner,
    ),
}
