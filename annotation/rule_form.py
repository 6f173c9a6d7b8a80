"""A routing rule as a plain form: one field per word that its `when` may say."""

import json

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.conditions import check_when
from annotation.models import ReviewQueue, RoutingRule
from feedbackhub.capture.vocabulary import FeedbackKind, ReportedCategory, Severity

CHOICES = ("kinds", "categories", "severities")
WORDS = ("models", "prompt_versions", "features", "roles", "regions")
NUMBERS = ("max_score", "regenerates", "sample_percent")


class WordsField(forms.CharField):
    """Words with commas or line ends between them, as a list."""

    def __init__(self, **kwargs):
        kwargs.setdefault("required", False)
        kwargs.setdefault("max_length", 4_000)
        super().__init__(**kwargs)

    def to_python(self, value):
        words = super().to_python(value).replace("\n", ",").split(",")
        return list(dict.fromkeys(word.strip() for word in words if word.strip()))

    def prepare_value(self, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else value


class MetadataField(forms.CharField):
    """Lines of `key = value`; true, false and numbers are those, everything else is a text."""

    widget = forms.Textarea(attrs={"rows": 2})

    def to_python(self, value):
        found = {}
        for entry in super().to_python(value).splitlines():
            if not entry.strip():
                continue
            key, equals, word = entry.partition("=")
            if not equals or not key.strip() or not word.strip():
                raise forms.ValidationError(
                    _("“%(line)s” is no key = value.") % {"line": entry.strip()[:80]}
                )
            found[key.strip()] = _plain(word.strip())
        return found

    def prepare_value(self, value):
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{key} = {_written(each)}" for key, each in value.items())


def _plain(word):
    if word in ("true", "false"):
        return word == "true"
    if len(word) > 1 and word[0] == word[-1] == '"':
        return word[1:-1]
    try:
        number = float(word)
    except ValueError:
        return word
    if not word.isascii() or number != number or number in (float("inf"), float("-inf")):
        return word
    return int(word) if word.lstrip("-").isdigit() else number


def _written(value) -> str:
    if isinstance(value, str):
        return f'"{value}"' if not isinstance(_plain(value), str) else value
    return json.dumps(value)


class RuleForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Feedback"),
        choices=FeedbackKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    categories = forms.MultipleChoiceField(
        label=gettext_lazy("Reported as"),
        choices=ReportedCategory.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    severities = forms.MultipleChoiceField(
        label=gettext_lazy("Claimed severity"),
        choices=Severity.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    max_score = forms.FloatField(
        label=gettext_lazy("Score at most"),
        required=False,
        help_text=gettext_lazy("0 to 1, whatever the scale it came with."),
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, "max": 1}),
    )
    regenerates = forms.IntegerField(
        label=gettext_lazy("Regenerated at least"),
        required=False,
        help_text=gettext_lazy("Times."),
        widget=forms.NumberInput(attrs={"min": 1, "max": 100}),
    )
    features = WordsField(label=gettext_lazy("Feature"))
    models = WordsField(label=gettext_lazy("Model"))
    prompt_versions = WordsField(
        label=gettext_lazy("Prompt version"), help_text=gettext_lazy("v13, or tax-assistant v13.")
    )
    roles = WordsField(label=gettext_lazy("Role of who asked"))
    regions = WordsField(label=gettext_lazy("Region of who asked"))
    metadata = MetadataField(
        label=gettext_lazy("Metadata"),
        required=False,
        max_length=4_000,
        help_text=gettext_lazy("One key = value a line; all must hold."),
    )
    sample_percent = forms.FloatField(
        label=gettext_lazy("Sample of the unflagged"),
        required=False,
        help_text=gettext_lazy("Percent of those that no other rule matches."),
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, "max": 100}),
    )

    class Meta:
        model = RoutingRule
        fields = ["name", "is_active", "action", "queue", "priority"]
        labels = {
            "name": gettext_lazy("Name"),
            "is_active": gettext_lazy("On"),
            "action": gettext_lazy("Then"),
            "queue": gettext_lazy("Queue"),
            "priority": gettext_lazy("Priority"),
        }
        help_texts = {
            "name": gettext_lazy("Experts read it as the reason why an answer came to them."),
            "priority": gettext_lazy("Higher comes first; from 100 on also into a full queue."),
        }
        widgets = {"action": forms.RadioSelect}

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.project = project
        self.fields["action"].choices = RoutingRule.Action.choices
        self.fields["queue"].queryset = ReviewQueue.objects.for_project(project).order_by("name")
        self.fields["queue"].empty_label = _("none: it escalates")
        for key, value in (self.instance.when or {}).items():
            if key in self.fields:
                self.initial[key] = value

    @property
    def doings(self):
        return [self[name] for name in ("name", "action", "queue", "priority", "is_active")]

    @property
    def about_feedback(self):
        return [
            self[name] for name in ("kinds", "categories", "severities", "max_score", "regenerates")
        ]

    @property
    def about_answer(self):
        return [self[name] for name in (*WORDS, "metadata")]

    @property
    def about_sample(self):
        return [self["sample_percent"]]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("action") == RoutingRule.Action.ESCALATE:
            cleaned["queue"] = None
        elif not cleaned.get("queue") and "queue" not in self.errors:
            self.add_error("queue", _("Choose where it goes."))
        if not self.errors:
            self.instance.when = self._when(cleaned)
            for name, sentence in check_when(self.instance.when).items():
                self.add_error(name if name in self.fields else None, sentence)
        return cleaned

    def _when(self, cleaned) -> dict:
        when = {key: cleaned[key] for key in (*CHOICES, *WORDS, "metadata") if cleaned[key]}
        return when | {key: cleaned[key] for key in NUMBERS if cleaned[key] is not None}
