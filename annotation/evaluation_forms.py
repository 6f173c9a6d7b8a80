"""The forms of the gate: a candidate's answers as a file, the reason of an override, what must be reached."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation import assertions
from annotation.comparing import MOST_OF_A_RUN
from annotation.models import Split
from annotation.queue_choice import QueueChoice
from annotation.refusals import InvalidAnswer
from feedbackhub.api import strict_json
from feedbackhub.capture.vocabulary import Severity

LARGEST_FILE = 16 * 1024 * 1024  # bytes
SEVERITIES = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]


class EvaluationForm(forms.Form):
    candidate = forms.CharField(
        label=gettext_lazy("What is held against gold"),
        max_length=200,
        help_text=gettext_lazy("In your words: prompt=v1.5 model=gpt-x"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    version = forms.TypedChoiceField(label=gettext_lazy("Gold version"), coerce=int)
    split = forms.ChoiceField(
        label=gettext_lazy("Split"),
        choices=[choice for choice in Split.choices if choice[0] != Split.TRAIN],
        help_text=gettext_lazy(
            "Iterate on validation. Each use of the holdout is counted, so that it stays unseen."
        ),
    )
    results = forms.FileField(
        label=gettext_lazy("Its answers"),
        help_text=gettext_lazy('JSONL, one {"id": …, "output": …} a line; at most 16 MB.'),
        widget=forms.FileInput(attrs={"accept": ".jsonl,.json,application/json"}),
    )

    versions = forms.CharField(
        label=gettext_lazy("Versions that it carries"),
        required=False,
        help_text=gettext_lazy(
            "One a line, as fixes name them: their cases in this run prove them. Words such as prompt=v1.5 above are known."
        ),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, *args, versions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].choices = [
            (
                version.number,
                _("Version %(number)d, %(count)d examples")
                % {"number": version.number, "count": version.example_count},
            )
            for version in versions
        ]

    def clean_versions(self):
        lines = [line.strip() for line in self.cleaned_data["versions"].splitlines()]
        if any(len(line) > 200 for line in lines) or len(lines) > 20:
            raise forms.ValidationError(_("At most 20 versions of 200 characters."))
        return [line for line in lines if line]

    def clean_results(self):
        file = self.cleaned_data["results"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(_("This file is larger than 16 MB."))
        rows = []
        for number, line in enumerate(file.read().split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                rows.append(strict_json.parse(line))
            except strict_json.BadDocument as error:
                raise forms.ValidationError(
                    _("Line %(line)d: %(said)s") % {"line": number, "said": error.message}
                ) from None
        return rows


class OverrideForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why it may ship although it fails"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class CompareForm(forms.Form):
    """Which queue compares a candidate's answers with those that were given, and how many of them."""

    queue = QueueChoice()
    most = forms.IntegerField(
        label=gettext_lazy("How many, those that fail first"),
        min_value=1,
        max_value=MOST_OF_A_RUN,
        initial=20,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["queue"].of_project(project)

    @property
    def has_queues(self) -> bool:
        return self.fields["queue"].queryset.exists()


def _percent(label, **kwargs):
    return forms.FloatField(
        label=label,
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"step": "any", "class": "input-short"}),
        **kwargs,
    )


class RulesForm(forms.Form):
    """Shares are written in percent here and kept as 0 to 1. Categories are those of all schemas."""

    overall = _percent(gettext_lazy("Of all cases, % that must pass"))
    most_broken = forms.IntegerField(
        label=gettext_lazy("Cases that may break"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=gettext_lazy("That passed in the last accepted run. Empty: as many as may be."),
    )
    min_likeness = forms.FloatField(
        label=gettext_lazy("Least likeness to the ideal answer"),
        min_value=0,
        max_value=1,
        help_text=gettext_lazy(
            "0 to 1, by shared words. It decides only cases without an assertion."
        ),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    never = forms.CharField(
        label=gettext_lazy("No answer may mention"),
        required=False,
        help_text=gettext_lazy("One text a line; asked of every answer."),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    holdout_uses = forms.IntegerField(
        label=gettext_lazy("Uses of the same holdout"), min_value=1, max_value=10_000
    )

    def __init__(self, *args, rules, categories, shares, **kwargs):
        """`shares` are those that categories must reach, under their keys of today."""
        super().__init__(*args, **kwargs)
        self.severity_names = {f"severity_{each}": str(each) for each in SEVERITIES}
        for name, severity in self.severity_names.items():
            self.fields[name] = _percent(
                _("Of %s cases, %%") % Severity(severity).label.lower(), required=False
            )
            self.initial[name] = _in_percent(rules.severities.get(severity))
        words = categories.names
        known = {key: words.get(key, key) for key in shares} | dict(categories.to_choose())
        self.category_names = {f"category_{key}": key for key in known}
        for name, key in self.category_names.items():
            self.fields[name] = _percent(_("Of “%s”, %%") % known[key], required=False)
            self.initial[name] = _in_percent(shares.get(key))
        self.initial |= {
            "overall": _in_percent(rules.overall),
            "most_broken": rules.most_broken,
            "min_likeness": rules.min_likeness,
            "holdout_uses": rules.holdout_uses,
            "never": "\n".join(text for each in rules.assertions for text in each.get("texts", [])),
        }

    def clean_never(self):
        if not self.cleaned_data["never"].strip():
            return []
        given = {"kind": "must_not_mention", "texts": self.cleaned_data["never"]}
        try:
            return [assertions.tidy(given)]
        except InvalidAnswer as refusal:
            raise forms.ValidationError(list(refusal.errors.values())) from None

    def fields_of_rules(self) -> dict:
        said = self.cleaned_data
        return {
            "overall": said["overall"] / 100,
            "severities": self._shares(self.severity_names),
            "categories": self._shares(self.category_names),
            "most_broken": said["most_broken"],
            "min_likeness": said["min_likeness"],
            "holdout_uses": said["holdout_uses"],
            "assertions": said["never"],
        }

    def _shares(self, names) -> dict[str, float]:
        return {
            key: self.cleaned_data[name] / 100
            for name, key in names.items()
            if self.cleaned_data[name] is not None
        }


def _in_percent(share):
    return None if share is None else f"{share * 100:.6g}"
