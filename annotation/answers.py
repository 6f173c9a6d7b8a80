"""What an expert may say: an answer held against the label schema and against the very text that it is about."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext as _

from annotation.models import Annotation, LabelSchema, Verdict
from annotation.refusals import InvalidAnswer
from feedbackhub.capture.vocabulary import Severity

LONGEST_CORRECTION = 1_048_576  # characters, as an output
LONGEST_NOTE = 262_144
MOST_SPANS = 500
DAY = 24 * 3600

_FIELD = re.compile(r"output|(messages|documents)\.(0|[1-9][0-9]{0,5})", re.ASCII)
_SUGGESTED = {"verdict", "severity", "categories", "root_cause", "correction", "spans", "note"}


def check_answers(
    *,
    schema: LabelSchema,
    interaction,
    verdict,
    severity,
    categories=(),
    root_cause="",
    rubric_scores=None,
    spans=(),
    correction=None,
    note="",
    confidence=None,
    seconds_spent=0,
    suggestion=None,
    is_whole=True,
) -> dict:
    """The answers, tidied, in the shape of a draft. Raises InvalidAnswer naming each field that does not fit.

    Not `is_whole`, a required criterion may be without a score: a lead decides on what is said.
    """
    errors: dict[str, str] = {}
    answers = {
        "verdict": _one_of(errors, "verdict", verdict, Verdict.values),
        "severity": _one_of(errors, "severity", severity, Severity.values),
        "categories": _categories(errors, categories, schema),
        "root_cause": _root_cause(errors, root_cause, schema),
        "rubric_scores": _rubric_scores(errors, rubric_scores or {}, schema, is_whole),
        "spans": _spans(errors, spans, schema, interaction),
        "correction": _correction(errors, correction),
        "note": _text(errors, "note", note, LONGEST_NOTE).strip(),
        "confidence": _confidence(errors, confidence),
        "seconds_spent": _seconds(errors, seconds_spent),
        "suggestion": _suggestion(errors, suggestion or {}),
    }
    if not errors:
        _contradictions(errors, answers)
    if errors:
        raise InvalidAnswer(errors)
    return answers


def answers_of(annotation: Annotation) -> dict:
    """What an annotation says, in the shape of a draft."""
    if not annotation.verdict:  # two answers were compared
        from annotation.comparing import preferred

        return preferred(annotation)
    candidates = sorted(annotation.candidates.all(), key=lambda candidate: -candidate.revision)
    return {
        "verdict": annotation.verdict,
        "severity": annotation.severity,
        "categories": annotation.categories,
        "root_cause": annotation.root_cause,
        "rubric_scores": annotation.rubric_scores,
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "quote": span.quote,
                "label": span.label,
                "note": span.note,
            }
            for span in annotation.spans.all()
        ],
        "correction": candidates[0].text if candidates else None,
        "note": annotation.note,
        "confidence": annotation.confidence,
        "seconds_spent": annotation.seconds_spent,
        "suggestion": annotation.suggestion,
    }


def hash_answers(answers: dict) -> bytes:
    """To know a submit that was sent twice from another one under the same key."""
    plain = json.dumps(answers, sort_keys=True, default=list, ensure_ascii=True)
    return hashlib.sha256(plain.encode()).digest()


def suggested_severity(schema: LabelSchema, verdict: str, categories: Iterable[str]) -> str:
    """How bad it is unless the expert says otherwise: the worst of the categories' defaults."""
    if verdict == Verdict.CORRECT:
        return str(Severity.NONE)
    defaults = [
        Severity(category["default_severity"])
        for category in schema.categories
        if category["key"] in set(categories)
    ]
    if verdict == Verdict.HARMFUL:
        defaults.append(Severity.CRITICAL)
    return str(max(defaults, key=lambda severity: severity.rank, default=Severity.MEDIUM))


def is_real_change(correction: str, output: str) -> bool:
    """Whether somebody would read another answer: blanks at the ends and other code points for the same letters do not count."""
    return _as_read(correction) != _as_read(output)


def with_line_ends_of(output: str, text: str) -> str:
    """Browsers send CRLF from a text area; an answer that has none keeps its own line ends."""
    return text if "\r\n" in output else text.replace("\r\n", "\n")


def is_storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _as_read(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


# --- one field each -------------------------------------------------------------------------------


def _one_of(errors, field, value, known) -> str:
    if isinstance(value, str) and value in known:
        return str(value)
    errors[field] = _("Choose one of: %(known)s.") % {"known": ", ".join(known)}
    return ""


def _text(errors, field, value, limit) -> str:
    if not isinstance(value, str):
        errors[field] = _("This must be a text.")
        return ""
    if len(value) > limit:
        errors[field] = _("This is too long: at most %(limit)s characters.") % {"limit": limit}
        return ""
    if not is_storable(value):
        errors[field] = _("This holds a character that cannot be stored.")
        return ""
    return value


def _categories(errors, keys, schema) -> list[str]:
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        errors["categories"] = _("This must be a list of categories.")
        return []
    keys, known = list(keys), set(schema.category_keys)
    for place, key in enumerate(keys):
        if not isinstance(key, str) or key not in known:
            errors[f"categories.{place}"] = _("This category is not in %(schema)s.") % {
                "schema": schema
            }
    return [] if errors else list(dict.fromkeys(keys))


def _root_cause(errors, key, schema) -> str:
    if key and key not in [cause["key"] for cause in schema.root_causes]:
        errors["root_cause"] = _("This root cause is not in %(schema)s.") % {"schema": schema}
        return ""
    return key or ""


def _rubric_scores(errors, scores, schema, is_whole) -> dict:
    if not isinstance(scores, dict):
        errors["rubric_scores"] = _("This must be an object.")
        return {}
    criteria = {criterion["key"]: criterion for criterion in schema.rubric}
    for key, score in scores.items():
        if key not in criteria:
            errors[f"rubric_scores.{key}"] = _("This criterion is not in %(schema)s.") % {
                "schema": schema
            }
        elif type(score) is not int or not 1 <= score <= criteria[key]["scale"]:
            errors[f"rubric_scores.{key}"] = _("Choose a number from 1 to %(scale)s.") % {
                "scale": criteria[key]["scale"]
            }
    for key, criterion in criteria.items():
        if is_whole and criterion.get("required") and key not in scores:
            errors[f"rubric_scores.{key}"] = _("This criterion needs a score.")
    return dict(scores)


def _correction(errors, correction) -> str | None:
    if correction is None:
        return None
    return _text(errors, "correction", correction, LONGEST_CORRECTION) or None


def _confidence(errors, confidence) -> float | None:
    if confidence is None:
        return None
    if type(confidence) not in (int, float) or not 0 <= confidence <= 1:
        errors["confidence"] = _("This must be a number from 0 to 1.")
        return None
    return float(confidence)


def _seconds(errors, seconds) -> int:
    if type(seconds) not in (int, float) or not 0 <= seconds <= 1e9:
        errors["seconds_spent"] = _("This must be a number of seconds.")
        return 0
    return min(int(seconds), DAY)


def _suggestion(errors, suggestion) -> dict:
    is_good = (
        isinstance(suggestion, dict)
        and set(suggestion) <= {"source", "seen", "taken", "changed", "as"}
        and isinstance(suggestion.get("source", ""), str)
        and len(suggestion.get("source", "")) <= 60
        and isinstance(suggestion.get("seen", False), bool)
        and _are_suggested(suggestion.get("taken", []))
        and _are_suggested(suggestion.get("changed", []))
        and _is_taken_as(suggestion.get("as", {}))
    )
    if not is_good:
        errors["suggestion"] = _("This does not say which suggestion was seen and taken.")
        return {}
    return suggestion


def _are_suggested(names) -> bool:
    return isinstance(names, list) and all(
        isinstance(name, str) and name in _SUGGESTED for name in names
    )


def _is_taken_as(values) -> bool:
    """{field: its value as it was taken}; of a correction its length and a checksum."""
    return (
        isinstance(values, dict)
        and set(values) <= _SUGGESTED
        and all(isinstance(value, str) and len(value) <= 2_000 for value in values.values())
    )


def _contradictions(errors, answers) -> None:
    verdict, severity = answers["verdict"], answers["severity"]
    if verdict == Verdict.CORRECT and severity != Severity.NONE:
        errors["severity"] = _("A correct answer has no severity. Choose none, or another verdict.")
    if verdict in (Verdict.WRONG, Verdict.HARMFUL) and severity == Severity.NONE:
        errors["severity"] = _("Say how bad it is.")


# --- spans ----------------------------------------------------------------------------------------


def _spans(errors, spans, schema, interaction) -> list[dict]:
    if not isinstance(spans, list | tuple) or len(spans) > MOST_SPANS:
        errors["spans"] = _("This must be a list of at most %(most)s marks.") % {"most": MOST_SPANS}
        return []
    labels = {label["key"] for label in schema.span_labels}
    texts = TextsOf(interaction)
    return [
        _span(errors, f"spans.{place}", span, labels, texts) for place, span in enumerate(spans)
    ]


def _span(errors, path, span, labels, texts) -> dict:
    if not isinstance(span, dict):
        errors[path] = _("A mark is an object.")
        return {}
    field, start, end = (span.get(name) for name in ("field", "start", "end"))
    text = texts.find(field)
    if text is None:
        errors[f"{path}.field"] = _("There is no such text here.")
    elif type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        errors[f"{path}.start"] = _("This mark does not lie within its text.")
    elif text[start:end] != span.get("quote"):
        errors[f"{path}.quote"] = _(
            "The marked words are not what stands there. Offsets count Unicode code points."
        )
    label = span.get("label")
    if not isinstance(label, str) or label not in labels:
        errors[f"{path}.label"] = _("This mark's label is not known.")
    note = _text(errors, f"{path}.note", span.get("note", ""), LONGEST_NOTE)
    return {
        "field": field,
        "start": start,
        "end": end,
        "quote": span.get("quote"),
        "label": label,
        "note": note,
    }


class TextsOf:
    """The stored texts of an interaction by field name: output, messages.0, documents.0 (by position)."""

    def __init__(self, interaction):
        self._interaction = interaction
        self._documents = None

    def find(self, field) -> str | None:
        match = _FIELD.fullmatch(field) if isinstance(field, str) else None
        if match is None:
            return None
        if field == "output":
            return self._interaction.output
        place = int(match[2])
        if match[1] == "messages":
            messages = self._interaction.messages
            content = messages[place].get("content") if place < len(messages) else None
            return content if isinstance(content, str) else None
        if self._documents is None:
            self._documents = dict(self._interaction.documents.values_list("position", "text"))
        return self._documents.get(place)
