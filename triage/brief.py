"""The brief for whoever repairs a problem, as Markdown: what is wrong, where, the failing cases, examples for the prompt.

Others' words are quoted line by line, and what Markdown would act on in them is taken away: a mention, an image or a link in
a model's answer must do nothing in a ticket. A case of the holdout, or one that would be born into it, keeps its right answer:
what is written here goes into a prompt (rule 6).
"""

import re

from annotation import recall
from triage import board, evidence, occurrence, priority
from triage.models import Problem

CASES, EXAMPLES = 5, 3
_SHOWN = 700  # of one text
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#!|~])")


def brief(problem: Problem, membership, schema) -> str:
    """Of the cases that this member may see; the newest first."""
    rows = list(
        evidence.for_reading(evidence.members(problem, membership)).order_by(*evidence.ORDER)[
            :CASES
        ]
    )
    found = evidence.cases(rows, problem.project, schema, membership)
    cases = [case for case in found if not case.is_erased]
    kept_back = _keep_back(cases)
    parts = [
        f"# P{problem.number} {plain(problem.title)}",
        _facts(problem, schema),
        quoted(problem.summary) if problem.summary else "",
        _where(problem, occurrence.occurrence(problem)),
        _arithmetic(problem),
        *(_case(number, case) for number, case in enumerate(cases, 1)),
        _examples([case for case in cases if case.correction][:EXAMPLES]),
        f"{kept_back} {'case' if kept_back == 1 else 'cases'} kept back: holdout"
        if kept_back
        else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _keep_back(cases) -> int:
    """Take the right answers off those that may not be shown, with what quotes them; answers how many these are."""
    corrected = [case for case in cases if case.correction]
    shown = recall.placed_outside_the_holdout([case.interaction.pk for case in corrected])
    kept = [case for case in corrected if case.interaction.pk not in shown]
    for case in kept:
        answer, case.correction = case.correction, ""
        case.notes = [note for note in case.notes if not evidence.quotes(note["text"], answer)]
        case.marks_elsewhere = [
            mark for mark in case.marks_elsewhere if not evidence.quotes(mark.quote, answer)
        ]
        case.said = [event for event in case.said if not evidence.quotes(event.comment, answer)]
    return len(kept)


def plain(text: str) -> str:
    """One line in which nothing is Markdown, and nobody is mentioned."""
    line = _ACTIVE.sub(r"\\\1", " ".join(str(text).split()))
    return line.replace("://", ":\u200b//").replace("@", "@\u200b")


def quoted(text: str) -> str:
    """Others' words as a quotation, cut; empty lines stay inside it."""
    text = text.strip()
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "\n".join(f"> {plain(line)}".rstrip() for line in cut.split("\n"))


def _facts(problem, schema) -> str:
    names = board.category_names(schema)
    facts = {
        "State": problem.get_state_display(),
        "Severity": problem.get_severity_display(),
        "Category": plain(names.get(problem.category, problem.category)),
        "Fixable by": problem.get_fixable_by_display() if problem.fixable_by else "",
        "Owner": plain(problem.owner) if problem.owner else "",
        "Cases": f"{problem.member_count}, of {problem.reach} people",
        "Due": f"{problem.due_at:%Y-%m-%d %H:%M} UTC" if problem.due_at else "",
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items() if value)


def _where(problem, found) -> str:
    if not found.first_seen_at:
        return ""
    lines = [
        "## Where it occurs",
        "",
        f"First seen {found.first_seen_at:%Y-%m-%d %H:%M}, last seen {found.last_seen_at:%Y-%m-%d %H:%M} UTC.",
        "",
        f"Cases by two days over four weeks, the newest last: {' '.join(map(str, board.trends([problem.pk])[problem.pk]))}",
        "",
    ]
    for version in found.versions:
        answers = f"{occurrence.MOST}+" if version.is_more else version.answers
        word = "occurs" if version.has_it else "does not occur"
        lines.append(f"- {plain(version.name)}: {word}, {version.cases} of {answers} answers")
    for document in found.documents:
        name = plain(document["name"] or document["document_id"])
        lines.append(f"- document {name}: given to {document['cases']} of its cases")
    return "\n".join(lines)


def _arithmetic(problem) -> str:
    factors = " × ".join(
        f"{factor.name.lower()} {factor.value:.2f}" for factor in priority.arithmetic(problem)
    )
    return f"Priority {problem.priority:.1f} = {factors}"


def _case(number, case) -> str:
    parts = [
        f"## Case {number}: {plain(case.interaction.external_id)}",
        "Asked",
        quoted(case.question),
        "Answered",
        quoted(case.answer),
    ]
    if case.marks:
        parts += [
            "Marked as wrong",
            "\n".join(
                f"> {plain(case.answer[mark['start'] : mark['end']])} ({plain(mark['label'])})"
                for mark in case.marks
            ),
        ]
    if case.marks_elsewhere:
        parts += [
            "Marked in what it was given",
            "\n".join(
                f"> in {'source' if mark.is_source else 'message'} {mark.number}:"
                f" {plain(mark.quote[:_SHOWN])} ({plain(mark.label)})"
                for mark in case.marks_elsewhere
            ),
        ]
    said = [event.comment for event in case.said if event.comment]
    if said:
        parts += ["What was said", "\n".join(quoted(words) for words in said[:3])]
    if case.notes:
        parts += [
            "What experts noted",
            "\n".join(quoted(note["text"]) for note in case.notes[:3]),
        ]
    for document in case.documents[:3]:
        if document.shown:
            name = plain(document.title or document.document_id)
            parts += [f"What the document {name} said", quoted(document.shown)]
    if case.correction:
        parts += ["A right answer", quoted(case.correction)]
    return "\n\n".join(parts)


def _examples(cases) -> str:
    """Questions with right answers, to put before the model."""
    if not cases:
        return ""
    pairs = [
        f"User:\n\n{quoted(case.question)}\n\nAssistant:\n\n{quoted(case.correction)}"
        for case in cases
    ]
    return "\n\n".join(["## Suggested examples for the prompt", *pairs])
