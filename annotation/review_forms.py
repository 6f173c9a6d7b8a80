"""What the review pages post: an expert's answers with the hold they are given under, and a lead's decisions.

`read_answers` turns a posted decision into the shape of a draft; whether it fits the schema is for `answers` to say.
"""

import json
import re

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.answers import MOST_SPANS, suggested_severity, with_line_ends_of
from annotation.models import Assignment, Verdict
from annotation.refusals import InvalidAnswer
from feedbackhub.capture.vocabulary import Severity

LARGEST_NUMBER = 2**31 - 1
_RUBRIC = re.compile(r"rubric\.(.{1,60})")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class HoldForm(forms.Form):
    """Which lease and which revisions a post was written under. Raises InvalidAnswer by `read`."""

    fence = forms.IntegerField(min_value=0, max_value=LARGEST_NUMBER)
    revision = forms.IntegerField(min_value=0, max_value=32_767, required=False)
    draft_revision = forms.IntegerField(min_value=0, max_value=LARGEST_NUMBER, required=False)
    schema_version = forms.IntegerField(min_value=1, max_value=LARGEST_NUMBER, required=False)
    submit_key = forms.CharField(max_length=200, required=False)

    @classmethod
    def read(cls, posted) -> dict:
        form = cls(posted)
        if not form.is_valid():
            raise InvalidAnswer({name: errors[0] for name, errors in form.errors.items()})
        hold = form.cleaned_data
        hold["revision"] = hold["revision"] or 0
        hold["draft_revision"] = hold["draft_revision"] or 0
        return hold


def read_answers(posted, *, output: str) -> dict:
    """A posted decision in the shape of a draft: what was left open is left out. Raises InvalidAnswer."""
    answers = {
        "verdict": posted.get("verdict", ""),
        "severity": posted.get("severity", ""),
        "categories": posted.getlist("categories"),
        "root_cause": posted.get("root_cause", ""),
        "rubric_scores": _rubric_scores(posted),
        "spans": _spans(posted.get("spans", "")),
        "correction": _correction(posted.get("correction", ""), output),
        "note": posted.get("note", "").replace("\r\n", "\n"),
        "suggestion": _suggestion(posted.get("suggestion", "")),
        "seconds_spent": whole_seconds(posted.get("seconds_spent", "")),
    }
    return {name: value for name, value in answers.items() if value}


def read_preference(posted) -> dict:
    """Which of two answers is preferred and why, as posted, in the shape of a draft."""
    said = {
        "preference": posted.get("preference", ""),
        "reasons": posted.getlist("reasons"),
        "note": posted.get("note", "").replace("\r\n", "\n"),
        "seconds_spent": whole_seconds(posted.get("seconds_spent", "")),
    }
    return {name: value for name, value in said.items() if value}


def whole_seconds(text: str) -> int:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else 0


def complete_answers(answers: dict, *, schema) -> dict:
    """A draft made ready to be submitted: an open severity is what verdict and categories suggest."""
    verdict, severity = answers.get("verdict", ""), answers.get("severity", "")
    if verdict in Verdict.values and not severity:
        severity = suggested_severity(schema, verdict, answers.get("categories", ()))
    return {**answers, "verdict": verdict, "severity": severity}


def _rubric_scores(posted) -> dict:
    scores = {}
    for name in posted:
        criterion = _RUBRIC.fullmatch(name)
        if criterion and _WHOLE_NUMBER.fullmatch(posted[name]):
            scores[criterion[1]] = int(posted[name])
    return scores


def _suggestion(text: str) -> dict:
    """Which suggestion was seen and taken, as the screen says; one that it garbled is as good as none."""
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _spans(text: str) -> list:
    if not text:
        return []
    try:
        spans = json.loads(text)
    except (ValueError, RecursionError):
        spans = None
    if not isinstance(spans, list):
        raise InvalidAnswer({"spans": _("The marks could not be read. Nothing was changed.")})
    return spans


def _correction(text: str, output: str) -> str | None:
    """Browsers change line ends in a text area; an untouched one is no correction."""
    text = with_line_ends_of(output, text)
    untouched = text.replace("\r\n", "\n") == output.replace("\r\n", "\n").replace("\r", "\n")
    return None if untouched else text


class SkipForm(forms.Form):
    """Why an item is passed on."""

    fence = forms.IntegerField(min_value=0, max_value=LARGEST_NUMBER)
    reason = forms.ChoiceField(choices=Assignment.SkipReason.choices)
    note = forms.CharField(max_length=2_000, required=False)


class ReasonForm(forms.Form):
    """A lead's reason for returning, reopening or dismissing."""

    reason = forms.CharField(
        max_length=2_000,
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why: the experts read it.")},
    )


class DiscussionForm(forms.Form):
    """The answer that closes a discussion."""

    answer = forms.CharField(
        max_length=2_000,
        required=False,
        label=gettext_lazy("What was decided"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ScoresWidget(forms.Widget):
    """One post for each criterion, as on the review screen: `rubric.clear`."""

    def value_from_datadict(self, data, files, name):
        return _rubric_scores(data)


class ScoresField(forms.Field):
    """{criterion: score}, of a schema's `rubric`; one that is left open is left out."""

    widget = ScoresWidget
    rubric = ()

    def clean(self, value):
        scales = {criterion["key"]: criterion["scale"] for criterion in self.rubric}
        if any(not 1 <= score <= scales.get(key, 0) for key, score in value.items()):
            raise forms.ValidationError(_("Choose one of the scores."))
        return value


class OwnMarksWidget(forms.Widget):
    """Words, a label, the text that they stand in (the answer, where none is named) and, of a mark that was there, its place
    ("12:21"), posted side by side; without words it is no mark.
    """

    def value_from_datadict(self, data, files, name):
        words, labels = data.getlist("mark_words"), data.getlist("mark_label")
        texts = [*data.getlist("mark_text"), *["output"] * len(words)]
        places = [*data.getlist("mark_place"), *[""] * len(words)]
        marks = zip(words, labels, texts, places, strict=False)
        return [mark for mark in marks if mark[0].strip()]


class OwnMarksField(forms.Field):
    """Words of one of the item's `texts`, each with one of the schema's `labels`: where the mark was, or where they stand first."""

    widget = OwnMarksWidget
    texts, labels = None, ()

    def clean(self, value):
        known = {label["key"] for label in self.labels}
        if len(value) > MOST_SPANS or any(mark[1] not in known for mark in value):
            raise forms.ValidationError(_("Choose one of the marks."))
        return [self._mark(*mark) for mark in value]

    def _mark(self, words, label, name, place) -> dict:
        text = self.texts.find(name) or ""
        start, end = _place(place)
        if words != _in_one_line(text[start:end]):  # they are newly typed
            if words not in text:
                raise forms.ValidationError(_("“%s” does not stand in that text.") % words[:80])
            start = text.index(words)
            end = start + len(words)
        found = {"field": name, "start": start, "end": end}
        return {**found, "label": label, "quote": text[start:end]}


def _place(posted: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", posted)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _in_one_line(words: str) -> str:
    """As a browser keeps them in a field of one line."""
    return words.replace("\r", "").replace("\n", "")


class DecisionForm(forms.Form):
    """A lead's word on an item: values, the marks that stand, the correction that is chosen or the lead's own, and why."""

    OWN = "own"

    verdict = forms.ChoiceField(choices=Verdict.choices)
    severity = forms.ChoiceField(choices=Severity.choices)
    categories = forms.MultipleChoiceField(required=False)
    root_cause = forms.ChoiceField(required=False)
    rubric_scores = ScoresField(required=False)
    marks = forms.MultipleChoiceField(required=False)
    own_marks = OwnMarksField(required=False)
    chosen_answer = forms.ChoiceField(required=False)
    own_answer = forms.CharField(max_length=1_048_576, required=False, strip=False)
    reason = forms.CharField(
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why: the experts read it.")},
    )

    def __init__(self, *args, schema, texts, marks, candidates, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["own_marks"].texts, self.fields["own_marks"].labels = texts, schema.span_labels
        self.fields["categories"].choices = [(c["key"], c["name"]) for c in schema.categories]
        causes = [(cause["key"], cause["name"]) for cause in schema.root_causes]
        self.fields["root_cause"].choices = [("", _("None")), *causes]
        self.fields["rubric_scores"].rubric = schema.rubric
        self.fields["marks"].choices = [(mark["key"], mark["quote"][:80]) for mark in marks]
        self.fields["chosen_answer"].choices = [
            ("", _("None")),
            (self.OWN, _("My own")),
            *((str(candidate.public_id), candidate.text[:80]) for candidate in candidates),
        ]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("chosen_answer") == self.OWN and not cleaned.get("own_answer", "").strip():
            self.add_error("own_answer", _("Write the answer, or choose another."))
        return cleaned


class ReplyForm(forms.Form):
    """An expert's one reply to a lead's decision."""

    text = forms.CharField(
        max_length=4_000,
        label=gettext_lazy("Your reply"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say what you think of it.")},
    )
