"""What a ticket says: the problem's figures, its worst case with everything to reproduce it, what people said.

All of it leaves the house, so free text is redacted once more; all of it is hostile, so it goes as `Verbatim` and
`Facts`, which the adapters render inert and cut to size.
"""

from django.db.models import Case, IntegerField, Value, When

from annotation import recall
from feedbackhub import redaction
from feedbackhub.capture.vocabulary import Severity
from triage import evidence
from triage.links import problem_url
from triage.models import ProblemMember
from triage.trackers.base import Block, Facts, Heading, Paragraph, TicketDraft, Verbatim

_COMMENTS = 5
_DOCUMENTS = 8
_OTHER_CASES = 10


def draft(*, escalation) -> TicketDraft:
    """The ticket for this problem as it is known now."""
    problem = escalation.problem
    members = list(cases(problem)[: _OTHER_CASES + 1])
    blocks = [*_about(problem), *_earlier(escalation)]
    if members:
        blocks += _the_case(members[0])
        blocks += _other_cases(members[1:])
    worst = members[0].interaction if members else None
    return TicketDraft(
        title=_masked(problem.title),
        blocks=tuple(blocks),
        marker=escalation.marker,
        link_back_url=problem_url(problem),
        severity=problem.severity,
        labels=tuple(filter(None, ("feedbackhub", str(problem.severity), problem.category))),
        trace_url=worst.trace_url if worst else "",
    )


def cases(problem):
    """The problem's members, the worst first, then the newest."""
    return (
        ProblemMember.objects.filter(problem=problem, left_at=None, interaction__erased_at=None)
        .select_related("interaction__prompt_version", "settlement__chosen_answer")
        .order_by(_BY_SEVERITY.desc(), "-interaction__occurred_at", "-id")
    )


_BY_SEVERITY = Case(
    *(When(severity=severity, then=Value(severity.rank)) for severity in Severity),
    output_field=IntegerField(),
)


def _about(problem) -> list[Block]:
    rows = (
        ("Problem", f"P{problem.number}"),
        ("Severity", problem.severity),
        ("Category", problem.category),
        ("Cases", str(problem.member_count)),
        ("People", str(problem.reach)),
        ("Newest case", _moment(problem.last_seen_at)),
        ("Due", _moment(problem.due_at)),
    )
    blocks: list[Block] = [Facts(tuple(row for row in rows if row[1]))]
    if problem.summary:
        blocks.append(Verbatim(_masked(problem.summary)))
    return blocks


def _earlier(escalation) -> list[Block]:
    if not escalation.earlier_tickets:
        return []
    keys = ", ".join(ticket["key"] for ticket in escalation.earlier_tickets)
    return [
        Paragraph("It is open again, and its ticket could not be reopened."),
        Facts((("Earlier", keys),)),
    ]


def _the_case(member) -> list[Block]:
    interaction, settlement = member.interaction, member.settlement
    blocks: list[Block] = [
        Heading("A case"),
        _where_it_came_from(interaction),
        Paragraph("Asked:"),
        Verbatim(_masked(interaction.last_user_message)),
        Paragraph("Answered:"),
        Verbatim(_masked(interaction.output)),
    ]
    spans, notes, better = _judgement(interaction, settlement)
    comments, kept_back = _comments(interaction), ""
    if better and not recall.placed_outside_the_holdout([interaction.pk]):
        kept_back, better = better, ""  # a ticket's text goes into prompts (rule 6)
    if spans:
        blocks += [Heading("What is wrong in it"), Facts(spans)]
    for note in notes:
        if not evidence.quotes(note, kept_back):
            blocks += [Paragraph("An expert says:"), Verbatim(_masked(note))]
    if better:
        blocks += [Paragraph("A right answer would be:"), Verbatim(_masked(better))]
    blocks += _what_people_said([said for said in comments if not evidence.quotes(said, kept_back)])
    documents = interaction.documents.all()[:_DOCUMENTS]
    if documents:
        blocks += [
            Heading("Sources it was given"),
            Facts(
                tuple(
                    (f"Source {document.position + 1}", _document_line(document))
                    for document in documents
                )
            ),
        ]
    return blocks


def _where_it_came_from(interaction) -> Facts:
    prompt = interaction.prompt_version
    rows = (
        ("Interaction", interaction.external_id),
        ("When", _moment(interaction.occurred_at)),
        ("Feature", interaction.feature),
        ("Environment", interaction.environment),
        ("Model", f"{interaction.model} {interaction.model_version}".strip()),
        ("Prompt", str(prompt) if prompt else ""),
        ("Index", f"{interaction.retrieval_index} {interaction.retrieval_version}".strip()),
        ("Trace", interaction.trace_url),
    )
    return Facts(tuple((name, _masked(value)) for name, value in rows if value))


def _judgement(interaction, settlement):
    """(spans as facts, experts' notes, a better answer): the settlement's, or the experts' own until there is one."""
    from annotation.models import Annotation

    annotations = list(
        Annotation.objects.current()
        .filter(item__interaction=interaction)
        .prefetch_related("spans", "candidates")
        .order_by("id")
    )
    if settlement:
        marked = [(span.get("label", ""), span.get("quote", "")) for span in settlement.spans]
        better = settlement.chosen_answer.text if settlement.chosen_answer else ""
    else:
        marked = [(span.label, span.quote) for a in annotations for span in a.spans.all()]
        better = next((c.text for a in annotations for c in a.candidates.all()), "")
    spans = tuple((label or "marked", _masked(quote)) for label, quote in marked)
    return spans, [a.note for a in annotations if a.note], better


def _comments(interaction) -> list[str]:
    said = interaction.feedback.filter(erased_at=None).exclude(comment="").order_by("-id")
    return list(said.values_list("comment", flat=True)[:_COMMENTS])


def _what_people_said(comments) -> list[Block]:
    if not comments:
        return []
    return [Heading("What people said"), *(Verbatim(_masked(said)) for said in comments)]


def _other_cases(members) -> list[Block]:
    if not members:
        return []
    rows = tuple(
        (_moment(m.interaction.occurred_at), _masked(m.interaction.external_id)) for m in members
    )
    return [Heading("Further cases"), Facts(rows)]


def _document_line(document) -> str:
    return _masked(" · ".join(filter(None, (document.title, document.document_id, document.url))))


def _masked(text: str) -> str:
    return redaction.redact(text).text


def _moment(when) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else ""
