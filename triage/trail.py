"""What triage adds to the trail of an interaction: its problem, tickets, fixes, and who was told; never an address."""

from django.utils.translation import gettext as _

from annotation.lineage import onward
from feedbackhub.capture.trail import TrailEntry, contributor
from feedbackhub.page_links import page_url
from triage.models import Escalation, Fix, FixedProblem, Notice, ProblemMember, TicketState


@contributor
def _triaged(interaction):
    members = list(
        ProblemMember.objects.filter(interaction=interaction)
        .select_related("problem", "project")
        .order_by("id")
    )
    for member in members:
        yield from _problem(member)
    current = [member.problem for member in members if member.left_at is None]
    if current:
        slug = members[0].project.slug
        yield from _tickets(current)
        yield from _fixes(current, slug)
        yield from _notices(current, interaction)


def _problem(member):
    problem, slug = member.problem, member.project.slug
    name = f"P{problem.number} {problem.title}"
    link = page_url("problem", slug, problem.number)
    yield TrailEntry(
        at=member.joined_at,
        kind="problem",
        title=_("Joined a problem"),
        text=name,
        facts={
            "number": problem.number,
            "state": problem.state,
            "severity": member.severity,
            "source": member.source,
        },
        link=link,
    )
    if member.left_at:
        yield TrailEntry(
            at=member.left_at, kind="problem", title=_("Left the problem"), text=name, link=link
        )


def _tickets(found):
    for escalation in (
        Escalation.objects.filter(problem__in=found, ticket__isnull=False)
        .select_related("ticket", "connection")
        .order_by("id")
    ):
        ticket = escalation.ticket
        yield TrailEntry(
            at=escalation.filed_at or ticket.created_at,
            kind="ticket",
            title=_("Ticket %s") % ticket.key,
            facts={"state": ticket.state, "connection": escalation.connection.name},
        )
        if ticket.state != TicketState.OPEN:
            yield TrailEntry(
                at=ticket.remote_updated_at or ticket.seen_at,
                kind="ticket",
                title=_("%(key)s is %(state)s")
                % {"key": ticket.key, "state": ticket.get_state_display().lower()},
                facts={"status": ticket.status_name},
            )


def _fixes(found, slug):
    for each in (
        FixedProblem.objects.filter(problem__in=found, fix__to_confirm=False)
        .select_related("fix")
        .distinct("fix")
        .order_by("fix")
    ):
        fix = each.fix
        link = page_url("fix", slug, fix.public_id)
        facts = {
            "state": fix.state,
            "carrier": fix.carrier,
            "version": fix.carrier_version,
        }
        title = _("Fix planned") if fix.state == Fix.State.PLANNED else _("Fix shipped")
        yield TrailEntry(
            at=fix.shipped_at or fix.created_at,
            kind="fix",
            title=title,
            text=fix.summary,
            facts=facts,
            link=link,
        )
        if fix.verified_at:
            yield TrailEntry(at=fix.verified_at, kind="fix", title=_("Fix verified"), link=link)


def _notices(found, interaction):
    """Those who reported this very answer; by their pseudonym's public id, never by name or address."""
    for notice in (
        Notice.objects.filter(fix__problems__in=found, reporter__feedback__interaction=interaction)
        .select_related("reporter")
        .distinct()
        .order_by("id")
    ):
        yield TrailEntry(
            at=notice.sent_at or notice.created_at,
            kind="notice",
            title=_("Its reporter was told")
            if notice.state == Notice.State.SENT
            else _("A notice to its reporter: %s") % notice.get_state_display().lower(),
            facts={"state": notice.state, "reporter": str(notice.reporter.public_id)},
        )


@onward
def _problems_and_fixes(example):
    """The problems that a gold example's interaction is in, and the fixes of those."""
    members = ProblemMember.objects.filter(interaction=example.interaction_id, left_at=None)
    problems = [member.problem for member in members.select_related("problem").order_by("id")]
    fixes = (
        Fix.objects.filter(problems__in=problems, to_confirm=False).distinct().order_by("id")
        if problems
        else []
    )
    return {
        "problems": [
            {"number": each.number, "title": each.title, "state": each.state} for each in problems
        ],
        "fixes": [
            {"id": fix.public_id, "summary": fix.summary, "state": fix.state} for fix in fixes
        ],
    }
