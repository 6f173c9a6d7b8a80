"""What a person asks of an export on the page, in the words of `export_options`."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.export_options import LONGEST, READERS, WEIGHTS
from annotation.models import Split
from feedbackhub.capture.vocabulary import Severity


class ExportForm(forms.Form):
    version = forms.TypedChoiceField(label=gettext_lazy("Gold version"), coerce=int)
    splits = forms.MultipleChoiceField(
        label=gettext_lazy("Splits"),
        widget=forms.CheckboxSelectMultiple,
        choices=Split.choices,
        error_messages={"required": gettext_lazy("Choose at least one split.")},
    )
    max_characters = forms.IntegerField(
        label=gettext_lazy("At most so many characters"),
        required=False,
        min_value=1,
        max_value=LONGEST,
        help_text=gettext_lazy("Of the messages and the longer answer together."),
    )
    max_similarity = forms.FloatField(
        label=gettext_lazy("Chosen and rejected alike up to"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy(
            "0.9 leaves out pairs that differ by a word. Shared 5-grams of all."
        ),
    )
    min_severity = forms.ChoiceField(
        label=gettext_lazy("Severity from"),
        required=False,
        choices=[("", gettext_lazy("any")), *Severity.choices],
    )
    min_agreement = forms.FloatField(
        label=gettext_lazy("Agreement from"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Share of the experts who held what was settled."),
    )
    weigh_by = forms.MultipleChoiceField(
        label=gettext_lazy("Weigh rows by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, gettext_lazy(name)) for name in WEIGHTS],
        help_text=gettext_lazy("The weight stands in provenance.jsonl, line for line."),
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

    @property
    def option_fields(self):
        return [self[name] for name in READERS]

    @property
    def has_options(self) -> bool:
        """Something was asked for beside the splits, or asked for wrongly: the fold stands open."""
        return any(self[name].value() or self[name].errors for name in READERS)

    def asked_for(self, chosen, versions) -> dict:
        """As `request_export` and `preview_export` take it."""
        given = self.cleaned_data
        return {
            "version": next(each for each in versions if each.number == given["version"]),
            "format": chosen.name,
            "splits": given["splits"],
            "options": {name: given[name] for name in READERS},
        }

    def refuse(self, error) -> None:
        for name, sentences in error.message_dict.items():
            self.add_error(name if name in self.fields else None, sentences)


def options_in_words(filter: dict) -> list[str]:
    """What was asked for beside the splits, by the words of the form."""
    said = []
    for name in READERS:
        if name in filter:
            value = filter[name]
            words = ", ".join(map(str, value)) if isinstance(value, list) else value
            said.append(f"{ExportForm.base_fields[name].label}: {words}")
    return said
