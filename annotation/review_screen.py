"""What the review screen shows of one item: its texts, what was said about it, and what can be answered.

Every text is untrusted and may be a megabyte long: long ones are cut here (by the database where they are rows of their
own) and fetched whole only when somebody asks.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db.models import Max
from django.db.models.functions import Left, Length
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from annotation import comparing, review_keys
from annotation.answers import answers_of
from annotation.examples_from_gold import examples_for
from annotation.models import Annotation, Assignment, Verdict
from annotation.schema_history import keys_to_choose
from annotation.settling import current_schema
from feedbackhub.capture.messages import names_of_calls
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import (
    FeedbackKind,
    MessageRole,
    Outcome,
    ReportedCategory,
    Severity,
)

LONGEST_SHOWN = 100_000  # characters of the answer and of a message
LONGEST_DOCUMENT_SHOWN = 20_000
MOST_CITED = 6  # sources that have an act of their own
LONGEST_COMPARED = 20_000  # characters of an edit that are compared word by word

VERDICT_TONES = {
    Verdict.CORRECT: "good",
    Verdict.PARTLY: "caution",
    Verdict.WRONG: "bad",
    Verdict.HARMFUL: "harm",
}
MEANINGS = {
    Verdict.CORRECT: later("A colleague could send it as it is"),
    Verdict.PARTLY: later("It helps, but something in it has to change"),
    Verdict.WRONG: later("Somebody who follows it gets it wrong"),
    Verdict.HARMFUL: later("Somebody who follows it may be hurt"),
    Severity.NONE: later("Nothing to repair"),
    Severity.LOW: later("A nuisance"),
    Severity.MEDIUM: later("Costs time, or a second question"),
    Severity.HIGH: later("Costs money, a deadline or trust"),
    Severity.CRITICAL: later("Health, rights, privacy or safety are at stake"),
}
_MARKDOWN_SIGNS = (
    "**",
    "```",
    "\n# ",
    "\n## ",
    "\n- ",
    "\n* ",
    "\n1. ",
    "|--",
    "| -",
    "](",
    "\n> ",
)


@dataclass(frozen=True)
class ShownText:
    """A text that can be marked: its field name for spans, and as much of it as is shown."""

    field: str
    text: str
    length: int

    @property
    def is_cut(self) -> bool:
        return len(self.text) < self.length


def shown_text(field: str, text: str, limit=LONGEST_SHOWN) -> ShownText:
    return ShownText(field, text[:limit], len(text))


def show_interaction(interaction: Interaction) -> dict:
    """The conversation, the documents and the feedback trail: for the review screen and a lead's page."""
    output = shown_text("output", interaction.output)
    return {
        "interaction": interaction,
        "messages_shown": _messages(interaction),
        "output": output,
        "is_markdown": not output.is_cut and _looks_like_markdown(interaction.output),
        "documents": _documents(interaction),
        "feedback": _feedback(interaction),
        "trace": _trace(interaction.trace_url),
        "facts": _facts(interaction),
    }


def texts_to_mark(shown: dict) -> list[tuple[str, str]]:
    """(field, name) of each text that words can be marked in, the answer first; `shown` as `show_interaction` says it."""
    messages = [
        (
            message["text"].field,
            _("Message %(number)d: %(who)s") % {"number": number, "who": message["name"]},
        )
        for number, message in enumerate(shown["messages_shown"], start=1)
        if message["text"].length
    ]
    sources = [
        (
            document.shown.field,
            _("Source %(number)d: %(title)s")
            % {"number": number, "title": document.title or document.document_id},
        )
        for number, document in enumerate(shown["documents"], start=1)
    ]
    return [("output", _("The answer")), *messages, *sources]


def show_plainly(interaction: Interaction) -> dict:
    """The same as far as it goes without looking into any text: for what cannot be drawn."""
    return {
        "interaction": interaction,
        "messages_shown": [
            {"role": "", "name": "", "text": shown_text(f"messages.{place}", _content(message))}
            for place, message in enumerate(interaction.messages)
        ],
        "output": shown_text("output", interaction.output),
        "is_plain": True,
        "feedback": [],
    }


def show_assignment(
    assignment: Assignment,
    *,
    answers: dict | None = None,
    own_keys: dict | None = None,
    is_plain: bool = False,
) -> dict:
    """Everything that the item part of the screen draws. `answers` are those just typed, else the draft or what counts."""
    item = assignment.item
    schema = current_schema(item.queue)
    is_in_hand = (
        assignment.state == Assignment.State.CLAIMED and assignment.lease_until > timezone.now()
    )
    is_reserved = assignment.state == Assignment.State.RESERVED
    shown = show_plainly(item.interaction) if is_plain else show_interaction(item.interaction)
    if comparing.is_pairwise(item):
        shown |= show_sides(assignment, is_plain=is_plain, own_keys=own_keys)
    reported = {event.category for event in shown["feedback"] if event.category}
    if answers is None:
        answers = assignment.draft or _answers_that_count(assignment)
    if answers.get("categories"):
        answers = {**answers, "categories": keys_to_choose(schema, answers["categories"])}
    choices = choices_of(schema, reported=reported, own_keys=own_keys)
    if not is_plain and not comparing.is_pairwise(item):
        from_gold = examples_for(item, schema, assignment.expert_id)
        for category in choices["categories"]:
            category["case"] = from_gold.get(category["value"])
    return {
        **shown,
        "assignment": assignment,
        "item": item,
        "queue": item.queue,
        "schema": schema,
        "answers": answers,
        "correction": answers.get("correction")
        or ("" if shown["output"].is_cut else item.interaction.output),
        "revision": newest_revision(assignment),
        "submit_key": uuid.uuid4().hex,
        "is_in_hand": is_in_hand or is_reserved,
        "keys": keys_of(own_keys),
        "skip_reasons": Assignment.SkipReason.choices,
        **_acts_on_selected_words(shown.get("documents", ()), own_keys),
        "reported_words": [str(ReportedCategory(word).label) for word in sorted(reported)],
        **choices,
    }


def show_sides(assignment: Assignment, *, is_plain=False, own_keys: dict | None = None) -> dict:
    """Two answers to be compared, and nothing that says whose they are: no model, no prompt, no complaint."""
    keys = review_keys.KeyMap(own_keys)
    sides = [(letter, shown_text(letter, text)) for letter, text in comparing.sides_of(assignment)]
    is_cut = any(shown.is_cut for _letter, shown in sides)
    texts = [shown.text for _letter, shown in sides]
    return {
        "sides": sides,
        "is_markdown": not is_cut and not is_plain and any(map(_looks_like_markdown, texts)),
        "is_comparable": not is_plain and sum(map(len, texts)) <= 2 * LONGEST_COMPARED,
        "feedback": [],
        "facts": [],
        "trace": None,
        "preference_choices": [
            {
                "value": value,
                "label": label,
                "key": keys.nth(f"prefer:{value}", review_keys.PREFERENCES, place),
            }
            for place, (value, label) in enumerate(comparing.CHOICES.items())
        ],
        "reason_choices": [
            {
                "value": value,
                "label": label,
                "key": keys.nth(f"reason:{value}", review_keys.REASONS, place),
            }
            for place, (value, label) in enumerate(comparing.REASONS.items())
        ],
    }


def keys_of(own_keys: dict | None) -> dict:
    """The keys of the screen's places, and that of submitting."""
    return {**review_keys.KeyMap(own_keys).places, "submit": review_keys.SUBMIT}


def newest_revision(assignment: Assignment) -> int:
    """What a submit must have seen: the newest answer of this assignment, those taken back included; 0 at first."""
    return assignment.annotations.aggregate(newest=Max("revision"))["newest"] or 0


def choices_of(schema, *, reported=frozenset(), own_keys: dict | None = None) -> dict:
    """What can be answered under a schema, each with its key; categories carry the reporter's own word."""
    keys = review_keys.KeyMap(own_keys)
    return {
        "verdicts": [
            {
                "value": value,
                "label": _(label),
                "key": keys.nth(f"verdict:{value}", review_keys.VERDICTS, place),
                "tone": VERDICT_TONES[value],
                "meaning": MEANINGS[value],
            }
            for place, (value, label) in enumerate(Verdict.choices)
        ],
        "severities": [
            {
                "value": value,
                "label": str(label).capitalize(),
                "key": keys.key(f"severity:{value}", review_keys.SEVERITIES[value]),
                "meaning": MEANINGS[value],
            }
            for value, label in Severity.choices
        ],
        "categories": [
            {
                **category,
                "value": category["key"],
                "label": category["name"],
                "key": keys.nth(f"category:{category['key']}", review_keys.CATEGORIES, place),
                "hint": _reporters_words(category, reported),
            }
            for place, category in enumerate(schema.categories)
        ],
        "root_causes": [
            {
                "value": cause["key"],
                "label": cause["name"],
                "key": keys.nth(f"cause:{cause['key']}", review_keys.ROOT_CAUSES, place),
            }
            for place, cause in enumerate(schema.root_causes)
        ],
        "span_labels": [
            {
                **label,
                "category": _first_to_choose(schema, label.get("category")),
                "shortcut": keys.nth(f"mark:{label['key']}", review_keys.SPAN_LABELS, place),
                "colour": place % 8 + 1,
            }
            for place, label in enumerate(schema.span_labels)
        ],
        "rubric": [
            {
                **criterion,
                "scores": range(1, criterion["scale"] + 1),
                "shortcut": keys.nth(f"rubric:{criterion['key']}", review_keys.RUBRIC, place),
            }
            for place, criterion in enumerate(schema.rubric)
        ],
    }


def whole_text(interaction: Interaction, field: str) -> str | None:
    """One text of an interaction, uncut, by its field name; None when there is no such text."""
    if field == "output":
        return interaction.output
    kind, _dot, place = field.partition(".")
    if not (place.isascii() and place.isdigit() and len(place) < 7):
        return None
    if kind == "messages":
        messages = interaction.messages
        return _content(messages[int(place)]) if int(place) < len(messages) else None
    if kind == "documents" and int(place) <= 32_767:
        return (
            interaction.documents.filter(position=int(place)).values_list("text", flat=True).first()
        )
    return None


def undoable_by(membership) -> Annotation | None:
    """The newest submit of this member that can still be taken back."""
    return (
        Annotation.objects.current()
        .filter(
            project=membership.project_id,
            expert=membership.user_id,
            final_at__gt=timezone.now(),
            assignment__state=Assignment.State.SUBMITTED,
            applied_with=None,  # what was given together goes back together
        )
        .select_related("assignment")
        .order_by("-pk")
        .first()
    )


def compare_answers(yours: dict, others: dict | None, choices: dict) -> list[dict]:
    """Two versions field by field in words: [{"field", "name", "yours", "other", "differs"}]."""
    names = {
        "preference": _("Preference"),
        "reasons": _("Reasons"),
        "verdict": _("Verdict"),
        "severity": _("Severity"),
        "categories": _("Categories"),
        "root_cause": _("Root cause"),
        "rubric_scores": _("Scores"),
        "spans": _("Marks"),
        "correction": _("Correction"),
        "note": _("Note"),
    }
    words = _words_of(choices)
    rows = []
    for field, name in names.items():
        mine, theirs = (_said(field, each or {}, words) for each in (yours, others))
        if mine or theirs:
            said = {"field": field, "name": name, "yours": mine, "other": theirs}
            rows.append(said | {"differs": mine != theirs})
    return rows


# --- steps ----------------------------------------------------------------------------------------


def _answers_that_count(assignment) -> dict:
    annotation = assignment.annotations.current().first()
    return answers_of(annotation) if annotation else {}


def _first_to_choose(schema, category: str | None) -> str:
    """What a mark says too, as it is called today; "" where nobody can choose it any more."""
    return next(iter(keys_to_choose(schema, [category])), "") if category else ""


def _acts_on_selected_words(documents, own_keys) -> dict:
    """Striking words from the correction, and citing one of the first sources behind them, each with its key."""
    keys = review_keys.KeyMap(own_keys)
    return {
        "strike_key": keys.key("strike", review_keys.STRIKE),
        "cites": [
            {
                "number": number,
                "title": document.title or document.document_id,
                "key": keys.nth(f"cite:{number}", review_keys.CITES, number - 1),
            }
            for number, document in enumerate(documents[:MOST_CITED], 1)
        ],
    }


def _content(message) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _messages(interaction) -> list[dict]:
    return [
        {
            "role": message.get("role", ""),
            "name": _role(message.get("role", "")),
            "tool": tool,
            "text": shown_text(f"messages.{place}", _content(message)),
            "stored": message,
        }
        for place, (message, tool) in enumerate(
            zip(interaction.messages, names_of_calls(interaction.messages), strict=True)
        )
    ]


def _role(role: str) -> str:
    return str(MessageRole(role).label).capitalize() if role in MessageRole.values else str(role)


def _documents(interaction) -> list:
    documents = list(
        interaction.documents.defer("text").annotate(
            beginning=Left("text", LONGEST_DOCUMENT_SHOWN), length=Length("text")
        )
    )
    for document in documents:
        document.shown = ShownText(
            f"documents.{document.position}", document.beginning, document.length
        )
    return documents


def _feedback(interaction) -> list:
    events = list(interaction.feedback.filter(erased_at=None).order_by("occurred_at", "pk"))
    for event in events:
        event.is_comparable = (
            len(event.edited_output) + len(interaction.output) <= 2 * LONGEST_COMPARED
        )
        outcome = event.metadata.get("outcome") if event.kind == FeedbackKind.OUTCOME else None
        event.outcome = Outcome(outcome).label if outcome in Outcome.values else ""
    return events


def _looks_like_markdown(text: str) -> bool:
    start = "\n" + text[:10_000]
    return any(sign in start for sign in _MARKDOWN_SIGNS)


def _trace(url: str) -> dict | None:
    """A trace link, as far as it leads to the web; its host is shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return {"url": url, "host": parts.hostname}


def _facts(interaction) -> list[dict]:
    prompt = interaction.prompt_version
    facts = {
        _("Prompt"): str(prompt) if prompt else "",
        _("Model"): f"{interaction.model} {interaction.model_version}".strip(),
        _("Feature"): interaction.feature,
        _("Environment"): interaction.environment,
        _("User's role"): interaction.user_role,
        _("Region"): interaction.user_region,
        _("Tools"): ", ".join(tool["function"]["name"] for tool in interaction.tools),
        _("Search index"): f"{interaction.retrieval_index} {interaction.retrieval_version}".strip(),
        _("Took"): f"{interaction.latency_ms:,.0f} ms" if interaction.latency_ms else "",
        _("Tags"): ", ".join(interaction.tags),
        **{str(name)[:80]: str(value)[:500] for name, value in _first(interaction.metadata, 30)},
    }
    masked = ", ".join(f"{count} × {kind}" for kind, count in interaction.redaction_counts.items())
    facts[_("Masked")] = masked
    return [{"name": name, "value": value} for name, value in facts.items() if value]


def _first(metadata: dict, count: int) -> list[tuple]:
    return list(metadata.items())[:count] if isinstance(metadata, dict) else []


def _reporters_words(category: dict, reported) -> str:
    said = [word for word in category.get("reported_as", ()) if word in reported]
    return ", ".join(str(ReportedCategory(word).label) for word in said)


def _words_of(choices: dict) -> dict[str, dict]:
    words = defaultdict(dict)
    for field, name in (
        ("verdict", "verdicts"),
        ("severity", "severities"),
        ("categories", "categories"),
        ("root_cause", "root_causes"),
    ):
        words[field] = {choice["value"]: choice["label"] for choice in choices[name]}
    words["preference"] = {value: str(label) for value, label in comparing.CHOICES.items()}
    words["reasons"] = {value: str(label) for value, label in comparing.REASONS.items()}
    words["rubric_scores"] = {row["key"]: row["name"] for row in choices["rubric"]}
    words["spans"] = {label["key"]: label["name"] for label in choices["span_labels"]}
    return words


def _said(field: str, answers: dict, words: dict) -> str:
    value = answers.get(field)
    if not value:
        return ""
    if field in ("categories", "reasons"):
        return ", ".join(words[field].get(key, str(key)) for key in value)
    if field == "rubric_scores" and isinstance(value, dict):
        return ", ".join(f"{words[field].get(key, key)} {score}" for key, score in value.items())
    if field == "spans":
        return ", ".join(
            f"{words[field].get(span.get('label'), '')}: “{str(span.get('quote', ''))[:60]}”"
            for span in value
            if isinstance(span, dict)
        )
    return words[field].get(value, str(value)) if field in words else str(value)
